//! Doors: where replies and streams leave the engine. A session of a socket holds a [`Door`]
//! and empties it; an HTTP exchange waits for one answer by [`Doors::once`]. A door is bounded
//! in bytes, and nobody who puts something into it ever waits: a slow door is closed.

use super::delivery::counted;
use super::inbox::{Emptier, Filler, inbox};
use crate::domain::machine::{Answer, Refusal, ReplyTo};
use crate::id::{AgentId, Generation, Seq};
use crate::limits;
use dashmap::DashMap;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::sync::oneshot;

pub use super::delivery::{Close, Delivery, MyEvent, Owed, Parts, SnapshotWhy, ToDoor};

/// Number of a door; never used again while the process lives.
pub type DoorId = u64;

/// Digest of a session's secret.
pub type Mark = [u8; 32];

/// The receiving end of a session. Dropping it closes the door: the engine then takes the
/// session's socket for lost.
#[derive(Debug)]
pub struct Door {
    id: DoorId,
    items: Emptier<Delivery>,
    doors: Arc<Doors>,
}

impl Door {
    /// Number of this door, for `ReplyTo` and subscriptions.
    #[must_use]
    pub fn id(&self) -> DoorId {
        self.id
    }

    /// Waits for something and moves all there is to the end of `into`, in order. False when
    /// the door is closed and empty. Cancel safe.
    pub async fn receive(&mut self, into: &mut VecDeque<Delivery>) -> bool {
        self.items.take_all(into).await
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.doors.open.remove(&self.id);
        self.doors.marks.remove(&self.id);
        self.doors.say_gone(self.id);
    }
}

/// The sending end of one session's door; cheap to clone.
#[derive(Clone, Debug)]
pub struct ToSession {
    items: Filler<Delivery>,
    budget: Arc<AtomicUsize>,
}

impl ToSession {
    /// Puts something in. A door that owes its reader too much is closed instead. False when
    /// the door is closed.
    pub fn send(&self, what: ToDoor) -> bool {
        let bytes = counted(&what);
        let before = self.budget.fetch_add(bytes, Ordering::Relaxed);
        let owed = Owed {
            bytes,
            budget: Arc::clone(&self.budget),
        };
        if before + bytes > limits::OUTBOUND_BYTES {
            drop(owed);
            self.close(Close::SlowReader);
            return false;
        }
        self.items.push(Delivery { what, owed }).is_ok()
    }

    /// Bytes put in and not yet given back by the reader.
    #[must_use]
    pub fn owes(&self) -> usize {
        self.budget.load(Ordering::Relaxed)
    }

    /// Drops what has not been received and leaves only the word that the door is closed.
    pub fn close(&self, why: Close) {
        let owed = Owed {
            bytes: 0,
            budget: Arc::clone(&self.budget),
        };
        let what = ToDoor::Close(why);
        self.items.finish(Delivery { what, owed });
    }
}

/// An answer with a position that includes its effect.
pub type Answered = (Result<Answer, Refusal>, Seq);

/// The one answer an exchange waits for.
#[derive(Debug)]
pub struct Once {
    id: DoorId,
    answer: oneshot::Receiver<Answered>,
    doors: Arc<Doors>,
}

impl Once {
    /// Waits for the answer; none when whoever was asked is gone without one. Cancel safe.
    pub async fn answer(mut self) -> Option<Answered> {
        (&mut self.answer).await.ok()
    }
}

impl Drop for Once {
    fn drop(&mut self) {
        self.doors.open.remove(&self.id);
    }
}

/// What is done when a session's door is gone.
type WhenGone = Box<dyn Fn(DoorId) + Send + Sync>;

/// All doors of one floor.
pub struct Doors {
    next: AtomicU64,
    open: DashMap<DoorId, End>,
    /// Digests of the secrets of sessions, by their doors.
    marks: DashMap<DoorId, Mark>,
    when_gone: OnceLock<WhenGone>,
}

#[derive(Debug)]
enum End {
    Session(ToSession),
    Once(oneshot::Sender<Answered>),
}

impl std::fmt::Debug for Doors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Doors")
            .field("open", &self.open.len())
            .finish_non_exhaustive()
    }
}

impl Default for Doors {
    fn default() -> Self {
        Self {
            next: AtomicU64::new(1),
            open: DashMap::new(),
            marks: DashMap::new(),
            when_gone: OnceLock::new(),
        }
    }
}

impl Doors {
    /// Opens a door for a session.
    #[must_use]
    pub fn open(self: &Arc<Self>) -> Door {
        let (filler, items) = inbox();
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let session = ToSession {
            items: filler,
            budget: Arc::default(),
        };
        self.open.insert(id, End::Session(session));
        Door {
            id,
            items,
            doors: Arc::clone(self),
        }
    }

    /// Opens a door that takes one answer: where it is to go, and how to wait for it.
    #[must_use]
    pub fn once(self: &Arc<Self>) -> (ReplyTo, Once) {
        let (sender, answer) = oneshot::channel();
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.open.insert(id, End::Once(sender));
        let once = Once {
            id,
            answer,
            doors: Arc::clone(self),
        };
        (
            ReplyTo {
                door: id,
                request: 0,
            },
            once,
        )
    }

    /// Says whose door it is: a sign-in by this door is that session's.
    pub fn set_mark(&self, door: DoorId, mark: Mark) {
        self.marks.insert(door, mark);
    }

    /// Whose door it is.
    pub(super) fn mark(&self, door: DoorId) -> Option<Mark> {
        self.marks.get(&door).map(|mark| *mark)
    }

    /// The way to a session's door; none when it is gone.
    #[must_use]
    pub fn session(&self, door: DoorId) -> Option<ToSession> {
        self.open.get(&door).and_then(|end| match end.value() {
            End::Session(session) => Some(session.clone()),
            End::Once(_) => None,
        })
    }

    /// Puts something into a session's door. False when the door is gone or closed.
    pub fn send(&self, door: DoorId, what: ToDoor) -> bool {
        self.session(door).is_some_and(|session| session.send(what))
    }

    /// Delivers an answer that may leave now. False when nobody is there to take it.
    pub fn answer(&self, to: ReplyTo, result: Result<Answer, Refusal>, seq: Seq) -> bool {
        if let Some(session) = self.session(to.door) {
            let request = to.request;
            return session.send(ToDoor::Reply {
                request,
                result,
                seq,
            });
        }
        match self.open.remove(&to.door) {
            Some((_, End::Once(waiting))) => waiting.send((result, seq)).is_ok(),
            Some((_, End::Session(_))) | None => false,
        }
    }

    /// Closes every session.
    pub fn close_all(&self, why: Close) {
        for end in &self.open {
            match end.value() {
                End::Session(session) => session.close(why),
                End::Once(_) => {}
            }
        }
    }

    /// Sessions and exchanges that are open.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Nobody is there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Sets what is done when a session's door is gone; only the first call counts.
    pub(super) fn when_gone(&self, tell: WhenGone) {
        // A second watcher would be a second owner of the same fact.
        let _ = self.when_gone.set(tell);
    }

    fn say_gone(&self, door: DoorId) {
        if let Some(tell) = self.when_gone.get() {
            tell(door);
        }
    }
}

/// The sign-in that a reply carries, if it does.
#[must_use]
pub(super) fn sign_in_of(result: &Result<Answer, Refusal>) -> Option<(AgentId, Generation)> {
    match result {
        Ok(Answer::SignedIn(signed)) => Some((signed.agent.agent, signed.agent.generation)),
        Ok(
            Answer::Submitted { .. }
            | Answer::Contact(_)
            | Answer::Accepted { .. }
            | Answer::Offer(_)
            | Answer::Agent(_)
            | Answer::Draining(_)
            | Answer::Reported(_),
        )
        | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Close, Doors, ToDoor};
    use crate::domain::machine::{Answer, Refusal};
    use crate::id::{OfferId, Seq};
    use crate::limits;
    use crate::live::delta::Sub;
    use bytes::Bytes;
    use std::collections::VecDeque;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn frame(bytes: usize) -> ToDoor {
        ToDoor::Frame {
            sub: Sub::View(1),
            seq: Seq(1),
            bytes: Bytes::from(vec![b'x'; bytes]),
        }
    }

    #[tokio::test]
    async fn what_is_received_counts_until_it_is_dropped() {
        let doors = Arc::new(Doors::default());
        let mut door = doors.open();
        let session = doors.session(door.id()).unwrap();
        assert!(session.send(frame(1_000)));
        let mut received = VecDeque::new();
        assert!(door.receive(&mut received).await);
        assert_eq!(session.owes(), 1_000, "it is not yet written");
        received.clear();
        assert_eq!(session.owes(), 0);
    }

    #[tokio::test]
    async fn an_answer_counts_as_long_as_it_is_once_it_is_encoded() {
        let doors = Arc::new(Doors::default());
        let mut door = doors.open();
        let session = doors.session(door.id()).unwrap();
        for request in 0..3 {
            let result = Ok(Answer::Offer(OfferId(3)));
            let seq = Seq(1);
            assert!(session.send(ToDoor::Reply {
                request,
                result,
                seq
            }));
        }
        let mut received = VecDeque::new();
        door.receive(&mut received).await;
        let mut owed = received.into_iter().map(|delivery| delivery.owed);
        let (mut first, mut second, third) = (owed.next(), owed.next(), owed.next());
        drop(third);
        assert!(first.as_mut().unwrap().weigh(100));
        assert!(second.as_mut().unwrap().weigh(limits::OUTBOUND_BYTES - 100));
        assert_eq!(session.owes(), limits::OUTBOUND_BYTES);
        assert!(!second.as_mut().unwrap().weigh(limits::OUTBOUND_BYTES));
        drop(first);
        // Alone it is nobody's slowness.
        assert!(second.as_mut().unwrap().weigh(2 * limits::OUTBOUND_BYTES));
        drop(second);
        assert_eq!(session.owes(), 0);
    }

    #[tokio::test]
    async fn a_slow_door_is_closed_and_nobody_waits() {
        let doors = Arc::new(Doors::default());
        let (mut slow, mut other) = (doors.open(), doors.open());
        let mut sent = 0;
        while doors.send(slow.id(), frame(64 * 1024)) {
            sent += 1;
            assert!(doors.send(other.id(), frame(10)));
        }
        assert_eq!(sent, limits::OUTBOUND_BYTES / (64 * 1024));
        let mut received = VecDeque::new();
        assert!(slow.receive(&mut received).await);
        assert_eq!(
            received.len(),
            1,
            "what could not be written in time is dropped"
        );
        assert!(matches!(received[0].what, ToDoor::Close(Close::SlowReader)));
        received.clear();
        assert!(!slow.receive(&mut received).await);
        assert!(other.receive(&mut received).await);
        assert_eq!(received.len(), sent);
    }

    #[tokio::test]
    async fn an_exchange_waits_for_one_answer() {
        let doors = Arc::new(Doors::default());
        let (to, once) = doors.once();
        let answer = Ok(Answer::Offer(OfferId(3)));
        assert!(doors.answer(to, answer, Seq(9)));
        assert!(
            !doors.answer(to, Err(Refusal::Superseded), Seq(9)),
            "there is only one"
        );
        let (result, seq) = once.answer().await.unwrap();
        assert!(matches!(result, Ok(Answer::Offer(OfferId(3)))));
        assert_eq!(seq, Seq(9));
    }

    #[test]
    fn a_door_that_is_gone_is_told_once_and_takes_nothing() {
        let doors = Arc::new(Doors::default());
        let gone = Arc::new(AtomicU64::new(0));
        let heard = Arc::clone(&gone);
        doors.when_gone(Box::new(move |door| {
            heard.fetch_add(door, Ordering::Relaxed);
        }));
        let door = doors.open();
        let id = door.id();
        drop(door);
        assert_eq!(gone.load(Ordering::Relaxed), id);
        assert!(!doors.send(id, frame(1)));
        let (to, once) = doors.once();
        drop(once);
        assert!(!doors.answer(to, Err(Refusal::Superseded), Seq(1)));
    }
}
