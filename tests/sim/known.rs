//! What the floor has been told of each lane, written down beside it.

use std::collections::BTreeMap;
use std::sync::Arc;
use switchroom::domain::message::{Between, Demand, LaneKey, SeatOffer, Settled, ToFloor};
use switchroom::domain::rules::Workspace;
use switchroom::domain::urgency::{Entry, Urgency};
use switchroom::id::{Incarnation, LaneId, OfferId, QueueId, ReservationId};
use switchroom::limits;
use switchroom::time::Instant;

/// The lanes the floor knows of.
pub struct Known {
    pub lanes: BTreeMap<(QueueId, LaneId), Lane>,
    lives: Vec<Incarnation>,
    /// What was asked of the agent of an offer.
    keys: BTreeMap<OfferId, Arc<LaneKey>>,
    /// What the floor took back, until the queue has said that it knows.
    taken_back: BTreeMap<ReservationId, (QueueId, Entry)>,
}

/// A lane, as it was last stated, less what was given away since.
#[derive(Debug)]
pub struct Lane {
    pub key: Arc<LaneKey>,
    pub heads: Vec<Urgency>,
    pub more: bool,
    /// The last thing known of it: what is unknown comes later.
    pub bound: Option<Urgency>,
    matched: Vec<(ReservationId, Entry)>,
    /// Since when nothing is left of what is known.
    used_up: Option<Instant>,
}

impl Known {
    pub fn new(rules: &Workspace) -> Self {
        Self {
            lanes: BTreeMap::new(),
            keys: BTreeMap::new(),
            taken_back: BTreeMap::new(),
            lives: vec![Incarnation(0); rules.queues.len()],
        }
    }

    /// The floor reads something that a queue said.
    pub fn heard(&mut self, now: Instant, said: &Between<ToFloor>, floor: Incarnation) {
        if said.floor_life != floor {
            return;
        }
        let life = &mut self.lives[said.queue.index()];
        match &said.message {
            ToFloor::Roll { .. } if said.queue_life >= *life => {
                *life = said.queue_life;
                self.lanes.retain(|(of, _), _| *of != said.queue);
            }
            ToFloor::Demand(demand) if said.queue_life == *life => {
                self.stated(now, said.queue, demand);
            }
            ToFloor::Settle {
                reservation,
                settled: Settled::Over,
            } if said.queue_life == *life => {
                self.taken_back.remove(reservation);
            }
            ToFloor::Roll { .. } | ToFloor::Demand(_) | ToFloor::Settle { .. } => {}
        }
    }

    pub fn forget(&mut self, queue: QueueId) {
        self.lanes.retain(|(of, _), _| *of != queue);
        self.taken_back.retain(|_, (of, _)| *of != queue);
    }

    /// What was asked of the agent of an offer.
    pub fn key_of(&self, offer: OfferId) -> Option<&LaneKey> {
        self.keys.get(&offer).map(|key| &**key)
    }

    /// The floor takes a reservation back.
    pub fn took_back(&mut self, queue: QueueId, reservation: ReservationId, entry: Entry) {
        self.taken_back.insert(reservation, (queue, entry));
    }

    /// The queue may not have heard yet that the entry is free.
    pub fn is_taken_back(&self, entry: Entry) -> bool {
        self.taken_back.values().any(|(_, of)| *of == entry)
    }

    fn stated(&mut self, now: Instant, queue: QueueId, demand: &Demand) {
        let before = self.lanes.remove(&(queue, demand.lane));
        if demand.heads.is_empty() && !demand.more {
            return;
        }
        let (mut matched, since) = before.map_or((Vec::new(), None), |b| (b.matched, b.used_up));
        matched.retain(|(reservation, _)| !demand.answers.contains(reservation));
        let given = |urgency: &Urgency| matched.iter().any(|(_, entry)| *entry == urgency.entry);
        let heads = demand.heads.iter().map(|head| head.urgency);
        let heads: Vec<Urgency> = heads.filter(|urgency| !given(urgency)).collect();
        let used_up = heads.is_empty() && demand.more;
        let lane = Lane {
            key: Arc::clone(&demand.key),
            bound: demand.heads.last().map(|head| head.urgency),
            used_up: used_up.then(|| since.unwrap_or(now)),
            heads,
            more: demand.more,
            matched,
        };
        self.lanes.insert((queue, demand.lane), lane);
    }

    /// The floor gives a head away.
    pub fn matched(
        &mut self,
        now: Instant,
        lane: (QueueId, LaneId),
        entry: Entry,
        reservation: ReservationId,
        seats: &[SeatOffer],
    ) {
        if let Some(lane) = self.lanes.get_mut(&lane) {
            for seat in seats {
                self.keys.insert(seat.offer, Arc::clone(&lane.key));
            }
            lane.heads.retain(|head| head.entry != entry);
            lane.matched.push((reservation, entry));
            if lane.heads.is_empty() && lane.more {
                lane.used_up.get_or_insert(now);
            }
        }
    }
}

impl Lane {
    /// Something unknown may be waiting behind what is known.
    pub fn is_barrier(&self, now: Instant) -> bool {
        self.used_up
            .is_some_and(|since| now < since + limits::BARRIER)
    }
}
