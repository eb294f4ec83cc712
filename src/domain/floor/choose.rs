//! Which agent: the eligible ones of a lane in the order of its queue's selection.

use super::Floor;
use super::lanes::{Lane, LaneRef};
use super::order::{Rank, in_order};
use super::roster::Seat;
use crate::domain::event::{Chosen, PassedOver};
use crate::domain::message::LaneKey;
use crate::domain::rules::{QueueRules, Selection};
use crate::domain::urgency::Urgency;
use crate::id::{AgentId, QueueId};
use crate::limits;
use crate::time::Instant;
use std::collections::BTreeMap;

/// The winner, the best of the others, and why members were passed over.
pub(super) struct Choice {
    pub(super) agent: AgentId,
    pub(super) by: Chosen,
    pub(super) runners_up: Vec<AgentId>,
    pub(super) passed_over: Vec<(PassedOver, u32)>,
}

/// What came of looking for an agent.
pub(super) enum Found {
    /// One was found.
    Agent(Choice),
    /// Nobody, as things stand.
    Nobody,
    /// Nobody until a lane of better rank is served.
    AfterBetterRank,
    /// Nobody until a barrier ends.
    BehindBarrier,
    /// The same, but not everybody was asked.
    CutShort,
}

/// Lanes that wait for the end of barriers though somebody who was not asked could serve them,
/// with their heads: until they are looked at again, they stand before later lanes themselves.
pub(super) type CutShort = BTreeMap<LaneRef, Urgency>;

/// What an agent is asked for.
struct Asked<'a> {
    lane: LaneRef,
    asks: &'a Lane,
    head: Urgency,
    queue: &'a QueueRules,
    cut_short: &'a CutShort,
}

impl Floor {
    /// The best agent for a lane's first head.
    pub(super) fn choose(
        &self,
        now: Instant,
        lane: LaneRef,
        head: Urgency,
        cut_short: &CutShort,
    ) -> Found {
        let Some(asks) = self.lanes.get(lane) else {
            return Found::Nobody;
        };
        let key = &asks.key;
        let Some(queue) = self.rules.queue(lane.0) else {
            return Found::Nobody;
        };
        if queue.selection == Selection::Manual
            || (key.named.is_none() && self.order.nobody(lane.0, key.channel))
        {
            return Found::Nobody;
        }
        let asked = Asked {
            lane,
            asks,
            head,
            queue,
            cut_short,
        };
        let mut best: Vec<Rank> = Vec::with_capacity(limits::TRACE_RUNNERS_UP + 1);
        let mut passed = PassedCounts::default();
        let mut cut = false;
        let mut look_at = |agent: AgentId| {
            match self.candidate(now, &asked, agent) {
                Ok(rank) => keep_best(&mut best, rank),
                Err(why) => passed.count(why, 1),
            }
            let ordered = in_order(queue.selection);
            let enough = ordered && best.len() > limits::TRACE_RUNNERS_UP;
            // When so many are kept back by barriers, the rest are not worth asking: the lane is
            // looked at again as soon as one ends.
            let kept_back = passed.of(PassedOver::Barrier) >= limits::KEPT_BY_BARRIER;
            cut = kept_back && (ordered || best.is_empty());
            enough || cut
        };
        match key.named {
            Some(named) => {
                look_at(named);
            }
            None => {
                let mut row = self.order.row(lane.0, key.channel);
                while row.next().is_some_and(|agent| !look_at(agent)) {}
                let open = self.order.open(lane.0, key.channel);
                for (why, count) in self.staff.without_room(lane.0, key.channel, open) {
                    passed.count(why, count);
                }
            }
        }
        match best.split_first() {
            None if cut => Found::CutShort,
            None if passed.of(PassedOver::BetterRank) > 0 => Found::AfterBetterRank,
            None if passed.of(PassedOver::Barrier) > 0 => Found::BehindBarrier,
            None => Found::Nobody,
            Some((winner, others)) => Found::Agent(Choice {
                agent: winner.agent,
                by: by(key, winner, others.first()),
                runners_up: others.iter().map(|rank| rank.agent).collect(),
                passed_over: passed.list(),
            }),
        }
    }

    fn candidate(
        &self,
        now: Instant,
        asked: &Asked<'_>,
        agent: AgentId,
    ) -> Result<Rank, PassedOver> {
        let desk = &self.desks[agent.index()];
        let (key, queue) = (&asked.asks.key, asked.queue);
        let channel = key.channel;
        if !desk.open.contains(channel) {
            return Err(match (desk.routable, desk.on.contains(channel)) {
                (false, _) => PassedOver::NotRoutable,
                (true, false) => PassedOver::ChannelOff,
                (true, true) => PassedOver::Full,
            });
        }
        let seat = self.roster.seat(agent).ok_or(PassedOver::NotRoutable)?;
        self.may_have(agent, seat, queue, key)?;
        self.first_for(agent, seat, asked)?;
        Ok(self.rank(now, agent, seat, key, queue))
    }

    /// Whether an agent may have the contacts of a lane, room apart.
    pub(super) fn eligible(
        &self,
        agent: AgentId,
        queue: QueueId,
        key: &LaneKey,
    ) -> Result<(), PassedOver> {
        let queue = self.rules.queue(queue).ok_or(PassedOver::NotRoutable)?;
        let seat = self.roster.seat(agent).ok_or(PassedOver::NotRoutable)?;
        self.may_have(agent, seat, queue, key)
    }

    fn may_have(
        &self,
        agent: AgentId,
        seat: &Seat,
        queue: &QueueRules,
        key: &LaneKey,
    ) -> Result<(), PassedOver> {
        if !queue.direct && !seat.queues.contains(&queue.id) {
            return Err(PassedOver::NotRoutable);
        }
        key.admits(&self.rules, queue.id, agent)
    }

    /// The rank of a queue for an agent. A contact that names the agent in a queue it is no
    /// member of, or does not serve now, is of the first.
    fn rank_of(&self, agent: AgentId, seat: &Seat, queue: QueueId) -> u8 {
        let memberships = &self.rules.agents[agent.index()].memberships;
        let membership = memberships.iter().find(|of| of.queue == queue);
        membership
            .filter(|_| seat.queues.contains(&queue))
            .map_or(1, |membership| membership.rank)
    }

    /// Whether no lane that this agent serves comes before this one: an unserved lane of
    /// better rank, a lane behind whose barrier something more urgent may wait, or one that
    /// waits for a barrier and has not asked this agent.
    fn first_for(&self, agent: AgentId, seat: &Seat, asked: &Asked<'_>) -> Result<(), PassedOver> {
        let (lane, head) = (asked.lane, asked.head);
        let rank = self.rank_of(agent, seat, lane.0);
        let better = self.rules.agents[agent.index()].memberships.iter();
        let better = better.filter(|membership| membership.rank < rank);
        let named = self.lanes.named(agent);
        if better
            .flat_map(|membership| self.lanes.common(membership.queue))
            .chain(named.filter(|other| self.rank_of(agent, seat, other.0) < rank))
            .any(|other| self.waits_for(agent, other))
        {
            return Err(PassedOver::BetterRank);
        }
        for barrier in self.lanes.barriers() {
            let Some(unknown) = self.asking(barrier) else {
                continue;
            };
            let earlier = unknown
                .bound
                .is_some_and(|bound| (self.rank_of(agent, seat, barrier.0), bound) < (rank, head));
            if barrier != lane
                && earlier
                && self.desks[agent.index()].open.contains(unknown.key.channel)
                && self.eligible(agent, barrier.0, &unknown.key).is_ok()
            {
                return Err(PassedOver::Barrier);
            }
        }
        let waits_first = |(other, first): (&LaneRef, &Urgency)| {
            let earlier = (self.rank_of(agent, seat, other.0), *first) < (rank, head);
            *other != lane && earlier && self.waits_for(agent, *other)
        };
        if asked.cut_short.iter().any(waits_first) {
            return Err(PassedOver::Barrier);
        }
        Ok(())
    }

    /// A lane, unless agents pull from its queue by now.
    fn asking(&self, lane: LaneRef) -> Option<&Lane> {
        let queue = self.rules.queue(lane.0)?;
        let lane = self.lanes.get(lane)?;
        (queue.selection != Selection::Manual).then_some(lane)
    }

    /// Whether a lane has a head that this agent could have now.
    fn waits_for(&self, agent: AgentId, lane: LaneRef) -> bool {
        self.asking(lane).is_some_and(|asks| {
            asks.heads
                .iter()
                .any(|head| !self.held.contains_key(&head.urgency.entry))
                && self.desks[agent.index()].open.contains(asks.key.channel)
                && self.eligible(agent, lane.0, &asks.key).is_ok()
        })
    }
}

fn keep_best(best: &mut Vec<Rank>, rank: Rank) {
    let place = best.partition_point(|kept| *kept < rank);
    if place <= limits::TRACE_RUNNERS_UP {
        best.insert(place, rank);
        best.truncate(limits::TRACE_RUNNERS_UP + 1);
    }
}

fn by(key: &LaneKey, winner: &Rank, next: Option<&Rank>) -> Chosen {
    match next {
        _ if key.named.is_some() => Chosen::Preferred,
        None => Chosen::Only,
        Some(next) if next.fill != winner.fill => Chosen::Fill,
        Some(next) if next.selection != winner.selection => Chosen::Selection,
        Some(_) => Chosen::Idle,
    }
}

#[derive(Default)]
struct PassedCounts([u32; PASSED.len()]);

const PASSED: [PassedOver; 9] = [
    PassedOver::NotRoutable,
    PassedOver::ChannelOff,
    PassedOver::Full,
    PassedOver::Requirement,
    PassedOver::Excluded,
    PassedOver::Delay,
    PassedOver::BetterRank,
    PassedOver::Named,
    PassedOver::Barrier,
];

impl PassedCounts {
    fn count(&mut self, why: PassedOver, by: u32) {
        if let Some(count) = self.0.get_mut(why as usize) {
            *count += by;
        }
    }

    fn of(&self, why: PassedOver) -> u32 {
        self.0.get(why as usize).copied().unwrap_or_default()
    }

    fn list(&self) -> Vec<(PassedOver, u32)> {
        PASSED
            .into_iter()
            .zip(self.0)
            .filter(|(_, count)| *count > 0)
            .collect()
    }
}
