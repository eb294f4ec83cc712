//! What an agent is shown of its own seat.

use super::Floor;
use super::roster::{Connection, Phase, Seat};
use crate::domain::machine::{
    AgentCard, ChannelCard, ChannelState, Me, MyLeg, MyLegState, MyOffer, Outbox, SignedIn,
};
use crate::id::{AgentId, ChannelId, OfferId};
use crate::time::Instant;
use std::sync::Arc;

impl Floor {
    /// Shows an agent its own facts after a change.
    pub(super) fn show_card(&self, agent: AgentId, change: fn(AgentCard) -> Me, out: &mut Outbox) {
        if let Some(card) = self.agent_card(agent) {
            out.me(agent, change(card));
        }
    }

    /// An agent's own facts.
    pub(super) fn agent_card(&self, agent: AgentId) -> Option<AgentCard> {
        let seat = self.roster.seat(agent)?;
        let rules = self.rules.agent(agent)?;
        Some(AgentCard {
            agent,
            state: seat.state.clone(),
            since: seat.since,
            next: seat.next.clone(),
            connected: seat.connection == Connection::Connected,
            generation: seat.generation,
            channels: rules
                .channels
                .iter()
                .map(|channel| self.channel_card(agent, seat, channel))
                .collect(),
            queues: seat.queues.clone(),
        })
    }

    fn channel_card(&self, agent: AgentId, seat: &Seat, channel: ChannelId) -> ChannelCard {
        let desk = &self.desks[agent.index()];
        let on = seat.on.contains(channel);
        let max = self.rules.agents[agent.index()]
            .capacity
            .max(channel, &self.rules.channels);
        ChannelCard {
            channel,
            on,
            load: desk.load.count(channel),
            max,
            state: self.channel_state(agent, seat, channel, on),
        }
    }

    fn channel_state(
        &self,
        agent: AgentId,
        seat: &Seat,
        channel: ChannelId,
        on: bool,
    ) -> ChannelState {
        let desk = &self.desks[agent.index()];
        let here = || seat.work.iter().filter(|w| w.offer.channel == channel);
        let room = desk.load.room_for(
            channel,
            &self.rules.channels,
            &self.rules.agents[agent.index()].capacity,
        );
        let wrap_up = |phase| matches!(phase, Phase::WrapUp { .. });
        if !on && here().next().is_none() {
            ChannelState::Off
        } else if here().any(|work| matches!(work.phase, Phase::Ringing { .. })) {
            ChannelState::Offered
        } else if desk
            .load
            .interrupted(&self.rules.channels)
            .contains(channel)
        {
            ChannelState::Interrupted
        } else if here().next().is_some() && here().all(|work| wrap_up(work.phase)) {
            ChannelState::WrapUp
        } else if room.is_err() {
            ChannelState::Busy
        } else if here().next().is_some() {
            ChannelState::Active
        } else {
            ChannelState::Ready
        }
    }

    /// An open offer as its agent sees it.
    pub(super) fn my_offer(&self, offer: OfferId) -> Option<MyOffer> {
        let work = self.roster.work(offer)?;
        let Phase::Ringing { deadline } = work.phase else {
            return None;
        };
        let reservation = self.reservations.get(&work.offer.reservation)?;
        Some(MyOffer {
            offer: work.offer,
            deadline,
            auto_accept: self.unshown.contains(&offer),
            may_decline: reservation.terms.may_decline,
            card: Arc::clone(&reservation.card),
        })
    }

    /// A leg as its agent sees it.
    pub(super) fn my_leg(&self, offer: OfferId) -> Option<MyLeg> {
        let work = self.roster.work(offer)?;
        let state = match work.phase {
            Phase::Ringing { .. } => return None,
            Phase::Taken => MyLegState::Connecting,
            Phase::Engaged => MyLegState::Connected,
            Phase::WrapUp { until, .. } => MyLegState::WrapUp { until },
        };
        Some(MyLeg {
            offer: work.offer,
            state,
            since: work.since,
        })
    }

    /// Everything an agent has in hand; the snapshot of `me`.
    pub(super) fn in_hand(&self, agent: AgentId) -> Option<SignedIn> {
        let seat = self.roster.seat(agent)?;
        let offers = seat.work.iter().map(|work| work.offer.offer);
        Some(SignedIn {
            agent: self.agent_card(agent)?,
            offers: offers.clone().filter_map(|o| self.my_offer(o)).collect(),
            legs: offers.filter_map(|offer| self.my_leg(offer)).collect(),
            taken: seat.taken.clone(),
        })
    }
}

impl MyLeg {
    /// The same leg, over.
    #[must_use]
    pub fn ended(self, at: Instant) -> Self {
        Self {
            state: MyLegState::Ended,
            since: at,
            ..self
        }
    }
}
