//! The principal: who a session acts as, with the rights of that moment. Made by the directory,
//! attached by the gate, asked by the owners. Immutable; a change makes a new version.

use super::ext::ExtNames;
use super::facts::ContactFacts;
use super::grant::{Channels, Grant};
use super::privilege::Privilege;
use super::role::{Home, INTEGRATION, Limits, RoleError, Roles, VISITOR, WALLBOARD};
use super::table::Rights;
use crate::id::{AgentId, ChannelId, ContactId, QueueId, TeamId, UserId};
use std::borrow::Cow;
use std::sync::Arc;

/// A user as the directory states him: what a principal is made of.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The user.
    pub user: UserId,
    /// The name by which configuration and wire know him: `ana`.
    pub login: String,
    /// The name that people read: `Ana`.
    pub name: String,
    /// Names of his roles.
    pub roles: Vec<String>,
    /// Personal grants.
    pub grants: Vec<Grant>,
    /// Personal denials.
    pub denials: Vec<Grant>,
    /// Personal limits.
    pub limits: Limits,
    /// Teams, home team first.
    pub teams: Vec<TeamId>,
    /// Queues he is a member of.
    pub queues: Vec<QueueId>,
    /// Teams he supervises.
    pub supervised_teams: Vec<TeamId>,
    /// Queues he supervises.
    pub supervised_queues: Vec<QueueId>,
    /// Owners of agent views that are open to him now.
    pub acts_for: Vec<AgentId>,
    /// Of a visitor: the one contact of its session.
    pub visits: Option<ContactId>,
}

impl Identity {
    /// A user with one role and nothing else.
    #[must_use]
    pub fn new(user: UserId, login: &str, role: &str) -> Self {
        Self {
            user,
            login: login.to_owned(),
            name: login.to_owned(),
            roles: vec![role.to_owned()],
            grants: Vec::new(),
            denials: Vec::new(),
            limits: Limits::default(),
            teams: Vec::new(),
            queues: Vec::new(),
            supervised_teams: Vec::new(),
            supervised_queues: Vec::new(),
            acts_for: Vec::new(),
            visits: None,
        }
    }

    /// The principal of this user: his rights by these roles, his limits before theirs before
    /// the workspace's. `version` grows with every change of the directory.
    ///
    /// # Errors
    /// [`RoleError`] when a role does not exist or a personal grant is not allowed.
    pub fn principal(
        self,
        roles: &Roles,
        workspace: Limits,
        version: u64,
    ) -> Result<Arc<Principal>, RoleError> {
        let names: Vec<&str> = self.roles.iter().map(String::as_str).collect();
        let holder = format!("user {:?}", self.login);
        let rights = roles.rights(&holder, &names, &self.grants, &self.denials)?;
        let mut limits = self.limits.or(roles.limits(&names)).or(workspace);
        if roles.inherits(&names, WALLBOARD) {
            limits.auto_sign_out_live = Some(false);
        }
        let visitor = roles.inherits(&names, VISITOR);
        Ok(Arc::new(Principal {
            version,
            home: roles.home(&names, &rights),
            integration: roles.inherits(&names, INTEGRATION),
            visitor,
            visits: self.visits.filter(|_| visitor),
            limits,
            rights,
            user: self.user,
            login: self.login.into(),
            name: self.name.into(),
            roles: self.roles.into(),
            teams: self.teams.into(),
            queues: sorted(self.queues),
            supervised_teams: sorted(self.supervised_teams),
            supervised_queues: sorted(self.supervised_queues),
            acts_for: sorted(self.acts_for),
        }))
    }
}

fn sorted<T: Ord>(mut ids: Vec<T>) -> Box<[T]> {
    ids.sort_unstable();
    ids.dedup();
    ids.into()
}

/// Who acts, with what rights. Nothing that a client sends reaches it.
#[derive(PartialEq, Debug)]
pub struct Principal {
    version: u64,
    user: UserId,
    login: Box<str>,
    name: Box<str>,
    roles: Box<[String]>,
    rights: Arc<Rights>,
    teams: Box<[TeamId]>,
    queues: Box<[QueueId]>,
    supervised_teams: Box<[TeamId]>,
    supervised_queues: Box<[QueueId]>,
    acts_for: Box<[AgentId]>,
    integration: bool,
    visitor: bool,
    visits: Option<ContactId>,
    limits: Limits,
    home: Home,
}

impl Principal {
    /// Grows with every change of the directory; views cut by an older one are re-cut.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The user.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.user
    }

    /// The user as an agent.
    #[must_use]
    pub fn agent(&self) -> AgentId {
        self.user.agent()
    }

    /// The name by which configuration and wire know him.
    #[must_use]
    pub fn login(&self) -> &str {
        &self.login
    }

    /// The name that people read.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Names of his roles, inherited ones not included.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// Teams, home team first.
    #[must_use]
    pub fn teams(&self) -> &[TeamId] {
        &self.teams
    }

    /// Queues he is a member of, in the order of their ids.
    #[must_use]
    pub fn queues(&self) -> &[QueueId] {
        &self.queues
    }

    /// Limits, the workspace's where neither he nor his roles say anything.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What he sees first: `welcome.home`.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The table of his grants and denials.
    #[must_use]
    pub fn rights(&self) -> &Rights {
        &self.rights
    }

    /// Whether he is a connector or application.
    #[must_use]
    pub fn is_integration(&self) -> bool {
        self.integration
    }

    /// Whether he is a customer at a public entry.
    #[must_use]
    pub fn is_visitor(&self) -> bool {
        self.visitor
    }

    /// Whether contacts of this channel may be offered, assigned or transferred to him. Without
    /// role `agent`, inherited or held, no built-in role gives it.
    #[must_use]
    pub fn may_handle(&self, channel: ChannelId) -> bool {
        let channels = self.rights.held(Privilege::ContactHandle);
        channels.admits(Some(channel))
    }

    /// Channels whose contacts he may handle.
    #[must_use]
    pub fn handles(&self) -> Channels {
        self.rights.held(Privilege::ContactHandle)
    }

    /// Whether the privilege is held over something, on some channel.
    #[must_use]
    pub fn holds(&self, privilege: Privilege) -> bool {
        self.rights.held(privilege).admits(None)
    }

    /// Names of the privileges that he holds over something: `welcome.privileges`.
    #[must_use]
    pub fn privileges(&self, ext: &ExtNames) -> Vec<Cow<'static, str>> {
        ext.every()
            .filter(|privilege| self.holds(*privilege))
            .map(|privilege| ext.name_of(privilege))
            .collect()
    }

    /// Whether he may give a user or role this grant: whoever sets up every role may give any,
    /// others what reaches no further than what they hold. That nobody but such a holder
    /// touches an admin is for the directory to see to.
    #[must_use]
    pub fn may_give(&self, grant: &Grant) -> bool {
        let every_role = |privilege| self.rights.everywhere(privilege).admits(None);
        every_role(Privilege::RoleEdit)
            || every_role(Privilege::RoleAssign)
            || self.rights.cover(grant)
    }

    /// Whether he is a member of the queue.
    #[must_use]
    pub fn serves(&self, queue: QueueId) -> bool {
        self.queues.binary_search(&queue).is_ok()
    }

    /// Whether he supervises the team.
    #[must_use]
    pub fn supervises_team(&self, team: TeamId) -> bool {
        self.supervised_teams.binary_search(&team).is_ok()
    }

    /// Whether he supervises the queue.
    #[must_use]
    pub fn supervises_queue(&self, queue: QueueId) -> bool {
        self.supervised_queues.binary_search(&queue).is_ok()
    }

    /// Whether he supervises exactly the teams and queues that another does.
    #[must_use]
    pub fn supervises_as(&self, other: &Self) -> bool {
        self.supervised_teams == other.supervised_teams
            && self.supervised_queues == other.supervised_queues
    }

    /// Teams and queues that he supervises, each in the order of their ids.
    #[must_use]
    pub fn supervised(&self) -> (&[TeamId], &[QueueId]) {
        (&self.supervised_teams, &self.supervised_queues)
    }

    /// Whether an agent view of this owner is open to him.
    #[must_use]
    pub fn acts_for(&self, owner: AgentId) -> bool {
        self.acts_for.binary_search(&owner).is_ok()
    }

    /// Whether the contact is his own by having been submitted, carried or opened by him.
    pub(super) fn submits(&self, contact: &ContactFacts<'_>) -> bool {
        let me = Some(self.user);
        (self.integration && (contact.submitted_by == me || contact.connector == me))
            || self.visits == Some(contact.contact)
    }
}
