//! Retention of what people said: it lies in the log's file, apart from the events, and goes
//! when its contact has been over for long enough.

use super::HistoryError;
use crate::journal::sqlite;
use crate::time::Instant;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use std::path::Path;
use uuid::Uuid;

/// Texts that are looked at, and at most deleted, in one transaction: the log's writer waits
/// for no more than that.
const SLICE: usize = 200;

/// Deletes what was said in contacts that began and were closed before a time.
pub(super) fn forget(file: &Connection, log: &Path, before: Instant) -> Result<(), HistoryError> {
    let mut log = sqlite::open_beside(log)?;
    let mut after = 0;
    loop {
        let slice = slice(&log, after)?;
        let mut over = Vec::new();
        let mut looked = 0;
        for (seq, contact) in &slice {
            if !began_before(contact, before) {
                break;
            }
            (after, looked) = (*seq, looked + 1);
            if is_over(file, contact, before)? {
                over.push(*seq);
            }
        }
        if !over.is_empty() {
            let transaction = log.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for seq in over {
                transaction.execute("DELETE FROM content WHERE seq = ?1", [seq])?;
            }
            transaction.commit()?;
        }
        // What was said in a younger contact was said after almost all that is to go.
        if looked < SLICE {
            return Ok(());
        }
    }
}

fn slice(log: &Connection, after: i64) -> rusqlite::Result<Vec<(i64, String)>> {
    let slice =
        format!("SELECT seq, contact FROM content WHERE seq > ?1 ORDER BY seq LIMIT {SLICE}");
    let mut slice = log.prepare_cached(&slice)?;
    let slice = slice.query_map([after], |row| Ok((row.get(0)?, row.get(1)?)))?;
    slice.collect()
}

/// Whether a contact's id, which has its time in it, was given before then.
fn began_before(contact: &str, before: Instant) -> bool {
    let id = Uuid::parse_str(contact).ok();
    let given = id.and_then(|id| id.get_timestamp());
    given.is_none_or(|given| {
        let (seconds, nanos) = given.to_unix();
        seconds * 1_000 + u64::from(nanos / 1_000_000) < before.0
    })
}

/// Whether a contact was closed before then. One so old that the history does not have it was.
fn is_over(file: &Connection, contact: &str, before: Instant) -> rusqlite::Result<bool> {
    let closed = "SELECT closed_at FROM contacts WHERE contact = ?1";
    let mut closed = file.prepare_cached(closed)?;
    let closed = closed.query_row([contact], |row| row.get::<_, Option<i64>>(0));
    Ok(match closed.optional()? {
        None => true,
        Some(closed) => closed.is_some_and(|at| at < before.0.cast_signed()),
    })
}
