//! The directory: users, roles and teams of a workspace, and the principals made of them.

mod names;

pub use names::{Known, Numbered, WorkspaceNames};

use crate::access::principal::{Identity, Principal};
use crate::access::role::{Limits, RoleError, Roles};
use crate::id::UserId;
use std::sync::Arc;

/// Users and roles of one workspace. Immutable: a change makes a new one, of a greater version.
#[derive(Clone, Debug)]
pub struct Directory {
    names: Arc<WorkspaceNames>,
    roles: Arc<Roles>,
    principals: Vec<Arc<Principal>>,
}

impl Directory {
    /// The directory of these users, by [`UserId`].
    ///
    /// # Errors
    /// [`RoleError`] of the first user whose roles or grants do not hold together.
    pub fn new(
        names: Arc<WorkspaceNames>,
        roles: Arc<Roles>,
        users: Vec<Identity>,
        version: u64,
    ) -> Result<Self, RoleError> {
        let principal = |user: Identity| user.principal(&roles, Limits::default(), version);
        let principals = users.into_iter().map(principal).collect::<Result<_, _>>()?;
        Ok(Self {
            names,
            roles,
            principals,
        })
    }

    /// The names of the workspace's objects.
    #[must_use]
    pub fn names(&self) -> &Arc<WorkspaceNames> {
        &self.names
    }

    /// The roles of the workspace.
    #[must_use]
    pub fn roles(&self) -> &Arc<Roles> {
        &self.roles
    }

    /// What a user may do, as of now.
    #[must_use]
    pub fn principal(&self, user: UserId) -> Option<&Arc<Principal>> {
        self.principals.get(user.index())
    }

    /// The user or connector that a token names as its subject.
    #[must_use]
    pub fn by_login(&self, login: &str) -> Option<&Arc<Principal>> {
        self.principal(self.names.user(login)?)
    }

    /// Every user and connector, by [`UserId`].
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Principal>> {
        self.principals.iter()
    }
}
