//! What a caller may not see answers exactly as what does not exist, byte for byte but for the
//! name: agents, queues and teams, in methods, topics and filters.

use super::client::Client;
use super::contacts::chat;
use super::house::House;
use serde_json::{Value, json};

/// Names of things that exist out of the supervisor's sight, and the same of nothing.
const AGENT: (&str, &str) = ("max", "mox");
const QUEUE: (&str, &str) = ("sales", "solos");
const TEAM: (&str, &str) = ("other", "ather");

/// The same message with another name in it.
fn with(message: &Value, name: &str) -> Value {
    serde_json::from_str(&message.to_string().replace("NAME", name)).unwrap()
}

/// What comes of a message that names something: its error or result, the name struck out.
async fn answer(client: &mut Client, message: &Value, name: &str) -> String {
    let mut reply = client.ask(with(message, name)).await;
    for key in ["id", "seq"] {
        reply.as_object_mut().unwrap().remove(key);
    }
    reply.to_string().replace(name, "NAME")
}

fn request(method: &str, params: Value) -> Value {
    json!({"type": "request", "method": method, "params": params})
}

fn watch(topic: &str, filter: Value) -> Value {
    json!({"type": "subscribe", "topic": topic, "params": {"filter": filter}})
}

#[tokio::test]
async fn hidden_and_unknown_are_one() {
    let house = House::small().await;
    let mut connector = Client::of(&house, "site").await;
    let contact = connector.result("contact.submit", chat("x-1")).await["contact"].clone();
    let nothing = "01890000-0000-7000-8000-000000000000";
    let mut supervisor = Client::of(&house, "sue").await;
    let state = json!({"agent": "NAME", "state": "available"});
    let wrong = json!({"agent": "NAME", "channels": {"none": true}});
    let object = |what: &str| {
        json!({"items": [
            {"privilege": "agent.state.set", "object": {what: "NAME"}},
            {"operation": "agent.sign_in", "object": {what: "NAME"}},
            {"privilege": "dashboard.queues", "object": {what: "NAME"}},
        ]})
    };
    let of_agents = [
        request("agent.set_state", state),
        request("agent.set_channels", wrong),
        request("agent.set_queues", json!({"agent": "NAME", "queues": []})),
        request(
            "agent.set_queues",
            json!({"agent": "NAME", "queues": ["no"]}),
        ),
        request("agent.end_wrap_up", json!({"agent": "NAME"})),
        request(
            "contact.trace",
            json!({"contact": contact, "agent": "NAME"}),
        ),
        request(
            "contact.trace",
            json!({"contact": nothing, "agent": "NAME"}),
        ),
        request("authorize", object("agent")),
        watch("agents", json!({"agent": "NAME"})),
        watch("agents", json!({"agent": "NAME", "nothing": "x"})),
    ];
    let of_queues = [
        request("contact.list", json!({"queue": "NAME"})),
        request(
            "agent.set_queues",
            json!({"agent": "ana", "queues": ["support", "NAME"]}),
        ),
        request("authorize", object("queue")),
        watch("queue/NAME/contacts", json!({})),
        json!({"type": "subscribe", "topic": "queue/NAME/contacts", "params": {"filter": {"x": "y"}}}),
        watch("contacts", json!({"queue": ["support", "NAME"]})),
        watch("agents", json!({"queue": "NAME"})),
        watch("stats.queues", json!({"queue": "NAME"})),
    ];
    let of_teams = [
        request("authorize", object("team")),
        watch("agents", json!({"team": "NAME"})),
        watch("stats.queues", json!({"team": "NAME"})),
    ];
    let kinds = [
        (AGENT, &of_agents[..]),
        (QUEUE, &of_queues[..]),
        (TEAM, &of_teams[..]),
    ];
    for ((hidden, unknown), messages) in kinds {
        for message in messages {
            let known = answer(&mut supervisor, message, hidden).await;
            let nothing = answer(&mut supervisor, message, unknown).await;
            assert_eq!(known, nothing, "{message}");
            let told = ["not_found", "invalid_state", "validation_failed", "answers"];
            assert!(told.iter().any(|told| known.contains(told)), "{known}");
        }
    }
    // What may be seen is named as ever.
    for filter in [
        json!({"queue": "support"}),
        json!({"team": "service"}),
        json!({"agent": "bo"}),
    ] {
        supervisor
            .subscribe("agents", json!({"filter": filter}))
            .await;
    }
    let list = supervisor
        .result("contact.list", json!({"queue": "support"}))
        .await;
    assert_eq!(list["total"], 1);
    let filter = json!({"filter": {"queue": "support"}});
    let mut agent = Client::of(&house, "ana").await;
    for client in [&mut connector, &mut agent] {
        client.subscribe("contacts", filter.clone()).await;
    }
}
