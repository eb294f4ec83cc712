//! The projection: what each event of the log does to the tables.

use super::cases::Cases;
use super::counts::Counts;
use super::words::Words;
use crate::domain::event::{Event, Record};
use rusqlite::Connection;

/// One group of events on its way into the file, in one transaction.
pub(super) struct Projection<'a> {
    pub(super) file: &'a Connection,
    pub(super) words: &'a mut Words,
    pub(super) cases: &'a mut Cases,
    pub(super) counts: Counts,
}

impl<'a> Projection<'a> {
    pub(super) fn new(file: &'a Connection, words: &'a mut Words, cases: &'a mut Cases) -> Self {
        Self {
            file,
            words,
            cases,
            counts: Counts::default(),
        }
    }

    /// Takes an event in. Events are taken in once, in the order of their positions.
    pub(super) fn fold(&mut self, record: &Record) -> rusqlite::Result<()> {
        self.audit(record)?;
        match &record.event {
            Event::ContactEntered {
                facts, queue, how, ..
            } => self.entered(record, facts, *queue, *how),
            Event::LegConnected {
                contact,
                leg,
                first,
                waited,
                ..
            } => self.connected(record, *contact, leg, *first, *waited),
            Event::ContactRequeued { contact, .. } => self.requeued(record, *contact),
            Event::ContactReturned {
                contact,
                queue,
                why,
                ..
            } => self.returned(record, *contact, *queue, *why),
            Event::ContactEnded {
                contact, reason, ..
            } => self.ended(record, *contact, *reason, false),
            Event::ContactClosed {
                contact, reason, ..
            } => self.ended(record, *contact, *reason, true),
            Event::LegWrapUpStarted { offer, how, .. } => self.wrap_up_started(record, offer, *how),
            Event::LegWrapUpGiven { offer, codes } => self.wrap_up_given(offer, codes),
            Event::LegEnded {
                offer,
                how,
                talk,
                wrap_up,
            } => self.leg_ended(record, offer, *how, (*talk, *wrap_up)),
            Event::OfferMade {
                offer, decision, ..
            } => self.offered(record, offer, decision),
            Event::OfferEnded { offer, outcome } => self.offer_ended(record, offer, *outcome),
            Event::AgentSignedIn { agent, state, .. } => self.signed_in(record, *agent, state),
            Event::AgentStateChanged { agent, state, .. } => {
                self.state_changed(record, *agent, state)
            }
            Event::AgentSignedOut { agent, why } => self.signed_out(record, *agent, *why),
            Event::AgentConnectionLost { agent, .. } => self.connection(record, *agent, "lost"),
            Event::AgentResumed { agent, .. } => self.connection(record, *agent, "connected"),
            Event::ContactOffered { .. }
            | Event::ContactConnecting { .. }
            | Event::ContactReadmitted { .. }
            | Event::ContactStepped { .. }
            | Event::ContactReleased { .. }
            | Event::ContactPrioritised { .. }
            | Event::ContactUpdated { .. }
            | Event::MediaConnect { .. }
            | Event::MediaDisconnect { .. }
            | Event::MediaReported { .. }
            | Event::OfferTaken { .. }
            | Event::SeatWrapUp { .. }
            | Event::SeatReleased { .. }
            | Event::AgentChannelsChanged { .. }
            | Event::AgentQueuesChanged { .. }
            | Event::Recovered { .. }
            | Event::WorkspaceDraining { .. }
            | Event::ActorRestarted { .. } => Ok(()),
        }
    }

    /// Writes what was changed and added up in memory.
    pub(super) fn end(self) -> rusqlite::Result<()> {
        self.cases.write(self.file)?;
        self.counts.write(self.file, self.words.targets())
    }
}
