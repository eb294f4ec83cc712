//! What is written of a board, so that it can be read again: rows and what cannot be worked out
//! from them. What people said is not in it; it is kept apart and attached again.

use crate::domain::contact::Content;
use crate::domain::event::Decision;
use crate::domain::rules::Workspace;
use crate::id::{ContactId, Seq};
use crate::live::agent::AgentRow;
use crate::live::board::Kept;
use crate::live::contact::ContactRow;
use crate::live::ewt::Departures;
use crate::live::media::{Media, Pending};
use crate::live::picture::{ContactCell, Picture};
use crate::live::queue::{Counts, QueueCell};
use crate::live::ring::Ring;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;

/// A board as it is written. Fields are only ever added at the end, each with a default.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Saved {
    as_of: Seq,
    at: Instant,
    contacts: Vec<SavedContact>,
    agents: Vec<Arc<AgentRow>>,
    queues: Vec<SavedQueue>,
    closed: VecDeque<(Instant, ContactId)>,
    strays: u64,
    media: Vec<Pending>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct SavedContact {
    row: Arc<ContactRow>,
    decisions: VecDeque<(Instant, Arc<Decision>)>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct SavedQueue {
    counts: Counts,
    departures: Departures,
    stands_since: Option<Instant>,
}

impl Kept {
    /// As it is written. Rows are shared, not copied.
    #[must_use]
    pub fn save(&self) -> Saved {
        let picture = &self.picture;
        let contacts = picture.contacts.values().map(|cell| SavedContact {
            row: Arc::clone(&cell.row),
            decisions: cell.decisions.clone(),
        });
        let queues = picture.queues.iter().map(|cell| SavedQueue {
            counts: cell.counts,
            departures: cell.departures.clone(),
            stands_since: cell.stands_since,
        });
        let agents = picture.agents.iter();
        Saved {
            as_of: picture.as_of,
            at: picture.at,
            contacts: contacts.collect(),
            agents: agents.map(|cell| Arc::clone(&cell.row)).collect(),
            queues: queues.collect(),
            closed: picture.closed.clone(),
            strays: picture.strays,
            media: self.media.pending().copied().collect(),
        }
    }

    /// As it was written, by the rules of now.
    #[must_use]
    pub fn restore(saved: Saved, rules: Arc<Workspace>) -> Self {
        let mut picture = Picture::new(rules, saved.at);
        picture.as_of = saved.as_of;
        picture.closed = saved.closed;
        picture.strays = saved.strays;
        for contact in saved.contacts {
            picture.put(contact);
        }
        for row in saved.agents {
            picture.seat(row);
        }
        for (cell, saved) in picture.queues.iter_mut().zip(saved.queues) {
            cell.restore(saved);
        }
        Self {
            // What comes after it is said again to whoever comes back.
            ring: Some(Ring::new(saved.as_of)),
            picture,
            media: Media::restore(saved.media),
        }
    }

    /// Contacts that are shown.
    pub fn contacts(&self) -> impl Iterator<Item = ContactId> + '_ {
        self.picture.contacts.keys().copied()
    }

    /// Gives a contact its content back, which was kept apart.
    pub fn attach(&mut self, contact: ContactId, content: &Arc<Content>) {
        if let Some(cell) = self.picture.contacts.get_mut(&contact) {
            Arc::make_mut(&mut cell.row).share(content);
        }
    }
}

impl Picture {
    fn put(&mut self, contact: SavedContact) {
        let SavedContact { row, decisions } = contact;
        if let Some(queue) = self.queues.get_mut(row.queue.index()) {
            queue.contact(row.since, None, Some(&row));
        }
        self.index(None, &row);
        self.contacts
            .insert(row.id(), ContactCell { row, decisions });
    }

    fn seat(&mut self, mut row: Arc<AgentRow>) {
        let (agent, at, rules) = (row.agent, self.at, Arc::clone(&self.rules));
        let (Some(cell), Some(own)) = (self.agents.get_mut(agent.index()), rules.agent(agent))
        else {
            return;
        };
        Arc::make_mut(&mut row).rules_changed(at, own, &rules.channels);
        cell.row = row;
        self.share(agent);
    }
}

impl QueueCell {
    fn restore(&mut self, saved: SavedQueue) {
        self.counts = saved.counts;
        self.departures = saved.departures;
        self.stands_since = saved.stands_since;
    }
}
