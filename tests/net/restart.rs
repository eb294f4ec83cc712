//! Sockets over the end of the process: views go on without a gap or start anew, and an agent
//! comes back to its seat without signing in again.

use super::client::{Client, Encoding};
use super::contacts::chat;
use super::crash::program::{Access, Program};
use serde_json::{Value, json};

/// A session of a user that goes on where another ended, and its welcome.
async fn open(program: &Program, user: &str, resume: Option<Value>) -> (Client, Value) {
    let Access { address, token } = program.access(user);
    let mut client = Client::connect(address, Encoding::Json).await;
    let mut hello = json!({"token": token});
    if let Some(resume) = resume {
        hello["resume"] = resume;
    }
    let welcome = client.hello(hello).await;
    assert_eq!(welcome["type"], "welcome", "{welcome}");
    (client, welcome)
}

fn resume(welcome: &Value, subs: Value) -> Option<Value> {
    Some(json!({"session": welcome["session"], "epoch": welcome["epoch"], "subs": subs}))
}

/// Submits a contact; its id and the position of the answer.
async fn submit(site: &mut Client, external_id: &str) -> (Value, u64) {
    let reply = site.request("contact.submit", chat(external_id)).await;
    let contact = reply["result"]["contact"].clone();
    assert!(contact.is_string(), "{reply}");
    (contact, reply["seq"].as_u64().unwrap())
}

#[tokio::test]
async fn a_view_goes_on_after_a_kill_from_any_position_that_is_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(folder.path());
    let (mut admin, welcome) = open(&program, "max", None).await;
    let (_, snapshot) = admin.subscribe("contacts", json!({})).await;
    let (mut site, _) = open(&program, "site", None).await;
    let mut contacts = Vec::new();
    let mut last = 0;
    for external_id in ["x-1", "x-2", "x-3"] {
        let (contact, seq) = submit(&mut site, external_id).await;
        contacts.push(contact);
        last = seq;
    }
    let first = admin.expect("x-1", |m| m["type"] == "entered").await;
    program.kill();

    let positions = [
        (snapshot["as_of"].as_u64().unwrap(), 3),
        (first["seq"].as_u64().unwrap(), 2),
        (last, 0),
    ];
    for (position, missed) in positions {
        // What was missed over the first end is missed over the second one too.
        let mut program = Program::start(folder.path());
        let subs = json!([{"topic": "contacts", "seq": position}]);
        let (mut admin, again) = open(&program, "max", resume(&welcome, subs)).await;
        assert_eq!(again["subs"][0]["resumed"], true, "{again}");
        let sub = again["subs"][0]["sub"].clone();
        let (mut seen, mut whole) = (Vec::new(), position);
        loop {
            let message = admin.expect("the replay", |m| m["sub"] == sub).await;
            if message["type"] == "live" {
                break;
            }
            assert_eq!(message["type"], "entered", "{message}");
            assert!(message["prev"].as_u64().unwrap() <= whole, "{message}");
            whole = message["seq"].as_u64().unwrap();
            seen.push(message["key"].clone());
        }
        assert_eq!(seen, contacts[3 - missed..], "after {position}");
        program.kill();
    }
}

#[tokio::test]
async fn a_position_that_a_crash_took_back_or_of_other_rules_starts_anew() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(folder.path());
    let (mut site, welcome) = open(&program, "max", None).await;
    drop(site);
    (site, _) = open(&program, "site", None).await;
    let (_, last) = submit(&mut site, "x-1").await;
    program.kill();

    let mut program = Program::start(folder.path());
    for lost in [last + 1, last + 500_000, last + 5_000_000] {
        let subs = json!([{"topic": "contacts", "seq": lost}]);
        begins_anew(&program, &welcome, subs, "position_lost").await;
    }
    program.kill();

    let file = folder.path().join("crash.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(file, text.replace("max = ", "maxine = {}\nmax = ")).unwrap();
    let program = Program::start(folder.path());
    let subs = json!([{"topic": "contacts", "seq": last}]);
    begins_anew(&program, &welcome, subs, "rights_changed").await;
}

async fn begins_anew(program: &Program, welcome: &Value, subs: Value, reason: &str) {
    let (mut admin, again) = open(program, "max", resume(welcome, subs)).await;
    let resumed = &again["subs"][0];
    assert_eq!(
        (&resumed["resumed"], &resumed["reason"]),
        (&json!(false), &json!(reason)),
        "{again}"
    );
    let sub = resumed["sub"].clone();
    let reset = admin.expect("anew", |m| m["sub"] == sub).await;
    assert_eq!(
        (&reset["type"], &reset["reason"]),
        (&json!("reset"), &json!(reason))
    );
    let snapshot = admin.expect("the view", |m| m["sub"] == sub).await;
    assert_eq!(snapshot["type"], "snapshot", "{snapshot}");
    assert_eq!(snapshot["data"]["total"], 1);
}

#[tokio::test]
async fn an_agent_comes_back_to_its_seat_over_any_number_of_kills() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(folder.path());
    let (mut agent, mut welcome) = open(&program, "a1", None).await;
    let signed_in = agent.request("agent.sign_in", json!({})).await;
    let (mut site, _) = open(&program, "site", None).await;
    let (contact, _) = submit(&mut site, "x-1").await;
    let made = agent.event("offer.made").await;
    let offer = json!({"offer": made["data"]["offer"]});
    agent.result("contact.accept", offer).await;
    agent.event("leg.connected").await;
    let (ringing, _) = submit(&mut site, "x-2").await;
    let rang = agent.event("offer.made").await;
    assert_eq!(rang["data"]["contact"], ringing);
    let position = signed_in["seq"].clone();
    let mut rang = rang["data"]["offer"].clone();

    for _ in 0..3 {
        program.kill();
        program = Program::start(folder.path());
        let subs = json!([{"topic": "me", "seq": position}]);
        (agent, welcome) = open(&program, "a1", resume(&welcome, subs)).await;
        let me = json!([{"topic": "me", "sub": "me", "resumed": false, "reason": "position_lost"}]);
        assert_eq!(welcome["subs"], me, "{welcome}");
        let reset = agent.expect("a reset", |m| m["sub"] == "me").await;
        assert_eq!(reset["type"], "reset", "{reset}");
        let seat = agent.expect("the seat", |m| m["sub"] == "me").await;
        assert_eq!(seat["type"], "snapshot", "{seat}");
        assert_eq!(seat["data"]["agent"]["state"], "available");
        let hand = seat["data"]["contacts"].as_array().unwrap();
        assert_eq!((hand.len(), &hand[0]["contact"]), (1, &contact));
        let offers = seat["data"]["offers"].as_array().unwrap();
        assert!(
            offers.iter().all(|offer| offer["offer"] != rang),
            "what rang was withdrawn: {seat}"
        );
        // The contact kept its place and rings anew.
        let made = match offers.first() {
            Some(offer) => offer.clone(),
            None => agent.event("offer.made").await["data"].clone(),
        };
        assert_eq!(made["contact"], ringing);
        rang = made["offer"].clone();
    }
    let state = json!({"state": "not_ready", "reason": "lunch"});
    agent.result("agent.set_state", state).await;
    agent
        .result("contact.end", json!({"contact": contact}))
        .await;

    let thief = program.access("a2");
    let mut thief_line = Client::connect(thief.address, Encoding::Json).await;
    let hello = json!({"type": "hello", "id": "1", "token": thief.token,
        "resume": resume(&welcome, json!([]))});
    thief_line.send(&hello).await;
    assert_eq!(thief_line.close_code().await, 4200);
}
