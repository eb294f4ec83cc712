//! What each lane asks: the floor's copy of a few heads per lane, never of the queue.

use crate::domain::message::{Demand, Head, LaneKey, Terms};
use crate::domain::rules::Workspace;
use crate::domain::urgency::{Entry, Urgency};
use crate::id::{AgentId, LaneId, QueueId, ReservationId};
use crate::time::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A lane of a queue.
pub(super) type LaneRef = (QueueId, LaneId);

/// All lanes, and which of them wait to be looked at.
pub(super) struct Lanes {
    lanes: BTreeMap<LaneRef, Lane>,
    /// Lanes that name no agent, by queue.
    common: Vec<BTreeSet<LaneId>>,
    /// Lanes that name an agent, by agent.
    named: Vec<BTreeSet<LaneRef>>,
    /// Lanes whose known heads are used up while a match is unanswered.
    barriers: BTreeSet<LaneRef>,
    changed: BTreeSet<LaneRef>,
    gained: BTreeSet<AgentId>,
    unasked: BTreeSet<LaneRef>,
}

/// What a lane asks.
pub(super) struct Lane {
    pub(super) key: Arc<LaneKey>,
    pub(super) terms: Terms,
    /// Known and not matched, most urgent first.
    pub(super) heads: Vec<Head>,
    /// Matches the queue has not yet taken into account.
    pub(super) matched: Vec<(ReservationId, Entry)>,
    /// There is more behind what is known.
    pub(super) more: bool,
    /// What is unknown is not more urgent than this.
    pub(super) bound: Option<Urgency>,
    /// The barrier stands until then.
    pub(super) barrier: Option<Instant>,
    /// The barrier of this demand has ended without an answer.
    pub(super) passed: bool,
}

impl Lane {
    /// A head of the lane.
    pub(super) fn head(&self, entry: Entry) -> Option<&Head> {
        self.heads.iter().find(|head| head.urgency.entry == entry)
    }
}

impl Lanes {
    pub(super) fn new(rules: &Workspace) -> Self {
        let mut lanes = Self {
            lanes: BTreeMap::new(),
            common: Vec::new(),
            named: Vec::new(),
            barriers: BTreeSet::new(),
            changed: BTreeSet::new(),
            gained: BTreeSet::new(),
            unasked: BTreeSet::new(),
        };
        lanes.resize(rules);
        lanes
    }

    pub(super) fn resize(&mut self, rules: &Workspace) {
        self.common.resize(rules.queues.len(), BTreeSet::new());
        self.named.resize(rules.agents.len(), BTreeSet::new());
    }

    pub(super) fn get(&self, lane: LaneRef) -> Option<&Lane> {
        self.lanes.get(&lane)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&LaneRef, &Lane)> {
        self.lanes.iter()
    }

    /// Lanes of a queue that name nobody.
    pub(super) fn common(&self, queue: QueueId) -> impl Iterator<Item = LaneRef> {
        self.common
            .get(queue.index())
            .into_iter()
            .flatten()
            .map(move |lane| (queue, *lane))
    }

    /// Lanes that name an agent.
    pub(super) fn named(&self, agent: AgentId) -> impl Iterator<Item = LaneRef> {
        self.named.get(agent.index()).into_iter().flatten().copied()
    }

    pub(super) fn barriers(&self) -> impl Iterator<Item = LaneRef> {
        self.barriers.iter().copied()
    }

    /// Takes the state of a lane in. If nothing of what is known is left and more is behind it,
    /// there is a barrier, at the latest until `barrier_until`.
    pub(super) fn stated(&mut self, queue: QueueId, demand: Demand, barrier_until: Instant) {
        let lane = (queue, demand.lane);
        if demand.heads.is_empty() && !demand.more {
            self.remove(lane);
            return;
        }
        let known = self.lanes.remove(&lane);
        let (mut matched, barrier, passed) = known.map_or((Vec::new(), None, false), |known| {
            (known.matched, known.barrier, known.passed)
        });
        matched.retain(|(reservation, _)| !demand.answers.contains(reservation));
        let bound = demand.heads.last().map(|head| head.urgency);
        let heads: Vec<Head> = demand
            .heads
            .into_iter()
            .filter(|head| {
                !matched
                    .iter()
                    .any(|(_, entry)| *entry == head.urgency.entry)
            })
            .collect();
        self.index(lane, demand.key.named, true);
        // The queue has not yet heard of the matches: what comes behind them is still unknown,
        // unless nothing is behind them.
        let used_up = heads.is_empty() && demand.more;
        let passed = passed && used_up;
        let barrier = (used_up && !passed).then(|| barrier.unwrap_or(barrier_until));
        if barrier.is_some() {
            self.barriers.insert(lane);
        } else {
            self.barriers.remove(&lane);
        }
        self.lanes.insert(
            lane,
            Lane {
                key: demand.key,
                terms: demand.terms,
                heads,
                matched,
                more: demand.more,
                bound,
                barrier,
                passed,
            },
        );
        self.changed.insert(lane);
        self.unasked.insert(lane);
    }

    fn index(&mut self, lane: LaneRef, named: Option<AgentId>, present: bool) {
        let change = |set: &mut BTreeSet<LaneRef>| {
            if present {
                set.insert(lane)
            } else {
                set.remove(&lane)
            };
        };
        match named {
            Some(agent) => {
                if let Some(set) = self.named.get_mut(agent.index()) {
                    change(set);
                }
            }
            None => {
                if let Some(set) = self.common.get_mut(lane.0.index()) {
                    if present {
                        set.insert(lane.1);
                    } else {
                        set.remove(&lane.1);
                    }
                }
            }
        }
    }

    fn remove(&mut self, lane: LaneRef) {
        if let Some(gone) = self.lanes.remove(&lane) {
            self.index(lane, gone.key.named, false);
        }
        self.barriers.remove(&lane);
        self.changed.remove(&lane);
        self.unasked.remove(&lane);
    }

    /// Forgets all lanes of a queue: it will state them anew, or it is down.
    pub(super) fn forget_queue(&mut self, queue: QueueId) {
        let of_queue: Vec<LaneRef> = self
            .lanes
            .range((queue, LaneId(0))..=(queue, LaneId(u32::MAX)))
            .map(|(lane, _)| *lane)
            .collect();
        for lane in of_queue {
            self.remove(lane);
        }
    }

    pub(super) fn all_changed(&mut self) {
        self.changed.extend(self.lanes.keys());
        self.unasked.extend(self.lanes.keys());
    }

    /// Lanes of a queue with the entry among their heads are looked at again.
    pub(super) fn entry_free(&mut self, queue: QueueId, entry: Entry) {
        let with: Vec<LaneRef> = self
            .lanes
            .range((queue, LaneId(0))..=(queue, LaneId(u32::MAX)))
            .filter(|(_, lane)| lane.heads.iter().any(|head| head.urgency.entry == entry))
            .map(|(lane, _)| *lane)
            .collect();
        self.changed.extend(with);
    }

    pub(super) fn agent_gained(&mut self, agent: AgentId) {
        self.gained.insert(agent);
    }

    /// An agent's state changed so that lanes may have become unservable, or servable.
    pub(super) fn ask_anew(&mut self, lane: LaneRef) {
        if self.lanes.contains_key(&lane) {
            self.unasked.insert(lane);
        }
    }

    pub(super) fn take_changed(&mut self) -> BTreeSet<LaneRef> {
        std::mem::take(&mut self.changed)
    }

    pub(super) fn take_gained(&mut self) -> BTreeSet<AgentId> {
        std::mem::take(&mut self.gained)
    }

    pub(super) fn take_unasked(&mut self) -> BTreeSet<LaneRef> {
        std::mem::take(&mut self.unasked)
    }

    /// A head was matched. If it was the last that is known and more is behind it, there is a
    /// barrier from now on.
    pub(super) fn head_matched(
        &mut self,
        lane: LaneRef,
        entry: Entry,
        reservation: ReservationId,
        barrier_until: Instant,
    ) {
        let Some(known) = self.lanes.get_mut(&lane) else {
            return;
        };
        known.heads.retain(|head| head.urgency.entry != entry);
        known.matched.push((reservation, entry));
        if known.heads.is_empty() && known.more && !known.passed {
            known.barrier = Some(barrier_until);
            self.barriers.insert(lane);
        }
    }

    /// The barrier of a lane ends without an answer.
    pub(super) fn lift(&mut self, lane: LaneRef) {
        if let Some(known) = self.lanes.get_mut(&lane) {
            known.barrier = None;
            known.passed = true;
        }
        self.barriers.remove(&lane);
    }

    /// When the earliest barrier ends by itself.
    pub(super) fn first_barrier(&self) -> Option<(Instant, LaneRef)> {
        self.barriers
            .iter()
            .filter_map(|lane| Some((self.lanes.get(lane)?.barrier?, *lane)))
            .min()
    }
}
