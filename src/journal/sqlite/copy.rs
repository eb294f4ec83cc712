//! Copies of a file as it stands at one moment, while somebody else writes it.

use super::schema;
use crate::journal::Epoch;
use rusqlite::Connection;
use rusqlite::backup::Backup;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// A file of SQLite at one moment. As long as this lives, its write-ahead log is not shortened.
#[derive(Debug)]
pub struct Moment {
    connection: Connection,
    path: PathBuf,
}

/// Why a copy could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// SQLite refuses.
    #[error("{}: {error}", path.display())]
    Sqlite {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: rusqlite::Error,
    },
    /// The system refuses.
    #[error("{}: {error}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl Moment {
    /// The file as it is now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(path: &Path) -> Result<Self, CopyError> {
        let sqlite = failed(path);
        let connection = schema::reading(path).map_err(&sqlite)?;
        // The moment is that of the first look, and not that of the statement before it.
        connection
            .execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema")
            .map_err(&sqlite)?;
        Ok(Self {
            connection,
            path: path.to_path_buf(),
        })
    }

    /// Copies it into a file that is not there yet, and syncs that.
    ///
    /// # Errors
    /// When there is one, or it cannot be written.
    pub fn copy_to(&self, path: &Path) -> Result<(), CopyError> {
        let file = |error| CopyError::File {
            path: path.to_path_buf(),
            error,
        };
        File::create_new(path).map_err(file)?;
        let mut copy = Connection::open(path).map_err(failed(path))?;
        // A copy that is not whole is none: no journal has to bring it back.
        copy.pragma_update(None, "journal_mode", "OFF")
            .and_then(|()| copy.pragma_update(None, "synchronous", "OFF"))
            .map_err(failed(path))?;
        Backup::new(&self.connection, &mut copy)
            .and_then(|backup| backup.step(-1))
            .map_err(failed(&self.path))?;
        copy.close().map_err(|(_, error)| failed(path)(error))?;
        File::open(path)
            .and_then(|file| file.sync_all())
            .map_err(file)
    }
}

fn failed(path: &Path) -> impl Fn(rusqlite::Error) -> CopyError + '_ {
    |error| CopyError::Sqlite {
        path: path.to_path_buf(),
        error,
    }
}

/// Name of the log that is in this file, or that the history in it is of.
///
/// # Errors
/// When it cannot be read.
pub fn epoch_of(path: &Path) -> Result<Epoch, CopyError> {
    let copy = Connection::open(path).map_err(failed(path))?;
    let epoch = copy.query_row("SELECT value FROM meta WHERE key = 'epoch'", [], |row| {
        row.get::<_, i64>(0)
    });
    Ok(Epoch(epoch.map_err(failed(path))?.cast_unsigned()))
}

/// Gives the copy of a log, or of the history of one, another name: positions that were given out
/// after the copy was made are not those that a server gives out which goes on with it.
///
/// # Errors
/// When it cannot be written.
pub fn rename(path: &Path, from: Epoch, to: Epoch) -> Result<(), CopyError> {
    let sqlite = failed(path);
    let copy = Connection::open(path).map_err(&sqlite)?;
    copy.execute(
        "UPDATE meta SET value = ?2 WHERE key = 'epoch' AND value = ?1",
        [from.0.cast_signed(), to.0.cast_signed()],
    )
    .map_err(&sqlite)?;
    copy.close().map_err(|(_, error)| sqlite(error))?;
    let file = |error| CopyError::File {
        path: path.to_path_buf(),
        error,
    };
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(file)
}

/// Removes what reading left beside a file that nobody has open.
///
/// # Errors
/// When something was written there that is not in the file.
pub fn tidy(path: &Path) -> io::Result<()> {
    for end in ["-wal", "-shm"] {
        let mut beside = path.as_os_str().to_owned();
        beside.push(end);
        let beside = PathBuf::from(beside);
        match fs::metadata(&beside) {
            Ok(found) if end == "-shm" || found.len() == 0 => fs::remove_file(&beside)?,
            Ok(_) => {
                return Err(io::Error::other(format!(
                    "{} is not empty",
                    beside.display()
                )));
            }
            Err(_) => {}
        }
    }
    Ok(())
}
