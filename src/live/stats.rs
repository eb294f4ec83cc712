//! The tables of numbers: their columns, and the cells of each row now.

use crate::domain::contact::ContactState;
use crate::domain::event::NextState;
use crate::domain::machine::ChannelState;
use crate::domain::offer::AgentState;
use crate::domain::rules::Workspace;
use crate::id::{ChannelId, QueueId};
use crate::live::agent::{self, AgentRow, Phase};
use crate::live::delta::Key;
use crate::live::queue::{Bucket, QueueCell};
use crate::live::seen::{Glass, Who};
use crate::time::Instant;
use std::sync::Arc;

/// A value in a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cell {
    /// Nothing: "—" on a screen, never zero.
    Null,
    /// A number, a count of ms, or an instant in ms.
    Int(i64),
    /// A word of the protocol.
    Word(&'static str),
    /// A name or a reason.
    Text(Arc<str>),
    /// The row's key: whoever encodes knows its name.
    Key(Key),
    /// Numbers by word.
    Counts(Arc<[(Arc<str>, i64)]>),
}

/// What the values of a column are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The row's key.
    Key,
    /// A word or a name.
    Text,
    /// A number of things.
    Count,
    /// An instant: the viewer's clock tells how long ago.
    Since,
    /// Numbers by word.
    Counts,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name on the wire.
    pub name: Arc<str>,
    /// What its values are.
    pub kind: Kind,
    /// How it is worked out: the id by which a viewer asks.
    pub formula: Arc<str>,
    value: Value,
}

/// A table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Table {
    /// A row per queue.
    Queues,
    /// A row per agent.
    Agents,
}

/// A table at one position.
#[derive(Clone, Debug)]
pub struct TableCut {
    /// Its columns; the first is the key.
    pub columns: Arc<[Column]>,
    /// Its rows, each as long as `columns`.
    pub rows: Vec<(Key, Arc<[Cell]>)>,
}

/// Where the value of a column comes from.
#[derive(Clone, Copy, Debug)]
enum Value {
    Key,
    Name,
    Contacts(ContactState),
    Oldest,
    ByPriority,
    Members,
    Agents(Bucket),
    NotReadyBy,
    FreeSlots,
    AllSlots,
    Team,
    Summary,
    SummarySince,
    State,
    Reason,
    StateSince,
    NextState,
    Connection,
    Work(fn(Phase) -> bool),
    ChannelState(ChannelId),
    ChannelLoad(ChannelId),
    ChannelMax(ChannelId),
}

const QUEUES: &[(&str, Kind, Value)] = &[
    ("id", Kind::Key, Value::Key),
    ("name", Kind::Text, Value::Name),
    (
        "waiting",
        Kind::Count,
        Value::Contacts(ContactState::Waiting),
    ),
    (
        "ringing",
        Kind::Count,
        Value::Contacts(ContactState::Offered),
    ),
    (
        "connecting",
        Kind::Count,
        Value::Contacts(ContactState::Connecting),
    ),
    ("active", Kind::Count, Value::Contacts(ContactState::Active)),
    (
        "wrap_up",
        Kind::Count,
        Value::Contacts(ContactState::WrapUp),
    ),
    ("oldest", Kind::Since, Value::Oldest),
    ("by_priority", Kind::Counts, Value::ByPriority),
    ("members", Kind::Count, Value::Members),
    (
        "agents_routable",
        Kind::Count,
        Value::Agents(Bucket::Routable),
    ),
    (
        "agents_ringing",
        Kind::Count,
        Value::Agents(Bucket::Ringing),
    ),
    (
        "agents_working",
        Kind::Count,
        Value::Agents(Bucket::Working),
    ),
    ("agents_busy", Kind::Count, Value::Agents(Bucket::Busy)),
    ("agents_wrap_up", Kind::Count, Value::Agents(Bucket::WrapUp)),
    (
        "agents_not_ready",
        Kind::Count,
        Value::Agents(Bucket::NotReady),
    ),
    ("not_ready_by", Kind::Counts, Value::NotReadyBy),
    (
        "agents_connection_lost",
        Kind::Count,
        Value::Agents(Bucket::ConnectionLost),
    ),
    (
        "agents_signed_out",
        Kind::Count,
        Value::Agents(Bucket::SignedOut),
    ),
    ("free_slots", Kind::Count, Value::FreeSlots),
    ("all_slots", Kind::Count, Value::AllSlots),
];

const AGENTS: &[(&str, Kind, Value)] = &[
    ("id", Kind::Key, Value::Key),
    ("name", Kind::Text, Value::Name),
    ("team", Kind::Text, Value::Team),
    ("summary", Kind::Text, Value::Summary),
    ("since", Kind::Since, Value::SummarySince),
    ("state", Kind::Text, Value::State),
    ("reason", Kind::Text, Value::Reason),
    ("state_since", Kind::Since, Value::StateSince),
    ("next_state", Kind::Text, Value::NextState),
    ("connection", Kind::Text, Value::Connection),
    ("offered", Kind::Count, Value::Work(agent::offered)),
    ("connecting", Kind::Count, Value::Work(agent::connecting)),
    ("active", Kind::Count, Value::Work(agent::connected)),
    ("wrap_up", Kind::Count, Value::Work(agent::in_wrap_up)),
];

impl Table {
    /// The columns of a workspace's table.
    #[must_use]
    pub fn columns(self, rules: &Workspace) -> Arc<[Column]> {
        let (prefix, fixed) = match self {
            Self::Queues => ("queue.now", QUEUES),
            Self::Agents => ("agent.now", AGENTS),
        };
        let column = |name: &str, kind, value| Column {
            name: Arc::from(name),
            kind,
            formula: Arc::from(format!("{prefix}.{name}")),
            value,
        };
        let mut columns: Vec<Column> = fixed
            .iter()
            .map(|(name, kind, value)| column(name, *kind, *value))
            .collect();
        if self == Self::Agents {
            for (channel, own) in rules.channels.iter() {
                let name = |what| format!("{}_{what}", own.name);
                columns.push(column(
                    &name("state"),
                    Kind::Text,
                    Value::ChannelState(channel),
                ));
                columns.push(column(
                    &name("load"),
                    Kind::Count,
                    Value::ChannelLoad(channel),
                ));
                columns.push(column(
                    &name("max"),
                    Kind::Count,
                    Value::ChannelMax(channel),
                ));
            }
        }
        columns.into()
    }
}

/// Cells of a queue's row.
#[must_use]
pub fn queue_cells(
    columns: &[Column],
    queue: QueueId,
    cell: &QueueCell,
    rules: &Workspace,
) -> Arc<[Cell]> {
    let (free, all) = cell.slots();
    let value = |column: &Column| match column.value {
        Value::Key => Cell::Key(Key::Queue(queue)),
        Value::Name => rules
            .queue(queue)
            .map_or(Cell::Null, |own| text(&own.title)),
        Value::Contacts(state) => int(cell.contacts(state)),
        Value::Oldest => cell.oldest().map_or(Cell::Null, since),
        Value::ByPriority => {
            let counts = cell.priorities().iter();
            counts
                .map(|(points, n)| (Arc::from(points.to_string()), i64::from(*n)))
                .collect()
        }
        Value::Members => int(cell.members),
        Value::Agents(bucket) => int(cell.agents(bucket)),
        Value::NotReadyBy => {
            let counts = cell.not_ready().iter();
            counts
                .map(|(reason, n)| (Arc::clone(reason), i64::from(*n)))
                .collect()
        }
        Value::FreeSlots => int(free),
        Value::AllSlots => int(all),
        Value::Team
        | Value::Summary
        | Value::SummarySince
        | Value::State
        | Value::Reason
        | Value::StateSince
        | Value::NextState
        | Value::Connection
        | Value::Work(_)
        | Value::ChannelState(_)
        | Value::ChannelLoad(_)
        | Value::ChannelMax(_) => Cell::Null,
    };
    columns.iter().map(value).collect()
}

/// Cells of an agent's row through a lens. Anonymous agents have no name and no team, and their
/// times are cut to the minute.
#[must_use]
pub fn agent_cells(
    columns: &[Column],
    row: &AgentRow,
    glass: &Glass,
    rules: &Workspace,
) -> Arc<[Cell]> {
    let own = rules.agent(row.agent);
    let known = own.filter(|_| matches!(glass.who(row.agent), Who::Agent(_)));
    let card = |channel| row.channels.iter().find(|card| card.channel == channel);
    let value = |column: &Column| match column.value {
        Value::Key => Cell::Key(glass.who(row.agent).into()),
        Value::Name => known.map_or(Cell::Null, |own| text(&own.title)),
        Value::Team => known
            .and_then(|own| rules.teams.get(own.teams.first()?.index()))
            .map_or(Cell::Null, |team| text(team)),
        Value::Summary => Cell::Word(row.summary.name()),
        Value::SummarySince => since(glass.agent_time(row.summary_since)),
        Value::State => Cell::Word(state_word(&row.state)),
        Value::Reason => row.reason().map_or(Cell::Null, text),
        Value::StateSince => since(glass.agent_time(row.since)),
        Value::NextState => match &row.next {
            None => Cell::Null,
            Some(NextState::State(state)) => Cell::Word(state_word(state)),
            Some(NextState::SignOut) => Cell::Word(state_word(&AgentState::SignedOut)),
        },
        Value::Connection => match (&row.state, row.connected) {
            (AgentState::SignedOut, _) => Cell::Null,
            (AgentState::Available | AgentState::NotReady(_), true) => Cell::Word("connected"),
            (AgentState::Available | AgentState::NotReady(_), false) => Cell::Word("lost"),
        },
        Value::Work(kind) => int(row.count(kind)),
        Value::ChannelState(channel) => {
            card(channel).map_or(Cell::Null, |card| Cell::Word(channel_word(card.state)))
        }
        Value::ChannelLoad(channel) => card(channel).map_or(Cell::Null, |card| int(card.load)),
        Value::ChannelMax(channel) => card(channel).map_or(Cell::Null, |card| int(card.max)),
        Value::Contacts(_)
        | Value::Oldest
        | Value::ByPriority
        | Value::Members
        | Value::Agents(_)
        | Value::NotReadyBy
        | Value::FreeSlots
        | Value::AllSlots => Cell::Null,
    };
    columns.iter().map(value).collect()
}

impl FromIterator<(Arc<str>, i64)> for Cell {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, i64)>>(counts: I) -> Self {
        Self::Counts(counts.into_iter().collect())
    }
}

fn int(number: u32) -> Cell {
    Cell::Int(i64::from(number))
}

fn since(at: Instant) -> Cell {
    Cell::Int(i64::try_from(at.0).unwrap_or(i64::MAX))
}

fn text(word: &str) -> Cell {
    Cell::Text(Arc::from(word))
}

/// The word for a state, as set, on the wire.
#[must_use]
pub const fn state_word(state: &AgentState) -> &'static str {
    match state {
        AgentState::SignedOut => "signed_out",
        AgentState::Available => "available",
        AgentState::NotReady(_) => "not_ready",
    }
}

/// The word for a channel's derived state on the wire.
#[must_use]
pub const fn channel_word(state: ChannelState) -> &'static str {
    match state {
        ChannelState::Off => "off",
        ChannelState::Ready => "ready",
        ChannelState::Offered => "offered",
        ChannelState::Active => "active",
        ChannelState::Busy => "busy",
        ChannelState::Interrupted => "interrupted",
        ChannelState::WrapUp => "wrap_up",
    }
}
