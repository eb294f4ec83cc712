//! Grants and denials: a privilege, a scope, and where the catalogue says so channels.

use super::facts::{Facts, Thing};
use super::privilege::Privilege;
use super::scope::Scope;
use crate::id::{AgentId, ChannelId, ContactId, QueueId, TeamId};

/// A set of channels.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Channels(u64);

impl Channels {
    /// No channel.
    pub const NONE: Self = Self(0);
    /// Every channel, those included that are configured later.
    pub const EVERY: Self = Self(u64::MAX);

    /// The set of one channel.
    #[must_use]
    pub const fn only(channel: ChannelId) -> Self {
        if channel.0 < 64 {
            Self(1 << channel.0)
        } else {
            Self::NONE
        }
    }

    /// Whether the channel is in the set; without a channel, whether any is.
    #[must_use]
    pub fn admits(self, channel: Option<ChannelId>) -> bool {
        match channel {
            Some(channel) => self.0 & Self::only(channel).0 != 0,
            None => self != Self::NONE,
        }
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether every channel of the other set is in this one.
    #[must_use]
    pub const fn covers(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }
}

impl FromIterator<ChannelId> for Channels {
    fn from_iter<I: IntoIterator<Item = ChannelId>>(channels: I) -> Self {
        channels
            .into_iter()
            .fold(Self::NONE, |set, channel| set.union(Self::only(channel)))
    }
}

/// The ids that a grant with scope `named` lists. People and things are reached by their own
/// id; a contact by its id or by a fact of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Named {
    /// Agents and other users.
    pub agents: Vec<AgentId>,
    /// Queues.
    pub queues: Vec<QueueId>,
    /// Teams.
    pub teams: Vec<TeamId>,
    /// Contacts.
    pub contacts: Vec<ContactId>,
    /// Wallboards, reports, documents and whatever else has a name.
    pub things: Vec<Box<str>>,
}

impl Named {
    /// Whether nothing is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.agents.is_empty()
            && self.queues.is_empty()
            && self.teams.is_empty()
            && self.contacts.is_empty()
            && self.things.is_empty()
    }

    /// Whether the object is listed.
    #[must_use]
    pub fn lists(&self, facts: &Facts<'_>) -> bool {
        match facts {
            Facts::Contact(contact) => {
                let legs = || contact.legs.iter().filter(|leg| leg.is_public());
                let by_leg = || {
                    legs().any(|leg| {
                        self.agents.contains(&leg.agent)
                            || leg.teams.iter().any(|team| self.teams.contains(team))
                    })
                };
                let by_owner_team = || {
                    legs().next().is_none()
                        && contact.owner_team.is_some_and(|t| self.teams.contains(&t))
                };
                self.queues.contains(&contact.queue)
                    || self.contacts.contains(&contact.contact)
                    || by_leg()
                    || by_owner_team()
            }
            Facts::Agent(agent) => self.agents.contains(&agent.agent),
            Facts::Thing(thing) => match thing.thing {
                Thing::Queue(queue) => self.queues.contains(&queue),
                Thing::Team(team) => self.teams.contains(&team),
                Thing::Other(id) => self.things.iter().any(|listed| **listed == *id),
            },
            Facts::Rows | Facts::Workspace => false,
        }
    }

    /// Whether everything that the other lists is listed here.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        fn within<T: PartialEq>(inner: &[T], outer: &[T]) -> bool {
            inner.iter().all(|id| outer.contains(id))
        }
        within(&other.agents, &self.agents)
            && within(&other.queues, &self.queues)
            && within(&other.teams, &self.teams)
            && within(&other.contacts, &self.contacts)
            && within(&other.things, &self.things)
    }
}

/// A grant, or a denial: a privilege over a set of objects. A level is part of the privilege.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grant {
    /// The privilege, at its level where it has levels.
    pub privilege: Privilege,
    /// The set of objects.
    pub scope: Scope,
    /// The ids, where the scope is `named`; empty otherwise.
    pub named: Named,
    /// The channels, for a privilege that is per channel.
    pub channels: Channels,
    /// Counts only where the privilege is held by another grant that does not widen: the
    /// agent operations of supervisors reach further than an agent's, but come from `agent`.
    pub widens: bool,
}

impl Grant {
    /// A grant on every channel.
    #[must_use]
    pub fn new(privilege: Privilege, scope: Scope) -> Self {
        Self {
            privilege,
            scope,
            named: Named::default(),
            channels: Channels::EVERY,
            widens: false,
        }
    }

    /// A grant over listed ids.
    #[must_use]
    pub fn over(privilege: Privilege, named: Named) -> Self {
        Self {
            named,
            ..Self::new(privilege, Scope::Named)
        }
    }

    /// The same grant on these channels only.
    #[must_use]
    pub fn on(self, channels: Channels) -> Self {
        Self { channels, ..self }
    }
}
