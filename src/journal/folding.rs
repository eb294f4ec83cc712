//! The thread that folds what was written into what is kept of each actor, and cuts snapshots of
//! it. Nobody waits for it.

use super::chore::{Chore, PIECE};
use super::fold::Name;
use super::log::{Pace, Shared};
use super::writer::Work;
use super::{Source, Written};
use crate::id::Seq;
use crate::time::Instant;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// It folds in strokes, and rests so long between them: waking it costs the log's thread more
/// than the folding.
const RESTS: Duration = Duration::from_millis(5);

/// How much the thread gives way to whoever somebody waits for; 19 would be most.
const GIVES_WAY: i32 = 5;

/// What the thread works with.
pub(super) struct Folding {
    pub(super) shared: Arc<Shared>,
    /// Batches that are durable, in order.
    pub(super) receiver: Receiver<Arc<Written>>,
    /// None where no snapshots are cut.
    pub(super) snapshots: Option<Snapshots>,
}

/// Where snapshots are written, and when.
pub(super) struct Snapshots {
    pub(super) writer: Sender<Work>,
    pub(super) pace: Pace,
}

/// A snapshot was not written.
enum Abandoned {
    /// The log is closing, or there is no room.
    Writer,
    /// What is known of an actor cannot be written.
    Actor(Source, String),
}

impl Folding {
    /// Runs until nothing more can come.
    pub(super) fn run(mut self) {
        // Where it may not, it takes its turn like the others.
        let _ = rustix::process::nice(GIVES_WAY);
        while let Ok(first) = self.receiver.recv() {
            self.take(&first);
            while let Ok(next) = self.receiver.try_recv() {
                self.take(&next);
            }
            thread::park_timeout(RESTS);
        }
    }

    fn take(&mut self, written: &Written) {
        self.shared.fold(written);
        self.shared.folded();
        let Some(last) = written.records.last() else {
            return;
        };
        let Some(snapshots) = &mut self.snapshots else {
            return;
        };
        snapshots.pace.since += written.records.len() as u64;
        if snapshots.pace.since >= snapshots.pace.every {
            snapshots.pace.since = 0;
            match snapshots.cut(&self.shared, last.seq, last.at) {
                Ok(()) => tracing::debug!(position = last.seq.0, "a snapshot was cut"),
                Err(Abandoned::Writer) => {
                    tracing::warn!("a snapshot could not be written; the next one is tried");
                }
                Err(Abandoned::Actor(actor, why)) => {
                    tracing::error!(%actor, why, "no snapshot: the log is not cut any more");
                }
            }
        }
    }
}

impl Snapshots {
    /// Writes what is known of every actor, piece by piece. Nothing is folded meanwhile, so all
    /// pieces are of one position.
    fn cut(&self, shared: &Shared, snapshot: Seq, at: Instant) -> Result<(), Abandoned> {
        let mut pieces = 0;
        for source in shared.sources() {
            let parts = shared.write(source);
            for (name, part) in parts.map_err(|why| Abandoned::Actor(source, why))? {
                pieces = self.send(snapshot, pieces, name, &part)?;
            }
        }
        self.ask(Chore::Whole {
            snapshot,
            at,
            pieces,
        })?;
        shared.written();
        while self.ask(Chore::Forget { now: at })? {}
        Ok(())
    }

    fn send(
        &self,
        snapshot: Seq,
        mut number: u32,
        name: Name,
        part: &[u8],
    ) -> Result<u32, Abandoned> {
        for body in part.chunks(PIECE) {
            self.ask(Chore::Piece {
                snapshot,
                number,
                name,
                body: body.to_vec(),
            })?;
            number += 1;
        }
        Ok(number)
    }

    /// Waits until the chore is done; true if there is more of it.
    fn ask(&self, chore: Chore) -> Result<bool, Abandoned> {
        let (done, answer) = bounded(1);
        self.writer
            .send(Work::Chore(chore, done))
            .map_err(|_| Abandoned::Writer)?;
        answer.recv().map_err(|_| Abandoned::Writer)
    }
}
