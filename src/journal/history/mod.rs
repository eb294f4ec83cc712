//! History: what happened, in plain tables that any SQL tool reads. `history.db` is a projection
//! of the log; it commits its position with its rows, so that every event counts once, whatever
//! stops it when. It can be dropped, and is made anew of what the log still holds.
//!
//! A thread of its own reads the log on connections of its own, a second's events at a
//! time: nobody on the floor waits for it, and the log's writer does not know it.

mod agents;
mod audit;
mod case;
mod cases;
mod contacts;
mod counts;
pub mod format;
mod project;
mod projector;
pub mod report;
mod retention;
mod said;
mod schema;
mod targets;
#[cfg(test)]
mod tests;
mod thread;
mod verify;
mod words;

pub use retention::Retention;
pub use schema::{FORMAT, OpenError};
pub(super) use schema::{open_beside, position};
pub use targets::Targets;
pub use thread::{History, catch_up};
pub use verify::{Checked, check};

use super::sqlite;
use std::path::PathBuf;

/// Name of the file in the folder of its workspace.
pub const FILE: &str = "history.db";

/// Why a history cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// It cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The log cannot be opened.
    #[error(transparent)]
    OpenLog(#[from] sqlite::OpenError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] sqlite::ReadError),
    /// SQLite refuses.
    #[error("the history cannot be read or written: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The system refuses.
    #[error("{}: {error}", path.display())]
    File {
        /// Where.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A thread could not be started.
    #[error("the history's thread cannot be started: {0}")]
    Thread(std::io::Error),
}
