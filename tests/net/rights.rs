//! Every method and topic × every role over a socket. What is expected comes from the matrix
//! that was typed from the permissions page, and from the acts of that page typed here; not
//! from the tables of the code.

use super::client::{Client, Encoding};
use super::house::{House, SMALL};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use switchroom::engine::clock::Clock;
use switchroom::net::server::Options;
use switchroom::wire::method::Method;
use switchroom::wire::topic::TopicKind;

const MATRIX: &str = include_str!("../matrix/permissions.tsv");
const UNKNOWN: &str = "01890000-0000-7000-8000-000000000000";

/// A user of each role.
const USERS: [(&str, &str); 7] = [
    ("agent", "ana"),
    ("senior_agent", "sen"),
    ("supervisor", "sue"),
    ("admin", "max"),
    ("integration", "site"),
    ("wallboard", "wall"),
    ("visitor", "guest"),
];

/// What an act needs: every line has to hold, and of a line any one privilege.
type Needs = &'static [&'static [&'static str]];

/// Every method with params that are good, and what it needs by the page.
fn methods() -> Vec<(&'static str, Value, Needs)> {
    let contact = json!({"contact": UNKNOWN});
    vec![
        ("agent.sign_in", json!({}), &[&["contact.handle"]]),
        ("agent.sign_out", json!({}), &[&["agent.state.set"]]),
        (
            "agent.set_state",
            json!({"state": "available"}),
            &[&["agent.state.set"]],
        ),
        (
            "agent.set_channels",
            json!({"channels": {"chat": true}}),
            &[&["agent.channels.set"]],
        ),
        (
            "agent.set_queues",
            json!({"queues": []}),
            &[&["agent.queues.set"], &["agent.queue_selection"]],
        ),
        ("agent.end_wrap_up", json!({}), &[&["agent.end_wrap_up"]]),
        (
            "agent.list",
            json!({}),
            &[&["agent.status.view", "dashboard.agents.identified"]],
        ),
        (
            "contact.accept",
            json!({"offer": "o1"}),
            &[&["contact.accept"], &["contact.handle"]],
        ),
        (
            "contact.decline",
            json!({"offer": "o1"}),
            &[&["contact.decline"]],
        ),
        (
            "offer.shown",
            json!({"offer": "o1"}),
            &[&["contact.accept", "contact.decline"]],
        ),
        ("contact.end", contact.clone(), &[&["contact.end"]]),
        ("contact.requeue", contact.clone(), &[&["contact.move"]]),
        (
            "contact.prioritise",
            json!({"contact": UNKNOWN, "tier": 1}),
            &[&["contact.prioritise"]],
        ),
        ("contact.wrap_up", contact.clone(), &[&["contact.wrap_up"]]),
        (
            "contact.get",
            contact.clone(),
            &[&["contact.view", "queue.contacts.view"]],
        ),
        ("contact.list", json!({}), &[&["contact.view"]]),
        ("contact.trace", contact.clone(), &[&["contact.trace"]]),
        (
            "contact.submit",
            json!({"channel": "chat", "queue": "support", "external_id": "rights"}),
            &[&["contact.submit"]],
        ),
        ("contact.update", contact.clone(), &[&["contact.update"]]),
        ("contact.abandon", contact, &[&["contact.abandon"]]),
        (
            "media.report",
            json!({"command": format!("m1.{UNKNOWN}"), "result": "done"}),
            &[&["media.report"]],
        ),
        (
            "queue.list",
            json!({}),
            &[&["dashboard.queues", "dashboard.team"]],
        ),
        (
            "stats.get",
            json!({"table": "queues"}),
            &[&["dashboard.queues", "dashboard.team"]],
        ),
        (
            "auth.refresh",
            json!({"token": "no token"}),
            &[&["session.open"]],
        ),
        ("session.workspaces", json!({}), &[&["session.open"]]),
        ("authorize", json!({"items": []}), &[&["session.open"]]),
        (
            "workspace.drain",
            json!({"cancel": true}),
            &[&["workspace.drain"]],
        ),
    ]
}

/// Every topic and what it needs by the page.
const TOPICS: [(&str, Needs); 8] = [
    ("me", &[&["session.open"]]),
    ("connector", &[&["media.report"]]),
    (
        "contact/01890000-0000-7000-8000-000000000000",
        &[&["contact.view"]],
    ),
    ("contacts", &[&["contact.view"]]),
    ("queue/support/contacts", &[&["queue.contacts.view"]]),
    (
        "agents",
        &[&["agent.status.view", "dashboard.agents.identified"]],
    ),
    ("stats.queues", &[&["dashboard.queues", "dashboard.team"]]),
    (
        "stats.agents",
        &[&["dashboard.agents", "dashboard.agents.identified"]],
    ),
];

/// The cell of a privilege and a role; nothing where the role does not hold it.
fn matrix() -> BTreeMap<(String, String), String> {
    let mut lines = MATRIX.lines().filter(|line| !line.starts_with('#'));
    let roles: Vec<&str> = lines
        .next()
        .expect("a head")
        .split('\t')
        .skip(1)
        .take(7)
        .collect();
    let mut cells = BTreeMap::new();
    for line in lines {
        let mut words = line.split('\t');
        let privilege = words.next().expect("a privilege").to_owned();
        for (role, cell) in roles.iter().zip(words) {
            cells.insert((privilege.clone(), (*role).to_owned()), cell.to_owned());
        }
    }
    cells
}

fn holds(cells: &BTreeMap<(String, String), String>, role: &str, needs: Needs) -> bool {
    let held = |privilege: &str| {
        let cell = cells.get(&(privilege.to_owned(), role.to_owned()));
        cell.unwrap_or_else(|| panic!("{privilege} is not in the matrix")) != "-"
    };
    needs
        .iter()
        .all(|any| any.iter().any(|privilege| held(privilege)))
}

#[test]
fn no_method_and_no_topic_is_left_out() {
    let mut typed: Vec<_> = methods().iter().map(|(name, ..)| *name).collect();
    let mut known = Method::WORDS.to_vec();
    typed.sort_unstable();
    known.sort_unstable();
    assert_eq!(typed, known);
    assert_eq!(TOPICS.len(), TopicKind::ALL.len());
}

#[tokio::test]
async fn every_method_and_role() {
    let cells = matrix();
    let house = House::open(SMALL, Clock::system(), Options::default()).await;
    for (role, user) in USERS {
        let mut client = Client::of(&house, user).await;
        for (method, params, needs) in methods() {
            let reply = client.request(method, params).await;
            let forbidden = reply["error"]["code"] == "forbidden";
            assert_ne!(reply["error"]["code"], "internal", "{method} by {role}");
            assert_eq!(
                forbidden,
                !holds(&cells, role, needs),
                "{method} by {role}: {reply}"
            );
            if forbidden {
                let named = reply["error"]["data"]["privilege"]
                    .as_str()
                    .expect("names it");
                assert!(
                    needs.iter().flat_map(|any| any.iter()).any(|p| named == *p),
                    "{method} by {role}: {reply}"
                );
            }
        }
    }
}

#[tokio::test]
async fn every_topic_and_role() {
    let cells = matrix();
    let house = House::small().await;
    for (role, user) in USERS {
        let (mut client, _) = Client::welcomed(&house, user, Encoding::Pack).await;
        for (topic, needs) in TOPICS {
            let reply = client
                .ask(json!({"type": "subscribe", "topic": topic}))
                .await;
            let forbidden = reply["error"]["code"] == "forbidden";
            assert_eq!(
                forbidden,
                !holds(&cells, role, needs),
                "{topic} by {role}: {reply}"
            );
        }
    }
}
