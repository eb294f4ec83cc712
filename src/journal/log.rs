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
        let (upto, mut part) = match lock(&self.shared.kept).get_mut(&source)? {
            Kept::Folded(upto, part) => {
                let copy = part.copy();
                part.started();
                (*upto, copy)
            }
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
mod tests;
