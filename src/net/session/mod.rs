//! A session: one socket, its user, and what passes between it and the gate.
//!
//! Two tasks share it. The reader takes the client's messages in; the writer empties the door
//! and writes. A slow reader of ours, the client, so holds up nobody, and a client that floods
//! delays no offer.

mod greet;
mod inbound;
mod outbound;
mod reload;
mod views;
mod writer;

use super::outbox::{Class, Outbox};
use super::pace::Pace;
use super::say::{Farewell, Parting};
use super::server::Server;
use super::sessions::Secret;
use super::socket::{self, Incoming, Outgoing};
use super::{listen::Peer, say};
use crate::access::lens::PseudonymKey;
use crate::engine::door::{DoorId, Owed};
use crate::gate::{Caller, Gate, SpeaksFor, Subject};
use crate::id::{Generation, Seq, UserId};
use crate::live::delta::Sub;
use crate::time::Instant;
use crate::wire::close::CloseCode;
use crate::wire::codec::Encoding;
use crate::wire::error::WireError;
use crate::wire::frame::RequestId;
use crate::wire::method::Method;
use crate::wire::push::NotResumed;
use crate::wire::topic::Topic;
use bytes::Bytes;
use greet::Greeted;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::io::AsyncRead;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// A connection that has just become a WebSocket.
#[derive(Debug)]
pub struct Arrival {
    /// The connection.
    pub stream: TcpStream,
    /// What was read of it beyond the headers.
    pub already: Vec<u8>,
    /// The encoding that was agreed on.
    pub encoding: Encoding,
    /// The token that came with the upgrade.
    pub token: Option<String>,
    /// Its place among the connections.
    pub peer: Peer,
    /// Why it is turned away at once, if it is.
    pub refused: Option<CloseCode>,
}

/// A request on its way to its owner.
#[derive(Debug)]
struct Pending {
    id: RequestId,
    what: Asked,
}

/// What was asked.
#[derive(Debug)]
enum Asked {
    /// A method of the machines.
    Method(Method, Option<Subject>),
    /// A view to open.
    View(Topic),
    /// What is in hand at the seat, because what was said there does not go on.
    Seat(NotResumed),
}

/// A view that is open on this socket.
#[derive(Debug)]
struct View {
    class: Class,
    /// Why its next snapshot starts it anew.
    reset: Option<NotResumed>,
}

/// What reader and writer both change.
#[derive(Debug)]
struct State {
    expires_at: Instant,
    /// The end of the token was announced.
    warned: bool,
    generation: Option<Generation>,
    next_request: u64,
    /// Those that await their answer at the door, by number.
    pending: VecDeque<(u64, Pending)>,
    /// Requests that have a task of their own.
    carried: usize,
    views: BTreeMap<Sub, View>,
    /// Newest position of `me` in the outbox, once there is a sign-in.
    me: Option<Seq>,
    /// Payload of the last ping of the WebSocket itself, to be answered.
    pong: Option<Bytes>,
}

impl State {
    /// Requests that await their reply.
    fn in_flight(&self) -> usize {
        self.pending.len() + self.carried
    }

    /// Puts a request down, and numbers it.
    fn await_reply(&mut self, pending: Pending) -> u64 {
        self.next_request += 1;
        if self.pending.is_empty() {
            self.pending.reserve_exact(1);
        }
        self.pending.push_back((self.next_request, pending));
        self.next_request
    }

    /// A request that is answered. Whoever awaits nothing holds no memory for it.
    fn answered(&mut self, request: u64) -> Option<Pending> {
        let at = self.pending.binary_search_by_key(&request, |(it, _)| *it);
        let (_, pending) = self.pending.remove(at.ok()?)?;
        if self.pending.is_empty() {
            self.pending = VecDeque::new();
        }
        Some(pending)
    }
}

/// One session.
#[derive(Debug)]
pub(super) struct Session {
    server: Arc<Server>,
    gate: Arc<Gate>,
    user: UserId,
    secret: Secret,
    pseudonyms: OnceLock<Arc<PseudonymKey>>,
    encoding: Encoding,
    pace: Pace,
    door: DoorId,
    /// When the last frame came in, in milliseconds.
    heard: AtomicU64,
    state: Mutex<State>,
    outbox: Mutex<Outbox<Owed>>,
    /// The outbox or the pong has something new.
    news: Notify,
    /// The outbox has room for replies again.
    room: Notify,
    done: CancellationToken,
    /// How it ended.
    parting: OnceLock<Parting>,
    /// No request is read until the client has taken replies.
    paused: AtomicBool,
}

/// Nothing between lock and unlock can panic, so a poisoned lock holds whole values.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Session {
    fn now(&self) -> Instant {
        self.server.clock().now()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Puts a frame before the events of views and wakes the writer.
    fn say(&self, frame: Option<Bytes>) {
        if let Some(frame) = frame {
            lock(&self.outbox).first(frame, None);
            self.news.notify_one();
        }
    }

    fn say_error(&self, id: Option<&str>, error: &WireError) {
        let seq = self.gate.engine().durable();
        self.say(say::error(self.encoding, id, seq.0, error));
    }

    /// Ends the session; the first word counts.
    fn end(&self, parting: Parting) {
        let _ = self.parting.set(parting);
        self.done.cancel();
    }

    /// The caller of this moment; nothing when the user is no more.
    fn caller(&self) -> Option<Caller> {
        Some(Caller {
            principal: self.gate.principal(self.user)?,
            speaks_for: self
                .state()
                .generation
                .map_or(SpeaksFor::Nobody, SpeaksFor::One),
            pseudonyms: self.pseudonyms.get().cloned(),
        })
    }

    /// This session is that of a sign-in from now on.
    fn sign_in(&self, generation: Generation) {
        self.server.sessions().sign_in(self.secret, generation);
    }

    fn is_connector(&self) -> bool {
        self.pace == Pace::CONNECTOR
    }

    /// The token was renewed.
    fn refreshed(&self, expires_at: Instant) {
        let mut state = self.state();
        state.expires_at = expires_at;
        state.warned = false;
    }

    /// Whether silence of the client means that it is gone: not while nothing is read of it.
    fn listens(&self) -> bool {
        !self.paused.load(Ordering::Relaxed)
    }

    fn hear(&self, now: Instant) {
        self.heard.store(now.0, Ordering::Relaxed);
    }

    fn heard(&self) -> Instant {
        Instant(self.heard.load(Ordering::Relaxed))
    }
}

/// Greets a client and serves it to its end. A session goes on in a task of its own, which is
/// much smaller than what a greeting needs.
pub async fn serve(server: Arc<Server>, arrival: Arrival) {
    let Arrival {
        stream,
        already,
        encoding,
        token,
        peer,
        refused,
    } = arrival;
    let (read, write) = stream.into_split();
    let mut incoming = Incoming::new(read, &already);
    let mut outgoing = Outgoing::new(write);
    let greeted = match refused {
        Some(code) => Err(Parting::Say(Farewell::new(code))),
        None => greet::greet(&server, &mut incoming, &mut outgoing, encoding, token).await,
    };
    match greeted {
        Ok(greeted) => {
            converse(greeted, incoming, outgoing, peer);
        }
        Err(Parting::Gone) => {}
        Err(parting) => {
            writer::part(&server, &mut outgoing, encoding, &parting).await;
            drain(&server, &mut incoming).await;
        }
    }
}

/// Serves a session that has been welcomed, in two tasks.
fn converse(
    greeted: Greeted,
    mut incoming: Incoming<OwnedReadHalf>,
    outgoing: Outgoing<OwnedWriteHalf>,
    peer: Peer,
) {
    let Greeted {
        session,
        open,
        door,
        then,
    } = greeted;
    if session.is_connector() {
        incoming.allow_connector();
    }
    if let Err(error) = socket::tune(outgoing.io().as_ref(), session.is_connector()) {
        tracing::debug!(%error, "a socket could not be tuned");
    }
    let tasks = session.server.tasks().clone();
    let writer = tasks.spawn(writer::write(Arc::clone(&session), door, outgoing));
    tasks.spawn(async move {
        session.read(&mut incoming, then).await;
        // The writer says farewell; what still comes in meanwhile is nobody's business.
        let parting = async {
            if writer.await.is_err() {
                tracing::error!("the writing task of a session has failed");
            }
        };
        Box::pin(async { tokio::join!(parting, drain(&session.server, &mut incoming)) }).await;
        open.lost(session.now());
        drop(peer);
    });
}

/// Reads what still comes, until the other side is gone or has had its time.
async fn drain<R: AsyncRead + Unpin>(server: &Server, incoming: &mut Incoming<R>) {
    let clock = server.clock();
    let deadline = clock.now() + server.options().close_within;
    tokio::select! {
        () = incoming.drain() => {}
        () = clock.until(deadline) => {}
    }
}
