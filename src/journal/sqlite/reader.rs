//! Reading a log's file from outside, also while a server writes it.

use super::read::{self, ReadError};
use super::schema::{self, OpenError};
use super::{Medium, names, snapshot};
use crate::directory::Known;
use crate::id::Seq;
use crate::journal::{Epoch, Written};
use rusqlite::{Connection, OptionalExtension};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// The batches after a position, some of them: nobody holds the file's write-ahead log for as long
/// as it takes somebody to read all of them.
const PAGE: &str =
    "SELECT seq, source, crc, body FROM batches WHERE seq > ?1 ORDER BY seq LIMIT ?2";
const LAST: &str = "SELECT last FROM batches ORDER BY seq DESC LIMIT 1";
const BEFORE: &str = "SELECT max(seq) FROM batches WHERE seq <= ?1";
const SAID: &str = "SELECT body FROM content WHERE seq = ?1";

/// A log's file, open to be read and for nothing else.
#[derive(Debug)]
pub struct Reader {
    pub(super) connection: Connection,
    path: PathBuf,
}

impl Reader {
    /// Opens the file.
    ///
    /// # Errors
    /// When it is no log of ours, of a newer version, or cannot be read.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Ok(Self {
            connection: schema::open_to_read(path)?,
            path: path.to_path_buf(),
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names that its numbers stand for.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn names(&self) -> Result<Known, ReadError> {
        Ok(names::read(&self.connection)?)
    }

    /// The first position of the batch that has the event at `seq`, or of the one before it; 0
    /// when there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn batch_of(&self, seq: Seq) -> Result<Seq, ReadError> {
        let mut before = self.connection.prepare_cached(BEFORE)?;
        let found: Option<i64> = before.query_row([position(seq)], |row| row.get(0))?;
        Ok(Seq(found.unwrap_or(0).cast_unsigned()))
    }

    /// Batches whose first position is after `after`, at most so many, without what was said.
    ///
    /// # Errors
    /// When a row cannot be read, or is damaged.
    pub fn page(&self, after: Seq, most: u32) -> Result<Vec<Written>, ReadError> {
        let mut page = self.connection.prepare_cached(PAGE)?;
        let mut rows = page.query((position(after), most))?;
        let mut batches = Vec::new();
        while let Some(row) = rows.next()? {
            batches.push(read::batch(row)?);
        }
        Ok(batches)
    }

    /// Name of the log.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn epoch(&self) -> Result<Epoch, ReadError> {
        let epoch = "SELECT value FROM meta WHERE key = 'epoch'";
        let epoch: i64 = self.connection.query_row(epoch, [], |row| row.get(0))?;
        Ok(Epoch(epoch.cast_unsigned()))
    }

    /// Position of the last event; none in an empty log.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn last(&self) -> Result<Option<Seq>, ReadError> {
        let mut last = self.connection.prepare_cached(LAST)?;
        let last = last.query_row([], |row| row.get::<_, i64>(0)).optional()?;
        Ok(last.map(|last| Seq(last.cast_unsigned())))
    }

    /// Position up to which it was cut; 0 when it is there from its first event on.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn cut(&self) -> Result<Seq, ReadError> {
        snapshot::cut(&self.connection)
    }

    /// Batches after a position, in order and with what was said, until they hold so many events;
    /// all of one moment.
    ///
    /// # Errors
    /// When a row cannot be read, or is damaged.
    pub fn whole(&self, after: Seq, events: usize) -> Result<Vec<Written>, ReadError> {
        let (mut page, mut held) = (Vec::new(), 0);
        read::walk(&self.connection, after, |written| {
            held += written.records.len();
            page.push(written);
            if held < events {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        Ok(page)
    }

    /// What was said with an event, as JSON; none when nothing was, or it was erased.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn said(&self, seq: Seq) -> Result<Option<String>, ReadError> {
        let mut said = self.connection.prepare_cached(SAID)?;
        Ok(said
            .query_row([position(seq)], |row| row.get(0))
            .optional()?)
    }
}

/// Opens a log beside the server that writes it, to change what is no event in it.
///
/// # Errors
/// When there is none, or it is no log of ours, or of a newer version.
pub(in crate::journal) fn open_beside(path: &Path) -> Result<Connection, OpenError> {
    // What is opened to be written is made if it is not there.
    drop(schema::open_to_read(path)?);
    schema::connect(path, Medium::default()).map_err(|error| OpenError::Sqlite {
        path: path.to_path_buf(),
        error,
    })
}

/// Positions beyond what SQLite can hold are behind every event.
fn position(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}
