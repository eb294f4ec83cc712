//! Where contacts are and by which ids they were submitted, as the log knows it: what a server
//! that starts again needs so that commands find their contacts and nothing is taken in twice.

use super::Source;
use super::fold::{Fold, Name, Unwritable, whole};
use crate::domain::event::{Event, Record};
use crate::id::{ChannelId, ContactId, QueueId, UserId};
use crate::limits;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A contact that can be found.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
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
    live: BTreeMap<ContactId, Found>,
    /// In the order in which they closed.
    closed: VecDeque<(ContactId, Found)>,
    /// How many of them, from the front, a snapshot has.
    in_snapshots: usize,
}

impl Index {
    /// As snapshots have it: what lives in one of them, and what closed in each up to it.
    #[must_use]
    pub fn restore(live: BTreeMap<ContactId, Found>, closed: Vec<(ContactId, Found)>) -> Self {
        Self {
            live,
            in_snapshots: closed.len(),
            closed: closed.into(),
        }
    }

    /// The queue of a contact that lives.
    #[must_use]
    pub fn queue(&self, contact: ContactId) -> Option<QueueId> {
        self.live.get(&contact).map(|found| found.queue)
    }

    /// Closed contacts in the order in which they closed, then those that live.
    pub fn iter(&self) -> impl Iterator<Item = (ContactId, &Found)> {
        let closed = self.closed.iter().map(|(contact, found)| (*contact, found));
        let live = self.live.iter().map(|(contact, found)| (*contact, found));
        closed.chain(live)
    }

    fn close(&mut self, at: Instant, contact: ContactId) {
        let Some(mut found) = self.live.remove(&contact) else {
            return;
        };
        found.closed = Some(at);
        self.closed.push_back((contact, found));
        let old = |found: &Found| {
            let closed = found.closed.unwrap_or(at);
            closed + limits::EXTERNAL_ID_MEMORY <= at
        };
        while let Some((_, found)) = self.closed.front()
            && (old(found) || self.closed.len() > limits::EXTERNAL_IDS)
        {
            self.closed.pop_front();
            self.in_snapshots = self.in_snapshots.saturating_sub(1);
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
            self.live.insert(facts.id, found);
        } else if let Event::MediaConnect { offer, .. } | Event::MediaDisconnect { offer, .. } =
            &record.event
        {
            if let Some(found) = self.live.get_mut(&offer.contact) {
                found.media = true;
            }
        } else if let Event::ContactClosed { contact, .. } = &record.event {
            self.close(record.at, *contact);
        }
    }

    fn copy(&self) -> Box<dyn Fold> {
        Box::new(self.clone())
    }

    fn write(&self) -> Result<Vec<(Name, Vec<u8>)>, Unwritable> {
        let mut parts = whole(Source::Index, &self.live)?;
        let closed: Vec<_> = self.closed.iter().skip(self.in_snapshots).collect();
        parts.push((Name::Closed, rmp_serde::to_vec(&closed)?));
        Ok(parts)
    }

    /// What snapshots have is read when a server starts, and not before.
    fn written(&mut self) {
        self.closed = VecDeque::new();
        self.in_snapshots = 0;
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
