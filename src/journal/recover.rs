//! What every actor starts again from: the whole of a log, folded.

use super::fold::Fold;
use super::index::Index;
use super::{Source, Written};
use crate::domain::floor::roster::Roster;
use crate::domain::queue::book::Book;
use crate::domain::rules::Workspace;
use crate::id::Seq;
use crate::live::board::Board;
use crate::time::Instant;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

/// The parts of a floor as far as its log was read.
pub struct Parts {
    rules: Arc<Workspace>,
    now: Instant,
    parts: BTreeMap<Source, Box<dyn Fold>>,
    upto: Seq,
}

impl Parts {
    /// A floor of these rules before the first event of its log.
    #[must_use]
    pub fn new(rules: Arc<Workspace>, now: Instant) -> Self {
        Self {
            rules,
            now,
            parts: BTreeMap::new(),
            upto: Seq(0),
        }
    }

    /// Takes the next batch in.
    pub fn fold(&mut self, written: &Written) {
        for source in [written.from, Source::Board, Source::Index] {
            let part = self.part(source);
            written.records.iter().for_each(|record| part.fold(record));
        }
        if let Some(last) = written.records.last() {
            self.upto = last.seq;
        }
    }

    fn part(&mut self, source: Source) -> &mut Box<dyn Fold> {
        match self.parts.entry(source) {
            Entry::Occupied(part) => part.into_mut(),
            Entry::Vacant(free) => free.insert(match source {
                Source::Floor => Box::<Roster>::default(),
                Source::Queue(queue) => Box::new(Book::new(queue)),
                Source::Board => Box::new(Board::new(Arc::clone(&self.rules), self.now).keep()),
                Source::Index => Box::<Index>::default(),
            }),
        }
    }

    /// What is known of each actor, and up to where.
    #[must_use]
    pub fn take(mut self) -> Vec<(Source, Seq, Box<dyn Fold>)> {
        self.part(Source::Index);
        let upto = self.upto;
        let parts = self.parts.into_iter();
        parts.map(|(source, part)| (source, upto, part)).collect()
    }
}
