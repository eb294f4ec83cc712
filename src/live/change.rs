//! What one record of the log did to one row: the row before and after, and what of it is new.
//! Live events, replays and tables are all made of these.

use crate::domain::contact::{Closed, LegEnd, Requeued, Returned};
use crate::domain::event::{By, Event, Record, SignOut};
use crate::domain::offer::Outcome;
use crate::id::{AgentId, OfferId, Seq};
use crate::live::agent::AgentRow;
use crate::live::contact::ContactRow;
use crate::time::Instant;
use std::sync::Arc;

/// A row's step from one position to the next.
#[derive(Clone, Debug)]
pub struct Change {
    /// Position of the record.
    pub seq: Seq,
    /// When it happened.
    pub at: Instant,
    /// Who made it happen.
    pub by: By,
    /// What happened.
    pub name: Name,
    /// What it is about, beside the row.
    pub about: About,
    /// The row.
    pub row: Step,
}

/// The row of a change, before and after.
#[derive(Clone, Debug)]
pub enum Step {
    /// A contact's. Without one before, the contact is new.
    Contact {
        /// Before.
        before: Option<Arc<ContactRow>>,
        /// After.
        after: Arc<ContactRow>,
        /// What is new.
        fields: Fields,
    },
    /// An agent's.
    Agent {
        /// Before.
        before: Arc<AgentRow>,
        /// After.
        after: Arc<AgentRow>,
    },
}

/// What an event is about, beside the object it happened to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct About {
    /// The offer.
    pub offer: Option<OfferId>,
    /// The agent.
    pub agent: Option<AgentId>,
    /// Why.
    pub why: Option<Why>,
}

/// Why something happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// Back in line after an offer.
    Requeued(Requeued),
    /// Back in line after an answer.
    Returned(Returned),
    /// A contact is over, or will be.
    Closed(Closed),
    /// A leg's part ended.
    Leg(LegEnd),
    /// An offer ended.
    Offer(Outcome),
    /// An agent signed out.
    SignOut(SignOut),
}

macro_rules! names {
    ($( $(#[$doc:meta])* $name:ident = $word:literal, )*) => {
        /// Name of an event in a lossless view: a noun and what happened to it. Closed.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Name { $( $(#[$doc])* $name, )* }

        impl Name {
            /// Every name.
            pub const ALL: &[Self] = &[ $( Self::$name, )* ];

            /// The word on the wire.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $( Self::$name => $word, )* }
            }
        }
    };
}

names! {
    /// A contact came into a queue.
    ContactEntered = "contact.entered",
    /// A contact is offered to somebody.
    ContactOffered = "contact.offered",
    /// An offer of the contact was accepted; the leg is being connected.
    ContactConnecting = "contact.connecting",
    /// A contact is back in line after an offer; its place is kept.
    ContactRequeued = "contact.requeued",
    /// A contact is back in line after an answer.
    ContactReturned = "contact.returned",
    /// Agents may be offered the contact again.
    ContactReadmitted = "contact.readmitted",
    /// A requirement step applies.
    ContactStepped = "contact.stepped",
    /// The preferred agent is no longer waited for.
    ContactReleased = "contact.released",
    /// Priority or tier of a contact was set.
    ContactPrioritised = "contact.prioritised",
    /// Attributes or requirement of a contact were changed.
    ContactUpdated = "contact.updated",
    /// Nobody is left in a contact; some wrap-up is open.
    ContactEnded = "contact.ended",
    /// A contact is over.
    ContactClosed = "contact.closed",
    /// An offer was accepted; the leg is being connected.
    LegConnecting = "leg.connecting",
    /// An agent's leg is connected.
    LegConnected = "leg.connected",
    /// The conversation of a leg is over; its wrap-up runs.
    LegWrapUp = "leg.wrap_up",
    /// Wrap-up codes were given.
    LegWrapUpGiven = "leg.wrap_up_given",
    /// A leg is over, its wrap-up included.
    LegEnded = "leg.ended",
    /// A contact was offered to the agent.
    OfferMade = "offer.made",
    /// The offer was taken back.
    OfferWithdrawn = "offer.withdrawn",
    /// The agent did not answer the offer in time.
    OfferMissed = "offer.missed",
    /// The agent declined the offer.
    OfferDeclined = "offer.declined",
    /// The page did not show the offer, or the leg did not connect.
    OfferFailed = "offer.failed",
    /// An agent signed in.
    AgentSignedIn = "agent.signed_in",
    /// An agent signed out or was signed out.
    AgentSignedOut = "agent.signed_out",
    /// An agent's state or next state changed.
    AgentStateChanged = "agent.state_changed",
    /// An agent's channels were switched.
    AgentChannelsChanged = "agent.channels_changed",
    /// An agent's queues were chosen.
    AgentQueuesChanged = "agent.queues_changed",
    /// An agent's socket was lost.
    AgentConnectionLost = "agent.connection_lost",
    /// An agent's socket is back.
    AgentResumed = "agent.resumed",
}

/// A set of a contact's fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Fields(u16);

impl Fields {
    /// No field.
    pub const NONE: Self = Self(0);
    /// `state`, `since`.
    pub const STATE: Self = Self(1);
    /// `queue`.
    pub const QUEUE: Self = Self(1 << 1);
    /// `due_at`.
    pub const DUE_AT: Self = Self(1 << 2);
    /// `priority`.
    pub const PRIORITY: Self = Self(1 << 3);
    /// `tier`.
    pub const TIER: Self = Self(1 << 4);
    /// `customer`, `attributes`.
    pub const CONTENT: Self = Self(1 << 5);
    /// `agents`: those with an open offer or leg.
    pub const AGENTS: Self = Self(1 << 6);
    /// `legs`.
    pub const LEGS: Self = Self(1 << 7);
    /// `reason`.
    pub const REASON: Self = Self(1 << 8);
    /// `position`, `ewt`.
    pub const POSITION: Self = Self(1 << 9);

    /// Whether a field is in the set.
    #[must_use]
    pub const fn has(self, field: Self) -> bool {
        self.0 & field.0 != 0
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    fn add(&mut self, field: Self, differs: bool) {
        if differs {
            *self = self.with(field);
        }
    }

    /// What two rows of a contact differ in.
    #[must_use]
    pub fn between(before: &ContactRow, after: &ContactRow) -> Self {
        let mut fields = Self::NONE;
        let state = before.state != after.state || before.since != after.since;
        fields.add(Self::STATE, state);
        fields.add(Self::QUEUE, before.queue != after.queue);
        fields.add(Self::DUE_AT, before.due_at != after.due_at);
        fields.add(Self::PRIORITY, before.priority != after.priority);
        fields.add(Self::TIER, before.tier != after.tier);
        let content = Arc::ptr_eq(&before.content, &after.content);
        fields.add(Self::CONTENT, !content);
        let closes = before.is_live() != after.is_live() && !after.legs.is_empty();
        let legs = before.legs != after.legs || closes;
        fields.add(Self::LEGS, legs);
        fields.add(Self::AGENTS, legs || before.offers != after.offers);
        fields.add(Self::REASON, before.over() != after.over());
        let moved = before.in_line() != after.in_line() || before.urgency() != after.urgency();
        fields.add(Self::POSITION, moved);
        fields
    }
}

impl Change {
    /// A record's change of a contact; `None` where the record is not about one.
    #[must_use]
    pub fn of_contact(
        record: &Record,
        before: Option<Arc<ContactRow>>,
        after: Arc<ContactRow>,
    ) -> Option<Self> {
        let (name, about) = contact_event(&record.event)?;
        let fields = before
            .as_ref()
            .map_or(Fields::NONE, |before| Fields::between(before, &after));
        let row = Step::Contact {
            before,
            after,
            fields,
        };
        Some(Self::of(record, name, about, row))
    }

    /// A record's change of an agent; `None` where the record is not about one.
    #[must_use]
    pub fn of_agent(record: &Record, before: Arc<AgentRow>, after: Arc<AgentRow>) -> Option<Self> {
        let (name, about) = agent_event(&record.event)?;
        Some(Self::of(record, name, about, Step::Agent { before, after }))
    }

    fn of(record: &Record, name: Name, about: About, row: Step) -> Self {
        Self {
            seq: record.seq,
            at: record.at,
            by: record.by,
            name,
            about,
            row,
        }
    }
}

/// Name and further facts of an event of a contact: those that queues write.
fn contact_event(event: &Event) -> Option<(Name, About)> {
    let nothing = About::default();
    let why = |why| About {
        why: Some(why),
        ..nothing
    };
    let leg = |offer: &crate::domain::event::OfferRef| About {
        offer: Some(offer.offer),
        agent: Some(offer.agent),
        why: None,
    };
    Some(match event {
        Event::ContactEntered { .. } => (Name::ContactEntered, nothing),
        Event::ContactOffered { seats, .. } => {
            let only = seats.first().filter(|_| seats.len() == 1);
            let about = About {
                offer: only.map(|(offer, _)| *offer),
                agent: only.map(|(_, agent)| *agent),
                why: None,
            };
            (Name::ContactOffered, about)
        }
        Event::ContactConnecting { offer, .. } => (Name::ContactConnecting, leg(offer)),
        Event::LegConnected { leg, .. } => {
            let about = About {
                offer: Some(leg.offer),
                agent: Some(leg.agent),
                why: None,
            };
            (Name::LegConnected, about)
        }
        Event::ContactRequeued {
            why: requeued,
            excluded,
            ..
        } => {
            let about = About {
                agent: excluded.map(|(agent, _)| agent),
                ..why(Why::Requeued(*requeued))
            };
            (Name::ContactRequeued, about)
        }
        Event::ContactReturned { why: back, .. } => {
            (Name::ContactReturned, why(Why::Returned(*back)))
        }
        Event::ContactReadmitted { .. } => (Name::ContactReadmitted, nothing),
        Event::ContactStepped { .. } => (Name::ContactStepped, nothing),
        Event::ContactReleased { .. } => (Name::ContactReleased, nothing),
        Event::ContactPrioritised { .. } => (Name::ContactPrioritised, nothing),
        Event::ContactUpdated { .. } => (Name::ContactUpdated, nothing),
        Event::ContactEnded { reason, .. } => (Name::ContactEnded, why(Why::Closed(*reason))),
        Event::ContactClosed { reason, .. } => (Name::ContactClosed, why(Why::Closed(*reason))),
        Event::LegWrapUpStarted { offer, how, .. } => {
            let about = About {
                why: Some(Why::Leg(*how)),
                ..leg(offer)
            };
            (Name::LegWrapUp, about)
        }
        Event::LegWrapUpGiven { offer, .. } => (Name::LegWrapUpGiven, leg(offer)),
        Event::LegEnded { offer, how, .. } => {
            let about = About {
                why: Some(Why::Leg(*how)),
                ..leg(offer)
            };
            (Name::LegEnded, about)
        }
        Event::MediaConnect { .. }
        | Event::MediaDisconnect { .. }
        | Event::MediaReported { .. }
        | Event::OfferMade { .. }
        | Event::OfferTaken { .. }
        | Event::OfferEnded { .. }
        | Event::SeatWrapUp { .. }
        | Event::SeatReleased { .. }
        | Event::AgentSignedIn { .. }
        | Event::AgentSignedOut { .. }
        | Event::AgentStateChanged { .. }
        | Event::AgentChannelsChanged { .. }
        | Event::AgentQueuesChanged { .. }
        | Event::AgentConnectionLost { .. }
        | Event::AgentResumed { .. }
        | Event::Recovered { .. }
        | Event::WorkspaceDraining { .. }
        | Event::ActorRestarted { .. } => return None,
    })
}

/// Name and further facts of an event of an agent: those that the floor writes.
fn agent_event(event: &Event) -> Option<(Name, About)> {
    let of = |offer: &crate::domain::event::OfferRef, why| About {
        offer: Some(offer.offer),
        agent: Some(offer.agent),
        why,
    };
    let nothing = About::default();
    Some(match event {
        Event::OfferMade { offer, .. } => (Name::OfferMade, of(offer, None)),
        Event::OfferTaken { offer } => (Name::LegConnecting, of(offer, None)),
        Event::OfferEnded { offer, outcome } => {
            let name = match outcome {
                Outcome::Accepted => Name::LegConnected,
                Outcome::Declined => Name::OfferDeclined,
                Outcome::Missed => Name::OfferMissed,
                Outcome::Withdrawn(_) => Name::OfferWithdrawn,
                Outcome::Failed => Name::OfferFailed,
            };
            (name, of(offer, Some(Why::Offer(*outcome))))
        }
        Event::SeatWrapUp { offer, .. } => (Name::LegWrapUp, of(offer, None)),
        Event::SeatReleased { offer, .. } => (Name::LegEnded, of(offer, None)),
        Event::AgentSignedIn { .. } => (Name::AgentSignedIn, nothing),
        Event::AgentSignedOut { why, .. } => {
            let about = About {
                why: Some(Why::SignOut(*why)),
                ..nothing
            };
            (Name::AgentSignedOut, about)
        }
        Event::AgentStateChanged { .. } => (Name::AgentStateChanged, nothing),
        Event::AgentChannelsChanged { .. } => (Name::AgentChannelsChanged, nothing),
        Event::AgentQueuesChanged { .. } => (Name::AgentQueuesChanged, nothing),
        Event::AgentConnectionLost { .. } => (Name::AgentConnectionLost, nothing),
        Event::AgentResumed { .. } => (Name::AgentResumed, nothing),
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
        | Event::MediaReported { .. }
        | Event::Recovered { .. }
        | Event::WorkspaceDraining { .. }
        | Event::ActorRestarted { .. } => return None,
    })
}
