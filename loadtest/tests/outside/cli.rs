//! Usage, exit codes, and the floor that the generator measures without any server's help.

use std::process::{Command, Output};

use crate::fake::{self, Fault};

fn loadtest(flags: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_loadtest"))
        .args(flags)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn wrong_usage_is_2_and_says_what_is_wrong() {
    for (flags, words) in [
        (&["--rate", "0", "--spawn"][..], "no number above 0"),
        (&["--mix", "voice=40,fax=60", "--spawn"], "no channel `fax`"),
        (&["--require", "ratio.p99", "--spawn"], "has none of"),
        (&["--require", "ratio.p98<2", "--spawn"], "no `ratio.p98`"),
        (&["--waves", "3", "--spawn"], "3x10000"),
        (&["--require-busy", "60-40", "--spawn"], "no range"),
        (
            &["--burst", "5", "--idle", "5", "--spawn"],
            "cannot be used with",
        ),
        (&["--hz", "11", "--spawn"], "11"),
        (&["--agents", "10"], "--url"),
    ] {
        let output = loadtest(flags);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{flags:?}: {}",
            said(&output)
        );
        assert!(
            said(&output).contains(words),
            "{flags:?}: {}",
            said(&output)
        );
    }
}

#[test]
fn a_run_that_cannot_be_made_is_3() {
    for (flags, words) in [
        (&["--url", "http://192.0.2.1:80"][..], "--allow-remote"),
        (&["--url", "https://127.0.0.1:80"], "plain TCP"),
        (
            &["--url", "127.0.0.1:1", "--key", "/no/such/key"],
            "no signing key",
        ),
        (&["--url", "127.0.0.1:1"], "--key or --tokens"),
        (&["--spawn", "--server", "/no/such/server"], "did not start"),
        (
            &["--spawn", "--queues", "2", "--queues-per-agent", "3"],
            "cannot serve 3 of 2",
        ),
    ] {
        let output = loadtest(flags);
        assert_eq!(
            output.status.code(),
            Some(3),
            "{flags:?}: {}",
            said(&output)
        );
        assert!(
            said(&output).contains(words),
            "{flags:?}: {}",
            said(&output)
        );
    }
}

#[test]
fn the_configuration_is_printed() {
    let output = loadtest(&[
        "--print-config",
        "--agents",
        "4",
        "--queues",
        "2",
        "--workspace",
        "north",
    ]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("[workspace.north.users.agent-00004]"),
        "{text}"
    );
}

#[tokio::test]
async fn the_floor_alternates_with_the_load_and_files_are_written() {
    let url = fake::start(Fault::None).await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let users = ["agent-00001", "agent-00002", "supervisor-001", "connector"];
    let tokens: serde_json::Map<_, _> = users
        .map(|user| (user.to_owned(), user.into()))
        .into_iter()
        .collect();
    std::fs::write(file("tokens"), serde_json::Value::from(tokens).to_string()).unwrap();
    let tokens = file("tokens");
    let (json, text) = (file("report.json"), file("report.txt"));
    let flags = [
        "--url",
        &url,
        "--agents",
        "2",
        "--queues",
        "1",
        "--queues-per-agent",
        "1",
        "--supervisors",
        "1",
        "--rate",
        "100",
        "--seconds",
        "1.5",
        "--warm-up",
        "0.2",
        "--ramp",
        "0",
        "--handle-ms",
        "3",
        "--wrap-up-ms",
        "1",
        "--mix",
        "chat=1",
        "--floor",
        "--tokens",
        &tokens,
        "--json",
        &json,
        "--text",
        &text,
        "--hgrm",
        &file("hgrm"),
        "--require",
        "ratio.p99<0.000001",
    ]
    .map(str::to_owned);
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_loadtest"))
        .args(flags)
        .output();
    let output = output.await.unwrap();
    assert_eq!(
        output.status.code(),
        Some(1),
        "no server is that fast: {}",
        said(&output)
    );
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    let slices = report["slices"].as_array().unwrap();
    assert_eq!(slices.len(), 5);
    for slice in slices {
        assert!(slice["floor"]["count"].as_u64().unwrap() > 10, "{slice}");
        assert!(slice["load"]["count"].as_u64().unwrap() > 10, "{slice}");
    }
    assert!(report["ratio"]["p50"].as_f64().unwrap() > 0.0);
    assert!(
        report["floor"]["p99_us"].as_f64().unwrap() >= report["floor"]["p50_us"].as_f64().unwrap()
    );
    assert!(
        std::fs::read_to_string(text)
            .unwrap()
            .contains("median over 5 pairs")
    );
    for name in ["offer", "floor", "generator_lag"] {
        let distribution = std::fs::read_to_string(file(&format!("hgrm/{name}.hgrm"))).unwrap();
        assert!(distribution.contains("Total count"), "{name}");
    }
}

#[tokio::test]
async fn a_share_of_busy_agents_outside_the_range_makes_the_run_void() {
    let url = fake::start(Fault::None).await;
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    std::fs::write(&tokens, r#"{"agent-00001":"agent-00001","supervisor-001":"supervisor-001","connector":"connector"}"#)
        .unwrap();
    let flags = [
        "--url",
        &url,
        "--agents",
        "1",
        "--queues",
        "1",
        "--queues-per-agent",
        "1",
        "--supervisors",
        "1",
        "--rate",
        "10",
        "--seconds",
        "0.5",
        "--warm-up",
        "0",
        "--ramp",
        "0",
        "--handle-ms",
        "1",
        "--wrap-up-ms",
        "1",
        "--mix",
        "chat=1",
        "--require-busy",
        "--tokens",
    ]
    .map(str::to_owned);
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_loadtest"))
        .args(flags)
        .arg(tokens)
        .output();
    let output = output.await.unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("VOID: ") && text.contains("not 40 to 60 %"),
        "{text}"
    );
}
