//! What the board's rows are in the words of the wire: ids become names, instants milliseconds.

use crate::directory::WorkspaceNames;
use crate::domain::contact::{self, Closed, LegEnd, Requeued, Returned};
use crate::domain::event::{Chosen, NextState, PassedOver, SignOut};
use crate::domain::machine::ChannelState;
use crate::domain::offer::{AgentState, Outcome, Withdrawn};
use crate::domain::requirement::Names as _;
use crate::domain::rules::{QueueRules, Workspace};
use crate::id::{AgentId, ChannelId, QueueId, UserId};
use crate::live::agent::{AgentRow, Summary};
use crate::live::change::{Fields, Why};
use crate::live::contact::LegStanding;
use crate::live::delta::{EventSeen, Key};
use crate::live::seen::{ActorSeen, AgentSeen, ContactSeen, DecisionSeen, LegSeen, Who};
use crate::live::stats::{Cell, TableCut};
use crate::wire::event::AgentChange;
use crate::wire::push::Str;
use crate::wire::{object, result, table};
use std::borrow::Cow;
use std::fmt::Display;
use std::sync::Arc;

/// The names of a workspace, for what is about to be sent.
#[derive(Clone, Debug)]
pub struct Show {
    rules: Arc<Workspace>,
    names: Arc<WorkspaceNames>,
}

fn text(id: impl Display) -> Str<'static> {
    Cow::Owned(id.to_string())
}

fn named(name: Option<&str>) -> Str<'static> {
    Cow::Owned(name.unwrap_or_default().to_owned())
}

impl Show {
    /// By these rules and names.
    #[must_use]
    pub fn new(rules: Arc<Workspace>, names: Arc<WorkspaceNames>) -> Self {
        Self { rules, names }
    }

    fn queue_name(&self, queue: QueueId) -> Str<'static> {
        named(self.names.queue_name(queue))
    }

    fn channel_name(&self, channel: ChannelId) -> Str<'static> {
        named(self.names.channel_name(channel))
    }

    fn user_name(&self, user: UserId) -> Str<'static> {
        named(self.names.user_name(user))
    }

    /// Name of an agent, or what stands for it.
    #[must_use]
    pub fn who(&self, who: Who) -> Str<'static> {
        match who {
            Who::Agent(agent) => self.user_name(agent.user()),
            Who::Anonymous(pseudonym) => text(pseudonym),
        }
    }

    /// Name of whoever made something happen.
    #[must_use]
    pub fn actor(&self, actor: ActorSeen) -> Str<'static> {
        match actor {
            ActorSeen::User(user) => self.user_name(user),
            ActorSeen::Anonymous(pseudonym) => text(pseudonym),
        }
    }

    /// Id of a row.
    #[must_use]
    pub fn key(&self, key: Key) -> Str<'static> {
        match key {
            Key::Contact(contact) => text(contact),
            Key::Agent(agent) => self.user_name(agent.user()),
            Key::Anonymous(pseudonym) => text(pseudonym),
            Key::Queue(queue) => self.queue_name(queue),
        }
    }

    /// How an agent is reached, if that is configured.
    #[must_use]
    pub fn address(&self, agent: AgentId) -> Option<Str<'static>> {
        let rules = self.rules.agent(agent)?;
        rules.address.clone().map(Cow::Owned)
    }

    /// A contact.
    #[must_use]
    pub fn contact(&self, seen: &ContactSeen) -> object::Contact<'static> {
        object::Contact {
            contact: text(seen.id()),
            channel: self.channel_name(seen.channel()),
            external_id: text(seen.external_id()),
            queue: self.queue_name(seen.queue()),
            state: contact_state(seen.state()),
            since: seen.since().0,
            first_entry: seen.first_entry().0,
            due_at: seen.due_at().0,
            priority: seen.priority(),
            tier: seen.tier(),
            customer: customer(seen),
            attributes: Cow::Owned(seen.attributes().clone()),
            conversation: text(seen.conversation()),
            position: seen.place().position,
            ewt_ms: seen.place().ewt.map(|ewt| ewt.ms),
            agents: self.agents_of(seen),
            legs: self.legs_of(seen),
            reason: seen.reason().map(closed),
        }
    }

    fn agents_of(&self, seen: &ContactSeen) -> Vec<Str<'static>> {
        let agents = seen.agents();
        agents.into_iter().map(|who| self.who(who)).collect()
    }

    fn legs_of(&self, seen: &ContactSeen) -> Vec<object::Leg<'static>> {
        seen.legs().map(|leg| self.leg(seen, leg)).collect()
    }

    fn leg(&self, seen: &ContactSeen, leg: LegSeen) -> object::Leg<'static> {
        let (state, until) = match leg.state {
            LegStanding::Connecting { deadline } => {
                (object::LegState::Connecting, Some(deadline.0))
            }
            LegStanding::Connected => (object::LegState::Connected, None),
            LegStanding::WrapUp { until } => (object::LegState::WrapUp, Some(until.0)),
            LegStanding::Ended { how: _ } => (object::LegState::Ended, None),
        };
        object::Leg {
            contact: text(seen.id()),
            offer: text(leg.offer),
            agent: Some(self.who(leg.agent)),
            channel: self.channel_name(seen.channel()),
            queue: self.queue_name(seen.queue()),
            role: role(leg.role),
            state,
            since: leg.since.0,
            until,
            sub: None,
        }
    }

    /// What an event changed of a contact.
    #[must_use]
    pub fn change(&self, event: &EventSeen, seen: &ContactSeen) -> object::ContactChange<'static> {
        let has = |field| event.fields.has(field);
        let place = has(Fields::POSITION).then(|| seen.place());
        object::ContactChange {
            since: has(Fields::STATE).then(|| seen.since().0),
            queue: has(Fields::QUEUE).then(|| self.queue_name(seen.queue())),
            due_at: has(Fields::DUE_AT).then(|| seen.due_at().0),
            priority: has(Fields::PRIORITY).then(|| seen.priority()),
            tier: has(Fields::TIER).then(|| seen.tier()),
            customer: has(Fields::CONTENT).then(|| customer(seen)),
            attributes: has(Fields::CONTENT).then(|| Cow::Owned(seen.attributes().clone())),
            position: place.map(|place| place.position),
            ewt_ms: place.map(|place| place.ewt.map(|ewt| ewt.ms)),
            agents: has(Fields::AGENTS).then(|| self.agents_of(seen)),
            legs: has(Fields::LEGS).then(|| self.legs_of(seen)),
            reason: seen.reason().map(closed),
            offer: event.offer.map(text),
            agent: event.agent.map(|who| self.who(who)),
            why: event.why.and_then(why),
            ..object::ContactChange::of(text(seen.id()), contact_state(seen.state()))
        }
    }

    /// An agent.
    #[must_use]
    pub fn agent(&self, seen: &AgentSeen) -> object::Agent<'static> {
        let row = seen.row();
        let rules = self.rules.agent(row.agent);
        let teams = rules.map_or(&[][..], |rules| rules.teams.as_slice());
        object::Agent {
            id: self.user_name(row.agent.user()),
            name: named(rules.map(|rules| rules.title.as_str())),
            state: agent_state(&row.state),
            reason: row.reason().map(text),
            since: row.since.0,
            next_state: row.next.as_ref().map(next_state),
            summary: summary(row.summary),
            connection: connection(row),
            generation: row.generation.0,
            channels: row
                .channels
                .iter()
                .map(|card| {
                    let channel = object::AgentChannel {
                        on: card.on,
                        state: channel_state(card.state),
                        load: card.load,
                        max: card.max,
                    };
                    (self.channel_name(card.channel), channel)
                })
                .collect(),
            queues: row.queues.iter().map(|q| self.queue_name(*q)).collect(),
            teams: teams
                .iter()
                .map(|team| named(self.names.team_name(*team)))
                .collect(),
        }
    }

    /// An agent after an event.
    #[must_use]
    pub fn agent_change(&self, event: &EventSeen, seen: &AgentSeen) -> AgentChange<'static> {
        AgentChange {
            agent: self.agent(seen),
            offer: event.offer.map(text),
            why: event.why.and_then(why),
        }
    }

    /// A queue.
    #[must_use]
    pub fn queue(&self, queue: &QueueRules) -> result::Queue {
        result::Queue {
            id: self.queue_name(queue.id),
            name: text(&queue.title),
            channels: queue
                .channels
                .iter()
                .map(|(channel, _)| self.channel_name(*channel))
                .collect(),
        }
    }

    /// A choice of an agent.
    #[must_use]
    pub fn decision(&self, seen: &DecisionSeen) -> object::Decision<'static> {
        object::Decision {
            at: seen.at.0,
            agent: self.who(seen.agent()),
            by: chosen(seen.by()),
            runners_up: seen.runners_up().map(|who| self.who(who)).collect(),
            passed_over: seen
                .passed_over()
                .iter()
                .map(|(why, count)| (passed_over(*why), *count))
                .collect(),
        }
    }

    /// Why one named agent is or is not chosen.
    #[must_use]
    pub fn explained(&self, agent: AgentId, why: Option<PassedOver>) -> result::Explained {
        result::Explained {
            agent: self.who(Who::Agent(agent)),
            passed_over: why.map(passed_over),
        }
    }

    /// A value of a table.
    #[must_use]
    pub fn cell(&self, cell: &Cell) -> table::Cell<'static> {
        match cell {
            Cell::Null => table::Cell::Null,
            Cell::Int(number) => table::Cell::Int(*number),
            Cell::Word(word) => table::Cell::Text(Cow::Borrowed(word)),
            Cell::Text(words) => table::Cell::Text(text(words)),
            Cell::Key(key) => table::Cell::Text(self.key(*key)),
            Cell::Counts(counts) => {
                let counts = counts.iter().map(|(word, count)| (text(word), *count));
                table::Cell::Counts(counts.collect())
            }
        }
    }

    /// A row of a table.
    #[must_use]
    pub fn row(&self, cells: &[Cell]) -> Vec<table::Cell<'static>> {
        cells.iter().map(|cell| self.cell(cell)).collect()
    }

    /// A table at a position.
    #[must_use]
    pub fn table(&self, cut: &TableCut, as_of: u64) -> result::Stats {
        result::Stats {
            as_of,
            columns: columns(cut),
            rows: cut.rows.iter().map(|(_, cells)| self.row(cells)).collect(),
        }
    }
}

fn customer(seen: &ContactSeen) -> object::Customer<'static> {
    object::Customer {
        id: seen.customer_id().map(text),
        name: seen.customer_name().map(text),
        address: seen.customer_address().map(text),
    }
}

/// Names of a table's columns.
#[must_use]
pub fn columns(cut: &TableCut) -> Vec<Str<'static>> {
    cut.columns
        .iter()
        .map(|column| text(&column.name))
        .collect()
}

/// State of a contact.
#[must_use]
pub fn contact_state(state: contact::ContactState) -> object::ContactState {
    match state {
        contact::ContactState::Waiting => object::ContactState::Waiting,
        contact::ContactState::Offered => object::ContactState::Offered,
        contact::ContactState::Connecting => object::ContactState::Connecting,
        contact::ContactState::Active => object::ContactState::Active,
        contact::ContactState::WrapUp => object::ContactState::WrapUp,
        contact::ContactState::Closed => object::ContactState::Closed,
    }
}

fn closed(reason: Closed) -> object::ClosedReason {
    match reason {
        Closed::Completed => object::ClosedReason::Completed,
        Closed::Abandoned => object::ClosedReason::Abandoned,
        Closed::ShortAbandoned => object::ClosedReason::ShortAbandoned,
        Closed::EndedBySupervisor => object::ClosedReason::EndedBySupervisor,
        Closed::Failed => object::ClosedReason::Failed,
    }
}

/// Why something happened; of a closed contact its reason says that.
fn why(why: Why) -> Option<object::Why> {
    match why {
        Why::Requeued(why) => Some(match why {
            Requeued::Declined => object::Why::Declined,
            Requeued::Missed => object::Why::Missed,
            Requeued::Withdrawn => object::Why::Withdrawn,
            Requeued::Failed => object::Why::Failed,
        }),
        Why::Returned(why) => Some(match why {
            Returned::SignedOut => object::Why::SignedOut,
            Returned::ConnectionLost => object::Why::ConnectionLost,
            Returned::Requeued => object::Why::Requeued,
        }),
        Why::Leg(end) => Some(match end {
            LegEnd::Agent => object::Why::Agent,
            LegEnd::Customer => object::Why::Customer,
            LegEnd::Returned => object::Why::Returned,
            LegEnd::WrappedUp => object::Why::WrappedUp,
            LegEnd::WrapUpExpired => object::Why::WrapUpExpired,
            LegEnd::WrapUpEnded => object::Why::WrapUpEnded,
        }),
        Why::SignOut(why) => Some(match why {
            SignOut::Own => object::Why::Own,
            SignOut::Forced => object::Why::Forced,
            SignOut::ConnectionLost => object::Why::ConnectionLost,
        }),
        Why::Offer(outcome) => of_offer(outcome),
        Why::Closed(_) => None,
    }
}

fn of_offer(outcome: Outcome) -> Option<object::Why> {
    match outcome {
        Outcome::Withdrawn(why) => Some(match why {
            Withdrawn::Abandoned => object::Why::Abandoned,
            Withdrawn::LostRace => object::Why::LostRace,
            Withdrawn::AgentLeft => object::Why::AgentLeft,
            Withdrawn::Supervisor => object::Why::Supervisor,
            Withdrawn::Moved => object::Why::Moved,
            Withdrawn::Overflowed => object::Why::Overflowed,
            Withdrawn::NotEligible => object::Why::NotEligible,
            Withdrawn::Restarted => object::Why::Restarted,
        }),
        Outcome::Failed => Some(object::Why::Technical),
        Outcome::Accepted | Outcome::Declined | Outcome::Missed => None,
    }
}

fn role(role: contact::Role) -> object::Role {
    match role {
        contact::Role::Owner => object::Role::Owner,
        contact::Role::Participant => object::Role::Participant,
        contact::Role::Consulted => object::Role::Consulted,
        contact::Role::Monitor => object::Role::Monitor,
        contact::Role::Coach => object::Role::Coach,
        contact::Role::Barged => object::Role::Barged,
    }
}

fn agent_state(state: &AgentState) -> object::AgentState {
    match state {
        AgentState::SignedOut => object::AgentState::SignedOut,
        AgentState::Available => object::AgentState::Available,
        AgentState::NotReady(_) => object::AgentState::NotReady,
    }
}

fn next_state(next: &NextState) -> object::NextState<'static> {
    let (state, reason) = match next {
        NextState::SignOut => (object::AgentState::SignedOut, None),
        NextState::State(state) => (agent_state(state), reason(state)),
    };
    object::NextState { state, reason }
}

fn reason(state: &AgentState) -> Option<Str<'static>> {
    match state {
        AgentState::NotReady(reason) => Some(text(reason)),
        AgentState::SignedOut | AgentState::Available => None,
    }
}

fn connection(row: &AgentRow) -> object::Connection {
    match (&row.state, row.connected) {
        (AgentState::SignedOut, _) => object::Connection::None,
        (AgentState::Available | AgentState::NotReady(_), true) => object::Connection::Connected,
        (AgentState::Available | AgentState::NotReady(_), false) => object::Connection::Lost,
    }
}

fn summary(summary: Summary) -> object::Summary {
    match summary {
        Summary::ConnectionLost => object::Summary::ConnectionLost,
        Summary::Missed => object::Summary::Missed,
        Summary::OnContact => object::Summary::OnContact,
        Summary::WrapUp => object::Summary::WrapUp,
        Summary::Offered => object::Summary::Offered,
        Summary::NotReady => object::Summary::NotReady,
        Summary::Available => object::Summary::Available,
        Summary::SignedOut => object::Summary::SignedOut,
    }
}

fn channel_state(state: ChannelState) -> object::ChannelState {
    match state {
        ChannelState::Off => object::ChannelState::Off,
        ChannelState::Ready => object::ChannelState::Ready,
        ChannelState::Offered => object::ChannelState::Offered,
        ChannelState::Active => object::ChannelState::Active,
        ChannelState::Busy => object::ChannelState::Busy,
        ChannelState::Interrupted => object::ChannelState::Interrupted,
        ChannelState::WrapUp => object::ChannelState::WrapUp,
    }
}

fn chosen(by: Chosen) -> object::ChosenBy {
    match by {
        Chosen::Only => object::ChosenBy::Only,
        Chosen::Preferred => object::ChosenBy::Preferred,
        Chosen::Fill => object::ChosenBy::Fill,
        Chosen::Selection => object::ChosenBy::Selection,
        Chosen::Idle => object::ChosenBy::Idle,
    }
}

fn passed_over(why: PassedOver) -> object::PassedOver {
    match why {
        PassedOver::NotRoutable => object::PassedOver::NotRoutable,
        PassedOver::ChannelOff => object::PassedOver::ChannelOff,
        PassedOver::Full => object::PassedOver::Full,
        PassedOver::Requirement => object::PassedOver::Requirement,
        PassedOver::Excluded => object::PassedOver::Excluded,
        PassedOver::Delay => object::PassedOver::Delay,
        PassedOver::BetterRank => object::PassedOver::BetterRank,
        PassedOver::Named => object::PassedOver::Named,
        PassedOver::Barrier => object::PassedOver::Barrier,
    }
}
