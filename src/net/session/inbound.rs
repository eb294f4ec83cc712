//! What a client sends, once it is welcome: frames are taken apart, paced, and every message is
//! answered or put on its way.

use super::super::pace::{Bucket, FLIGHT_AFTER_MS};
use super::super::say::{self, Farewell, Parting};
use super::super::socket::{Incoming, Received};
use super::greet::{parting, unreadable};
use super::{Asked, Pending, Session, lock};
use crate::domain::machine::ReplyTo;
use crate::gate::{Begun, Caller, Outcome, Subject, keeps_key, takes_time};
use crate::limits;
use crate::time::Instant;
use crate::wire::close::CloseCode;
use crate::wire::error::{Code, WireError};
use crate::wire::frame::{Inbound, Request, RequestId};
use crate::wire::method::{Answer, Call};
use crate::wire::raw::Raw;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::io::AsyncRead;

/// Holds a session paused: what it says while nothing is read is not yet silence.
struct Paused<'a>(&'a Session);

impl<'a> Paused<'a> {
    fn now(session: &'a Session) -> Self {
        session.paused.store(true, Ordering::Relaxed);
        session.server.one_paused(true);
        Self(session)
    }
}

impl Drop for Paused<'_> {
    fn drop(&mut self) {
        self.0.hear(self.0.now());
        self.0.paused.store(false, Ordering::Relaxed);
        self.0.server.one_paused(false);
    }
}

impl Session {
    /// Largest inbound frame, in bytes.
    pub(super) fn frame_bytes(&self) -> usize {
        if self.is_connector() {
            limits::FRAME_BYTES_CONNECTOR
        } else {
            limits::FRAME_BYTES
        }
    }

    /// Reads to the end of the session, beginning with what came together with `hello`.
    pub(super) async fn read<R: AsyncRead + Unpin>(
        self: &Arc<Self>,
        incoming: &mut Incoming<R>,
        first: Vec<Inbound>,
    ) {
        let mut bucket = Bucket::full(self.pace, self.now());
        let mut taken = self.messages(first, &mut bucket, self.now());
        while taken.is_ok() {
            if !self.has_room().await {
                return;
            }
            let received = tokio::select! {
                biased;
                () = self.done.cancelled() => return,
                received = incoming.next() => received,
            };
            let now = self.now();
            self.hear(now);
            taken = match received {
                Ok(Received::Text(text)) => self.frame(&Bytes::from(text), true, &mut bucket, now),
                Ok(Received::Binary(bytes)) => self.frame(&bytes, false, &mut bucket, now),
                Ok(Received::Ping(payload)) => self.ping(Some(payload), &mut bucket, now),
                Ok(Received::Pong) => self.ping(None, &mut bucket, now),
                Err(ended) => Err(parting(ended)),
            };
        }
        if let Err(parting) = taken {
            self.end(parting);
        }
    }

    /// Waits until the client has read enough of its replies that it may ask on. False when
    /// the session is over.
    async fn has_room(&self) -> bool {
        if !lock(&self.outbox).replies_pile_up() {
            return true;
        }
        let _paused = Paused::now(self);
        while lock(&self.outbox).replies_pile_up() {
            tokio::select! {
                () = self.done.cancelled() => return false,
                () = self.room.notified() => {}
            }
        }
        true
    }

    /// A ping of the WebSocket itself, or a pong. It counts as a message; over the pace it is
    /// not answered.
    fn ping(
        &self,
        payload: Option<Bytes>,
        bucket: &mut Bucket,
        now: Instant,
    ) -> Result<(), Parting> {
        match bucket.take(self.pace, now) {
            None => {
                if payload.is_some() {
                    self.state().pong = payload;
                    self.news.notify_one();
                }
                Ok(())
            }
            Some(too_fast) if too_fast.deaf => {
                Err(Parting::Say(Farewell::new(CloseCode::RateLimited)))
            }
            Some(_) => Ok(()),
        }
    }

    fn frame(
        self: &Arc<Self>,
        frame: &Bytes,
        text: bool,
        bucket: &mut Bucket,
        now: Instant,
    ) -> Result<(), Parting> {
        let messages = self
            .encoding
            .expect_kind(text)
            .and_then(|()| self.encoding.decode(frame, self.frame_bytes()))
            .map_err(|error| Parting::Say(unreadable(&error)))?;
        self.messages(messages, bucket, now)
    }

    fn messages(
        self: &Arc<Self>,
        messages: Vec<Inbound>,
        bucket: &mut Bucket,
        now: Instant,
    ) -> Result<(), Parting> {
        for message in messages {
            match bucket.take(self.pace, now) {
                None => self.message(message),
                Some(too_fast) if too_fast.deaf => {
                    return Err(Parting::Say(Farewell::new(CloseCode::RateLimited)));
                }
                Some(too_fast) => {
                    let error = WireError::new(Code::RateLimited, "too many messages");
                    if let Some(id) = id_of(&message) {
                        self.say_error(Some(id), &error.after(too_fast.after_ms));
                    }
                }
            }
        }
        Ok(())
    }

    fn message(self: &Arc<Self>, message: Inbound) {
        match message {
            Inbound::Request(request) => self.request(request),
            Inbound::Subscribe(subscribe) => self.subscribe(subscribe),
            Inbound::Unsubscribe(unsubscribe) => self.unsubscribe(&unsubscribe),
            Inbound::Pong(_) => {}
            Inbound::Hello(hello) => {
                let error = WireError::new(Code::BadRequest, "`hello` was said before");
                self.say_error(Some(&hello.id), &error);
            }
            Inbound::Invalid(invalid) => {
                self.say_error(invalid.id.as_deref(), &invalid.error);
            }
        }
    }

    fn request(self: &Arc<Self>, request: Request<Raw>) {
        let Request {
            id,
            method,
            params,
            key,
            on_behalf,
        } = request;
        if on_behalf.is_some() {
            let error = WireError::new(
                Code::Forbidden,
                "no agent view of that owner is open to you",
            );
            return self.say_error(Some(&id), &error.lacking("inbox.act_as"));
        }
        let call = match method.read(&params) {
            Ok(call) => call,
            Err(error) => return self.say_error(Some(&id), &error),
        };
        let Some(caller) = self.admitted(&id) else {
            return;
        };
        let key = key.filter(|_| keeps_key(method));
        if key.is_some() || takes_time(method) {
            let key = key.map(|key| key.into_string());
            self.carry(id, caller, call, key);
        } else {
            self.begin(id, &caller, call);
        }
    }

    /// The caller, if one more request may be on its way.
    pub(super) fn admitted(&self, id: &RequestId) -> Option<Caller> {
        if self.state().in_flight() >= self.pace.in_flight {
            let text = format!("{} requests await their reply already", self.pace.in_flight);
            let error = WireError::new(Code::RateLimited, text).after(FLIGHT_AFTER_MS);
            self.say_error(Some(id), &error);
            return None;
        }
        let caller = self.caller();
        if caller.is_none() {
            self.end(Parting::Say(Farewell::new(CloseCode::Forbidden)));
        }
        caller
    }

    /// Puts a request down as one that awaits its answer at the door.
    pub(super) fn await_reply(&self, id: RequestId, what: Asked) -> u64 {
        self.state().await_reply(Pending { id, what })
    }

    /// Hands a request to its owner, whose answer comes to the door.
    fn begin(&self, id: RequestId, caller: &Caller, call: Call) {
        let what = Asked::Method(call.method(), Subject::of(&call));
        let request = self.await_reply(id, what);
        let to = ReplyTo {
            door: self.door,
            request,
        };
        let begun = self.gate.begin(caller, call, to);
        let answered = match begun {
            Ok(Begun::Sent) => return,
            Ok(Begun::Answered(answer)) => Ok(*answer),
            Err(error) => Err(error),
        };
        let Some(pending) = self.state().answered(request) else {
            return;
        };
        match answered {
            Ok(answer) => {
                if let Answer::AuthRefresh(refreshed) = &answer {
                    self.refreshed(Instant(refreshed.expires_at));
                }
                let seq = self.gate.engine().durable();
                self.say(say::result(self.encoding, &pending.id, seq.0, answer));
            }
            Err(error) => self.say_error(Some(&pending.id), &error),
        }
    }

    /// Carries a request in a task of its own: it goes on when the socket is gone, so that a
    /// key keeps its answer.
    fn carry(self: &Arc<Self>, id: RequestId, caller: Caller, call: Call, key: Option<String>) {
        self.state().carried += 1;
        let session = Arc::clone(self);
        self.server.tasks().spawn(async move {
            let outcome = session.gate.ask(&caller, call, key.as_deref()).await;
            session.state().carried -= 1;
            session.say(session.outcome(&id, &outcome));
        });
    }

    /// What came of a request, as its reply.
    pub(super) fn outcome(&self, id: &str, outcome: &Outcome) -> Option<Bytes> {
        match &outcome.result {
            Ok(answer) => say::result(self.encoding, id, outcome.seq.0, &**answer),
            Err(error) => say::error(self.encoding, Some(id), outcome.seq.0, error),
        }
    }
}

/// The id by which a message wants to be answered.
fn id_of(message: &Inbound) -> Option<&str> {
    match message {
        Inbound::Hello(hello) => Some(&hello.id),
        Inbound::Request(request) => Some(&request.id),
        Inbound::Subscribe(subscribe) => Some(&subscribe.id),
        Inbound::Unsubscribe(unsubscribe) => Some(&unsubscribe.id),
        Inbound::Invalid(invalid) => invalid.id.as_deref(),
        Inbound::Pong(_) => None,
    }
}
