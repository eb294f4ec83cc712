//! Takes the log into the file, group by group: the rows of a group and the position that they
//! bring the file to are one transaction.

use super::cases::Cases;
use super::project::Projection;
use super::retention::{self, Retention};
use super::said;
use super::schema;
use super::targets::Targets;
use super::words::Words;
use super::{FILE, HistoryError};
use crate::id::Seq;
use crate::journal::sqlite::{self, Reader};
use crate::journal::{Epoch, Written};
use crate::time::Instant;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Events of one transaction, about: a reader of the log and a writer beside this one wait for
/// no more than that.
const GROUP: usize = 4_000;

/// The log and the file of one workspace.
#[derive(Debug)]
pub(super) struct Projector {
    path: PathBuf,
    log: Reader,
    file: Connection,
    words: Words,
    cases: Cases,
    position: Seq,
}

impl Projector {
    /// Opens both in the folder of a workspace; the file is made if there is none. One that is
    /// of another log, or ahead of this one, is set aside under another name.
    pub(super) fn open(folder: &Path, targets: Targets) -> Result<Self, HistoryError> {
        let log = Reader::open(&folder.join(sqlite::FILE))?;
        let path = folder.join(FILE);
        let mut file = schema::open(&path)?;
        let epoch = log.epoch()?;
        let last = log.last()?.unwrap_or(Seq(0)).max(log.cut()?);
        let known = schema::epoch(&file)?;
        let mut position = schema::position(&file)?;
        if let Some(known) = known.filter(|known| *known != epoch || position > last) {
            file = set_aside(file, &path, known, position)?;
            position = Seq(0);
        }
        schema::begin(&file, epoch)?;
        let mut words = Words::new(targets);
        words.learn(log.names()?);
        Ok(Self {
            path,
            log,
            file,
            words,
            cases: Cases::default(),
            position,
        })
    }

    /// Answers are in time within these targets from now on.
    pub(super) fn aim(&mut self, targets: Targets) {
        self.words.aim(targets);
    }

    /// The last position that was taken in.
    pub(super) fn position(&self) -> Seq {
        self.position
    }

    /// The file's connection.
    pub(super) fn file(&mut self) -> &mut Connection {
        &mut self.file
    }

    /// Takes the next group in. False when there is none.
    pub(super) fn step(&mut self, now: Instant) -> Result<bool, HistoryError> {
        if self.log.last()?.is_none_or(|last| last <= self.position) {
            return Ok(false);
        }
        // The file is locked before the log is read, so that what is erased from both meanwhile
        // is gone from either what is read here or what is erased after it.
        let transaction = self
            .file
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Whoever else may have taken the log in, in the last moments of a server that ends.
        let position = schema::position(&transaction)?;
        if position != self.position {
            self.position = position;
            self.cases = Cases::default();
        }
        let page = self.log.whole(self.position, GROUP)?;
        let Some(last) = page.last().and_then(|written| written.records.last()) else {
            return Ok(false);
        };
        let last = last.seq;
        let cut = self.log.cut()?;
        if cut > self.position {
            note_gap(&transaction, self.position, cut, now)?;
        }
        take_in(&transaction, &mut self.words, &mut self.cases, &page)?;
        if self.words.missed() {
            // A name is kept before the first event that needs it.
            transaction.rollback()?;
            self.cases = Cases::default();
            self.words.learn(self.log.names()?);
            let transaction = self
                .file
                .transaction_with_behavior(TransactionBehavior::Immediate)?;
            take_in(&transaction, &mut self.words, &mut self.cases, &page)?;
            schema::move_to(&transaction, last)?;
            transaction.commit()?;
        } else {
            schema::move_to(&transaction, last)?;
            transaction.commit()?;
        }
        self.position = last;
        Ok(true)
    }

    /// Deletes what is older than it is kept.
    pub(super) fn forget(&mut self, keep: &Retention, now: Instant) -> Result<(), HistoryError> {
        while retention::apply(&mut self.file, keep, now)? {}
        match keep.said_before(now) {
            Some(before) => {
                said::forget(&self.file, &self.path.with_file_name(sqlite::FILE), before)
            }
            None => Ok(()),
        }
    }

    /// Copies what was committed into the file and syncs it. The position up to which nothing
    /// can be lost any more, unless somebody who reads is in the way.
    pub(super) fn sync(&self) -> Result<Option<Seq>, HistoryError> {
        let copy = "PRAGMA wal_checkpoint(PASSIVE)";
        let all = self.file.query_row(copy, [], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, i64>(2)?,
            ))
        })?;
        Ok(matches!(all, (0, log, copied) if log == copied).then_some(self.position))
    }

    /// Where the file is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

fn take_in(
    transaction: &Transaction<'_>,
    words: &mut Words,
    cases: &mut Cases,
    page: &[Written],
) -> rusqlite::Result<()> {
    let mut projection = Projection::new(transaction, words, cases);
    for record in page.iter().flat_map(|written| &written.records) {
        projection.fold(record)?;
    }
    projection.end()
}

fn note_gap(file: &Connection, after: Seq, upto: Seq, now: Instant) -> rusqlite::Result<()> {
    tracing::error!(
        after = after.0,
        upto = upto.0,
        "the log was cut before the history had taken it in: these events are missing there"
    );
    let note = "INSERT OR REPLACE INTO gaps (after, upto, found_at) VALUES (?1, ?2, ?3)";
    let numbers = [after.0, upto.0, now.0].map(u64::cast_signed);
    file.execute(note, params![numbers[0], numbers[1], numbers[2]])?;
    Ok(())
}

/// Renames the file, and makes a new one in its place.
fn set_aside(
    file: Connection,
    path: &Path,
    epoch: Epoch,
    position: Seq,
) -> Result<Connection, HistoryError> {
    let copy = "PRAGMA wal_checkpoint(TRUNCATE)";
    let busy: i64 = file.query_row(copy, [], |row| row.get(0))?;
    if busy != 0 {
        return Err(HistoryError::File {
            path: path.to_path_buf(),
            error: io::Error::other("it has to be set aside, and somebody reads it"),
        });
    }
    file.close().map_err(|(_, error)| error)?;
    let aside = path.with_file_name(format!(
        "history-{epoch}-{position}.db",
        position = position.0
    ));
    fs::rename(path, &aside).map_err(|error| HistoryError::File {
        path: aside.clone(),
        error,
    })?;
    tracing::warn!(
        aside = %aside.display(),
        "the history is not of this log, or ahead of it: it is set aside, and made anew of what the log holds"
    );
    Ok(schema::open(path)?)
}
