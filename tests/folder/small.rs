//! A disk that is really small, filled up and emptied while a server works on it.

use super::program::{PATIENCE, Served, answer, configure};
use serde_json::{Value, json};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

const MIB: u64 = 1_024 * 1_024;

/// Leaves so many bytes free, more or less.
fn fill(folder: &Path, leave: u64) {
    let mut file = File::options()
        .create(true)
        .append(true)
        .open(folder.join("ballast"))
        .unwrap();
    let chunk = vec![1; 64 * 1_024];
    while free(folder) > leave + chunk.len() as u64 && file.write_all(&chunk).is_ok() {}
    while leave == 0 && file.write_all(&chunk[..512]).is_ok() {}
}

fn free(folder: &Path) -> u64 {
    let found = rustix::fs::statvfs(folder).unwrap();
    found.f_bavail * found.f_frsize
}

/// Waits until the server says on its metrics page what is wanted.
fn until(served: &Served, line: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (_, page) = served.ask("GET /metrics", "").expect("a page");
        if page.lines().any(|found| found == line) {
            return;
        }
        assert!(Instant::now() < deadline, "no {line}");
        std::thread::yield_now();
    }
}

fn abandon(served: &Served, contact: &str) -> (u16, Value) {
    let body = json!({"contact": contact}).to_string();
    let (status, body) = served
        .ask("POST /v1/methods/contact.abandon", &body)
        .unwrap();
    (status, serde_json::from_str(&body).unwrap_or_default())
}

/// `SWITCHROOM_SMALL_DISK` names a folder on a disk of 64 MiB that nobody else uses, such as
/// `mount -t tmpfs -o size=64m tmpfs FOLDER` makes.
#[test]
#[ignore = "needs a small disk, which SWITCHROOM_SMALL_DISK names"]
fn a_disk_that_fills_up_stops_new_work_then_the_rest_and_all_goes_on_with_room() {
    let disk = std::env::var("SWITCHROOM_SMALL_DISK").expect("a small disk");
    let disk = Path::new(&disk);
    let folder = tempfile::tempdir_in(disk).unwrap();
    let here = folder.path();
    configure(here, "");
    let config = std::fs::read_to_string(here.join("c.toml")).unwrap();
    std::fs::write(here.join("c.toml"), config.replace("4MiB", "16MiB")).unwrap();
    let served = Served::start(here);
    let reserve = here.join("data/reserve");
    assert_eq!(std::fs::metadata(&reserve).unwrap().len(), 4 * MIB);
    let contacts: Vec<String> = (0..40).map(|n| served.submit(&format!("x-{n}"))).collect();

    fill(here, 12 * MIB);
    until(&served, "switchroom_space_short 1");
    assert!(served.try_submit("refused", "Grace").is_none());
    assert_eq!(
        abandon(&served, &contacts[0]).0,
        200,
        "work in hand goes on"
    );

    fill(here, 0);
    let deadline = Instant::now() + PATIENCE;
    while reserve.exists() {
        assert!(Instant::now() < deadline, "the reserve is not given up");
        std::thread::yield_now();
    }
    for contact in &contacts[1..20] {
        assert_eq!(abandon(&served, contact).0, 200, "out of the reserve");
    }

    // Nothing is left at all: what is asked for is kept, and answered when there is room.
    fill(here, 0);
    std::thread::scope(|scope| {
        let waiting: Vec<_> = contacts[20..]
            .iter()
            .map(|contact| scope.spawn(|| abandon(&served, contact)))
            .collect();
        until(&served, "switchroom_free_bytes 0");
        std::fs::remove_file(here.join("ballast")).unwrap();
        for answer in waiting {
            assert_eq!(answer.join().unwrap().0, 200);
        }
    });
    until(&served, "switchroom_space_short 0");
    served.submit("taken again");
    let deadline = Instant::now() + PATIENCE;
    while !reserve.exists() {
        assert!(Instant::now() < deadline, "the reserve is not made again");
        std::thread::yield_now();
    }
    served.stop();
    answer(here, &["doctor", "-c", "c.toml"]);
    let again = Served::start(here);
    for contact in &contacts {
        let body = json!({"contact": contact}).to_string();
        let (_, seen) = again.ask("POST /v1/methods/contact.get", &body).unwrap();
        let seen: Value = serde_json::from_str(&seen).unwrap();
        assert_eq!(seen["state"], "closed", "{seen}");
    }
}
