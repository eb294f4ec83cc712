//! What the board says in one go, as frames: of each view, events that follow each other are one
//! frame, encoded once for everybody who watches.

use crate::id::Seq;
use crate::limits;
use crate::live::delta::{self, Cut, Delta, Sub, Watcher};
use crate::wire::codec::Encoding;
use crate::wire::encode::batches;
use crate::wire::push::RevokedReason;
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::Arc;

/// Deltas as frames, each view's in their order.
pub(super) fn frames(
    deltas: Vec<Delta>,
    mut encode: impl FnMut(&Delta) -> Option<Sent>,
) -> Vec<Outgoing> {
    let mut frames: Vec<Outgoing> = Vec::with_capacity(deltas.len());
    let mut last: HashMap<Sub, usize> = HashMap::new();
    for delta in deltas {
        let Some(what) = encode(&delta) else {
            continue;
        };
        let before = last.get(&delta.sub).and_then(|at| frames.get_mut(*at));
        let before = before.filter(|before| Arc::ptr_eq(&before.to, &delta.to));
        if let (Some(before), Sent::Events(more)) = (before, &what)
            && before.join(more)
        {
            continue;
        }
        last.insert(delta.sub, frames.len());
        let Delta { sub, to, body: _ } = delta;
        frames.push(Outgoing { sub, to, what });
    }
    frames.iter_mut().for_each(Outgoing::close);
    frames
}

/// Something on its way to those who watch a view.
pub(super) struct Outgoing {
    pub(super) sub: Sub,
    pub(super) to: Arc<[Watcher]>,
    pub(super) what: Sent,
}

/// What is sent.
pub(super) enum Sent {
    /// Events of a lossless view.
    Events(Events),
    /// Changed rows of a table.
    Numbers(Seq, Bytes),
    /// The state of a view that the server opened.
    Opened(Encoding, Box<Cut>),
    /// The view is taken away.
    Revoked(RevokedReason),
}

/// Events that go out as one frame.
pub(super) struct Events {
    encoding: Encoding,
    /// Position of the last.
    pub(super) seq: Seq,
    bytes: usize,
    messages: Vec<Bytes>,
}

impl Events {
    pub(super) fn new(encoding: Encoding, seq: Seq, message: Bytes) -> Self {
        Self {
            encoding,
            seq,
            bytes: message.len(),
            messages: vec![message],
        }
    }

    pub(super) fn frame(&self) -> Bytes {
        self.messages.first().cloned().unwrap_or_default()
    }
}

impl Outgoing {
    /// Takes more events into the same frame; false when it has none or is full.
    fn join(&mut self, more: &Events) -> bool {
        let Sent::Events(events) = &mut self.what else {
            return false;
        };
        let full = events.messages.len() == limits::FRAME_MESSAGES
            || events.bytes + more.bytes > limits::SNAPSHOT_PART_BYTES;
        if full {
            return false;
        }
        events.seq = more.seq;
        events.bytes += more.bytes;
        events.messages.extend_from_slice(&more.messages);
        true
    }

    /// Makes one frame of what was taken in.
    fn close(&mut self) {
        if let Sent::Events(events) = &mut self.what
            && events.messages.len() > 1
        {
            events.messages = batches(events.encoding, &events.messages);
        }
    }
}

/// Why a view is revoked, in the words of the wire.
pub(super) fn reason(why: delta::Revoked) -> RevokedReason {
    match why {
        delta::Revoked::RightsChanged => RevokedReason::RightsChanged,
        delta::Revoked::RulesChanged => RevokedReason::RulesChanged,
        delta::Revoked::LegEnded => RevokedReason::LegEnded,
    }
}
