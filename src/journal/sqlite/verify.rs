//! Whether a log's file is whole: SQLite's own check, every batch, what was said, the snapshots,
//! and whether all of it can be folded.

use super::read::{self, ReadError};
use super::reader::Reader;
use super::{Epoch, SKIPPED, recover, schema, snapshot};
use crate::domain::event::Event;
use crate::domain::rules::Workspace;
use crate::id::Seq;
use crate::journal::{Source, Written};
use crate::time::Instant;
use rusqlite::{Connection, Row};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

const BATCHES: &str = "SELECT seq, source, crc, body, last FROM batches ORDER BY seq";
/// What was said with an event that is no more, though the log was not cut there.
const ORPHANS: &str = "SELECT seq FROM content WHERE seq > ?1 AND NOT EXISTS
    (SELECT 1 FROM batches WHERE batches.seq <= content.seq AND batches.last >= content.seq)
    ORDER BY seq LIMIT 10";
/// No more findings of one kind are named.
const NAMED: usize = 10;

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Read {
    /// Version of the file.
    pub format: i32,
    /// Name of the log.
    pub epoch: Option<Epoch>,
    /// Batches.
    pub batches: u64,
    /// Events in them.
    pub events: u64,
    /// Positions of the first and the last event.
    pub span: Option<(Seq, Seq)>,
    /// When the last event was.
    pub last_at: Option<Instant>,
    /// Position up to which the log was cut.
    pub cut: Seq,
    /// Events of which something that was said is kept.
    pub content: u64,
    /// Positions of the snapshots, newest first.
    pub snapshots: Vec<Seq>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// Something that is wrong with a log.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Finding {
    /// SQLite finds the file damaged.
    #[error("the file is damaged: {0}")]
    File(String),
    /// A batch or snapshot is not what was written.
    #[error("{0}")]
    Damaged(String),
    /// Positions do not rise.
    #[error("event {seq} comes after event {before}: the order of the log is broken")]
    Order {
        /// Its position.
        seq: u64,
        /// The position of the event before it.
        before: u64,
    },
    /// A row does not say what is in its batch.
    #[error("the row of batch {seq} says {says}, and its events are {is}")]
    Row {
        /// Its key.
        seq: u64,
        /// First and last position that it says.
        says: String,
        /// First and last position of its events.
        is: String,
    },
    /// Events that were there are not.
    #[error("the events after {after} and up to {upto} are missing")]
    Missing {
        /// The last that is there.
        after: u64,
        /// The last that is not.
        upto: u64,
    },
    /// Something was said with an event that is not there.
    #[error("what was said with event {0} is there, and the event is not")]
    Orphan(u64),
    /// It cannot be folded.
    #[error("the events cannot be folded: a server will not start on this log")]
    Unfoldable,
    /// A snapshot is not what the events before it make of the one before it.
    #[error("what the newest snapshot has of {0} is not what the events before it come to")]
    Disagrees(Source),
}

impl Reader {
    /// Reads all of it, as it stands at one moment, and says what is wrong.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub fn check(&self) -> Result<Read, ReadError> {
        let moment = self.connection.unchecked_transaction()?;
        let (_, format) = schema::marks(&moment)?;
        let mut read = Read {
            format,
            findings: quick_check(&moment)?,
            ..Read::default()
        };
        read.epoch = meta(&moment, "epoch")?.map(Epoch);
        read.cut = Seq(meta(&moment, "cut")?.unwrap_or(0));
        read.batches(&moment)?;
        read.content(&moment)?;
        if format > 1 {
            read.snapshots(&moment)?;
        }
        Ok(read)
    }

    /// Folds what a server of these rules would fold when it starts, and compares the newest
    /// snapshot with what the events before it come to. The second is what the rules had a part
    /// in: it differs also when they were changed since.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub fn check_fold(&self, rules: &Arc<Workspace>) -> Result<(Vec<Finding>, bool), ReadError> {
        let began = Instant(meta(&self.connection, "began")?.unwrap_or(0));
        let folded = catch_unwind(AssertUnwindSafe(|| -> Result<_, ReadError> {
            recover::read(&self.connection, rules, began, 0)?;
            let moment = self.connection.unchecked_transaction()?;
            recover::disagree(&moment, rules, began)
        }));
        let Ok(folded) = folded else {
            return Ok((vec![Finding::Unfoldable], false));
        };
        let differ = match folded {
            Ok(differ) => differ.unwrap_or_default(),
            Err(ReadError::Damaged { .. }) => return Ok((vec![Finding::Unfoldable], false)),
            Err(error) => return Err(error),
        };
        let board = differ.contains(&Source::Board);
        let others = differ.into_iter().filter(|source| *source != Source::Board);
        Ok((others.map(Finding::Disagrees).collect(), board))
    }
}

fn quick_check(connection: &Connection) -> Result<Vec<Finding>, ReadError> {
    let mut check = connection.prepare("PRAGMA quick_check(10)")?;
    let said = check.query_map([], |row| row.get::<_, String>(0));
    let said: Result<Vec<String>, _> = said?.collect();
    match said {
        Ok(said) => Ok(said
            .into_iter()
            .filter(|said| said != "ok")
            .map(Finding::File)
            .collect()),
        Err(error) => Ok(vec![Finding::File(error.to_string())]),
    }
}

fn meta(connection: &Connection, key: &str) -> Result<Option<u64>, ReadError> {
    let mut meta = connection.prepare("SELECT value FROM meta WHERE key = ?1")?;
    let mut rows = meta.query([key])?;
    let value = rows.next()?.map(|row| row.get::<_, i64>(0)).transpose()?;
    Ok(value.map(i64::cast_unsigned))
}

impl Read {
    fn find(&mut self, finding: Finding) {
        if self.findings.len() < NAMED {
            self.findings.push(finding);
        }
    }

    fn batches(&mut self, connection: &Connection) -> Result<(), ReadError> {
        let mut batches = connection.prepare(BATCHES)?;
        let mut rows = batches.query([])?;
        loop {
            match rows.next() {
                Ok(Some(row)) => self.batch(row)?,
                Ok(None) => return Ok(()),
                // The rest of a file that is torn cannot be looked at.
                Err(error) => {
                    self.find(Finding::File(error.to_string()));
                    return Ok(());
                }
            }
        }
    }

    fn batch(&mut self, row: &Row<'_>) -> Result<(), ReadError> {
        self.batches += 1;
        let key = row.get::<_, i64>(0)?.cast_unsigned();
        let last = row.get::<_, i64>(4)?.cast_unsigned();
        let written = match read::batch(row) {
            Ok(written) => written,
            Err(error) => {
                self.find(Finding::Damaged(error.to_string()));
                let first = self.span.map_or(Seq(key), |(first, _)| first);
                self.span = Some((first, Seq(last)));
                return Ok(());
            }
        };
        if let (Some(one), Some(other)) = (written.records.first(), written.records.last())
            && (one.seq.0, other.seq.0) != (key, last)
        {
            self.find(Finding::Row {
                seq: key,
                says: format!("{key} to {last}"),
                is: format!("{} to {}", one.seq.0, other.seq.0),
            });
        }
        self.events(&written);
        Ok(())
    }

    fn events(&mut self, written: &Written) {
        for record in &written.records {
            self.events += 1;
            let before = self.span.map(|(_, last)| last.0);
            if let Some(before) = before
                && record.seq.0 <= before
            {
                let seq = record.seq.0;
                self.find(Finding::Order { seq, before });
            }
            if let Event::Recovered { after } = record.event {
                self.recovered(before, after);
            }
            let first = self.span.map_or(record.seq, |(first, _)| first);
            self.span = Some((first, record.seq));
            self.last_at = Some(record.at);
        }
    }

    /// A start says where the log ended then.
    fn recovered(&mut self, before: Option<u64>, after: Seq) {
        let ended = after.0.saturating_sub(SKIPPED);
        let before = before.unwrap_or(0).max(self.cut.0);
        if ended > before {
            self.find(Finding::Missing {
                after: before,
                upto: ended,
            });
        }
    }

    fn content(&mut self, connection: &Connection) -> Result<(), ReadError> {
        self.content = connection
            .query_row("SELECT count(*) FROM content", [], |row| {
                row.get::<_, i64>(0)
            })?
            .cast_unsigned();
        let mut orphans = connection.prepare(ORPHANS)?;
        let orphans = orphans.query_map([self.cut.0.cast_signed()], |row| row.get::<_, i64>(0))?;
        for orphan in orphans {
            self.find(Finding::Orphan(orphan?.cast_unsigned()));
        }
        Ok(())
    }

    fn snapshots(&mut self, connection: &Connection) -> Result<(), ReadError> {
        self.snapshots = snapshot::whole(connection)?;
        let last = self.span.map_or(0, |(_, last)| last.0);
        for seq in self.snapshots.clone() {
            match snapshot::read(connection, seq) {
                Ok(_) => {}
                Err(error @ ReadError::Damaged { .. }) => {
                    self.find(Finding::Damaged(error.to_string()));
                }
                Err(error) => return Err(error),
            }
            if seq.0 > last.max(self.cut.0) {
                self.find(Finding::Missing {
                    after: last,
                    upto: seq.0,
                });
            }
        }
        Ok(())
    }
}
