//! The results of every method.

use super::object::{Agent, Contact, ContactState, Decision, Leg, Offer, PassedOver};
use super::push::Str;
use super::table::Cell;
use super::word::words;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `agent.sign_in`: what the agent has in hand; the first state of `me`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SignedIn {
    /// The view of `me` that was opened.
    pub sub: Str<'static>,
    /// The agent.
    pub agent: Agent<'static>,
    /// Open offers, with the time left.
    pub offers: Vec<Offer<'static>>,
    /// Legs, wrap-ups included.
    pub contacts: Vec<Leg<'static>>,
    /// What was taken away while the agent was not there.
    pub taken: Vec<Taken>,
}

/// A contact that was taken from an agent who was not there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Taken {
    /// The contact.
    pub contact: Str<'static>,
    /// Why.
    pub why: TakenWhy,
    /// The queue it went back to.
    #[serde(rename = "where")]
    pub to: Str<'static>,
}

words! {
    /// Why a contact was taken from an agent.
    TakenWhy {
        /// The connection was lost for too long.
        ConnectionLost = "connection_lost",
        /// The agent was signed out.
        SignedOut = "signed_out",
        /// Somebody put it back into its queue.
        Requeued = "requeued",
    }
}

/// What was done to an agent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OfAgent {
    /// The agent as it is now.
    pub agent: Agent<'static>,
}

/// `workspace.drain`
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Draining {
    /// No new contacts are taken.
    pub draining: bool,
}

/// `agent.list`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Agents {
    /// The agents that the caller may see, by id.
    pub agents: Vec<Agent<'static>>,
}

/// `contact.accept`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Accepted {
    /// The contact.
    pub contact: Str<'static>,
    /// The offer, which is the leg now.
    pub offer: Str<'static>,
    /// `connecting` or `active`.
    pub state: ContactState,
}

/// What was done to an offer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OfOffer {
    /// The offer.
    pub offer: Str<'static>,
}

/// What was done to a contact.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OfContact {
    /// The contact.
    pub contact: Str<'static>,
}

/// `contact.list`, and the data of a snapshot of `contacts` and `queue/{id}/contacts`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Contacts {
    /// The contacts that the caller may see, most urgent first.
    pub contacts: Vec<Contact<'static>>,
    /// How many there are; more than are listed if the limit was reached.
    pub total: u64,
}

/// `contact.trace`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Decisions {
    /// The last choices of an agent for this contact, at most twenty, oldest first.
    pub decisions: Vec<Decision<'static>>,
    /// The agent that was asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explained: Option<Explained>,
}

/// Why an agent is or is not chosen for a contact at this moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Explained {
    /// The agent.
    pub agent: Str<'static>,
    /// The first reason that keeps the agent from it; null if there is none.
    pub passed_over: Option<PassedOver>,
}

/// `contact.submit`: the same body the first time and every time after.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Submitted {
    /// The contact.
    pub contact: Str<'static>,
    /// Its channel.
    pub channel: Str<'static>,
    /// The connector's id.
    pub external_id: Str<'static>,
    /// The queue it first entered.
    pub queue: Str<'static>,
    /// Joins contacts of one matter.
    pub conversation: Str<'static>,
    /// When it first entered a queue.
    pub first_entry: u64,
}

/// `media.report`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Reported {
    /// The command.
    pub command: Str<'static>,
}

/// `queue.list`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Queues {
    /// The queues that the caller may see, by id.
    pub queues: Vec<Queue>,
}

/// A queue.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Queue {
    /// Name by which it is configured.
    pub id: Str<'static>,
    /// Name for people.
    pub name: Str<'static>,
    /// Names of the channels it serves.
    pub channels: Vec<Str<'static>>,
}

/// `stats.get`: a statistics table at one position.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Stats {
    /// The position that the rows show.
    pub as_of: u64,
    /// Names of the columns; the first is the key.
    pub columns: Vec<Str<'static>>,
    /// Rows, each as long as `columns`.
    pub rows: Vec<Vec<Cell<'static>>>,
}

/// `auth.refresh`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Refreshed {
    /// The session holds until then.
    pub expires_at: u64,
}

/// `session.workspaces`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Workspaces {
    /// The workspaces that the caller can open.
    pub workspaces: Vec<Workspace>,
}

/// A workspace.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Workspace {
    /// Name by which it is configured.
    pub id: Str<'static>,
}

/// `authorize`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Authorized {
    /// The answers, in the order of the items.
    pub answers: Vec<Authorization>,
}

/// Whether something is allowed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Authorization {
    /// Whether it is.
    pub allowed: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Str<'static>>,
}

/// Reply to `subscribe`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Subscribed<'a> {
    /// Name of the view; equal subscriptions have equal names.
    pub sub: Str<'a>,
}

/// Reply to `unsubscribe`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Unsubscribed {}
