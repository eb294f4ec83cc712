//! A log in memory: of one process, in a new epoch at each start.

use super::chore::Chore;
use super::log::{Begin, Log};
use super::store::{Failed, Store};
use super::{Beside, Epoch, Release, Written};
use crate::id::Seq;
use std::io;
use std::sync::Arc;

/// What stands in for a disk: called with the number of batches that are to become durable, on
/// the log's thread; they are durable when it returns.
pub type Disk = Box<dyn FnMut(usize) -> Result<(), Failed> + Send>;

/// An empty log named `epoch`.
///
/// # Errors
/// When its thread cannot be started.
pub fn start(epoch: Epoch, release: Release) -> io::Result<Log> {
    start_on(epoch, release, Box::new(|_| Ok(())))
}

/// The same with a stand-in for the disk that may take its time, or fail.
///
/// # Errors
/// When its thread cannot be started.
pub fn start_on(epoch: Epoch, release: Release, disk: Disk) -> io::Result<Log> {
    let begin = Begin {
        epoch,
        after: Seq(0),
        kept: Vec::new(),
        same_rules: true,
        recall: None,
        snapshots: None,
        failed: Box::new(|why| tracing::error!(%why, "the log in memory has failed")),
    };
    Log::start(begin, release, store(disk))
}

/// A store that keeps nothing.
pub(super) fn store(disk: Disk) -> Box<dyn Store> {
    Box::new(Memory(disk))
}

struct Memory(Disk);

impl Store for Memory {
    fn commit(
        &mut self,
        group: &[Arc<Written>],
        _beside: &[&Beside],
        _last: Seq,
    ) -> Result<(), Failed> {
        (self.0)(group.len())
    }

    fn chore(&mut self, _chore: &Chore) -> Result<bool, Failed> {
        Ok(false)
    }
}
