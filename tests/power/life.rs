//! One life of a log: opened, written to as an engine writes, until the power is cut.

use super::chance::Chance;
use super::disk::Disk;
use super::vfs;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use switchroom::domain::contact::{Closed, Content};
use switchroom::domain::event::{By, Event, Record};
use switchroom::domain::machine::{Refusal, ReplyTo};
use switchroom::id::{ContactId, QueueId, Seq, UserId};
use switchroom::journal::folder::Folder;
use switchroom::journal::log::{Begin, Log};
use switchroom::journal::sqlite::{Medium, OpenError, Sqlite};
use switchroom::journal::{Batch, Epoch, Gated, Journal, Source, Written};
use switchroom::time::Instant;

/// What is known from outside of a log.
#[derive(Default)]
pub struct Known {
    /// Its name, once an answer was let out.
    pub epoch: Option<Epoch>,
    /// Batches with events that were handed over, in order.
    pub handed: Vec<Arc<Written>>,
    /// So many of them have to be there: an answer that tells of them was let out.
    pub acknowledged: usize,
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
    let after = known
        .handed
        .last()
        .map_or(0, |written| last(written) + 1_000_000);
    let out = Arc::new(Out::default());
    let before = known.handed.len();
    let log = log(store, epoch, after, disk, &out, before);
    let mut seq = after;
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

/// A log whose answers are counted as they leave.
pub fn log(
    store: Sqlite,
    epoch: Epoch,
    after: u64,
    disk: &Arc<Disk>,
    out: &Arc<Out>,
    before: usize,
) -> Log {
    let failing = Arc::clone(out);
    let begin = Begin {
        epoch,
        after: Seq(after),
        kept: Vec::new(),
        snapshots: None,
        failed: Box::new(move |_| failing.failed.store(true, Ordering::Relaxed)),
    };
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
    Log::start(begin, Box::new(release), Box::new(store)).unwrap()
}

/// What an actor might hand over: some events, some with what was said, and an answer to
/// whoever asked; or only an answer. Not every position has an event.
pub fn batch(seq: &mut u64, handed: usize, chance: &mut Chance) -> Batch {
    let from = match chance.next(4) {
        0 => Source::Floor,
        queue => Source::Queue(QueueId(u32::try_from(queue).unwrap())),
    };
    let some = if chance.one_in(6) {
        0
    } else {
        1 + chance.next(5)
    };
    let mut records = Vec::new();
    for _ in 0..some {
        *seq += 1 + chance.next(2);
        records.push(record(*seq, chance));
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
    }
}

fn record(seq: u64, chance: &mut Chance) -> Record {
    let said = chance.one_in(2).then(|| {
        Box::new(Content {
            customer_id: Some(format!("c-{}", chance.next(9))),
            // Some of it takes several pages.
            text: Some("x".repeat(usize::try_from(chance.next(9_000)).unwrap())),
            attributes: BTreeMap::from([("vip".to_owned(), "yes".to_owned())]),
            ..Content::default()
        })
    });
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
        content: said,
    }
}

fn last(written: &Written) -> u64 {
    written.records.last().unwrap().seq.0
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
    assert!(
        found.len() >= known.acknowledged,
        "{} batches were acknowledged, {} are left",
        known.acknowledged,
        found.len()
    );
    assert!(
        found.len() <= known.handed.len(),
        "there are more than were"
    );
    for (found, handed) in found.iter().zip(&known.handed) {
        assert_eq!((found.from, &found.records), (handed.from, &handed.records));
    }
    known.handed.truncate(found.len());
    let file = store.path();
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
