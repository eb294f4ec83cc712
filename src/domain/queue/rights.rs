//! Permits for commands on contacts: asked for in the step that applies the command, on the
//! facts of that moment.

use super::Queue;
use super::book::{Held, Parted, State};
use crate::access::act;
use crate::access::facts::{AgentFacts, ContactFacts, Facts, LegFacts, LegPart, LegStanding};
use crate::access::permit::{Act, Permit, permit};
use crate::access::rights::{Denied, Why};
use crate::domain::command::Asked;
use crate::domain::contact::{self, Leg, LegState, Role};
use crate::domain::event::By;
use crate::domain::machine::Refusal;
use crate::id::{AgentId, ContactId, TeamId};

impl Queue {
    /// A permit on a contact of this queue. What the caller may not see is not there.
    pub(super) fn permit<A: Act>(
        &self,
        asked: &Asked,
        contact: ContactId,
    ) -> Result<(By, &Held), Refusal> {
        let held = self.known(contact)?;
        let offered: Vec<AgentId> = match &held.state {
            State::Offered { seats, .. } => seats.iter().map(|(_, agent)| *agent).collect(),
            State::Connecting { offer, .. } => vec![offer.agent],
            State::Waiting | State::Active | State::WrapUp(_) => Vec::new(),
        };
        let legs: Vec<LegFacts<'_>> = held.legs.iter().map(|leg| self.leg_facts(leg)).collect();
        let facts = Facts::Contact(ContactFacts {
            contact,
            channel: held.facts().channel,
            queue: self.id,
            owner_team: self.own().team,
            legs: &legs,
            offered: &offered,
            submitted_by: Some(held.facts().submitted_by),
            connector: Some(held.facts().submitted_by),
        });
        let given = permit::<A>(&asked.principal, &facts)
            .map_err(|denied| hidden(denied, "contact", contact.to_string()))?;
        Ok((by(&given), held))
    }

    /// A permit to report media of a contact that has closed.
    pub(super) fn permit_parted(
        &self,
        asked: &Asked,
        contact: ContactId,
        parted: &Parted,
    ) -> Result<By, Refusal> {
        let facts = Facts::Contact(ContactFacts {
            contact,
            channel: parted.channel,
            queue: self.id,
            owner_team: self.own().team,
            legs: &[],
            offered: &[],
            submitted_by: Some(parted.submitted_by),
            connector: Some(parted.submitted_by),
        });
        let given = permit::<act::MediaReport>(&asked.principal, &facts)
            .map_err(|denied| hidden(denied, "contact", contact.to_string()))?;
        Ok(by(&given))
    }

    fn leg_facts(&self, leg: &Leg) -> LegFacts<'_> {
        LegFacts {
            agent: leg.agent,
            teams: self.teams(leg.agent),
            part: match leg.role {
                Role::Owner => LegPart::Owner,
                Role::Participant => LegPart::Participant,
                Role::Consulted => LegPart::Consulted,
                Role::Monitor => LegPart::Monitor,
                Role::Coach => LegPart::Coach,
                Role::Barged => LegPart::Barged,
            },
            standing: match leg.state {
                LegState::Connected => LegStanding::Connected,
                LegState::WrapUp { .. } => LegStanding::WrapUp,
            },
            private: false,
        }
    }

    fn teams(&self, agent: AgentId) -> &[TeamId] {
        self.rules
            .agent(agent)
            .map_or(&[], |rules| rules.teams.as_slice())
    }

    /// A permit to submit a contact to this queue.
    pub(super) fn permit_submit(
        &self,
        asked: &Asked,
        facts: &contact::Facts,
    ) -> Result<By, Refusal> {
        let facts = Facts::Contact(ContactFacts {
            contact: facts.id,
            channel: facts.channel,
            queue: self.id,
            owner_team: self.own().team,
            legs: &[],
            offered: &[],
            submitted_by: Some(asked.principal.user()),
            connector: Some(asked.principal.user()),
        });
        let given = permit::<act::ContactSubmit>(&asked.principal, &facts)
            .map_err(|denied| hidden(denied, "queue", self.own().name.clone()))?;
        Ok(by(&given))
    }

    /// A permit to end an agent's wrap-up.
    pub(super) fn permit_end_wrap_up(&self, asked: &Asked, agent: AgentId) -> Result<By, Refusal> {
        let facts = Facts::Agent(AgentFacts {
            agent,
            teams: self.teams(agent),
            queues: &[self.id],
        });
        let name = self.rules.agent(agent).map_or("", |rules| &rules.name);
        let given = permit::<act::AgentEndWrapUp>(&asked.principal, &facts)
            .map_err(|denied| hidden(denied, "agent", name.to_owned()))?;
        Ok(by(&given))
    }
}

fn by<A>(permit: &Permit<A>) -> By {
    By::User {
        user: permit.who(),
        behalf: None,
    }
}

/// What the caller may not see is answered exactly as if there were none.
pub(crate) fn hidden(denied: Denied, what: &'static str, id: String) -> Refusal {
    match denied.why {
        Why::OutOfScope => Refusal::NotFound { what, id },
        Why::Forbidden => Refusal::Denied(denied),
    }
}
