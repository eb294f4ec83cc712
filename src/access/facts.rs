//! Facts: what the owner of an object states about it at the moment of a decision. Everything
//! is borrowed; stating facts allocates nothing.

use crate::id::{AgentId, ChannelId, ContactId, QueueId, TeamId, UserId};

/// The object of a decision.
#[derive(Clone, Copy, Debug)]
pub enum Facts<'a> {
    /// A contact.
    Contact(ContactFacts<'a>),
    /// An agent, or a user as the object of administration.
    Agent(AgentFacts<'a>),
    /// Any other object.
    Thing(ThingFacts<'a>),
    /// No single object: the answer is cut row by row afterwards. Any scope will do, so a
    /// refusal here means that no object at all could be allowed.
    Rows,
    /// The workspace as a whole. Only scope `all` reaches it, and only without any denial,
    /// because the whole holds what is denied.
    Workspace,
}

impl Facts<'_> {
    /// The channel of the object, if it has one.
    #[must_use]
    pub fn channel(&self) -> Option<ChannelId> {
        match self {
            Self::Contact(contact) => Some(contact.channel),
            Self::Agent(_) | Self::Thing(_) | Self::Rows | Self::Workspace => None,
        }
    }
}

/// What a queue knows about one of its contacts.
#[derive(Clone, Copy, Debug)]
pub struct ContactFacts<'a> {
    /// The contact.
    pub contact: ContactId,
    /// Its channel, which decides where a privilege is per channel.
    pub channel: ChannelId,
    /// The queue that is its home.
    pub queue: QueueId,
    /// The team that owns that queue. Counts only while no leg is open.
    pub owner_team: Option<TeamId>,
    /// Its legs: all open ones, and ended ones as far as they are still known.
    pub legs: &'a [LegFacts<'a>],
    /// Agents with an open offer of it.
    pub offered: &'a [AgentId],
    /// The identity that submitted it; for a decision on `contact.submit`, the caller.
    pub submitted_by: Option<UserId>,
    /// The integration over whose connector it runs.
    pub connector: Option<UserId>,
}

/// One agent's leg in a contact.
#[derive(Clone, Copy, Debug)]
pub struct LegFacts<'a> {
    /// The agent.
    pub agent: AgentId,
    /// The agent's teams, home team first.
    pub teams: &'a [TeamId],
    /// What the leg is there for.
    pub part: LegPart,
    /// How far it has come.
    pub standing: LegStanding,
    /// A monitor that nobody is told about. It is no fact of the contact for anyone else.
    pub private: bool,
}

/// What a leg is there for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LegPart {
    /// Handles the contact.
    Owner,
    /// Another party of a conference.
    Participant,
    /// Asked by the owner, not yet a party.
    Consulted,
    /// Listens; gives reading and `contact.leave`.
    Monitor,
    /// Listens and speaks to agents; gives messages to agents besides.
    Coach,
    /// A supervisor who speaks to everybody.
    Barged,
}

impl LegPart {
    /// Whether the leg takes part in the conversation, which a monitor or coach does not.
    #[must_use]
    pub const fn converses(self) -> bool {
        match self {
            Self::Owner | Self::Participant | Self::Consulted | Self::Barged => true,
            Self::Monitor | Self::Coach => false,
        }
    }
}

/// How far a leg has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LegStanding {
    /// Accepted, media not yet there.
    Connecting,
    /// Connected, on hold included.
    Connected,
    /// After the conversation.
    WrapUp,
    /// Over.
    Ended {
        /// Whether a late note or wrap-up code is still allowed.
        late_wrap_up: bool,
    },
}

impl LegStanding {
    /// Whether the leg still counts as a fact of the contact.
    #[must_use]
    pub const fn open(self) -> bool {
        match self {
            Self::Connecting | Self::Connected | Self::WrapUp => true,
            Self::Ended { .. } => false,
        }
    }

    /// Whether it has been connected and is not over.
    #[must_use]
    pub const fn engaged(self) -> bool {
        match self {
            Self::Connected | Self::WrapUp => true,
            Self::Connecting | Self::Ended { .. } => false,
        }
    }
}

/// What the floor, or the directory, knows about an agent.
#[derive(Clone, Copy, Debug)]
pub struct AgentFacts<'a> {
    /// The agent.
    pub agent: AgentId,
    /// Teams, home team first.
    pub teams: &'a [TeamId],
    /// Queues the agent is a member of.
    pub queues: &'a [QueueId],
}

/// What the owner of any other object knows about it.
#[derive(Clone, Copy, Debug)]
pub struct ThingFacts<'a> {
    /// The object.
    pub thing: Thing<'a>,
    /// Who made it, or whose it is.
    pub made_by: Option<UserId>,
    /// Teams it belongs to; of a queue, the team that owns it.
    pub teams: &'a [TeamId],
    /// Queues it belongs to.
    pub queues: &'a [QueueId],
    /// Of a pull list: the agents that are subscribed to it.
    pub subscribers: &'a [AgentId],
    /// Of a customer: the agents with a connected leg, or a wrap-up, in a contact of his.
    pub conversing: &'a [AgentId],
}

impl<'a> ThingFacts<'a> {
    /// Facts of an object about which nothing but its name is known.
    #[must_use]
    pub const fn of(thing: Thing<'a>) -> Self {
        Self {
            thing,
            made_by: None,
            teams: &[],
            queues: &[],
            subscribers: &[],
            conversing: &[],
        }
    }

    /// Facts of an object of one user: a draft, a document, a voicemail, settings.
    #[must_use]
    pub const fn made_by(thing: Thing<'a>, user: UserId) -> Self {
        Self {
            made_by: Some(user),
            ..Self::of(thing)
        }
    }
}

/// An object that is neither contact nor agent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Thing<'a> {
    /// A queue.
    Queue(QueueId),
    /// A team.
    Team(TeamId),
    /// Anything else, by the id that a grant with scope `named` lists.
    Other(&'a str),
}
