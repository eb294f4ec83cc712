//! The generator from outside: its command line, and its judgement of a server that is good or bad
//! on purpose.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods,
    reason = "a test fails by a panic, and the fake server has a clock of its own"
)]

mod cli;
mod fake;
mod promises;
