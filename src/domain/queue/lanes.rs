//! Lanes: the waiting contacts of a queue, grouped so that every agent who may have one of a
//! lane may have all of it.

use super::Queue;
use super::book::{Held, State};
use crate::domain::machine::Outbox;
use crate::domain::message::{Demand, Head, LaneKey, Terms, ToFloor, Unservable};
use crate::domain::requirement::Requirement;
use crate::domain::rules::{Selection, Workspace};
use crate::domain::urgency::{Entry, Urgency};
use crate::id::{AgentId, ContactId, LaneId, QueueId, ReservationId};
use crate::limits;
use crate::time::{Instant, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The lanes of a queue.
#[derive(Default)]
pub(super) struct Lanes {
    lanes: BTreeMap<LaneId, Lane>,
    by_key: BTreeMap<Arc<LaneKey>, LaneId>,
    places: BTreeMap<ContactId, (LaneId, Urgency)>,
    dirty: BTreeSet<LaneId>,
    next: u32,
}

struct Lane {
    key: Arc<LaneKey>,
    order: BTreeSet<Urgency>,
    /// Last head stated, and whether more was said to be behind it.
    stated: Option<(Urgency, bool)>,
    answers: Vec<ReservationId>,
}

impl Lanes {
    /// The lane a contact waits in.
    pub(super) fn of(&self, contact: ContactId) -> Option<LaneId> {
        self.places.get(&contact).map(|(lane, _)| *lane)
    }

    /// What a lane's contacts have in common.
    pub(super) fn key(&self, lane: LaneId) -> Option<&LaneKey> {
        Some(&self.lanes.get(&lane)?.key)
    }

    /// Contacts of a lane.
    pub(super) fn contacts(&self, lane: LaneId) -> Vec<ContactId> {
        self.lanes.get(&lane).map_or_else(Vec::new, |lane| {
            lane.order
                .iter()
                .map(|urgency| match urgency.entry {
                    Entry::Contact(contact) | Entry::Request(contact) => contact,
                })
                .collect()
        })
    }

    /// Notes that a match is taken into account by the lane's next demand.
    pub(super) fn answer(&mut self, lane: LaneId, reservation: ReservationId) {
        if let Some(known) = self.lanes.get_mut(&lane) {
            known.answers.push(reservation);
            self.dirty.insert(lane);
        }
    }

    /// Puts a contact into the lane of its key, out of any other. `judged` says that the floor
    /// must look at the lane even if the contact is behind what it knows: it may find that
    /// nobody can serve it.
    pub(super) fn place(
        &mut self,
        contact: ContactId,
        key: LaneKey,
        urgency: Urgency,
        judged: bool,
    ) {
        if let Some((lane, before)) = self.places.get(&contact).copied() {
            if before == urgency && self.lanes.get(&lane).is_some_and(|l| *l.key == key) {
                return;
            }
            self.take(contact);
        }
        let id = self.lane_of(key);
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.order.insert(urgency);
            let beyond = lane
                .stated
                .is_some_and(|(last, more)| more && urgency > last);
            if judged || !beyond {
                self.dirty.insert(id);
            }
        }
        self.places.insert(contact, (id, urgency));
    }

    /// Takes a contact out of its lane.
    pub(super) fn take(&mut self, contact: ContactId) {
        let Some((id, urgency)) = self.places.remove(&contact) else {
            return;
        };
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.order.remove(&urgency);
            let unseen = lane.stated.is_some_and(|(last, _)| urgency > last)
                && lane.order.len() > limits::HEADS;
            if !unseen {
                self.dirty.insert(id);
            }
        }
    }

    /// Every lane is stated at the next turn, answers to an earlier floor forgotten.
    pub(super) fn state_all_anew(&mut self) {
        for (id, lane) in &mut self.lanes {
            lane.stated = None;
            lane.answers.clear();
            self.dirty.insert(*id);
        }
    }

    /// A waiting contact's card changed: its lane is stated again.
    pub(super) fn card_changed(&mut self, contact: ContactId) {
        if let Some(lane) = self.of(contact) {
            self.dirty.insert(lane);
        }
    }

    /// Terms changed: every lane is stated at the next turn.
    pub(super) fn state_terms_anew(&mut self) {
        self.dirty.extend(self.lanes.keys());
    }

    fn lane_of(&mut self, key: LaneKey) -> LaneId {
        if let Some(id) = self.by_key.get(&key) {
            return *id;
        }
        let id = LaneId(self.next);
        self.next += 1;
        let key = Arc::new(key);
        self.by_key.insert(Arc::clone(&key), id);
        self.lanes.insert(
            id,
            Lane {
                key,
                order: BTreeSet::new(),
                stated: None,
                answers: Vec::new(),
            },
        );
        id
    }

    fn forget_if_empty(&mut self, id: LaneId) {
        if self
            .lanes
            .get(&id)
            .is_some_and(|lane| lane.order.is_empty())
            && let Some(lane) = self.lanes.remove(&id)
        {
            self.by_key.remove(&lane.key);
        }
    }
}

impl Queue {
    /// Puts a contact where it belongs: into its lane if it waits, out of any if it does not;
    /// and sets its deadline.
    pub(super) fn place(&mut self, now: Instant, contact: ContactId) {
        let waiting = self
            .book
            .contacts
            .get(&contact)
            .filter(|held| held.state == State::Waiting)
            .map(|held| {
                (
                    self.lane_key(now, held),
                    urgency(held),
                    self.skips(now, held),
                )
            });
        match waiting {
            Some((key, urgency, skips)) => {
                let judged = key.named.is_some() || skips;
                self.lanes.place(contact, key, urgency, judged);
            }
            None => self.lanes.take(contact),
        }
        self.arm(now, contact);
    }

    /// Whether a step would be skipped if nobody met the one in force.
    fn skips(&self, now: Instant, held: &Held) -> bool {
        self.own().skip_when_empty && usize::from(self.step(now, held)) < self.own().steps.last()
    }

    fn lane_key(&self, now: Instant, held: &Held) -> LaneKey {
        let facts = held.facts();
        let age = now.since(facts.first_entry);
        let waited = self.bands.iter().copied().filter(|d| *d <= age).max();
        LaneKey {
            channel: facts.channel,
            requirement: self.in_force(now, held),
            named: self.named(held),
            waited: waited.unwrap_or_default(),
            excluded: held.excluded.iter().map(|(agent, _)| *agent).collect(),
        }
    }

    /// Index of the requirement step that applies: by age, and never an earlier one.
    pub(super) fn step(&self, now: Instant, held: &Held) -> u16 {
        let age = now.since(held.facts().first_entry);
        let by_age = u16::try_from(self.own().steps.step_at(age)).unwrap_or(u16::MAX);
        let last = u16::try_from(self.own().steps.last()).unwrap_or(u16::MAX);
        by_age.max(held.step).min(last)
    }

    fn in_force(&self, now: Instant, held: &Held) -> Requirement {
        let step = usize::from(self.step(now, held));
        Requirement::all_of(self.own().steps.in_force(step), &held.facts().requirement)
    }

    /// The agent a contact is kept for.
    pub(super) fn named(&self, held: &Held) -> Option<AgentId> {
        held.facts().preferred.filter(|_| !held.released)
    }

    /// States every lane that changed.
    pub(super) fn state_demands(&mut self, out: &mut Outbox) {
        for id in std::mem::take(&mut self.lanes.dirty) {
            if let Some(demand) = self.demand(id) {
                self.tell_floor(ToFloor::Demand(demand), out);
            }
            self.lanes.forget_if_empty(id);
        }
    }

    fn demand(&mut self, id: LaneId) -> Option<Demand> {
        // A queue that agents pull from asks for nobody.
        let asks = self.own().selection != Selection::Manual;
        let lane = self.lanes.lanes.get_mut(&id)?;
        let heads: Vec<Head> = lane
            .order
            .iter()
            .take(limits::HEADS)
            .filter(|_| asks)
            .filter_map(|urgency| head(&self.book.contacts, *urgency))
            .collect();
        let more = asks && lane.order.len() > heads.len();
        let before = lane.stated;
        lane.stated = heads.last().map(|head| (head.urgency, more));
        let answers = std::mem::take(&mut lane.answers);
        if heads.is_empty() && before.is_none() && answers.is_empty() {
            return None;
        }
        let key = Arc::clone(&lane.key);
        let terms = self.own().terms(key.channel)?;
        Some(Demand {
            lane: id,
            terms: Terms {
                offer_timeout: terms.offer_timeout,
                auto_accept: terms.auto_accept,
                may_decline: terms.may_decline,
                ring_width: terms.ring_width,
            },
            key,
            heads,
            more,
            answers,
        })
    }

    /// The floor says that nobody can serve a lane as it stands.
    pub(super) fn unservable(
        &mut self,
        now: Instant,
        lane: LaneId,
        why: Unservable,
        out: &mut Outbox,
    ) {
        for contact in self.lanes.contacts(lane) {
            match why {
                Unservable::NamedAway | Unservable::NamedNotEligible => {
                    self.release_preferred(now, contact, out);
                }
                Unservable::NobodyMeets => self.skip_step(now, contact, out),
            }
        }
    }
}

fn head(contacts: &BTreeMap<ContactId, Held>, urgency: Urgency) -> Option<Head> {
    let (Entry::Contact(contact) | Entry::Request(contact)) = urgency.entry;
    contacts.get(&contact).map(|held| Head {
        urgency,
        card: Arc::clone(&held.card),
    })
}

/// A contact's place in the order.
pub(super) fn urgency(held: &Held) -> Urgency {
    Urgency {
        tier: held.facts().tier,
        due_at: held.due_at,
        entry: Entry::Contact(held.facts().id),
    }
}

/// The distinct delays of a queue's memberships, shortest first.
pub(super) fn bands(rules: &Workspace, queue: QueueId) -> Vec<Span> {
    let delays: BTreeSet<Span> = rules
        .agents
        .iter()
        .flat_map(|agent| &agent.memberships)
        .filter(|membership| membership.queue == queue)
        .map(|membership| membership.delay)
        .collect();
    delays.into_iter().collect()
}
