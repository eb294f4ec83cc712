//! One life of a log: opened, written to as an engine writes, until the power is cut.

use super::chance::Chance;
use super::disk::Disk;
use super::vfs;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use switchroom::domain::contact::{Closed, Content, Facts};
use switchroom::domain::event::{By, Entered, Event, Record};
use switchroom::domain::machine::{Refusal, ReplyTo};
use switchroom::domain::queue::book::Book;
use switchroom::domain::requirement::Requirement;
use switchroom::domain::rules::Workspace;
use switchroom::id::{ChannelId, ContactId, QueueId, Seq, UserId};
use switchroom::journal::beside::Beside;
use switchroom::journal::folder::Folder;
use switchroom::journal::log::Log;
use switchroom::journal::sqlite::{Medium, OpenError, Sqlite, StartError};
use switchroom::journal::{Batch, Epoch, Gated, Journal, Opening, Source, Written};
use switchroom::time::Instant;

/// Queues of the floor.
const QUEUES: u32 = 4;

/// What is known from outside of a log.
pub struct Known {
    /// The rules of its floor.
    pub rules: Arc<Workspace>,
    /// Its name, once an answer was let out.
    pub epoch: Option<Epoch>,
    /// Batches with events that were handed over, in order.
    pub handed: Vec<Arc<Written>>,
    /// So many of them have to be there: an answer that tells of them was let out.
    pub acknowledged: usize,
}

impl Known {
    /// A log before its first life.
    pub fn new() -> Self {
        Self {
            rules: rules(),
            epoch: None,
            handed: Vec::new(),
            acknowledged: 0,
        }
    }
}

/// What was let out in one life.
#[derive(Default)]
pub struct Out {
    /// Batches of this life of which an answer told.
    pub acknowledged: AtomicUsize,
    /// An answer was let out while something of the write-ahead log was not synced.
    pub early: AtomicBool,
    /// Nothing becomes durable any more.
    pub failed: AtomicBool,
}

/// Opens the log that is mounted at a folder.
pub fn open(folder: &Path, checkpoint_every: Duration) -> Result<Sqlite, OpenError> {
    let on = Medium {
        vfs: Some(vfs::NAME),
        checkpoint_every,
    };
    Sqlite::open_on(on, Folder::take(folder).unwrap(), Instant(77))
}

/// Lives until the power is cut, or everything is written.
pub fn live(folder: &Path, disk: &Arc<Disk>, known: &mut Known, chance: &mut Chance) {
    let _mounted = vfs::mount(folder, disk);
    let every = Duration::from_millis([1, 3, 1_000][usize::try_from(chance.next(3)).unwrap()]);
    let store = match open(folder, every) {
        Ok(store) => store,
        Err(error) => return assert!(disk.is_cut(), "it cannot be opened: {error:?}"),
    };
    let epoch = store.epoch();
    let snapshots = [10, 40, 100_000][usize::try_from(chance.next(3)).unwrap()];
    let out = Arc::new(Out::default());
    let before = known.handed.len();
    let log = match log(store.cut_every(snapshots), &known.rules, disk, &out, before) {
        Ok(log) => log,
        Err(error) => return assert!(disk.is_cut(), "it cannot be started: {error:?}"),
    };
    let mut seq = log.start().0;
    for _ in 0..3 + chance.next(30) {
        let batch = batch(&mut seq, known.handed.len(), chance);
        if !batch.written.records.is_empty() {
            known.handed.push(Arc::clone(&batch.written));
        }
        if log.append(batch).is_err() {
            break;
        }
        // Whoever waits for his answer lets the next batch be in a group of its own.
        let waits = chance.one_in(2);
        while waits && log.durable() < Seq(seq) && !out.failed.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
    }
    log.close();
    assert!(
        disk.is_cut() || !out.failed.load(Ordering::Relaxed),
        "the log failed while there was power"
    );
    assert!(
        !out.early.load(Ordering::Relaxed),
        "an answer was let out before the sync that covers it"
    );
    let acknowledged = out.acknowledged.load(Ordering::Relaxed);
    if acknowledged > 0 {
        known.epoch.get_or_insert(epoch);
        known.acknowledged = before + acknowledged;
    }
}

/// The rules of every log here.
pub fn rules() -> Arc<Workspace> {
    let queues = (0..QUEUES)
        .map(|number| format!("[workspace.main.queues.q{number}]\nchannels = [\"chat\"]\n"));
    let source = switchroom::config::Source {
        name: "rules".into(),
        text: queues.collect(),
    };
    let config = switchroom::config::Config::check(source).unwrap();
    Arc::clone(&config.workspaces[0].rules)
}

/// A log whose answers are counted as they leave.
pub fn log(
    store: Sqlite,
    rules: &Arc<Workspace>,
    disk: &Arc<Disk>,
    out: &Arc<Out>,
    before: usize,
) -> Result<Log, StartError> {
    let failing = Arc::clone(out);
    let (disk, out) = (Arc::clone(disk), Arc::clone(out));
    let wal = format!("{}-wal", switchroom::journal::sqlite::FILE);
    let release = move |_, gated: Vec<Gated>| {
        for answer in gated {
            if !disk.is_synced(&wal) {
                out.early.store(true, Ordering::Relaxed);
            }
            // Its number says how many batches had been handed over.
            let told = usize::try_from(answer.to.request).unwrap() - before;
            out.acknowledged.fetch_max(told, Ordering::Relaxed);
        }
    };
    let log = store.start(Opening {
        now: Instant(77),
        rules: Arc::clone(rules),
        configuration: None,
        release: Box::new(release),
        failed: Box::new(move |_| failing.failed.store(true, Ordering::Relaxed)),
    })?;
    // As each queue does when it starts.
    for queue in (0..QUEUES).map(QueueId) {
        log.keep(Source::Queue(queue), Box::new(Book::new(queue)));
    }
    Ok(log)
}

/// What an actor might hand over: some events, some with what was said, and an answer to
/// whoever asked; or only an answer. Not every position has an event.
pub fn batch(seq: &mut u64, handed: usize, chance: &mut Chance) -> Batch {
    let queue = QueueId(u32::try_from(chance.next(QUEUES.into())).unwrap());
    let from = Source::Queue(queue);
    let some = if chance.one_in(6) {
        0
    } else {
        1 + chance.next(5)
    };
    let mut records = Vec::new();
    for _ in 0..some {
        *seq += 1 + chance.next(2);
        records.push(record(*seq, queue, chance));
    }
    let told = handed + usize::from(!records.is_empty());
    let answer = Gated {
        to: ReplyTo {
            door: 1,
            request: told as u64,
        },
        result: Err(Refusal::Superseded),
        seq: Seq(*seq),
    };
    Batch {
        written: Arc::new(Written { from, records }),
        gated: if chance.one_in(4) {
            Vec::new()
        } else {
            vec![answer]
        },
        last: Seq(*seq),
        at: Instant(*seq),
        beside: Beside::default(),
    }
}

/// A contact that enters with what is known of its customer, or is closed.
fn record(seq: u64, queue: QueueId, chance: &mut Chance) -> Record {
    let enters = chance.one_in(2);
    let contact = ContactId(uuid::Uuid::from_u128(
        u128::from(queue.0) << 64 | u128::from(seq),
    ));
    let long = usize::try_from(chance.next(9_000)).unwrap();
    let said = enters.then(|| {
        Box::new(Content {
            customer_id: Some(format!("c-{}", chance.next(9))),
            // Some of it takes several pages.
            attributes: BTreeMap::from([("said".to_owned(), "x".repeat(long))]),
            ..Content::default()
        })
    });
    let event = if enters {
        Event::ContactEntered {
            facts: Box::new(facts(contact, seq)),
            queue,
            how: Entered::New,
            due_at: Instant(60_000 + seq),
        }
    } else {
        Event::ContactClosed {
            contact,
            queue,
            reason: Closed::Completed,
        }
    };
    Record {
        seq: Seq(seq),
        at: Instant(1_000 + seq),
        by: By::User {
            user: UserId(3),
            behalf: None,
        },
        event,
        content: said,
    }
}

fn facts(id: ContactId, seq: u64) -> Facts {
    Facts {
        id,
        external_id: format!("x-{seq}").into(),
        channel: ChannelId(0),
        conversation: id,
        first_entry: Instant(1_000 + seq),
        priority: 0,
        tier: 5,
        due_at: None,
        requirement: Requirement::anyone(),
        preferred: None,
        patience: None,
        submitted_by: UserId(3),
    }
}

/// Looks at what is left on a disk: the beginning of what was handed over, each batch once and
/// as it was, with everything of which an answer told. What is there is known from now on.
pub fn judge(folder: &Path, disk: &Arc<Disk>, known: &mut Known) {
    let _mounted = vfs::mount(folder, disk);
    let store = open(folder, Duration::from_secs(1)).expect("what is left is a log");
    if let Some(epoch) = known.epoch {
        assert_eq!(store.epoch(), epoch, "it has another name");
    }
    let found = Mutex::new(Vec::new());
    let read = store.replay(Seq(0), |written| found.lock().unwrap().push(written));
    read.expect("the log is whole");
    let found = found.into_inner().unwrap();
    // Behind the older of two snapshots the log may have been cut.
    let file = store.path();
    let cut = cut(&file);
    let gone = match found.first() {
        Some(first) => known
            .handed
            .iter()
            .take_while(|handed| last(handed) < last(first))
            .count(),
        None => known
            .handed
            .iter()
            .take_while(|handed| last(handed) <= cut)
            .count(),
    };
    assert!(
        known.handed[..gone]
            .iter()
            .all(|handed| last(handed) <= cut),
        "what was not cut is gone"
    );
    let left = gone + found.len();
    assert!(
        left >= known.acknowledged,
        "{} batches were acknowledged, {left} are left",
        known.acknowledged,
    );
    assert!(left <= known.handed.len(), "there are more than were");
    for (found, handed) in found.iter().zip(&known.handed[gone..]) {
        assert_eq!((found.from, &found.records), (handed.from, &handed.records));
    }
    known.handed.truncate(left);
    let differ = store
        .disagree(&known.rules)
        .expect("the snapshots are whole");
    assert_eq!(differ.unwrap_or_default(), [], "a snapshot is another");
    drop(store);
    whole(&file);
}

fn whole(file: &Path) {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE;
    let file = rusqlite::Connection::open_with_flags_and_vfs(file, flags, vfs::NAME).unwrap();
    let said: String = file
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(said, "ok");
}

/// Up to where the log was cut.
fn cut(file: &Path) -> u64 {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE;
    let file = rusqlite::Connection::open_with_flags_and_vfs(file, flags, vfs::NAME).unwrap();
    let cut: Option<i64> = file
        .query_row("SELECT max(value) FROM meta WHERE key = 'cut'", [], |row| {
            row.get(0)
        })
        .unwrap();
    cut.unwrap_or(0).cast_unsigned()
}

fn last(written: &Written) -> u64 {
    written.records.last().unwrap().seq.0
}
