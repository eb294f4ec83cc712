//! Places in line as they move: told beside the log's events, a few at a time, to those who
//! watch a waiting contact or own it.

use crate::id::ContactId;
use crate::limits;
use crate::live::delta::Sub;
use crate::live::ewt::Ewt;
use crate::live::picture::{Picture, Place};
use crate::live::topic::Topic;
use crate::live::view::Views;
use crate::time::Instant;
use std::collections::BTreeMap;

/// What was told of places in line, by view.
#[derive(Clone, Debug, Default)]
pub struct Positions {
    views: BTreeMap<Sub, Known>,
    due: Option<Instant>,
}

#[derive(Clone, Debug)]
struct Known {
    topic: Topic,
    told: BTreeMap<ContactId, Place>,
    /// Where the next look begins.
    cursor: Option<ContactId>,
}

impl Positions {
    /// Places are told on this view from now on.
    pub fn watch(&mut self, sub: Sub, topic: Topic, now: Instant) {
        self.views.entry(sub).or_insert_with(|| Known {
            topic,
            told: BTreeMap::new(),
            cursor: None,
        });
        self.due.get_or_insert(now + limits::POSITION_EVERY);
    }

    /// A view is closed.
    pub fn unwatch(&mut self, sub: Sub) {
        self.views.remove(&sub);
        if self.views.is_empty() {
            self.due = None;
        }
    }

    /// Somebody new watches a view: what was told of it does not count.
    pub fn forget(&mut self, sub: Sub) {
        if let Some(known) = self.views.get_mut(&sub) {
            known.told.clear();
        }
    }

    /// When places are next looked at.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.due
    }

    /// A place goes out with an event of the contact's own; whether it is news.
    pub fn told(&mut self, sub: Sub, contact: ContactId, place: Option<Place>) -> bool {
        let known = self.views.get_mut(&sub);
        let (Some(known), Some(place)) = (known, place) else {
            return false;
        };
        known.told.insert(contact, place) != Some(place)
    }

    /// The places that moved since they were told, when it is time.
    pub fn moved(
        &mut self,
        now: Instant,
        picture: &Picture,
        views: &Views,
    ) -> Vec<(Sub, ContactId, Place)> {
        if self.due.is_none_or(|due| now < due) {
            return Vec::new();
        }
        self.due = Some(now + limits::POSITION_EVERY);
        let mut moved = Vec::new();
        for (sub, known) in &mut self.views {
            let Some(view) = views.get(*sub) else {
                continue;
            };
            for contact in known.next_contacts(picture, view.lookout.user()) {
                let row = picture.contact(contact).filter(|row| row.in_line());
                let Some(row) = row.filter(|row| view.lookout.contact(row).is_some()) else {
                    known.told.remove(&contact);
                    continue;
                };
                let place = picture.place(row, now);
                if known
                    .told
                    .get(&contact)
                    .is_none_or(|told| differs(told, &place))
                {
                    known.told.insert(contact, place);
                    moved.push((*sub, contact, place));
                }
            }
        }
        moved
    }
}

impl Known {
    /// The contacts whose turn it is.
    fn next_contacts(&mut self, picture: &Picture, user: crate::id::UserId) -> Vec<ContactId> {
        if let Topic::Contact(contact) = self.topic {
            return vec![contact];
        }
        let contacts: Vec<ContactId> = picture
            .submitted_after(user, self.cursor)
            .take(limits::POSITIONS_AT_ONCE)
            .collect();
        let wrapped = contacts.len() < limits::POSITIONS_AT_ONCE;
        self.cursor = contacts.last().copied().filter(|_| !wrapped);
        if wrapped {
            self.told.retain(|contact, _| {
                let row = picture.contact(*contact);
                row.is_some_and(|row| row.in_line())
            });
        }
        contacts
    }
}

/// Whether somebody who knows one place wants to know the other: estimates drift with the
/// clock, and only a fifth or five seconds of difference is news.
fn differs(told: &Place, now: &Place) -> bool {
    told.position != now.position || estimates_differ(told.ewt, now.ewt)
}

fn estimates_differ(told: Option<Ewt>, now: Option<Ewt>) -> bool {
    match (told, now) {
        (Some(told), Some(now)) => told.ms.abs_diff(now.ms) > (told.ms / 5).max(5_000),
        (None, None) => false,
        (Some(_), None) | (None, Some(_)) => true,
    }
}
