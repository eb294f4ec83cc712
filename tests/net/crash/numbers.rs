//! The numbers of a server that was killed again and again are those that a naive count of its
//! raw events comes to, and those of the clients' own records.

#[allow(
    dead_code,
    reason = "it is written for the live views, which need more of it"
)]
#[path = "../../live/naive.rs"]
mod naive;

use super::program::CONFIGURATION;
use super::record::{Act, Record};
use naive::Naive;
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use switchroom::access::lens::PseudonymKey;
use switchroom::config::{Config, Source};
use switchroom::domain::event::{Event, Record as Logged};
use switchroom::engine::clock::Clock;
use switchroom::engine::{Engine, Options};
use switchroom::id::{ContactId, Seq};
use switchroom::journal::folder::Folder;
use switchroom::journal::history::{FILE, Retention, catch_up, check};
use switchroom::journal::sqlite::Sqlite;
use switchroom::live::delta::Key;
use switchroom::live::sight::Viewer;
use switchroom::live::stats::{Cell, Table, TableCut};
use switchroom::time::Instant;

/// Starts once more, and compares.
pub async fn are_those_of_a_naive_count(folder: &Path, record: &Record) {
    let folder = folder.join("data/main");
    let mut log = open(&folder);
    let known = BTreeMap::from([("main".to_owned(), log.names().unwrap())]);
    let source = Source {
        name: "crash".into(),
        text: CONFIGURATION.into(),
    };
    let config = Config::check_knowing(source, &known).unwrap();
    let workspace = config.workspaces[0].clone();
    let names = Arc::clone(workspace.directory.names());
    log.keep_names(&names.known()).unwrap();
    let options = Options {
        journal: Box::new(|opening| {
            let log = log.start(opening).map_err(std::io::Error::other)?;
            Ok(Arc::new(log))
        }),
        ..Options::default()
    };
    let engine = Engine::start(workspace.rules, names, options).unwrap();
    engine.settled().await;
    let rules = engine.rules();
    let queue = rules.queues[0].id;
    let admin = Viewer {
        principal: Arc::clone(workspace.directory.by_login("max").unwrap()),
        key: Arc::new(PseudonymKey::new([7; 32])),
    };
    let shown = engine.look(move |board| {
        let table = board.table(&admin, Table::Agents).unwrap();
        (board.queue_counts(queue).unwrap(), table)
    });
    let ((counts, waiting), agents) = shown.await.unwrap();
    engine.stop().await;

    let events = events(&open(&folder));
    let naive = Naive::count(&events, &rules);
    let flow = naive.flows[&queue];
    let in_line = naive.contacts.values().filter(|held| held.in_line());
    assert_eq!(waiting as usize, in_line.count());
    let live = [
        counts.entered,
        counts.returned,
        counts.requeued,
        counts.answered,
    ];
    assert_eq!(
        live,
        [flow.entered, flow.returned, flow.requeued, flow.answered]
    );
    let live = [counts.abandoned, counts.short_abandoned, counts.cancelled];
    assert_eq!(live, [flow.abandoned, flow.short_abandoned, flow.cancelled]);
    for (agent, held) in &naive.agents {
        for kind in ["offered", "connecting", "active", "wrap_up"] {
            let work = held.work.values().filter(|(_, stands, _)| *stands == kind);
            if let Some(shown) = cell(&agents, Key::Agent(*agent), kind) {
                let counted = i64::try_from(work.count()).unwrap();
                assert_eq!(shown, Cell::Int(counted), "{kind} of {agent:?}");
            }
        }
    }
    of_the_clients(&events, flow.entered, record);

    catch_up(&folder, &Retention::default(), Instant(0)).unwrap();
    let flow = [
        flow.entered,
        flow.returned,
        flow.requeued,
        flow.answered,
        flow.abandoned,
        flow.short_abandoned,
        flow.cancelled,
    ];
    of_the_history(&folder.join(FILE), &events, flow);
}

/// The history, which was stopped as often, adds up to the same.
fn of_the_history(file: &Path, events: &[Logged], flow: [u64; 7]) {
    let checked = check(file).unwrap();
    assert_eq!((checked.damage.len(), checked.gaps), (0, 0));
    assert_eq!(checked.miscounted, [""; 0]);
    let file = Connection::open(file).unwrap();
    let sum = |counter: &str, table: &str| {
        let sum = format!("SELECT coalesce(sum({counter}), 0) FROM {table}");
        let sum = file.query_row(&sum, [], |row| row.get::<_, i64>(0));
        sum.unwrap().cast_unsigned()
    };
    let counters = [
        "entered",
        "returned",
        "requeued",
        "answered",
        "abandoned",
        "short_abandoned",
        "cancelled",
    ];
    let counted = counters.map(|counter| sum(counter, "queue_intervals"));
    assert_eq!(counted, flow);
    let legs = events
        .iter()
        .filter(|logged| matches!(logged.event, Event::LegConnected { .. }));
    assert_eq!(sum("answered", "agent_intervals"), legs.count() as u64);
}

/// What clients were told is counted, and nothing that nobody asked for.
fn of_the_clients(events: &[Logged], entered: u64, record: &Record) {
    assert_eq!(entered, record.all().len() as u64);
    let answered: BTreeSet<ContactId> = events
        .iter()
        .filter_map(|logged| match &logged.event {
            Event::LegConnected { contact, .. } => Some(*contact),
            _ => None,
        })
        .collect();
    let (told, asked) = record.contacts(Act::Accept);
    let answered = answered.len();
    assert!(
        told <= answered && answered <= asked,
        "{told} {answered} {asked}"
    );
}

fn open(folder: &Path) -> Sqlite {
    let now = Clock::system().now();
    Sqlite::open(Folder::take(folder).unwrap(), now).unwrap()
}

fn events(log: &Sqlite) -> Vec<Logged> {
    let mut events = Vec::new();
    log.replay(Seq(0), |written| events.extend(written.records))
        .unwrap();
    events
}

fn cell(table: &TableCut, key: Key, name: &str) -> Option<Cell> {
    let column = table
        .columns
        .iter()
        .position(|column| &*column.name == name)?;
    let (_, row) = table.rows.iter().find(|(of, _)| *of == key)?;
    Some(row[column].clone())
}
