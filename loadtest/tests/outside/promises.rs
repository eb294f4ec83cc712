//! The generator against a fake server: silent about a good one, and loud about each broken promise.

use std::path::Path;
use std::process::Output;

use crate::fake::{self, Fault};
use serde_json::Value;
use tokio::process::Command;

const AGENTS: usize = 8;

/// Runs the generator against a server with a fault; answers exit code, report and output.
async fn run(fault: Fault, flags: &[&str]) -> (i32, Value, String) {
    let url = fake::start(fault).await;
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens.json");
    let report = folder.path().join("report.json");
    std::fs::write(&tokens, users().to_string()).unwrap();
    let output = loadtest(&url, &tokens, &report, flags).await;
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let read = std::fs::read(&report).unwrap_or_else(|_| panic!("no report:\n{text}"));
    (
        output.status.code().unwrap(),
        serde_json::from_slice(&read).unwrap(),
        text,
    )
}

async fn loadtest(url: &str, tokens: &Path, report: &Path, flags: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_loadtest"))
        .args([
            "--url",
            url,
            "--agents",
            &AGENTS.to_string(),
            "--queues",
            "1",
            "--queues-per-agent",
            "1",
        ])
        .args([
            "--supervisors",
            "1",
            "--warm-up",
            "0",
            "--ramp",
            "0.1",
            "--seconds",
            "0.7",
            "--drain",
            "1",
        ])
        .args([
            "--handle-ms",
            "30",
            "--wrap-up-ms",
            "10",
            "--mix",
            "voice=1,chat=1,email=1",
        ])
        .arg("--tokens")
        .arg(tokens)
        .arg("--json")
        .arg(report)
        .args(flags)
        .output()
        .await
        .unwrap()
}

fn users() -> Value {
    let agents = (1..=AGENTS).map(|agent| format!("agent-{agent:05}"));
    let others = ["supervisor-001", "connector"].map(str::to_owned);
    agents
        .chain(others)
        .map(|user| (user.clone(), Value::from(user)))
        .collect()
}

/// Runs a fault and expects its promise, and the exit code, to say so.
async fn bites(fault: Fault, promise: &str, rate: &str) {
    let (code, report, text) = run(fault, &["--rate", rate]).await;
    let broken = report["promises"][promise].as_u64().unwrap();
    assert!(broken > 0, "{fault:?} went unnoticed:\n{text}");
    assert!(report["promises_broken"].as_u64().unwrap() >= broken);
    assert_eq!(code, 1, "{text}");
}

#[tokio::test]
async fn a_good_server_breaks_nothing_in_any_encoding_or_way() {
    for flags in [
        ["--encoding", "json", "--submit", "ws"],
        ["--encoding", "msgpack", "--submit", "ws"],
        ["--encoding", "json", "--submit", "http"],
    ] {
        let mut all = vec!["--rate", "100", "--require", "promises_broken==0"];
        all.extend(flags);
        let (code, report, text) = run(Fault::None, &all).await;
        assert_eq!(code, 0, "{flags:?}\n{text}");
        let contacts = &report["contacts"];
        assert!(contacts["submitted"].as_u64().unwrap() > 40, "{contacts}");
        assert_eq!(contacts["submitted"], contacts["completed"]);
        assert_eq!(report["schema"], "switchroom.loadtest/1");
        assert!(report["offer"]["p50_us"].as_f64().unwrap() > 0.0);
        assert!(
            report["staleness"]["p99_ms"].as_f64().unwrap() < 1_000.0,
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_crowd_waits_and_is_reported_apart() {
    let (code, report, text) = run(
        Fault::None,
        &[
            "--rate", "400", "--mix", "voice=1", "--drain", "10", "--ramp", "0",
        ],
    )
    .await;
    assert_eq!(code, 0, "{text}");
    assert!(report["waited"]["count"].as_u64().unwrap() > 20, "{text}");
    let slowest = report["offer"]["max_us"].as_f64().unwrap();
    let waited = report["waited"]["p99_us"].as_f64().unwrap();
    assert!(
        waited > slowest,
        "waited {waited} us, found room {slowest} us"
    );
}

macro_rules! faults {
    ($($name:ident: $fault:ident breaks $promise:literal at $rate:literal;)*) => {$(
        #[tokio::test]
        async fn $name() {
            bites(Fault::$fault, $promise, $rate).await;
        }
    )*};
}

faults! {
    a_contact_at_two_agents: TwoAgents breaks "one_agent" at "50";
    a_contact_handled_by_two_agents: TwoAgents breaks "doubled" at "50";
    a_forgotten_contact: Forget breaks "lost" at "50";
    a_contact_that_ends_for_no_good_reason: WrongEnd breaks "lost" at "50";
    a_contact_closed_twice: CloseTwice breaks "doubled" at "50";
    one_contact_for_two_submits: OneForTwo breaks "doubled" at "50";
    last_come_first_served: LastFirst breaks "order" at "400";
    a_gap_in_positions: Gap breaks "positions" at "50";
    a_repeated_event: Repeat breaks "positions" at "50";
    a_table_that_goes_back: RowsBack breaks "rows_back" at "50";
    a_second_call: NoRoom breaks "room" at "400";
    an_email_beside_a_chat: Interrupt breaks "interrupted" at "400";
    a_contact_of_another_queue: OtherQueue breaks "eligible" at "50";
    an_offer_shown_again: ShowAgain breaks "shown_once" at "50";
    a_withdrawal_of_nothing: WithdrawUnknown breaks "names_shown" at "50";
    a_leg_without_an_offer: NoOffer breaks "connect_offered" at "50";
    a_contact_beside_idle_agents: Dawdle breaks "idle" at "20";
    a_table_that_never_settles: Unsettled breaks "settled" at "50";
    a_socket_closed_on_an_agent: HangUp breaks "served" at "100";
    an_accept_refused: RefuseAccept breaks "served" at "50";
}
