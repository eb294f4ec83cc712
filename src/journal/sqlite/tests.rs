//! What is in the file is what was written, or it is not used.

use super::beside::Aside;
use super::{FILE, FORMAT, Medium, OpenError, ReadError, Sqlite};
use crate::directory::Known;
use crate::domain::contact::{Closed, Content};
use crate::domain::event::{By, Event, Record};
use crate::id::{ContactId, Generation, QueueId, Seq, UserId};
use crate::journal::beside::{Beside, KeyRow, Recall as _, SessionRow};
use crate::journal::folder::Folder;
use crate::journal::store::Store;
use crate::journal::{Source, Written};
use crate::time::Instant;
use rusqlite::Connection;
use std::sync::Arc;
use tempfile::TempDir;

fn open(folder: &TempDir) -> Result<Sqlite, OpenError> {
    Sqlite::open(Folder::take(folder.path()).unwrap(), Instant(77))
}

fn record(seq: u64, content: Option<Content>) -> Record {
    Record {
        seq: Seq(seq),
        at: Instant(1_000 + seq),
        by: By::User {
            user: UserId(3),
            behalf: None,
        },
        event: Event::ContactClosed {
            contact: ContactId(uuid::Uuid::from_u128(u128::from(seq))),
            queue: QueueId(2),
            reason: Closed::Completed,
        },
        content: content.map(Box::new),
    }
}

fn said(text: &str) -> Option<Content> {
    Some(Content {
        customer_id: Some("c-9".into()),
        text: Some(text.into()),
        ..Content::default()
    })
}

fn batch(from: Source, records: Vec<Record>) -> Arc<Written> {
    Arc::new(Written { from, records })
}

/// Two groups of batches, the second with content.
fn filled(folder: &TempDir) -> Vec<Arc<Written>> {
    let batches = vec![
        batch(Source::Floor, vec![record(1, None), record(2, None)]),
        batch(Source::Queue(QueueId(2)), vec![record(4, said("hello"))]),
        batch(
            Source::Queue(QueueId(0)),
            vec![record(7, None), record(8, said("bye"))],
        ),
    ];
    let mut log = open(folder).unwrap();
    log.commit(&batches[..1], &[], Seq(3)).unwrap();
    log.commit(&batches[1..], &[], Seq(9)).unwrap();
    log.close();
    batches
}

#[test]
fn an_old_log_is_brought_up_to_date_and_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let old = include_bytes!("../../../tests/engine/data/log-1.db");
    std::fs::write(folder.path().join(FILE), old).unwrap();
    let by_hand = Connection::open(folder.path().join(FILE)).unwrap();
    let format = |connection: &Connection| {
        connection
            .pragma_query_value(None, "user_version", |row| row.get::<_, i32>(0))
            .unwrap()
    };
    assert_eq!(format(&by_hand), 1, "it was written by a version before");
    drop(by_hand);
    let log = open(&folder).unwrap();
    assert_eq!(format(&log.connection), FORMAT);
    let found = read(&log, 0).unwrap();
    assert_eq!((found.len(), log.last().unwrap().unwrap().0), (35, Seq(46)));
    let records = found.iter().flat_map(|written| &written.records);
    let said = records.filter_map(|record| record.content.as_ref());
    let names: Vec<&str> = said.filter_map(|c| c.customer_name.as_deref()).collect();
    assert_eq!(names.len(), 8, "{names:?}");
    drop(log);
    assert!(open(&folder).is_ok(), "and it is opened again");
}

fn read(log: &Sqlite, after: u64) -> Result<Vec<Written>, ReadError> {
    let mut all = Vec::new();
    log.replay(Seq(after), |written| all.push(written))?;
    Ok(all)
}

fn by_hand(folder: &TempDir, statement: &str) {
    let connection = Connection::open(folder.path().join(FILE)).unwrap();
    connection.execute_batch(statement).unwrap();
}

#[test]
fn the_last_events_are_counted_backwards_by_batches() {
    let folder = tempfile::tempdir().unwrap();
    filled(&folder);
    let log = open(&folder).unwrap();
    let before = |events| super::read::before_the_last(&log.connection, events).unwrap();
    assert_eq!(
        [1, 2, 3, 5, 6].map(before),
        [6, 6, 3, 0, 0].map(Seq),
        "whole batches, and the beginning when there are no more"
    );
}

#[test]
fn what_was_committed_is_read_again_with_what_was_said() {
    let folder = tempfile::tempdir().unwrap();
    let written = filled(&folder);
    let log = open(&folder).unwrap();
    assert_eq!(log.epoch().0, 77);
    assert_eq!(log.last().unwrap(), Some((Seq(8), Instant(1_008))));
    let found = read(&log, 0).unwrap();
    assert_eq!(found.len(), written.len());
    for (found, written) in found.iter().zip(&written) {
        assert_eq!(
            (found.from, &found.records),
            (written.from, &written.records)
        );
    }
    let tail = read(&log, 2).unwrap();
    assert_eq!(tail[0].records, written[1].records);
}

#[test]
fn what_was_said_can_be_erased_and_the_log_stays_whole() {
    let folder = tempfile::tempdir().unwrap();
    filled(&folder);
    by_hand(&folder, "DELETE FROM content WHERE seq = 4");
    let found = read(&open(&folder).unwrap(), 0).unwrap();
    assert_eq!(found[1].records, [record(4, None)]);
    assert_eq!(found[2].records[1], record(8, said("bye")));
}

#[test]
fn a_damaged_batch_is_told_with_its_position() {
    let folder = tempfile::tempdir().unwrap();
    filled(&folder);
    by_hand(
        &folder,
        "UPDATE batches SET body = zeroblob(length(body)) WHERE seq = 4",
    );
    let error = read(&open(&folder).unwrap(), 0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the log is damaged at event 4: its check sum is another"
    );
}

#[test]
fn a_newer_log_and_a_file_of_others_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    filled(&folder);
    by_hand(&folder, &format!("PRAGMA user_version = {}", FORMAT + 1));
    let Err(OpenError::Newer { found, .. }) = open(&folder) else {
        panic!("a newer log was opened");
    };
    assert_eq!(found, FORMAT + 1);

    let other = tempfile::tempdir().unwrap();
    by_hand(&other, "CREATE TABLE theirs (a)");
    assert!(matches!(open(&other), Err(OpenError::NotALog(_))));
    let text = tempfile::tempdir().unwrap();
    std::fs::write(
        text.path().join(FILE),
        "no database at all, but long enough",
    )
    .unwrap();
    assert!(matches!(open(&text), Err(OpenError::Sqlite { .. })));
}

#[test]
fn a_name_keeps_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let mut names = Known {
        queues: ["b", "a"].map(str::to_owned).into(),
        users: vec!["ana".into()],
        ..Known::default()
    };
    let mut log = open(&folder).unwrap();
    assert_eq!(log.names().unwrap(), Known::default());
    log.keep_names(&names).unwrap();
    names.queues.push("c".into());
    log.keep_names(&names).unwrap();
    assert_eq!(log.names().unwrap(), names);
}

fn key(number: u64, forgets: Vec<u64>) -> KeyRow {
    KeyRow {
        number,
        user: UserId(3),
        key: [1; 16],
        content: [2; 16],
        at: Instant(1_000 + number),
        forgets,
        answer: format!("answer {number}").into_bytes(),
        seq: Seq(number),
    }
}

#[test]
fn keys_and_sessions_are_read_again_without_those_that_were_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = open(&folder).unwrap();
    let session = |generation| SessionRow {
        user: UserId(3),
        generation: Generation(generation),
        secret: [7; 32],
    };
    let first = Beside {
        keys: vec![key(1, Vec::new()), key(2, Vec::new())],
        sessions: vec![session(1), session(2), session(2)],
        ..Beside::default()
    };
    let second = Beside {
        keys: vec![key(3, vec![1])],
        ..Beside::default()
    };
    log.commit(&[], &[&first, &second], Seq(3)).unwrap();
    log.close();
    let path = log.path();
    drop(log);

    drop(open(&folder).unwrap());
    let aside = Aside::open(&path, Medium::default()).unwrap();
    let known = aside.keys().unwrap().into_iter();
    let known: Vec<(u64, Instant)> = known.map(|key| (key.number, key.at)).collect();
    assert_eq!(known, [(2, Instant(1_002)), (3, Instant(1_003))]);
    assert_eq!(aside.answer(1), Ok(None));
    assert_eq!(aside.answer(3), Ok(Some((b"answer 3".to_vec(), Seq(3)))));
    assert_eq!(aside.sessions(), Ok(vec![session(2), session(2)]));
}

#[test]
fn a_configuration_that_was_not_known_is_another_than_any() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(&folder).unwrap();
    let known = Default::default();
    let goes_on = |now| super::beside::go_on(&log.connection, now).unwrap();
    assert!(!goes_on(None));
    assert!(!goes_on(Some(&known)));
    assert!(goes_on(Some(&known)));
    assert!(!goes_on(None));
    assert!(!goes_on(Some(&known)));
}
