//! What is due by the clock: hello, pings, silence, the end of a token, and the pace of
//! messages. The clock is moved by the test.

use super::client::{Client, Encoding, PATIENCE};
use super::house::House;
use futures::StreamExt as _;
use serde_json::{Value, json};
use switchroom::time::Span;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

/// The next ping, unanswered.
async fn ping(client: &mut Client) -> Value {
    loop {
        let frame = timeout(PATIENCE, client.socket.next())
            .await
            .expect("a ping");
        let Some(Ok(Message::Text(text))) = frame else {
            panic!("{frame:?}")
        };
        let message: Value = serde_json::from_str(&text).unwrap();
        if message["type"] == "ping" {
            return message;
        }
    }
}

#[tokio::test]
async fn a_socket_that_says_nothing_is_closed_after_five_seconds() {
    let house = House::by_hand().await;
    let mut silent = Client::connect(house.address, Encoding::Json).await;
    let mut prompt = Client::of(&house, "ana").await;
    // A pong shows that the server waits for hello.
    silent.raw(Message::Ping("there?".into())).await;
    let pong = timeout(PATIENCE, silent.socket.next())
        .await
        .expect("a pong");
    assert!(matches!(pong, Some(Ok(Message::Pong(payload))) if payload == "there?"));
    house.clock.move_on(Span::seconds(5));
    assert_eq!(silent.close_code().await, 4101);
    prompt.result("session.workspaces", json!({})).await;
}

#[tokio::test]
async fn the_server_pings_and_a_silent_client_is_dead_after_twenty_seconds() {
    let house = House::by_hand().await;
    let mut silent = Client::of(&house, "ana").await;
    let mut awake = Client::of(&house, "bo").await;
    house.clock.move_on(Span::seconds(10));
    let first = ping(&mut silent).await;
    assert_eq!(first["at"], json!(house.clock.now().0));
    assert_eq!(first["positions"], json!([]));
    let asked = ping(&mut awake).await;
    awake
        .send(&json!({"type": "pong", "at": asked["at"]}))
        .await;
    // Only what has come in counts: a request makes sure that the pong has.
    awake.result("session.workspaces", json!({})).await;
    house.clock.move_on(Span::seconds(10));
    assert_eq!(silent.close_code().await, 4001);
    awake.result("session.workspaces", json!({})).await;
}

#[tokio::test]
async fn a_ping_names_the_newest_position_of_each_lossless_view() {
    let house = House::by_hand().await;
    let mut client = Client::of(&house, "ana").await;
    let signed_in = client.request("agent.sign_in", json!({})).await;
    let (agents, snapshot) = client.subscribe("agents", json!({})).await;
    house.clock.move_on(Span::seconds(10));
    let positions = ping(&mut client).await["positions"].clone();
    assert_eq!(
        positions,
        json!([["me", signed_in["seq"]], [agents, snapshot["as_of"]]])
    );
}

#[tokio::test]
async fn the_end_of_a_token_is_announced_and_closes_an_hour_that_nobody_renews() {
    let house = House::by_hand().await;
    let mut client = Client::connect(house.address, Encoding::Json).await;
    let token = house.token_for("ana", Span::seconds(70));
    let welcome = client.hello(json!({"token": token})).await;
    house.clock.move_on(Span::seconds(10));
    let warning = client.expect("a warning", |m| m["type"] == "warning").await;
    assert_eq!(warning["code"], "token_expiring");
    assert_eq!(warning["deadline"], welcome["expires_at"]);
    // Renewed in time, it goes on past the end of the first token.
    let longer = house.token_for("ana", Span::seconds(200));
    client
        .result("auth.refresh", json!({"token": longer}))
        .await;
    for _ in 0..14 {
        house.clock.move_on(Span::seconds(10));
        client.result("session.workspaces", json!({})).await;
    }
    let warning = client.expect("a warning", |m| m["type"] == "warning").await;
    assert_eq!(warning["code"], "token_expiring");
    for _ in 0..9 {
        house.clock.move_on(Span::seconds(10));
        if house.clock.now().0 >= warning["deadline"].as_u64().unwrap() + 30_000 {
            break;
        }
        client.result("session.workspaces", json!({})).await;
    }
    assert_eq!(client.close_code().await, 4003);
}

#[tokio::test]
async fn a_token_is_renewed_by_a_request_with_a_key_too() {
    let house = House::by_hand().await;
    let mut client = Client::connect(house.address, Encoding::Json).await;
    let token = house.token_for("ana", Span::seconds(70));
    client.hello(json!({"token": token})).await;
    for lasts in [100, 200] {
        let token = house.token_for("ana", Span::seconds(lasts));
        let refresh = json!({"type": "request", "method": "auth.refresh", "key": "k",
            "params": {"token": token}});
        let refreshed = client.ask(refresh).await;
        let at = refreshed["result"]["expires_at"].as_u64().unwrap();
        assert!(
            at >= house.clock.now().0 + lasts * 1_000 - 1_000,
            "{refreshed}"
        );
    }
    for _ in 0..19 {
        house.clock.move_on(Span::seconds(10));
        client.result("session.workspaces", json!({})).await;
    }
}

#[tokio::test]
async fn a_burst_passes_then_messages_are_refused_and_at_last_the_socket_is_closed() {
    let house = House::by_hand().await;
    let mut client = Client::of(&house, "ana").await;
    let ask =
        |id: u32| json!({"type": "request", "id": id.to_string(), "method": "session.workspaces"});
    for id in 0..101 {
        client.send(&ask(id)).await;
    }
    for _ in 0..100 {
        assert!(client.next().await.get("result").is_some());
    }
    let refused = client.next().await;
    assert_eq!(refused["error"]["code"], "rate_limited");
    assert_eq!(refused["error"]["after_ms"], 20);
    assert_eq!(refused["error"]["retry"], true);
    house.clock.move_on(Span(20));
    client.send(&ask(200)).await;
    assert!(client.next().await.get("result").is_some());
    for id in 0..101 {
        client.send(&ask(id)).await;
    }
    assert_eq!(client.close_code().await, 4009);
}

#[tokio::test]
async fn pings_of_the_websocket_itself_count_as_messages() {
    let house = House::by_hand().await;
    for frame in [Message::Ping("x".into()), Message::Pong("x".into())] {
        let mut client = Client::of(&house, "ana").await;
        for _ in 0..100 {
            client.raw(frame.clone()).await;
        }
        let reply = client.request("session.workspaces", json!({})).await;
        assert_eq!(reply["error"]["code"], "rate_limited", "{frame:?}");
        for _ in 0..100 {
            client.raw(frame.clone()).await;
        }
        assert_eq!(client.close_code().await, 4009, "{frame:?}");
    }
}

#[tokio::test]
async fn who_only_pings_has_to_say_hello_in_time_all_the_same() {
    let house = House::by_hand().await;
    let mut client = Client::connect(house.address, Encoding::Json).await;
    for second in 0..5 {
        client.raw(Message::Ping(vec![second].into())).await;
        let pong = timeout(PATIENCE, client.socket.next()).await.unwrap();
        assert!(matches!(pong, Some(Ok(Message::Pong(payload))) if payload[..] == [second]));
        house.clock.move_on(Span::seconds(1));
    }
    assert_eq!(client.close_code().await, 4101);
}
