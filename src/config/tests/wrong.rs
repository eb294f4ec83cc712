//! Each way to get a file wrong, with the exact answer: transcripts in `wrong.txt`, a file and
//! below it what is found in it. `UPDATE=1` writes the answers anew; the difference is the review.

use super::check;
use crate::limits::{CHANNELS, REQUIREMENT_STEPS};

const CASES: &str = include_str!("wrong.txt");

/// What is found in a file of this text, a line each.
fn found(text: &str) -> Vec<String> {
    match check(text) {
        Ok(config) => config.findings.lines(),
        Err(findings) => findings.lines(),
    }
}

#[test]
fn every_wrong_file_gets_its_answer() {
    let answered = CASES.split("====\n").map(|case| {
        let (text, _) = case.split_once("----\n").unwrap();
        let lines: String = found(text).iter().map(|line| format!("{line}\n")).collect();
        format!("{text}----\n{lines}")
    });
    let answered = answered.collect::<Vec<_>>().join("====\n");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(
            concat!(env!("CARGO_MANIFEST_DIR"), "/src/config/tests/wrong.txt"),
            &answered,
        )
        .unwrap();
    }
    for (expected, found) in CASES.split("====\n").zip(answered.split("====\n")) {
        assert_eq!(found, expected);
    }
}

#[test]
fn too_many_of_something() {
    let channels: String = (0..=CHANNELS)
        .map(|n| format!("c{n} = {{ weight = 1 }}\n"))
        .collect();
    assert_eq!(
        found(&format!("[workspace.main.channels]\n{channels}")),
        ["s.toml:1:12: a workspace has at most 64 channels, this one has 65"]
    );
    let steps: Vec<String> = (0..=REQUIREMENT_STEPS)
        .map(|n| format!("{{ after = \"{}s\", requirement = 'anyone' }}", n + 1))
        .collect();
    let queue = format!(
        "[workspace.main.queues.a]\nchannels = [\"voice\"]\nsteps = [\n{}\n]",
        steps.join(",\n")
    );
    assert_eq!(
        found(&queue),
        ["s.toml:36:1: at most 32 steps are possible, here are 33"]
    );
    let long = format!(
        "[workspace.main.queues.a]\nchannels = [\"voice\"]\nrequirement = '{}'",
        "(".repeat(5_000)
    );
    assert_eq!(
        found(&long),
        ["s.toml:3:4112: an expression has at most 4096 bytes, this one has 5000"]
    );
    let errors: String = (0..50).map(|n| format!("k{n} = 1\n")).collect();
    assert_eq!(found(&format!("[server]\n{errors}")).len(), 30);
}

#[test]
fn bytes_that_are_no_text_are_never_a_panic() {
    let starter = crate::config::STARTER;
    for cut in (0..starter.len())
        .step_by(97)
        .filter(|cut| starter.is_char_boundary(*cut))
    {
        found(&starter[..cut]);
        found(&starter[cut..]);
    }
}
