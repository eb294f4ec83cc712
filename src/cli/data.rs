//! The data folder of a server: the logs of its workspaces.

use super::Failure;
use crate::config::{Config, Server};
use crate::directory::Known;
use crate::domain::rules::Workspace;
use crate::engine::OpenJournal;
use crate::engine::clock::Clock;
use crate::journal::folder::Folder;
use crate::journal::history::{History, Retention, Targets};
use crate::journal::space::{FolderDisk, Looker, Space, Watch};
use crate::journal::sqlite::Sqlite;
use crate::time::Instant;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

/// Logs that are open, by workspace.
#[derive(Debug, Default)]
pub struct Data {
    logs: BTreeMap<String, Sqlite>,
    /// The room they have, and the thread that looks at it.
    room: Option<(Arc<Space>, Watch)>,
}

impl Data {
    /// Opens the log of every workspace, each in a folder of its own; none where the
    /// configuration wants it in memory.
    ///
    /// # Errors
    /// A folder is in use, or a log is not one of ours, newer than this program, or damaged.
    pub fn open(config: &Config, now: Instant) -> Result<Self, Failure> {
        let mut logs = BTreeMap::new();
        if config.server.durable {
            for workspace in &config.workspaces {
                let name = &workspace.rules.name;
                let folder = Folder::take(&config.server.data.join(name))?;
                logs.insert(name.clone(), Sqlite::open(folder, now)?);
            }
        }
        let room = config.server.durable.then(|| watch(&config.server));
        let room = room.transpose().map_err(Failure::Start)?;
        Ok(Self { logs, room })
    }

    /// The room that the logs have; none where they are in memory.
    #[must_use]
    pub fn space(&self) -> Option<Arc<Space>> {
        self.room.as_ref().map(|(space, _)| Arc::clone(space))
    }

    /// The names that the logs know, by workspace.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn known(&self) -> Result<BTreeMap<String, Known>, Failure> {
        let logs = self.logs.iter();
        logs.map(|(workspace, log)| Ok((workspace.clone(), log.names()?)))
            .collect()
    }

    /// When the last event of a workspace's log was.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn last_at(&self, workspace: &str) -> Result<Instant, Failure> {
        let last = self.logs.get(workspace).map(Sqlite::last).transpose()?;
        Ok(last.flatten().map_or(Instant(0), |(_, at)| at))
    }

    /// The history of a workspace, kept beside its log until the server stops. None where the
    /// journal is in memory.
    ///
    /// # Errors
    /// When the file is not one of ours, or newer than this program, or cannot be used.
    pub fn history(
        &self,
        keep: Retention,
        rules: &Workspace,
        clock: &Clock,
    ) -> Result<Option<History>, Failure> {
        let Some(log) = self.logs.get(&rules.name) else {
            return Ok(None);
        };
        let (path, clock) = (log.path(), clock.clone());
        let folder = path.parent().unwrap_or(&path);
        let history = History::start(folder, keep, Targets::of(rules), &log.holds(), move || {
            clock.now()
        })?;
        Ok(Some(history))
    }

    /// How the journal of a workspace is opened, which goes by these names from now on. None
    /// where it is in memory.
    ///
    /// # Errors
    /// When new names cannot be kept.
    pub fn journal(
        &mut self,
        workspace: &str,
        names: &Known,
    ) -> Result<Option<OpenJournal>, Failure> {
        let Some(mut log) = self.logs.remove(workspace) else {
            return Ok(None);
        };
        log.keep_names(names)?;
        Ok(Some(Box::new(|opening| {
            let log = log.start(opening).map_err(io::Error::other)?;
            Ok(Arc::new(log))
        })))
    }
}

fn watch(server: &Server) -> io::Result<(Arc<Space>, Watch)> {
    let space = Space::new(server.low_space);
    let disk = Box::new(FolderDisk::new(&server.data));
    let watch = Watch::start(Looker::new(Arc::clone(&space), disk))?;
    Ok((space, watch))
}
