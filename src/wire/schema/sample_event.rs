//! What the examples of events say.

use super::sample::{CONTACT, T, agent, customer, leg, offer};
use crate::wire::event::EventName;
use serde_json::{Value, json};

/// Samples of an event: on `me` where it is shown there, and on another topic where it is
/// shown there.
pub(super) fn events(name: EventName) -> Vec<Value> {
    let event = |sub: &str, key: &str, data: Value| {
        json!({"type": "event", "sub": sub, "seq": 150, "prev": 140, "at": T + 3_000, "event": name.word(),
               "key": key, "data": data})
    };
    let changed = |change: Value| {
        let mut data = json!({"contact": CONTACT});
        for (key, value) in change.as_object().expect("is an object") {
            data[key.as_str()] = value.clone();
        }
        event("v8", CONTACT, data)
    };
    let ended = |why: Option<&str>| {
        let mut data = json!({"offer": "o17", "contact": CONTACT});
        if let Some(why) = why {
            data["why"] = json!(why);
        }
        event("me", "o17", data)
    };
    let owner = |state: &str, until: Value| {
        let mut leg = leg(state, until);
        leg["agent"] = json!("ana");
        leg
    };
    let on_agents = |more: Value| {
        let mut data = agent();
        for (key, value) in more.as_object().expect("is an object") {
            data[key.as_str()] = value.clone();
        }
        event("v10", "ana", data)
    };
    match name {
        EventName::OfferMade => vec![
            event("me", "o17", offer()),
            on_agents(json!({"offer": "o17"})),
        ],
        EventName::OfferWithdrawn => {
            vec![
                ended(Some("abandoned")),
                on_agents(json!({"offer": "o17", "why": "abandoned"})),
            ]
        }
        EventName::OfferMissed => vec![
            ended(None),
            on_agents(json!({"offer": "o17", "why": "missed"})),
        ],
        EventName::OfferDeclined => vec![ended(None)],
        EventName::OfferFailed => vec![ended(Some("technical"))],
        EventName::LegConnecting => vec![event("me", CONTACT, leg("connecting", Value::Null))],
        EventName::LegConnected => {
            let mut mine = leg("connected", Value::Null);
            mine["sub"] = json!("l17");
            let mut theirs = changed(json!({
                "state": "active", "since": T + 3_000, "position": null, "ewt_ms": null,
                "agents": ["ana"], "legs": [owner("connected", Value::Null)], "offer": "o17", "agent": "ana",
            }));
            theirs["actor"] = json!("ana");
            vec![event("me", CONTACT, mine), theirs]
        }
        EventName::LegWrapUp => vec![
            event("me", CONTACT, leg("wrap_up", json!(T + 90_000))),
            changed(json!({
                "state": "wrap_up", "agents": ["ana"], "legs": [owner("wrap_up", json!(T + 90_000))],
                "offer": "o17", "agent": "ana", "why": "customer",
            })),
        ],
        EventName::LegWrapUpGiven => {
            vec![changed(
                json!({"state": "wrap_up", "offer": "o17", "agent": "ana"}),
            )]
        }
        EventName::LegEnded => vec![
            event("me", CONTACT, leg("ended", Value::Null)),
            changed(json!({
                "state": "wrap_up", "agents": [], "legs": [], "offer": "o17", "agent": "ana", "why": "wrapped_up",
            })),
        ],
        EventName::AgentStateChanged
        | EventName::AgentChannelsChanged
        | EventName::AgentQueuesChanged
        | EventName::AgentResumed => vec![event("me", "ana", agent())],
        EventName::AgentSignedOut => vec![on_agents(json!({"why": "own"}))],
        EventName::AgentSignedIn | EventName::AgentConnectionLost => vec![on_agents(json!({}))],
        EventName::ContactEntered => vec![changed(json!({
            "state": "waiting", "since": T, "queue": "billing", "due_at": T + 60_000, "priority": 0, "tier": 5,
            "customer": customer(), "position": 3, "ewt_ms": 45_000,
        }))],
        EventName::ContactOffered => vec![changed(json!({
            "state": "offered", "since": T + 1_200, "agents": ["ana"], "offer": "o17", "agent": "ana",
        }))],
        EventName::ContactConnecting => {
            vec![changed(
                json!({"state": "connecting", "since": T + 2_500, "offer": "o17", "agent": "ana"}),
            )]
        }
        EventName::ContactRequeued => vec![changed(json!({
            "state": "waiting", "since": T + 4_000, "position": 1, "ewt_ms": null, "agents": [],
            "agent": "ana", "why": "missed",
        }))],
        EventName::ContactReturned => vec![changed(json!({
            "state": "waiting", "since": T + 4_000, "due_at": T, "priority": 5, "position": 1,
            "agents": [], "legs": [], "why": "connection_lost",
        }))],
        EventName::ContactReadmitted | EventName::ContactStepped | EventName::ContactReleased => {
            vec![changed(json!({"state": "waiting"}))]
        }
        EventName::ContactPrioritised => {
            let mut message = changed(
                json!({"state": "waiting", "due_at": T, "priority": 5, "tier": 2, "position": 1}),
            );
            message["actor"] = json!("sue");
            message["as"] = json!("ana");
            message["replay"] = json!(true);
            vec![message]
        }
        EventName::ContactUpdated => {
            vec![changed(
                json!({"state": "waiting", "attributes": {"plan": "silver"}}),
            )]
        }
        EventName::ContactPosition => {
            vec![event(
                "v8",
                CONTACT,
                json!({"contact": CONTACT, "position": 2, "ewt_ms": 30_000}),
            )]
        }
        EventName::ContactEnded => {
            vec![changed(
                json!({"state": "wrap_up", "since": T + 80_000, "reason": "completed"}),
            )]
        }
        EventName::ContactClosed => {
            vec![changed(
                json!({"state": "closed", "since": T + 95_000, "reason": "completed"}),
            )]
        }
        EventName::MediaConnect => vec![event(
            "v11",
            CONTACT,
            json!({"command": "m3", "contact": CONTACT, "leg": "o17", "agent": "ana",
                   "address": "sip:ana@example.com", "deadline": T + 12_500}),
        )],
        EventName::MediaDisconnect => {
            vec![event(
                "v11",
                CONTACT,
                json!({"command": "m4", "contact": CONTACT, "leg": "o17"}),
            )]
        }
    }
}
