//! The configuration is read again while everybody works: what it changes is in force at once,
//! and nobody else notices.

use super::client::{Client, Encoding, PATIENCE};
use super::crash::program::{Access, FILE, Program};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

const IN_FORCE: &str = "switchroom_reloads_total{result=\"in_force\"}";
const REFUSED: &str = "switchroom_reloads_total{result=\"refused\"}";

/// Of queue `support` and its people nothing ever changes; of all else everything does.
fn configuration(round: u64) -> String {
    let (priority, wait, rest) = (round % 3, 1 + round % 7, round % 2);
    let rest = ["[]", "[\"rest\"]"][usize::from(rest == 1)];
    format!(
        r#"
[server]
listen = "127.0.0.1:0"
data = "data"
[workspace.main]
retry_after = "{wait}s"
[workspace.main.teams.all]
[workspace.main.teams.rest]
[workspace.main.queues.support]
channels = ["chat"]
members = [{{ team = "all" }}]
terms.chat = {{ wrap_up = {{ mode = "optional", time = "30m" }} }}
[workspace.main.queues.other]
channels = ["chat"]
priority = {priority}
members = [{{ team = "rest" }}]
terms.chat = {{ target = "{wait}m" }}
[workspace.main.users]
a1 = {{ teams = ["all"] }}
a2 = {{ teams = ["all"] }}
b1 = {{ teams = {rest} }}
u{round} = {{ roles = ["supervisor"] }}
max = {{ roles = ["admin"] }}
[workspace.main.connectors.site]
"#
    )
}

async fn open(program: &Program, user: &str) -> Client {
    let Access { address, token } = program.access(user);
    let mut client = Client::connect(address, Encoding::Json).await;
    let welcome = client.hello(json!({"token": token})).await;
    assert_eq!(welcome["type"], "welcome", "{welcome}");
    client
}

/// Waits until the server has done something so many times.
async fn counted(program: &Program, metric: &str, times: u64) {
    let began = Instant::now();
    while program.metric(metric) < times {
        assert!(began.elapsed() < PATIENCE, "{metric} is not {times}");
        tokio::task::yield_now().await;
    }
}

async fn submit(site: &mut Client, queue: &str, external_id: &str) -> Value {
    let params = json!({"channel": "chat", "queue": queue, "external_id": external_id});
    site.result("contact.submit", params).await["contact"].clone()
}

/// Takes the next offer.
async fn take(agent: &mut Client) {
    let made = agent.event("offer.made").await;
    let offer = json!({"offer": made["data"]["offer"]});
    agent.result("contact.accept", offer).await;
    agent.event("leg.connected").await;
}

/// Everything that is said of queue `support`, its people and its contacts.
async fn picture(admin: &mut Client, contacts: &[Value]) -> Vec<Value> {
    let mut picture = Vec::new();
    for contact in contacts {
        let seen = admin
            .result("contact.get", json!({"contact": contact}))
            .await;
        picture.push(seen);
    }
    let agents = admin.result("agent.list", json!({})).await;
    let rows = agents["agents"].as_array().unwrap().iter();
    let rows = rows.filter(|row| row["id"] == "a1" || row["id"] == "a2");
    picture.extend(rows.cloned());
    let stats = admin.result("stats.get", json!({"table": "queues"})).await;
    let rows = stats["rows"].as_array().unwrap();
    let support = rows.iter().find(|row| row[0] == "support");
    picture.push(support.expect("a row").clone());
    picture
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_reloads_under_load_move_nothing_of_what_stays() {
    let folder = tempfile::tempdir().unwrap();
    let program = Arc::new(Program::start_by(folder.path(), &configuration(0)));
    let mut site = open(&program, "site").await;
    let (mut a1, mut a2) = (open(&program, "a1").await, open(&program, "a2").await);
    a1.result("agent.sign_in", json!({})).await;
    let mut contacts = vec![submit(&mut site, "support", "x-1").await];
    take(&mut a1).await;
    let away = json!({"state": "not_ready", "reason": "lunch"});
    a1.result("agent.set_state", away.clone()).await;
    a2.result("agent.sign_in", json!({})).await;
    contacts.push(submit(&mut site, "support", "x-2").await);
    take(&mut a2).await;
    a2.result("agent.set_state", away).await;
    a2.result("contact.end", json!({"contact": contacts[1]}))
        .await;
    for external_id in ["w-1", "w-2", "w-3"] {
        contacts.push(submit(&mut site, "support", external_id).await);
    }
    let mut admin = open(&program, "max").await;
    let (waiting, _) = admin.subscribe("queue/support/contacts", json!({})).await;
    let (agents, _) = admin.subscribe("agents", json!({})).await;
    for agent in [&mut a1, &mut a2] {
        agent.result("session.workspaces", json!({})).await;
    }
    let heard = [a1.heard().len(), a2.heard().len()];
    let before = picture(&mut admin, &contacts).await;
    let position = admin.request("session.workspaces", json!({})).await["seq"].clone();

    let over = Arc::new(AtomicBool::new(false));
    let through = Arc::new(AtomicU64::new(0));
    let load = load(
        Arc::clone(&program),
        Arc::clone(&over),
        Arc::clone(&through),
    );
    let load = tokio::spawn(load);
    for round in 1..=100 {
        std::fs::write(folder.path().join(FILE), configuration(round)).unwrap();
        program.signal(Signal::HUP);
        counted(&program, IN_FORCE, round).await;
        let began = Instant::now();
        while through.load(Ordering::Relaxed) < round {
            assert!(began.elapsed() < PATIENCE, "no contact goes through");
            tokio::task::yield_now().await;
        }
    }
    over.store(true, Ordering::Relaxed);
    load.await.unwrap();

    assert_eq!(picture(&mut admin, &contacts).await, before);
    for (agent, heard) in [(&mut a1, heard[0]), (&mut a2, heard[1])] {
        agent.result("session.workspaces", json!({})).await;
        assert_eq!(agent.heard()[heard..], [] as [Value; 0]);
    }
    for said in admin.heard() {
        assert!(said["sub"] != waiting, "{said}");
        let new = said["key"]
            .as_str()
            .is_some_and(|key| !key.starts_with('a'));
        assert!(said["sub"] != agents || new, "{said}");
    }
    assert!(
        position.as_u64() < admin.request("session.workspaces", json!({})).await["seq"].as_u64()
    );
    assert_eq!(program.metric(REFUSED), 0);
}

/// Contacts come into another queue and leave, and are counted.
async fn load(program: Arc<Program>, over: Arc<AtomicBool>, through: Arc<AtomicU64>) {
    let mut site = open(&program, "site").await;
    while !over.load(Ordering::Relaxed) {
        let contact = submit(
            &mut site,
            "other",
            &format!("l-{}", through.load(Ordering::Relaxed)),
        )
        .await;
        site.result("contact.abandon", json!({"contact": contact}))
            .await;
        through.fetch_add(1, Ordering::Relaxed);
    }
}

/// Runs `switchroom reload`; whether it could, and what it said.
fn reload(folder: &Path) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_switchroom"))
        .args(["reload", "-c", FILE])
        .current_dir(folder)
        .env_remove("SWITCHROOM_DATA")
        .env_remove("SWITCHROOM_CONFIG")
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[tokio::test]
async fn live_sessions_get_the_new_rights_and_whoever_is_gone_is_signed_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    let program = Program::start_by(folder.path(), &configuration(0));
    let mut site = open(&program, "site").await;
    let (mut a1, mut a2) = (open(&program, "a1").await, open(&program, "a2").await);
    a1.result("agent.sign_in", json!({})).await;
    let contact = submit(&mut site, "support", "x-1").await;
    take(&mut a1).await;
    let refused = a2
        .ask(json!({"type": "subscribe", "topic": "stats.agents"}))
        .await;
    assert_eq!(refused["error"]["code"], "forbidden", "{refused}");

    let text = configuration(0);
    let text = text.replace("a1 = { teams = [\"all\"] }\n", "");
    let text = text.replace("a2 = {", "a2 = { roles = [\"supervisor\"],");
    std::fs::write(&file, &text).unwrap();
    let (told, said) = reload(folder.path());
    assert!(told && said.contains("reads it now"), "{said}");
    assert_eq!(a1.close_code().await, 4201);
    counted(&program, IN_FORCE, 1).await;
    a2.subscribe("stats.agents", json!({})).await;
    let mut admin = open(&program, "max").await;
    let params = json!({"contact": contact});
    let began = Instant::now();
    // Floor and queue have a word about it first.
    while admin.result("contact.get", params.clone()).await["state"] != "waiting" {
        assert!(began.elapsed() < PATIENCE, "its work did not go back");
    }

    std::fs::write(
        &file,
        text.replace("channels = [\"chat\"]", "channels = [\"chap\"]"),
    )
    .unwrap();
    let (told, said) = reload(folder.path());
    assert!(!told && said.contains("did you mean"), "{said}");
    program.signal(Signal::HUP);
    counted(&program, REFUSED, 1).await;
    submit(&mut site, "support", "x-2").await;
    assert_eq!(program.metric(IN_FORCE), 1);
}
