//! The messages that the server sends, as it builds them and as a client reads them.

use super::error::WireError;
use super::event::EventName;
use super::frame::{Message, RequestId};
use super::raw::Raw;
use super::word::words;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A text that is borrowed where it is sent and owned where it was received.
pub type Str<'a> = Cow<'a, str>;

macro_rules! messages {
    ($($word:literal $message:ty $(, $arg:ident)*;)+) => {
        $(
            impl<$($arg: Serialize),*> Message for $message {
                const TYPE: &'static str = $word;
            }
        )+
    };
}

messages! {
    "welcome" Welcome;
    "reply" Reply<'_, R>, R;
    "snapshot" Snapshot<'_, R, D>, R, D;
    "update" Update<'_, S, K>, S, K;
    "event" Event<'_, D>, D;
    "entered" Entered<'_, D>, D;
    "left" Left<'_>;
    "live" Live<'_>;
    "reset" Reset<'_>;
    "subscription.revoked" Revoked<'_>;
    "warning" Warning<'_>;
    "ping" Ping<P>, P;
    "goaway" Goaway<'_>;
}

/// Answers `hello`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename = "welcome")]
pub struct Welcome {
    /// `id` of the hello.
    pub id: RequestId,
    /// Secret of this session, for `hello.resume`; 128 random bits.
    pub session: String,
    /// Epoch of the workspace's log; positions of another epoch mean nothing.
    pub epoch: String,
    /// The newest durable position.
    pub seq: u64,
    /// The server's clock.
    pub now: u64,
    /// The server pings this often, in milliseconds; twice this without a frame is dead.
    pub heartbeat_ms: u64,
    /// The token runs out then.
    pub expires_at: u64,
    /// Who the token says the caller is.
    pub user: User,
    /// What the user's role shows first.
    pub home: Home,
    /// Names of the privileges that the user holds in some scope.
    pub privileges: Vec<Str<'static>>,
    /// The limits of this connection.
    pub limits: Limits,
    /// What became of `hello.resume.subs`, in that order.
    #[serde(default)]
    pub subs: Vec<Resumed>,
}

/// The user of a session.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// Id of the user.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Names of the roles.
    pub roles: Vec<String>,
}

/// What a role shows first. It widens no right.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Home {
    /// The screen to open: `desktop`, `team`, `supervisor`, `wallboard`, `admin`.
    pub screen: String,
    /// The panels on it, in order.
    pub panels: Vec<String>,
    /// Default columns of its tables.
    pub columns: Vec<String>,
}

/// The limits of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// Largest inbound frame, in bytes.
    pub frame_bytes: u64,
    /// Inbound messages per second, on average.
    pub messages_per_second: u32,
    /// Inbound messages at once above the average.
    pub burst: u32,
    /// Requests that may await their reply.
    pub in_flight: u32,
    /// Views that may be open.
    pub subscriptions: u32,
}

/// What became of a view that was to be resumed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Resumed {
    /// Its topic.
    pub topic: String,
    /// Its name on this connection; absent when it could not be opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// Whether every event since the position given follows, then `live`. Otherwise `reset` and a
    /// snapshot follow if there is a `sub`.
    pub resumed: bool,
    /// Why it is not resumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<NotResumed>,
}

words! {
    /// Why a view is not resumed.
    NotResumed {
        /// It is a conflated view: it always starts with a snapshot.
        Conflated = "conflated",
        /// The log has another epoch.
        OtherEpoch = "other_epoch",
        /// The events since then are no longer held, or never were.
        PositionLost = "position_lost",
        /// The rights are no longer those of the position.
        RightsChanged = "rights_changed",
        /// `me`: another session took over.
        Superseded = "superseded",
        /// `me`: the time to come back is over.
        Expired = "expired",
        /// There is no such topic, or none that the caller may see.
        NotFound = "not_found",
    }
}

/// Answers a request, subscribe or unsubscribe. Exactly one of `result` and `error` is given.
#[derive(Clone, PartialEq, Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename = "reply")]
pub struct Reply<'a, R> {
    /// `id` of what is answered; null when it had none that could be read.
    pub id: Option<Str<'a>>,
    /// A position that includes the effect.
    pub seq: u64,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<R>,
    /// Why nothing came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Cow<'a, WireError>>,
}

/// A part of a view's state. Parts of at most 64 KiB follow each other; rows and lists of later
/// parts are appended to those of earlier ones.
#[derive(Clone, PartialEq, Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename = "snapshot")]
pub struct Snapshot<'a, R, D> {
    /// The view.
    pub sub: Str<'a>,
    /// Epoch of the log.
    pub epoch: Str<'a>,
    /// The position at which the state was cut.
    pub as_of: u64,
    /// Tables: the names of the columns; the first is the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<Str<'a>>>,
    /// Tables: the rows, each as long as `columns`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<R>,
    /// Other topics: the state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<D>,
    /// Number of this part, from 1.
    pub part: u32,
    /// Whether this is the last part.
    pub last: bool,
}

/// Changed rows of a conflated view.
#[derive(Clone, PartialEq, Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename = "update")]
pub struct Update<'a, S, K> {
    /// The view.
    pub sub: Str<'a>,
    /// The position that the rows show.
    pub as_of: u64,
    /// When that was.
    pub at: u64,
    /// Changed rows: `[key, column, value, column, value, …]`, a column being the index into the
    /// snapshot's `columns`. A new key carries all columns.
    pub set: S,
    /// Keys that are gone.
    pub remove: K,
}

/// Something that happened to an object of a lossless view.
#[derive(Clone, PartialEq, Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename = "event")]
pub struct Event<'a, D> {
    /// The view.
    pub sub: Str<'a>,
    /// Its position.
    pub seq: u64,
    /// Position of the view's event before this one, whether or not this client was there.
    pub prev: u64,
    /// When it happened.
    pub at: u64,
    /// What happened.
    pub event: EventName,
    /// Id of the object.
    pub key: Str<'a>,
    /// What is to be known about it, by event.
    pub data: D,
    /// Who did it, if a user did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Str<'a>>,
    /// On whose behalf it was done.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub on_behalf: Option<Str<'a>>,
    /// Whether it is sent again after `hello.resume`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replay: bool,
}

/// An object came into a lossless view.
#[derive(Clone, PartialEq, Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename = "entered")]
pub struct Entered<'a, D> {
    /// The view.
    pub sub: Str<'a>,
    /// Its position.
    pub seq: u64,
    /// Position of the view's event before this one.
    pub prev: u64,
    /// When it came.
    pub at: u64,
    /// Id of the object.
    pub key: Str<'a>,
    /// The whole object.
    pub data: D,
}

/// An object went out of a lossless view; why and where to is not said.
#[derive(Clone, PartialEq, Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename = "left")]
pub struct Left<'a> {
    /// The view.
    pub sub: Str<'a>,
    /// Its position.
    pub seq: u64,
    /// Position of the view's event before this one.
    pub prev: u64,
    /// When it went.
    pub at: u64,
    /// Id of the object.
    pub key: Str<'a>,
}

/// Everything since the position given in `hello.resume` has been sent again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename = "live")]
pub struct Live<'a> {
    /// The view.
    pub sub: Str<'a>,
    /// The position up to which the view is whole.
    pub seq: u64,
}

/// What was seen of the view no longer counts; a snapshot follows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename = "reset")]
pub struct Reset<'a> {
    /// The view.
    pub sub: Str<'a>,
    /// Why.
    pub reason: NotResumed,
}

/// The server closed a view.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename = "subscription.revoked")]
pub struct Revoked<'a> {
    /// The view.
    pub sub: Str<'a>,
    /// Why.
    pub reason: RevokedReason,
}

words! {
    /// Why the server closed a view.
    RevokedReason {
        /// The rights do not reach it any more, or reach another part of it: what is left can be
        /// subscribed to anew.
        RightsChanged = "rights_changed",
        /// The leg for which the server opened it is over.
        LegEnded = "leg_ended",
        /// The workspace is configured otherwise: its rows or columns are others.
        RulesChanged = "rules_changed",
        /// The part of the server that showed it was restarted; it can be subscribed to anew.
        Restarted = "restarted",
        /// `me`: another session took over, or the agent was signed out.
        Superseded = "superseded",
    }
}

/// Something that a client or person should act on before a deadline.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename = "warning")]
pub struct Warning<'a> {
    /// What is about to happen.
    pub code: WarningCode,
    /// When it happens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<u64>,
    /// The same for people.
    pub message: Str<'a>,
}

words! {
    /// What a warning is about.
    WarningCode {
        /// The user does nothing and will be signed out.
        Inactivity = "inactivity",
        /// The token runs out; `auth.refresh` renews it.
        TokenExpiring = "token_expiring",
        /// The server takes no new work and will stop.
        Draining = "draining",
    }
}

/// Sent every 10 s; to be answered `pong`.
#[derive(Clone, PartialEq, Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename = "ping")]
pub struct Ping<P> {
    /// The server's clock.
    pub at: u64,
    /// `[sub, seq]`: the newest position of each lossless view, so that silence can be told
    /// from loss.
    pub positions: P,
}

/// Sent before a close where possible.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename = "goaway")]
pub struct Goaway<'a> {
    /// The close code that follows.
    pub code: u16,
    /// What happened, for people.
    pub message: Str<'a>,
    /// Whether connecting again makes sense.
    pub reconnect: bool,
    /// Wait so long before connecting again, in milliseconds; spread over the clients.
    pub after_ms: u64,
}

/// What a server sent, as a client reads it.
#[derive(Clone, PartialEq, Debug)]
pub enum Outbound {
    /// Answer to `hello`.
    Welcome(Box<Welcome>),
    /// Answer to a request.
    Reply(Reply<'static, Raw>),
    /// State of a view.
    Snapshot(Snapshot<'static, Raw, Raw>),
    /// Changed rows.
    Update(Update<'static, Raw, Raw>),
    /// Something happened.
    Event(Event<'static, Raw>),
    /// An object came into a view.
    Entered(Entered<'static, Raw>),
    /// An object went out of a view.
    Left(Left<'static>),
    /// Replay is over.
    Live(Live<'static>),
    /// A snapshot follows.
    Reset(Reset<'static>),
    /// A view was closed.
    Revoked(Revoked<'static>),
    /// Something to act on.
    Warning(Warning<'static>),
    /// To be answered.
    Ping(Ping<Raw>),
    /// A close follows.
    Goaway(Goaway<'static>),
    /// A kind that this client does not know, to be ignored.
    Unknown(String),
}
