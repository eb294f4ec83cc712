//! What leaves the engine by a door, and its share of the door's budget.

use crate::domain::machine::{Answer, Me, Refusal};
use crate::id::Seq;
use crate::limits;
use crate::live::board::Refused;
use crate::live::delta::Sub;
use crate::time::Instant;
use crate::wire::push::RevokedReason;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a message counts in the budget of its door until it is encoded, in bytes.
const STRUCTURED_BYTES: usize = 512;

/// What a door receives.
#[derive(Debug)]
pub enum ToDoor {
    /// The answer to a request; what it says is durable.
    Reply {
        /// The request, as `ReplyTo` named it.
        request: u64,
        /// The answer.
        result: Result<Answer, Refusal>,
        /// A position that includes the effect.
        seq: Seq,
    },
    /// An event on the agent's own stream, sent at once.
    Me(MyEvent),
    /// The agent's own stream was replayed to its end: what follows is new.
    MeLive,
    /// The answer to a subscription; the snapshot follows.
    Subscribed {
        /// The request, as the subscriber named it.
        request: u64,
        /// The view, or why it is not opened.
        result: Result<Sub, Refused>,
        /// Position of the board.
        seq: Seq,
    },
    /// The state of a view; its live frames follow, and are to be kept until the last part of
    /// this is written. A later snapshot of the same view takes the place of this one.
    Snapshot {
        /// The view.
        sub: Sub,
        /// Why it comes.
        why: SnapshotWhy,
        /// The position at which it was cut.
        as_of: Seq,
        /// Encodes itself as the socket drains.
        parts: Box<dyn Parts>,
    },
    /// Messages of a view, encoded for this door's protocol.
    Frame {
        /// The view.
        sub: Sub,
        /// Position of the event; of the newest, when there are several in it.
        seq: Seq,
        /// One whole frame, a message or an array of messages; shared with every door of the
        /// view.
        bytes: Bytes,
    },
    /// The replay of a view is done.
    Live {
        /// The view.
        sub: Sub,
        /// The position up to which it is whole.
        seq: Seq,
    },
    /// A view is taken away.
    Revoked {
        /// The view.
        sub: Sub,
        /// Why.
        reason: RevokedReason,
    },
    /// The last thing a door receives.
    Close(Close),
}

/// Why a snapshot comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SnapshotWhy {
    /// The view was just opened.
    Opened,
    /// The reader fell behind a conflated view: the newest state instead of what it missed.
    Behind,
    /// Continuity cannot be proved; `reset` goes before it.
    Reset,
}

/// A snapshot that is cut, and is encoded part by part outside the board's turn.
pub trait Parts: Send + std::fmt::Debug {
    /// The next message, of at most `limits::SNAPSHOT_PART_BYTES` where rows allow it; none
    /// after the last.
    fn next_part(&mut self) -> Option<Bytes>;
}

/// Why the engine closes a door.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Close {
    /// It owes its reader more than `limits::OUTBOUND_BYTES`.
    SlowReader,
    /// A newer session of the same agent took over.
    Superseded,
    /// The server stops.
    Stopping,
}

/// An event on an agent's own stream.
#[derive(Clone, Debug)]
pub struct MyEvent {
    /// Its position.
    pub seq: Seq,
    /// Position of the event before it on this stream, at first of the reply to the sign-in.
    pub prev: Seq,
    /// When it happened.
    pub at: Instant,
    /// What is said.
    pub me: Arc<Me>,
    /// It is repeated to a socket that is back.
    pub replay: bool,
}

/// Something a door received. Until it is dropped it counts in what the door owes its reader,
/// so it should be held until its bytes are written.
#[derive(Debug)]
pub struct Delivery {
    /// What is received.
    pub what: ToDoor,
    /// Its share of the budget.
    pub owed: Owed,
}

/// A share of a door's budget, given back when dropped.
#[derive(Debug)]
pub struct Owed {
    pub(super) bytes: usize,
    pub(super) budget: Arc<AtomicUsize>,
}

impl Owed {
    /// What it was put in for is now so many bytes. False when the door then owes its reader
    /// too much, as [`super::door::ToSession::send`] would have it; one frame alone, however
    /// large, never is.
    #[must_use]
    pub fn weigh(&mut self, bytes: usize) -> bool {
        let before = if bytes >= self.bytes {
            self.budget.fetch_add(bytes - self.bytes, Ordering::Relaxed)
        } else {
            self.budget.fetch_sub(self.bytes - bytes, Ordering::Relaxed)
        };
        let others = before.saturating_sub(self.bytes);
        self.bytes = bytes;
        others == 0 || others + bytes <= limits::OUTBOUND_BYTES
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        self.budget.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// What something counts in a door's budget. A snapshot is not counted: it is encoded only as
/// the socket drains.
pub(super) fn counted(what: &ToDoor) -> usize {
    match what {
        ToDoor::Frame { bytes, .. } => bytes.len(),
        ToDoor::Reply { .. } | ToDoor::Me(_) => STRUCTURED_BYTES,
        ToDoor::MeLive
        | ToDoor::Subscribed { .. }
        | ToDoor::Snapshot { .. }
        | ToDoor::Live { .. }
        | ToDoor::Revoked { .. }
        | ToDoor::Close(_) => 0,
    }
}
