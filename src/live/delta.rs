//! What the board says: to whom, at which position, and what. Whoever encodes does so once for
//! everybody named.

use crate::access::lens::Pseudonym;
use crate::id::{AgentId, CommandId, ContactId, OfferId, QueueId, Seq};
use crate::live::change::{Change, Fields, Name, Why};
use crate::live::lookout::Lookout;
use crate::live::picture::Place;
use crate::live::seen::{ActorSeen, AgentSeen, ContactSeen, Who};
use crate::live::stats::{Cell, TableCut};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

/// Name of a view, as the wire shows it. Equal subscriptions have equal names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Sub {
    /// A view that somebody subscribed to.
    View(u64),
    /// The view of a contact that the server opened for a leg: known before the board knows
    /// of the leg, so that `me` can name it.
    Leg(OfferId),
}

impl fmt::Display for Sub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::View(number) => write!(f, "v{number}"),
            Self::Leg(offer) => write!(f, "l{}", offer.0),
        }
    }
}

/// Who watches: a door of the gate, as the gate numbers them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Watcher(pub u64);

/// Something the board says.
#[derive(Clone, Debug)]
pub struct Delta {
    /// The view.
    pub sub: Sub,
    /// Everybody it is for. Who subscribes later is not among them: their snapshot has it.
    pub to: Arc<[Watcher]>,
    /// What is said.
    pub body: Body,
}

/// What can be said.
#[derive(Clone, Debug)]
pub enum Body {
    /// On a lossless view.
    Said(Said),
    /// Rows of a table that changed.
    Update(Update),
    /// A view that the server opened, with its state: its events follow.
    Opened(Box<Cut>),
    /// The view is taken from these watchers.
    Revoked(Revoked),
}

/// Why a view is taken away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Revoked {
    /// The rights of the watcher do not reach it any more, or reach another part of it: what is
    /// left can be subscribed to anew.
    RightsChanged,
    /// The leg that it was opened for is over.
    LegEnded,
    /// The workspace is configured otherwise: its columns or rows are others.
    RulesChanged,
}

impl Revoked {
    /// The word on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::RightsChanged => "rights_changed",
            Self::LegEnded => "leg_ended",
            Self::RulesChanged => "rules_changed",
        }
    }
}

/// Something said on a lossless view.
#[derive(Clone, Debug)]
pub struct Said {
    /// Its position.
    pub seq: Seq,
    /// Position of the view's event before it, whether or not anybody was there.
    pub prev: Seq,
    /// When it happened.
    pub at: Instant,
    /// What is said.
    pub what: What,
    /// It is said again after a resume.
    pub replay: bool,
}

/// What is said of an object.
#[derive(Clone, Debug)]
pub enum What {
    /// It came into the view: all of it.
    Entered(Seen),
    /// Something happened to it. `contact.closed` is the last that is said of a contact.
    Event(Box<EventSeen>),
    /// It went, without why or where to.
    Left(Key),
    /// Its place in line or expected wait moved. Not counted in `prev`.
    Position {
        /// The contact.
        contact: ContactId,
        /// Where it stands.
        place: Place,
    },
    /// A command to a connector, for one of its sockets. Not counted in `prev`.
    Media(MediaCommand),
}

/// Names an object of a view.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Key {
    /// A contact.
    Contact(ContactId),
    /// An agent by name.
    Agent(AgentId),
    /// An agent by pseudonym.
    Anonymous(Pseudonym),
    /// A queue.
    Queue(QueueId),
}

impl From<Who> for Key {
    fn from(who: Who) -> Self {
        match who {
            Who::Agent(agent) => Self::Agent(agent),
            Who::Anonymous(pseudonym) => Self::Anonymous(pseudonym),
        }
    }
}

/// An object as a view shows it.
#[derive(Clone, Debug)]
pub enum Seen {
    /// A contact.
    Contact(ContactSeen),
    /// An agent.
    Agent(AgentSeen),
}

impl Seen {
    /// Names it.
    #[must_use]
    pub fn key(&self) -> Key {
        match self {
            Self::Contact(contact) => Key::Contact(contact.id()),
            Self::Agent(agent) => Key::Agent(agent.row().agent),
        }
    }
}

/// An event as a view shows it.
#[derive(Clone, Debug)]
pub struct EventSeen {
    /// What happened.
    pub name: Name,
    /// The object, as it is now.
    pub row: Seen,
    /// What of a contact is new.
    pub fields: Fields,
    /// The offer it is about.
    pub offer: Option<OfferId>,
    /// The agent it is about.
    pub agent: Option<Who>,
    /// Why.
    pub why: Option<Why>,
    /// Who made it happen.
    pub actor: Option<ActorSeen>,
    /// On whose behalf.
    pub behalf: Option<ActorSeen>,
}

/// A command to a connector, to be reported.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MediaCommand {
    /// Its id.
    pub command: CommandId,
    /// The contact.
    pub contact: ContactId,
    /// The leg: the offer it came from.
    pub leg: OfferId,
    /// What is to be done.
    pub ask: MediaAsk,
}

/// What a connector is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum MediaAsk {
    /// To connect the agent with the customer.
    Connect {
        /// The agent; the address is in the rules.
        agent: AgentId,
        /// To be reported by then.
        deadline: Instant,
    },
    /// To let the agent go.
    Disconnect,
}

/// Rows of a table that changed.
#[derive(Clone, Debug)]
pub struct Update {
    /// The position that they show.
    pub as_of: Seq,
    /// When that was.
    pub at: Instant,
    /// Cells by row: index into the view's columns, and value. A new row has all of them.
    pub set: Vec<(Key, Vec<(u16, Cell)>)>,
    /// Rows that are gone.
    pub remove: Vec<Key>,
}

/// The state of a view at one position: handles only, encoded later and elsewhere.
#[derive(Clone, Debug)]
pub struct Cut {
    /// The position.
    pub as_of: Seq,
    /// When that was.
    pub at: Instant,
    /// The state.
    pub state: State,
}

/// The state of a view.
#[derive(Clone, Debug)]
pub enum State {
    /// Of `contact/{id}`.
    Contact(ContactSeen),
    /// Of a topic that lists contacts: the most urgent, and how many there are.
    Contacts {
        /// The rows.
        rows: Vec<ContactSeen>,
        /// How many there are, listed or not.
        total: usize,
    },
    /// Of `agents`.
    Agents(Vec<AgentSeen>),
    /// Of a table.
    Table(TableCut),
}

/// A subscription that was taken.
#[derive(Clone, Debug)]
pub struct Subscribed {
    /// The view.
    pub sub: Sub,
    /// Its state. Its deltas after that position follow.
    pub cut: Cut,
}

/// A view that was to go on after a lost connection.
#[derive(Debug)]
pub enum Resumed {
    /// It goes on: what was missed, then what follows.
    Whole {
        /// The view.
        sub: Sub,
        /// The position up to which the replay goes: what `live` says.
        as_of: Seq,
        /// What was missed.
        replay: Replay,
    },
    /// It starts anew.
    Reset {
        /// Why.
        why: ResetWhy,
        /// Its state.
        subscribed: Subscribed,
    },
}

/// Why a view starts anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ResetWhy {
    /// A table always does.
    Conflated,
    /// The events since then are no longer held, or never were.
    PositionLost,
    /// The rights are no longer those of the position.
    RightsChanged,
}

/// What a view said after a position, made again from the log's changes, one at a time and
/// outside the board's turn.
#[derive(Debug)]
pub struct Replay {
    lookout: Arc<Lookout>,
    changes: VecDeque<Arc<Change>>,
    prev: Seq,
}

impl Replay {
    pub(super) fn new(lookout: Arc<Lookout>, changes: VecDeque<Arc<Change>>, from: Seq) -> Self {
        Self {
            lookout,
            changes,
            prev: from,
        }
    }
}

impl Iterator for Replay {
    type Item = Said;

    fn next(&mut self) -> Option<Said> {
        loop {
            let change = self.changes.pop_front()?;
            if let Some(what) = self.lookout.says(&change, None) {
                return Some(Said {
                    seq: change.seq,
                    prev: std::mem::replace(&mut self.prev, change.seq),
                    at: change.at,
                    what,
                    replay: true,
                });
            }
        }
    }
}
