//! Readers that stop: closed with 4008 when they owe too much, and nobody else is held up.

use super::client::{Client, Encoding};
use super::contacts::available;
use super::house::House;
use serde_json::{Value, json};
use switchroom::time::Span;

/// A chat that is large on the wire.
fn large(external_id: &str) -> Value {
    let attributes: serde_json::Map<_, _> = (0..60)
        .map(|n| (format!("a{n}"), json!("x".repeat(1_000))))
        .collect();
    json!({"channel": "chat", "queue": "support", "external_id": external_id, "attributes": attributes})
}

#[tokio::test]
async fn a_reader_that_stops_is_closed_with_4008_and_others_see_everything() {
    for encoding in [Encoding::Json, Encoding::Pack] {
        stops(encoding).await;
    }
}

async fn stops(encoding: Encoding) {
    let house = House::small().await;
    let (mut stopped, _) = Client::welcomed(&house, "sue", encoding).await;
    stopped.subscribe("contacts", json!({})).await;
    let mut awake = Client::of(&house, "sue").await;
    let (sub, _) = awake.subscribe("contacts", json!({})).await;
    let mut agent = available(&house, "ana", Encoding::Json).await;
    let mut connector = Client::of(&house, "site").await;
    // Some 64 KB each, so that what the kernel holds and the budget of 1 MiB are soon full.
    for number in 0..60 {
        let submitted = connector
            .result("contact.submit", large(&number.to_string()))
            .await;
        let entered = awake
            .expect("the contact", |m| {
                m["type"] == "entered" && m["sub"] == *sub
            })
            .await;
        assert_eq!(entered["key"], submitted["contact"]);
    }
    agent.event("offer.made").await;
    agent.result("session.workspaces", json!({})).await;
    let (_, code) = stopped.closed().await;
    assert_eq!(code, Some(4008));
}

#[tokio::test]
async fn who_leaves_replies_lying_is_slow_and_not_silent() {
    let house = House::by_hand().await;
    let mut connector = Client::of(&house, "site").await;
    for number in 0..20 {
        let submit = large(&number.to_string());
        connector.result("contact.submit", submit).await;
    }
    let mut stopped = Client::of(&house, "sue").await;
    // A megabyte each, more than what the kernel and the server keep for a socket.
    for id in 0..30 {
        let list = json!({"type": "request", "id": id.to_string(), "method": "contact.list"});
        stopped.send(&list).await;
    }
    // Reading pauses at the first message after the replies have piled up.
    let mut awake = Client::of(&house, "max").await;
    let mut tries = 0;
    while !house
        .server
        .metrics()
        .contains("switchroom_sockets_paused 1\n")
    {
        tries += 1;
        assert!(tries < 60, "reading pauses");
        let small = json!({"type": "request", "id": "x", "method": "session.workspaces"});
        stopped.send(&small).await;
        awake.result("contact.list", json!({})).await;
    }
    // The session ends once nothing has moved for long enough, and is paused till then.
    while house
        .server
        .metrics()
        .contains("switchroom_sockets_paused 1\n")
    {
        house.clock.move_on(Span::seconds(1));
        connector.result("session.workspaces", json!({})).await;
    }
    let (goaway, _) = stopped.closed().await;
    assert_eq!(goaway.expect("a goaway")["code"], 4008);
}

#[tokio::test]
async fn a_reader_of_numbers_that_stops_is_not_closed_and_gets_the_latest() {
    let house = House::small().await;
    let mut supervisor = Client::of(&house, "sue").await;
    let (sub, table) = supervisor
        .subscribe("stats.queues", json!({"hz": 10}))
        .await;
    let columns = table["columns"].as_array().unwrap();
    let waiting = columns
        .iter()
        .position(|column| column == "waiting")
        .unwrap();
    let mut connector = Client::of(&house, "site").await;
    for number in 0..200 {
        let submit = super::contacts::chat(&number.to_string());
        connector.result("contact.submit", submit).await;
    }
    // However many frames there were, the newest says how many wait.
    let mut newest = 0;
    while newest < 200 {
        let message = supervisor.expect("numbers", |m| m["sub"] == *sub).await;
        let row = match message["type"].as_str() {
            Some("snapshot") => Some(message["rows"][0][waiting].clone()),
            _ => cell(&message["set"][0], waiting),
        };
        let number = row.and_then(|row| row.as_u64()).unwrap_or(newest);
        assert!(number >= newest, "rows never go back in time: {message}");
        newest = number;
    }
}

/// The value of a column in a changed row: `[key, column, value, …]`.
fn cell(row: &Value, column: usize) -> Option<Value> {
    let cells = row.as_array()?.get(1..)?;
    let found = cells.chunks(2).find(|cell| cell[0] == json!(column));
    found.map(|cell| cell[1].clone())
}
