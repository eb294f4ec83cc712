//! The registry: how every actor of a floor is reached, and which queue has a contact.

use super::drain::Drain;
use super::external::{Externals, Key};
use super::mailbox::{Mail, Mailbox, mailbox};
use crate::domain::command::{FloorInput, QueueInput};
use crate::domain::event::Event;
use crate::domain::machine::{Answer, Effect};
use crate::id::{ContactId, Incarnation, QueueId};
use crate::journal::index::Index;
use crate::limits;
use crate::time::Instant;
use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How an actor is reached, and in which life it is.
pub(super) struct Line<T> {
    pub(super) mailbox: Mailbox<T>,
    pub(super) life: Arc<Life>,
}

impl<T> Clone for Line<T> {
    fn clone(&self) -> Self {
        Self {
            mailbox: self.mailbox.clone(),
            life: Arc::clone(&self.life),
        }
    }
}

/// The life an actor is in.
#[derive(Debug, Default)]
pub(super) struct Life(AtomicU32);

impl Life {
    pub(super) fn now(&self) -> Incarnation {
        Incarnation(self.0.load(Ordering::Acquire))
    }

    /// Begins the next life.
    pub(super) fn next(&self) -> Incarnation {
        Incarnation(self.0.fetch_add(1, Ordering::AcqRel) + 1)
    }
}

/// Actors of one floor and where its contacts are.
pub(super) struct Registry {
    pub(super) floor: Line<FloorInput>,
    queues: DashMap<QueueId, Line<QueueInput>>,
    homes: DashMap<ContactId, Home>,
    closed: Mutex<Closed>,
    pub(super) externals: Externals,
    pub(super) drain: Drain,
}

struct Home {
    queue: QueueId,
    key: Key,
    /// The connector was given media commands, and may report on them after the end.
    media: bool,
}

/// Closed contacts, in the order in which they are forgotten.
#[derive(Default)]
struct Closed {
    plain: VecDeque<(Instant, ContactId)>,
    with_media: VecDeque<(Instant, ContactId)>,
}

impl Registry {
    /// A registry of a floor without queues, and the floor's mail.
    pub(super) fn new() -> (Self, Mail<FloorInput>) {
        let (mailbox, mail) = mailbox();
        let registry = Self {
            floor: Line {
                mailbox,
                life: Arc::default(),
            },
            queues: DashMap::new(),
            homes: DashMap::new(),
            closed: Mutex::default(),
            externals: Externals::default(),
            drain: Drain::default(),
        };
        (registry, mail)
    }

    /// Enters a queue, unless it is there: one actor per queue, however often it is started.
    /// The mail is for the one who starts it.
    pub(super) fn enter(&self, queue: QueueId) -> Option<(Line<QueueInput>, Mail<QueueInput>)> {
        match self.queues.entry(queue) {
            Entry::Occupied(_) => None,
            Entry::Vacant(free) => {
                let (mailbox, mail) = mailbox();
                let line = Line {
                    mailbox,
                    life: Arc::default(),
                };
                free.insert(line.clone());
                Some((line, mail))
            }
        }
    }

    /// How a queue is reached.
    pub(super) fn queue(&self, queue: QueueId) -> Option<Mailbox<QueueInput>> {
        self.queues.get(&queue).map(|line| line.mailbox.clone())
    }

    /// Tells a queue something; gives it back when there is no such queue.
    pub(super) fn tell_queue(&self, queue: QueueId, input: QueueInput) -> Result<(), QueueInput> {
        match self.queues.get(&queue) {
            Some(line) => line.mailbox.put(input),
            None => Err(input),
        }
    }

    /// Every queue's mailbox.
    pub(super) fn each_queue(&self, mut tell: impl FnMut(QueueId, &Mailbox<QueueInput>)) {
        for line in &self.queues {
            tell(*line.key(), &line.mailbox);
        }
    }

    /// The queue that has a contact.
    pub(super) fn home(&self, contact: ContactId) -> Option<QueueId> {
        self.homes.get(&contact).map(|home| home.queue)
    }

    /// Contacts that are found, those that have just closed included.
    pub(super) fn contacts(&self) -> usize {
        self.homes.len()
    }

    /// Brings the index of contacts up to what a queue has just done, before anybody hears of
    /// it.
    pub(super) fn follow(&self, now: Instant, effects: &[Effect]) {
        for effect in effects {
            if let Effect::Event { event, .. } = effect {
                self.drain.follow(event);
                self.follow_event(now, event);
            }
        }
    }

    fn follow_event(&self, now: Instant, event: &Event) {
        if let Event::ContactEntered { facts, queue, .. } = event {
            let key = (facts.channel, Arc::clone(&facts.external_id));
            let home = Home {
                queue: *queue,
                key,
                media: false,
            };
            self.homes.insert(facts.id, home);
        } else if let Event::MediaConnect { offer, .. } | Event::MediaDisconnect { offer, .. } =
            event
        {
            if let Some(mut home) = self.homes.get_mut(&offer.contact) {
                home.media = true;
            }
        } else if let Event::ContactClosed { contact, .. } = event {
            let media = self.homes.get(contact).is_some_and(|home| {
                self.externals.closed(home.key.clone(), now);
                home.media
            });
            self.forget_later(*contact, media, now);
        }
    }

    /// Enters what the log knew when the server started.
    pub(super) fn recover(&self, index: &Index, now: Instant) {
        for (contact, found) in index.iter() {
            let key = (found.channel, Arc::clone(&found.external_id));
            let answer = Answer::Submitted {
                contact,
                external_id: Arc::clone(&found.external_id),
                channel: found.channel,
                queue: found.queue,
                conversation: found.conversation,
                first_entry: found.first_entry,
                repeated: false,
            };
            let whose = found.submitted_by;
            self.externals.remember(key.clone(), whose, answer);
            let home = Home {
                queue: found.queue,
                key: key.clone(),
                media: found.media,
            };
            self.homes.insert(contact, home);
            if let Some(closed) = found.closed {
                self.externals.closed(key, closed);
                self.forget_later(contact, found.media, closed);
            }
        }
        self.forget(now);
    }

    fn forget_later(&self, contact: ContactId, media: bool, now: Instant) {
        {
            let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
            if media {
                let until = now + limits::MEDIA_MEMORY;
                closed.with_media.push_back((until, contact));
            } else {
                let until = now + limits::CLOSED_FOUND;
                closed.plain.push_back((until, contact));
            }
        }
        self.forget(now);
    }

    /// Forgets closed contacts whose time has come.
    fn forget(&self, now: Instant) {
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        let Closed { plain, with_media } = &mut *closed;
        for line in [plain, with_media] {
            while let Some((until, contact)) = line.front().copied()
                && until <= now
            {
                line.pop_front();
                self.homes.remove(&contact);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Registry;
    use crate::domain::contact::{Closed, Facts};
    use crate::domain::event::{By, Entered, Event, OfferRef};
    use crate::domain::machine::Effect;
    use crate::domain::requirement::Requirement;
    use crate::id::{
        AgentId, ChannelId, CommandId, ContactId, OfferId, QueueId, ReservationId, UserId,
    };
    use crate::limits;
    use crate::time::{Instant, Span};
    use uuid::Uuid;

    const QUEUE: QueueId = QueueId(3);

    fn id(number: u128) -> ContactId {
        ContactId(Uuid::from_u128(number))
    }

    fn entered(number: u128) -> Event {
        let facts = Facts {
            id: id(number),
            external_id: number.to_string().into(),
            channel: ChannelId(0),
            conversation: id(number),
            first_entry: Instant(1),
            priority: 0,
            tier: 5,
            due_at: None,
            requirement: Requirement::anyone(),
            preferred: None,
            patience: None,
            submitted_by: UserId(1),
        };
        Event::ContactEntered {
            facts: Box::new(facts),
            queue: QUEUE,
            how: Entered::New,
            due_at: Instant(1),
        }
    }

    fn disconnect(number: u128) -> Event {
        Event::MediaDisconnect {
            command: CommandId {
                contact: id(number),
                number: 1,
            },
            offer: OfferRef {
                offer: OfferId(1),
                reservation: ReservationId(1),
                contact: id(number),
                queue: QUEUE,
                channel: ChannelId(0),
                agent: AgentId(1),
            },
            connector: UserId(1),
        }
    }

    fn closed(number: u128) -> Event {
        Event::ContactClosed {
            contact: id(number),
            queue: QUEUE,
            reason: Closed::Completed,
        }
    }

    #[test]
    fn a_closed_contact_is_found_for_as_long_as_somebody_may_speak_of_it() {
        let (registry, _mail) = Registry::new();
        let follow = |at: Instant, events: Vec<Event>| {
            let effect = |event| Effect::Event {
                event,
                by: By::Engine,
                content: None,
            };
            let effects: Vec<Effect> = events.into_iter().map(effect).collect();
            registry.follow(at, &effects);
        };
        let at = Instant(1_000_000);
        follow(at, vec![entered(1), entered(2), entered(3)]);
        follow(at, vec![disconnect(2), closed(1), closed(2)]);
        let home = |number| registry.home(id(number));
        assert_eq!((home(1), home(2)), (Some(QUEUE), Some(QUEUE)));
        follow(at + limits::CLOSED_FOUND, vec![closed(3)]);
        assert_eq!((home(1), home(2)), (None, Some(QUEUE)));
        follow(
            at + limits::MEDIA_MEMORY - Span(1),
            vec![entered(4), closed(4)],
        );
        assert_eq!(home(2), Some(QUEUE), "the connector may still report");
        follow(at + limits::MEDIA_MEMORY, vec![entered(5), closed(5)]);
        assert_eq!(home(2), None);
    }
}
