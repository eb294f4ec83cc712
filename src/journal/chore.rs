//! What is written beside the events: snapshots, so that a start reads little of the log, and the
//! log can be cut.

use super::fold::Name;
use crate::id::Seq;
use crate::limits;
use crate::time::Instant;

/// A snapshot is cut after so many events. Two are kept: a start reads the older of them at the
/// worst, and the events after it.
pub const EVERY: u64 = 100_000;

/// Positions that a start reads at least, where a snapshot is cut after so many events.
pub(super) const fn tail(every: u64) -> u64 {
    every / 10 * 3
}

const _: () = assert!(
    tail(EVERY) >= limits::REPLAY_EVENTS as u64,
    "views that may go on find their events after every start"
);

/// Most bytes of a snapshot that are written in one go: nobody's answer waits for more.
pub(super) const PIECE: usize = 128 * 1024;

/// Done by a store between two groups of batches, all of it or nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Chore {
    /// A piece of a snapshot that is being cut.
    Piece {
        /// Position of the last event in the snapshot.
        snapshot: Seq,
        /// From 0.
        number: u32,
        /// Whose it is.
        name: Name,
        /// What of it.
        body: Vec<u8>,
    },
    /// All pieces of a snapshot are there.
    Whole {
        /// Position of the last event in it.
        snapshot: Seq,
        /// Time of that event.
        at: Instant,
        /// How many pieces it has.
        pieces: u32,
    },
    /// Something that nothing will be read from any more is to go, but not more than in a moment.
    Forget {
        /// Now.
        now: Instant,
    },
}
