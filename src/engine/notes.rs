//! Notes of idempotency keys, by where the answer goes: the answer to a request with a key becomes
//! durable with the events it tells of, so that a repeat finds either both or neither.

use super::handle::Engine;
use crate::domain::machine::{Answer, Refusal, ReplyTo};
use crate::journal::beside::KeyRow;
use crate::journal::{Beside, Recall};
use dashmap::DashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::oneshot;

/// Writes an answer as it is given again; none if it is not to be kept with its events.
pub type Write = Box<dyn Fn(&Result<Answer, Refusal>) -> Option<Vec<u8>> + Send + Sync>;

/// A key whose answer is on its way.
pub struct Note {
    /// The key.
    pub row: KeyRow,
    /// Writes the answer.
    pub write: Write,
    /// Set when the answer is on its way to the store.
    pub carried: Arc<AtomicBool>,
}

impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Note").field(&self.row.number).finish()
    }
}

/// All notes of one floor.
#[derive(Debug, Default)]
pub(super) struct Notes {
    notes: DashMap<ReplyTo, Note>,
    /// How many there are: most answers belong to no key, and need not look.
    count: AtomicUsize,
}

impl Notes {
    pub(super) fn put(&self, to: ReplyTo, note: Note) {
        self.count.fetch_add(1, Ordering::Relaxed);
        if self.notes.insert(to, note).is_some() {
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub(super) fn take(&self, to: ReplyTo) -> Option<Note> {
        if self.count.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let (_, note) = self.notes.remove(&to)?;
        self.count.fetch_sub(1, Ordering::Relaxed);
        Some(note)
    }

    /// The key that an answer belongs to, with the answer.
    pub(super) fn answered(&self, to: ReplyTo, result: &Result<Answer, Refusal>) -> Option<KeyRow> {
        let Note {
            mut row,
            write,
            carried,
        } = self.take(to)?;
        row.answer = write(result)?;
        carried.store(true, Ordering::Relaxed);
        Some(row)
    }
}

impl Engine {
    /// The answer that goes there belongs to a key: it becomes durable with its events.
    pub fn note(&self, to: ReplyTo, note: Note) {
        self.post().outlet.notes.put(to, note);
    }

    /// No answer that goes there belongs to a key any more.
    pub fn forget_note(&self, to: ReplyTo) {
        drop(self.post().outlet.notes.take(to));
    }

    /// Keeps something beside the events. True when it is durable; false when it never will be.
    pub async fn keep(&self, mut beside: Beside) -> bool {
        let (told, durable) = oneshot::channel();
        beside.told = Some(told);
        let kept = self.post().sequencer.keep(self.clock().now(), beside);
        kept.is_ok() && durable.await.is_ok()
    }

    /// Reads what lies beside the events; none of a log that keeps nothing.
    #[must_use]
    pub fn recall(&self) -> Option<Arc<dyn Recall>> {
        self.post().journal.recall()
    }
}
