//! Sockets lost and found: what stays with an agent, and for how long.

use super::Floor;
use super::roster::{Connection, Phase, Seat};
use crate::domain::capacity::ChannelSet;
use crate::domain::event::{By, Event, SignOut};
use crate::domain::machine::{Me, Outbox, Wake};
use crate::domain::message::{Gone, ToQueue};
use crate::domain::offer::AgentState;
use crate::id::{AgentId, ChannelId, Generation};
use crate::limits;
use crate::time::{Instant, Span};

impl Floor {
    /// The sign-in is durable and its snapshot is in the outbox: routable from now on.
    pub(super) fn present(&mut self, agent: AgentId, generation: Generation) {
        let current = self
            .roster
            .seat(agent)
            .is_some_and(|seat| seat.generation == generation && seat.signed_in());
        if current && let Some(desk) = self.desks.get_mut(agent.index()) {
            desk.present = true;
            self.refresh(agent);
            self.availability_changed(agent);
        }
    }

    /// The agent takes work of a channel: now, when it has room again, or as soon as a sign-in
    /// under way is in its hands.
    pub(super) fn is_here(&self, agent: AgentId, seat: &Seat, channel: ChannelId) -> bool {
        let desk = &self.desks[agent.index()];
        seat.state == AgentState::Available
            && seat.next.is_none()
            && seat.connection == Connection::Connected
            && ChannelSet(seat.on.0 & desk.granted.0).contains(channel)
    }

    pub(super) fn socket_lost(
        &mut self,
        now: Instant,
        agent: AgentId,
        generation: Generation,
        out: &mut Outbox,
    ) {
        let current = self.roster.seat(agent).is_some_and(|seat| {
            seat.generation == generation
                && seat.signed_in()
                && seat.connection == Connection::Connected
        });
        if !current {
            return;
        }
        let event = Event::AgentConnectionLost { agent, generation };
        self.record(now, By::Engine, event, out);
        self.refresh(agent);
        for offer in self.ringing(agent) {
            let grace = now + self.rules.terms.offer_grace;
            self.wake_at(grace, Wake::OfferMissed(offer.offer));
        }
        self.availability_changed(agent);
        self.arm_lost(agent);
    }

    pub(super) fn socket_back(
        &mut self,
        now: Instant,
        agent: AgentId,
        generation: Generation,
        out: &mut Outbox,
    ) {
        let lost = self.roster.seat(agent).is_some_and(|seat| {
            seat.generation == generation
                && seat.signed_in()
                && matches!(seat.connection, Connection::Lost(_))
        });
        if !lost {
            return;
        }
        let event = Event::AgentResumed { agent, generation };
        self.record(now, By::Engine, event, out);
        // Its page has heard everything, also if the answer to the sign-in never arrived.
        self.desks[agent.index()].present = true;
        self.ask_to_show_anew(now, agent);
        self.refresh(agent);
        if let Some(card) = self.agent_card(agent) {
            out.me(agent, Me::Resumed(card));
        }
        self.availability_changed(agent);
    }

    /// Sets the next instant at which a lost seat loses something.
    pub(super) fn arm_lost(&mut self, agent: AgentId) {
        let Some(seat) = self.roster.seat(agent) else {
            return;
        };
        let Connection::Lost(since) = seat.connection else {
            return;
        };
        let first = self.losses(seat, since).into_iter().min();
        if let Some(at) = first.filter(|_| seat.signed_in()) {
            self.wake_at(at, Wake::Grace(agent));
        }
    }

    /// When a seat that was lost at `since` loses what it has.
    fn losses(&self, seat: &Seat, since: Instant) -> Vec<Instant> {
        if seat.work.is_empty() {
            return vec![since + limits::SEAT_GRACE];
        }
        seat.work
            .iter()
            .filter(|work| matches!(work.phase, Phase::Engaged | Phase::Taken))
            .filter_map(|work| self.grace(work.offer.channel))
            .map(|grace| since + grace)
            .collect()
    }

    fn grace(&self, channel: ChannelId) -> Option<Span> {
        self.rules
            .policies
            .get(channel.index())
            .and_then(|policy| policy.grace)
    }

    /// The grace of some of a lost agent's work is over: it goes back to its queue.
    pub(super) fn grace_due(&mut self, now: Instant, agent: AgentId, out: &mut Outbox) {
        let Some(seat) = self.roster.seat(agent) else {
            return;
        };
        let Connection::Lost(since) = seat.connection else {
            return;
        };
        if !seat.signed_in() {
            return;
        }
        if seat.work.is_empty() {
            if since + limits::SEAT_GRACE <= now {
                let why = SignOut::ConnectionLost;
                self.sign_out_now(now, agent, why, By::Engine, out);
            }
            return;
        }
        let later = self.losses(seat, since).into_iter().filter(|at| *at > now);
        let later = later.min();
        let over: Vec<_> = seat
            .work
            .iter()
            .filter(|work| matches!(work.phase, Phase::Engaged | Phase::Taken))
            .filter(|work| {
                self.grace(work.offer.channel)
                    .is_some_and(|grace| since + grace <= now)
            })
            .map(|work| work.offer)
            .collect();
        if let Some(at) = later {
            self.wake_at(at, Wake::Grace(agent));
        }
        for offer in over {
            let message = ToQueue::Leave {
                reservation: offer.reservation,
                offer: offer.offer,
                why: Gone::ConnectionLost,
            };
            self.tell(offer.queue, message, out);
        }
    }
}
