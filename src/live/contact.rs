//! A contact as everybody who watches sees it: one row, kept by its queue's events.

use crate::domain::contact::{Closed, ContactState, Content, Facts, Leg, LegEnd, LegState, Role};
use crate::domain::event::{Event, OfferRef};
use crate::domain::requirement::Requirement;
use crate::domain::urgency::{Entry, Urgency};
use crate::id::{AgentId, ContactId, OfferId, QueueId};
use crate::limits;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A contact. Rows are shared handles: one who holds one sees it as it was when cut.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ContactRow {
    /// What it came with. Priority, tier and requirement of now stand beside it.
    pub facts: Arc<Facts>,
    /// Customer and attributes: read through a lens only. Never written with the row.
    #[serde(skip)]
    pub(super) content: Arc<Content>,
    /// The queue that has it.
    pub queue: QueueId,
    /// When it came into that queue.
    pub entered: Instant,
    /// Where the customer's side stands.
    pub state: ContactState,
    /// Since when.
    pub since: Instant,
    /// When it should be answered.
    pub due_at: Instant,
    /// Own priority points.
    pub priority: i32,
    /// Strict class.
    pub tier: u8,
    /// Its own requirement.
    pub requirement: Requirement,
    /// Requirement step in force.
    pub step: u16,
    /// Open offers, with whom they are made to.
    pub offers: Vec<(OfferId, AgentId)>,
    /// Legs in the order in which they began; of those that are over the last few.
    pub legs: Vec<LegRow>,
    /// Agents who may not have it, each until then.
    pub(super) excluded: Vec<(AgentId, Instant)>,
    /// The preferred agent is no longer waited for.
    pub(super) released: bool,
    /// Somebody has answered it.
    pub answered: bool,
    /// Why it is over, or will be.
    pub reason: Option<Closed>,
}

/// An agent's part in a contact.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LegRow {
    /// The offer it came from: its id.
    pub offer: OfferId,
    /// Whose.
    pub agent: AgentId,
    /// Part in the contact.
    pub role: Role,
    /// Where it stands.
    pub state: LegStanding,
    /// Since when.
    pub since: Instant,
    /// Wrap-up codes given.
    pub codes: Vec<String>,
}

/// Where a leg stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LegStanding {
    /// Accepted, media not yet there.
    Connecting {
        /// Media must be there by then.
        deadline: Instant,
    },
    /// In the conversation.
    Connected,
    /// In wrap-up.
    WrapUp {
        /// It ends by itself then.
        until: Instant,
    },
    /// Over.
    Ended {
        /// How its last part ended; unknown when it never connected.
        how: Option<LegEnd>,
    },
}

impl LegStanding {
    /// Whether the leg is not over.
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            Self::Connecting { .. } | Self::Connected | Self::WrapUp { .. } => true,
            Self::Ended { .. } => false,
        }
    }
}

impl ContactRow {
    /// The row of a contact that comes into a queue for the first time.
    #[must_use]
    pub fn enter(
        facts: &Facts,
        content: Option<&Content>,
        queue: QueueId,
        due_at: Instant,
        at: Instant,
    ) -> Self {
        Self {
            facts: Arc::new(facts.clone()),
            content: Arc::new(content.cloned().unwrap_or_default()),
            queue,
            entered: at,
            state: ContactState::Waiting,
            since: at,
            due_at,
            priority: facts.priority,
            tier: facts.tier,
            requirement: facts.requirement.clone(),
            step: 0,
            offers: Vec::new(),
            legs: Vec::new(),
            excluded: Vec::new(),
            released: false,
            answered: false,
            reason: None,
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> ContactId {
        self.facts.id
    }

    /// Its place in the order of its queue.
    #[must_use]
    pub fn urgency(&self) -> Urgency {
        Urgency {
            tier: self.tier,
            due_at: self.due_at,
            entry: Entry::Contact(self.facts.id),
        }
    }

    /// Whether it is in line: waiting, offered or connecting.
    #[must_use]
    pub fn in_line(&self) -> bool {
        match self.state {
            ContactState::Waiting | ContactState::Offered | ContactState::Connecting => true,
            ContactState::Active | ContactState::WrapUp | ContactState::Closed => false,
        }
    }

    /// Whether it is not over.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.state != ContactState::Closed
    }

    /// Why it is over; nothing while it is not.
    #[must_use]
    pub fn over(&self) -> Option<Closed> {
        self.reason.filter(|_| !self.is_live())
    }

    /// Legs that are not over.
    pub fn open_legs(&self) -> impl Iterator<Item = &LegRow> {
        self.legs.iter().filter(|leg| leg.state.is_open())
    }

    /// Takes in an event of the contact's queue. Events of other contacts are not for it.
    pub fn fold(&mut self, at: Instant, event: &Event, content: Option<&Content>) {
        match event {
            Event::ContactEntered {
                queue,
                due_at,
                facts,
                ..
            } => {
                (self.queue, self.entered, self.due_at) = (*queue, at, *due_at);
                (self.priority, self.tier) = (facts.priority, facts.tier);
                self.offers.clear();
                self.become_(ContactState::Waiting, at);
            }
            Event::ContactOffered { seats, .. } => {
                self.offers.extend(seats.iter().copied());
                self.become_(ContactState::Offered, at);
            }
            Event::ContactConnecting { offer, deadline } => {
                self.offers.retain(|(open, _)| *open != offer.offer);
                self.legs.push(LegRow::connecting(offer, *deadline, at));
                self.become_(ContactState::Connecting, at);
            }
            Event::LegConnected { leg, .. } => {
                self.connect(leg);
                self.offers.clear();
                self.answered = true;
                self.become_(ContactState::Active, at);
            }
            Event::ContactRequeued { excluded, .. } => {
                if let Some((agent, until)) = excluded {
                    self.excluded.retain(|(other, _)| other != agent);
                    self.excluded.push((*agent, *until));
                }
                self.offers.clear();
                self.legs.retain(|leg| !leg.is_connecting());
                self.become_(ContactState::Waiting, at);
            }
            Event::ContactReturned {
                priority, due_at, ..
            } => {
                (self.priority, self.due_at) = (*priority, *due_at);
                self.become_(ContactState::Waiting, at);
            }
            Event::ContactReadmitted { agents, .. } => {
                self.excluded.retain(|(agent, _)| !agents.contains(agent));
            }
            Event::ContactReleased { .. } => self.released = true,
            Event::ContactStepped { step, .. } => self.step = *step,
            Event::ContactPrioritised {
                priority,
                tier,
                due_at,
                ..
            } => (self.priority, self.tier, self.due_at) = (*priority, *tier, *due_at),
            Event::ContactUpdated { requirement, .. } => {
                self.requirement.clone_from(requirement);
                self.update(content);
            }
            Event::ContactEnded { reason, .. } => {
                self.reason = Some(*reason);
                self.become_(ContactState::WrapUp, at);
            }
            Event::ContactClosed { reason, .. } => self.close(*reason, at),
            Event::LegWrapUpStarted { offer, until, .. } => {
                self.leg(offer.offer, at, LegStanding::WrapUp { until: *until });
            }
            Event::LegWrapUpGiven { offer, codes } => {
                if let Some(leg) = self.leg_mut(offer.offer) {
                    leg.codes.clone_from(codes);
                }
            }
            Event::LegEnded { offer, how, .. } => {
                self.leg(offer.offer, at, LegStanding::Ended { how: Some(*how) });
                self.forget_old_legs();
            }
            Event::MediaConnect { .. }
            | Event::MediaDisconnect { .. }
            | Event::MediaReported { .. }
            | Event::OfferMade { .. }
            | Event::OfferTaken { .. }
            | Event::OfferEnded { .. }
            | Event::SeatWrapUp { .. }
            | Event::SeatReleased { .. }
            | Event::AgentSignedIn { .. }
            | Event::AgentSignedOut { .. }
            | Event::AgentStateChanged { .. }
            | Event::AgentChannelsChanged { .. }
            | Event::AgentQueuesChanged { .. }
            | Event::AgentConnectionLost { .. }
            | Event::AgentResumed { .. }
            | Event::Recovered { .. }
            | Event::WorkspaceDraining { .. }
            | Event::ActorRestarted { .. } => {}
        }
    }

    fn become_(&mut self, state: ContactState, at: Instant) {
        if self.state != state {
            (self.state, self.since) = (state, at);
        }
    }

    fn close(&mut self, reason: Closed, at: Instant) {
        self.reason = Some(reason);
        self.offers.clear();
        for leg in self.legs.iter_mut().filter(|leg| leg.state.is_open()) {
            (leg.state, leg.since) = (LegStanding::Ended { how: None }, at);
        }
        self.become_(ContactState::Closed, at);
    }

    fn connect(&mut self, leg: &Leg) {
        let connected = LegRow::of(leg);
        match self.leg_mut(leg.offer) {
            Some(row) => *row = connected,
            None => self.legs.push(connected),
        }
    }

    fn leg_mut(&mut self, offer: OfferId) -> Option<&mut LegRow> {
        self.legs.iter_mut().find(|leg| leg.offer == offer)
    }

    fn leg(&mut self, offer: OfferId, at: Instant, state: LegStanding) {
        if let Some(leg) = self.leg_mut(offer) {
            (leg.state, leg.since) = (state, at);
        }
    }

    fn forget_old_legs(&mut self) {
        let ended = self.legs.iter().filter(|leg| !leg.state.is_open()).count();
        if ended > limits::ENDED_LEGS
            && let Some(oldest) = self.legs.iter().position(|leg| !leg.state.is_open())
        {
            self.legs.remove(oldest);
        }
    }

    pub(super) fn update(&mut self, content: Option<&Content>) {
        if let Some(content) = content {
            self.content = Arc::new(Content {
                note: None,
                text: None,
                ..content.clone()
            });
        }
    }

    /// The same, of content that others have too.
    pub(super) fn share(&mut self, content: &Arc<Content>) {
        if content.note.is_none() && content.text.is_none() {
            self.content = Arc::clone(content);
        } else {
            self.update(Some(content));
        }
    }
}

impl LegRow {
    fn connecting(offer: &OfferRef, deadline: Instant, at: Instant) -> Self {
        Self {
            offer: offer.offer,
            agent: offer.agent,
            role: Role::Owner,
            state: LegStanding::Connecting { deadline },
            since: at,
            codes: Vec::new(),
        }
    }

    fn of(leg: &Leg) -> Self {
        let (state, since) = match leg.state {
            LegState::Connected => (LegStanding::Connected, leg.connected_at),
            LegState::WrapUp { since, until, .. } => (LegStanding::WrapUp { until }, since),
        };
        Self {
            offer: leg.offer,
            agent: leg.agent,
            role: leg.role,
            state,
            since,
            codes: leg.codes.clone(),
        }
    }

    fn is_connecting(&self) -> bool {
        match self.state {
            LegStanding::Connecting { .. } => true,
            LegStanding::Connected | LegStanding::WrapUp { .. } | LegStanding::Ended { .. } => {
                false
            }
        }
    }
}
