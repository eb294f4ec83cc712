//! Writing: a group of batches and what was said in them, in one transaction.

use super::{Sqlite, snapshot};
use crate::domain::contact::Content;
use crate::domain::event::{By, Event, Record};
use crate::id::Seq;
use crate::journal::chore::Chore;
use crate::journal::store::{Failed, Store};
use crate::journal::{Beside, Written};
use crate::time::Instant;
use rusqlite::{CachedStatement, Connection, ErrorCode, TransactionBehavior, params};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// A sync costs as much as some hundred events: about as long as one takes is well spent waiting
/// for more of them. A request that comes alone does not wait.
const GATHERS: Duration = Duration::from_millis(1);

const BATCH: &str =
    "INSERT INTO batches (seq, last, source, crc, body) VALUES (?1, ?2, ?3, ?4, ?5)";
const CONTENT: &str =
    "INSERT INTO content (seq, contact, customer, kind, body) VALUES (?1, ?2, ?3, ?4, ?5)";

/// A record without its content, as it is written.
#[derive(Serialize)]
struct Entry<'a>(Seq, Instant, By, &'a Event);

impl Store for Sqlite {
    fn commit(
        &mut self,
        group: &[Arc<Written>],
        beside: &[&Beside],
        _last: Seq,
    ) -> Result<(), Failed> {
        if group.is_empty() && beside.is_empty() {
            return Ok(());
        }
        commit(&mut self.connection, &mut self.buffer, group, beside)
    }

    fn chore(&mut self, chore: &Chore) -> Result<bool, Failed> {
        snapshot::chore(&mut self.connection, chore, self.holds.least())
    }

    fn gathers(&self) -> Duration {
        GATHERS
    }

    fn close(&mut self) {
        if let Some(checkpoints) = self.checkpoints.take() {
            checkpoints.end();
        }
    }
}

fn commit(
    connection: &mut Connection,
    buffer: &mut Vec<u8>,
    group: &[Arc<Written>],
    beside: &[&Beside],
) -> Result<(), Failed> {
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    {
        let mut batch = transaction.prepare_cached(BATCH).map_err(failed)?;
        let mut content = transaction.prepare_cached(CONTENT).map_err(failed)?;
        for written in group {
            write(&mut batch, buffer, written)?;
            for record in &written.records {
                if let Some(said) = &record.content {
                    write_content(&mut content, record, said)?;
                }
            }
        }
    }
    super::beside::write(&transaction, beside).map_err(failed)?;
    transaction.commit().map_err(failed)
}

fn write(
    statement: &mut CachedStatement<'_>,
    buffer: &mut Vec<u8>,
    written: &Written,
) -> Result<(), Failed> {
    let (Some(first), Some(last)) = (written.records.first(), written.records.last()) else {
        return Ok(());
    };
    buffer.clear();
    for record in &written.records {
        let entry = Entry(record.seq, record.at, record.by, &record.event);
        rmp_serde::encode::write(buffer, &entry)
            .map_err(|error| Failed::Broken(format!("event {}: {error}", record.seq.0)))?;
    }
    statement
        .execute(params![
            first.seq.0.cast_signed(),
            last.seq.0.cast_signed(),
            written.from.to_string(),
            crc32fast::hash(buffer),
            &*buffer,
        ])
        .map_err(failed)?;
    Ok(())
}

fn write_content(
    statement: &mut CachedStatement<'_>,
    record: &Record,
    said: &Content,
) -> Result<(), Failed> {
    let broken =
        |what: String| Failed::Broken(format!("content of event {}: {what}", record.seq.0));
    let contact = record.event.contact();
    let contact = contact.ok_or_else(|| broken("it is of no contact".into()))?;
    let body = serde_json::to_string(said).map_err(|error| broken(error.to_string()))?;
    statement
        .execute(params![
            record.seq.0.cast_signed(),
            contact.to_string(),
            said.customer_id,
            kind(&record.event),
            body,
        ])
        .map_err(failed)?;
    Ok(())
}

/// What the content of an event is: the customer and the attributes from then on, or a note.
fn kind(event: &Event) -> &'static str {
    if matches!(
        event,
        Event::ContactEntered { .. } | Event::ContactUpdated { .. }
    ) {
        "contact"
    } else {
        "note"
    }
}

/// Only a lack of room can be tried again: after any other failure nobody knows what is on the
/// disk.
pub(super) fn failed(error: rusqlite::Error) -> Failed {
    if error.sqlite_error_code() == Some(ErrorCode::DiskFull) {
        Failed::Full(error.to_string())
    } else {
        Failed::Broken(error.to_string())
    }
}
