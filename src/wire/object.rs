//! The objects of the protocol, as results, snapshots and events show them; contacts are in
//! `contact.rs`. Texts are borrowed where an object is built to be sent, and owned where a
//! client reads it.

pub use super::contact::{
    ClosedReason, Contact, ContactChange, ContactState, Leg, LegState, Role, Why,
};
use super::push::Str;
use super::word::words;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

words! {
    /// State of an agent, as the agent or a supervisor set it.
    AgentState {
        /// Not here.
        SignedOut = "signed_out",
        /// Takes work.
        Available = "available",
        /// Takes no work, for a reason.
        NotReady = "not_ready",
    }
}

words! {
    /// The one state of an agent that people are shown. The first that holds, in this order.
    Summary {
        /// The socket is gone and has not come back.
        ConnectionLost = "connection_lost",
        /// Not ready because offers were missed.
        Missed = "missed",
        /// In a conversation.
        OnContact = "on_contact",
        /// In wrap-up.
        WrapUp = "wrap_up",
        /// An offer is open.
        Offered = "offered",
        /// Takes no work, for a reason.
        NotReady = "not_ready",
        /// Takes work.
        Available = "available",
        /// Not here.
        SignedOut = "signed_out",
    }
}

words! {
    /// Whether an agent's session has a socket.
    Connection {
        /// It has one.
        Connected = "connected",
        /// It has lost it and may come back.
        Lost = "lost",
        /// There is no session.
        None = "none",
    }
}

words! {
    /// Derived state of one channel of an agent.
    ChannelState {
        /// Switched off, and nothing is there.
        Off = "off",
        /// Nothing is there; takes work.
        Ready = "ready",
        /// An offer is open.
        Offered = "offered",
        /// At work, and can take more.
        Active = "active",
        /// Full.
        Busy = "busy",
        /// The work is interrupted by that of another channel.
        Interrupted = "interrupted",
        /// In wrap-up alone.
        WrapUp = "wrap_up",
    }
}

/// An agent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Agent<'a> {
    /// Name by which the agent is configured.
    pub id: Str<'a>,
    /// Name for people.
    pub name: Str<'a>,
    /// State as it was set.
    pub state: AgentState,
    /// Reason of `not_ready`.
    pub reason: Option<Str<'a>>,
    /// Since when the state holds.
    pub since: u64,
    /// What will be set when the last work ends.
    pub next_state: Option<NextState<'a>>,
    /// The one state for people.
    pub summary: Summary,
    /// Whether the session has a socket.
    pub connection: Connection,
    /// Number of the sign-in; a later one has taken over.
    pub generation: u64,
    /// The channels the agent can handle, by name.
    pub channels: BTreeMap<Str<'a>, AgentChannel>,
    /// The queues the agent serves now.
    pub queues: Vec<Str<'a>>,
    /// The agent's teams; the first is the home team.
    pub teams: Vec<Str<'a>>,
}

/// A state that takes effect when the last work ends.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NextState<'a> {
    /// The state.
    pub state: AgentState,
    /// Reason of `not_ready`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Str<'a>>,
}

/// One channel of an agent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AgentChannel {
    /// Whether it is switched on.
    pub on: bool,
    /// Derived state.
    pub state: ChannelState,
    /// Contacts carried: offered, connecting, connected, and wrap-ups that hold capacity.
    pub load: u32,
    /// Most contacts at once.
    pub max: u32,
}

/// The customer of a contact.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Customer<'a> {
    /// Id with the integrator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Str<'a>>,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Str<'a>>,
    /// Address on the channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Str<'a>>,
}

/// Attributes of a contact: for people and screens, not for routing.
pub type Attributes<'a> = Cow<'a, BTreeMap<String, String>>;

/// A contact reserved for one agent until a deadline, as that agent sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Offer<'a> {
    /// Id of the offer.
    pub offer: Str<'a>,
    /// The contact offered.
    pub contact: Str<'a>,
    /// Its channel.
    pub channel: Str<'a>,
    /// The queue that offers it.
    pub queue: Str<'a>,
    /// It ends by then.
    pub deadline: u64,
    /// The server accepts by itself once `offer.shown` has come.
    pub auto_accept: bool,
    /// Whether `contact.decline` is allowed.
    pub may_decline: bool,
    /// What is known of the contact.
    pub card: Card<'a>,
}

/// What an offer shows of its contact.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Card<'a> {
    /// The customer.
    pub customer: Customer<'a>,
    /// Attributes.
    pub attributes: Attributes<'a>,
    /// Own priority points.
    pub priority: i32,
    /// Time from first entry to the offer, in milliseconds.
    pub waited_ms: u64,
    /// When the contact first entered a queue.
    pub first_entry: u64,
    /// The connector's id.
    pub external_id: Str<'a>,
}

words! {
    /// Why an offer was taken back or failed.
    OfferWhy {
        /// The customer left.
        Abandoned = "abandoned",
        /// Another agent was first.
        LostRace = "lost_race",
        /// The agent stopped taking work.
        AgentLeft = "agent_left",
        /// A supervisor decided otherwise.
        Supervisor = "supervisor",
        /// The contact went to another queue.
        Moved = "moved",
        /// The contact waited too long for its queue.
        Overflowed = "overflowed",
        /// The agent no longer meets the requirement.
        NotEligible = "not_eligible",
        /// The engine was restarted.
        Restarted = "restarted",
        /// The page did not show it, or the leg did not connect.
        Technical = "technical",
    }
}

/// One choice of an agent for a contact, and its reasons.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Decision<'a> {
    /// When it was made.
    pub at: u64,
    /// The agent who was chosen.
    pub agent: Str<'a>,
    /// By what.
    pub by: ChosenBy,
    /// Others who could have had it, best first, at most five.
    pub runners_up: Vec<Str<'a>>,
    /// Members passed over, by reason: all who had no room, and of those with room the ones that
    /// were looked at.
    pub passed_over: BTreeMap<PassedOver, u32>,
}

words! {
    /// By what an agent was chosen.
    ChosenBy {
        /// The only one who could.
        Only = "only",
        /// The contact's preferred agent.
        Preferred = "preferred",
        /// Fewest contacts first, or fullest first.
        Fill = "fill",
        /// The queue's selection.
        Selection = "selection",
        /// Longest idle, then id.
        Idle = "idle",
    }
}

words! {
    /// Why a member of the queue was passed over.
    PassedOver {
        /// Signed out, not ready, connection lost, or not serving the queue.
        NotRoutable = "not_routable",
        /// The channel is off or not granted.
        ChannelOff = "channel_off",
        /// No room.
        Full = "full",
        /// Does not meet the requirement in force.
        Requirement = "requirement",
        /// Declined or missed this contact a moment ago.
        Excluded = "excluded",
        /// Serves the queue only after a longer wait.
        Delay = "delay",
        /// Serves a queue of better rank first.
        BetterRank = "better_rank",
        /// The contact is for another agent.
        Named = "named",
        /// A contact that may be more urgent was about to be known.
        Barrier = "barrier",
    }
}
