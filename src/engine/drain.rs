//! Draining: no new contacts are taken, and what is there is finished. Whether it is so the log
//! says; here it is known to those who let contacts in, and to whoever wants to hear of it.

use super::handle::{Engine, NotNow};
use crate::domain::contact::Facts;
use crate::domain::event::Event;
use std::sync::Arc;
use tokio::sync::watch;

/// Whether a floor drains.
pub(super) struct Drain(watch::Sender<bool>);

impl Default for Drain {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Drain {
    pub(super) fn set(&self, draining: bool) {
        self.0.send_if_modified(|is| {
            let other = *is != draining;
            *is = draining;
            other
        });
    }

    /// Brings it up to what the floor has just done, before anybody hears of it.
    pub(super) fn follow(&self, event: &Event) {
        if let Event::WorkspaceDraining { draining } = event {
            self.set(*draining);
        }
    }
}

impl Engine {
    /// Whether a contact that is new may come in. One that is known is answered as ever.
    ///
    /// # Errors
    /// When the workspace drains.
    pub fn admit_new(&self, facts: &Facts) -> Result<(), NotNow> {
        let registry = &self.post().outlet.registry;
        if !*registry.drain.0.borrow() {
            return Ok(());
        }
        let key = (facts.channel, Arc::clone(&facts.external_id));
        match registry.externals.knows(&key) {
            true => Ok(()),
            false => Err(NotNow::Draining),
        }
    }

    /// Whether the workspace drains, and when that changes.
    #[must_use]
    pub fn draining(&self) -> watch::Receiver<bool> {
        self.post().outlet.registry.drain.0.subscribe()
    }
}
