//! The shape of every machine: inputs in, effects out, and a reasoned next wake-up.

use crate::access::rights::Denied;
use crate::domain::contact::{Card, ContactState, Content};
use crate::domain::event::{By, Event, OfferRef};
use crate::domain::message::{Between, ToFloor, ToQueue};
use crate::domain::offer::Outcome;
use crate::id::{AgentId, ChannelId, ContactId, Generation, OfferId, QueueId};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A pure state machine: the engine's one loop drives queue, floor and board through it.
pub trait Machine {
    /// What it is told.
    type Input;

    /// Takes one input in.
    fn apply(&mut self, now: Instant, input: Self::Input, out: &mut Outbox);

    /// After a batch of inputs: due timers, and what is cheaper done once.
    fn turn(&mut self, now: Instant, out: &mut Outbox);

    /// When it wants its next turn, and what for.
    fn next_wake(&self) -> Option<(Instant, Wake)>;
}

/// Why a machine wants to be woken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Wake {
    /// The machine has just been started.
    Opening,
    /// An offer rings out.
    OfferMissed(OfferId),
    /// An auto-accepted offer was not shown.
    OfferUnshown(OfferId),
    /// A lane's barrier ends.
    Barrier(QueueId),
    /// The grace of a lost socket ends.
    Grace(AgentId),
    /// The agent comes back from missed.
    BackFromMissed(AgentId),
    /// Staffing is told.
    Staffing,
    /// A requirement step, delay band, patience or exclusion boundary of a contact.
    Boundary(ContactId),
    /// Media was not reported.
    ConnectTimeout(ContactId),
    /// A wrap-up is over.
    WrapUp(ContactId),
}

/// Where a reply goes: a door of the gate, and the request it answers there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ReplyTo {
    /// The session or HTTP exchange.
    pub door: u64,
    /// Its request.
    pub request: u64,
}

/// What a machine wants done, in order. Events are numbered before anything is sent.
#[derive(Debug, Default)]
pub struct Outbox {
    /// The effects.
    pub effects: Vec<Effect>,
}

/// One thing a machine wants done.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Into the log.
    Event {
        /// What happened.
        event: Event,
        /// Who made it happen.
        by: By,
        /// What people said.
        content: Option<Box<Content>>,
    },
    /// To the floor, at once.
    ToFloor(Between<ToFloor>),
    /// To a queue, at once.
    ToQueue(Between<ToQueue>),
    /// To an agent's `me`, at once, at the position of the event before it. Never two of one
    /// agent for one event.
    Me(AgentId, Me),
    /// To whoever asked, when durable.
    Reply(ReplyTo, Result<Answer, Refusal>),
}

impl Outbox {
    /// Records an event made by a rule or a timer.
    pub fn event(&mut self, event: Event) {
        self.event_by(By::Engine, event, None);
    }

    /// Records an event with its maker and content.
    pub fn event_by(&mut self, by: By, event: Event, content: Option<Box<Content>>) {
        self.effects.push(Effect::Event { event, by, content });
    }

    /// Answers a request, if anybody asked.
    pub fn reply(&mut self, to: Option<ReplyTo>, result: Result<Answer, Refusal>) {
        if let Some(to) = to {
            self.effects.push(Effect::Reply(to, result));
        }
    }

    /// Says something to the floor.
    pub fn to_floor(&mut self, message: Between<ToFloor>) {
        self.effects.push(Effect::ToFloor(message));
    }

    /// Says something to a queue.
    pub fn to_queue(&mut self, message: Between<ToQueue>) {
        self.effects.push(Effect::ToQueue(message));
    }

    /// Says something to an agent.
    pub fn me(&mut self, agent: AgentId, me: Me) {
        self.effects.push(Effect::Me(agent, me));
    }
}

/// What the floor says to an agent.
#[derive(Clone, Debug)]
pub enum Me {
    /// A contact is offered.
    Offer(MyOffer),
    /// An offer ended other than by a leg.
    OfferEnded {
        /// The offer.
        offer: OfferRef,
        /// How.
        outcome: Outcome,
    },
    /// The accept was taken; the leg is being connected.
    Connecting(MyLeg),
    /// The leg is connected.
    Connected(MyLeg),
    /// The leg is in wrap-up.
    WrapUp(MyLeg),
    /// The leg is over.
    Ended(MyLeg),
    /// The agent's own state changed.
    State(AgentCard),
    /// Channels were switched.
    Channels(AgentCard),
    /// Queues were chosen.
    Queues(AgentCard),
    /// The agent is signed out.
    SignedOut(AgentCard),
    /// The connection was lost and is back.
    Resumed(AgentCard),
}

/// An offer as its agent sees it.
#[derive(Clone, Debug)]
pub struct MyOffer {
    /// What is offered.
    pub offer: OfferRef,
    /// It ends by then.
    pub deadline: Instant,
    /// The server accepts when the page has shown it.
    pub auto_accept: bool,
    /// The agent may decline.
    pub may_decline: bool,
    /// What is known of the contact.
    pub card: Arc<Card>,
}

/// Where a leg of the agent stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MyLegState {
    /// Accepted, not yet connected.
    Connecting,
    /// In conversation.
    Connected,
    /// In wrap-up until then.
    WrapUp {
        /// When it ends by itself.
        until: Instant,
    },
    /// Over.
    Ended,
}

/// A leg as its agent sees it.
#[derive(Clone, Debug)]
pub struct MyLeg {
    /// The offer it came from, with contact and queue.
    pub offer: OfferRef,
    /// Where it stands.
    pub state: MyLegState,
    /// Since when.
    pub since: Instant,
}

/// An agent's own facts.
#[derive(Clone, PartialEq, Debug)]
pub struct AgentCard {
    /// The agent.
    pub agent: AgentId,
    /// State as set.
    pub state: crate::domain::offer::AgentState,
    /// Since when.
    pub since: Instant,
    /// A pending wish.
    pub next: Option<crate::domain::event::NextState>,
    /// The socket is there.
    pub connected: bool,
    /// Of the current sign-in.
    pub generation: Generation,
    /// Channels: on, contacts carried, most at once, room for one more.
    pub channels: Vec<ChannelCard>,
    /// Queues served.
    pub queues: Vec<QueueId>,
}

/// One channel of an agent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChannelCard {
    /// The channel.
    pub channel: ChannelId,
    /// Switched on.
    pub on: bool,
    /// Contacts carried.
    pub load: u32,
    /// Most at once.
    pub max: u32,
    /// Derived state.
    pub state: ChannelState,
}

/// Derived state of an agent's channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChannelState {
    /// Not switched on.
    Off,
    /// Nothing there, takes work.
    Ready,
    /// An offer is open.
    Offered,
    /// Working, can take more.
    Active,
    /// Full.
    Busy,
    /// Interrupted by another channel.
    Interrupted,
    /// In wrap-up alone.
    WrapUp,
}

/// A command's answer.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A contact was submitted, now or before.
    Submitted {
        /// The contact.
        contact: ContactId,
        /// The external id it was submitted under.
        external_id: Arc<str>,
        /// Its channel.
        channel: ChannelId,
        /// Its queue.
        queue: QueueId,
        /// Joins contacts of one matter.
        conversation: ContactId,
        /// When it first entered a queue.
        first_entry: Instant,
        /// It was submitted before.
        repeated: bool,
    },
    /// Something was done to a contact.
    Contact(ContactId),
    /// An offer was accepted.
    Accepted {
        /// The contact.
        contact: ContactId,
        /// The offer.
        offer: OfferId,
        /// `Connecting` or `Active`.
        state: ContactState,
    },
    /// Something was done to an offer.
    Offer(OfferId),
    /// An agent signed in.
    SignedIn(Box<SignedIn>),
    /// Something was done to an agent.
    Agent(Box<AgentCard>),
    /// New contacts are not taken any more, or again.
    Draining(bool),
    /// A connector's report was taken.
    Reported(crate::id::CommandId),
}

/// What an agent who signed in has in hand.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Own facts.
    pub agent: AgentCard,
    /// Open offers.
    pub offers: Vec<MyOffer>,
    /// Legs.
    pub legs: Vec<MyLeg>,
    /// What was taken away while the agent was not there.
    pub taken: Vec<Taken>,
}

/// A contact that was taken from an agent who was not there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Taken {
    /// The contact.
    pub contact: ContactId,
    /// The queue it went back to.
    pub queue: QueueId,
}

/// A command was refused: the client's to mend, and nothing has changed.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Refusal {
    /// Not allowed, or not there as far as the caller may know.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// No such thing.
    #[error("{what} {id} does not exist")]
    NotFound {
        /// Kind of thing.
        what: &'static str,
        /// As the caller named it.
        id: String,
    },
    /// The offer has ended.
    #[error("offer {0} has ended")]
    OfferExpired(OfferId),
    /// The customer is gone.
    #[error("contact {0} is gone")]
    ContactGone(ContactId),
    /// Another was first.
    #[error("contact {contact} was taken by somebody else")]
    AlreadyTaken {
        /// The contact.
        contact: ContactId,
        /// The winner still connects and may fail.
        retry: bool,
    },
    /// The state does not allow it.
    #[error("{0}")]
    InvalidState(String),
    /// The sender's sign-in was taken over.
    #[error("another session of this agent has taken over")]
    Superseded,
    /// Another socket of this agent is signed in.
    #[error("agent {0} is signed in elsewhere; sign in with take_over to move here")]
    SignedInElsewhere(String),
    /// The queue does not serve the channel.
    #[error("queue {queue} does not serve {channel}")]
    NotServed {
        /// The queue.
        queue: String,
        /// The channel.
        channel: String,
    },
    /// The actor that would answer is out of service.
    #[error("this part of the service is out of service")]
    Unavailable,
    /// The actor failed while it did this.
    #[error("the request failed inside the server and was not carried out")]
    Internal,
}
