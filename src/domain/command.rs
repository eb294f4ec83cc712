//! Commands: what people and connectors ask of queues and floor. They may be refused.

use crate::access::principal::Principal;
use crate::domain::capacity::ChannelSet;
use crate::domain::contact::{Content, Facts};
use crate::domain::event::By;
use crate::domain::machine::ReplyTo;
use crate::domain::offer::AgentState;
use crate::domain::requirement::Requirement;
use crate::id::{AgentId, CommandId, ContactId, Generation, OfferId, QueueId};
use std::sync::Arc;

/// Who asks, and where the answer goes.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The principal, as the gate attached it: no right in it is older than a second.
    pub principal: Arc<Principal>,
    /// The sign-in the socket speaks for; commands of an older one are refused.
    pub generation: Option<Generation>,
    /// Where the answer goes.
    pub reply: Option<ReplyTo>,
}

impl Asked {
    /// The maker of the events that follow.
    #[must_use]
    pub fn by(&self) -> By {
        By::User {
            user: self.principal.user(),
            behalf: None,
        }
    }
}

/// A command to the queue that has the contact.
#[derive(Clone, Debug)]
pub enum QueueCommand {
    /// Take a new contact in. `facts.first_entry` is set by the queue.
    Submit {
        /// Routing facts.
        facts: Box<Facts>,
        /// Customer and attributes.
        content: Box<Content>,
    },
    /// The customer left.
    Abandon(ContactId),
    /// End the contact for everybody.
    End(ContactId),
    /// Put an active contact back in line.
    Requeue(ContactId),
    /// Set priority points or tier.
    Prioritise {
        /// The contact.
        contact: ContactId,
        /// Own priority points.
        priority: Option<i32>,
        /// Strict class.
        tier: Option<u8>,
    },
    /// Change attributes (absent value: remove) or the contact's own requirement.
    Update {
        /// The contact.
        contact: ContactId,
        /// Attributes to set or remove.
        attributes: Vec<(String, Option<String>)>,
        /// The contact's own requirement; absent leaves it.
        requirement: Option<Requirement>,
    },
    /// Codes and a note of the caller's own leg.
    WrapUp {
        /// The contact.
        contact: ContactId,
        /// Codes; absent leaves those given.
        codes: Option<Vec<String>>,
        /// A note.
        note: Option<String>,
        /// Wrap-up is finished.
        done: bool,
    },
    /// End an agent's wrap-ups: all of this contact's.
    EndWrapUp {
        /// The contact.
        contact: ContactId,
        /// Whose.
        agent: AgentId,
    },
    /// A connector's word on a command. `contact` is the command's.
    Report {
        /// The contact.
        contact: ContactId,
        /// The command.
        command: CommandId,
        /// How it went.
        report: Report,
    },
}

impl QueueCommand {
    /// The contact it is about.
    #[must_use]
    pub fn contact(&self) -> ContactId {
        match self {
            Self::Submit { facts, .. } => facts.id,
            Self::Abandon(contact) | Self::End(contact) | Self::Requeue(contact) => *contact,
            Self::Prioritise { contact, .. }
            | Self::Update { contact, .. }
            | Self::WrapUp { contact, .. }
            | Self::EndWrapUp { contact, .. }
            | Self::Report { contact, .. } => *contact,
        }
    }
}

/// What a connector says of a media command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Report {
    /// The agent hears the customer.
    Connected,
    /// Carried out.
    Done,
    /// Could not be carried out.
    Failed,
}

/// When a state is to apply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// At once: no new offers, work goes on.
    Now,
    /// When the last work ends.
    AfterWork,
}

/// A command to the floor.
#[derive(Clone, Debug)]
pub enum FloorCommand {
    /// Open or take over the caller's seat.
    SignIn {
        /// Take a running session of the same agent over.
        take_over: bool,
        /// Channels on; all that may be handled when absent.
        channels: Option<ChannelSet>,
        /// Queues served; all memberships when absent.
        queues: Option<Vec<QueueId>>,
    },
    /// Come back to a seat of which too much was missed: what is in hand, anew.
    Return,
    /// Take no new contacts any more, or take them again.
    Drain(bool),
    /// Close a seat.
    SignOut {
        /// Whose; the caller's when absent.
        agent: Option<AgentId>,
        /// When.
        when: When,
        /// What happens to work; the workspace's rule when absent.
        work: Option<crate::domain::rules::SignOutWork>,
    },
    /// Set a state.
    SetState {
        /// Whose; the caller's when absent.
        agent: Option<AgentId>,
        /// `Available` or `NotReady`.
        state: AgentState,
        /// When.
        when: When,
    },
    /// Switch channels.
    SetChannels {
        /// Whose; the caller's when absent.
        agent: Option<AgentId>,
        /// To switch on and off.
        on: ChannelSet,
        /// To switch off.
        off: ChannelSet,
    },
    /// Choose queues.
    SetQueues {
        /// Whose; the caller's when absent.
        agent: Option<AgentId>,
        /// Those to serve.
        queues: Vec<QueueId>,
    },
    /// Take an offer.
    Accept(OfferId),
    /// Refuse an offer.
    Decline {
        /// The offer.
        offer: OfferId,
        /// Why, for people.
        reason: Option<String>,
    },
    /// The page shows the offer.
    Shown(OfferId),
}

/// What the queue machine is told.
#[derive(Clone, Debug)]
pub enum QueueInput {
    /// Somebody asks.
    Command(Asked, QueueCommand),
    /// The floor says.
    Floor(crate::domain::message::Between<crate::domain::message::ToQueue>),
    /// The rules of the workspace were changed.
    Rules(Arc<crate::domain::rules::Workspace>),
}

/// What the floor machine is told.
#[derive(Clone, Debug)]
pub enum FloorInput {
    /// Somebody asks.
    Command(Asked, FloorCommand),
    /// A queue says.
    Queue(crate::domain::message::Between<crate::domain::message::ToFloor>),
    /// The agent's sign-in is durable and its reply with the snapshot of `me` is in the
    /// outbox: the agent is routable from now on.
    Present(AgentId, Generation),
    /// The agent's socket is gone.
    SocketLost(AgentId, Generation),
    /// The agent's socket is back.
    SocketBack(AgentId, Generation),
    /// A queue is out of service: its barrier ends.
    QueueDown(QueueId),
    /// The rules of the workspace were changed.
    Rules(Arc<crate::domain::rules::Workspace>),
}
