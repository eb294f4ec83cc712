//! The folder of one workspace's log. One process at a time uses it.

use rustix::fs::{FlockOperation, flock};
use rustix::process::Pid;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Name of the file that says who uses the folder.
const LOCK: &str = "lock";

/// A folder that nobody else uses, until it is dropped.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Somebody uses it.
    #[error("{path} is in use by {who}; stop that process or name another data folder")]
    InUse {
        /// Where.
        path: PathBuf,
        /// Name and number of the process.
        who: String,
    },
    /// The system refuses.
    #[error("{path}: {error}")]
    File {
        /// Where.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl Folder {
    /// Makes the folder unless it is there, and takes it for this process.
    ///
    /// # Errors
    /// When another process uses it, or the system refuses.
    pub fn take(path: &Path) -> Result<Self, FolderError> {
        let file = path.join(LOCK);
        let failed = |error| FolderError::File {
            path: file.clone(),
            error,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|error| FolderError::File {
                path: path.to_path_buf(),
                error,
            })?;
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&file)
            .map_err(failed)?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            let mut who = String::new();
            // Whoever has just taken it may not have said who it is.
            let _ = lock.read_to_string(&mut who);
            let who = who.trim();
            return Err(FolderError::InUse {
                path: path.to_path_buf(),
                who: if who.is_empty() {
                    "another process"
                } else {
                    who
                }
                .to_owned(),
            });
        }
        let name = std::env::current_exe().ok();
        let name = name.as_deref().and_then(Path::file_name);
        let name = name.map_or_else(|| "switchroom".into(), |name| name.to_string_lossy());
        lock.set_len(0).map_err(failed)?;
        lock.rewind().map_err(failed)?;
        writeln!(lock, "{name} (process {})", std::process::id()).map_err(failed)?;
        Ok(Self {
            path: path.to_path_buf(),
            _lock: lock,
        })
    }

    /// The process that uses a folder; none if nobody does.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn user(path: &Path) -> Result<Option<Pid>, FolderError> {
        let file = path.join(LOCK);
        let mut lock = match File::open(&file) {
            Ok(lock) => lock,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(FolderError::File { path: file, error }),
        };
        if flock(&lock, FlockOperation::NonBlockingLockShared).is_ok() {
            return Ok(None);
        }
        let mut who = String::new();
        lock.read_to_string(&mut who)
            .map_err(|error| FolderError::File { path: file, error })?;
        let number = who.rsplit_once("(process ").and_then(|(_, rest)| {
            let number = rest.trim().strip_suffix(')')?;
            number.parse().ok()
        });
        Ok(number.and_then(Pid::from_raw))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::{Folder, FolderError};

    #[test]
    fn one_process_at_a_time_uses_a_folder_and_the_next_hears_who_does() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data/main");
        let first = Folder::take(&path).unwrap();
        let Err(FolderError::InUse { who, .. }) = Folder::take(&path) else {
            panic!("taken twice");
        };
        let me = format!("(process {})", std::process::id());
        assert!(who.ends_with(&me), "{who}");
        let user = Folder::user(&path).unwrap().unwrap();
        assert_eq!(
            user.as_raw_nonzero().get().unsigned_abs(),
            std::process::id()
        );
        drop(first);
        assert_eq!(Folder::user(&path).unwrap(), None);
        assert_eq!(Folder::take(&path).unwrap().path(), path);
    }
}
