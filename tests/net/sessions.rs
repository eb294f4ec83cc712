//! Hello and welcome: tokens, subprotocols, origins, limits of sessions, the end.

use super::client::{Client, Encoding, PATIENCE, connect};
use super::contacts::chat;
use super::house::{House, SECRET, SMALL};
use super::http::{post, request};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use futures::StreamExt as _;
use serde_json::{Value, json};
use switchroom::access::token::TokenKey;
use switchroom::engine::clock::Clock;
use switchroom::net::origin::Origins;
use switchroom::net::server::Options;
use switchroom::time::Span;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

const BOTH: [Encoding; 2] = [Encoding::Json, Encoding::Pack];

#[tokio::test]
async fn welcome_says_who_one_is_and_what_holds() {
    let house = House::small().await;
    for encoding in BOTH {
        let (_client, welcome) = Client::welcomed(&house, "ana", encoding).await;
        assert_eq!(welcome["id"], "hello");
        assert_eq!(
            welcome["user"],
            json!({"id": "ana", "name": "Ana", "roles": ["agent"]})
        );
        assert_eq!(welcome["session"].as_str().unwrap().len(), 32);
        assert_eq!(welcome["epoch"], json!(house.engine.epoch().to_string()));
        assert_eq!(welcome["heartbeat_ms"], 10_000);
        assert_eq!(welcome["home"]["screen"], "desktop");
        let privileges = welcome["privileges"].as_array().unwrap();
        assert!(privileges.contains(&json!("contact.accept")));
        assert!(!privileges.contains(&json!("contact.submit")));
        let limits = json!({"frame_bytes": 65_536, "messages_per_second": 50, "burst": 100,
            "in_flight": 32, "subscriptions": 64});
        assert_eq!(welcome["limits"], limits);
    }
    let (_client, welcome) = Client::welcomed(&house, "site", Encoding::Json).await;
    let limits = json!({"frame_bytes": 262_144, "messages_per_second": 2_000, "burst": 4_000,
        "in_flight": 1_024, "subscriptions": 64});
    assert_eq!(welcome["limits"], limits);
}

#[tokio::test]
async fn a_token_comes_in_the_header_or_as_a_subprotocol_and_is_not_echoed() {
    let house = House::small().await;
    let token = house.token("ana");
    let bearer = format!("Bearer {token}");
    let encoded = BASE64_URL_SAFE_NO_PAD.encode(&token);
    let offered = format!("bearer.switchroom.{encoded}, switchroom.v1.json");
    let ways = [
        vec![("authorization", bearer.as_str())],
        vec![("sec-websocket-protocol", offered.as_str())],
    ];
    for headers in ways {
        let (socket, answered) = connect(house.address, &headers).await.expect("an upgrade");
        if let Some(echoed) = answered.get("sec-websocket-protocol") {
            assert_eq!(echoed, "switchroom.v1.json");
        }
        let mut client = Client::over(socket, Encoding::Json);
        assert_eq!(
            client.hello(json!({})).await["type"],
            "welcome",
            "{headers:?}"
        );
    }
}

#[tokio::test]
async fn only_unknown_subprotocols_are_refused_before_the_upgrade() {
    let house = House::small().await;
    let refused = connect(house.address, &[("sec-websocket-protocol", "graphql-ws")]).await;
    let refused = refused.map(|_| ()).expect_err("no upgrade");
    assert_eq!(refused.status(), 400);
    assert_eq!(
        refused.headers()["content-type"],
        "application/problem+json"
    );
    let problem: Value = serde_json::from_slice(refused.body().as_deref().unwrap()).unwrap();
    assert_eq!(problem["code"], "bad_request");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("switchroom.v1.json")
    );
}

#[tokio::test]
async fn pages_of_other_hosts_are_turned_away() {
    let house = House::small().await;
    let own = format!("http://{}", house.address);
    let (socket, _) = connect(house.address, &[("origin", &own)])
        .await
        .expect("an upgrade");
    let mut client = Client::over(socket, Encoding::Json);
    assert_eq!(
        client.hello(json!({"token": house.token("ana")})).await["type"],
        "welcome"
    );

    let foreign = [("origin", "http://evil.example")];
    let (socket, _) = connect(house.address, &foreign).await.expect("an upgrade");
    assert_eq!(
        Client::over(socket, Encoding::Json).close_code().await,
        4206
    );

    let options = Options {
        origins: Origins::Listed(vec!["https://desk.example".to_owned()]),
        ..Options::default()
    };
    let house = House::open(SMALL, Clock::system(), options).await;
    let own = format!("http://{}", house.address);
    for (origin, admitted) in [("https://desk.example", true), (own.as_str(), false)] {
        let (socket, _) = connect(house.address, &[("origin", origin)])
            .await
            .expect("an upgrade");
        let mut client = Client::over(socket, Encoding::Json);
        if admitted {
            assert_eq!(
                client.hello(json!({"token": house.token("ana")})).await["type"],
                "welcome"
            );
        } else {
            assert_eq!(client.close_code().await, 4206);
        }
    }
}

/// Header, claims and signature of a token that is not made by our own code.
fn token(header: &Value, claims: &Value, signature: &str) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", part(header), part(claims))
}

/// Tokens that do not hold, and the code with which each is refused.
fn bad_tokens(house: &House) -> [(&'static str, String, u16); 9] {
    let now = house.clock.now();
    let other_key = TokenKey::new(
        b"another secret of thirty-two bytes",
        "switchroom",
        "switchroom",
    );
    let other_issuer = TokenKey::new(SECRET, "somebody", "switchroom").unwrap();
    let other_audience = TokenKey::new(SECRET, "switchroom", "somewhere").unwrap();
    let hour = Span::minutes(60);
    let claims = json!({"iss": "switchroom", "aud": "switchroom", "sub": "ana",
        "workspace": "main", "exp": now.0 / 1_000 + 3_600});
    let mut changed = house.token("ana");
    changed.pop();
    let expired = house.key.mint(
        "ana",
        "main",
        switchroom::time::Instant(now.0 - 7_200_000),
        hour,
    );
    [
        ("expired", expired.unwrap(), 4003),
        (
            "forged",
            other_key.unwrap().mint("ana", "main", now, hour).unwrap(),
            4200,
        ),
        ("changed", changed, 4200),
        (
            "alg none",
            token(&json!({"alg": "none", "typ": "JWT"}), &claims, ""),
            4200,
        ),
        (
            "other issuer",
            other_issuer.mint("ana", "main", now, hour).unwrap(),
            4200,
        ),
        (
            "other audience",
            other_audience.mint("ana", "main", now, hour).unwrap(),
            4200,
        ),
        (
            "other workspace",
            house.key.mint("ana", "elsewhere", now, hour).unwrap(),
            4200,
        ),
        (
            "unknown user",
            house.key.mint("nobody", "main", now, hour).unwrap(),
            4200,
        ),
        ("no token", "what is this".to_owned(), 4200),
    ]
}

#[tokio::test]
async fn tokens_that_do_not_hold_are_refused_with_their_code() {
    let house = House::small().await;
    for (what, token, code) in bad_tokens(&house) {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        let answer = request(&house, "POST /v1/methods/queue.list", &headers, "").await;
        let expected = if code == 4003 {
            "token_expired"
        } else {
            "unauthenticated"
        };
        assert_eq!(answer.status, 401, "{what}");
        assert_eq!(answer.json()["code"], expected, "{what}");
        let mut client = Client::connect(house.address, Encoding::Json).await;
        client
            .send(&json!({"type": "hello", "id": "1", "token": token}))
            .await;
        assert_eq!(client.close_code().await, code, "{what}");
    }
    let mut client = Client::connect(house.address, Encoding::Json).await;
    client.send(&json!({"type": "hello", "id": "1"})).await;
    assert_eq!(client.close_code().await, 4200);
}

#[tokio::test]
async fn a_user_has_six_sessions_and_a_connector_as_many_as_it_wants() {
    let house = House::small().await;
    let mut open = Vec::new();
    for _ in 0..6 {
        open.push(Client::of(&house, "ana").await);
    }
    let mut seventh = Client::connect(house.address, Encoding::Json).await;
    seventh
        .send(&json!({"type": "hello", "id": "1", "token": house.token("ana")}))
        .await;
    assert_eq!(seventh.close_code().await, 4205);
    for _ in 0..10 {
        open.push(Client::of(&house, "site").await);
    }
    let mut first = open.remove(0);
    first.socket.close(None).await.unwrap();
    first.closed().await;
    // The place is free once the server has seen the end of the first.
    loop {
        let mut again = Client::connect(house.address, Encoding::Json).await;
        if again.hello(json!({"token": house.token("ana")})).await["type"] == "welcome" {
            break;
        }
    }
}

#[tokio::test]
async fn when_the_server_stops_every_session_is_told_when_to_come_back() {
    let house = House::small().await;
    let mut clients = Vec::new();
    for user in ["ana", "bo", "sue", "site"] {
        clients.push(Client::of(&house, user).await);
    }
    house.stop.cancel();
    house.tasks.close();
    let mut after = Vec::new();
    for client in &mut clients {
        let (goaway, code) = client.closed().await;
        let goaway = goaway.expect("a goaway");
        assert_eq!((code, &goaway["reconnect"]), (Some(1001), &json!(true)));
        after.push(goaway["after_ms"].as_u64().unwrap());
    }
    after.sort_unstable();
    after.dedup();
    assert_eq!(
        after.len(),
        clients.len(),
        "they come back at different times"
    );
    drop(clients);
    tokio::time::timeout(super::client::PATIENCE, house.tasks.wait())
        .await
        .expect("no task is left");
}

#[tokio::test]
async fn auth_refresh_renews_the_session_and_only_for_the_same_user() {
    let house = House::small().await;
    let mut client = Client::of(&house, "ana").await;
    let longer = house.token_for("ana", Span::hours(5));
    let refreshed = client
        .result("auth.refresh", json!({"token": longer}))
        .await;
    let five_hours = house.clock.now().0 + 4 * 3_600_000;
    assert!(refreshed["expires_at"].as_u64().unwrap() > five_hours);
    let error = client
        .error("auth.refresh", json!({"token": house.token("bo")}))
        .await;
    assert_eq!(error["code"], "unauthenticated");
    let error = client
        .error("auth.refresh", json!({"token": "x.y.z"}))
        .await;
    assert_eq!(error["code"], "unauthenticated");
}

#[tokio::test]
async fn a_session_that_is_not_signed_in_leaves_the_seat_of_another_alone() {
    let house = House::small().await;
    let mut first = Client::of(&house, "ana").await;
    first.result("agent.sign_in", json!({})).await;
    let mut second = Client::of(&house, "ana").await;
    second
        .result("agent.sign_in", json!({"take_over": true}))
        .await;
    second
        .result("agent.set_state", json!({"state": "available"}))
        .await;
    assert_eq!(first.close_code().await, 4202);
    let mut connector = Client::of(&house, "site").await;
    connector.result("contact.submit", chat("x-1")).await;
    let offer = second.event("offer.made").await["data"]["offer"].clone();

    // The page that was superseded comes back with a plain hello.
    let mut back = Client::of(&house, "ana").await;
    let commands = [
        ("contact.accept", json!({"offer": offer})),
        ("contact.decline", json!({"offer": offer})),
        ("offer.shown", json!({"offer": offer})),
        ("agent.set_state", json!({"state": "not_ready"})),
        (
            "agent.set_state",
            json!({"state": "not_ready", "agent": "ana"}),
        ),
        ("agent.set_channels", json!({"channels": {"chat": false}})),
        ("agent.sign_out", json!({})),
    ];
    for (method, params) in commands {
        let error = back.error(method, params).await;
        let text = "this session is not signed in: `agent.sign_in` comes first";
        assert_eq!(
            (&error["code"], &error["message"]),
            (&json!("invalid_state"), &json!(text)),
            "{method}"
        );
    }
    // Over HTTP there is no session; and a supervisor needs no seat to set that of another.
    let path = "/v1/methods/agent.set_channels";
    let params = json!({"channels": {"voice": false}});
    assert_eq!(post(&house, "ana", path, &params).await.status, 200);
    let mut supervisor = Client::of(&house, "sue").await;
    let params = json!({"agent": "ana", "state": "available"});
    supervisor.result("agent.set_state", params).await;
    second
        .result("contact.accept", json!({"offer": offer}))
        .await;
}

#[tokio::test]
async fn a_close_is_answered_with_its_code() {
    let house = House::small().await;
    for (sent, back) in [
        (Some(1000), Some(1000)),
        (Some(3456), Some(3456)),
        (None, None),
    ] {
        let frame = sent.map(|code: u16| CloseFrame {
            code: code.into(),
            reason: "enough".into(),
        });
        let mut welcomed = Client::of(&house, "ana").await;
        welcomed.socket.close(frame.clone()).await.unwrap();
        assert_eq!(close_frame(&mut welcomed).await, Some(back));
        let mut silent = Client::connect(house.address, Encoding::Json).await;
        silent.socket.close(frame).await.unwrap();
        assert_eq!(close_frame(&mut silent).await, Some(back));
    }
}

/// The code in the server's close frame, if it sends one.
async fn close_frame(client: &mut Client) -> Option<Option<u16>> {
    loop {
        let frame = timeout(PATIENCE, client.socket.next()).await.unwrap();
        match frame {
            Some(Ok(Message::Close(close))) => return Some(close.map(|close| close.code.into())),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return None,
        }
    }
}

#[tokio::test]
async fn of_sockets_that_are_gone_nothing_is_left() {
    let house = House::small().await;
    let mut clients = Vec::new();
    for user in ["ana", "bo", "sue", "sue", "max", "site", "site"] {
        let mut client = Client::of(&house, user).await;
        if user == "sue" {
            client.subscribe("contacts", json!({})).await;
            client.subscribe("stats.queues", json!({})).await;
        }
        clients.push(client);
    }
    assert_eq!(
        (house.engine.doors().len(), house.server.sessions().count()),
        (7, 7)
    );
    drop(clients);
    let gone = async {
        while !house.engine.doors().is_empty() || house.server.sessions().count() > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, gone).await.expect("all are gone");
    assert!(
        house
            .server
            .metrics()
            .contains("switchroom_sockets_paused 0\n")
    );
}
