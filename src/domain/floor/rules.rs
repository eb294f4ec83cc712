//! New rules while everything runs: who may have what is worked out anew, and running work keeps
//! its terms.

use super::order::Order;
use super::staffing::Staff;
use super::{Desk, Floor};
use crate::domain::capacity::ChannelSet;
use crate::domain::event::{By, Event, SignOut};
use crate::domain::machine::{Me, Outbox};
use crate::domain::rules::{AgentRules, Workspace};
use crate::id::{AgentId, QueueId};
use crate::time::Instant;
use std::sync::Arc;

impl Floor {
    pub(super) fn change_rules(&mut self, now: Instant, rules: Arc<Workspace>, out: &mut Outbox) {
        self.desks.resize(rules.agents.len(), Desk::default());
        self.queue_lives
            .resize(rules.queues.len(), Default::default());
        self.lanes.resize(&rules);
        self.staff = Staff::new(&rules);
        self.order = Order::new(&rules);
        let before = std::mem::replace(&mut self.rules, rules);
        for agent in 0..self.rules.agents.len() {
            let agent = self.rules.agents[agent].id;
            self.desks[agent.index()].open = ChannelSet::default();
            self.assigned_anew(now, &before, agent, out);
            self.refresh(agent);
        }
        for queue in &self.rules.queues {
            self.staff.restate(queue.id);
        }
        self.withdraw_not_eligible(now, out);
        self.lanes.all_changed();
    }

    /// What an agent was newly assigned is on from now on, what it lost is off; what it chose of
    /// the rest stands. Who handles nothing any more is signed out, and its work goes back.
    fn assigned_anew(
        &mut self,
        now: Instant,
        before: &Workspace,
        agent: AgentId,
        out: &mut Outbox,
    ) {
        let (Some(was), Some(is)) = (before.agent(agent), self.rules.agent(agent)) else {
            return;
        };
        let gained = ChannelSet(is.channels.0 & !was.channels.0);
        let keeps = |set: ChannelSet| ChannelSet(set.0 & is.channels.0 | gained.0);
        let desk = &mut self.desks[agent.index()];
        desk.granted = keeps(desk.granted);
        let Some(seat) = self.roster.seat(agent).filter(|seat| seat.signed_in()) else {
            return;
        };
        if is.channels.is_empty() && !was.channels.is_empty() {
            // Nobody may hand work to somebody who may handle none.
            self.sign_out_now(now, agent, SignOut::Forced, By::Engine, out);
            return;
        }
        let channels = keeps(seat.on);
        let queues = queues(&seat.queues, was, is);
        let starts = self.starts(now, agent, &seat.queues, &queues);
        let shown = was.channels != is.channels || was.capacity != is.capacity;
        let serves = queues != seat.queues;
        if shown || channels != seat.on {
            let event = Event::AgentChannelsChanged { agent, channels };
            self.record(now, By::Engine, event, out);
            self.show_card(agent, Me::Channels, out);
        }
        if serves {
            let event = Event::AgentQueuesChanged {
                agent,
                queues,
                starts,
            };
            self.record(now, By::Engine, event, out);
            self.show_card(agent, Me::Queues, out);
        }
    }
}

/// Queues an agent serves from now on: those it served and still may, and the new ones.
fn queues(served: &[QueueId], was: &AgentRules, is: &AgentRules) -> Vec<QueueId> {
    let member = |of: &AgentRules, queue| of.memberships.iter().any(|m| m.queue == queue);
    let now = is.memberships.iter().map(|membership| membership.queue);
    let mut kept: Vec<QueueId> = served.iter().copied().filter(|q| member(is, *q)).collect();
    kept.extend(now.filter(|queue| !member(was, *queue) && !served.contains(queue)));
    kept
}
