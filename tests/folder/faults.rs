//! What a server does when its folder cannot be used, or fails it.

use super::program::{Served, answer, configure, run};
use std::collections::BTreeMap;
use std::io::Read;

#[test]
fn a_folder_that_cannot_be_written_is_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    configure(here, "");
    // Nobody can make a folder there, not even root.
    let (code, _, err) = run(
        here,
        &["serve", "-c", "c.toml", "--data", "/proc/switchroom"],
    );
    assert_eq!(code, Some(1));
    assert!(err.starts_with("switchroom: /proc/switchroom"), "{err}");
    std::fs::write(here.join("data"), "a file").unwrap();
    let (code, _, err) = run(here, &["serve", "-c", "c.toml"]);
    assert_eq!(code, Some(1));
    assert!(err.starts_with("switchroom: data"), "{err}");
}

/// Files are let grow so far and no further: a write fails, and that is not for lack of room.
#[test]
fn a_write_that_fails_ends_the_server_with_all_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    configure(here, "");
    let mut served = Served::under(here, "trap '' XFSZ; ulimit -f 4000");
    let mut acknowledged = BTreeMap::new();
    let text = "x".repeat(200);
    for number in 0..10_000 {
        let external_id = format!("x-{number}");
        let Some(contact) = served.try_submit(&external_id, &text) else {
            break;
        };
        acknowledged.insert(external_id, contact);
    }
    assert_eq!(served.ended().code(), Some(1));
    let mut said = String::new();
    let mut err = served.process.stderr.take().unwrap();
    err.read_to_string(&mut said).unwrap();
    assert!(said.contains("the log cannot be written"), "{said}");
    assert!(acknowledged.len() > 20, "{}", acknowledged.len());

    answer(here, &["doctor", "-c", "c.toml"]);
    let again = Served::start(here);
    for (external_id, contact) in &acknowledged {
        assert_eq!(again.submit(external_id), *contact, "{external_id}");
    }
}

#[test]
fn a_second_server_hears_which_process_has_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    configure(here, "");
    let served = Served::start(here);
    let (code, _, err) = run(here, &["serve", "-c", "c.toml"]);
    assert_eq!(code, Some(1));
    let process = format!("is in use by switchroom (process {})", served.process.id());
    assert!(err.contains(&process), "{err}");
}
