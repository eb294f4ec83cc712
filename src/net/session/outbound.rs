//! What the engine says, as frames of this socket.

use super::super::say::{self, Farewell};
use super::{Asked, Session, lock};
use crate::domain::machine::{Answer, Me, Refusal};
use crate::engine::door::{Close, Delivery, MyEvent, Owed, ToDoor};
use crate::gate::show::ME;
use crate::id::Seq;
use crate::live::delta::Sub;
use crate::wire::close::CloseCode;
use crate::wire::method::Method;
use crate::wire::push::{Event, Live, NotResumed, Reset, Snapshot};
use bytes::Bytes;
use std::borrow::Cow;

impl Session {
    /// Takes something out of the door.
    ///
    /// # Errors
    /// When the session is to end.
    pub(super) fn receive(&self, delivery: Delivery) -> Result<(), Farewell> {
        let Delivery { what, owed } = delivery;
        match what {
            ToDoor::Reply {
                request,
                result,
                seq,
            } => return self.answered(request, &result, seq, owed),
            ToDoor::Me(event) => return self.me(&event, owed),
            ToDoor::MeLive => self.me_live(),
            ToDoor::Subscribed {
                request,
                result,
                seq,
            } => self.subscribed(request, &result, seq),
            ToDoor::Snapshot {
                sub,
                why,
                as_of,
                parts,
            } => self.snapshot(sub, why, as_of, parts),
            ToDoor::Frame { sub, seq, bytes } => {
                return self.view_frame(sub, seq, bytes, owed);
            }
            ToDoor::Live { sub, seq } => return self.view_live(sub, seq, owed),
            ToDoor::Revoked { sub, reason } => self.revoked(sub, reason),
            ToDoor::Close(why) => return Err(self.closing(why)),
        }
        Ok(())
    }

    fn answered(
        &self,
        request: u64,
        result: &Result<Answer, Refusal>,
        seq: Seq,
        owed: Owed,
    ) -> Result<(), Farewell> {
        let Some(pending) = self.state().answered(request) else {
            return Ok(());
        };
        if let Ok(Answer::SignedIn(signed_in)) = result {
            let generation = signed_in.agent.generation;
            let mut state = self.state();
            state.generation = Some(generation);
            state.me = Some(seq);
            drop(state);
            self.sign_in(generation);
        }
        let (method, subject) = match &pending.what {
            Asked::Method(method, subject) => (method, subject),
            Asked::Seat(reason) => return self.seat(*reason, result, seq, owed),
            Asked::View(_) => return Ok(()),
        };
        let Some(principal) = self.gate.principal(self.user) else {
            return Ok(());
        };
        let outcome = self
            .gate
            .shown(&principal, *method, subject.as_ref(), result, seq);
        self.owe(self.outcome(&pending.id, &outcome), owed)
    }

    /// The seat anew, for a page that does not know what was said there. Whose seat is gone
    /// meanwhile comes back once more, and hears so.
    fn seat(
        &self,
        reason: NotResumed,
        result: &Result<Answer, Refusal>,
        seq: Seq,
        owed: Owed,
    ) -> Result<(), Farewell> {
        match result {
            Ok(_) => {}
            Err(Refusal::Superseded) => return Err(Farewell::new(CloseCode::Superseded)),
            Err(_) => return Err(Farewell::new(CloseCode::Unknown)),
        }
        let Some(principal) = self.gate.principal(self.user) else {
            return Ok(());
        };
        let method = Method::AgentSignIn;
        let shown = self.gate.shown(&principal, method, None, result, seq);
        let Ok(answer) = shown.result else {
            return Err(Farewell::new(CloseCode::Unknown));
        };
        let sub = Cow::Borrowed(ME);
        self.say(say::frame(self.encoding, &Reset { sub, reason }));
        let snapshot = Snapshot::<(), _> {
            sub: Cow::Borrowed(ME),
            epoch: Cow::Owned(self.gate.engine().epoch().to_string()),
            as_of: seq.0,
            columns: None,
            rows: None,
            data: Some(&*answer),
            part: 1,
            last: true,
        };
        self.owe(say::frame(self.encoding, &snapshot), owed)
    }

    /// Puts a frame into the outbox that is in the door's budget, now with its true length.
    fn owe(&self, frame: Option<Bytes>, mut owed: Owed) -> Result<(), Farewell> {
        let Some(frame) = frame else {
            return Ok(());
        };
        if !owed.weigh(frame.len()) {
            return Err(Farewell::new(CloseCode::SlowConsumer));
        }
        lock(&self.outbox).first(frame, Some(owed));
        Ok(())
    }

    fn me(&self, event: &MyEvent, owed: Owed) -> Result<(), Farewell> {
        let Some(principal) = self.gate.principal(self.user) else {
            return Ok(());
        };
        let sub = match &*event.me {
            Me::Connected(leg) => {
                let (contact, offer) = (leg.offer.contact, leg.offer.offer);
                self.open_for_leg(contact, offer);
                Some(Cow::Owned(Sub::Leg(offer).to_string()))
            }
            Me::Offer(_)
            | Me::OfferEnded { .. }
            | Me::Connecting(_)
            | Me::WrapUp(_)
            | Me::Ended(_)
            | Me::State(_)
            | Me::Channels(_)
            | Me::Queues(_)
            | Me::SignedOut(_)
            | Me::Resumed(_) => None,
        };
        let shown = self
            .gate
            .show(&principal, |show| show.me(&event.me, event.at, sub));
        let frame = say::frame(
            self.encoding,
            &Event {
                sub: Cow::Borrowed(ME),
                seq: event.seq.0,
                prev: event.prev.0,
                at: event.at.0,
                event: shown.event,
                key: shown.key,
                data: shown.data,
                actor: None,
                on_behalf: None,
                replay: event.replay,
            },
        );
        self.state().me = Some(event.seq);
        self.owe(frame, owed)
    }

    fn me_live(&self) {
        let seq = self.state().me.unwrap_or_default();
        let live = Live {
            sub: Cow::Borrowed(ME),
            seq: seq.0,
        };
        self.say(say::frame(self.encoding, &live));
    }

    fn closing(&self, why: Close) -> Farewell {
        match why {
            Close::SlowReader => Farewell::new(CloseCode::SlowConsumer),
            Close::Superseded => Farewell::new(CloseCode::Superseded),
            Close::Stopping => self.server.going_away(),
        }
    }
}
