//! `switchroom token`

use super::{Failure, Settings, load, signing_key};
use crate::config::{Config, Workspace};
use crate::domain::near::did_you_mean;
use crate::engine::clock::Clock;
use crate::time::Span;
use clap::Args;
use std::io::Write;
use std::process::ExitCode;

/// Print a token with which a user or connector signs in.
#[derive(Args, Debug)]
pub struct Token {
    /// Name of the user or connector.
    #[arg(long, value_name = "NAME")]
    pub user: String,
    /// Workspace; needed where the configuration has several.
    #[arg(long, value_name = "NAME")]
    pub workspace: Option<String>,
    /// How long it is valid: "30m", "8h", "7d".
    #[arg(long, value_name = "TIME", default_value = "8h", value_parser = lasts)]
    pub ttl: Span,
    /// By what the server runs.
    #[command(flatten)]
    pub settings: Settings,
}

fn lasts(text: &str) -> Result<Span, String> {
    match crate::config::length(text) {
        Some(span) if span >= Span::seconds(1) => Ok(span),
        Some(_) | None => Err("expected a length of time such as \"30m\", \"8h\" or \"7d\"".into()),
    }
}

impl Token {
    pub(super) fn run(&self, out: &mut impl Write) -> Result<ExitCode, Failure> {
        let (config, _) = load(&self.settings)?;
        let workspace = workspace(&config, self.workspace.as_deref())?;
        let names = workspace.directory.names();
        if names.user(&self.user).is_none() {
            let (name, known) = (&workspace.rules.name, || names.users.iter());
            let meant = did_you_mean(&self.user, known());
            let listed = match known().len() {
                1..=12 if meant.is_empty() => {
                    format!("; there are {}", known().collect::<Vec<_>>().join(", "))
                }
                _ => meant,
            };
            return Err(Failure::Unknown(format!(
                "workspace {name} has no user or connector \"{}\"{listed}",
                self.user
            )));
        }
        let key = signing_key(&config.server)?;
        let token = key
            .mint(
                &self.user,
                &workspace.rules.name,
                Clock::system().now(),
                self.ttl,
            )
            .map_err(super::KeyFileError::from)?;
        writeln!(out, "{token}")?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The workspace that is named, or the only one.
pub(super) fn workspace<'a>(
    config: &'a Config,
    name: Option<&str>,
) -> Result<&'a Workspace, Failure> {
    let known: Vec<&str> = config
        .workspaces
        .iter()
        .map(|workspace| workspace.rules.name.as_str())
        .collect();
    let found = match (name, config.workspaces.as_slice()) {
        (Some(name), _) => config.workspace(name),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    found.ok_or_else(|| {
        Failure::Unknown(match name {
            Some(name) => format!(
                "there is no workspace \"{name}\"; there are {}",
                known.join(", ")
            ),
            None => format!(
                "there are several workspaces, name one with --workspace: {}",
                known.join(", ")
            ),
        })
    })
}
