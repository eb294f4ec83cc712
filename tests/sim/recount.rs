//! The promises that take a count of everything: at rest, and now and then.

use super::ledger::{Contact, Phase, Stands};
use super::promise::{Kept, keep, promise};
use super::promises::{meets, serves, takes_work};
use super::world::{Who, World};
use switchroom::domain::contact::LegState;
use switchroom::domain::offer::AgentState;
use switchroom::domain::queue::book::{Held, State};
use switchroom::domain::rules::Selection;
use switchroom::id::{AgentId, OfferId, QueueId};
use switchroom::time::Instant;

promise! { LOG_IS_TRUTH: "What the log says of an actor is what the actor has." }
promise! { ALIVE_IS_KNOWN: "Contacts known are contacts alive, in the state the log says." }
promise! { CONSERVATION: "What came into a queue's line has left it or is in it." }
promise! { PLACED_IS_RESERVED: "At rest, reservations on the floor are placements in the queues." }
promise! { IN_PLACE: "Every agent with room stands where it belongs in the order of its queues." }
promise! { NO_IDLE_PAIR: "At rest, nobody is free beside a waiting contact that it could take." }
promise! { PATIENCE: "A preferred agent is waited for only while at work, unless without end." }
promise! { READMITTED: "Whoever sets itself available may be offered at once what it declined or missed before." }
promise! { NOBODY_HOLDS_ON: "At rest, who is signed out has no work, and who was lost for longer than the grace has none of that channel, and nobody has work of a queue that is out of service." }
promise! { STAFFING_IS_TOLD: "At rest, a queue knows whether anybody is signed in and routable." }
promise! { ALL_ANSWERED: "At rest, no request is unanswered." }

impl World {
    /// Counts anew at rest, and every 100 steps.
    pub fn recount_when_due(&mut self) -> Kept {
        let at_rest = self.ready().is_empty();
        if at_rest || self.tally.steps % 100 == 0 {
            self.recount()?;
        }
        if at_rest {
            self.tally.rests += 1;
            self.at_rest()?;
        }
        Ok(())
    }

    fn recount(&self) -> Kept {
        self.ledger.offers_add_up()?;
        if let Some(floor) = &self.floor.machine {
            keep!(
                LOG_IS_TRUTH,
                *floor.roster() == self.roster,
                "the floor has {:?}\nthe log {:?}",
                floor.roster(),
                self.roster
            );
        }
        for (queue, actor) in self.queues.iter().enumerate() {
            let book = &self.books[queue];
            if let Some(machine) = &actor.machine {
                keep!(
                    LOG_IS_TRUTH,
                    machine.book() == book,
                    "the queue has {:?}\nthe log {book:?}",
                    machine.book()
                );
            }
            let mut in_line = 0;
            for (id, held) in &book.contacts {
                let alive = self.ledger.contacts.get(id);
                let alike = alive.is_some_and(|alive| alike(alive, held, book.queue));
                keep!(ALIVE_IS_KNOWN, alike, "{held:?}, alive {alive:?}");
                in_line += u64::from(alive.is_some_and(Contact::in_line));
            }
            let flows = self.ledger.queues[queue];
            keep!(
                CONSERVATION,
                flows.entered + flows.returned
                    == flows.answered + flows.abandoned + flows.cancelled + in_line,
                "queue {queue}: {flows:?}, in line {in_line}"
            );
        }
        let known: usize = self.books.iter().map(|book| book.contacts.len()).sum();
        keep!(
            ALIVE_IS_KNOWN,
            known == self.ledger.contacts.len(),
            "{known} known, {} alive",
            self.ledger.contacts.len()
        );
        Ok(())
    }

    fn at_rest(&self) -> Kept {
        keep!(ALL_ANSWERED, self.pending.is_empty(), "{:?}", self.pending);
        self.placed_is_reserved()?;
        for held in self.ledger.contacts.values() {
            if held.stands == Stands::Waiting && !self.retired(held.queue) {
                self.waits_rightly(held)?;
            }
        }
        for agent in 0..self.ledger.agents.len() {
            self.holds_nothing_back(AgentId(agent as u32))?;
        }
        if let Some(floor) = &self.floor.machine {
            let pair = floor.idle_pair();
            keep!(NO_IDLE_PAIR, pair.is_none(), "the floor knows {pair:?}");
            let misplaced = floor.misplaced();
            keep!(IN_PLACE, misplaced.is_none(), "{misplaced:?}");
        }
        self.staffing_is_told()
    }

    fn retired(&self, queue: QueueId) -> bool {
        self.queues[queue.index()].machine.is_none()
    }

    fn placed_is_reserved(&self) -> Kept {
        let mut placed = 0;
        for held in self.ledger.contacts.values() {
            if self.retired(held.queue) {
                continue;
            }
            let mut hold = |offer: OfferId, agent: AgentId, phase: Phase| {
                placed += 1;
                let seat = self.ledger.offers.get(&offer);
                let right = seat.is_some_and(|seat| {
                    seat.phase == phase
                        && seat.offer.agent == agent
                        && seat.offer.contact == held.facts.id
                });
                keep!(
                    PLACED_IS_RESERVED,
                    right,
                    "{held:?} {phase:?}, seat {seat:?}"
                );
                Ok(())
            };
            match held.stands {
                Stands::Offered(_, offer, agent) => hold(offer, agent, Phase::Ringing)?,
                Stands::Connecting(offer, _) => hold(offer.offer, offer.agent, Phase::Taken)?,
                Stands::Waiting | Stands::Active | Stands::WrapUp(_) => {}
            }
            for leg in &held.legs {
                let phase = leg
                    .wrap_up
                    .map_or(Phase::Engaged, |(_, _, holds)| Phase::WrapUp(holds));
                hold(leg.offer, leg.agent, phase)?;
            }
        }
        let reserved: Vec<_> = self.ledger.offers.values().collect();
        keep!(
            PLACED_IS_RESERVED,
            reserved.len() == placed,
            "{placed} placed, reserved {reserved:?}"
        );
        Ok(())
    }

    /// Nobody is free who could take it, and it is kept for somebody only as long as it may be.
    fn waits_rightly(&self, held: &Contact) -> Kept {
        let rules = self.rules_of(Who::Floor);
        let queue = &rules.queues[held.queue.index()];
        let facts = &held.facts;
        let may = |agent: AgentId| {
            let seat = &self.ledger.agents[agent.index()];
            meets(held, agent, self.now, rules, rules)
                && serves(held, agent, self.now, rules, rules, Some(&seat.queues))
        };
        for agent in held.excluded.keys() {
            let refused = self.ledger.refused.contains_key(&(*agent, facts.id));
            keep!(READMITTED, refused, "{agent:?} is kept from {held:?}");
        }
        if queue.selection == Selection::Manual {
            return Ok(());
        }
        if let (Some(named), Some(_), false) = (
            facts.preferred,
            facts.patience,
            held.released || queue.direct,
        ) {
            let seat = &self.ledger.agents[named.index()];
            keep!(
                PATIENCE,
                takes_work(seat, rules, named, facts.channel) && may(named),
                "{held:?} is kept for {seat:?}"
            );
        }
        for agent in 0..super::setup::agents(rules) {
            let agent = AgentId(agent as u32);
            let seat = &self.ledger.agents[agent.index()];
            let free = takes_work(seat, rules, agent, facts.channel)
                && self.has_room(agent, facts.channel, None);
            keep!(
                NO_IDLE_PAIR,
                !(free && may(agent)),
                "{agent:?} {seat:?} beside {held:?}"
            );
        }
        Ok(())
    }

    fn holds_nothing_back(&self, agent: AgentId) -> Kept {
        let seat = &self.ledger.agents[agent.index()];
        let rules = self.rules_of(Who::Floor);
        for (offer, channel) in &seat.hands {
            let Some(open) = self.ledger.offers.get(offer) else {
                keep!(NOBODY_HOLDS_ON, false, "{offer} in {seat:?} is not open");
                continue;
            };
            keep!(
                NOBODY_HOLDS_ON,
                !self.retired(open.offer.queue),
                "{open:?} in {seat:?} is of a queue that is out of service"
            );
            let grace = rules.policies[channel.index()].grace;
            let kept_until = match (seat.lost, grace, open.phase) {
                (Some(since), Some(grace), Phase::Taken | Phase::Engaged) => since + grace,
                _ => Instant::NEVER,
            };
            let wake = self.wake_of(Who::Floor).unwrap_or(Instant::NEVER);
            keep!(
                NOBODY_HOLDS_ON,
                seat.state != AgentState::SignedOut && kept_until > self.now && wake <= kept_until,
                "{open:?} in {seat:?}, next wake {wake:?}"
            );
        }
        let empty = seat.hands.is_empty() && seat.state != AgentState::SignedOut;
        if let (true, Some(since)) = (empty, seat.lost) {
            let wake = self.wake_of(Who::Floor).unwrap_or(Instant::NEVER);
            let until = since + switchroom::limits::SEAT_GRACE;
            keep!(
                NOBODY_HOLDS_ON,
                until > self.now && wake <= until,
                "{seat:?} is lost, next wake {wake:?}"
            );
        }
        Ok(())
    }

    fn staffing_is_told(&self) -> Kept {
        let rules = self.rules_of(Who::Floor);
        for (queue, actor) in self.queues.iter().enumerate() {
            let Some(machine) = &actor.machine else {
                continue;
            };
            for (channel, _) in rules.channels.iter() {
                let (mut signed_in, mut routable) = (false, false);
                for (agent, seat) in self.ledger.agents.iter().enumerate() {
                    let id = AgentId(agent as u32);
                    let here = seat.state != AgentState::SignedOut
                        && seat.queues.contains(&self.books[queue].queue)
                        && seat.on.contains(channel)
                        && rules.agents[agent].channels.contains(channel);
                    signed_in |= here;
                    routable |= here && takes_work(seat, rules, id, channel);
                }
                let told = machine.staffing(channel);
                keep!(
                    STAFFING_IS_TOLD,
                    (told.signed_in > 0, told.routable > 0) == (signed_in, routable),
                    "queue {queue} was told {told:?} of {channel:?}"
                );
            }
        }
        Ok(())
    }
}

/// The log, read twice, says the same of a contact.
fn alike(alive: &Contact, held: &Held, queue: QueueId) -> bool {
    let stands = match (&held.state, alive.stands) {
        (State::Waiting, Stands::Waiting) | (State::Active, Stands::Active) => true,
        (State::Offered { reservation, seats }, Stands::Offered(of, offer, agent)) => {
            *reservation == of && *seats == [(offer, agent)]
        }
        (
            State::Connecting {
                offer, deadline, ..
            },
            Stands::Connecting(of, until),
        ) => *offer == of && *deadline == until,
        (State::WrapUp(reason), Stands::WrapUp(of)) => *reason == of,
        _ => false,
    };
    let legs = held.legs.len() == alive.legs.len()
        && held.legs.iter().zip(&alive.legs).all(|(leg, of)| {
            let wrap_up = match leg.state {
                LegState::Connected => None,
                LegState::WrapUp {
                    since,
                    until,
                    holds_capacity,
                } => Some((since, until, holds_capacity)),
            };
            leg.offer == of.offer
                && leg.agent == of.agent
                && leg.reservation == of.reservation
                && wrap_up == of.wrap_up
        });
    stands
        && legs
        && alive.queue == queue
        && *held.facts() == alive.facts
        && held.due_at == alive.due_at
        && held.step == alive.step
        && held.released == alive.released
        && held.answered == alive.answered
        && held.excluded.len() == alive.excluded.len()
        && held
            .excluded
            .iter()
            .all(|(agent, until)| alive.excluded.get(agent) == Some(until))
}
