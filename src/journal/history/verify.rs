//! Whether a history is whole, is that of its log, and its counters say what its rows say.

use super::schema::{self, OpenError};
use crate::id::Seq;
use crate::journal::Epoch;
use rusqlite::{Connection, ErrorCode, Row};
use std::path::Path;

/// What is counted in half hours and can be counted again from segments: the counter, the time by
/// which it counts, and what it counts.
const COUNTERS: [(&str, &str, &str); 12] = [
    (
        "entered",
        "started_at",
        "kind = 'queue' AND cause IN ('new', 'moved', 'transferred')",
    ),
    (
        "returned",
        "started_at",
        "kind = 'queue' AND cause NOT IN ('new', 'moved', 'transferred')",
    ),
    (
        "answered",
        "ended_at",
        "kind = 'queue' AND outcome = 'answered'",
    ),
    (
        "abandoned",
        "ended_at",
        "kind = 'queue' AND outcome = 'abandoned'",
    ),
    (
        "short_abandoned",
        "ended_at",
        "kind = 'queue' AND outcome = 'short_abandoned'",
    ),
    (
        "moved_out",
        "ended_at",
        "kind = 'queue' AND outcome = 'moved_out'",
    ),
    ("offers", "started_at", "kind = 'offer'"),
    (
        "offers_accepted",
        "ended_at",
        "kind = 'offer' AND outcome = 'accepted'",
    ),
    (
        "offers_declined",
        "ended_at",
        "kind = 'offer' AND outcome = 'declined'",
    ),
    (
        "offers_missed",
        "ended_at",
        "kind = 'offer' AND outcome = 'missed'",
    ),
    (
        "offers_withdrawn",
        "ended_at",
        "kind = 'offer' AND outcome = 'withdrawn'",
    ),
    (
        "offers_failed",
        "ended_at",
        "kind = 'offer' AND outcome = 'failed'",
    ),
];

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Checked {
    /// Version of the file.
    pub format: i32,
    /// The log that it is of; none while it is new.
    pub epoch: Option<Epoch>,
    /// The last position that was taken in.
    pub position: Seq,
    /// Parts of the log that were cut away before they had been taken in.
    pub gaps: u32,
    /// What is damaged, in SQLite's words; the rest is not known then.
    pub damage: Vec<String>,
    /// Half hours of its last day whose counters are not what segments come to, in words.
    pub miscounted: Vec<String>,
}

/// Checks the history in a file, also while a server writes it.
///
/// # Errors
/// When it cannot be opened or read, or there is none.
pub fn check(path: &Path) -> Result<Checked, OpenError> {
    let file = schema::open_to_read(path)?;
    match all(&file) {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
            Ok(Checked {
                damage: vec![error.to_string()],
                ..Checked::default()
            })
        }
        read => read.map_err(|error| OpenError::Sqlite {
            path: path.to_path_buf(),
            error,
        }),
    }
}

fn all(file: &Connection) -> rusqlite::Result<Checked> {
    // All of one moment.
    let file = file.unchecked_transaction()?;
    let mut damage = rows(&file, "PRAGMA quick_check(10)", |row| {
        row.get::<_, String>(0)
    })?;
    damage.retain(|said| said != "ok");
    let mut miscounted = Vec::new();
    if damage.is_empty() {
        for (counter, at, which) in COUNTERS {
            miscounted.extend(miscounts(&file, counter, at, which)?);
        }
    }
    Ok(Checked {
        format: schema::FORMAT,
        epoch: schema::epoch(&file)?,
        position: schema::position(&file)?,
        gaps: file.query_row("SELECT count(*) FROM gaps", [], |row| row.get(0))?,
        damage,
        miscounted,
    })
}

fn miscounts(
    file: &Connection,
    counter: &str,
    at: &str,
    which: &str,
) -> rusqlite::Result<Vec<String>> {
    let query = format!(
        "WITH last AS (SELECT max(started_at) - 86400000 AS day FROM queue_intervals),
         counted AS (SELECT {at} - {at} % 1800000 AS half_hour, queue, channel, count(*) AS n
             FROM segments, last WHERE {at} >= day AND {which} GROUP BY 1, 2, 3)
         SELECT strftime('%FT%H:%MZ', i.started_at / 1000, 'unixepoch'), i.queue, i.channel,
             i.{counter}, coalesce(c.n, 0)
         FROM last, queue_intervals i LEFT JOIN counted c
             ON (c.half_hour, c.queue, c.channel) = (i.started_at, i.queue, i.channel)
         WHERE i.started_at >= day AND i.{counter} <> coalesce(c.n, 0) LIMIT 10"
    );
    rows(file, &query, |row| {
        let text = |column| row.get::<_, String>(column);
        let (half_hour, queue, channel) = (text(0)?, text(1)?, text(2)?);
        let (says, are): (i64, i64) = (row.get(3)?, row.get(4)?);
        Ok(format!(
            "{half_hour} {queue} {channel}: {counter} is {says}, and its segments say {are}"
        ))
    })
}

fn rows<T>(
    file: &Connection,
    query: &str,
    row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let mut query = file.prepare(query)?;
    let found = query.query_map([], row)?;
    found.collect()
}
