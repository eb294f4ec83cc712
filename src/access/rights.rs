//! The decision: one pure, total function from principal, privilege and facts to what of the
//! object may be seen, or why not. There is no other way to a right.

use super::facts::{Facts, Thing};
use super::grant::Channels;
use super::lens::{Agents, Lens, Messages, Pii};
use super::principal::Principal;
use super::privilege::{ConfigObject, Level, Needs, Privilege};
use super::scope::Scope;
use super::stand::Stand;
use crate::id::ChannelId;

/// The answer to a question of right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// Yes; the object is to be shown through this lens.
    Allow(Lens),
    /// No.
    Deny(Denied),
}

impl Decision {
    /// Whether the answer is yes.
    #[must_use]
    pub fn allows(&self) -> bool {
        matches!(self, Self::Allow(_))
    }

    /// The lens, or the refusal.
    ///
    /// # Errors
    /// [`Denied`] when the answer is no.
    pub fn lens(self) -> Result<Lens, Denied> {
        match self {
            Self::Allow(lens) => Ok(lens),
            Self::Deny(denied) => Err(denied),
        }
    }
}

/// A refusal. The caller may be shown its [`Display`](std::fmt::Display) only where it is
/// [`Why::Forbidden`]; for [`Why::OutOfScope`] he gets what he gets for an id that was never
/// given out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub struct Denied {
    /// What the caller may learn.
    pub why: Why,
    /// The first privilege that was missing, for the audit; `None` where no privilege would
    /// help, because the act is for oneself.
    pub missing: Option<Privilege>,
}

/// What a refusal may tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// The caller may not see the object: answered exactly as if there were none.
    OutOfScope,
    /// The caller may see the object, or there is no object, but may not do the act.
    Forbidden,
}

impl Denied {
    /// The error code of the protocol.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.why {
            Why::OutOfScope => "not_found",
            Why::Forbidden => "forbidden",
        }
    }
}

impl std::fmt::Display for Denied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.why, self.missing) {
            (Why::OutOfScope, _) => f.write_str("not found"),
            (Why::Forbidden, Some(privilege)) => write!(f, "{privilege} is needed"),
            (Why::Forbidden, None) => f.write_str("only for oneself"),
        }
    }
}

/// Whether the principal has the privilege over the object, and through which lens he sees it.
///
/// Pure and total. `channel` matters for a privilege that is per channel; a contact brings its
/// own. Without any channel, one on which it is granted suffices.
#[must_use]
pub fn decide(
    principal: &Principal,
    privilege: Privilege,
    channel: Option<ChannelId>,
    facts: &Facts<'_>,
) -> Decision {
    decide_needs(principal, &Needs::One(privilege), channel, facts)
}

/// Whether the expression holds for the principal over the object. Parts that are held in any
/// scope, or everywhere, look at no object; the others look at this one.
#[must_use]
pub fn decide_needs(
    principal: &Principal,
    needs: &Needs,
    channel: Option<ChannelId>,
    facts: &Facts<'_>,
) -> Decision {
    let question = Question {
        principal,
        facts,
        channel: channel.or(facts.channel()),
        stand: Stand::of(principal, facts),
    };
    match question.weigh(needs) {
        Ok(()) => Decision::Allow(question.lens()),
        Err(missing) => {
            let forbidden = question.sees(missing);
            let why = if forbidden {
                Why::Forbidden
            } else {
                Why::OutOfScope
            };
            Decision::Deny(Denied { why, missing })
        }
    }
}

/// One principal before one object.
struct Question<'a> {
    principal: &'a Principal,
    facts: &'a Facts<'a>,
    channel: Option<ChannelId>,
    stand: Stand,
}

impl Question<'_> {
    fn weigh(&self, needs: &Needs) -> Result<(), Option<Privilege>> {
        let rights = self.principal.rights();
        let holds = |channels: Channels, privilege: &Privilege| {
            let held = channels.admits(self.channel);
            if held { Ok(()) } else { Err(Some(*privilege)) }
        };
        match needs {
            Needs::Nothing => Ok(()),
            Needs::One(privilege) if self.has(*privilege) => Ok(()),
            Needs::One(privilege) => Err(Some(*privilege)),
            Needs::Held(privilege) => holds(rights.held(*privilege), privilege),
            Needs::Everywhere(privilege) => holds(rights.everywhere(*privilege), privilege),
            Needs::Myself if self.is_myself() => Ok(()),
            Needs::Myself => Err(None),
            Needs::AllOf(parts) => parts.iter().try_for_each(|part| self.weigh(part)),
            Needs::AnyOf(parts) => self.any_of(parts),
        }
    }

    fn any_of(&self, parts: &[Needs]) -> Result<(), Option<Privilege>> {
        let mut missing = None;
        for part in parts {
            match self.weigh(part) {
                Ok(()) => return Ok(()),
                Err(privilege) => missing = missing.or(privilege),
            }
        }
        Err(missing)
    }

    fn has(&self, privilege: Privilege) -> bool {
        let rights = self.principal.rights();
        let channels = match self.facts {
            Facts::Rows => rights.held(privilege),
            Facts::Workspace => rights.everywhere(privilege),
            Facts::Contact(_) | Facts::Agent(_) | Facts::Thing(_) => {
                let scopes = self.stand.scopes_for(privilege);
                rights.over(privilege, scopes, self.facts)
            }
        };
        let granted = channels.admits(self.channel);
        granted || (privilege == Privilege::InboxActAs && self.opened())
    }

    /// Whether an agent view of this agent is open, and acting in one is not denied.
    fn opened(&self) -> bool {
        let Facts::Agent(owner) = self.facts else {
            return false;
        };
        self.principal.acts_for(owner.agent)
            && !self
                .principal
                .rights()
                .denies(Privilege::InboxActAs, self.stand.scopes, self.facts)
    }

    fn is_myself(&self) -> bool {
        self.stand.myself || matches!(self.facts, Facts::Rows)
    }

    /// Whether the caller may see that the object exists, by any right suitable to its kind.
    fn sees(&self, missing: Option<Privilege>) -> bool {
        let any = |privileges: &[Privilege]| privileges.iter().any(|p| self.has(*p));
        let party = |scope| self.stand.scopes.has(scope);
        match self.facts {
            Facts::Rows | Facts::Workspace => true,
            Facts::Contact(contact) => {
                let inbox = !contact.offered.is_empty() || !contact.legs.is_empty();
                party(Scope::Own)
                    || party(Scope::Conversation)
                    || self.stand.listens
                    || any(&SHOW_CONTACT)
                    || (inbox && self.has(Privilege::InboxView))
            }
            Facts::Agent(_) => self.stand.myself || any(&SHOW_AGENT) || self.opened(),
            Facts::Thing(thing) => {
                party(Scope::Own)
                    || match thing.thing {
                        Thing::Queue(_) => any(&SHOW_QUEUE),
                        Thing::Team(_) => any(&SHOW_TEAM),
                        Thing::Other(_) => false,
                    }
                    || missing.and_then(shown_by).is_some_and(|p| self.has(p))
            }
        }
    }

    fn lens(&self) -> Lens {
        Lens {
            pii: if self.unmasks() {
                Pii::Clear
            } else {
                Pii::Masked
            },
            agents: self.agents(),
            private_legs: self.sees_private_legs(),
            reads: if self.principal.is_visitor() {
                Messages::WithCustomer
            } else {
                Messages::All
            },
            writes: self.writes(),
        }
    }

    fn sees_private_legs(&self) -> bool {
        match self.facts {
            Facts::Contact(_) => self.has(Privilege::ContactMonitorPrivate),
            Facts::Rows | Facts::Workspace => self.everywhere(Privilege::ContactMonitorPrivate),
            Facts::Agent(_) | Facts::Thing(_) => false,
        }
    }

    fn unmasks(&self) -> bool {
        match self.facts {
            Facts::Rows | Facts::Workspace => self.everywhere(Privilege::CustomerPiiClear),
            Facts::Contact(_) | Facts::Agent(_) | Facts::Thing(_) => {
                self.has(Privilege::CustomerPiiClear)
            }
        }
    }

    fn everywhere(&self, privilege: Privilege) -> bool {
        let channels = self.principal.rights().everywhere(privilege);
        channels.admits(self.channel)
    }

    /// Agents are anonymous to whoever sees them only by the anonymous dashboard: neither
    /// identified there, nor by their status, nor as a party of their conversation. Without
    /// one object, to whoever holds that dashboard somewhere where he is not identified.
    fn agents(&self) -> Agents {
        let anonymous = match self.facts {
            Facts::Rows | Facts::Workspace => self.principal.rights().sees_anonymous_agents(),
            Facts::Contact(_) => {
                self.has(Privilege::DashboardAgents)
                    && !self.has(Privilege::DashboardAgentsIdentified)
                    && !self.stand.scopes.has(Scope::Conversation)
            }
            Facts::Agent(_) => {
                !self.stand.myself
                    && self.has(Privilege::DashboardAgents)
                    && !self.has(Privilege::DashboardAgentsIdentified)
                    && !self.has(Privilege::AgentStatusView)
            }
            Facts::Thing(_) => false,
        };
        if anonymous {
            Agents::Anonymous
        } else {
            Agents::Identified
        }
    }

    /// A coach writes to agents only, unless he is a party besides.
    fn writes(&self) -> Messages {
        if !matches!(self.facts, Facts::Contact(_)) || !self.has(Privilege::ContactMessage) {
            return Messages::None;
        }
        let rights = self.principal.rights();
        let scopes = self.stand.scopes;
        let as_party = rights.over(Privilege::ContactMessage, scopes, self.facts);
        match (self.principal.is_visitor(), as_party.admits(self.channel)) {
            (true, _) => Messages::WithCustomer,
            (false, true) => Messages::All,
            (false, false) => Messages::AmongAgents,
        }
    }
}

const SHOW_CONTACT: [Privilege; 3] = [
    Privilege::ContactView,
    Privilege::QueueContactsView,
    Privilege::ContactRecent,
];

/// The anonymous dashboard is not among them: it shows rows, and whose they are it hides.
const SHOW_AGENT: [Privilege; 4] = [
    Privilege::AgentStatusView,
    Privilege::DashboardAgentsIdentified,
    Privilege::InboxView,
    Privilege::Config(ConfigObject::Users, Level::View),
];

const SHOW_QUEUE: [Privilege; 4] = [
    Privilege::DashboardQueues,
    Privilege::DashboardTeam,
    Privilege::QueueContactsView,
    Privilege::Config(ConfigObject::Queues, Level::View),
];

const SHOW_TEAM: [Privilege; 2] = [
    Privilege::DashboardTeam,
    Privilege::Config(ConfigObject::Teams, Level::View),
];

/// The privilege that shows the objects which another one acts on.
fn shown_by(privilege: Privilege) -> Option<Privilege> {
    const FAMILIES: [(&str, Privilege); 8] = [
        ("list.", Privilege::ListView),
        ("document.", Privilege::DocumentView),
        ("customer.", Privilege::CustomerView),
        ("label.", Privilege::LabelView),
        ("wallboard.", Privilege::WallboardView),
        ("report.", Privilege::ReportView),
        ("callback.", Privilege::CallbackSchedule),
        ("role.", Privilege::RoleEdit),
    ];
    if let Privilege::Config(object, _) = privilege {
        return Some(Privilege::Config(object, Level::View));
    }
    if privilege == Privilege::ConfigEntryPointsAllocate {
        return Some(Privilege::Config(ConfigObject::EntryPoints, Level::View));
    }
    if let Privilege::Ext(page, _) = privilege {
        return Some(Privilege::Ext(page, Level::View));
    }
    let name = privilege.name();
    let family = FAMILIES.iter().find(|(prefix, _)| name.starts_with(prefix));
    family.map(|(_, view)| *view)
}
