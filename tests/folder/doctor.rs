//! `switchroom doctor`

use super::program::{Served, answer, by_hand, configure, filled, run};
use std::fs::Permissions;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;

/// What it finds after this was done to the log by hand.
fn findings(statements: &str) -> String {
    let folder = filled();
    by_hand(&folder.path().join("data/main/log.db"), statements);
    complaint(folder.path())
}

fn complaint(folder: &Path) -> String {
    let (code, out, _) = run(folder, &["doctor", "-c", "c.toml"]);
    assert_eq!(code, Some(1), "{out}");
    let problems = out.lines().filter(|line| line.contains("PROBLEM"));
    let problems: Vec<&str> = problems.map(str::trim_start).collect();
    assert!(!problems.is_empty(), "{out}");
    problems.join("\n")
}

#[test]
fn a_folder_that_is_whole_has_no_problems_also_while_it_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    configure(here, "");
    let served = Served::start(here);
    served.submit("x-1");
    let out = answer(here, &["doctor", "-c", "c.toml"]);
    assert!(out.ends_with("no problems\n"), "{out}");
    let process = format!("in use by switchroom (process {})", served.process.id());
    assert!(out.contains(&process), "{out}");
    assert!(out.contains("every event can be folded"), "{out}");
    served.stop();
    let out = answer(here, &["doctor", "--data", "data"]);
    assert!(!out.contains("in use"), "{out}");
    assert!(out.contains("the events were not folded"), "{out}");
    Served::start(here).submit("x-2");
    answer(here, &["doctor", "-c", "c.toml"]);
}

#[test]
fn a_damaged_batch_is_found_and_a_server_does_not_start_on_it() {
    let folder = filled();
    let here = folder.path();
    let log = here.join("data/main/log.db");
    by_hand(
        &log,
        "UPDATE batches SET body = zeroblob(length(body)) WHERE seq = (SELECT max(seq) FROM batches)",
    );
    let connection = rusqlite::Connection::open(&log).unwrap();
    let last: i64 = connection
        .query_row("SELECT max(seq) FROM batches", [], |row| row.get(0))
        .unwrap();
    drop(connection);
    let found = complaint(here);
    let expected = format!("the log is damaged at event {last}: its check sum is another");
    assert_eq!(found, format!("PROBLEM  {expected}"));
    let (code, _, err) = run(here, &["serve", "-c", "c.toml"]);
    assert_eq!(code, Some(1));
    assert!(err.contains(&expected), "{err}");
    // As docs/operations.md has it, for who would rather lose the end than go back to a backup.
    by_hand(
        &log,
        &format!(
            "DELETE FROM batches WHERE seq >= {last}; DELETE FROM content WHERE seq >= {last};
             DELETE FROM snapshots WHERE seq >= {last};
             UPDATE meta SET value = value + 1 WHERE key = 'epoch';"
        ),
    );
    answer(here, &["doctor", "-c", "c.toml"]);
    let again = Served::start(here);
    again.submit("x-4");
}

#[test]
fn what_is_missing_or_out_of_order_is_found() {
    let gone = findings("DELETE FROM batches WHERE seq = (SELECT max(seq) FROM content)");
    assert!(
        gone.starts_with("PROBLEM  what was said with event ")
            && gone.ends_with(" is there, and the event is not"),
        "{gone}"
    );
    let row =
        findings("UPDATE batches SET last = last + 1 WHERE seq = (SELECT max(seq) FROM batches)");
    assert!(row.starts_with("PROBLEM  the row of batch "), "{row}");
    let order =
        findings("UPDATE batches SET seq = 1000000 WHERE seq = (SELECT min(seq) FROM batches)");
    assert!(order.contains("the order of the log is broken"), "{order}");
}

#[test]
fn events_that_a_start_knew_of_and_are_gone_are_found() {
    let folder = filled();
    let here = folder.path();
    let log = here.join("data/main/log.db");
    Served::start(here).stop();
    answer(here, &["doctor", "-c", "c.toml"]);
    let end = "(SELECT max(seq) FROM batches WHERE seq < 1000000)";
    by_hand(
        &log,
        &format!("DELETE FROM content WHERE seq = {end}; DELETE FROM batches WHERE seq = {end};"),
    );
    let found = complaint(here);
    assert!(
        found.starts_with("PROBLEM  the events after ") && found.ends_with(" are missing"),
        "{found}"
    );
}

#[test]
fn files_that_others_can_read_are_found() {
    let folder = filled();
    let here = folder.path();
    std::fs::set_permissions(here.join("data/signing.key"), Permissions::from_mode(0o644)).unwrap();
    std::fs::set_permissions(here.join("data/main"), Permissions::from_mode(0o777)).unwrap();
    assert_eq!(
        complaint(here),
        "PROBLEM  data/main can be written by others (mode 777): chmod go-rwx it\n\
         PROBLEM  data/signing.key can be read by others (mode 644): chmod go-rwx it"
    );
}

#[test]
fn a_log_of_a_newer_version_is_told() {
    let found = findings("PRAGMA user_version = 99");
    assert!(found.contains("has format 99"), "{found}");
}

#[test]
fn a_history_that_does_not_add_up_or_is_damaged_is_told() {
    let folder = filled();
    let here = folder.path();
    let doctor = || run(here, &["doctor", "-c", "c.toml"]).1;
    assert!(
        doctor().contains("ok       history of format"),
        "{}",
        doctor()
    );
    let history = here.join("data/main/history.db");
    by_hand(&history, "UPDATE queue_intervals SET entered = entered + 1");
    let miscounted = doctor();
    let told = "note     in the history, ";
    assert!(miscounted.contains(told), "{miscounted}");
    assert!(miscounted.contains(": entered is "), "{miscounted}");
    assert!(miscounted.ends_with("no problems\n"), "{miscounted}");

    by_hand(
        &history,
        "UPDATE meta SET value = value + 1 WHERE key = 'epoch'",
    );
    assert!(doctor().contains("the history is of another log"));

    let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'segments'";
    let file = rusqlite::Connection::open(&history).unwrap();
    let root: u64 = file
        .query_row(root, [], |row| row.get::<_, i64>(0))
        .unwrap()
        .cast_unsigned();
    file.close().unwrap();
    let file = std::fs::File::options().write(true).open(&history).unwrap();
    file.write_all_at(&[0xee; 4_096], (root - 1) * 4_096)
        .unwrap();
    let found = complaint(here);
    assert!(
        found.contains("PROBLEM  the history is damaged: "),
        "{found}"
    );
    std::fs::remove_file(&history).unwrap();
    assert!(doctor().contains("note     there is no history at"));
}
