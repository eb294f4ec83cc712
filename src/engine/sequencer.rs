//! The sequencer: numbers what actors say happened and so fixes the order of the log. A counter
//! and the way to the journal behind one short lock; a call, not an actor.

use super::door::{DoorId, sign_in_of};
use crate::domain::event::Record;
use crate::domain::machine::{Effect, Me};
use crate::domain::message::{Between, ToFloor, ToQueue};
use crate::id::{AgentId, Generation, Seq};
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
    /// before its answer can leave.
    ///
    /// # Errors
    /// When the journal takes nothing more: nothing may be sent.
    pub(super) fn hand_over(
        &self,
        from: Source,
        at: Instant,
        effects: &mut Vec<Effect>,
        outgoing: &mut Vec<Outgoing>,
        begin: impl Fn(&SignedIn),
    ) -> Result<(), Gone> {
        let mut sheet = Sheet::default();
        let first = outgoing.len();
        effects
            .drain(..)
            .for_each(|effect| sheet.enter(at, effect, outgoing));
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
        sheet.signed_in.iter().for_each(begin);
        let written = Written {
            from,
            records: sheet.records,
        };
        self.journal.append(Batch {
            written: Arc::new(written),
            gated: sheet.gated,
            last: *last,
            at,
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
    signed_in: Vec<SignedIn>,
    /// Agents whose stream has something at the current position.
    spoken_to: Vec<AgentId>,
}

impl Sheet {
    fn enter(&mut self, at: Instant, effect: Effect, outgoing: &mut Vec<Outgoing>) {
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
        records
            .chain(gated)
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
