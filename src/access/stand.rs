//! Where a principal stands to an object: the scopes in which the object lies for him. Worked
//! out once per decision, after which every privilege is a look-up in his table.

use super::facts::{
    AgentFacts, ContactFacts, Facts, LegFacts, LegPart, LegStanding, Thing, ThingFacts,
};
use super::principal::Principal;
use super::privilege::Privilege;
use super::scope::{Scope, Scopes};
use crate::id::TeamId;

/// The scopes in which one object lies for one principal.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stand {
    /// Scopes by the facts of now.
    pub scopes: Scopes,
    /// Scopes in which it lies as a recent contact: legs that are over count, offers do not.
    recent: Scopes,
    /// A leg of his is over, and a late note or wrap-up code is still allowed.
    late: bool,
    /// A connected leg of his listens.
    pub listens: bool,
    /// A connected leg of his coaches.
    coaches: bool,
    /// The object is the principal himself.
    pub myself: bool,
    /// The contact has a leg that has been connected and is not over.
    engaged: bool,
}

impl LegFacts<'_> {
    /// Whether the leg is open and a fact of the contact for everybody.
    pub(super) fn is_public(&self) -> bool {
        self.standing.open() && !self.private
    }
}

impl Stand {
    pub(super) fn of(principal: &Principal, facts: &Facts<'_>) -> Self {
        match facts {
            Facts::Contact(contact) => Self::to_contact(principal, contact),
            Facts::Agent(agent) => Self::to_agent(principal, agent),
            Facts::Thing(thing) => Self::at(thing_scopes(principal, thing)),
            Facts::Rows | Facts::Workspace => Self::at(Scopes::only(Scope::All)),
        }
    }

    fn at(scopes: Scopes) -> Self {
        Self {
            scopes,
            recent: scopes,
            ..Self::default()
        }
    }

    /// The scopes that count for a privilege: a leg that only listens gives reading,
    /// `contact.leave` and, for a coach, messages; a leg that is over gives recent contacts
    /// and, for a while, notes and wrap-up codes.
    pub(super) fn scopes_for(&self, privilege: Privilege) -> Scopes {
        let by_leg = match self {
            Self { late: true, .. } if LATE.contains(&privilege) => true,
            Self { listens: true, .. } if LISTENING.contains(&privilege) => true,
            Self { coaches: true, .. } => privilege == Privilege::ContactMessage,
            Self { .. } => false,
        };
        if by_leg {
            self.scopes | Scopes::only(Scope::Conversation)
        } else if privilege == Privilege::ContactRecent {
            self.recent
        } else if privilege == Privilege::QueueContactsView && self.engaged {
            Scopes::NONE
        } else {
            self.scopes
        }
    }

    fn to_contact(principal: &Principal, contact: &ContactFacts<'_>) -> Self {
        let me = principal.agent();
        let mut stand = Self::default();
        let mut public_leg = false;
        for leg in contact.legs {
            if leg.agent == me {
                stand.add_my_leg(leg);
            }
            if leg.private {
                continue;
            }
            let scopes = team_scopes(principal, leg.teams);
            if leg.standing.open() {
                public_leg = true;
                stand.engaged |= leg.standing.engaged();
                stand.scopes = stand.scopes | scopes;
            } else {
                stand.recent = stand.recent | scopes;
            }
        }
        if !public_leg && let Some(team) = contact.owner_team {
            stand.scopes = stand.scopes | team_scopes(principal, &[team]);
        }
        stand.add(Scope::Own, contact.offered.contains(&me));
        stand.add(Scope::Own, principal.submits(contact));
        stand.add(Scope::Queue, principal.serves(contact.queue));
        stand.add(Scope::Supervised, principal.supervises_queue(contact.queue));
        stand.add(Scope::All, true);
        stand.recent = stand.recent | stand.scopes.without(Scopes::only(Scope::Own));
        stand
    }

    fn add_my_leg(&mut self, leg: &LegFacts<'_>) {
        let connected = leg.standing == LegStanding::Connected;
        if leg.part.converses() {
            self.recent = self.recent | Scopes::only(Scope::Own);
            self.add(
                Scope::Own,
                leg.part == LegPart::Owner && leg.standing.open(),
            );
            self.add(Scope::Conversation, leg.standing.engaged());
            self.late |= leg.standing == LegStanding::Ended { late_wrap_up: true };
        } else {
            self.listens |= connected;
            self.coaches |= connected && leg.part == LegPart::Coach;
        }
    }

    fn to_agent(principal: &Principal, agent: &AgentFacts<'_>) -> Self {
        let mut stand = Self {
            scopes: team_scopes(principal, agent.teams),
            myself: agent.agent == principal.agent(),
            ..Self::default()
        };
        stand.add(Scope::Own, stand.myself);
        for queue in agent.queues {
            stand.add(Scope::Queue, principal.serves(*queue));
            stand.add(Scope::Supervised, principal.supervises_queue(*queue));
        }
        stand.add(Scope::All, true);
        stand.recent = stand.scopes;
        stand
    }

    fn add(&mut self, scope: Scope, holds: bool) {
        if holds {
            self.scopes = self.scopes | Scopes::only(scope);
        }
    }
}

/// What a leg that only listens gives.
const LISTENING: [Privilege; 4] = [
    Privilege::ContactView,
    Privilege::ContactLeave,
    Privilege::CustomerView,
    Privilege::CustomerPiiClear,
];

/// What a leg that is over gives for a while.
const LATE: [Privilege; 2] = [Privilege::ContactNote, Privilege::ContactWrapUp];

fn team_scopes(principal: &Principal, teams: &[TeamId]) -> Scopes {
    let mut scopes = Scopes::NONE;
    for team in teams {
        if principal.teams().contains(team) {
            scopes = scopes | Scopes::only(Scope::Team);
        }
        if principal.supervises_team(*team) {
            scopes = scopes | Scopes::only(Scope::Supervised);
        }
    }
    scopes
}

fn thing_scopes(principal: &Principal, thing: &ThingFacts<'_>) -> Scopes {
    let me = principal.agent();
    let mut stand = Stand {
        scopes: team_scopes(principal, thing.teams),
        ..Stand::default()
    };
    for queue in thing.queues {
        stand.add(Scope::Supervised, principal.supervises_queue(*queue));
    }
    match thing.thing {
        Thing::Queue(queue) => {
            stand.add(Scope::Queue, principal.serves(queue));
            stand.add(Scope::Supervised, principal.supervises_queue(queue));
        }
        Thing::Team(team) => stand.scopes = stand.scopes | team_scopes(principal, &[team]),
        Thing::Other(_) => {}
    }
    stand.add(Scope::Own, thing.made_by == Some(principal.user()));
    stand.add(Scope::Conversation, thing.conversing.contains(&me));
    stand.add(Scope::Queue, thing.subscribers.contains(&me));
    stand.add(Scope::All, true);
    stand.scopes
}
