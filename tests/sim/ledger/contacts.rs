//! What queues write, and what must have come before it.

use super::super::promise::{Kept, keep, promise};
use super::{Contact, LIVES_ONCE, Ledger, Leg, Media, Phase, Refused, Stands};
use switchroom::domain::contact::{Closed, LegState, Requeued, Returned};
use switchroom::domain::event::Event;
use switchroom::domain::rules::{Workspace, WrapUpMode};
use switchroom::id::{ContactId, QueueId};
use switchroom::time::{Instant, Span};

promise! { ONE_RESERVATION: "Every open leg has exactly one reservation, and the floor gave it to that agent for that contact." }
promise! { DUE_BY_RULE: "A contact's due time is first entry plus target, moved by its priority points, never before first entry." }
promise! { LEG_CLOCKS: "A leg's talk and wrap-up times are its own, from its own instants." }
promise! { STEPS_GO_ON: "A contact never goes back to an earlier requirement step." }

impl Ledger {
    pub(super) fn read_queue(&mut self, at: Instant, event: &Event, rules: &Workspace) -> Kept {
        match event {
            Event::ContactEntered {
                facts,
                queue,
                due_at,
                how: _,
            } => {
                let id = facts.id;
                keep!(LIVES_ONCE, !self.closed.contains(&id), "{id} enters again");
                let contact = Contact {
                    queue: *queue,
                    facts: (**facts).clone(),
                    due_at: *due_at,
                    stands: Stands::Waiting,
                    step: 0,
                    released: false,
                    excluded: Default::default(),
                    legs: Vec::new(),
                    answered: false,
                };
                due_by_rule(&contact, rules)?;
                keep!(LIVES_ONCE, facts.first_entry == at, "{id} entered before");
                let before = self.contacts.insert(id, contact);
                keep!(LIVES_ONCE, before.is_none(), "{id} enters twice");
                self.queues[queue.index()].entered += 1;
            }
            Event::ContactOffered {
                contact,
                queue,
                reservation,
                seats,
            } => {
                let held = self.at_home(*contact, *queue)?;
                let [(offer, agent)] = seats[..] else {
                    keep!(LIVES_ONCE, false, "{contact} is offered to {seats:?}");
                    return Ok(());
                };
                let was = std::mem::replace(
                    &mut held.stands,
                    Stands::Offered(*reservation, offer, agent),
                );
                keep!(LIVES_ONCE, was == Stands::Waiting, "offered while {was:?}");
                keep!(
                    LIVES_ONCE,
                    !held.excluded.contains_key(&agent),
                    "{contact} offered to {agent:?}, who is excluded"
                );
            }
            Event::ContactConnecting { offer, deadline } => {
                let held = self.at_home(offer.contact, offer.queue)?;
                let of = Stands::Offered(offer.reservation, offer.offer, offer.agent);
                keep!(
                    LIVES_ONCE,
                    held.stands == of && *deadline >= at,
                    "{offer:?} connects, but the contact stands {:?}",
                    held.stands
                );
                held.stands = Stands::Connecting(*offer, *deadline);
                self.taken_up.insert(offer.offer);
            }
            Event::LegConnected { .. } => self.leg_connected(at, event)?,
            Event::ContactRequeued {
                contact,
                queue,
                why,
                excluded,
            } => {
                let held = self.at_home(*contact, *queue)?;
                let excludes = matches!(
                    why,
                    Requeued::Declined | Requeued::Missed | Requeued::Failed
                );
                let connecting = matches!(held.stands, Stands::Connecting(..));
                // A decline may come in before its match was found to fit.
                let stood = match held.stands {
                    Stands::Offered(..) | Stands::Connecting(..) => true,
                    Stands::Waiting => excludes,
                    Stands::Active | Stands::WrapUp(_) => false,
                };
                keep!(
                    LIVES_ONCE,
                    stood,
                    "{contact} requeued ({why:?}) while {:?}",
                    held.stands
                );
                keep!(
                    LIVES_ONCE,
                    excluded.is_some() == excludes,
                    "{why:?} excludes {excluded:?}"
                );
                held.stands = Stands::Waiting;
                held.excluded.extend(*excluded);
                if let (true, Some((agent, until))) = (connecting, *excluded) {
                    let refused = Refused {
                        until,
                        doubtful: false,
                        by_queue: true,
                    };
                    self.refused.insert((agent, *contact), refused);
                }
            }
            Event::ContactReturned {
                contact,
                queue,
                why,
                priority,
                due_at,
            } => {
                let held = self.at_home(*contact, *queue)?;
                let boost = match why {
                    Returned::SignedOut | Returned::ConnectionLost => rules.terms.return_boost,
                    Returned::Requeued => 0,
                };
                keep!(
                    LIVES_ONCE,
                    held.stands == Stands::Active && !held.connected(),
                    "{contact} returned while {:?}",
                    held.stands
                );
                keep!(
                    DUE_BY_RULE,
                    held.facts.priority.saturating_add(boost) == *priority,
                    "{contact} had {} points, returned ({why:?}) with {priority}",
                    held.facts.priority
                );
                held.stands = Stands::Waiting;
                held.facts.priority = *priority;
                held.due_at = *due_at;
                due_by_rule(held, rules)?;
                self.queues[queue.index()].returned += 1;
            }
            Event::ContactReadmitted {
                contact,
                queue,
                agents,
            } => {
                let held = self.at_home(*contact, *queue)?;
                for agent in agents {
                    let was = held.excluded.remove(agent);
                    keep!(LIVES_ONCE, was.is_some(), "{agent:?} was not excluded");
                }
                // The agent may have set itself available before the floor knew.
                for agent in agents {
                    let refused = self.refused.get(&(*agent, *contact));
                    if refused.is_some_and(|refused| refused.by_queue) {
                        self.refused.remove(&(*agent, *contact));
                    }
                }
            }
            Event::ContactStepped {
                contact,
                queue,
                step,
            } => {
                let held = self.at_home(*contact, *queue)?;
                keep!(
                    STEPS_GO_ON,
                    *step > held.step,
                    "{contact} from {} to {step}",
                    held.step
                );
                held.step = *step;
            }
            Event::ContactReleased { contact, queue } => {
                let held = self.at_home(*contact, *queue)?;
                let kept = held.facts.preferred.is_some() && !held.released;
                keep!(LIVES_ONCE, kept, "{contact} released without need");
                held.released = true;
            }
            Event::ContactPrioritised {
                contact,
                queue,
                priority,
                tier,
                due_at,
            } => {
                let held = self.at_home(*contact, *queue)?;
                held.facts.priority = *priority;
                held.facts.tier = *tier;
                held.due_at = *due_at;
                due_by_rule(held, rules)?;
            }
            Event::ContactUpdated {
                contact,
                queue,
                requirement,
            } => {
                let held = self.at_home(*contact, *queue)?;
                held.facts.requirement = requirement.clone();
            }
            Event::ContactEnded {
                contact,
                queue,
                reason,
            } => self.ended(*contact, *queue, *reason)?,
            Event::ContactClosed {
                contact,
                queue,
                reason,
            } => self.over(*contact, *queue, *reason)?,
            Event::LegWrapUpStarted { .. } | Event::LegEnded { .. } => {
                self.leg(at, event, rules)?
            }
            Event::LegWrapUpGiven { offer, .. } => {
                let held = self.at_home(offer.contact, offer.queue)?;
                let known = held.legs.iter().any(|leg| leg.offer == offer.offer);
                keep!(LIVES_ONCE, known, "wrap-up of no leg: {offer:?}");
            }
            Event::MediaConnect {
                command,
                offer,
                connector,
                ..
            } => {
                let held = self.at_home(offer.contact, offer.queue)?;
                let waits = matches!(held.stands, Stands::Connecting(..));
                keep!(LIVES_ONCE, waits, "media for {:?}", held.stands);
                self.media.push(Media {
                    command: *command,
                    connector: *connector,
                });
            }
            Event::MediaDisconnect {
                command, connector, ..
            } => self.media.push(Media {
                command: *command,
                connector: *connector,
            }),
            _ => {}
        }
        Ok(())
    }

    fn at_home(
        &mut self,
        contact: ContactId,
        queue: QueueId,
    ) -> Result<&mut Contact, Box<super::super::promise::Broken>> {
        let held = self.contacts.get_mut(&contact);
        match held.filter(|held| held.queue == queue) {
            Some(held) => Ok(held),
            None => Err(Box::new(super::super::promise::Broken {
                promise: LIVES_ONCE,
                by: format!("{contact} is not in {queue:?}"),
            })),
        }
    }

    fn leg_connected(&mut self, at: Instant, event: &Event) -> Kept {
        let Event::LegConnected {
            contact,
            queue,
            channel,
            leg,
            first,
            waited,
        } = event
        else {
            return Ok(());
        };
        let seat = self.offers.get(&leg.offer).copied();
        keep!(
            ONE_RESERVATION,
            self.let_down.contains(&leg.offer)
                || seat.is_some_and(|seat| seat.phase == Phase::Taken
                    && seat.offer.reservation == leg.reservation
                    && seat.offer.contact == *contact
                    && seat.offer.agent == leg.agent
                    && seat.offer.channel == *channel),
            "leg {leg:?} of {contact}, seat {seat:?}"
        );
        let held = self.at_home(*contact, *queue)?;
        let expected = match held.stands {
            Stands::Offered(_, offer, agent) => offer == leg.offer && agent == leg.agent,
            Stands::Connecting(offer, _) => offer.offer == leg.offer,
            Stands::Waiting | Stands::Active | Stands::WrapUp(_) => false,
        };
        keep!(LIVES_ONCE, expected, "leg {leg:?} while {:?}", held.stands);
        keep!(LIVES_ONCE, *first != held.answered, "answered first twice");
        let began = leg.connected_at == at && leg.state == LegState::Connected;
        let true_wait = at.since(held.facts.first_entry) == *waited;
        keep!(LEG_CLOCKS, began && true_wait, "{leg:?} waited {waited:?}");
        held.stands = Stands::Active;
        held.answered = true;
        held.legs.push(Leg {
            offer: leg.offer,
            reservation: leg.reservation,
            agent: leg.agent,
            connected_at: at,
            wrap_up: None,
        });
        self.taken_up.insert(leg.offer);
        self.queues[queue.index()].answered += 1;
        Ok(())
    }

    fn leg(&mut self, at: Instant, event: &Event, rules: &Workspace) -> Kept {
        match event {
            Event::LegWrapUpStarted {
                offer,
                until,
                holds_capacity,
                talk,
                how: _,
            } => {
                let terms = rules.queues[offer.queue.index()].terms(offer.channel);
                keep!(
                    LEG_CLOCKS,
                    terms.is_some_and(|terms| at + terms.wrap_up.span == *until
                        && terms.wrap_up.holds_capacity == *holds_capacity
                        && terms.wrap_up.mode != WrapUpMode::None),
                    "{offer:?} wraps up until {until:?} under {terms:?}"
                );
                let held = self.at_home(offer.contact, offer.queue)?;
                let leg = held.legs.iter_mut().find(|leg| leg.offer == offer.offer);
                let leg = leg.filter(|leg| leg.wrap_up.is_none());
                keep!(LIVES_ONCE, leg.is_some(), "{offer:?} wraps up no leg");
                if let Some(leg) = leg {
                    keep!(LEG_CLOCKS, at.since(leg.connected_at) == *talk, "{talk:?}");
                    leg.wrap_up = Some((at, *until, *holds_capacity));
                }
            }
            Event::LegEnded {
                offer,
                how,
                talk,
                wrap_up,
            } => {
                self.over.insert(offer.offer, *how);
                let held = self.at_home(offer.contact, offer.queue)?;
                let place = held.legs.iter().position(|leg| leg.offer == offer.offer);
                keep!(LIVES_ONCE, place.is_some(), "{offer:?} ends no leg");
                if let Some(place) = place {
                    let leg = held.legs.remove(place);
                    let talked_until = leg.wrap_up.map_or(at, |(since, ..)| since);
                    let wrapped = leg.wrap_up.map_or(Span(0), |(since, ..)| at.since(since));
                    keep!(
                        LEG_CLOCKS,
                        talked_until.since(leg.connected_at) == *talk && wrapped == *wrap_up,
                        "{leg:?} ends with {talk:?} and {wrap_up:?}"
                    );
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn ended(&mut self, contact: ContactId, queue: QueueId, reason: Closed) -> Kept {
        let held = self.at_home(contact, queue)?;
        keep!(
            LIVES_ONCE,
            !held.legs.is_empty() && !held.connected() && !matches!(held.stands, Stands::WrapUp(_)),
            "{contact} goes into wrap-up from {:?} with {:?}",
            held.stands,
            held.legs
        );
        let from_line = held.in_line();
        held.stands = Stands::WrapUp(reason);
        if from_line {
            self.left(queue, reason);
        }
        Ok(())
    }

    fn over(&mut self, contact: ContactId, queue: QueueId, reason: Closed) -> Kept {
        let held = self.at_home(contact, queue)?;
        keep!(LIVES_ONCE, held.legs.is_empty(), "{contact} has open legs");
        let from_line = held.in_line();
        if let Stands::WrapUp(ended) = held.stands {
            keep!(LIVES_ONCE, ended == reason, "{ended:?} became {reason:?}");
        }
        let alike = from_line == matches!(reason, Closed::Completed);
        let from_wrap_up = matches!(held.stands, Stands::WrapUp(_));
        keep!(
            LIVES_ONCE,
            from_wrap_up || !alike,
            "{contact} closed {reason:?} from {:?}",
            held.stands
        );
        self.contacts.remove(&contact);
        self.closed.insert(contact);
        self.refused.retain(|(_, of), _| *of != contact);
        if from_line {
            self.left(queue, reason);
        }
        Ok(())
    }

    fn left(&mut self, queue: QueueId, reason: Closed) {
        let counts = &mut self.queues[queue.index()];
        match reason {
            Closed::Abandoned | Closed::ShortAbandoned => counts.abandoned += 1,
            Closed::EndedBySupervisor | Closed::Failed | Closed::Completed => {
                counts.cancelled += 1;
            }
        }
    }
}

/// The formula of the routing page, once more.
fn due_by_rule(contact: &Contact, rules: &Workspace) -> Kept {
    let facts = &contact.facts;
    let queue = &rules.queues[contact.queue.index()];
    let target = queue.terms(facts.channel).map_or(0, |terms| terms.target.0);
    let base = facts
        .due_at
        .map_or(facts.first_entry.0 + target, |due_at| due_at.0);
    let points = i128::from(facts.priority) + i128::from(queue.priority);
    let due = i128::from(base) - points * i128::from(rules.terms.priority_step.0);
    let due = due.max(i128::from(facts.first_entry.0));
    keep!(
        DUE_BY_RULE,
        due == i128::from(contact.due_at.0),
        "{} is due at {:?} instead of {due}",
        facts.id,
        contact.due_at
    );
    Ok(())
}
