//! The sequencer: numbers what actors say happened and so fixes the order of the log. A counter
//! and the way to the journal behind one short lock; a call, not an actor.

use super::door::{DoorId, sign_in_of};
use super::notes::Notes;
use crate::domain::event::Record;
use crate::domain::machine::{Effect, Me};
use crate::domain::message::{Between, ToFloor, ToQueue};
use crate::id::{AgentId, Generation, Seq};
use crate::journal::beside::{Beside, KeyRow, SessionRow};
use crate::journal::{Batch, Gated, Gone, Journal, Source, Written};
use crate::time::Instant;
use std::sync::{Arc, Mutex, PoisonError};

/// Numbers batches and hands them to the journal.
pub(super) struct Sequencer {
    /// The last position given out.
    last: Mutex<Seq>,
    journal: Arc<dyn Journal>,
}

/// What may leave at once, after the events before it have their numbers.
#[derive(Debug)]
pub(super) enum Outgoing {
    /// To the floor.
    ToFloor(Between<ToFloor>),
    /// To a queue.
    ToQueue(Between<ToQueue>),
    /// To an agent.
    Me(AgentId, Seq, Me),
}

impl Sequencer {
    pub(super) fn new(journal: Arc<dyn Journal>) -> Self {
        Self {
            last: Mutex::new(journal.start()),
            journal,
        }
    }

    /// The last position given out; perhaps not yet durable.
    pub(super) fn last(&self) -> Seq {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Numbers the events among `effects`, puts them and the answers on the journal's way, and
    /// adds what may leave at once to `outgoing`, in order. `begin` is called for each sign-in
    /// before its answer can leave, and says by which session it is.
    ///
    /// # Errors
    /// When the journal takes nothing more: nothing may be sent.
    pub(super) fn hand_over(
        &self,
        from: Source,
        at: Instant,
        effects: &mut Vec<Effect>,
        outgoing: &mut Vec<Outgoing>,
        notes: &Notes,
        begin: impl Fn(&SignedIn) -> Option<SessionRow>,
    ) -> Result<(), Gone> {
        let mut sheet = Sheet::default();
        let first = outgoing.len();
        effects
            .drain(..)
            .for_each(|effect| sheet.enter(at, effect, notes, outgoing));
        if sheet.used == 0 && sheet.gated.is_empty() {
            return Ok(());
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        sheet.count_from(last.0);
        last.0 += sheet.used;
        let base = last.0 - sheet.used;
        for sent in &mut outgoing[first..] {
            if let Outgoing::Me(_, seq, _) = sent {
                seq.0 += base;
            }
        }
        let beside = Beside {
            sessions: sheet.signed_in.iter().filter_map(begin).collect(),
            keys: sheet.keys,
            ..Beside::default()
        };
        let written = Written {
            from,
            records: sheet.records,
        };
        self.journal.append(Batch {
            written: Arc::new(written),
            gated: sheet.gated,
            last: *last,
            at,
            beside,
        })
    }

    /// Puts something on the journal's way that is no event, behind all that was handed over.
    ///
    /// # Errors
    /// When the journal takes nothing more.
    pub(super) fn keep(&self, at: Instant, beside: Beside) -> Result<(), Gone> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let written = Written {
            from: Source::Floor,
            records: Vec::new(),
        };
        self.journal.append(Batch {
            written: Arc::new(written),
            gated: Vec::new(),
            last: *last,
            at,
            beside,
        })
    }
}

/// A sign-in that was answered: the agent's stream begins anew at this position, and leaves by
/// that door as soon as the answer has.
#[derive(Debug)]
pub(super) struct SignedIn {
    pub(super) agent: AgentId,
    pub(super) generation: Generation,
    pub(super) door: DoorId,
    pub(super) seq: Seq,
}

/// A batch with positions that count from its own beginning.
#[derive(Default)]
struct Sheet {
    used: u64,
    records: Vec<Record>,
    gated: Vec<Gated>,
    keys: Vec<KeyRow>,
    signed_in: Vec<SignedIn>,
    /// Agents whose stream has something at the current position.
    spoken_to: Vec<AgentId>,
}

impl Sheet {
    fn enter(&mut self, at: Instant, effect: Effect, notes: &Notes, outgoing: &mut Vec<Outgoing>) {
        match effect {
            Effect::Event { event, by, content } => {
                let seq = self.next();
                self.records.push(Record {
                    seq,
                    at,
                    by,
                    event,
                    content,
                });
            }
            Effect::ToFloor(message) => outgoing.push(Outgoing::ToFloor(message)),
            Effect::ToQueue(message) => outgoing.push(Outgoing::ToQueue(message)),
            Effect::Me(agent, me) => {
                let seq = self.position_for(agent);
                outgoing.push(Outgoing::Me(agent, seq, me));
            }
            Effect::Reply(to, result) => {
                let seq = match sign_in_of(&result) {
                    Some((agent, generation)) => {
                        let seq = self.position_for(agent);
                        self.signed_in.push(SignedIn {
                            agent,
                            generation,
                            door: to.door,
                            seq,
                        });
                        seq
                    }
                    None => Seq(self.used),
                };
                if let Some(mut key) = notes.answered(to, &result) {
                    key.seq = seq;
                    self.keys.push(key);
                }
                self.gated.push(Gated { to, result, seq });
            }
        }
    }

    /// Moves every position on by `base`.
    fn count_from(&mut self, base: u64) {
        let records = self.records.iter_mut().map(|record| &mut record.seq);
        let gated = self.gated.iter_mut().map(|gated| &mut gated.seq);
        let signed_in = self
            .signed_in
            .iter_mut()
            .map(|signed_in| &mut signed_in.seq);
        let keys = self.keys.iter_mut().map(|key| &mut key.seq);
        records
            .chain(gated)
            .chain(keys)
            .chain(signed_in)
            .for_each(|seq| seq.0 += base);
    }

    fn next(&mut self) -> Seq {
        self.used += 1;
        self.spoken_to.clear();
        Seq(self.used)
    }

    /// The position of the event before; a number of its own, which no event has, where that
    /// would give one stream two messages of one position.
    fn position_for(&mut self, agent: AgentId) -> Seq {
        if self.used == 0 || self.spoken_to.contains(&agent) {
            self.next();
        }
        self.spoken_to.push(agent);
        Seq(self.used)
    }
}

#[cfg(test)]
mod tests {
    use super::{Notes, Outgoing, Sequencer};
    use crate::domain::event::{By, Event};
    use crate::domain::machine::{AgentCard, Effect, Me, Refusal, ReplyTo};
    use crate::domain::offer::AgentState;
    use crate::id::{AgentId, Generation, QueueId, Seq};
    use crate::journal::memory;
    use crate::journal::{Epoch, Gated, Journal, Source};
    use crate::time::Instant;
    use std::sync::{Arc, Mutex};

    type Seen = Arc<Mutex<(Vec<u64>, Vec<u64>)>>;

    /// A sequencer, and the positions of the events and answers that come out, in order.
    fn sequencer() -> (Sequencer, Arc<dyn Journal>, Seen) {
        let seen = Seen::default();
        let out = Arc::clone(&seen);
        let release = Box::new(
            move |written: Arc<crate::journal::Written>, gated: Vec<Gated>| {
                let mut out = out.lock().unwrap();
                out.0.extend(written.records.iter().map(|r| r.seq.0));
                out.1.extend(gated.iter().map(|g| g.seq.0));
            },
        );
        let journal: Arc<dyn Journal> = Arc::new(memory::start(Epoch(1), release).unwrap());
        (Sequencer::new(Arc::clone(&journal)), journal, seen)
    }

    fn event() -> Effect {
        Effect::Event {
            event: Event::ActorRestarted {
                queue: Some(QueueId(1)),
            },
            by: By::Engine,
            content: None,
        }
    }

    fn me(agent: u32) -> Effect {
        let card = AgentCard {
            agent: AgentId(agent),
            state: AgentState::Available,
            since: Instant(0),
            next: None,
            connected: true,
            generation: Generation(1),
            channels: Vec::new(),
            queues: Vec::new(),
        };
        Effect::Me(AgentId(agent), Me::State(card))
    }

    fn reply() -> Effect {
        let to = ReplyTo {
            door: 1,
            request: 1,
        };
        Effect::Reply(to, Err(Refusal::Superseded))
    }

    fn hand_over(sequencer: &Sequencer, mut effects: Vec<Effect>) -> Vec<u64> {
        let mut outgoing = Vec::new();
        sequencer
            .hand_over(
                Source::Floor,
                Instant(1),
                &mut effects,
                &mut outgoing,
                &Notes::default(),
                |_| None,
            )
            .unwrap();
        let position = |sent: Outgoing| match sent {
            Outgoing::Me(_, seq, _) => Some(seq.0),
            Outgoing::ToFloor(_) | Outgoing::ToQueue(_) => None,
        };
        outgoing.into_iter().filter_map(position).collect()
    }

    #[test]
    fn what_is_said_to_an_agent_has_the_position_of_the_event_before_it() {
        let (sequencer, journal, seen) = sequencer();
        assert_eq!(
            hand_over(&sequencer, vec![event(), me(1), me(2), event(), me(1)]),
            [1, 1, 2]
        );
        assert_eq!(hand_over(&sequencer, vec![event(), me(1)]), [3]);
        journal.close();
        assert_eq!(seen.lock().unwrap().0, [1, 2, 3]);
    }

    #[test]
    fn no_stream_has_two_messages_of_one_position() {
        let (sequencer, journal, seen) = sequencer();
        let said = hand_over(&sequencer, vec![me(1), event(), me(1), me(1), me(2)]);
        assert_eq!(
            said,
            [1, 2, 3, 3],
            "numbers are given out that no event has"
        );
        assert_eq!(hand_over(&sequencer, vec![event(), me(1)]), [4]);
        journal.close();
        assert_eq!(seen.lock().unwrap().0, [2, 4]);
    }

    #[test]
    fn an_answer_has_a_position_that_includes_its_effect() {
        let (sequencer, journal, seen) = sequencer();
        hand_over(
            &sequencer,
            vec![reply(), event(), event(), reply(), event()],
        );
        hand_over(&sequencer, vec![reply()]);
        journal.close();
        assert_eq!(seen.lock().unwrap().1, [0, 2, 3]);
        assert_eq!((sequencer.last(), journal.durable()), (Seq(3), Seq(3)));
    }

    #[test]
    fn batches_of_many_threads_come_out_in_the_order_of_their_numbers() {
        let (sequencer, journal, seen) = sequencer();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    (0..500)
                        .for_each(|_| drop(hand_over(&sequencer, vec![event(), event(), reply()])));
                });
            }
        });
        journal.close();
        let seen = seen.lock().unwrap();
        assert!(seen.0.iter().copied().eq(1..=4_000));
        assert!(seen.1.is_sorted());
    }

    #[test]
    fn nothing_is_numbered_once_the_journal_is_closed() {
        let (sequencer, journal, _) = sequencer();
        journal.close();
        let mut outgoing = Vec::new();
        let handed = sequencer.hand_over(
            Source::Floor,
            Instant(1),
            &mut vec![event()],
            &mut outgoing,
            &Notes::default(),
            |_| None,
        );
        assert!(handed.is_err());
    }
}
