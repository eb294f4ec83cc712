//! The audit: who did what, to what, as whom. One row for each event that a user made happen.

use super::project::Projection;
use super::words::word;
use crate::domain::event::{By, Event, Record};
use crate::domain::offer::{AgentState, Outcome};
use rusqlite::params;

const ROW: &str = "INSERT INTO audit (seq, at, user, behalf, action, contact, queue, agent, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

impl Projection<'_> {
    pub(super) fn audit(&mut self, record: &Record) -> rusqlite::Result<()> {
        let By::User { user, behalf } = record.by else {
            return Ok(());
        };
        let (queue, agent) = record.event.places();
        let (action, detail) = act(&record.event);
        let user = self.words.user(user);
        let behalf = behalf.map(|behalf| self.words.user(behalf));
        let queue = queue.map(|queue| self.words.queue(queue));
        let agent = agent.map(|agent| self.words.agent(agent));
        self.file.prepare_cached(ROW)?.execute(params![
            record.seq.0.cast_signed(),
            record.at.0.cast_signed(),
            user,
            behalf,
            action,
            record.event.contact().map(|contact| contact.to_string()),
            queue,
            agent,
            detail,
        ])?;
        Ok(())
    }
}

/// What happened, in the words that events have on the wire, and what it came to.
fn act(event: &Event) -> (&'static str, Option<String>) {
    match event {
        Event::ContactEntered { how, .. } => ("contact.entered", Some(word(how))),
        Event::ContactOffered { .. } => ("contact.offered", None),
        Event::ContactConnecting { .. } => ("contact.connecting", None),
        Event::LegConnected { leg, .. } => ("leg.connected", Some(word(&leg.role))),
        Event::ContactRequeued { why, .. } => ("contact.requeued", Some(word(why))),
        Event::ContactReturned { why, .. } => ("contact.returned", Some(word(why))),
        Event::ContactReadmitted { .. } => ("contact.readmitted", None),
        Event::ContactStepped { step, .. } => ("contact.stepped", Some(step.to_string())),
        Event::ContactReleased { .. } => ("contact.released", None),
        Event::ContactPrioritised { priority, tier, .. } => {
            let detail = format!("priority {priority}, tier {tier}");
            ("contact.prioritised", Some(detail))
        }
        Event::ContactUpdated { .. } => ("contact.updated", None),
        Event::ContactEnded { reason, .. } => ("contact.ended", Some(word(reason))),
        Event::ContactClosed { reason, .. } => ("contact.closed", Some(word(reason))),
        Event::LegWrapUpStarted { how, .. } => ("leg.wrap_up", Some(word(how))),
        Event::LegWrapUpGiven { codes, .. } => ("leg.wrap_up_given", Some(codes.join(" "))),
        Event::LegEnded { how, .. } => ("leg.ended", Some(word(how))),
        Event::MediaConnect { .. } => ("media.connect", None),
        Event::MediaDisconnect { .. } => ("media.disconnect", None),
        Event::MediaReported { done, .. } => {
            let detail = if *done { "done" } else { "failed" };
            ("media.reported", Some(detail.to_owned()))
        }
        Event::OfferMade { .. } => ("offer.made", None),
        Event::OfferTaken { .. } => ("offer.taken", None),
        Event::OfferEnded { outcome, .. } => {
            let detail = match outcome {
                Outcome::Withdrawn(why) => format!("{} {}", word(outcome), word(why)),
                Outcome::Accepted | Outcome::Declined | Outcome::Missed | Outcome::Failed => {
                    word(outcome)
                }
            };
            ("offer.ended", Some(detail))
        }
        Event::SeatWrapUp { .. } => ("seat.wrap_up", None),
        Event::SeatReleased { .. } => ("seat.released", None),
        Event::AgentSignedIn { state, .. } => ("agent.signed_in", Some(state_words(state))),
        Event::AgentSignedOut { why, .. } => ("agent.signed_out", Some(word(why))),
        Event::AgentStateChanged { state, .. } => ("agent.state_changed", Some(state_words(state))),
        Event::AgentChannelsChanged { .. } => ("agent.channels_changed", None),
        Event::AgentQueuesChanged { .. } => ("agent.queues_changed", None),
        Event::AgentConnectionLost { .. } => ("agent.connection_lost", None),
        Event::AgentResumed { .. } => ("agent.resumed", None),
        Event::Recovered { .. } => ("server.recovered", None),
        Event::WorkspaceDraining { draining } => {
            let detail = if *draining { "on" } else { "off" };
            ("workspace.draining", Some(detail.to_owned()))
        }
        Event::ActorRestarted { .. } => ("actor.restarted", None),
    }
}

fn state_words(state: &AgentState) -> String {
    match state {
        AgentState::NotReady(reason) => format!("{} {reason}", word(state)),
        AgentState::Available | AgentState::SignedOut => word(state),
    }
}
