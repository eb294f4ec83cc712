//! A configuration that changes while the workspace is served.

use super::Gate;
use crate::directory::Directory;
use crate::domain::rules::Workspace;
use crate::journal::Beside;
use crate::journal::beside::Configuration;
use std::sync::Arc;

/// The server stops and takes no configuration any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the server stops")]
pub struct Stopping;

impl Gate {
    /// Warns of contacts in queues that are not configured any more: nobody is offered them.
    pub async fn warn_of_gone_queues(&self) {
        let rules = self.engine.rules();
        let gone = rules
            .queues
            .iter()
            .filter(|queue| queue.channels.is_empty());
        for queue in gone {
            let id = queue.id;
            let left = self.engine.look(move |board| board.contacts_of(id)).await;
            let contacts = left.unwrap_or_default();
            if contacts > 0 {
                let (workspace, queue) = (self.name(), &queue.name);
                tracing::warn!(
                    workspace,
                    queue,
                    contacts,
                    "this queue is gone and has contacts: they wait until it is back"
                );
            }
        }
    }

    /// Puts rules and directory in force. What they name is in the log first: an event never
    /// names what a server that starts does not know.
    ///
    /// # Errors
    /// When the server stops first; nothing has changed.
    pub async fn put_in_force(
        &self,
        rules: &Arc<Workspace>,
        directory: &Directory,
        configuration: Configuration,
    ) -> Result<(), Stopping> {
        let names = directory.names();
        if self.recall.is_some() {
            let beside = Beside {
                names: Some(names.known()),
                configuration: Some(configuration),
                ..Beside::default()
            };
            if !self.engine.keep(beside).await {
                return Err(Stopping);
            }
        }
        self.directories.replace(directory.clone());
        if *self.engine.rules() != **rules {
            self.engine.change_rules(rules, names);
        }
        Ok(())
    }
}
