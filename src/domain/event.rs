//! Every transition of a floor, in the past tense. The log, statistics, streams, history and
//! restart are folds of these.

use crate::domain::capacity::ChannelSet;
use crate::domain::contact::{Closed, Content, Facts, Leg, LegEnd, Requeued, Returned};
use crate::domain::offer::{AgentState, Outcome};
use crate::domain::requirement::Requirement;
use crate::id::{
    AgentId, ChannelId, CommandId, ContactId, Generation, OfferId, QueueId, ReservationId, Seq,
    UserId,
};
use crate::time::{Instant, Span};
use serde::{Deserialize, Serialize};

/// An event with its position.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Position in the floor's log.
    pub seq: Seq,
    /// When it happened.
    pub at: Instant,
    /// Who made it happen.
    pub by: By,
    /// What happened.
    pub event: Event,
    /// What people said, kept apart so that it can be erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Box<Content>>,
}

/// Who made an event happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// A rule or a timer.
    Engine,
    /// A user, perhaps on behalf of another.
    User {
        /// Who acted.
        user: UserId,
        /// As whom.
        behalf: Option<UserId>,
    },
}

/// An offer with what it is about; the same in every event of the offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OfferRef {
    /// The offer.
    pub offer: OfferId,
    /// The reservation whose seat it is.
    pub reservation: ReservationId,
    /// The contact offered.
    pub contact: ContactId,
    /// The queue that offers.
    pub queue: QueueId,
    /// The contact's channel.
    pub channel: ChannelId,
    /// The agent it is offered to.
    pub agent: AgentId,
}

/// Why a contact came into a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entered {
    /// Submitted.
    New,
    /// Moved by a rule or a supervisor while it waited.
    Moved,
    /// Transferred after an answer.
    Transferred,
}

/// Why an agent is signed out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignOut {
    /// The agent's own wish.
    Own,
    /// Somebody else's.
    Forced,
    /// The connection was lost, and no work was left to come back to.
    ConnectionLost,
}

/// A wish that takes effect when the last work ends.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NextState {
    /// Be in this state.
    State(AgentState),
    /// Sign out.
    SignOut,
}

/// A transition. The queue writes `Contact…`, `Leg…` and `Media…`; the floor writes the rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A contact came into a queue. Its content is the customer and the attributes.
    ContactEntered {
        /// Routing facts.
        facts: Box<Facts>,
        /// The queue.
        queue: QueueId,
        /// Why.
        how: Entered,
        /// When it should be answered.
        due_at: Instant,
    },
    /// A contact is offered to somebody.
    ContactOffered {
        /// The contact.
        contact: ContactId,
        /// Its queue.
        queue: QueueId,
        /// The floor's promise.
        reservation: ReservationId,
        /// The seats: offer and agent.
        seats: Vec<(OfferId, AgentId)>,
    },
    /// An offer was accepted; the leg is not yet connected.
    ContactConnecting {
        /// The offer with its contact, queue and agent.
        offer: OfferRef,
        /// Media must be reported by then.
        deadline: Instant,
    },
    /// An agent's leg connected.
    LegConnected {
        /// The contact.
        contact: ContactId,
        /// Its queue.
        queue: QueueId,
        /// Its channel.
        channel: ChannelId,
        /// The leg.
        leg: Leg,
        /// Nobody had answered this contact before.
        first: bool,
        /// From first entry to now.
        waited: Span,
    },
    /// A contact is back in line after an offer; its place is kept.
    ContactRequeued {
        /// The contact.
        contact: ContactId,
        /// Its queue.
        queue: QueueId,
        /// Why.
        why: Requeued,
        /// An agent who declined, missed or did not connect, not to be offered this contact
        /// until that instant.
        excluded: Option<(AgentId, Instant)>,
    },
    /// A contact is back in line after an answer.
    ContactReturned {
        /// The contact.
        contact: ContactId,
        /// Its queue.
        queue: QueueId,
        /// Why.
        why: Returned,
        /// Own priority points from now on.
        priority: i32,
        /// When it should be answered.
        due_at: Instant,
    },
    /// Agents may be offered this contact again.
    ContactReadmitted {
        /// The contact.
        contact: ContactId,
        /// Its queue.
        queue: QueueId,
        /// Who was excluded.
        agents: Vec<AgentId>,
    },
    /// A requirement step applies.
    ContactStepped {
        /// The contact.
        contact: ContactId,
        /// Its queue.
        queue: QueueId,
        /// Index of the step in force.
        step: u16,
    },
    /// The preferred agent is no longer waited for.
    ContactReleased {
        /// The contact.
        contact: ContactId,
        /// Its queue.
        queue: QueueId,
    },
    /// Priority or tier was set.
    ContactPrioritised {
        /// The contact.
        contact: ContactId,
        /// Its queue.
        queue: QueueId,
        /// Own priority points.
        priority: i32,
        /// Strict class.
        tier: u8,
        /// When it should be answered.
        due_at: Instant,
    },
    /// Attributes (content) or the contact's own requirement were changed.
    ContactUpdated {
        /// The contact.
        contact: ContactId,
        /// Its queue.
        queue: QueueId,
        /// The contact's own requirement from now on.
        requirement: Requirement,
    },
    /// No party is left; wrap-ups are open.
    ContactEnded {
        /// The contact.
        contact: ContactId,
        /// Its queue.
        queue: QueueId,
        /// How it will be closed.
        reason: Closed,
    },
    /// A contact is over.
    ContactClosed {
        /// The contact.
        contact: ContactId,
        /// Its queue.
        queue: QueueId,
        /// Why.
        reason: Closed,
    },
    /// A leg went into wrap-up.
    LegWrapUpStarted {
        /// The leg's offer with its contact, queue and agent.
        offer: OfferRef,
        /// When it ends by itself.
        until: Instant,
        /// The slot stays taken.
        holds_capacity: bool,
        /// Time in conversation.
        talk: Span,
        /// How the conversation ended for this leg.
        how: LegEnd,
    },
    /// Wrap-up codes, and a note as content, were given.
    LegWrapUpGiven {
        /// The leg's offer with its contact, queue and agent.
        offer: OfferRef,
        /// All codes from now on.
        codes: Vec<String>,
    },
    /// A leg is over, its wrap-up included.
    LegEnded {
        /// The leg's offer with its contact, queue and agent.
        offer: OfferRef,
        /// How its last part ended.
        how: LegEnd,
        /// Time in conversation.
        talk: Span,
        /// Time in wrap-up.
        wrap_up: Span,
    },
    /// A connector is asked to connect an agent.
    MediaConnect {
        /// To be reported.
        command: CommandId,
        /// The leg's offer with its contact, queue and agent.
        offer: OfferRef,
        /// Who submitted the contact.
        connector: UserId,
        /// To be reported by then.
        deadline: Instant,
    },
    /// A connector is asked to let an agent go.
    MediaDisconnect {
        /// To be reported.
        command: CommandId,
        /// The leg's offer with its contact, queue and agent.
        offer: OfferRef,
        /// Who submitted the contact.
        connector: UserId,
    },
    /// A connector reported on a command.
    MediaReported {
        /// The command.
        command: CommandId,
        /// Its contact.
        contact: ContactId,
        /// Whether it was carried out.
        done: bool,
    },
    /// A contact was offered to an agent.
    OfferMade {
        /// The offer.
        offer: OfferRef,
        /// It ends by then.
        deadline: Instant,
        /// The server accepts when the page has shown it.
        auto_accept: bool,
        /// Why this agent.
        decision: Box<Decision>,
    },
    /// An offer was accepted; the queue is asked.
    OfferTaken {
        /// The offer.
        offer: OfferRef,
    },
    /// An offer ended.
    OfferEnded {
        /// The offer.
        offer: OfferRef,
        /// How.
        outcome: Outcome,
    },
    /// A seat's work went into wrap-up.
    SeatWrapUp {
        /// The offer it came from.
        offer: OfferRef,
        /// When it ends by itself.
        until: Instant,
        /// The slot stays taken.
        holds_capacity: bool,
    },
    /// A seat is free again.
    SeatReleased {
        /// The offer it came from.
        offer: OfferRef,
        /// The contact was taken from the agent: it went back to its line.
        #[serde(default)]
        returned: bool,
    },
    /// An agent signed in.
    AgentSignedIn {
        /// The agent.
        agent: AgentId,
        /// Of this sign-in.
        generation: Generation,
        /// Channels switched on.
        channels: ChannelSet,
        /// Queues chosen.
        queues: Vec<QueueId>,
        /// State after it.
        state: AgentState,
        /// Contacts that a newcomer is counted to have had, where the fewest decide.
        #[serde(default)]
        starts: Vec<(QueueId, u32)>,
    },
    /// An agent signed out.
    AgentSignedOut {
        /// The agent.
        agent: AgentId,
        /// Why.
        why: SignOut,
    },
    /// An agent's state or next state changed.
    AgentStateChanged {
        /// The agent.
        agent: AgentId,
        /// The state.
        state: AgentState,
        /// A pending wish.
        next: Option<NextState>,
    },
    /// An agent's channels were switched.
    AgentChannelsChanged {
        /// The agent.
        agent: AgentId,
        /// Those on.
        channels: ChannelSet,
    },
    /// An agent's queues were chosen.
    AgentQueuesChanged {
        /// The agent.
        agent: AgentId,
        /// Those served.
        queues: Vec<QueueId>,
        /// As in [`Event::AgentSignedIn`], of queues newly served.
        #[serde(default)]
        starts: Vec<(QueueId, u32)>,
    },
    /// An agent's socket was lost.
    AgentConnectionLost {
        /// The agent.
        agent: AgentId,
        /// Whose socket it was.
        generation: Generation,
    },
    /// An agent's socket is back.
    AgentResumed {
        /// The agent.
        agent: AgentId,
        /// Whose socket it is.
        generation: Generation,
    },
    /// The server started again: positions between that one and this were perhaps given out,
    /// but nothing of them is kept.
    Recovered {
        /// The last position before.
        after: Seq,
    },
    /// New contacts are not taken any more, or again.
    WorkspaceDraining {
        /// They are not.
        draining: bool,
    },
    /// An actor was restarted; what it had offered ends `withdrawn(restarted)`.
    ActorRestarted {
        /// The queue, or the floor when absent.
        queue: Option<QueueId>,
    },
}

/// Why an agent was chosen for a contact; bounded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The contact.
    pub contact: ContactId,
    /// The winner.
    pub agent: AgentId,
    /// By what the winner was chosen.
    pub by: Chosen,
    /// Others who could have had it, best first.
    pub runners_up: Vec<AgentId>,
    /// Members passed over, by reason: all without room, and of those with room the ones that
    /// were looked at.
    pub passed_over: Vec<(PassedOver, u32)>,
}

/// By what an agent was chosen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chosen {
    /// The only one who could.
    Only,
    /// The contact's preferred agent.
    Preferred,
    /// `spread` or `fill`.
    Fill,
    /// The queue's selection.
    Selection,
    /// Longest idle, then id.
    Idle,
}

/// Why a member of the queue was passed over.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassedOver {
    /// Signed out, not ready, connection lost, or not serving the queue.
    NotRoutable,
    /// The channel is off or not granted.
    ChannelOff,
    /// No room.
    Full,
    /// Does not meet the requirement in force.
    Requirement,
    /// Declined or missed this contact.
    Excluded,
    /// The membership's delay has not passed.
    Delay,
    /// Serves a waiting lane of better rank first.
    BetterRank,
    /// Another agent is named.
    Named,
    /// A contact still unknown may come first.
    Barrier,
}
