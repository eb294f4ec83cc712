//! Where a log becomes durable.

use super::chore::Chore;
use super::{Beside, Written};
use crate::id::Seq;
use std::sync::Arc;
use std::time::Duration;

/// Takes the groups of a log's batches, in order, from the one thread that writes.
pub trait Store: Send {
    /// Makes a group and what it brings beside its events durable, all of it or nothing; it is
    /// durable when this returns. `last` is the last position that was given out when it was
    /// handed over.
    ///
    /// # Errors
    /// When nothing of it became durable.
    fn commit(
        &mut self,
        group: &[Arc<Written>],
        beside: &[&Beside],
        last: Seq,
    ) -> Result<(), Failed>;

    /// Does a chore; true if there is more of the same.
    ///
    /// # Errors
    /// When nothing of it was done.
    fn chore(&mut self, chore: &Chore) -> Result<bool, Failed>;

    /// What comes within so long after a group is gathered for the next one: where each group
    /// costs the same, however much is in it.
    fn gathers(&self) -> Duration {
        Duration::ZERO
    }

    /// Nothing more comes.
    fn close(&mut self) {}
}

/// Why a group did not become durable.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Failed {
    /// There is no room for it; it can be tried again when there is.
    #[error("there is no room for the log: {0}")]
    Full(String),
    /// Whether it will ever become durable cannot be known: never to be tried again.
    #[error("the log cannot be written: {0}")]
    Broken(String),
}
