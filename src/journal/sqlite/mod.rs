//! A log in an SQLite file, `log.db`: one row for each batch, with its check sum; what people
//! said lies in a table of its own, so that it can be erased and the log stays whole.

mod beside;
mod checkpoint;
mod copy;
mod names;
mod read;
mod reader;
mod recover;
mod schema;
mod snapshot;
#[cfg(test)]
mod tests;
mod verify;
mod write;

pub use copy::{CopyError, Moment, epoch_of, rename, tidy};
pub use read::ReadError;
pub use reader::Reader;
pub(super) use reader::open_beside;
pub use schema::{FORMAT, OpenError};
pub use verify::{Finding, Read};

use super::chore;
use super::folder::Folder;
use super::holds::Holds;
use super::log::{Begin, Log, Pace};
use super::{Epoch, Opening, Source};
use crate::directory::Known;
use crate::domain::rules::Workspace;
use crate::id::Seq;
use crate::time::Instant;
use beside::Aside;
use checkpoint::Checkpoints;
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Name of the file in its folder.
pub const FILE: &str = "log.db";

/// Positions left out after a start: more than a server can have given out that did not become
/// durable.
const SKIPPED: u64 = 1_000_000;

/// Why a log could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Its thread cannot be started.
    #[error(transparent)]
    Thread(#[from] std::io::Error),
}

/// What a log's file lies on.
#[derive(Clone, Copy, Debug)]
pub struct Medium {
    /// Name of a VFS that was registered with SQLite; the system's files when absent. A test
    /// that cuts the power names its own.
    pub vfs: Option<&'static str>,
    /// How often commits are copied into the file.
    pub checkpoint_every: Duration,
}

impl Default for Medium {
    fn default() -> Self {
        Self {
            vfs: None,
            checkpoint_every: checkpoint::EVERY,
        }
    }
}

/// A log's file, open for its one writer.
#[derive(Debug)]
pub struct Sqlite {
    folder: Folder,
    on: Medium,
    connection: Connection,
    epoch: Epoch,
    /// When it was new.
    began: Instant,
    /// None once it is closed.
    checkpoints: Option<Checkpoints>,
    buffer: Vec<u8>,
    holds: Holds,
    cut_every: u64,
}

impl Sqlite {
    /// Opens the log in a folder, or makes one there, whose epoch is `now`.
    ///
    /// # Errors
    /// When there is something else, a log of a newer version, or the file cannot be used.
    pub fn open(folder: Folder, now: Instant) -> Result<Self, OpenError> {
        Self::open_on(Medium::default(), folder, now)
    }

    /// The same on another medium.
    ///
    /// # Errors
    /// The same.
    pub fn open_on(on: Medium, folder: Folder, now: Instant) -> Result<Self, OpenError> {
        let path = folder.path().join(FILE);
        let connection = schema::open(&path, on)?;
        let (epoch, began) = schema::epoch(&connection, now)?;
        let checkpoints = Checkpoints::start(&path, on)?;
        Ok(Self {
            folder,
            on,
            connection,
            epoch,
            began,
            checkpoints: Some(checkpoints),
            buffer: Vec::new(),
            holds: Holds::default(),
            cut_every: chore::EVERY,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.path().join(FILE)
    }

    /// Name of the log.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Who reads it, and keeps it from being cut.
    #[must_use]
    pub fn holds(&self) -> Holds {
        self.holds.clone()
    }

    /// Cuts a snapshot after so many events.
    #[must_use]
    pub fn cut_every(mut self, events: u64) -> Self {
        self.cut_every = events;
        self
    }

    /// Whose parts in the newest snapshot are not what the events before it make of the one
    /// before it: nobody's, unless something is damaged. None when there is nothing to compare.
    ///
    /// # Errors
    /// When a snapshot or an event cannot be read.
    pub fn disagree(&self, rules: &Arc<Workspace>) -> Result<Option<Vec<Source>>, ReadError> {
        recover::disagree(&self.connection, rules, self.began)
    }

    /// The position and time of its last event; none in an empty log.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn last(&self) -> Result<Option<(Seq, Instant)>, ReadError> {
        let last = read::last(&self.connection)?;
        Ok(last.map(|record| (record.seq, record.at)))
    }

    /// The names that its numbers stand for.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn names(&self) -> Result<Known, ReadError> {
        Ok(names::read(&self.connection)?)
    }

    /// Keeps the names that are new; those that are known stay what they are.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn keep_names(&mut self, names: &Known) -> Result<(), ReadError> {
        Ok(names::keep(&mut self.connection, names)?)
    }

    /// Goes on with the log: a snapshot and the events after it are folded, and positions that may have been given
    /// out without becoming durable are left out.
    ///
    /// # Errors
    /// When it cannot be read, or a thread cannot be started.
    pub fn start(self, opening: Opening) -> Result<Log, StartError> {
        let read = recover::read(
            &self.connection,
            &opening.rules,
            self.began,
            chore::tail(self.cut_every),
        )?;
        let after = self
            .last()?
            .map_or(Seq(0), |(last, _)| Seq(last.0 + SKIPPED));
        let begin = Begin {
            epoch: self.epoch,
            after,
            kept: read.parts.take(read.upto),
            same_rules: beside::go_on(&self.connection, opening.configuration.as_ref())
                .map_err(ReadError::from)?,
            recall: Some(Arc::new(Aside::open(&self.path(), self.on)?)),
            snapshots: Some(Pace {
                since: read.since,
                every: self.cut_every,
            }),
            failed: opening.failed,
        };
        Ok(Log::start(begin, opening.release, Box::new(self))?)
    }

    /// Every batch after a position, in order.
    ///
    /// # Errors
    /// When a row cannot be read, is damaged, or is of another format.
    pub fn replay(&self, after: Seq, each: impl FnMut(super::Written)) -> Result<(), ReadError> {
        read::replay(&self.connection, after, each)
    }
}
