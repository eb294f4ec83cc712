//! Tables beside the log: idempotency keys with their answers, and sessions of sign-ins. Keys are
//! added at one end and taken off at the other, by number, so that little of the file changes.

use super::read::ReadError;
use super::{Medium, names, schema};
use crate::id::{Generation, Seq, UserId};
use crate::journal::beside::{Beside, Configuration, Digest, KnownKey, Recall, SessionRow};
use crate::limits;
use crate::time::Instant;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

const KEY: &str = "INSERT OR REPLACE INTO keys (number, user, key, content, at, seq, answer) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const FORGET: &str = "DELETE FROM keys WHERE number = ?1";
const SESSION: &str = "INSERT INTO sessions (user, generation, secret) VALUES (?1, ?2, ?3)";
/// Sessions of older sign-ins go, and of this one the oldest.
const SUPERSEDED: &str = "DELETE FROM sessions WHERE user = ?1 AND (generation < ?2 OR number NOT IN (SELECT number FROM sessions WHERE user = ?1 ORDER BY number DESC LIMIT ?3))";
const CONFIGURATION: &str = "INSERT OR REPLACE INTO meta (key, value) VALUES ('configuration', ?1)";
const IN_FORCE: &str = "SELECT value FROM meta WHERE key = 'configuration'";
const KEYS: &str = "SELECT number, user, key, content, at FROM keys ORDER BY number";
const ANSWER: &str = "SELECT answer, seq FROM keys WHERE number = ?1";
const SESSIONS: &str = "SELECT user, generation, secret FROM sessions ORDER BY number";

/// Writes what lies beside the events of a group.
pub(super) fn write(transaction: &Transaction<'_>, beside: &[&Beside]) -> rusqlite::Result<()> {
    for row in beside.iter().flat_map(|beside| &beside.keys) {
        let mut forget = transaction.prepare_cached(FORGET)?;
        for number in &row.forgets {
            forget.execute([number.cast_signed()])?;
        }
        transaction.prepare_cached(KEY)?.execute(params![
            row.number.cast_signed(),
            row.user.0,
            row.key,
            row.content,
            row.at.0.cast_signed(),
            row.seq.0.cast_signed(),
            row.answer,
        ])?;
    }
    for row in beside.iter().flat_map(|beside| &beside.sessions) {
        transaction.prepare_cached(SESSION)?.execute(params![
            row.user.0,
            row.generation.0.cast_signed(),
            row.secret
        ])?;
        transaction.prepare_cached(SUPERSEDED)?.execute(params![
            row.user.0,
            row.generation.0.cast_signed(),
            i64::try_from(limits::LOST_SESSIONS_PER_USER).unwrap_or(i64::MAX)
        ])?;
    }
    for names in beside.iter().filter_map(|beside| beside.names.as_ref()) {
        names::write(transaction, names)?;
    }
    for configuration in beside.iter().filter_map(|beside| beside.configuration) {
        transaction.execute(CONFIGURATION, [configuration])?;
    }
    Ok(())
}

/// Puts a configuration in force at a start; whether it was in force before.
pub(super) fn go_on(
    connection: &Connection,
    now: Option<&Configuration>,
) -> rusqlite::Result<bool> {
    let before = connection
        .query_row(IN_FORCE, [], |row| row.get::<_, Option<Configuration>>(0))
        .optional()?
        .flatten();
    let same = now.is_some() && before.as_ref() == now;
    if !same {
        // Of one that is not known nothing is known later either.
        connection.execute(CONFIGURATION, [now])?;
    }
    Ok(same)
}

/// Reads those tables on a connection of its own, so that nobody who writes waits.
pub(super) struct Aside(Mutex<Connection>);

impl Aside {
    pub(super) fn open(path: &Path, on: Medium) -> Result<Self, ReadError> {
        Ok(Self(Mutex::new(schema::connect(path, on)?)))
    }

    /// Nothing between lock and unlock leaves the connection half changed.
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rows<T>(
        &self,
        sql: &str,
        row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, String> {
        let connection = self.connection();
        let mut statement = connection.prepare(sql).map_err(words)?;
        let rows = statement.query_map([], row).map_err(words)?;
        rows.collect::<rusqlite::Result<Vec<T>>>().map_err(words)
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is called by Result::map_err"
)]
fn words(error: rusqlite::Error) -> String {
    error.to_string()
}

fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(i64::cast_unsigned)
}

impl Recall for Aside {
    fn keys(&self) -> Result<Vec<KnownKey>, String> {
        self.rows(KEYS, |row| {
            Ok(KnownKey {
                number: number(row, 0)?,
                user: UserId(row.get(1)?),
                key: row.get::<_, Digest>(2)?,
                content: row.get::<_, Digest>(3)?,
                at: Instant(number(row, 4)?),
            })
        })
    }

    fn answer(&self, key: u64) -> Result<Option<(Vec<u8>, Seq)>, String> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(ANSWER).map_err(words)?;
        let answer = statement.query_row([key.cast_signed()], |row| {
            Ok((row.get(0)?, Seq(number(row, 1)?)))
        });
        answer.optional().map_err(words)
    }

    fn sessions(&self) -> Result<Vec<SessionRow>, String> {
        self.rows(SESSIONS, |row| {
            Ok(SessionRow {
                user: UserId(row.get(0)?),
                generation: Generation(number(row, 1)?),
                secret: row.get(2)?,
            })
        })
    }
}
