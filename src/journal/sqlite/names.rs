//! The names that the numbers in the log stand for: once given, a number is never another's.

use crate::directory::Known;
use rusqlite::{Connection, Transaction, params};

const READ: &str = "SELECT kind, name FROM names ORDER BY kind, number";
const KEEP: &str = "INSERT OR IGNORE INTO names (kind, number, name) VALUES (?1, ?2, ?3)";

fn kinds(names: &mut Known) -> [(&'static str, &mut Vec<String>); 5] {
    [
        ("channel", &mut names.channels),
        ("skill", &mut names.skills),
        ("team", &mut names.teams),
        ("queue", &mut names.queues),
        ("user", &mut names.users),
    ]
}

pub(super) fn read(connection: &Connection) -> rusqlite::Result<Known> {
    let mut known = Known::default();
    let mut statement = connection.prepare(READ)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let kind: String = row.get(0)?;
        let name: String = row.get(1)?;
        if let Some((_, names)) = kinds(&mut known).into_iter().find(|(of, _)| *of == kind) {
            names.push(name);
        }
    }
    Ok(known)
}

pub(super) fn keep(connection: &mut Connection, names: &Known) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    write(&transaction, names)?;
    transaction.commit()
}

/// Those that are known stay what they are.
pub(super) fn write(transaction: &Transaction<'_>, names: &Known) -> rusqlite::Result<()> {
    let mut names = names.clone();
    for (kind, names) in kinds(&mut names) {
        let mut statement = transaction.prepare_cached(KEEP)?;
        for (number, name) in (0u32..).zip(names) {
            statement.execute(params![kind, number, &*name])?;
        }
    }
    Ok(())
}
