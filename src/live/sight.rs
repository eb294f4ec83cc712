//! Sight: which rows a viewer sees, and through which lens. Every row that leaves the board
//! passes here, on its own facts, by the one policy function.

use crate::access::facts::{
    AgentFacts, ContactFacts, Facts, LegFacts, LegPart, LegStanding as Standing, Thing, ThingFacts,
};
use crate::access::grant::Channels;
use crate::access::lens::{Agents, Lens, PseudonymKey};
use crate::access::principal::Principal;
use crate::access::privilege::{Needs, Privilege};
use crate::access::rights::{Denied, decide_needs};
use crate::access::scope::{Scope, Scopes};
use crate::domain::contact::Role;
use crate::domain::rules::Workspace;
use crate::id::{AgentId, QueueId};
use crate::live::contact::{ContactRow, LegRow, LegStanding};
use crate::live::seen::Glass;
use std::sync::Arc;

/// Who looks: the principal of a session, and the key of its pseudonyms.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// The principal, as the gate attached it.
    pub principal: Arc<Principal>,
    /// Drawn by the session; needed where agents are anonymous.
    pub key: Arc<PseudonymKey>,
}

/// What a viewer may see of the rows of one topic.
#[derive(Clone, Debug)]
pub struct Sight {
    viewer: Viewer,
    needs: Needs,
}

/// Whose legs there are, as facts.
type Legs<'a> = Vec<LegFacts<'a>>;

impl Sight {
    /// The sight of a viewer who needs this for a row.
    #[must_use]
    pub fn new(viewer: Viewer, needs: Needs) -> Self {
        Self { viewer, needs }
    }

    /// Who looks.
    #[must_use]
    pub fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    /// How a contact is seen, if at all.
    #[must_use]
    pub fn contact(&self, rules: &Workspace, row: &ContactRow) -> Option<Glass> {
        self.decide_contact(rules, row).ok()
    }

    /// How a contact is seen.
    ///
    /// # Errors
    /// Why it is not.
    pub fn decide_contact(&self, rules: &Workspace, row: &ContactRow) -> Result<Glass, Denied> {
        self.decide_with(rules, row, |_| true)
    }

    /// How a contact is seen from the line that it stands in, if at all: an earlier agent's
    /// wrap-up, which may still be open, is no part of its waiting.
    #[must_use]
    pub fn waiting(&self, rules: &Workspace, row: &ContactRow) -> Option<Glass> {
        let waits = |leg: &LegRow| match leg.state {
            LegStanding::Connecting { .. } | LegStanding::Connected => true,
            LegStanding::WrapUp { .. } | LegStanding::Ended { .. } => false,
        };
        if row.in_line() {
            self.decide_with(rules, row, waits).ok()
        } else {
            None
        }
    }

    fn decide_with(
        &self,
        rules: &Workspace,
        row: &ContactRow,
        counts: impl Fn(&LegRow) -> bool,
    ) -> Result<Glass, Denied> {
        let legs: Legs<'_> = row
            .open_legs()
            .filter(|leg| counts(leg))
            .map(|leg| LegFacts {
                agent: leg.agent,
                teams: rules.agent(leg.agent).map_or(&[], |agent| &agent.teams),
                part: part(leg.role),
                standing: standing(leg.state),
                private: false,
            })
            .collect();
        let offered: Vec<AgentId> = row.offers.iter().map(|(_, agent)| *agent).collect();
        let facts = ContactFacts {
            contact: row.id(),
            channel: row.facts.channel,
            queue: row.queue,
            owner_team: rules.queue(row.queue).and_then(|queue| queue.team),
            legs: &legs,
            offered: &offered,
            submitted_by: Some(row.facts.submitted_by),
            connector: None,
        };
        self.decide(&Facts::Contact(facts))
    }

    /// How an agent is seen, if at all. Users who handle no contacts are no agents.
    #[must_use]
    pub fn agent(&self, rules: &Workspace, agent: AgentId) -> Option<Glass> {
        let own = rules.agent(agent).filter(|own| !own.channels.is_empty())?;
        let queues: Vec<QueueId> = own.memberships.iter().map(|m| m.queue).collect();
        let facts = AgentFacts {
            agent,
            teams: &own.teams,
            queues: &queues,
        };
        self.decide(&Facts::Agent(facts)).ok()
    }

    /// How a queue is seen, if at all.
    #[must_use]
    pub fn queue(&self, rules: &Workspace, queue: QueueId) -> Option<Glass> {
        self.decide_queue(rules, queue).ok()
    }

    /// How a queue is seen.
    ///
    /// # Errors
    /// Why it is not.
    pub fn decide_queue(&self, rules: &Workspace, queue: QueueId) -> Result<Glass, Denied> {
        let team = rules.queue(queue).and_then(|rules| rules.team);
        let teams = team.as_slice();
        let facts = ThingFacts {
            teams,
            ..ThingFacts::of(Thing::Queue(queue))
        };
        self.decide(&Facts::Thing(facts))
    }

    /// Whether there can be any row at all, and how the rows are seen as a whole.
    ///
    /// # Errors
    /// Why there cannot.
    pub fn decide_rows(&self) -> Result<Glass, Denied> {
        self.decide(&Facts::Rows)
    }

    fn decide(&self, facts: &Facts<'_>) -> Result<Glass, Denied> {
        let decision = decide_needs(&self.viewer.principal, &self.needs, None, facts);
        let lens: Lens = decision.lens()?;
        Ok(Glass::new(lens, &self.viewer.key))
    }

    /// Whether every row of the workspace is seen, all through the same lens.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        let rights = self.viewer.principal.rights();
        let everywhere = |p: &Privilege| rights.everywhere(*p) == Channels::EVERY;
        let nowhere = |p: &Privilege| rights.held(*p) == Channels::NONE;
        let lens = THROUGH.iter().all(|p| everywhere(p) || nowhere(p));
        lens && self.needs.privileges().iter().any(everywhere)
    }

    /// The scopes in which rows are seen, denials apart.
    #[must_use]
    pub fn granted(&self) -> Scopes {
        let rights = self.viewer.principal.rights();
        let privileges = self.needs.privileges();
        let each = privileges.iter().map(|p| rights.granted(*p));
        each.fold(Scopes::NONE, Scopes::union)
    }

    /// The scopes on which it depends what is seen.
    #[must_use]
    pub fn scopes(&self) -> Scopes {
        let rights = self.viewer.principal.rights();
        let privileges = self.needs.privileges();
        let all = privileges.iter().chain(&THROUGH);
        all.fold(Scopes::NONE, |scopes, p| scopes | rights.reach(*p))
    }

    /// Whether agents may be shown by pseudonyms: then no two sessions see the same.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.decide_rows()
            .is_ok_and(|glass| glass.lens().agents == Agents::Anonymous)
    }

    /// Whether both see the same rows in the same way, now and after any change of the rows.
    /// A yes is certain; a no may be overly careful.
    #[must_use]
    pub fn equals(&self, other: &Self) -> bool {
        if self.needs != other.needs {
            return false;
        }
        if self.is_anonymous() || other.is_anonymous() {
            return Arc::ptr_eq(&self.viewer.key, &other.viewer.key)
                && Arc::ptr_eq(&self.viewer.principal, &other.viewer.principal);
        }
        if self.is_everything() && other.is_everything() {
            let lens = |sight: &Self| sight.decide_rows().map(Glass::shows);
            return lens(self) == lens(other);
        }
        self.stands_with(other)
    }

    /// Same rights from the same standpoint, as far as the standpoint matters.
    fn stands_with(&self, other: &Self) -> bool {
        let (mine, theirs) = (&*self.viewer.principal, &*other.viewer.principal);
        let same_rights =
            std::ptr::eq(mine.rights(), theirs.rights()) || mine.rights() == theirs.rights();
        let scopes = self.scopes();
        let personal = scopes.has(Scope::Own) || scopes.has(Scope::Conversation);
        same_rights
            && (!personal || mine.user() == theirs.user())
            && (!scopes.has(Scope::Queue) || mine.queues() == theirs.queues())
            && (!scopes.has(Scope::Team) || mine.teams() == theirs.teams())
            && (!scopes.has(Scope::Supervised) || mine.supervises_as(theirs))
    }
}

/// What the lens of a row depends on beside the right to see it.
const THROUGH: [Privilege; 4] = [
    Privilege::CustomerPiiClear,
    Privilege::DashboardAgents,
    Privilege::DashboardAgentsIdentified,
    Privilege::ContactMonitorPrivate,
];

fn part(role: Role) -> LegPart {
    match role {
        Role::Owner => LegPart::Owner,
        Role::Participant => LegPart::Participant,
        Role::Consulted => LegPart::Consulted,
        Role::Monitor => LegPart::Monitor,
        Role::Coach => LegPart::Coach,
        Role::Barged => LegPart::Barged,
    }
}

fn standing(state: LegStanding) -> Standing {
    match state {
        LegStanding::Connecting { .. } => Standing::Connecting,
        LegStanding::Connected => Standing::Connected,
        LegStanding::WrapUp { .. } => Standing::WrapUp,
        LegStanding::Ended { .. } => Standing::Ended {
            late_wrap_up: false,
        },
    }
}
