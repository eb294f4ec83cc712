//! Clients in another language, over both encodings: the server binary, real sockets, Python.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const CONFIGURATION: &str = r#"
[server]
listen = "127.0.0.1:0"

[workspace.main.teams.service]
[workspace.main.queues.support]
channels = ["voice", "chat"]
team = "service"
members = [{ team = "service" }]

[workspace.main.users.ana]
roles = ["agent"]
teams = ["service"]
[workspace.main.users.bo]
roles = ["agent"]
teams = ["service"]
[workspace.main.users.sam]
roles = ["supervisor"]
supervises = { teams = ["service"], queues = ["support"] }
[workspace.main.connectors.site]
"#;

/// The server, stopped with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn switchroom(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_switchroom"));
    command.current_dir(folder);
    command
}

fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {said}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn serve(folder: &Path) -> (Server, String) {
    std::fs::write(folder.join("switchroom.toml"), CONFIGURATION).unwrap();
    let mut child = switchroom(folder)
        .args(["serve", "-c", "switchroom.toml", "--data", "data"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let server = Server(child);
    for line in lines {
        let line = line.unwrap();
        if let Some((_, rest)) = line.split_once("http://") {
            let end = rest.find([',', ' ', '/']).unwrap_or(rest.len());
            return (server, rest[..end].to_owned());
        }
    }
    panic!("the server ended before it listened");
}

fn play(encoding: &str, agent: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (_server, address) = serve(folder.path());
    let python = printed(Command::new(root().join("scripts/python")).current_dir(root()));
    let token = |user: &str| {
        let options = ["-c", "switchroom.toml", "--data", "data"];
        printed(
            switchroom(folder.path())
                .args(["token", "--user", user])
                .args(options),
        )
    };
    let said = printed(
        Command::new(python)
            .arg(root().join("tests/clients/scenario.py"))
            .args([
                &address,
                encoding,
                &token(agent),
                &token("sam"),
                &token("site"),
            ]),
    );
    assert!(said.contains("one call and one chat"), "{said}");
}

#[test]
fn python_over_json() {
    play("json", "ana");
}

#[test]
fn python_over_msgpack() {
    play("msgpack", "bo");
}
