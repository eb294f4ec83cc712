//! What is known of a contact: routing facts, content, states, legs and ends.

use crate::domain::requirement::Requirement;
use crate::id::{AgentId, ChannelId, ContactId, OfferId, QueueId, ReservationId, TeamId, UserId};
use crate::time::{Instant, Span};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Facts of a contact that routing goes by. No content: that is [`Content`].
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// Id on the wire.
    pub id: ContactId,
    /// The connector's id, unique with the channel while the contact lives and a while after.
    pub external_id: Arc<str>,
    /// Channel.
    pub channel: ChannelId,
    /// Joins contacts of one matter.
    pub conversation: ContactId,
    /// When the contact first entered a queue; kept through requeues and transfers.
    pub first_entry: Instant,
    /// Own priority points.
    pub priority: i32,
    /// Strict class, 0 to 9.
    pub tier: u8,
    /// A due time named at submit.
    pub due_at: Option<Instant>,
    /// The contact's own requirement: required skills and expression.
    pub requirement: Requirement,
    /// Agent to be offered first.
    pub preferred: Option<AgentId>,
    /// How long the preferred agent is waited for; without end when absent.
    pub patience: Option<Span>,
    /// Who submitted it.
    pub submitted_by: UserId,
}

/// What people say and who they are: travels beside events, erasable.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Content {
    /// Customer's id with the integrator.
    pub customer_id: Option<String>,
    /// Customer's name.
    pub customer_name: Option<String>,
    /// Customer's address on the channel.
    pub customer_address: Option<String>,
    /// Attributes for people and screens.
    pub attributes: BTreeMap<String, String>,
    /// A note given with a wrap-up, or why an offer was declined.
    pub note: Option<String>,
    /// Text of a notice.
    pub text: Option<String>,
}

/// What an offer shows of a contact.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Card {
    /// Routing facts.
    pub facts: Facts,
    /// Customer and attributes.
    pub content: Arc<Content>,
    /// The queue that offers.
    pub queue: QueueId,
}

/// State of the customer's side of a contact.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactState {
    /// In line.
    Waiting,
    /// Offered to somebody.
    Offered,
    /// Accepted, the leg not yet connected.
    Connecting,
    /// A leg is connected.
    Active,
    /// No party is left, some wrap-up is open.
    WrapUp,
    /// Over.
    Closed,
}

/// Why a contact is over.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closed {
    /// Handled.
    Completed,
    /// The customer left before an answer.
    Abandoned,
    /// The customer left almost at once.
    ShortAbandoned,
    /// Ended by the rules before an answer.
    EndedBySupervisor,
    /// The engine could not carry it on.
    Failed,
}

/// Why a contact is back in line after an offer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Requeued {
    /// The agent declined.
    Declined,
    /// The agent did not answer in time.
    Missed,
    /// The offer was taken back.
    Withdrawn,
    /// The leg did not connect, or the page did not show the offer.
    Failed,
}

/// Why a contact is back in line after an answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Returned {
    /// Its agent signed out.
    SignedOut,
    /// Its agent's connection was lost for longer than the grace.
    ConnectionLost,
    /// Somebody put it back.
    Requeued,
}

/// Part of an agent in a contact.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Has the contact.
    Owner,
    /// Takes part in a conference.
    Participant,
    /// Is asked for advice.
    Consulted,
    /// Listens.
    Monitor,
    /// Is heard by the agent alone.
    Coach,
    /// Has joined without being asked.
    Barged,
}

/// One agent's part in a contact. Its id is that of the offer it came from.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Leg {
    /// The offer it came from.
    pub offer: OfferId,
    /// The floor's promise behind it.
    pub reservation: ReservationId,
    /// Whose it is.
    pub agent: AgentId,
    /// The agent's home team when it began: a fact for permissions.
    pub team: Option<TeamId>,
    /// Part in the contact.
    pub role: Role,
    /// Where it stands.
    pub state: LegState,
    /// When it connected.
    pub connected_at: Instant,
    /// Wrap-up codes given so far.
    pub codes: Vec<String>,
}

/// Where a leg stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegState {
    /// In the conversation.
    Connected,
    /// In wrap-up since `since`, at the latest until `until`.
    WrapUp {
        /// When it began.
        since: Instant,
        /// When it ends by itself.
        until: Instant,
        /// The slot stays taken.
        holds_capacity: bool,
    },
}

/// How a leg's part ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegEnd {
    /// The agent ended the contact.
    Agent,
    /// The customer ended it.
    Customer,
    /// The contact went back to the queue.
    Returned,
    /// Wrap-up was finished by the agent.
    WrappedUp,
    /// Wrap-up ran out of time.
    WrapUpExpired,
    /// Somebody else ended the wrap-up.
    WrapUpEnded,
}
