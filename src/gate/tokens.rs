//! Tokens: who somebody is, and in which of the workspaces that are served here. Looked at
//! before any state is.

use super::refuse;
use crate::access::token::{Claims, TokenError, TokenKey};
use crate::directory::Directory;
use crate::engine::clock::Clock;
use crate::id::UserId;
use crate::limits;
use crate::time::Instant;
use crate::wire::error::{Code, WireError};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
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
pub struct Tokens {
    key: TokenKey,
    workspaces: BTreeMap<String, Arc<Directories>>,
    clock: Clock,
    /// What good tokens of requests say: a connector shows the same one with every request.
    known: RwLock<HashMap<Box<str>, Claims>>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("key", &self.key)
            .field("workspaces", &self.workspaces.keys())
            .finish_non_exhaustive()
    }
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
            known: RwLock::default(),
        }
    }

    /// Whom the token lets in.
    ///
    /// # Errors
    /// `token_expired`, or `unauthenticated` for everything else; the text names no part of the
    /// token.
    pub fn check(&self, token: &str) -> Result<Entrant, WireError> {
        let claims = self.claims(token, self.clock.now());
        self.entrant(&claims.map_err(refuse::token)?)
    }

    /// The same of a token that is likely to be shown again soon.
    ///
    /// # Errors
    /// Those of [`Tokens::check`].
    pub fn check_often(&self, token: &str) -> Result<Entrant, WireError> {
        let now = self.clock.now();
        {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(claims) = known.get(token) {
                claims.hold(now).map_err(refuse::token)?;
                return self.entrant(claims);
            }
        }
        let claims = self.claims(token, now).map_err(refuse::token)?;
        let entrant = self.entrant(&claims);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= limits::TOKENS_KNOWN {
            known.clear();
        }
        known.insert(token.into(), claims);
        entrant
    }

    fn claims(&self, token: &str, now: Instant) -> Result<Claims, TokenError> {
        let served = |workspace: &str| self.workspaces.contains_key(workspace);
        self.key.check(token, now, served)
    }

    /// The user whom a good token names, as the directory has him now.
    fn entrant(&self, claims: &Claims) -> Result<Entrant, WireError> {
        let user = self
            .workspaces
            .get(&claims.workspace)
            .and_then(|directories| directories.now().names().user(&claims.subject))
            .ok_or_else(|| {
                let text = "the token is of a user that is not known here";
                WireError::new(Code::Unauthenticated, text)
            })?;
        Ok(Entrant {
            workspace: claims.workspace.clone(),
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

#[cfg(test)]
mod tests {
    use super::{Directories, Tokens};
    use crate::access::role::Roles;
    use crate::access::token::TokenKey;
    use crate::directory::{Directory, WorkspaceNames};
    use crate::engine::clock::Clock;
    use crate::limits;
    use crate::time::{Instant, Span};
    use crate::wire::error::Code;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    const HOUR: Span = Span::minutes(60);

    fn key() -> TokenKey {
        TokenKey::new(&[7; 32], "switchroom", "floor").unwrap()
    }

    fn users(names: &[&str]) -> Directory {
        let names = WorkspaceNames {
            users: names.iter().collect(),
            ..WorkspaceNames::default()
        };
        let roles = Roles::new(Vec::new()).unwrap();
        Directory::new(Arc::new(names), Arc::new(roles), Vec::new(), 1).unwrap()
    }

    #[test]
    fn a_token_that_is_known_is_held_to_its_time_and_to_the_directory_each_time() {
        let clock = Clock::by_hand(Instant(1_800_000_000_000));
        let directories = Arc::new(Directories::new(users(&["ana"])));
        let served = BTreeMap::from([("main".to_owned(), Arc::clone(&directories))]);
        let tokens = Tokens::new(key(), served, clock.clone());
        let token = key().mint("ana", "main", clock.now(), HOUR).unwrap();
        let check = || tokens.check_often(&token);
        let entrant = check().unwrap();
        assert_eq!(check(), Ok(entrant.clone()));
        assert_eq!(tokens.check(&token), Ok(entrant));
        assert!(!format!("{tokens:?}").contains(&token));

        directories.replace(users(&["ben"]));
        assert_eq!(check().unwrap_err().code, Code::Unauthenticated);
        directories.replace(users(&["ana"]));
        assert!(check().is_ok());
        clock.move_on(HOUR);
        assert!(check().is_ok());
        clock.move_on(limits::TOKEN_LEEWAY);
        assert_eq!(check().unwrap_err().code, Code::TokenExpired);
    }

    #[test]
    fn tokens_that_are_not_good_are_not_known_and_no_more_are_than_have_room() {
        let clock = Clock::by_hand(Instant(1_800_000_000_000));
        let directories = Arc::new(Directories::new(users(&["ana"])));
        let served = BTreeMap::from([("main".to_owned(), directories)]);
        let tokens = Tokens::new(key(), served, clock.clone());
        let known = || tokens.known.read().unwrap().len();
        let foreign = key().mint("ana", "other", clock.now(), HOUR).unwrap();
        for bad in ["", "a.b.c", &foreign] {
            assert!(tokens.check_often(bad).is_err());
        }
        assert_eq!(known(), 0);
        for second in 0..=limits::TOKENS_KNOWN as u64 {
            let lasts = Span::seconds(3_600 + second);
            let token = key().mint("ana", "main", clock.now(), lasts).unwrap();
            assert!(tokens.check_often(&token).is_ok());
        }
        assert_eq!(known(), 1);
    }
}
