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
