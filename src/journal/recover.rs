//! What every actor starts again from: a snapshot of a log and the events after it, folded.

use super::fold::{Fold, Name};
use super::index::{Found, Index};
use super::{Source, Written};
use crate::domain::contact::Content;
use crate::domain::floor::roster::Roster;
use crate::domain::queue::book::Book;
use crate::domain::rules::Workspace;
use crate::id::{ContactId, Seq};
use crate::live::board::{Board, Kept};
use crate::live::saved::Saved;
use crate::time::Instant;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The parts of a floor as far as its log was read.
pub struct Parts {
    roster: Roster,
    books: BTreeMap<Source, Book>,
    board: Kept,
    index: Index,
    upto: Seq,
}

/// A part of a snapshot is not what was written.
#[derive(Debug, thiserror::Error)]
#[error("the part of {name} in a snapshot: {why}")]
pub struct Unreadable {
    name: Name,
    why: String,
}

impl Parts {
    /// A floor of these rules before the first event of its log, which began then.
    #[must_use]
    pub fn new(rules: &Arc<Workspace>, began: Instant) -> Self {
        Self {
            roster: Roster::default(),
            books: BTreeMap::new(),
            board: Board::new(Arc::clone(rules), began).keep(),
            index: Index::default(),
            upto: Seq(0),
        }
    }

    /// A floor as a snapshot has it, without what people said.
    ///
    /// # Errors
    /// When a part cannot be decoded.
    pub fn restore(
        rules: &Arc<Workspace>,
        began: Instant,
        upto: Seq,
        parts: Vec<(Name, Vec<u8>)>,
    ) -> Result<Self, Unreadable> {
        let mut restored = Self::new(rules, began);
        restored.upto = upto;
        let (mut live, mut closed) = (BTreeMap::new(), Vec::new());
        for (name, part) in parts {
            match name {
                Name::Of(Source::Floor) => restored.roster = decode(name, &part)?,
                Name::Of(source @ Source::Queue(_)) => {
                    restored.books.insert(source, decode(name, &part)?);
                }
                Name::Of(Source::Board) => {
                    let saved: Saved = decode(name, &part)?;
                    restored.board = Kept::restore(saved, Arc::clone(rules));
                }
                Name::Of(Source::Index) => live = decode(name, &part)?,
                Name::Closed => {
                    let more: Vec<(ContactId, Found)> = decode(name, &part)?;
                    closed.extend(more);
                }
            }
        }
        restored.index = Index::restore(live, closed);
        Ok(restored)
    }

    /// Contacts whose content a snapshot does not have.
    pub fn contacts(&self) -> impl Iterator<Item = ContactId> + '_ {
        self.board.contacts()
    }

    /// Gives a contact its content back.
    pub fn attach(&mut self, contact: ContactId, content: &Content) {
        self.board.attach(contact, content);
        if let Some(queue) = self.index.queue(contact)
            && let Some(book) = self.books.get_mut(&Source::Queue(queue))
        {
            book.attach(contact, content);
        }
    }

    /// Takes the next batch in.
    pub fn fold(&mut self, written: &Written) {
        for record in &written.records {
            self.board.fold(record);
            Fold::fold(&mut self.index, record);
            match written.from {
                Source::Floor => self.roster.fold(record.at, &record.event),
                source @ Source::Queue(queue) => {
                    let book = self.books.entry(source);
                    let book = book.or_insert_with(|| Book::new(queue));
                    book.fold(record.at, &record.event, record.content.as_deref());
                }
                Source::Board | Source::Index => {}
            }
        }
        if let Some(last) = written.records.last() {
            self.upto = last.seq;
        }
    }

    /// Whose parts are not the same as in another account of the same events.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<Source> {
        let mut differ = Vec::new();
        if self.roster != other.roster {
            differ.push(Source::Floor);
        }
        for (source, book) in self.books.iter().chain(&other.books) {
            let empty = Book::new(book.queue);
            let [one, two] = [self, other].map(|parts| parts.books.get(source).unwrap_or(&empty));
            if one != two && !differ.contains(source) {
                differ.push(*source);
            }
        }
        if self.board.save() != other.board.save() {
            differ.push(Source::Board);
        }
        if !self.index.iter().eq(other.index.iter()) {
            differ.push(Source::Index);
        }
        differ
    }

    /// What is known of each actor, and up to where.
    #[must_use]
    pub fn take(self) -> Vec<(Source, Seq, Box<dyn Fold>)> {
        let upto = self.upto;
        let mut parts: Vec<(Source, Seq, Box<dyn Fold>)> = vec![
            (Source::Floor, upto, Box::new(self.roster)),
            (Source::Board, upto, Box::new(self.board)),
            (Source::Index, upto, Box::new(self.index)),
        ];
        for (source, book) in self.books {
            parts.push((source, upto, Box::new(book)));
        }
        parts
    }
}

fn decode<T: serde::de::DeserializeOwned>(name: Name, part: &[u8]) -> Result<T, Unreadable> {
    rmp_serde::from_slice(part).map_err(|error| Unreadable {
        name,
        why: error.to_string(),
    })
}
