//! What queues and floor say to each other. A demand is state, never a delta: it may be
//! repeated, coalesced and sent again freely.

use crate::domain::contact::{Card, Role};
use crate::domain::event::PassedOver;
use crate::domain::offer::{Outcome, Withdrawn};
use crate::domain::requirement::Requirement;
use crate::domain::rules::Workspace;
use crate::domain::urgency::{Entry, Urgency};
use crate::id::{
    AgentId, ChannelId, Incarnation, LaneId, OfferId, QueueId, ReservationId, TeamId, UserId,
};
use crate::time::{Instant, Span};
use std::sync::Arc;

/// What makes the contacts of a lane alike for every agent.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LaneKey {
    /// Channel.
    pub channel: ChannelId,
    /// Requirement in force, the contact's own included.
    pub requirement: Requirement,
    /// Only this agent.
    pub named: Option<AgentId>,
    /// Delay band: members whose delay is not longer than this are eligible.
    pub waited: Span,
    /// Agents who may not have it, sorted.
    pub excluded: Vec<AgentId>,
}

impl LaneKey {
    /// Whether an agent may have the contacts of a lane of this queue by name, exclusion,
    /// membership, delay and requirement; whether it serves the queue now and has room apart.
    ///
    /// # Errors
    /// The first reason why not.
    pub fn admits(
        &self,
        rules: &Workspace,
        queue: QueueId,
        agent: AgentId,
    ) -> Result<(), PassedOver> {
        let direct = rules.queue(queue).is_some_and(|queue| queue.direct);
        if self.named.map_or(direct, |named| named != agent) {
            return Err(PassedOver::Named);
        }
        if self.excluded.binary_search(&agent).is_ok() {
            return Err(PassedOver::Excluded);
        }
        let Some(agent) = rules.agent(agent) else {
            return Err(PassedOver::NotRoutable);
        };
        let member = agent.memberships.iter().find(|m| m.queue == queue);
        match member {
            Some(member) if member.delay > self.waited && self.named.is_none() => {
                return Err(PassedOver::Delay);
            }
            None if !direct => return Err(PassedOver::NotRoutable),
            Some(_) | None => {}
        }
        if !self.requirement.meets(&agent.qualities) {
            return Err(PassedOver::Requirement);
        }
        Ok(())
    }
}

/// Terms an offer of this lane is made under.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// The offer rings so long.
    pub offer_timeout: Span,
    /// The server accepts once the page has shown it.
    pub auto_accept: bool,
    /// The agent may decline.
    pub may_decline: bool,
    /// Seats rung at once.
    pub ring_width: u8,
}

/// A contact or request at the front of a lane.
#[derive(Clone, Debug)]
pub struct Head {
    /// Its place in the order; names the entry.
    pub urgency: Urgency,
    /// What the offer shows.
    pub card: Arc<Card>,
}

/// State of a lane, as its queue sees it.
#[derive(Clone, Debug)]
pub struct Demand {
    /// The lane.
    pub lane: LaneId,
    /// What its contacts have in common.
    pub key: Arc<LaneKey>,
    /// The first of it, at most `limits::HEADS`; none says that the lane is gone.
    pub heads: Vec<Head>,
    /// Terms of its offers.
    pub terms: Terms,
    /// There is more behind the heads.
    pub more: bool,
    /// Matches this demand has taken into account.
    pub answers: Vec<ReservationId>,
}

/// A seat of a reservation as the queue is told of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SeatOffer {
    /// Whose seat.
    pub agent: AgentId,
    /// The agent's home team.
    pub team: Option<TeamId>,
    /// The offer made for it.
    pub offer: OfferId,
}

/// What the queue made of a reservation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Settled {
    /// The contact is not to be had; the seats are free again, with their old places.
    Unused(Withdrawn),
    /// The accept was first; the leg is being connected.
    Connecting {
        /// The seat.
        offer: OfferId,
    },
    /// The leg is connected.
    Engaged {
        /// The seat.
        offer: OfferId,
    },
    /// The leg did not connect.
    Failed {
        /// The seat.
        offer: OfferId,
    },
    /// The leg is in wrap-up.
    WrapUp {
        /// The seat.
        offer: OfferId,
        /// The slot stays taken.
        holds_capacity: bool,
        /// When it ends by itself.
        until: Instant,
    },
    /// The leg is over.
    Released {
        /// The seat.
        offer: OfferId,
        /// The contact went back to its line.
        returned: bool,
    },
    /// The floor took the last seat back, and the demands so far take that into account.
    Over,
}

/// From a queue to the floor.
#[derive(Clone, Debug)]
pub enum ToFloor {
    /// State of a lane.
    Demand(Demand),
    /// What became of a reservation.
    Settle {
        /// The reservation.
        reservation: ReservationId,
        /// What became of it.
        settled: Settled,
    },
    /// All reservations of this queue, after a restart of either side.
    Roll {
        /// What the queue holds; whatever it does not name is over.
        holds: Vec<Placement>,
    },
}

/// A reservation as the queue knows it.
#[derive(Clone, PartialEq, Debug)]
pub struct Placement {
    /// The reservation.
    pub reservation: ReservationId,
    /// Its contact, or request.
    pub entry: Entry,
    /// What the agent is shown.
    pub card: Arc<Card>,
    /// The seat.
    pub offer: OfferId,
    /// Whose.
    pub agent: AgentId,
    /// Channel of the contact.
    pub channel: ChannelId,
    /// The agent's part.
    pub role: Role,
    /// Where it stands.
    pub stands: Stands,
}

/// Where a placement stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stands {
    /// Accepted, not yet connected.
    Connecting,
    /// In conversation.
    Engaged,
    /// In wrap-up.
    WrapUp {
        /// The slot stays taken.
        holds_capacity: bool,
        /// When it ends by itself.
        until: Instant,
    },
}

/// Number of agents who could serve a queue on a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Staffing {
    /// Members signed in.
    pub signed_in: u32,
    /// Members who would get an offer now or are at work.
    pub routable: u32,
    /// Contacts they could take now.
    pub free_slots: u32,
}

/// Why a lane cannot be served at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unservable {
    /// The named agent takes no work.
    NamedAway,
    /// The named agent does not meet the requirement or is no member.
    NamedNotEligible,
    /// Nobody signed in meets the requirement.
    NobodyMeets,
}

/// Why the floor takes an agent out of a leg.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gone {
    /// Signed out.
    SignedOut,
    /// Connection lost for longer than the grace.
    ConnectionLost,
}

/// From the floor to a queue.
#[derive(Clone, Debug)]
pub enum ToQueue {
    /// Seats for a contact.
    Match {
        /// The lane it was taken from.
        lane: LaneId,
        /// The contact or request.
        entry: Entry,
        /// The promise.
        reservation: ReservationId,
        /// Its seats.
        seats: Vec<SeatOffer>,
        /// Asked for by somebody, rather than found.
        asked: Option<UserId>,
    },
    /// An agent accepted.
    Accept {
        /// The reservation.
        reservation: ReservationId,
        /// The seat.
        offer: OfferId,
        /// Who is told.
        reply: Option<crate::domain::machine::ReplyTo>,
        /// Who accepted; the engine, when the accept was automatic.
        by: crate::domain::event::By,
    },
    /// A seat is out before it connected; the last one ends the reservation.
    Revoke {
        /// The contact or request.
        entry: Entry,
        /// The reservation.
        reservation: ReservationId,
        /// The seat.
        seat: SeatOffer,
        /// How the offer ended.
        outcome: Outcome,
        /// No seat is left.
        last: bool,
    },
    /// An agent with a connected leg or a wrap-up is gone.
    Leave {
        /// The reservation.
        reservation: ReservationId,
        /// The seat.
        offer: OfferId,
        /// Why.
        why: Gone,
    },
    /// Agents who could serve a channel.
    Staffing {
        /// The channel.
        channel: ChannelId,
        /// How many.
        staffing: Staffing,
    },
    /// A lane cannot be served.
    Unservable {
        /// The lane.
        lane: LaneId,
        /// Why.
        why: Unservable,
    },
    /// An agent set itself available: exclusions of it end.
    Readmit {
        /// The agent.
        agent: AgentId,
    },
    /// The floor was restarted: say what you hold and ask again.
    RollCall,
}

/// A message between floor and queue with the lives of both ends.
#[derive(Clone, Debug)]
pub struct Between<M> {
    /// The queue's end.
    pub queue: QueueId,
    /// Life of the queue that sent it, or that it answers.
    pub queue_life: Incarnation,
    /// Life of the floor that sent it, or that it answers.
    pub floor_life: Incarnation,
    /// What is said.
    pub message: M,
}
