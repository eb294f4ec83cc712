//! What one socket is owed, in the order in which it is sent: replies and `me` first, then
//! live events, then parts of snapshots, then numbers.
//!
//! A snapshot is encoded only as its socket drains; what is kept here are shared bytes and
//! cuts of shared rows. Each frame carries its share of the door's budget, `O`, which is given
//! back when the frame is handed out.

use crate::engine::door::Parts;
use crate::id::Seq;
use crate::limits;
use crate::live::delta::Sub;
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};

/// What a view's frames are held to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// In order, nothing lost, nothing twice.
    Lossless,
    /// The latest value of each row arrives; frames between may be skipped.
    Conflated,
}

/// A view whose snapshot is outrun by its events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outrun {
    /// It starts again with a fresh snapshot, once.
    Restart,
    /// It has started again already: the reader is too slow for it.
    TooSlow,
}

/// A view whose snapshot drains.
#[derive(Debug)]
struct Draining<O> {
    sub: Sub,
    class: Class,
    /// The position at which the snapshot was cut.
    as_of: Seq,
    /// The parts to come; none while a fresh cut is awaited.
    parts: Option<Box<dyn Parts>>,
    /// What came meanwhile. Events of a lossless view have given their share of the budget back.
    kept: VecDeque<(Seq, Bytes, Option<O>)>,
    kept_bytes: usize,
    restarted: bool,
}

/// What one socket is owed.
#[derive(Debug)]
pub struct Outbox<O> {
    first: VecDeque<(Bytes, Option<O>)>,
    /// Bytes of the first class that are in nobody's budget: replies made by the gate.
    said_bytes: usize,
    live: VecDeque<(Sub, Seq, Bytes, O)>,
    draining: Vec<Draining<O>>,
    numbers: VecDeque<(Sub, Bytes, O)>,
    /// How far each lossless view has been handed out.
    handed_out: BTreeMap<Sub, Seq>,
}

impl<O> Default for Outbox<O> {
    fn default() -> Self {
        Self {
            first: VecDeque::new(),
            said_bytes: 0,
            live: VecDeque::new(),
            draining: Vec::new(),
            numbers: VecDeque::new(),
            handed_out: BTreeMap::new(),
        }
    }
}

impl<O> Outbox<O> {
    /// A reply, an event of `me`, or a word of the session itself.
    pub fn first(&mut self, frame: Bytes, owed: Option<O>) {
        if owed.is_none() {
            self.said_bytes += frame.len();
        }
        self.first.push_back((frame, owed));
    }

    /// Whether the client leaves more of the gate's replies lying than it may. No further
    /// request of it is read then, which it feels as a full connection.
    #[must_use]
    pub fn replies_pile_up(&self) -> bool {
        self.said_bytes > limits::OUTBOUND_BYTES
    }

    /// The snapshot of a view: it drains, what comes meanwhile is kept behind it, and what was
    /// to be sent of the view before is of no use any more.
    pub fn start(&mut self, sub: Sub, class: Class, as_of: Seq, parts: Box<dyn Parts>) {
        let restarted = self
            .draining
            .iter()
            .any(|view| view.sub == sub && view.restarted);
        self.close(sub);
        self.draining.push(Draining {
            sub,
            class,
            as_of,
            parts: Some(parts),
            kept: VecDeque::new(),
            kept_bytes: 0,
            restarted,
        });
    }

    /// A lossless view goes on without a snapshot, after this position.
    pub fn go_on(&mut self, sub: Sub, after: Seq) {
        self.handed_out.insert(sub, after);
    }

    /// The newest position of each lossless view whose frames have been handed out so far. A
    /// view whose snapshot still drains has none.
    pub fn positions(&self) -> impl Iterator<Item = (Sub, Seq)> {
        self.handed_out.iter().map(|(sub, seq)| (*sub, *seq))
    }

    /// A live frame of a view, with the position of the newest in it.
    ///
    /// # Errors
    /// When the events of a view outrun its snapshot.
    pub fn frame(
        &mut self,
        sub: Sub,
        class: Class,
        seq: Seq,
        frame: Bytes,
        owed: O,
    ) -> Result<(), Outrun> {
        let Some(view) = self.draining.iter_mut().find(|view| view.sub == sub) else {
            match class {
                Class::Lossless => self.live.push_back((sub, seq, frame, owed)),
                Class::Conflated => self.numbers.push_back((sub, frame, owed)),
            }
            return Ok(());
        };
        if view.parts.is_none() {
            return Ok(());
        }
        view.kept_bytes += frame.len();
        let owed = match class {
            Class::Lossless => None,
            Class::Conflated => Some(owed),
        };
        view.kept.push_back((seq, frame, owed));
        if class == Class::Conflated || view.kept_bytes <= limits::SNAPSHOT_BACKLOG_BYTES {
            return Ok(());
        }
        view.parts = None;
        view.kept = VecDeque::new();
        view.kept_bytes = 0;
        if std::mem::replace(&mut view.restarted, true) {
            Err(Outrun::TooSlow)
        } else {
            Err(Outrun::Restart)
        }
    }

    /// The view is closed: nothing of it is sent any more.
    pub fn close(&mut self, sub: Sub) {
        self.draining.retain(|view| view.sub != sub);
        self.live.retain(|(of, ..)| *of != sub);
        self.numbers.retain(|(of, ..)| *of != sub);
        self.handed_out.remove(&sub);
    }

    /// Everything is dropped: the socket closes.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The next frame to send, with its share of the budget, which is given back when it is
    /// dropped.
    pub fn pop(&mut self) -> Option<(Bytes, Option<O>)> {
        if let Some((frame, owed)) = self.first.pop_front() {
            if owed.is_none() {
                self.said_bytes -= frame.len();
            }
            return Some((frame, owed));
        }
        if let Some((sub, seq, frame, owed)) = self.live.pop_front() {
            self.handed_out.insert(sub, seq);
            return Some((frame, Some(owed)));
        }
        rest(&mut self.first);
        rest(&mut self.live);
        let drained = self
            .drain(Class::Lossless)
            .or_else(|| self.drain(Class::Conflated));
        if drained.is_some() {
            return drained;
        }
        let number = self.numbers.pop_front();
        rest(&mut self.numbers);
        number.map(|(_, frame, owed)| (frame, Some(owed)))
    }

    /// The next part or kept frame of the first view of this class that has one. A view that
    /// has caught up is struck off.
    fn drain(&mut self, class: Class) -> Option<(Bytes, Option<O>)> {
        let mut at = 0;
        while let Some(view) = self.draining.get_mut(at) {
            let Some(parts) = view.parts.as_mut().filter(|_| view.class == class) else {
                at += 1;
                continue;
            };
            if let Some(part) = parts.next_part() {
                return Some((part, None));
            }
            if class == Class::Lossless {
                self.handed_out.entry(view.sub).or_insert(view.as_of);
            }
            if let Some((seq, frame, owed)) = view.kept.pop_front() {
                view.kept_bytes -= frame.len();
                if class == Class::Lossless {
                    self.handed_out.insert(view.sub, seq);
                }
                return Some((frame, owed));
            }
            self.draining.remove(at);
        }
        if self.draining.is_empty() {
            self.draining = Vec::new();
        }
        None
    }
}

/// An empty queue holds no memory: most sockets are idle most of the time.
fn rest<T>(queue: &mut VecDeque<T>) {
    if queue.is_empty() {
        *queue = VecDeque::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    const AGENTS: Sub = Sub::View(1);
    const QUEUES: Sub = Sub::View(2);
    const LOSSLESS: Class = Class::Lossless;
    const CONFLATED: Class = Class::Conflated;
    const SEQ: Seq = Seq(9);

    #[derive(Debug)]
    struct Texts(std::slice::Iter<'static, &'static str>);

    impl Parts for Texts {
        fn next_part(&mut self) -> Option<Bytes> {
            self.0.next().map(|text| frame(text))
        }
    }

    fn parts(texts: &'static [&'static str]) -> Box<dyn Parts> {
        Box::new(Texts(texts.iter()))
    }

    fn frame(text: &str) -> Bytes {
        Bytes::copy_from_slice(text.as_bytes())
    }

    fn sent<O>(outbox: &mut Outbox<O>) -> Vec<String> {
        std::iter::from_fn(|| outbox.pop())
            .map(|(frame, _)| String::from_utf8_lossy(&frame).into_owned())
            .collect()
    }

    #[test]
    fn offers_and_replies_go_ahead_of_events_and_events_ahead_of_numbers() {
        let mut outbox = Outbox::default();
        outbox
            .frame(QUEUES, CONFLATED, SEQ, frame("number"), ())
            .unwrap();
        outbox.start(Sub::View(3), CONFLATED, SEQ, parts(&["all numbers"]));
        outbox.start(AGENTS, LOSSLESS, SEQ, parts(&["part 1", "part 2"]));
        outbox
            .frame(Sub::View(4), LOSSLESS, SEQ, frame("event"), ())
            .unwrap();
        outbox.first(frame("offer"), Some(()));
        outbox.first(frame("reply"), None);
        let order = [
            "offer",
            "reply",
            "event",
            "part 1",
            "part 2",
            "all numbers",
            "number",
        ];
        assert_eq!(sent(&mut outbox), order);
    }

    #[test]
    fn events_of_a_view_wait_for_its_snapshot_and_then_flow() {
        let mut outbox = Outbox::default();
        outbox.start(AGENTS, LOSSLESS, SEQ, parts(&["part 1", "part 2"]));
        outbox
            .frame(AGENTS, LOSSLESS, SEQ, frame("kept"), ())
            .unwrap();
        assert_eq!(outbox.pop().unwrap().0, "part 1");
        outbox
            .frame(AGENTS, LOSSLESS, SEQ, frame("kept too"), ())
            .unwrap();
        assert_eq!(sent(&mut outbox), ["part 2", "kept", "kept too"]);
        outbox
            .frame(AGENTS, LOSSLESS, SEQ, frame("live"), ())
            .unwrap();
        assert!(outbox.draining.is_empty());
        assert_eq!(sent(&mut outbox), ["live"]);
    }

    #[test]
    fn events_behind_a_snapshot_give_their_share_back_and_all_others_keep_it() {
        let budget = Rc::new(());
        let mut outbox = Outbox::default();
        outbox.start(AGENTS, LOSSLESS, SEQ, parts(&["part"]));
        outbox.start(QUEUES, CONFLATED, SEQ, parts(&["part"]));
        outbox
            .frame(AGENTS, LOSSLESS, SEQ, frame("kept"), Rc::clone(&budget))
            .unwrap();
        assert_eq!(Rc::strong_count(&budget), 1);
        outbox
            .frame(QUEUES, CONFLATED, SEQ, frame("kept"), Rc::clone(&budget))
            .unwrap();
        outbox
            .frame(
                Sub::View(4),
                LOSSLESS,
                SEQ,
                frame("event"),
                Rc::clone(&budget),
            )
            .unwrap();
        outbox.first(frame("offer"), Some(Rc::clone(&budget)));
        assert_eq!(Rc::strong_count(&budget), 4);
        sent(&mut outbox);
        assert_eq!(Rc::strong_count(&budget), 1);
    }

    #[test]
    fn replies_that_are_left_lying_hold_further_requests() {
        let mut outbox = Outbox::<()>::default();
        outbox.first(Bytes::from(vec![b'x'; limits::OUTBOUND_BYTES]), None);
        outbox.first(frame("counted by the door"), Some(()));
        assert!(!outbox.replies_pile_up());
        outbox.first(frame("x"), None);
        assert!(outbox.replies_pile_up());
        outbox.pop();
        assert!(!outbox.replies_pile_up());
    }

    #[test]
    fn a_snapshot_that_is_outrun_restarts_once_and_then_the_reader_is_too_slow() {
        let mut outbox = Outbox::default();
        let half = Bytes::from(vec![b'x'; limits::SNAPSHOT_BACKLOG_BYTES / 2]);
        for end in [Outrun::Restart, Outrun::TooSlow] {
            outbox.start(AGENTS, LOSSLESS, SEQ, parts(&["part 1"]));
            outbox
                .frame(AGENTS, LOSSLESS, SEQ, half.clone(), ())
                .unwrap();
            outbox
                .frame(AGENTS, LOSSLESS, SEQ, half.clone(), ())
                .unwrap();
            assert_eq!(
                outbox.frame(AGENTS, LOSSLESS, SEQ, frame("x"), ()),
                Err(end)
            );
            outbox
                .frame(AGENTS, LOSSLESS, SEQ, frame("before the fresh cut"), ())
                .unwrap();
            assert_eq!(sent(&mut outbox), [""; 0]);
        }
    }

    #[test]
    fn a_reader_that_caught_up_may_be_outrun_anew() {
        let mut outbox = Outbox::default();
        let over = Bytes::from(vec![b'x'; limits::SNAPSHOT_BACKLOG_BYTES + 1]);
        for _ in 0..3 {
            outbox.start(AGENTS, LOSSLESS, SEQ, parts(&["part"]));
            let outrun = outbox.frame(AGENTS, LOSSLESS, SEQ, over.clone(), ());
            assert_eq!(outrun, Err(Outrun::Restart));
            outbox.start(AGENTS, LOSSLESS, SEQ, parts(&["part"]));
            outbox
                .frame(AGENTS, LOSSLESS, SEQ, frame("after"), ())
                .unwrap();
            assert_eq!(sent(&mut outbox), ["part", "after"]);
        }
    }

    #[test]
    fn a_later_snapshot_takes_the_place_of_what_was_to_be_sent_before() {
        let mut outbox = Outbox::default();
        outbox
            .frame(QUEUES, CONFLATED, SEQ, frame("old"), ())
            .unwrap();
        outbox.start(QUEUES, CONFLATED, SEQ, parts(&["older rows"]));
        outbox
            .frame(QUEUES, CONFLATED, SEQ, frame("older still"), ())
            .unwrap();
        outbox.start(QUEUES, CONFLATED, SEQ, parts(&["all rows"]));
        outbox
            .frame(QUEUES, CONFLATED, SEQ, frame("new"), ())
            .unwrap();
        assert_eq!(sent(&mut outbox), ["all rows", "new"]);
    }

    #[test]
    fn nothing_of_a_closed_view_is_sent() {
        let mut outbox = Outbox::default();
        outbox.start(AGENTS, LOSSLESS, SEQ, parts(&["part"]));
        outbox
            .frame(Sub::View(3), LOSSLESS, SEQ, frame("event"), ())
            .unwrap();
        outbox
            .frame(Sub::View(4), LOSSLESS, SEQ, frame("other"), ())
            .unwrap();
        outbox
            .frame(QUEUES, CONFLATED, SEQ, frame("number"), ())
            .unwrap();
        for closed in [AGENTS, Sub::View(3), QUEUES] {
            outbox.close(closed);
        }
        assert_eq!(sent(&mut outbox), ["other"]);
    }

    #[test]
    fn an_empty_outbox_has_given_its_memory_back() {
        let mut outbox = Outbox::default();
        for _ in 0..1_000 {
            outbox.first(frame("reply"), Some(()));
            outbox
                .frame(AGENTS, LOSSLESS, SEQ, frame("event"), ())
                .unwrap();
            outbox
                .frame(QUEUES, CONFLATED, SEQ, frame("number"), ())
                .unwrap();
        }
        sent(&mut outbox);
        let kept = [
            outbox.first.capacity(),
            outbox.live.capacity(),
            outbox.numbers.capacity(),
        ];
        assert_eq!(kept, [0; 3]);
    }

    #[test]
    fn a_position_is_told_when_all_up_to_it_has_been_handed_out() {
        let mut outbox = Outbox::default();
        let told = |outbox: &Outbox<()>| outbox.positions().collect::<Vec<_>>();
        outbox.start(AGENTS, LOSSLESS, Seq(5), parts(&["part 1", "part 2"]));
        outbox.start(QUEUES, CONFLATED, Seq(5), parts(&["rows"]));
        outbox
            .frame(AGENTS, LOSSLESS, Seq(7), frame("kept"), ())
            .unwrap();
        for sent in ["part 1", "part 2"] {
            assert_eq!(outbox.pop().unwrap().0, sent);
            assert_eq!(told(&outbox), []);
        }
        assert_eq!(outbox.pop().unwrap().0, "kept");
        assert_eq!(told(&outbox), [(AGENTS, Seq(7))]);
        assert_eq!(sent(&mut outbox), ["rows"]);
        outbox
            .frame(AGENTS, LOSSLESS, Seq(8), frame("live"), ())
            .unwrap();
        assert_eq!(told(&outbox), [(AGENTS, Seq(7))]);
        outbox.pop();
        assert_eq!(told(&outbox), [(AGENTS, Seq(8))]);
        outbox.go_on(Sub::View(3), Seq(2));
        outbox.start(AGENTS, LOSSLESS, Seq(9), parts(&["part"]));
        assert_eq!(told(&outbox), [(Sub::View(3), Seq(2))]);
        sent(&mut outbox);
        outbox.close(Sub::View(3));
        assert_eq!(told(&outbox), [(AGENTS, Seq(9))]);
    }
}
