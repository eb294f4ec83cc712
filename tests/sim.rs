//! The simulator: queues and floor as they are, in a small world that a seed makes up, with
//! messages as late and as interleaved as can be, sockets that are lost and actors that die.
//! After every step the promises of the product are checked.
//!
//! `SIM_SEEDS=` and `SIM_STEPS=` say how many seeds and how many steps each, `SIM_SEED=` runs
//! one seed, `SIM_PLAN=` runs a plan that was written to a file. `SIM_SHRINK=0` tells a failure
//! as it was found, not as short as it can be.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    clippy::wrong_self_convention,
    clippy::manual_is_multiple_of,
    clippy::filter_map_bool_then,
    clippy::disallowed_methods,
    reason = "a test that cannot go on says where, and looks at a few of many cases"
)]

#[cfg(test)]
mod sim {
    mod brief;
    mod desk;
    mod effects;
    mod history;
    mod known;
    mod ledger;
    mod mail;
    mod naive;
    mod order;
    mod outside;
    mod plan;
    mod promise;
    mod promises;
    mod recount;
    mod regressions;
    mod rng;
    mod run;
    mod screen;
    mod seeds;
    mod setup;
    mod tally;
    mod world;
}
