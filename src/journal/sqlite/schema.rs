//! The file's tables, and how it is opened.

use super::super::Epoch;
use super::Medium;
use crate::time::Instant;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What SQLite files of this program say they are: "SwrL".
const APPLICATION: i32 = 0x5377_724c;
/// Version of the tables and of what is in them: one for each step of `STEPS`.
pub const FORMAT: i32 = 2;
/// What the write-ahead log shrinks to once it is copied, in bytes.
const WAL_LIMIT: i64 = 64 * 1_024 * 1_024;
/// Waits so long for whoever reads the file from outside.
pub(super) const BUSY: Duration = Duration::from_secs(10);

/// What makes each version of the file from the one before it, from an empty file on. A step that
/// has been released never changes.
const STEPS: [&str; FORMAT as usize] = [FIRST, SECOND];

const FIRST: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE names (kind TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (kind, number)) WITHOUT ROWID;
CREATE TABLE batches (
    seq INTEGER PRIMARY KEY, -- position of its first event
    last INTEGER NOT NULL,   -- position of its last event
    source TEXT NOT NULL,    -- floor, board, or queue and its number
    crc INTEGER NOT NULL,    -- CRC-32 of body
    body BLOB NOT NULL       -- MessagePack: position, time, who, event; one after the other
);
CREATE TABLE content (
    seq INTEGER PRIMARY KEY, -- the event that it came with
    contact TEXT NOT NULL,
    customer TEXT,           -- the connector's id of the customer
    body TEXT NOT NULL       -- JSON
);
CREATE INDEX content_contact ON content (contact);
CREATE INDEX content_customer ON content (customer) WHERE customer IS NOT NULL;
";

const SECOND: &str = "
ALTER TABLE content ADD COLUMN kind TEXT NOT NULL DEFAULT 'contact'; -- contact: customer and attributes from then on; note
UPDATE content SET kind = 'note' WHERE json_extract(body, '$.note') IS NOT NULL;
INSERT INTO meta (key, value) SELECT 'began', value FROM meta WHERE key = 'epoch'; -- time in ms
CREATE TABLE snapshots (
    seq INTEGER PRIMARY KEY, -- position of the last event in it
    at INTEGER NOT NULL,     -- time of that event, in ms since 1970
    pieces INTEGER NOT NULL  -- how many there are
);
CREATE TABLE pieces (
    snapshot INTEGER NOT NULL,
    number INTEGER NOT NULL, -- from 0
    source TEXT NOT NULL,    -- whose: floor, board, index, closed, or queue and its number
    crc INTEGER NOT NULL,    -- CRC-32 of body
    body BLOB NOT NULL,      -- MessagePack of the source, cut
    PRIMARY KEY (snapshot, number)
);
CREATE TABLE keys (
    number INTEGER PRIMARY KEY,
    user INTEGER NOT NULL,   -- whose: a number in names
    key BLOB NOT NULL,       -- digest of the key
    content BLOB NOT NULL,   -- digest of what was asked with it
    at INTEGER NOT NULL,     -- when it was first used
    seq INTEGER NOT NULL,    -- a position that includes the effect
    answer BLOB NOT NULL     -- JSON
);
CREATE TABLE sessions (
    number INTEGER PRIMARY KEY,
    user INTEGER NOT NULL,       -- whose: a number in names
    generation INTEGER NOT NULL, -- of the sign-in
    secret BLOB NOT NULL         -- digest of the session's secret
);
CREATE INDEX sessions_user ON sessions (user);
";

/// Why a log could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not made by this program.
    #[error("{0} is not a log of switchroom")]
    NotALog(PathBuf),
    /// Made by a later version of it.
    #[error(
        "{path} has format {found}; this version of switchroom knows {FORMAT}: use the version that wrote it, or a later one"
    )]
    Newer {
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
    /// A thread could not be started.
    #[error(transparent)]
    Thread(#[from] std::io::Error),
}

/// Opens the file, makes its tables if it is new, and checks that it is one of ours.
pub(super) fn open(path: &Path, on: Medium) -> Result<Connection, OpenError> {
    let sqlite = |error| OpenError::Sqlite {
        path: path.to_path_buf(),
        error,
    };
    let mut connection = connect(path, on).map_err(sqlite)?;
    let (application, format) = marks(&connection).map_err(sqlite)?;
    if format > FORMAT && application == APPLICATION {
        return Err(OpenError::Newer {
            path: path.to_path_buf(),
            found: format,
        });
    }
    let new = application == 0 && format == 0 && is_empty(&connection).map_err(sqlite)?;
    if !new && (application != APPLICATION || format < 1) {
        return Err(OpenError::NotALog(path.to_path_buf()));
    }
    if format < FORMAT {
        migrate(&mut connection, format).map_err(sqlite)?;
    }
    Ok(connection)
}

/// Opens the file of a log that is there, to read it and nothing else. Older versions are read as
/// they are.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, OpenError> {
    let sqlite = |error| OpenError::Sqlite {
        path: path.to_path_buf(),
        error,
    };
    let connection = reading(path).map_err(sqlite)?;
    let (application, format) = marks(&connection).map_err(sqlite)?;
    if application != APPLICATION || format < 1 {
        return Err(OpenError::NotALog(path.to_path_buf()));
    }
    if format > FORMAT {
        return Err(OpenError::Newer {
            path: path.to_path_buf(),
            found: format,
        });
    }
    Ok(connection)
}

/// A connection that only reads. SQLite needs to write beside a file in write-ahead mode even to
/// read it; where that cannot be, and nothing was left there to be read, the file is taken for one
/// that nobody changes.
pub(super) fn reading(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    let Err(error) = marks(&connection) else {
        return Ok(connection);
    };
    let mut beside = path.as_os_str().to_owned();
    beside.push("-wal");
    let left = fs::metadata(beside).is_ok_and(|found| found.len() > 0);
    let cannot = matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly)
    );
    if left || !cannot {
        return Err(error);
    }
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                uri.push(char::from(*byte));
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri.push_str("?immutable=1");
    Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)
}

/// A connection with this program's settings.
pub(super) fn connect(path: &Path, on: Medium) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = match on.vfs {
        Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs)?,
        None => Connection::open_with_flags(path, flags)?,
    };
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", WAL_LIMIT)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "secure_delete", true)?;
    Ok(connection)
}

pub(super) fn marks(connection: &Connection) -> rusqlite::Result<(i32, i32)> {
    let mark = |name| connection.pragma_query_value(None, name, |row| row.get(0));
    Ok((mark("application_id")?, mark("user_version")?))
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| {
        row.get(0)
    })
}

/// Takes every step from a version to this one, or none.
fn migrate(connection: &mut Connection, from: i32) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in STEPS.iter().skip(from.unsigned_abs() as usize) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.commit()
}

/// The name of the log and when it began, given to it when it was new.
pub(super) fn epoch(connection: &Connection, now: Instant) -> Result<(Epoch, Instant), OpenError> {
    let sqlite = |error| OpenError::Sqlite {
        path: connection.path().unwrap_or_default().into(),
        error,
    };
    connection
        .execute(
            "INSERT OR IGNORE INTO meta (key, value) VALUES ('epoch', ?1), ('began', ?1)",
            [now.0.cast_signed()],
        )
        .map_err(sqlite)?;
    let meta = |key: &str| {
        let value = connection.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| {
            row.get::<_, i64>(0)
        });
        value.map(i64::cast_unsigned).map_err(sqlite)
    };
    Ok((Epoch(meta("epoch")?), Instant(meta("began")?)))
}
