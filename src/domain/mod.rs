//! The decisions: pure state machines of queues, floor and what they share. No async, no
//! clocks, no randomness: time, chance and order come in as arguments.

mod about;
pub mod capacity;
pub mod command;
pub mod contact;
pub mod event;
pub mod floor;
pub mod machine;
pub mod message;
pub mod near;
pub mod offer;
pub mod queue;
pub mod requirement;
pub mod rules;
pub mod skill;
pub mod urgency;
