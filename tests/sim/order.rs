//! The promises of order: which contact an agent is given, and which agent a contact is given to.

use super::ledger::Phase;
use super::promise::{Kept, Promise, keep, promise};
use super::promises::{key_allows, takes_work};
use super::setup;
use super::world::{Who, World};
use switchroom::domain::message::{LaneKey, SeatOffer};
use switchroom::domain::rules::{Fill, Selection};
use switchroom::domain::urgency::{Entry, Urgency};
use switchroom::id::{AgentId, ChannelId, LaneId, OfferId, QueueId};
use switchroom::limits;
use switchroom::time::Instant;

promise! { IN_ORDER: "The matched lane is the first by the agent's rank and urgency among the known lanes it can serve." }
promise! { BARRIER: "While a lane's known heads are used up, nobody who could serve it is given to a later lane." }
promise! { CHOICE: "Where several contacts go to one agent, the fullest or emptiest comes first; where idle time decides, the longest idle." }

/// A head of a lane that is about to be given away.
#[derive(Clone, Copy)]
struct Given<'a> {
    lane: (QueueId, LaneId),
    key: &'a LaneKey,
    head: Urgency,
    /// The offer that was made of it.
    offer: OfferId,
}

impl World {
    /// The matched lane is the first by the agent's rank and urgency among the known lanes it
    /// can serve, no barrier stands before it, and the agent is the one to choose.
    pub fn in_order(&self, lane: (QueueId, LaneId), entry: Entry, seats: &[SeatOffer]) -> Kept {
        let asks = self.known.lanes.get(&lane);
        let head = asks.and_then(|asks| asks.heads.iter().find(|head| head.entry == entry));
        let (Some(asks), Some(head), Some(seat)) = (asks, head, seats.first()) else {
            keep!(IN_ORDER, false, "{entry:?} is not known in {lane:?}");
            return Ok(());
        };
        let given = Given {
            lane,
            key: &asks.key,
            head: *head,
            offer: seat.offer,
        };
        if let Some((promise, by)) = self.goes_before(given, seat.agent) {
            keep!(
                promise,
                false,
                "{:?} given {head:?} before {by}",
                seat.agent
            );
        }
        self.well_chosen(given, seat.agent)
    }

    /// A known lane, or a barrier, that this agent must serve first.
    fn goes_before(&self, given: Given<'_>, agent: AgentId) -> Option<(Promise, String)> {
        let rules = self.rules_of(Who::Floor);
        let rank = |queue| self.rank(agent, queue);
        let own = (rank(given.lane.0), given.head);
        let contact = self.ledger.offers.get(&given.offer);
        let contact = contact.map(|offer| offer.offer.contact);
        self.known.lanes.iter().find_map(|(other, asks)| {
            let free = asks.heads.iter().find(|head| match head.entry {
                Entry::Contact(of) | Entry::Request(of) => {
                    let free = self.ledger.offer_of(of).is_none() || Some(of) == contact;
                    free && !self.known.is_taken_back(head.entry)
                }
            });
            let first = free.is_some_and(|free| (rank(other.0), *free) < own);
            let barrier = asks.is_barrier(self.now)
                && *other != given.lane
                && asks.bound.is_some_and(|bound| (rank(other.0), bound) < own);
            let manual = rules.queues[other.0.index()].selection == Selection::Manual;
            let before = (first || barrier)
                && !manual
                && self.could_have(agent, other.0, &asks.key, given.offer);
            before.then(|| {
                let promise = if first { IN_ORDER } else { BARRIER };
                (promise, format!("{own:?} of {other:?} {asks:?}"))
            })
        })
    }

    /// Whether an agent is there, has room and may have a lane's contacts, one offer apart.
    fn could_have(&self, agent: AgentId, queue: QueueId, key: &LaneKey, apart: OfferId) -> bool {
        let rules = self.rules_of(Who::Floor);
        let seat = &self.ledger.agents[agent.index()];
        let chosen = seat.queues.contains(&queue) || rules.queues[queue.index()].direct;
        chosen
            && takes_work(seat, rules, agent, key.channel)
            && self.has_room(agent, key.channel, Some(apart))
            && key_allows(key, agent, queue, rules)
    }

    fn rank(&self, agent: AgentId, queue: QueueId) -> u8 {
        let rules = self.rules_of(Who::Floor);
        let serves = self.ledger.agents[agent.index()].queues.contains(&queue);
        let memberships = &rules.agents[agent.index()].memberships;
        let membership = memberships.iter().find(|m| serves && m.queue == queue);
        membership.map_or(1, |membership| membership.rank)
    }

    /// Nobody else who could have it comes before the agent it was given to.
    fn well_chosen(&self, given: Given<'_>, agent: AgentId) -> Kept {
        let rules = self.rules_of(Who::Floor);
        let queue = &rules.queues[given.lane.0.index()];
        if given.key.named.is_some() {
            return Ok(());
        }
        let shared = rules
            .channels
            .get(given.key.channel)
            .is_some_and(|channel| channel.weight < limits::CAPACITY);
        let by_idle = queue.selection == Selection::LongestIdle;
        let place = |agent: AgentId| {
            let carried = self.carried(agent, given.key.channel, given.offer);
            let fill = match queue.fill {
                Fill::Spread if shared => carried,
                Fill::Fill if shared => -carried,
                Fill::Spread | Fill::Fill => 0,
            };
            (fill, by_idle.then(|| self.idle(agent, given.offer)))
        };
        let mine = place(agent);
        for other in (0..setup::agents(rules)).map(|agent| AgentId(agent as u32)) {
            let better = match (place(other), mine) {
                ((theirs, _), (own, _)) if theirs != own => theirs < own,
                // Who is at work comes later, in an order of its own.
                ((_, Some((false, since))), (_, Some((false, own)))) => {
                    (since, other) < (own, agent)
                }
                ((_, theirs), (_, own)) => {
                    theirs.is_some_and(|(at_work, _)| !at_work)
                        && own.is_some_and(|(at_work, _)| at_work)
                }
            };
            let could = better
                && other != agent
                && self.could_have(other, given.lane.0, given.key, given.offer)
                && self.goes_before(given, other).is_none();
            keep!(
                CHOICE,
                !could,
                "{agent:?} {mine:?} given {:?} instead of {other:?} {:?}",
                given.head,
                place(other)
            );
        }
        Ok(())
    }

    fn carried(&self, agent: AgentId, channel: ChannelId, apart: OfferId) -> i64 {
        let hands = self.ledger.agents[agent.index()].hands.iter();
        let carried = hands.filter(|(offer, of)| {
            let open = self.ledger.offers.get(offer).map(|open| open.phase);
            *of == channel && *offer != apart && open != Some(Phase::WrapUp(false))
        });
        carried.count() as i64
    }

    /// Whether an agent is at work, and since when it has been idle if not.
    fn idle(&self, agent: AgentId, apart: OfferId) -> (bool, Instant) {
        let seat = &self.ledger.agents[agent.index()];
        let at_work = seat.hands.iter().any(|(offer, _)| *offer != apart);
        (at_work, seat.idle_since)
    }
}
