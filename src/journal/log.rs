//! A log with one writer: a thread that makes batches durable in a store, and another that folds
//! every record into what is kept of each actor, so that an actor that failed can start again.

use super::fold::Name;
use super::folding::{Folding, Snapshots};
use super::store::Store;
use super::writer::{OnFailure, Work, Writer};
use super::{
    Batch, Beside, Epoch, Fold, Gated, Gone, Journal, Recall, Release, Source, Undurable, Written,
    weight,
};
use crate::id::Seq;
use crate::time::Instant;
use crossbeam_channel::{Sender, unbounded};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// Where a log goes on.
pub struct Begin {
    /// Its name.
    pub epoch: Epoch,
    /// The last position that must not be given out again.
    pub after: Seq,
    /// What it knows of actors already, each up to and with a position.
    pub kept: Vec<(Source, Seq, Box<dyn Fold>)>,
    /// The rules in force are those of its last event.
    pub same_rules: bool,
    /// Reads what lies beside its events; none if it keeps nothing.
    pub recall: Option<Arc<dyn Recall>>,
    /// How often a snapshot is cut; none where none are.
    pub snapshots: Option<Pace>,
    /// Told when nothing becomes durable any more.
    pub failed: OnFailure,
}

/// How often a snapshot is cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// Events since the last one.
    pub since: u64,
    /// Events from one to the next.
    pub every: u64,
}

/// A log with one writer.
pub struct Log {
    epoch: Epoch,
    after: Seq,
    same_rules: bool,
    recall: Option<Arc<dyn Recall>>,
    shared: Arc<Shared>,
    /// None once it is closed.
    sender: Mutex<Option<Sender<Work>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// A batch on its way to the store.
pub(super) struct Taken {
    pub(super) written: Arc<Written>,
    pub(super) gated: Vec<Gated>,
    pub(super) beside: Beside,
    pub(super) last: Seq,
}

/// No two of its locks are held at once.
pub(super) struct Shared {
    /// Batches with events that are not yet folded into what is kept.
    unfolded: Mutex<VecDeque<Arc<Written>>>,
    kept: Mutex<BTreeMap<Source, Kept>>,
    backlog: Mutex<Backlog>,
    pub(super) durable: AtomicU64,
    /// Nothing more is taken.
    pub(super) closing: AtomicBool,
    /// There is no room for what is to become durable.
    pub(super) full: AtomicBool,
}

/// Batches with events that are not yet durable: when each was handed over, and what it weighs.
#[derive(Default)]
struct Backlog {
    line: VecDeque<(Instant, usize)>,
    bytes: usize,
}

enum Kept {
    /// Folded up to and with this position.
    Folded(Seq, Box<dyn Fold>),
    /// A record could not be folded: a bug, and no way back for this actor.
    Broken,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Log {
    /// A log that goes on where `begin` says, and its threads.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start(begin: Begin, release: Release, store: Box<dyn Store>) -> io::Result<Self> {
        let Begin {
            epoch,
            after,
            kept,
            same_rules,
            recall,
            snapshots,
            failed,
        } = begin;
        let kept = kept.into_iter();
        let kept = kept.map(|(source, upto, part)| (source, Kept::Folded(upto, part)));
        let shared = Arc::new(Shared {
            unfolded: Mutex::default(),
            kept: Mutex::new(kept.collect()),
            backlog: Mutex::default(),
            durable: AtomicU64::new(after.0),
            closing: AtomicBool::new(false),
            full: AtomicBool::new(false),
        });
        let (sender, receiver) = unbounded();
        let (durable, folded) = unbounded();
        let folding = Folding {
            shared: Arc::clone(&shared),
            receiver: folded,
            snapshots: snapshots.map(|pace| Snapshots {
                writer: sender.clone(),
                pace,
            }),
        };
        let writer = Writer {
            shared: Arc::clone(&shared),
            receiver,
            durable,
            release,
            store,
            failed,
        };
        let named = |name: &str| thread::Builder::new().name(name.to_owned());
        let threads = vec![
            named("journal").spawn(move || writer.run())?,
            named("folding").spawn(move || folding.run())?,
        ];
        Ok(Self {
            epoch,
            after,
            same_rules,
            recall,
            shared,
            sender: Mutex::new(Some(sender)),
            threads: Mutex::new(threads),
        })
    }
}

impl Journal for Log {
    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn start(&self) -> Seq {
        self.after
    }

    fn append(&self, batch: Batch) -> Result<(), Gone> {
        let sender = lock(&self.sender);
        let sender = sender.as_ref().ok_or(Gone)?;
        if !batch.written.records.is_empty() {
            self.shared.expect(&batch);
        }
        let taken = Taken {
            written: batch.written,
            gated: batch.gated,
            beside: batch.beside,
            last: batch.last,
        };
        sender.send(Work::Batch(taken)).map_err(|_| Gone)
    }

    fn durable(&self) -> Seq {
        Seq(self.shared.durable.load(Ordering::Acquire))
    }

    fn undurable(&self) -> Undurable {
        let backlog = lock(&self.shared.backlog);
        Undurable {
            bytes: backlog.bytes,
            oldest: backlog.line.front().map(|(at, _)| *at),
        }
    }

    fn keep(&self, source: Source, empty: Box<dyn Fold>) {
        lock(&self.shared.kept)
            .entry(source)
            .or_insert(Kept::Folded(Seq(0), empty));
    }

    fn recover(&self, source: Source) -> Option<Box<dyn Fold>> {
        // Folding comes before taking off, so what is missing from one is in the other.
        let durable = self.durable();
        let concerns = |written: &Written| match source {
            Source::Board | Source::Index => written
                .records
                .last()
                .is_some_and(|last| last.seq <= durable),
            Source::Floor | Source::Queue(_) => written.from == source,
        };
        let unfolded: Vec<Arc<Written>> = lock(&self.shared.unfolded)
            .iter()
            .filter(|written| concerns(written))
            .cloned()
            .collect();
        let (upto, mut part) = match lock(&self.shared.kept).get(&source)? {
            Kept::Folded(upto, part) => (*upto, part.copy()),
            Kept::Broken => return None,
        };
        let tail = unfolded
            .iter()
            .flat_map(|written| &written.records)
            .filter(|record| record.seq > upto);
        catch_unwind(AssertUnwindSafe(|| {
            tail.for_each(|record| part.fold(record));
            part
        }))
        .ok()
    }

    fn recall(&self) -> Option<Arc<dyn Recall>> {
        self.recall.clone()
    }

    fn waits_for_room(&self) -> bool {
        self.shared.full.load(Ordering::Relaxed)
    }

    fn same_rules(&self) -> bool {
        self.same_rules
    }

    fn close(&self) {
        self.shared.closing.store(true, Ordering::Relaxed);
        self.end();
        let threads = std::mem::take(&mut *lock(&self.threads));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the journal had failed");
            }
        }
    }
}

impl Log {
    /// Takes nothing more. The writer may be gone already.
    fn end(&self) {
        if let Some(sender) = lock(&self.sender).take() {
            let _ = sender.send(Work::Close);
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    fn expect(&self, batch: &Batch) {
        let bytes = batch.written.records.iter().map(weight).sum();
        {
            let mut backlog = lock(&self.backlog);
            backlog.line.push_back((batch.at, bytes));
            backlog.bytes += bytes;
        }
        lock(&self.unfolded).push_back(Arc::clone(&batch.written));
    }

    /// The oldest batch that was not durable is.
    pub(super) fn durable(&self) {
        let mut backlog = lock(&self.backlog);
        if let Some((_, bytes)) = backlog.line.pop_front() {
            backlog.bytes -= bytes;
        }
    }

    /// The oldest batch that was not folded is.
    pub(super) fn folded(&self) {
        lock(&self.unfolded).pop_front();
    }

    /// Whose state is kept.
    pub(super) fn sources(&self) -> Vec<Source> {
        lock(&self.kept).keys().copied().collect()
    }

    /// What a snapshot has of an actor; why it cannot be written.
    pub(super) fn write(&self, source: Source) -> Result<Vec<(Name, Vec<u8>)>, String> {
        match lock(&self.kept).get(&source) {
            Some(Kept::Folded(_, part)) => part.write().map_err(|why| why.to_string()),
            Some(Kept::Broken) => Err("a record of it could not be folded".to_owned()),
            None => Ok(Vec::new()),
        }
    }

    /// A snapshot is whole.
    pub(super) fn written(&self) {
        for kept in lock(&self.kept).values_mut() {
            if let Kept::Folded(_, part) = kept {
                part.written();
            }
        }
    }

    pub(super) fn fold(&self, written: &Written) {
        let mut kept = lock(&self.kept);
        for source in [written.from, Source::Board, Source::Index] {
            if let Some(entry) = kept.get_mut(&source) {
                entry.fold(source, written);
            }
        }
    }
}

impl Kept {
    fn fold(&mut self, source: Source, written: &Written) {
        let Self::Folded(upto, part) = self else {
            return;
        };
        let folded = catch_unwind(AssertUnwindSafe(|| {
            for record in &written.records {
                part.fold(record);
                *upto = record.seq;
            }
        }));
        if folded.is_err() {
            tracing::error!(actor = %source, "a record cannot be folded; this actor cannot start again");
            *self = Self::Broken;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Log;
    use crate::domain::event::{By, Event, Record};
    use crate::domain::machine::{Refusal, ReplyTo};
    use crate::id::{QueueId, Seq};
    use crate::journal::fold::{Name, Unwritable};
    use crate::journal::memory;
    use crate::journal::{Batch, Beside, Epoch, Fold, Gated, Journal, Source, Written};
    use crate::time::Instant;
    use std::any::Any;
    use std::sync::{Arc, Mutex};

    /// The positions that were folded; panics at the position given.
    #[derive(Clone, Default)]
    struct Positions(Vec<u64>, Option<u64>);

    impl Fold for Positions {
        fn fold(&mut self, record: &Record) {
            assert_ne!(Some(record.seq.0), self.1, "the bomb of this test");
            self.0.push(record.seq.0);
        }

        fn copy(&self) -> Box<dyn Fold> {
            Box::new(self.clone())
        }

        fn write(&self) -> Result<Vec<(Name, Vec<u8>)>, Unwritable> {
            Ok(Vec::new())
        }

        fn into_any(self: Box<Self>) -> Box<dyn Any> {
            self
        }
    }

    fn batch(from: Source, seqs: &[u64]) -> Batch {
        let record = |seq: &u64| Record {
            seq: Seq(*seq),
            at: Instant(*seq),
            by: By::Engine,
            event: Event::ActorRestarted { queue: None },
            content: None,
        };
        let records: Vec<Record> = seqs.iter().map(record).collect();
        let last = Seq(seqs.last().copied().unwrap_or_default());
        let to = ReplyTo {
            door: 1,
            request: last.0,
        };
        Batch {
            written: Arc::new(Written { from, records }),
            gated: vec![Gated {
                to,
                result: Err(Refusal::Superseded),
                seq: last,
            }],
            last,
            at: Instant(last.0),
            beside: Beside::default(),
        }
    }

    fn known(journal: &Log, source: Source) -> Option<Vec<u64>> {
        let part = journal.recover(source)?.into_any();
        Some(part.downcast::<Positions>().expect("positions").0)
    }

    const QUEUE: Source = Source::Queue(QueueId(1));

    /// Positions of the answers that were let out.
    type Out = Arc<Mutex<Vec<u64>>>;

    /// A journal whose disk writes only while the lock is free, and what it let out.
    fn stalling() -> (Log, Arc<Mutex<()>>, Out) {
        let (disk, out) = (Arc::new(Mutex::new(())), Out::default());
        let (stall, answers) = (Arc::clone(&disk), Arc::clone(&out));
        let release = Box::new(move |_, gated: Vec<Gated>| {
            let gated = gated.iter().map(|gated| gated.seq.0);
            answers.lock().unwrap().extend(gated);
        });
        let write = Box::new(move |_| {
            drop(stall.lock().unwrap());
            Ok(())
        });
        let journal = memory::start_on(Epoch(1), release, write).unwrap();
        for source in [Source::Floor, QUEUE, Source::Board] {
            journal.keep(source, Box::<Positions>::default());
        }
        (journal, disk, out)
    }

    #[test]
    fn an_actor_starts_again_from_all_it_handed_over_durable_or_not() {
        let (journal, disk, out) = stalling();
        journal.append(batch(QUEUE, &[1, 2])).unwrap();
        journal.append(batch(Source::Floor, &[3])).unwrap();
        while journal.undurable() != super::Undurable::default() {
            std::thread::yield_now();
        }
        let stall = disk.lock().unwrap();
        journal.append(batch(QUEUE, &[4])).unwrap();
        journal.append(batch(Source::Floor, &[5])).unwrap();
        assert_eq!(known(&journal, QUEUE), Some(vec![1, 2, 4]));
        assert_eq!(known(&journal, Source::Floor), Some(vec![3, 5]));
        assert_eq!(
            known(&journal, Source::Board),
            Some(vec![1, 2, 3]),
            "it sees what is durable"
        );
        let undurable = journal.undurable();
        assert_eq!(undurable.oldest, Some(Instant(4)));
        assert!(undurable.bytes >= 2 * size_of::<Record>());
        assert_eq!(*out.lock().unwrap(), [2, 3], "answers wait for the disk");
        drop(stall);
        journal.close();
        assert_eq!(*out.lock().unwrap(), [2, 3, 4, 5]);
        assert_eq!(journal.undurable(), super::Undurable::default());
        assert_eq!(known(&journal, Source::Board), Some(vec![1, 2, 3, 4, 5]));
    }

    #[test]
    fn an_actor_whose_record_cannot_be_folded_stays_away_and_the_others_go_on() {
        let (journal, ..) = stalling();
        let other = Source::Queue(QueueId(2));
        journal.keep(other, Box::new(Positions(Vec::new(), Some(2))));
        journal.append(batch(other, &[1])).unwrap();
        journal.append(batch(other, &[2])).unwrap();
        journal.append(batch(QUEUE, &[3])).unwrap();
        assert_eq!(known(&journal, other), None);
        journal.close();
        assert_eq!(known(&journal, other), None);
        assert_eq!(known(&journal, QUEUE), Some(vec![3]));
    }

    /// Folds only while the lock is free.
    struct Slow(Arc<Mutex<()>>);

    impl Fold for Slow {
        fn fold(&mut self, _: &Record) {
            drop(self.0.lock().unwrap());
        }

        fn copy(&self) -> Box<dyn Fold> {
            Box::new(Self(Arc::clone(&self.0)))
        }

        fn write(&self) -> Result<Vec<(Name, Vec<u8>)>, Unwritable> {
            Ok(Vec::new())
        }

        fn into_any(self: Box<Self>) -> Box<dyn Any> {
            self
        }
    }

    #[test]
    fn nobody_who_waits_for_an_answer_waits_for_a_snapshot() {
        let (journal, _, out) = stalling();
        let folding = Arc::new(Mutex::new(()));
        let other = Source::Queue(QueueId(2));
        journal.keep(other, Box::new(Slow(Arc::clone(&folding))));
        let stall = folding.lock().unwrap();
        journal.append(batch(other, &[1])).unwrap();
        while out.lock().unwrap().is_empty() {
            std::thread::yield_now();
        }
        assert_eq!(journal.durable(), Seq(1));
        drop(stall);
        journal.close();
        assert_eq!(known(&journal, Source::Board), Some(vec![1]));
    }

    #[test]
    fn what_is_kept_is_kept_once() {
        let (journal, ..) = stalling();
        journal.append(batch(QUEUE, &[1])).unwrap();
        journal.keep(QUEUE, Box::<Positions>::default());
        journal.close();
        assert_eq!(known(&journal, QUEUE), Some(vec![1]));
        assert!(journal.append(batch(QUEUE, &[2])).is_err());
    }
}
