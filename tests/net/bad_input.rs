//! Bad input: a clear error or a coded close, and nothing lost.

use super::client::{Client, Encoding};
use super::house::House;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn what_is_wrong_with_a_message_is_answered_and_the_session_goes_on() {
    let house = House::small().await;
    for encoding in [Encoding::Json, Encoding::Pack] {
        let (mut client, _) = Client::welcomed(&house, "ana", encoding).await;

        let error = client.error("contact.acept", json!({})).await;
        assert_eq!(error["code"], "method_not_found");
        assert_eq!(error["data"]["did_you_mean"], "contact.accept");

        let error = client.error("contact.accept", json!({"offer": 17})).await;
        assert_eq!(error["code"], "validation_failed");
        assert_eq!(error["data"]["pointer"], "/offer");

        let error = client
            .error("agent.set_state", json!({"state": "asleep"}))
            .await;
        assert_eq!(error["code"], "validation_failed");
        assert!(
            error["data"]["expected"]
                .as_str()
                .unwrap()
                .contains("not_ready")
        );

        client
            .result("agent.sign_in", json!({"take_over": true}))
            .await;
        let error = client
            .error("contact.accept", json!({"offer": "o999"}))
            .await;
        assert_eq!(error["code"], "offer_expired");
        let error = client.error("contact.accept", json!({"offer": "x"})).await;
        assert_eq!(error["code"], "not_found");
        assert_eq!(error["message"], "there is no offer `x`");
        let error = client
            .error("contact.end", json!({"contact": "nothing"}))
            .await;
        assert_eq!(error["code"], "not_found");

        let reply = client.ask(json!({"type": "dance"})).await;
        assert_eq!(reply["error"]["code"], "bad_request");
        let reply = client
            .ask(json!({"type": "subscribe", "topic": "nothing"}))
            .await;
        assert_eq!(reply["error"]["code"], "not_found");
        let reply = client
            .ask(json!({"type": "unsubscribe", "sub": "v99"}))
            .await;
        assert_eq!(reply["error"]["code"], "not_found");
        let reply = client.ask(json!({"type": "hello"})).await;
        assert_eq!(reply["error"]["code"], "bad_request");
        client
            .send(&json!({"type": "request", "method": "queue.list"}))
            .await;
        let reply = client
            .expect("a reply", |m| m["type"] == "reply" && m["id"].is_null())
            .await;
        assert_eq!(reply["error"]["code"], "bad_request");

        // Unknown keys are ignored, and the session is as good as before.
        let list = client
            .result("session.workspaces", json!({"what": "ever"}))
            .await;
        assert_eq!(list, json!({"workspaces": [{"id": "main"}]}));
    }
}

#[tokio::test]
async fn as_another_is_refused_without_an_agent_view() {
    let house = House::small().await;
    let mut client = Client::of(&house, "ana").await;
    let request =
        json!({"type": "request", "method": "session.workspaces", "params": {}, "as": "bo"});
    let reply = client.ask(request).await;
    assert_eq!(reply["error"]["code"], "forbidden");
    assert_eq!(reply["error"]["data"]["privilege"], "inbox.act_as");
}

#[tokio::test]
async fn a_frame_of_many_messages_is_answered_message_by_message() {
    let house = House::small().await;
    let mut client = Client::of(&house, "ana").await;
    let ask = |id: usize| json!({"type": "request", "id": id.to_string(), "method": "session.workspaces"});
    let frame = json!((0..64).map(ask).collect::<Vec<_>>());
    client.send(&frame).await;
    // 64 messages, of which 32 may be in flight; these are answered at once.
    for id in 0..64 {
        let reply = client.next().await;
        assert_eq!(reply["id"], json!(id.to_string()));
        assert!(reply.get("result").is_some(), "{reply}");
    }
}

/// Frames that end the session, and with which code.
#[tokio::test]
async fn frames_that_cannot_be_taken_apart_close_with_their_code() {
    let house = House::small().await;
    let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
    let deep_request =
        format!(r#"{{"type":"request","id":"1","method":"agent.list","params":{{"x":{deep}}}}}"#);
    let many = json!(vec![json!({"type": "pong", "at": 1}); 65]).to_string();
    let large = "x".repeat(70_000);
    let json_frames = [
        ("no JSON", Message::text("{"), 4102),
        ("a number", Message::text("7"), 4102),
        ("an empty array", Message::text("[]"), 4102),
        ("too many messages", Message::text(many), 4102),
        ("deep nesting", Message::text(deep), 4102),
        ("deep nesting in params", Message::text(deep_request), 4102),
        (
            "binary where text was agreed on",
            Message::binary(b"\x80".as_slice()),
            4102,
        ),
        ("over the limit", Message::text(large.clone()), 4103),
    ];
    for (what, frame, code) in json_frames {
        let mut client = Client::of(&house, "ana").await;
        client.raw(frame).await;
        assert_eq!(client.close_code().await, code, "{what}");
    }
    let nested = (0..40).fold(json!(null), |inner, _| json!({"x": inner}));
    let nested =
        json!({"type": "request", "id": "1", "method": "agent.list", "params": {"x": nested}});
    let pack_frames = [
        ("text where binary was agreed on", Message::text("{}"), 4102),
        ("no MessagePack", Message::binary(b"\xc1".as_slice()), 4102),
        ("cut short", Message::binary(b"\x81\xa4ty".as_slice()), 4102),
        (
            "a text that is not UTF-8",
            Message::binary(b"\x81\xa4type\xa2\xff\xfe".as_slice()),
            4102,
        ),
        (
            "deep nesting",
            Message::binary([[0x91; 40].as_slice(), b"\xc0"].concat()),
            4102,
        ),
        (
            "deep nesting in params",
            Message::binary(rmp_serde::to_vec_named(&nested).unwrap()),
            4102,
        ),
        ("over the limit", Message::binary(large.into_bytes()), 4103),
    ];
    for (what, frame, code) in pack_frames {
        let (mut client, _) = Client::welcomed(&house, "ana", Encoding::Pack).await;
        client.raw(frame).await;
        assert_eq!(client.close_code().await, code, "{what}");
    }
}

#[tokio::test]
async fn text_that_is_not_utf8_closes_with_bad_frame() {
    use tokio::io::AsyncWriteExt as _;
    let house = House::small().await;
    let mut client = Client::of(&house, "ana").await;
    // A masked text frame of two bytes that are no text; the mask is zero.
    let frame = [0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe];
    client.socket.get_mut().write_all(&frame).await.unwrap();
    assert_eq!(client.close_code().await, 4102);
}

#[tokio::test]
async fn a_connector_may_send_larger_frames() {
    let house = House::small().await;
    let mut client = Client::of(&house, "site").await;
    let large = "x".repeat(200_000);
    let result = client
        .result("session.workspaces", json!({"padding": large}))
        .await;
    assert_eq!(result, json!({"workspaces": [{"id": "main"}]}));
    client.raw(Message::text("x".repeat(300_000))).await;
    assert_eq!(client.close_code().await, 4103);
}

#[tokio::test]
async fn hello_has_to_come_first_and_be_whole() {
    let house = House::small().await;
    let mut client = Client::connect(house.address, Encoding::Json).await;
    let reply = client.request("queue.list", json!({})).await;
    assert_eq!(reply["error"]["code"], "unauthenticated");
    assert_eq!(client.close_code().await, 4200);

    let mut client = Client::connect(house.address, Encoding::Json).await;
    let reply = client.ask(json!({"type": "hello", "token": 7})).await;
    assert_eq!(reply["error"]["code"], "bad_request");
    assert_eq!(reply["error"]["data"]["pointer"], "/token");
    assert_eq!(client.close_code().await, 4102);
}

#[tokio::test]
async fn what_comes_with_hello_in_one_frame_is_answered_after_welcome() {
    let house = House::small().await;
    let mut client = Client::connect(house.address, Encoding::Json).await;
    let frame = json!([
        {"type": "hello", "id": "1", "token": house.token("ana")},
        {"type": "request", "id": "2", "method": "session.workspaces"},
    ]);
    client.send(&frame).await;
    assert_eq!(client.next().await["type"], "welcome");
    assert_eq!(client.next().await["id"], "2");
}

/// A masked frame as a client sends it, with a mask of zeros.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [first, 0x80 | 126, length[0], length[1], 0, 0, 0, 0];
    [&head, payload].concat()
}

#[tokio::test]
async fn a_message_in_fragments_has_the_same_limit() {
    use tokio::io::AsyncWriteExt as _;
    let house = House::small().await;
    let mut client = Client::of(&house, "ana").await;
    let half = vec![b' '; 40_000];
    for first in [0x01, 0x80] {
        let frame = masked(first, &half);
        client.socket.get_mut().write_all(&frame).await.unwrap();
    }
    assert_eq!(client.close_code().await, 4103);
}

#[tokio::test]
async fn the_first_frame_has_the_agreed_kind_and_the_limit_of_everybody() {
    let house = House::small().await;
    let cases = [
        (Encoding::Json, Message::binary(b"{}".as_slice()), 4102),
        (Encoding::Pack, Message::text("{}"), 4102),
        (Encoding::Json, Message::text("x".repeat(70_000)), 4103),
    ];
    for (encoding, frame, code) in cases {
        let mut client = Client::connect(house.address, encoding).await;
        client.raw(frame.clone()).await;
        assert_eq!(client.close_code().await, code, "{encoding:?}");
    }
}
