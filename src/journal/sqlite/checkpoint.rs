//! Checkpoints: what was committed is copied into the file by a thread of its own, so that no
//! commit waits for it.

use super::{Medium, schema};
use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use rusqlite::Connection;
use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How often, unless a medium says otherwise.
pub(super) const EVERY: Duration = Duration::from_secs(1);

/// The thread.
#[derive(Debug)]
pub(super) struct Checkpoints {
    end: Sender<()>,
    thread: JoinHandle<()>,
}

impl Checkpoints {
    pub(super) fn start(path: &Path, on: Medium) -> Result<Self, super::OpenError> {
        let connection = schema::connect(path, on).map_err(|error| super::OpenError::Sqlite {
            path: path.to_path_buf(),
            error,
        })?;
        let (end, ended) = bounded::<()>(0);
        let thread = thread::Builder::new()
            .name("checkpoints".to_owned())
            .spawn(move || {
                while ended.recv_timeout(on.checkpoint_every) == Err(RecvTimeoutError::Timeout) {
                    copy(&connection, "PASSIVE");
                }
                copy(&connection, "TRUNCATE");
            })?;
        Ok(Self { end, thread })
    }

    /// Copies the rest, and ends.
    pub(super) fn end(self) {
        drop(self.end);
        if self.thread.join().is_err() {
            tracing::error!("the thread of checkpoints had failed");
        }
    }
}

/// The commits stay where they are, and safe, when it fails.
fn copy(connection: &Connection, how: &str) {
    let statement = format!("PRAGMA wal_checkpoint({how})");
    if let Err(error) = connection.query_row(&statement, [], |_| Ok(())) {
        tracing::warn!(%error, "commits could not be copied into the log's file");
    }
}
