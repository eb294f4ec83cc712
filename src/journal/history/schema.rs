//! The file `history.db`: its tables, how it is opened, and which log it is of.

use crate::id::Seq;
use crate::journal::Epoch;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the file says it is: "SwrH".
const APPLICATION: i32 = 0x5377_7248;
/// Steps from one version of the tables to the next; the first makes them.
const MIGRATIONS: &[&str] = &[include_str!("tables.sql")];
/// Version of the tables and of what is in them.
pub const FORMAT: i32 = MIGRATIONS.len() as i32;
/// Waits so long for whoever else has the file.
const BUSY: Duration = Duration::from_secs(10);
/// What the write-ahead log shrinks to once it is copied, in bytes.
const WAL_LIMIT: i64 = 16 * 1_024 * 1_024;

/// Why a history cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is none.
    #[error("there is no history at {0}: a server that keeps its log on disk makes it")]
    None(PathBuf),
    /// Not made by this program.
    #[error("{0} is not a history of switchroom; move it away, and a new one is made")]
    NotOurs(PathBuf),
    /// Made by a later version of it.
    #[error(
        "{path} has format {found}; this version of switchroom knows {FORMAT}: use the version that wrote it or a later one, or move the file away, and a new one is made of what the log holds"
    )]
    Newer {
        /// Where.
        path: PathBuf,
        /// Its format.
        found: i32,
    },
    /// Made by an earlier version, and not to be changed now.
    #[error("{path} has format {found}; the next start of a server brings it to format {FORMAT}")]
    Older {
        /// Where.
        path: PathBuf,
        /// Its format.
        found: i32,
    },
    /// SQLite refuses.
    #[error("{path}: {error}")]
    Sqlite {
        /// Where.
        path: PathBuf,
        /// Why.
        error: rusqlite::Error,
    },
}

/// Opens the file for the one who writes it; makes it if there is none, and brings its tables
/// to this version.
pub(super) fn open(path: &Path) -> Result<Connection, OpenError> {
    let sqlite = |error| OpenError::Sqlite {
        path: path.to_path_buf(),
        error,
    };
    let mut connection = Connection::open(path).map_err(sqlite)?;
    set_up(&connection).map_err(sqlite)?;
    let (application, format) = marks(&connection).map_err(sqlite)?;
    let new = application == 0 && format == 0 && is_empty(&connection).map_err(sqlite)?;
    if application != APPLICATION && !new {
        return Err(OpenError::NotOurs(path.to_path_buf()));
    }
    let Some(steps) = usize::try_from(format)
        .ok()
        .and_then(|n| MIGRATIONS.get(n..))
    else {
        return Err(OpenError::Newer {
            path: path.to_path_buf(),
            found: format,
        });
    };
    migrate(&mut connection, steps).map_err(sqlite)?;
    Ok(connection)
}

/// Opens the file to be read, also while a server writes it.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, OpenError> {
    if !path.exists() {
        return Err(OpenError::None(path.to_path_buf()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    open_as_is(path, flags)
}

/// Opens the file beside the server that writes it, to change what is in it.
pub(in crate::journal) fn open_beside(path: &Path) -> Result<Connection, OpenError> {
    if !path.exists() {
        return Err(OpenError::None(path.to_path_buf()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open_as_is(path, flags)?;
    set_up(&connection).map_err(|error| OpenError::Sqlite {
        path: path.to_path_buf(),
        error,
    })?;
    Ok(connection)
}

fn open_as_is(path: &Path, flags: OpenFlags) -> Result<Connection, OpenError> {
    let opened = Connection::open_with_flags(path, flags).and_then(|connection| {
        connection.busy_timeout(BUSY)?;
        Ok((marks(&connection)?, connection))
    });
    let ((application, format), connection) = opened.map_err(|error| OpenError::Sqlite {
        path: path.to_path_buf(),
        error,
    })?;
    let path = || path.to_path_buf();
    if application != APPLICATION {
        return Err(OpenError::NotOurs(path()));
    }
    match format {
        FORMAT => Ok(connection),
        found if found > FORMAT => Err(OpenError::Newer {
            path: path(),
            found,
        }),
        found => Err(OpenError::Older {
            path: path(),
            found,
        }),
    }
}

/// `NORMAL` is enough: the position is in the transaction of its rows, so that what a power cut
/// takes away is taken from the log once more. The log is asked to keep what is not yet synced.
fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", WAL_LIMIT)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "secure_delete", true)?;
    // A statement is planned once, and not anew for the values of each row.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn marks(connection: &Connection) -> rusqlite::Result<(i32, i32)> {
    let mark = |name| connection.pragma_query_value(None, name, |row| row.get(0));
    Ok((mark("application_id")?, mark("user_version")?))
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    let empty = "SELECT count(*) = 0 FROM sqlite_schema";
    connection.query_row(empty, [], |row| row.get(0))
}

fn migrate(connection: &mut Connection, steps: &[&str]) -> rusqlite::Result<()> {
    if steps.is_empty() {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    for step in steps {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.commit()
}

fn number(connection: &Connection, key: &str) -> rusqlite::Result<Option<u64>> {
    let mut value = connection.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
    let value = value.query_row([key], |row| row.get::<_, i64>(0));
    Ok(value.optional()?.map(i64::cast_unsigned))
}

fn set(connection: &Connection, key: &str, value: u64) -> rusqlite::Result<()> {
    let set = "INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)";
    let mut set = connection.prepare_cached(set)?;
    set.execute(params![key, value.cast_signed()]).map(|_| ())
}

/// The log it is of; none while it is new.
pub(super) fn epoch(connection: &Connection) -> rusqlite::Result<Option<Epoch>> {
    Ok(number(connection, "epoch")?.map(Epoch))
}

/// Says which log it is of.
pub(super) fn begin(connection: &Connection, epoch: Epoch) -> rusqlite::Result<()> {
    set(connection, "epoch", epoch.0)
}

/// The last position of the log that was taken in.
pub(in crate::journal) fn position(connection: &Connection) -> rusqlite::Result<Seq> {
    Ok(Seq(number(connection, "position")?.unwrap_or(0)))
}

/// The log was taken in up to there.
pub(super) fn move_to(connection: &Connection, position: Seq) -> rusqlite::Result<()> {
    set(connection, "position", position.0)
}
