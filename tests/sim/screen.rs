//! An agent's screen: what a page would show that hears nothing but `me`.

use super::promise::{Kept, keep, promise};
use std::collections::{BTreeMap, BTreeSet};
use switchroom::domain::floor::roster::{Phase, Seat};
use switchroom::domain::machine::{AgentCard, Me, MyLeg, MyLegState, MyOffer, SignedIn};
use switchroom::id::{ContactId, OfferId, QueueId};

promise! { SHOWN_ONCE: "An agent's screen never shows an offer twice." }
promise! { NAMES_WHAT_IS_SHOWN: "A withdrawal, a connect and an end name what the screen shows; nothing connects without an offer." }
promise! { SCREEN_IS_SEAT: "An agent's screen, made of `me` alone, shows the seat as the floor has it." }

/// What the page shows.
#[derive(Default, Debug)]
pub struct Screen {
    pub offers: BTreeMap<OfferId, (ContactId, QueueId)>,
    pub legs: BTreeMap<OfferId, (ContactId, QueueId, MyLegState)>,
    card: Option<AgentCard>,
    seen: BTreeSet<OfferId>,
    /// The last few offers ever shown.
    pub past: Vec<OfferId>,
}

impl Screen {
    /// The page is drawn anew from the answer to a sign-in.
    pub fn draw(&mut self, all: &SignedIn) {
        self.offers = all.offers.iter().map(card).collect();
        self.legs = all.legs.iter().map(leg).collect();
        self.card = Some(all.agent.clone());
    }

    /// Takes in what the floor says.
    pub fn hear(&mut self, me: &Me) -> Kept {
        match me {
            Me::Offer(offer) => {
                let id = offer.offer.offer;
                let shown = !self.seen.insert(id);
                keep!(SHOWN_ONCE, !shown, "{id} is shown again");
                self.offers.extend([card(offer)]);
                self.past.push(id);
                if self.past.len() > 12 {
                    self.past.remove(0);
                }
            }
            Me::OfferEnded { offer, outcome } => {
                let connecting = self.legs.get(&offer.offer);
                let known = connecting.is_some_and(|(_, _, at)| *at == MyLegState::Connecting)
                    || self.offers.contains_key(&offer.offer);
                keep!(NAMES_WHAT_IS_SHOWN, known, "{offer:?} ends {outcome:?}");
                self.offers.remove(&offer.offer);
                self.legs.remove(&offer.offer);
            }
            Me::Connecting(to) => {
                let offered = self.offers.remove(&to.offer.offer).is_some();
                keep!(NAMES_WHAT_IS_SHOWN, offered, "{to:?} is no offer");
                self.legs.extend([leg(to)]);
            }
            Me::Connected(to) => self.step(to, &[MyLegState::Connecting])?,
            Me::WrapUp(to) => self.step(to, &[MyLegState::Connected])?,
            Me::Ended(to) => {
                let shown = self.legs.remove(&to.offer.offer);
                keep!(
                    NAMES_WHAT_IS_SHOWN,
                    shown.is_some_and(|(_, _, at)| at != MyLegState::Connecting),
                    "{to:?} ends, shown is {shown:?}"
                );
            }
            Me::State(card)
            | Me::Channels(card)
            | Me::Queues(card)
            | Me::SignedOut(card)
            | Me::Resumed(card) => self.card = Some(card.clone()),
        }
        Ok(())
    }

    fn step(&mut self, to: &MyLeg, from: &[MyLegState]) -> Kept {
        let shown = self.legs.insert(to.offer.offer, leg(to).1);
        keep!(
            NAMES_WHAT_IS_SHOWN,
            shown.is_some_and(|(_, _, at)| from.contains(&at)),
            "{to:?} after {shown:?}"
        );
        Ok(())
    }

    /// An agent's screen, made of `me` alone, shows the seat as the floor has it.
    pub fn shows(&self, seat: &Seat) -> Kept {
        let Some(card) = &self.card else {
            return Ok(());
        };
        for work in &seat.work {
            let id = work.offer.offer;
            let shown = self.legs.get(&id).map(|(_, _, state)| *state);
            let right = match work.phase {
                Phase::Ringing { .. } => self.offers.contains_key(&id) && shown.is_none(),
                Phase::Taken => shown == Some(MyLegState::Connecting),
                Phase::Engaged => shown == Some(MyLegState::Connected),
                Phase::WrapUp { until, .. } => shown == Some(MyLegState::WrapUp { until }),
            };
            keep!(SCREEN_IS_SEAT, right, "{work:?} is shown as {shown:?}");
        }
        let shown = self.offers.len() + self.legs.len();
        keep!(
            SCREEN_IS_SEAT,
            shown == seat.work.len(),
            "{:?} {:?} on the screen, the seat has {:?}",
            self.offers,
            self.legs,
            seat.work
        );
        keep!(
            SCREEN_IS_SEAT,
            card.state == seat.state
                && card.since == seat.since
                && card.next == seat.next
                && card.queues == seat.queues
                && card.generation == seat.generation
                && card
                    .channels
                    .iter()
                    .all(|shown| shown.on == seat.on.contains(shown.channel)),
            "{card:?} is shown of {seat:?}"
        );
        Ok(())
    }
}

fn card(offer: &MyOffer) -> (OfferId, (ContactId, QueueId)) {
    let of = offer.offer;
    (of.offer, (of.contact, of.queue))
}

fn leg(leg: &MyLeg) -> (OfferId, (ContactId, QueueId, MyLegState)) {
    let of = leg.offer;
    (of.offer, (of.contact, of.queue, leg.state))
}
