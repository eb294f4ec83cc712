//! Tests of the live views over the logs of real queues and a real floor: recounts, scopes,
//! snapshots against streams, replays, places, media commands.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the naive judge looks at the events it knows and at no others"
)]

#[cfg(test)]
mod live {
    mod acts;
    mod centre;
    mod counts;
    mod eyes;
    mod lens;
    mod media;
    mod naive;
    mod places;
    mod random;
    mod rights;
    mod streams;
    mod subscriptions;
}
