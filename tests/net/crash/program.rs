//! The server itself, in a process of its own.

use super::super::house::{SECRET, key};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use switchroom::engine::clock::Clock;
use switchroom::time::Span;

/// Name of the configuration in the folder.
pub const FILE: &str = "crash.toml";

pub const CONFIGURATION: &str = r#"
[server]
listen = "127.0.0.1:0"
data = "data"
[workspace.main]
retry_after = "1s"
[workspace.main.teams.all]
[workspace.main.queues.support]
channels = ["chat"]
members = [{ team = "all" }]
terms.chat = { wrap_up = { mode = "optional", time = "30m" } }
[workspace.main.users]
a1 = { teams = ["all"] }
a2 = { teams = ["all"] }
a3 = { teams = ["all"] }
a4 = { teams = ["all"] }
a5 = { teams = ["all"] }
a6 = { teams = ["all"] }
max = { roles = ["admin"] }
[workspace.main.connectors.site]
"#;

pub struct Program {
    process: Child,
    address: SocketAddr,
}

/// Where somebody gets in, and by what.
pub struct Access {
    pub address: SocketAddr,
    pub token: String,
}

impl Program {
    /// Starts it on what is in a folder.
    pub fn start(folder: &Path) -> Self {
        Self::start_by(folder, CONFIGURATION)
    }

    /// The same, where a folder that is new begins with this configuration.
    pub fn start_by(folder: &Path, configuration: &str) -> Self {
        Self::start_in(folder, configuration, &[])
    }

    /// The same in an environment with these variables.
    pub fn start_in(folder: &Path, configuration: &str, more: &[(&str, &str)]) -> Self {
        let data = folder.join("data");
        if !data.exists() {
            std::fs::write(folder.join(FILE), configuration).unwrap();
            std::fs::create_dir(&data).unwrap();
            let key = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(data.join("signing.key"));
            key.unwrap().write_all(SECRET).unwrap();
        }
        let mut process = Command::new(env!("CARGO_BIN_EXE_switchroom"))
            .args(["serve", "-c", FILE])
            .current_dir(folder)
            .env_remove("SWITCHROOM_DATA")
            .env_remove("SWITCHROOM_CONFIG")
            .envs(more.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = lines.find_map(|line| {
            let line = line.unwrap();
            let address = line.strip_prefix("listening on http://")?;
            address.split(',').next()?.parse().ok()
        });
        Self {
            process,
            address: address.expect("it says where it listens"),
        }
    }

    pub fn access(&self, login: &str) -> Access {
        let now = Clock::system().now();
        Access {
            address: self.address,
            token: key().mint(login, "main", now, Span::minutes(60)).unwrap(),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let process = Pid::from_child(&self.process);
        kill_process(process, signal).unwrap();
    }

    /// What it answers to `GET`.
    pub fn page(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        page
    }

    /// A number of its page for operators.
    pub fn metric(&self, name: &str) -> u64 {
        let page = self.page("/metrics");
        let line = page.lines().find_map(|line| line.strip_prefix(name));
        let number = line.unwrap_or_else(|| panic!("no {name}: {page}"));
        number.trim().parse().unwrap()
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if self.process.kill().is_ok() {
            let _ = self.process.wait();
        }
    }
}
