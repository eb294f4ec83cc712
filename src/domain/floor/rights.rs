//! Permits for commands on agents and offers, on the facts of the moment.

use super::Floor;
use crate::access::act;
use crate::access::facts::{AgentFacts, ContactFacts, Facts};
use crate::access::permit::{Act, permit};
use crate::domain::capacity::ChannelSet;
use crate::domain::command::Asked;
use crate::domain::event::OfferRef;
use crate::domain::machine::Refusal;
use crate::domain::queue::hidden;
use crate::id::AgentId;

impl Floor {
    /// A permit on an agent. Whom the caller may not see is not there.
    pub(super) fn permit<A: Act>(&self, asked: &Asked, agent: AgentId) -> Result<(), Refusal> {
        let rules = self.rules.agent(agent);
        let queues = self
            .roster
            .seat(agent)
            .map_or(&[][..], |seat| seat.queues.as_slice());
        let facts = Facts::Agent(AgentFacts {
            agent,
            teams: rules.map_or(&[], |rules| rules.teams.as_slice()),
            queues,
        });
        permit::<A>(&asked.principal, &facts)
            .map(|_| ())
            .map_err(|denied| hidden(denied, "agent", self.name(agent).to_owned()))
    }

    /// Channels an agent may sign in with: those asked for must all be granted.
    pub(super) fn permit_sign_in(
        &self,
        asked: &Asked,
        agent: AgentId,
        channels: Option<ChannelSet>,
    ) -> Result<ChannelSet, Refusal> {
        self.permit::<act::AgentSignIn>(asked, agent)?;
        let able = self.rules.agent(agent).map_or(0, |rules| rules.channels.0);
        let mut granted = ChannelSet::default();
        for channel in ChannelSet(able).iter() {
            if asked.principal.may_handle(channel) {
                granted.insert(channel);
            }
        }
        self.handles(agent, channels.unwrap_or_default(), granted)?;
        Ok(granted)
    }

    /// Refuses channels that an agent is not granted.
    pub(super) fn handles(
        &self,
        agent: AgentId,
        channels: ChannelSet,
        granted: ChannelSet,
    ) -> Result<(), Refusal> {
        let missing = ChannelSet(channels.0 & !granted.0);
        match missing.iter().next() {
            Some(channel) => Err(Refusal::InvalidState(format!(
                "agent {} does not handle channel {}",
                self.name(agent),
                self.rules.channel_name(channel)
            ))),
            None => Ok(()),
        }
    }

    /// A permit on the contact behind an own offer.
    pub(super) fn permit_offer<A: Act>(
        &self,
        asked: &Asked,
        offer: OfferRef,
    ) -> Result<(), Refusal> {
        let facts = Facts::Contact(ContactFacts {
            contact: offer.contact,
            channel: offer.channel,
            queue: offer.queue,
            owner_team: self.rules.queue(offer.queue).and_then(|queue| queue.team),
            legs: &[],
            offered: &[offer.agent],
            submitted_by: None,
            connector: None,
        });
        permit::<A>(&asked.principal, &facts)
            .map(|_| ())
            .map_err(|denied| hidden(denied, "offer", offer.offer.to_string()))
    }
}
