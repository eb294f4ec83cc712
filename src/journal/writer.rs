//! The log's thread: makes groups of batches durable, lets them out, and hands them on to be
//! folded.

use super::chore::Chore;
use super::log::{Shared, Taken};
use super::store::{Failed, Store};
use super::{Beside, Release, Written};
use crossbeam_channel::{Receiver, Sender};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

/// Most batches that become durable in one go.
const GROUP: usize = 1_024;
/// A group for which there was no room is tried again after this time.
const TRY_AGAIN: Duration = Duration::from_millis(500);

/// Told why the log has ended; the process has to end too.
pub type OnFailure = Box<dyn FnOnce(Failed) + Send>;

/// What the thread is asked for.
pub(super) enum Work {
    /// To make a batch durable.
    Batch(Taken),
    /// To do a chore, and to say when it is done and whether there is more of it. Not answered
    /// when there was no room for it.
    Chore(Chore, Sender<bool>),
    /// To end.
    Close,
}

/// What the thread works with.
pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) receiver: Receiver<Work>,
    /// Batches that are to be folded.
    pub(super) durable: Sender<Arc<Written>>,
    pub(super) release: Release,
    pub(super) store: Box<dyn Store>,
    pub(super) failed: OnFailure,
}

/// What came at once.
#[derive(Default)]
struct Group {
    batches: Vec<Taken>,
    chores: Vec<(Chore, Sender<bool>)>,
    closes: bool,
}

impl Group {
    fn add(&mut self, work: Work) {
        match work {
            Work::Batch(taken) => self.batches.push(taken),
            Work::Chore(chore, done) => self.chores.push((chore, done)),
            Work::Close => self.closes = true,
        }
    }
}

impl Writer {
    /// Runs until it is closed or nobody can send any more, or the store fails for good.
    pub(super) fn run(mut self) {
        let ended = self.write();
        self.store.close();
        if let Err(why) = ended {
            (self.failed)(why);
        }
    }

    /// Takes all there is, makes it durable, lets it out.
    fn write(&mut self) -> Result<(), Failed> {
        let mut group = Group::default();
        while !group.closes
            && let Ok(first) = self.receiver.recv()
        {
            group.add(first);
            let more = self.receiver.try_iter().take(GROUP);
            more.for_each(|work| group.add(work));
            self.commit(&group.batches)?;
            for taken in group.batches.drain(..) {
                self.let_out(taken);
            }
            for (chore, done) in group.chores.drain(..) {
                self.chore(&chore, &done)?;
            }
            let gathers = self.store.gathers();
            if !gathers.is_zero() && !group.closes {
                thread::park_timeout(gathers);
            }
        }
        Ok(())
    }

    fn let_out(&mut self, taken: Taken) {
        let Taken {
            written,
            gated,
            beside,
            last,
        } = taken;
        self.shared.durable.store(last.0, Ordering::Release);
        if !written.records.is_empty() {
            self.shared.durable();
            // It is gone only when folding has failed, and then nothing is kept.
            let _ = self.durable.send(Arc::clone(&written));
        }
        (self.release)(written, gated);
        if let Some(told) = beside.told {
            // Whoever wanted to know may be gone.
            let _ = told.send(());
        }
    }

    fn chore(&mut self, chore: &Chore, done: &Sender<bool>) -> Result<(), Failed> {
        match self.store.chore(chore) {
            Ok(more) => {
                // Whoever asked may not wait any more.
                let _ = done.send(more);
                Ok(())
            }
            Err(Failed::Full(_)) => Ok(()),
            Err(broken @ Failed::Broken(_)) => Err(broken),
        }
    }

    /// Waits for as long as there is no room, unless the log is to be closed.
    fn commit(&mut self, group: &[Taken]) -> Result<(), Failed> {
        let Some(last) = group.last().map(|taken| taken.last) else {
            return Ok(());
        };
        let batches = group.iter().map(|taken| &taken.written);
        let batches = batches.filter(|written| !written.records.is_empty());
        let batches: Vec<Arc<Written>> = batches.cloned().collect();
        let beside = group.iter().map(|taken| &taken.beside);
        let beside: Vec<&Beside> = beside.filter(|beside| !beside.is_empty()).collect();
        let mut told = false;
        loop {
            match self.store.commit(&batches, &beside, last) {
                Err(full @ Failed::Full(_)) if !self.shared.closing.load(Ordering::Relaxed) => {
                    self.shared.full.store(true, Ordering::Relaxed);
                    if !std::mem::replace(&mut told, true) {
                        tracing::error!(why = %full, "nothing becomes durable until there is room");
                    }
                    thread::park_timeout(TRY_AGAIN);
                }
                Ok(()) => {
                    if told {
                        self.shared.full.store(false, Ordering::Relaxed);
                        tracing::warn!("there is room for the log again");
                    }
                    return Ok(());
                }
                Err(why) => return Err(why),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::log::{Begin, Log};
    use super::super::memory::{self, Disk};
    use super::super::store::Failed;
    use super::super::{Batch, Beside, Epoch, Gated, Journal, Source, Written};
    use crate::domain::event::{By, Event, Record};
    use crate::domain::machine::{Refusal, ReplyTo};
    use crate::id::Seq;
    use crate::time::Instant;
    use std::sync::mpsc::{Receiver, channel};
    use std::sync::{Arc, Mutex};

    fn batch(seq: u64) -> Batch {
        let record = Record {
            seq: Seq(seq),
            at: Instant(seq),
            by: By::Engine,
            event: Event::ActorRestarted { queue: None },
            content: None,
        };
        Batch {
            written: Arc::new(Written {
                from: Source::Floor,
                records: vec![record],
            }),
            gated: vec![Gated {
                to: ReplyTo {
                    door: 1,
                    request: seq,
                },
                result: Err(Refusal::Superseded),
                seq: Seq(seq),
            }],
            last: Seq(seq),
            at: Instant(seq),
            beside: Beside::default(),
        }
    }

    /// A log on a disk, the positions of its answers, and why it failed.
    fn log(disk: Disk) -> (Log, Receiver<u64>, Receiver<Failed>) {
        let (answer, answers) = channel();
        let (fail, failed) = channel();
        let release = Box::new(move |_, gated: Vec<Gated>| {
            gated
                .iter()
                .for_each(|gated| answer.send(gated.seq.0).unwrap());
        });
        let begin = Begin {
            epoch: Epoch(1),
            after: Seq(0),
            kept: Vec::new(),
            same_rules: true,
            recall: None,
            snapshots: None,
            failed: Box::new(move |why| fail.send(why).unwrap()),
        };
        let log = Log::start(begin, release, memory::store(disk)).unwrap();
        (log, answers, failed)
    }

    #[test]
    fn what_finds_no_room_waits_for_it_and_nothing_is_lost() {
        let full = Arc::new(Mutex::new(true));
        let (tried, tries) = channel();
        let disk = Arc::clone(&full);
        let (log, answers, _failed) = log(Box::new(move |_| {
            let full = *disk.lock().unwrap();
            let _ = tried.send(());
            if full {
                return Err(Failed::Full("of this test".into()));
            }
            Ok(())
        }));
        log.append(batch(1)).unwrap();
        tries.recv().unwrap();
        log.append(batch(2)).unwrap();
        assert!(answers.try_recv().is_err(), "nothing was acknowledged");
        assert_eq!(log.durable(), Seq(0));
        *full.lock().unwrap() = false;
        assert_eq!(answers.recv(), Ok(1));
        assert_eq!(answers.recv(), Ok(2));
        log.close();
        assert_eq!(log.durable(), Seq(2));
    }

    #[test]
    fn a_log_that_closes_does_not_wait_for_room() {
        let (log, answers, failed) = log(Box::new(|_| Err(Failed::Full("ever".into()))));
        log.append(batch(1)).unwrap();
        log.close();
        assert_eq!(failed.recv(), Ok(Failed::Full("ever".into())));
        assert!(answers.recv().is_err());
    }

    #[test]
    fn a_store_that_fails_is_never_tried_again_and_acknowledges_nothing() {
        let (tried, tries) = channel();
        let (log, answers, failed) = log(Box::new(move |_| {
            tried.send(()).unwrap();
            Err(Failed::Broken("fsync".into()))
        }));
        log.append(batch(1)).unwrap();
        assert_eq!(failed.recv(), Ok(Failed::Broken("fsync".into())));
        assert!(answers.recv().is_err(), "the writer is gone");
        assert!(log.append(batch(2)).is_err());
        log.close();
        assert_eq!((tries.iter().count(), log.durable()), (1, Seq(0)));
    }
}
