//! A lost connection: what was missed comes again, once, or the view starts anew.

use super::client::{Client, Encoding};
use super::contacts::{available, chat};
use super::house::House;
use serde_json::{Value, json};

/// A session whose connection breaks: what it was, and the last position seen.
fn cut(client: Client) {
    // Dropped without a close frame: the server sees a broken connection.
    drop(client);
}

/// A new connection of a user that goes on where another ended.
async fn resumed(house: &House, user: &str, welcome: &Value, subs: Value) -> (Client, Value) {
    let mut client = Client::connect(house.address, Encoding::Json).await;
    let resume = json!({"session": welcome["session"], "epoch": welcome["epoch"], "subs": subs});
    let welcome = client
        .hello(json!({"token": house.token(user), "resume": resume}))
        .await;
    assert_eq!(welcome["type"], "welcome", "{welcome}");
    (client, welcome)
}

#[tokio::test]
async fn an_agent_comes_back_and_hears_what_was_missed() {
    let house = House::small().await;
    let (mut agent, welcome) = Client::welcomed(&house, "ana", Encoding::Json).await;
    agent.result("agent.sign_in", json!({})).await;
    let state = agent
        .result("agent.set_state", json!({"state": "available"}))
        .await;
    assert_eq!(state["agent"]["state"], "available");
    let seen = agent.event("agent.state_changed").await["seq"].clone();
    let mut connector = Client::of(&house, "site").await;
    cut(agent);

    let contact = connector.result("contact.submit", chat("x-1")).await["contact"].clone();
    let subs = json!([{"topic": "me", "seq": seen}]);
    let (mut agent, welcome) = resumed(&house, "ana", &welcome, subs).await;
    assert_eq!(
        welcome["subs"],
        json!([{"topic": "me", "sub": "me", "resumed": true}])
    );
    let made = agent.event("offer.made").await;
    assert_eq!(made["data"]["contact"], contact);
    agent
        .expect("live", |m| m["type"] == "live" && m["sub"] == "me")
        .await;
    // The session is the agent's: commands go on under the same sign-in.
    let offer = made["data"]["offer"].clone();
    agent
        .result("contact.accept", json!({"offer": offer}))
        .await;
    let connected = agent.event("leg.connected").await;
    assert_eq!(connected["data"]["contact"], contact);
}

#[tokio::test]
async fn the_older_of_two_sockets_of_one_session_is_superseded() {
    let house = House::small().await;
    let (mut first, welcome) = Client::welcomed(&house, "ana", Encoding::Json).await;
    let signed_in = first.request("agent.sign_in", json!({})).await;
    let subs = json!([{"topic": "me", "seq": signed_in["seq"]}]);
    let (mut second, _) = resumed(&house, "ana", &welcome, subs).await;
    assert_eq!(first.close_code().await, 4202);
    second
        .result("agent.set_state", json!({"state": "available"}))
        .await;
}

#[tokio::test]
async fn a_sign_in_elsewhere_is_the_persons_choice_and_ends_the_older_session() {
    let house = House::small().await;
    let (mut first, welcome) = Client::welcomed(&house, "ana", Encoding::Json).await;
    let signed_in = first.request("agent.sign_in", json!({})).await;
    let mut second = Client::of(&house, "ana").await;
    let error = second.error("agent.sign_in", json!({})).await;
    assert_eq!(
        (&error["code"], &error["retry"]),
        (&json!("conflict"), &json!(false))
    );
    second
        .result("agent.sign_in", json!({"take_over": true}))
        .await;
    assert_eq!(first.close_code().await, 4202);

    let subs = json!([{"topic": "me", "seq": signed_in["seq"]}]);
    let (_, welcome) = resumed(&house, "ana", &welcome, subs).await;
    let not = json!([{"topic": "me", "resumed": false, "reason": "superseded"}]);
    assert_eq!(welcome["subs"], not);
}

#[tokio::test]
async fn views_are_replayed_or_start_anew() {
    let house = House::small().await;
    let (mut supervisor, welcome) = Client::welcomed(&house, "sue", Encoding::Json).await;
    let (_, snapshot) = supervisor.subscribe("contacts", json!({})).await;
    supervisor.subscribe("stats.queues", json!({})).await;
    let mut connector = Client::of(&house, "site").await;
    let contact = connector.result("contact.submit", chat("x-1")).await["contact"].clone();
    let entered = supervisor
        .expect("the contact", |m| m["type"] == "entered")
        .await;
    cut(supervisor);

    for (seq, replayed) in [(snapshot["as_of"].clone(), 1), (entered["seq"].clone(), 0)] {
        let subs = json!([
            {"topic": "contacts", "seq": seq},
            {"topic": "stats.queues", "seq": 0},
            {"topic": "contact/01890000-0000-7000-8000-000000000000", "seq": 0},
        ]);
        let (mut supervisor, again) = resumed(&house, "sue", &welcome, subs).await;
        let subs = &again["subs"];
        assert_eq!(subs[0]["resumed"], true, "{subs}");
        assert_eq!(
            (&subs[1]["resumed"], &subs[1]["reason"]),
            (&json!(false), &json!("conflated"))
        );
        assert_eq!(
            (&subs[2]["resumed"], &subs[2]["reason"]),
            (&json!(false), &json!("not_found"))
        );
        let sub = subs[0]["sub"].clone();
        let mut seen = 0;
        loop {
            let message = supervisor.expect("the replay", |m| m["sub"] == sub).await;
            if message["type"] == "live" {
                break;
            }
            assert_eq!(
                (&message["type"], &message["key"]),
                (&json!("entered"), &contact)
            );
            seen += 1;
        }
        assert_eq!(seen, replayed);
        let stats = subs[1]["sub"].clone();
        let reset = supervisor
            .expect("a reset", |m| m["type"] == "reset" && m["sub"] == stats)
            .await;
        assert_eq!(reset["reason"], "conflated");
        supervisor
            .expect("the table", |m| {
                m["type"] == "snapshot" && m["sub"] == stats
            })
            .await;
    }
}

#[tokio::test]
async fn a_position_that_was_never_given_out_and_another_epoch_start_anew() {
    let house = House::small().await;
    let (mut supervisor, welcome) = Client::welcomed(&house, "sue", Encoding::Json).await;
    supervisor.subscribe("contacts", json!({})).await;
    cut(supervisor);
    let mut of_before = welcome.clone();
    of_before["epoch"] = json!("17");
    let cases = [
        (&welcome, 1_000_000, "position_lost"),
        (&of_before, 0, "other_epoch"),
    ];
    for (welcome, seq, reason) in cases {
        let subs = json!([{"topic": "contacts", "seq": seq}, {"topic": "me", "seq": seq}]);
        let (mut supervisor, again) = resumed(&house, "sue", welcome, subs).await;
        assert_eq!(again["subs"][0]["reason"], reason, "{again}");
        assert_eq!(again["subs"][1]["resumed"], false);
        let sub = again["subs"][0]["sub"].clone();
        let reset = supervisor
            .expect("a reset", |m| m["type"] == "reset" && m["sub"] == sub)
            .await;
        assert_eq!(reset["reason"], reason);
        let anew = supervisor
            .expect("it anew", |m| m["type"] == "snapshot" && m["sub"] == sub)
            .await;
        assert_eq!(anew["data"]["total"], 0);
    }
}

#[tokio::test]
async fn a_session_of_another_user_resumes_nothing() {
    let house = House::small().await;
    let (mut agent, welcome) = Client::welcomed(&house, "ana", Encoding::Json).await;
    agent.result("agent.sign_in", json!({})).await;
    cut(agent);
    let mut thief = Client::connect(house.address, Encoding::Json).await;
    let resume = json!({"session": welcome["session"], "epoch": welcome["epoch"], "subs": []});
    let hello = json!({"type": "hello", "id": "1", "token": house.token("bo"), "resume": resume});
    thief.send(&hello).await;
    assert_eq!(thief.close_code().await, 4200);
}

#[tokio::test]
async fn nothing_is_lost_or_doubled_when_a_socket_breaks_in_the_middle() {
    let house = House::small().await;
    let mut agent = available(&house, "ana", Encoding::Json).await;
    let (mut supervisor, mut welcome) = Client::welcomed(&house, "sue", Encoding::Json).await;
    let (_, snapshot) = supervisor.subscribe("contacts", json!({})).await;
    let mut position = snapshot["as_of"].as_u64().unwrap();
    let mut connector = Client::of(&house, "site").await;
    let (mut entered, mut closed) = (Vec::new(), Vec::new());
    for round in 0..5 {
        let contact = connector
            .result("contact.submit", chat(&format!("x-{round}")))
            .await["contact"]
            .clone();
        let offer = agent.event("offer.made").await["data"]["offer"].clone();
        // The supervisor sees some of it, breaks off, and comes back for the rest.
        let some = supervisor
            .expect("an event", |m| {
                m.get("seq").is_some() && m.get("prev").is_some()
            })
            .await;
        note(&some, &mut position, &mut entered, &mut closed);
        cut(supervisor);
        agent
            .result("contact.accept", json!({"offer": offer}))
            .await;
        agent
            .result("contact.end", json!({"contact": contact}))
            .await;
        let subs = json!([{"topic": "contacts", "seq": position}]);
        (supervisor, welcome) = resumed(&house, "sue", &welcome, subs).await;
        assert_eq!(welcome["subs"][0]["resumed"], true, "{welcome}");
        while closed.len() <= round {
            let next = supervisor
                .expect("an event", |m| m.get("prev").is_some())
                .await;
            note(&next, &mut position, &mut entered, &mut closed);
        }
    }
    assert_eq!((entered.len(), &entered), (5, &closed));
}

/// Takes an event in as a client does: whole, in order, none twice.
fn note(message: &Value, position: &mut u64, entered: &mut Vec<Value>, closed: &mut Vec<Value>) {
    let (seq, prev) = (
        message["seq"].as_u64().unwrap(),
        message["prev"].as_u64().unwrap(),
    );
    assert!(prev <= *position, "a gap after {position}: {message}");
    assert!(seq > *position, "again after {position}: {message}");
    *position = seq;
    if message["type"] == "entered" {
        entered.push(message["key"].clone());
    } else if message["event"] == "contact.closed" {
        closed.push(message["key"].clone());
    }
}

#[tokio::test]
async fn an_agent_who_is_back_before_the_loss_is_noticed_is_there() {
    let house = House::small().await;
    let (mut agent, mut welcome) = Client::welcomed(&house, "ana", Encoding::Json).await;
    let signed_in = agent.request("agent.sign_in", json!({})).await;
    let mut position = signed_in["seq"].as_u64().unwrap();
    let mut supervisor = Client::of(&house, "sue").await;
    for round in 0..20 {
        // The loss of the old socket and the new one reach the server in any order.
        let subs = json!([{"topic": "me", "seq": position}]);
        let (again, ()) = tokio::join!(resumed(&house, "ana", &welcome, subs), async {
            cut(agent);
        });
        (agent, welcome) = again;
        assert_eq!(welcome["subs"][0]["resumed"], true, "{welcome}");
        while house.engine.doors().len() > 2 {
            tokio::task::yield_now().await;
        }
        let state = ["available", "not_ready"][round % 2];
        agent
            .result("agent.set_state", json!({"state": state}))
            .await;
        let changed = agent.event("agent.state_changed").await;
        position = changed["seq"].as_u64().unwrap();
        let list = supervisor.result("agent.list", json!({})).await;
        let ana = list["agents"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["id"] == "ana");
        assert_eq!(ana.unwrap()["connection"], "connected", "{round}: {list}");
    }
}
