//! The post: carries what an actor did to the log first, and then what it says to whom it
//! concerns. What has become durable comes back here to be let out.

use super::board::Around;
use super::clock::Clock;
use super::door::{DoorId, Doors, sign_in_of};
use super::external::{Claim, Foreign, SUBMITS, Submit};
use super::fatal::Fatal;
use super::me::Streams;
use super::metrics::Metrics;
use super::notes::Notes;
use super::registry::Registry;
use super::sequencer::{Outgoing, Sequencer, SignedIn};
use crate::domain::command::{FloorInput, QueueCommand, QueueInput};
use crate::domain::machine::{Answer, Effect, Refusal, ReplyTo};
use crate::id::Seq;
use crate::journal::beside::SessionRow;
use crate::journal::{Gated, Journal, Source};
use crate::time::Instant;
use std::sync::Arc;

/// Runs before a machine takes an input in, told whose machine it is and whether somebody asks
/// for an answer; may panic in the machine's place.
pub type Trip = Arc<dyn Fn(Source, bool) + Send + Sync>;

/// Everything an actor needs to be heard.
pub(super) struct Post {
    pub(super) clock: Clock,
    pub(super) journal: Arc<dyn Journal>,
    pub(super) sequencer: Sequencer,
    pub(super) outlet: Arc<Outlet>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) fatal: Fatal,
    pub(super) trip: Option<Trip>,
}

impl Post {
    /// What the board's actor needs of it.
    pub(super) fn around(&self) -> Around {
        Around {
            clock: self.clock.clone(),
            journal: Arc::clone(&self.journal),
            doors: Arc::clone(&self.outlet.doors),
            metrics: Arc::clone(&self.metrics),
            fatal: self.fatal.clone(),
        }
    }

    /// Numbers the events, puts them and the answers on the journal's way, and sends what may
    /// leave at once. When the journal is gone nothing is sent, and the process ends.
    pub(super) fn send(&self, from: Source, now: Instant, effects: &mut Vec<Effect>) {
        self.outlet.registry.follow(now, effects);
        let mut outgoing = Vec::new();
        let begin = |signed_in: &SignedIn| self.outlet.begin(signed_in);
        let notes = &self.outlet.notes;
        let handed = self
            .sequencer
            .hand_over(from, now, effects, &mut outgoing, notes, begin);
        match handed {
            Ok(()) => outgoing
                .into_iter()
                .for_each(|outgoing| self.outlet.send(now, outgoing)),
            Err(gone) => self.fatal.say(gone.to_string()),
        }
    }
}

/// Where things leave to.
pub(super) struct Outlet {
    pub(super) registry: Registry,
    pub(super) doors: Arc<Doors>,
    pub(super) streams: Streams,
    pub(super) notes: Notes,
}

impl Outlet {
    /// A sign-in was answered: the agent's stream begins anew. By which session it is, if by one
    /// that can be resumed.
    fn begin(&self, signed_in: &SignedIn) -> Option<SessionRow> {
        self.streams.begin(signed_in);
        Some(SessionRow {
            user: signed_in.agent.into(),
            generation: signed_in.generation,
            secret: self.doors.mark(signed_in.door)?,
        })
    }

    /// Sends what may leave at once. An actor that is gone needs to be told nothing.
    fn send(&self, now: Instant, outgoing: Outgoing) {
        match outgoing {
            Outgoing::ToFloor(message) => self.tell_floor(FloorInput::Queue(message)),
            Outgoing::ToQueue(message) => {
                let _ = self
                    .registry
                    .tell_queue(message.queue, QueueInput::Floor(message));
            }
            Outgoing::Me(agent, seq, me) => self.streams.say(agent, seq, now, me),
        }
    }

    pub(super) fn tell_floor(&self, input: FloorInput) {
        // A floor that is gone has ended the process or is being shut down.
        let _ = self.registry.floor.mailbox.put(input);
    }

    /// Lets an answer out that has become durable.
    pub(super) fn let_out(&self, gated: Gated) {
        let Gated { to, result, seq } = gated;
        if to.door == SUBMITS {
            self.settle(to.request, result, seq);
        } else {
            self.answer(to, result, seq);
        }
    }

    /// Delivers an answer. Of a sign-in the floor hears whether it arrived: an agent is
    /// routable only then.
    fn answer(&self, to: ReplyTo, result: Result<Answer, Refusal>, seq: Seq) {
        let Some((agent, generation)) = sign_in_of(&result) else {
            // Whoever asked may be gone.
            let _ = self.doors.answer(to, result, seq);
            return;
        };
        self.streams.answer(to, (result, seq), |arrived| {
            self.tell_floor(if arrived {
                FloorInput::Present(agent, generation)
            } else {
                FloorInput::SocketLost(agent, generation)
            });
        });
    }

    /// Submits a contact: the first of its external id goes to its queue, later ones get the
    /// answer of the first. `durable` is the position for an answer that is known already.
    ///
    /// # Errors
    /// When the id is another identity's.
    pub(super) fn submit(&self, mut submit: Submit, durable: Seq) -> Result<(), Foreign> {
        let reply = submit.asked.reply;
        submit.note = reply.and_then(|to| self.notes.take(to));
        match self.registry.externals.claim(submit) {
            Claim::Send(first) => self.ask(first),
            Claim::Wait => {}
            Claim::Known(answer) => {
                if let Some(to) = reply {
                    self.answer(to, Ok(answer), durable);
                }
            }
            Claim::Foreign => return Err(Foreign),
        }
        Ok(())
    }

    /// Sends a contact to its queue; a queue that is gone refuses it.
    fn ask(&self, mut submit: Submit) {
        let ticket = submit.asked.reply;
        if let (Some(ticket), Some(note)) = (ticket, submit.note.take()) {
            self.notes.put(ticket, note);
        }
        let command = QueueCommand::Submit {
            facts: submit.facts,
            content: submit.content,
        };
        let input = QueueInput::Command(submit.asked, command);
        if self.registry.tell_queue(submit.queue, input).is_err()
            && let Some(ticket) = ticket
        {
            self.settle(ticket.request, Err(Refusal::Unavailable), Seq(0));
        }
    }

    fn settle(&self, ticket: u64, result: Result<Answer, Refusal>, seq: Seq) {
        let settled = self.registry.externals.settle(ticket, result, seq);
        for (to, result, seq) in settled.leaving {
            self.answer(to, result, seq);
        }
        if let Some(next) = settled.next {
            self.ask(next);
        }
    }

    /// A session's door is gone: the floor hears of the agent whose stream left by it.
    pub(super) fn door_gone(&self, door: DoorId) {
        self.streams.gone(door, |agent, generation| {
            self.tell_floor(FloorInput::SocketLost(agent, generation));
        });
    }
}
