//! The history of whole simulated floors: what its tables say is what a second, naive count of
//! the same events says, however often the projection was stopped on the way.

use super::outside::last_orders;
use super::plan::Plan;
use super::world::World;
use rusqlite::{Connection, types::Value};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use switchroom::directory::Known;
use switchroom::domain::contact::Closed;
use switchroom::domain::event::{By, Event, Record};
use switchroom::domain::offer::{AgentState, Outcome};
use switchroom::id::Seq;
use switchroom::journal::folder::Folder;
use switchroom::journal::history::{FILE, Retention, catch_up};
use switchroom::journal::sqlite::Sqlite;
use switchroom::journal::store::Store;
use switchroom::journal::{Source, Written};
use switchroom::time::Instant;
use tempfile::TempDir;

/// Everything that happened on the floor of a seed, until all work was done.
fn floor(seed: u64) -> Vec<Record> {
    let mut world = World::new(seed);
    world.tally.log = Some(Vec::new());
    for op in &Plan::new(seed, 900).ops {
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
    log.commit(&batches, last).unwrap();
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

/// A contact, counted naively.
#[derive(Default, Clone)]
struct Contact {
    channel: u8,
    queue: u32,
    entered: u64,
    answered: Option<(u64, u32)>,
    closed: Option<(u64, Closed)>,
    ended: Option<u64>,
    talk: u64,
    wrap_up: u64,
    offers: u64,
    requeues: u64,
    returns: u64,
    in_line: bool,
}

/// Counters by half hour, whose they are, channel and name.
type Counters = BTreeMap<(u64, String, String, &'static str), u64>;

/// A count of its own: maps of everything, and one look at each event.
#[derive(Default)]
struct Naive {
    contacts: BTreeMap<String, Contact>,
    queues: Counters,
    agents: Counters,
    acts: usize,
    /// Agent, state and the times between which it held.
    states: Vec<(u32, String, u64, Option<u64>)>,
    /// Signed in, as what, and whether the socket is there.
    signed_in: BTreeMap<u32, (String, bool)>,
}

impl Naive {
    fn count(&mut self, at: u64, queue: u32, channel: u8, name: &'static str, more: u64) {
        let start = at / 1_800_000 * 1_800_000;
        let key = (
            start,
            format!("queue{queue}"),
            format!("channel{channel}"),
            name,
        );
        *self.queues.entry(key).or_default() += more;
    }

    fn credit(&mut self, at: u64, agent: u32, channel: u8, name: &'static str, more: u64) {
        let start = at / 1_800_000 * 1_800_000;
        let key = (
            start,
            format!("user{agent}"),
            format!("channel{channel}"),
            name,
        );
        *self.agents.entry(key).or_default() += more;
    }

    fn both(&mut self, at: u64, place: (u32, u32, u8), name: &'static str, more: u64) {
        self.count(at, place.0, place.2, name, more);
        self.credit(at, place.1, place.2, name, more);
    }

    /// An agent is this from now on; nothing when signed out.
    fn state(&mut self, at: u64, agent: u32, now: Option<(String, bool)>) {
        let before = match &now {
            Some(now) => self.signed_in.insert(agent, now.clone()),
            None => self.signed_in.remove(&agent),
        };
        if before == now {
            return;
        }
        for open in &mut self.states {
            if open.0 == agent && open.3.is_none() {
                open.3 = Some(at);
            }
        }
        if let Some((state, there)) = now {
            let word = if there {
                state
            } else {
                format!("{state} lost")
            };
            self.states.push((agent, word, at, None));
        }
    }

    fn read(&mut self, record: &Record) {
        let at = record.at.0;
        self.acts += usize::from(matches!(record.by, By::User { .. }));
        match &record.event {
            Event::ContactEntered { facts, queue, .. } => {
                let contact = Contact {
                    channel: facts.channel.0,
                    queue: queue.0,
                    entered: at,
                    in_line: true,
                    ..Contact::default()
                };
                self.count(at, queue.0, facts.channel.0, "entered", 1);
                self.contacts.insert(facts.id.to_string(), contact);
            }
            Event::OfferMade { offer, .. } => {
                let place = (offer.queue.0, offer.agent.0, offer.channel.0);
                self.both(at, place, "offers", 1);
                let contact = self.contacts.get_mut(&offer.contact.to_string());
                contact.unwrap().offers += 1;
            }
            Event::OfferEnded { offer, outcome } => {
                let place = (offer.queue.0, offer.agent.0, offer.channel.0);
                let name = match outcome {
                    Outcome::Accepted => "offers_accepted",
                    Outcome::Declined => "offers_declined",
                    Outcome::Missed => "offers_missed",
                    Outcome::Withdrawn(_) => "offers_withdrawn",
                    Outcome::Failed => "offers_failed",
                };
                self.both(at, place, name, 1);
            }
            Event::LegConnected {
                contact,
                queue,
                channel,
                leg,
                ..
            } => {
                let known = self.contacts.get_mut(&contact.to_string()).unwrap();
                let first = known.answered.is_none();
                known.in_line = false;
                known.answered.get_or_insert((at, leg.agent.0));
                let waited = at - known.entered;
                self.both(at, (queue.0, leg.agent.0, channel.0), "answered", 1);
                if first {
                    self.count(at, queue.0, channel.0, "answered_first", 1);
                    self.count(at, queue.0, channel.0, "wait_ms", waited);
                    let in_time = u64::from(waited <= 60_000);
                    self.count(at, queue.0, channel.0, "answered_in_threshold", in_time);
                }
            }
            Event::ContactRequeued { contact, queue, .. } => {
                let known = self.contacts.get_mut(&contact.to_string()).unwrap();
                known.requeues += 1;
                let channel = known.channel;
                self.count(at, queue.0, channel, "requeued", 1);
            }
            Event::ContactReturned { contact, queue, .. } => {
                let known = self.contacts.get_mut(&contact.to_string()).unwrap();
                known.returns += 1;
                known.in_line = true;
                let channel = known.channel;
                self.count(at, queue.0, channel, "returned", 1);
            }
            Event::ContactEnded {
                contact, reason, ..
            }
            | Event::ContactClosed {
                contact, reason, ..
            } => {
                let known = self.contacts.get_mut(&contact.to_string()).unwrap();
                known.ended.get_or_insert(at);
                if matches!(record.event, Event::ContactClosed { .. }) {
                    known.closed = Some((at, *reason));
                }
                let known = known.clone();
                if known.in_line {
                    let left = self.contacts.get_mut(&contact.to_string()).unwrap();
                    left.in_line = false;
                    self.left(at, &known, *reason);
                }
            }
            Event::LegEnded {
                offer,
                talk,
                wrap_up,
                ..
            } => {
                let place = (offer.queue.0, offer.agent.0, offer.channel.0);
                self.both(at, place, "handled", 1);
                self.both(at, place, "talk_ms", talk.0);
                self.both(at, place, "wrap_up_ms", wrap_up.0);
                let known = self.contacts.get_mut(&offer.contact.to_string()).unwrap();
                known.talk += talk.0;
                known.wrap_up += wrap_up.0;
            }
            Event::AgentSignedIn { agent, state, .. } => {
                self.state(at, agent.0, Some((said(state), true)));
            }
            Event::AgentStateChanged { agent, state, .. } => {
                let there = self.signed_in.get(&agent.0).map(|(_, there)| *there);
                self.state(at, agent.0, there.map(|there| (said(state), there)));
            }
            Event::AgentConnectionLost { agent, .. } | Event::AgentResumed { agent, .. } => {
                let there = matches!(record.event, Event::AgentResumed { .. });
                let state = self.signed_in.get(&agent.0).map(|(state, _)| state.clone());
                self.state(at, agent.0, state.map(|state| (state, there)));
            }
            Event::AgentSignedOut { agent, .. } => self.state(at, agent.0, None),
            _ => {}
        }
    }

    fn left(&mut self, at: u64, contact: &Contact, reason: Closed) {
        let (queue, channel) = (contact.queue, contact.channel);
        let name = match reason {
            Closed::Abandoned => "abandoned",
            Closed::ShortAbandoned => "short_abandoned",
            Closed::EndedBySupervisor | Closed::Failed | Closed::Completed => "cancelled",
        };
        self.count(at, queue, channel, name, 1);
        if name == "cancelled" {
        } else if contact.answered.is_some() {
            self.count(at, queue, channel, "abandoned_after_return", 1);
        } else {
            let waited = at - contact.entered;
            self.count(at, queue, channel, "abandon_wait_ms", waited);
            let in_time = u64::from(waited <= 60_000);
            self.count(at, queue, channel, "abandoned_in_threshold", in_time);
        }
    }
}

fn said(state: &AgentState) -> String {
    match state {
        AgentState::SignedOut => "signed_out".into(),
        AgentState::Available => "available".into(),
        AgentState::NotReady(reason) => format!("not_ready {reason}"),
    }
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
        let records = floor(seed);
        events += records.len();
        let folder = tempfile::tempdir().unwrap();
        keep(folder.path(), &records);
        project(folder.path());
        agrees(folder.path(), &records);
        adds_up(&folder);
    }
    assert!(events > 4_000, "the floors were busy: {events}");
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
    let records = floor(3);
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
