//! Watching: how doors come to the views of the board, and how others look at it.

use super::door::DoorId;
use super::handle::Engine;
use super::tell::numbered;
use super::to_board::{ToBoard, ViewResumed};
use crate::id::{ContactId, OfferId, Seq, UserId};
use crate::live::board::{Board, Refused};
use crate::live::delta::{Sub, Watcher};
use crate::live::sight::Viewer;
use crate::live::topic::Ask;
use crate::wire::codec::Encoding;
use std::collections::BTreeMap;
use tokio::sync::oneshot;

impl Engine {
    /// Opens a view for a door, which hears by `ToDoor::Subscribed` and then by a snapshot.
    /// `ask.encoding` is set here.
    pub fn subscribe(
        &self,
        door: DoorId,
        request: u64,
        viewer: Viewer,
        mut ask: Ask,
        encoding: Encoding,
    ) {
        ask.encoding = numbered(encoding);
        self.tell_board(ToBoard::Subscribe(door, request, viewer, ask));
    }

    /// Opens a view again for a door that has heard everything up to `seq`; what was missed, or
    /// a snapshot, is on its way to the door when this returns.
    ///
    /// # Errors
    /// Why the view is not opened.
    pub async fn resume_view(
        &self,
        door: DoorId,
        viewer: Viewer,
        mut ask: Ask,
        encoding: Encoding,
        seq: Seq,
    ) -> Result<ViewResumed, Refused> {
        ask.encoding = numbered(encoding);
        let (reply, resumed) = oneshot::channel();
        self.tell_board(ToBoard::Resume(door, viewer, ask, seq, reply));
        // A board that is gone shows nothing.
        resumed.await.unwrap_or(Err(Refused::NotFound))
    }

    /// Opens the view of a contact for the life of the viewer's own leg. The name can be told
    /// at once; the snapshot comes when the leg is durable, and the view ends with the leg.
    pub fn open_for_leg(
        &self,
        door: DoorId,
        viewer: Viewer,
        encoding: Encoding,
        contact: ContactId,
        offer: OfferId,
    ) -> Sub {
        self.tell_board(ToBoard::OpenForLeg(door, viewer, encoding, contact, offer));
        Sub::Leg(offer)
    }

    /// Closes a door's view. Frames that are on their way may still come.
    pub fn unsubscribe(&self, door: DoorId, sub: Sub) {
        self.tell_board(ToBoard::Unsubscribe(door, sub));
    }

    /// Sends the whole state of a door's view once more, because its events outran its snapshot.
    pub fn again(&self, door: DoorId, sub: Sub) {
        self.tell_board(ToBoard::Again(door, sub));
    }

    /// The rights of a user have changed; these are all doors of that user, with what they may
    /// see now.
    pub fn rights_changed(
        &self,
        user: UserId,
        viewers: impl IntoIterator<Item = (DoorId, Viewer)>,
    ) {
        let viewers: BTreeMap<Watcher, Viewer> = viewers
            .into_iter()
            .map(|(door, viewer)| (Watcher(door), viewer))
            .collect();
        self.tell_board(ToBoard::Rights(user, viewers));
    }

    /// Looks at the board, once it has taken in everything that was durable before. None when
    /// the board is gone or failed.
    pub async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Board) -> T + Send + 'static,
    ) -> Option<T> {
        let (reply, seen) = oneshot::channel();
        self.tell_board(ToBoard::Look(Box::new(move |board| {
            // Whoever asked may be gone.
            let _ = reply.send(look(board));
        })));
        seen.await.ok()
    }
}
