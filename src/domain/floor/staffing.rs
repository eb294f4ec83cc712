//! Who has room: open channels of each agent, numbers of each queue, told when they change.

use super::Floor;
use super::roster::Connection;
use crate::domain::capacity::ChannelSet;
use crate::domain::machine::{Outbox, Wake};
use crate::domain::message::{Staffing, ToQueue};
use crate::domain::offer::AgentState;
use crate::domain::rules::Workspace;
use crate::id::{AgentId, ChannelId, QueueId};
use crate::limits;
use crate::time::Instant;
use std::collections::BTreeSet;

/// Numbers of every queue and channel, with what its queue was last told.
pub(super) struct Staff {
    channels: usize,
    rows: Vec<Row>,
    changed: BTreeSet<(QueueId, ChannelId)>,
    /// What each agent now adds to its queues.
    counted: Vec<Counted>,
    /// Who serves a queue, configured; the choice of queues is the seat's.
    members: Vec<Vec<AgentId>>,
}

#[derive(Clone, Copy, Default)]
struct Row {
    now: Staffing,
    /// None until it was told anything.
    told: Option<Staffing>,
    told_at: Instant,
    open: u32,
}

#[derive(Clone, Default)]
struct Counted {
    queues: Vec<QueueId>,
    signed_in: ChannelSet,
    routable: ChannelSet,
    open: ChannelSet,
    free: Vec<(ChannelId, u32)>,
}

impl Staff {
    pub(super) fn new(rules: &Workspace) -> Self {
        let channels = rules.channels.count();
        let mut members = vec![Vec::new(); rules.queues.len()];
        for agent in &rules.agents {
            for membership in &agent.memberships {
                if let Some(queue) = members.get_mut(membership.queue.index()) {
                    queue.push(agent.id);
                }
            }
        }
        Self {
            channels,
            rows: vec![Row::default(); rules.queues.len() * channels],
            changed: BTreeSet::new(),
            counted: vec![Counted::default(); rules.agents.len()],
            members,
        }
    }

    /// Configured members of a queue.
    pub(super) fn members(&self, queue: QueueId) -> &[AgentId] {
        self.members.get(queue.index()).map_or(&[], Vec::as_slice)
    }

    /// Members of a queue with room on a channel.
    pub(super) fn open(&self, queue: QueueId, channel: ChannelId) -> u32 {
        self.rows
            .get(queue.index() * self.channels + channel.index())
            .map_or(0, |row| row.open)
    }

    /// The queue is told all its numbers at the next turn, whatever it was told before.
    pub(super) fn restate(&mut self, queue: QueueId) {
        for channel in (0u8..).map(ChannelId).take(self.channels) {
            let at = queue.index() * self.channels + channel.index();
            if let Some(row) = self.rows.get_mut(at) {
                row.told = None;
                self.changed.insert((queue, channel));
            }
        }
    }

    fn add(&mut self, counted: &Counted, sign: bool) {
        let step = |number: &mut u32, by: u32| {
            *number = if sign {
                *number + by
            } else {
                number.saturating_sub(by)
            };
        };
        for queue in &counted.queues {
            for channel in counted.signed_in.iter() {
                let at = queue.index() * self.channels + channel.index();
                let Some(row) = self.rows.get_mut(at) else {
                    continue;
                };
                step(&mut row.now.signed_in, 1);
                if counted.routable.contains(channel) {
                    step(&mut row.now.routable, 1);
                }
                if counted.open.contains(channel) {
                    step(&mut row.open, 1);
                }
                let free = counted.free.iter().find(|(free, _)| *free == channel);
                step(&mut row.now.free_slots, free.map_or(0, |(_, slots)| *slots));
                if Some(row.now) != row.told {
                    self.changed.insert((*queue, channel));
                }
            }
        }
    }
}

impl Floor {
    /// Works out anew on which channels an agent has room, and counts it in its queues.
    pub(super) fn refresh(&mut self, agent: AgentId) {
        let counted = self.count(agent);
        let Some(desk) = self.desks.get_mut(agent.index()) else {
            return;
        };
        let gained = ChannelSet(counted.open.0 & !desk.open.0);
        desk.open = counted.open;
        if !gained.is_empty() {
            self.lanes.agent_gained(agent);
        }
        let before = std::mem::take(&mut self.staff.counted[agent.index()]);
        self.staff.add(&before, false);
        self.staff.add(&counted, true);
        self.staff.counted[agent.index()] = counted;
    }

    /// After new rules: nothing of this agent is counted yet.
    pub(super) fn staff_anew(&mut self, agent: AgentId) {
        if let Some(counted) = self.staff.counted.get_mut(agent.index()) {
            *counted = Counted::default();
        }
    }

    fn count(&self, agent: AgentId) -> Counted {
        let (Some(seat), Some(desk), Some(rules)) = (
            self.roster.seat(agent),
            self.desks.get(agent.index()),
            self.rules.agent(agent),
        ) else {
            return Counted::default();
        };
        if !seat.signed_in() {
            return Counted::default();
        }
        let on = ChannelSet(seat.on.0 & desk.granted.0);
        let routable = desk.present
            && seat.state == AgentState::Available
            && seat.next.is_none()
            && seat.connection == Connection::Connected;
        let mut counted = Counted {
            queues: seat.queues.clone(),
            signed_in: on,
            ..Counted::default()
        };
        if routable {
            counted.routable = on;
            for channel in on.iter() {
                let room = desk
                    .load
                    .room_for(channel, &self.rules.channels, &rules.capacity);
                if room.is_ok() {
                    counted.open.insert(channel);
                    let free = desk
                        .load
                        .free_for(channel, &self.rules.channels, &rules.capacity);
                    counted.free.push((channel, free));
                }
            }
        }
        counted
    }

    /// Tells queues their numbers: at once between none and some, else at a bounded rate.
    pub(super) fn tell_staffing(&mut self, now: Instant, out: &mut Outbox) {
        let mut later = BTreeSet::new();
        let mut next: Option<Instant> = None;
        for (queue, channel) in std::mem::take(&mut self.staff.changed) {
            let at = queue.index() * self.staff.channels + channel.index();
            let Some(row) = self.staff.rows.get_mut(at) else {
                continue;
            };
            if Some(row.now) == row.told {
                continue;
            }
            let due = row.told_at + limits::STAFFING_EVERY;
            if row.told.is_none_or(|told| crosses(told, row.now)) || due <= now {
                row.told = Some(row.now);
                row.told_at = now;
                let staffing = row.now;
                self.tell(queue, ToQueue::Staffing { channel, staffing }, out);
            } else {
                later.insert((queue, channel));
                next = Some(next.map_or(due, |at| at.min(due)));
            }
        }
        self.staff.changed = later;
        self.timers.retain(|(_, wake)| *wake != Wake::Staffing);
        if let Some(at) = next {
            self.wake_at(at, Wake::Staffing);
        }
    }
}

fn crosses(told: Staffing, now: Staffing) -> bool {
    (told.signed_in == 0) != (now.signed_in == 0) || (told.routable == 0) != (now.routable == 0)
}
