//! Mailboxes: how an actor is told something. Unbounded in type, so that nobody who tells ever
//! waits; bounded by argument, so that a longer one is a bug of ours.

use super::inbox::{Emptier, Filler, inbox};
use crate::limits;
use std::collections::VecDeque;

/// A new mailbox: how it is filled, and how it is emptied.
pub(super) fn mailbox<T>() -> (Mailbox<T>, Mail<T>) {
    let (filler, emptier) = inbox();
    (Mailbox(filler), Mail(emptier))
}

/// The end into which messages are put; clone it freely.
#[derive(Debug)]
pub(super) struct Mailbox<T>(Filler<T>);

impl<T> Clone for Mailbox<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Mailbox<T> {
    /// Puts a message in; gives it back when the actor takes nothing more.
    pub(super) fn put(&self, message: T) -> Result<(), T> {
        self.0.push(message)
    }

    /// Takes nothing more; what is inside is still read.
    pub(super) fn close(&self) {
        self.0.close();
    }

    /// Messages inside.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// New work should stay outside: the mailbox is half full.
    pub(super) fn half_full(&self) -> bool {
        self.len() >= limits::MAILBOX / 2
    }
}

/// The actor's end. It outlives every machine that reads it.
#[derive(Debug)]
pub(super) struct Mail<T>(Emptier<T>);

impl<T> Mail<T> {
    /// Waits for messages and moves up to `most` of them to the end of `into`. False when the
    /// mailbox is closed and empty. Cancel safe.
    pub(super) async fn read(&mut self, into: &mut VecDeque<T>, most: usize) -> bool {
        self.0.take(into, most).await
    }

    /// More has come since it was last read.
    pub(super) fn has_more(&self) -> bool {
        self.0.len() > 0
    }

    /// More is inside than the argument about its bound allows.
    pub(super) fn overflows(&self) -> bool {
        self.0.len() > limits::MAILBOX
    }
}
