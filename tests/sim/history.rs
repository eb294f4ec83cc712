//! The history of whole simulated floors: what its tables say is what a second, naive count of
//! the same events says, however often the projection was stopped on the way.

use super::naive::{Counters, Naive};
use super::outside::last_orders;
use super::plan::Plan;
use super::world::World;
use rusqlite::{Connection, types::Value};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use switchroom::directory::Known;
use switchroom::domain::event::Record;
use switchroom::id::Seq;
use switchroom::journal::folder::Folder;
use switchroom::journal::history::{FILE, Retention, catch_up, check};
use switchroom::journal::sqlite::Sqlite;
use switchroom::journal::store::Store;
use switchroom::journal::{Source, Written};
use switchroom::time::Instant;
use tempfile::TempDir;

/// Everything that happened on the floor of a seed in so many steps, and until all work was done.
fn floor(seed: u64, steps: usize) -> Vec<Record> {
    let mut world = World::new(seed);
    world.tally.log = Some(Vec::new());
    for op in &Plan::new(seed, steps).ops {
        let _ = world.obey(*op);
    }
    let _ = last_orders(&mut world);
    world.tally.log.take().unwrap()
}

/// Keeps these events in the log of a folder, a few to a batch.
fn keep(folder: &Path, records: &[Record]) {
    let mut log = Sqlite::open(Folder::take(folder).unwrap(), Instant(7)).unwrap();
    let names = |prefix: &str| (0..64).map(|n| format!("{prefix}{n}")).collect();
    let known = Known {
        channels: names("channel"),
        skills: Vec::new(),
        teams: names("team"),
        queues: names("queue"),
        users: names("user"),
    };
    log.keep_names(&known).unwrap();
    let batches: Vec<Arc<Written>> = records
        .chunks(3)
        .map(|records| {
            Arc::new(Written {
                from: Source::Floor,
                records: records.to_vec(),
            })
        })
        .collect();
    let last = records.last().map_or(Seq(0), |record| record.seq);
    log.commit(&batches, &[], last).unwrap();
    log.close();
}

fn project(folder: &Path) {
    catch_up(folder, &Retention::default(), Instant(1_000_000_000)).unwrap();
}

type Rows = Vec<Vec<String>>;

/// The rows of a query.
fn rows(folder: &Path, query: &str) -> Rows {
    let file = Connection::open(folder.join(FILE)).unwrap();
    let mut statement = file.prepare(query).unwrap();
    let columns = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| {
        let value = |n| match row.get::<_, Value>(n)? {
            Value::Null => Ok("-".to_owned()),
            Value::Integer(n) => Ok(n.to_string()),
            Value::Text(text) => Ok(text),
            other => panic!("{other:?}"),
        };
        (0..columns).map(value).collect()
    };
    let rows = statement.query_map([], row).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Every table, whole.
fn everything(folder: &Path) -> BTreeMap<&'static str, Rows> {
    [
        "contacts",
        "segments",
        "agent_states",
        "queue_intervals",
        "agent_intervals",
        "audit",
    ]
    .into_iter()
    .map(|table| (table, rows(folder, &format!("SELECT * FROM {table}"))))
    .collect()
}

fn text(value: Option<impl ToString>) -> String {
    value.map_or("-".to_owned(), |value| value.to_string())
}

/// What is counted by name, from a table of half hours.
fn counted(folder: &Path, table: &str, whose: &str, names: &[&'static str]) -> Counters {
    let columns = names.join(", ");
    let query = format!("SELECT started_at, {whose}, channel, {columns} FROM {table}");
    let mut counters = Counters::new();
    for row in rows(folder, &query) {
        for (name, value) in names.iter().zip(&row[3..]) {
            let key = (
                row[0].parse().unwrap(),
                row[1].clone(),
                row[2].clone(),
                *name,
            );
            counters.insert(key, value.parse().unwrap());
        }
    }
    counters.retain(|_, count| *count > 0);
    counters
}

const OF_QUEUES: &[&str] = &[
    "entered",
    "returned",
    "answered",
    "answered_first",
    "answered_in_threshold",
    "abandoned",
    "short_abandoned",
    "abandoned_in_threshold",
    "abandoned_after_return",
    "cancelled",
    "requeued",
    "offers",
    "offers_accepted",
    "offers_declined",
    "offers_missed",
    "offers_withdrawn",
    "offers_failed",
    "handled",
    "talk_ms",
    "wrap_up_ms",
    "wait_ms",
    "abandon_wait_ms",
];

const OF_AGENTS: &[&str] = &[
    "offers",
    "offers_accepted",
    "offers_declined",
    "offers_missed",
    "offers_withdrawn",
    "offers_failed",
    "answered",
    "handled",
    "talk_ms",
    "wrap_up_ms",
];

fn agrees(folder: &Path, records: &[Record]) {
    let mut naive = Naive::default();
    records.iter().for_each(|record| naive.read(record));
    naive.queues.retain(|_, count| *count > 0);
    naive.agents.retain(|_, count| *count > 0);

    let contacts: Rows = naive
        .contacts
        .iter()
        .map(|(id, contact)| {
            vec![
                id.clone(),
                format!("queue{}", contact.queue),
                contact.entered.to_string(),
                text(contact.answered.map(|(at, _)| at)),
                text(contact.answered.map(|(_, agent)| format!("user{agent}"))),
                text(contact.ended),
                text(contact.closed.map(|(at, _)| at)),
                contact.talk.to_string(),
                contact.wrap_up.to_string(),
                contact.offers.to_string(),
                contact.requeues.to_string(),
                contact.returns.to_string(),
            ]
        })
        .collect();
    let query = "SELECT contact, queue, entered_at, answered_at, answered_by, ended_at, closed_at, talk_ms, wrap_up_ms, offers, requeues, returns FROM contacts ORDER BY contact";
    assert_eq!(rows(folder, query), contacts);
    assert_eq!(
        counted(folder, "queue_intervals", "queue", OF_QUEUES),
        naive.queues
    );
    assert_eq!(
        counted(folder, "agent_intervals", "agent", OF_AGENTS),
        naive.agents
    );
    let checked = check(&folder.join(FILE)).unwrap();
    assert_eq!(checked.miscounted, [""; 0]);
    let acts = rows(folder, "SELECT count(*) FROM audit");
    assert_eq!(acts[0][0], naive.acts.to_string());
    let mut states: Rows = naive
        .states
        .iter()
        .map(|(agent, state, from, to)| {
            vec![
                format!("user{agent}"),
                state.clone(),
                from.to_string(),
                text(*to),
            ]
        })
        .collect();
    let query = "SELECT agent, state || coalesce(' ' || reason, '') || iif(connection = 'lost', ' lost', ''), started_at, ended_at FROM agent_states";
    let mut found = rows(folder, query);
    states.sort();
    found.sort();
    assert_eq!(found, states);
}

#[test]
fn tables_say_what_a_recount_of_the_events_says() {
    let mut events = 0;
    for seed in 1..=12 {
        let records = floor(seed, 900);
        events += records.len();
        let folder = tempfile::tempdir().unwrap();
        keep(folder.path(), &records);
        project(folder.path());
        agrees(folder.path(), &records);
        adds_up(&folder);
    }
    assert!(events > 4_000, "the floors were busy: {events}");
}

#[test]
fn contacts_go_on_from_one_group_of_events_to_the_next() {
    let records = floor(5, 30_000);
    assert!(
        records.len() > 8_001,
        "two groups and more: {}",
        records.len()
    );
    let folder = tempfile::tempdir().unwrap();
    keep(folder.path(), &records);
    project(folder.path());
    agrees(folder.path(), &records);
    adds_up(&folder);
}

/// What came into each line has left it or is in it, and parts lie in what they are parts of.
fn adds_up(folder: &TempDir) {
    let query = "SELECT queue, sum(entered + returned - answered - abandoned - short_abandoned - cancelled - moved_out), (SELECT count(*) FROM segments s WHERE s.queue = i.queue AND s.kind = 'queue' AND s.ended_at IS NULL) FROM queue_intervals i GROUP BY queue";
    for row in rows(folder.path(), query) {
        assert_eq!(row[1], row[2], "{row:?}");
    }
    let query = "SELECT count(*) FROM segments s LEFT JOIN segments p ON p.seq = s.parent WHERE s.kind IN ('leg', 'wrap_up') AND (p.seq IS NULL OR p.contact <> s.contact OR p.started_at > s.started_at)";
    assert_eq!(rows(folder.path(), query)[0][0], "0");
    let query = "SELECT count(*) FROM segments s JOIN contacts c USING (contact) WHERE c.closed_at IS NOT NULL AND s.kind <> 'offer' AND s.ended_at IS NULL";
    assert_eq!(rows(folder.path(), query)[0][0], "0");
}

#[test]
fn every_event_counts_once_wherever_the_projection_was_stopped() {
    let records = floor(3, 900);
    let whole = tempfile::tempdir().unwrap();
    keep(whole.path(), &records);
    project(whole.path());
    let wanted = everything(whole.path());

    // The server is killed now and then: the log has more than the history has taken in.
    let parts = tempfile::tempdir().unwrap();
    for part in records.chunks(records.len() / 5) {
        keep(parts.path(), part);
        project(parts.path());
        project(parts.path());
    }
    assert_eq!(everything(parts.path()), wanted);

    // It fails in the middle of a group: what it had done of that group is undone.
    let failing = tempfile::tempdir().unwrap();
    let (first, rest) = records.split_at(records.len() / 3);
    keep(failing.path(), first);
    project(failing.path());
    let before = everything(failing.path());
    keep(failing.path(), rest);
    let middle = rest[rest.len() / 2].seq.0;
    let by_hand = |statement: &str| {
        let file = Connection::open(failing.path().join(FILE)).unwrap();
        file.execute_batch(statement).unwrap();
    };
    by_hand(&format!(
        "CREATE TRIGGER fails BEFORE INSERT ON segments WHEN new.seq > {middle} BEGIN SELECT raise(ABORT, 'of this test'); END"
    ));
    let failed = catch_up(failing.path(), &Retention::default(), Instant(1));
    assert!(failed.unwrap_err().to_string().contains("of this test"));
    assert_eq!(everything(failing.path()), before);
    by_hand("DROP TRIGGER fails");
    project(failing.path());
    assert_eq!(everything(failing.path()), wanted);

    // It is dropped, and made anew of the log.
    std::fs::remove_file(failing.path().join(FILE)).unwrap();
    project(failing.path());
    assert_eq!(everything(failing.path()), wanted);
}
