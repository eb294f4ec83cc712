//! What the server promises, as seen from outside, and a count of what it broke.

use std::collections::HashMap;

use serde::Serialize;

/// One promise. The README of this package says what exactly is checked for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Promise {
    /// An agent is offered no more than there is room for.
    Room,
    /// No offer on a channel that the agent's work interrupts.
    Interrupted,
    /// Only members of a contact's queue are offered it, and with its own channel and queue.
    Eligible,
    /// A contact rings or talks at one agent at a time.
    OneAgent,
    /// An offer is shown once.
    ShownOnce,
    /// What is withdrawn, missed or failed was shown before.
    NamesShown,
    /// No connect without an accepted offer.
    ConnectOffered,
    /// Nobody is handled, closed or numbered twice.
    Doubled,
    /// Every submitted contact comes to an end.
    Lost,
    /// Most urgent first within a queue.
    Order,
    /// No agent with room stands beside a waiting contact.
    Idle,
    /// Positions of lossless views have no gap, no repeat and no step back.
    Positions,
    /// Rows of tables never go back.
    RowsBack,
    /// When all is done, tables say so.
    Settled,
    /// No socket is closed and no request of a good client refused.
    Served,
}

/// Every promise, for reports that list them all.
pub const PROMISES: [Promise; 15] = [
    Promise::Room,
    Promise::Interrupted,
    Promise::Eligible,
    Promise::OneAgent,
    Promise::ShownOnce,
    Promise::NamesShown,
    Promise::ConnectOffered,
    Promise::Doubled,
    Promise::Lost,
    Promise::Order,
    Promise::Idle,
    Promise::Positions,
    Promise::RowsBack,
    Promise::Settled,
    Promise::Served,
];

/// Examples kept of each promise.
const EXAMPLES: usize = 5;

/// What was broken, with a few examples.
#[derive(Debug, Default)]
pub struct Broken {
    counts: HashMap<u8, u64>,
    examples: Vec<(Promise, String)>,
}

impl Broken {
    /// Notes one break; `what` is evaluated only while examples are wanted.
    pub fn note(&mut self, promise: Promise, what: impl FnOnce() -> String) {
        self.note_many(promise, 1, what);
    }

    /// Notes several breaks of one kind under one example.
    pub fn note_many(&mut self, promise: Promise, count: u64, what: impl FnOnce() -> String) {
        *self.counts.entry(promise as u8).or_default() += count;
        let shown = self
            .examples
            .iter()
            .filter(|(other, _)| *other == promise)
            .count();
        if shown < EXAMPLES {
            self.examples.push((promise, what()));
        }
    }

    /// How often it was broken.
    pub fn count(&self, promise: Promise) -> u64 {
        self.counts.get(&(promise as u8)).copied().unwrap_or(0)
    }

    /// How often any was broken.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// The first few breaks of each promise, in the order they were seen.
    pub fn examples(&self) -> &[(Promise, String)] {
        &self.examples
    }
}
