//! The first words: `hello` in time, a token that holds, and `welcome`.

use super::super::pace::Pace;
use super::super::say::{self, Farewell, Parting};
use super::super::server::Server;
use super::super::sessions::{Known, Open, Secret};
use super::super::socket::{Ended, Incoming, Kind, Outgoing, Received};
use super::writer::flush;
use super::{Session, State};
use crate::access::act::SessionOpen;
use crate::access::ext::ExtNames;
use crate::access::facts::Facts;
use crate::access::permit::Act as _;
use crate::access::principal::Principal;
use crate::access::rights::decide_needs;
use crate::engine::door::Door;
use crate::gate::Gate;
use crate::gate::tokens::Entrant;
use crate::limits;
use crate::wire::close::CloseCode;
use crate::wire::codec::{Encoding, FrameError};
use crate::wire::error::{Code, WireError};
use crate::wire::frame::{Hello, Inbound, RequestId};
use crate::wire::push::{Home, Limits, Resumed, User, Welcome};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, OnceLock};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;

/// A session that has been welcomed.
#[derive(Debug)]
pub(super) struct Greeted {
    pub session: Arc<Session>,
    /// Its place among the sessions.
    pub open: Open,
    /// Where replies and streams of the engine come out.
    pub door: Door,
    /// What came in the same frame as `hello`, behind it.
    pub then: Vec<Inbound>,
}

/// Waits for `hello` and answers it.
pub(super) async fn greet<R, W>(
    server: &Arc<Server>,
    incoming: &mut Incoming<R>,
    outgoing: &mut Outgoing<W>,
    encoding: Encoding,
    token: Option<String>,
) -> Result<Greeted, Parting>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let clock = server.clock();
    let deadline = clock.now() + server.options().hello_within;
    let said = tokio::select! {
        said = first_words(incoming, outgoing, encoding) => said,
        () = clock.until(deadline) => Err(Parting::Say(Farewell::new(CloseCode::HelloTimeout))),
        () = server.stopping() => Err(Parting::Say(server.going_away())),
    };
    let (hello, then) = said?;
    let (session, open, door) = welcome(server, hello, encoding, token).await?;
    Ok(Greeted {
        session,
        open,
        door,
        then,
    })
}

/// The first message, which has to be `hello`, and what came with it.
async fn first_words<R, W>(
    incoming: &mut Incoming<R>,
    outgoing: &mut Outgoing<W>,
    encoding: Encoding,
) -> Result<(Hello, Vec<Inbound>), Parting>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let (frame, text) = loop {
        match incoming.next().await {
            Ok(Received::Text(text)) => break (Bytes::from(text), true),
            Ok(Received::Binary(bytes)) => break (bytes, false),
            Ok(Received::Pong) => {}
            Ok(Received::Ping(payload)) => {
                outgoing.put(Kind::Pong, &payload);
                flush(outgoing).await.map_err(|_| Parting::Gone)?;
            }
            Err(ended) => return Err(parting(ended)),
        }
    };
    let messages = encoding
        .expect_kind(text)
        .and_then(|()| encoding.decode(&frame, limits::FRAME_BYTES))
        .map_err(|error| Parting::Say(unreadable(&error)))?;
    let mut messages = messages.into_iter();
    let (id, error, code) = match messages.next() {
        Some(Inbound::Hello(hello)) => return Ok((hello, messages.collect())),
        Some(Inbound::Invalid(invalid)) => (invalid.id, invalid.error, CloseCode::BadFrame),
        Some(Inbound::Request(request)) => (Some(request.id), too_early(), UNAUTHENTICATED),
        Some(Inbound::Subscribe(subscribe)) => (Some(subscribe.id), too_early(), UNAUTHENTICATED),
        Some(Inbound::Unsubscribe(ask)) => (Some(ask.id), too_early(), UNAUTHENTICATED),
        Some(Inbound::Pong(_)) | None => (None, too_early(), UNAUTHENTICATED),
    };
    let farewell = Farewell::saying(code, error.message.clone());
    if let Some(reply) = say::error(encoding, id.as_deref(), 0, &error) {
        outgoing.put(kind(encoding), &reply);
    }
    Err(Parting::Say(farewell))
}

const UNAUTHENTICATED: CloseCode = CloseCode::Unauthenticated;

fn too_early() -> WireError {
    WireError::new(Code::Unauthenticated, "the first message has to be `hello`")
}

/// Kind of the frames that carry an encoding.
pub(super) fn kind(encoding: Encoding) -> Kind {
    match encoding {
        Encoding::Json => Kind::Text,
        Encoding::MessagePack => Kind::Binary,
    }
}

/// What is said to a client whose frames cannot be read any further.
pub(super) fn parting(ended: Ended) -> Parting {
    match ended {
        Ended::Gone => Parting::Gone,
        Ended::Closed(code) => Parting::Answer(code),
        Ended::TooLarge => Parting::Say(Farewell::new(CloseCode::TooLarge)),
        Ended::BadFrame => Parting::Say(Farewell::new(CloseCode::BadFrame)),
    }
}

/// What is said about a frame that cannot be taken apart.
pub(super) fn unreadable(error: &FrameError) -> Farewell {
    Farewell::saying(error.close(), error.to_string())
}

/// Lets the user in, and says so.
async fn welcome(
    server: &Arc<Server>,
    hello: Hello,
    encoding: Encoding,
    token: Option<String>,
) -> Result<(Arc<Session>, Open, Door), Parting> {
    let token = hello
        .token
        .as_ref()
        .map(|token| token.as_str().to_owned())
        .or(token);
    let token = token.ok_or_else(|| {
        let text = "a token is needed, in the upgrade or in `hello`";
        Parting::Say(Farewell::saying(CloseCode::Unauthenticated, text))
    })?;
    let (gate, entrant) = server
        .site()
        .enter(&token)
        .map_err(|error| Parting::Say(refused(&error)))?;
    let principal = gate
        .principal(entrant.user)
        .ok_or_else(|| Parting::Say(forbidden()))?;
    if !decide_needs(&principal, &SessionOpen::NEEDS, None, &Facts::Rows).allows() {
        return Err(Parting::Say(forbidden()));
    }
    let before = earlier(server, &hello, &entrant)?;
    let open = open(server, &entrant, &principal)?;
    let door = gate.engine().doors().open();
    let doors = gate.engine().doors();
    doors.set_mark(door.id(), open.secret().digest());
    let session = session(server, &gate, &entrant, &principal, &open, encoding, &door);
    let session = Arc::new(session);
    server.roll().enter(&session);
    let resume = hello.resume.as_ref();
    let subs = session.resume(&hello.id, resume, before.as_ref()).await;
    let welcome = session.welcome(hello.id, &principal, subs);
    session.say(say::frame(encoding, &welcome));
    if *gate.engine().draining().borrow() {
        session.warn_of_drain();
    }
    Ok((session, open, door))
}

/// The code of a token that does not hold.
fn refused(error: &WireError) -> Farewell {
    let code = if error.code == Code::TokenExpired {
        CloseCode::TokenExpired
    } else {
        CloseCode::Unauthenticated
    };
    Farewell::saying(code, error.message.clone())
}

fn forbidden() -> Farewell {
    Farewell::saying(CloseCode::Forbidden, "this user may not open a session")
}

/// The session that is to be resumed, as far as it is known.
fn earlier(server: &Server, hello: &Hello, entrant: &Entrant) -> Result<Option<Known>, Parting> {
    let secret = hello
        .resume
        .as_ref()
        .and_then(|resume| resume.session.parse::<Secret>().ok());
    let Some(known) = secret.and_then(|secret| server.sessions().known(secret)) else {
        return Ok(None);
    };
    if known.user != entrant.user || *known.workspace != *entrant.workspace {
        let text = "the session to resume is not of this user";
        return Err(Parting::Say(Farewell::saying(
            CloseCode::Unauthenticated,
            text,
        )));
    }
    Ok(Some(known))
}

fn open(server: &Server, entrant: &Entrant, principal: &Principal) -> Result<Open, Parting> {
    let secret = Secret::draw().map_err(|error| {
        tracing::error!(%error, "no randomness for a session's secret");
        Parting::Say(Farewell::new(CloseCode::TryLater))
    })?;
    let most = match principal.limits().max_sessions {
        Some(most) => most,
        None if principal.is_integration() => u32::MAX,
        None => limits::SESSIONS_PER_USER,
    };
    let workspace = Arc::from(entrant.workspace.as_str());
    server
        .sessions()
        .open(&workspace, entrant.user, secret, most)
        .ok_or_else(|| Parting::Say(Farewell::new(CloseCode::TooManySessions)))
}

fn session(
    server: &Arc<Server>,
    gate: &Arc<Gate>,
    entrant: &Entrant,
    principal: &Principal,
    open: &Open,
    encoding: Encoding,
    door: &Door,
) -> Session {
    Session {
        server: Arc::clone(server),
        gate: Arc::clone(gate),
        user: entrant.user,
        secret: open.secret(),
        pseudonyms: OnceLock::new(),
        encoding,
        pace: Pace::of(principal),
        door: door.id(),
        heard: AtomicU64::new(server.clock().now().0),
        state: Mutex::new(State {
            expires_at: entrant.expires_at,
            warned: false,
            generation: None,
            next_request: 0,
            pending: VecDeque::new(),
            carried: 0,
            views: BTreeMap::new(),
            me: None,
            pong: None,
        }),
        outbox: Mutex::default(),
        news: Notify::new(),
        room: Notify::new(),
        done: server.child(),
        parting: OnceLock::new(),
        paused: AtomicBool::new(false),
    }
}

impl Session {
    fn welcome(&self, id: RequestId, principal: &Principal, subs: Vec<Resumed>) -> Welcome {
        let engine = self.gate.engine();
        let home = principal.home();
        Welcome {
            id,
            session: self.secret.told(),
            epoch: engine.epoch().to_string(),
            seq: engine.durable().0,
            now: self.now().0,
            heartbeat_ms: self.server.options().ping_every.0,
            expires_at: self.state().expires_at.0,
            user: User {
                id: principal.login().to_owned(),
                name: principal.name().to_owned(),
                roles: principal.roles().to_vec(),
            },
            home: Home {
                screen: home.screen.name().to_owned(),
                panels: home
                    .panels
                    .iter()
                    .map(|panel| panel.name().to_owned())
                    .collect(),
                columns: home.columns.clone(),
            },
            privileges: principal.privileges(&ExtNames::default()),
            limits: self.limits(),
            subs,
        }
    }

    /// The limits that `welcome` tells.
    fn limits(&self) -> Limits {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Limits {
            frame_bytes: self.frame_bytes() as u64,
            messages_per_second: self.pace.per_second,
            burst: self.pace.burst,
            in_flight: count(self.pace.in_flight),
            subscriptions: count(limits::SUBSCRIPTIONS),
        }
    }
}
