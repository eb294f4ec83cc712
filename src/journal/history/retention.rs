//! Retention: what is older than a table keeps is deleted, a slice at a time.

use crate::time::{Instant, Span};
use rusqlite::{Connection, params};

/// For how many days each table keeps its rows; 0 keeps them for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retention {
    /// Contact detail records.
    pub contacts: u32,
    /// Segments of contacts.
    pub segments: u32,
    /// Agents' states.
    pub agent_states: u32,
    /// Half-hour counters of queues.
    pub queue_intervals: u32,
    /// Half-hour counters of agents.
    pub agent_intervals: u32,
    /// The audit.
    pub audit: u32,
    /// What people said and who they are, which the log keeps apart from its events.
    pub content: u32,
}

impl Retention {
    /// Up to when what was said is to go; none while it is kept for ever.
    pub(super) fn said_before(&self, now: Instant) -> Option<Instant> {
        (self.content > 0).then(|| now - Span::hours(24 * u64::from(self.content)))
    }
}

impl Default for Retention {
    /// 400 days, so that a month can be compared with that of the year before; counters, which
    /// are small and name no customer, three years.
    fn default() -> Self {
        Self {
            contacts: 400,
            segments: 400,
            agent_states: 400,
            queue_intervals: 1_096,
            agent_intervals: 1_096,
            audit: 400,
            content: 400,
        }
    }
}

/// Rows that are deleted in one transaction.
const SLICE: u32 = 500;

/// Deletes a slice of each table. True when there may be more. What is still open stays,
/// however old it is.
pub(super) fn apply(
    file: &mut Connection,
    keep: &Retention,
    now: Instant,
) -> rusqlite::Result<bool> {
    let by_seq = |table: &str, at: &str, open: &str| {
        format!(
            "DELETE FROM {table} WHERE seq IN (SELECT seq FROM {table} WHERE {at} < ?1 {open} ORDER BY {at} LIMIT {SLICE})"
        )
    };
    let by_start = |table: &str, whose: &str| {
        let key = format!("started_at, {whose}, channel");
        format!(
            "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE started_at < ?1 ORDER BY started_at LIMIT {SLICE})"
        )
    };
    let tables = [
        (
            keep.contacts,
            by_seq("contacts", "entered_at", "AND closed_at IS NOT NULL"),
        ),
        (
            keep.segments,
            by_seq("segments", "started_at", "AND ended_at IS NOT NULL"),
        ),
        (
            keep.agent_states,
            by_seq("agent_states", "started_at", "AND ended_at IS NOT NULL"),
        ),
        (keep.queue_intervals, by_start("queue_intervals", "queue")),
        (keep.agent_intervals, by_start("agent_intervals", "agent")),
        (keep.audit, by_seq("audit", "at", "")),
    ];
    let mut more = false;
    for (days, delete) in tables {
        if days == 0 {
            continue;
        }
        let before = now - Span::hours(24 * u64::from(days));
        let deleted = file.execute(&delete, params![before.0.cast_signed()])?;
        more |= deleted == SLICE as usize;
    }
    Ok(more)
}
