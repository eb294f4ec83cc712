//! Contacts and their legs, as results, snapshots and events show them.

use super::object::{Attributes, Customer};
use super::push::Str;
use super::word::words;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

words! {
    /// An agent's part in a contact.
    Role {
        /// Has the contact.
        Owner = "owner",
        /// Takes part in a conference.
        Participant = "participant",
        /// Is asked for advice.
        Consulted = "consulted",
        /// Listens.
        Monitor = "monitor",
        /// Is heard by the agent alone.
        Coach = "coach",
        /// Has joined without being asked.
        Barged = "barged",
    }
}

words! {
    /// Where a leg stands.
    LegState {
        /// Accepted, not yet connected.
        Connecting = "connecting",
        /// In the conversation.
        Connected = "connected",
        /// After the conversation.
        WrapUp = "wrap_up",
        /// Over.
        Ended = "ended",
    }
}

/// One agent's part in a contact, from its accept to the end of its wrap-up.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Leg<'a> {
    /// The contact.
    pub contact: Str<'a>,
    /// The offer it came from; also the id of the leg.
    pub offer: Str<'a>,
    /// Whose it is; left out on `me`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Str<'a>>,
    /// Channel of the contact.
    pub channel: Str<'a>,
    /// The queue whose terms it carries.
    pub queue: Str<'a>,
    /// Part in the contact.
    pub role: Role,
    /// Where it stands.
    pub state: LegState,
    /// Since when.
    pub since: u64,
    /// When a wrap-up ends by itself.
    pub until: Option<u64>,
    /// On `me`, connected: the view of `contact/{id}` that the server opened for this leg.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<Str<'a>>,
}

words! {
    /// State of a contact: of the customer's side of it.
    ContactState {
        /// In line.
        Waiting = "waiting",
        /// Offered to somebody.
        Offered = "offered",
        /// Accepted, not yet connected.
        Connecting = "connecting",
        /// An agent is connected.
        Active = "active",
        /// Nobody is left in it; some wrap-up is open.
        WrapUp = "wrap_up",
        /// Over.
        Closed = "closed",
    }
}

words! {
    /// Why a contact is over.
    ClosedReason {
        /// It was handled.
        Completed = "completed",
        /// The customer left before an answer.
        Abandoned = "abandoned",
        /// The customer left before an answer, almost at once.
        ShortAbandoned = "short_abandoned",
        /// Somebody ended it before an answer.
        EndedBySupervisor = "ended_by_supervisor",
        /// The engine could not carry it on.
        Failed = "failed",
    }
}

/// A contact.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Contact<'a> {
    /// Id of the contact, a UUID.
    pub contact: Str<'a>,
    /// Its channel.
    pub channel: Str<'a>,
    /// The connector's id, unique with the channel.
    pub external_id: Str<'a>,
    /// The queue that owns it.
    pub queue: Str<'a>,
    /// Where it stands.
    pub state: ContactState,
    /// Since when.
    pub since: u64,
    /// When it first entered a queue; kept through requeues.
    pub first_entry: u64,
    /// When it should be answered: what its place in line goes by.
    pub due_at: u64,
    /// Own priority points.
    pub priority: i32,
    /// Strict class, 0 (first) to 9.
    pub tier: u8,
    /// The customer, as far as the reader may see.
    pub customer: Customer<'a>,
    /// Attributes.
    pub attributes: Attributes<'a>,
    /// Joins contacts of one matter.
    pub conversation: Str<'a>,
    /// Place in line, from 1, while it waits.
    pub position: Option<u32>,
    /// Estimated wait, in milliseconds; null while there is no ground for an estimate.
    pub ewt_ms: Option<u64>,
    /// Agents with an open offer or leg.
    pub agents: Vec<Str<'a>>,
    /// Open legs.
    pub legs: Vec<Leg<'a>>,
    /// Why it is closed.
    pub reason: Option<ClosedReason>,
}

/// What changed of a contact: the fields that an event moved, and always the state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ContactChange<'a> {
    /// Id of the contact.
    pub contact: Str<'a>,
    /// Where it stands now.
    pub state: ContactState,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// The queue that owns it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<Str<'a>>,
    /// When it should be answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<u64>,
    /// Own priority points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Strict class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<u8>,
    /// The customer from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<Customer<'a>>,
    /// All attributes from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Attributes<'a>>,
    /// Place in line; null when it no longer waits.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "given"
    )]
    pub position: Option<Option<u32>>,
    /// Estimated wait, in milliseconds; null while there is none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "given"
    )]
    pub ewt_ms: Option<Option<u64>>,
    /// Agents with an open offer or leg from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agents: Option<Vec<Str<'a>>>,
    /// All open legs from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legs: Option<Vec<Leg<'a>>>,
    /// Why it is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ClosedReason>,
    /// The offer or leg that the event is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Str<'a>>,
    /// The agent that the event is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Str<'a>>,
    /// Why it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
}

impl<'a> ContactChange<'a> {
    /// A change of nothing but the state.
    #[must_use]
    pub fn of(contact: Str<'a>, state: ContactState) -> Self {
        Self {
            contact,
            state,
            since: None,
            queue: None,
            due_at: None,
            priority: None,
            tier: None,
            customer: None,
            attributes: None,
            position: None,
            ewt_ms: None,
            agents: None,
            legs: None,
            reason: None,
            offer: None,
            agent: None,
            why: None,
        }
    }
}

/// Tells a null that is given from a field that is not.
fn given<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

words! {
    /// Why something happened to a contact or an agent.
    Why {
        /// Back in line: the agent declined the offer.
        Declined = "declined",
        /// Back in line: the agent did not answer the offer in time.
        Missed = "missed",
        /// Back in line: the offer was taken back.
        Withdrawn = "withdrawn",
        /// Back in line: the page did not show the offer, or the leg did not connect.
        Failed = "failed",
        /// Back in line after an answer: the agent signed out.
        SignedOut = "signed_out",
        /// The agent's connection was lost for too long.
        ConnectionLost = "connection_lost",
        /// Back in line after an answer: somebody put it there.
        Requeued = "requeued",
        /// A conversation: the agent ended it.
        Agent = "agent",
        /// A conversation: the customer ended it.
        Customer = "customer",
        /// A conversation: the contact went back to its queue.
        Returned = "returned",
        /// A wrap-up: the agent finished it.
        WrappedUp = "wrapped_up",
        /// A wrap-up: its time was over.
        WrapUpExpired = "wrap_up_expired",
        /// A wrap-up: somebody else ended it.
        WrapUpEnded = "wrap_up_ended",
        /// A sign-out: the agent's own wish.
        Own = "own",
        /// A sign-out: somebody else's.
        Forced = "forced",
        /// An offer: the customer left.
        Abandoned = "abandoned",
        /// An offer: another agent was first.
        LostRace = "lost_race",
        /// An offer: the agent stopped taking work.
        AgentLeft = "agent_left",
        /// An offer: a supervisor decided otherwise.
        Supervisor = "supervisor",
        /// An offer: the contact went to another queue.
        Moved = "moved",
        /// An offer: the contact waited too long for its queue.
        Overflowed = "overflowed",
        /// An offer: the agent no longer meets the requirement.
        NotEligible = "not_eligible",
        /// An offer: the engine was restarted.
        Restarted = "restarted",
        /// An offer: the page did not show it, or the leg did not connect.
        Technical = "technical",
    }
}
