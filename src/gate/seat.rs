//! Sessions and the seats they speak for, beyond the life of a socket and of the process.

use super::{Caller, Gate};
use crate::domain::command::{Asked, FloorCommand};
use crate::domain::machine::ReplyTo;
use crate::engine::door::Mark;
use crate::id::{Generation, UserId};
use crate::journal::Beside;
use crate::journal::beside::SessionRow;
use std::sync::Arc;

impl Gate {
    /// By which sessions users were signed in before the server started.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionRow> {
        let rows = self.recall.as_ref().map(|recall| recall.sessions());
        rows.unwrap_or_else(|| Ok(Vec::new()))
            .unwrap_or_else(|why| {
                self.engine.fatal().say(format!("sessions: {why}"));
                Vec::new()
            })
    }

    /// A sign-in goes on in another session: durable when this returns, unless the server stops.
    pub async fn keep_session(&self, user: UserId, generation: Generation, secret: Mark) {
        if self.recall.is_none() {
            return;
        }
        let row = SessionRow {
            user,
            generation,
            secret,
        };
        let beside = Beside {
            sessions: vec![row],
            ..Beside::default()
        };
        self.engine.keep(beside).await;
    }

    /// Asks what a seat has in hand, for a session that goes on with its sign-in. The answer is
    /// that to a sign-in.
    pub fn come_back(&self, caller: &Caller, generation: Generation, to: ReplyTo) {
        let asked = Asked {
            principal: Arc::clone(&caller.principal),
            generation: Some(generation),
            reply: Some(to),
        };
        self.engine.command_floor(asked, FloorCommand::Return);
    }
}
