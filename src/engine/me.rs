//! The agents' own streams. Only the floor speaks on them, and at once; the last of what it
//! said is kept, so that a socket that comes back hears what it missed.

use super::door::{Answered, Close, DoorId, Doors, MyEvent, ToDoor, sign_in_of};
use super::sequencer::SignedIn;
use super::stream::{Leaves, Stream};
use crate::domain::machine::{Me, ReplyTo};
use crate::id::{AgentId, Generation, Seq};
use crate::time::Instant;
use dashmap::DashMap;
use std::sync::Arc;

/// The streams of all agents who ever signed in.
pub(super) struct Streams {
    doors: Arc<Doors>,
    streams: DashMap<AgentId, Stream>,
    /// Which sign-in leaves by a door.
    seats: DashMap<DoorId, (AgentId, Generation)>,
}

/// How a resume of an agent's own stream went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resumed {
    /// What was missed, `MeLive` and all that follows are on their way to the door.
    Whole,
    /// Another session has taken over.
    Superseded,
    /// The seat is closed.
    Expired,
    /// Too much was missed, or the server has started since: the floor says how things stand.
    Lost,
}

impl Streams {
    pub(super) fn new(doors: Arc<Doors>) -> Self {
        Self {
            doors,
            streams: DashMap::new(),
            seats: DashMap::new(),
        }
    }

    /// A sign-in was answered: the stream begins anew at its position. What is said from there
    /// on is kept until the answer has reached the door; an older session's door is closed.
    pub(super) fn begin(&self, signed_in: &SignedIn) {
        let SignedIn {
            agent,
            generation,
            door,
            seq,
        } = *signed_in;
        let stream = Stream::new(generation, Leaves::Soon(door), seq);
        if let Some(old) = self.streams.insert(agent, stream) {
            self.supersede(old.leaves, door);
        }
        self.seats.insert(door, (agent, generation));
    }

    /// An agent was signed in when the server ended: what is said after this position is kept.
    pub(super) fn recover(&self, agent: AgentId, generation: Generation, after: Seq) {
        self.streams
            .insert(agent, Stream::new(generation, Leaves::Nowhere, after));
    }

    fn supersede(&self, old: Leaves, by: DoorId) {
        match old {
            Leaves::By(door, session) if door != by => {
                self.seats.remove(&door);
                session.close(Close::Superseded);
            }
            Leaves::Soon(door) if door != by => {
                self.seats.remove(&door);
                if let Some(session) = self.doors.session(door) {
                    session.close(Close::Superseded);
                }
            }
            Leaves::By(..) | Leaves::Soon(_) | Leaves::Nowhere => {}
        }
    }

    /// Delivers the answer to a sign-in, and behind it what was said meanwhile. `tell` hears
    /// whether it arrived, before anything else can happen to the stream.
    pub(super) fn answer(&self, to: ReplyTo, (result, seq): Answered, tell: impl FnOnce(bool)) {
        let Some((agent, generation)) = sign_in_of(&result) else {
            return tell(self.doors.answer(to, result, seq));
        };
        // Held until all of it is in the door, so that nothing newer gets in between.
        let mut stream = self.streams.get_mut(&agent);
        let current = stream
            .as_deref_mut()
            .filter(|stream| stream.generation == generation);
        let session = self.doors.session(to.door);
        let delivered = self.doors.answer(to, result, seq);
        let Some(stream) = current else {
            return tell(delivered);
        };
        match session {
            Some(session) if delivered => {
                for event in &stream.kept {
                    session.send(ToDoor::Me(event.clone()));
                }
                stream.leaves = Leaves::By(to.door, session);
                tell(true);
            }
            Some(_) | None => {
                self.seats.remove(&to.door);
                stream.leaves = Leaves::Nowhere;
                tell(false);
            }
        }
    }

    /// Says something to an agent, at once.
    pub(super) fn say(&self, agent: AgentId, seq: Seq, at: Instant, me: Me) {
        let Some(mut stream) = self.streams.get_mut(&agent) else {
            return;
        };
        if seq <= stream.last {
            // Said before the sign-in whose answer has it.
            return;
        }
        let event = MyEvent {
            seq,
            prev: stream.last,
            at,
            me: Arc::new(me),
            replay: false,
        };
        stream.last = seq;
        stream.over |= matches!(*event.me, Me::SignedOut(_));
        if let Leaves::By(_, session) = &stream.leaves {
            session.send(ToDoor::Me(event.clone()));
        }
        stream.keep(event);
    }

    /// A socket is back and has heard everything up to `after`. `tell` is called when it is so,
    /// before the loss of any door can be told.
    pub(super) fn resume(
        &self,
        agent: AgentId,
        generation: Generation,
        door: DoorId,
        after: Seq,
        tell: impl FnOnce(),
    ) -> Resumed {
        let Some(mut stream) = self.streams.get_mut(&agent) else {
            return Resumed::Expired;
        };
        if stream.generation != generation {
            return Resumed::Superseded;
        }
        if stream.over {
            return Resumed::Expired;
        }
        let (Some(session), true) = (self.doors.session(door), stream.reaches(after)) else {
            return Resumed::Lost;
        };
        for event in stream.kept.iter().filter(|event| event.seq > after) {
            let mut event = event.clone();
            event.replay = true;
            session.send(ToDoor::Me(event));
        }
        session.send(ToDoor::MeLive);
        let old = std::mem::replace(&mut stream.leaves, Leaves::By(door, session));
        self.seats.insert(door, (agent, generation));
        tell();
        drop(stream);
        self.supersede(old, door);
        Resumed::Whole
    }

    /// A door is gone. `tell` hears whose sign-in left by it, unless that had gone over to
    /// another door, and before it can go over to one.
    pub(super) fn gone(&self, door: DoorId, tell: impl FnOnce(AgentId, Generation)) {
        let Some((_, (agent, generation))) = self.seats.remove(&door) else {
            return;
        };
        let Some(mut stream) = self.streams.get_mut(&agent) else {
            return;
        };
        let leaves_here = match &stream.leaves {
            Leaves::By(by, _) => *by == door,
            // The answer to the sign-in finds the door gone, and that is when it is told.
            Leaves::Soon(_) | Leaves::Nowhere => false,
        };
        if leaves_here && stream.generation == generation {
            stream.leaves = Leaves::Nowhere;
            tell(agent, generation);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Resumed, Streams};
    use crate::domain::machine::{AgentCard, Answer, Me, ReplyTo, SignedIn as InHand};
    use crate::domain::offer::AgentState;
    use crate::engine::door::{Answered, Door, DoorId, Doors, ToDoor};
    use crate::engine::sequencer::SignedIn;
    use crate::id::{AgentId, Generation, Seq};
    use crate::limits;
    use crate::time::{Instant, Span};
    use futures::FutureExt;
    use std::collections::VecDeque;
    use std::sync::Arc;

    const ANA: AgentId = AgentId(1);

    fn card(generation: u64) -> AgentCard {
        AgentCard {
            agent: ANA,
            state: AgentState::Available,
            since: Instant(0),
            next: None,
            connected: true,
            generation: Generation(generation),
            channels: Vec::new(),
            queues: Vec::new(),
        }
    }

    fn answered(generation: u64, seq: u64) -> Answered {
        let in_hand = InHand {
            agent: card(generation),
            offers: Vec::new(),
            legs: Vec::new(),
            taken: Vec::new(),
        };
        (Ok(Answer::SignedIn(Box::new(in_hand))), Seq(seq))
    }

    struct House {
        doors: Arc<Doors>,
        streams: Streams,
    }

    impl House {
        fn new() -> Self {
            let doors = Arc::new(Doors::default());
            let streams = Streams::new(Arc::clone(&doors));
            Self { doors, streams }
        }

        fn begin(&self, door: &Door, generation: u64, seq: u64) {
            self.streams.begin(&SignedIn {
                agent: ANA,
                generation: Generation(generation),
                door: door.id(),
                seq: Seq(seq),
            });
        }

        fn answer(&self, door: &Door, generation: u64, seq: u64) -> bool {
            let to = ReplyTo {
                door: door.id(),
                request: 1,
            };
            let mut arrived = false;
            self.streams.answer(to, answered(generation, seq), |told| {
                self.is_held();
                arrived = told;
            });
            arrived
        }

        fn gone(&self, door: DoorId) -> Option<(AgentId, Generation)> {
            let mut lost = None;
            self.streams.gone(door, |agent, generation| {
                self.is_held();
                lost = Some((agent, generation));
            });
            lost
        }

        /// What is told is told while nobody else can touch the stream, so that a loss and a
        /// resume are told in the order in which they happened.
        fn is_held(&self) {
            assert!(self.streams.streams.try_get(&ANA).is_locked());
        }

        fn say(&self, seq: u64) {
            let me = Me::State(card(1));
            self.streams.say(ANA, Seq(seq), Instant(1_000), me);
        }

        /// An agent signed in, and its socket is gone.
        fn left() -> Self {
            let house = Self::new();
            let door = house.doors.open();
            house.begin(&door, 1, 10);
            house.answer(&door, 1, 10);
            let id = door.id();
            drop(door);
            house.gone(id);
            house
        }

        fn resume(&self, door: &Door, after: u64) -> Resumed {
            let mut told = false;
            let resumed = self
                .streams
                .resume(ANA, Generation(1), door.id(), Seq(after), || {
                    self.is_held();
                    told = true;
                });
            assert_eq!(told, resumed == Resumed::Whole);
            resumed
        }
    }

    /// What a door has: `r` for the answer, `l` for live, positions of events with `prev`.
    fn heard(door: &mut Door) -> Vec<String> {
        let mut received = VecDeque::new();
        // Nothing is at the door when this is pending.
        let _ = door.receive(&mut received).now_or_never();
        received
            .into_iter()
            .map(|received| match received.what {
                ToDoor::Reply { .. } => "r".to_owned(),
                ToDoor::MeLive => "l".to_owned(),
                ToDoor::Me(event) => format!("{}<{}", event.prev.0, event.seq.0),
                other @ (ToDoor::Subscribed { .. }
                | ToDoor::Snapshot { .. }
                | ToDoor::Frame { .. }
                | ToDoor::Live { .. }
                | ToDoor::Revoked { .. }
                | ToDoor::Close(_)) => format!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn what_is_said_before_the_answer_arrives_comes_behind_it() {
        let house = House::new();
        let mut door = house.doors.open();
        house.begin(&door, 1, 10);
        house.say(12);
        assert!(heard(&mut door).is_empty());
        assert!(house.answer(&door, 1, 10));
        house.say(15);
        assert_eq!(heard(&mut door), ["r", "10<12", "12<15"]);
    }

    #[test]
    fn what_was_said_before_the_sign_in_is_not_said_again() {
        let house = House::new();
        let mut door = house.doors.open();
        house.begin(&door, 1, 10);
        house.say(9);
        house.answer(&door, 1, 10);
        assert_eq!(heard(&mut door), ["r"]);
    }

    #[test]
    fn a_resume_repeats_what_was_missed_and_only_that() {
        let house = House::new();
        let mut door = house.doors.open();
        house.begin(&door, 1, 10);
        house.answer(&door, 1, 10);
        house.say(12);
        let id = door.id();
        heard(&mut door);
        drop(door);
        assert_eq!(house.gone(id), Some((ANA, Generation(1))));
        assert_eq!(house.gone(id), None, "it is told once");
        house.say(14);
        let mut back = house.doors.open();
        assert_eq!(house.resume(&back, 12), Resumed::Whole);
        house.say(16);
        assert_eq!(heard(&mut back), ["12<14", "l", "14<16"]);
    }

    #[test]
    fn a_resume_beyond_what_is_kept_is_lost() {
        let house = House::new();
        let door = house.doors.open();
        house.begin(&door, 1, 10);
        house.answer(&door, 1, 10);
        let said = 11..=11 + u64::try_from(limits::ME_KEPT).unwrap();
        said.clone().for_each(|seq| house.say(seq));
        let back = house.doors.open();
        assert_eq!(
            house.resume(&back, 10),
            Resumed::Lost,
            "the first is not kept any more"
        );
        assert_eq!(house.resume(&back, said.end() + 1), Resumed::Lost);
        assert_eq!(house.resume(&back, 11), Resumed::Whole);
    }

    #[test]
    fn more_is_kept_while_the_socket_is_gone() {
        let house = House::left();
        (11..=1_000).for_each(|seq| house.say(seq));
        let back = house.doors.open();
        assert_eq!(house.resume(&back, 10), Resumed::Whole);
    }

    #[test]
    fn all_that_is_kept_fits_through_the_door_that_comes_back() {
        let house = House::left();
        let last = 10 + 2 * u64::try_from(limits::REPLAY_EVENTS).unwrap();
        (11..=last).for_each(|seq| house.say(seq));
        let kept = u64::try_from(limits::ME_KEPT_FOR_LOST).unwrap();
        let mut back = house.doors.open();
        assert_eq!(house.resume(&back, last - kept - 1), Resumed::Lost);
        assert_eq!(house.resume(&back, last - kept), Resumed::Whole);
        let heard = heard(&mut back);
        assert_eq!(heard.len(), limits::ME_KEPT_FOR_LOST + 1);
        assert_eq!(heard.last().map(String::as_str), Some("l"));
    }

    #[test]
    fn a_closed_seat_is_not_resumed() {
        let house = House::new();
        let door = house.doors.open();
        house.begin(&door, 1, 10);
        house.answer(&door, 1, 10);
        let later = Instant(1_000) + Span(1);
        house
            .streams
            .say(ANA, Seq(11), later, Me::SignedOut(card(1)));
        let back = house.doors.open();
        assert_eq!(house.resume(&back, 10), Resumed::Expired);
    }

    #[test]
    fn a_sign_in_whose_door_is_gone_does_not_arrive() {
        let house = House::new();
        let door = house.doors.open();
        house.begin(&door, 1, 10);
        let id = door.id();
        let to = ReplyTo {
            door: id,
            request: 1,
        };
        drop(door);
        assert_eq!(house.gone(id), None, "the answer will tell");
        let mut arrived = true;
        house
            .streams
            .answer(to, answered(1, 10), |told| arrived = told);
        assert!(!arrived);
    }
}
