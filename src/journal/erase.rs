//! Erasing what is known of a person: what was said is deleted from the log, and what names the
//! customer from the history. What was counted stays, and the log stays whole.

use super::history::{self, HistoryError};
use super::sqlite;
use crate::id::ContactId;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::collections::BTreeSet;
use std::path::Path;
use std::thread;
use std::time::Duration;

/// How often it is tried to empty a write-ahead file.
const TRIES: u32 = 20;
/// Between two tries.
const TRY_AGAIN: Duration = Duration::from_millis(100);

/// Whoever writes the log waits for a try, and a try no longer than this for whoever reads it.
const STALL: Duration = Duration::from_millis(100);

/// Whose traces are erased.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Whose {
    /// All contacts of a customer, by the integrator's id.
    Customer(String),
    /// One contact.
    Contact(ContactId),
}

/// What was erased.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Erased {
    /// Contacts of which nothing is left but counts, times and names of agents and queues.
    pub contacts: usize,
    /// Texts that were deleted from the log.
    pub texts: usize,
    /// Contacts that live, and were left as they are: people work with them.
    pub alive: usize,
    /// The old texts are gone from the write-ahead files too.
    pub copied: bool,
}

/// Erases in the folder of a workspace, whether or not a server runs on it. Whatever stops it,
/// it can be done again.
///
/// # Errors
/// When log or history cannot be used.
pub fn erase(folder: &Path, whose: &Whose) -> Result<Erased, HistoryError> {
    // The history is locked first and let go last: its thread, which reads the log under the
    // same lock, has taken a contact in before and is corrected here, or finds nothing after.
    let mut file = history::open_beside(&folder.join(history::FILE))?;
    let mut log = sqlite::open_beside(&folder.join(sqlite::FILE))?;
    let in_file = file.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let in_log = log.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut erased = Erased::default();
    for contact in contacts(&in_file, &in_log, whose)? {
        if lives(&in_file, &in_log, &contact)? {
            erased.alive += 1;
            continue;
        }
        erased.contacts += 1;
        erased.texts += in_log.execute("DELETE FROM content WHERE contact = ?1", [&contact])?;
        in_file.execute(
            "UPDATE contacts SET external_id = NULL, customer_id = NULL WHERE contact = ?1",
            [&contact],
        )?;
    }
    in_log.commit()?;
    in_file.commit()?;
    let (log, file) = (copied(&log)?, copied(&file)?);
    erased.copied = log && file;
    Ok(erased)
}

fn contacts(
    file: &Transaction<'_>,
    log: &Transaction<'_>,
    whose: &Whose,
) -> rusqlite::Result<BTreeSet<String>> {
    let customer = match whose {
        Whose::Contact(contact) => {
            let known = "SELECT EXISTS (SELECT 1 FROM contacts WHERE contact = ?1)";
            let said = "SELECT EXISTS (SELECT 1 FROM content WHERE contact = ?1)";
            let contact = contact.to_string();
            let exists = |of: &Transaction<'_>, query| {
                of.query_row(query, [&contact], |row| row.get::<_, bool>(0))
            };
            let known = exists(file, known)? || exists(log, said)?;
            return Ok(known.then_some(contact).into_iter().collect());
        }
        Whose::Customer(customer) => customer,
    };
    let mut all = BTreeSet::new();
    let said = "SELECT DISTINCT contact FROM content WHERE customer = ?1";
    let counted = "SELECT contact FROM contacts WHERE customer_id = ?1";
    for (of, query) in [(log, said), (file, counted)] {
        let mut found = of.prepare(query)?;
        let found = found.query_map([customer], |row| row.get(0))?;
        for contact in found {
            all.insert(contact?);
        }
    }
    Ok(all)
}

/// Whether a contact is not closed, or may not be. One that is missing in the history is so
/// because it is too old, or too new.
fn lives(
    file: &Transaction<'_>,
    log: &Transaction<'_>,
    contact: &str,
) -> Result<bool, HistoryError> {
    let closed = "SELECT closed_at IS NOT NULL FROM contacts WHERE contact = ?1";
    let closed = file.query_row(closed, [contact], |row| row.get::<_, bool>(0));
    if let Some(closed) = closed.optional()? {
        return Ok(!closed);
    }
    let position = history::position(file)?;
    let newer = "SELECT EXISTS (SELECT 1 FROM content WHERE contact = ?1 AND seq > ?2)";
    let newer = log.query_row(newer, params![contact, position.0.cast_signed()], |row| {
        row.get(0)
    })?;
    Ok(newer)
}

/// Copies what was committed into the file, and empties the write-ahead file. False when
/// somebody who reads stays in the way; whoever copies at the same moment is waited for.
fn copied(connection: &Connection) -> rusqlite::Result<bool> {
    connection.busy_timeout(STALL)?;
    for _ in 0..TRIES {
        let copy = "PRAGMA wal_checkpoint(TRUNCATE)";
        let busy: i64 = connection.query_row(copy, [], |row| row.get(0))?;
        if busy == 0 {
            return Ok(true);
        }
        thread::park_timeout(TRY_AGAIN);
    }
    Ok(false)
}
