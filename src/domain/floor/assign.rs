//! Assignment: over the lanes by urgency, until none has an agent who may have it.

use super::choose::{Choice, CutShort, Found};
use super::lanes::LaneRef;
use super::{Floor, Reservation};
use crate::domain::event::By;
use crate::domain::event::{Decision, Event, OfferRef};
use crate::domain::machine::{Me, Outbox, Wake};
use crate::domain::message::{Head, ToQueue};
use crate::domain::urgency::{Entry, Urgency};
use crate::id::{AgentId, OfferId, ReservationId};
use crate::limits;
use crate::time::Instant;
use std::collections::BTreeSet;
use std::sync::Arc;

impl Floor {
    /// Gives away all room that somebody waits for.
    pub(super) fn assign(&mut self, now: Instant, out: &mut Outbox) {
        let mut open = self.lanes_to_look_at();
        let mut after_rank = BTreeSet::new();
        let mut behind_barrier = BTreeSet::new();
        let mut cut_short = CutShort::new();
        while let Some((urgency, lane)) = open.pop_first() {
            let first = self.first_head(lane);
            if first != Some(urgency) {
                // The head was given away meanwhile, out of a lane it is leaving.
                open.extend(first.map(|first| (first, lane)));
                continue;
            }
            match self.choose(now, lane, urgency, &cut_short) {
                Found::Agent(choice) => {
                    self.reserve(now, lane, urgency.entry, choice, out);
                    if let Some(next) = self.first_head(lane) {
                        open.insert((next, lane));
                    }
                    // What waited for a lane of better rank may go first now.
                    open.append(&mut after_rank);
                }
                Found::AfterBetterRank => {
                    after_rank.insert((urgency, lane));
                }
                Found::BehindBarrier => {
                    behind_barrier.insert(lane);
                }
                Found::CutShort => {
                    behind_barrier.insert(lane);
                    cut_short.insert(lane, urgency);
                }
                Found::Nobody => {}
            }
        }
        behind_barrier.extend(after_rank.into_iter().map(|(_, lane)| lane));
        self.waiting_behind_barrier = behind_barrier;
        self.arm_barrier();
    }

    /// Lanes that changed, and lanes of agents who gained room: nothing else can have become
    /// a pair since the last assignment.
    fn lanes_to_look_at(&mut self) -> BTreeSet<(Urgency, LaneRef)> {
        let mut lanes = self.lanes.take_changed();
        lanes.extend(std::mem::take(&mut self.waiting_behind_barrier));
        for agent in self.lanes.take_gained() {
            lanes.extend(self.lanes.named(agent));
            if let Some(seat) = self.roster.seat(agent) {
                let open = self.desks[agent.index()].open;
                for queue in &seat.queues {
                    if open.iter().any(|c| !self.order.nobody(*queue, c)) {
                        lanes.extend(self.lanes.common(*queue));
                    }
                }
            }
        }
        lanes
            .into_iter()
            .filter_map(|lane| Some((self.first_head(lane)?, lane)))
            .collect()
    }

    /// The first head of a lane, heads that are still reserved elsewhere passed over.
    fn first_head(&self, lane: LaneRef) -> Option<Urgency> {
        let heads = self.lanes.get(lane)?.heads.iter();
        heads
            .map(|head| head.urgency)
            .find(|urgency| !self.held.contains_key(&urgency.entry))
    }

    /// Reserves a seat for a head of a lane: one assignment by the only writer.
    fn reserve(
        &mut self,
        now: Instant,
        lane: LaneRef,
        entry: Entry,
        choice: Choice,
        out: &mut Outbox,
    ) {
        let Some(asks) = self.lanes.get(lane) else {
            return;
        };
        let Some(head) = asks.head(entry).cloned() else {
            return;
        };
        let (key, terms) = (Arc::clone(&asks.key), asks.terms);
        let reservation = ReservationId(self.next_number());
        let agent = choice.agent;
        let offer = OfferRef {
            offer: OfferId(self.next_number()),
            reservation,
            contact: contact_of(&head),
            queue: lane.0,
            channel: key.channel,
            agent,
        };
        self.held.insert(head.urgency.entry, reservation);
        self.reservations.insert(
            reservation,
            Reservation {
                queue: lane.0,
                entry: head.urgency.entry,
                key: Some(key),
                terms,
                card: Arc::clone(&head.card),
                seats: vec![(offer.offer, agent)],
            },
        );
        self.make_offer(now, offer, choice, out);
        let message = ToQueue::Match {
            lane: lane.1,
            entry: head.urgency.entry,
            reservation,
            seats: vec![self.seat_offer(offer)],
            asked: None,
        };
        self.tell(lane.0, message, out);
        self.lanes
            .head_matched(lane, entry, reservation, now + limits::BARRIER);
    }

    fn make_offer(&mut self, now: Instant, offer: OfferRef, choice: Choice, out: &mut Outbox) {
        let Some(reservation) = self.reservations.get(&offer.reservation) else {
            return;
        };
        let terms = reservation.terms;
        let own_auto = self
            .rules
            .agent(offer.agent)
            .is_some_and(|agent| agent.auto_accept);
        let auto_accept = terms.auto_accept || own_auto;
        let deadline = now + terms.offer_timeout;
        let event = Event::OfferMade {
            offer,
            deadline,
            auto_accept,
            decision: Box::new(Decision {
                contact: offer.contact,
                agent: offer.agent,
                by: choice.by,
                runners_up: choice.runners_up,
                passed_over: choice.passed_over,
            }),
        };
        self.record(now, By::Engine, event, out);
        self.wake_at(deadline, Wake::OfferMissed(offer.offer));
        if auto_accept {
            self.unshown.insert(offer.offer);
            self.wake_at(now + limits::SHOWN_WITHIN, Wake::OfferUnshown(offer.offer));
        }
        self.desks[offer.agent.index()].load.add(offer.channel);
        self.refresh(offer.agent);
        if let Some(shown) = self.my_offer(offer.offer) {
            out.me(offer.agent, Me::Offer(shown));
        }
    }

    /// The barrier of a lane has stood long enough.
    pub(super) fn lift_barriers(&mut self, now: Instant) {
        while let Some((at, lane)) = self.lanes.first_barrier() {
            if at > now {
                break;
            }
            self.lanes.lift(lane);
            self.counters.barriers_timed_out += 1;
        }
    }

    fn arm_barrier(&mut self) {
        if let Some((at, lane)) = self.lanes.first_barrier() {
            self.wake_at(at, Wake::Barrier(lane.0));
        }
    }

    /// Whether an agent could have a contact that nobody was given: never true at rest.
    #[must_use]
    pub fn idle_pair(&self) -> Option<(AgentId, Entry)> {
        for (lane, asks) in self.lanes.iter() {
            let manual = self
                .rules
                .queue(lane.0)
                .is_some_and(|queue| queue.selection == crate::domain::rules::Selection::Manual);
            let Some(head) = asks
                .heads
                .iter()
                .find(|head| !self.held.contains_key(&head.urgency.entry))
            else {
                continue;
            };
            for (agent, _) in self.roster.seats.iter().filter(|_| !manual) {
                let open = self.desks[agent.index()].open.contains(asks.key.channel);
                if open && self.eligible(*agent, lane.0, &asks.key).is_ok() {
                    return Some((*agent, head.urgency.entry));
                }
            }
        }
        None
    }
}

fn contact_of(head: &Head) -> crate::id::ContactId {
    match head.urgency.entry {
        Entry::Contact(contact) | Entry::Request(contact) => contact,
    }
}
