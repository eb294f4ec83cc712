//! The writing task: empties the door, keeps the pulse, writes. It never waits for the client
//! without also taking in what comes, so nothing piles up unseen.

use super::super::say::{self, Farewell, Parting};
use super::super::server::Server;
use super::super::socket::{Kind, Outgoing};
use super::greet::kind;
use super::{Session, lock};
use crate::engine::door::{Delivery, Door};
use crate::gate::show::ME;
use crate::limits;
use crate::time::Instant;
use crate::wire::close::CloseCode;
use crate::wire::codec::Encoding;
use crate::wire::push::{Ping, Warning, WarningCode};
use futures::poll;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::io::AsyncWrite;

/// Writes to the end of the session, and the farewell.
pub(super) async fn write<W: AsyncWrite + Unpin>(
    session: Arc<Session>,
    door: Door,
    mut outgoing: Outgoing<W>,
) {
    let parting = Writer::new(&session).run(door, &mut outgoing).await;
    // Whoever ended it first has the word.
    session.end(parting);
    lock(&session.outbox).clear();
    if let Some(parting) = session.parting.get() {
        part(&session.server, &mut outgoing, session.encoding, parting).await;
    }
}

/// Says farewell, as far as the client is there and still reads.
pub(super) async fn part<W: AsyncWrite + Unpin>(
    server: &Server,
    outgoing: &mut Outgoing<W>,
    encoding: Encoding,
    parting: &Parting,
) {
    match parting {
        Parting::Gone => return,
        Parting::Answer(code) => outgoing.put_close(*code, ""),
        Parting::Say(farewell) => {
            if let Some(goaway) = farewell.goaway(encoding) {
                outgoing.put(kind(encoding), &goaway);
            }
            outgoing.put_close(Some(farewell.code.code()), farewell.reason());
        }
    }
    let clock = server.clock();
    let deadline = clock.now() + server.options().close_within;
    tokio::select! {
        // Whether it arrived or the client is gone, the session is over.
        _ = flush(outgoing) => outgoing.shut().await,
        () = clock.until(deadline) => {}
    }
}

/// Writes everything that was put.
pub(super) async fn flush<W: AsyncWrite + Unpin>(outgoing: &mut Outgoing<W>) -> io::Result<()> {
    let mut progress = false;
    poll_fn(|cx| outgoing.poll_write(cx, &mut progress)).await
}

struct Writer<'a> {
    session: &'a Session,
    received: VecDeque<Delivery>,
    ping_at: Instant,
    /// When the client last took something, or had nothing to take.
    took_at: Instant,
}

impl<'a> Writer<'a> {
    fn new(session: &'a Session) -> Self {
        let now = session.now();
        Self {
            session,
            received: VecDeque::new(),
            ping_at: now + session.server.options().ping_every,
            took_at: now,
        }
    }

    /// Runs until the session is to end, and says why. What a
    /// client can make ready without end, its own news, comes last and so holds up nothing.
    async fn run<W: AsyncWrite + Unpin>(
        mut self,
        mut door: Door,
        outgoing: &mut Outgoing<W>,
    ) -> Parting {
        let session = self.session;
        let clock = session.server.clock();
        let mut pulse = pin!(clock.until(self.next_beat()));
        loop {
            self.fill(outgoing);
            let mut progress = false;
            let writes = !outgoing.is_clear();
            tokio::select! {
                biased;
                () = session.done.cancelled() => {
                    return Parting::Say(session.server.going_away());
                }
                () = &mut pulse => {
                    // Whoever takes something now has not stopped reading.
                    let taken = poll!(poll_fn(|cx| outgoing.poll_write(cx, &mut progress)));
                    if matches!(taken, Poll::Ready(Err(_))) {
                        return Parting::Gone;
                    }
                    if let Err(farewell) = self.beat(writes && !progress) {
                        return Parting::Say(farewell);
                    }
                    pulse.set(clock.until(self.next_beat()));
                }
                open = door.receive(&mut self.received) => {
                    if !open {
                        return Parting::Say(session.server.going_away());
                    }
                    // Its memory goes with what it held: most sessions are idle most of the time.
                    for delivery in std::mem::take(&mut self.received) {
                        if let Err(farewell) = session.receive(delivery) {
                            return Parting::Say(farewell);
                        }
                    }
                }
                written = poll_fn(|cx| outgoing.poll_write(cx, &mut progress)), if writes => {
                    if written.is_err() {
                        return Parting::Gone;
                    }
                }
                () = session.news.notified() => {}
            }
            if progress || !writes {
                self.took_at = session.now();
            }
        }
    }

    /// Puts frames into the write at hand as long as it has room.
    fn fill<W: AsyncWrite + Unpin>(&mut self, outgoing: &mut Outgoing<W>) {
        let session = self.session;
        // One pong at most lies here: of pings that come faster than they are answered, only
        // the last is.
        if outgoing.has_room()
            && let Some(payload) = session.state().pong.take()
        {
            outgoing.put(Kind::Pong, &payload);
        }
        let kind = kind(session.encoding);
        let mut outbox = lock(&session.outbox);
        let piled_up = outbox.replies_pile_up();
        while outgoing.has_room() {
            let Some((frame, _owed)) = outbox.pop() else {
                break;
            };
            outgoing.put(kind, &frame);
        }
        if piled_up && !outbox.replies_pile_up() {
            session.room.notify_one();
        }
    }
}

impl Writer<'_> {
    /// When something is due by the clock.
    fn next_beat(&self) -> Instant {
        let session = self.session;
        let dead_after = session.server.options().dead_after;
        let (expires_at, warned) = {
            let state = session.state();
            (state.expires_at, state.warned)
        };
        let token = if warned {
            expires_at + limits::TOKEN_LEEWAY
        } else {
            expires_at - limits::TOKEN_WARNING
        };
        let silence = if session.listens() {
            session.heard() + dead_after
        } else {
            Instant::NEVER
        };
        self.ping_at.min(silence).min(token)
    }

    /// Does what is due by the clock.
    fn beat(&mut self, owes: bool) -> Result<(), Farewell> {
        let session = self.session;
        let options = session.server.options();
        let now = session.now();
        if session.listens() && session.heard() + options.dead_after <= now {
            return Err(Farewell::new(CloseCode::PingTimeout));
        }
        if owes && self.took_at + options.dead_after <= now {
            return Err(Farewell::new(CloseCode::SlowConsumer));
        }
        self.check_token(now)?;
        if self.ping_at <= now {
            self.ping_at = now + options.ping_every;
            self.ping(now);
        }
        Ok(())
    }

    fn check_token(&self, now: Instant) -> Result<(), Farewell> {
        let expires_at = {
            let mut state = self.session.state();
            if state.expires_at + limits::TOKEN_LEEWAY <= now {
                return Err(Farewell::new(CloseCode::TokenExpired));
            }
            if state.warned || now < state.expires_at - limits::TOKEN_WARNING {
                return Ok(());
            }
            state.warned = true;
            state.expires_at
        };
        let warning = Warning {
            code: WarningCode::TokenExpiring,
            deadline: Some(expires_at.0),
            message: Cow::Borrowed("the token runs out; renew it with `auth.refresh`"),
        };
        self.session
            .say(say::frame(self.session.encoding, &warning));
        Ok(())
    }

    /// Asks whether the client is there, and tells how far its views are.
    fn ping(&self, now: Instant) {
        // Events of `me` wait before the ping in the same line, those of views behind it.
        let me = self.session.state().me;
        let me = me.map(|seq| (Cow::Borrowed(ME), seq.0));
        let views: Vec<_> = lock(&self.session.outbox).positions().collect();
        let views = views
            .into_iter()
            .map(|(sub, seq)| (Cow::Owned(sub.to_string()), seq.0));
        let positions: Vec<(Cow<'_, str>, u64)> = me.into_iter().chain(views).collect();
        let ping = Ping {
            at: now.0,
            positions,
        };
        self.session.say(say::frame(self.session.encoding, &ping));
    }
}
