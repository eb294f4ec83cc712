//! Legs: how agents come into a contact and leave it.

use super::Queue;
use super::book::{Held, State};
use crate::domain::contact::{Closed, ContactState, Leg, LegEnd, LegState, Returned, Role};
use crate::domain::event::{By, Event, OfferRef};
use crate::domain::machine::{Answer, Outbox};
use crate::domain::message::{Settled, ToFloor};
use crate::domain::rules::{Connect, WrapUpMode};
use crate::domain::urgency::due_at;
use crate::id::{CommandId, ContactId, OfferId, ReservationId};
use crate::time::{Instant, Span};

impl Queue {
    /// Says what became of a reservation, at the end of the turn: behind the demands, so that
    /// the floor never takes a contact for free that it knows from an older one.
    pub(super) fn settle(&mut self, reservation: ReservationId, settled: Settled) {
        self.settled.push((reservation, settled));
    }

    /// Sends what became of reservations in this turn.
    pub(super) fn send_settled(&mut self, out: &mut Outbox) {
        for (reservation, settled) in std::mem::take(&mut self.settled) {
            let settle = ToFloor::Settle {
                reservation,
                settled,
            };
            self.tell_floor(settle, out);
        }
    }

    /// An accept was first: the leg connects at once, or when media is reported.
    pub(super) fn connect(
        &mut self,
        now: Instant,
        offer: OfferRef,
        by: By,
        out: &mut Outbox,
    ) -> Answer {
        let terms = self.own().terms(offer.channel);
        let by_report = terms.is_some_and(|terms| terms.connect == Connect::ByReport);
        let timeout = terms.map_or(crate::limits::CONNECT_TIMEOUT, |terms| {
            terms.connect_timeout
        });
        if !by_report {
            self.connected(now, offer, by, out);
            return accepted(offer, ContactState::Active);
        }
        let deadline = now + timeout;
        self.record(now, by, Event::ContactConnecting { offer, deadline }, out);
        if let Some((command, connector)) = self.next_command(offer.contact) {
            let event = Event::MediaConnect {
                command,
                offer,
                connector,
                deadline,
            };
            self.record(now, By::Engine, event, out);
        }
        self.arm(now, offer.contact);
        self.settle(
            offer.reservation,
            Settled::Connecting { offer: offer.offer },
        );
        accepted(offer, ContactState::Connecting)
    }

    fn next_command(&self, contact: ContactId) -> Option<(CommandId, crate::id::UserId)> {
        let held = self.book.contacts.get(&contact)?;
        let command = CommandId {
            contact,
            number: held.commands + 1,
        };
        Some((command, held.facts().submitted_by))
    }

    /// The agent is in the conversation.
    pub(super) fn connected(&mut self, now: Instant, offer: OfferRef, by: By, out: &mut Outbox) {
        let Some(held) = self.book.contacts.get(&offer.contact) else {
            return;
        };
        let event = Event::LegConnected {
            contact: offer.contact,
            queue: self.id,
            channel: offer.channel,
            leg: Leg {
                offer: offer.offer,
                reservation: offer.reservation,
                agent: offer.agent,
                team: self
                    .rules
                    .agent(offer.agent)
                    .and_then(|agent| agent.teams.first().copied()),
                role: Role::Owner,
                state: LegState::Connected,
                connected_at: now,
                codes: Vec::new(),
            },
            first: !held.answered,
            waited: now.since(held.facts().first_entry),
        };
        self.record(now, by, event, out);
        self.arm(now, offer.contact);
        self.settle(offer.reservation, Settled::Engaged { offer: offer.offer });
    }

    /// Ends the conversation for everybody: wrap-up where the policy asks for it.
    pub(super) fn end_conversation(
        &mut self,
        now: Instant,
        contact: ContactId,
        how: LegEnd,
        by: By,
        out: &mut Outbox,
    ) {
        for leg in self.connected_legs(contact) {
            self.disconnect(now, leg, out);
            self.wrap_up(now, leg, how, by, out);
        }
        self.close_or_wait(now, contact, Closed::Completed, by, out);
    }

    pub(super) fn connected_legs(&self, contact: ContactId) -> Vec<OfferRef> {
        let legs = self.book.contacts.get(&contact).map(|held| {
            held.legs
                .iter()
                .filter(|leg| matches!(leg.state, LegState::Connected))
                .map(|leg| self.offer_ref(held, leg))
                .collect()
        });
        legs.unwrap_or_default()
    }

    /// A leg with its contact and queue.
    pub(super) fn offer_ref(&self, held: &Held, leg: &Leg) -> OfferRef {
        OfferRef {
            offer: leg.offer,
            reservation: leg.reservation,
            contact: held.facts().id,
            queue: self.id,
            channel: held.facts().channel,
            agent: leg.agent,
        }
    }

    /// Asks the connector to let an agent go, where it was asked to connect one.
    pub(super) fn disconnect(&mut self, now: Instant, offer: OfferRef, out: &mut Outbox) {
        let by_report = self
            .own()
            .terms(offer.channel)
            .is_some_and(|terms| terms.connect == Connect::ByReport);
        if let Some((command, connector)) = self.next_command(offer.contact).filter(|_| by_report) {
            let event = Event::MediaDisconnect {
                command,
                offer,
                connector,
            };
            self.record(now, By::Engine, event, out);
        }
    }

    fn wrap_up(&mut self, now: Instant, offer: OfferRef, how: LegEnd, by: By, out: &mut Outbox) {
        let policy = self.own().terms(offer.channel).map(|terms| &terms.wrap_up);
        let Some(policy) = policy.filter(|policy| policy.mode != WrapUpMode::None) else {
            self.end_leg(now, offer, how, by, out);
            return;
        };
        let until = now + policy.span;
        let holds_capacity = policy.holds_capacity;
        let event = Event::LegWrapUpStarted {
            offer,
            until,
            holds_capacity,
            talk: self.talk(now, offer),
            how,
        };
        self.record(now, by, event, out);
        self.settle(
            offer.reservation,
            Settled::WrapUp {
                offer: offer.offer,
                holds_capacity,
                until,
            },
        );
    }

    fn talk(&self, now: Instant, offer: OfferRef) -> Span {
        self.book
            .contacts
            .get(&offer.contact)
            .and_then(|held| held.leg(offer.offer))
            .map_or(Span::default(), |leg| match leg.state {
                LegState::Connected => now.since(leg.connected_at),
                LegState::WrapUp { since, .. } => since.since(leg.connected_at),
            })
    }

    /// A leg is over: its seat is free.
    pub(super) fn end_leg(
        &mut self,
        now: Instant,
        offer: OfferRef,
        how: LegEnd,
        by: By,
        out: &mut Outbox,
    ) {
        let leg = self
            .book
            .contacts
            .get(&offer.contact)
            .and_then(|held| held.leg(offer.offer));
        let wrap_up = leg.map_or(Span::default(), |leg| match leg.state {
            LegState::Connected => Span::default(),
            LegState::WrapUp { since, .. } => now.since(since),
        });
        let talk = self.talk(now, offer);
        let event = Event::LegEnded {
            offer,
            how,
            talk,
            wrap_up,
        };
        self.record(now, by, event, out);
        self.reserved.remove(&offer.reservation);
        let returned = how == LegEnd::Returned;
        let offer_over = Settled::Released {
            offer: offer.offer,
            returned,
        };
        self.settle(offer.reservation, offer_over);
    }

    /// After the conversation: closed when no wrap-up is open, else waits for the last one.
    pub(super) fn close_or_wait(
        &mut self,
        now: Instant,
        contact: ContactId,
        reason: Closed,
        by: By,
        out: &mut Outbox,
    ) {
        let Some(held) = self.book.contacts.get(&contact) else {
            return;
        };
        match held.state {
            State::Active if held.legs.is_empty() => self.close(now, contact, reason, by, out),
            State::WrapUp(reason) if held.legs.is_empty() => {
                self.close(now, contact, reason, by, out);
            }
            State::Active if !held.connected() => {
                let event = Event::ContactEnded {
                    contact,
                    queue: self.id,
                    reason,
                };
                self.record(now, by, event, out);
                self.place(now, contact);
            }
            State::Active
            | State::WrapUp(_)
            | State::Waiting
            | State::Offered { .. }
            | State::Connecting { .. } => self.place(now, contact),
        }
    }

    /// The contact is over.
    pub(super) fn close(
        &mut self,
        now: Instant,
        contact: ContactId,
        reason: Closed,
        by: By,
        out: &mut Outbox,
    ) {
        self.forget(contact);
        let event = Event::ContactClosed {
            contact,
            queue: self.id,
            reason,
        };
        self.record(now, by, event, out);
    }

    fn forget(&mut self, contact: ContactId) {
        self.lanes.take(contact);
        self.timers.set(contact, None);
        if let Some(held) = self.book.contacts.get(&contact) {
            for (agent, _) in &held.excluded {
                if let Some(contacts) = self.excluded.get_mut(agent) {
                    contacts.remove(&contact);
                }
            }
        }
    }

    /// A contact whose last agent is gone goes back to its place in line.
    pub(super) fn return_contact(
        &mut self,
        now: Instant,
        contact: ContactId,
        why: Returned,
        by: By,
        out: &mut Outbox,
    ) {
        let Some(held) = self.book.contacts.get(&contact) else {
            return;
        };
        let boost = match why {
            Returned::SignedOut | Returned::ConnectionLost => self.rules.terms.return_boost,
            Returned::Requeued => 0,
        };
        let priority = held.facts().priority.saturating_add(boost);
        let due_at = self.due(held, priority);
        let event = Event::ContactReturned {
            contact,
            queue: self.id,
            why,
            priority,
            due_at,
        };
        self.record(now, by, event, out);
        self.place(now, contact);
    }

    /// When a contact should be answered if it had these priority points.
    pub(super) fn due(&self, held: &Held, priority: i32) -> Instant {
        let facts = held.facts();
        let target = self
            .own()
            .terms(facts.channel)
            .map_or(Span::default(), |t| t.target);
        due_at(
            facts.first_entry,
            target,
            facts.due_at,
            priority.saturating_add(self.own().priority),
            self.rules.terms.priority_step,
        )
    }

    /// The contact that a reservation was made for, and the seat's offer if it has it.
    pub(super) fn find(&self, reservation: ReservationId, offer: OfferId) -> Option<OfferRef> {
        let contact = *self.reserved.get(&reservation)?;
        let held = self.book.contacts.get(&contact)?;
        if let Some(leg) = held.leg(offer) {
            return Some(self.offer_ref(held, leg));
        }
        match &held.state {
            State::Offered {
                reservation: ringing,
                seats,
            } if *ringing == reservation => {
                let (_, agent) = seats.iter().find(|(seat, _)| *seat == offer)?;
                Some(OfferRef {
                    offer,
                    reservation,
                    contact,
                    queue: self.id,
                    channel: held.facts().channel,
                    agent: *agent,
                })
            }
            State::Connecting {
                offer: accepted, ..
            } if accepted.offer == offer => Some(*accepted),
            State::Offered { .. }
            | State::Connecting { .. }
            | State::Waiting
            | State::Active
            | State::WrapUp(_) => None,
        }
    }
}

pub(super) fn accepted(offer: OfferRef, state: ContactState) -> Answer {
    Answer::Accepted {
        contact: offer.contact,
        offer: offer.offer,
        state,
    }
}
