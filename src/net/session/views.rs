//! The views of a session: opened by the client, by the server for a leg, or anew after a lost
//! connection.

use super::super::outbox::{Class, Outrun};
use super::super::say::{self, Farewell};
use super::super::sessions::Known;
use super::{Asked, Session, View, lock};
use crate::domain::machine::ReplyTo;
use crate::engine::door::{Owed, Parts, SnapshotWhy};
use crate::engine::{Resumed as MeResumed, ViewResumed};
use crate::gate::show::ME;
use crate::gate::{Caller, pseudonyms, watch};
use crate::id::{AgentId, ContactId, Generation, OfferId, Seq};
use crate::live::board::Refused;
use crate::live::delta::{ResetWhy, Sub};
use crate::live::sight::Viewer;
use crate::wire::close::CloseCode;
use crate::wire::error::{Code, WireError, quoted};
use crate::wire::frame::{RequestId, Resume, ResumeSub, Subscribe, Unsubscribe};
use crate::wire::push::{Live, NotResumed, Reset, Resumed, Revoked, RevokedReason};
use crate::wire::result::{Subscribed, Unsubscribed};
use crate::wire::topic::{Delivery, Topic};
use bytes::Bytes;
use std::borrow::Cow;
use std::sync::Arc;

/// What a topic's frames are held to.
fn class(topic: &Topic) -> Class {
    match topic.row().delivery {
        Delivery::Lossless => Class::Lossless,
        Delivery::Conflated => Class::Conflated,
    }
}

impl Session {
    /// The user as the board sees him.
    pub(super) fn viewer(&self, caller: &Caller) -> Result<Viewer, WireError> {
        if self.pseudonyms.get().is_none() {
            let key = Arc::new(pseudonyms()?);
            self.pseudonyms.get_or_init(|| key);
        }
        let pseudonyms = self.pseudonyms.get().cloned();
        self.gate.viewer(&Caller {
            pseudonyms,
            ..caller.clone()
        })
    }

    pub(super) fn subscribe(&self, subscribe: Subscribe) {
        let Subscribe { id, topic, params } = subscribe;
        let Some(caller) = self.admitted(&id) else {
            return;
        };
        let asked = self
            .gate
            .watch(&caller, &topic, &params)
            .and_then(|ask| Ok((ask, self.viewer(&caller)?)));
        match asked {
            Ok((ask, viewer)) => {
                let request = self.await_reply(id, Asked::View(topic));
                self.gate
                    .engine()
                    .subscribe(self.door, request, viewer, ask, self.encoding);
            }
            Err(error) => self.say_error(Some(&id), &error),
        }
    }

    pub(super) fn subscribed(&self, request: u64, result: &Result<Sub, Refused>, seq: Seq) {
        let Some(pending) = self.state().answered(request) else {
            return;
        };
        let Asked::View(topic) = &pending.what else {
            return;
        };
        let reply = match result {
            Ok(sub) => {
                self.watches(*sub, class(topic), None);
                let sub = Cow::Owned(sub.to_string());
                say::result(self.encoding, &pending.id, seq.0, Subscribed { sub })
            }
            Err(refused) => {
                let error = watch::refused(refused, watch::subject(topic).as_ref());
                say::error(self.encoding, Some(&pending.id), seq.0, &error)
            }
        };
        self.say(reply);
    }

    fn watches(&self, sub: Sub, class: Class, reset: Option<NotResumed>) {
        self.state().views.insert(sub, View { class, reset });
    }

    pub(super) fn unsubscribe(&self, unsubscribe: &Unsubscribe) {
        let Unsubscribe { id, sub } = unsubscribe;
        let found = {
            let mut state = self.state();
            let found = state
                .views
                .keys()
                .find(|open| open.to_string() == **sub)
                .copied();
            if let Some(sub) = found {
                state.views.remove(&sub);
            }
            found
        };
        let Some(sub) = found else {
            let text = format!("there is no view {} on this connection", quoted(sub));
            return self.say_error(Some(id), &WireError::new(Code::NotFound, text));
        };
        self.gate.engine().unsubscribe(self.door, sub);
        lock(&self.outbox).close(sub);
        let seq = self.gate.engine().durable();
        self.say(say::result(self.encoding, id, seq.0, Unsubscribed {}));
    }

    /// Opens the view of the contact of a leg that has just been connected.
    pub(super) fn open_for_leg(&self, contact: ContactId, offer: OfferId) {
        let Some(Ok(viewer)) = self.caller().map(|caller| self.viewer(&caller)) else {
            return;
        };
        self.watches(Sub::Leg(offer), Class::Lossless, None);
        self.gate
            .engine()
            .open_for_leg(self.door, viewer, self.encoding, contact, offer);
    }

    pub(super) fn snapshot(&self, sub: Sub, why: SnapshotWhy, as_of: Seq, parts: Box<dyn Parts>) {
        let (class, reset) = {
            let mut state = self.state();
            let Some(view) = state.views.get_mut(&sub) else {
                return;
            };
            let known = view.reset.take();
            let reset = match why {
                SnapshotWhy::Opened | SnapshotWhy::Behind => None,
                SnapshotWhy::Reset => Some(known.unwrap_or(NotResumed::PositionLost)),
            };
            (view.class, reset)
        };
        if let Some(reason) = reset {
            let sub = Cow::Owned(sub.to_string());
            self.say(say::frame(self.encoding, &Reset { sub, reason }));
        }
        lock(&self.outbox).start(sub, class, as_of, parts);
    }

    /// A frame of a view.
    ///
    /// # Errors
    /// When the reader is too slow for the view.
    pub(super) fn view_frame(
        &self,
        sub: Sub,
        seq: Seq,
        bytes: Bytes,
        owed: Owed,
    ) -> Result<(), Farewell> {
        let Some(class) = self.state().views.get(&sub).map(|view| view.class) else {
            return Ok(());
        };
        let kept = lock(&self.outbox).frame(sub, class, seq, bytes, owed);
        match kept {
            Ok(()) => Ok(()),
            Err(Outrun::Restart) => {
                self.gate.engine().again(self.door, sub);
                Ok(())
            }
            Err(Outrun::TooSlow) => Err(Farewell::new(CloseCode::SlowConsumer)),
        }
    }

    /// A view is whole up to here.
    ///
    /// # Errors
    /// When the reader is too slow for the view.
    pub(super) fn view_live(&self, sub: Sub, seq: Seq, owed: Owed) -> Result<(), Farewell> {
        let live = Live {
            sub: Cow::Owned(sub.to_string()),
            seq: seq.0,
        };
        match say::frame(self.encoding, &live) {
            Some(frame) => self.view_frame(sub, seq, frame, owed),
            None => Ok(()),
        }
    }

    pub(super) fn revoked(&self, sub: Sub, reason: RevokedReason) {
        if self.state().views.remove(&sub).is_none() {
            return;
        }
        lock(&self.outbox).close(sub);
        let sub = Cow::Owned(sub.to_string());
        self.say(say::frame(self.encoding, &Revoked { sub, reason }));
    }

    /// Takes up what a lost connection had.
    pub(super) async fn resume(
        &self,
        id: &RequestId,
        resume: Option<&Resume>,
        before: Option<&Known>,
    ) -> Vec<Resumed> {
        let mut resumed = Vec::new();
        let (Some(resume), Some(caller)) = (resume, self.caller()) else {
            return resumed;
        };
        let same_epoch = *resume.epoch == *self.gate.engine().epoch().to_string();
        for sub in resume.subs.iter() {
            let went = if &*sub.topic == ME {
                self.resume_me(id, sub, &caller, before, same_epoch).await
            } else {
                self.resume_view(sub, &caller, same_epoch).await
            };
            let (name, reason) = match went {
                Ok(name) => (Some(name), None),
                Err((name, reason)) => (name, Some(reason)),
            };
            resumed.push(Resumed {
                topic: sub.topic.as_str().to_owned(),
                sub: name,
                resumed: reason.is_none(),
                reason,
            });
        }
        resumed
    }

    async fn resume_me(
        &self,
        id: &RequestId,
        sub: &ResumeSub,
        caller: &Caller,
        before: Option<&Known>,
        same_epoch: bool,
    ) -> Went {
        if !same_epoch {
            return Err((None, NotResumed::OtherEpoch));
        }
        let Some(generation) = before.and_then(|before| before.generation) else {
            return Err((None, NotResumed::Expired));
        };
        let (agent, after) = (AgentId::from(self.user), Seq(sub.seq));
        match self
            .gate
            .engine()
            .resume(agent, generation, self.door, after)
        {
            MeResumed::Whole => {
                {
                    let mut state = self.state();
                    state.generation = Some(generation);
                    state.me = Some(after);
                }
                self.sign_in(generation);
                self.keep(generation).await;
                Ok(ME.to_owned())
            }
            MeResumed::Superseded => Err((None, NotResumed::Superseded)),
            MeResumed::Expired => Err((None, NotResumed::Expired)),
            MeResumed::Lost => {
                let reason = NotResumed::PositionLost;
                self.state().generation = Some(generation);
                self.keep(generation).await;
                let request = self.await_reply(id.clone(), Asked::Seat(reason));
                let door = self.door;
                let to = ReplyTo { door, request };
                self.gate.come_back(caller, generation, to);
                Err((Some(ME.to_owned()), reason))
            }
        }
    }

    /// The client is told this session's secret only when it outlives the server.
    async fn keep(&self, generation: Generation) {
        let secret = self.secret.digest();
        self.gate.keep_session(self.user, generation, secret).await;
    }

    async fn resume_view(&self, sub: &ResumeSub, caller: &Caller, same_epoch: bool) -> Went {
        let none = |_| (None, NotResumed::NotFound);
        let topic = Topic::parse(&sub.topic).map_err(none)?;
        let params = sub
            .params
            .as_ref()
            .map(|params| params.0.clone())
            .unwrap_or_default();
        let ask = self.gate.watch(caller, &topic, &params).map_err(none)?;
        let viewer = self.viewer(caller).map_err(none)?;
        // No position of another epoch means anything here: one that was never given out.
        let after = if same_epoch {
            Seq(sub.seq)
        } else {
            Seq(u64::MAX)
        };
        let engine = self.gate.engine();
        let resumed = engine
            .resume_view(self.door, viewer, ask, self.encoding, after)
            .await;
        match resumed {
            Ok(ViewResumed::Whole(sub)) => {
                self.watches(sub, class(&topic), None);
                lock(&self.outbox).go_on(sub, after);
                Ok(sub.to_string())
            }
            Ok(ViewResumed::Reset(sub, why)) => {
                let reason = match why {
                    ResetWhy::Conflated => NotResumed::Conflated,
                    ResetWhy::PositionLost if !same_epoch => NotResumed::OtherEpoch,
                    ResetWhy::PositionLost => NotResumed::PositionLost,
                    ResetWhy::RightsChanged => NotResumed::RightsChanged,
                };
                self.watches(sub, class(&topic), Some(reason));
                Err((Some(sub.to_string()), reason))
            }
            Err(_) => Err((None, NotResumed::NotFound)),
        }
    }
}

/// Name of a view that goes on; else why not, and its name if it starts anew.
type Went = Result<String, (Option<String>, NotResumed)>;
