//! What an event is about.

use crate::domain::event::Event;
use crate::id::ContactId;

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
}
