//! What a workspace is configured to be, interned: the rules the machines decide by.
//! Built and cross-checked by `config/`; the machines take it as given.

use crate::domain::capacity::{Capacity, ChannelSet, Channels};
use crate::domain::requirement::Steps;
use crate::domain::skill::Qualities;
use crate::id::{AgentId, ChannelId, QueueId, TeamId};
use crate::limits;
use crate::time::Span;
use serde::{Deserialize, Serialize};

/// A workspace: a tenant. Nothing crosses it. Tables are indexed by the interned ids.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Workspace {
    /// Name of the workspace, as tokens and logs say it.
    pub name: String,
    /// Channels, by [`ChannelId`].
    pub channels: Channels,
    /// What else holds on a channel, by [`ChannelId`].
    pub policies: Vec<ChannelPolicy>,
    /// Names of the skills, by `SkillId`.
    pub skills: Vec<String>,
    /// Names of the teams, by [`TeamId`].
    pub teams: Vec<String>,
    /// Queues, by [`QueueId`].
    pub queues: Vec<QueueRules>,
    /// Users, by [`AgentId`]; those who handle no contacts have no channels.
    pub agents: Vec<AgentRules>,
    /// Rules that hold for the whole workspace.
    pub terms: WorkspaceTerms,
}

impl Workspace {
    /// Name of a channel, as the wire says it.
    #[must_use]
    pub fn channel_name(&self, channel: ChannelId) -> &str {
        self.channels.get(channel).map_or("", |rules| &rules.name)
    }

    /// A queue's rules; none if there is no such queue.
    #[must_use]
    pub fn queue(&self, queue: QueueId) -> Option<&QueueRules> {
        self.queues.get(queue.index())
    }

    /// A user's rules; none if there is no such user.
    #[must_use]
    pub fn agent(&self, agent: AgentId) -> Option<&AgentRules> {
        self.agents.get(agent.index())
    }
}

/// Rules of a workspace that are not a queue's or an agent's.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct WorkspaceTerms {
    /// What happens to an agent's work when the agent signs out.
    pub sign_out_with_work: SignOutWork,
    /// `not_ready(missed)` ends by itself after this time; never when absent.
    pub back_from_missed: Option<Span>,
    /// A missed or declined contact is not offered to that agent again for so long.
    pub retry_after: Span,
    /// An open offer of a lost socket waits for the agent at most so long.
    pub offer_grace: Span,
    /// How long a preferred agent who is at work is waited for.
    pub patience: Span,
    /// One priority point moves the due time by so much.
    pub priority_step: Span,
    /// Priority points a contact gains when its agent was lost.
    pub return_boost: i32,
}

impl Default for WorkspaceTerms {
    fn default() -> Self {
        Self {
            sign_out_with_work: SignOutWork::Refuse,
            back_from_missed: None,
            retry_after: limits::RETRY_AFTER,
            offer_grace: limits::OFFER_GRACE,
            patience: limits::PATIENCE,
            priority_step: limits::PRIORITY_STEP,
            return_boost: limits::RETURN_BOOST,
        }
    }
}

/// Rules of a channel that are not about capacity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChannelPolicy {
    /// Misses in a row before `not_ready(missed)`.
    pub misses: u32,
    /// Work of a lost socket stays with its agent for so long; as long as media lives when
    /// absent.
    pub grace: Option<Span>,
}

/// What becomes of the work of an agent who signs out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignOutWork {
    /// The sign-out is refused while there is work.
    Refuse,
    /// The sign-out waits as next state until the work is done.
    Drain,
    /// Every contact goes back to its queue at its age, with the return boost.
    Return,
}

/// A queue.
#[derive(Clone, PartialEq, Debug)]
pub struct QueueRules {
    /// Interned id.
    pub id: QueueId,
    /// Name on the wire.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// The team that owns the queue: a fact for permissions.
    pub team: Option<TeamId>,
    /// Points added to every contact's priority.
    pub priority: i32,
    /// Requirement steps; the first holds from entry on.
    pub steps: Steps,
    /// A step that nobody signed in could meet is passed over at once.
    pub skip_when_empty: bool,
    /// How the agent is chosen.
    pub selection: Selection,
    /// What comes before the selection on channels that several contacts share.
    pub fill: Fill,
    /// An offer is withdrawn when its agent stops meeting the requirement.
    pub strict: bool,
    /// The built-in queue of a channel: owns contacts for a named agent, has no members.
    pub direct: bool,
    /// Channels served, with their terms.
    pub channels: Vec<(ChannelId, ChannelTerms)>,
}

impl QueueRules {
    /// Terms on a channel; `None` if the queue does not serve it.
    #[must_use]
    pub fn terms(&self, channel: ChannelId) -> Option<&ChannelTerms> {
        self.channels
            .iter()
            .find(|(served, _)| *served == channel)
            .map(|(_, terms)| terms)
    }
}

/// Terms of a queue on one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelTerms {
    /// Time in which a contact should be answered; part of its urgency.
    pub target: Span,
    /// An offer rings so long.
    pub offer_timeout: Span,
    /// The server accepts for the agent, once the page has shown the offer.
    pub auto_accept: bool,
    /// The agent may decline.
    pub may_decline: bool,
    /// Whether media must be reported before a leg is connected.
    pub connect: Connect,
    /// From accept to connected media.
    pub connect_timeout: Span,
    /// What follows a leg.
    pub wrap_up: WrapUp,
    /// Agents rung at once by `ring_all`.
    pub ring_width: u8,
    /// An abandon sooner than this is counted as short.
    pub short_abandon: Span,
}

/// How a leg becomes connected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Connect {
    /// With the accept.
    AtOnce,
    /// When the connector reports media.
    ByReport,
}

/// Wrap-up policy of a queue on a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrapUp {
    /// The policy.
    pub mode: WrapUpMode,
    /// Longest wrap-up; a `timeboxed` one ends then with `default_code`.
    pub span: Span,
    /// Wrap-up keeps the slot.
    pub holds_capacity: bool,
    /// Code given when the wrap-up ends without the agent and none was chosen.
    pub default_code: Option<String>,
}

/// Kinds of wrap-up policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WrapUpMode {
    /// No wrap-up.
    None,
    /// A wrap-up the agent may end at any time.
    Optional,
    /// Codes must be given before it ends; bounded by `span`.
    Required,
    /// Ends by itself after `span`.
    Timeboxed,
}

/// How a queue chooses among eligible agents.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// Longest since the last leg ended.
    LongestIdle,
    /// Least used capacity.
    LeastLoaded,
    /// Highest sum of the levels asked for.
    MostSkilled,
    /// Lowest sum of the levels asked for: keeps experts free.
    LeastSkilled,
    /// In turn.
    RoundRobin,
    /// Fewest contacts in the last hour.
    FewestContacts,
    /// Nobody is chosen: agents pull.
    Manual,
}

/// What comes first on channels of which an agent carries several contacts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    /// Fewest contacts first.
    Spread,
    /// Fullest first: keeps others free for calls.
    Fill,
}

/// An agent.
#[derive(Clone, PartialEq, Debug)]
pub struct AgentRules {
    /// Interned id, the same number as the user's.
    pub id: AgentId,
    /// Name on the wire.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// Teams; the first is the home team.
    pub teams: Vec<TeamId>,
    /// Skills with their levels, teams, and who it is: what requirements ask for.
    pub qualities: Qualities,
    /// Queues served.
    pub memberships: Vec<Membership>,
    /// Channels the agent can handle.
    pub channels: ChannelSet,
    /// What the agent can carry at once.
    pub capacity: Capacity,
    /// Offers are accepted for the agent.
    pub auto_accept: bool,
    /// How the agent is reached for voice.
    pub address: Option<String>,
}

/// An agent's place in a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Membership {
    /// The queue.
    pub queue: QueueId,
    /// Served first to last: 1 is first.
    pub rank: u8,
    /// Only contacts that waited so long.
    pub delay: Span,
}
