//! Tokens: who somebody is, and in which of the workspaces that are served here. Looked at
//! before any state is.

use super::refuse;
use crate::access::token::TokenKey;
use crate::directory::Directory;
use crate::engine::clock::Clock;
use crate::id::UserId;
use crate::time::Instant;
use crate::wire::error::{Code, WireError};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// A directory that changes as a whole: whoever reads it gets the newest.
#[derive(Debug)]
pub struct Directories(RwLock<Arc<Directory>>);

impl Directories {
    /// This directory, until it is replaced.
    #[must_use]
    pub fn new(directory: Directory) -> Self {
        Self(RwLock::new(Arc::new(directory)))
    }

    /// The newest.
    #[must_use]
    pub fn now(&self) -> Arc<Directory> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts a newer one in its place.
    pub fn replace(&self, directory: Directory) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(directory);
    }
}

/// Whom a valid token lets in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entrant {
    /// The workspace.
    pub workspace: String,
    /// The user in it.
    pub user: UserId,
    /// The token runs out then.
    pub expires_at: Instant,
}

/// The local signing key and the workspaces that it opens.
#[derive(Debug)]
pub struct Tokens {
    key: TokenKey,
    workspaces: BTreeMap<String, Arc<Directories>>,
    clock: Clock,
}

impl Tokens {
    /// Tokens of this key for these workspaces.
    #[must_use]
    pub fn new(
        key: TokenKey,
        workspaces: BTreeMap<String, Arc<Directories>>,
        clock: Clock,
    ) -> Self {
        Self {
            key,
            workspaces,
            clock,
        }
    }

    /// Whom the token lets in.
    ///
    /// # Errors
    /// `token_expired`, or `unauthenticated` for everything else; the text names no part of the
    /// token.
    pub fn check(&self, token: &str) -> Result<Entrant, WireError> {
        let served = |workspace: &str| self.workspaces.contains_key(workspace);
        let claims = self
            .key
            .check(token, self.clock.now(), served)
            .map_err(refuse::token)?;
        let user = self
            .workspaces
            .get(&claims.workspace)
            .and_then(|directories| directories.now().names().user(&claims.subject))
            .ok_or_else(|| {
                let text = "the token is of a user that is not known here";
                WireError::new(Code::Unauthenticated, text)
            })?;
        Ok(Entrant {
            workspace: claims.workspace,
            user,
            expires_at: claims.expires_at,
        })
    }

    /// Workspaces in which a person of this name is a user.
    pub fn workspaces_of<'a>(&'a self, login: &'a str) -> impl Iterator<Item = &'a str> {
        self.workspaces
            .iter()
            .filter(|(_, directories)| directories.now().names().user(login).is_some())
            .map(|(name, _)| name.as_str())
    }
}
