//! What can happen to an object of a lossless view: a closed set of names, each with its data.

use super::error::WireError;
use super::object::{Agent, ContactChange, Leg, Offer, OfferWhy, Why};
use super::push::Str;
use super::raw::Raw;
use super::topic::TopicKind;
use super::word::words;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

words! {
    /// Name of an event: a noun and what happened to it. The two `media` events are commands to
    /// a connector, which answers them with `media.report`.
    EventName {
        /// A contact was offered to the agent.
        OfferMade = "offer.made",
        /// The offer was taken back.
        OfferWithdrawn = "offer.withdrawn",
        /// The agent did not answer the offer in time.
        OfferMissed = "offer.missed",
        /// The agent declined the offer.
        OfferDeclined = "offer.declined",
        /// The page did not show the offer, or the leg did not connect.
        OfferFailed = "offer.failed",
        /// An offer was accepted; the leg is being connected.
        LegConnecting = "leg.connecting",
        /// An agent's leg is connected.
        LegConnected = "leg.connected",
        /// The conversation of a leg is over; its wrap-up runs.
        LegWrapUp = "leg.wrap_up",
        /// Wrap-up codes or a note of a leg were given.
        LegWrapUpGiven = "leg.wrap_up_given",
        /// A leg is over, its wrap-up included.
        LegEnded = "leg.ended",
        /// An agent signed in.
        AgentSignedIn = "agent.signed_in",
        /// An agent's state or next state changed.
        AgentStateChanged = "agent.state_changed",
        /// An agent's channels were switched.
        AgentChannelsChanged = "agent.channels_changed",
        /// An agent's queues were chosen.
        AgentQueuesChanged = "agent.queues_changed",
        /// An agent's socket was lost.
        AgentConnectionLost = "agent.connection_lost",
        /// An agent's socket is back.
        AgentResumed = "agent.resumed",
        /// An agent signed out or was signed out.
        AgentSignedOut = "agent.signed_out",
        /// A contact came into a queue.
        ContactEntered = "contact.entered",
        /// A contact is offered to somebody.
        ContactOffered = "contact.offered",
        /// An offer of the contact was accepted; the leg is being connected.
        ContactConnecting = "contact.connecting",
        /// A contact is back in line after an offer; its place is kept.
        ContactRequeued = "contact.requeued",
        /// A contact is back in line after an answer.
        ContactReturned = "contact.returned",
        /// Agents who were kept off a contact after an offer may be offered it again.
        ContactReadmitted = "contact.readmitted",
        /// A later requirement step of its queue applies to a contact.
        ContactStepped = "contact.stepped",
        /// The preferred agent of a contact is no longer waited for.
        ContactReleased = "contact.released",
        /// Priority or tier of a contact was set.
        ContactPrioritised = "contact.prioritised",
        /// Attributes or requirement of a contact were changed.
        ContactUpdated = "contact.updated",
        /// Place in line or estimated wait of a contact moved.
        ContactPosition = "contact.position",
        /// Nobody is left in a contact; some wrap-up is open.
        ContactEnded = "contact.ended",
        /// A contact is over.
        ContactClosed = "contact.closed",
        /// The connector is to connect an agent with the customer.
        MediaConnect = "media.connect",
        /// The connector is to let an agent go.
        MediaDisconnect = "media.disconnect",
    }
}

/// How an offer ended, as its agent is told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OfferEnd<'a> {
    /// The offer.
    pub offer: Str<'a>,
    /// Its contact.
    pub contact: Str<'a>,
    /// Why it was taken back or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<OfferWhy>,
}

/// Command to a connector: connect an agent with the customer, then report `connected` or `failed`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MediaConnect<'a> {
    /// Id of the command, for `media.report`.
    pub command: Str<'a>,
    /// The contact.
    pub contact: Str<'a>,
    /// The leg: id of the offer it came from.
    pub leg: Str<'a>,
    /// The agent.
    pub agent: Str<'a>,
    /// How the agent is reached; null if no contact method is configured.
    pub address: Option<Str<'a>>,
    /// To be reported by then; later, the leg has failed.
    pub deadline: u64,
}

/// Command to a connector: let an agent go, then report `done` or `failed`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MediaDisconnect<'a> {
    /// Id of the command, for `media.report`.
    pub command: Str<'a>,
    /// The contact.
    pub contact: Str<'a>,
    /// The leg: id of the offer it came from.
    pub leg: Str<'a>,
}

/// An agent after an event, and what the event is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AgentChange<'a> {
    /// The agent as it is now.
    #[serde(flatten)]
    pub agent: Agent<'a>,
    /// The offer or leg that the event is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Str<'a>>,
    /// Why it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
}

/// Where a contact stands in line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ContactPosition<'a> {
    /// The contact.
    pub contact: Str<'a>,
    /// Its place in line, from 1.
    pub position: Option<u32>,
    /// Estimated wait, in milliseconds; null while there is no ground for an estimate.
    pub ewt_ms: Option<u64>,
}

/// Data of an event. Which one it is follows from the event's name and topic.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum EventData<'a> {
    /// `offer.made` on `me`.
    Offer(Offer<'a>),
    /// The other `offer` events on `me`.
    OfferEnd(OfferEnd<'a>),
    /// `leg` events on `me`.
    Leg(Leg<'a>),
    /// `agent` events on `me`.
    Agent(Agent<'a>),
    /// Every event on `agents`.
    AgentChange(AgentChange<'a>),
    /// `contact` and `leg` events on topics of contacts.
    Contact(ContactChange<'a>),
    /// `contact.position`.
    Position(ContactPosition<'a>),
    /// `media.connect`.
    MediaConnect(MediaConnect<'a>),
    /// `media.disconnect`.
    MediaDisconnect(MediaDisconnect<'a>),
}

/// What the data of an event is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DataKind {
    /// [`Offer`]
    Offer,
    /// [`OfferEnd`]
    OfferEnd,
    /// [`Leg`]
    Leg,
    /// [`Agent`]
    Agent,
    /// [`AgentChange`]
    AgentChange,
    /// [`ContactChange`]
    Contact,
    /// [`ContactPosition`]
    Position,
    /// [`MediaConnect`]
    MediaConnect,
    /// [`MediaDisconnect`]
    MediaDisconnect,
}

/// Events that go to the same topics with the same data.
#[derive(Clone, Copy)]
enum Group {
    Offer,
    OfferEnd,
    LegConnecting,
    Leg,
    LegCodes,
    AgentSelf,
    AgentPresence,
    Contact,
    Position,
    MediaConnect,
    MediaDisconnect,
}

impl EventName {
    const fn group(self) -> Group {
        match self {
            Self::OfferMade => Group::Offer,
            Self::OfferWithdrawn | Self::OfferMissed | Self::OfferDeclined | Self::OfferFailed => {
                Group::OfferEnd
            }
            Self::LegConnecting => Group::LegConnecting,
            Self::LegConnected | Self::LegWrapUp | Self::LegEnded => Group::Leg,
            Self::LegWrapUpGiven => Group::LegCodes,
            Self::AgentStateChanged
            | Self::AgentChannelsChanged
            | Self::AgentQueuesChanged
            | Self::AgentResumed
            | Self::AgentSignedOut => Group::AgentSelf,
            Self::AgentSignedIn | Self::AgentConnectionLost => Group::AgentPresence,
            Self::ContactEntered
            | Self::ContactOffered
            | Self::ContactConnecting
            | Self::ContactRequeued
            | Self::ContactReturned
            | Self::ContactReadmitted
            | Self::ContactStepped
            | Self::ContactReleased
            | Self::ContactPrioritised
            | Self::ContactUpdated
            | Self::ContactEnded
            | Self::ContactClosed => Group::Contact,
            Self::ContactPosition => Group::Position,
            Self::MediaConnect => Group::MediaConnect,
            Self::MediaDisconnect => Group::MediaDisconnect,
        }
    }

    /// What its data is on a topic; `None` where the topic does not show it.
    #[must_use]
    pub const fn data_on(self, topic: TopicKind) -> Option<DataKind> {
        match topic {
            TopicKind::Me => self.on_me(),
            TopicKind::Agents => self.on_agents(),
            TopicKind::Contact => self.on_contacts(true, false),
            TopicKind::Contacts | TopicKind::QueueContacts => self.on_contacts(false, false),
            TopicKind::Connector => self.on_contacts(true, true),
            TopicKind::StatsQueues | TopicKind::StatsAgents => None,
        }
    }

    const fn on_me(self) -> Option<DataKind> {
        match self.group() {
            Group::Offer => Some(DataKind::Offer),
            Group::OfferEnd => Some(DataKind::OfferEnd),
            Group::LegConnecting | Group::Leg => Some(DataKind::Leg),
            Group::AgentSelf => Some(DataKind::Agent),
            Group::LegCodes
            | Group::AgentPresence
            | Group::Contact
            | Group::Position
            | Group::MediaConnect
            | Group::MediaDisconnect => None,
        }
    }

    const fn on_agents(self) -> Option<DataKind> {
        match self.group() {
            Group::Offer
            | Group::OfferEnd
            | Group::LegConnecting
            | Group::Leg
            | Group::AgentSelf
            | Group::AgentPresence => Some(DataKind::AgentChange),
            Group::LegCodes
            | Group::Contact
            | Group::Position
            | Group::MediaConnect
            | Group::MediaDisconnect => None,
        }
    }

    const fn on_contacts(self, positions: bool, media: bool) -> Option<DataKind> {
        match self.group() {
            Group::Contact | Group::Leg | Group::LegCodes => Some(DataKind::Contact),
            Group::Position if positions => Some(DataKind::Position),
            Group::MediaConnect if media => Some(DataKind::MediaConnect),
            Group::MediaDisconnect if media => Some(DataKind::MediaDisconnect),
            Group::Offer
            | Group::OfferEnd
            | Group::LegConnecting
            | Group::AgentSelf
            | Group::AgentPresence
            | Group::Position
            | Group::MediaConnect
            | Group::MediaDisconnect => None,
        }
    }
}

impl EventData<'static> {
    /// Reads the data of an event, as a client does.
    ///
    /// # Errors
    /// `validation_failed` with the JSON pointer to what is missing or wrong.
    pub fn read(kind: DataKind, raw: &Raw) -> Result<Self, WireError> {
        match kind {
            DataKind::Offer => raw.parse().map(Self::Offer),
            DataKind::OfferEnd => raw.parse().map(Self::OfferEnd),
            DataKind::Leg => raw.parse().map(Self::Leg),
            DataKind::Agent => raw.parse().map(Self::Agent),
            DataKind::AgentChange => raw.parse().map(Self::AgentChange),
            DataKind::Contact => raw.parse().map(Self::Contact),
            DataKind::Position => raw.parse().map(Self::Position),
            DataKind::MediaConnect => raw.parse().map(Self::MediaConnect),
            DataKind::MediaDisconnect => raw.parse().map(Self::MediaDisconnect),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::EventName;
    use crate::live::change::Name;
    use crate::wire::topic::TopicKind;

    #[test]
    fn every_event_of_the_views_has_a_name_and_a_topic() {
        for name in Name::ALL {
            let event = EventName::find(name.word()).expect("the wire knows it");
            assert!(
                TopicKind::ALL
                    .iter()
                    .any(|topic| event.data_on(*topic).is_some()),
                "{event}"
            );
        }
    }
}
