//! `switchroom log`

use super::program::{Served, answer, configure, filled, program, run};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;

fn lines(folder: &Path, more: &[&str]) -> Vec<Value> {
    let mut args = vec!["log", "-c", "c.toml"];
    args.extend(more);
    answer(folder, &args)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn the_log_is_printed_with_names_while_a_server_writes_it() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    configure(here, "");
    let served = Served::start(here);
    let contacts = ["x-1", "x-2"].map(|external_id| served.submit(external_id));
    let all = lines(here, &[]);
    let entered: Vec<&Value> = all
        .iter()
        .filter(|line| line["event"] == "contact.entered")
        .collect();
    assert_eq!(entered.len(), 2, "{all:?}");
    for (line, contact) in entered.iter().zip(&contacts) {
        assert_eq!(line["by"], "site");
        assert_eq!(line["data"]["queue"], "support");
        assert_eq!(line["data"]["facts"]["id"], json!(contact));
        assert_eq!(line["data"]["facts"]["channel"], "chat");
        assert_eq!(line["data"]["facts"]["submitted_by"], "site");
        assert_eq!(line["data"]["facts"]["requirement"], "anyone");
        assert!(line.get("content").is_none(), "nobody asked for it: {line}");
    }
    let seqs: Vec<u64> = all
        .iter()
        .map(|line| line["seq"].as_u64().unwrap())
        .collect();
    assert!(seqs.is_sorted());

    let one = lines(here, &["--contact", &contacts[1], "--content"]);
    assert_eq!(one.len(), 1);
    assert_eq!(one[0]["content"]["customer_name"], "Grace");
    let (first, last) = (seqs[0], *seqs.last().unwrap());
    let from = lines(here, &["--from", &last.to_string()]);
    assert_eq!(from, all[all.len() - 1..]);
    let to = lines(here, &["--to", &first.to_string()]);
    assert_eq!(to, all[..1]);
}

#[test]
fn a_pipe_that_is_closed_and_a_workspace_that_is_not_there() {
    let folder = filled();
    let here = folder.path();
    let mut log = program(here, &["log", "-c", "c.toml"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(log.stdout.take());
    let ended = log.wait_with_output().unwrap();
    assert!(
        ended.status.success() && ended.stderr.is_empty(),
        "{ended:?}"
    );
    let (code, _, err) = run(here, &["log", "--data", "data", "--workspace", "other"]);
    assert_eq!(code, Some(1));
    assert_eq!(
        err,
        "switchroom: data has no log of workspace \"other\"; it has those of main\n"
    );
}

#[test]
fn what_happens_from_now_on_is_followed() {
    use std::io::{BufRead, BufReader};
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    configure(here, "");
    let served = Served::start(here);
    served.submit("x-1");
    let mut log = program(here, &["log", "-c", "c.toml", "--follow"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(log.stdout.take().unwrap()).lines();
    let mut entered = || {
        let line = lines.by_ref().map(Result::unwrap);
        let mut line = line.map(|line| serde_json::from_str::<Value>(&line).unwrap());
        let found = line
            .find(|line| line["event"] == "contact.entered")
            .unwrap();
        found["data"]["facts"]["external_id"].clone()
    };
    assert_eq!(entered(), "x-1");
    served.submit("x-2");
    assert_eq!(entered(), "x-2");
    log.kill().unwrap();
    log.wait().unwrap();
}
