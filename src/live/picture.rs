//! The picture of a floor that its log draws: every contact, agent and queue as of one
//! position. An event costs the queues of its contact or agent, never a look at the rest.

use crate::domain::contact::ContactState;
use crate::domain::event::{Decision, Event, Record};
use crate::domain::rules::Workspace;
use crate::id::{AgentId, ContactId, QueueId, Seq, UserId};
use crate::limits;
use crate::live::agent::AgentRow;
use crate::live::change::Change;
use crate::live::contact::ContactRow;
use crate::live::ewt::Ewt;
use crate::live::queue::{QueueCell, Room, Share};
use crate::time::Instant;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// What the log shows, at one position.
#[derive(Clone, Debug)]
pub struct Picture {
    pub(super) rules: Arc<Workspace>,
    pub(super) as_of: Seq,
    pub(super) at: Instant,
    pub(super) contacts: BTreeMap<ContactId, ContactCell>,
    pub(super) agents: Vec<AgentCell>,
    pub(super) queues: Vec<QueueCell>,
    pub(super) submitted: BTreeMap<UserId, BTreeSet<ContactId>>,
    pub(super) closed: VecDeque<(Instant, ContactId)>,
    pub(super) strays: u64,
}

/// A contact with what only reads ask for.
#[derive(Clone, Debug)]
pub struct ContactCell {
    pub(super) row: Arc<ContactRow>,
    /// The last choices of an agent for it, with their times.
    pub(super) decisions: VecDeque<(Instant, Arc<Decision>)>,
}

/// An agent with its parts in the numbers of its queues.
#[derive(Clone, Debug)]
pub struct AgentCell {
    pub(super) row: Arc<AgentRow>,
    pub(super) shares: Vec<(QueueId, Share)>,
    /// Live contacts with an open leg of the agent, or an open offer to it.
    pub(super) contacts: BTreeSet<ContactId>,
}

/// What a record did.
#[derive(Debug, Default)]
pub struct Drawn {
    /// The change of a contact's or an agent's row.
    pub change: Option<Change>,
    /// Queues whose numbers changed.
    pub queues: Vec<QueueId>,
    /// The agent whose numbers changed.
    pub agent: Option<AgentId>,
}

/// What an event is about.
enum Subject {
    Contact(ContactId),
    Agent(AgentId),
    Neither,
}

impl Picture {
    /// A floor before the first record of its log.
    #[must_use]
    pub fn new(rules: Arc<Workspace>, at: Instant) -> Self {
        let mut picture = Self {
            queues: rules.queues.iter().map(QueueCell::new).collect(),
            agents: Vec::new(),
            rules: Arc::clone(&rules),
            as_of: Seq(0),
            at,
            contacts: BTreeMap::new(),
            submitted: BTreeMap::new(),
            closed: VecDeque::new(),
            strays: 0,
        };
        for agent in &rules.agents {
            picture.agents.push(AgentCell {
                row: Arc::new(AgentRow::new(agent.id, agent, &rules.channels, at)),
                shares: Vec::new(),
                contacts: BTreeSet::new(),
            });
            picture.share(agent.id);
        }
        picture
    }

    /// Records about contacts or agents that nothing was known of: there are none, unless the
    /// log has a hole.
    #[must_use]
    pub fn strays(&self) -> u64 {
        self.strays
    }

    /// Takes a record in. One at or before the position that is shown changes nothing.
    pub fn fold(&mut self, record: &Record) -> Drawn {
        if record.seq <= self.as_of {
            return Drawn::default();
        }
        self.as_of = record.seq;
        self.at = self.at.max(record.at);
        self.forget_closed();
        match subject(&record.event) {
            Subject::Contact(contact) => self.fold_contact(contact, record),
            Subject::Agent(agent) => self.fold_agent(agent, record),
            Subject::Neither => Drawn::default(),
        }
    }

    fn fold_contact(&mut self, contact: ContactId, record: &Record) -> Drawn {
        let known = self
            .contacts
            .get(&contact)
            .filter(|cell| cell.row.is_live());
        let before = known.map(|cell| Arc::clone(&cell.row));
        let Some(after) = row_after(before.as_deref(), record) else {
            self.strays += 1;
            return Drawn::default();
        };
        let after = Arc::new(after);
        self.count(record, before.as_deref(), &after);
        let mut queues = Vec::new();
        if let Some(before) = before.as_deref().filter(|row| row.queue != after.queue) {
            queues.extend(self.in_queue(record.at, Some(before), None));
        }
        let stayed = before.as_deref().filter(|row| row.queue == after.queue);
        queues.extend(self.in_queue(record.at, stayed, Some(&after)));
        self.index(before.as_deref(), &after);
        let row = Arc::clone(&after);
        match self.contacts.get_mut(&contact) {
            Some(cell) if before.is_some() => cell.row = row,
            Some(_) | None => {
                let decisions = VecDeque::new();
                self.contacts
                    .insert(contact, ContactCell { row, decisions });
            }
        }
        if !after.is_live() {
            self.closed.push_back((record.at, contact));
        }
        Drawn {
            change: Change::of_contact(record, before, after),
            queues,
            agent: None,
        }
    }

    fn in_queue(
        &mut self,
        at: Instant,
        before: Option<&ContactRow>,
        after: Option<&ContactRow>,
    ) -> Option<QueueId> {
        let queue = before.or(after)?.queue;
        let cell = self.queues.get_mut(queue.index())?;
        cell.contact(at, before, after);
        Some(queue)
    }

    /// The counters since the log began.
    fn count(&mut self, record: &Record, before: Option<&ContactRow>, after: &ContactRow) {
        let waited = before.filter(|row| row.in_line());
        if let Some(before) = waited.filter(|row| row.queue != after.queue)
            && let Some(cell) = self.queues.get_mut(before.queue.index())
        {
            cell.counts.moved_out += 1;
        }
        let Some(cell) = self.queues.get_mut(after.queue.index()) else {
            return;
        };
        let entered = before.is_none_or(|row| row.queue != after.queue);
        match after.state {
            ContactState::Waiting if entered => cell.counts.entered += 1,
            ContactState::Waiting if waited.is_none() => cell.counts.returned += 1,
            ContactState::Waiting => {
                let requeued = matches!(record.event, Event::ContactRequeued { .. });
                cell.counts.requeued += u64::from(requeued);
            }
            ContactState::Active if waited.is_some() => cell.answered(record.at),
            ContactState::WrapUp | ContactState::Closed if waited.is_some() => {
                if let Some(reason) = after.reason {
                    cell.counts.closed(reason);
                }
            }
            ContactState::Offered
            | ContactState::Connecting
            | ContactState::Active
            | ContactState::WrapUp
            | ContactState::Closed => {}
        }
    }

    /// Which contacts are whose.
    pub(super) fn index(&mut self, before: Option<&ContactRow>, after: &ContactRow) {
        let (id, submitter) = (after.id(), after.facts.submitted_by);
        if before.is_none() {
            self.submitted.entry(submitter).or_default().insert(id);
        }
        if !after.is_live()
            && let Some(contacts) = self.submitted.get_mut(&submitter)
        {
            contacts.remove(&id);
            if contacts.is_empty() {
                self.submitted.remove(&submitter);
            }
        }
        for agent in before.into_iter().flat_map(agents_of) {
            self.agents
                .get_mut(agent.index())
                .map(|cell| cell.contacts.remove(&id));
        }
        for agent in agents_of(after) {
            self.agents
                .get_mut(agent.index())
                .map(|cell| cell.contacts.insert(id));
        }
    }

    fn fold_agent(&mut self, agent: AgentId, record: &Record) -> Drawn {
        if let Event::OfferMade {
            offer, decision, ..
        } = &record.event
            && let Some(cell) = self.contacts.get_mut(&offer.contact)
        {
            if cell.decisions.len() == limits::TRACE_LENGTH {
                cell.decisions.pop_front();
            }
            let decision = Arc::new(Decision::clone(decision));
            cell.decisions.push_back((record.at, decision));
        }
        let rules = Arc::clone(&self.rules);
        let (Some(cell), Some(own)) = (self.agents.get_mut(agent.index()), rules.agent(agent))
        else {
            self.strays += 1;
            return Drawn::default();
        };
        let before = Arc::clone(&cell.row);
        Arc::make_mut(&mut cell.row).fold(record.at, &record.event, own, &rules.channels);
        let after = Arc::clone(&cell.row);
        Drawn {
            change: Change::of_agent(record, before, after),
            queues: self.share(agent),
            agent: Some(agent),
        }
    }

    /// States an agent's part in each of its queues anew; the queues where it changed.
    pub(super) fn share(&mut self, agent: AgentId) -> Vec<QueueId> {
        let mut changed = Vec::new();
        let Some(cell) = self.agents.get_mut(agent.index()) else {
            return changed;
        };
        let Some(rules) = self.rules.agent(agent) else {
            return changed;
        };
        let room = Room::of(&cell.row, rules, &self.rules.channels);
        let mut shares = Vec::with_capacity(rules.memberships.len());
        for (index, membership) in rules.memberships.iter().enumerate() {
            let Some(queue) = self.queues.get_mut(membership.queue.index()) else {
                continue;
            };
            let share = Share::of(&cell.row, &room, membership.queue, queue.channels);
            let before = cell.shares.get(index).map(|(_, share)| share);
            if before != Some(&share) {
                queue.share(before, Some(&share));
                changed.push(membership.queue);
            }
            shares.push((membership.queue, share));
        }
        cell.shares = shares;
        changed
    }

    /// The workspace was changed: agents' parts in queues are counted anew. Contacts of queues
    /// that are gone stay until they close, and are counted nowhere.
    pub fn rules_changed(&mut self, rules: Arc<Workspace>) {
        for index in 0..rules.queues.len().max(self.queues.len()) {
            match (rules.queues.get(index), self.queues.get_mut(index)) {
                (Some(own), Some(cell)) => {
                    let new = QueueCell::new(own);
                    cell.channels = new.channels;
                }
                (Some(own), None) => self.queues.push(QueueCell::new(own)),
                (None, Some(_) | None) => {}
            }
        }
        for cell in &mut self.agents {
            for (queue, share) in cell.shares.drain(..) {
                if let Some(queue) = self.queues.get_mut(queue.index()) {
                    queue.share(Some(&share), None);
                }
            }
        }
        self.rules = Arc::clone(&rules);
        for (index, agent) in rules.agents.iter().enumerate() {
            match self.agents.get_mut(index) {
                Some(cell) => {
                    let row = Arc::make_mut(&mut cell.row);
                    row.rules_changed(self.at, agent, &rules.channels);
                }
                None => self.agents.push(AgentCell {
                    row: Arc::new(AgentRow::new(agent.id, agent, &rules.channels, self.at)),
                    shares: Vec::new(),
                    contacts: BTreeSet::new(),
                }),
            }
            self.share(agent.id);
        }
    }

    /// Closed contacts stay readable for a while.
    fn forget_closed(&mut self) {
        let old = |at: Instant, now: Instant| now.since(at) > limits::CLOSED_MEMORY;
        while let Some((at, contact)) = self.closed.front().copied()
            && (old(at, self.at) || self.closed.len() > limits::CLOSED_CONTACTS)
        {
            self.closed.pop_front();
            let cell = self.contacts.get(&contact);
            if cell.is_some_and(|cell| !cell.row.is_live() && cell.row.since == at) {
                self.contacts.remove(&contact);
            }
        }
    }

    /// A contact, live or lately closed.
    #[must_use]
    pub fn contact(&self, contact: ContactId) -> Option<&Arc<ContactRow>> {
        self.contacts.get(&contact).map(|cell| &cell.row)
    }

    /// An agent.
    #[must_use]
    pub fn agent(&self, agent: AgentId) -> Option<&Arc<AgentRow>> {
        self.agents.get(agent.index()).map(|cell| &cell.row)
    }

    /// A queue.
    #[must_use]
    pub fn queue(&self, queue: QueueId) -> Option<&QueueCell> {
        self.queues.get(queue.index())
    }

    /// Live contacts that a user submitted.
    pub fn submitted_by(&self, user: UserId) -> impl Iterator<Item = ContactId> + '_ {
        self.submitted.get(&user).into_iter().flatten().copied()
    }

    /// Place in line and expected wait of a contact.
    #[must_use]
    pub fn place(&self, row: &ContactRow, now: Instant) -> Place {
        let Some(queue) = self.queue(row.queue) else {
            return Place::default();
        };
        let position = queue.position(row);
        let forecast = position.and_then(|_| queue.forecast(now, self.head(queue)));
        Place {
            position,
            ewt: position.zip(forecast).map(|(n, forecast)| forecast.wait(n)),
        }
    }

    /// Row of the first in line.
    pub(super) fn head(&self, queue: &QueueCell) -> Option<&ContactRow> {
        let crate::domain::urgency::Entry::Contact(head) = queue.head()?.entry else {
            return None;
        };
        self.contact(head).map(Arc::as_ref)
    }
}

/// Place in line and expected wait of a contact; nothing while it is not in line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// From 1.
    pub position: Option<u32>,
    /// Expected wait.
    pub ewt: Option<Ewt>,
}

/// A contact's row after a record; `None` when nothing is known of the contact.
fn row_after(before: Option<&ContactRow>, record: &Record) -> Option<ContactRow> {
    let content = record.content.as_deref();
    let Some(before) = before else {
        let Event::ContactEntered {
            facts,
            queue,
            due_at,
            ..
        } = &record.event
        else {
            return None;
        };
        let row = ContactRow::enter(facts, content, *queue, *due_at, record.at);
        return Some(row);
    };
    let mut after = before.clone();
    after.fold(record.at, &record.event, content);
    Some(after)
}

/// Agents with an open leg of a live contact, or an open offer of it.
fn agents_of(row: &ContactRow) -> impl Iterator<Item = AgentId> + '_ {
    let legs = row.open_legs().map(|leg| leg.agent);
    legs.chain(row.offers.iter().map(|(_, agent)| *agent))
}

fn subject(event: &Event) -> Subject {
    match event {
        Event::ContactEntered { facts, .. } => Subject::Contact(facts.id),
        Event::ContactOffered { contact, .. }
        | Event::LegConnected { contact, .. }
        | Event::ContactRequeued { contact, .. }
        | Event::ContactReturned { contact, .. }
        | Event::ContactReadmitted { contact, .. }
        | Event::ContactStepped { contact, .. }
        | Event::ContactReleased { contact, .. }
        | Event::ContactPrioritised { contact, .. }
        | Event::ContactUpdated { contact, .. }
        | Event::ContactEnded { contact, .. }
        | Event::ContactClosed { contact, .. } => Subject::Contact(*contact),
        Event::ContactConnecting { offer, .. }
        | Event::LegWrapUpStarted { offer, .. }
        | Event::LegWrapUpGiven { offer, .. }
        | Event::LegEnded { offer, .. } => Subject::Contact(offer.contact),
        Event::OfferMade { offer, .. }
        | Event::OfferTaken { offer }
        | Event::OfferEnded { offer, .. }
        | Event::SeatWrapUp { offer, .. }
        | Event::SeatReleased { offer, .. } => Subject::Agent(offer.agent),
        Event::AgentSignedIn { agent, .. }
        | Event::AgentSignedOut { agent, .. }
        | Event::AgentStateChanged { agent, .. }
        | Event::AgentChannelsChanged { agent, .. }
        | Event::AgentQueuesChanged { agent, .. }
        | Event::AgentConnectionLost { agent, .. }
        | Event::AgentResumed { agent, .. } => Subject::Agent(*agent),
        Event::MediaConnect { .. }
        | Event::MediaDisconnect { .. }
        | Event::MediaReported { .. }
        | Event::Recovered { .. }
        | Event::WorkspaceDraining { .. }
        | Event::ActorRestarted { .. } => Subject::Neither,
    }
}
