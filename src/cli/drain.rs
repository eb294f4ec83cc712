//! `switchroom drain`: asks the server for it over HTTP, with a token signed by its own key.

use super::{Failure, Settings, load, signing_key};
use crate::access::privilege::Privilege;
use crate::config::{Config, Workspace};
use crate::engine::clock::Clock;
use crate::time::Span;
use clap::Args;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

/// The token is for one request.
const TOKEN_LASTS: Span = Span::seconds(60);
/// The server answers by then.
const PATIENCE: Duration = Duration::from_secs(30);

/// Take no new contacts any more; what is there is finished.
#[derive(Args, Debug)]
pub struct Drain {
    /// By what the server runs.
    #[command(flatten)]
    pub settings: Settings,
    /// Take new contacts again.
    #[arg(long)]
    pub cancel: bool,
    /// The workspace; every one if not given.
    #[arg(long, value_name = "NAME")]
    pub workspace: Option<String>,
    /// In whose name; the first user with `workspace.drain` if not given.
    #[arg(long, value_name = "LOGIN")]
    pub user: Option<String>,
    /// Where the server listens, in place of the address that the file names.
    #[arg(long, value_name = "ADDRESS")]
    pub address: Option<SocketAddr>,
}

impl Drain {
    pub(super) fn run(&self, out: &mut impl Write) -> Result<ExitCode, Failure> {
        let (config, _) = load(&self.settings)?;
        let key = signing_key(&config.server)?;
        for workspace in self.workspaces(&config)? {
            let name = &workspace.rules.name;
            let user = self.user(workspace)?;
            let now = Clock::system().now();
            let token = key.mint(&user, name, now, TOKEN_LASTS);
            let token = token.map_err(|error| Failure::Unknown(error.to_string()))?;
            self.ask(&config, &token)?;
            let is = if self.cancel {
                "takes new contacts again"
            } else {
                "drains: no new contacts are taken"
            };
            writeln!(out, "workspace {name} {is}")?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn workspaces<'a>(&self, config: &'a Config) -> Result<Vec<&'a Workspace>, Failure> {
        let Some(name) = &self.workspace else {
            return Ok(config.workspaces.iter().collect());
        };
        let found = config.workspace(name);
        let found = found.ok_or_else(|| Failure::Unknown(format!("there is no workspace {name}")));
        found.map(|workspace| vec![workspace])
    }

    fn user(&self, workspace: &Workspace) -> Result<String, Failure> {
        if let Some(user) = &self.user {
            return Ok(user.clone());
        }
        let mut users = workspace.directory.iter();
        let user = users.find(|user| user.holds(Privilege::WorkspaceDrain));
        let user = user.ok_or_else(|| {
            Failure::Unknown(format!(
                "no user of workspace {} has workspace.drain; the role admin gives it",
                workspace.rules.name
            ))
        });
        user.map(|user| user.login().to_owned())
    }

    fn ask(&self, config: &Config, token: &str) -> Result<(), Failure> {
        let address = self.address.unwrap_or_else(|| near(config.server.listen));
        let body = format!("{{\"cancel\":{}}}", self.cancel);
        let request = format!(
            "POST /v1/methods/workspace.drain HTTP/1.1\r\nHost: {address}\r\n\
             Authorization: Bearer {token}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let answer = exchange(address, &request).map_err(|error| {
            Failure::Unknown(format!("the server at {address} did not answer: {error}"))
        })?;
        if answer.starts_with("HTTP/1.1 200 ") {
            return Ok(());
        }
        let said = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let problem: Option<serde_json::Value> = serde_json::from_str(said).ok();
        let detail = problem
            .as_ref()
            .and_then(|problem| problem["detail"].as_str());
        let detail = detail.unwrap_or("the server said nothing that is known");
        Err(Failure::Unknown(detail.to_owned()))
    }
}

/// An address of this machine for one on which the server listens.
fn near(listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), listen.port())
    } else {
        listen
    }
}

fn exchange(address: SocketAddr, request: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
