//! The queue: speaks for its contacts, from entry to close.

mod ageing;
pub mod book;
mod commands;
mod floor_says;
mod lanes;
mod legs;
mod rights;
mod timers;

use crate::domain::command::QueueInput;
use crate::domain::contact::Content;
use crate::domain::event::{By, Event};
use crate::domain::machine::{Machine, Outbox, Wake};
use crate::domain::message::{Between, Settled, Staffing, ToFloor};
use crate::domain::rules::{QueueRules, Workspace};
use crate::id::{AgentId, ChannelId, ContactId, Incarnation, QueueId, ReservationId};
use crate::time::{Instant, Span};
use book::Book;
use lanes::Lanes;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use timers::Timers;

pub(crate) use rights::hidden;

/// A queue. [`Book`] is what the log knows of it; the rest follows from that.
pub struct Queue {
    rules: Arc<Workspace>,
    id: QueueId,
    life: Incarnation,
    floor_life: Incarnation,
    book: Book,
    lanes: Lanes,
    timers: Timers,
    excluded: BTreeMap<AgentId, BTreeSet<ContactId>>,
    reserved: BTreeMap<ReservationId, ContactId>,
    /// What became of reservations, to be said at the end of this turn.
    settled: Vec<(ReservationId, Settled)>,
    /// The last reservations that were over before an accept under way came in.
    gone: VecDeque<(ReservationId, ContactId)>,
    staffing: BTreeMap<ChannelId, Staffing>,
    bands: Vec<Span>,
    opening: bool,
}

impl Queue {
    /// An empty queue.
    #[must_use]
    pub fn new(
        rules: Arc<Workspace>,
        id: QueueId,
        life: Incarnation,
        floor_life: Incarnation,
    ) -> Self {
        Self::rebuild(rules, Book::new(id), life, floor_life)
    }

    /// A queue as the log left it. Its first turn takes back what was ringing, tells the floor
    /// what it holds, and states its demands anew.
    #[must_use]
    pub fn rebuild(
        rules: Arc<Workspace>,
        book: Book,
        life: Incarnation,
        floor_life: Incarnation,
    ) -> Self {
        Self {
            bands: lanes::bands(&rules, book.queue),
            id: book.queue,
            rules,
            life,
            floor_life,
            book,
            lanes: Lanes::default(),
            timers: Timers::default(),
            excluded: BTreeMap::new(),
            reserved: BTreeMap::new(),
            settled: Vec::new(),
            gone: VecDeque::new(),
            staffing: BTreeMap::new(),
            opening: true,
        }
    }

    /// What the log knows of this queue.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// Agents who could serve a channel, as the floor last told.
    #[must_use]
    pub fn staffing(&self, channel: ChannelId) -> Staffing {
        self.staffing.get(&channel).copied().unwrap_or_default()
    }

    /// The lives this queue speaks in: its own and the floor's it knows.
    #[must_use]
    pub fn lives(&self) -> (Incarnation, Incarnation) {
        (self.life, self.floor_life)
    }

    fn own(&self) -> &QueueRules {
        &self.rules.queues[self.id.index()]
    }

    /// Writes an event: into the book first, so that the book is always a fold of the log.
    fn record(&mut self, now: Instant, by: By, event: Event, out: &mut Outbox) {
        self.book.fold(now, &event, None);
        out.event_by(by, event, None);
    }

    /// Writes an event that says something people said.
    fn record_with(
        &mut self,
        now: Instant,
        by: By,
        event: Event,
        content: Content,
        out: &mut Outbox,
    ) {
        self.book.fold(now, &event, Some(&content));
        out.event_by(by, event, Some(Box::new(content)));
    }

    fn tell_floor(&self, message: ToFloor, out: &mut Outbox) {
        out.to_floor(Between {
            queue: self.id,
            queue_life: self.life,
            floor_life: self.floor_life,
            message,
        });
    }

    /// After a start: ringing offers of an earlier life are void, their contacts are in line.
    fn open(&mut self, now: Instant, out: &mut Outbox) {
        self.opening = false;
        self.take_back_ringing(now, out);
        let contacts: Vec<ContactId> = self.book.contacts.keys().copied().collect();
        for contact in contacts {
            self.index(contact);
            self.place(now, contact);
        }
        self.answer_roll(out);
    }
}

impl Machine for Queue {
    type Input = QueueInput;

    fn apply(&mut self, now: Instant, input: QueueInput, out: &mut Outbox) {
        if self.opening {
            self.open(now, out);
        }
        match input {
            QueueInput::Command(asked, command) => self.command(now, &asked, command, out),
            QueueInput::Floor(said) => self.floor_says(now, said, out),
            QueueInput::Rules(rules) => self.change_rules(now, rules, out),
        }
    }

    fn turn(&mut self, now: Instant, out: &mut Outbox) {
        if self.opening {
            self.open(now, out);
        }
        while let Some(contact) = self.timers.due(now) {
            self.contact_due(now, contact, out);
        }
        self.state_demands(out);
        self.send_settled(out);
    }

    fn next_wake(&self) -> Option<(Instant, Wake)> {
        if self.opening {
            return Some((Instant(0), Wake::Opening));
        }
        let (at, contact) = self.timers.next()?;
        Some((at, self.wake_reason(contact)))
    }
}
