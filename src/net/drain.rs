//! Sessions hear when their workspace drains, and that of the server which does everything for it.

use super::server::Server;
use std::sync::Arc;

impl Server {
    /// No workspace takes new contacts.
    #[must_use]
    pub fn drains(&self) -> bool {
        let mut gates = self.site().gates();
        gates.all(|gate| *gate.engine().draining().borrow())
    }
}

/// Warns the sessions of each workspace when it begins to drain, as long as the server runs.
pub(super) fn warn_of(server: &Arc<Server>) {
    for gate in server.site().gates() {
        let (gate, server) = (Arc::clone(gate), Arc::clone(server));
        let tasks = server.tasks().clone();
        tasks.spawn(async move {
            let mut draining = gate.engine().draining();
            loop {
                let changed = tokio::select! {
                    changed = draining.changed() => changed,
                    () = server.stopping() => return,
                };
                if changed.is_err() {
                    return;
                }
                if *draining.borrow_and_update() {
                    let sessions = server.roll().all(|session| session.is_in(gate.name()));
                    sessions.iter().for_each(|session| session.warn_of_drain());
                }
            }
        });
    }
}
