//! The world: every machine with its mail, the log, and what stands around them. Nothing here
//! decides anything; it carries messages, as late and as interleaved as a seed wants.

use super::known::Known;
use super::ledger::{Ledger, Phase};
use super::mail::{Mail, Sender};
use super::promise::{Kept, keep, promise};
use super::rng::Rng;
use super::screen::Screen;
use super::setup;
use super::tally::Tally;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use switchroom::domain::command::{FloorInput, QueueInput};
use switchroom::domain::event::Event;
use switchroom::domain::floor::Floor;
use switchroom::domain::floor::roster::Roster;
use switchroom::domain::machine::{Effect, Machine, Outbox, Refusal, ReplyTo};
use switchroom::domain::message::ToQueue;
use switchroom::domain::queue::Queue;
use switchroom::domain::queue::book::Book;
use switchroom::domain::rules::Workspace;
use switchroom::domain::urgency::Entry;
use switchroom::id::{AgentId, ContactId, Generation, Incarnation, OfferId, QueueId};
use switchroom::time::Instant;

promise! { REFUSED_CHANGES_NOTHING: "A command that is refused has changed nothing." }
promise! { OLD_SIGN_INS_REFUSED: "A sign-in that was taken over is refused whatever it asks." }

/// When every world begins.
pub const START: Instant = Instant(1_000_000_000);

/// One of the actors.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    Floor,
    Queue(usize),
}

/// An actor: its machine, none when it is out of service; its mail; what it goes by.
pub struct Actor<M: Machine> {
    pub machine: Option<M>,
    pub mail: Mail<M::Input>,
    pub life: Incarnation,
    /// Which of the rules it has been told.
    pub rules: usize,
    /// It dies of the next thing it reads.
    pub doomed: bool,
}

/// A socket of an agent.
pub struct Session {
    pub agent: AgentId,
    pub generation: Option<Generation>,
    pub open: bool,
}

/// What a request that is not yet answered was about.
#[derive(Clone, Copy, Debug)]
pub enum Asking {
    SignIn(usize),
    Accept(OfferId),
    /// The contact is to leave its line, or its conversation to end.
    Close(ContactId),
    Other,
}

pub struct World {
    pub now: Instant,
    pub rules: Vec<Arc<Workspace>>,
    pub floor: Actor<Floor>,
    pub queues: Vec<Actor<Queue>>,
    /// What the log says each actor would be rebuilt from.
    pub roster: Roster,
    pub books: Vec<Book>,
    pub ledger: Ledger,
    pub known: Known,
    pub screens: Vec<Screen>,
    pub sessions: Vec<Session>,
    /// The latest socket of each agent.
    pub current: Vec<Option<usize>>,
    pub pending: BTreeMap<u64, Asking>,
    pub requests: u64,
    pub submitted: Vec<(ContactId, QueueId)>,
    pub seq: u64,
    pub tally: Tally,
    /// The last lines of what happened, if anybody wants to read them.
    pub transcript: Option<VecDeque<String>>,
}

impl World {
    pub fn new(seed: u64) -> Self {
        Self::of(setup::workspace(&mut Rng::new(seed, 0)))
    }

    /// A world of these rules.
    pub fn of(rules: Workspace) -> Self {
        let rules = Arc::new(rules);
        let life = Incarnation(1);
        let queues = rules.queues.iter().map(|queue| Actor {
            machine: Some(Queue::new(Arc::clone(&rules), queue.id, life, life)),
            mail: Mail::default(),
            life,
            rules: 0,
            doomed: false,
        });
        Self {
            now: START,
            floor: Actor {
                machine: Some(Floor::new(Arc::clone(&rules), life, 0)),
                mail: Mail::default(),
                life,
                rules: 0,
                doomed: false,
            },
            queues: queues.collect(),
            roster: Roster::default(),
            books: rules.queues.iter().map(|q| Book::new(q.id)).collect(),
            ledger: Ledger::new(&rules),
            known: Known::new(&rules),
            screens: rules.agents.iter().map(|_| Screen::default()).collect(),
            sessions: Vec::new(),
            current: vec![None; rules.agents.len()],
            pending: BTreeMap::new(),
            requests: 0,
            submitted: Vec::new(),
            seq: 0,
            tally: Tally::default(),
            transcript: None,
            rules: vec![rules],
        }
    }

    /// The rules an actor goes by.
    pub fn rules_of(&self, who: Who) -> &Arc<Workspace> {
        &self.rules[self.version_of(who)]
    }

    fn version(&self, rules: &Arc<Workspace>) -> usize {
        let place = self
            .rules
            .iter()
            .position(|known| Arc::ptr_eq(known, rules));
        place.unwrap()
    }

    pub fn version_of(&self, who: Who) -> usize {
        match who {
            Who::Floor => self.floor.rules,
            Who::Queue(queue) => self.queues[queue].rules,
        }
    }

    pub fn newest_rules(&self) -> &Arc<Workspace> {
        &self.rules[self.rules.len() - 1]
    }

    /// Writes a line of the transcript.
    pub fn say(&mut self, line: impl FnOnce() -> String) {
        let now = self.now.since(START).0;
        if let Some(transcript) = &mut self.transcript {
            transcript.push_back(format!("{}.{:03} {}", now / 1000, now % 1000, line()));
            if transcript.len() > 400 {
                transcript.pop_front();
            }
        }
    }

    /// Actors that have something to do.
    pub fn ready(&self) -> Vec<Who> {
        let mut ready = Vec::new();
        if self.floor.mail.len() > 0 || self.due(Who::Floor) {
            ready.push(Who::Floor);
        }
        for (place, queue) in self.queues.iter().enumerate() {
            if queue.mail.len() > 0 || self.due(Who::Queue(place)) {
                ready.push(Who::Queue(place));
            }
        }
        ready
    }

    fn due(&self, who: Who) -> bool {
        self.wake_of(who).is_some_and(|at| at <= self.now)
    }

    /// When an actor wants to be woken.
    pub fn wake_of(&self, who: Who) -> Option<Instant> {
        let wake = match who {
            Who::Floor => self.floor.machine.as_ref()?.next_wake(),
            Who::Queue(queue) => self.queues[queue].machine.as_ref()?.next_wake(),
        };
        wake.map(|(at, _)| at)
    }

    /// The earliest wish to be woken.
    pub fn next_wake(&self) -> Option<Instant> {
        (0..self.queues.len())
            .map(Who::Queue)
            .chain([Who::Floor])
            .filter_map(|who| self.wake_of(who))
            .min()
    }

    /// Some actor reads a part of its mail and turns.
    pub fn step(&mut self, who: Who, rng: &mut Rng) -> Kept {
        match who {
            Who::Floor => {
                let mail = &mut self.floor.mail;
                let found = batch(mail.len(), rng);
                let inputs = (0..found).filter_map(|_| mail.take(rng)).collect();
                self.floor_reads(inputs)?;
            }
            Who::Queue(queue) => {
                let mail = &mut self.queues[queue].mail;
                let found = batch(mail.len(), rng);
                let inputs = (0..found).filter_map(|_| mail.take(rng)).collect();
                self.queue_reads(queue, inputs)?;
            }
        }
        self.tally.steps += 1;
        self.after_step(who)
    }

    /// An actor reads one thing of each of these senders, and turns.
    pub fn reads(&mut self, who: Who, from: &[Sender]) -> Kept {
        match who {
            Who::Floor => {
                let mail = &mut self.floor.mail;
                let inputs = from.iter().filter_map(|from| mail.take_from(*from));
                let inputs = inputs.collect();
                self.floor_reads(inputs)?;
            }
            Who::Queue(queue) => {
                let mail = &mut self.queues[queue].mail;
                let inputs = from.iter().filter_map(|from| mail.take_from(*from));
                let inputs = inputs.collect();
                self.queue_reads(queue, inputs)?;
            }
        }
        self.after_step(who)
    }

    /// All mail is read, in any order, until there is none and nobody is due.
    pub fn rest(&mut self, rng: &mut Rng) -> Kept {
        for _ in 0..2_000 {
            let ready = self.ready();
            if ready.is_empty() {
                return Ok(());
            }
            self.step(rng.of(&ready), rng)?;
        }
        promise! { COMES_TO_REST: "Without time passing, messages come to an end." }
        keep!(COMES_TO_REST, false, "{:?} have mail", self.ready());
        Ok(())
    }

    fn floor_reads(&mut self, inputs: Vec<FloorInput>) -> Kept {
        let mut out = Outbox::default();
        for input in inputs {
            let (own, stale) = match &input {
                FloorInput::Command(asked, _) => (asked.reply, self.is_stale(&input)),
                _ => (None, false),
            };
            if std::mem::take(&mut self.floor.doomed) {
                self.say(|| format!("floor dies of {input:?}"));
                out.reply(own, Err(Refusal::Internal));
                self.flush(Who::Floor, out)?;
                if let FloorInput::Rules(rules) = &input {
                    self.floor.rules = self.version(rules);
                }
                self.restart_floor()?;
                out = Outbox::default();
                continue;
            }
            self.say(|| format!("floor reads {input:?}"));
            if let FloorInput::Rules(_) = input {
                // What was decided by the old rules is judged by them.
                self.flush(Who::Floor, std::mem::take(&mut out))?;
            }
            self.floor_hears(&input);
            let before = out.effects.len();
            if let Some(machine) = &mut self.floor.machine {
                machine.apply(self.now, input, &mut out);
            }
            refused_changes_nothing(&out.effects[before..], own)?;
            let agreed = out.effects[before..]
                .iter()
                .any(|effect| matches!(effect, Effect::Reply(to, Ok(_)) if Some(*to) == own));
            keep!(OLD_SIGN_INS_REFUSED, !(stale && agreed), "{own:?}");
        }
        if let Some(machine) = &mut self.floor.machine {
            machine.turn(self.now, &mut out);
        }
        self.flush(Who::Floor, out)
    }

    /// An agent's command of an older sign-in than the one that holds the seat.
    fn is_stale(&self, input: &FloorInput) -> bool {
        use switchroom::domain::command::FloorCommand;
        let FloorInput::Command(asked, command) = input else {
            return false;
        };
        let agent = asked.principal.agent();
        let seat = self.floor.machine.as_ref();
        let seat = seat.and_then(|floor| floor.roster().seat(agent));
        let older = |generation| seat.is_some_and(|seat| generation < seat.generation);
        !matches!(command, FloorCommand::SignIn { .. }) && asked.generation.is_some_and(older)
    }

    fn floor_hears(&mut self, input: &FloorInput) {
        match input {
            FloorInput::Rules(rules) => {
                self.floor.rules = self.version(rules);
            }
            FloorInput::Present(agent, generation) | FloorInput::SocketBack(agent, generation) => {
                let seat = &mut self.ledger.agents[agent.index()];
                seat.present = seat.present.max(Some(*generation));
            }
            FloorInput::Queue(said) => self.known.heard(self.now, said, self.floor.life),
            FloorInput::QueueDown(queue) => {
                self.known.forget(*queue);
                let offers = self.ledger.offers.values();
                let taken = offers
                    .filter(|open| open.offer.queue == *queue && open.phase == Phase::Taken)
                    .map(|open| open.offer.offer);
                self.ledger.let_down.extend(taken);
            }
            FloorInput::Command(..) | FloorInput::SocketLost(..) => {}
        }
    }

    fn queue_reads(&mut self, queue: usize, inputs: Vec<QueueInput>) -> Kept {
        let who = Who::Queue(queue);
        let mut out = Outbox::default();
        for input in inputs {
            let own = wants_reply(&input);
            if self.queues[queue].machine.is_none() {
                out.reply(own, Err(Refusal::Unavailable));
                continue;
            }
            if std::mem::take(&mut self.queues[queue].doomed) {
                self.say(|| format!("queue {queue} dies of {input:?}"));
                out.reply(own, Err(Refusal::Internal));
                self.flush(who, out)?;
                if let QueueInput::Rules(rules) = &input {
                    self.queues[queue].rules = self.version(rules);
                }
                if let QueueInput::Floor(said) = &input
                    && let ToQueue::Readmit { agent: back } = said.message
                {
                    self.ledger.doubt(|agent, _| agent == back);
                }
                self.restart_queue(queue)?;
                out = Outbox::default();
                continue;
            }
            self.say(|| format!("queue {queue} reads {input:?}"));
            if let QueueInput::Rules(rules) = &input {
                self.flush(who, std::mem::take(&mut out))?;
                self.queues[queue].rules = self.version(rules);
            }
            let before = out.effects.len();
            if let Some(machine) = &mut self.queues[queue].machine {
                machine.apply(self.now, input, &mut out);
            }
            refused_changes_nothing(&out.effects[before..], own)?;
        }
        if let Some(machine) = &mut self.queues[queue].machine {
            machine.turn(self.now, &mut out);
        }
        self.flush(who, out)
    }

    /// An actor died: it is rebuilt from what the log says, in its next life.
    fn restart_floor(&mut self) -> Kept {
        self.tally.restarts += 1;
        // If a queue has died of hearing of a decline, nobody is left who would say it again.
        let known = &self.known;
        self.ledger
            .doubt(|_, contact| known.is_taken_back(Entry::Contact(contact)));
        self.log_restart(Who::Floor)?;
        self.raise_floor();
        // Every life of the floor is told who is out of service.
        for queue in 0..self.queues.len() {
            if self.queues[queue].machine.is_none() {
                self.retire(queue);
            }
        }
        Ok(())
    }

    pub fn raise_floor(&mut self) {
        self.floor.life = Incarnation(self.floor.life.0 + 1);
        let first_id = u64::from(self.floor.life.0) << 40;
        let rules = Arc::clone(self.rules_of(Who::Floor));
        self.floor.machine = Some(Floor::rebuild(
            rules,
            self.roster.clone(),
            self.floor.life,
            first_id,
        ));
        self.known = Known::new(self.newest_rules());
        for seat in &mut self.ledger.agents {
            seat.present = Some(seat.generation);
        }
    }

    fn restart_queue(&mut self, queue: usize) -> Kept {
        self.tally.restarts += 1;
        let machine = self.queues[queue].machine.as_ref();
        if machine.is_some_and(|machine| machine.lives().1 != self.floor.life) {
            // Both have died: what the floor of before said of declines is read too late.
            let contacts = &self.books[queue].contacts;
            self.ledger
                .doubt(|_, contact| contacts.contains_key(&contact));
        }
        self.log_restart(Who::Queue(queue))?;
        self.raise_queue(queue);
        Ok(())
    }

    pub fn raise_queue(&mut self, queue: usize) {
        let rules = Arc::clone(self.rules_of(Who::Queue(queue)));
        let book = self.books[queue].clone();
        let actor = &mut self.queues[queue];
        actor.life = Incarnation(actor.life.0 + 1);
        actor.machine = Some(Queue::rebuild(rules, book, actor.life, self.floor.life));
    }

    fn log_restart(&mut self, who: Who) -> Kept {
        let queue = match who {
            Who::Floor => None,
            Who::Queue(queue) => Some(self.books[queue].queue),
        };
        let mut out = Outbox::default();
        out.event(Event::ActorRestarted { queue });
        self.flush(who, out)
    }

    /// A queue has died too often: it answers nobody any more.
    pub fn retire(&mut self, queue: usize) {
        self.queues[queue].machine = None;
        let id = self.books[queue].queue;
        self.floor
            .mail
            .put(Sender::Queue(id), FloorInput::QueueDown(id));
    }

    /// A number for a request, and what it is about.
    pub fn request(&mut self, door: u64, asking: Asking) -> ReplyTo {
        self.requests += 1;
        self.pending.insert(self.requests, asking);
        ReplyTo {
            door,
            request: self.requests,
        }
    }
}

/// How much of its mail an actor finds when it looks.
fn batch(mail: usize, rng: &mut Rng) -> usize {
    let most = rng.of(&[1, 1, 2, 4, 16]);
    mail.min(1 + rng.below(most))
}

/// A command that is refused has changed nothing.
fn refused_changes_nothing(effects: &[Effect], own: Option<ReplyTo>) -> Kept {
    let refused = effects
        .iter()
        .any(|effect| matches!(effect, Effect::Reply(to, Err(_)) if Some(*to) == own));
    // A machine that has just been rebuilt says what it holds before it reads anything.
    let opens = effects.iter().any(|effect| match effect {
        Effect::ToQueue(said) => matches!(said.message, ToQueue::RollCall),
        Effect::ToFloor(said) => {
            matches!(
                said.message,
                switchroom::domain::message::ToFloor::Roll { .. }
            )
        }
        Effect::Event { .. } | Effect::Me(..) | Effect::Reply(..) => false,
    });
    keep!(
        REFUSED_CHANGES_NOTHING,
        !refused || opens || effects.len() == 1,
        "{effects:?}"
    );
    Ok(())
}

fn wants_reply(input: &QueueInput) -> Option<ReplyTo> {
    match input {
        QueueInput::Command(asked, _) => asked.reply,
        QueueInput::Floor(said) => match &said.message {
            ToQueue::Accept { reply, .. } => *reply,
            _ => None,
        },
        QueueInput::Rules(_) => None,
    }
}
