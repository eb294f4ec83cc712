//! What the floor writes, and what must have come before it.

use super::super::promise::{Kept, keep, promise};
use super::{LIVES_ONCE, Ledger, Offer, Phase, Refused};
use switchroom::domain::contact::LegEnd;
use switchroom::domain::event::{By, Event, NextState, OfferRef};
use switchroom::domain::offer::{AgentState, Outcome};
use switchroom::domain::rules::Workspace;
use switchroom::time::Instant;

promise! { ONE_BELL: "At most one reservation rings for a waiting contact, and none for one that has an agent." }
promise! { TAKEN_IS_SAID: "A seat whose contact went back to its line says so." }
promise! { OUTCOMES_FIT: "An offer ends once, and as it stands: accepted after it was taken, declined or missed while it rings." }

impl Ledger {
    pub(super) fn read_offer(
        &mut self,
        at: Instant,
        event: &Event,
        rules: &Workspace,
        version: usize,
    ) -> Kept {
        match event {
            Event::OfferMade {
                offer,
                deadline,
                auto_accept,
                decision,
            } => {
                let other = self.offer_of(offer.contact);
                keep!(ONE_BELL, other.is_none(), "{offer:?} beside {other:?}");
                self.fresh_number(offer.reservation.0)?;
                self.fresh_number(offer.offer.0)?;
                keep!(
                    LIVES_ONCE,
                    decision.agent == offer.agent && decision.contact == offer.contact,
                    "{decision:?} for {offer:?}"
                );
                self.outcomes.made += 1;
                self.agents[offer.agent.index()]
                    .hands
                    .push((offer.offer, offer.channel));
                let made = Offer {
                    offer: *offer,
                    made_at: at,
                    deadline: *deadline,
                    auto_accept: *auto_accept,
                    phase: Phase::Ringing,
                    rules: version,
                };
                self.offers.insert(offer.offer, made);
            }
            Event::OfferTaken { offer } => self.step(offer, &[Phase::Ringing], Phase::Taken)?,
            Event::OfferEnded { offer, outcome } => self.offer_ended(at, offer, *outcome, rules)?,
            Event::SeatWrapUp {
                offer,
                holds_capacity,
                ..
            } => self.step(offer, &[Phase::Engaged], Phase::WrapUp(*holds_capacity))?,
            Event::SeatReleased { offer, returned } => {
                let from = [Phase::Engaged, Phase::WrapUp(true), Phase::WrapUp(false)];
                let how = self.over.remove(&offer.offer);
                keep!(
                    TAKEN_IS_SAID,
                    how != Some(LegEnd::Returned) || *returned,
                    "{offer:?} was taken, and the seat says nothing"
                );
                self.step(offer, &from, Phase::Engaged)?;
                self.let_go(offer);
                let seat = &mut self.agents[offer.agent.index()];
                seat.idle_since = at;
                if *returned && seat.lost.is_some() {
                    seat.taken.push(offer.contact);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn step(&mut self, offer: &OfferRef, from: &[Phase], to: Phase) -> Kept {
        let known = self.offers.get_mut(&offer.offer);
        let was = known.as_ref().map(|known| known.phase);
        keep!(
            OUTCOMES_FIT,
            was.is_some_and(|was| from.contains(&was)),
            "{offer:?} goes from {was:?} to {to:?}"
        );
        if let Some(known) = known {
            keep!(LIVES_ONCE, known.offer == *offer, "{offer:?} is {known:?}");
            known.phase = to;
        }
        Ok(())
    }

    fn offer_ended(
        &mut self,
        at: Instant,
        offer: &OfferRef,
        outcome: Outcome,
        rules: &Workspace,
    ) -> Kept {
        let from: &[Phase] = match outcome {
            Outcome::Accepted => &[Phase::Taken],
            Outcome::Declined | Outcome::Missed => &[Phase::Ringing],
            Outcome::Withdrawn(_) | Outcome::Failed => &[Phase::Ringing, Phase::Taken],
        };
        let rang = self.offers.get(&offer.offer);
        let rang = rang.is_some_and(|open| open.phase == Phase::Ringing);
        self.step(offer, from, Phase::Engaged)?;
        let ended = &mut self.outcomes;
        match outcome {
            Outcome::Accepted => ended.accepted += 1,
            Outcome::Declined => ended.declined += 1,
            Outcome::Missed => ended.missed += 1,
            Outcome::Withdrawn(_) => ended.withdrawn += 1,
            Outcome::Failed => ended.failed += 1,
        }
        if outcome == Outcome::Missed {
            let open = self.offers.get(&offer.offer);
            keep!(
                OUTCOMES_FIT,
                open.is_some_and(|open| open.deadline <= at),
                "{open:?} missed early"
            );
            let lost = self.agents[offer.agent.index()].lost;
            keep!(OUTCOMES_FIT, lost.is_none(), "missed while lost: {offer:?}");
        }
        let unshown = outcome == Outcome::Failed && rang;
        if unshown {
            let lost = self.agents[offer.agent.index()].lost;
            keep!(OUTCOMES_FIT, lost.is_none(), "failed while lost: {offer:?}");
        }
        if (unshown || matches!(outcome, Outcome::Declined | Outcome::Missed))
            && !self.closed.contains(&offer.contact)
        {
            let refused = Refused {
                until: at + rules.terms.retry_after,
                doubtful: false,
                by_queue: false,
            };
            self.refused.insert((offer.agent, offer.contact), refused);
        }
        if outcome != Outcome::Accepted {
            self.let_go(offer);
        }
        Ok(())
    }

    fn let_go(&mut self, offer: &OfferRef) {
        self.offers.remove(&offer.offer);
        self.agents[offer.agent.index()]
            .hands
            .retain(|(held, _)| *held != offer.offer);
    }

    pub(super) fn read_agent(&mut self, at: Instant, by: By, event: &Event) {
        match event {
            Event::AgentSignedIn {
                agent,
                generation,
                channels,
                queues,
                state,
                ..
            } => {
                let seat = &mut self.agents[agent.index()];
                let fresh = seat.state == AgentState::SignedOut;
                seat.set(at, state);
                seat.generation = *generation;
                seat.lost = None;
                seat.came = at;
                seat.on = *channels;
                seat.queues.clone_from(queues);
                if fresh {
                    seat.idle_since = at;
                    self.refused.retain(|(who, _), _| who != agent);
                }
            }
            Event::AgentSignedOut { agent, .. } => {
                let seat = &mut self.agents[agent.index()];
                seat.set(at, &AgentState::SignedOut);
                seat.next = None;
            }
            Event::AgentStateChanged { agent, state, next } => {
                let seat = &mut self.agents[agent.index()];
                let wanted = seat.next == Some(NextState::State(AgentState::Available));
                seat.set(at, state);
                seat.next.clone_from(next);
                let asked = by != By::Engine || wanted;
                if *state == AgentState::Available && next.is_none() && asked {
                    self.refused.retain(|(who, _), _| who != agent);
                }
            }
            Event::AgentChannelsChanged { agent, channels } => {
                self.agents[agent.index()].on = *channels;
            }
            Event::AgentQueuesChanged { agent, queues, .. } => {
                self.agents[agent.index()].queues.clone_from(queues);
            }
            Event::AgentConnectionLost { agent, .. } => {
                self.agents[agent.index()].lost = Some(at);
            }
            Event::AgentResumed { agent, .. } => {
                let seat = &mut self.agents[agent.index()];
                seat.lost = None;
                seat.came = at;
                seat.taken.clear();
            }
            _ => {}
        }
    }
}

impl super::Agent {
    fn set(&mut self, at: Instant, state: &AgentState) {
        if self.state != *state {
            self.state = state.clone();
            self.since = at;
        }
    }
}
