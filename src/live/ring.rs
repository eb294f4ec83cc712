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

    /// Holds what comes after a position, and nothing of before.
    pub fn begin(&mut self, from: Seq) {
        self.changes.clear();
        self.gaps.clear();
        self.from = from;
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

#[cfg(test)]
mod tests {
    use super::Ring;
    use crate::domain::contact::Facts;
    use crate::domain::event::By;
    use crate::domain::requirement::Requirement;
    use crate::id::{ChannelId, ContactId, QueueId, Seq, UserId};
    use crate::limits;
    use crate::live::change::{About, Change, Fields, Name, Step};
    use crate::live::contact::ContactRow;
    use crate::time::{Instant, Span};
    use std::sync::Arc;

    fn change(seq: u64, at: Instant) -> Arc<Change> {
        let id = ContactId(uuid::Uuid::from_u128(seq.into()));
        let facts = Facts {
            id,
            external_id: "x".into(),
            channel: ChannelId(0),
            conversation: id,
            first_entry: at,
            priority: 0,
            tier: 5,
            due_at: None,
            requirement: Requirement::anyone(),
            preferred: None,
            patience: None,
            submitted_by: UserId(0),
        };
        Arc::new(Change {
            seq: Seq(seq),
            at,
            by: By::Engine,
            name: Name::ContactEntered,
            about: About::default(),
            row: Step::Contact {
                before: None,
                after: Arc::new(ContactRow::enter(&facts, None, QueueId(0), at, at)),
                fields: Fields::default(),
            },
        })
    }

    fn after(ring: &Ring, seq: u64) -> Option<Vec<u64>> {
        let changes = ring.after(Seq(seq))?;
        Some(changes.iter().map(|change| change.seq.0).collect())
    }

    #[test]
    fn nothing_goes_on_from_before_what_is_held_or_from_what_a_crash_took_back() {
        let mut ring = Ring::new(Seq(5));
        for seq in [7, 9] {
            ring.push(change(seq, Instant(seq)));
        }
        ring.skip(Seq(10), Seq(1_010));
        ring.push(change(1_012, Instant(12)));
        assert_eq!(after(&ring, 4), None);
        assert_eq!(after(&ring, 5), Some(vec![7, 9, 1_012]));
        assert_eq!(after(&ring, 8), Some(vec![9, 1_012]));
        assert_eq!(after(&ring, 10), Some(vec![1_012]));
        for lost in [11, 500, 1_009] {
            assert_eq!(after(&ring, lost), None, "{lost}");
        }
        assert_eq!(after(&ring, 1_010), Some(vec![1_012]));
        assert_eq!(after(&ring, 1_012), Some(Vec::new()));
    }

    #[test]
    fn a_ring_that_begins_anew_holds_nothing_of_before() {
        let mut ring = Ring::new(Seq(0));
        ring.push(change(1, Instant(1)));
        ring.skip(Seq(1), Seq(1_001));
        ring.begin(Seq(2_000));
        ring.push(change(2_001, Instant(2)));
        assert_eq!(after(&ring, 1_999), None);
        assert_eq!(after(&ring, 2_000), Some(vec![2_001]));
    }

    #[test]
    fn what_is_too_old_or_too_much_is_let_go_and_nothing_goes_on_from_before_it() {
        let mut ring = Ring::new(Seq(0));
        ring.push(change(1, Instant(0)));
        ring.push(change(2, Instant(1)));
        ring.forget(Instant(0) + limits::REPLAY_AGE + Span(1));
        assert_eq!(after(&ring, 0), None);
        assert_eq!(after(&ring, 1), Some(vec![2]));
        let now = Instant(0) + limits::REPLAY_AGE;
        for n in 0..limits::REPLAY_EVENTS as u64 {
            ring.push(change(3 + n, now));
        }
        assert_eq!((after(&ring, 1), ring.len()), (None, limits::REPLAY_EVENTS));
        assert!(after(&ring, 2).is_some());
    }
}
