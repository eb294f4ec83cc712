//! An agent as everybody who watches sees him: one row, kept by the floor's events.

use crate::domain::capacity::{ChannelSet, Channels, Load};
use crate::domain::event::{Event, NextState, OfferRef};
use crate::domain::machine::{ChannelCard, ChannelState};
use crate::domain::offer::{AgentState, MISSED, Outcome};
use crate::domain::rules::AgentRules;
use crate::id::{AgentId, ChannelId, Generation, OfferId, QueueId};
use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// An agent. Rows are shared handles: one who holds one sees it as it was when cut.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AgentRow {
    /// Who it is.
    pub agent: AgentId,
    /// State, as set.
    pub state: AgentState,
    /// Since when.
    pub since: Instant,
    /// A pending wish.
    pub next: Option<NextState>,
    /// The socket is there, or nobody is signed in.
    pub connected: bool,
    /// Of the current or last sign-in.
    pub generation: Generation,
    /// Channels switched on.
    pub on: ChannelSet,
    /// Queues chosen.
    pub queues: Vec<QueueId>,
    /// Open offers, legs and wrap-ups.
    pub work: Vec<Work>,
    /// State for people.
    pub summary: Summary,
    /// Since when.
    pub summary_since: Instant,
    /// Every channel that the agent can handle or has work of: derived, and never written.
    #[serde(skip)]
    pub channels: Vec<ChannelCard>,
}

/// A slot in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Work {
    /// What it came from.
    pub offer: OfferRef,
    /// Where it stands.
    pub phase: Phase,
    /// Since when.
    pub since: Instant,
}

/// Where a slot's work stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Phase {
    /// Offered, until the deadline.
    Offered {
        /// It ends by then.
        deadline: Instant,
    },
    /// Accepted, the leg not yet connected.
    Connecting,
    /// In conversation.
    Connected,
    /// In wrap-up.
    WrapUp {
        /// It ends by itself then.
        until: Instant,
        /// The slot stays taken.
        holds_capacity: bool,
    },
}

/// One state for people, by fixed precedence: the first that holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Summary {
    /// Signed in, but the socket is gone.
    ConnectionLost,
    /// Not ready because offers were missed.
    Missed,
    /// Some leg is connected, or about to be.
    OnContact,
    /// Some wrap-up is open.
    WrapUp,
    /// Some offer is open.
    Offered,
    /// Takes no work, for a reason.
    NotReady,
    /// Takes work.
    Available,
    /// Not here.
    SignedOut,
}

impl Summary {
    /// The word for it on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConnectionLost => "connection_lost",
            Self::Missed => "missed",
            Self::OnContact => "on_contact",
            Self::WrapUp => "wrap_up",
            Self::Offered => "offered",
            Self::NotReady => "not_ready",
            Self::Available => "available",
            Self::SignedOut => "signed_out",
        }
    }

    /// The summary of a state as set, of the connection, and of what is going on: whether
    /// anything is connecting or connected, in wrap-up, and offered.
    #[must_use]
    pub fn of(
        state: &AgentState,
        connected: bool,
        on_contact: bool,
        wrap_up: bool,
        offered: bool,
    ) -> Self {
        match state {
            state if *state != AgentState::SignedOut && !connected => Self::ConnectionLost,
            AgentState::NotReady(reason) if reason == MISSED => Self::Missed,
            _ if on_contact => Self::OnContact,
            _ if wrap_up => Self::WrapUp,
            _ if offered => Self::Offered,
            AgentState::NotReady(_) => Self::NotReady,
            AgentState::Available => Self::Available,
            AgentState::SignedOut => Self::SignedOut,
        }
    }
}

impl AgentRow {
    /// The row of an agent who has not signed in since `at`.
    #[must_use]
    pub fn new(agent: AgentId, rules: &AgentRules, table: &Channels, at: Instant) -> Self {
        let mut row = Self {
            agent,
            state: AgentState::SignedOut,
            since: at,
            next: None,
            connected: true,
            generation: Generation(0),
            on: ChannelSet::EMPTY,
            queues: Vec::new(),
            work: Vec::new(),
            summary: Summary::SignedOut,
            summary_since: at,
            channels: Vec::new(),
        };
        row.derive(at, rules, table);
        row
    }

    /// The agent may be given work on the channels that are on. Whoever is about to leave is
    /// given none.
    #[must_use]
    pub fn is_routable(&self) -> bool {
        self.state == AgentState::Available && self.connected && self.next.is_none()
    }

    /// Reason of `not_ready`.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match &self.state {
            AgentState::NotReady(reason) => Some(reason),
            AgentState::SignedOut | AgentState::Available => None,
        }
    }

    /// Work of a kind.
    #[must_use]
    pub fn count(&self, kind: impl Fn(Phase) -> bool) -> u32 {
        let count = self.work.iter().filter(|work| kind(work.phase)).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Slots taken.
    #[must_use]
    pub fn load(&self) -> Load {
        let mut load = Load::default();
        for work in &self.work {
            match work.phase {
                Phase::Offered { .. } | Phase::Connecting => load.add(work.offer.channel),
                Phase::Connected => {
                    load.add(work.offer.channel);
                    load.connect(work.offer.channel);
                }
                Phase::WrapUp { holds_capacity, .. } => {
                    if holds_capacity {
                        load.add(work.offer.channel);
                    }
                }
            }
        }
        load
    }

    /// Contacts of a channel that could be given to the agent now, one after another.
    #[must_use]
    pub fn free(
        &self,
        channel: ChannelId,
        load: &Load,
        rules: &AgentRules,
        table: &Channels,
    ) -> u32 {
        if self.is_routable() && self.on.contains(channel) {
            load.free_for(channel, table, &rules.capacity)
        } else {
            0
        }
    }

    /// What the agent is able to carry was changed.
    pub fn rules_changed(&mut self, at: Instant, rules: &AgentRules, table: &Channels) {
        self.derive(at, rules, table);
    }

    /// Takes in an event of the floor about this agent.
    pub fn fold(&mut self, at: Instant, event: &Event, rules: &AgentRules, table: &Channels) {
        match event {
            Event::OfferMade {
                offer, deadline, ..
            } => self.work.push(Work {
                offer: *offer,
                phase: Phase::Offered {
                    deadline: *deadline,
                },
                since: at,
            }),
            Event::OfferTaken { offer } => self.advance(at, offer.offer, Phase::Connecting),
            Event::OfferEnded { offer, outcome } => match outcome {
                Outcome::Accepted => self.advance(at, offer.offer, Phase::Connected),
                Outcome::Declined | Outcome::Missed | Outcome::Withdrawn(_) | Outcome::Failed => {
                    self.drop_work(offer.offer);
                }
            },
            Event::SeatWrapUp {
                offer,
                until,
                holds_capacity,
            } => self.advance(
                at,
                offer.offer,
                Phase::WrapUp {
                    until: *until,
                    holds_capacity: *holds_capacity,
                },
            ),
            Event::SeatReleased { offer, .. } => self.drop_work(offer.offer),
            Event::AgentSignedIn {
                generation,
                channels,
                queues,
                state,
                ..
            } => {
                (self.generation, self.connected, self.on) = (*generation, true, *channels);
                self.queues.clone_from(queues);
                self.set_state(at, state, None);
            }
            Event::AgentSignedOut { .. } => {
                self.connected = true;
                self.set_state(at, &AgentState::SignedOut, None);
            }
            Event::AgentStateChanged { state, next, .. } => {
                self.set_state(at, state, next.clone());
            }
            Event::AgentChannelsChanged { channels, .. } => self.on = *channels,
            Event::AgentQueuesChanged { queues, .. } => self.queues.clone_from(queues),
            Event::AgentConnectionLost { .. } => self.connected = false,
            Event::AgentResumed { generation, .. } => {
                (self.connected, self.generation) = (true, *generation);
            }
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
            | Event::Recovered { .. }
            | Event::WorkspaceDraining { .. }
            | Event::ActorRestarted { .. } => return,
        }
        self.derive(at, rules, table);
    }

    fn set_state(&mut self, at: Instant, state: &AgentState, next: Option<NextState>) {
        if self.state != *state {
            (self.state, self.since) = (state.clone(), at);
        }
        self.next = next;
    }

    fn advance(&mut self, at: Instant, offer: OfferId, phase: Phase) {
        if let Some(work) = self.work.iter_mut().find(|work| work.offer.offer == offer) {
            (work.phase, work.since) = (phase, at);
        }
    }

    fn drop_work(&mut self, offer: OfferId) {
        self.work.retain(|work| work.offer.offer != offer);
    }

    /// What follows from the rest: channel states and the summary.
    fn derive(&mut self, at: Instant, rules: &AgentRules, table: &Channels) {
        let load = self.load();
        let interrupted = load.interrupted(table);
        let present: ChannelSet = self.work.iter().map(|work| work.offer.channel).collect();
        self.channels.clear();
        for channel in ChannelSet(rules.channels.0 | present.0).iter() {
            let card = ChannelCard {
                channel,
                on: self.on.contains(channel),
                load: load.count(channel),
                max: rules.capacity.max(channel, table),
                state: self.channel_state(channel, interrupted, &load, rules, table),
            };
            self.channels.push(card);
        }
        let summary = Summary::of(
            &self.state,
            self.connected,
            self.work.iter().any(|work| on_contact(work.phase)),
            self.work.iter().any(|work| in_wrap_up(work.phase)),
            self.work.iter().any(|work| offered(work.phase)),
        );
        if self.summary != summary {
            (self.summary, self.summary_since) = (summary, at);
        } else if summary == Summary::NotReady {
            self.summary_since = self.since.max(self.summary_since);
        }
    }

    fn channel_state(
        &self,
        channel: ChannelId,
        interrupted: ChannelSet,
        load: &Load,
        rules: &AgentRules,
        table: &Channels,
    ) -> ChannelState {
        let any = |kind: fn(Phase) -> bool| {
            let mut work = self
                .work
                .iter()
                .filter(|work| work.offer.channel == channel);
            work.any(|work| kind(work.phase))
        };
        let room = load.room_for(channel, table, &rules.capacity).is_ok();
        let here = any(|_| true);
        if !here && !self.on.contains(channel) {
            ChannelState::Off
        } else if any(offered) {
            ChannelState::Offered
        } else if interrupted.contains(channel) {
            ChannelState::Interrupted
        } else if here && !any(on_contact) {
            ChannelState::WrapUp
        } else if !room {
            ChannelState::Busy
        } else if here {
            ChannelState::Active
        } else {
            ChannelState::Ready
        }
    }
}

/// An open offer.
#[must_use]
pub fn offered(phase: Phase) -> bool {
    matches!(phase, Phase::Offered { .. })
}

/// A leg that is about to be connected.
#[must_use]
pub fn connecting(phase: Phase) -> bool {
    matches!(phase, Phase::Connecting)
}

/// A connected leg.
#[must_use]
pub fn connected(phase: Phase) -> bool {
    matches!(phase, Phase::Connected)
}

/// A leg, connected or about to be.
#[must_use]
pub fn on_contact(phase: Phase) -> bool {
    matches!(phase, Phase::Connecting | Phase::Connected)
}

/// A wrap-up.
#[must_use]
pub fn in_wrap_up(phase: Phase) -> bool {
    matches!(phase, Phase::WrapUp { .. })
}
