//! Reading the configuration again while the server runs: on SIGHUP, which `switchroom reload`
//! sends.

use super::load::load_knowing;
use super::serve::Running;
use super::{Failure, Settings, load};
use crate::config::{Changes, Config};
use crate::journal::folder::Folder;
use clap::Args;
use rustix::process::{Signal, kill_process};
use std::io::Write;
use std::process::ExitCode;

/// Tell the server to read its configuration again.
#[derive(Args, Debug)]
pub struct Reload {
    /// By what the server runs.
    #[command(flatten)]
    pub settings: Settings,
}

impl Reload {
    /// Checks the file first: of one with errors the server is not told.
    pub(super) fn run(&self, out: &mut impl Write) -> Result<ExitCode, Failure> {
        let (config, from) = load(&self.settings)?;
        writeln!(out, "{}", super::check::summary(&config, &from))?;
        for workspace in &config.workspaces {
            let folder = config.server.data.join(&workspace.rules.name);
            let Some(process) = Folder::user(&folder)? else {
                continue;
            };
            kill_process(process, Signal::HUP).map_err(|error| {
                Failure::Unknown(format!(
                    "process {} could not be told: {error}",
                    process.as_raw_nonzero()
                ))
            })?;
            writeln!(
                out,
                "process {} reads it now; its log says what has changed",
                process.as_raw_nonzero()
            )?;
            return Ok(ExitCode::SUCCESS);
        }
        Err(Failure::Unknown(format!(
            "no server uses {}",
            config.server.data.display()
        )))
    }
}

impl Running {
    /// Reads the configuration again and puts in force what has changed. One with errors changes
    /// nothing; either way the log says what came of it.
    pub async fn reload(&mut self, settings: &Settings) {
        let known = self.config().workspaces.iter();
        let known = known.map(|workspace| {
            let names = workspace.directory.names().known();
            (workspace.rules.name.clone(), names)
        });
        let read = load_knowing(settings, &known.collect());
        let in_force = match read {
            Ok((config, _)) => self.put_in_force(config).await,
            Err(error) => {
                tracing::error!(%error, "the configuration is not put in force");
                false
            }
        };
        self.doors().reloaded(in_force);
    }

    async fn put_in_force(&mut self, config: Config) -> bool {
        let changes = Changes::between(self.config(), &config);
        for finding in config.findings.lines() {
            tracing::warn!(%finding, "configuration");
        }
        for gate in self.doors().site().gates() {
            let Some(workspace) = config.workspace(gate.name()) else {
                continue;
            };
            let (rules, directory) = (&workspace.rules, &workspace.directory);
            let put = gate.put_in_force(rules, directory, config.digest).await;
            if let Err(stopping) = put {
                tracing::error!(%stopping, "the configuration is not put in force");
                return false;
            }
        }
        for (workspace, users) in &changes.rights {
            self.doors().rights_changed(workspace, users);
        }
        say(&changes);
        for gate in self.doors().site().gates() {
            gate.warn_of_gone_queues().await;
        }
        self.runs_by(config);
        true
    }
}

fn say(changes: &Changes) {
    for change in &changes.lines {
        tracing::info!(change, "configuration");
    }
    for setting in &changes.at_start {
        tracing::warn!(setting, "counts from the next start on");
    }
    let (now, later) = (changes.lines.len(), changes.at_start.len());
    tracing::info!(now, later, "the configuration was read again");
}
