//! The agents' own streams. Only the floor speaks on them, and at once; the last of what it
//! said is kept, so that a socket that comes back hears what it missed.

use super::door::{Answered, Close, DoorId, Doors, MyEvent, ToDoor, ToSession, sign_in_of};
use super::sequencer::SignedIn;
use crate::domain::machine::{Me, ReplyTo};
use crate::id::{AgentId, Generation, Seq};
use crate::limits;
use crate::time::Instant;
use dashmap::DashMap;
use std::collections::VecDeque;
use std::sync::Arc;

/// The streams of all agents who ever signed in.
pub(super) struct Streams {
    doors: Arc<Doors>,
    streams: DashMap<AgentId, Stream>,
    /// Which sign-in leaves by a door.
    seats: DashMap<DoorId, (AgentId, Generation)>,
}

struct Stream {
    generation: Generation,
    leaves: Leaves,
    /// Position of the last event, at first of the answer to the sign-in.
    last: Seq,
    /// Events after this position are kept.
    before_kept: Seq,
    kept: VecDeque<MyEvent>,
    /// The seat is closed: there is nothing to come back to.
    over: bool,
}

enum Leaves {
    /// By this door, once it has received the answer to the sign-in.
    Soon(DoorId),
    /// By this door.
    By(DoorId, ToSession),
    /// The socket is gone.
    Nowhere,
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
    /// Too much was missed: a new sign-in says how things stand.
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
        let stream = Stream {
            generation,
            leaves: Leaves::Soon(door),
            last: seq,
            before_kept: seq,
            kept: VecDeque::new(),
            over: false,
        };
        if let Some(old) = self.streams.insert(agent, stream) {
            self.supersede(old.leaves, door);
        }
        self.seats.insert(door, (agent, generation));
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

    /// Delivers the answer to a sign-in, and behind it what was said meanwhile. False when the
    /// door is gone.
    pub(super) fn answer(&self, to: ReplyTo, (result, seq): Answered) -> bool {
        let Some((agent, generation)) = sign_in_of(&result) else {
            return self.doors.answer(to, result, seq);
        };
        // Held until all of it is in the door, so that nothing newer gets in between.
        let mut stream = self.streams.get_mut(&agent);
        let current = stream
            .as_deref_mut()
            .filter(|stream| stream.generation == generation);
        let session = self.doors.session(to.door);
        let delivered = self.doors.answer(to, result, seq);
        let Some(stream) = current else {
            return delivered;
        };
        match session {
            Some(session) if delivered => {
                for event in &stream.kept {
                    session.send(ToDoor::Me(event.clone()));
                }
                stream.leaves = Leaves::By(to.door, session);
                true
            }
            Some(_) | None => {
                self.seats.remove(&to.door);
                stream.leaves = Leaves::Nowhere;
                false
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

    /// A socket is back and has heard everything up to `after`.
    pub(super) fn resume(
        &self,
        agent: AgentId,
        generation: Generation,
        door: DoorId,
        after: Seq,
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
        drop(stream);
        self.supersede(old, door);
        Resumed::Whole
    }

    /// A door is gone: whose sign-in left by it, unless it had gone over to another door.
    pub(super) fn gone(&self, door: DoorId) -> Option<(AgentId, Generation)> {
        let (_, (agent, generation)) = self.seats.remove(&door)?;
        let mut stream = self.streams.get_mut(&agent)?;
        let leaves_here = match &stream.leaves {
            Leaves::By(by, _) => *by == door,
            // The answer to the sign-in finds the door gone, and that is when it is told.
            Leaves::Soon(_) | Leaves::Nowhere => false,
        };
        if !leaves_here || stream.generation != generation {
            return None;
        }
        stream.leaves = Leaves::Nowhere;
        Some((agent, generation))
    }
}

impl Stream {
    /// Whether what was said after a position is still known.
    fn reaches(&self, after: Seq) -> bool {
        self.before_kept <= after && after <= self.last
    }

    fn keep(&mut self, event: MyEvent) {
        let at = event.at;
        self.kept.push_back(event);
        let (most, age) = match self.leaves {
            Leaves::By(..) => (limits::ME_KEPT, limits::ME_KEPT_FOR),
            Leaves::Soon(_) | Leaves::Nowhere => (limits::REPLAY_EVENTS, limits::REPLAY_AGE),
        };
        while self
            .kept
            .front()
            .is_some_and(|oldest| self.kept.len() > most || at.since(oldest.at) > age)
        {
            if let Some(dropped) = self.kept.pop_front() {
                self.before_kept = dropped.seq;
            }
        }
    }
}
