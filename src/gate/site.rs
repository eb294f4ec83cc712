//! Everything that one process serves: its workspaces, each behind its gate, and the tokens
//! that open them.

use super::Gate;
use super::tokens::{Directories, Entrant, Tokens};
use crate::access::token::TokenKey;
use crate::directory::Directory;
use crate::engine::Engine;
use crate::engine::clock::Clock;
use crate::wire::error::{Code, WireError};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// A workspace that is to be served.
pub struct Served {
    /// Its name, as tokens say it.
    pub name: String,
    /// Its users.
    pub directory: Directory,
    /// Its engine.
    pub engine: Engine,
    /// The file of its history; none where nothing is kept.
    pub history: Option<PathBuf>,
}

/// The workspaces of one process.
#[derive(Debug)]
pub struct Site {
    tokens: Arc<Tokens>,
    gates: BTreeMap<String, Arc<Gate>>,
    clock: Clock,
}

impl Site {
    /// Serves these workspaces to whom this key lets in.
    #[must_use]
    pub fn new(key: TokenKey, workspaces: Vec<Served>, clock: Clock) -> Self {
        let mut directories = BTreeMap::new();
        let mut engines = Vec::new();
        for served in workspaces {
            let users = Arc::new(Directories::new(served.directory));
            directories.insert(served.name.clone(), Arc::clone(&users));
            engines.push((served.name, users, served.engine, served.history));
        }
        let tokens = Arc::new(Tokens::new(key, directories, clock.clone()));
        let gate = |(name, users, engine, history): (String, _, _, _)| {
            let gate = Gate::new(&name, engine, users, Arc::clone(&tokens), history);
            (name, Arc::new(gate))
        };
        let gates = engines.into_iter().map(gate).collect();
        Self {
            tokens,
            gates,
            clock,
        }
    }

    /// Whom a token lets in, and where.
    ///
    /// # Errors
    /// `token_expired` or `unauthenticated`.
    pub fn enter(&self, token: &str) -> Result<(Arc<Gate>, Entrant), WireError> {
        self.gate_of(self.tokens.check(token)?)
    }

    /// The same for a request by HTTP, whose token comes with every one.
    ///
    /// # Errors
    /// Those of [`Site::enter`].
    pub fn enter_once(&self, token: &str) -> Result<(Arc<Gate>, Entrant), WireError> {
        self.gate_of(self.tokens.check_often(token)?)
    }

    fn gate_of(&self, entrant: Entrant) -> Result<(Arc<Gate>, Entrant), WireError> {
        match self.gates.get(&entrant.workspace) {
            Some(gate) => Ok((Arc::clone(gate), entrant)),
            None => {
                let text = "the token is for another workspace";
                Err(WireError::new(Code::Unauthenticated, text))
            }
        }
    }

    /// The gates, by name of their workspace.
    pub fn gates(&self) -> impl Iterator<Item = &Arc<Gate>> {
        self.gates.values()
    }

    /// The clock that the engines go by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }
}
