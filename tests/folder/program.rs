//! The program, run in a folder of its own, and a client that speaks HTTP to it.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

/// Nothing here takes so long unless it hangs.
pub const PATIENCE: Duration = Duration::from_secs(60);

const CONFIG: &str = r#"
[server]
listen = "127.0.0.1:0"
data = "data"
low_space = "4MiB"
[workspace.main.queues.support]
channels = ["chat"]
[workspace.main.users.ana]
roles = ["agent"]
[workspace.main.connectors.site]
"#;

/// The configuration of these tests, and more.
pub fn configure(folder: &Path, more: &str) {
    std::fs::write(folder.join("c.toml"), format!("{CONFIG}{more}")).unwrap();
}

/// The program in a folder, with nothing of the caller's settings.
pub fn program(folder: &Path, args: &[&str]) -> Command {
    of(Command::new(env!("CARGO_BIN_EXE_switchroom")), folder, args)
}

fn of(mut command: Command, folder: &Path, args: &[&str]) -> Command {
    command.args(args).current_dir(folder);
    for setting in ["SWITCHROOM_DATA", "SWITCHROOM_CONFIG", "SWITCHROOM_LOG"] {
        command.env_remove(setting);
    }
    command
}

/// Runs the program to its end: exit code, and what it said on both ways.
pub fn run(folder: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let output: Output = program(folder, args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// What a run said that went well.
pub fn answer(folder: &Path, args: &[&str]) -> String {
    let (code, out, err) = run(folder, args);
    assert_eq!(code, Some(0), "{args:?}: {out}{err}");
    out
}

/// A server in a process of its own, killed at the latest when the test ends.
pub struct Served {
    pub process: Child,
    address: String,
    token: String,
}

impl Served {
    /// Serves the configuration of a folder.
    pub fn start(folder: &Path) -> Self {
        Self::run(folder, program(folder, &["serve", "-c", "c.toml"]))
    }

    /// The same under a shell that runs these commands first.
    pub fn under(folder: &Path, first: &str) -> Self {
        let serve = format!(
            "{first}; exec '{}' serve -c c.toml",
            env!("CARGO_BIN_EXE_switchroom")
        );
        Self::run(folder, of(Command::new("sh"), folder, &["-c", &serve]))
    }

    fn run(folder: &Path, mut command: Command) -> Self {
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = lines.map(Result::unwrap).find_map(|line| {
            let address = line.strip_prefix("listening on http://")?;
            Some(address.split(',').next()?.to_owned())
        });
        let Some(address) = address else {
            let mut err = String::new();
            let _ = process.stderr.take().unwrap().read_to_string(&mut err);
            panic!("it does not serve: {err}");
        };
        let token = answer(folder, &["token", "-c", "c.toml", "--user", "site"]);
        Self {
            process,
            address,
            token: token.trim().to_owned(),
        }
    }

    /// A request; status and body. None when the server is gone.
    pub fn ask(&self, line: &str, body: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            stream,
            "{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        )
        .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }

    /// Submits a contact; its id if it was taken.
    pub fn try_submit(&self, external_id: &str, said: &str) -> Option<String> {
        let contact = json!({
            "channel": "chat",
            "queue": "support",
            "external_id": external_id,
            "customer": {"id": "c-9", "name": said},
        });
        let (status, body) = self.ask("POST /v1/contacts", &contact.to_string())?;
        if status != 201 && status != 200 {
            return None;
        }
        let body: Value = serde_json::from_str(&body).unwrap();
        Some(body["contact"].as_str().unwrap().to_owned())
    }

    /// Submits a contact that is taken.
    pub fn submit(&self, external_id: &str) -> String {
        self.try_submit(external_id, "Grace").expect("it is taken")
    }

    /// Stops in order.
    pub fn stop(mut self) {
        let process = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
        assert!(self.ended().success());
    }

    /// Waits for its end.
    pub fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::yield_now();
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if self.process.kill().is_ok() {
            let _ = self.process.wait();
        }
    }
}

/// Something done to a log by hand.
pub fn by_hand(log: &Path, statements: &str) {
    let connection = rusqlite::Connection::open(log).unwrap();
    connection.execute_batch(statements).unwrap();
}

/// A folder whose server took three contacts and was stopped.
pub fn filled() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "");
    let served = Served::start(folder.path());
    for external_id in ["x-1", "x-2", "x-3"] {
        served.submit(external_id);
    }
    served.stop();
    folder
}
