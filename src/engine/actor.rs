//! The loop, once, for floor and queues: read what has come in, apply each, turn once, hand the
//! events to the sequencer, then send. It never waits for anybody but its own mail and clock.

use super::clock::Clock;
use super::mailbox::Mail;
use super::post::Post;
use super::restart::{Kind, Panics, guarded};
use crate::domain::event::{By, Event};
use crate::domain::machine::{Effect, Machine, Outbox, Refusal, Wake};
use crate::id::QueueId;
use crate::journal::Source;
use crate::limits;
use crate::time::Instant;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

type Input<K> = <<K as Kind>::Machine as Machine>::Input;

/// An actor: a machine, its mail, and what it takes to bring it back.
pub(super) struct Actor<K: Kind> {
    kind: K,
    /// None when it is out of service.
    machine: Option<K::Machine>,
    mail: Mail<Input<K>>,
    batch: VecDeque<Input<K>>,
    out: Outbox,
    wake: Option<(Instant, Wake)>,
    panics: Panics,
    post: Arc<Post>,
    clock: Clock,
}

impl<K: Kind> Actor<K> {
    /// An actor as the log left it.
    pub(super) fn new(kind: K, mail: Mail<Input<K>>, post: Arc<Post>) -> Self {
        post.journal.keep(kind.source(), kind.empty());
        let clock = post.clock.clone();
        let mut actor = Self {
            kind,
            machine: None,
            mail,
            batch: VecDeque::new(),
            out: Outbox::default(),
            wake: None,
            panics: Panics::default(),
            post,
            clock,
        };
        actor.rise(actor.clock.now());
        actor
    }

    /// Runs until the mailbox is closed and empty.
    pub(super) async fn run(mut self) {
        while self.wait().await {
            self.step();
            if self.mail.has_more() {
                others_first().await;
            }
        }
    }

    /// Waits for mail or for the time the machine asked for. False when there will be no more
    /// of either.
    async fn wait(&mut self) -> bool {
        let at = self.wake.map_or(Instant::NEVER, |(at, _)| at);
        let most = limits::ACTOR_BATCH;
        tokio::select! {
            biased;
            open = self.mail.read(&mut self.batch, most) => open,
            () = self.clock.until(at) => true,
        }
    }

    /// One batch, from mail to sending.
    fn step(&mut self) {
        let now = self.clock.now();
        if self.mail.overflows() {
            self.restart(now, "its mailbox is longer than its bound");
        }
        while let Some(input) = self.batch.pop_front() {
            self.apply(now, input);
        }
        self.turn(now);
        self.hand_over(now);
        self.look_ahead(now);
    }

    fn apply(&mut self, now: Instant, input: Input<K>) {
        let reply_to = K::reply_to(&input);
        let Some(machine) = &mut self.machine else {
            self.out.reply(reply_to, Err(Refusal::Unavailable));
            return;
        };
        self.kind.before(&input);
        let done = self.out.effects.len();
        let (out, trip, source) = (&mut self.out, &self.post.trip, self.kind.source());
        let applied = guarded(|| {
            if let Some(trip) = trip {
                trip(source, reply_to.is_some());
            }
            machine.apply(now, input, out);
        });
        if let Err(why) = applied {
            // What the input had not finished was never said; what came before it was.
            self.out.effects.truncate(done);
            self.out.reply(reply_to, Err(Refusal::Internal));
            self.restart(now, &why);
        }
    }

    fn turn(&mut self, now: Instant) {
        let done = self.out.effects.len();
        let (machine, out) = (&mut self.machine, &mut self.out);
        let turned = guarded(|| machine.as_mut().map(|machine| machine.turn(now, out)));
        if let Err(why) = turned {
            self.out.effects.truncate(done);
            self.restart(now, &why);
        }
    }

    fn look_ahead(&mut self, now: Instant) {
        let machine = &self.machine;
        match guarded(|| machine.as_ref().and_then(Machine::next_wake)) {
            Ok(wake) => self.wake = wake,
            Err(why) => {
                self.restart(now, &why);
                // The machine that has just risen has its first turn before it looks ahead.
                self.wake = self.machine.as_ref().map(|_| (now, Wake::Opening));
            }
        }
        if let Some(machine) = &self.machine {
            self.kind.observe(machine);
        }
    }

    fn hand_over(&mut self, now: Instant) {
        if !self.out.effects.is_empty() {
            self.post
                .send(self.kind.source(), now, &mut self.out.effects);
        }
    }

    /// Brings the machine back from what the log knows, in its next life.
    fn restart(&mut self, now: Instant, why: &str) {
        let source = self.kind.source();
        tracing::error!(actor = %source, why, "an actor has failed");
        let too_often = self.panics.one_more(now);
        if !too_often {
            // Counted before anybody is told, so that whoever is told finds it counted.
            self.post.metrics.restarted();
        }
        self.hand_over(now);
        self.machine = None;
        if too_often {
            self.retire();
            return;
        }
        self.out.effects.push(restarted(source));
        self.hand_over(now);
        self.rise(now);
    }

    fn rise(&mut self, now: Instant) {
        let source = self.kind.source();
        let part = self.post.journal.recover(source);
        let kind = &mut self.kind;
        match guarded(|| part.and_then(|part| kind.rise(now, part))) {
            Ok(Some(machine)) => self.machine = Some(machine),
            Ok(None) | Err(_) => self.retire(),
        }
        self.wake = Some((now, Wake::Opening));
    }

    fn retire(&mut self) {
        tracing::error!(actor = %self.kind.source(), "an actor is taken out of service");
        self.machine = None;
        self.wake = None;
        self.kind.out_of_service();
    }
}

fn restarted(source: Source) -> Effect {
    let queue: Option<QueueId> = match source {
        Source::Queue(queue) => Some(queue),
        Source::Floor | Source::Board | Source::Index => None,
    };
    Effect::Event {
        event: Event::ActorRestarted { queue },
        by: By::Engine,
        content: None,
    }
}

/// Lets whoever else is ready on this thread go first, once.
async fn others_first() {
    let mut went = false;
    poll_fn(|cx| {
        if went {
            return Poll::Ready(());
        }
        went = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
