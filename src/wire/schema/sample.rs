//! What the examples say: one small story of a chat, with every method, event and message.

use super::sample_event::events;
use crate::wire::event::EventName;
use crate::wire::method::Method;
use serde_json::{Value, json};

/// The contact of the story.
pub(super) const CONTACT: &str = "019aa5d2-7c40-7b1e-9f3a-52d1f0a7c001";
/// When the story begins.
pub(super) const T: u64 = 1_763_756_000_000;
/// Epoch of the log.
const EPOCH: &str = "1763750000000";
/// Secret of the session.
const SESSION: &str = "6fd0b1c29e8a4c7d8f00a1b2c3d4e5f6";

/// Samples of the messages of clients, by kind.
pub(super) fn of_clients() -> Vec<(&'static str, Vec<Value>)> {
    let requests = Method::ALL.iter().enumerate().map(|(number, method)| {
        let mut request = json!({
            "type": "request", "id": method.word(), "method": method.word(), "params": params(*method),
        });
        if number == 1 {
            request["key"] = json!("0f7a1c3e-1");
        }
        request
    });
    vec![
        (
            "hello",
            vec![
                json!({"type": "hello", "id": "1", "token": "eyJhbGciOi", "client": {"name": "desk", "version": "1.4"}}),
                json!({"type": "hello", "id": "1", "resume": {"session": SESSION, "epoch": EPOCH, "subs": [
                    {"topic": "me", "seq": 120},
                    {"topic": "stats.queues", "params": {"hz": 2}, "seq": 0},
                ]}}),
            ],
        ),
        ("request", requests.collect()),
        (
            "subscribe",
            vec![
                json!({"type": "subscribe", "id": "8", "topic": "stats.queues",
                       "params": {"windows": ["now"], "columns": ["id", "waiting", "oldest"], "hz": 4}}),
                json!({"type": "subscribe", "id": "9", "topic": "queue/billing/contacts", "params": {"limit": 50}}),
                json!({"type": "subscribe", "id": "10", "topic": "contacts",
                       "params": {"filter": {"channel": ["chat", "sms"], "queue": "billing"}}}),
                json!({"type": "subscribe", "id": "11", "topic": format!("contact/{CONTACT}")}),
            ],
        ),
        (
            "unsubscribe",
            vec![json!({"type": "unsubscribe", "id": "12", "sub": "v7"})],
        ),
        (
            "pong",
            vec![json!({"type": "pong", "at": T + 10_000, "client_now": T + 10_012})],
        ),
    ]
}

fn params(method: Method) -> Value {
    match method {
        Method::AgentSignIn => {
            json!({"take_over": true, "channels": ["chat", "voice"], "queues": ["billing"]})
        }
        Method::AgentSignOut => json!({"when": "after_work", "work": "drain"}),
        Method::AgentSetState => {
            json!({"state": "not_ready", "agent": "bo", "reason": "lunch", "when": "after_work"})
        }
        Method::AgentSetChannels => json!({"channels": {"chat": true, "voice": false}}),
        Method::AgentSetQueues => json!({"queues": ["billing", "sales"]}),
        Method::AgentEndWrapUp => json!({"agent": "bo", "contact": CONTACT}),
        Method::ContactAccept | Method::OfferShown => json!({"offer": "o17"}),
        Method::ContactDecline => json!({"offer": "o17", "reason": "wrong language"}),
        Method::ContactEnd
        | Method::ContactRequeue
        | Method::ContactGet
        | Method::ContactAbandon => json!({"contact": CONTACT}),
        Method::ContactPrioritise => json!({"contact": CONTACT, "priority": 5, "tier": 2}),
        Method::ContactWrapUp => {
            json!({"contact": CONTACT, "codes": ["solved"], "note": "Refund sent.", "done": true})
        }
        Method::ContactList => json!({"queue": "billing", "limit": 50}),
        Method::ContactTrace => json!({"contact": CONTACT, "agent": "bo"}),
        Method::ContactSubmit => json!({
            "channel": "chat", "external_id": "x-1", "queue": "billing",
            "customer": {"id": "c-9", "name": "Rosa", "address": "rosa@example.com"},
            "attributes": {"plan": "gold"}, "priority": 1, "tier": 5, "skills": {"spanish": 4},
            "requirement": "skill(\"billing\") or team = \"emea\"", "preferred_agent": "ana",
            "patience_ms": 30_000, "due_at": T + 60_000, "conversation": CONTACT,
        }),
        Method::ContactUpdate => json!({
            "contact": CONTACT, "attributes": {"plan": "silver", "promo": null}, "skills": {"spanish": 2},
            "requirement": "team = \"emea\"",
        }),
        Method::MediaReport => json!({"command": "m3", "result": "failed", "reason": "no answer"}),
        Method::StatsGet => json!({"table": "queues"}),
        Method::WorkspaceDrain => json!({"cancel": false}),
        Method::AuthRefresh => json!({"token": "eyJhbGciOi"}),
        Method::Authorize => json!({"items": [
            {"privilege": "contact.prioritise", "object": {"contact": CONTACT}},
            {"operation": "agent.set_state", "object": {"agent": "bo"}},
        ]}),
        Method::AgentList | Method::QueueList | Method::SessionWorkspaces => json!({}),
    }
}

fn answer(method: Method) -> Value {
    match method {
        Method::AgentSignIn => json!({
            "sub": "me", "agent": agent(), "offers": [offer()], "contacts": [leg("wrap_up", json!(T + 90_000))],
            "taken": [{"contact": CONTACT, "why": "connection_lost", "where": "billing"}],
        }),
        Method::AgentSignOut
        | Method::AgentSetState
        | Method::AgentSetChannels
        | Method::AgentSetQueues
        | Method::AgentEndWrapUp => json!({"agent": agent()}),
        Method::AgentList => json!({"agents": [agent()]}),
        Method::ContactAccept => json!({"contact": CONTACT, "offer": "o17", "state": "active"}),
        Method::ContactDecline | Method::OfferShown => json!({"offer": "o17"}),
        Method::ContactEnd
        | Method::ContactRequeue
        | Method::ContactPrioritise
        | Method::ContactWrapUp
        | Method::ContactUpdate
        | Method::ContactAbandon => json!({"contact": CONTACT}),
        Method::ContactGet => contact(),
        Method::ContactList => json!({"contacts": [contact()], "total": 1}),
        Method::ContactTrace => json!({
            "decisions": [{
                "at": T + 1_200, "agent": "ana", "by": "selection", "runners_up": ["cy"],
                "passed_over": {"full": 2, "not_routable": 7},
            }],
            "explained": {"agent": "bo", "passed_over": "requirement"},
        }),
        Method::ContactSubmit => json!({
            "contact": CONTACT, "channel": "chat", "external_id": "x-1", "queue": "billing",
            "conversation": CONTACT, "first_entry": T,
        }),
        Method::MediaReport => json!({"command": "m3"}),
        Method::QueueList => {
            json!({"queues": [{"id": "billing", "name": "Billing", "channels": ["chat", "voice"]}]})
        }
        Method::StatsGet => {
            json!({"as_of": 131, "columns": ["id", "waiting", "oldest"], "rows": [["billing", 3, T], ["sales", 0, null]]})
        }
        Method::WorkspaceDrain => json!({"draining": true}),
        Method::AuthRefresh => json!({"expires_at": T + 3_600_000}),
        Method::SessionWorkspaces => json!({"workspaces": [{"id": "main"}]}),
        Method::Authorize => json!({"answers": [
            {"allowed": true},
            {"allowed": false, "reason": "agent.queue_selection is missing"},
        ]}),
    }
}

pub(super) fn agent() -> Value {
    json!({
        "id": "ana", "name": "Ana", "state": "not_ready", "reason": "lunch", "since": T,
        "next_state": {"state": "signed_out"}, "summary": "on_contact", "connection": "connected",
        "generation": 3, "channels": {
            "chat": {"on": true, "state": "active", "load": 1, "max": 3},
            "voice": {"on": false, "state": "off", "load": 0, "max": 1},
        },
        "queues": ["billing"], "teams": ["emea"],
    })
}

pub(super) fn customer() -> Value {
    json!({"id": "c-9", "name": "Rosa"})
}

pub(super) fn offer() -> Value {
    json!({
        "offer": "o17", "contact": CONTACT, "channel": "chat", "queue": "billing",
        "deadline": T + 31_200, "auto_accept": false, "may_decline": true,
        "card": {
            "customer": customer(), "attributes": {"plan": "gold"}, "priority": 0, "waited_ms": 1_200,
            "first_entry": T, "external_id": "x-1",
        },
    })
}

/// A leg as its agent sees it.
pub(super) fn leg(state: &str, until: Value) -> Value {
    json!({
        "contact": CONTACT, "offer": "o17", "channel": "chat", "queue": "billing", "role": "owner",
        "state": state, "since": T + 3_000, "until": until,
    })
}

pub(super) fn contact() -> Value {
    json!({
        "contact": CONTACT, "channel": "chat", "external_id": "x-1", "queue": "billing", "state": "waiting",
        "since": T, "first_entry": T, "due_at": T + 60_000, "priority": 0, "tier": 5, "customer": customer(),
        "attributes": {"plan": "gold"}, "conversation": CONTACT, "position": 3, "ewt_ms": 45_000,
        "agents": [], "legs": [], "reason": null,
    })
}

/// Samples of the messages of servers, by kind.
pub(super) fn of_servers() -> Vec<(&'static str, Vec<Value>)> {
    let mut replies: Vec<Value> = Method::ALL
        .iter()
        .map(|method| {
            json!({"type": "reply", "id": method.word(), "seq": 131, "result": answer(*method)})
        })
        .collect();
    replies.extend(errors());
    vec![
        ("welcome", vec![welcome()]),
        ("reply", replies),
        ("snapshot", snapshots()),
        (
            "update",
            vec![
                json!({"type": "update", "sub": "v7", "as_of": 140, "at": T + 2_000,
                        "set": [["billing", 1, 2], ["returns", 1, 0, 2, null]], "remove": ["sales"]}),
            ],
        ),
        (
            "event",
            EventName::ALL
                .iter()
                .flat_map(|name| events(*name))
                .collect(),
        ),
        (
            "entered",
            vec![
                json!({"type": "entered", "sub": "v9", "seq": 151, "prev": 149, "at": T + 3_000,
                       "key": CONTACT, "data": contact()}),
                json!({"type": "entered", "sub": "v10", "seq": 152, "prev": 140, "at": T + 3_000,
                       "key": "ana", "data": agent()}),
            ],
        ),
        (
            "left",
            vec![
                json!({"type": "left", "sub": "v9", "seq": 152, "prev": 151, "at": T + 3_000, "key": CONTACT}),
            ],
        ),
        (
            "live",
            vec![json!({"type": "live", "sub": "me", "seq": 131})],
        ),
        (
            "reset",
            vec![json!({"type": "reset", "sub": "v9", "reason": "rights_changed"})],
        ),
        (
            "subscription.revoked",
            vec![json!({"type": "subscription.revoked", "sub": "v9", "reason": "rights_changed"})],
        ),
        (
            "warning",
            vec![
                json!({"type": "warning", "code": "token_expiring", "deadline": T + 60_000,
                       "message": "the token runs out in a minute"}),
                json!({"type": "warning", "code": "draining", "message": "no new work is taken"}),
            ],
        ),
        (
            "ping",
            vec![
                json!({"type": "ping", "at": T + 10_000, "positions": [["me", 131], ["v9", 152]]}),
            ],
        ),
        (
            "goaway",
            vec![
                json!({"type": "goaway", "code": 1012, "message": "the server restarts", "reconnect": true,
                        "after_ms": 2_350}),
            ],
        ),
    ]
}

fn welcome() -> Value {
    json!({
        "type": "welcome", "id": "1", "session": SESSION, "epoch": EPOCH, "seq": 120, "now": T + 1_000,
        "heartbeat_ms": 10_000, "expires_at": T + 3_600_000,
        "user": {"id": "ana", "name": "Ana", "roles": ["agent"]},
        "home": {"screen": "desktop", "panels": ["contacts", "recent"], "columns": []},
        "privileges": ["session.open", "contact.accept"],
        "limits": {"frame_bytes": 65_536, "messages_per_second": 50, "burst": 100, "in_flight": 32, "subscriptions": 64},
        "subs": [
            {"topic": "me", "sub": "me", "resumed": true},
            {"topic": "stats.queues", "sub": "v7", "resumed": false, "reason": "conflated"},
        ],
    })
}

fn errors() -> Vec<Value> {
    let reply =
        |id: Value, error: Value| json!({"type": "reply", "id": id, "seq": 131, "error": error});
    vec![
        json!({"type": "reply", "id": "subscribe", "seq": 131, "result": {"sub": "v7"}}),
        json!({"type": "reply", "id": "unsubscribe", "seq": 131, "result": {}}),
        reply(
            json!("21"),
            json!({"code": "offer_expired", "message": "offer o17 has ended", "retry": false}),
        ),
        reply(
            json!("22"),
            json!({"code": "busy", "message": "the server takes no new work right now", "retry": true, "after_ms": 500}),
        ),
        reply(
            json!("23"),
            json!({"code": "validation_failed", "message": "/skills/spanish: expected a whole number from 1 to 10",
                   "retry": false, "data": {"pointer": "/skills/spanish", "expected": "a whole number from 1 to 10"}}),
        ),
        reply(
            json!("24"),
            json!({"code": "method_not_found", "message": "there is no method `contact.acept` (did you mean `contact.accept`?)",
                   "retry": false, "data": {"did_you_mean": "contact.accept"}}),
        ),
        reply(
            json!("25"),
            json!({"code": "forbidden", "message": "contact.prioritise is missing", "retry": false,
                   "data": {"privilege": "contact.prioritise"}}),
        ),
        reply(
            Value::Null,
            json!({"code": "bad_request", "message": "/id: expected a text of 1 to 64 characters", "retry": false,
                   "data": {"pointer": "/id", "expected": "a text of 1 to 64 characters"}}),
        ),
    ]
}

fn snapshots() -> Vec<Value> {
    let snapshot = |sub: &str, content: Value| {
        let mut message = json!({"type": "snapshot", "sub": sub, "epoch": EPOCH, "as_of": 131, "part": 1, "last": true});
        for (key, value) in content.as_object().expect("is an object") {
            message[key.as_str()] = value.clone();
        }
        message
    };
    let mut first = snapshot(
        "v7",
        json!({"columns": ["id", "waiting", "oldest"], "rows": [["billing", 3, T]]}),
    );
    first["last"] = json!(false);
    let mut second = snapshot(
        "v7",
        json!({"columns": ["id", "waiting", "oldest"], "rows": [["sales", 0, null]]}),
    );
    second["part"] = json!(2);
    vec![
        first,
        second,
        snapshot("v8", json!({"data": contact()})),
        snapshot("v9", json!({"data": {"contacts": [contact()], "total": 1}})),
        snapshot("v10", json!({"data": {"agents": [agent()]}})),
    ]
}
