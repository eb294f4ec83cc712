//! The last changes, for views that go on after a lost connection.

use crate::id::Seq;
use crate::limits;
use crate::live::change::Change;
use crate::time::Instant;
use std::collections::VecDeque;
use std::sync::Arc;

/// At most [`limits::REPLAY_EVENTS`] changes of at most [`limits::REPLAY_AGE`].
#[derive(Clone, Debug)]
pub struct Ring {
    changes: VecDeque<Arc<Change>>,
    /// Every change after this position is held.
    from: Seq,
    /// Positions between these two stand for nothing that anybody can go on from.
    gaps: Vec<(Seq, Seq)>,
}

impl Ring {
    /// Nothing is held, and nothing is missing after `from`.
    #[must_use]
    pub fn new(from: Seq) -> Self {
        Self {
            changes: VecDeque::new(),
            from,
            gaps: Vec::new(),
        }
    }

    /// The log goes on at `next`; what was given out after `last` did not become durable.
    pub fn skip(&mut self, last: Seq, next: Seq) {
        self.gaps.push((last, next));
    }

    /// How many changes are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether none is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Holds a change, and lets go of what is too old or too much.
    pub fn push(&mut self, change: Arc<Change>) {
        let now = change.at;
        self.changes.push_back(change);
        self.forget(now);
    }

    /// Lets go of what is too old.
    pub fn forget(&mut self, now: Instant) {
        while let Some(oldest) = self.changes.front()
            && (self.changes.len() > limits::REPLAY_EVENTS
                || now.since(oldest.at) > limits::REPLAY_AGE)
        {
            self.from = oldest.seq;
            self.changes.pop_front();
        }
        let from = self.from;
        self.gaps.retain(|(_, next)| *next > from);
    }

    /// Every change after a position; `None` when some of them are not held any more, or the
    /// position is one that a crash took back.
    #[must_use]
    pub fn after(&self, seq: Seq) -> Option<VecDeque<Arc<Change>>> {
        let taken_back = |(last, next): &(Seq, Seq)| *last < seq && seq < *next;
        if seq < self.from || self.gaps.iter().any(taken_back) {
            return None;
        }
        let first = self.changes.partition_point(|change| change.seq <= seq);
        Some(self.changes.range(first..).cloned().collect())
    }
}
