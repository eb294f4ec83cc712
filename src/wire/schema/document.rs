//! `docs/schema.json`: JSON Schema of every message, param, result and event.

use super::yaml;
use crate::limits::FRAME_MESSAGES;
use crate::wire::error::{Code, WireError};
use crate::wire::event::{
    AgentChange, ContactPosition, DataKind, EventData, EventName, MediaConnect, MediaDisconnect,
    OfferEnd,
};
use crate::wire::frame::{Hello, Message, Pong, Request, Subscribe, Unsubscribe};
use crate::wire::method::Method;
use crate::wire::object::{Agent, Contact, ContactChange, Leg, Offer};
use crate::wire::push::{
    Entered, Event, Goaway, Left, Live, Ping, Reply, Reset, Revoked, Snapshot, Update, Warning,
    Welcome,
};
use crate::wire::result::{Agents, Contacts, Subscribed, Unsubscribed};
use crate::wire::table::{Cell, RowChange};
use crate::wire::topic::TopicKind;
use schemars::generate::{Contract, SchemaSettings};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// Every kind of message.
pub(super) const KINDS: [&str; 18] = [
    Hello::TYPE,
    Request::<()>::TYPE,
    Subscribe::TYPE,
    Unsubscribe::TYPE,
    Pong::TYPE,
    Welcome::TYPE,
    Reply::<()>::TYPE,
    Snapshot::<(), ()>::TYPE,
    Update::<(), ()>::TYPE,
    Event::<()>::TYPE,
    Entered::<()>::TYPE,
    Left::TYPE,
    Live::TYPE,
    Reset::TYPE,
    Revoked::TYPE,
    Warning::TYPE,
    Ping::<()>::TYPE,
    Goaway::TYPE,
];

/// An object whose members depend on something else.
struct AnyObject;

impl JsonSchema for AnyObject {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "AnyObject".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}

/// State of a topic that is no table.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(
    dead_code,
    clippy::large_enum_variant,
    reason = "only its schema is of use"
)]
enum TopicData {
    /// `contact/{id}`
    Contact(Contact<'static>),
    /// `contacts`, `queue/{id}/contacts`, `connector`
    Contacts(Contacts),
    /// `agents`
    Agents(Agents),
}

/// An object of a topic that lists objects.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its schema is of use")]
enum TopicObject {
    /// Every topic of contacts.
    Contact(Contact<'static>),
    /// `agents`
    Agent(Agent<'static>),
}

/// The whole schema.
pub(super) fn value() -> Value {
    let mut client = settings(Contract::Deserialize).into_generator();
    let mut server = settings(Contract::Serialize).into_generator();
    let from_client = refs(&[
        client.subschema_for::<Hello>(),
        client.subschema_for::<Request<AnyObject>>(),
        client.subschema_for::<Subscribe>(),
        client.subschema_for::<Unsubscribe>(),
        client.subschema_for::<Pong>(),
    ]);
    let from_server = refs(&[
        server.subschema_for::<Welcome>(),
        server.subschema_for::<Reply<'static, AnyObject>>(),
        server.subschema_for::<Snapshot<'static, Vec<Vec<Cell<'static>>>, TopicData>>(),
        server.subschema_for::<Update<'static, Vec<RowChange<'static>>, Vec<String>>>(),
        server.subschema_for::<Event<'static, EventData<'static>>>(),
        server.subschema_for::<Entered<'static, TopicObject>>(),
        server.subschema_for::<Left<'static>>(),
        server.subschema_for::<Live<'static>>(),
        server.subschema_for::<Reset<'static>>(),
        server.subschema_for::<Revoked<'static>>(),
        server.subschema_for::<Warning<'static>>(),
        server.subschema_for::<Ping<Vec<(String, u64)>>>(),
        server.subschema_for::<Goaway<'static>>(),
    ]);
    server.subschema_for::<WireError>();
    let mut own = Map::new();
    for method in Method::ALL {
        let params = method.params_schema(&mut client);
        let result = method.result_schema(&mut server);
        own.insert(format!("request.{method}"), of_method(*method, &params));
        own.insert(
            format!("reply.{method}"),
            with("reply", json!({ "result": result })),
        );
    }
    own.insert(
        "reply.subscribe".into(),
        with(
            "reply",
            json!({ "result": server.subschema_for::<Subscribed<'static>>() }),
        ),
    );
    own.insert(
        "reply.unsubscribe".into(),
        with(
            "reply",
            json!({ "result": server.subschema_for::<Unsubscribed>() }),
        ),
    );
    own.insert("reply.error".into(), failed());
    for name in EventName::ALL {
        own.insert(format!("event.{name}"), of_event(*name, &mut server));
    }
    own.insert(
        "ClientMessage".into(),
        json!({ "title": "A message of a client", "oneOf": from_client }),
    );
    own.insert(
        "ServerMessage".into(),
        json!({ "title": "A message of the server", "oneOf": from_server }),
    );
    own.insert("ClientFrame".into(), frame("ClientMessage"));
    own.insert("ServerFrame".into(), frame("ServerMessage"));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:switchroom:v1",
        "title": "Switchroom protocol, version 1",
        "description": "Every message, param, result and event. Generated from the Rust types; unknown keys are ignored by both sides.",
        "anyOf": [{ "$ref": "#/$defs/ClientFrame" }, { "$ref": "#/$defs/ServerFrame" }],
        "$defs": merged(own, client.take_definitions(true), server.take_definitions(true)),
    })
}

pub(super) fn text() -> String {
    yaml::json(&value())
}

fn settings(contract: Contract) -> SchemaSettings {
    SchemaSettings::draft2020_12().with(|settings| settings.contract = contract)
}

fn refs(schemas: &[Schema]) -> Value {
    json!(schemas)
}

fn frame(message: &str) -> Value {
    let message = json!({ "$ref": format!("#/$defs/{message}") });
    json!({
        "title": "A frame",
        "anyOf": [message, { "type": "array", "items": message, "minItems": 1, "maxItems": FRAME_MESSAGES }],
    })
}

/// A kind of message with some of its keys narrowed.
fn with(kind: &str, properties: Value) -> Value {
    json!({ "allOf": [{ "$ref": format!("#/$defs/{kind}") }], "properties": properties })
}

fn of_method(method: Method, params: &Schema) -> Value {
    let mut schema = with(
        "request",
        json!({ "method": { "const": method.word() }, "params": params }),
    );
    schema["title"] = json!(method.word());
    schema["description"] = json!(method.row().about);
    schema
}

fn failed() -> Value {
    let mut schema = with("reply", json!({ "error": { "$ref": "#/$defs/WireError" } }));
    schema["required"] = json!(["error"]);
    schema["description"] = json!(format!(
        "Nothing was done; one of {} codes.",
        Code::ALL.len()
    ));
    schema
}

fn of_event(name: EventName, server: &mut SchemaGenerator) -> Value {
    let mut kinds: Vec<DataKind> = TopicKind::ALL
        .iter()
        .filter_map(|topic| name.data_on(*topic))
        .collect();
    kinds.dedup();
    let data: Vec<Schema> = kinds
        .into_iter()
        .map(|kind| of_data(kind, server))
        .collect();
    let data = match data.as_slice() {
        [only] => json!(only),
        several => json!({ "anyOf": several }),
    };
    let mut schema = with(
        "event",
        json!({ "event": { "const": name.word() }, "data": data }),
    );
    schema["description"] = json!(name.about());
    schema
}

fn of_data(kind: DataKind, server: &mut SchemaGenerator) -> Schema {
    match kind {
        DataKind::Offer => server.subschema_for::<Offer<'static>>(),
        DataKind::OfferEnd => server.subschema_for::<OfferEnd<'static>>(),
        DataKind::Leg => server.subschema_for::<Leg<'static>>(),
        DataKind::Agent => server.subschema_for::<Agent<'static>>(),
        DataKind::AgentChange => server.subschema_for::<AgentChange<'static>>(),
        DataKind::Contact => server.subschema_for::<ContactChange<'static>>(),
        DataKind::Position => server.subschema_for::<ContactPosition<'static>>(),
        DataKind::MediaConnect => server.subschema_for::<MediaConnect<'static>>(),
        DataKind::MediaDisconnect => server.subschema_for::<MediaDisconnect<'static>>(),
    }
}

/// The definitions of both sides in one table; what both know has to be the same.
fn merged(
    mut all: Map<String, Value>,
    client: Map<String, Value>,
    server: Map<String, Value>,
) -> Map<String, Value> {
    for (name, mut schema) in client.into_iter().chain(server) {
        if KINDS.contains(&name.as_str()) {
            typed(&mut schema, &name);
        }
        if let Some(held) = all.insert(name.clone(), schema.clone()) {
            assert_eq!(held, schema, "two schemas go by the name {name}");
        }
    }
    all
}

/// Adds the `type` of a message, which the generator does not know of.
fn typed(schema: &mut Value, kind: &str) {
    schema["properties"]["type"] = json!({ "const": kind });
    let required = schema["required"]
        .as_array_mut()
        .expect("a message requires something");
    required.insert(0, json!("type"));
}

#[test]
fn every_reference_of_the_schema_leads_somewhere() {
    fn follow(value: &Value, defs: &Map<String, Value>) {
        match value {
            Value::Object(map) => {
                if let Some(to) = map.get("$ref").and_then(Value::as_str) {
                    let name = to
                        .strip_prefix("#/$defs/")
                        .expect("points into the document");
                    assert!(defs.contains_key(name), "{to}");
                }
                map.values().for_each(|value| follow(value, defs));
            }
            Value::Array(items) => items.iter().for_each(|item| follow(item, defs)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let schema = value();
    let defs = schema["$defs"].as_object().expect("is an object");
    follow(&schema, defs);
    for kind in KINDS {
        assert_eq!(defs[kind]["properties"]["type"], json!({ "const": kind }));
    }
}
