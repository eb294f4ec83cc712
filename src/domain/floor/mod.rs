//! The floor: speaks for agents. It alone knows who has room, and gives it away in one step.

mod assign;
mod cards;
mod choose;
mod commands;
mod lanes;
mod offers;
mod order;
mod presence;
mod queue_says;
mod rights;
pub mod roster;
mod rules;
mod staffing;
mod state;

use crate::domain::capacity::{ChannelSet, Load};
use crate::domain::command::FloorInput;
use crate::domain::contact::Card;
use crate::domain::event::{By, Event};
use crate::domain::machine::{Machine, Outbox, Wake};
use crate::domain::message::{Between, LaneKey, SeatOffer, Terms, ToQueue};
use crate::domain::offer::Outcome;
use crate::domain::rules::Workspace;
use crate::domain::urgency::Entry;
use crate::id::{AgentId, ContactId, Incarnation, OfferId, QueueId, ReservationId};
use crate::time::Instant;
use lanes::{LaneRef, Lanes};
use order::Order;
use roster::{Phase, Roster};
use staffing::Staff;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// The floor of a workspace. [`Roster`] is what the log knows of it; the rest follows.
pub struct Floor {
    rules: Arc<Workspace>,
    life: Incarnation,
    roster: Roster,
    /// Of every user, by id: what assignment reads.
    desks: Vec<Desk>,
    reservations: BTreeMap<ReservationId, Reservation>,
    /// Entries with a reservation that the queue has not let go of: never offered a second time.
    held: BTreeMap<Entry, ReservationId>,
    /// Reservations that the floor took back, until the queue says that it knows.
    taken_back: BTreeMap<ReservationId, TakenBack>,
    lanes: Lanes,
    staff: Staff,
    order: Order,
    queue_lives: Vec<Incarnation>,
    /// Lanes passed over only because something unknown, or of better rank, comes first.
    waiting_behind_barrier: BTreeSet<LaneRef>,
    timers: BTreeSet<(Instant, Wake)>,
    /// Offers that are accepted as soon as the page shows them.
    unshown: BTreeSet<OfferId>,
    /// Of those, the ones that a later page has to show, and by when.
    shown_by: BTreeMap<OfferId, Instant>,
    next_id: u64,
    opening: bool,
    counters: Counters,
}

/// What operators see of a floor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Barriers that ended before the queue answered.
    pub barriers_timed_out: u64,
    /// Barriers that ended because the queue was down.
    pub barriers_queue_down: u64,
}

/// What of an agent is read at every assignment, kept next to the roster.
#[derive(Clone, Debug, Default)]
struct Desk {
    /// The sign-in is durable and its snapshot is in the outbox.
    present: bool,
    /// Channels the agent's roles let it handle.
    granted: ChannelSet,
    /// Everything that counts in the capacity.
    load: Load,
    /// Channels on which the agent would take one more contact.
    open: ChannelSet,
    /// The agent takes work; not why it has no room on a channel.
    routable: bool,
    /// Channels that are on.
    on: ChannelSet,
    /// The last offers that ended without a leg, so that a late accept is told what became of
    /// its contact.
    ended: VecDeque<(OfferId, ContactId, Outcome)>,
}

/// A promise of seats to one contact or request.
#[derive(Clone, Debug)]
struct Reservation {
    queue: QueueId,
    entry: Entry,
    key: Option<Arc<LaneKey>>,
    terms: Terms,
    card: Arc<Card>,
    /// Seats that are still in it.
    seats: Vec<(OfferId, AgentId)>,
}

/// The last seat of a reservation, taken back.
#[derive(Clone, Copy, Debug)]
struct TakenBack {
    queue: QueueId,
    entry: Entry,
    seat: SeatOffer,
    outcome: Outcome,
    /// The agent has set itself available since: it is kept from nothing any more.
    readmitted: bool,
}

impl Floor {
    /// An empty floor. Offers and reservations are numbered from `first_id` on, which the
    /// engine chooses beyond every number ever given out.
    #[must_use]
    pub fn new(rules: Arc<Workspace>, life: Incarnation, first_id: u64) -> Self {
        Self::rebuild(rules, Roster::default(), life, first_id)
    }

    /// A floor as the log left it. Its first turn takes back what was ringing and calls the
    /// queues to say what they hold.
    #[must_use]
    pub fn rebuild(
        rules: Arc<Workspace>,
        roster: Roster,
        life: Incarnation,
        first_id: u64,
    ) -> Self {
        let mut floor = Self {
            desks: vec![Desk::default(); rules.agents.len()],
            queue_lives: vec![Incarnation(0); rules.queues.len()],
            lanes: Lanes::new(&rules),
            staff: Staff::new(&rules),
            order: Order::new(&rules),
            rules,
            life,
            roster,
            reservations: BTreeMap::new(),
            held: BTreeMap::new(),
            taken_back: BTreeMap::new(),
            waiting_behind_barrier: BTreeSet::new(),
            timers: BTreeSet::new(),
            unshown: BTreeSet::new(),
            shown_by: BTreeMap::new(),
            next_id: first_id,
            opening: true,
            counters: Counters::default(),
        };
        floor.reseat();
        floor
    }

    /// What the log knows of this floor.
    #[must_use]
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// What operators see.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The life this floor speaks in.
    #[must_use]
    pub fn life(&self) -> Incarnation {
        self.life
    }

    /// Writes an event: into the roster first, so that the roster is always a fold of the log.
    fn record(&mut self, now: Instant, by: By, event: Event, out: &mut Outbox) {
        self.roster.fold(now, &event);
        out.event_by(by, event, None);
    }

    fn tell(&self, queue: QueueId, message: ToQueue, out: &mut Outbox) {
        out.to_queue(Between {
            queue,
            queue_life: self.queue_lives[queue.index()],
            floor_life: self.life,
            message,
        });
    }

    fn next_number(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Rebuilds what assignment reads from the roster.
    fn reseat(&mut self) {
        for (agent, seat) in &self.roster.seats {
            let Some(desk) = self.desks.get_mut(agent.index()) else {
                continue;
            };
            desk.present = seat.signed_in();
            desk.granted = self.rules.agents[agent.index()].channels;
            for work in seat.work.iter().filter(|work| work.phase.counts()) {
                desk.load.add(work.offer.channel);
                if work.phase == Phase::Engaged {
                    desk.load.connect(work.offer.channel);
                }
            }
        }
    }

    /// After a start: offers of an earlier life are void, and the queues say what they hold.
    fn open(&mut self, now: Instant, out: &mut Outbox) {
        self.opening = false;
        self.take_back_ringing(now, out);
        let agents: Vec<AgentId> = self.roster.seats.keys().copied().collect();
        for agent in agents {
            self.arm_lost(agent);
            self.arm_back_from_missed(agent);
            self.refresh(agent);
        }
        for queue in 0..self.rules.queues.len() {
            let queue = self.rules.queues[queue].id;
            self.tell(queue, ToQueue::RollCall, out);
        }
    }

    /// A timer is due. Timers of what is over find nothing to do.
    fn due(&mut self, now: Instant, wake: Wake, out: &mut Outbox) {
        match wake {
            Wake::OfferMissed(offer) => self.rang_out(now, offer, out),
            Wake::OfferUnshown(offer) => self.not_shown(now, offer, out),
            Wake::Barrier(_) => self.lift_barriers(now),
            Wake::Grace(agent) => self.grace_due(now, agent, out),
            Wake::BackFromMissed(agent) => self.back_from_missed(now, agent, out),
            Wake::Staffing
            | Wake::Opening
            | Wake::Boundary(_)
            | Wake::ConnectTimeout(_)
            | Wake::WrapUp(_) => {}
        }
    }

    fn wake_at(&mut self, at: Instant, wake: Wake) {
        self.timers.insert((at, wake));
    }
}

impl Machine for Floor {
    type Input = FloorInput;

    fn apply(&mut self, now: Instant, input: FloorInput, out: &mut Outbox) {
        if self.opening {
            self.open(now, out);
        }
        match input {
            FloorInput::Command(asked, command) => self.command(now, &asked, command, out),
            FloorInput::Queue(said) => self.queue_says(now, said, out),
            FloorInput::Present(agent, generation) => self.present(agent, generation),
            FloorInput::SocketLost(agent, generation) => {
                self.socket_lost(now, agent, generation, out);
            }
            FloorInput::SocketBack(agent, generation) => {
                self.socket_back(now, agent, generation, out);
            }
            FloorInput::QueueDown(queue) => self.queue_down(now, queue, out),
            FloorInput::Rules(rules) => self.change_rules(now, rules, out),
        }
    }

    fn turn(&mut self, now: Instant, out: &mut Outbox) {
        if self.opening {
            self.open(now, out);
        }
        while let Some((at, wake)) = self.timers.first().copied() {
            if at > now {
                break;
            }
            self.timers.remove(&(at, wake));
            self.due(now, wake, out);
        }
        self.assign(now, out);
        self.tell_unservable(out);
        self.tell_staffing(now, out);
    }

    fn next_wake(&self) -> Option<(Instant, Wake)> {
        if self.opening {
            return Some((Instant(0), Wake::Opening));
        }
        self.timers.first().copied()
    }
}
