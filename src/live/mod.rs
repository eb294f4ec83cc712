//! What everybody who watches sees: a fold of the log, and nothing else.
//!
//! [`board::Board`] is pure: no clock, no chance, no wire. Whoever drives it (the engine's board
//! actor) does this:
//!
//! - [`Board::new`](board::Board::new) with the rules, then [`fold`](board::Board::fold) for each
//!   durable record, in order. A record at or before [`as_of`](board::Board::as_of) changes
//!   nothing, so that a replayed tail does no harm.
//! - After each batch, and after every other call that changes it, [`drain`](board::Board::drain):
//!   the deltas in the order in which they are to be sent. A [`delta::Delta`] names its view, the
//!   watchers it is for, and what is said: encode once, send the bytes to all of them. Who
//!   subscribes after a fold is not among the watchers of its deltas.
//! - [`tick`](board::Board::tick) when [`next_tick`](board::Board::next_tick) is there: rows of
//!   tables at each view's rate, places in line that moved, media commands that nobody reported.
//! - [`subscribe`](board::Board::subscribe) registers and cuts in one step. The [`delta::Cut`] is
//!   handles only, at one position `as_of`; encode its parts elsewhere, as the socket drains, and
//!   keep the view's deltas meanwhile. [`resume`](board::Board::resume) gives a
//!   [`delta::Replay`], an iterator that makes what was missed one by one outside the board, or a
//!   reset with a cut. `live` is to carry `as_of`: a view that has not spoken yet starts there.
//! - [`open_for_leg`](board::Board::open_for_leg) when `me` says `connected`: the name
//!   [`delta::Sub::Leg`] is known from the offer alone; its state follows as
//!   [`delta::Body::Opened`] and its end as a revocation.
//! - [`unsubscribe`](board::Board::unsubscribe), [`gone`](board::Board::gone) when a door closes,
//!   [`rights_changed`](board::Board::rights_changed) with all doors of a user,
//!   [`rules_changed`](board::Board::rules_changed) with the new rules.
//! - Reads: [`contact`](board::Board::contact), [`contacts`](board::Board::contacts),
//!   [`agents`](board::Board::agents), [`queues`](board::Board::queues),
//!   [`table`](board::Board::table), [`trace`](board::Board::trace),
//!   [`explain`](board::Board::explain).
//!
//! A connector's report comes back in the log as `MediaReported` and ends its command; there is
//! no other acknowledgement. Each command goes to the socket of its identity with the fewest,
//! is said again to another one after a while, and moves to the others when its socket is gone.
//!
//! Rows leave the board as [`seen`] handles that can be read through their lens only. The
//! encoding of a view is a number that the board compares and never reads.
//!
//! [`promise`] states what holds after every record; a simulation folds its log and asks.
//!
//! From the log up: [`picture`] folds records into rows ([`contact`], [`agent`], [`queue`]) and
//! makes a [`change`] of each; a [`lookout`] says what a view shows of a change, by its [`sight`];
//! [`anchor`] finds the views that a change concerns; [`ring`] holds the last changes.

pub mod agent;
pub mod anchor;
pub mod board;
pub mod change;
pub mod contact;
pub mod delta;
pub mod dirty;
pub mod ewt;
mod explain;
pub mod line;
pub mod list;
pub mod lookout;
pub mod media;
pub mod picture;
pub mod position;
pub mod promise;
pub mod query;
pub mod queue;
mod rights;
pub mod ring;
pub mod saved;
pub mod seen;
pub mod sight;
pub mod stats;
mod subscribe;
pub mod table;
pub mod topic;
pub mod view;
