//! What the floor says to a queue, and the queue's answers.

use super::Queue;
use super::book::State;
use super::legs::accepted;
use crate::domain::contact::{Closed, ContactState, LegEnd, LegState, Requeued, Returned};
use crate::domain::event::{By, Event, OfferRef};
use crate::domain::machine::{Outbox, Refusal, ReplyTo};
use crate::domain::message::{
    Between, Gone, Placement, SeatOffer, Settled, Stands, ToFloor, ToQueue,
};
use crate::domain::offer::{Outcome, Withdrawn};
use crate::domain::urgency::Entry;
use crate::id::{AgentId, ContactId, LaneId, OfferId, ReservationId};
use crate::time::Instant;

impl Queue {
    /// Words of an older life of either side are dropped, but not what happened to an agent or a
    /// reservation: that is true in any life.
    pub(super) fn floor_says(&mut self, now: Instant, said: Between<ToQueue>, out: &mut Outbox) {
        if matches!(said.message, ToQueue::RollCall) {
            if said.floor_life > self.floor_life {
                self.answer_roll_call(now, said.floor_life, out);
            }
            return;
        }
        let stands = match &said.message {
            ToQueue::Leave { .. } | ToQueue::Readmit { .. } | ToQueue::Revoke { .. } => true,
            ToQueue::Match { .. }
            | ToQueue::Accept { .. }
            | ToQueue::Staffing { .. }
            | ToQueue::Unservable { .. }
            | ToQueue::RollCall => {
                (said.queue_life, said.floor_life) == (self.life, self.floor_life)
            }
        };
        if !stands {
            if let ToQueue::Accept { offer, reply, .. } = said.message {
                out.reply(reply, Err(Refusal::OfferExpired(offer)));
            }
            return;
        }
        match said.message {
            ToQueue::Match {
                lane,
                entry,
                reservation,
                seats,
                asked: _,
            } => self.matched(now, lane, entry, reservation, &seats, out),
            ToQueue::Accept {
                reservation,
                offer,
                reply,
                by,
            } => self.accept(now, reservation, offer, reply, by, out),
            ToQueue::Revoke {
                entry,
                reservation,
                seat,
                outcome,
                last,
            } => {
                self.revoked(now, entry, reservation, seat, outcome, out);
                if last {
                    self.settle(reservation, Settled::Over);
                }
            }
            ToQueue::Leave {
                reservation,
                offer,
                why,
            } => self.agent_gone(now, reservation, offer, why, out),
            ToQueue::Staffing { channel, staffing } => {
                self.staffing.insert(channel, staffing);
            }
            ToQueue::Unservable { lane, why } => self.unservable(now, lane, why, out),
            ToQueue::Readmit { agent } => self.readmit(now, agent, out),
            ToQueue::RollCall => {}
        }
    }

    fn matched(
        &mut self,
        now: Instant,
        lane: LaneId,
        entry: Entry,
        reservation: ReservationId,
        seats: &[SeatOffer],
        out: &mut Outbox,
    ) {
        let (Entry::Contact(contact) | Entry::Request(contact)) = entry;
        self.lanes.answer(lane, reservation);
        if self.timers.is_due(contact, now) {
            // A step is taken exactly at its boundary, also when a match comes in with it.
            self.contact_due(now, contact, out);
        }
        let fits = match self.lanes.of(contact) {
            Some(lane_now) if lane_now == lane => Ok(()),
            // It went to another lane meanwhile: whoever may have it there as well is welcome.
            Some(lane_now) if self.admits(lane_now, seats) => Ok(()),
            Some(_) => Err(Withdrawn::NotEligible),
            None => Err(Withdrawn::Abandoned),
        };
        if let Err(why) = fits {
            self.settle(reservation, Settled::Unused(why));
            return;
        }
        let event = Event::ContactOffered {
            contact,
            queue: self.id,
            reservation,
            seats: seats.iter().map(|seat| (seat.offer, seat.agent)).collect(),
        };
        self.reserved.insert(reservation, contact);
        self.record(now, By::Engine, event, out);
        self.place(now, contact);
    }

    /// Whether every one of these agents may have the contacts of a lane.
    fn admits(&self, lane: LaneId, seats: &[SeatOffer]) -> bool {
        self.lanes.key(lane).is_some_and(|key| {
            seats
                .iter()
                .all(|seat| key.admits(&self.rules, self.id, seat.agent).is_ok())
        })
    }

    fn accept(
        &mut self,
        now: Instant,
        reservation: ReservationId,
        offer: OfferId,
        reply: Option<ReplyTo>,
        by: By,
        out: &mut Outbox,
    ) {
        let Some(accept) = self.find(reservation, offer) else {
            out.reply(reply, Err(self.why_gone(reservation, offer)));
            return;
        };
        let Some(held) = self.book.contacts.get(&accept.contact) else {
            return;
        };
        let answer = match held.state {
            State::Offered { .. } => self.connect(now, accept, by, out),
            State::Connecting { .. } => accepted(accept, ContactState::Connecting),
            State::Active | State::WrapUp(_) | State::Waiting => {
                accepted(accept, ContactState::Active)
            }
        };
        out.reply(reply, Ok(answer));
    }

    fn why_gone(&self, reservation: ReservationId, offer: OfferId) -> Refusal {
        let gone = self.gone.iter().find(|(id, _)| *id == reservation);
        match self.reserved.get(&reservation) {
            Some(contact) => Refusal::AlreadyTaken {
                contact: *contact,
                retry: false,
            },
            None => gone.map_or(Refusal::OfferExpired(offer), |(_, contact)| {
                Refusal::ContactGone(*contact)
            }),
        }
    }

    /// The reservation is over: nothing will be asked of it but by an accept under way.
    pub(super) fn forget_reservation(&mut self, reservation: ReservationId) {
        if let Some(contact) = self.reserved.remove(&reservation) {
            self.gone.truncate(crate::limits::ENDED_RESERVATIONS - 1);
            self.gone.push_front((reservation, contact));
        }
    }

    /// A seat is out before its leg was connected; the last one puts the contact back in line.
    /// Who declined or missed is excluded even if the contact was not offered any more.
    fn revoked(
        &mut self,
        now: Instant,
        entry: Entry,
        reservation: ReservationId,
        seat: SeatOffer,
        outcome: Outcome,
        out: &mut Outbox,
    ) {
        let (Entry::Contact(contact) | Entry::Request(contact)) = entry;
        let Some(held) = self.book.contacts.get(&contact) else {
            return;
        };
        let why = match outcome {
            Outcome::Declined => Requeued::Declined,
            Outcome::Missed => Requeued::Missed,
            Outcome::Failed => Requeued::Failed,
            Outcome::Withdrawn(_) | Outcome::Accepted => Requeued::Withdrawn,
        };
        let back = match &held.state {
            State::Offered {
                reservation: ringing,
                seats,
            } => *ringing == reservation && seats.len() == 1,
            State::Waiting => outcome.excludes() && !held.is_excluded(seat.agent),
            State::Connecting { .. } | State::Active | State::WrapUp(_) => false,
        };
        if back {
            let offer = OfferRef {
                offer: seat.offer,
                reservation,
                contact,
                queue: self.id,
                channel: held.facts().channel,
                agent: seat.agent,
            };
            let until = now + self.rules.terms.retry_after;
            let excluded = outcome.excludes().then_some((seat.agent, until));
            self.requeue(now, offer, why, excluded, out);
        }
    }

    /// Back in line after an offer, with its place.
    pub(super) fn requeue(
        &mut self,
        now: Instant,
        offer: OfferRef,
        why: Requeued,
        excluded: Option<(AgentId, Instant)>,
        out: &mut Outbox,
    ) {
        self.reserved.remove(&offer.reservation);
        if let Some((agent, _)) = excluded {
            self.excluded
                .entry(agent)
                .or_default()
                .insert(offer.contact);
        }
        let event = Event::ContactRequeued {
            contact: offer.contact,
            queue: self.id,
            why,
            excluded,
        };
        self.record(now, By::Engine, event, out);
        self.place(now, offer.contact);
    }

    /// An agent who had accepted is gone.
    fn agent_gone(
        &mut self,
        now: Instant,
        reservation: ReservationId,
        offer: OfferId,
        why: Gone,
        out: &mut Outbox,
    ) {
        let Some(found) = self.find(reservation, offer) else {
            return;
        };
        let Some(held) = self.book.contacts.get(&found.contact) else {
            return;
        };
        match held.leg(offer).map(|leg| leg.state) {
            None => {
                self.disconnect(now, found, out);
                self.settle(reservation, Settled::Unused(Withdrawn::AgentLeft));
                self.requeue(now, found, Requeued::Withdrawn, None, out);
            }
            Some(LegState::WrapUp { .. }) => {
                self.give_default_code(now, found, out);
                self.end_leg(now, found, LegEnd::WrapUpEnded, By::Engine, out);
                self.close_or_wait(now, found.contact, Closed::Completed, By::Engine, out);
            }
            Some(LegState::Connected) => {
                self.disconnect(now, found, out);
                self.end_leg(now, found, LegEnd::Returned, By::Engine, out);
                let why = match why {
                    Gone::SignedOut => Returned::SignedOut,
                    Gone::ConnectionLost => Returned::ConnectionLost,
                };
                self.return_if_alone(now, found.contact, why, out);
            }
        }
    }

    fn return_if_alone(
        &mut self,
        now: Instant,
        contact: ContactId,
        why: Returned,
        out: &mut Outbox,
    ) {
        let alone = self
            .book
            .contacts
            .get(&contact)
            .is_some_and(|held| !held.connected() && held.state == State::Active);
        if alone {
            self.return_contact(now, contact, why, By::Engine, out);
        }
    }

    fn readmit(&mut self, now: Instant, agent: AgentId, out: &mut Outbox) {
        for contact in self.excluded.remove(&agent).unwrap_or_default() {
            let event = Event::ContactReadmitted {
                contact,
                queue: self.id,
                agents: vec![agent],
            };
            self.record(now, By::Engine, event, out);
            self.place(now, contact);
        }
    }

    fn answer_roll_call(
        &mut self,
        now: Instant,
        floor_life: crate::id::Incarnation,
        out: &mut Outbox,
    ) {
        self.floor_life = floor_life;
        self.staffing.clear();
        self.take_back_ringing(now, out);
        self.answer_roll(out);
    }

    /// Says all that this queue holds. Nothing said before counts any more.
    pub(super) fn answer_roll(&mut self, out: &mut Outbox) {
        self.settled.clear();
        let holds = self.placements();
        self.tell_floor(ToFloor::Roll { holds }, out);
        self.lanes.state_all_anew();
    }

    /// Offers of an earlier life are void: their contacts are in line with their places.
    pub(super) fn take_back_ringing(&mut self, now: Instant, out: &mut Outbox) {
        let ringing: Vec<OfferRef> = self
            .book
            .contacts
            .values()
            .filter_map(|held| match &held.state {
                State::Offered { reservation, seats } => {
                    seats.first().map(|(offer, agent)| OfferRef {
                        offer: *offer,
                        reservation: *reservation,
                        contact: held.facts().id,
                        queue: self.id,
                        channel: held.facts().channel,
                        agent: *agent,
                    })
                }
                State::Waiting | State::Connecting { .. } | State::Active | State::WrapUp(_) => {
                    None
                }
            })
            .collect();
        for offer in ringing {
            self.requeue(now, offer, Requeued::Withdrawn, None, out);
        }
    }

    /// Every reservation this queue still stands by.
    pub(super) fn placements(&self) -> Vec<Placement> {
        let mut holds = Vec::new();
        for held in self.book.contacts.values() {
            let mut hold = |offer: OfferRef, role, stands| {
                holds.push(Placement {
                    reservation: offer.reservation,
                    entry: Entry::Contact(offer.contact),
                    card: std::sync::Arc::clone(&held.card),
                    offer: offer.offer,
                    agent: offer.agent,
                    channel: offer.channel,
                    role,
                    stands,
                });
            };
            if let State::Connecting { offer, .. } = &held.state {
                hold(
                    *offer,
                    crate::domain::contact::Role::Owner,
                    Stands::Connecting,
                );
            }
            for leg in &held.legs {
                let stands = match leg.state {
                    LegState::Connected => Stands::Engaged,
                    LegState::WrapUp {
                        until,
                        holds_capacity,
                        ..
                    } => Stands::WrapUp {
                        holds_capacity,
                        until,
                    },
                };
                hold(self.offer_ref(held, leg), leg.role, stands);
            }
        }
        holds
    }

    /// Rebuilds what is found by reservation and by excluded agent.
    pub(super) fn index(&mut self, contact: ContactId) {
        let Some(held) = self.book.contacts.get(&contact) else {
            return;
        };
        for (agent, _) in &held.excluded {
            self.excluded.entry(*agent).or_default().insert(contact);
        }
        for leg in &held.legs {
            self.reserved.insert(leg.reservation, contact);
        }
        if let State::Connecting { offer, .. } = &held.state {
            self.reserved.insert(offer.reservation, contact);
        }
    }
}
