//! What the log knows of a queue: a fold of its events, and nothing else.

use crate::domain::contact::{Card, Closed, Content, Facts, Leg, LegState};
use crate::domain::event::{Event, OfferRef};
use crate::id::{
    AgentId, ChannelId, CommandId, ContactId, OfferId, QueueId, ReservationId, UserId,
};
use crate::limits;
use crate::time::Instant;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// The contacts of a queue, as its events tell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Book {
    /// Whose book it is.
    pub queue: QueueId,
    /// Contacts that are not closed.
    pub contacts: BTreeMap<ContactId, Held>,
    /// Lately closed contacts of which the connector may still report media.
    pub parted: BTreeMap<ContactId, Parted>,
    /// The same, by when they closed.
    parting: VecDeque<(Instant, ContactId)>,
}

/// What is kept of a closed contact, so that the connector can report that an agent was let go.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parted {
    /// Its connector.
    pub submitted_by: UserId,
    /// Its channel.
    pub channel: ChannelId,
    /// Media commands that were given.
    pub commands: u32,
}

/// A contact of the queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// Facts and content; written without the content, which is kept apart.
    #[serde(serialize_with = "write_card", deserialize_with = "read_card")]
    pub card: Arc<Card>,
    /// When it should be answered.
    pub due_at: Instant,
    /// Where the customer's side stands.
    pub state: State,
    /// Index of the latest requirement step that was taken.
    pub step: u16,
    /// The preferred agent is no longer waited for.
    pub released: bool,
    /// Who may not be offered it, and until when; sorted by agent.
    pub excluded: Vec<(AgentId, Instant)>,
    /// Open legs, wrap-ups included.
    pub legs: Vec<Leg>,
    /// Somebody answered it before.
    pub answered: bool,
    /// Media commands given so far.
    pub commands: u32,
}

/// Where the customer's side of a contact stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum State {
    /// In line.
    Waiting,
    /// Offered.
    Offered {
        /// The floor's promise.
        reservation: ReservationId,
        /// Its seats.
        seats: Vec<(OfferId, AgentId)>,
    },
    /// Accepted, not yet connected.
    Connecting {
        /// What was accepted.
        offer: OfferRef,
        /// Media must be reported by then.
        deadline: Instant,
        /// What the connector must report on.
        command: Option<CommandId>,
    },
    /// A leg is connected.
    Active,
    /// No party is left.
    WrapUp(Closed),
}

impl Held {
    /// Facts that routing goes by.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.card.facts
    }

    /// The leg that came from an offer.
    #[must_use]
    pub fn leg(&self, offer: OfferId) -> Option<&Leg> {
        self.legs.iter().find(|leg| leg.offer == offer)
    }

    /// The agent may not be offered it for a while.
    #[must_use]
    pub fn is_excluded(&self, agent: AgentId) -> bool {
        let place = self.excluded.binary_search_by_key(&agent, |(who, _)| *who);
        place.is_ok()
    }

    /// Somebody is in the conversation.
    #[must_use]
    pub fn connected(&self) -> bool {
        self.legs
            .iter()
            .any(|leg| matches!(leg.state, LegState::Connected))
    }

    fn change(&mut self, change: impl FnOnce(&mut Facts)) {
        change(&mut Arc::make_mut(&mut self.card).facts);
    }
}

impl Book {
    /// An empty book.
    #[must_use]
    pub fn new(queue: QueueId) -> Self {
        Self {
            queue,
            contacts: BTreeMap::new(),
            parted: BTreeMap::new(),
            parting: VecDeque::new(),
        }
    }

    /// Takes an event in. Events of other queues and of the floor change nothing.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the rest is named, event by event, in subject"
    )]
    pub fn fold(&mut self, at: Instant, event: &Event, content: Option<&Content>) {
        match event {
            Event::ContactEntered {
                facts,
                queue,
                due_at,
                how: _,
            } if *queue == self.queue => self.enter(facts, *due_at, content),
            Event::ContactClosed { contact, queue, .. } if *queue == self.queue => {
                self.close(at, *contact);
            }
            event => {
                if let Some((queue, contact)) = subject(event)
                    && queue == self.queue
                    && let Some(held) = self.contacts.get_mut(&contact)
                {
                    held.fold(at, event, content);
                }
            }
        }
    }

    /// Gives a contact its content back, which was kept apart.
    pub fn attach(&mut self, contact: ContactId, content: &Arc<Content>) {
        if let Some(held) = self.contacts.get_mut(&contact) {
            Arc::make_mut(&mut held.card).content = Arc::clone(content);
        }
    }

    fn close(&mut self, at: Instant, contact: ContactId) {
        if let Some(held) = self.contacts.remove(&contact)
            && held.commands > 0
        {
            let parted = Parted {
                submitted_by: held.facts().submitted_by,
                channel: held.facts().channel,
                commands: held.commands,
            };
            self.parted.insert(contact, parted);
            self.parting.push_back((at, contact));
        }
        while let Some((closed, contact)) = self.parting.front().copied()
            && (closed + limits::MEDIA_MEMORY <= at || self.parting.len() > limits::PARTED)
        {
            self.parting.pop_front();
            self.parted.remove(&contact);
        }
    }

    fn enter(&mut self, facts: &Facts, due_at: Instant, content: Option<&Content>) {
        let card = Card {
            facts: facts.clone(),
            content: Arc::new(content.cloned().unwrap_or_default()),
            queue: self.queue,
        };
        self.contacts.insert(
            facts.id,
            Held {
                card: Arc::new(card),
                due_at,
                state: State::Waiting,
                step: 0,
                released: false,
                excluded: Vec::new(),
                legs: Vec::new(),
                answered: false,
                commands: 0,
            },
        );
    }
}

impl Held {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the rest is named in fold_leg, and subject lets no other through"
    )]
    fn fold(&mut self, at: Instant, event: &Event, content: Option<&Content>) {
        match event {
            Event::ContactOffered {
                reservation, seats, ..
            } => {
                self.state = State::Offered {
                    reservation: *reservation,
                    seats: seats.clone(),
                };
            }
            Event::ContactConnecting { offer, deadline } => {
                self.state = State::Connecting {
                    offer: *offer,
                    deadline: *deadline,
                    command: None,
                };
            }
            Event::LegConnected { leg, .. } => {
                self.state = State::Active;
                self.answered = true;
                self.legs.push(leg.clone());
            }
            Event::ContactRequeued { excluded, .. } => {
                self.state = State::Waiting;
                if let Some((agent, until)) = excluded {
                    self.exclude(*agent, *until);
                }
            }
            Event::ContactReturned {
                priority, due_at, ..
            } => {
                self.state = State::Waiting;
                self.due_at = *due_at;
                self.change(|facts| facts.priority = *priority);
            }
            Event::ContactReadmitted { agents, .. } => {
                self.excluded.retain(|(agent, _)| !agents.contains(agent));
            }
            Event::ContactStepped { step, .. } => self.step = *step,
            Event::ContactReleased { .. } => self.released = true,
            Event::ContactPrioritised {
                priority,
                tier,
                due_at,
                ..
            } => {
                self.due_at = *due_at;
                self.change(|facts| {
                    facts.priority = *priority;
                    facts.tier = *tier;
                });
            }
            Event::ContactUpdated { requirement, .. } => {
                self.change(|facts| facts.requirement = requirement.clone());
                if let Some(content) = content {
                    Arc::make_mut(&mut self.card).content = Arc::new(content.clone());
                }
            }
            Event::ContactEnded { reason, .. } => self.state = State::WrapUp(*reason),
            event => self.fold_leg(at, event),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "subject lets no other event through, and a debug build says so"
    )]
    fn fold_leg(&mut self, at: Instant, event: &Event) {
        match event {
            Event::LegWrapUpStarted {
                offer,
                until,
                holds_capacity,
                ..
            } => {
                if let Some(leg) = self.legs.iter_mut().find(|leg| leg.offer == offer.offer) {
                    leg.state = LegState::WrapUp {
                        since: at,
                        until: *until,
                        holds_capacity: *holds_capacity,
                    };
                }
            }
            Event::LegWrapUpGiven { offer, codes } => {
                if let Some(leg) = self.legs.iter_mut().find(|leg| leg.offer == offer.offer) {
                    leg.codes.clone_from(codes);
                }
            }
            Event::LegEnded { offer, .. } => self.legs.retain(|leg| leg.offer != offer.offer),
            Event::MediaConnect { command, .. } => {
                self.commands = command.number;
                if let State::Connecting { command: asked, .. } = &mut self.state {
                    *asked = Some(*command);
                }
            }
            Event::MediaDisconnect { command, .. } => self.commands = command.number,
            event => debug_assert!(
                matches!(event, Event::MediaReported { .. }),
                "an event of a contact that its book does not know: {event:?}"
            ),
        }
    }

    fn exclude(&mut self, agent: AgentId, until: Instant) {
        match self.excluded.binary_search_by_key(&agent, |(who, _)| *who) {
            Ok(place) => self.excluded[place].1 = until,
            Err(place) => self.excluded.insert(place, (agent, until)),
        }
    }
}

fn write_card<S: Serializer>(card: &Card, serializer: S) -> Result<S::Ok, S::Error> {
    (&card.facts, card.queue).serialize(serializer)
}

fn read_card<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Card>, D::Error> {
    let (facts, queue) = Deserialize::deserialize(deserializer)?;
    let content = Arc::default();
    Ok(Arc::new(Card {
        facts,
        content,
        queue,
    }))
}

/// Queue and contact of an event that a queue writes of a contact it has.
fn subject(event: &Event) -> Option<(QueueId, ContactId)> {
    match event {
        Event::ContactOffered { contact, queue, .. }
        | Event::LegConnected { contact, queue, .. }
        | Event::ContactRequeued { contact, queue, .. }
        | Event::ContactReturned { contact, queue, .. }
        | Event::ContactReadmitted { contact, queue, .. }
        | Event::ContactStepped { contact, queue, .. }
        | Event::ContactReleased { contact, queue }
        | Event::ContactPrioritised { contact, queue, .. }
        | Event::ContactUpdated { contact, queue, .. }
        | Event::ContactEnded { contact, queue, .. } => Some((*queue, *contact)),
        Event::ContactConnecting { offer, .. }
        | Event::LegWrapUpStarted { offer, .. }
        | Event::LegWrapUpGiven { offer, .. }
        | Event::LegEnded { offer, .. }
        | Event::MediaConnect { offer, .. }
        | Event::MediaDisconnect { offer, .. } => Some((offer.queue, offer.contact)),
        Event::ContactEntered { .. }
        | Event::ContactClosed { .. }
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
        | Event::ActorRestarted { .. } => None,
    }
}
