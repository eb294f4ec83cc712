//! A server that is killed while people work goes on where it was: what was acknowledged is so,
//! and nothing is so twice. The truth is what the clients themselves were told.

mod history;
mod line;
mod numbers;
mod people;
pub mod program;
mod record;
mod watch;

use super::client::PATIENCE;
use line::Line;
use people::Chance;
use program::Program;
use record::Record;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::task::JoinSet;
use tokio::time::timeout;
use watch::Watch;

const AGENTS: [&str; 6] = ["a1", "a2", "a3", "a4", "a5", "a6"];
const CONNECTORS: usize = 3;

fn number(variable: &str, otherwise: u64) -> u64 {
    let given = std::env::var(variable).ok();
    given.map_or(otherwise, |given| given.parse().expect("a number"))
}

/// Kills the server so many times: `SWITCHROOM_CRASHES`, by `SWITCHROOM_SEED`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_whenever_the_process_is_killed() {
    let (crashes, seed) = (
        number("SWITCHROOM_CRASHES", 50),
        number("SWITCHROOM_SEED", 1),
    );
    let mut chance = Chance(seed);
    let folder = tempfile::tempdir().unwrap();
    let record = Arc::new(Record::default());
    let watch = Arc::new(Mutex::new(Watch::default()));
    for crash in 0..crashes {
        let mut program = Program::start(folder.path());
        check(&program, &record, crash).await;
        record.go_home(false);
        let mut people = JoinSet::new();
        people.spawn(watch::watch(program.access("max"), Arc::clone(&watch)));
        for agent in AGENTS {
            people.spawn(people::agent(
                agent,
                program.access(agent),
                Arc::clone(&record),
                chance.branch(),
            ));
        }
        for _ in 0..CONNECTORS {
            people.spawn(people::connector(
                program.access("site"),
                Arc::clone(&record),
                chance.branch(),
            ));
        }
        let enough = record.acknowledged(20 + chance.next(200));
        if timeout(PATIENCE, enough).await.is_err() {
            panic!(
                "after crash {crash} nothing goes on: {}",
                standing(&program).await
            );
        }
        program.kill();
        record.go_home(true);
        while let Some(ended) = people.join_next().await {
            ended.expect("somebody saw what should not be");
        }
    }
    let mut program = Program::start(folder.path());
    check(&program, &record, crashes).await;
    finish(&program, &record, &watch, &mut chance).await;
    program.kill();
    history::is_what_the_log_tells(folder.path(), record.all().len());
    numbers::are_those_of_a_naive_count(folder.path(), &record).await;
}

/// What everybody does, for whoever has to find out why.
async fn standing(program: &Program) -> String {
    let mut admin = Line::open(&program.access("max")).await.expect("a session");
    let mut found = String::new();
    for method in ["agent.list", "contact.list"] {
        let reply = admin.ask(method, json!({})).await.expect("an answer");
        found += &format!("{reply}\n");
    }
    found
}

/// What the server says of every contact is what its clients were told.
async fn check(program: &Program, record: &Record, crash: u64) {
    let mut site = Line::open(&program.access("site"))
        .await
        .expect("a session");
    for (external_id, contact) in record.unsettled() {
        // What rang was withdrawn before anybody was let in.
        let seen = look(&mut site, &contact).await;
        let found = record.judge(&contact, &seen);
        assert!(
            found.is_ok(),
            "after crash {crash}: {external_id}: {found:?}: {seen}"
        );
    }
}

async fn look(line: &mut Line, contact: &str) -> Value {
    let seen = line.ask("contact.get", json!({"contact": contact})).await;
    seen.expect("an answer")
}

/// Everybody works until all is done; then every contact is closed, and still the only one of its
/// external id.
async fn finish(
    program: &Program,
    record: &Arc<Record>,
    watch: &Arc<Mutex<Watch>>,
    chance: &mut Chance,
) {
    let mut site = Line::open(&program.access("site"))
        .await
        .expect("a session");
    for external_id in record.unanswered() {
        people::submit(&mut site, record, &external_id)
            .await
            .expect("an answer");
    }
    let mut people = JoinSet::new();
    for agent in AGENTS {
        people.spawn(people::agent(
            agent,
            program.access(agent),
            Arc::clone(record),
            chance.branch(),
        ));
    }
    // Whoever has watched from the beginning, without ever asking, sees the last one go.
    watch::until_all_are_gone(&program.access("max"), watch).await;
    let mut admin = Line::open(&program.access("max")).await.expect("a session");
    let list = admin.ask("contact.list", json!({})).await;
    assert_eq!(list.expect("an answer")["result"]["total"], 0);
    for (external_id, contact) in record.all() {
        let again = site.ask("contact.submit", people::chat(&external_id)).await;
        let again = again.expect("an answer");
        assert_eq!(
            again["result"]["contact"], contact,
            "{external_id}: {again}"
        );
        let seen = site.ask("contact.get", json!({"contact": contact})).await;
        let seen = seen.expect("an answer");
        assert_eq!(seen["result"]["state"], "closed", "{external_id}: {seen}");
    }
    people.abort_all();
}
