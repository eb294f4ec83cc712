//! What happened, as the simulated people saw it: counts by channel.

use serde_json::{Value, json};
use std::sync::Mutex;

/// Channels of the demo, in the order they are shown.
pub(super) const CHANNELS: [&str; 4] = ["voice", "chat", "email", "sms"];

/// Ends of an offer, as the protocol calls them.
const OUTCOMES: [&str; 5] = ["accepted", "declined", "missed", "withdrawn", "failed"];

/// Counts of one channel.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Row {
    pub(super) submitted: u64,
    pub(super) answered: u64,
    pub(super) abandoned: u64,
    pub(super) completed: u64,
    offers: [u64; OUTCOMES.len()],
}

/// Counts of all channels.
#[derive(Default)]
pub(super) struct Tally {
    rows: Mutex<[Row; CHANNELS.len()]>,
}

impl Tally {
    fn with(&self, channel: &str, change: impl FnOnce(&mut Row)) {
        let place = CHANNELS.iter().position(|name| *name == channel);
        let mut rows = self
            .rows
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(row) = place.and_then(|place| rows.get_mut(place)) {
            change(row);
        }
    }

    pub(super) fn submitted(&self, channel: &str) {
        self.with(channel, |row| row.submitted += 1);
    }

    pub(super) fn answered(&self, channel: &str) {
        self.with(channel, |row| row.answered += 1);
    }

    /// A contact is over, for a reason of the protocol.
    pub(super) fn closed(&self, channel: &str, reason: &str) {
        self.with(channel, |row| match reason {
            "abandoned" | "short_abandoned" => row.abandoned += 1,
            _ => row.completed += 1,
        });
    }

    /// An offer ended so.
    pub(super) fn offer(&self, channel: &str, outcome: &str) {
        if let Some(place) = OUTCOMES.iter().position(|name| *name == outcome) {
            self.with(channel, |row| {
                if let Some(count) = row.offers.get_mut(place) {
                    *count += 1;
                }
            });
        }
    }

    /// The counts now, by channel.
    pub(super) fn rows(&self) -> [Row; CHANNELS.len()] {
        *self
            .rows
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The object that `--headless` prints.
    pub(super) fn summary(&self, seed: u64, seconds: u64) -> Value {
        let channels = CHANNELS.iter().zip(self.rows()).map(|(name, row)| {
            let offers = OUTCOMES.iter().zip(row.offers);
            let offers: serde_json::Map<String, Value> = offers
                .map(|(name, count)| ((*name).to_owned(), json!(count)))
                .collect();
            let row = json!({
                "submitted": row.submitted,
                "answered": row.answered,
                "abandoned": row.abandoned,
                "completed": row.completed,
                "offers": offers,
            });
            ((*name).to_owned(), row)
        });
        let channels: serde_json::Map<String, Value> = channels.collect();
        json!({ "seed": seed, "seconds": seconds, "channels": channels })
    }
}
