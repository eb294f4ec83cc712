//! Media commands: each goes to one socket of the connector's identity, and again, perhaps to
//! another, until it is reported or pointless.

use crate::domain::event::{Event, Record};
use crate::id::{CommandId, ContactId, OfferId, UserId};
use crate::limits;
use crate::live::delta::{MediaAsk, MediaCommand, Sub, Watcher};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A command to be said to one socket now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dispatch {
    /// The view it is said on.
    pub sub: Sub,
    /// The socket.
    pub to: Watcher,
    /// The command.
    pub command: MediaCommand,
}

/// Commands that are not yet reported, and the sockets that share them.
#[derive(Clone, Debug, Default)]
pub struct Media {
    sockets: BTreeMap<UserId, BTreeMap<(Watcher, Sub), u32>>,
    commands: BTreeMap<CommandId, Pending>,
    waiting: BTreeMap<UserId, BTreeSet<CommandId>>,
    again: BTreeSet<(Instant, CommandId)>,
}

/// A command that is not yet reported.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Pending {
    command: MediaCommand,
    connector: UserId,
    /// The socket that has it: none after a start.
    #[serde(skip)]
    to: Option<(Watcher, Sub)>,
    again: Instant,
    /// Pointless from then on.
    until: Instant,
}

impl Media {
    /// Takes a record in: a new command, or the end of one.
    pub fn fold(&mut self, record: &Record) -> Option<Dispatch> {
        match &record.event {
            Event::MediaConnect {
                command,
                offer,
                connector,
                deadline,
            } => {
                let ask = MediaAsk::Connect {
                    agent: offer.agent,
                    deadline: *deadline,
                };
                self.add(
                    *command,
                    offer.contact,
                    offer.offer,
                    ask,
                    *connector,
                    record.at,
                )
            }
            Event::MediaDisconnect {
                command,
                offer,
                connector,
            } => {
                self.drop_connects(offer.contact, Some(offer.offer));
                let ask = MediaAsk::Disconnect;
                self.add(
                    *command,
                    offer.contact,
                    offer.offer,
                    ask,
                    *connector,
                    record.at,
                )
            }
            Event::MediaReported { command, .. } => {
                self.end(*command);
                None
            }
            Event::ContactRequeued { contact, .. } | Event::ContactClosed { contact, .. } => {
                self.drop_connects(*contact, None);
                None
            }
            Event::ContactEntered { .. }
            | Event::ContactOffered { .. }
            | Event::ContactConnecting { .. }
            | Event::LegConnected { .. }
            | Event::ContactReturned { .. }
            | Event::ContactReadmitted { .. }
            | Event::ContactStepped { .. }
            | Event::ContactReleased { .. }
            | Event::ContactPrioritised { .. }
            | Event::ContactUpdated { .. }
            | Event::ContactEnded { .. }
            | Event::LegWrapUpStarted { .. }
            | Event::LegWrapUpGiven { .. }
            | Event::LegEnded { .. }
            | Event::OfferMade { .. }
            | Event::OfferTaken { .. }
            | Event::OfferEnded { .. }
            | Event::SeatWrapUp { .. }
            | Event::SeatReleased { .. }
            | Event::AgentSignedIn { .. }
            | Event::AgentSignedOut { .. }
            | Event::AgentStateChanged { .. }
            | Event::AgentChannelsChanged { .. }
            | Event::AgentQueuesChanged { .. }
            | Event::AgentConnectionLost { .. }
            | Event::AgentResumed { .. }
            | Event::Recovered { .. }
            | Event::WorkspaceDraining { .. }
            | Event::ActorRestarted { .. } => None,
        }
    }

    /// A socket of a connector is there. It is given what is given to nobody.
    pub fn join(&mut self, now: Instant, user: UserId, to: Watcher, sub: Sub) -> Vec<Dispatch> {
        self.sockets.entry(user).or_default().insert((to, sub), 0);
        let waiting = self.waiting.get(&user).into_iter().flatten();
        let orphans: Vec<CommandId> = waiting
            .filter(|id| self.commands.get(id).is_some_and(|p| p.to.is_none()))
            .copied()
            .collect();
        let given = orphans.into_iter().filter_map(|id| self.give(now, id));
        given.collect()
    }

    /// A socket of a connector is gone. What it had not reported is given to the others.
    pub fn leave(&mut self, now: Instant, user: UserId, from: Watcher, sub: Sub) -> Vec<Dispatch> {
        if let Some(sockets) = self.sockets.get_mut(&user) {
            sockets.remove(&(from, sub));
            if sockets.is_empty() {
                self.sockets.remove(&user);
            }
        }
        let waiting = self.waiting.get(&user).into_iter().flatten();
        let orphans: Vec<CommandId> = waiting
            .filter(|id| {
                let to = self.commands.get(id).and_then(|pending| pending.to);
                to == Some((from, sub))
            })
            .copied()
            .collect();
        for id in &orphans {
            if let Some(pending) = self.commands.get_mut(id) {
                pending.to = None;
            }
        }
        let given = orphans.into_iter().filter_map(|id| self.give(now, id));
        given.collect()
    }

    /// Commands that are not yet reported, as they are written.
    pub fn pending(&self) -> impl Iterator<Item = &Pending> {
        self.commands.values()
    }

    /// The commands that were written, given to nobody.
    #[must_use]
    pub fn restore(pending: Vec<Pending>) -> Self {
        let mut media = Self::default();
        for pending in pending {
            let id = pending.command.command;
            let waiting = media.waiting.entry(pending.connector).or_default();
            waiting.insert(id);
            media.again.insert((pending.again, id));
            media.commands.insert(id, pending);
        }
        media
    }

    /// When a command is next to be repeated.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.again.first().map(|(at, _)| *at)
    }

    /// Repeats what has not been reported for too long, and forgets what is pointless.
    pub fn repeat(&mut self, now: Instant) -> Vec<Dispatch> {
        let mut said = Vec::new();
        while let Some((at, id)) = self.again.first().copied()
            && at <= now
        {
            if self
                .commands
                .get(&id)
                .is_none_or(|pending| pending.until <= now)
            {
                self.end(id);
                self.again.remove(&(at, id));
            } else {
                said.extend(self.give(now, id));
            }
        }
        said
    }

    /// Commands that are not yet reported.
    #[must_use]
    pub fn open(&self) -> usize {
        self.commands.len()
    }

    fn add(
        &mut self,
        id: CommandId,
        contact: ContactId,
        leg: OfferId,
        ask: MediaAsk,
        connector: UserId,
        at: Instant,
    ) -> Option<Dispatch> {
        let until = match ask {
            MediaAsk::Connect { deadline, .. } => deadline,
            MediaAsk::Disconnect => at + limits::MEDIA_MEMORY,
        };
        let command = MediaCommand {
            command: id,
            contact,
            leg,
            ask,
        };
        let pending = Pending {
            command,
            connector,
            to: None,
            again: at,
            until,
        };
        self.commands.insert(id, pending);
        self.waiting.entry(connector).or_default().insert(id);
        self.again.insert((at, id));
        self.give(at, id)
    }

    /// Gives a command to the socket with the fewest, another one than before if there is one.
    fn give(&mut self, now: Instant, id: CommandId) -> Option<Dispatch> {
        let pending = self.commands.get_mut(&id)?;
        self.again.remove(&(pending.again, id));
        pending.again = now + limits::MEDIA_AGAIN;
        self.again.insert((pending.again, id));
        let before = pending.to.take();
        let sockets = self.sockets.get_mut(&pending.connector)?;
        if let Some(count) = before.and_then(|socket| sockets.get_mut(&socket)) {
            *count = count.saturating_sub(1);
        }
        let least = sockets
            .iter()
            .min_by_key(|(socket, count)| (before == Some(**socket), **count, **socket));
        let (socket, _) = least?;
        let (to, sub) = *socket;
        if let Some(count) = sockets.get_mut(&(to, sub)) {
            *count += 1;
        }
        pending.to = Some((to, sub));
        Some(Dispatch {
            sub,
            to,
            command: pending.command,
        })
    }

    fn end(&mut self, id: CommandId) {
        let Some(pending) = self.commands.remove(&id) else {
            return;
        };
        self.again.remove(&(pending.again, id));
        if let Some(waiting) = self.waiting.get_mut(&pending.connector) {
            waiting.remove(&id);
            if waiting.is_empty() {
                self.waiting.remove(&pending.connector);
            }
        }
        let sockets = self.sockets.get_mut(&pending.connector);
        if let Some(count) = pending.to.and_then(|to| sockets?.get_mut(&to)) {
            *count = count.saturating_sub(1);
        }
    }

    /// Nobody is to be connected any more with a customer who is back in line or gone, nor a leg
    /// that is to be let go.
    fn drop_connects(&mut self, contact: ContactId, leg: Option<OfferId>) {
        let first = CommandId { contact, number: 0 };
        let last = CommandId {
            contact,
            number: u32::MAX,
        };
        let ids: Vec<CommandId> = self
            .commands
            .range(first..=last)
            .filter(|(_, pending)| pending.command.ask != MediaAsk::Disconnect)
            .filter(|(_, pending)| leg.is_none_or(|leg| leg == pending.command.leg))
            .map(|(id, _)| *id)
            .collect();
        ids.into_iter().for_each(|id| self.end(id));
    }
}
