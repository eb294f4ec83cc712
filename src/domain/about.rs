//! What an event is about.

use crate::domain::event::Event;
use crate::id::{AgentId, ContactId, QueueId};

/// The contact, the queue and the agent, as far as there are any.
type About = (Option<ContactId>, Option<QueueId>, Option<AgentId>);

impl Event {
    /// The contact that it is about, or that an agent has or is offered by it.
    #[must_use]
    pub fn contact(&self) -> Option<ContactId> {
        self.about().0
    }

    /// The queue and the agent that it is about.
    #[must_use]
    pub fn places(&self) -> (Option<QueueId>, Option<AgentId>) {
        let (_, queue, agent) = self.about();
        (queue, agent)
    }

    fn about(&self) -> About {
        match self {
            Self::ContactEntered { facts, queue, .. } => (Some(facts.id), Some(*queue), None),
            Self::LegConnected {
                contact,
                queue,
                leg,
                ..
            } => (Some(*contact), Some(*queue), Some(leg.agent)),
            Self::ContactOffered { contact, queue, .. }
            | Self::ContactRequeued { contact, queue, .. }
            | Self::ContactReturned { contact, queue, .. }
            | Self::ContactReadmitted { contact, queue, .. }
            | Self::ContactStepped { contact, queue, .. }
            | Self::ContactReleased { contact, queue, .. }
            | Self::ContactPrioritised { contact, queue, .. }
            | Self::ContactUpdated { contact, queue, .. }
            | Self::ContactEnded { contact, queue, .. }
            | Self::ContactClosed { contact, queue, .. } => (Some(*contact), Some(*queue), None),
            Self::MediaReported { contact, .. } => (Some(*contact), None, None),
            Self::ContactConnecting { offer, .. }
            | Self::LegWrapUpStarted { offer, .. }
            | Self::LegWrapUpGiven { offer, .. }
            | Self::LegEnded { offer, .. }
            | Self::MediaConnect { offer, .. }
            | Self::MediaDisconnect { offer, .. }
            | Self::OfferMade { offer, .. }
            | Self::OfferTaken { offer }
            | Self::OfferEnded { offer, .. }
            | Self::SeatWrapUp { offer, .. }
            | Self::SeatReleased { offer, .. } => {
                (Some(offer.contact), Some(offer.queue), Some(offer.agent))
            }
            Self::AgentSignedIn { agent, .. }
            | Self::AgentSignedOut { agent, .. }
            | Self::AgentStateChanged { agent, .. }
            | Self::AgentChannelsChanged { agent, .. }
            | Self::AgentQueuesChanged { agent, .. }
            | Self::AgentConnectionLost { agent, .. }
            | Self::AgentResumed { agent, .. } => (None, None, Some(*agent)),
            Self::ActorRestarted { queue } => (None, *queue, None),
            Self::Recovered { .. } | Self::WorkspaceDraining { .. } => (None, None, None),
        }
    }
}
