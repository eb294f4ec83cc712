//! An actor starts again from what the log knows of it, and nobody waits for folding.

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
