//! What the log knows of each actor, so that it can start again: a fold of its records.

use super::Source;
use crate::domain::event::Record;
use crate::domain::floor::roster::Roster;
use crate::domain::queue::book::Book;
use crate::live::board::Kept;
use serde::Serialize;
use std::any::Any;
use std::fmt;

/// What the log knows of one actor: changed by its records and by nothing else.
pub trait Fold: Any + Send {
    /// Takes a record in.
    fn fold(&mut self, record: &Record);

    /// The same once more.
    fn copy(&self) -> Box<dyn Fold>;

    /// What a snapshot has of it: MessagePack, without what people said.
    ///
    /// # Errors
    /// When it cannot be encoded, which is a bug.
    fn write(&self) -> Result<Vec<(Name, Vec<u8>)>, Unwritable>;

    /// Its actor was started from it.
    fn started(&mut self) {}

    /// A snapshot with what it wrote is whole.
    fn written(&mut self) {}

    /// For whoever knows the type.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

/// It cannot be encoded.
pub type Unwritable = rmp_serde::encode::Error;

/// Whose a piece of a snapshot is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Name {
    /// An actor's, or the index of what lives.
    Of(Source),
    /// The index of what closed between a snapshot and the one before it.
    Closed,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Of(source) => source.fmt(f),
            Self::Closed => f.write_str("closed"),
        }
    }
}

impl Name {
    /// As it is displayed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "closed" => Some(Self::Closed),
            source => Some(Self::Of(Source::parse(source)?)),
        }
    }
}

/// One part under the name of its source.
pub(super) fn whole(
    source: Source,
    part: &impl Serialize,
) -> Result<Vec<(Name, Vec<u8>)>, Unwritable> {
    Ok(vec![(Name::Of(source), rmp_serde::to_vec(part)?)])
}

impl Fold for Book {
    fn fold(&mut self, record: &Record) {
        Self::fold(self, record.at, &record.event, record.content.as_deref());
    }

    fn copy(&self) -> Box<dyn Fold> {
        Box::new(self.clone())
    }

    fn write(&self) -> Result<Vec<(Name, Vec<u8>)>, Unwritable> {
        whole(Source::Queue(self.queue), self)
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

    fn write(&self) -> Result<Vec<(Name, Vec<u8>)>, Unwritable> {
        whole(Source::Floor, self)
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

    fn write(&self) -> Result<Vec<(Name, Vec<u8>)>, Unwritable> {
        whole(Source::Board, &self.save())
    }

    fn started(&mut self) {
        Self::started(self);
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
