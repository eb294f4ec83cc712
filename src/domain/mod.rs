//! The decisions: pure state machines of queues, floor and what they share. No async, no
//! clocks, no randomness: time, chance and order come in as arguments.

pub mod capacity;
pub mod near;
pub mod requirement;
pub mod skill;
