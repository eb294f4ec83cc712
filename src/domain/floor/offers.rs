//! Offers from bell to end: accept, decline, shown, missed, withdrawn.

use super::roster::{Connection, Phase, Work};
use super::{Floor, TakenBack};
use crate::domain::command::Asked;
use crate::domain::contact::Content;
use crate::domain::event::{By, Event, OfferRef};
use crate::domain::machine::{Answer, Me, Outbox, Refusal, ReplyTo, Wake};
use crate::domain::message::{SeatOffer, ToQueue};
use crate::domain::offer::{AgentState, MISSED, Outcome, TECHNICAL, Withdrawn};
use crate::domain::urgency::Entry;
use crate::id::{AgentId, OfferId, QueueId, ReservationId};
use crate::limits;
use crate::time::Instant;

impl Floor {
    /// An agent takes an offer; the queue has the last word and answers.
    pub(super) fn accept(
        &mut self,
        now: Instant,
        offer: OfferRef,
        by: By,
        reply: Option<ReplyTo>,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let Some(work) = self.roster.work(offer.offer) else {
            return Err(Refusal::OfferExpired(offer.offer));
        };
        if matches!(work.phase, Phase::Ringing { .. }) {
            if self.seat_taken(offer) {
                return Err(Refusal::AlreadyTaken {
                    contact: offer.contact,
                    retry: true,
                });
            }
            self.silence(work.offer.offer, work.phase);
            self.record(now, by, Event::OfferTaken { offer }, out);
            if let Some(leg) = self.my_leg(offer.offer) {
                out.me(offer.agent, Me::Connecting(leg));
            }
            self.arm_lost(offer.agent);
        }
        let message = ToQueue::Accept {
            reservation: offer.reservation,
            offer: offer.offer,
            reply,
            by,
        };
        self.tell(offer.queue, message, out);
        Ok(())
    }

    /// Another seat of the reservation was accepted and still connects.
    fn seat_taken(&self, offer: OfferRef) -> bool {
        self.reservations
            .get(&offer.reservation)
            .is_some_and(|reservation| {
                reservation.seats.iter().any(|(seat, _)| {
                    self.roster
                        .work(*seat)
                        .is_some_and(|work| work.phase == Phase::Taken)
                })
            })
    }

    pub(super) fn decline(
        &mut self,
        now: Instant,
        asked: &Asked,
        offer: OfferRef,
        reason: Option<String>,
        out: &mut Outbox,
    ) -> Result<Answer, Refusal> {
        let Some(work) = self.roster.work(offer.offer) else {
            return Err(Refusal::OfferExpired(offer.offer));
        };
        if !matches!(work.phase, Phase::Ringing { .. }) {
            return Err(Refusal::InvalidState(format!(
                "offer {} was accepted already",
                offer.offer
            )));
        }
        let may_decline = self
            .reservations
            .get(&offer.reservation)
            .is_none_or(|reservation| reservation.terms.may_decline);
        if !may_decline {
            return Err(Refusal::InvalidState(format!(
                "offers of this queue cannot be declined: offer {}",
                offer.offer
            )));
        }
        let why = reason.map(|text| {
            Box::new(Content {
                note: Some(text),
                ..Content::default()
            })
        });
        self.end_offer(now, offer, Outcome::Declined, asked.by(), why, out);
        Ok(Answer::Offer(offer.offer))
    }

    /// The page shows the offer: an automatic accept may go ahead.
    pub(super) fn shown(
        &mut self,
        now: Instant,
        offer: OfferRef,
        out: &mut Outbox,
    ) -> Result<Answer, Refusal> {
        let Some(work) = self.roster.work(offer.offer).copied() else {
            return Err(Refusal::OfferExpired(offer.offer));
        };
        let waits = self.unshown.remove(&offer.offer);
        if waits && matches!(work.phase, Phase::Ringing { .. }) {
            self.accept(now, offer, By::Engine, None, out)?;
        }
        Ok(Answer::Offer(offer.offer))
    }

    /// The page did not show an automatically accepted offer in time.
    pub(super) fn not_shown(&mut self, now: Instant, offer: OfferId, out: &mut Outbox) {
        let Some(work) = self.roster.work(offer).copied() else {
            return;
        };
        let later = self.shown_by.get(&offer).is_some_and(|by| *by > now);
        // A page that is gone cannot show it: the offer waits for the page's return.
        let lost = self
            .roster
            .seat(work.offer.agent)
            .is_some_and(|seat| seat.connection != Connection::Connected);
        if later || lost || !self.unshown.remove(&offer) {
            return;
        }
        if matches!(work.phase, Phase::Ringing { .. }) {
            self.end_offer(now, work.offer, Outcome::Failed, By::Engine, None, out);
        }
    }

    /// A page that has just come has all its time to show what is to be accepted for it.
    pub(super) fn ask_to_show_anew(&mut self, now: Instant, agent: AgentId) {
        for offer in self.ringing(agent) {
            if self.unshown.contains(&offer.offer) {
                let by = now + limits::SHOWN_WITHIN;
                self.shown_by.insert(offer.offer, by);
                self.wake_at(by, Wake::OfferUnshown(offer.offer));
            }
        }
    }

    /// An offer rang out: missed, or withdrawn if the agent's socket is lost.
    pub(super) fn rang_out(&mut self, now: Instant, offer: OfferId, out: &mut Outbox) {
        let Some(work) = self.roster.work(offer).copied() else {
            return;
        };
        let Phase::Ringing { deadline } = work.phase else {
            return;
        };
        let agent = work.offer.agent;
        let lost = self
            .roster
            .seat(agent)
            .and_then(|seat| match seat.connection {
                Connection::Connected => None,
                Connection::Lost(since) => Some(since),
            });
        match lost {
            Some(since) => {
                let grace = since + self.rules.terms.offer_grace;
                if grace.min(deadline) <= now {
                    let outcome = Outcome::Withdrawn(Withdrawn::AgentLeft);
                    self.end_offer(now, work.offer, outcome, By::Engine, None, out);
                }
            }
            None if deadline <= now => {
                self.end_offer(now, work.offer, Outcome::Missed, By::Engine, None, out);
            }
            None => {}
        }
    }

    /// Takes a seat out of its reservation: the agent sees why, the queue is told. `why` is what
    /// a person said of it.
    pub(super) fn end_offer(
        &mut self,
        now: Instant,
        offer: OfferRef,
        outcome: Outcome,
        by: By,
        why: Option<Box<Content>>,
        out: &mut Outbox,
    ) {
        let entry = self.entry_of(offer);
        let seat = self.seat_offer(offer);
        let last = self.take_seat_out(offer);
        if last {
            let back = TakenBack {
                queue: offer.queue,
                entry,
                seat,
                outcome,
                readmitted: false,
            };
            self.taken_back.insert(offer.reservation, back);
        }
        self.offer_over(now, offer, outcome, by, why, out);
        let message = ToQueue::Revoke {
            entry,
            reservation: offer.reservation,
            seat,
            outcome,
            last,
        };
        self.tell(offer.queue, message, out);
        self.count_failure(now, offer, outcome, out);
    }

    /// The seat is free again; the queue knows, or is told by the caller.
    pub(super) fn offer_over(
        &mut self,
        now: Instant,
        offer: OfferRef,
        outcome: Outcome,
        by: By,
        why: Option<Box<Content>>,
        out: &mut Outbox,
    ) {
        if let Some(work) = self.roster.work(offer.offer) {
            self.silence(work.offer.offer, work.phase);
        }
        let event = Event::OfferEnded { offer, outcome };
        self.roster.fold(now, &event);
        out.event_by(by, event, why);
        let ended = &mut self.desks[offer.agent.index()].ended;
        ended.truncate(limits::ENDED_OFFERS - 1);
        ended.push_front((offer.offer, offer.contact, outcome));
        out.me(offer.agent, Me::OfferEnded { offer, outcome });
        self.desks[offer.agent.index()].load.remove(offer.channel);
        self.refresh(offer.agent);
        self.work_ended(now, offer.agent, out);
    }

    /// Takes the seat out; whether it was the last of its reservation.
    pub(super) fn take_seat_out(&mut self, offer: OfferRef) -> bool {
        let Some(reservation) = self.reservations.get_mut(&offer.reservation) else {
            return true;
        };
        reservation.seats.retain(|(seat, _)| *seat != offer.offer);
        if !reservation.seats.is_empty() {
            return false;
        }
        self.reservations.remove(&offer.reservation);
        true
    }

    /// The seat of an offer as its queue is told of it.
    pub(super) fn seat_offer(&self, offer: OfferRef) -> SeatOffer {
        let rules = self.rules.agent(offer.agent);
        SeatOffer {
            agent: offer.agent,
            team: rules.and_then(|rules| rules.teams.first().copied()),
            offer: offer.offer,
        }
    }

    /// What the reservation behind an offer is for.
    pub(super) fn entry_of(&self, offer: OfferRef) -> Entry {
        self.reservations
            .get(&offer.reservation)
            .map_or(Entry::Contact(offer.contact), |known| known.entry)
    }

    /// The queue has let go of a reservation, and its demands say so: the entry may be offered
    /// again.
    pub(super) fn let_go(&mut self, id: ReservationId, queue: QueueId, entry: Entry) {
        self.taken_back.remove(&id);
        if self.held.get(&entry) == Some(&id) {
            self.held.remove(&entry);
            self.lanes.entry_free(queue, entry);
        }
    }

    /// Misses and technical failures in a row set the agent not ready.
    pub(super) fn count_failure(
        &mut self,
        now: Instant,
        offer: OfferRef,
        outcome: Outcome,
        out: &mut Outbox,
    ) {
        let Some(seat) = self.roster.seat(offer.agent) else {
            return;
        };
        let policy = self.rules.policies.get(offer.channel.index());
        let reason = match outcome {
            Outcome::Missed if policy.is_some_and(|p| seat.missed >= p.misses) => MISSED,
            Outcome::Failed if seat.failed.len() >= limits::TECHNICAL_FAILURES => TECHNICAL,
            Outcome::Missed
            | Outcome::Failed
            | Outcome::Accepted
            | Outcome::Declined
            | Outcome::Withdrawn(_) => return,
        };
        if seat.state == AgentState::Available {
            let state = AgentState::NotReady(reason.to_owned());
            let next = seat.next.clone();
            self.change_state(now, offer.agent, state, next, By::Engine, out);
            self.arm_back_from_missed(offer.agent);
        }
    }

    /// Takes back every ringing offer of an agent who stopped being routable.
    pub(super) fn withdraw_ringing(
        &mut self,
        now: Instant,
        agent: AgentId,
        why: Withdrawn,
        out: &mut Outbox,
    ) {
        for offer in self.ringing(agent) {
            self.end_offer(now, offer, Outcome::Withdrawn(why), By::Engine, None, out);
        }
    }

    pub(super) fn ringing(&self, agent: AgentId) -> Vec<OfferRef> {
        self.roster.seat(agent).map_or_else(Vec::new, |seat| {
            seat.work
                .iter()
                .filter(|work| matches!(work.phase, Phase::Ringing { .. }))
                .map(|work| work.offer)
                .collect()
        })
    }

    /// After new rules: a strict queue takes back what its agent may no longer have.
    pub(super) fn withdraw_not_eligible(&mut self, now: Instant, out: &mut Outbox) {
        let ringing: Vec<Work> = self
            .roster
            .seats
            .values()
            .flat_map(|seat| &seat.work)
            .filter(|work| matches!(work.phase, Phase::Ringing { .. }))
            .copied()
            .collect();
        for work in ringing {
            let strict = self
                .rules
                .queue(work.offer.queue)
                .is_some_and(|queue| queue.strict);
            let eligible = self
                .reservations
                .get(&work.offer.reservation)
                .and_then(|reservation| reservation.key.clone())
                .is_none_or(|key| {
                    self.eligible(work.offer.agent, work.offer.queue, &key)
                        .is_ok()
                });
            if strict && !eligible {
                let outcome = Outcome::Withdrawn(Withdrawn::NotEligible);
                self.end_offer(now, work.offer, outcome, By::Engine, None, out);
            }
        }
    }

    /// Offers of an earlier life of the floor are void; the queues are called anyway.
    pub(super) fn take_back_ringing(&mut self, now: Instant, out: &mut Outbox) {
        let agents: Vec<AgentId> = self.roster.seats.keys().copied().collect();
        for agent in agents {
            for offer in self.ringing(agent) {
                let outcome = Outcome::Withdrawn(Withdrawn::Restarted);
                self.offer_over(now, offer, outcome, By::Engine, None, out);
            }
        }
    }

    /// The offer rings no more: its timers are taken out.
    pub(super) fn silence(&mut self, offer: OfferId, phase: Phase) {
        if let Phase::Ringing { deadline } = phase {
            self.timers.remove(&(deadline, Wake::OfferMissed(offer)));
        }
        self.unshown.remove(&offer);
        self.shown_by.remove(&offer);
    }
}
