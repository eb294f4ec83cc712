//! The board: takes the log in and says to everybody who watches what of it they may know.

use crate::access::rights::Denied;
use crate::domain::event::{Event, Record};
use crate::domain::rules::Workspace;
use crate::id::{OfferId, QueueId, Seq, UserId};
use crate::limits;
use crate::live::change::{Change, Fields, Step};
use crate::live::contact::ContactRow;
use crate::live::delta::{Body, Cut, Delta, Revoked, Said, State, Sub, Watcher, What};
use crate::live::dirty::Dirty;
use crate::live::media::{Dispatch, Media};
use crate::live::picture::Picture;
use crate::live::position::Positions;
use crate::live::ring::Ring;
use crate::live::seen::ContactSeen;
use crate::live::stats::Table;
use crate::live::topic::Topic;
use crate::live::view::{View, Views};
use crate::time::Instant;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The live views of a floor. Its only input is the floor's log, in order, once durable; all its
/// views stand at one position.
#[derive(Clone, Debug)]
pub struct Board {
    pub(super) picture: Picture,
    pub(super) views: Views,
    pub(super) queues_dirty: Dirty,
    pub(super) agents_dirty: Dirty,
    pub(super) out: Vec<Delta>,
    pub(super) rights_at: BTreeMap<UserId, Seq>,
    pub(super) rules_at: Option<Seq>,
    pub(super) media: Media,
    pub(super) ring: Ring,
    pub(super) positions: Positions,
}

/// What is kept of a board, to start it again from: what its log shows, and the last of it for
/// whoever comes back, without what anybody watches.
#[derive(Clone, Debug)]
pub struct Kept {
    pub(super) picture: Picture,
    pub(super) media: Media,
    /// The last changes, until a board was started that holds them itself.
    pub(super) ring: Option<Ring>,
}

impl Kept {
    /// Takes a record in.
    pub fn fold(&mut self, record: &Record) {
        if record.seq > self.picture.as_of {
            let last = self.picture.as_of;
            let change = self.picture.fold(record).change;
            if let Some(ring) = &mut self.ring {
                skip(ring, last, record);
                change.into_iter().for_each(|it| ring.push(Arc::new(it)));
            }
            self.media.fold(record);
            // Nobody is told, but what has become pointless goes.
            self.media.repeat(record.at);
        }
    }

    /// The same of a record so old that nobody goes on from it.
    pub fn fold_old(&mut self, record: &Record) {
        if record.seq > self.picture.as_of {
            self.picture.fold(record);
            if let Some(ring) = &mut self.ring {
                ring.begin(record.seq);
            }
            self.media.fold(record);
            self.media.repeat(record.at);
        }
    }

    /// A board was started from it: one that is started after it begins with no changes.
    pub fn started(&mut self) {
        self.ring = None;
    }
}

/// A subscription that was not taken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// Not allowed, or not there as far as the caller may know.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// There is no such object.
    #[error("not found")]
    NotFound,
    /// The caller watches this view already.
    #[error("this view is open as {0}")]
    AlreadySubscribed(Sub),
    /// The caller watches as many views as anybody may.
    #[error("{} views are open; close one first", limits::SUBSCRIPTIONS)]
    TooMany,
    /// Every session that sees pseudonyms costs an encoding of its own, and there are enough.
    #[error(
        "{} sessions see agents by pseudonym already",
        limits::ANONYMOUS_SESSIONS
    )]
    TooManyAnonymous,
    /// The filter names a field that the lens hides.
    #[error("a filter cannot name what the viewer may not see")]
    FilterHidden,
    /// The table has no such column.
    #[error("there is no column {0:?}")]
    NoColumn(String),
}

impl Board {
    /// The board of a floor before the first record of its log.
    #[must_use]
    pub fn new(rules: Arc<Workspace>, at: Instant) -> Self {
        Self {
            queues_dirty: Dirty::new(rules.queues.len()),
            agents_dirty: Dirty::new(rules.agents.len()),
            picture: Picture::new(rules, at),
            views: Views::default(),
            out: Vec::new(),
            rights_at: BTreeMap::new(),
            rules_at: None,
            media: Media::default(),
            ring: Ring::new(Seq(0)),
            positions: Positions::default(),
        }
    }

    /// What is to be kept of it.
    #[must_use]
    pub fn keep(&self) -> Kept {
        Kept {
            picture: self.picture.clone(),
            media: self.media.clone(),
            ring: Some(self.ring.clone()),
        }
    }

    /// The board as it was kept, watched by nobody.
    #[must_use]
    pub fn rebuild(kept: Kept) -> Self {
        let Kept {
            picture,
            media,
            ring,
        } = kept;
        Self {
            queues_dirty: Dirty::new(picture.queues.len()),
            agents_dirty: Dirty::new(picture.agents.len()),
            ring: ring.unwrap_or_else(|| Ring::new(picture.as_of)),
            picture,
            media,
            views: Views::default(),
            out: Vec::new(),
            rights_at: BTreeMap::new(),
            rules_at: None,
            positions: Positions::default(),
        }
    }

    /// Nobody goes on from this position or one before it: what held then is not known.
    pub fn break_off(&mut self) {
        self.rules_at = Some(self.picture.as_of);
    }

    /// The position that every view shows.
    #[must_use]
    pub fn as_of(&self) -> Seq {
        self.picture.as_of
    }

    /// Takes a record in. One at or before [`Board::as_of`] changes nothing.
    pub fn fold(&mut self, record: &Record) {
        if record.seq <= self.picture.as_of {
            return;
        }
        skip(&mut self.ring, self.picture.as_of, record);
        let drawn = self.picture.fold(record);
        for queue in drawn.queues {
            self.queues_dirty.mark(queue.0);
        }
        if let Some(agent) = drawn.agent {
            self.agents_dirty.mark(agent.0);
        }
        if let Some(change) = drawn.change {
            let change = Arc::new(change);
            self.ring.push(Arc::clone(&change));
            self.speak(&change);
        }
        if let Some(dispatch) = self.media.fold(record) {
            self.dispatch(dispatch);
        }
    }

    /// What was said since the last drain, in the order in which it is to be sent.
    pub fn drain(&mut self) -> Vec<Delta> {
        std::mem::take(&mut self.out)
    }

    /// When [`Board::tick`] is next to be called, if it is.
    #[must_use]
    pub fn next_tick(&self) -> Option<Instant> {
        let tables = self.views.tables.iter();
        let tables = tables.filter_map(|sub| self.table_due(*sub));
        let places = self.positions.next();
        tables.chain(places).chain(self.media.next()).min()
    }

    /// Says what is due by the clock: rows of tables, places in line, media commands again.
    pub fn tick(&mut self, now: Instant) {
        self.ring.forget(now);
        let due = |sub: &&Sub| self.table_due(**sub).is_some_and(|at| at <= now);
        let due: Vec<Sub> = self.views.tables.iter().filter(due).copied().collect();
        for sub in due {
            self.tell(sub, now);
        }
        self.tell_places(now);
        for dispatch in self.media.repeat(now) {
            self.dispatch(dispatch);
        }
    }

    /// When rows of a table are next to be told, if any are.
    fn table_due(&self, sub: Sub) -> Option<Instant> {
        let view = self.views.get(sub)?;
        let dirty = self.dirty(view.lookout.topic);
        view.table.as_ref()?.due(dirty)
    }

    fn dirty(&self, topic: Topic) -> &Dirty {
        match topic {
            Topic::StatsAgents => &self.agents_dirty,
            Topic::StatsQueues
            | Topic::Contact(_)
            | Topic::Contacts
            | Topic::QueueContacts(_)
            | Topic::Agents
            | Topic::Connector => &self.queues_dirty,
        }
    }

    /// Says what changed in a table to those who watch it.
    pub(super) fn tell(&mut self, sub: Sub, now: Instant) {
        let Some(view) = self.views.views.get_mut(&sub) else {
            return;
        };
        let dirty = match view.lookout.topic {
            Topic::StatsAgents => &mut self.agents_dirty,
            Topic::StatsQueues
            | Topic::Contact(_)
            | Topic::Contacts
            | Topic::QueueContacts(_)
            | Topic::Agents
            | Topic::Connector => &mut self.queues_dirty,
        };
        let update = view
            .table
            .as_mut()
            .and_then(|t| t.tell(now, &self.picture, dirty));
        if let Some(update) = update {
            self.out.push(Delta {
                sub,
                to: Arc::clone(&view.watchers),
                body: Body::Update(update),
            });
        }
    }

    /// Says a change on every view that it concerns.
    fn speak(&mut self, change: &Arc<Change>) {
        let concerned = self.views.anchors.concerned(change, &self.picture.rules);
        if concerned.is_empty() {
            return;
        }
        let after = match &change.row {
            Step::Contact { after, .. } => Some(after),
            Step::Agent { .. } => None,
        };
        let place = after.map(|row| self.picture.place(row, change.at));
        let mut over = Vec::new();
        for sub in concerned {
            let Some(view) = self.views.views.get_mut(&sub) else {
                continue;
            };
            if let (Some((leg, known)), Some(row)) = (view.leg, after) {
                let stands = stands(row, leg);
                if stands == Some(false) {
                    over.push(sub);
                }
                if !known {
                    if stands == Some(true) {
                        open_leg(view, &self.picture, &mut self.out);
                    }
                    continue;
                }
            }
            if let Some(mut what) = view.lookout.says(change, place) {
                if let (Topic::Contact(contact), What::Event(event)) =
                    (view.lookout.topic, &mut what)
                    && self.positions.told(sub, contact, place)
                {
                    event.fields = event.fields.with(Fields::POSITION);
                }
                say(view, change.seq, change.at, what, &mut self.out);
            }
        }
        for sub in over {
            self.revoke_all(sub, Revoked::LegEnded);
        }
    }

    fn tell_places(&mut self, now: Instant) {
        for (sub, contact, place) in self.positions.moved(now, &self.picture, &self.views) {
            if let Some(view) = self.views.get(sub) {
                let what = What::Position { contact, place };
                let said = aside(view, &self.picture, what);
                let to = Arc::clone(&view.watchers);
                self.out.push(Delta {
                    sub,
                    to,
                    body: Body::Said(said),
                });
            }
        }
    }

    pub(super) fn dispatch(&mut self, dispatch: Dispatch) {
        if let Some(view) = self.views.get(dispatch.sub) {
            let said = aside(view, &self.picture, What::Media(dispatch.command));
            self.out.push(Delta {
                sub: dispatch.sub,
                to: Arc::from([dispatch.to]),
                body: Body::Said(said),
            });
        }
    }

    /// Takes a view from everybody.
    pub(super) fn revoke_all(&mut self, sub: Sub, why: Revoked) {
        let watchers = self.views.get(sub).map(|view| Arc::clone(&view.watchers));
        if let Some(to) = watchers {
            for watcher in to.iter() {
                self.unsubscribe(*watcher, sub);
            }
            self.out.push(Delta {
                sub,
                to,
                body: Body::Revoked(why),
            });
        }
    }

    /// Takes a view from one watcher.
    pub(super) fn revoke(&mut self, watcher: Watcher, sub: Sub, why: Revoked) {
        if self.unsubscribe(watcher, sub) {
            self.out.push(Delta {
                sub,
                to: Arc::from([watcher]),
                body: Body::Revoked(why),
            });
        }
    }

    /// Contacts of a queue that are not closed.
    #[must_use]
    pub fn contacts_of(&self, queue: QueueId) -> usize {
        let rows = self.picture.contacts.values().map(|cell| &cell.row);
        rows.filter(|row| row.queue == queue && row.is_live())
            .count()
    }

    /// Numbers for operators: views, changes held for replays, media commands not reported, and
    /// records about nothing that is known, of which there are none unless the log has a hole.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        Gauges {
            views: self.views.views.len(),
            replayable: self.ring.len(),
            media: self.media.open(),
            strays: self.picture.strays(),
        }
    }
}

/// Numbers of a board for operators.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gauges {
    /// Views that somebody watches.
    pub views: usize,
    /// Changes held for replays.
    pub replayable: usize,
    /// Media commands not yet reported.
    pub media: usize,
    /// Records about nothing that is known.
    pub strays: u64,
}

/// After a start positions are left out.
fn skip(ring: &mut Ring, last: Seq, record: &Record) {
    if let Event::Recovered { .. } = record.event {
        ring.skip(last, record.seq);
    }
}

/// The table that a topic shows.
pub(super) fn table_of(topic: Topic) -> Option<Table> {
    match topic {
        Topic::StatsQueues => Some(Table::Queues),
        Topic::StatsAgents => Some(Table::Agents),
        Topic::Contact(_)
        | Topic::Contacts
        | Topic::QueueContacts(_)
        | Topic::Agents
        | Topic::Connector => None,
    }
}

/// Says something that moves the view on.
pub(super) fn say(view: &mut View, seq: Seq, at: Instant, what: What, out: &mut Vec<Delta>) {
    let prev = std::mem::replace(&mut view.prev, seq);
    view.spoke = true;
    out.push(Delta {
        sub: view.sub,
        to: Arc::clone(&view.watchers),
        body: Body::Said(Said {
            seq,
            prev,
            at,
            what,
            replay: false,
        }),
    });
}

/// Something said beside the log's events: it does not move the view on, so that whoever did
/// not hear it misses nothing.
fn aside(view: &View, picture: &Picture, what: What) -> Said {
    Said {
        seq: picture.as_of,
        prev: view.prev,
        at: picture.at,
        what,
        replay: false,
    }
}

/// Whether a leg is open; nothing while it is not known. No leg outlives its contact.
pub(super) fn stands(row: &ContactRow, leg: OfferId) -> Option<bool> {
    let known = row.legs.iter().find(|known| known.offer == leg);
    let stands = known.map(|known| known.state.is_open());
    stands.or_else(|| (!row.is_live()).then_some(false))
}

/// The leg of a view that the server opened is known: its state is told.
pub(super) fn open_leg(view: &mut View, picture: &Picture, out: &mut Vec<Delta>) {
    let Some(cut) = cut(view, picture, 1) else {
        return;
    };
    view.leg = view.leg.map(|(leg, _)| (leg, true));
    view.prev = picture.as_of;
    out.push(Delta {
        sub: view.sub,
        to: Arc::clone(&view.watchers),
        body: Body::Opened(Box::new(cut)),
    });
}

/// The state of a view.
pub(super) fn cut(view: &View, picture: &Picture, limit: usize) -> Option<Cut> {
    let lookout = &view.lookout;
    let state = match lookout.topic {
        Topic::Contact(contact) => {
            let row = picture.contact(contact)?;
            let glass = lookout.contact(row)?;
            let place = picture.place(row, picture.at);
            State::Contact(ContactSeen::new(Arc::clone(row), glass, place))
        }
        Topic::Contacts | Topic::QueueContacts(_) | Topic::Connector => {
            let (rows, total) = picture.contacts_seen(lookout, limit);
            State::Contacts { rows, total }
        }
        Topic::Agents => State::Agents(picture.agents_seen(lookout)),
        Topic::StatsQueues | Topic::StatsAgents => State::Table(view.table.as_ref()?.cut()),
    };
    Some(Cut {
        as_of: picture.as_of,
        at: picture.at,
        state,
    })
}
