//! Contacts over sockets: from submit to the end, as agent, supervisor and connector see it.

use super::client::{Client, Encoding};
use super::house::House;
use super::http::{keyed, post};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use switchroom::engine::Trip;
use switchroom::engine::clock::Clock;
use switchroom::journal::Source;
use switchroom::net::server::Options;

/// A chat for queue support.
pub fn chat(external_id: &str) -> Value {
    json!({"channel": "chat", "queue": "support", "external_id": external_id,
        "customer": {"id": "c-9", "name": "Rosa Luz", "address": "rosa@example.org"},
        "attributes": {"plan": "gold"}})
}

/// A session that is signed in and available.
pub async fn available(house: &House, user: &str, encoding: Encoding) -> Client {
    let (mut client, _) = Client::welcomed(house, user, encoding).await;
    client.result("agent.sign_in", json!({})).await;
    client
        .result("agent.set_state", json!({"state": "available"}))
        .await;
    client
}

#[tokio::test]
async fn a_chat_goes_from_submit_to_its_end_in_both_encodings() {
    for encoding in [Encoding::Json, Encoding::Pack] {
        let house = House::small().await;
        let mut agent = available(&house, "ana", encoding).await;
        let (mut connector, _) = Client::welcomed(&house, "site", encoding).await;
        let (stream, _) = connector.subscribe("connector", json!({})).await;
        let submitted = connector.result("contact.submit", chat("x-1")).await;
        let contact = submitted["contact"].clone();
        assert_eq!(submitted["queue"], "support");

        let made = agent.event("offer.made").await;
        assert_eq!(made["sub"], "me");
        let offer = made["data"].clone();
        assert_eq!(offer["contact"], contact);
        assert_eq!(offer["card"]["attributes"], json!({"plan": "gold"}));
        // An agent sees personal data masked.
        assert_eq!(offer["card"]["customer"]["name"], "R*** L***");
        assert_eq!(offer["card"]["customer"]["address"], "***@example.org");

        let accepted = agent
            .result("contact.accept", json!({"offer": offer["offer"]}))
            .await;
        assert_eq!(accepted["contact"], contact);
        let connected = agent.event("leg.connected").await;
        let view = connected["data"]["sub"]
            .as_str()
            .expect("names its view")
            .to_owned();
        let snapshot = agent
            .expect("the contact", |m| {
                m["type"] == "snapshot" && m["sub"] == *view
            })
            .await;
        assert_eq!(snapshot["data"]["contact"], contact);
        assert_eq!(snapshot["data"]["state"], "active");

        agent
            .result("contact.end", json!({"contact": contact}))
            .await;
        let ended = agent.event("leg.ended").await;
        assert_eq!(ended["data"]["contact"], contact);
        let closed = connector
            .expect("the end", |m| {
                m["sub"] == *stream && m["event"] == "contact.closed"
            })
            .await;
        assert_eq!(closed["key"], contact);
        let revoked = agent
            .expect("the end of its view", |m| {
                m["type"] == "subscription.revoked" && m["sub"] == *view
            })
            .await;
        assert_eq!(revoked["reason"], "leg_ended");
    }
}

#[tokio::test]
async fn a_call_connects_when_the_connector_reports_media() {
    let house = House::small().await;
    let mut agent = available(&house, "ana", Encoding::Json).await;
    let mut connector = Client::of(&house, "site").await;
    connector.subscribe("connector", json!({})).await;
    let call = json!({"channel": "voice", "queue": "support", "external_id": "call-1"});
    let contact = connector.result("contact.submit", call).await["contact"].clone();
    let offer = agent.event("offer.made").await["data"]["offer"].clone();
    let accepted = agent
        .result("contact.accept", json!({"offer": offer}))
        .await;
    assert_eq!(accepted["state"], "connecting");
    let command = connector.event("media.connect").await["data"].clone();
    assert_eq!(command["contact"], contact);
    assert_eq!(command["agent"], "ana");
    let report = json!({"command": command["command"], "result": "connected"});
    connector.result("media.report", report).await;
    agent.event("leg.connected").await;
}

#[tokio::test]
async fn a_supervisor_sees_every_step_as_numbered_events_and_as_changing_rows() {
    let house = House::small().await;
    let mut agent = available(&house, "ana", Encoding::Json).await;
    let mut supervisor = Client::of(&house, "sue").await;
    let (contacts, snapshot) = supervisor.subscribe("contacts", json!({})).await;
    assert_eq!(snapshot["data"], json!({"contacts": [], "total": 0}));
    let (stats, table) = supervisor.subscribe("stats.queues", json!({})).await;
    let columns: Vec<String> = serde_json::from_value(table["columns"].clone()).unwrap();
    assert_eq!(columns[0], "id");

    let mut connector = Client::of(&house, "site").await;
    let contact = connector.result("contact.submit", chat("x-1")).await["contact"].clone();
    let offer = agent.event("offer.made").await["data"]["offer"].clone();
    agent
        .result("contact.accept", json!({"offer": offer}))
        .await;
    agent
        .result("contact.end", json!({"contact": contact}))
        .await;

    let mut position = snapshot["as_of"].as_u64().unwrap();
    let mut steps = Vec::new();
    while steps.last() != Some(&json!("contact.closed")) {
        let message = supervisor.expect("a step", |m| m["sub"] == *contacts).await;
        let (seq, prev) = (
            message["seq"].as_u64().unwrap(),
            message["prev"].as_u64().unwrap(),
        );
        assert!(prev <= position && position < seq, "{message}");
        position = seq;
        steps.push(match message.get("event") {
            Some(event) => event.clone(),
            None => message["type"].clone(),
        });
    }
    assert_eq!(steps.first(), Some(&json!("entered")));
    for step in ["contact.offered", "leg.connected", "contact.closed"] {
        assert!(steps.contains(&json!(step)), "{step} in {steps:?}");
    }
    let update = supervisor
        .expect("numbers", |m| m["type"] == "update" && m["sub"] == *stats)
        .await;
    assert_eq!(update["set"][0][0], "support");
}

#[tokio::test]
async fn an_unsubscribed_view_says_nothing_more_and_can_be_opened_again() {
    let house = House::small().await;
    let mut supervisor = Client::of(&house, "sue").await;
    let (sub, _) = supervisor.subscribe("contacts", json!({})).await;
    let again = supervisor
        .ask(json!({"type": "subscribe", "topic": "contacts"}))
        .await;
    assert_eq!(again["error"]["code"], "already_subscribed");
    let done = supervisor
        .ask(json!({"type": "unsubscribe", "sub": sub}))
        .await;
    assert_eq!(done["result"], json!({}));
    let mut connector = Client::of(&house, "site").await;
    connector.result("contact.submit", chat("x-1")).await;
    let (_, snapshot) = supervisor.subscribe("contacts", json!({})).await;
    assert_eq!(snapshot["data"]["total"], 1);
}

#[tokio::test]
async fn a_key_gets_the_first_answer_again_and_other_content_a_mismatch() {
    let house = House::small().await;
    let mut connector = Client::of(&house, "site").await;
    let ask = |params: Value| json!({"type": "request", "method": "contact.submit", "params": params, "key": "k"});
    let first = connector.ask(ask(chat("x-1"))).await;
    let again = connector.ask(ask(chat("x-1"))).await;
    assert_eq!(first["result"], again["result"]);
    let other = connector.ask(ask(chat("x-2"))).await;
    assert_eq!(other["error"]["code"], "idempotency_mismatch");
    // A key belongs to one identity.
    let mut second = Client::of(&house, "other").await;
    let theirs = second.ask(ask(chat("x-3"))).await;
    assert!(theirs.get("result").is_some(), "{theirs}");
}

#[tokio::test]
async fn an_external_id_is_of_the_identity_that_used_it() {
    let house = House::small().await;
    let mut connector = Client::of(&house, "site").await;
    let first = connector.result("contact.submit", chat("x-1")).await;
    let mut other = Client::of(&house, "other").await;
    let error = other.error("contact.submit", chat("x-1")).await;
    assert_eq!(
        (&error["code"], &error["retry"]),
        (&json!("conflict"), &json!(false))
    );
    let contact = first["contact"].as_str().unwrap();
    assert!(!error.to_string().contains(contact), "{error}");
    let again = post(&house, "other", "/v1/contacts", &chat("x-1")).await;
    assert_eq!(again.status, 409, "{again:?}");
    let again = connector.result("contact.submit", chat("x-1")).await;
    assert_eq!(again, first);
}

#[tokio::test]
async fn a_hundred_duplicates_at_once_make_one_contact() {
    let house = House::small().await;
    let mut connector = Client::of(&house, "site").await;
    let submit = |id: usize| {
        json!({"type": "request", "id": id.to_string(), "method": "contact.submit",
            "params": chat("x-1")})
    };
    for start in [0, 50] {
        let frame: Vec<Value> = (start..start + 50).map(submit).collect();
        connector.send(&json!(frame)).await;
    }
    let mut contacts = Vec::new();
    for _ in 0..100 {
        contacts.push(connector.next().await["result"]["contact"].clone());
    }
    contacts.dedup();
    assert_eq!(contacts.len(), 1, "{contacts:?}");
    let mut supervisor = Client::of(&house, "sue").await;
    let list = supervisor.result("contact.list", json!({})).await;
    assert_eq!(
        (&list["total"], &list["contacts"][0]["contact"]),
        (&json!(1), &contacts[0])
    );
}

#[tokio::test]
async fn what_is_only_read_is_read_anew_whatever_its_key() {
    let house = House::small().await;
    let mut connector = Client::of(&house, "site").await;
    let mut supervisor = Client::of(&house, "sue").await;
    let list = json!({"type": "request", "method": "contact.list", "key": "k"});
    for number in 0..3 {
        assert_eq!(
            supervisor.ask(list.clone()).await["result"]["total"],
            number
        );
        let path = "/v1/methods/contact.list";
        let over_http = keyed(&house, "sue", path, &json!({}), Some("k")).await;
        assert_eq!(over_http.json()["total"], number);
        let submit = chat(&number.to_string());
        connector.result("contact.submit", submit).await;
    }
}

#[tokio::test]
async fn a_key_answers_the_second_end_of_a_contact_like_the_first() {
    let house = House::small().await;
    let mut connector = Client::of(&house, "site").await;
    let contact = connector.result("contact.submit", chat("x-1")).await["contact"].clone();
    let abandon = json!({"type": "request", "method": "contact.abandon",
        "params": {"contact": contact}, "key": "bye"});
    let first = connector.ask(abandon.clone()).await;
    assert_eq!(first["result"], json!({"contact": contact}));
    // On another socket of the same identity, too.
    let mut elsewhere = Client::of(&house, "site").await;
    assert_eq!(elsewhere.ask(abandon).await["result"], first["result"]);
    let error = elsewhere
        .error("contact.abandon", json!({"contact": contact}))
        .await;
    assert_ne!(error["code"], Value::Null);
}

#[tokio::test]
async fn reads_are_answered_from_the_board_and_cut_by_scope() {
    let house = House::small().await;
    let mut connector = Client::of(&house, "site").await;
    let contact = connector.result("contact.submit", chat("x-1")).await["contact"].clone();
    let mut supervisor = Client::of(&house, "sue").await;
    let seen = supervisor
        .result("contact.get", json!({"contact": contact}))
        .await;
    assert_eq!(
        (&seen["state"], &seen["queue"]),
        (&json!("waiting"), &json!("support"))
    );
    let list = supervisor.result("contact.list", json!({})).await;
    assert_eq!(
        (&list["total"], &list["contacts"][0]["contact"]),
        (&json!(1), &contact)
    );
    let queues = supervisor.result("queue.list", json!({})).await;
    assert_eq!(queues["queues"].as_array().unwrap().len(), 1, "{queues}");
    let agents = supervisor.result("agent.list", json!({})).await;
    let ids: Vec<_> = agents["agents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["id"].clone())
        .collect();
    assert!(
        ids.contains(&json!("ana")) && !ids.contains(&json!("max")),
        "{ids:?}"
    );
    let stats = supervisor
        .result("stats.get", json!({"table": "queues"}))
        .await;
    assert_eq!(stats["rows"].as_array().unwrap().len(), 1, "{stats}");
    let trace = supervisor
        .result("contact.trace", json!({"contact": contact}))
        .await;
    assert_eq!(trace, json!({"decisions": []}));
    let trace = supervisor
        .result("contact.trace", json!({"contact": contact, "agent": "ana"}))
        .await;
    let explained = json!({"agent": "ana", "passed_over": "not_routable"});
    assert_eq!(trace["explained"], explained);
    let hidden = json!({"contact": contact, "agent": "max"});
    let hidden = supervisor.error("contact.trace", hidden).await;
    assert_eq!(hidden["code"], "not_found", "{hidden}");

    // What is out of scope reads exactly as what does not exist.
    let mut other = Client::of(&house, "other").await;
    let hidden = other
        .error("contact.get", json!({"contact": contact}))
        .await;
    let unknown = "01890000-0000-7000-8000-000000000000";
    let nothing = other
        .error("contact.get", json!({"contact": unknown}))
        .await;
    let blank = |error: &Value, id: &str| error.to_string().replace(id, "…");
    assert_eq!(
        blank(&hidden, contact.as_str().unwrap()),
        blank(&nothing, unknown)
    );
    assert_eq!(hidden["code"], "not_found");
    for method in ["contact.abandon", "contact.end"] {
        let hidden = other.error(method, json!({"contact": contact})).await;
        let nothing = other.error(method, json!({"contact": unknown})).await;
        assert_eq!(
            blank(&hidden, contact.as_str().unwrap()),
            blank(&nothing, unknown),
            "{method}"
        );
    }
}

/// The small floor, where chats have a wrap-up.
fn with_wrap_up() -> String {
    super::house::SMALL.replace(
        "terms.chat = { wrap_up = { mode = \"none\" } }",
        "terms.chat = { wrap_up = { mode = \"optional\" } }",
    )
}

#[tokio::test]
async fn a_key_does_not_keep_what_failed_for_the_moment() {
    let armed = Arc::new(AtomicBool::new(false));
    let bomb = Arc::clone(&armed);
    let trip: Trip = Arc::new(move |source, asked| {
        let queue = matches!(source, Source::Queue(_));
        assert!(!(queue && asked && bomb.swap(false, Ordering::SeqCst)));
    });
    let (clock, options) = (Clock::system(), Options::default());
    let house = House::tripping(&with_wrap_up(), clock, options, Some(trip)).await;
    let mut agent = available(&house, "ana", Encoding::Json).await;
    let mut connector = Client::of(&house, "site").await;
    let contact = connector.result("contact.submit", chat("x-1")).await["contact"].clone();
    let offer = agent.event("offer.made").await["data"]["offer"].clone();
    agent
        .result("contact.accept", json!({"offer": offer}))
        .await;
    agent
        .result("contact.end", json!({"contact": contact}))
        .await;
    agent.event("leg.wrap_up").await;
    let mut supervisor = Client::of(&house, "sue").await;
    let end = json!({"type": "request", "method": "agent.end_wrap_up", "key": "k",
        "params": {"agent": "ana", "contact": contact}});
    armed.store(true, Ordering::SeqCst);
    let failed = supervisor.ask(end.clone()).await;
    assert_eq!(failed["error"]["code"], "internal", "{failed}");
    let ended = supervisor.ask(end.clone()).await;
    assert_eq!(ended["result"]["agent"]["id"], "ana", "{ended}");
    // This answer is kept: carried out again, there would be no such wrap-up.
    assert_eq!(supervisor.ask(end).await["result"], ended["result"]);
}

#[tokio::test]
async fn a_supervisor_ends_the_wrap_ups_of_an_agent() {
    let toml = with_wrap_up();
    let house = House::open(&toml, Clock::system(), Options::default()).await;
    let mut agent = available(&house, "ana", Encoding::Json).await;
    let mut connector = Client::of(&house, "site").await;
    let mut contacts = Vec::new();
    for id in ["x-1", "x-2"] {
        let contact = connector.result("contact.submit", chat(id)).await["contact"].clone();
        let offer = agent.event("offer.made").await["data"]["offer"].clone();
        agent
            .result("contact.accept", json!({"offer": offer}))
            .await;
        agent
            .result("contact.end", json!({"contact": contact}))
            .await;
        agent.event("leg.wrap_up").await;
        contacts.push(contact);
    }
    let error = agent.error("agent.end_wrap_up", json!({})).await;
    assert_eq!(error["code"], "forbidden");
    let mut supervisor = Client::of(&house, "sue").await;
    let (agents, _) = supervisor.subscribe("agents", json!({})).await;
    let one = json!({"agent": "ana", "contact": contacts[0]});
    supervisor.result("agent.end_wrap_up", one).await;
    let ended = agent.event("leg.ended").await;
    assert_eq!(ended["key"], contacts[0]);
    let result = supervisor
        .result("agent.end_wrap_up", json!({"agent": "ana"}))
        .await;
    assert_eq!(result["agent"]["id"], "ana");
    let ended = agent.event("leg.ended").await;
    assert_eq!(ended["key"], contacts[1]);
    let mut states = Vec::new();
    for _ in &contacts {
        let ended = |m: &Value| m["sub"] == *agents && m["event"] == "leg.ended";
        let row = supervisor.expect("a row of ana", ended).await;
        states.push(row["data"]["summary"].clone());
    }
    assert_eq!(states, [json!("wrap_up"), json!("available")]);
}
