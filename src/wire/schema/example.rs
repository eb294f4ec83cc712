//! Examples of every message kind in both encodings, written by the types, read back, and
//! written again.

use super::sample;
use crate::wire::codec::Encoding;
use crate::wire::event::{DataKind, EventData, EventName};
use crate::wire::frame::{Inbound, Message, Request};
use crate::wire::method::{Answer, Method};
use crate::wire::object::{Agent, Contact};
use crate::wire::push::{Entered, Event, Outbound, Ping, Reply, Snapshot, Update};
use crate::wire::raw::Raw;
use crate::wire::result::{Agents, Contacts, Subscribed, Unsubscribed};
use crate::wire::table::Cell;
use crate::wire::topic::TopicKind;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Examples of one kind of message: the JSON file is a frame of all of them, a line each; a
/// line of the other file is the same message in MessagePack, in hex.
pub(super) struct Page {
    /// Kind of the messages.
    pub kind: &'static str,
    /// The messages in both encodings.
    pub messages: Vec<[Bytes; 2]>,
}

impl Page {
    pub fn json(&self) -> String {
        let lines: Vec<&str> = self
            .messages
            .iter()
            .map(|[json, _]| std::str::from_utf8(json).expect("JSON is UTF-8"))
            .collect();
        format!("[\n{}\n]\n", lines.join(",\n"))
    }

    pub fn hex(&self) -> String {
        let mut text = String::new();
        for [_, pack] in &self.messages {
            text.extend(pack.iter().map(|byte| format!("{byte:02x}")));
            text.push('\n');
        }
        text
    }
}

/// Every page, clients' messages first.
pub(super) fn pages() -> Vec<Page> {
    let both = |value: &Value, again: fn(Encoding, &Bytes) -> Vec<[Bytes; 2]>| {
        let frame = Bytes::from(serde_json::to_vec(value).expect("encodes"));
        let mut written = again(Encoding::Json, &frame);
        assert_eq!(written.len(), 1, "{value} is one message");
        let [json, pack] = written.remove(0);
        let back: Value = serde_json::from_slice(&json).expect("is JSON");
        assert_eq!(&back, value, "the types keep all of the sample");
        [json, pack]
    };
    let page = |(kind, values): (&'static str, Vec<Value>), again| Page {
        kind,
        messages: values.iter().map(|value| both(value, again)).collect(),
    };
    let mut pages: Vec<Page> = sample::of_clients()
        .into_iter()
        .map(|sample| page(sample, clients))
        .collect();
    pages.extend(
        sample::of_servers()
            .into_iter()
            .map(|sample| page(sample, servers)),
    );
    pages
}

fn written<M: Message>(message: &M) -> [Bytes; 2] {
    Encoding::ALL.map(|encoding| encoding.encode(message).expect("encodes"))
}

/// Reads a client's frame and writes each of its messages from what was read.
pub(super) fn clients(encoding: Encoding, frame: &Bytes) -> Vec<[Bytes; 2]> {
    encoding
        .decode(frame, usize::MAX)
        .expect("can be taken apart")
        .into_iter()
        .map(|message| match message {
            Inbound::Hello(hello) => written(&hello),
            Inbound::Request(Request {
                id,
                method,
                params,
                key,
                on_behalf,
            }) => {
                let call = method.read(&params).expect("params are right");
                written(&Request {
                    id,
                    method,
                    params: call,
                    key,
                    on_behalf,
                })
            }
            Inbound::Subscribe(subscribe) => written(&subscribe),
            Inbound::Unsubscribe(unsubscribe) => written(&unsubscribe),
            Inbound::Pong(pong) => written(&pong),
            Inbound::Invalid(invalid) => panic!("{invalid:?}"),
        })
        .collect()
}

/// Reads a server's frame and writes each of its messages from what was read.
pub(super) fn servers(encoding: Encoding, frame: &Bytes) -> Vec<[Bytes; 2]> {
    let messages = encoding.decode_outbound(frame).expect("can be read");
    messages.into_iter().map(server).collect()
}

fn server(message: Outbound) -> [Bytes; 2] {
    match message {
        Outbound::Welcome(welcome) => written(&*welcome),
        Outbound::Reply(Reply {
            id,
            seq,
            result,
            error,
        }) => {
            let result = result.map(|raw| result_of(id.as_deref().unwrap_or_default(), &raw));
            written(&Reply {
                id,
                seq,
                result,
                error,
            })
        }
        Outbound::Snapshot(Snapshot {
            sub,
            epoch,
            as_of,
            columns,
            rows,
            data,
            part,
            last,
        }) => {
            let rows: Option<Vec<Vec<Cell<'_>>>> = rows.map(|raw| read(&raw));
            let data = data.map(|raw| state(&raw));
            written(&Snapshot {
                sub,
                epoch,
                as_of,
                columns,
                rows,
                data,
                part,
                last,
            })
        }
        Outbound::Update(Update {
            sub,
            as_of,
            at,
            set,
            remove,
        }) => {
            let set: Vec<Vec<Cell<'_>>> = read(&set);
            let remove: Vec<String> = read(&remove);
            written(&Update {
                sub,
                as_of,
                at,
                set,
                remove,
            })
        }
        Outbound::Event(Event {
            sub,
            seq,
            prev,
            at,
            event,
            key,
            data,
            actor,
            on_behalf,
            replay,
        }) => {
            let data = EventData::read(data_kind(event, &sub), &data).expect("data is right");
            written(&Event {
                sub,
                seq,
                prev,
                at,
                event,
                key,
                data,
                actor,
                on_behalf,
                replay,
            })
        }
        Outbound::Entered(Entered {
            sub,
            seq,
            prev,
            at,
            key,
            data,
        }) => {
            let data = state(&data);
            written(&Entered {
                sub,
                seq,
                prev,
                at,
                key,
                data,
            })
        }
        Outbound::Left(left) => written(&left),
        Outbound::Live(live) => written(&live),
        Outbound::Reset(reset) => written(&reset),
        Outbound::Revoked(revoked) => written(&revoked),
        Outbound::Warning(warning) => written(&warning),
        Outbound::Ping(Ping { at, positions }) => {
            let positions: Vec<(String, u64)> = read(&positions);
            written(&Ping { at, positions })
        }
        Outbound::Goaway(goaway) => written(&goaway),
        Outbound::Unknown(kind) => panic!("{kind} is no kind of message"),
    }
}

/// A sample's view says its topic.
fn data_kind(event: EventName, sub: &str) -> DataKind {
    let topic = match sub {
        "me" => TopicKind::Me,
        "v8" => TopicKind::Contact,
        "v10" => TopicKind::Agents,
        "v11" => TopicKind::Connector,
        other => panic!("no sample of an event has the view {other}"),
    };
    event.data_on(topic).expect("the topic shows the event")
}

#[derive(Serialize)]
#[serde(untagged)]
enum ReplyResult {
    Answer(Box<Answer>),
    Subscribed(Subscribed<'static>),
    Unsubscribed(Unsubscribed),
}

/// A sample's id says what it answers.
fn result_of(id: &str, raw: &Raw) -> ReplyResult {
    match id {
        "subscribe" => ReplyResult::Subscribed(raw.parse().expect("is a view")),
        "unsubscribe" => ReplyResult::Unsubscribed(raw.parse().expect("is empty")),
        method => {
            let method = Method::named(method).expect("is a method");
            ReplyResult::Answer(
                Answer::read(method, raw)
                    .expect("the result is right")
                    .into(),
            )
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum State {
    Contact(Contact<'static>),
    Agent(Agent<'static>),
    Contacts(Contacts),
    Agents(Agents),
}

fn state(raw: &Raw) -> State {
    raw.parse()
        .map(State::Contact)
        .or_else(|_| raw.parse().map(State::Agent))
        .or_else(|_| raw.parse().map(State::Contacts))
        .or_else(|_| raw.parse().map(State::Agents))
        .expect("is the state of a topic")
}

fn read<T: DeserializeOwned + Serialize>(raw: &Raw) -> T {
    let value = serde_json::to_value(raw).expect("is a value");
    serde_json::from_value(value).expect("is what is expected")
}

#[test]
fn every_example_reads_back_and_is_written_the_same_in_both_encodings() {
    for Page { kind, messages } in pages() {
        let again = if ["hello", "request", "subscribe", "unsubscribe", "pong"].contains(&kind) {
            clients
        } else {
            servers
        };
        for message in messages {
            for (encoding, frame) in Encoding::ALL.into_iter().zip(&message) {
                assert_eq!(
                    again(encoding, frame),
                    std::slice::from_ref(&message),
                    "{kind} in {encoding}"
                );
            }
        }
    }
}

#[test]
fn every_kind_of_message_has_examples() {
    let kinds: Vec<&str> = pages().into_iter().map(|page| page.kind).collect();
    assert_eq!(kinds, super::document::KINDS);
}

#[test]
fn every_file_of_examples_is_a_frame() {
    for page in pages() {
        let frame = Bytes::from(page.json());
        let parts = Encoding::Json
            .parts(&frame, usize::MAX, &["type"])
            .expect("is a frame");
        assert_eq!(parts.count, page.messages.len(), "{}", page.kind);
    }
}
