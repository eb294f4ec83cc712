//! Deadlines of contacts: one per contact, the earliest of all its reasons.

use super::Queue;
use super::book::{Held, State};
use crate::domain::contact::LegState;
use crate::domain::machine::Wake;
use crate::id::ContactId;
use crate::time::Instant;
use std::collections::{BTreeMap, BTreeSet};

/// When contacts want attention.
#[derive(Default)]
pub(super) struct Timers {
    order: BTreeSet<(Instant, ContactId)>,
    set: BTreeMap<ContactId, Instant>,
}

impl Timers {
    /// Sets or clears a contact's deadline.
    pub(super) fn set(&mut self, contact: ContactId, at: Option<Instant>) {
        let before = match at {
            Some(at) => self.set.insert(contact, at),
            None => self.set.remove(&contact),
        };
        if before == at {
            return;
        }
        if let Some(before) = before {
            self.order.remove(&(before, contact));
        }
        if let Some(at) = at {
            self.order.insert((at, contact));
        }
    }

    /// Whether a contact's deadline has passed.
    pub(super) fn is_due(&self, contact: ContactId, now: Instant) -> bool {
        self.set.get(&contact).is_some_and(|at| *at <= now)
    }

    /// Takes the next contact whose deadline has passed.
    pub(super) fn due(&mut self, now: Instant) -> Option<ContactId> {
        let (at, contact) = self.order.first().copied()?;
        if at > now {
            return None;
        }
        self.set(contact, None);
        Some(contact)
    }

    /// The earliest deadline.
    pub(super) fn next(&self) -> Option<(Instant, ContactId)> {
        self.order.first().copied()
    }
}

impl Queue {
    /// Sets the contact's deadline anew from all its reasons.
    pub(super) fn arm(&mut self, now: Instant, contact: ContactId) {
        let at = self
            .book
            .contacts
            .get(&contact)
            .and_then(|held| self.earliest(now, held));
        self.timers.set(contact, at);
    }

    fn earliest(&self, now: Instant, held: &Held) -> Option<Instant> {
        let wrap_up = held.legs.iter().filter_map(|leg| match leg.state {
            LegState::WrapUp { until, .. } => Some(until),
            LegState::Connected => None,
        });
        let exclusion = held.excluded.iter().map(|(_, until)| *until);
        let state = match &held.state {
            State::Waiting | State::Offered { .. } => self.boundary(now, held),
            State::Connecting { deadline, .. } => Some(*deadline),
            State::Active | State::WrapUp(_) => None,
        };
        wrap_up.chain(exclusion).chain(state).min()
    }

    /// The next instant at which age alone changes the contact's lane; one that has passed, if
    /// what it brings was not yet done.
    fn boundary(&self, now: Instant, held: &Held) -> Option<Instant> {
        let entry = held.facts().first_entry;
        let age = now.since(entry);
        let step = if self.step(now, held) > held.step {
            Some(now)
        } else {
            self.own().steps.next_boundary(age).map(|at| entry + at)
        };
        let band = self.bands.iter().find(|delay| **delay > age);
        let band = band.map(|at| entry + *at);
        let patience = held.facts().patience.filter(|_| self.may_release(held));
        let patience = patience.map(|patience| entry + patience);
        [step, band, patience].into_iter().flatten().min()
    }

    /// Why a contact wants attention, for people.
    pub(super) fn wake_reason(&self, contact: ContactId) -> Wake {
        match self.book.contacts.get(&contact).map(|held| &held.state) {
            Some(State::Connecting { .. }) => Wake::ConnectTimeout(contact),
            Some(State::Active | State::WrapUp(_)) => Wake::WrapUp(contact),
            Some(State::Waiting | State::Offered { .. }) | None => Wake::Boundary(contact),
        }
    }
}
