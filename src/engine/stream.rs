//! What is kept of an agent's own stream, and where it leaves.

use super::door::{DoorId, MyEvent, ToSession};
use crate::id::{Generation, Seq};
use crate::limits;
use std::collections::VecDeque;

/// The stream of one sign-in.
pub(super) struct Stream {
    pub(super) generation: Generation,
    pub(super) leaves: Leaves,
    /// Position of the last event, at first of the answer to the sign-in.
    pub(super) last: Seq,
    /// Events after this position are kept.
    pub(super) before_kept: Seq,
    pub(super) kept: VecDeque<MyEvent>,
    /// The seat is closed: there is nothing to come back to.
    pub(super) over: bool,
}

/// Where a stream leaves.
pub(super) enum Leaves {
    /// By this door, once it has received the answer to the sign-in.
    Soon(DoorId),
    /// By this door.
    By(DoorId, ToSession),
    /// The socket is gone.
    Nowhere,
}

impl Stream {
    pub(super) fn new(generation: Generation, leaves: Leaves, after: Seq) -> Self {
        Self {
            generation,
            leaves,
            last: after,
            before_kept: after,
            kept: VecDeque::new(),
            over: false,
        }
    }

    /// Whether what was said after a position is still known.
    pub(super) fn reaches(&self, after: Seq) -> bool {
        self.before_kept <= after && after <= self.last
    }

    pub(super) fn keep(&mut self, event: MyEvent) {
        let at = event.at;
        self.kept.push_back(event);
        let (most, age) = match self.leaves {
            Leaves::By(..) => (limits::ME_KEPT, limits::ME_KEPT_FOR),
            Leaves::Soon(_) | Leaves::Nowhere => (limits::ME_KEPT_FOR_LOST, limits::REPLAY_AGE),
        };
        while self
            .kept
            .front()
            .is_some_and(|oldest| self.kept.len() > most || at.since(oldest.at) > age)
        {
            if let Some(dropped) = self.kept.pop_front() {
                self.before_kept = dropped.seq;
            }
        }
    }
}
