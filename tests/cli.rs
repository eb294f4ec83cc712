//! The command line as a person uses it: the program itself, run in an empty folder.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use switchroom::access::token::TokenKey;
use switchroom::time::Instant;

/// The program in a folder, with nothing of the caller's settings.
fn program(folder: &Path, args: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_switchroom"));
    program.args(args).current_dir(folder);
    for setting in ["SWITCHROOM_DATA", "SWITCHROOM_CONFIG", "SWITCHROOM_LOG"] {
        program.env_remove(setting);
    }
    program
}

/// Runs the program to its end.
fn switchroom(folder: &Path, args: &[&str]) -> Output {
    program(folder, args).output().unwrap()
}

/// A server in a process of its own, killed at the latest when the test ends.
struct Served {
    process: Child,
    greeting: Vec<String>,
    address: String,
}

impl Served {
    /// Serves in a folder, on a port that the system chooses.
    fn start(folder: &Path) -> Self {
        std::fs::write(
            folder.join("any.toml"),
            "[server]\nlisten = \"127.0.0.1:0\"\n",
        )
        .unwrap();
        let process = program(folder, &["serve", "-c", "any.toml"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self::of(process)
    }

    /// A server whose greeting is to come.
    fn of(mut process: Child) -> Self {
        let mut lines = BufReader::new(process.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap);
        let mut greeting = Vec::new();
        let address = lines.by_ref().find_map(|line| {
            let address = line.strip_prefix("listening on http://").map(str::to_owned);
            greeting.push(line);
            address
        });
        let address = address.unwrap().split(',').next().unwrap().to_owned();
        Self {
            process,
            greeting,
            address,
        }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

/// Sends a request with a body, and gives the answer's.
fn post(served: &Served, path: &str, token: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(&served.address).unwrap();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

impl Drop for Served {
    fn drop(&mut self) {
        if self.process.kill().is_ok() {
            self.process.wait().unwrap();
        }
    }
}

/// The answer of a run that went well.
fn answer(folder: &Path, args: &[&str]) -> String {
    let output = switchroom(folder, args);
    assert!(
        output.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The complaint of a run that failed.
fn complaint(folder: &Path, args: &[&str]) -> String {
    let output = switchroom(folder, args);
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn init_writes_a_file_that_check_finds_good() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let wrote = answer(here, &["init"]);
    assert!(wrote.starts_with("wrote switchroom.toml\n"), "{wrote}");
    assert_eq!(
        answer(here, &["check", "switchroom.toml"]),
        "switchroom.toml: workspace main: 4 channels, 3 queues, 6 users, 1 connector\n\
         switchroom.toml: 0 errors, 0 warnings\n"
    );
    assert_eq!(
        complaint(here, &["init"]),
        "switchroom: switchroom.toml is there already; name another file, or remove it first\n"
    );
    assert_eq!(
        answer(here, &["init", "-"]),
        std::fs::read_to_string(here.join("switchroom.toml")).unwrap()
    );
}

#[test]
fn check_shows_the_place_of_every_error() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(
        here.join("bad.toml"),
        "[workspace.main.users.ana]\nteams = [\"emea\"]\n",
    )
    .unwrap();
    let output = switchroom(here, &["check", "bad.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "bad.toml:2:10: there is no team \"emea\"; this workspace has no teams\n\
         \x20  |\n 2 | teams = [\"emea\"]\n   |          ^^^^^^\n\n\
         bad.toml: 1 error, 0 warnings\n"
    );
    std::fs::write(
        here.join("odd.toml"),
        "[workspace.main.queues.a]\nchannels = [\"chat\"]\n",
    )
    .unwrap();
    assert!(answer(here, &["check", "odd.toml"]).ends_with("odd.toml: 0 errors, 1 warning\n"));
    assert_eq!(
        switchroom(here, &["check", "--strict", "odd.toml"])
            .status
            .code(),
        Some(1)
    );
    let missing = complaint(here, &["check", "none.toml"]);
    assert_eq!(
        missing,
        "switchroom: none.toml: No such file or directory (os error 2)\n"
    );
    std::fs::write(here.join("bytes.toml"), [0xff, 0xfe]).unwrap();
    let bytes = complaint(here, &["check", "bytes.toml"]);
    assert_eq!(
        bytes,
        "switchroom: bytes.toml: stream did not contain valid UTF-8\n"
    );
}

#[test]
fn check_names_fields_that_do_not_exist() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(
        here.join("typo.toml"),
        "[server]\nlisen = \"127.0.0.1:0\"\n[workspace.main.users.ana]\nrole = [\"agent\"]\n",
    )
    .unwrap();
    let output = switchroom(here, &["check", "typo.toml"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("typo.toml:2:1: ") && said.contains("lisen"),
        "{said}"
    );
    assert!(
        said.contains("typo.toml:4:1: ") && said.contains("role"),
        "{said}"
    );
}

#[test]
fn a_token_is_signed_with_the_key_of_the_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let token = answer(here, &["token", "--user", "ana", "--ttl", "1h"]);
    let key = std::fs::read_to_string(here.join("switchroom-data/signing.key")).unwrap();
    let key = TokenKey::new(key.trim().as_bytes(), "switchroom", "switchroom").unwrap();
    let now = std::fs::metadata(here.join("switchroom-data/signing.key"))
        .unwrap()
        .modified()
        .unwrap();
    let now = now
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis();
    let claims = key
        .check(token.trim(), Instant(u64::try_from(now).unwrap()), |name| {
            name == "main"
        })
        .unwrap();
    assert_eq!(
        (claims.subject.as_str(), claims.workspace.as_str()),
        ("ana", "main")
    );
    let lasts = claims
        .expires_at
        .since(Instant(u64::try_from(now).unwrap()))
        .0;
    assert!((3_590_000..=3_610_000).contains(&lasts), "{lasts}");

    let elsewhere = here.join("other");
    let elsewhere = elsewhere.to_str().unwrap();
    answer(here, &["token", "--user", "site", "--data", elsewhere]);
    assert!(here.join("other/signing.key").exists());
}

#[test]
fn a_token_is_for_somebody_who_exists() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    assert_eq!(
        complaint(here, &["token", "--user", "anna"]),
        "switchroom: workspace main has no user or connector \"anna\"; did you mean \"ana\"?\n"
    );
    assert_eq!(
        complaint(here, &["token", "--user", "zoltan"]),
        "switchroom: workspace main has no user or connector \"zoltan\"; \
         there are alex, ana, bo, chen, dora, sam, site\n"
    );
    assert_eq!(
        complaint(here, &["token", "--user", "ana", "--workspace", "mane"]),
        "switchroom: there is no workspace \"mane\"; there are main\n"
    );
    std::fs::write(
        here.join("two.toml"),
        "[workspace.a.users.ana]\n[workspace.b.users.ana]\n",
    )
    .unwrap();
    assert_eq!(
        complaint(here, &["token", "--user", "ana", "-c", "two.toml"]),
        "switchroom: there are several workspaces, name one with --workspace: a, b\n"
    );
    assert!(
        !here.join("switchroom-data").exists(),
        "nothing is made for nobody"
    );
    let refused = switchroom(here, &["token", "--user", "ana", "--ttl", "8"]);
    assert_eq!(refused.status.code(), Some(2));
    let refused = String::from_utf8(refused.stderr).unwrap();
    assert!(
        refused.contains("expected a length of time such as \"30m\", \"8h\" or \"7d\""),
        "{refused}"
    );
}

#[test]
fn serve_runs_until_it_is_told_to_stop() {
    let folder = tempfile::tempdir().unwrap();
    let mut served = Served::start(folder.path());
    assert_eq!(
        served.greeting[1],
        "any.toml: workspace main: 4 channels, 3 queues, 6 users, 1 connector"
    );
    assert!(folder.path().join("switchroom-data/signing.key").exists());
    assert!(served.get("/healthz").starts_with("HTTP/1.1 200 OK\r\n"));

    let refused = complaint(folder.path(), &["serve", "-c", "any.toml"]);
    let who = format!("is in use by switchroom (process {})", served.process.id());
    assert!(refused.contains(&who), "{refused}");
    let taken = format!(
        "[server]\nlisten = \"{}\"\ndata = \"other\"\n",
        served.address
    );
    std::fs::write(folder.path().join("taken.toml"), taken).unwrap();
    let refused = complaint(folder.path(), &["serve", "-c", "taken.toml"]);
    assert!(refused.contains(
        "Address already in use (os error 98); another address or port is set by listen"
    ));

    let told = Command::new("kill")
        .arg(served.process.id().to_string())
        .status()
        .unwrap();
    assert!(told.success());
    assert!(served.process.wait().unwrap().success());
}

#[test]
fn serve_takes_as_many_files_as_the_system_gives() {
    let folder = tempfile::tempdir().unwrap();
    let listen = "[server]\nlisten = \"127.0.0.1:0\"\n";
    std::fs::write(folder.path().join("any.toml"), listen).unwrap();
    let line = "ulimit -S -n 64; exec \"$0\" serve -c any.toml";
    let mut shell = Command::new("sh");
    shell.args(["-c", line, env!("CARGO_BIN_EXE_switchroom")]);
    let process = shell.current_dir(folder.path()).stdout(Stdio::piped());
    let mut served = Served::of(process.spawn().unwrap());
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", served.process.id())).unwrap();
    let files = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let numbers: Vec<&str> = files.unwrap().split_whitespace().skip(3).take(2).collect();
    assert_eq!(numbers[0], numbers[1], "{limits}");
    served.process.kill().unwrap();
}

#[test]
fn serve_refuses_an_address_that_others_reach() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("open.toml"),
        "[server]\nlisten = \"0.0.0.0:0\"\n",
    )
    .unwrap();
    let refused = complaint(folder.path(), &["serve", "-c", "open.toml"]);
    assert!(refused.starts_with(
        "switchroom: open.toml:2:10: \"0.0.0.0:0\" can be reached from other machines"
    ));
    assert!(!folder.path().join("switchroom-data").exists());
}

#[test]
fn what_happened_is_exported_and_a_customer_erased_while_the_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let none = complaint(here, &["export", "--report", "contacts"]);
    assert!(
        none.starts_with("switchroom: there is no history at ./switchroom-data/main/history.db:"),
        "{none}"
    );
    let mut served = Served::start(here);
    let token = answer(here, &["token", "--user", "site", "-c", "any.toml"]);
    let new = r#"{"channel": "chat", "queue": "support", "external_id": "x-1", "customer": {"id": "c-9"}}"#;
    let made = post(&served, "/v1/contacts", token.trim(), new);
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    let erase = ["erase", "--customer", "c-9", "-c", "any.toml"];
    let export = ["export", "--report", "contacts", "-c", "any.toml"];
    let exported = |wanted: &str| {
        let mut tables = (0..1_000).map(|_| answer(here, &export));
        tables.find(|table| table.contains(wanted)).unwrap()
    };
    let table = exported(",x-1,c-9,chat,support,support,");
    assert_eq!(table.lines().count(), 2, "{table}");
    let left = switchroom(here, &erase);
    assert_eq!(left.status.code(), Some(1));
    let left = String::from_utf8(left.stdout).unwrap();
    assert!(left.contains("left: 1 contact not yet closed"), "{left}");

    let gone = format!(r#"{{"contact": {}}}"#, made["contact"]);
    post(&served, "/v1/methods/contact.abandon", token.trim(), &gone);
    exported("short_abandoned");
    assert_eq!(
        answer(here, &erase),
        "erased: 1 contact and 1 text deleted from the log\n"
    );
    assert_eq!(
        answer(here, &["erase", "--customer", "c-8", "-c", "any.toml"]),
        "nothing is kept of it in workspace main\n"
    );
    served.process.kill().unwrap();
    served.process.wait().unwrap();

    let line = answer(here, &[&export[..], &["--format", "ndjson"]].concat());
    let line: serde_json::Value = serde_json::from_str(line.trim()).unwrap();
    assert_eq!(line["contact"], made["contact"]);
    assert_eq!(line["customer_id"], serde_json::Value::Null);
    let counters = ["export", "--report", "queue_intervals", "--format", "json"];
    let file = here.join("counters.json");
    let out = ["--out", file.to_str().unwrap(), "--queue", "support"];
    assert_eq!(answer(here, &[&counters[..], &out].concat()), "");
    let counters: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(counters["rows"][0]["short_abandoned"], 1);
    assert!(complaint(here, &[&export[..], &out].concat()).contains("is there already"));
    let wrong = switchroom(here, &["export", "--report", "contact"]);
    assert_eq!(wrong.status.code(), Some(2));
}
