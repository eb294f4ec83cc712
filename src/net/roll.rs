//! Every session that is open, so that it hears of what changes around it.

use super::session::Session;
use crate::id::UserId;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Sessions that are over may be named still, until those are as many as the others.
#[derive(Debug, Default)]
pub(super) struct Roll(Mutex<Named>);

#[derive(Debug, Default)]
struct Named {
    sessions: Vec<Weak<Session>>,
    /// So long it may become until it is looked through.
    most: usize,
}

/// So many sessions that are over may always be named.
const FEW: usize = 64;

impl Roll {
    /// A session has been opened.
    pub(super) fn enter(&self, session: &Arc<Session>) {
        let mut named = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if named.sessions.len() >= named.most {
            named.sessions.retain(|session| session.strong_count() > 0);
            named.most = 2 * named.sessions.len() + FEW;
        }
        named.sessions.push(Arc::downgrade(session));
    }

    /// The open sessions of a user of a workspace.
    pub(super) fn of(&self, workspace: &str, user: UserId) -> Vec<Arc<Session>> {
        self.all(|session| session.is_of(workspace, user))
    }

    /// The open sessions that are wanted.
    pub(super) fn all(&self, wanted: impl Fn(&Session) -> bool) -> Vec<Arc<Session>> {
        let named = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let open = named.sessions.iter().filter_map(Weak::upgrade);
        open.filter(|session| wanted(session)).collect()
    }
}
