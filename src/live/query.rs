//! Reads: what one asks for once, under the same sight and lens as what one watches. What is out
//! of sight is answered exactly as what does not exist.

use crate::access::act;
use crate::access::lens::Agents;
use crate::access::permit::Act;
use crate::domain::event::PassedOver;
use crate::domain::rules::QueueRules;
use crate::id::{AgentId, ContactId, QueueId};
use crate::live::board::{Board, Refused};
use crate::live::lookout::Lookout;
use crate::live::seen::{AgentSeen, ContactSeen, DecisionSeen};
use crate::live::sight::{Sight, Viewer};
use crate::live::stats::{Table, TableCut};
use crate::live::table::TableView;
use crate::live::topic::{Filter, Topic};
use std::sync::Arc;

impl Board {
    /// `contact.get`: a contact, live or lately closed.
    ///
    /// # Errors
    /// When it is not there, or out of sight.
    pub fn contact(&self, viewer: &Viewer, contact: ContactId) -> Result<ContactSeen, Refused> {
        let sight = Sight::new(viewer.clone(), act::ContactGet::NEEDS);
        let row = self.picture.contact(contact).ok_or(Refused::NotFound)?;
        let rules = &self.picture.rules;
        let glass = match sight.decide_contact(rules, row) {
            Ok(glass) => glass,
            Err(denied) => sight.waiting(rules, row).ok_or(denied)?,
        };
        let place = self.picture.place(row, self.picture.at);
        Ok(ContactSeen::new(Arc::clone(row), glass, place))
    }

    /// `contact.list`: the live contacts in sight, of one queue or of all; those in line first,
    /// each part most urgent first. At most `limit`, and how many there are.
    ///
    /// # Errors
    /// When the viewer may see no contact at all.
    pub fn contacts(
        &self,
        viewer: &Viewer,
        filter: Filter,
        limit: usize,
    ) -> Result<(Vec<ContactSeen>, usize), Refused> {
        let lookout = self.lookout(viewer, Topic::Contacts, filter)?;
        Ok(self.picture.contacts_seen(&lookout, limit))
    }

    /// `agent.list`: the agents in sight.
    ///
    /// # Errors
    /// When the viewer may see no agent at all.
    pub fn agents(&self, viewer: &Viewer) -> Result<Vec<AgentSeen>, Refused> {
        let lookout = self.lookout(viewer, Topic::Agents, Filter::default())?;
        Ok(self.picture.agents_seen(&lookout))
    }

    /// `queue.list`: the queues in sight, with their rules.
    ///
    /// # Errors
    /// When the viewer may see no queue at all.
    pub fn queues(&self, viewer: &Viewer) -> Result<Vec<&QueueRules>, Refused> {
        let sight = Sight::new(viewer.clone(), Topic::StatsQueues.needs());
        sight.decide_rows()?;
        let rules = &self.picture.rules;
        let seen = |queue: &&QueueRules| sight.queue(rules, queue.id).is_some();
        Ok(rules.queues.iter().filter(seen).collect())
    }

    /// `stats.get`: a table of now.
    ///
    /// # Errors
    /// When the viewer may see no row at all.
    pub fn table(&self, viewer: &Viewer, table: Table) -> Result<TableCut, Refused> {
        let topic = match table {
            Table::Queues => Topic::StatsQueues,
            Table::Agents => Topic::StatsAgents,
        };
        let lookout = self.lookout(viewer, topic, Filter::default())?;
        let columns = table.columns(&self.picture.rules);
        let (sight, filter) = (&lookout.sight, &lookout.filter);
        let view = TableView::new(table, columns, 1, sight, filter, &self.picture, 0);
        Ok(view.cut())
    }

    /// `contact.trace`: the last choices of an agent for a contact, oldest first.
    ///
    /// # Errors
    /// When the contact is not there or out of sight, or its trace may not be seen.
    pub fn trace(&self, viewer: &Viewer, contact: ContactId) -> Result<Vec<DecisionSeen>, Refused> {
        let sight = Sight::new(viewer.clone(), act::ContactTrace::NEEDS);
        let cell = self
            .picture
            .contacts
            .get(&contact)
            .ok_or(Refused::NotFound)?;
        let glass = sight.decide_contact(&self.picture.rules, &cell.row)?;
        let decisions = cell.decisions.iter();
        let seen = decisions
            .map(|(at, decision)| DecisionSeen::new(*at, Arc::clone(decision), glass.clone()));
        Ok(seen.collect())
    }

    /// Why a contact in line would not be given to an agent at this moment, as far as the log
    /// tells; nothing where nothing stands in the way. Whether the agent would be given another
    /// contact first is for the floor to know.
    ///
    /// # Errors
    /// When the contact's trace or the agent may not be seen.
    pub fn explain(
        &self,
        viewer: &Viewer,
        contact: ContactId,
        agent: AgentId,
    ) -> Result<Option<PassedOver>, Refused> {
        let sight = Sight::new(viewer.clone(), act::ContactTrace::NEEDS);
        let row = self.picture.contact(contact).ok_or(Refused::NotFound)?;
        sight.decide_contact(&self.picture.rules, row)?;
        let agents = Sight::new(viewer.clone(), act::AgentWatch::NEEDS);
        let seen = agents.agent(&self.picture.rules, agent);
        seen.filter(|glass| glass.lens().agents == Agents::Identified)
            .ok_or(Refused::NotFound)?;
        let in_line = row.in_line();
        Ok(self.picture.passed_over(row, agent).filter(|_| in_line))
    }

    /// What the numbers of a queue say, for promises and metrics.
    #[must_use]
    pub fn queue_counts(&self, queue: QueueId) -> Option<(crate::live::queue::Counts, u32)> {
        let cell = self.picture.queue(queue)?;
        Some((cell.counts, cell.waiting_now()))
    }

    fn lookout(&self, viewer: &Viewer, topic: Topic, filter: Filter) -> Result<Lookout, Refused> {
        let sight = Sight::new(viewer.clone(), topic.needs());
        sight.decide_rows()?;
        if filter.names_agents() && sight.is_anonymous() {
            return Err(Refused::FilterHidden);
        }
        let rules = Arc::clone(&self.picture.rules);
        Ok(Lookout::new(topic, filter, sight, rules))
    }
}
