//! `switchroom backup` and `switchroom restore`: a data folder copied while a server writes it,
//! and put in the place of one that is gone.

use super::doctor::examine;
use super::load::load;
use super::store::{data_folder, workspaces};
use super::{Failure, Settings};
use crate::config::Server;
use crate::engine::clock::Clock;
use crate::journal::Epoch;
use crate::journal::folder::Folder;
use crate::journal::history;
use crate::journal::sqlite::{FILE, Moment, epoch_of, rename, tidy};
use clap::Args;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The file that reports are read from, beside the log, where there is one.
const HISTORY: &str = history::FILE;
/// The name of the signing key in a backup.
const KEY: &str = "signing.key";

/// Copy a data folder, also while a server uses it.
#[derive(Args, Debug)]
pub struct Backup {
    /// Which one.
    #[command(flatten)]
    pub settings: Settings,
    /// Folder to make; it must not be there, or be empty.
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    /// Copy the key that signs tokens, too: whoever reads the backup can then sign in as anybody.
    #[arg(long)]
    pub with_key: bool,
}

/// Put a backup in the place of a data folder that is gone.
#[derive(Args, Debug)]
pub struct Restore {
    /// Where it is to be.
    #[command(flatten)]
    pub settings: Settings,
    /// The backup.
    #[arg(long, value_name = "DIR")]
    pub from: PathBuf,
}

impl Backup {
    pub(super) fn run(&self, out: &mut impl Write) -> Result<ExitCode, Failure> {
        let data = data_folder(&self.settings)?;
        let names = workspaces(&data)?;
        if names.is_empty() {
            let text = format!("{} has no log of any workspace", data.display());
            return Err(Failure::Unknown(text));
        }
        if fs::read_dir(&self.to).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(Failure::Exists(self.to.clone()));
        }
        // What has the name of the backup is a whole one.
        let draft = beside(&self.to, ".part");
        make_folder(&draft)?;
        let made = self.fill(&data, &names, &draft, out);
        if made.is_err() {
            // What was made of it is of no use; the reason is told below.
            let _ = fs::remove_dir_all(&draft);
        }
        made?;
        fs::rename(&draft, &self.to).map_err(failed(&self.to))?;
        sync(parent(&self.to))?;
        writeln!(out, "backed up into {}", self.to.display())?;
        Ok(ExitCode::SUCCESS)
    }

    fn fill(
        &self,
        data: &Path,
        names: &[String],
        draft: &Path,
        out: &mut impl Write,
    ) -> Result<(), Failure> {
        for name in names {
            copy(&data.join(name), &draft.join(name))?;
        }
        if self.with_key {
            copy_key(&self.key(data)?, &draft.join(KEY))?;
        }
        if examine(draft, &self.settings, out)? > 0 {
            let text = "the copy is not whole, so it was removed: see above".to_owned();
            return Err(Failure::Unknown(text));
        }
        for name in names {
            for file in [FILE, HISTORY] {
                let file = draft.join(name).join(file);
                tidy(&file).map_err(failed(&file))?;
            }
            sync(&draft.join(name))?;
        }
        sync(draft)
    }

    /// Where the key is that is to be copied.
    fn key(&self, data: &Path) -> Result<PathBuf, Failure> {
        let server = match &self.settings.config {
            Some(_) => load(&self.settings)?.0.server,
            None => Server {
                data: data.to_path_buf(),
                ..Server::default()
            },
        };
        Ok(server.key_path())
    }
}

/// Copies the files of a workspace. What reports are read from follows the log, so its moment is
/// the earlier one; both are held before anything is copied, so that the log still has whatever
/// the other has not yet read.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let history = from.join(HISTORY);
    let history = history.exists().then(|| Moment::of(&history)).transpose()?;
    let log = Moment::of(&from.join(FILE))?;
    make_folder(to)?;
    if let Some(history) = history {
        history.copy_to(&to.join(HISTORY))?;
    }
    Ok(log.copy_to(&to.join(FILE))?)
}

impl Restore {
    pub(super) fn run(&self, out: &mut impl Write) -> Result<ExitCode, Failure> {
        let data = data_folder(&self.settings)?;
        if examine(&self.from, &self.settings, out)? > 0 {
            let text = format!("{} is not whole: nothing was restored", self.from.display());
            return Err(Failure::Unknown(text));
        }
        let names = workspaces(&self.from)?;
        for name in &names {
            let log = data.join(name).join(FILE);
            if log.exists() {
                return Err(Failure::Exists(log));
            }
        }
        make_folder(&data)?;
        for name in &names {
            restore(&self.from.join(name), &data.join(name))?;
        }
        let (kept, key) = (self.from.join(KEY), data.join(KEY));
        if kept.exists() && !key.exists() {
            copy_key(&kept, &key)?;
        }
        sync(&data)?;
        writeln!(out, "restored into {}", data.display())?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The log comes last: a folder without it is not taken for one that was restored.
fn restore(from: &Path, to: &Path) -> Result<(), Failure> {
    let folder = Folder::take(to)?;
    let draft = |file: &str| beside(&folder.path().join(file), ".part");
    let drafts = [HISTORY, FILE].map(draft);
    for draft in &drafts {
        // An earlier restore may have been stopped.
        let _ = fs::remove_file(draft);
    }
    let [history, log] = &drafts;
    Moment::of(&from.join(FILE))?.copy_to(log)?;
    let old = epoch_of(log)?;
    let new = Epoch(Clock::system().now().0.max(old.0 + 1));
    if from.join(HISTORY).exists() {
        Moment::of(&from.join(HISTORY))?.copy_to(history)?;
        rename(history, old, new)?;
        tidy(history).map_err(failed(history))?;
        fs::rename(history, to.join(HISTORY)).map_err(failed(history))?;
    }
    rename(log, old, new)?;
    tidy(log).map_err(failed(log))?;
    fs::rename(log, to.join(FILE)).map_err(failed(log))?;
    sync(to)
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

fn parent(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

fn make_folder(path: &Path) -> Result<(), Failure> {
    let mut folder = DirBuilder::new();
    let made = folder.recursive(true).mode(0o700).create(path);
    made.map_err(failed(path))
}

fn copy_key(from: &Path, to: &Path) -> Result<(), Failure> {
    let key = fs::read(from).map_err(failed(from))?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)
        .map_err(failed(to))?;
    file.write_all(&key)
        .and_then(|()| file.sync_all())
        .map_err(failed(to))
}

fn sync(folder: &Path) -> Result<(), Failure> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(failed(folder))
}

fn failed(file: &Path) -> impl Fn(io::Error) -> Failure + '_ {
    |error| Failure::File {
        file: file.to_path_buf(),
        error,
    }
}
