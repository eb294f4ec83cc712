//! `docs/asyncapi.yaml`: the WebSocket as an AsyncAPI 3.1 document, with an operation for each
//! method and topic.

use super::{example, yaml};
use crate::wire::codec::Encoding;
use crate::wire::event::EventName;
use crate::wire::method::{Method, Work};
use crate::wire::topic::{Delivery, TopicKind};
use serde_json::{Map, Value, json};

const CLIENT: [&str; 4] = ["hello", "subscribe", "unsubscribe", "pong"];
const SERVER: [&str; 11] = [
    "welcome",
    "snapshot",
    "update",
    "entered",
    "left",
    "live",
    "reset",
    "subscription.revoked",
    "warning",
    "ping",
    "goaway",
];

pub(super) fn text() -> String {
    let head =
        "# Generated from the Rust types; a test compares them, UPDATE=1 rewrites this file.\n";
    format!("{head}{}", yaml::yaml(&value()))
}

fn value() -> Value {
    let messages = messages();
    let names: Map<String, Value> = messages
        .keys()
        .map(|name| {
            (
                name.clone(),
                json!({ "$ref": format!("#/components/messages/{name}") }),
            )
        })
        .collect();
    json!({
        "asyncapi": "3.1.0",
        "info": {
            "title": "Switchroom",
            "version": "1.0.0",
            "description": "Routing and supervision of a contact centre over one WebSocket. The page that explains it is protocol.md.",
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "servers": { "local": {
            "host": "127.0.0.1:7480",
            "protocol": "ws",
            "description": "Where `switchroom serve` listens unless told otherwise.",
        } },
        "channels": { "socket": {
            "address": "/v1/ws",
            "title": "The WebSocket",
            "description": format!(
                "Subprotocol `{}`: a text frame is one message or an array of messages. Subprotocol `{}`: the same in MessagePack, in binary frames.",
                Encoding::Json.subprotocol(),
                Encoding::MessagePack.subprotocol(),
            ),
            "bindings": { "ws": { "method": "GET" } },
            "messages": names,
        } },
        "operations": operations(),
        "components": { "messages": messages },
    })
}

/// Every message by name: a kind, or a kind and the method or event that narrows it.
fn messages() -> Map<String, Value> {
    let pages = example::pages();
    let samples: Vec<(&str, Value)> = pages
        .iter()
        .flat_map(|page| {
            page.messages
                .iter()
                .map(|[json, _]| (page.kind, value_of(json)))
        })
        .collect();
    let message = |name: &str, keep: &dyn Fn(&str, &Value) -> bool| {
        let examples: Vec<Value> = samples
            .iter()
            .filter(|(kind, value)| keep(kind, value))
            .map(|(_, value)| json!({ "payload": value }))
            .collect();
        assert!(!examples.is_empty(), "{name} has no example");
        let message = json!({
            "name": name,
            "payload": { "$ref": format!("./schema.json#/$defs/{name}") },
            "examples": examples,
        });
        (name.to_owned(), message)
    };
    let mut all = Map::new();
    for name in CLIENT.iter().chain(&SERVER) {
        all.extend([message(name, &|kind, _| kind == *name)]);
    }
    for method in Method::WORDS {
        all.extend([
            message(&format!("request.{method}"), &|kind, value| {
                kind == "request" && value["method"] == *method
            }),
            message(&format!("reply.{method}"), &|kind, value| {
                kind == "reply" && value["id"] == *method
            }),
        ]);
    }
    for event in EventName::WORDS {
        all.extend([message(&format!("event.{event}"), &|kind, value| {
            kind == "event" && value["event"] == *event
        })]);
    }
    for name in ["subscribe", "unsubscribe"] {
        all.extend([message(&format!("reply.{name}"), &|kind, value| {
            kind == "reply" && value["id"] == name
        })]);
    }
    all.extend([message("reply.error", &|kind, value| {
        kind == "reply" && value.get("error").is_some()
    })]);
    all
}

fn value_of(json: &[u8]) -> Value {
    serde_json::from_slice(json).expect("is JSON")
}

fn to(messages: &[&str]) -> Value {
    messages
        .iter()
        .map(|name| json!({ "$ref": format!("#/channels/socket/messages/{name}") }))
        .collect()
}

fn operation(action: &str, about: &str, messages: &[&str], answers: &[&str]) -> Value {
    let channel = json!({ "$ref": "#/channels/socket" });
    let mut operation =
        json!({ "action": action, "summary": about, "channel": channel, "messages": to(messages) });
    if !answers.is_empty() {
        operation["reply"] = json!({ "channel": channel, "messages": to(answers) });
    }
    operation
}

fn operations() -> Map<String, Value> {
    let mut all = Map::new();
    let mut add = |name: &str, operation: Value| all.insert(name.to_owned(), operation);
    add(
        "hello",
        operation("receive", "Opens the session.", &["hello"], &["welcome"]),
    );
    add(
        "subscribe",
        operation(
            "receive",
            "Opens a view.",
            &["subscribe"],
            &["reply.subscribe", "reply.error"],
        ),
    );
    add(
        "unsubscribe",
        operation(
            "receive",
            "Closes a view.",
            &["unsubscribe"],
            &["reply.unsubscribe", "reply.error"],
        ),
    );
    add(
        "ping",
        operation(
            "send",
            "Asks whether the client is there.",
            &["ping"],
            &["pong"],
        ),
    );
    add(
        "resume",
        operation(
            "send",
            "Tells how a view goes on after `hello.resume`.",
            &["live", "reset"],
            &[],
        ),
    );
    add(
        "revoke",
        operation("send", "Closes a view.", &["subscription.revoked"], &[]),
    );
    add(
        "warn",
        operation(
            "send",
            "Warns of something to come.",
            &["warning", "goaway"],
            &[],
        ),
    );
    for method in Method::ALL {
        let row = method.row();
        let mut of_method = operation(
            "receive",
            row.about,
            &[&format!("request.{method}")],
            &[&format!("reply.{method}"), "reply.error"],
        );
        of_method["x-needs"] = json!(row.needs.to_string());
        of_method["x-over"] = json!(row.over.words());
        of_method["x-answered-by"] = json!(row.answered_by.word());
        of_method["x-audit"] = json!(row.audit);
        of_method["x-refused-when-busy"] = json!(row.work == Work::New);
        add(method.word(), of_method);
    }
    for kind in TopicKind::ALL {
        let row = kind.row();
        let mut names: Vec<String> = match row.delivery {
            Delivery::Conflated => ["snapshot", "update"].map(str::to_owned).into(),
            Delivery::Lossless => EventName::ALL
                .iter()
                .filter(|event| event.data_on(*kind).is_some())
                .map(|event| format!("event.{event}"))
                .collect(),
        };
        if kind.lists() {
            names.extend(["entered", "left"].map(str::to_owned));
        }
        if row.delivery == Delivery::Lossless && *kind != TopicKind::Me {
            names.push("snapshot".to_owned());
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut of_topic = operation("send", row.about, &names, &[]);
        of_topic["title"] = json!(row.pattern);
        of_topic["x-delivery"] = json!(row.delivery.word());
        of_topic["x-needs"] = json!(row.needs.to_string());
        of_topic["x-over"] = json!(row.over.words());
        add(
            &format!(
                "topic.{}",
                row.pattern.replace("/{id}", "").replace('/', ".")
            ),
            of_topic,
        );
    }
    all
}
