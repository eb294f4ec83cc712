//! Who has room, in the order in which a queue's selection takes them: kept up with every change
//! of an agent, so that a choice begins with the best.

use super::Floor;
use super::roster::Seat;
use crate::domain::message::LaneKey;
use crate::domain::rules::{Fill, QueueRules, Selection, Workspace};
use crate::id::{AgentId, ChannelId, QueueId};
use crate::limits;
use crate::time::Instant;
use std::collections::BTreeSet;

/// How an agent ranks for a contact: smaller is better.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Rank {
    pub(super) fill: i16,
    pub(super) selection: i64,
    at_work: bool,
    idle: Instant,
    pub(super) agent: AgentId,
}

/// What of a rank differs from row to row of one agent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Place {
    row: u32,
    fill: i16,
    selection: i64,
}

/// Where an agent stands: what its ranks have in common is kept once.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Places {
    at_work: bool,
    idle: Instant,
    /// In the order of the rows.
    rows: Box<[Place]>,
}

impl Places {
    fn ranks(&self, agent: AgentId) -> impl Iterator<Item = (usize, Rank)> + '_ {
        self.rows.iter().map(move |place| {
            let rank = Rank {
                fill: place.fill,
                selection: place.selection,
                at_work: self.at_work,
                idle: self.idle,
                agent,
            };
            (place.row as usize, rank)
        })
    }
}

/// Whether agents stand in the order of this selection. Skills depend on what a contact asks,
/// and contacts of the last hour on when it is asked: those are looked up with each contact.
pub(super) fn in_order(selection: Selection) -> bool {
    match selection {
        Selection::LongestIdle
        | Selection::Manual
        | Selection::LeastLoaded
        | Selection::RoundRobin => true,
        Selection::MostSkilled | Selection::LeastSkilled | Selection::FewestContacts => false,
    }
}

/// Agents with room, by queue and channel.
pub(super) struct Order {
    channels: usize,
    rows: Vec<BTreeSet<Rank>>,
    /// In which rows each agent stands, and where.
    places: Vec<Places>,
}

impl Order {
    pub(super) fn new(rules: &Workspace) -> Self {
        let channels = rules.channels.count();
        Self {
            channels,
            rows: vec![BTreeSet::new(); rules.queues.len() * channels],
            places: vec![Places::default(); rules.agents.len()],
        }
    }

    fn at(&self, queue: QueueId, channel: ChannelId) -> usize {
        queue.index() * self.channels + channel.index()
    }

    /// Agents with room for a channel of a queue, the first to be asked first.
    pub(super) fn row(&self, queue: QueueId, channel: ChannelId) -> impl Iterator<Item = AgentId> {
        let row = self.rows.get(self.at(queue, channel));
        row.into_iter().flatten().map(|rank| rank.agent)
    }

    /// Nobody has room for a channel of a queue.
    pub(super) fn nobody(&self, queue: QueueId, channel: ChannelId) -> bool {
        self.open(queue, channel) == 0
    }

    /// How many have room for a channel of a queue.
    pub(super) fn open(&self, queue: QueueId, channel: ChannelId) -> u32 {
        let row = self.rows.get(self.at(queue, channel));
        row.map_or(0, |row| u32::try_from(row.len()).unwrap_or(u32::MAX))
    }

    /// Puts an agent where it stands now, and nowhere else. Places are in the order of the rows.
    fn place(&mut self, agent: AgentId, now: Places) {
        let Some(places) = self.places.get_mut(agent.index()) else {
            return;
        };
        let before = std::mem::replace(places, now);
        let mut old = before.ranks(agent).peekable();
        let mut new = places.ranks(agent).peekable();
        loop {
            match (old.peek(), new.peek()) {
                (Some(was), Some(is)) if was == is => {
                    old.next();
                    new.next();
                }
                (Some((row, was)), is) if is.is_none_or(|(other, _)| row <= other) => {
                    self.rows[*row].remove(was);
                    old.next();
                }
                (_, Some((row, is))) => {
                    self.rows[*row].insert(*is);
                    new.next();
                }
                (_, None) => return,
            }
        }
    }
}

/// Whether an agent has work, and since when it waits for more.
fn idle_since(seat: &Seat) -> (bool, Instant) {
    let at_work = !seat.work.is_empty();
    let since = if at_work {
        seat.last_assigned
    } else {
        seat.idle_since
    };
    (at_work, since)
}

impl Floor {
    /// An agent changed: it is put where it belongs in every queue it serves.
    pub(super) fn reorder(&mut self, agent: AgentId) {
        let places = self.places(agent);
        self.order.place(agent, places);
    }

    /// Where an agent belongs.
    fn places(&self, agent: AgentId) -> Places {
        let open = self.desks[agent.index()].open;
        let Some(seat) = self.roster.seat(agent).filter(|_| !open.is_empty()) else {
            return Places::default();
        };
        let (at_work, idle) = idle_since(seat);
        let queues = seat.queues.iter();
        let queues = queues.filter_map(|queue| self.rules.queue(*queue));
        let mut rows: Vec<_> = queues
            .flat_map(|queue| open.iter().map(move |channel| (queue, channel)))
            .filter(|(queue, channel)| queue.terms(*channel).is_some())
            .map(|(queue, channel)| {
                let rank = self.standing(agent, seat, queue, channel);
                Place {
                    row: u32::try_from(self.order.at(queue.id, channel)).unwrap_or(u32::MAX),
                    fill: rank.fill,
                    selection: rank.selection,
                }
            })
            .collect();
        rows.sort_unstable();
        Places {
            at_work,
            idle,
            rows: rows.into_boxed_slice(),
        }
    }

    /// Agents who do not stand where they belong: none, ever.
    #[must_use]
    pub fn misplaced(&self) -> Option<AgentId> {
        let mut rows = vec![BTreeSet::new(); self.order.rows.len()];
        for agent in self.roster.seats.keys() {
            let places = self.places(*agent);
            if self.order.places[agent.index()] != places {
                return Some(*agent);
            }
            for (row, rank) in places.ranks(*agent) {
                rows[row].insert(rank);
            }
        }
        let pairs = self.order.rows.iter().zip(&rows);
        let wrong = pairs.flat_map(|(kept, right)| kept.symmetric_difference(right));
        wrong.map(|rank| rank.agent).next()
    }

    /// The rank of an agent as far as it depends on nothing but the agent.
    fn standing(
        &self,
        agent: AgentId,
        seat: &Seat,
        queue: &QueueRules,
        channel: ChannelId,
    ) -> Rank {
        let desk = &self.desks[agent.index()];
        let rules = self.rules.channels.get(channel);
        let shared = rules.is_some_and(|channel| channel.weight < limits::CAPACITY);
        let carried = i16::try_from(desk.load.count(channel)).unwrap_or(i16::MAX);
        let fill = match queue.fill {
            Fill::Spread if shared => carried,
            Fill::Fill if shared => -carried,
            Fill::Spread | Fill::Fill => 0,
        };
        let selection = match queue.selection {
            Selection::LeastLoaded => i64::from(desk.load.points(&self.rules.channels)),
            Selection::RoundRobin => i64::try_from(seat.last_assigned.0).unwrap_or(i64::MAX),
            Selection::LongestIdle
            | Selection::Manual
            | Selection::MostSkilled
            | Selection::LeastSkilled
            | Selection::FewestContacts => 0,
        };
        let (at_work, idle) = idle_since(seat);
        Rank {
            fill,
            selection,
            at_work,
            idle,
            agent,
        }
    }

    /// The rank of an agent for a contact.
    pub(super) fn rank(
        &self,
        now: Instant,
        agent: AgentId,
        seat: &Seat,
        key: &LaneKey,
        queue: &QueueRules,
    ) -> Rank {
        let standing = self.standing(agent, seat, queue, key.channel);
        let selection = match queue.selection {
            Selection::MostSkilled => -self.skill_points(agent, key),
            Selection::LeastSkilled => self.skill_points(agent, key),
            Selection::FewestContacts => i64::from(seat.given(now, queue.id)),
            Selection::LongestIdle
            | Selection::Manual
            | Selection::LeastLoaded
            | Selection::RoundRobin => standing.selection,
        };
        Rank {
            selection,
            ..standing
        }
    }

    fn skill_points(&self, agent: AgentId, key: &LaneKey) -> i64 {
        let skills = &self.rules.agents[agent.index()].qualities.skills;
        key.requirement
            .skills_named()
            .iter()
            .map(|skill| i64::from(skills.points(*skill)))
            .sum()
    }
}
