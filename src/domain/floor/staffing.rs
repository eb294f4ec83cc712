//! Who has room: open channels of each agent, numbers of each queue, told when they change.

use super::Floor;
use super::roster::Connection;
use crate::domain::capacity::ChannelSet;
use crate::domain::event::PassedOver;
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
    /// Of every queue and channel.
    rows: Vec<Row>,
    /// Rows that differ from what was told, since the last turn.
    changed: Vec<usize>,
    /// Rows that were told too lately, and when they are due.
    later: BTreeSet<(Instant, usize)>,
    /// When the floor is to be woken for them.
    armed: Option<Instant>,
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
    /// Members who take work, but none of this channel.
    off: u32,
    changed: bool,
    later: bool,
}

#[derive(Clone, PartialEq, Default)]
struct Counted {
    queues: Vec<QueueId>,
    signed_in: ChannelSet,
    takes_work: bool,
    routable: ChannelSet,
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
            changed: Vec::new(),
            later: BTreeSet::new(),
            armed: None,
            counted: vec![Counted::default(); rules.agents.len()],
            members,
        }
    }

    /// Configured members of a queue.
    pub(super) fn members(&self, queue: QueueId) -> &[AgentId] {
        self.members.get(queue.index()).map_or(&[], Vec::as_slice)
    }

    /// Members of a queue without room on a channel, by why, where `open` have room.
    pub(super) fn without_room(
        &self,
        queue: QueueId,
        channel: ChannelId,
        open: u32,
    ) -> [(PassedOver, u32); 3] {
        let members = u32::try_from(self.members(queue).len()).unwrap_or(u32::MAX);
        let row = self
            .rows
            .get(queue.index() * self.channels + channel.index())
            .copied()
            .unwrap_or_default();
        let here = row.now.routable + row.off;
        [
            (PassedOver::NotRoutable, members.saturating_sub(here)),
            (PassedOver::ChannelOff, row.off),
            (PassedOver::Full, row.now.routable.saturating_sub(open)),
        ]
    }

    /// The queue is told all its numbers at the next turn, whatever it was told before.
    pub(super) fn restate(&mut self, queue: QueueId) {
        for channel in (0u8..).map(ChannelId).take(self.channels) {
            let at = queue.index() * self.channels + channel.index();
            if let Some(row) = self.rows.get_mut(at) {
                row.told = None;
                row.change(at, &mut self.changed);
            }
        }
    }

    /// Rows that are to be looked at: what has changed, and what is due.
    fn take_ready(&mut self, now: Instant) -> Vec<usize> {
        let mut ready = std::mem::take(&mut self.changed);
        for at in &ready {
            self.rows[*at].changed = false;
        }
        while let Some((due, at)) = self.later.first().copied()
            && due <= now
        {
            self.later.pop_first();
            self.rows[at].later = false;
            ready.push(at);
        }
        ready
    }

    /// What a queue is to be told of a row now, if anything.
    fn telling(&mut self, now: Instant, at: usize) -> Option<Staffing> {
        let row = &mut self.rows[at];
        if Some(row.now) == row.told {
            return None;
        }
        let due = row.told_at + limits::STAFFING_EVERY;
        if row.told.is_none_or(|told| crosses(told, row.now)) || due <= now {
            row.told = Some(row.now);
            row.told_at = now;
            return row.told;
        }
        if !row.later {
            row.later = true;
            self.later.insert((due, at));
        }
        None
    }

    /// Queue and channel of a row.
    fn place(&self, at: usize) -> (QueueId, ChannelId) {
        let queue = u32::try_from(at / self.channels).unwrap_or(u32::MAX);
        let channel = u8::try_from(at % self.channels).unwrap_or(u8::MAX);
        (QueueId(queue), ChannelId(channel))
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
            for channel in (0u8..).map(ChannelId).take(self.channels) {
                let at = queue.index() * self.channels + channel.index();
                let Some(row) = self.rows.get_mut(at) else {
                    continue;
                };
                if !counted.signed_in.contains(channel) {
                    step(&mut row.off, u32::from(counted.takes_work));
                    continue;
                }
                step(&mut row.now.signed_in, 1);
                if counted.routable.contains(channel) {
                    step(&mut row.now.routable, 1);
                }
                let free = counted.free.iter().find(|(free, _)| *free == channel);
                step(&mut row.now.free_slots, free.map_or(0, |(_, slots)| *slots));
                row.change(at, &mut self.changed);
            }
        }
    }
}

impl Floor {
    /// Works out anew on which channels an agent has room, and counts it in its queues.
    pub(super) fn refresh(&mut self, agent: AgentId) {
        let (counted, open) = self.count(agent);
        let Some(desk) = self.desks.get_mut(agent.index()) else {
            return;
        };
        let gained = ChannelSet(open.0 & !desk.open.0);
        desk.open = open;
        desk.routable = counted.takes_work;
        desk.on = counted.signed_in;
        if !gained.is_empty() {
            self.lanes.agent_gained(agent);
        }
        if self.staff.counted[agent.index()] != counted {
            let before = std::mem::take(&mut self.staff.counted[agent.index()]);
            self.staff.add(&before, false);
            self.staff.add(&counted, true);
            self.staff.counted[agent.index()] = counted;
        }
        self.reorder(agent);
    }

    fn count(&self, agent: AgentId) -> (Counted, ChannelSet) {
        let (Some(seat), Some(desk), Some(rules)) = (
            self.roster.seat(agent),
            self.desks.get(agent.index()),
            self.rules.agent(agent),
        ) else {
            return <(Counted, ChannelSet)>::default();
        };
        if !seat.signed_in() {
            return <(Counted, ChannelSet)>::default();
        }
        let on = ChannelSet(seat.on.0 & desk.granted.0);
        let routable = desk.present
            && seat.state == AgentState::Available
            && seat.next.is_none()
            && seat.connection == Connection::Connected;
        let mut open = ChannelSet::EMPTY;
        let mut counted = Counted {
            queues: seat.queues.clone(),
            signed_in: on,
            takes_work: routable,
            ..Counted::default()
        };
        if routable {
            counted.routable = on;
            for channel in on.iter() {
                let room = desk
                    .load
                    .room_for(channel, &self.rules.channels, &rules.capacity);
                if room.is_ok() {
                    open.insert(channel);
                    let free = desk
                        .load
                        .free_for(channel, &self.rules.channels, &rules.capacity);
                    counted.free.push((channel, free));
                }
            }
        }
        (counted, open)
    }

    /// Tells queues their numbers: at once between none and some, else at a bounded rate.
    pub(super) fn tell_staffing(&mut self, now: Instant, out: &mut Outbox) {
        for at in self.staff.take_ready(now) {
            if let Some(staffing) = self.staff.telling(now, at) {
                let (queue, channel) = self.staff.place(at);
                self.tell(queue, ToQueue::Staffing { channel, staffing }, out);
            }
        }
        let next = self.staff.later.first().map(|(due, _)| *due);
        if next != self.staff.armed {
            if let Some(armed) = self.staff.armed {
                self.timers.remove(&(armed, Wake::Staffing));
            }
            self.staff.armed = next;
            if let Some(due) = next {
                self.wake_at(due, Wake::Staffing);
            }
        }
    }
}

impl Row {
    /// The row is to be looked at at the next turn.
    fn change(&mut self, at: usize, changed: &mut Vec<usize>) {
        if !self.changed {
            self.changed = true;
            changed.push(at);
        }
    }
}

fn crosses(told: Staffing, now: Staffing) -> bool {
    (told.signed_in == 0) != (now.signed_in == 0) || (told.routable == 0) != (now.routable == 0)
}
