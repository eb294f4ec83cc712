//! The folder of one workspace's log. One process at a time uses it.

use rustix::fs::{FlockOperation, flock, statfs};
use rustix::process::Pid;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Name of the file that says who uses the folder.
pub const LOCK: &str = "lock";

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
    /// Its disk is another machine's.
    #[error(
        "{path} is on a network file system ({kind}), where locks and syncs do not hold: \
         name a data folder on a disk of this machine"
    )]
    Network {
        /// Where.
        path: PathBuf,
        /// Which kind.
        kind: &'static str,
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
    /// When another process uses it, it is on a network file system, or the system refuses.
    pub fn take(path: &Path) -> Result<Self, FolderError> {
        Self::take_on(path, |path| Ok(statfs(path)?.f_type))
    }

    /// The same, told the kind of the file system by its magic number, as `statfs(2)` has it.
    fn take_on(
        path: &Path,
        file_system: impl FnOnce(&Path) -> io::Result<i64>,
    ) -> Result<Self, FolderError> {
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
        let kind = file_system(path).map_err(|error| FolderError::File {
            path: path.to_path_buf(),
            error,
        })?;
        if let Some(kind) = network(kind) {
            let path = path.to_path_buf();
            return Err(FolderError::Network { path, kind });
        }
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

/// The network file systems, by the numbers of `statfs(2)`.
fn network(magic: i64) -> Option<&'static str> {
    match magic {
        0x6969 => Some("NFS"),
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => Some("SMB"),
        0x0102_1997 => Some("9p"),
        0x00c3_6400 => Some("Ceph"),
        0x0bd0_0bd0 => Some("Lustre"),
        0x5346_414f | 0x6b41_4653 => Some("AFS"),
        0x4750_4653 => Some("GPFS"),
        0x7375_7245 => Some("Coda"),
        _ => None,
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

    #[test]
    fn a_folder_on_another_machine_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("main");
        let refused = Folder::take_on(&path, |_| Ok(0x6969)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!(
                "{} is on a network file system (NFS), where locks and syncs do not hold: name a \
                 data folder on a disk of this machine",
                path.display()
            )
        );
        assert!(!path.join(super::LOCK).exists(), "it is left alone");
        assert!(Folder::take_on(&path, |_| Ok(0xef53)).is_ok(), "ext4");
    }
}
