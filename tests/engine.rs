//! Tests of the engine with its real machines: what leaves when, restarts, streams, indexes.

#[cfg(test)]
mod engine {
    mod centre;
    mod gating;
    mod restart;
    mod streams;
    mod submits;
    mod walk;
}
