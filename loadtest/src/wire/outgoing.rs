//! What the generator says.

use serde::Serialize;

/// First message of a socket.
#[derive(Debug, Serialize)]
pub struct Hello<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: &'a str,
    token: &'a str,
    client: Client,
}

#[derive(Debug, Serialize)]
struct Client {
    name: &'static str,
    version: &'static str,
}

impl<'a> Hello<'a> {
    /// A hello with a token.
    pub fn new(token: &'a str) -> Self {
        Self {
            kind: "hello",
            id: "hello",
            token,
            client: Client {
                name: "loadtest",
                version: env!("CARGO_PKG_VERSION"),
            },
        }
    }
}

/// A call of a method.
#[derive(Debug, Serialize)]
pub struct Request<'a, P> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: &'a str,
    method: &'static str,
    params: P,
}

impl<'a, P: Serialize> Request<'a, P> {
    /// A request under an id that the reply will carry.
    pub fn new(id: &'a str, method: &'static str, params: P) -> Self {
        Self {
            kind: "request",
            id,
            method,
            params,
        }
    }
}

/// A subscription to a topic.
#[derive(Debug, Serialize)]
pub struct Subscribe<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: &'a str,
    topic: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<Rate>,
}

#[derive(Debug, Serialize)]
struct Rate {
    hz: u32,
}

impl<'a> Subscribe<'a> {
    /// A subscription; `hz` for topics whose rows are conflated.
    pub fn new(id: &'a str, topic: &'a str, hz: Option<u32>) -> Self {
        Self {
            kind: "subscribe",
            id,
            topic,
            params: hz.map(|hz| Rate { hz }),
        }
    }
}

/// The answer to a ping.
#[derive(Debug, Serialize)]
pub struct Pong {
    #[serde(rename = "type")]
    kind: &'static str,
    at: i64,
    client_now: i64,
}

impl Pong {
    /// The answer to the ping of `at`.
    pub fn new(at: i64, client_now: i64) -> Self {
        Self {
            kind: "pong",
            at,
            client_now,
        }
    }
}

/// Params of `agent.sign_in`.
#[derive(Debug, Serialize)]
pub struct SignIn {}

/// Params of `agent.set_state`.
#[derive(Debug, Serialize)]
pub struct SetState {
    /// The state asked for.
    pub state: &'static str,
}

/// Params of `contact.accept`.
#[derive(Debug, Serialize)]
pub struct Accept<'a> {
    /// The offer.
    pub offer: &'a str,
}

/// Params of `contact.end`.
#[derive(Debug, Serialize)]
pub struct End<'a> {
    /// The contact.
    pub contact: &'a str,
}

/// Params of `contact.wrap_up`.
#[derive(Debug, Serialize)]
pub struct WrapUp<'a> {
    /// The contact.
    pub contact: &'a str,
    /// Whether the wrap-up ends with it.
    pub done: bool,
}

/// Params of `media.report`.
#[derive(Debug, Serialize)]
pub struct Report<'a> {
    /// The command that it answers.
    pub command: &'a str,
    /// How it went.
    pub result: &'static str,
}

/// A customer on a card.
#[derive(Debug, Serialize)]
pub struct Customer<'a> {
    /// Id of the customer.
    pub id: &'a str,
    /// Name of the customer.
    pub name: &'static str,
}

/// Params of `contact.submit`.
#[derive(Debug, Serialize)]
pub struct Submit<'a> {
    /// Name of the channel.
    pub channel: &'a str,
    /// Name of the queue.
    pub queue: &'a str,
    /// The generator's own id.
    pub external_id: &'a str,
    /// Who calls.
    pub customer: Customer<'a>,
}
