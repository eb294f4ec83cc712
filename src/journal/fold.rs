//! What the log knows of each actor, so that it can start again: a fold of its records.

use crate::domain::event::Record;
use crate::domain::floor::roster::Roster;
use crate::domain::queue::book::Book;
use crate::live::board::Kept;
use std::any::Any;

/// What the log knows of one actor: changed by its records and by nothing else.
pub trait Fold: Any + Send {
    /// Takes a record in.
    fn fold(&mut self, record: &Record);

    /// The same once more.
    fn copy(&self) -> Box<dyn Fold>;

    /// For whoever knows the type.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

impl Fold for Book {
    fn fold(&mut self, record: &Record) {
        Self::fold(self, record.at, &record.event, record.content.as_deref());
    }

    fn copy(&self) -> Box<dyn Fold> {
        Box::new(self.clone())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

impl Fold for Roster {
    fn fold(&mut self, record: &Record) {
        Self::fold(self, record.at, &record.event);
    }

    fn copy(&self) -> Box<dyn Fold> {
        Box::new(self.clone())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

impl Fold for Kept {
    fn fold(&mut self, record: &Record) {
        Self::fold(self, record);
    }

    fn copy(&self) -> Box<dyn Fold> {
        Box::new(self.clone())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
