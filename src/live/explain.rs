//! Why an agent is passed over for a contact: worked out on demand from what the log tells, by
//! the order in which the floor asks.

use crate::domain::capacity::ChannelSet;
use crate::domain::event::PassedOver;
use crate::domain::requirement::Requirement;
use crate::domain::rules::QueueRules;
use crate::id::AgentId;
use crate::live::contact::ContactRow;
use crate::live::picture::Picture;

impl Picture {
    /// The first reason that keeps a contact from an agent now.
    #[must_use]
    pub fn passed_over(&self, contact: &ContactRow, agent: AgentId) -> Option<PassedOver> {
        let (Some(row), Some(own), Some(queue)) = (
            self.agent(agent),
            self.rules.agent(agent),
            self.rules.queue(contact.queue),
        ) else {
            return Some(PassedOver::NotRoutable);
        };
        let channel = contact.facts.channel;
        if !row.is_routable() {
            return Some(PassedOver::NotRoutable);
        }
        if !ChannelSet(row.on.0 & own.channels.0).contains(channel) {
            return Some(PassedOver::ChannelOff);
        }
        if row.free(channel, &row.load(), own, &self.rules.channels) == 0 {
            return Some(PassedOver::Full);
        }
        let named = contact.facts.preferred.filter(|_| !contact.released);
        if named.is_some_and(|named| named != agent) {
            return Some(PassedOver::Named);
        }
        let excluded = |(other, until): &(AgentId, _)| *other == agent && *until > self.at;
        if contact.excluded.iter().any(excluded) {
            return Some(PassedOver::Excluded);
        }
        let member = own.memberships.iter().find(|m| m.queue == queue.id);
        match member.filter(|m| row.queues.contains(&m.queue)) {
            None if !queue.direct => return Some(PassedOver::NotRoutable),
            Some(m) if named.is_none() && m.delay > self.at.since(contact.entered) => {
                return Some(PassedOver::Delay);
            }
            Some(_) | None => {}
        }
        let meets = self.in_force(contact, queue).meets(&own.qualities);
        (!meets).then_some(PassedOver::Requirement)
    }

    fn in_force(&self, contact: &ContactRow, queue: &QueueRules) -> Requirement {
        let age = self.at.since(contact.facts.first_entry);
        let step = queue.steps.step_at(age).max(usize::from(contact.step));
        let step = queue.steps.in_force(step.min(queue.steps.last()));
        Requirement::all_of(step, &contact.requirement)
    }
}
