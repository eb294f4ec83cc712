//! What can happen to an object of a lossless view: a closed set of names, each with its data.

use super::error::WireError;
use super::object::{Agent, ContactChange, Leg, Offer, OfferWhy};
use super::push::Str;
use super::raw::Raw;
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

/// Data of an event. Which one it is follows from the event's name and topic.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum EventData<'a> {
    /// `offer.made`.
    Offer(Offer<'a>),
    /// The other `offer` events.
    OfferEnd(OfferEnd<'a>),
    /// `leg` events on `me`.
    Leg(Leg<'a>),
    /// `agent` events.
    Agent(Agent<'a>),
    /// `contact` and `leg` events on every other topic.
    Contact(ContactChange<'a>),
    /// `media.connect`.
    MediaConnect(MediaConnect<'a>),
    /// `media.disconnect`.
    MediaDisconnect(MediaDisconnect<'a>),
}

impl EventData<'static> {
    /// Reads the data of an event, as a client does; `on_me` says that the view is `me`.
    ///
    /// # Errors
    /// `validation_failed` with the JSON pointer to what is missing or wrong.
    pub fn read(event: EventName, on_me: bool, raw: &Raw) -> Result<Self, WireError> {
        match event {
            EventName::OfferMade => raw.parse().map(Self::Offer),
            EventName::OfferWithdrawn
            | EventName::OfferMissed
            | EventName::OfferDeclined
            | EventName::OfferFailed => raw.parse().map(Self::OfferEnd),
            EventName::LegConnecting
            | EventName::LegConnected
            | EventName::LegWrapUp
            | EventName::LegEnded
                if on_me =>
            {
                raw.parse().map(Self::Leg)
            }
            EventName::AgentSignedIn
            | EventName::AgentStateChanged
            | EventName::AgentChannelsChanged
            | EventName::AgentQueuesChanged
            | EventName::AgentConnectionLost
            | EventName::AgentResumed
            | EventName::AgentSignedOut => raw.parse().map(Self::Agent),
            EventName::LegConnecting
            | EventName::LegConnected
            | EventName::LegWrapUp
            | EventName::LegEnded
            | EventName::ContactEntered
            | EventName::ContactOffered
            | EventName::ContactConnecting
            | EventName::ContactRequeued
            | EventName::ContactReturned
            | EventName::ContactPrioritised
            | EventName::ContactUpdated
            | EventName::ContactPosition
            | EventName::ContactEnded
            | EventName::ContactClosed => raw.parse().map(Self::Contact),
            EventName::MediaConnect => raw.parse().map(Self::MediaConnect),
            EventName::MediaDisconnect => raw.parse().map(Self::MediaDisconnect),
        }
    }
}
