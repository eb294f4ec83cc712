//! `switchroom check`

use super::load::read;
use super::{Failure, Where};
use crate::config::{Config, Severity};
use clap::Args;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Check a configuration file.
#[derive(Args, Debug)]
pub struct Check {
    /// The file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Take warnings for errors.
    #[arg(long)]
    pub strict: bool,
}

impl Check {
    pub(super) fn run(&self, out: &mut impl Write) -> Result<ExitCode, Failure> {
        let (ok, findings) = match Config::check(read(&self.file)?) {
            Ok(config) => {
                writeln!(out, "{}", summary(&config, &Where::File(self.file.clone())))?;
                let warned = config.findings.count(Severity::Warning) > 0;
                (!(self.strict && warned), config.findings)
            }
            Err(findings) => (false, findings),
        };
        writeln!(out, "{findings}")?;
        Ok(if ok {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

/// What a configuration holds, a line for each workspace.
pub(super) fn summary(config: &Config, from: &Where) -> String {
    let from = match from {
        Where::BuiltIn => "built-in configuration".to_owned(),
        Where::File(file) => file.display().to_string(),
    };
    let lines: Vec<String> = config
        .workspaces
        .iter()
        .map(|workspace| {
            let rules = &workspace.rules;
            let queues = rules.queues.iter().filter(|queue| !queue.direct).count();
            let connectors = workspace
                .directory
                .iter()
                .filter(|user| user.is_integration())
                .count();
            format!(
                "{from}: workspace {}: {}, {}, {}, {}",
                rules.name,
                of(rules.channels.count(), "channel"),
                of(queues, "queue"),
                of(workspace.directory.names().people.len(), "user"),
                of(connectors, "connector"),
            )
        })
        .collect();
    lines.join("\n")
}

fn of(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
