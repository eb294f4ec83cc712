//! What the generator knows: every contact and every agent, and the promises held against them.

mod judge;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::clock;
use crate::measure::Measures;
use crate::plan::{Plan, agent_name};
use crate::promise::{Broken, Promise};
use crate::room::{self, CHANNELS, Phase, Work};
use crate::wire::Happened;

/// The ledger, shared by all clients of the run.
pub struct Shared(Mutex<Ledger>);

impl Shared {
    /// Shares a ledger.
    pub fn new(ledger: Ledger) -> Self {
        Self(Mutex::new(ledger))
    }

    /// The ledger, for one short turn.
    pub fn turn(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a contact ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Close {
    Open,
    Completed,
    Abandoned,
    Otherwise,
}

/// A contact's stay at one agent, in positions, from the offer to the end of talking.
#[derive(Clone, Copy, Debug)]
struct Stay {
    agent: u32,
    from: u64,
    to: Option<u64>,
}

#[derive(Debug)]
struct Contact {
    queue: u16,
    channel: u8,
    slice: Option<u8>,
    found_room: bool,
    refused: bool,
    acknowledged: bool,
    intended: Instant,
    offered_at: Option<Instant>,
    uuid: Option<u128>,
    first_entry: Option<i64>,
    entered: Option<u64>,
    first_offer: Option<u64>,
    could: u8,
    connects: u8,
    returns: u8,
    close: Close,
    stays: Vec<Stay>,
}

#[derive(Debug, Default)]
struct Agent {
    work: Vec<Work>,
    offers: Vec<(Box<str>, u32)>,
    changed: Option<Instant>,
}

/// An offer as an agent's socket showed it.
pub struct Shown<'a> {
    /// Index of the agent.
    pub agent: usize,
    /// Id of the offer.
    pub offer: &'a str,
    /// Number of the contact.
    pub contact: u32,
    /// The server's id of the contact.
    pub uuid: Option<u128>,
    /// Name of the channel.
    pub channel: &'a str,
    /// Name of the queue.
    pub queue: &'a str,
    /// Position.
    pub seq: u64,
    /// When it was received.
    pub at: Instant,
}

/// Where the contacts stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Contacts sent.
    pub submitted: u64,
    /// Contacts the server refused, `busy` for instance.
    pub refused: u64,
    /// Contacts that an agent talked to and that closed.
    pub completed: u64,
    /// Contacts whose customer hung up.
    pub abandoned: u64,
    /// Contacts offered at least once.
    pub offered: u64,
}

/// What the connector heard before the contact's number was known: event, position, reason.
type Early = (Happened, u64, Option<Box<str>>);

/// The ledger of one run.
pub struct Ledger {
    plan: std::sync::Arc<Plan>,
    contacts: Vec<Contact>,
    agents: Vec<Agent>,
    by_uuid: HashMap<u128, u32>,
    early: HashMap<u128, Vec<Early>>,
    waiting: BTreeMap<u32, Instant>,
    offers: HashSet<u64>,
    targets_known: bool,
    tally: Tally,
    closed: u64,
    /// Agents with an offer or a leg now.
    pub agents_with_work: usize,
    /// What was broken so far.
    pub broken: Broken,
    /// What was measured so far.
    pub measures: Measures,
}

impl Ledger {
    /// An empty ledger. `targets_known` says that the server's channel targets are the defaults.
    pub fn new(plan: std::sync::Arc<Plan>, targets_known: bool) -> Self {
        let agents = plan.memberships.iter().map(|_| Agent::default()).collect();
        Self {
            plan,
            contacts: Vec::new(),
            agents,
            by_uuid: HashMap::new(),
            early: HashMap::new(),
            waiting: BTreeMap::new(),
            offers: HashSet::new(),
            targets_known,
            tally: Tally::default(),
            closed: 0,
            agents_with_work: 0,
            broken: Broken::default(),
            measures: Measures::default(),
        }
    }

    /// Where the contacts stand.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Contacts sent, neither refused nor closed.
    pub fn open(&self) -> u64 {
        let over = self.tally.refused + self.closed;
        self.tally.submitted.saturating_sub(over)
    }

    /// Distinct offers shown so far.
    pub fn offers_seen(&self) -> usize {
        self.offers.len()
    }

    /// Distinct agents that were the first to be offered some contact.
    pub fn first_agents(&self) -> usize {
        let firsts = self
            .contacts
            .iter()
            .filter_map(|contact| contact.stays.first());
        firsts
            .map(|stay| stay.agent)
            .collect::<HashSet<u32>>()
            .len()
    }

    /// When the latest first offer came.
    pub fn last_offer(&self) -> Option<Instant> {
        self.contacts
            .iter()
            .filter_map(|contact| contact.offered_at)
            .max()
    }

    /// A contact goes out now; answers its number.
    pub fn submit(&mut self, intended: Instant, now: Instant, slice: Option<u8>) -> u32 {
        let number = u32::try_from(self.contacts.len()).unwrap_or(u32::MAX);
        let draw = self.plan.contact(number);
        let found_room = self.plan.members[draw.queue]
            .iter()
            .any(|agent| room::free(&self.agents[*agent].work, draw.channel));
        self.contacts.push(Contact {
            queue: draw.queue as u16,
            channel: draw.channel as u8,
            slice,
            found_room,
            refused: false,
            acknowledged: false,
            intended,
            offered_at: None,
            uuid: None,
            first_entry: None,
            entered: None,
            first_offer: None,
            could: 0,
            connects: 0,
            returns: 0,
            close: Close::Open,
            stays: Vec::new(),
        });
        self.tally.submitted += 1;
        if slice.is_some() {
            self.measures.lag(clock::nanos(intended, now));
        }
        number
    }

    /// The server took a contact.
    pub fn acknowledged(
        &mut self,
        number: u32,
        uuid: &str,
        first_entry: Option<i64>,
        now: Instant,
    ) {
        let Some(contact) = self.contacts.get_mut(number as usize) else {
            return;
        };
        contact.acknowledged = true;
        if contact.slice.is_some() {
            self.measures.reply(clock::nanos(contact.intended, now));
        }
        contact.first_entry = first_entry;
        if contact.stays.is_empty() && contact.close == Close::Open {
            self.waiting.insert(number, now);
        }
        match crate::wire::uuid(uuid) {
            Some(uuid) => self.bind(number, uuid),
            None => self.broken.note(Promise::Served, || {
                format!("the id of contact {number} is no UUID: `{uuid}`")
            }),
        }
    }

    /// The server refused a contact.
    pub fn refused(&mut self, number: u32) {
        if let Some(contact) = self.contacts.get_mut(number as usize) {
            contact.refused = true;
            self.tally.refused += 1;
        }
    }

    /// An offer rings at an agent. Answers whether the agent should take it.
    pub fn offered(&mut self, shown: &Shown<'_>) -> bool {
        let Shown {
            agent,
            offer,
            contact: number,
            seq,
            at,
            ..
        } = *shown;
        if number as usize >= self.contacts.len() {
            return false;
        }
        if let Some(uuid) = shown.uuid {
            self.bind(number, uuid);
        }
        self.judge_offer(shown);
        let contact = &mut self.contacts[number as usize];
        let channel = usize::from(contact.channel);
        let work = &self.agents[agent].work;
        let could = (0..CHANNELS.len()).filter(|other| room::free(work, *other));
        let could = could.fold(0, |bits, other| bits | 1 << other);
        contact.stays.push(Stay {
            agent: agent as u32,
            from: seq,
            to: None,
        });
        if contact.first_offer.is_none() {
            contact.first_offer = Some(seq);
            contact.could = could;
            contact.offered_at = Some(at);
            self.tally.offered += 1;
            self.waiting.remove(&number);
            if let Some(slice) = contact.slice {
                let waited = clock::nanos(contact.intended, at);
                self.measures.offer(slice, contact.found_room, waited);
            }
        }
        self.agents[agent].offers.push((offer.into(), number));
        self.work(agent, number, Some((channel, Phase::Offered)), at);
        true
    }

    /// An offer ended without an accept.
    pub fn offer_ended(&mut self, agent: usize, offer: &str, seq: u64, at: Instant) {
        let own = &mut self.agents[agent].offers;
        let Some(place) = own.iter().position(|(id, _)| **id == *offer) else {
            self.broken.note(Promise::NamesShown, || {
                format!(
                    "{offer} ended at {}, which was not shown it",
                    agent_name(agent)
                )
            });
            return;
        };
        let (_, number) = own.swap_remove(place);
        self.leave(agent, number, seq);
        self.work(agent, number, None, at);
    }

    /// A leg of an agent went on to `phase`; `None` is its end. Answers the contact's number.
    pub fn leg(
        &mut self,
        agent: usize,
        uuid: &str,
        phase: Option<Phase>,
        seq: u64,
        at: Instant,
    ) -> Option<u32> {
        let known = crate::wire::uuid(uuid).and_then(|uuid| self.by_uuid.get(&uuid));
        let Some(number) = known.copied() else {
            self.broken.note(Promise::ConnectOffered, || {
                format!(
                    "a leg of {} in contact {uuid}, which was never offered",
                    agent_name(agent)
                )
            });
            return None;
        };
        let held = self.agents[agent]
            .work
            .iter()
            .any(|item| item.contact == number);
        if !held {
            self.broken.note(Promise::ConnectOffered, || {
                format!(
                    "{} has {phase:?} of contact {number} without an offer",
                    agent_name(agent)
                )
            });
            return None;
        }
        self.agents[agent]
            .offers
            .retain(|(_, contact)| *contact != number);
        let contact = &mut self.contacts[number as usize];
        let channel = usize::from(contact.channel);
        match phase {
            Some(Phase::Connected) => {
                contact.connects = contact.connects.saturating_add(1);
                if let (Some(offered), Some(_)) = (contact.offered_at, contact.slice) {
                    self.measures.connect(clock::nanos(offered, at));
                }
                if contact.connects > contact.returns + 1 {
                    self.broken.note(Promise::Doubled, || {
                        format!("contact {number} connected again, at {}", agent_name(agent))
                    });
                }
            }
            Some(Phase::WrapUp) | None => self.leave(agent, number, seq),
            Some(Phase::Offered | Phase::Connecting) => {}
        }
        self.work(agent, number, phase.map(|phase| (channel, phase)), at);
        Some(number)
    }

    /// What the connector heard of a contact.
    pub fn heard(&mut self, event: Happened, uuid: &str, seq: u64, reason: Option<&str>) {
        let Some(uuid) = crate::wire::uuid(uuid) else {
            return;
        };
        match self.by_uuid.get(&uuid) {
            Some(number) => self.apply(*number, event, seq, reason),
            None => self
                .early
                .entry(uuid)
                .or_default()
                .push((event, seq, reason.map(Into::into))),
        }
    }

    fn apply(&mut self, number: u32, event: Happened, seq: u64, reason: Option<&str>) {
        let contact = &mut self.contacts[number as usize];
        if event == Happened::ContactEntered {
            contact.entered.get_or_insert(seq);
        } else if event == Happened::ContactReturned {
            contact.returns = contact.returns.saturating_add(1);
        } else if event == Happened::ContactClosed {
            if contact.close != Close::Open {
                self.broken.note(Promise::Doubled, || {
                    format!("contact {number} closed again")
                });
                return;
            }
            self.closed += 1;
            contact.close = match reason {
                Some("completed") => Close::Completed,
                Some("abandoned" | "short_abandoned") => Close::Abandoned,
                Some(_) | None => Close::Otherwise,
            };
            self.waiting.remove(&number);
            match contact.close {
                Close::Completed => self.tally.completed += 1,
                Close::Abandoned => self.tally.abandoned += 1,
                Close::Open | Close::Otherwise => self.broken.note(Promise::Lost, || {
                    format!("contact {number} closed for {reason:?}")
                }),
            }
        }
    }

    fn bind(&mut self, number: u32, uuid: u128) {
        let contact = &mut self.contacts[number as usize];
        let other = *contact.uuid.get_or_insert(uuid);
        let owner = *self.by_uuid.entry(uuid).or_insert(number);
        if other != uuid || owner != number {
            self.broken.note(Promise::Doubled, || {
                format!("contact {number} is {other:x} and {uuid:x}, which is contact {owner}")
            });
        }
        for (event, seq, reason) in self.early.remove(&uuid).unwrap_or_default() {
            self.apply(number, event, seq, reason.as_deref());
        }
    }

    fn leave(&mut self, agent: usize, number: u32, seq: u64) {
        let stays = self.contacts[number as usize].stays.iter_mut();
        let mut own = stays.filter(|stay| stay.agent as usize == agent && stay.to.is_none());
        if let Some(stay) = own.next() {
            stay.to = Some(seq);
        }
    }

    fn work(&mut self, agent: usize, number: u32, now: Option<(usize, Phase)>, at: Instant) {
        let own = &mut self.agents[agent];
        let before = own.work.is_empty();
        let place = own.work.iter().position(|item| item.contact == number);
        match (place, now) {
            (Some(place), Some((_, phase))) => own.work[place].phase = phase,
            (Some(place), None) => {
                own.work.swap_remove(place);
            }
            (None, Some((channel, phase))) => own.work.push(Work {
                contact: number,
                channel,
                phase,
            }),
            (None, None) => {}
        }
        own.changed = Some(at);
        match (before, own.work.is_empty()) {
            (true, false) => self.agents_with_work += 1,
            (false, true) => self.agents_with_work -= 1,
            (true, true) | (false, false) => {}
        }
    }
}
