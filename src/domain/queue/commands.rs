//! What people and connectors ask of a queue. A command may be refused; then nothing changed.

use super::Queue;
use super::book::{Held, State};
use crate::access::act;
use crate::domain::command::{Asked, QueueCommand, Report};
use crate::domain::contact::{Closed, Content, Facts, LegEnd, LegState, Requeued, Returned};
use crate::domain::event::{By, Entered, Event, OfferRef};
use crate::domain::machine::{Answer, Outbox, Refusal};
use crate::domain::message::Settled;
use crate::domain::offer::Withdrawn;
use crate::domain::rules::{Workspace, WrapUpMode};
use crate::domain::urgency::due_at;
use crate::id::{AgentId, CommandId, ContactId};
use crate::time::{Instant, Span};
use std::sync::Arc;

type Done = Result<Answer, Refusal>;

impl Queue {
    pub(super) fn command(
        &mut self,
        now: Instant,
        asked: &Asked,
        command: QueueCommand,
        out: &mut Outbox,
    ) {
        let done = match command {
            QueueCommand::Submit { facts, content } => {
                self.submit(now, asked, *facts, *content, out)
            }
            QueueCommand::Abandon(contact) => self.abandon(now, asked, contact, out),
            QueueCommand::End(contact) => self.end(now, asked, contact, out),
            QueueCommand::Requeue(contact) => self.requeue_asked(now, asked, contact, out),
            QueueCommand::Prioritise {
                contact,
                priority,
                tier,
            } => self.prioritise(now, asked, contact, priority, tier, out),
            QueueCommand::Update {
                contact,
                attributes,
                requirement,
            } => self.update(now, asked, contact, attributes, requirement, out),
            QueueCommand::WrapUp {
                contact,
                codes,
                note,
                done,
            } => self.give_wrap_up(now, asked, contact, codes, note, done, out),
            QueueCommand::EndWrapUp { contact, agent } => {
                self.end_wrap_up(now, asked, contact, agent, out)
            }
            QueueCommand::Report {
                contact,
                command,
                report,
            } => self.report(now, asked, contact, command, report, out),
        };
        out.reply(asked.reply, done);
    }

    fn submit(
        &mut self,
        now: Instant,
        asked: &Asked,
        mut facts: Facts,
        content: Content,
        out: &mut Outbox,
    ) -> Done {
        let by = self.permit_submit(asked, &facts)?;
        let Some(terms) = self.own().terms(facts.channel) else {
            return Err(Refusal::NotServed {
                queue: self.own().name.clone(),
                channel: self.rules.channel_name(facts.channel).to_owned(),
            });
        };
        if self.own().direct && facts.preferred.is_none() {
            return Err(Refusal::InvalidState(format!(
                "queue {} takes only contacts that name an agent",
                self.own().name
            )));
        }
        facts.first_entry = now;
        let due_at = due_at(
            now,
            terms.target,
            facts.due_at,
            facts.priority.saturating_add(self.own().priority),
            self.rules.terms.priority_step,
        );
        let answer = submitted(&facts, self.id);
        let contact = facts.id;
        let event = Event::ContactEntered {
            facts: Box::new(facts),
            queue: self.id,
            how: Entered::New,
            due_at,
        };
        self.record_with(now, by, event, content, out);
        self.place(now, contact);
        Ok(answer)
    }

    fn abandon(
        &mut self,
        now: Instant,
        asked: &Asked,
        contact: ContactId,
        out: &mut Outbox,
    ) -> Done {
        let (by, _) = self.permit::<act::ContactAbandon>(asked, contact)?;
        self.leave_line_or_end(now, contact, LegEnd::Customer, None, by, out)
    }

    fn end(&mut self, now: Instant, asked: &Asked, contact: ContactId, out: &mut Outbox) -> Done {
        let (by, held) = self.permit::<act::ContactEnd>(asked, contact)?;
        let own_connector = held.facts().submitted_by == asked.principal.user();
        let reason = (!own_connector).then_some(Closed::EndedBySupervisor);
        let how = if own_connector {
            LegEnd::Customer
        } else {
            LegEnd::Agent
        };
        self.leave_line_or_end(now, contact, how, reason, by, out)
    }

    /// Before an answer the contact leaves the line (`reason`, or abandoned); after it the
    /// conversation ends.
    fn leave_line_or_end(
        &mut self,
        now: Instant,
        contact: ContactId,
        how: LegEnd,
        reason: Option<Closed>,
        by: By,
        out: &mut Outbox,
    ) -> Done {
        let held = self.known(contact)?;
        let abandoned = reason.unwrap_or_else(|| self.abandoned(now, held));
        match held.state.clone() {
            State::Waiting => self.leave_line(now, contact, abandoned, by, out),
            State::Offered { reservation, .. } => {
                let why = reason.map_or(Withdrawn::Abandoned, |_| Withdrawn::Supervisor);
                self.settle(reservation, Settled::Unused(why));
                self.forget_reservation(reservation);
                self.leave_line(now, contact, abandoned, by, out);
            }
            State::Connecting { offer, .. } => {
                let why = reason.map_or(Withdrawn::Abandoned, |_| Withdrawn::Supervisor);
                self.disconnect(now, offer, out);
                self.settle(offer.reservation, Settled::Unused(why));
                self.forget_reservation(offer.reservation);
                self.leave_line(now, contact, abandoned, by, out);
            }
            State::Active => self.end_conversation(now, contact, how, by, out),
            State::WrapUp(_) => {}
        }
        Ok(Answer::Contact(contact))
    }

    /// Closed without a conversation, unless an earlier one is still wrapped up.
    fn leave_line(
        &mut self,
        now: Instant,
        contact: ContactId,
        reason: Closed,
        by: By,
        out: &mut Outbox,
    ) {
        let open = self
            .book
            .contacts
            .get(&contact)
            .is_some_and(|held| !held.legs.is_empty());
        if open {
            let event = Event::ContactEnded {
                contact,
                queue: self.id,
                reason,
            };
            self.record(now, by, event, out);
            self.place(now, contact);
        } else {
            self.close(now, contact, reason, by, out);
        }
    }

    fn abandoned(&self, now: Instant, held: &Held) -> Closed {
        let short = self
            .own()
            .terms(held.facts().channel)
            .map_or(Span::default(), |terms| terms.short_abandon);
        if !held.answered && now.since(held.facts().first_entry) < short {
            Closed::ShortAbandoned
        } else {
            Closed::Abandoned
        }
    }

    fn requeue_asked(
        &mut self,
        now: Instant,
        asked: &Asked,
        contact: ContactId,
        out: &mut Outbox,
    ) -> Done {
        let (by, held) = self.permit::<act::ContactRequeue>(asked, contact)?;
        match held.state.clone() {
            State::Waiting => {}
            State::Offered { reservation, seats } => {
                self.settle(reservation, Settled::Unused(Withdrawn::Supervisor));
                if let Some((offer, agent)) = seats.first().copied() {
                    let offer = self.ringing_ref(contact, reservation, offer, agent)?;
                    self.requeue(now, offer, Requeued::Withdrawn, None, out);
                }
            }
            State::Connecting { .. } => {
                return Err(Refusal::InvalidState(format!(
                    "contact {contact} is being connected"
                )));
            }
            State::Active => {
                for leg in self.connected_legs(contact) {
                    self.disconnect(now, leg, out);
                    self.end_leg(now, leg, LegEnd::Returned, by, out);
                }
                self.return_contact(now, contact, Returned::Requeued, by, out);
            }
            State::WrapUp(_) => return Err(Refusal::ContactGone(contact)),
        }
        Ok(Answer::Contact(contact))
    }

    fn prioritise(
        &mut self,
        now: Instant,
        asked: &Asked,
        contact: ContactId,
        priority: Option<i32>,
        tier: Option<u8>,
        out: &mut Outbox,
    ) -> Done {
        let (by, held) = self.permit::<act::ContactPrioritise>(asked, contact)?;
        let priority = priority.unwrap_or(held.facts().priority);
        let event = Event::ContactPrioritised {
            contact,
            queue: self.id,
            priority,
            tier: tier.unwrap_or(held.facts().tier),
            due_at: self.due(held, priority),
        };
        self.record(now, by, event, out);
        self.place(now, contact);
        Ok(Answer::Contact(contact))
    }

    fn update(
        &mut self,
        now: Instant,
        asked: &Asked,
        contact: ContactId,
        attributes: Vec<(String, Option<String>)>,
        requirement: Option<crate::domain::requirement::Requirement>,
        out: &mut Outbox,
    ) -> Done {
        let (by, held) = self.permit::<act::ContactUpdate>(asked, contact)?;
        let mut content = Content::clone(&held.card.content);
        for (name, value) in attributes {
            match value {
                Some(value) => content.attributes.insert(name, value),
                None => content.attributes.remove(&name),
            };
        }
        let event = Event::ContactUpdated {
            contact,
            queue: self.id,
            requirement: requirement.unwrap_or_else(|| held.facts().requirement.clone()),
        };
        self.record_with(now, by, event, content, out);
        self.lanes.card_changed(contact);
        self.place(now, contact);
        Ok(Answer::Contact(contact))
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of one command")]
    fn give_wrap_up(
        &mut self,
        now: Instant,
        asked: &Asked,
        contact: ContactId,
        codes: Option<Vec<String>>,
        note: Option<String>,
        done: bool,
        out: &mut Outbox,
    ) -> Done {
        let (by, held) = self.permit::<act::ContactWrapUp>(asked, contact)?;
        let agent = AgentId::from(asked.principal.user());
        let Some(leg) = held.legs.iter().find(|leg| leg.agent == agent) else {
            return Err(Refusal::InvalidState(format!(
                "contact {contact} has no open leg of yours to wrap up"
            )));
        };
        let offer = self.offer_ref(held, leg);
        let in_wrap_up = matches!(leg.state, LegState::WrapUp { .. });
        let chosen = codes.as_ref().unwrap_or(&leg.codes);
        let policy = self
            .own()
            .terms(offer.channel)
            .map(|terms| terms.wrap_up.mode);
        if done && chosen.is_empty() && policy == Some(WrapUpMode::Required) {
            return Err(Refusal::InvalidState(format!(
                "wrap-up of contact {contact} needs a code before it is done"
            )));
        }
        if codes.is_some() || note.is_some() {
            let codes = chosen.clone();
            let content = Content {
                note,
                ..Content::default()
            };
            let event = Event::LegWrapUpGiven { offer, codes };
            self.record_with(now, by, event, content, out);
        }
        if done && in_wrap_up {
            self.end_leg(now, offer, LegEnd::WrappedUp, by, out);
            self.close_or_wait(now, contact, Closed::Completed, by, out);
        }
        Ok(Answer::Contact(contact))
    }

    fn end_wrap_up(
        &mut self,
        now: Instant,
        asked: &Asked,
        contact: ContactId,
        agent: AgentId,
        out: &mut Outbox,
    ) -> Done {
        let by = self.permit_end_wrap_up(asked, agent)?;
        let held = self.known(contact)?;
        let open: Vec<OfferRef> = held
            .legs
            .iter()
            .filter(|leg| leg.agent == agent && leg.state != LegState::Connected)
            .map(|leg| self.offer_ref(held, leg))
            .collect();
        for leg in open {
            self.give_default_code(now, leg, out);
            self.end_leg(now, leg, LegEnd::WrapUpEnded, by, out);
        }
        self.close_or_wait(now, contact, Closed::Completed, by, out);
        Ok(Answer::Contact(contact))
    }

    fn report(
        &mut self,
        now: Instant,
        asked: &Asked,
        contact: ContactId,
        command: CommandId,
        report: Report,
        out: &mut Outbox,
    ) -> Done {
        let (by, given, waits) = match self.book.parted.get(&contact) {
            Some(parted) => (
                self.permit_parted(asked, contact, parted)?,
                parted.commands,
                None,
            ),
            None => {
                let (by, held) = self.permit::<act::MediaReport>(asked, contact)?;
                (by, held.commands, waits_for(held, command))
            }
        };
        if command.number == 0 || command.number > given {
            return Err(Refusal::NotFound {
                what: "command",
                id: command.to_string(),
            });
        }
        let event = Event::MediaReported {
            command,
            contact,
            done: report != Report::Failed,
        };
        self.record(now, by, event, out);
        if let Some(offer) = waits {
            match report {
                Report::Connected | Report::Done => self.connected(now, offer, by, out),
                Report::Failed => self.connect_failed(now, offer, out),
            }
        }
        Ok(Answer::Reported(command))
    }

    /// The leg did not connect: back in line, for others first.
    pub(super) fn connect_failed(&mut self, now: Instant, offer: OfferRef, out: &mut Outbox) {
        self.settle(offer.reservation, Settled::Failed { offer: offer.offer });
        let excluded = Some((offer.agent, now + self.rules.terms.retry_after));
        self.requeue(now, offer, Requeued::Failed, excluded, out);
    }

    fn ringing_ref(
        &self,
        contact: ContactId,
        reservation: crate::id::ReservationId,
        offer: crate::id::OfferId,
        agent: AgentId,
    ) -> Result<OfferRef, Refusal> {
        let held = self.known(contact)?;
        Ok(OfferRef {
            offer,
            reservation,
            contact,
            queue: self.id,
            channel: held.facts().channel,
            agent,
        })
    }

    pub(super) fn known(&self, contact: ContactId) -> Result<&Held, Refusal> {
        self.book
            .contacts
            .get(&contact)
            .ok_or_else(|| Refusal::NotFound {
                what: "contact",
                id: contact.to_string(),
            })
    }

    /// New rules: what waits is placed anew by its age, never back to an earlier step.
    pub(super) fn change_rules(&mut self, now: Instant, rules: Arc<Workspace>, out: &mut Outbox) {
        self.bands = super::lanes::bands(&rules, self.id);
        self.rules = rules;
        let contacts: Vec<ContactId> = self.book.contacts.keys().copied().collect();
        for contact in contacts {
            self.take_steps(now, contact, out);
            self.place(now, contact);
        }
        self.lanes.state_terms_anew();
    }
}

fn submitted(facts: &Facts, queue: crate::id::QueueId) -> Answer {
    Answer::Submitted {
        contact: facts.id,
        external_id: Arc::clone(&facts.external_id),
        channel: facts.channel,
        queue,
        conversation: facts.conversation,
        first_entry: facts.first_entry,
        repeated: false,
    }
}

/// The offer that connects when this command is reported.
fn waits_for(held: &Held, command: CommandId) -> Option<OfferRef> {
    match &held.state {
        State::Connecting {
            offer,
            command: Some(asked),
            ..
        } if *asked == command => Some(*offer),
        State::Connecting { .. }
        | State::Waiting
        | State::Offered { .. }
        | State::Active
        | State::WrapUp(_) => None,
    }
}
