//! A queue's numbers of now, each kept by the events of one contact or agent at a time.

use crate::domain::capacity::{ChannelSet, Channels};
use crate::domain::contact::{Closed, ContactState};
use crate::domain::offer::AgentState;
use crate::domain::rules::{AgentRules, QueueRules};
use crate::domain::urgency::Urgency;
use crate::id::{ContactId, QueueId};
use crate::limits;
use crate::live::agent::{self, AgentRow};
use crate::live::contact::ContactRow;
use crate::live::ewt::{Departures, Ewt, Head, Pace};
use crate::live::line::Line;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Where a member of a queue stands to it. Exactly one holds of each member: the first in this
/// order, but for [`Bucket::Routable`] and [`Bucket::NotReady`], which are what is left.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Bucket {
    /// Would get an offer of this queue now.
    Routable,
    /// Has an open offer.
    Ringing,
    /// On contact, and may be offered more of this queue.
    Working,
    /// On contact, and may not.
    Busy,
    /// In wrap-up alone, and may not be offered anything of this queue.
    WrapUp,
    /// Takes no work of this queue, for a reason.
    NotReady,
    /// Signed in, but the socket is gone.
    ConnectionLost,
    /// Not here.
    SignedOut,
}

impl Bucket {
    /// Every bucket.
    pub const ALL: [Self; 8] = [
        Self::Routable,
        Self::Ringing,
        Self::Working,
        Self::Busy,
        Self::WrapUp,
        Self::NotReady,
        Self::ConnectionLost,
        Self::SignedOut,
    ];

    /// Whether the member is there to do the queue's work.
    #[must_use]
    pub fn is_staffed(self) -> bool {
        match self {
            Self::Routable | Self::Ringing | Self::Working | Self::Busy | Self::WrapUp => true,
            Self::NotReady | Self::ConnectionLost | Self::SignedOut => false,
        }
    }
}

/// Reason of a member who is available but has not chosen the queue.
pub const QUEUE_OFF: &str = "queue_off";
/// Reason of a member who is available but has the queue's channels off.
pub const CHANNELS_OFF: &str = "channels_off";
/// Reason of a member who is available until the last work ends, and has another wish after it.
pub const LEAVING: &str = "leaving";

/// A member's part in the numbers of a queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Share {
    /// Where the member stands.
    pub bucket: Bucket,
    /// Why, of [`Bucket::NotReady`].
    pub reason: Option<Arc<str>>,
    /// Contacts of one of the queue's channels that the member could be given now.
    pub free: u32,
    /// Contacts of one of the queue's channels that the member carries at most.
    pub all: u32,
}

/// What an agent could take, channel by channel: worked out once for all queues.
#[derive(Clone, Debug)]
pub struct Room {
    free: Vec<u32>,
    all: Vec<u32>,
}

impl Room {
    /// The room of an agent.
    #[must_use]
    pub fn of(row: &AgentRow, rules: &AgentRules, table: &Channels) -> Self {
        let load = row.load();
        let each = |number: &dyn Fn(crate::id::ChannelId) -> u32| {
            table.iter().map(|(channel, _)| number(channel)).collect()
        };
        Self {
            free: each(&|channel| row.free(channel, &load, rules, table)),
            all: each(&|channel| {
                let on = row.on.contains(channel);
                if on {
                    rules.capacity.max(channel, table)
                } else {
                    0
                }
            }),
        }
    }

    fn most(numbers: &[u32], channels: ChannelSet) -> u32 {
        let of = channels.iter().filter_map(|c| numbers.get(c.index()));
        of.copied().max().unwrap_or(0)
    }
}

impl Share {
    /// The part of an agent who is a member of `queue`, which serves `channels`.
    #[must_use]
    pub fn of(row: &AgentRow, room: &Room, queue: QueueId, channels: ChannelSet) -> Self {
        let chosen = row.queues.contains(&queue);
        let free = if chosen {
            Room::most(&room.free, channels)
        } else {
            0
        };
        let any = |kind: fn(agent::Phase) -> bool| row.work.iter().any(|w| kind(w.phase));
        let bucket = if row.state == AgentState::SignedOut {
            Bucket::SignedOut
        } else if !row.connected {
            Bucket::ConnectionLost
        } else if any(agent::offered) {
            Bucket::Ringing
        } else if any(agent::on_contact) && free > 0 {
            Bucket::Working
        } else if any(agent::on_contact) {
            Bucket::Busy
        } else if free > 0 {
            Bucket::Routable
        } else if any(agent::in_wrap_up) {
            Bucket::WrapUp
        } else {
            Bucket::NotReady
        };
        let here = chosen && bucket != Bucket::SignedOut && bucket != Bucket::ConnectionLost;
        Self {
            bucket,
            reason: (bucket == Bucket::NotReady).then(|| {
                let set = match (&row.next, chosen) {
                    (Some(_), _) => LEAVING,
                    (None, true) => CHANNELS_OFF,
                    (None, false) => QUEUE_OFF,
                };
                Arc::from(row.reason().unwrap_or(set))
            }),
            free,
            all: if here {
                Room::most(&room.all, channels)
            } else {
                0
            },
        }
    }
}

/// What has come to and gone from a line since the log began.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Arrivals.
    pub entered: u64,
    /// Back in line after an answer.
    pub returned: u64,
    /// Back in line after an offer: neither an arrival nor a departure.
    pub requeued: u64,
    /// A leg connected.
    pub answered: u64,
    /// The customer left before an answer, or after a return.
    pub abandoned: u64,
    /// The customer left almost at once.
    pub short_abandoned: u64,
    /// Left for another queue while in line.
    pub moved_out: u64,
    /// Ended while in line by other means.
    pub cancelled: u64,
}

impl Counts {
    /// What came in is what went out and what is still there.
    #[must_use]
    pub fn conserve(&self, waiting_now: u64) -> bool {
        let went = self.answered + self.abandoned + self.short_abandoned;
        let went = went + self.moved_out + self.cancelled;
        self.entered + self.returned == went + waiting_now
    }

    /// A contact that was in line is over.
    pub fn closed(&mut self, reason: Closed) {
        match reason {
            Closed::Abandoned => self.abandoned += 1,
            Closed::ShortAbandoned => self.short_abandoned += 1,
            Closed::Completed | Closed::EndedBySupervisor | Closed::Failed => self.cancelled += 1,
        }
    }
}

/// A queue, as everybody who watches sees it.
#[derive(Clone, Debug, Default)]
pub struct QueueCell {
    /// Channels it serves.
    pub channels: ChannelSet,
    /// How many agents are its members.
    pub members: u32,
    /// Since the log began.
    pub counts: Counts,
    states: [u32; 5],
    line: Line,
    rest: BTreeSet<Urgency>,
    waits: BTreeSet<(Instant, ContactId)>,
    priorities: BTreeMap<i32, u32>,
    agents: [u32; 8],
    reasons: BTreeMap<Arc<str>, u32>,
    free: u32,
    all: u32,
    pub(super) departures: Departures,
    pub(super) stands_since: Option<Instant>,
}

impl QueueCell {
    /// A queue without contacts and members.
    #[must_use]
    pub fn new(rules: &QueueRules) -> Self {
        Self {
            channels: rules.channels.iter().map(|(channel, _)| *channel).collect(),
            ..Self::default()
        }
    }

    /// Contacts in a state. Closed ones are none of the queue's.
    #[must_use]
    pub fn contacts(&self, state: ContactState) -> u32 {
        state_index(state).map_or(0, |index| self.states[index])
    }

    /// Contacts that wait, ring or connect.
    #[must_use]
    pub fn waiting_now(&self) -> u32 {
        self.line.len()
    }

    /// Contacts that are not closed.
    #[must_use]
    pub fn contacts_now(&self) -> usize {
        self.line.len() as usize + self.rest.len()
    }

    /// Members in a bucket.
    #[must_use]
    pub fn agents(&self, bucket: Bucket) -> u32 {
        self.agents[bucket as usize]
    }

    /// Members not ready, by reason.
    #[must_use]
    pub fn not_ready(&self) -> &BTreeMap<Arc<str>, u32> {
        &self.reasons
    }

    /// Contacts in line by their own priority points.
    #[must_use]
    pub fn priorities(&self) -> &BTreeMap<i32, u32> {
        &self.priorities
    }

    /// Slots that could be filled now, and all slots of those who are there.
    #[must_use]
    pub fn slots(&self) -> (u32, u32) {
        (self.free, self.all)
    }

    /// First entry of the contact that has been in line longest.
    #[must_use]
    pub fn oldest(&self) -> Option<Instant> {
        self.waits.first().map(|(since, _)| *since)
    }

    /// Contacts of the queue, those in line first, each part most urgent first.
    pub fn in_order(&self) -> impl Iterator<Item = Urgency> + '_ {
        self.line.iter().chain(self.rest.iter().copied())
    }

    /// Contacts in line, most urgent first.
    pub fn in_line(&self) -> impl Iterator<Item = Urgency> + '_ {
        self.line.iter()
    }

    /// Place of a contact in line, from 1.
    #[must_use]
    pub fn position(&self, row: &ContactRow) -> Option<u32> {
        row.in_line().then(|| self.line.ahead_of(row.urgency()) + 1)
    }

    /// Somebody is there to do the queue's work.
    #[must_use]
    pub fn is_staffed(&self) -> bool {
        let mut staffed = Bucket::ALL.into_iter().filter(|b| b.is_staffed());
        staffed.any(|bucket| self.agents(bucket) > 0)
    }

    /// What waits are foretold by, worked out once for any number of contacts; nothing without
    /// evidence, or with nobody staffed. `head` is the row of the first in line.
    #[must_use]
    pub fn forecast(&self, now: Instant, head: Option<&ContactRow>) -> Option<Forecast> {
        if !self.is_staffed() {
            return None;
        }
        let pace = self.departures.pace(now)?;
        let stands = |since: Instant| now.since(since) >= limits::EWT_STANDS;
        let head = head.filter(|_| self.stands_since.is_some_and(stands));
        Some(Forecast {
            pace,
            head: head.map(|row| Head {
                waited: now.since(row.entered),
                length: self.line.len(),
            }),
        })
    }

    /// First in line.
    #[must_use]
    pub fn head(&self) -> Option<Urgency> {
        self.line.first()
    }

    /// A contact changed, came (`before` is of another queue, or nothing) or went.
    pub fn contact(
        &mut self,
        at: Instant,
        before: Option<&ContactRow>,
        after: Option<&ContactRow>,
    ) {
        let (before, after) = (before.map(Spot::of), after.map(Spot::of));
        if before.is_some() && before == after {
            return;
        }
        let place = |spot: &Option<Spot>| spot.map(|spot| Spot { state: 0, ..spot });
        let stays = place(&before) == place(&after);
        if let Some(spot) = &before {
            self.count_state(spot, false);
            if !stays {
                self.take_out(spot);
            }
        }
        if let Some(spot) = &after {
            self.count_state(spot, true);
            if !stays {
                self.put_in(spot);
            }
        }
        if self.line.is_empty() {
            self.stands_since = None;
        } else if self.stands_since.is_none() {
            self.stands_since = Some(at);
        }
    }

    /// A member's part changed.
    pub fn share(&mut self, before: Option<&Share>, after: Option<&Share>) {
        if let Some(share) = before {
            self.members -= 1;
            self.agents[share.bucket as usize] -= 1;
            self.free -= share.free;
            self.all -= share.all;
            if let Some(reason) = &share.reason {
                less(&mut self.reasons, reason);
            }
        }
        if let Some(share) = after {
            self.members += 1;
            self.agents[share.bucket as usize] += 1;
            self.free += share.free;
            self.all += share.all;
            if let Some(reason) = &share.reason {
                *self.reasons.entry(Arc::clone(reason)).or_default() += 1;
            }
        }
    }

    /// A contact in line was answered.
    pub fn answered(&mut self, at: Instant) {
        self.counts.answered += 1;
        self.departures.add(at);
    }

    fn count_state(&mut self, spot: &Spot, comes: bool) {
        let Some(count) = self.states.get_mut(spot.state) else {
            return;
        };
        if comes {
            *count += 1;
        } else {
            *count -= 1;
        }
    }

    fn put_in(&mut self, spot: &Spot) {
        if spot.in_line {
            self.line.insert(spot.urgency);
            self.waits.insert((spot.first_entry, spot.contact));
            *self.priorities.entry(spot.priority).or_default() += 1;
        } else if spot.live {
            self.rest.insert(spot.urgency);
        }
    }

    fn take_out(&mut self, spot: &Spot) {
        if spot.in_line {
            self.line.remove(spot.urgency);
            self.waits.remove(&(spot.first_entry, spot.contact));
            less(&mut self.priorities, &spot.priority);
        } else if spot.live {
            self.rest.remove(&spot.urgency);
        }
    }
}

/// What the waits of one queue are foretold by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Forecast {
    pace: Pace,
    head: Option<Head>,
}

impl Forecast {
    /// The expected wait at a place in line, 1 being the first.
    #[must_use]
    pub fn wait(&self, position: u32) -> Ewt {
        self.pace.wait(position, self.head)
    }
}

/// Where a contact stands in its queue.
#[derive(Clone, Copy, PartialEq)]
struct Spot {
    contact: ContactId,
    state: usize,
    urgency: Urgency,
    in_line: bool,
    live: bool,
    first_entry: Instant,
    priority: i32,
}

impl Spot {
    fn of(row: &ContactRow) -> Self {
        Self {
            contact: row.id(),
            state: state_index(row.state).unwrap_or(usize::MAX),
            urgency: row.urgency(),
            in_line: row.in_line(),
            live: row.is_live(),
            first_entry: row.facts.first_entry,
            priority: row.priority,
        }
    }
}

fn state_index(state: ContactState) -> Option<usize> {
    match state {
        ContactState::Waiting => Some(0),
        ContactState::Offered => Some(1),
        ContactState::Connecting => Some(2),
        ContactState::Active => Some(3),
        ContactState::WrapUp => Some(4),
        ContactState::Closed => None,
    }
}

fn less<K: Ord>(counts: &mut BTreeMap<K, u32>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}
