//! The pulse: whether every floor and queue still takes its mail, and what they say still becomes
//! durable. The question is a command about nothing, which goes the way of all others.

use super::clock;
use super::handle::Engine;
use crate::access::principal::{Identity, Principal};
use crate::access::role::{Limits, Roles};
use crate::domain::command::{Asked, FloorCommand, QueueCommand, QueueInput};
use crate::id::{ContactId, OfferId, QueueId, Seq, UserId};
use futures::future::join_all;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// What floor and queues say to each other after a start takes so many rounds at most.
const ROUNDS: usize = 3;
/// It is looked so often whether the log waits for room.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Somebody who is nobody and may do nothing.
fn nobody() -> Option<Arc<Principal>> {
    let mut identity = Identity::new(UserId(u32::MAX), "pulse", "agent");
    identity.roles.clear();
    let principal = identity.principal(&Roles::built_in(), Limits::default(), 0);
    principal.ok()
}

impl Engine {
    /// True when every floor and queue has answered by way of the log, or the log waits for room,
    /// which no start can give it. Waits for as long as neither is so. Cancel safe.
    pub async fn lives(&self) -> bool {
        let Some(nobody) = nobody() else {
            return false;
        };
        tokio::select! {
            () = self.beat(&nobody) => true,
            () = self.no_room() => true,
        }
    }

    async fn no_room(&self) {
        while !self.post().journal.waits_for_room() {
            clock::rest(LOOK_AGAIN).await;
        }
    }

    /// Waits until floor and queues have said what they say after a start, and the board shows
    /// it. Cancel safe.
    pub async fn settled(&self) {
        if self.post().journal.start() == Seq(0) {
            return;
        }
        if let Some(nobody) = nobody() {
            for _ in 0..ROUNDS {
                tokio::select! {
                    () = self.beat(&nobody) => {}
                    () = self.no_room() => return,
                }
            }
        }
        self.look(|_| ()).await;
    }

    /// Waits for an answer of the floor, and then of every queue.
    async fn beat(&self, nobody: &Arc<Principal>) {
        let doors = self.doors();
        let asked = |reply| Asked {
            principal: Arc::clone(nobody),
            generation: None,
            reply: Some(reply),
        };
        let (to, once) = doors.once();
        self.command_floor(asked(to), FloorCommand::Accept(OfferId(0)));
        // Whatever it says, it lives; one that is gone is told of by others.
        let _ = once.answer().await;
        let registry = &self.post().outlet.registry;
        let mut queues: Vec<QueueId> = Vec::new();
        registry.each_queue(|queue, _| queues.push(queue));
        let answers = queues.into_iter().filter_map(|queue| {
            let (to, once) = doors.once();
            let nothing = QueueCommand::End(ContactId(Uuid::nil()));
            let told = registry.tell_queue(queue, QueueInput::Command(asked(to), nothing));
            told.ok().map(|()| once.answer())
        });
        join_all(answers.collect::<Vec<_>>()).await;
    }
}
