//! The ledger: a second reading of the log that shares no code with the machines. It refuses any
//! event that does not follow from those before it, and counts.

mod contacts;
mod seats;

use super::promise::{Kept, keep, promise};
use std::collections::{BTreeMap, BTreeSet};
use switchroom::domain::capacity::ChannelSet;
use switchroom::domain::contact::{Closed, Facts, LegEnd};
use switchroom::domain::event::{By, Event, NextState, OfferRef};
use switchroom::domain::offer::AgentState;
use switchroom::domain::rules::Workspace;
use switchroom::id::{
    AgentId, ChannelId, CommandId, ContactId, Generation, OfferId, QueueId, ReservationId, UserId,
};
use switchroom::time::Instant;

promise! { LIVES_ONCE: "Every contact has exactly one home, enters once, is closed once, and never stands in two states." }
promise! { ONE_NUMBER: "A number of an offer or reservation is never given out twice." }
promise! { OFFERS_ADD_UP: "Offers are those accepted, declined, missed, withdrawn, failed and open." }

/// Everything the log says, at its end.
pub struct Ledger {
    pub contacts: BTreeMap<ContactId, Contact>,
    pub closed: BTreeSet<ContactId>,
    pub offers: BTreeMap<OfferId, Offer>,
    pub agents: Vec<Agent>,
    pub queues: Vec<Counts>,
    /// Who declined, missed or failed what since it last set itself available.
    pub refused: BTreeMap<(AgentId, ContactId), Refused>,
    /// Offers that led to a leg, or to one being connected.
    pub taken_up: BTreeSet<OfferId>,
    /// Offers that were being connected when their queue went out of service: if it ever comes
    /// back, it learns only then that their seats are gone.
    pub let_down: BTreeSet<OfferId>,
    pub media: Vec<Media>,
    /// How legs ended whose seats have not heard of it.
    over: BTreeMap<OfferId, LegEnd>,
    pub outcomes: Outcomes,
    last_number: u64,
}

/// A contact that is not closed.
#[derive(Debug)]
pub struct Contact {
    pub queue: QueueId,
    pub facts: Facts,
    pub due_at: Instant,
    pub stands: Stands,
    pub step: u16,
    pub released: bool,
    pub excluded: BTreeMap<AgentId, Instant>,
    pub legs: Vec<Leg>,
    pub answered: bool,
}

/// Where the customer's side of a contact stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stands {
    Waiting,
    Offered(ReservationId, OfferId, AgentId),
    Connecting(OfferRef, Instant),
    Active,
    WrapUp(Closed),
}

/// An agent's part in a contact, as its queue says.
#[derive(Debug)]
pub struct Leg {
    pub offer: OfferId,
    pub reservation: ReservationId,
    pub agent: AgentId,
    pub connected_at: Instant,
    /// Since when, until when, and whether it holds the slot.
    pub wrap_up: Option<(Instant, Instant, bool)>,
}

/// An offer that is open, or whose leg is, as the floor says.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    pub offer: OfferRef,
    pub made_at: Instant,
    pub deadline: Instant,
    pub auto_accept: bool,
    pub phase: Phase,
    /// The rules the floor went by.
    pub rules: usize,
}

/// Where an offer stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    Ringing,
    Taken,
    Engaged,
    /// With the slot held, or not.
    WrapUp(bool),
}

/// A decline, a miss or a failure.
#[derive(Clone, Copy, Debug)]
pub struct Refused {
    /// Until then the agent stays away.
    pub until: Instant,
    /// The queue may have died of hearing of it, or of its end.
    pub doubtful: bool,
    /// The queue found that the leg does not connect.
    pub by_queue: bool,
}

/// An agent.
#[derive(Clone, Debug)]
pub struct Agent {
    pub state: AgentState,
    pub since: Instant,
    pub next: Option<NextState>,
    pub generation: Generation,
    pub lost: Option<Instant>,
    /// When the latest page of the agent came.
    pub came: Instant,
    pub on: ChannelSet,
    pub queues: Vec<QueueId>,
    /// Offers open, legs included.
    pub hands: Vec<(OfferId, ChannelId)>,
    /// Since the last leg ended, or the seat was taken; means nothing while there is work.
    pub idle_since: Instant,
    /// Contacts that were taken away while the agent was lost.
    pub taken: Vec<ContactId>,
    /// The sign-in that is in the agent's hands: known to the world, not from the log.
    pub present: Option<Generation>,
}

/// A command that a connector was given.
#[derive(Clone, Copy, Debug)]
pub struct Media {
    pub command: CommandId,
    pub connector: UserId,
}

/// What came into a queue's line and what left it.
#[derive(Clone, Copy, Default, Debug)]
pub struct Counts {
    pub entered: u64,
    pub returned: u64,
    pub answered: u64,
    pub abandoned: u64,
    pub cancelled: u64,
}

/// How offers ended.
#[derive(Clone, Copy, Default, Debug)]
pub struct Outcomes {
    pub made: u64,
    pub accepted: u64,
    pub declined: u64,
    pub missed: u64,
    pub withdrawn: u64,
    pub failed: u64,
}

impl Ledger {
    pub fn new(rules: &Workspace) -> Self {
        let agent = Agent {
            state: AgentState::SignedOut,
            since: Instant(0),
            next: None,
            generation: Generation(0),
            lost: None,
            came: Instant(0),
            on: ChannelSet::EMPTY,
            queues: Vec::new(),
            hands: Vec::new(),
            idle_since: Instant(0),
            taken: Vec::new(),
            present: None,
        };
        Self {
            contacts: BTreeMap::new(),
            closed: BTreeSet::new(),
            offers: BTreeMap::new(),
            agents: vec![agent; rules.agents.len()],
            queues: vec![Counts::default(); rules.queues.len()],
            refused: BTreeMap::new(),
            taken_up: BTreeSet::new(),
            let_down: BTreeSet::new(),
            media: Vec::new(),
            over: BTreeMap::new(),
            outcomes: Outcomes::default(),
            last_number: 0,
        }
    }

    /// Takes an event in. `rules` are those its actor went by, `version` is their number.
    pub fn read(
        &mut self,
        at: Instant,
        by: By,
        event: &Event,
        rules: &Workspace,
        version: usize,
    ) -> Kept {
        match event {
            Event::ContactEntered { .. }
            | Event::ContactOffered { .. }
            | Event::ContactConnecting { .. }
            | Event::LegConnected { .. }
            | Event::ContactRequeued { .. }
            | Event::ContactReturned { .. }
            | Event::ContactReadmitted { .. }
            | Event::ContactStepped { .. }
            | Event::ContactReleased { .. }
            | Event::ContactPrioritised { .. }
            | Event::ContactUpdated { .. }
            | Event::ContactEnded { .. }
            | Event::ContactClosed { .. }
            | Event::LegWrapUpStarted { .. }
            | Event::LegWrapUpGiven { .. }
            | Event::LegEnded { .. }
            | Event::MediaConnect { .. }
            | Event::MediaDisconnect { .. }
            | Event::MediaReported { .. } => self.read_queue(at, event, rules),
            Event::OfferMade { .. }
            | Event::OfferTaken { .. }
            | Event::OfferEnded { .. }
            | Event::SeatWrapUp { .. }
            | Event::SeatReleased { .. } => self.read_offer(at, event, rules, version),
            Event::AgentSignedIn { .. }
            | Event::AgentSignedOut { .. }
            | Event::AgentStateChanged { .. }
            | Event::AgentChannelsChanged { .. }
            | Event::AgentQueuesChanged { .. }
            | Event::AgentConnectionLost { .. }
            | Event::AgentResumed { .. } => {
                self.read_agent(at, by, event);
                Ok(())
            }
            Event::Recovered { .. }
            | Event::WorkspaceDraining { .. }
            | Event::ActorRestarted { .. } => Ok(()),
        }
    }

    /// Whether a queue knows of a decline, or of its end, is not certain any more.
    pub fn doubt(&mut self, of: impl Fn(AgentId, ContactId) -> bool) {
        for ((agent, contact), refused) in &mut self.refused {
            refused.doubtful |= of(*agent, *contact);
        }
        for held in self.contacts.values() {
            for (agent, until) in &held.excluded {
                let key = (*agent, held.facts.id);
                if of(key.0, key.1) {
                    let refused = Refused {
                        until: *until,
                        doubtful: true,
                        by_queue: false,
                    };
                    self.refused.entry(key).or_insert(refused);
                }
            }
        }
    }

    /// The open offer of a contact, its leg included.
    pub fn offer_of(&self, contact: ContactId) -> Option<&Offer> {
        self.offers
            .values()
            .find(|offer| offer.offer.contact == contact)
    }

    /// Offers are those accepted, declined, missed, withdrawn, failed and open.
    pub fn offers_add_up(&self) -> Kept {
        let ended = self.outcomes;
        let open = self.offers.values();
        let open = open.filter(|o| matches!(o.phase, Phase::Ringing | Phase::Taken));
        let sum = ended.accepted + ended.declined + ended.missed + ended.withdrawn + ended.failed;
        keep!(
            OFFERS_ADD_UP,
            ended.made == sum + open.count() as u64,
            "{ended:?}"
        );
        Ok(())
    }

    fn fresh_number(&mut self, number: u64) -> Kept {
        keep!(
            ONE_NUMBER,
            number > self.last_number,
            "number {number} after {}",
            self.last_number
        );
        self.last_number = number;
        Ok(())
    }
}

impl Contact {
    /// In line, or on its way out of it: counted as waiting now.
    pub fn in_line(&self) -> bool {
        match self.stands {
            Stands::Waiting | Stands::Offered(..) | Stands::Connecting(..) => true,
            Stands::Active | Stands::WrapUp(_) => false,
        }
    }

    /// Somebody talks to the customer.
    pub fn connected(&self) -> bool {
        self.legs.iter().any(|leg| leg.wrap_up.is_none())
    }
}
