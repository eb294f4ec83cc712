//! Tests of the engine with its real machines: what leaves when, restarts, streams, indexes.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at anything that it does not expect"
)]

#[cfg(test)]
mod engine {
    mod centre;
    mod gating;
    mod pulse;
    mod recovery;
    mod restart;
    mod streams;
    mod submits;
    mod walk;
    mod watch;
}
