//! Counters of half hours, added up in memory for one group of events and then to the file, in
//! the transaction of that group.

use super::targets::Targets;
use super::words::Name;
use crate::time::{Instant, Span};
use rusqlite::{Connection, ToSql};
use std::collections::BTreeMap;

/// Length of an interval, in milliseconds: the clock's half hours.
const INTERVAL: u64 = 30 * 60 * 1_000;

macro_rules! counters {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $column:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(super) enum $name { $($variant,)* }

        impl $name {
            /// The columns, in the order of the counters.
            const COLUMNS: &[&str] = &[$($column,)*];
        }
    };
}

counters! {
    /// What is counted of a queue and channel.
    OfQueue {
        Entered = "entered",
        MovedIn = "moved_in",
        TransferredIn = "transferred_in",
        Returned = "returned",
        Answered = "answered",
        AnsweredFirst = "answered_first",
        AnsweredInThreshold = "answered_in_threshold",
        Abandoned = "abandoned",
        ShortAbandoned = "short_abandoned",
        AbandonedInThreshold = "abandoned_in_threshold",
        AbandonedAfterReturn = "abandoned_after_return",
        Cancelled = "cancelled",
        MovedOut = "moved_out",
        Requeued = "requeued",
        Offers = "offers",
        OffersAccepted = "offers_accepted",
        OffersDeclined = "offers_declined",
        OffersMissed = "offers_missed",
        OffersWithdrawn = "offers_withdrawn",
        OffersFailed = "offers_failed",
        Handled = "handled",
        Talk = "talk_ms",
        WrapUp = "wrap_up_ms",
        Wait = "wait_ms",
        AbandonWait = "abandon_wait_ms",
    }
}

counters! {
    /// What is counted of an agent and channel.
    OfAgent {
        Offers = "offers",
        OffersAccepted = "offers_accepted",
        OffersDeclined = "offers_declined",
        OffersMissed = "offers_missed",
        OffersWithdrawn = "offers_withdrawn",
        OffersFailed = "offers_failed",
        Answered = "answered",
        Handled = "handled",
        Talk = "talk_ms",
        WrapUp = "wrap_up_ms",
    }
}

/// Where something counts: the beginning of the half hour, the queue or agent, the channel.
type Place = (u64, Name, Name);

/// Counters that are not yet in the file.
#[derive(Debug, Default)]
pub(super) struct Counts {
    queues: BTreeMap<Place, ([u64; OfQueue::COLUMNS.len()], u64)>,
    agents: BTreeMap<Place, [u64; OfAgent::COLUMNS.len()]>,
}

fn place(at: Instant, whose: &Name, channel: &Name) -> Place {
    (at.0 - at.0 % INTERVAL, whose.clone(), channel.clone())
}

impl Counts {
    /// Adds to counters of a queue and channel.
    pub(super) fn queue(
        &mut self,
        at: Instant,
        queue: &Name,
        channel: &Name,
        more: &[(OfQueue, u64)],
    ) {
        let (counters, _) = self.queues.entry(place(at, queue, channel)).or_default();
        for (counter, more) in more {
            counters[*counter as usize] += more;
        }
    }

    /// A contact waited so long in all.
    pub(super) fn waited(&mut self, at: Instant, queue: &Name, channel: &Name, waited: Span) {
        let (_, longest) = self.queues.entry(place(at, queue, channel)).or_default();
        *longest = waited.0.max(*longest);
    }

    /// Adds to counters of an agent and channel.
    pub(super) fn agent(
        &mut self,
        at: Instant,
        agent: &Name,
        channel: &Name,
        more: &[(OfAgent, u64)],
    ) {
        let counters = self.agents.entry(place(at, agent, channel)).or_default();
        for (counter, more) in more {
            counters[*counter as usize] += more;
        }
    }

    /// Adds everything to the file.
    pub(super) fn write(self, file: &Connection, targets: &Targets) -> rusqlite::Result<()> {
        let add = adding(
            "queue_intervals",
            &["queue", "threshold_ms", "max_wait_ms"],
            OfQueue::COLUMNS,
        );
        let add = format!("{add}, max_wait_ms = max(max_wait_ms, excluded.max_wait_ms)");
        let mut add = file.prepare_cached(&add)?;
        for ((start, queue, channel), (counters, longest)) in &self.queues {
            let (start, longest) = (start.cast_signed(), longest.cast_signed());
            let threshold = targets.target(queue, channel).0.cast_signed();
            let counters = counters.map(u64::cast_signed);
            let mut values: Vec<&dyn ToSql> = vec![&start, channel, queue, &threshold, &longest];
            values.extend(counters.iter().map(|counter| counter as &dyn ToSql));
            add.execute(values.as_slice())?;
        }
        let add = adding("agent_intervals", &["agent"], OfAgent::COLUMNS);
        let mut add = file.prepare_cached(&add)?;
        for ((start, agent, channel), counters) in &self.agents {
            let start = start.cast_signed();
            let counters = counters.map(u64::cast_signed);
            let mut values: Vec<&dyn ToSql> = vec![&start, channel, agent];
            values.extend(counters.iter().map(|counter| counter as &dyn ToSql));
            add.execute(values.as_slice())?;
        }
        Ok(())
    }
}

/// A statement that makes a row, or adds to the counters of the one that there is.
fn adding(table: &str, fixed: &[&str], counters: &[&str]) -> String {
    let columns: Vec<&str> = ["started_at", "channel"]
        .iter()
        .chain(fixed)
        .chain(counters)
        .copied()
        .collect();
    let values = vec!["?"; columns.len()].join(", ");
    let added: Vec<String> = counters
        .iter()
        .map(|counter| format!("{counter} = {counter} + excluded.{counter}"))
        .collect();
    format!(
        "INSERT INTO {table} ({}) VALUES ({values}) ON CONFLICT DO UPDATE SET {}",
        columns.join(", "),
        added.join(", ")
    )
}
