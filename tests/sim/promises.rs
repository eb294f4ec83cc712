//! The promises that are checked with every step: of an offer, of a lane, of a deadline.

use super::ledger::{Agent, Contact, Offer, Phase, Stands};
use super::promise::{Kept, keep, promise};
use super::world::{Who, World};
use switchroom::domain::event::{By, Event, OfferRef};
use switchroom::domain::message::{Demand, LaneKey};
use switchroom::domain::offer::AgentState;
use switchroom::domain::rules::Workspace;
use switchroom::id::{AgentId, ChannelId, OfferId, QueueId};
use switchroom::limits;
use switchroom::time::{Instant, Span};

promise! { ONLY_WHO_IS_THERE: "Nobody is offered anything who has not set itself available, on a channel that is on, in a queue it serves." }
promise! { ROOM: "Reservations never exceed the room of an agent, by the capacity rule, over all queues and channels." }
promise! { BACK_OFF: "Who declined, missed or failed to connect a contact is not offered it again before the back-off, or before it sets itself available." }
promise! { ELIGIBLE: "Only an agent who is eligible for the contact at that time is given it." }
promise! { ONE_LANE: "Any agent eligible for one contact of a lane is eligible for all." }
promise! { ON_TIME: "No deadline passes without its exit, and the next wake is never later than the earliest." }
promise! { WITHDRAWN_AT_ONCE: "An offer does not ring on at an agent who is no longer available." }
promise! { STRICT: "In a strict queue no offer rings on at an agent who does not meet what is asked any more." }
promise! { SHOWN_FIRST: "The server accepts for an agent only what it may accept by itself." }

impl World {
    /// Promises that are judged before the ledger has read the event.
    pub fn before_event(&mut self, who: Who, event: &Event) -> Kept {
        if let (Event::ContactOffered { contact, seats, .. }, Who::Queue(queue)) = (event, who)
            && let (Some(held), Some((offer, agent))) =
                (self.ledger.contacts.get(contact), seats.first())
        {
            self.eligible_then_or_now(queue, held, *offer, *agent)?;
        }
        Ok(())
    }

    /// Only an agent who is eligible for the contact at that time is given it. The floor went
    /// by what it knew when it made the offer, the queue by what it knows now; while new rules
    /// are on their way either may be behind.
    fn eligible_then_or_now(
        &self,
        queue: usize,
        held: &Contact,
        offer: OfferId,
        agent: AgentId,
    ) -> Kept {
        let Some(made) = self.ledger.offers.get(&offer) else {
            // The floor took it back meanwhile.
            return Ok(());
        };
        let newest = self.queues[queue].rules.max(made.rules);
        let oldest = self.queues[queue].rules.min(made.rules);
        let eligible = (oldest..=newest).any(|of_queue| {
            (oldest..=newest).any(|of_floor| {
                [made.made_at, self.now].into_iter().any(|at| {
                    let (asks, has) = (&self.rules[of_queue], &self.rules[of_floor]);
                    meets(held, agent, at, asks, has)
                        && serves(held, agent, self.now, asks, has, None)
                })
            })
        });
        keep!(ELIGIBLE, eligible, "{agent:?} for {held:?} by {made:?}");
        Ok(())
    }

    /// An offer is made only to who is there, has room, and may have it.
    pub fn offer_is_right(&self, offer: &OfferRef) -> Kept {
        let seat = &self.ledger.agents[offer.agent.index()];
        let rules = self.rules_of(Who::Floor);
        let agent = &rules.agents[offer.agent.index()];
        let direct = rules.queues[offer.queue.index()].direct;
        let serves = direct
            || seat.queues.contains(&offer.queue)
                && agent.memberships.iter().any(|m| m.queue == offer.queue);
        keep!(
            ONLY_WHO_IS_THERE,
            serves && takes_work(seat, rules, offer.agent, offer.channel),
            "{offer:?} to {seat:?}"
        );
        keep!(
            ROOM,
            self.has_room(offer.agent, offer.channel, Some(offer.offer)),
            "{offer:?} to {seat:?}"
        );
        let refused = self.ledger.refused.get(&(offer.agent, offer.contact));
        keep!(
            BACK_OFF,
            refused.is_none_or(|refused| refused.doubtful || refused.until <= self.now),
            "{offer:?} again before {refused:?}"
        );
        Ok(())
    }

    /// Whether one more contact of the channel fits, by the rule of the routing page.
    pub fn has_room(&self, agent: AgentId, channel: ChannelId, besides: Option<OfferId>) -> bool {
        let rules = self.rules_of(Who::Floor);
        let channels = &rules.channels;
        let capacity = &rules.agents[agent.index()].capacity;
        let Some(own) = channels.get(channel) else {
            return false;
        };
        let hands = &self.ledger.agents[agent.index()].hands;
        let counts = |offer: &OfferId| {
            let open = self.ledger.offers.get(offer).map(|offer| offer.phase);
            Some(*offer) != besides && open != Some(Phase::WrapUp(false))
        };
        let mut alike = 0;
        let mut weight = own.weight;
        for (_, other) in hands.iter().filter(|(offer, _)| counts(offer)) {
            if own.interrupted_by.contains(*other) {
                return false;
            }
            if *other == channel {
                alike += 1;
            }
            if let Some(theirs) = channels.get(*other)
                && !theirs.interrupted_by.contains(channel)
            {
                weight += theirs.weight;
            }
        }
        let limit = capacity.max.iter().find(|(of, _)| *of == channel);
        let max = limit.map_or(own.max, |(_, max)| *max);
        alike < max && weight <= capacity.points
    }

    pub fn taken_by_whom(&self, by: By, offer: &OfferRef) -> Kept {
        let open = self.ledger.offers.get(&offer.offer);
        keep!(
            SHOWN_FIRST,
            by != By::Engine || open.is_some_and(|open| open.auto_accept),
            "{open:?}"
        );
        Ok(())
    }

    /// Any agent eligible for one contact of a lane is eligible for all.
    pub fn lane_is_one(&self, demand: &Demand, queue: QueueId) -> Kept {
        let rules = self.rules_of(Who::Queue(queue.index()));
        let heads = demand.heads.iter();
        let contacts: Vec<&Contact> = heads
            .filter_map(|head| self.ledger.contacts.get(&head.card.facts.id))
            .collect();
        keep!(
            ONE_LANE,
            contacts.len() == demand.heads.len()
                && contacts
                    .iter()
                    .all(|held| held.stands == Stands::Waiting && held.queue == queue),
            "{:?} states who does not wait: {contacts:?}",
            queue
        );
        keep!(
            ONE_LANE,
            demand
                .heads
                .iter()
                .map(|head| head.urgency)
                .is_sorted_by(|a, b| a < b)
                && demand.heads.iter().zip(&contacts).all(|(head, held)| {
                    head.urgency.due_at == held.due_at
                        && head.urgency.tier == held.facts.tier
                        && head.card.facts == held.facts
                }),
            "{:?}",
            demand.heads
        );
        for agent in 0..setup_agents(rules) {
            let agent = AgentId(agent);
            let by_key = key_allows(&demand.key, agent, queue, rules);
            for held in &contacts {
                let has = meets(held, agent, self.now, rules, rules)
                    && serves(held, agent, self.now, rules, rules, None);
                keep!(
                    ONE_LANE,
                    has == by_key,
                    "{agent:?} for {held:?}: {has}, by the lane's key {:?}: {by_key}",
                    demand.key
                );
            }
        }
        Ok(())
    }

    /// Promises of an actor that has just turned.
    pub fn after_step(&mut self, who: Who) -> Kept {
        match who {
            Who::Floor => self.floor_on_time()?,
            Who::Queue(queue) => self.queue_on_time(queue)?,
        }
        self.recount_when_due()
    }

    /// No deadline of a contact has passed, and the queue will wake for the earliest.
    fn queue_on_time(&self, queue: usize) -> Kept {
        let actor = &self.queues[queue];
        let Some(machine) = &actor.machine else {
            return Ok(());
        };
        let rules = self.rules_of(Who::Queue(queue));
        let mut first = Instant::NEVER;
        for contact in machine.book().contacts.keys() {
            let Some(held) = self.ledger.contacts.get(contact) else {
                continue;
            };
            let deadline = deadline(held, self.now, rules);
            keep!(ON_TIME, deadline > self.now, "{deadline:?} of {held:?}");
            first = first.min(deadline);
        }
        let wake = self.wake_of(Who::Queue(queue));
        keep!(
            ON_TIME,
            wake.unwrap_or(Instant::NEVER) <= first,
            "queue {queue} wakes at {wake:?}, but {first:?} is due"
        );
        Ok(())
    }

    /// No deadline of an offer has passed, and the floor will wake for the earliest.
    fn floor_on_time(&mut self) -> Kept {
        let Some(floor) = &self.floor.machine else {
            return Ok(());
        };
        let grace = self.rules_of(Who::Floor).terms.offer_grace;
        let mut first = Instant::NEVER;
        for offer in self.ledger.offers.values() {
            if offer.phase != Phase::Ringing {
                continue;
            }
            let seat = &self.ledger.agents[offer.offer.agent.index()];
            keep!(
                WITHDRAWN_AT_ONCE,
                seat.state == AgentState::Available && seat.next.is_none(),
                "{offer:?} rings at {seat:?}"
            );
            let deadline = ring_deadline(offer, seat, grace);
            keep!(ON_TIME, deadline > self.now, "{offer:?} rings on");
            let of = offer.offer;
            if self.rules_of(Who::Floor).queues[of.queue.index()].strict
                && let Some(key) = self.known.key_of(of.offer)
            {
                let may = key_allows(key, of.agent, of.queue, self.rules_of(Who::Floor));
                keep!(STRICT, may, "{offer:?} rings, asked is {key:?}");
            }
            first = first.min(deadline);
        }
        let wake = self.wake_of(Who::Floor);
        keep!(
            ON_TIME,
            wake.unwrap_or(Instant::NEVER) <= first,
            "the floor wakes at {wake:?}, but {first:?} is due"
        );
        self.tally.barriers += floor.counters().barriers_timed_out;
        for (agent, seat) in &floor.roster().seats {
            self.screens[agent.index()].shows(seat)?;
        }
        Ok(())
    }
}

fn setup_agents(rules: &Workspace) -> u32 {
    super::setup::agents(rules) as u32
}

/// When an offer stops ringing at the latest.
fn ring_deadline(offer: &Offer, seat: &Agent, grace: Span) -> Instant {
    let lost = seat.lost.map_or(Instant::NEVER, |since| since + grace);
    let unshown = if offer.auto_accept && seat.lost.is_none() {
        // The page may have shown it, and it still rings only if the accept was not taken.
        offer.made_at.max(seat.came) + limits::SHOWN_WITHIN
    } else {
        Instant::NEVER
    };
    offer.deadline.min(lost).min(unshown)
}

/// When time alone changes something about a contact.
fn deadline(held: &Contact, now: Instant, rules: &Workspace) -> Instant {
    let queue = &rules.queues[held.queue.index()];
    let facts = &held.facts;
    let mut at = Instant::NEVER;
    at = held.excluded.values().fold(at, |at, until| at.min(*until));
    for leg in &held.legs {
        at = leg.wrap_up.map_or(at, |(_, until, _)| at.min(until));
    }
    match held.stands {
        Stands::Connecting(_, deadline) => at = at.min(deadline),
        Stands::Waiting | Stands::Offered(..) => {
            let age = now.since(facts.first_entry);
            let in_force = usize::from(held.step);
            for (step, (after, _)) in queue.steps.iter().enumerate() {
                if step > in_force {
                    at = at.min(facts.first_entry + after);
                }
            }
            if let (Some(_), Some(patience), false) = (
                facts.preferred,
                facts.patience,
                held.released || queue.direct,
            ) {
                at = at.min(facts.first_entry + patience);
            }
            let members = rules.agents.iter().flat_map(|agent| &agent.memberships);
            for membership in members.filter(|m| m.queue == held.queue) {
                if membership.delay > age {
                    at = at.min(facts.first_entry + membership.delay);
                }
            }
        }
        Stands::Active | Stands::WrapUp(_) => {}
    }
    at
}

/// Takes work of a channel, now or when it has room again.
pub fn takes_work(seat: &Agent, rules: &Workspace, agent: AgentId, channel: ChannelId) -> bool {
    seat.state == AgentState::Available
        && seat.next.is_none()
        && seat.lost.is_none()
        && seat.present == Some(seat.generation)
        && seat.on.contains(channel)
        && rules.agents[agent.index()].channels.contains(channel)
}

/// Meets the requirement in force for a contact of that age.
pub fn meets(
    held: &Contact,
    agent: AgentId,
    at: Instant,
    asks: &Workspace,
    has: &Workspace,
) -> bool {
    let queue = &asks.queues[held.queue.index()];
    let age = at.since(held.facts.first_entry);
    let by_age = queue
        .steps
        .iter()
        .filter(|(after, _)| *after <= age)
        .count()
        - 1;
    let step = by_age.max(usize::from(held.step)).min(queue.steps.last());
    let qualities = &has.agents[agent.index()].qualities;
    queue.steps.in_force(step).meets(qualities) && held.facts.requirement.meets(qualities)
}

/// May have a contact by membership, delay, name and exclusion. `chosen` are the queues the
/// agent serves now, or any.
pub fn serves(
    held: &Contact,
    agent: AgentId,
    at: Instant,
    asks: &Workspace,
    has: &Workspace,
    chosen: Option<&[QueueId]>,
) -> bool {
    let direct = asks.queues[held.queue.index()].direct;
    let named = held.facts.preferred.filter(|_| !held.released || direct);
    if held.excluded.contains_key(&agent) || named.is_some_and(|named| named != agent) {
        return false;
    }
    if direct {
        return named.is_some();
    }
    let memberships = &has.agents[agent.index()].memberships;
    memberships.iter().any(|membership| {
        membership.queue == held.queue
            && (named.is_some() || membership.delay <= at.since(held.facts.first_entry))
    }) && chosen.is_none_or(|chosen| chosen.contains(&held.queue))
}

/// The same, as a lane's key says it.
pub fn key_allows(key: &LaneKey, agent: AgentId, queue: QueueId, rules: &Workspace) -> bool {
    let direct = rules.queues[queue.index()].direct;
    let rules = &rules.agents[agent.index()];
    let member = rules.memberships.iter().any(|membership| {
        membership.queue == queue && (key.named.is_some() || membership.delay <= key.waited)
    });
    key.named.is_none_or(|named| named == agent)
        && !key.excluded.contains(&agent)
        && (member || direct && key.named.is_some())
        && key.requirement.meets(&rules.qualities)
}
