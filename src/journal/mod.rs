//! The journal: takes the batches of the log in order, makes them durable, and only then lets
//! out what may not be seen before. The trait is what the engine knows of it; a [`log::Log`] is
//! one with a thread and a [`store::Store`] beneath, in memory or on disk.

pub mod beside;
pub mod chore;
pub mod erase;
pub mod fold;
pub mod folder;
mod folding;
pub mod history;
pub mod holds;
pub mod index;
pub mod log;
pub mod memory;
pub mod recover;
pub mod space;
pub mod sqlite;
pub mod store;
mod writer;

pub use beside::{Beside, Recall};
pub use fold::Fold;
pub use writer::OnFailure;

use crate::domain::event::Record;
use crate::domain::machine::{Answer, Refusal, ReplyTo};
use crate::domain::rules::Workspace;
use crate::id::{QueueId, Seq};
use crate::time::Instant;
use std::fmt;
use std::sync::Arc;

/// Name of a log. Positions of two epochs cannot be compared.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Epoch(pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Who hands batches over.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Source {
    /// The floor.
    Floor,
    /// A queue.
    Queue(QueueId),
    /// The board, whose state is a fold of everybody's events.
    Board,
    /// The index of contacts, which is one too.
    Index,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Floor => f.write_str("floor"),
            Self::Queue(queue) => write!(f, "queue {}", queue.0),
            Self::Board => f.write_str("board"),
            Self::Index => f.write_str("index"),
        }
    }
}

impl Source {
    /// As it is displayed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "floor" => Some(Self::Floor),
            "board" => Some(Self::Board),
            "index" => Some(Self::Index),
            queue => {
                let number = queue.strip_prefix("queue ")?.parse().ok()?;
                Some(Self::Queue(QueueId(number)))
            }
        }
    }
}

/// Events that one actor handed over in one call, with their positions.
#[derive(Debug)]
pub struct Written {
    /// Whose.
    pub from: Source,
    /// In order.
    pub records: Vec<Record>,
}

/// An answer that waits for the events it tells of.
#[derive(Debug)]
pub struct Gated {
    /// Where it goes.
    pub to: ReplyTo,
    /// The answer.
    pub result: Result<Answer, Refusal>,
    /// A position that includes its effect.
    pub seq: Seq,
}

/// What one actor hands over in one call.
#[derive(Debug)]
pub struct Batch {
    /// The events.
    pub written: Arc<Written>,
    /// Answers that wait for them, and for all before them.
    pub gated: Vec<Gated>,
    /// The last position given out when it was handed over.
    pub last: Seq,
    /// When it was handed over.
    pub at: Instant,
    /// What becomes durable with them.
    pub beside: Beside,
}

/// Lets out what has become durable, in order; called on the journal's own thread, which it
/// must not hold up.
pub type Release = Box<dyn FnMut(Arc<Written>, Vec<Gated>) + Send>;

/// With what a log is started.
pub struct Opening {
    /// The time; the name of a log that is new.
    pub now: Instant,
    /// The rules in force.
    pub rules: Arc<Workspace>,
    /// Digest of the configuration they come from; none if it is not known.
    pub configuration: Option<beside::Configuration>,
    /// Lets out what is durable.
    pub release: Release,
    /// To be told when nothing becomes durable any more.
    pub failed: OnFailure,
}

/// What is handed over and not yet durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Undurable {
    /// Its size, estimated from the number and content of its events.
    pub bytes: usize,
    /// When the oldest of it was handed over.
    pub oldest: Option<Instant>,
}

/// The journal is closed or its thread has died: nothing becomes durable any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the journal takes nothing more")]
pub struct Gone;

/// A log with one writer.
pub trait Journal: Send + Sync {
    /// Name of the log.
    fn epoch(&self) -> Epoch;

    /// The position after which the first batch goes on.
    fn start(&self) -> Seq;

    /// Takes a batch. Called in the order of positions, one call at a time; never waits for a
    /// disk.
    ///
    /// # Errors
    /// When nothing becomes durable any more; the process has to end.
    fn append(&self, batch: Batch) -> Result<(), Gone>;

    /// The newest position that is durable; never older than one that was let out.
    fn durable(&self) -> Seq;

    /// What is not yet durable.
    fn undurable(&self) -> Undurable;

    /// Begins to keep what the log knows of an actor, as a snapshot of it to start again from.
    /// Changes nothing when it is kept already.
    fn keep(&self, source: Source, empty: Box<dyn Fold>);

    /// What the log knows of an actor: its snapshot and every batch it handed over since,
    /// durable or not; of the board and the index, what is durable. None if it is not kept, or cannot be
    /// folded.
    fn recover(&self, source: Source) -> Option<Box<dyn Fold>>;

    /// Reads what lies beside the events; none of a log that keeps nothing.
    fn recall(&self) -> Option<Arc<dyn Recall>>;

    /// Whether it waits for room on the disk.
    fn waits_for_room(&self) -> bool;

    /// Whether the rules in force at the start are those of the last event.
    fn same_rules(&self) -> bool;

    /// Makes durable and lets out all that was taken, takes nothing more, and returns when
    /// that is done.
    fn close(&self);
}

/// What a record is taken to weigh before it is encoded, in bytes.
#[must_use]
pub fn weight(record: &Record) -> usize {
    let content = record.content.as_deref().map_or(0, |content| {
        let texts = [
            &content.customer_id,
            &content.customer_name,
            &content.customer_address,
            &content.note,
            &content.text,
        ];
        let texts = texts.into_iter().flatten().map(String::len);
        let attributes = content
            .attributes
            .iter()
            .map(|(key, value)| key.len() + value.len());
        texts.chain(attributes).sum()
    });
    size_of::<Record>() + content
}
