//! Snapshots in the file: written piece by piece, read whole, and with what lies behind them
//! taken out of the log.

use super::read::ReadError;
use super::write::failed;
use crate::id::Seq;
use crate::journal::chore::Chore;
use crate::journal::fold::Name;
use crate::journal::store::Failed;
use crate::limits;
use crate::time::Instant;
use rusqlite::{Connection, OptionalExtension, params};

/// Rows that are deleted in one go.
const SLICE: u32 = 256;
/// Snapshots that are kept, newest first.
const KEPT: u32 = 2;
/// Free pages that the file may have before it shrinks: those of a while at full load.
const SPARE_PAGES: i64 = 16_384;

const PIECE: &str =
    "INSERT INTO pieces (snapshot, number, source, crc, body) VALUES (?1, ?2, ?3, ?4, ?5)";
const WHOLE: &str = "INSERT INTO snapshots (seq, at, pieces) VALUES (?1, ?2, ?3)";
/// The oldest snapshot that is kept, once there are enough.
const OLDEST: &str = "SELECT seq FROM snapshots ORDER BY seq DESC LIMIT 1 OFFSET ?1";
/// Pieces of older ones, and of ones that were never finished. What closed is known for longer.
const PIECES: &str = "DELETE FROM pieces WHERE rowid IN (SELECT rowid FROM pieces WHERE snapshot < ?1
    AND (source <> 'closed' OR snapshot NOT IN (SELECT seq FROM snapshots WHERE at > ?2)) LIMIT ?3)";
const HEADS: &str = "DELETE FROM snapshots WHERE seq < ?1 AND at <= ?2";
const BATCHES: &str = "DELETE FROM batches WHERE seq IN
    (SELECT seq FROM batches WHERE last <= ?1 ORDER BY seq LIMIT ?2)";
const CUT: &str = "INSERT INTO meta (key, value) VALUES ('cut', ?1)
    ON CONFLICT (key) DO UPDATE SET value = max(value, ?1)";

/// Does a chore; true if there is more of the same. `held` is up to where the log was read by
/// whoever reads it.
pub(super) fn chore(
    connection: &mut Connection,
    chore: &Chore,
    held: Option<Seq>,
) -> Result<bool, Failed> {
    match chore {
        Chore::Piece {
            snapshot,
            number,
            name,
            body,
        } => {
            let row = params![
                snapshot.0.cast_signed(),
                number,
                name.to_string(),
                crc32fast::hash(body),
                body,
            ];
            let mut piece = connection.prepare_cached(PIECE).map_err(failed)?;
            piece.execute(row).map_err(failed)?;
            Ok(false)
        }
        Chore::Whole {
            snapshot,
            at,
            pieces,
        } => {
            let row = params![snapshot.0.cast_signed(), at.0.cast_signed(), pieces];
            connection.execute(WHOLE, row).map_err(failed)?;
            Ok(false)
        }
        Chore::Forget { now } => forget(connection, *now, held).map_err(failed),
    }
}

fn forget(connection: &mut Connection, now: Instant, held: Option<Seq>) -> rusqlite::Result<bool> {
    let transaction = connection.transaction()?;
    let oldest: Option<i64> = transaction
        .query_row(OLDEST, [KEPT - 1], |row| row.get(0))
        .optional()?;
    let Some(oldest) = oldest else {
        return Ok(false);
    };
    let remembered = Instant(now.0.saturating_sub(limits::EXTERNAL_ID_MEMORY.0));
    let remembered = remembered.0.cast_signed();
    let pieces = transaction.execute(PIECES, params![oldest, remembered, SLICE])?;
    transaction.execute(HEADS, params![oldest, remembered])?;
    let upto = held.map_or(oldest, |held| oldest.min(held.0.cast_signed()));
    transaction.execute(CUT, [upto])?;
    let batches = transaction.execute(BATCHES, params![upto, SLICE])?;
    let free: i64 = transaction.query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
    if free > SPARE_PAGES {
        transaction.execute_batch(&format!("PRAGMA incremental_vacuum({SLICE})"))?;
    }
    transaction.commit()?;
    Ok(pieces + batches > 0)
}

/// What a snapshot has of each actor.
type Parts = Vec<(Name, Vec<u8>)>;

/// Snapshots that are whole, newest first.
pub(super) fn whole(connection: &Connection) -> Result<Vec<Seq>, ReadError> {
    let mut heads = connection.prepare("SELECT seq FROM snapshots ORDER BY seq DESC LIMIT ?1")?;
    let heads = heads.query_map([KEPT], |row| row.get::<_, i64>(0))?;
    heads
        .map(|seq| Ok(Seq(seq?.cast_unsigned())))
        .collect::<Result<_, _>>()
}

/// Position up to which the log was cut; 0 when it is there from its first event on.
pub(super) fn cut(connection: &Connection) -> Result<Seq, ReadError> {
    let cut = connection
        .query_row("SELECT value FROM meta WHERE key = 'cut'", [], |row| {
            row.get::<_, i64>(0)
        })
        .optional()?;
    Ok(Seq(cut.unwrap_or(0).cast_unsigned()))
}

/// Reads a snapshot, and what closed up to it.
pub(super) fn read(connection: &Connection, seq: Seq) -> Result<Parts, ReadError> {
    let damaged = |what: String| ReadError::Damaged { seq: seq.0, what };
    let position = seq.0.cast_signed();
    let expected: u32 = connection.query_row(
        "SELECT pieces FROM snapshots WHERE seq = ?1",
        [position],
        |row| row.get(0),
    )?;
    let mut rows = connection.prepare(
        "SELECT snapshot, source, crc, body FROM pieces
         WHERE snapshot = ?1 OR (snapshot < ?1 AND source = 'closed')
         ORDER BY snapshot, number",
    )?;
    let mut rows = rows.query([position])?;
    let mut found = 0;
    let mut parts = Parts::new();
    let mut before = None;
    while let Some(row) = rows.next()? {
        let of = row.get::<_, i64>(0)?;
        let name = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
        let name = Name::parse(name)
            .ok_or_else(|| damaged(format!("a snapshot's piece of \"{name}\"")))?;
        let body = row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?;
        if crc32fast::hash(body) != row.get::<_, u32>(2)? {
            return Err(damaged("a check sum in a snapshot is another".into()));
        }
        found += u32::from(of == position);
        match parts.last_mut().filter(|_| before == Some((of, name))) {
            Some((_, part)) => part.extend_from_slice(body),
            None => parts.push((name, body.to_vec())),
        }
        before = Some((of, name));
    }
    if found != expected {
        return Err(damaged(format!(
            "a snapshot has {found} pieces of {expected}"
        )));
    }
    Ok(parts)
}
