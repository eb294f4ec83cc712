//! The file of a history: what is refused, set aside, noted, deleted and held.

use super::projector::Projector;
use super::{FILE, FORMAT, History, HistoryError, OpenError, Retention, Targets, catch_up};
use crate::directory::Known;
use crate::domain::contact::{Closed, Content, Facts};
use crate::domain::event::{By, Entered, Event, Record};
use crate::domain::requirement::Requirement;
use crate::id::{ChannelId, ContactId, QueueId, Seq, UserId};
use crate::journal::chore::Chore;
use crate::journal::folder::Folder;
use crate::journal::sqlite::{self, Sqlite};
use crate::journal::store::Store;
use crate::journal::{Source, Written};
use crate::time::{Instant, Span};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

const NOON: Instant = Instant(1_800_000_000_000);
const DAY: Span = Span::hours(24);

fn contact(number: u64) -> ContactId {
    ContactId(uuid::Uuid::from_u128(number.into()))
}

fn record(seq: u64, at: Instant, event: Event) -> Record {
    let content = matches!(event, Event::ContactEntered { .. });
    Record {
        seq: Seq(seq),
        at,
        by: By::User {
            user: UserId(0),
            behalf: None,
        },
        event,
        content: content.then(Box::<Content>::default),
    }
}

fn entered(seq: u64, at: Instant, number: u64, queue: u32) -> Record {
    let facts = Facts {
        id: contact(number),
        external_id: format!("x-{number}").into(),
        channel: ChannelId(0),
        conversation: contact(number),
        first_entry: at,
        priority: 0,
        tier: 5,
        due_at: None,
        requirement: Requirement::anyone(),
        preferred: None,
        patience: None,
        submitted_by: UserId(0),
    };
    let event = Event::ContactEntered {
        facts: Box::new(facts),
        queue: QueueId(queue),
        how: Entered::New,
        due_at: at,
    };
    record(seq, at, event)
}

fn closed(seq: u64, at: Instant, number: u64) -> Record {
    let event = Event::ContactClosed {
        contact: contact(number),
        queue: QueueId(0),
        reason: Closed::Abandoned,
    };
    record(seq, at, event)
}

fn names(queues: &[&str]) -> Known {
    let all = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Known {
        channels: all(&["chat"]),
        queues: all(queues),
        users: all(&["site"]),
        ..Known::default()
    }
}

fn log(folder: &Path, epoch: u64) -> Sqlite {
    let mut log = Sqlite::open(Folder::take(folder).unwrap(), Instant(epoch)).unwrap();
    log.keep_names(&names(&["one"])).unwrap();
    log
}

fn add(log: &mut Sqlite, records: Vec<Record>) {
    let last = records.last().unwrap().seq;
    let written = Arc::new(Written {
        from: Source::Queue(QueueId(0)),
        records,
    });
    log.commit(&[written], &[], last).unwrap();
}

fn take_in(folder: &TempDir) -> Result<(), HistoryError> {
    catch_up(folder.path(), &Retention::default(), NOON)
}

/// The first column of a query's rows, as text.
fn found(file: &Path, query: &str) -> Vec<String> {
    let file = Connection::open(file).unwrap();
    let mut rows = file.prepare(query).unwrap();
    let rows = rows.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

const CONTACTS: &str = "SELECT external_id || ' ' || queue FROM contacts ORDER BY seq";

#[test]
fn newer_histories_and_files_of_others_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(log(folder.path(), 7));
    take_in(&folder).unwrap();
    let by_hand = |statement: &str| {
        let file = Connection::open(folder.path().join(FILE)).unwrap();
        file.execute_batch(statement).unwrap();
    };
    by_hand(&format!("PRAGMA user_version = {}", FORMAT + 1));
    let Err(HistoryError::Open(OpenError::Newer { found, .. })) = take_in(&folder) else {
        panic!("a newer history was opened");
    };
    assert_eq!(found, FORMAT + 1);
    by_hand("PRAGMA application_id = 7");
    let refused = take_in(&folder).unwrap_err();
    assert!(matches!(refused, HistoryError::Open(OpenError::NotOurs(_))));
}

#[test]
fn a_history_of_another_log_is_set_aside_and_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = log(folder.path(), 7);
    add(&mut first, vec![entered(1, NOON, 1, 0), closed(2, NOON, 1)]);
    drop(first);
    take_in(&folder).unwrap();
    std::fs::remove_file(folder.path().join(sqlite::FILE)).unwrap();
    let mut second = log(folder.path(), 8);
    add(&mut second, vec![entered(1, NOON, 2, 0)]);
    drop(second);
    take_in(&folder).unwrap();
    assert_eq!(found(&folder.path().join(FILE), CONTACTS), ["x-2 one"]);
    let aside = folder.path().join("history-7-2.db");
    assert_eq!(found(&aside, CONTACTS), ["x-1 one"]);

    // The same where the log is an older copy of itself.
    let file = Connection::open(folder.path().join(sqlite::FILE)).unwrap();
    file.execute("UPDATE batches SET seq = 0, last = 0", [])
        .unwrap();
    drop(file);
    let failed = take_in(&folder);
    assert!(failed.is_ok() && folder.path().join("history-8-1.db").exists());
}

#[test]
fn what_was_cut_before_it_was_taken_in_is_noted() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = log(folder.path(), 7);
    add(&mut log, vec![entered(1, NOON, 1, 0)]);
    take_in(&folder).unwrap();
    add(&mut log, vec![closed(2, NOON, 1)]);
    add(&mut log, vec![entered(5, NOON, 2, 0)]);
    for snapshot in [Seq(2), Seq(5)] {
        let at = NOON;
        log.chore(&Chore::Whole {
            snapshot,
            at,
            pieces: 0,
        })
        .unwrap();
    }
    while log.chore(&Chore::Forget { now: NOON }).unwrap() {}
    take_in(&folder).unwrap();
    let file = folder.path().join(FILE);
    assert_eq!(found(&file, CONTACTS), ["x-1 one", "x-2 one"]);
    let gaps = "SELECT after || ' to ' || upto FROM gaps";
    assert_eq!(found(&file, gaps), ["1 to 2"]);
    take_in(&folder).unwrap();
    assert_eq!(found(&file, gaps).len(), 1, "once");
}

#[test]
fn the_log_is_held_until_the_history_is_safe_and_names_are_learnt_on_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = log(folder.path(), 7);
    add(&mut log, vec![entered(1, NOON, 1, 0)]);
    let holds = log.holds();
    let keep = Retention::default();
    let history = History::start(folder.path(), keep, Targets::default(), &holds, || NOON).unwrap();
    log.keep_names(&names(&["one", "two"])).unwrap();
    add(&mut log, vec![entered(2, NOON, 2, 1)]);
    history.stop();
    let file = folder.path().join(FILE);
    assert_eq!(found(&file, CONTACTS), ["x-1 one", "x-2 two"]);
    assert_eq!(holds.least(), None, "nobody reads any more");

    let hold = holds.hold(Seq(9));
    let history = History::start(folder.path(), keep, Targets::default(), &holds, || NOON).unwrap();
    while holds.least() != Some(Seq(2)) {
        std::thread::yield_now();
    }
    history.stop();
    drop(hold);
}

#[test]
fn what_is_not_yet_synced_is_not_let_go() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = log(folder.path(), 7);
    add(&mut log, vec![entered(1, NOON, 1, 0)]);
    let mut projector = Projector::open(folder.path(), Targets::default()).unwrap();
    assert!(projector.step(NOON).unwrap());
    assert_eq!(projector.sync().unwrap(), Some(Seq(1)));
    add(&mut log, vec![closed(2, NOON, 1)]);
    let reader = Connection::open(folder.path().join(FILE)).unwrap();
    reader
        .execute_batch("BEGIN; SELECT * FROM contacts")
        .unwrap();
    assert!(projector.step(NOON).unwrap());
    assert_eq!(projector.sync().unwrap(), None, "a reader is in the way");
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(projector.sync().unwrap(), Some(Seq(2)));
    assert!(!projector.step(NOON).unwrap());
}

#[test]
fn each_table_keeps_its_rows_for_as_long_as_it_should() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = log(folder.path(), 7);
    let mut records = Vec::new();
    let old = NOON - Span(DAY.0 * 401);
    for number in 0..1_200 {
        let at = if number < 1_100 { old } else { NOON };
        records.push(entered(number * 2 + 1, at, number, 0));
        // One of the old ones lives.
        if number > 0 {
            records.push(closed(number * 2 + 2, at, number));
        }
    }
    add(&mut log, records);
    drop(log);
    let file = folder.path().join(FILE);
    let rows = || {
        ["contacts", "segments", "queue_intervals", "audit"]
            .map(|table| found(&file, &format!("SELECT count(*) || '' FROM {table}")).join(""))
    };
    let ever = Retention {
        contacts: 0,
        segments: 0,
        audit: 0,
        ..Retention::default()
    };
    catch_up(folder.path(), &ever, NOON).unwrap();
    assert_eq!(rows(), ["1200", "1200", "2", "2399"]);
    catch_up(folder.path(), &Retention::default(), NOON).unwrap();
    assert_eq!(rows(), ["101", "101", "2", "200"]);
    let short = Retention {
        queue_intervals: 400,
        ..Retention::default()
    };
    catch_up(folder.path(), &short, NOON).unwrap();
    assert_eq!(rows(), ["101", "101", "1", "200"]);
}

#[test]
fn what_was_said_goes_when_its_contact_has_been_over_for_long_enough() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = log(folder.path(), 7);
    let id = |at: Instant| {
        let time = uuid::Timestamp::from_unix(uuid::NoContext, at.0 / 1_000, 0);
        ContactId(uuid::Uuid::new_v7(time))
    };
    let old = NOON - Span(DAY.0 * 40);
    let [over, alive, young] = [old, old, NOON - DAY].map(id);
    let come = |seq, at, contact| {
        let mut record = entered(seq, at, seq, 0);
        if let Event::ContactEntered { facts, .. } = &mut record.event {
            facts.id = contact;
        }
        record
    };
    let go = |seq, at, gone| {
        let mut record = closed(seq, at, seq);
        if let Event::ContactClosed { contact, .. } = &mut record.event {
            *contact = gone;
        }
        record
    };
    add(&mut log, vec![come(1, old, alive), come(2, old, over)]);
    add(&mut log, vec![go(3, old, over), come(4, NOON, young)]);
    add(&mut log, vec![go(5, NOON, young)]);
    drop(log);
    let texts = || {
        let log = folder.path().join(sqlite::FILE);
        found(&log, "SELECT contact FROM content ORDER BY seq")
    };
    let keep = Retention {
        content: 30,
        ..Retention::default()
    };
    take_in(&folder).unwrap();
    assert_eq!(texts().len(), 3);
    catch_up(folder.path(), &keep, NOON).unwrap();
    assert_eq!(texts(), [alive.to_string(), young.to_string()]);
    catch_up(folder.path(), &keep, NOON + DAY).unwrap();
    assert_eq!(texts().len(), 2);
}

/// Half an hour's answers of a queue: in time, and within which.
const IN_TIME: &str = "SELECT abandoned_in_threshold || ' ' || threshold_ms FROM queue_intervals";

#[test]
fn in_time_is_what_the_queue_is_configured_for() {
    let configured = |target: Span| {
        let chat = BTreeMap::from([("chat".to_owned(), target)]);
        Targets(BTreeMap::from([("one".to_owned(), chat)]))
    };
    for (target, expected) in [(5, "0 5000"), (120, "1 120000")] {
        let folder = tempfile::tempdir().unwrap();
        let mut log = log(folder.path(), 7);
        // The customer leaves after half a minute, which the usual target of chats allows.
        add(
            &mut log,
            vec![
                entered(1, NOON, 1, 0),
                closed(2, NOON + Span::seconds(30), 1),
            ],
        );
        let (keep, holds) = (Retention::default(), log.holds());
        let history = History::start(
            folder.path(),
            keep,
            configured(Span::seconds(target)),
            &holds,
            || NOON,
        )
        .unwrap();
        history.stop();
        assert_eq!(found(&folder.path().join(FILE), IN_TIME), [expected]);
    }
    // A target that is changed counts from then on.
    let folder = tempfile::tempdir().unwrap();
    let mut log = log(folder.path(), 7);
    let leaves = |seq, number| {
        let gone = closed(seq + 1, NOON + Span::seconds(30), number);
        vec![entered(seq, NOON, number, 0), gone]
    };
    add(&mut log, leaves(1, 1));
    let (keep, holds) = (Retention::default(), log.holds());
    let seconds = |seconds| configured(Span::seconds(seconds));
    let history = History::start(folder.path(), keep, seconds(5), &holds, || NOON).unwrap();
    while holds.least() != Some(Seq(2)) {
        std::thread::yield_now();
    }
    history.change(keep, seconds(120));
    add(&mut log, leaves(3, 2));
    history.stop();
    assert_eq!(found(&folder.path().join(FILE), IN_TIME), ["1 5000"]);
    let usual = Targets::default();
    assert_eq!(usual.target("any", "chat"), Span::seconds(60));
    assert_eq!(usual.target("any", "task"), Span::hours(4));
    assert_eq!(usual.target("any", "fax"), Span::seconds(60));
}
