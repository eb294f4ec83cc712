//! An engine that starts again on its log goes on where it was.

use super::centre::{Agent, Centre, SMALL};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use switchroom::access::lens::PseudonymKey;
use switchroom::config::{Config, Source};
use switchroom::domain::command::{FloorCommand, QueueCommand};
use switchroom::domain::contact::ContactState;
use switchroom::domain::machine::{Answer, Me};
use switchroom::engine::clock::Clock;
use switchroom::engine::door::ToDoor;
use switchroom::engine::{Engine, Options};
use switchroom::id::{ContactId, Seq};
use switchroom::journal::Opening;
use switchroom::journal::folder::Folder;
use switchroom::journal::sqlite::{FILE, Sqlite};
use switchroom::live::sight::Viewer;
use switchroom::time::{Instant, Span};
use tokio::task::JoinHandle;

const NOON: Instant = Instant(1_800_000_000_000);

/// A centre on the log in a folder, by this configuration. Snapshots are cut all the time.
fn open_by(toml: &str, folder: &Path, clock: &Clock) -> Centre {
    let log = Sqlite::open(Folder::take(folder).unwrap(), clock.now()).unwrap();
    open_on(toml, log.cut_every(2), clock)
}

fn open_on(toml: &str, mut log: Sqlite, clock: &Clock) -> Centre {
    let source = Source {
        name: "recovery".into(),
        text: toml.into(),
    };
    let known = BTreeMap::from([("main".to_owned(), log.names().unwrap())]);
    let config = Config::check_knowing(source, &known).unwrap_or_else(|found| panic!("{found}"));
    let workspace = config.workspaces[0].clone();
    let names = Arc::clone(workspace.directory.names());
    log.keep_names(&names.known()).unwrap();
    let options = Options {
        clock: clock.clone(),
        journal: Box::new(|opening| {
            let log = log.start(opening).map_err(std::io::Error::other)?;
            Ok(Arc::new(log))
        }),
        ..Options::default()
    };
    Centre {
        engine: Engine::start(workspace.rules, names, options).unwrap(),
        directory: workspace.directory,
    }
}

fn open(folder: &Path, clock: &Clock) -> Centre {
    open_by(SMALL, folder, clock)
}

/// Where a contact stands on the board.
async fn state(centre: &Centre, contact: ContactId) -> Option<ContactState> {
    let site = centre.directory.by_login("site").unwrap();
    let viewer = Viewer {
        principal: Arc::clone(site),
        key: Arc::new(PseudonymKey::new([7; 32])),
    };
    let seen = centre
        .engine
        .look(move |board| board.contact(&viewer, contact).map(|seen| seen.state()));
    seen.await.unwrap().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::by_hand(NOON);
    let before = open(folder.path(), &clock);
    let epoch = before.engine.epoch();
    let mut ana = before.sign_in("ana").await;
    let served = before.submit("one", "x-1").await;
    let offer = ana.offered().await.offer.offer;
    ana.accept(&before, offer).await;
    let waits = before.submit("one", "x-2").await;
    let gone = before.submit("one", "x-3").await;
    let (left, last) = before.command("site", QueueCommand::Abandon(gone)).await;
    left.unwrap();
    clock.move_on(Span::seconds(30));
    before.engine.stop().await;

    let after = open(folder.path(), &clock);
    assert_eq!(after.engine.epoch(), epoch);
    assert!(
        after.engine.durable() > Seq(last.0 + 1_000),
        "positions are not given out again"
    );
    assert_eq!(state(&after, served).await, Some(ContactState::Active));
    assert_eq!(state(&after, waits).await, Some(ContactState::Waiting));
    assert_eq!(state(&after, gone).await, Some(ContactState::Closed));
    for (external_id, contact) in [("x-1", served), ("x-2", waits), ("x-3", gone)] {
        assert_eq!(
            after.submit("one", external_id).await,
            contact,
            "{external_id}"
        );
    }
    assert_eq!(after.engine.queue_of(gone), Some(after.queue("one")));

    // Its agent was there; its socket was lost with the server, and it comes back to its work.
    let mut ana = after.sign_in("ana").await;
    let (answer, _) = after.command("site", QueueCommand::Abandon(served)).await;
    assert!(matches!(answer, Ok(Answer::Contact(_))), "{answer:?}");
    loop {
        let event = ana.next_me().await;
        if let Me::Offer(offer) = &*event.me {
            assert_eq!(offer.card.facts.id, waits);
            break;
        }
    }
    after.engine.stop().await;
}

/// Another queue and user come before those of `SMALL` by name, and queue `one` is gone.
const CHANGED: &str = r#"
[workspace.main.teams.service]
[workspace.main.queues.all]
channels = ["chat"]
members = [{ team = "service" }]
[workspace.main.queues.two]
channels = ["chat"]
members = [{ team = "service" }]
[workspace.main.users.abe]
teams = ["service"]
max = { chat = 1 }
[workspace.main.users.ana]
teams = ["service"]
max = { chat = 1 }
[workspace.main.connectors.site]
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_keep_their_numbers_whatever_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::by_hand(NOON);
    let before = open(folder.path(), &clock);
    let in_one = before.submit("one", "x-1").await;
    let in_two = before.submit("two", "x-2").await;
    before.engine.stop().await;

    let changed = open_by(CHANGED, folder.path(), &clock);
    assert_eq!(state(&changed, in_one).await, Some(ContactState::Waiting));
    let mut ana = changed.sign_in("ana").await;
    let offer = ana.offered().await;
    assert_eq!(offer.card.facts.id, in_two);
    ana.accept(&changed, offer.offer.offer).await;
    let mut abe = changed.sign_in("abe").await;
    let new = changed.submit("all", "x-3").await;
    assert_eq!(
        abe.offered().await.card.facts.id,
        new,
        "not that of a queue that is gone"
    );
    changed.engine.stop().await;

    let after = open(folder.path(), &clock);
    assert_eq!(state(&after, in_two).await, Some(ContactState::Active));
    let mut bo = after.sign_in("bo").await;
    assert_eq!(
        bo.offered().await.card.facts.id,
        in_one,
        "its queue is back"
    );
    after.engine.stop().await;
}

/// Runs a statement on the log's file, as no server would.
fn by_hand(folder: &Path, statement: &str) {
    let connection = Connection::open(folder.join(FILE)).unwrap();
    connection.execute_batch(statement).unwrap();
}

/// Two snapshots are whole.
const TWO: &str = "SELECT count(*) > 1 FROM snapshots";
/// The log was cut behind the older of them.
const CUT: &str = "SELECT min(seq) > 1 FROM batches";

/// Waits until it is so in the log's file.
async fn until(folder: &Path, so: &str) {
    let file = Connection::open(folder.join(FILE)).unwrap();
    while !file.query_row(so, [], |row| row.get::<_, bool>(0)).unwrap() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_snapshot_is_left_out_and_two_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::by_hand(NOON);
    let opened = || Sqlite::open(Folder::take(folder.path()).unwrap(), clock.now()).unwrap();
    let centre = Arc::new(open_on(WRAPS_UP, opened().cut_every(29), &clock));
    life(&centre, &clock, 0).await;
    let waits = centre.submit("two", "waits").await;
    until(folder.path(), CUT).await;
    let rules = centre.engine.rules();
    centre.engine.stop().await;

    let damage = "UPDATE pieces SET body = zeroblob(length(body)) WHERE snapshot =
        (SELECT max(seq) FROM snapshots)";
    by_hand(folder.path(), damage);
    let error = opened().disagree(&rules).unwrap_err();
    assert!(
        error.to_string().contains("a check sum in a snapshot"),
        "{error}"
    );
    let centre = open_on(WRAPS_UP, opened(), &clock);
    centre.engine.settled().await;
    assert_eq!(state(&centre, waits).await, Some(ContactState::Waiting));
    centre.engine.stop().await;

    by_hand(
        folder.path(),
        "UPDATE pieces SET body = zeroblob(length(body))",
    );
    let opening = Opening {
        configuration: None,
        now: clock.now(),
        rules: Arc::clone(&rules),
        release: Box::new(|_, _| {}),
        failed: Box::new(|_| {}),
    };
    let refused = opened().start(opening).err().expect("it does not start");
    assert!(
        refused.to_string().contains("damaged at event"),
        "{refused}"
    );
}

/// A queue with wrap-up beside one without.
const WRAPS_UP: &str = r#"
[workspace.main.teams.service]
[workspace.main.queues.one]
channels = ["chat"]
members = [{ team = "service" }]
[workspace.main.queues.two]
channels = ["chat"]
members = [{ team = "service" }]
terms.chat = { wrap_up = { mode = "none" } }
[workspace.main.users.ana]
teams = ["service"]
max = { chat = 2 }
[workspace.main.users.bo]
teams = ["service"]
max = { chat = 1 }
[workspace.main.connectors.site]
"#;

/// An agent who takes what comes, but for every fifth offer, and wraps up with a note.
async fn work(mut agent: Agent, centre: Arc<Centre>) {
    let mut offers = 0;
    while let Some(received) = agent.next().await {
        let ToDoor::Me(event) = received else {
            continue;
        };
        match &*event.me {
            Me::Offer(offer) => {
                offers += 1;
                let offer = offer.offer.offer;
                agent.ask(
                    &centre,
                    if offers % 5 == 0 {
                        let reason = Some("busy".to_owned());
                        FloorCommand::Decline { offer, reason }
                    } else {
                        FloorCommand::Accept(offer)
                    },
                );
            }
            Me::Connected(leg) => agent.command(&centre, QueueCommand::End(leg.offer.contact)),
            Me::WrapUp(leg) => agent.command(
                &centre,
                QueueCommand::WrapUp {
                    contact: leg.offer.contact,
                    codes: Some(vec!["sold".into()]),
                    note: Some("a note".into()),
                    done: true,
                },
            ),
            _ => {}
        }
    }
}

/// Contacts that come, are changed and served, some of which leave; those that still wait.
async fn life(centre: &Arc<Centre>, clock: &Clock, round: u32) -> Vec<ContactId> {
    let mut at_work = Vec::new();
    for login in ["ana", "bo"] {
        let agent = centre.sign_in(login).await;
        at_work.push(tokio::spawn(work(agent, Arc::clone(centre))));
    }
    let mut contacts = Vec::new();
    for n in 0..40 {
        let queue = if n % 3 == 0 { "two" } else { "one" };
        let contact = centre.submit(queue, &format!("{round}-{n}")).await;
        contacts.push(contact);
        clock.move_on(Span::seconds(1));
        let command = match n % 4 {
            0 => QueueCommand::Abandon(contact),
            1 => QueueCommand::Update {
                contact,
                attributes: vec![("n".into(), Some(n.to_string()))],
                requirement: None,
            },
            2 => QueueCommand::Prioritise {
                contact,
                priority: Some(n),
                tier: None,
            },
            _ => continue,
        };
        // It may be over by then.
        let _ = centre.command("site", command).await;
    }
    at_work.iter().for_each(JoinHandle::abort);
    contacts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_says_what_the_log_says_and_the_log_is_cut_behind_the_older_one() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::by_hand(NOON);
    let opened = || Sqlite::open(Folder::take(folder.path()).unwrap(), clock.now()).unwrap();
    let mut contacts = Vec::new();
    let mut stood = BTreeMap::new();
    for round in 0..4 {
        // In the first two rounds somebody has still to read all of it.
        let log = opened().cut_every(29);
        let reader = (round < 2).then(|| log.holds().hold(Seq(0)));
        let centre = Arc::new(open_on(WRAPS_UP, log, &clock));
        for (contact, before) in &stood {
            let now = state(&centre, *contact).await;
            assert_eq!(now.as_ref(), Some(before), "round {round}");
        }
        contacts.extend(life(&centre, &clock, round).await);
        until(folder.path(), if round < 2 { TWO } else { CUT }).await;
        let rules = centre.engine.rules();
        centre.engine.stop().await;
        drop(reader);

        let log = opened();
        let mut first = None;
        log.replay(Seq(0), |written| {
            first = first.or_else(|| written.records.first().map(|record| record.seq));
        })
        .unwrap();
        assert_eq!(
            first == Some(Seq(1)),
            round < 2,
            "{first:?} in round {round}"
        );
        let differ = log.disagree(&rules).unwrap();
        assert_eq!(differ, Some(Vec::new()), "round {round}");
        drop(log);
        // Offers that rang are withdrawn when it starts again: only the rest stays as it is.
        let centre = open_on(WRAPS_UP, opened(), &clock);
        stood.clear();
        for contact in &contacts {
            stood.extend(state(&centre, *contact).await.map(|now| (*contact, now)));
        }
        centre.engine.stop().await;
    }
    assert!(
        stood.len() >= 160,
        "closed contacts are still shown: {}",
        stood.len()
    );
}
