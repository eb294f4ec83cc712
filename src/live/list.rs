//! Lists of rows as a lookout shows them: the states of views, and the answers to reads.

use crate::access::scope::Scope;
use crate::domain::urgency::{Entry, Urgency};
use crate::id::{AgentId, ContactId, QueueId, UserId};
use crate::live::contact::ContactRow;
use crate::live::delta::Seen;
use crate::live::lookout::Lookout;
use crate::live::picture::{Picture, Place};
use crate::live::queue::{Forecast, QueueCell};
use crate::live::seen::{AgentSeen, ContactSeen, Glass};
use crate::live::topic::Topic;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::ops::Bound;
use std::sync::Arc;

impl Picture {
    /// Live contacts that a user submitted, younger than one of them.
    pub fn submitted_after(
        &self,
        user: UserId,
        after: Option<ContactId>,
    ) -> impl Iterator<Item = ContactId> + '_ {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let contacts = self.submitted.get(&user);
        contacts
            .into_iter()
            .flat_map(move |contacts| contacts.range((from, Bound::Unbounded)))
            .copied()
    }

    /// The contacts that a lookout shows: the first `limit` of them, those in line before the
    /// others and each part most urgent first, and how many there are.
    #[must_use]
    pub fn contacts_seen(&self, lookout: &Lookout, limit: usize) -> (Vec<ContactSeen>, usize) {
        let (seen, total) = match lookout.topic {
            Topic::Contacts if lookout.is_whole() => self.first_of_all(lookout, limit),
            Topic::Contact(_)
            | Topic::Contacts
            | Topic::QueueContacts(_)
            | Topic::Connector
            | Topic::Agents
            | Topic::StatsQueues
            | Topic::StatsAgents => self.first_of_scope(lookout, limit),
        };
        let mut forecasts = BTreeMap::new();
        let rows = seen.into_iter().map(|(row, glass)| {
            let place = self.place_by(row, &mut forecasts);
            ContactSeen::new(Arc::clone(row), glass, place)
        });
        (rows.collect(), total)
    }

    fn first_of_scope(&self, lookout: &Lookout, limit: usize) -> (Vec<Seeing<'_>>, usize) {
        let mut seen: Vec<Seeing<'_>> = self
            .candidates(lookout)
            .into_iter()
            .filter_map(|contact| self.contact(contact))
            .filter_map(|row| Some((row, lookout.contact(row)?)))
            .collect();
        seen.sort_by_key(|(row, _)| (!row.in_line(), row.urgency()));
        let total = seen.len();
        seen.truncate(limit);
        (seen, total)
    }

    /// The first of the whole floor, by merging the orders of its queues: whoever sees all of
    /// 100,000 contacts is shown the first few without a look at the rest.
    fn first_of_all(&self, lookout: &Lookout, limit: usize) -> (Vec<Seeing<'_>>, usize) {
        let mut orders: Vec<_> = self
            .queues
            .iter()
            .map(|queue| queue.in_order().peekable())
            .collect();
        let mut heads = BinaryHeap::new();
        let rank = |urgency: &Urgency| {
            let row = self.contact(contact_of(urgency));
            (!row.is_some_and(|row| row.in_line()), *urgency)
        };
        for (queue, order) in orders.iter_mut().enumerate() {
            heads.extend(order.peek().map(|head| Reverse((rank(head), queue))));
        }
        let every = lookout.filter.is_empty();
        let (mut seen, mut total) = (Vec::new(), 0);
        while let Some(Reverse(((_, urgency), queue))) = heads.pop() {
            let row = self.contact(contact_of(&urgency));
            if let Some((row, glass)) = row.and_then(|row| Some((row, lookout.contact(row)?))) {
                total += 1;
                if seen.len() < limit {
                    seen.push((row, glass));
                }
            }
            if every && seen.len() >= limit {
                let queues = self.queues.iter();
                return (seen, queues.map(QueueCell::contacts_now).sum());
            }
            if let Some(order) = orders.get_mut(queue) {
                order.next();
                heads.extend(order.peek().map(|head| Reverse((rank(head), queue))));
            }
        }
        (seen, total)
    }

    /// Every row that a lookout of a lossless topic shows, with how it is seen.
    #[must_use]
    pub fn rows_seen(&self, lookout: &Lookout) -> Vec<(Seen, Glass)> {
        if lookout.topic == Topic::Agents {
            let rows = self.agents.iter().map(|cell| &cell.row);
            let seen = rows.filter_map(|row| {
                let glass = lookout.agent(row)?;
                let seen = AgentSeen::new(Arc::clone(row), &glass)?;
                Some((Seen::Agent(seen), glass))
            });
            return seen.collect();
        }
        let (contacts, _) = self.contacts_seen(lookout, usize::MAX);
        let seen = contacts.into_iter().map(|contact| {
            let glass = contact.glass().clone();
            (Seen::Contact(contact), glass)
        });
        seen.collect()
    }

    /// The agents that a lookout shows.
    #[must_use]
    pub fn agents_seen(&self, lookout: &Lookout) -> Vec<AgentSeen> {
        let rows = self.agents.iter().map(|cell| &cell.row);
        rows.filter_map(|row| AgentSeen::new(Arc::clone(row), &lookout.agent(row)?))
            .collect()
    }

    /// Place of a contact, the forecast of its queue being worked out once.
    fn place_by(
        &self,
        row: &ContactRow,
        forecasts: &mut BTreeMap<QueueId, Option<Forecast>>,
    ) -> Place {
        let Some(queue) = self.queue(row.queue) else {
            return Place::default();
        };
        let position = queue.position(row);
        let forecast = position.and_then(|_| {
            let forecast = || queue.forecast(self.at, self.head(queue));
            *forecasts.entry(row.queue).or_insert_with(forecast)
        });
        Place {
            position,
            ewt: position.zip(forecast).map(|(n, forecast)| forecast.wait(n)),
        }
    }

    /// Contacts among which all are that a lookout shows: by its scope, not by a look at all.
    fn candidates(&self, lookout: &Lookout) -> BTreeSet<ContactId> {
        match lookout.topic {
            Topic::Contact(contact) => [contact].into(),
            Topic::QueueContacts(queue) => self.of_queue(queue).collect(),
            Topic::Connector => self.submitted_by(lookout.user()).collect(),
            Topic::Contacts => self.in_scope(lookout),
            Topic::Agents | Topic::StatsQueues | Topic::StatsAgents => BTreeSet::new(),
        }
    }

    fn in_scope(&self, lookout: &Lookout) -> BTreeSet<ContactId> {
        let principal = &lookout.sight.viewer().principal;
        let granted = lookout.sight.granted();
        if granted.has(Scope::All) || granted.has(Scope::Named) || principal.is_visitor() {
            let queues = self.rules.queues.iter();
            return queues.flat_map(|queue| self.of_queue(queue.id)).collect();
        }
        let mut contacts: BTreeSet<ContactId> = self.submitted_by(principal.user()).collect();
        contacts.extend(self.of_agent(principal.agent()));
        let mut of_queues = |queues: &[QueueId]| {
            for queue in queues {
                contacts.extend(self.of_queue(*queue));
            }
        };
        let (teams, queues) = principal.supervised();
        if granted.has(Scope::Queue) {
            of_queues(principal.queues());
        }
        if granted.has(Scope::Supervised) {
            of_queues(queues);
        }
        let supervised = teams.iter().filter(|_| granted.has(Scope::Supervised));
        let own = principal
            .teams()
            .iter()
            .filter(|_| granted.has(Scope::Team));
        let teams: BTreeSet<_> = supervised.chain(own).copied().collect();
        for queue in &self.rules.queues {
            if queue.team.is_some_and(|team| teams.contains(&team)) {
                contacts.extend(self.of_queue(queue.id));
            }
        }
        for agent in &self.rules.agents {
            if agent.teams.iter().any(|team| teams.contains(team)) {
                contacts.extend(self.of_agent(agent.id));
            }
        }
        contacts
    }

    fn of_queue(&self, queue: QueueId) -> impl Iterator<Item = ContactId> + '_ {
        let entries = self
            .queue(queue)
            .into_iter()
            .flat_map(|queue| queue.in_order());
        entries.map(|urgency| contact_of(&urgency))
    }

    fn of_agent(&self, agent: AgentId) -> impl Iterator<Item = ContactId> + '_ {
        let cell = self.agents.get(agent.index());
        cell.into_iter()
            .flat_map(|cell| cell.contacts.iter().copied())
    }
}

/// A row with how it is seen.
type Seeing<'a> = (&'a Arc<ContactRow>, Glass);

fn contact_of(urgency: &Urgency) -> ContactId {
    let (Entry::Contact(contact) | Entry::Request(contact)) = urgency.entry;
    contact
}
