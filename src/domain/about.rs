//! What an event is about.

use crate::domain::event::Event;
use crate::id::{AgentId, ContactId, QueueId};

impl Event {
    /// The contact that it is about, or that an agent has or is offered by it.
    #[must_use]
    pub fn contact(&self) -> Option<ContactId> {
        match self {
            Self::ContactEntered { facts, .. } => Some(facts.id),
            Self::ContactOffered { contact, .. }
            | Self::LegConnected { contact, .. }
            | Self::ContactRequeued { contact, .. }
            | Self::ContactReturned { contact, .. }
            | Self::ContactReadmitted { contact, .. }
            | Self::ContactStepped { contact, .. }
            | Self::ContactReleased { contact, .. }
            | Self::ContactPrioritised { contact, .. }
            | Self::ContactUpdated { contact, .. }
            | Self::ContactEnded { contact, .. }
            | Self::ContactClosed { contact, .. }
            | Self::MediaReported { contact, .. } => Some(*contact),
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
            | Self::SeatReleased { offer, .. } => Some(offer.contact),
            Self::AgentSignedIn { .. }
            | Self::AgentSignedOut { .. }
            | Self::AgentStateChanged { .. }
            | Self::AgentChannelsChanged { .. }
            | Self::AgentQueuesChanged { .. }
            | Self::AgentConnectionLost { .. }
            | Self::AgentResumed { .. }
            | Self::Recovered { .. }
            | Self::WorkspaceDraining { .. }
            | Self::ActorRestarted { .. } => None,
        }
    }

    /// The queue and the agent that it is about.
    #[must_use]
    pub fn places(&self) -> (Option<QueueId>, Option<AgentId>) {
        match self {
            Self::LegConnected { queue, leg, .. } => (Some(*queue), Some(leg.agent)),
            Self::ContactEntered { queue, .. }
            | Self::ContactOffered { queue, .. }
            | Self::ContactRequeued { queue, .. }
            | Self::ContactReturned { queue, .. }
            | Self::ContactReadmitted { queue, .. }
            | Self::ContactStepped { queue, .. }
            | Self::ContactReleased { queue, .. }
            | Self::ContactPrioritised { queue, .. }
            | Self::ContactUpdated { queue, .. }
            | Self::ContactEnded { queue, .. }
            | Self::ContactClosed { queue, .. } => (Some(*queue), None),
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
            | Self::SeatReleased { offer, .. } => (Some(offer.queue), Some(offer.agent)),
            Self::AgentSignedIn { agent, .. }
            | Self::AgentSignedOut { agent, .. }
            | Self::AgentStateChanged { agent, .. }
            | Self::AgentChannelsChanged { agent, .. }
            | Self::AgentQueuesChanged { agent, .. }
            | Self::AgentConnectionLost { agent, .. }
            | Self::AgentResumed { agent, .. } => (None, Some(*agent)),
            Self::ActorRestarted { queue } => (*queue, None),
            Self::MediaReported { .. }
            | Self::Recovered { .. }
            | Self::WorkspaceDraining { .. } => (None, None),
        }
    }
}
