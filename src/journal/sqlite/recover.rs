//! Reading what a start goes on from: the newest snapshot that is whole, what people said of the
//! contacts in it, and the events after it.

use super::read::{self, ReadError};
use super::snapshot;
use crate::domain::contact::Content;
use crate::domain::rules::Workspace;
use crate::id::{ContactId, Seq};
use crate::journal::Source;
use crate::journal::recover::Parts;
use crate::time::Instant;
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};
use std::sync::Arc;

/// The last that was said of a contact as such, up to a position.
const CONTENT: &str = "SELECT body FROM content
    WHERE contact = ?1 AND seq <= ?2 AND kind = 'contact' ORDER BY seq DESC LIMIT 1";

/// What is known of each actor, and how many events were read after the snapshot.
pub(super) fn parts(
    connection: &Connection,
    rules: &Arc<Workspace>,
    began: Instant,
) -> Result<(Parts, u64), ReadError> {
    let (mut parts, after) = from_snapshot(connection, rules, began)?;
    let mut read = 0;
    read::replay(connection, after, |written| {
        read += written.records.len() as u64;
        parts.fold(&written);
    })?;
    Ok((parts, read))
}

/// The newest snapshot that can be read; else the start of the log, if it is there.
fn from_snapshot(
    connection: &Connection,
    rules: &Arc<Workspace>,
    began: Instant,
) -> Result<(Parts, Seq), ReadError> {
    let mut failed = None;
    for seq in snapshot::whole(connection)? {
        match restored(connection, rules, began, seq) {
            Ok(parts) => return Ok((parts, seq)),
            Err(error) => {
                tracing::error!(position = seq.0, %error, "a snapshot is left out");
                failed = Some(error);
            }
        }
    }
    if snapshot::cut(connection)? > Seq(0)
        && let Some(error) = failed
    {
        return Err(error);
    }
    Ok((Parts::new(rules, began), Seq(0)))
}

/// Whose parts in the newest snapshot are not what the events before it make of the one before,
/// or of the whole log where it was never cut. None when there is nothing to compare.
pub(super) fn disagree(
    connection: &Connection,
    rules: &Arc<Workspace>,
    began: Instant,
) -> Result<Option<Vec<Source>>, ReadError> {
    let snapshots = snapshot::whole(connection)?;
    let Some(newest) = snapshots.first().copied() else {
        return Ok(None);
    };
    let (mut parts, after) = match snapshots.get(1).copied() {
        _ if snapshot::cut(connection)? == Seq(0) => (Parts::new(rules, began), Seq(0)),
        Some(before) => (restored(connection, rules, began, before)?, before),
        None => return Ok(None),
    };
    read::replay(connection, after, |written| {
        if written
            .records
            .last()
            .is_some_and(|last| last.seq <= newest)
        {
            parts.fold(&written);
        }
    })?;
    let stored = restored(connection, rules, began, newest)?;
    Ok(Some(parts.differences(&stored)))
}

fn restored(
    connection: &Connection,
    rules: &Arc<Workspace>,
    began: Instant,
    seq: Seq,
) -> Result<Parts, ReadError> {
    let snapshot = snapshot::read(connection, seq)?;
    let mut parts =
        Parts::restore(rules, began, snapshot.seq, snapshot.parts).map_err(|error| {
            ReadError::Damaged {
                seq: seq.0,
                what: error.to_string(),
            }
        })?;
    let mut statement = connection.prepare_cached(CONTENT)?;
    let contacts: Vec<ContactId> = parts.contacts().collect();
    for contact in contacts {
        if let Some(content) = content(&mut statement, contact, seq)? {
            parts.attach(contact, &content);
        }
    }
    Ok(parts)
}

fn content(
    statement: &mut CachedStatement<'_>,
    contact: ContactId,
    upto: Seq,
) -> Result<Option<Content>, ReadError> {
    let body: Option<String> = statement
        .query_row(params![contact.to_string(), upto.0.cast_signed()], |row| {
            row.get(0)
        })
        .optional()?;
    let Some(body) = body else {
        return Ok(None);
    };
    let content = serde_json::from_str(&body).map_err(|error| ReadError::Damaged {
        seq: upto.0,
        what: format!("the content of contact {contact}: {error}"),
    })?;
    Ok(Some(content))
}
