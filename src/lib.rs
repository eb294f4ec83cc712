//! Switchroom: a self-hosted, real-time routing and supervisor event engine for contact centres.
//!
//! Queues speak for contacts, the floor speaks for agents, the board speaks to everybody who
//! watches, the gate asks for permits. Everything that decides is a pure state machine;
//! everything that waits is one small loop around it. `docs/architecture.md` has the plan.

#![forbid(unsafe_code)]

pub mod access;
pub mod cli;
pub mod config;
pub mod directory;
pub mod domain;
pub mod engine;
pub mod gate;
pub mod id;
pub mod journal;
pub mod limits;
pub mod live;
pub mod net;
pub mod time;
pub mod wire;
