//! What can be watched, and which part of it.

use crate::access::act;
use crate::access::permit::Act;
use crate::access::privilege::Needs;
use crate::domain::capacity::ChannelSet;
use crate::domain::contact::ContactState;
use crate::domain::rules::Workspace;
use crate::id::{AgentId, ContactId, QueueId, TeamId};
use crate::limits;
use crate::live::agent::{AgentRow, Summary};
use crate::live::contact::ContactRow;
use std::collections::BTreeSet;

/// A topic that the board speaks on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Topic {
    /// `contact/{id}`
    Contact(ContactId),
    /// `contacts`
    Contacts,
    /// `queue/{id}/contacts`
    QueueContacts(QueueId),
    /// `agents`
    Agents,
    /// `connector`
    Connector,
    /// `stats.queues`
    StatsQueues,
    /// `stats.agents`
    StatsAgents,
}

impl Topic {
    /// What a viewer needs for a row of it.
    #[must_use]
    pub const fn needs(self) -> Needs {
        match self {
            Self::Contact(_) | Self::Contacts => act::ContactView::NEEDS,
            Self::QueueContacts(_) => act::QueueContacts::NEEDS,
            Self::Agents => act::AgentWatch::NEEDS,
            Self::Connector => act::MediaReport::NEEDS,
            Self::StatsQueues => act::StatsQueues::NEEDS,
            Self::StatsAgents => act::StatsAgents::NEEDS,
        }
    }

    /// Whether it is a table of which only the latest values are sent.
    #[must_use]
    pub const fn is_table(self) -> bool {
        match self {
            Self::StatsQueues | Self::StatsAgents => true,
            Self::Contact(_)
            | Self::Contacts
            | Self::QueueContacts(_)
            | Self::Agents
            | Self::Connector => false,
        }
    }

    /// The fields it can be filtered by.
    #[must_use]
    pub const fn filters(self) -> &'static [&'static str] {
        match self {
            Self::Contacts | Self::Connector => &["queue", "channel", "state"],
            Self::QueueContacts(_) => &["channel", "state"],
            Self::Agents => &["agent", "queue", "team", "state"],
            Self::StatsAgents => &["agent", "queue", "team"],
            Self::StatsQueues => &["queue", "channel", "team"],
            Self::Contact(_) => &[],
        }
    }
}

/// What is asked of a topic.
#[derive(Clone, PartialEq, Debug)]
pub struct Ask {
    /// The topic.
    pub topic: Topic,
    /// Which of its rows.
    pub filter: Filter,
    /// Columns of a table, in this order; all when empty.
    pub columns: Vec<String>,
    /// Frames per second of a table.
    pub hz: u32,
    /// Most contacts in the snapshot. It is the snapshot's alone and makes no other view.
    pub limit: usize,
    /// How the view is encoded: a number that only whoever encodes understands.
    pub encoding: u8,
}

impl Ask {
    /// All of a topic, as it is sent unless asked otherwise.
    #[must_use]
    pub fn of(topic: Topic) -> Self {
        Self {
            topic,
            filter: Filter::default(),
            columns: Vec::new(),
            hz: limits::CONFLATED_HZ,
            limit: limits::LIST_ROWS,
            encoding: 0,
        }
    }
}

/// Which rows: every field that is named has to match one of its values.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Filter {
    agents: BTreeSet<AgentId>,
    queues: BTreeSet<QueueId>,
    teams: BTreeSet<TeamId>,
    channels: ChannelSet,
    states: BTreeSet<&'static str>,
}

/// A filter cannot be understood.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadFilter {
    /// The topic cannot be filtered by this field.
    #[error("this topic cannot be filtered by {field:?}; it can by {known:?}")]
    Field {
        /// The field.
        field: String,
        /// Those it can.
        known: &'static [&'static str],
    },
    /// No object has this value.
    #[error("{field} {value:?} does not exist")]
    Value {
        /// The field.
        field: String,
        /// The value.
        value: String,
    },
}

impl Filter {
    /// Adds a value of a field, named as the wire names it.
    ///
    /// # Errors
    /// When the topic has no such field, or the field no such value.
    pub fn add(
        &mut self,
        topic: Topic,
        field: &str,
        value: &str,
        rules: &Workspace,
    ) -> Result<(), BadFilter> {
        let known = topic.filters();
        let done = known.contains(&field).then(|| match field {
            "agent" => position(rules.agents.iter().map(|a| &a.name), value)
                .map(|id| self.agents.insert(AgentId(id))),
            "queue" => position(rules.queues.iter().map(|q| &q.name), value)
                .map(|id| self.queues.insert(QueueId(id))),
            "team" => position(rules.teams.iter(), value).map(|id| self.teams.insert(TeamId(id))),
            "channel" => rules.channels.by_name(value).map(|channel| {
                self.channels.insert(channel);
                true
            }),
            _ => state_word(topic, value).map(|word| self.states.insert(word)),
        });
        match done {
            None => Err(BadFilter::Field {
                field: field.to_owned(),
                known,
            }),
            Some(None) => Err(BadFilter::Value {
                field: field.to_owned(),
                value: value.to_owned(),
            }),
            Some(Some(_)) => Ok(()),
        }
    }

    /// Whether everything passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the filter looks at what the anonymous lens hides.
    #[must_use]
    pub fn names_agents(&self) -> bool {
        !self.teams.is_empty() || !self.agents.is_empty()
    }

    /// Whether a contact passes.
    #[must_use]
    pub fn contact(&self, row: &ContactRow) -> bool {
        passes(&self.queues, &row.queue)
            && (self.channels.is_empty() || self.channels.contains(row.facts.channel))
            && passes(&self.states, &contact_word(row.state))
    }

    /// Whether an agent passes.
    #[must_use]
    pub fn agent(&self, row: &AgentRow, rules: &Workspace) -> bool {
        passes(&self.agents, &row.agent)
            && passes(&self.states, &row.summary.name())
            && rules.agent(row.agent).is_some_and(|own| {
                let mut queues = own.memberships.iter().map(|m| &m.queue);
                (self.queues.is_empty() || queues.any(|queue| self.queues.contains(queue)))
                    && (self.teams.is_empty() || own.teams.iter().any(|t| self.teams.contains(t)))
            })
    }

    /// Whether a queue passes.
    #[must_use]
    pub fn queue(&self, queue: QueueId, rules: &Workspace) -> bool {
        passes(&self.queues, &queue)
            && rules.queue(queue).is_some_and(|own| {
                let mut channels = own.channels.iter().map(|(channel, _)| *channel);
                let of_team = own.team.is_some_and(|team| self.teams.contains(&team));
                (self.teams.is_empty() || of_team)
                    && (self.channels.is_empty() || channels.any(|c| self.channels.contains(c)))
            })
    }
}

fn passes<T: Ord>(wanted: &BTreeSet<T>, value: &T) -> bool {
    wanted.is_empty() || wanted.contains(value)
}

fn position<'a>(mut names: impl Iterator<Item = &'a String>, name: &str) -> Option<u32> {
    let index = names.position(|known| known == name)?;
    u32::try_from(index).ok()
}

fn state_word(topic: Topic, value: &str) -> Option<&'static str> {
    let contact = CONTACT_STATES.into_iter().map(contact_word);
    let agent = SUMMARIES.into_iter().map(Summary::name);
    let of_agents = topic == Topic::Agents;
    let mut words = contact
        .filter(|_| !of_agents)
        .chain(agent.filter(|_| of_agents));
    words.find(|word| *word == value)
}

const CONTACT_STATES: [ContactState; 6] = [
    ContactState::Waiting,
    ContactState::Offered,
    ContactState::Connecting,
    ContactState::Active,
    ContactState::WrapUp,
    ContactState::Closed,
];

const SUMMARIES: [Summary; 8] = [
    Summary::ConnectionLost,
    Summary::Missed,
    Summary::OnContact,
    Summary::WrapUp,
    Summary::Offered,
    Summary::NotReady,
    Summary::Available,
    Summary::SignedOut,
];

/// The word for a contact's state on the wire.
#[must_use]
pub const fn contact_word(state: ContactState) -> &'static str {
    match state {
        ContactState::Waiting => "waiting",
        ContactState::Offered => "offered",
        ContactState::Connecting => "connecting",
        ContactState::Active => "active",
        ContactState::WrapUp => "wrap_up",
        ContactState::Closed => "closed",
    }
}
