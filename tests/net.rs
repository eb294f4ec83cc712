//! The doors over real sockets: what is let in, what is refused and how, and that one client
//! is never another's problem.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    clippy::wrong_self_convention,
    clippy::manual_is_multiple_of,
    clippy::disallowed_methods,
    clippy::type_complexity,
    reason = "a test that cannot go on says where, and looks at a few of many cases"
)]

mod net {
    mod bad_input;
    mod client;
    mod contacts;
    mod crash;
    mod drain;
    mod hidden;
    mod house;
    mod http;
    mod keys;
    mod pulse;
    mod reload;
    mod reports;
    mod restart;
    mod resume;
    mod rights;
    mod service;
    mod sessions;
    mod slow;
    mod space;
    mod stall;
}
