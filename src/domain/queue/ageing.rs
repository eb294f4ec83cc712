//! What time alone does to a contact: steps, bands, patience, exclusions, connect and wrap-up
//! deadlines.

use super::Queue;
use super::book::{Held, State};
use crate::domain::contact::{Closed, LegEnd, LegState};
use crate::domain::event::{By, Event, OfferRef};
use crate::domain::machine::Outbox;
use crate::id::{AgentId, ContactId};
use crate::time::Instant;

impl Queue {
    /// A contact's deadline has passed: everything that is due happens, and the next is set.
    pub(super) fn contact_due(&mut self, now: Instant, contact: ContactId, out: &mut Outbox) {
        self.end_exclusions(now, contact, out);
        self.end_patience(now, contact, out);
        self.take_steps(now, contact, out);
        self.end_connecting(now, contact, out);
        self.end_wrap_ups(now, contact, out);
        if self.book.contacts.contains_key(&contact) {
            self.place(now, contact);
        }
    }

    fn end_exclusions(&mut self, now: Instant, contact: ContactId, out: &mut Outbox) {
        let Some(held) = self.book.contacts.get(&contact) else {
            return;
        };
        let agents: Vec<AgentId> = held
            .excluded
            .iter()
            .filter(|(_, until)| *until <= now)
            .map(|(agent, _)| *agent)
            .collect();
        if agents.is_empty() {
            return;
        }
        for agent in &agents {
            if let Some(contacts) = self.excluded.get_mut(agent) {
                contacts.remove(&contact);
            }
        }
        let event = Event::ContactReadmitted {
            contact,
            queue: self.id,
            agents,
        };
        self.record(now, By::Engine, event, out);
    }

    fn end_patience(&mut self, now: Instant, contact: ContactId, out: &mut Outbox) {
        let over = self.book.contacts.get(&contact).is_some_and(|held| {
            let facts = held.facts();
            self.may_release(held)
                && facts
                    .patience
                    .is_some_and(|patience| facts.first_entry + patience <= now)
        });
        if over {
            self.release(now, contact, out);
        }
    }

    /// The preferred agent cannot have it: released at once, unless kept for that agent alone.
    pub(super) fn release_preferred(&mut self, now: Instant, contact: ContactId, out: &mut Outbox) {
        let may = self.book.contacts.get(&contact).is_some_and(|held| {
            self.may_release(held)
                && held.facts().patience.is_some()
                && held.state == State::Waiting
        });
        if may {
            self.release(now, contact, out);
            self.place(now, contact);
        }
    }

    /// Whether somebody else may have the contact, sooner or later: a contact of the built-in
    /// queue is its named agent's alone.
    pub(super) fn may_release(&self, held: &Held) -> bool {
        !held.released && held.facts().preferred.is_some() && !self.own().direct
    }

    fn release(&mut self, now: Instant, contact: ContactId, out: &mut Outbox) {
        let event = Event::ContactReleased {
            contact,
            queue: self.id,
        };
        self.record(now, By::Engine, event, out);
    }

    /// Takes every requirement step the contact's age has reached.
    pub(super) fn take_steps(&mut self, now: Instant, contact: ContactId, out: &mut Outbox) {
        let Some(held) = self.book.contacts.get(&contact) else {
            return;
        };
        let step = self.step(now, held);
        if step > held.step {
            self.take_step(now, contact, step, out);
        }
    }

    /// Nobody signed in could meet the step in force: the next one applies at once.
    pub(super) fn skip_step(&mut self, now: Instant, contact: ContactId, out: &mut Outbox) {
        let Some(held) = self.book.contacts.get(&contact) else {
            return;
        };
        let next = self.step(now, held) + 1;
        if self.own().skip_when_empty && usize::from(next) <= self.own().steps.last() {
            self.take_step(now, contact, next, out);
            self.place(now, contact);
        }
    }

    fn take_step(&mut self, now: Instant, contact: ContactId, step: u16, out: &mut Outbox) {
        let event = Event::ContactStepped {
            contact,
            queue: self.id,
            step,
        };
        self.record(now, By::Engine, event, out);
    }

    fn end_connecting(&mut self, now: Instant, contact: ContactId, out: &mut Outbox) {
        let late = match self.book.contacts.get(&contact).map(|held| &held.state) {
            Some(State::Connecting {
                offer, deadline, ..
            }) if *deadline <= now => Some(*offer),
            Some(
                State::Connecting { .. }
                | State::Waiting
                | State::Offered { .. }
                | State::Active
                | State::WrapUp(_),
            )
            | None => None,
        };
        if let Some(offer) = late {
            self.disconnect(now, offer, out);
            self.connect_failed(now, offer, out);
        }
    }

    fn end_wrap_ups(&mut self, now: Instant, contact: ContactId, out: &mut Outbox) {
        let Some(held) = self.book.contacts.get(&contact) else {
            return;
        };
        let over: Vec<OfferRef> = held
            .legs
            .iter()
            .filter(|leg| matches!(leg.state, LegState::WrapUp { until, .. } if until <= now))
            .map(|leg| self.offer_ref(held, leg))
            .collect();
        for offer in &over {
            self.give_default_code(now, *offer, out);
            self.end_leg(now, *offer, LegEnd::WrapUpExpired, By::Engine, out);
        }
        if !over.is_empty() {
            self.close_or_wait(now, contact, Closed::Completed, By::Engine, out);
        }
    }

    /// A wrap-up that ends without its agent's word gets the default code, if it has none.
    pub(super) fn give_default_code(&mut self, now: Instant, offer: OfferRef, out: &mut Outbox) {
        let leg = self
            .book
            .contacts
            .get(&offer.contact)
            .and_then(|held| held.leg(offer.offer));
        let policy = self.own().terms(offer.channel).map(|terms| &terms.wrap_up);
        let code = policy
            .filter(|_| leg.is_some_and(|leg| leg.codes.is_empty()))
            .and_then(|policy| policy.default_code.clone());
        if let Some(code) = code {
            let codes = vec![code];
            self.record(now, By::Engine, Event::LegWrapUpGiven { offer, codes }, out);
        }
    }
}
