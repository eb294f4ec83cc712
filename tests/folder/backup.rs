//! `switchroom backup` and `switchroom restore`

use super::program::{Served, answer, configure, filled, run};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

fn epoch(folder: &Path, data: &str) -> i64 {
    let log = folder.join(data).join("main/log.db");
    let log = rusqlite::Connection::open(log).unwrap();
    log.query_row("SELECT value FROM meta WHERE key = 'epoch'", [], |row| {
        row.get(0)
    })
    .unwrap()
}

#[test]
fn a_backup_taken_under_load_has_all_that_was_acknowledged_before_and_can_be_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    configure(here, "");
    let served = Served::start(here);
    let before: Vec<(String, String)> = (0..20)
        .map(|number| format!("before-{number}"))
        .map(|external_id| (served.submit(&external_id), external_id))
        .collect();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 0;
            while !done.load(Ordering::Relaxed) {
                served.submit(&format!("meanwhile-{number}"));
                number += 1;
            }
        });
        let out = answer(here, &["backup", "-c", "c.toml", "--to", "copy"]);
        assert!(out.contains("every event can be folded"), "{out}");
        assert!(out.ends_with("backed up into copy\n"), "{out}");
        done.store(true, Ordering::Relaxed);
    });
    let after = served.submit("after");
    served.stop();
    let mut found: Vec<String> = std::fs::read_dir(here.join("copy/main"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, ["history.db", "log.db"]);
    assert!(
        !here.join("copy/signing.key").exists(),
        "nobody asked for it"
    );
    assert!(!here.join("copy.part").exists());

    std::fs::rename(here.join("data"), here.join("lost")).unwrap();
    let out = answer(here, &["restore", "-c", "c.toml", "--from", "copy"]);
    assert!(out.ends_with("restored into data\n"), "{out}");
    assert!(
        epoch(here, "data") > epoch(here, "lost"),
        "positions of before are not those of now"
    );
    let again = Served::start(here);
    let kept = std::fs::read_dir(here.join("data/main")).unwrap();
    let kept = kept.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let aside: Vec<String> = kept.filter(|name| name.starts_with("history-")).collect();
    assert!(
        aside.is_empty(),
        "the history is that of the log: {aside:?}"
    );
    for (contact, external_id) in &before {
        assert_eq!(again.submit(external_id), *contact, "{external_id}");
        let body = json!({"contact": contact}).to_string();
        let (status, seen) = again.ask("POST /v1/methods/contact.get", &body).unwrap();
        let seen: Value = serde_json::from_str(&seen).unwrap();
        assert_eq!((status, &seen["state"]), (200, &json!("waiting")), "{seen}");
    }
    assert_ne!(again.submit("after"), after, "it came after the backup");
}

#[test]
fn nothing_is_overwritten() {
    let folder = filled();
    let here = folder.path();
    answer(
        here,
        &["backup", "-c", "c.toml", "--to", "copy", "--with-key"],
    );
    assert!(here.join("copy/signing.key").exists());
    let (code, _, err) = run(here, &["backup", "-c", "c.toml", "--to", "copy"]);
    assert_eq!(code, Some(1));
    assert!(
        err.starts_with("switchroom: copy is there already"),
        "{err}"
    );
    let (code, _, err) = run(here, &["restore", "-c", "c.toml", "--from", "copy"]);
    assert_eq!(code, Some(1));
    assert!(
        err.starts_with("switchroom: data/main/log.db is there already"),
        "{err}"
    );
    let key = std::fs::read(here.join("data/signing.key")).unwrap();
    std::fs::remove_dir_all(here.join("data")).unwrap();
    answer(here, &["restore", "-c", "c.toml", "--from", "copy"]);
    assert_eq!(std::fs::read(here.join("data/signing.key")).unwrap(), key);
}

#[test]
fn a_damaged_log_is_no_backup_and_is_not_restored() {
    let folder = filled();
    let here = folder.path();
    answer(here, &["backup", "-c", "c.toml", "--to", "copy"]);
    for data in ["data", "copy"] {
        super::program::by_hand(
            &here.join(data).join("main/log.db"),
            "UPDATE batches SET crc = crc + 1",
        );
    }
    let (code, out, err) = run(here, &["backup", "-c", "c.toml", "--to", "other"]);
    assert_eq!(code, Some(1));
    assert!(
        out.contains("PROBLEM") && err.contains("the copy is not whole"),
        "{err}"
    );
    assert!(!here.join("other").exists() && !here.join("other.part").exists());
    let restore = ["restore", "--data", "new", "--from", "copy"];
    let (code, _, err) = run(here, &restore);
    assert_eq!(code, Some(1));
    assert!(err.contains("nothing was restored"), "{err}");
    assert!(!here.join("new").exists());
}
