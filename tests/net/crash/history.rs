//! The history of a server that was killed again and again is the one that its log tells.

use rusqlite::Connection;
use rusqlite::types::Value;
use std::path::Path;
use switchroom::engine::clock::Clock;
use switchroom::journal::history::{FILE, Retention, catch_up};

const TABLES: [&str; 6] = [
    "contacts",
    "segments",
    "agent_states",
    "queue_intervals",
    "agent_intervals",
    "audit",
];

/// Every row of every table, once the rest of the log was taken in.
fn told(folder: &Path) -> Vec<Vec<Vec<Value>>> {
    catch_up(folder, &Retention::default(), Clock::system().now()).unwrap();
    let file = Connection::open(folder.join(FILE)).unwrap();
    let table = |table| {
        let mut rows = file.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = rows.column_count();
        let rows = rows.query_map([], |row| (0..columns).map(|n| row.get(n)).collect());
        rows.unwrap().map(Result::unwrap).collect()
    };
    TABLES.map(table).to_vec()
}

/// What was taken in between the crashes is what the whole log, taken in at once, comes to; and
/// every contact is in it.
pub fn is_what_the_log_tells(folder: &Path, contacts: usize) {
    let folder = folder.join("data/main");
    let kept = told(&folder);
    assert_eq!(kept[0].len(), contacts);
    std::fs::remove_file(folder.join(FILE)).unwrap();
    let anew = told(&folder);
    for (table, (kept, anew)) in TABLES.iter().zip(kept.iter().zip(&anew)) {
        assert_eq!(kept.len(), anew.len(), "{table}");
        let differ = kept.iter().zip(anew).find(|(kept, anew)| kept != anew);
        assert_eq!(differ, None, "{table}");
    }
}
