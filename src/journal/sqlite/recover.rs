//! Reading what a start goes on from: the newest snapshot that is whole, what people said of the
//! contacts in it, and the events after it. One thread reads, one folds the board, one the rest.

use super::read::{self, ReadError};
use super::snapshot;
use crate::domain::contact::Content;
use crate::domain::rules::Workspace;
use crate::id::{ContactId, Seq};
use crate::journal::recover::{Owners, Parts, Unreadable, divide, restore_board};
use crate::journal::{Source, Written};
use crate::limits;
use crate::live::board::Kept;
use crate::time::Instant;
use crossbeam_channel::{Receiver, Sender, bounded};
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};
use std::sync::Arc;
use std::thread;

/// The last that was said of a contact as such, up to a position.
const CONTENT: &str = "SELECT body FROM content
    WHERE contact = ?1 AND seq <= ?2 AND kind = 'contact' ORDER BY seq DESC LIMIT 1";
/// Events that are looked through for changes to be held: not every one makes one.
const HELD: u64 = 4 * limits::REPLAY_EVENTS as u64;
/// What is handed from thread to thread at once.
const CHUNK: usize = 128;
/// Chunks that may lie before a thread.
const AHEAD: usize = 32;

/// What is known of each actor, up to where, and how many events were read after the snapshot.
pub(super) struct Read {
    pub(super) parts: Parts,
    pub(super) upto: Seq,
    pub(super) since: u64,
}

/// Reads what a start goes on from: `at_least` so many positions after a snapshot, if there are.
/// Views go on from events, and a snapshot has none.
pub(super) fn read(
    connection: &Connection,
    rules: &Arc<Workspace>,
    began: Instant,
    at_least: u64,
) -> Result<Read, ReadError> {
    // One look at the file, and not one for every contact.
    let look = connection.unchecked_transaction()?;
    let (mut parts, after) = from_snapshot(&look, rules, began, at_least)?;
    let (mut upto, mut since) = (after, 0);
    replay(&look, after, &mut parts, |written| {
        since += written.records.len() as u64;
        upto = written.records.last().map_or(upto, |last| last.seq);
        true
    })?;
    tracing::info!(snapshot = after.0, events = since, "the log was read");
    Ok(Read { parts, upto, since })
}

/// Folds the events after a position, as long as they are wanted.
fn replay(
    connection: &Connection,
    after: Seq,
    parts: &mut Parts,
    mut wanted: impl FnMut(&Written) -> bool,
) -> Result<(), ReadError> {
    let Parts { owners, board } = parts;
    // Changes are held for views that go on; the picture is all that is kept of the rest.
    let old = read::before_the_last(connection, HELD)?;
    both(
        |feed| {
            read::replay(connection, after, |written| {
                if wanted(&written) {
                    feed.give(written);
                }
            })
        },
        |written: &Written| {
            for record in &written.records {
                if record.seq <= old {
                    board.fold_old(record);
                } else {
                    board.fold(record);
                }
            }
        },
        |written: &Written| owners.fold(written),
    )
}

/// The newest snapshot that can be read, or the one before it when that is too new for views to
/// go on; else the start of the log, if it is there.
fn from_snapshot(
    connection: &Connection,
    rules: &Arc<Workspace>,
    began: Instant,
    at_least: u64,
) -> Result<(Parts, Seq), ReadError> {
    let mut failed = None;
    let mut snapshots = snapshot::whole(connection)?;
    let last = read::last(connection)?.map_or(Seq(0), |last| last.seq);
    if snapshots
        .first()
        .is_some_and(|newest| newest.0 + at_least > last.0)
    {
        snapshots.rotate_left(1);
    }
    for seq in snapshots {
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
    replay(connection, after, &mut parts, |written| {
        written
            .records
            .last()
            .is_some_and(|last| last.seq <= newest)
    })?;
    let stored = restored(connection, rules, began, newest)?;
    Ok(Some(parts.differences(&stored)))
}

/// A snapshot with what was said.
fn restored(
    connection: &Connection,
    rules: &Arc<Workspace>,
    began: Instant,
    seq: Seq,
) -> Result<Parts, ReadError> {
    let damaged = |error: Unreadable| ReadError::Damaged {
        seq: seq.0,
        what: error.to_string(),
    };
    let [of_board, of_owners] = divide(snapshot::read(connection, seq)?);
    let (board, owners) = thread::scope(|scope| {
        let board = scope.spawn(|| restore_board(rules, began, &of_board));
        let owners = Owners::restore(&of_owners);
        (board.join(), owners)
    });
    let board = board.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    let mut board = board.map_err(damaged)?;
    let mut owners = owners.map_err(damaged)?;
    attach(connection, seq, &mut board, &mut owners)?;
    Ok(Parts { owners, board })
}

/// Gives contacts back what was said of them up to a position: read here, understood and given to
/// the board by one thread, to the owners by another.
fn attach(
    connection: &Connection,
    seq: Seq,
    board: &mut Kept,
    owners: &mut Owners,
) -> Result<(), ReadError> {
    let contacts: Vec<ContactId> = board.contacts().collect();
    let mut statement = connection.prepare_cached(CONTENT)?;
    let (bodies, to_board) = bounded(AHEAD);
    let (contents, to_owners) = bounded(AHEAD);
    thread::scope(|scope| {
        let understood = scope.spawn(move || {
            for chunk in to_board {
                let chunk: Vec<(ContactId, Arc<Content>)> = understand(chunk, seq)?;
                for (contact, content) in &chunk {
                    board.attach(*contact, content);
                }
                pass_on(&contents, chunk);
            }
            Ok(())
        });
        scope.spawn(move || {
            for (contact, content) in to_owners.into_iter().flatten() {
                owners.attach(contact, &content);
            }
        });
        for chunk in contacts.chunks(CHUNK) {
            let mut said = Vec::with_capacity(CHUNK);
            for contact in chunk {
                if let Some(body) = content(&mut statement, *contact, seq)? {
                    said.push((*contact, body));
                }
            }
            pass_on(&bodies, said);
        }
        drop(bodies);
        let understood = understood.join();
        understood.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn content(
    statement: &mut CachedStatement<'_>,
    contact: ContactId,
    upto: Seq,
) -> rusqlite::Result<Option<String>> {
    let upto = upto.0.cast_signed();
    statement
        .query_row(params![contact.to_string(), upto], |row| row.get(0))
        .optional()
}

fn understand(
    bodies: Vec<(ContactId, String)>,
    upto: Seq,
) -> Result<Vec<(ContactId, Arc<Content>)>, ReadError> {
    let understand = |(contact, body): (ContactId, String)| {
        let content = serde_json::from_str(&body).map_err(|error| ReadError::Damaged {
            seq: upto.0,
            what: format!("the content of contact {contact}: {error}"),
        })?;
        Ok((contact, Arc::new(content)))
    };
    bodies.into_iter().map(understand).collect()
}

/// A thread that is gone has failed: its failure is passed on when it is joined.
fn pass_on<T>(to: &Sender<T>, what: T) {
    let _ = to.send(what);
}

/// Lets two threads take in what this one reads, each all of it and in order.
fn both<T: Send + Sync>(
    read: impl FnOnce(&mut Feed<T>) -> Result<(), ReadError>,
    one: impl FnMut(&T) + Send,
    two: impl FnMut(&T) + Send,
) -> Result<(), ReadError> {
    thread::scope(|scope| {
        let ((to_one, first), (to_two, second)) = (bounded(AHEAD), bounded(AHEAD));
        scope.spawn(|| take(first, one));
        scope.spawn(|| take(second, two));
        let mut feed = Feed {
            chunk: Vec::with_capacity(CHUNK),
            to: [to_one, to_two],
        };
        let read = read(&mut feed);
        feed.hand_over();
        read
    })
}

fn take<T>(from: Receiver<Arc<Vec<T>>>, mut each: impl FnMut(&T)) {
    for chunk in from {
        chunk.iter().for_each(&mut each);
    }
}

/// What was read and not yet handed over, and to whom it goes.
struct Feed<T> {
    chunk: Vec<T>,
    to: [Sender<Arc<Vec<T>>>; 2],
}

impl<T> Feed<T> {
    fn give(&mut self, what: T) {
        self.chunk.push(what);
        if self.chunk.len() == CHUNK {
            self.hand_over();
        }
    }

    fn hand_over(&mut self) {
        let chunk = Arc::new(std::mem::replace(
            &mut self.chunk,
            Vec::with_capacity(CHUNK),
        ));
        for to in &self.to {
            pass_on(to, Arc::clone(&chunk));
        }
    }
}
