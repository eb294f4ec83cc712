//! The history's thread.

use super::projector::Projector;
use super::retention::Retention;
use super::targets::Targets;
use super::{FILE, HistoryError};
use crate::id::Seq;
use crate::journal::holds::{Hold, Holds};
use crate::time::Instant;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Between two looks at the log: a few large groups cost less than many small ones.
const LOOKS: Duration = Duration::from_secs(1);
/// Looks between two syncs of the file, until which the log keeps what the file has.
const SYNCS: u32 = 5;
/// Looks between two searches for rows that are too old.
const SEARCHES: u32 = 60;
/// Groups that are still taken in when the server ends; the next start goes on from there.
const LAST_GROUPS: u32 = 50;
/// How much the thread gives way to whoever works for the floor: as much as there is.
const GIVES_WAY: i32 = 19;

/// The time, for rows that are too old.
type Now = Box<dyn Fn() -> Instant + Send>;

/// The history of one workspace while its server runs.
#[derive(Debug)]
pub struct History {
    path: PathBuf,
    rules: Sender<(Retention, Targets)>,
    thread: JoinHandle<()>,
}

impl History {
    /// Keeps the history of the workspace in this folder, whose log is there already. The log
    /// is not cut before it was taken in and is safe.
    ///
    /// # Errors
    /// When the file is not one of ours, or newer than this program, or cannot be used.
    pub fn start(
        folder: &Path,
        keep: Retention,
        targets: Targets,
        holds: &Holds,
        now: impl Fn() -> Instant + Send + 'static,
    ) -> Result<Self, HistoryError> {
        // Nothing may be cut before it is known what was taken in.
        let hold = holds.hold(Seq(0));
        let projector = Projector::open(folder, targets.clone())?;
        let (rules, changed) = unbounded();
        let keeper = Keeper {
            folder: folder.to_path_buf(),
            projector,
            keep,
            targets,
            hold,
            now: Box::new(now),
            told: None,
        };
        let thread = thread::Builder::new()
            .name("history".to_owned())
            .spawn(move || keeper.run(&changed))
            .map_err(HistoryError::Thread)?;
        Ok(Self {
            path: folder.join(FILE),
            rules,
            thread,
        })
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// From now on rows are kept for so long, and answers are in time within these targets.
    pub fn change(&self, keep: Retention, targets: Targets) {
        // Its thread is gone only when it has failed, which was told.
        let _ = self.rules.send((keep, targets));
    }

    /// Takes the rest of the log in, and ends. Called when nothing more is written to the log.
    pub fn stop(self) {
        drop(self.rules);
        if self.thread.join().is_err() {
            tracing::error!("the history's thread had failed");
        }
    }
}

/// Takes all that the log in a folder holds into the history there, by the usual targets, and
/// applies the retention; for when no server runs.
///
/// # Errors
/// When either cannot be used.
pub fn catch_up(folder: &Path, keep: &Retention, now: Instant) -> Result<(), HistoryError> {
    let mut projector = Projector::open(folder, Targets::default())?;
    while projector.step(now)? {}
    projector.forget(keep, now)?;
    projector.sync()?;
    Ok(())
}

struct Keeper {
    folder: PathBuf,
    projector: Projector,
    keep: Retention,
    targets: Targets,
    hold: Hold,
    now: Now,
    /// What the operator was last told is wrong.
    told: Option<String>,
}

impl Keeper {
    fn run(mut self, changed: &Receiver<(Retention, Targets)>) {
        // Where it may not, it takes its turn like the others.
        let _ = rustix::process::nice(GIVES_WAY);
        let mut looks: u32 = 0;
        loop {
            let last = match changed.recv_timeout(LOOKS) {
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => true,
                Ok((keep, targets)) => {
                    self.keep = keep;
                    self.projector.aim(targets.clone());
                    self.targets = targets;
                    continue;
                }
            };
            let done = self.look(looks, last);
            self.tell(done);
            looks = looks.wrapping_add(1);
            if last {
                return;
            }
        }
    }

    fn look(&mut self, looks: u32, last: bool) -> Result<(), HistoryError> {
        if self.told.is_some() {
            // What the connection was in the middle of is not known.
            self.projector = Projector::open(&self.folder, self.targets.clone())?;
        }
        let now = (self.now)();
        let mut groups = 0;
        while !(last && groups == LAST_GROUPS) && self.projector.step(now)? {
            groups += 1;
        }
        if looks.is_multiple_of(SEARCHES) && !last {
            self.projector.forget(&self.keep, now)?;
            let file = self.projector.file();
            file.execute_batch("PRAGMA incremental_vacuum(256); PRAGMA optimize;")?;
        }
        if (looks.is_multiple_of(SYNCS) || last)
            && let Some(safe) = self.projector.sync()?
        {
            self.hold.moved(safe);
        }
        Ok(())
    }

    /// Says once what is wrong, and once that it is over. The log keeps what is missing here.
    fn tell(&mut self, done: Result<(), HistoryError>) {
        let path = self.projector.path().display();
        match done {
            Err(error) => {
                let why = error.to_string();
                if self.told.as_ref() != Some(&why) {
                    tracing::error!(%path, why, "the history falls behind; the log keeps what is missing in it");
                    self.told = Some(why);
                }
            }
            Ok(()) if self.told.take().is_some() => {
                tracing::warn!(%path, position = self.projector.position().0, "the history has caught up");
            }
            Ok(()) => {}
        }
    }
}
