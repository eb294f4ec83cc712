//! Roles as data: what they inherit, grant, deny and limit, and what they see. Seven are built
//! in; any number can be added or changed at run time, and a set that does not hold together
//! is refused as a whole.

use super::grant::{Channels, Grant};
use super::privilege::Privilege;
use super::scope::Scope;
use super::table::Rights;
use crate::limits::ROLE_DEPTH;
use crate::time::Span;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Name of the built-in role whose grants are agent operations.
pub const AGENT: &str = "agent";
/// Name of the built-in role `senior_agent`.
pub const SENIOR_AGENT: &str = "senior_agent";
/// Name of the built-in role `supervisor`.
pub const SUPERVISOR: &str = "supervisor";
/// Name of the built-in role that alone may hold what is *admin only*.
pub const ADMIN: &str = "admin";
/// Name of the built-in role of connectors and applications; contacts are its own by having
/// been submitted by it or by running over its connectors.
pub const INTEGRATION: &str = "integration";
/// Name of the built-in role of screens.
pub const WALLBOARD: &str = "wallboard";
/// Name of the built-in role of a customer at a public entry; its own is the one contact of
/// its session.
pub const VISITOR: &str = "visitor";

/// A role. Names are unique in a workspace.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// Names of the roles it inherits; never itself, however indirectly.
    pub inherits: Vec<String>,
    /// What it grants.
    pub grants: Vec<Grant>,
    /// What it denies. A denial beats every grant, also those of other roles.
    pub denials: Vec<Grant>,
    /// Limits of its holders.
    pub limits: Limits,
    /// What its holders see; `None` for what the inherited roles say.
    pub home: Option<Home>,
}

/// Limits carried by a role or user. What is `None` is said elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// Signed out after so long without activity.
    pub auto_sign_out_after: Option<Span>,
    /// The warning comes so long before.
    pub auto_sign_out_warning: Option<Span>,
    /// Whether that also applies while a live data screen is open. Never to a wallboard.
    pub auto_sign_out_live: Option<bool>,
    /// Replies go to review before they leave.
    pub email_review_required: Option<bool>,
    /// New contacts of a known customer show in the inbox of the agent who last handled him.
    pub focused: Option<bool>,
    /// Sockets a user may have.
    pub max_sessions: Option<u32>,
}

impl Limits {
    /// The stricter of the two, limit by limit.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        fn least<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
            match (a, b) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (one, other) => one.or(other),
            }
        }
        Self {
            auto_sign_out_after: least(self.auto_sign_out_after, other.auto_sign_out_after),
            auto_sign_out_warning: least(self.auto_sign_out_warning, other.auto_sign_out_warning),
            auto_sign_out_live: self.auto_sign_out_live.max(other.auto_sign_out_live),
            email_review_required: self.email_review_required.max(other.email_review_required),
            focused: self.focused.max(other.focused),
            max_sessions: least(self.max_sessions, other.max_sessions),
        }
    }

    /// These limits, and the other's where these say nothing.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            auto_sign_out_after: self.auto_sign_out_after.or(other.auto_sign_out_after),
            auto_sign_out_warning: self.auto_sign_out_warning.or(other.auto_sign_out_warning),
            auto_sign_out_live: self.auto_sign_out_live.or(other.auto_sign_out_live),
            email_review_required: self.email_review_required.or(other.email_review_required),
            focused: self.focused.or(other.focused),
            max_sessions: self.max_sessions.or(other.max_sessions),
        }
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $( $(#[$variant_doc:meta])* $variant:ident $word:literal, )* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum $name { $( $(#[$variant_doc])* $variant, )* }

        impl $name {
            /// All of them.
            pub const EVERY: &[Self] = &[ $( Self::$variant, )* ];

            /// The word for it in files and on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $( Self::$variant => $word, )* }
            }

            /// The one that this word names.
            #[must_use]
            pub fn from_name(word: &str) -> Option<Self> {
                Self::EVERY.iter().copied().find(|one| one.name() == word)
            }
        }
    };
}

words!(
    /// The screen that opens first.
    Screen {
        /// The agent's own work.
        Desktop "desktop",
        /// The numbers of the user's teams.
        TeamView "team_view",
        /// Queues and agents live.
        Supervisor "supervisor",
        /// A configured wallboard.
        Wallboard "wallboard",
        /// Administration.
        Admin "admin",
    }
);

words!(
    /// A part of a screen. It never widens rights: one without its privilege is not sent.
    Panel {
        /// The contacts of the user.
        Contacts "contacts",
        /// The user's recent contacts.
        Recent "recent",
        /// Customers of the user's contacts.
        Customers "customers",
        /// The user's mailbox.
        Voicemail "voicemail",
        /// The user's own numbers.
        Stats "stats",
        /// Recent contacts of the user's teams.
        TeamRecent "team_recent",
        /// Queues live.
        Queues "queues",
        /// Agents live.
        Agents "agents",
        /// Reports.
        Reports "reports",
        /// Administration.
        Administration "administration",
    }
);

impl Panel {
    /// Privileges of which any one lets the panel be sent.
    #[must_use]
    pub fn needs(self) -> Vec<Privilege> {
        match self {
            Self::Contacts => vec![Privilege::ContactView],
            Self::Recent | Self::TeamRecent => vec![Privilege::ContactRecent],
            Self::Customers => vec![Privilege::CustomerView],
            Self::Voicemail => vec![Privilege::VoicemailOwn],
            Self::Stats => vec![Privilege::StatsOwn],
            Self::Queues => vec![Privilege::DashboardQueues, Privilege::DashboardTeam],
            Self::Agents => vec![Privilege::DashboardAgents, Privilege::AgentStatusView],
            Self::Reports => vec![Privilege::ReportView],
            Self::Administration => Privilege::every()
                .filter(|p| matches!(p, Privilege::Config(..)) || *p == Privilege::RoleEdit)
                .collect(),
        }
    }
}

/// What a role sees.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Home {
    /// The screen that opens first.
    pub screen: Screen,
    /// Panels that it adds to those of the inherited roles.
    pub panels: Vec<Panel>,
    /// Default columns that it adds, as `table.column`.
    pub columns: Vec<String>,
}

/// Why a set of roles, or the roles of a user, do not hold together.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RoleError {
    /// Two roles of one name.
    #[error("role {0:?} is there twice")]
    Twice(String),
    /// A role, or a user, names a role that does not exist.
    #[error("{holder} names role {role:?}, which does not exist")]
    Unknown {
        /// Who names it.
        holder: String,
        /// The name.
        role: String,
    },
    /// A role inherits itself.
    #[error("role {0:?} inherits itself: {1}")]
    Cycle(String, String),
    /// A chain of inheritance is too long.
    #[error("role {0:?} inherits more than {ROLE_DEPTH} roles deep")]
    TooDeep(String),
    /// The privilege is grantable only to roles that inherit `admin`.
    #[error("{holder} grants {privilege}, which only roles that inherit admin may hold")]
    AdminOnly {
        /// Who grants it.
        holder: String,
        /// The privilege.
        privilege: Privilege,
    },
    /// Channels are listed for a privilege that has none, or none is listed.
    #[error("{holder} lists channels of {privilege}: {why}")]
    Channels {
        /// Who grants or denies it.
        holder: String,
        /// The privilege.
        privilege: Privilege,
        /// What is wrong.
        why: &'static str,
    },
    /// Ids are listed without scope `named`, or `named` without ids.
    #[error("{holder} grants or denies {privilege} with scope {scope}: {why}")]
    Ids {
        /// Who grants or denies it.
        holder: String,
        /// The privilege.
        privilege: Privilege,
        /// The scope.
        scope: Scope,
        /// What is wrong.
        why: &'static str,
    },
}

/// The roles of a workspace, checked. Immutable: a change makes a new set.
#[derive(Clone, Debug)]
pub struct Roles {
    roles: BTreeMap<String, Role>,
    /// Rights of those who hold one role and nothing else, which is nearly everybody.
    rights: BTreeMap<String, Arc<Rights>>,
}

impl Roles {
    /// Checks a set of roles.
    ///
    /// # Errors
    /// The first [`RoleError`] found.
    pub fn new(roles: Vec<Role>) -> Result<Self, RoleError> {
        let mut set = Self {
            roles: BTreeMap::new(),
            rights: BTreeMap::new(),
        };
        for role in roles {
            if let Some(first) = set.roles.insert(role.name.clone(), role) {
                return Err(RoleError::Twice(first.name));
            }
        }
        let mut known = BTreeMap::new();
        for name in set.roles.keys() {
            set.depth(name, &mut Vec::new(), &mut known)?;
        }
        for role in set.roles.values() {
            let admin = set.inherits(&[&role.name], ADMIN);
            let holder = format!("role {:?}", role.name);
            check_grants(&holder, &role.grants, &role.denials, admin)?;
        }
        let names: Vec<String> = set.roles.keys().cloned().collect();
        for name in names {
            let rights = Arc::new(set.combine(&[&name], &[], &[]));
            set.rights.insert(name, rights);
        }
        Ok(set)
    }

    /// The built-in roles as they are delivered. Should they ever not hold together, there
    /// is no role, and nobody may do anything.
    #[must_use]
    pub fn built_in() -> Self {
        Self::new(super::built_in::roles()).unwrap_or_else(|_| Self {
            roles: BTreeMap::new(),
            rights: BTreeMap::new(),
        })
    }

    /// The role of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Role> {
        self.roles.get(name)
    }

    /// Every role, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Role> {
        self.roles.values()
    }

    /// Rights of a user who holds these roles, these grants and these denials.
    ///
    /// # Errors
    /// [`RoleError`], with `holder` naming the user.
    pub fn rights(
        &self,
        holder: &str,
        names: &[&str],
        grants: &[Grant],
        denials: &[Grant],
    ) -> Result<Arc<Rights>, RoleError> {
        if let Some(role) = names.iter().find(|name| !self.roles.contains_key(**name)) {
            return Err(RoleError::Unknown {
                holder: holder.to_owned(),
                role: (*role).to_owned(),
            });
        }
        check_grants(holder, grants, denials, self.inherits(names, ADMIN))?;
        if let ([name], [], []) = (names, grants, denials)
            && let Some(rights) = self.rights.get(*name)
        {
            return Ok(Arc::clone(rights));
        }
        Ok(Arc::new(self.combine(names, grants, denials)))
    }

    /// Whether one of the roles is `role` or inherits it.
    #[must_use]
    pub fn inherits(&self, names: &[&str], role: &str) -> bool {
        self.all_of(names).any(|held| held.name == role)
    }

    /// Limits that the roles carry: the strictest, limit by limit.
    #[must_use]
    pub fn limits(&self, names: &[&str]) -> Limits {
        self.all_of(names).fold(Limits::default(), |limits, role| {
            limits.stricter(role.limits)
        })
    }

    /// What a holder of these roles sees: the screen of the first that states one, the panels
    /// and columns of all, inherited ones first, less the panels that `rights` do not allow.
    #[must_use]
    pub fn home(&self, names: &[&str], rights: &Rights) -> Home {
        let stated = |name: &&str| self.screen(name);
        let mut home = Home {
            screen: names.iter().find_map(stated).unwrap_or(Screen::Desktop),
            panels: Vec::new(),
            columns: Vec::new(),
        };
        let held = |p: &Privilege| rights.held(*p).admits(None);
        for role in self.all_of(names) {
            for panel in role.home.iter().flat_map(|home| &home.panels) {
                if !home.panels.contains(panel) && panel.needs().iter().any(held) {
                    home.panels.push(*panel);
                }
            }
            for column in role.home.iter().flat_map(|home| &home.columns) {
                if !home.columns.contains(column) {
                    home.columns.push(column.clone());
                }
            }
        }
        home
    }

    fn screen(&self, name: &str) -> Option<Screen> {
        let role = self.roles.get(name)?;
        let own = role.home.as_ref().map(|home| home.screen);
        own.or_else(|| role.inherits.iter().find_map(|name| self.screen(name)))
    }

    /// The roles and all that they inherit, each once, inherited ones first.
    fn all_of<'a>(&'a self, names: &[&str]) -> impl Iterator<Item = &'a Role> + use<'a> {
        fn add<'a>(roles: &'a Roles, name: &str, found: &mut Vec<&'a Role>) {
            let Some(role) = roles.roles.get(name) else {
                return;
            };
            if found.iter().any(|other| other.name == name) {
                return;
            }
            for inherited in &role.inherits {
                add(roles, inherited, found);
            }
            found.push(role);
        }
        let mut found = Vec::new();
        for name in names {
            add(self, name, &mut found);
        }
        found.into_iter()
    }

    fn combine(&self, names: &[&str], grants: &[Grant], denials: &[Grant]) -> Rights {
        let (mut granted, mut denied) = (grants.to_vec(), denials.to_vec());
        for role in self.all_of(names) {
            granted.extend_from_slice(&role.grants);
            denied.extend_from_slice(&role.denials);
        }
        Rights::of(&granted, &denied)
    }

    /// Roles on the longest chain of inheritance that starts at `name`. `path` leads there,
    /// `known` remembers the answers.
    fn depth<'a>(
        &'a self,
        name: &'a str,
        path: &mut Vec<&'a str>,
        known: &mut BTreeMap<&'a str, usize>,
    ) -> Result<usize, RoleError> {
        if let Some(depth) = known.get(name) {
            return Ok(*depth);
        }
        if path.contains(&name) {
            path.push(name);
            return Err(RoleError::Cycle(name.to_owned(), path.join(" inherits ")));
        }
        let Some(role) = self.roles.get(name) else {
            let holder = path.last().copied().unwrap_or_default();
            return Err(RoleError::Unknown {
                holder: format!("role {holder:?}"),
                role: name.to_owned(),
            });
        };
        path.push(name);
        let mut deepest = 0;
        for inherited in &role.inherits {
            deepest = deepest.max(self.depth(inherited, path, known)?);
        }
        path.pop();
        if deepest >= ROLE_DEPTH {
            return Err(RoleError::TooDeep(name.to_owned()));
        }
        known.insert(name, deepest + 1);
        Ok(deepest + 1)
    }
}

fn check_grants(
    holder: &str,
    grants: &[Grant],
    denials: &[Grant],
    admin: bool,
) -> Result<(), RoleError> {
    if let Some(grant) = grants
        .iter()
        .find(|grant| grant.privilege.admin_only() && !admin)
    {
        return Err(RoleError::AdminOnly {
            holder: holder.to_owned(),
            privilege: grant.privilege,
        });
    }
    for grant in grants.iter().chain(denials) {
        check_reach(holder, grant)?;
    }
    Ok(())
}

fn check_reach(holder: &str, grant: &Grant) -> Result<(), RoleError> {
    let channels = match (grant.privilege.per_channel(), grant.channels) {
        (false, channels) if channels != Channels::EVERY => Some("it is not per channel"),
        (true, Channels::NONE) => Some("the list is empty"),
        (true | false, _) => None,
    };
    let ids = match (grant.scope, grant.named.is_empty()) {
        (Scope::Named, true) => Some("it lists no ids"),
        (Scope::Named, false) | (_, true) => None,
        (_, false) => Some("ids are listed only with scope named"),
    };
    match (channels, ids) {
        (Some(why), _) => Err(RoleError::Channels {
            holder: holder.to_owned(),
            privilege: grant.privilege,
            why,
        }),
        (None, Some(why)) => Err(RoleError::Ids {
            holder: holder.to_owned(),
            privilege: grant.privilege,
            scope: grant.scope,
            why,
        }),
        (None, None) => Ok(()),
    }
}
