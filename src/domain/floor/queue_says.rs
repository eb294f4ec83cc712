//! What queues say to the floor, and what it does about it.

use super::roster::Phase;
use super::{Floor, Reservation, TakenBack};
use crate::domain::event::{By, Event, OfferRef};
use crate::domain::machine::{Me, Outbox};
use crate::domain::message::{Between, Gone, Placement, Settled, Stands, Terms, ToFloor, ToQueue};
use crate::domain::offer::{Outcome, Withdrawn};
use crate::domain::urgency::Entry;
use crate::id::{AgentId, Incarnation, OfferId, QueueId, ReservationId};
use crate::limits;
use crate::time::{Instant, Span};
use std::collections::BTreeSet;

impl Floor {
    /// Words of an older life of either side are dropped.
    pub(super) fn queue_says(&mut self, now: Instant, said: Between<ToFloor>, out: &mut Outbox) {
        if said.floor_life != self.life {
            return;
        }
        let Some(life) = self.queue_lives.get(said.queue.index()).copied() else {
            return;
        };
        match said.message {
            ToFloor::Roll { holds } if said.queue_life >= life => {
                self.roll(now, said.queue, said.queue_life, holds, out);
            }
            ToFloor::Demand(demand) if said.queue_life == life => {
                let barrier_until = now + limits::BARRIER;
                self.lanes.stated(said.queue, demand, barrier_until);
            }
            ToFloor::Settle {
                reservation,
                settled,
            } if said.queue_life == life => self.settled(now, reservation, settled, out),
            ToFloor::Roll { .. } | ToFloor::Demand(_) | ToFloor::Settle { .. } => {}
        }
    }

    fn settled(
        &mut self,
        now: Instant,
        reservation: ReservationId,
        settled: Settled,
        out: &mut Outbox,
    ) {
        match settled {
            Settled::Unused(why) => self.unused(now, reservation, why, out),
            Settled::Connecting { .. } => {}
            Settled::Engaged { offer } => self.engaged(now, offer, out),
            Settled::Failed { offer } => self.failed(now, offer, out),
            Settled::WrapUp {
                offer,
                holds_capacity,
                until,
            } => self.wraps_up(now, offer, holds_capacity, until, out),
            Settled::Released { offer, returned } => self.released(now, offer, returned, out),
            Settled::Over => {
                if let Some(back) = self.taken_back.get(&reservation).copied() {
                    self.let_go(reservation, back.queue, back.entry);
                }
            }
        }
    }

    /// The contact is not to be had: the agents get their places back.
    fn unused(&mut self, now: Instant, id: ReservationId, why: Withdrawn, out: &mut Outbox) {
        let Some(reservation) = self.reservations.remove(&id) else {
            return;
        };
        self.let_go(id, reservation.queue, reservation.entry);
        for (offer, _) in reservation.seats {
            if let Some(work) = self.roster.work(offer).copied() {
                let outcome = Outcome::Withdrawn(why);
                self.offer_over(now, work.offer, outcome, By::Engine, None, out);
            }
        }
    }

    /// The leg is connected; the other seats of the reservation have lost the race.
    fn engaged(&mut self, now: Instant, offer: OfferId, out: &mut Outbox) {
        let Some(work) = self.roster.work(offer).copied() else {
            return;
        };
        let reservation = work.offer.reservation;
        let outcome = Outcome::Accepted;
        let event = Event::OfferEnded {
            offer: work.offer,
            outcome,
        };
        self.record(now, By::Engine, event, out);
        self.desks[work.offer.agent.index()]
            .load
            .connect(work.offer.channel);
        self.refresh(work.offer.agent);
        if let Some(leg) = self.my_leg(offer) {
            out.me(work.offer.agent, Me::Connected(leg));
        }
        self.free_losers(now, reservation, offer, out);
    }

    fn free_losers(
        &mut self,
        now: Instant,
        reservation: ReservationId,
        winner: OfferId,
        out: &mut Outbox,
    ) {
        let Some(known) = self.reservations.get_mut(&reservation) else {
            return;
        };
        let losers: Vec<OfferId> = known
            .seats
            .iter()
            .map(|(offer, _)| *offer)
            .filter(|offer| *offer != winner)
            .collect();
        known.seats.retain(|(offer, _)| *offer == winner);
        for offer in losers {
            if let Some(work) = self.roster.work(offer).copied() {
                let outcome = Outcome::Withdrawn(Withdrawn::LostRace);
                self.offer_over(now, work.offer, outcome, By::Engine, None, out);
            }
        }
    }

    /// The leg did not connect: this seat is out; others ring on with the time left.
    fn failed(&mut self, now: Instant, offer: OfferId, out: &mut Outbox) {
        if let Some(work) = self.roster.work(offer).copied() {
            let entry = self.entry_of(work.offer);
            if self.take_seat_out(work.offer) {
                self.let_go(work.offer.reservation, work.offer.queue, entry);
            }
            self.offer_over(now, work.offer, Outcome::Failed, By::Engine, None, out);
            self.count_failure(now, work.offer, Outcome::Failed, out);
        }
    }

    fn wraps_up(
        &mut self,
        now: Instant,
        offer: OfferId,
        holds_capacity: bool,
        until: Instant,
        out: &mut Outbox,
    ) {
        let Some(work) = self.roster.work(offer).copied() else {
            return;
        };
        let event = Event::SeatWrapUp {
            offer: work.offer,
            until,
            holds_capacity,
        };
        self.record(now, By::Engine, event, out);
        self.let_go_of(work.offer);
        let load = &mut self.desks[work.offer.agent.index()].load;
        load.disconnect(work.offer.channel);
        if !holds_capacity {
            load.remove(work.offer.channel);
        }
        self.refresh(work.offer.agent);
        if let Some(leg) = self.my_leg(offer) {
            out.me(work.offer.agent, Me::WrapUp(leg));
        }
    }

    /// The leg is over. `returned`: the contact was taken from the agent.
    fn released(&mut self, now: Instant, offer: OfferId, returned: bool, out: &mut Outbox) {
        let Some(work) = self.roster.work(offer).copied() else {
            return;
        };
        let leg = self.my_leg(offer);
        self.let_go_of(work.offer);
        self.reservations.remove(&work.offer.reservation);
        self.record(
            now,
            By::Engine,
            Event::SeatReleased {
                offer: work.offer,
                returned,
            },
            out,
        );
        let load = &mut self.desks[work.offer.agent.index()].load;
        if work.phase == Phase::Engaged {
            load.disconnect(work.offer.channel);
        }
        if work.phase.counts() {
            load.remove(work.offer.channel);
        }
        self.refresh(work.offer.agent);
        if let Some(leg) = leg {
            out.me(work.offer.agent, Me::Ended(leg.ended(now)));
        }
        self.work_ended(now, work.offer.agent, out);
    }

    /// After a restart of either side: the queue's word wins.
    fn roll(
        &mut self,
        now: Instant,
        queue: QueueId,
        life: Incarnation,
        holds: Vec<Placement>,
        out: &mut Outbox,
    ) {
        if let Some(known) = self.queue_lives.get_mut(queue.index()) {
            *known = life;
        }
        self.lanes.forget_queue(queue);
        self.take_back_anew(queue, out);
        let held: BTreeSet<OfferId> = holds.iter().map(|placement| placement.offer).collect();
        let gone: Vec<OfferRef> = self
            .roster
            .seats
            .values()
            .flat_map(|seat| &seat.work)
            .map(|work| work.offer)
            .filter(|offer| offer.queue == queue && !held.contains(&offer.offer))
            .collect();
        for offer in gone {
            self.over_by_roll(now, offer, out);
        }
        for placement in holds {
            self.placed(now, queue, placement, out);
        }
        self.staff.restate(queue);
        self.leave_anew(queue, out);
    }

    /// The queue may not have heard who is gone: it is asked again to let them go, and what is
    /// kept for the lost is looked at again.
    fn leave_anew(&mut self, queue: QueueId, out: &mut Outbox) {
        let with_work_here: Vec<(AgentId, bool)> = self
            .roster
            .seats
            .iter()
            .filter(|(_, seat)| seat.work.iter().any(|work| work.offer.queue == queue))
            .map(|(agent, seat)| (*agent, seat.signed_in()))
            .collect();
        for (agent, signed_in) in with_work_here {
            if signed_in {
                self.arm_lost(agent);
            } else {
                self.leave_all(agent, Gone::SignedOut, out);
            }
        }
    }

    fn taken_back_from(&self, queue: QueueId) -> Vec<(ReservationId, TakenBack)> {
        let all = self.taken_back.iter();
        all.filter(|(_, back)| back.queue == queue)
            .map(|(reservation, back)| (*reservation, *back))
            .collect()
    }

    /// Whether the queue heard what was taken back before it died is not known: it is told again.
    fn take_back_anew(&mut self, queue: QueueId, out: &mut Outbox) {
        for (reservation, back) in self.taken_back_from(queue) {
            let message = ToQueue::Revoke {
                entry: back.entry,
                reservation,
                seat: back.seat,
                outcome: back.outcome,
                last: true,
            };
            self.tell(queue, message, out);
            if back.readmitted {
                let agent = back.seat.agent;
                self.tell(queue, ToQueue::Readmit { agent }, out);
            }
        }
    }

    /// The queue has let go of the contact that a leg came from.
    fn let_go_of(&mut self, offer: OfferRef) {
        let entry = self.entry_of(offer);
        self.let_go(offer.reservation, offer.queue, entry);
    }

    fn over_by_roll(&mut self, now: Instant, offer: OfferRef, out: &mut Outbox) {
        match self.roster.work(offer.offer).map(|work| work.phase) {
            Some(Phase::Ringing { .. } | Phase::Taken) => {
                self.let_go_of(offer);
                self.reservations.remove(&offer.reservation);
                let outcome = Outcome::Withdrawn(Withdrawn::Restarted);
                self.offer_over(now, offer, outcome, By::Engine, None, out);
            }
            // Nobody says how it ended: an agent who talked is told that the contact is gone.
            Some(Phase::Engaged) => self.released(now, offer.offer, true, out),
            Some(Phase::WrapUp { .. }) => self.released(now, offer.offer, false, out),
            None => {}
        }
    }

    /// A placement the queue stands by: the seat is brought to where it stands.
    fn placed(&mut self, now: Instant, queue: QueueId, placement: Placement, out: &mut Outbox) {
        let (Entry::Contact(contact) | Entry::Request(contact)) = placement.entry;
        let offer = OfferRef {
            offer: placement.offer,
            reservation: placement.reservation,
            contact,
            queue,
            channel: placement.channel,
            agent: placement.agent,
        };
        self.reservations
            .entry(placement.reservation)
            .or_insert_with(|| Reservation {
                queue,
                entry: placement.entry,
                key: None,
                terms: Terms {
                    offer_timeout: Span::default(),
                    auto_accept: false,
                    may_decline: false,
                    ring_width: 1,
                },
                card: placement.card,
                seats: vec![(placement.offer, placement.agent)],
            });
        let phase = self.roster.work(offer.offer).map(|work| work.phase);
        match placement.stands {
            Stands::Connecting | Stands::Engaged => {
                self.held.insert(placement.entry, placement.reservation);
            }
            Stands::WrapUp { .. } => {}
        }
        match (placement.stands, phase) {
            // The floor's log never gave this seat: the queue is asked to let it go.
            (_, None) => {
                self.let_go_of(offer);
                self.reservations.remove(&placement.reservation);
                let message = ToQueue::Leave {
                    reservation: placement.reservation,
                    offer: placement.offer,
                    why: Gone::ConnectionLost,
                };
                self.tell(queue, message, out);
            }
            (Stands::Engaged, Some(Phase::Taken | Phase::Ringing { .. })) => {
                self.engaged(now, offer.offer, out);
            }
            (
                Stands::WrapUp {
                    holds_capacity,
                    until,
                },
                Some(Phase::Engaged | Phase::Taken | Phase::Ringing { .. }),
            ) => {
                if phase != Some(Phase::Engaged) {
                    self.engaged(now, offer.offer, out);
                }
                self.wraps_up(now, offer.offer, holds_capacity, until, out);
            }
            (Stands::Connecting, Some(_))
            | (Stands::Engaged, Some(Phase::Engaged | Phase::WrapUp { .. }))
            | (Stands::WrapUp { .. }, Some(Phase::WrapUp { .. })) => {}
        }
    }

    /// A queue is out of service: nothing waits behind its barriers, and it will never say what
    /// becomes of the work it gave.
    pub(super) fn queue_down(&mut self, now: Instant, queue: QueueId, out: &mut Outbox) {
        let barriers = self.lanes.barriers().filter(|(of, _)| *of == queue).count();
        self.counters.barriers_queue_down += barriers as u64;
        self.lanes.forget_queue(queue);
        for (reservation, back) in self.taken_back_from(queue) {
            self.let_go(reservation, queue, back.entry);
        }
        let all: Vec<OfferRef> = self
            .roster
            .seats
            .values()
            .flat_map(|seat| &seat.work)
            .map(|work| work.offer)
            .filter(|offer| offer.queue == queue)
            .collect();
        for offer in all {
            self.over_by_roll(now, offer, out);
        }
    }
}
