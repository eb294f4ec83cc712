//! What the board is told, and asked.

use super::door::DoorId;
use crate::directory::WorkspaceNames;
use crate::domain::rules::Workspace;
use crate::id::{ContactId, OfferId, Seq, UserId};
use crate::journal::Written;
use crate::live::board::{Board, Refused};
use crate::live::delta::{ResetWhy, Sub, Watcher};
use crate::live::sight::Viewer;
use crate::live::topic::Ask;
use crate::wire::codec::Encoding;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::oneshot;

/// What the board is told.
pub(super) enum ToBoard {
    /// Events that are durable.
    Written(Arc<Written>),
    /// A door wants to watch; it hears by `ToDoor::Subscribed` and a snapshot.
    Subscribe(DoorId, u64, Viewer, Ask),
    /// A door that was there before wants to go on after a position.
    Resume(
        DoorId,
        Viewer,
        Ask,
        Seq,
        oneshot::Sender<Result<ViewResumed, Refused>>,
    ),
    /// A leg of the viewer's is connected: its contact is shown.
    OpenForLeg(DoorId, Viewer, Encoding, ContactId, OfferId),
    /// A door watches a view no more.
    Unsubscribe(DoorId, Sub),
    /// A door wants a view from its beginning again.
    Again(DoorId, Sub),
    /// A door is gone.
    Gone(DoorId),
    /// The rights of a user are others; these are the doors.
    Rights(UserId, BTreeMap<Watcher, Viewer>),
    /// The workspace was changed.
    Rules(Arc<Workspace>, Arc<WorkspaceNames>),
    /// Somebody wants to look at it.
    Look(Box<dyn FnOnce(&Board) + Send>),
}

/// How a resume of a view went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ViewResumed {
    /// What was missed is on its way to the door, then `Live`, then what is new.
    Whole(Sub),
    /// A snapshot is on its way to the door, with `SnapshotWhy::Reset`.
    Reset(Sub, ResetWhy),
}
