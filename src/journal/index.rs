//! Where contacts are and by which ids they were submitted, as the log knows it: what a server
//! that starts again needs so that commands find their contacts and nothing is taken in twice.

use super::Fold;
use crate::domain::event::{Event, Record};
use crate::id::{ChannelId, ContactId, QueueId, UserId};
use crate::limits;
use crate::time::Instant;
use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A contact that can be found.
#[derive(Clone, PartialEq, Debug)]
pub struct Found {
    /// The queue that has it.
    pub queue: QueueId,
    /// Its channel.
    pub channel: ChannelId,
    /// The connector's id of it.
    pub external_id: Arc<str>,
    /// Who submitted it.
    pub submitted_by: UserId,
    /// Joins contacts of one matter.
    pub conversation: ContactId,
    /// When it first entered a queue.
    pub first_entry: Instant,
    /// Its connector was given media commands.
    pub media: bool,
    /// When it was closed.
    pub closed: Option<Instant>,
}

/// Every contact that lives, and closed ones whose external id is remembered.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Index {
    contacts: BTreeMap<ContactId, Found>,
    /// Closed ones, in the order in which they are forgotten.
    closed: VecDeque<(Instant, ContactId)>,
}

impl Index {
    /// Closed contacts in the order in which they closed, then those that live.
    pub fn iter(&self) -> impl Iterator<Item = (ContactId, &Found)> {
        let closed = self.closed.iter().map(|(_, contact)| *contact);
        let closed = closed.filter_map(|contact| Some((contact, self.contacts.get(&contact)?)));
        let live = self
            .contacts
            .iter()
            .filter(|(_, found)| found.closed.is_none());
        closed.chain(live.map(|(contact, found)| (*contact, found)))
    }

    fn close(&mut self, at: Instant, contact: ContactId) {
        let Some(found) = self.contacts.get_mut(&contact) else {
            return;
        };
        found.closed = Some(at);
        self.closed.push_back((at, contact));
        while let Some((closed, contact)) = self.closed.front().copied()
            && (closed + limits::EXTERNAL_ID_MEMORY <= at
                || self.closed.len() > limits::EXTERNAL_IDS)
        {
            self.closed.pop_front();
            self.contacts.remove(&contact);
        }
    }
}

impl Fold for Index {
    fn fold(&mut self, record: &Record) {
        if let Event::ContactEntered { facts, queue, .. } = &record.event {
            let found = Found {
                queue: *queue,
                channel: facts.channel,
                external_id: Arc::clone(&facts.external_id),
                submitted_by: facts.submitted_by,
                conversation: facts.conversation,
                first_entry: facts.first_entry,
                media: false,
                closed: None,
            };
            self.contacts.insert(facts.id, found);
        } else if let Event::MediaConnect { offer, .. } | Event::MediaDisconnect { offer, .. } =
            &record.event
        {
            if let Some(found) = self.contacts.get_mut(&offer.contact) {
                found.media = true;
            }
        } else if let Event::ContactClosed { contact, .. } = &record.event {
            self.close(record.at, *contact);
        }
    }

    fn copy(&self) -> Box<dyn Fold> {
        Box::new(self.clone())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
