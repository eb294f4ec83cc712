//! What machines say goes into the log, to each other, to screens, and back to whoever asked.

use super::mail::Sender;
use super::promise::{Kept, keep, promise};
use super::world::{Asking, Who, World};
use std::sync::Arc;
use switchroom::domain::command::{FloorInput, QueueInput};
use switchroom::domain::event::{By, Event, Record};
use switchroom::domain::machine::{Answer, Effect, Me, Outbox, Refusal, ReplyTo};
use switchroom::domain::message::{Between, ToFloor, ToQueue};
use switchroom::id::{AgentId, Seq};

promise! { ONE_REPLY: "Every command gets exactly one reply." }
promise! { ONE_ME_AN_EVENT: "No agent is told two things at one event." }
promise! { TOLD_WHAT_WAS_TAKEN: "Whoever comes back is told exactly what was taken meanwhile." }
promise! { REPLIES_ARE_TRUE: "A command that was answered well has done what it says." }

impl World {
    /// Carries out everything a machine wants done, in its order.
    pub fn flush(&mut self, who: Who, out: Outbox) -> Kept {
        let rules = Arc::clone(self.rules_of(who));
        let mut told: Vec<AgentId> = Vec::new();
        for effect in out.effects {
            match effect {
                Effect::Event { event, by, content } => {
                    told.clear();
                    self.seq += 1;
                    self.say(|| format!("    {event:?}"));
                    self.tally.event(&event);
                    if let Some(log) = &mut self.tally.log {
                        log.push(Record {
                            seq: Seq(self.seq),
                            at: self.now,
                            by,
                            event: event.clone(),
                            content: content.clone(),
                        });
                    }
                    match who {
                        Who::Floor => self.roster.fold(self.now, &event),
                        Who::Queue(q) => self.books[q].fold(self.now, &event, content.as_deref()),
                    }
                    self.before_event(who, &event)?;
                    let version = self.version_of(who);
                    self.ledger.read(self.now, by, &event, &rules, version)?;
                    self.after_event(who, by, &event)?;
                }
                Effect::ToFloor(said) => {
                    self.say(|| format!("    to floor {:?}", said.message));
                    if let ToFloor::Demand(demand) = &said.message {
                        self.lane_is_one(demand, said.queue)?;
                    }
                    let from = Sender::Queue(said.queue);
                    self.floor.mail.put(from, FloorInput::Queue(said));
                }
                Effect::ToQueue(said) => self.to_queue(said)?,
                Effect::Me(agent, me) => {
                    keep!(ONE_ME_AN_EVENT, !told.contains(&agent), "{agent:?} {me:?}");
                    told.push(agent);
                    self.hear(agent, &me)?;
                }
                Effect::Reply(to, result) => self.reply(to, result)?,
            }
        }
        Ok(())
    }

    fn hear(&mut self, agent: AgentId, me: &Me) -> Kept {
        self.say(|| format!("    to {agent:?} {me:?}"));
        self.screens[agent.index()].hear(me)
    }

    fn to_queue(&mut self, said: Between<ToQueue>) -> Kept {
        self.say(|| format!("    to queue {} {:?}", said.queue.0, said.message));
        if let ToQueue::Match {
            lane,
            entry,
            reservation,
            seats,
            asked: None,
        } = &said.message
        {
            let lane = (said.queue, *lane);
            self.in_order(lane, *entry, seats)?;
            self.known
                .matched(self.now, lane, *entry, *reservation, seats);
        }
        if let ToQueue::Revoke {
            entry,
            reservation,
            last: true,
            ..
        } = &said.message
        {
            self.known.took_back(said.queue, *reservation, *entry);
        }
        let queue = said.queue.index();
        self.queues[queue]
            .mail
            .put(Sender::Floor, QueueInput::Floor(said));
        Ok(())
    }

    fn after_event(&mut self, who: Who, by: By, event: &Event) -> Kept {
        match event {
            Event::OfferMade { offer, .. } => self.offer_is_right(offer),
            Event::OfferTaken { offer } => self.taken_by_whom(by, offer),
            Event::AgentSignedIn { agent, .. } => {
                // Routable only when the answer has reached the page.
                let seat = &mut self.ledger.agents[agent.index()];
                seat.present = seat.present.filter(|present| *present >= seat.generation);
                Ok(())
            }
            _ => {
                debug_assert!(who == Who::Floor || !matches!(event, Event::SeatReleased { .. }));
                Ok(())
            }
        }
    }

    /// Every command gets exactly one reply, and it is true.
    fn reply(&mut self, to: ReplyTo, result: Result<Answer, Refusal>) -> Kept {
        self.say(|| format!("    reply {to:?} {result:?}"));
        let asked = self.pending.remove(&to.request);
        keep!(ONE_REPLY, asked.is_some(), "{to:?} is answered again");
        match &result {
            Ok(_) => self.tally.count("agreed"),
            Err(refusal) => self.tally.count(name(refusal)),
        }
        let (Some(asked), Ok(answer)) = (asked, result) else {
            return Ok(());
        };
        match (asked, answer) {
            (Asking::SignIn(session), Answer::SignedIn(all)) => {
                let agent = all.agent.agent;
                let generation = all.agent.generation;
                let taken = std::mem::take(&mut self.ledger.agents[agent.index()].taken);
                keep!(
                    TOLD_WHAT_WAS_TAKEN,
                    all.taken
                        .iter()
                        .map(|taken| taken.contact)
                        .eq(taken.clone()),
                    "{agent:?} is told {:?}, taken was {taken:?}",
                    all.taken
                );
                self.screens[agent.index()].draw(&all);
                let door = &mut self.sessions[session];
                door.generation = Some(generation);
                let arrived = if door.open {
                    FloorInput::Present(agent, generation)
                } else {
                    FloorInput::SocketLost(agent, generation)
                };
                self.floor.mail.put(Sender::Post, arrived);
            }
            (Asking::Accept(offer), Answer::Accepted { offer: taken, .. }) => {
                keep!(
                    REPLIES_ARE_TRUE,
                    offer == taken && self.ledger.taken_up.contains(&offer),
                    "accept of {offer} was answered for {taken}"
                );
            }
            (Asking::Close(contact), Answer::Contact(_)) => {
                let held = self.ledger.contacts.get(&contact);
                let gone = held.is_none_or(|held| !held.in_line() && !held.connected());
                keep!(REPLIES_ARE_TRUE, gone, "{held:?} was to be over");
            }
            (Asking::SignIn(_), other) | (Asking::Accept(_), other) => {
                keep!(REPLIES_ARE_TRUE, false, "{asked:?} was answered {other:?}");
            }
            (Asking::Close(_) | Asking::Other, _) => {}
        }
        Ok(())
    }
}

fn name(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Denied(_) => "refused denied",
        Refusal::NotFound { .. } => "refused not_found",
        Refusal::OfferExpired(_) => "refused offer_expired",
        Refusal::ContactGone(_) => "refused contact_gone",
        Refusal::AlreadyTaken { .. } => "refused already_taken",
        Refusal::InvalidState(_) => "refused invalid_state",
        Refusal::Superseded => "refused superseded",
        Refusal::SignedInElsewhere(_) => "refused signed_in_elsewhere",
        Refusal::NotServed { .. } => "refused not_served",
        Refusal::Unavailable => "refused unavailable",
        Refusal::Internal => "refused internal",
    }
}
