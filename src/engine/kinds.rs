//! The two kinds of actors that the loop drives: queues, and the floor they belong to.

use super::fatal::Fatal;
use super::metrics::Metrics;
use super::post::Outlet;
use super::registry::Life;
use super::restart::Kind;
use crate::domain::command::{FloorInput, QueueInput};
use crate::domain::floor::roster::Roster;
use crate::domain::floor::{Counters, Floor};
use crate::domain::machine::ReplyTo;
use crate::domain::message::ToQueue;
use crate::domain::queue::Queue;
use crate::domain::queue::book::Book;
use crate::domain::rules::Workspace;
use crate::id::QueueId;
use crate::journal::{Fold, Source};
use crate::time::Instant;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A floor gives out at most this many numbers per millisecond of its life, so that a number
/// made of the time is beyond every one given out before.
const NUMBERS_PER_MS: u64 = 1_000;
/// Numbers count from 2025 on, which keeps them short.
const NUMBERS_SINCE: u64 = 1_735_689_600_000;

/// A queue.
pub(super) struct QueueKind {
    pub(super) queue: QueueId,
    pub(super) rules: Arc<Workspace>,
    pub(super) life: Arc<Life>,
    pub(super) outlet: Arc<Outlet>,
    pub(super) metrics: Arc<Metrics>,
}

impl Kind for QueueKind {
    type Machine = Queue;

    fn source(&self) -> Source {
        Source::Queue(self.queue)
    }

    fn empty(&self) -> Box<dyn Fold> {
        Box::new(Book::new(self.queue))
    }

    fn rise(&mut self, _now: Instant, part: Box<dyn Fold>) -> Option<Queue> {
        let book = part.into_any().downcast::<Book>().ok()?;
        let floor_life = self.outlet.registry.floor.life.now();
        let rules = Arc::clone(&self.rules);
        Some(Queue::rebuild(rules, *book, self.life.next(), floor_life))
    }

    fn reply_to(input: &QueueInput) -> Option<ReplyTo> {
        match input {
            QueueInput::Command(asked, _) => asked.reply,
            QueueInput::Floor(said) => match &said.message {
                ToQueue::Accept { reply, .. } => *reply,
                ToQueue::Match { .. }
                | ToQueue::Revoke { .. }
                | ToQueue::Leave { .. }
                | ToQueue::Staffing { .. }
                | ToQueue::Unservable { .. }
                | ToQueue::Readmit { .. }
                | ToQueue::RollCall => None,
            },
            QueueInput::Rules(_) => None,
        }
    }

    fn before(&mut self, input: &QueueInput) {
        if let QueueInput::Rules(rules) = input {
            self.rules = Arc::clone(rules);
        }
    }

    fn out_of_service(&self) {
        self.metrics.out_of_service();
        self.outlet.tell_floor(FloorInput::QueueDown(self.queue));
    }

    fn observe(&mut self, _machine: &Queue) {}
}

/// The floor.
pub(super) struct FloorKind {
    pub(super) rules: Arc<Workspace>,
    /// Rules that the machine is just being told.
    pub(super) next: Option<Arc<Workspace>>,
    /// It has failed over them once.
    pub(super) tried: bool,
    pub(super) outlet: Arc<Outlet>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) fatal: Fatal,
    /// What the machine of this life had counted when it was last looked at.
    pub(super) counted: Counters,
    pub(super) numbers: Numbers,
    /// Queues that are out of service: a floor may have failed of hearing of it.
    pub(super) down: BTreeSet<QueueId>,
}

impl Kind for FloorKind {
    type Machine = Floor;

    fn source(&self) -> Source {
        Source::Floor
    }

    fn empty(&self) -> Box<dyn Fold> {
        Box::<Roster>::default()
    }

    fn rise(&mut self, now: Instant, part: Box<dyn Fold>) -> Option<Floor> {
        let roster = part.into_any().downcast::<Roster>().ok()?;
        self.try_again();
        let rules = Arc::clone(&self.rules);
        let life = self.outlet.registry.floor.life.next();
        self.counted = Counters::default();
        for queue in &self.down {
            self.outlet.tell_floor(FloorInput::QueueDown(*queue));
        }
        Some(Floor::rebuild(
            rules,
            *roster,
            life,
            self.numbers.first(now),
        ))
    }

    fn reply_to(input: &FloorInput) -> Option<ReplyTo> {
        match input {
            FloorInput::Command(asked, _) => asked.reply,
            FloorInput::Queue(_)
            | FloorInput::Present(..)
            | FloorInput::SocketLost(..)
            | FloorInput::SocketBack(..)
            | FloorInput::QueueDown(_)
            | FloorInput::Rules(_) => None,
        }
    }

    fn before(&mut self, input: &FloorInput) {
        if let FloorInput::Rules(rules) = input {
            self.next = Some(Arc::clone(rules));
        } else if let FloorInput::QueueDown(queue) = input {
            self.down.insert(*queue);
        }
    }

    fn out_of_service(&self) {
        self.metrics.out_of_service();
        self.fatal.say("the floor has failed too often");
    }

    fn observe(&mut self, machine: &Floor) {
        if let Some(rules) = self.next.take() {
            self.rules = rules;
            self.tried = false;
        }
        let counted = machine.counters();
        if counted != self.counted {
            self.metrics.barriers(
                counted.barriers_timed_out - self.counted.barriers_timed_out,
                counted.barriers_queue_down - self.counted.barriers_queue_down,
            );
            self.counted = counted;
        }
    }
}

impl FloorKind {
    /// Whoever was newly assigned something is told once more by a floor that knows what was
    /// before. One that fails over the same rules again rises by them and tells nobody.
    fn try_again(&mut self) {
        let Some(rules) = self.next.take() else {
            return;
        };
        if std::mem::replace(&mut self.tried, true) {
            self.rules = rules;
            self.tried = false;
        } else {
            self.outlet.tell_floor(FloorInput::Rules(rules));
        }
    }
}

/// The first number of each life of a floor.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// When the last life began, and with which number.
    last: Option<(Instant, u64)>,
}

impl Numbers {
    /// A number beyond every one given out before: by an earlier process, since they are made of
    /// the time, and by an earlier life in this one, however short it was.
    fn first(&mut self, now: Instant) -> u64 {
        let of_time = now.0.saturating_sub(NUMBERS_SINCE);
        let of_time = of_time.saturating_mul(NUMBERS_PER_MS);
        let after = self.last.map_or(0, |(since, first)| {
            let lived = now.since(since).0.saturating_add(1);
            first.saturating_add(lived.saturating_mul(NUMBERS_PER_MS))
        });
        let first = of_time.max(after);
        self.last = Some((now, first));
        first
    }
}

#[cfg(test)]
mod tests {
    use super::{NUMBERS_PER_MS, NUMBERS_SINCE, Numbers};
    use crate::time::Instant;

    #[test]
    fn lives_of_one_millisecond_share_no_number() {
        let now = Instant(NUMBERS_SINCE + 1_000_000);
        let mut numbers = Numbers::default();
        let lives: Vec<u64> = [now, now, now, Instant(now.0 + 1)]
            .into_iter()
            .map(|at| numbers.first(at))
            .collect();
        for pair in lives.windows(2) {
            assert!(pair[1] >= pair[0] + NUMBERS_PER_MS, "{lives:?}");
        }
        let later = Instant(now.0 + 60_000);
        assert!(numbers.first(later) >= Numbers::default().first(later));
    }
}
