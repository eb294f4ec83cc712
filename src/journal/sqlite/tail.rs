//! Reading a log that a server may be writing: pages of what is committed, on a connection of
//! its own that changes nothing.

use super::schema::{self, OpenError};
use super::{ReadError, names, read, snapshot};
use crate::directory::Known;
use crate::id::Seq;
use crate::journal::{Epoch, Written};
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::ops::ControlFlow;
use std::path::Path;

/// Opens a log beside the server that writes it, to change what is no event in it.
///
/// # Errors
/// When there is none, or it is not a log of this version.
pub(in crate::journal) fn open_beside(path: &Path) -> Result<Connection, OpenError> {
    // What is opened to be written is made if it is not there.
    let Tail(connection) = Tail::open(path)?;
    drop(connection);
    schema::connect(path).map_err(|error| OpenError::Sqlite {
        path: path.to_path_buf(),
        error,
    })
}

/// What is committed of a log, page by page.
#[derive(Debug)]
pub(in crate::journal) struct Tail(Connection);

impl Tail {
    /// Opens a log to be read.
    ///
    /// # Errors
    /// When there is none, or it is not a log of this version.
    pub(in crate::journal) fn open(path: &Path) -> Result<Self, OpenError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(path, flags).and_then(|connection| {
            connection.busy_timeout(schema::BUSY)?;
            Ok(connection)
        });
        let connection = opened.map_err(|error| OpenError::Sqlite {
            path: path.to_path_buf(),
            error,
        })?;
        schema::check(&connection, path)?;
        Ok(Self(connection))
    }

    /// Name of the log.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(in crate::journal) fn epoch(&self) -> Result<Epoch, ReadError> {
        let epoch = "SELECT value FROM meta WHERE key = 'epoch'";
        let epoch: i64 = self.0.query_row(epoch, [], |row| row.get(0))?;
        Ok(Epoch(epoch.cast_unsigned()))
    }

    /// Position of the last event; none in an empty log.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(in crate::journal) fn last(&self) -> Result<Option<Seq>, ReadError> {
        let last = "SELECT last FROM batches ORDER BY seq DESC LIMIT 1";
        let mut last = self.0.prepare_cached(last)?;
        let last = last.query_row([], |row| row.get::<_, i64>(0)).optional()?;
        Ok(last.map(|last| Seq(last.cast_unsigned())))
    }

    /// Position up to which it was cut; 0 when it is there from its first event on.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(in crate::journal) fn cut(&self) -> Result<Seq, ReadError> {
        snapshot::cut(&self.0)
    }

    /// Batches after a position, in order, until they hold so many events; all of one moment.
    ///
    /// # Errors
    /// When a row cannot be read or is damaged.
    pub(in crate::journal) fn page(
        &self,
        after: Seq,
        events: usize,
    ) -> Result<Vec<Written>, ReadError> {
        let (mut page, mut held) = (Vec::new(), 0);
        read::walk(&self.0, after, |written| {
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

    /// The names that its numbers stand for.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(in crate::journal) fn names(&self) -> Result<Known, ReadError> {
        Ok(names::read(&self.0)?)
    }
}
