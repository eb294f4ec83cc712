//! The messages that a client sends. A frame is one message or an array of messages.
//!
//! Each message is a struct that writes its own `type`; what depends on a method, topic or
//! event is a type parameter: a typed struct where it is sent, [`Raw`] where it is received.

use super::error::WireError;
use super::field::{Int, List, Map, Millis, Name, Object, OneOrMore, Text};
use super::method::Method;
use super::raw::Raw;
use super::topic::Topic;
use super::word::words;
use crate::limits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A message that knows its `type`.
pub trait Message: Serialize {
    /// The `type` on the wire.
    const TYPE: &'static str;
}

impl Message for Hello {
    const TYPE: &'static str = "hello";
}

impl<P: Serialize> Message for Request<P> {
    const TYPE: &'static str = "request";
}

impl Message for Subscribe {
    const TYPE: &'static str = "subscribe";
}

impl Message for Unsubscribe {
    const TYPE: &'static str = "unsubscribe";
}

impl Message for Pong {
    const TYPE: &'static str = "pong";
}

/// What joins a client's message and its reply; the client chooses it. 1 to 64 characters.
pub type RequestId = Text<1, 64>;

/// An idempotency key, 1 to 255 characters.
pub type Key = Text<1, 255>;

/// The first message of a client, within 5 s.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename = "hello")]
pub struct Hello {
    /// Joins this message and `welcome`.
    pub id: RequestId,
    /// The token, unless it came in the upgrade. At most 8 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Text<1, { limits::TOKEN_BYTES }>>,
    /// The program at the other end, for logs and support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Client>,
    /// What to go on with after a lost connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<Resume>,
}

/// The program at the other end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Client {
    /// Its name.
    pub name: Name,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Name>,
}

/// What a client had before its connection was lost.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Resume {
    /// `welcome.session` of the lost connection.
    pub session: Name,
    /// `welcome.epoch` of the lost connection.
    pub epoch: Name,
    /// The views it had, each with the last position that was seen of it.
    pub subs: List<Object<ResumeSub>, { limits::SUBSCRIPTIONS }>,
}

/// One view of a lost connection.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ResumeSub {
    /// Its topic.
    pub topic: Name,
    /// The params with which it was subscribed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<Object<SubscribeParams>>,
    /// The last position seen of it.
    pub seq: u64,
}

/// Asks for something to be done or read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename = "request")]
pub struct Request<P> {
    /// Joins this message and its reply.
    pub id: RequestId,
    /// What is asked.
    pub method: Method,
    /// With what; an object, by method. Absent is the same as empty.
    pub params: P,
    /// The same key with the same method and params gets the first answer again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// Owner of an agent view on whose behalf it is done.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub on_behalf: Option<Name>,
}

/// Opens a view.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename = "subscribe")]
pub struct Subscribe {
    /// Joins this message and its reply, `{sub}`.
    pub id: RequestId,
    /// What to watch.
    pub topic: Topic,
    /// Which part of it, and how.
    #[serde(default, skip_serializing_if = "SubscribeParams::is_empty")]
    pub params: SubscribeParams,
}

/// Which part of a topic is watched, and how. Equal params make equal views.
#[derive(
    Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(default)]
pub struct SubscribeParams {
    /// Only objects whose field has one of these values; every named field has to match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<Map<OneOrMore, 16>>,
    /// The windows of a statistics table, `now` if none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub windows: Option<List<Window, 8>>,
    /// The columns of a statistics table, in this order; all of them if none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<List<Name, 64>>,
    /// Frames per second of a conflated topic; 4 if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hz: Option<Int<1, { limits::CONFLATED_HZ_MAX as i64 }>>,
    /// Most contacts in the snapshot of a topic that lists contacts, most urgent first; 500 if
    /// not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Int<1, 10_000>>,
}

impl SubscribeParams {
    /// Whether nothing is asked beyond the topic itself.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

words! {
    /// The time over which a number of a statistics table is taken.
    Window {
        /// At this moment.
        Now = "now",
    }
}

/// Closes a view.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename = "unsubscribe")]
pub struct Unsubscribe {
    /// Joins this message and its reply.
    pub id: RequestId,
    /// The view.
    pub sub: Name,
}

/// Answers `ping`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename = "pong")]
pub struct Pong {
    /// `at` of the ping.
    pub at: u64,
    /// The client's own clock, in milliseconds since 1970 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_now: Option<Millis>,
}

/// A message that was well formed but is none of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invalid {
    /// Its id, if it had one that can be read.
    pub id: Option<RequestId>,
    /// What is wrong with it.
    pub error: WireError,
}

/// What a client sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Inbound {
    /// First message.
    Hello(Hello),
    /// Something to do or read.
    Request(Request<Raw>),
    /// A view to open.
    Subscribe(Subscribe),
    /// A view to close.
    Unsubscribe(Unsubscribe),
    /// Answer to a ping.
    Pong(Pong),
    /// To be answered with its error.
    Invalid(Invalid),
}
