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

/// The parts of a floor as far as its log was read. What the board shows and what the owners
/// know are apart, so that each can be read and folded by a thread of its own.
pub struct Parts {
    /// What the owners of contacts and agents know.
    pub owners: Owners,
    /// What the board shows.
    pub board: Kept,
}

/// What queues, floor and index know.
#[derive(Default)]
pub struct Owners {
    roster: Roster,
    books: BTreeMap<Source, Book>,
    index: Index,
}

/// A part of a snapshot is not what was written.
#[derive(Debug, thiserror::Error)]
#[error("the part of {name} in a snapshot: {why}")]
pub struct Unreadable {
    name: Name,
    why: String,
}

/// What of a snapshot is the board's, and what is the owners'.
#[must_use]
pub fn divide(parts: Vec<(Name, Vec<u8>)>) -> [Vec<(Name, Vec<u8>)>; 2] {
    let of_board = |(name, _): &(Name, Vec<u8>)| *name == Name::Of(Source::Board);
    let (board, owners) = parts.into_iter().partition(of_board);
    [board, owners]
}

/// A board before the first event of its log, which began then.
#[must_use]
pub fn empty_board(rules: &Arc<Workspace>, began: Instant) -> Kept {
    Board::new(Arc::clone(rules), began).keep()
}

/// A board as a snapshot has it, without what people said.
///
/// # Errors
/// When it cannot be decoded.
pub fn restore_board(
    rules: &Arc<Workspace>,
    began: Instant,
    parts: &[(Name, Vec<u8>)],
) -> Result<Kept, Unreadable> {
    let Some((name, part)) = parts.first() else {
        return Ok(empty_board(rules, began));
    };
    let saved: Saved = decode(*name, part)?;
    Ok(Kept::restore(saved, Arc::clone(rules)))
}

impl Owners {
    /// What they know as a snapshot has it, without what people said.
    ///
    /// # Errors
    /// When a part cannot be decoded.
    pub fn restore(parts: &[(Name, Vec<u8>)]) -> Result<Self, Unreadable> {
        let mut owners = Self::default();
        let (mut live, mut closed) = (BTreeMap::new(), Vec::new());
        for (name, part) in parts {
            match *name {
                Name::Of(Source::Floor) => owners.roster = decode(*name, part)?,
                Name::Of(source @ Source::Queue(_)) => {
                    owners.books.insert(source, decode(*name, part)?);
                }
                Name::Of(Source::Board) => {}
                Name::Of(Source::Index) => live = decode(*name, part)?,
                Name::Closed => {
                    let more: Vec<(ContactId, Found)> = decode(*name, part)?;
                    closed.extend(more);
                }
            }
        }
        owners.index = Index::restore(live, closed);
        Ok(owners)
    }

    /// Gives a contact its content back.
    pub fn attach(&mut self, contact: ContactId, content: &Arc<Content>) {
        if let Some(queue) = self.index.queue(contact)
            && let Some(book) = self.books.get_mut(&Source::Queue(queue))
        {
            book.attach(contact, content);
        }
    }

    /// Takes the next batch in.
    pub fn fold(&mut self, written: &Written) {
        for record in &written.records {
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
    }
}

impl Parts {
    /// A floor of these rules before the first event of its log, which began then.
    #[must_use]
    pub fn new(rules: &Arc<Workspace>, began: Instant) -> Self {
        Self {
            owners: Owners::default(),
            board: empty_board(rules, began),
        }
    }

    /// Whose parts are not the same as in another account of the same events.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<Source> {
        let (ours, theirs) = (&self.owners, &other.owners);
        let mut differ = Vec::new();
        if ours.roster != theirs.roster {
            differ.push(Source::Floor);
        }
        for (source, book) in ours.books.iter().chain(&theirs.books) {
            let empty = Book::new(book.queue);
            let [one, two] = [ours, theirs].map(|all| all.books.get(source).unwrap_or(&empty));
            if one != two && !differ.contains(source) {
                differ.push(*source);
            }
        }
        if self.board.save() != other.board.save() {
            differ.push(Source::Board);
        }
        if !ours.index.iter().eq(theirs.index.iter()) {
            differ.push(Source::Index);
        }
        differ
    }

    /// What is known of each actor, up to a position.
    #[must_use]
    pub fn take(self, upto: Seq) -> Vec<(Source, Seq, Box<dyn Fold>)> {
        let mut parts: Vec<(Source, Seq, Box<dyn Fold>)> = vec![
            (Source::Floor, upto, Box::new(self.owners.roster)),
            (Source::Board, upto, Box::new(self.board)),
            (Source::Index, upto, Box::new(self.owners.index)),
        ];
        for (source, book) in self.owners.books {
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
