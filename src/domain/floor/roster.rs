//! What the log knows of a floor: its seats, as a fold of events, and nothing else.

use crate::domain::capacity::ChannelSet;
use crate::domain::event::{Event, NextState, OfferRef};
use crate::domain::machine::Taken;
use crate::domain::offer::{AgentState, Outcome};
use crate::id::{AgentId, ContactId, Generation, OfferId, QueueId};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The seats of a floor, as its events tell.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Roster {
    /// Whoever ever signed in.
    pub seats: BTreeMap<AgentId, Seat>,
    /// Offers that have not ended and legs that are not over: whose they are.
    pub offers: BTreeMap<OfferId, AgentId>,
    /// New contacts are not taken.
    #[serde(default)]
    pub draining: bool,
}

/// An agent's seat: states and slots.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seat {
    /// State, as set.
    pub state: AgentState,
    /// Since when.
    pub since: Instant,
    /// A pending wish.
    pub next: Option<NextState>,
    /// Of the current or last sign-in.
    pub generation: Generation,
    /// Where the socket is.
    pub connection: Connection,
    /// Channels switched on.
    pub on: ChannelSet,
    /// Queues served.
    pub queues: Vec<QueueId>,
    /// Slots in use.
    pub work: Vec<Work>,
    /// When the last leg ended, or the seat was taken; read only while there is no work.
    pub idle_since: Instant,
    /// When work was last given.
    pub last_assigned: Instant,
    /// Times work was given, within the window of `fewest_contacts`.
    pub assigned: VecDeque<Instant>,
    /// What `fewest_contacts` adds to them as a newcomer of a queue, and until when.
    pub starts: Vec<(QueueId, u32, Instant)>,
    /// Offers missed in a row.
    pub missed: u32,
    /// Contacts whose offers failed for technical reasons, in a row: one that nobody can be
    /// connected to counts once.
    pub failed: BTreeSet<ContactId>,
    /// Queues that may keep contacts from the agent, which it had been offered and did not take.
    pub kept_from: BTreeSet<QueueId>,
    /// Taken away while the agent was not there.
    pub taken: Vec<Taken>,
}

/// Where an agent's socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Connection {
    /// There.
    Connected,
    /// Lost, since.
    Lost(Instant),
}

/// A slot in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// What it came from.
    pub offer: OfferRef,
    /// Where it stands.
    pub phase: Phase,
    /// Since when.
    pub since: Instant,
    /// When it was given.
    pub assigned: Instant,
    /// `last_assigned` before it: given back with the place if nothing comes of it.
    pub assigned_before: Instant,
}

/// Where a slot's work stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Offered, until the deadline.
    Ringing {
        /// When it is missed.
        deadline: Instant,
    },
    /// Accepted; the queue is asked.
    Taken,
    /// In conversation.
    Engaged,
    /// In wrap-up.
    WrapUp {
        /// When it ends by itself.
        until: Instant,
        /// The slot stays taken.
        holds_capacity: bool,
    },
}

impl Phase {
    /// The slot counts in the agent's capacity.
    #[must_use]
    pub fn counts(self) -> bool {
        match self {
            Self::Ringing { .. } | Self::Taken | Self::Engaged => true,
            Self::WrapUp { holds_capacity, .. } => holds_capacity,
        }
    }
}

impl Seat {
    fn new(at: Instant) -> Self {
        Self {
            state: AgentState::SignedOut,
            since: at,
            next: None,
            generation: Generation(0),
            connection: Connection::Connected,
            on: ChannelSet::default(),
            queues: Vec::new(),
            work: Vec::new(),
            idle_since: at,
            last_assigned: Instant(0),
            assigned: VecDeque::new(),
            starts: Vec::new(),
            missed: 0,
            failed: BTreeSet::new(),
            kept_from: BTreeSet::new(),
            taken: Vec::new(),
        }
    }

    /// The slot of an offer.
    #[must_use]
    pub fn work(&self, offer: OfferId) -> Option<&Work> {
        self.work.iter().find(|work| work.offer.offer == offer)
    }

    /// Contacts given within the window of `fewest_contacts`.
    #[must_use]
    pub fn recent(&self, now: Instant) -> u32 {
        let window_starts = now - crate::limits::FEWEST_CONTACTS_WINDOW;
        let before = self.assigned.partition_point(|at| *at < window_starts);
        u32::try_from(self.assigned.len() - before).unwrap_or(u32::MAX)
    }

    /// The same as a queue counts them: a newcomer starts at the median of the others.
    #[must_use]
    pub fn given(&self, now: Instant, queue: QueueId) -> u32 {
        let mut starts = self.starts.iter().filter(|(_, _, until)| *until > now);
        let start = starts.find(|(of, ..)| *of == queue);
        self.recent(now)
            .saturating_add(start.map_or(0, |(_, start, _)| *start))
    }

    fn start(&mut self, at: Instant, starts: &[(QueueId, u32)]) {
        let until = at + crate::limits::FEWEST_CONTACTS_WINDOW;
        let again = |queue| starts.iter().any(|(of, _)| *of == queue);
        self.starts
            .retain(|(queue, _, until)| *until > at && !again(*queue));
        self.starts
            .extend(starts.iter().map(|(queue, more)| (*queue, *more, until)));
    }

    /// The agent is signed in, socket or not.
    #[must_use]
    pub fn signed_in(&self) -> bool {
        self.state != AgentState::SignedOut
    }

    fn set_state(&mut self, at: Instant, state: &AgentState) {
        if self.state != *state {
            self.state = state.clone();
            self.since = at;
        }
    }

    fn drop_work(&mut self, offer: OfferId) -> Option<Work> {
        let place = self
            .work
            .iter()
            .position(|work| work.offer.offer == offer)?;
        Some(self.work.remove(place))
    }
}

impl Roster {
    /// The seat of an agent.
    #[must_use]
    pub fn seat(&self, agent: AgentId) -> Option<&Seat> {
        self.seats.get(&agent)
    }

    /// The slot of an offer that is not over.
    #[must_use]
    pub fn work(&self, offer: OfferId) -> Option<&Work> {
        self.seats.get(self.offers.get(&offer)?)?.work(offer)
    }

    /// Takes an event in. Events of queues change nothing.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the rest is named, event by event, in agent_event"
    )]
    pub fn fold(&mut self, at: Instant, event: &Event) {
        match event {
            Event::WorkspaceDraining { draining } => self.draining = *draining,
            Event::OfferMade {
                offer, deadline, ..
            } => self.made(at, *offer, *deadline),
            Event::OfferTaken { offer } => self.phase(at, *offer, Phase::Taken),
            Event::OfferEnded { offer, outcome } => self.ended(at, *offer, *outcome),
            Event::SeatWrapUp {
                offer,
                until,
                holds_capacity,
            } => self.phase(
                at,
                *offer,
                Phase::WrapUp {
                    until: *until,
                    holds_capacity: *holds_capacity,
                },
            ),
            Event::SeatReleased { offer, returned } => self.released(at, *offer, *returned),
            Event::AgentSignedIn {
                agent,
                generation,
                channels,
                queues,
                state,
                starts,
            } => {
                let seat = self.seats.entry(*agent).or_insert_with(|| Seat::new(at));
                if seat.state == AgentState::SignedOut {
                    seat.idle_since = at;
                    seat.starts.clear();
                }
                seat.start(at, starts);
                seat.set_state(at, state);
                seat.generation = *generation;
                seat.connection = Connection::Connected;
                seat.on = *channels;
                seat.queues.clone_from(queues);
                seat.taken.clear();
            }
            event => self.fold_agent(at, event),
        }
    }

    fn fold_agent(&mut self, at: Instant, event: &Event) {
        let Some((agent, change)) = agent_event(event) else {
            return;
        };
        let Some(seat) = self.seats.get_mut(&agent) else {
            return;
        };
        match change {
            Change::SignedOut => {
                seat.set_state(at, &AgentState::SignedOut);
                seat.next = None;
                seat.missed = 0;
                seat.failed.clear();
            }
            Change::State(state, next) => {
                if *state == AgentState::Available {
                    seat.missed = 0;
                    seat.failed.clear();
                }
                seat.set_state(at, state);
                seat.next.clone_from(next);
            }
            Change::Channels(on) => seat.on = on,
            Change::Queues(queues, starts) => {
                seat.queues = queues.to_vec();
                seat.start(at, starts);
            }
            Change::Lost => seat.connection = Connection::Lost(at),
            Change::Resumed => {
                seat.connection = Connection::Connected;
                // The page that is back was told of each of them on `me`.
                seat.taken.clear();
            }
        }
    }

    fn made(&mut self, at: Instant, offer: OfferRef, deadline: Instant) {
        let seat = self
            .seats
            .entry(offer.agent)
            .or_insert_with(|| Seat::new(at));
        seat.work.push(Work {
            offer,
            phase: Phase::Ringing { deadline },
            since: at,
            assigned: at,
            assigned_before: seat.last_assigned,
        });
        seat.last_assigned = at;
        self.offers.insert(offer.offer, offer.agent);
    }

    fn phase(&mut self, at: Instant, offer: OfferRef, phase: Phase) {
        let work = self.seats.get_mut(&offer.agent).and_then(|seat| {
            seat.work
                .iter_mut()
                .find(|work| work.offer.offer == offer.offer)
        });
        if let Some(work) = work {
            work.phase = phase;
            work.since = at;
        }
    }

    fn ended(&mut self, at: Instant, offer: OfferRef, outcome: Outcome) {
        if outcome == Outcome::Accepted {
            self.phase(at, offer, Phase::Engaged);
            if let Some(seat) = self.seats.get_mut(&offer.agent) {
                seat.missed = 0;
                seat.failed.clear();
                seat.remember_assignment(at);
            }
            return;
        }
        self.offers.remove(&offer.offer);
        let Some(seat) = self.seats.get_mut(&offer.agent) else {
            return;
        };
        if let Some(work) = seat.drop_work(offer.offer)
            && matches!(outcome, Outcome::Withdrawn(_))
        {
            seat.never_given(work);
        }
        if outcome.excludes() {
            seat.kept_from.insert(offer.queue);
        }
        match outcome {
            Outcome::Missed => seat.missed += 1,
            Outcome::Failed => {
                seat.failed.insert(offer.contact);
            }
            Outcome::Accepted | Outcome::Declined | Outcome::Withdrawn(_) => {}
        }
    }

    fn released(&mut self, at: Instant, offer: OfferRef, returned: bool) {
        self.offers.remove(&offer.offer);
        let Some(seat) = self.seats.get_mut(&offer.agent) else {
            return;
        };
        seat.drop_work(offer.offer);
        seat.idle_since = at;
        if returned && matches!(seat.connection, Connection::Lost(_)) {
            seat.taken.push(Taken {
                contact: offer.contact,
                queue: offer.queue,
            });
        }
    }
}

impl Seat {
    /// The agent's place is as if this had not been given; what was given later stands.
    fn never_given(&mut self, work: Work) {
        let mut later = self.work.iter_mut();
        match later.find(|later| later.assigned_before == work.assigned) {
            Some(next) => next.assigned_before = work.assigned_before,
            None if self.last_assigned == work.assigned => {
                self.last_assigned = work.assigned_before;
            }
            None => {}
        }
    }

    fn remember_assignment(&mut self, at: Instant) {
        self.assigned.push_back(at);
        let window_starts = at - crate::limits::FEWEST_CONTACTS_WINDOW;
        while self.assigned.front().is_some_and(|t| *t < window_starts) {
            self.assigned.pop_front();
        }
    }
}

enum Change<'a> {
    SignedOut,
    State(&'a AgentState, &'a Option<NextState>),
    Channels(ChannelSet),
    Queues(&'a [QueueId], &'a [(QueueId, u32)]),
    Lost,
    Resumed,
}

fn agent_event(event: &Event) -> Option<(AgentId, Change<'_>)> {
    match event {
        Event::AgentSignedOut { agent, .. } => Some((*agent, Change::SignedOut)),
        Event::AgentStateChanged { agent, state, next } => {
            Some((*agent, Change::State(state, next)))
        }
        Event::AgentChannelsChanged { agent, channels } => {
            Some((*agent, Change::Channels(*channels)))
        }
        Event::AgentQueuesChanged {
            agent,
            queues,
            starts,
        } => Some((*agent, Change::Queues(queues, starts))),
        Event::AgentConnectionLost { agent, .. } => Some((*agent, Change::Lost)),
        Event::AgentResumed { agent, .. } => Some((*agent, Change::Resumed)),
        Event::ContactEntered { .. }
        | Event::ContactOffered { .. }
        | Event::ContactConnecting { .. }
        | Event::LegConnected { .. }
        | Event::ContactRequeued { .. }
        | Event::ContactReturned { .. }
        | Event::ContactReadmitted { .. }
        | Event::ContactStepped { .. }
        | Event::ContactReleased { .. }
        | Event::ContactPrioritised { .. }
        | Event::ContactUpdated { .. }
        | Event::ContactEnded { .. }
        | Event::ContactClosed { .. }
        | Event::LegWrapUpStarted { .. }
        | Event::LegWrapUpGiven { .. }
        | Event::LegEnded { .. }
        | Event::MediaConnect { .. }
        | Event::MediaDisconnect { .. }
        | Event::MediaReported { .. }
        | Event::OfferMade { .. }
        | Event::OfferTaken { .. }
        | Event::OfferEnded { .. }
        | Event::SeatWrapUp { .. }
        | Event::SeatReleased { .. }
        | Event::AgentSignedIn { .. }
        | Event::Recovered { .. }
        | Event::WorkspaceDraining { .. }
        | Event::ActorRestarted { .. } => None,
    }
}

#[cfg(test)]
mod tests;
