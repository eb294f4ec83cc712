//! Reading: every batch after a position, with what was said in it.

use crate::domain::contact::Content;
use crate::domain::event::{By, Event, Record};
use crate::id::Seq;
use crate::journal::{Source, Written};
use crate::time::Instant;
use rusqlite::{Connection, Row, Rows};
use serde::Deserialize;
use std::ops::ControlFlow;

const BATCHES: &str = "SELECT seq, source, crc, body FROM batches WHERE seq > ?1 ORDER BY seq";
const LAST: &str = "SELECT seq, source, crc, body FROM batches ORDER BY seq DESC LIMIT 1";
const BACKWARDS: &str = "SELECT seq, last FROM batches ORDER BY seq DESC";
const CONTENT: &str = "SELECT seq, body FROM content WHERE seq > ?1 ORDER BY seq";

/// Why a log could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// SQLite refuses.
    #[error("the log cannot be read: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A batch is not what was written.
    #[error("the log is damaged at event {seq}: {what}")]
    Damaged {
        /// Position of the batch.
        seq: u64,
        /// What is wrong with it.
        what: String,
    },
}

#[derive(Deserialize)]
struct Entry(Seq, Instant, By, Event);

pub(super) fn last(connection: &Connection) -> Result<Option<Record>, ReadError> {
    let mut last = connection.prepare(LAST)?;
    let mut last = last.query([])?;
    let Some(row) = last.next()? else {
        return Ok(None);
    };
    Ok(batch(row)?.records.pop())
}

/// A position that at least so many events come after, if there are that many; not many more.
pub(super) fn before_the_last(connection: &Connection, events: u64) -> Result<Seq, ReadError> {
    let mut batches = connection.prepare(BACKWARDS)?;
    let mut batches = batches.query([])?;
    let mut passed = 0;
    while let Some(row) = batches.next()? {
        let (first, last): (i64, i64) = (row.get(0)?, row.get(1)?);
        passed += last.abs_diff(first) + 1;
        if passed >= events {
            return Ok(Seq(first.cast_unsigned().saturating_sub(1)));
        }
    }
    Ok(Seq(0))
}

pub(super) fn replay(
    connection: &Connection,
    after: Seq,
    mut each: impl FnMut(Written),
) -> Result<(), ReadError> {
    walk(connection, after, |written| {
        each(written);
        ControlFlow::Continue(())
    })
}

/// The same, for as long as `each` wants more.
pub(super) fn walk(
    connection: &Connection,
    after: Seq,
    mut each: impl FnMut(Written) -> ControlFlow<()>,
) -> Result<(), ReadError> {
    let mut batches = connection.prepare(BATCHES)?;
    let mut batches = batches.query([after.0.cast_signed()])?;
    let mut said = connection.prepare(CONTENT)?;
    let mut said = Said {
        rows: said.query([after.0.cast_signed()])?,
        next: None,
    };
    while let Some(row) = batches.next()? {
        let mut written = batch(row)?;
        for record in &mut written.records {
            record.content = said.of(record.seq)?;
        }
        if each(written).is_break() {
            break;
        }
    }
    Ok(())
}

pub(super) fn batch(row: &Row<'_>) -> Result<Written, ReadError> {
    let seq = row.get::<_, i64>(0)?.cast_unsigned();
    let damaged = |what: String| ReadError::Damaged { seq, what };
    let body = row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?;
    if crc32fast::hash(body) != row.get::<_, u32>(2)? {
        return Err(damaged("its check sum is another".into()));
    }
    let source = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
    let from = Source::parse(source).ok_or_else(|| damaged(format!("it is of \"{source}\"")))?;
    let (mut rest, mut records) = (body, Vec::new());
    while !rest.is_empty() {
        let entry: Entry =
            rmp_serde::from_read(&mut rest).map_err(|error| damaged(error.to_string()))?;
        records.push(Record {
            seq: entry.0,
            at: entry.1,
            by: entry.2,
            event: entry.3,
            content: None,
        });
    }
    Ok(Written { from, records })
}

/// What was said, in order; of some of it nothing may be left.
struct Said<'a> {
    rows: Rows<'a>,
    next: Option<(u64, Box<Content>)>,
}

impl Said<'_> {
    fn of(&mut self, seq: Seq) -> Result<Option<Box<Content>>, ReadError> {
        while self.next.as_ref().is_none_or(|(next, _)| *next < seq.0) {
            let Some(row) = self.rows.next()? else {
                return Ok(None);
            };
            let at = row.get::<_, i64>(0)?.cast_unsigned();
            let body = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
            let content = serde_json::from_str(body).map_err(|error| ReadError::Damaged {
                seq: at,
                what: format!("its content: {error}"),
            })?;
            self.next = Some((at, content));
        }
        Ok(self
            .next
            .take_if(|(next, _)| *next == seq.0)
            .map(|(_, content)| content))
    }
}
