//! An engine that starts again on its log goes on where it was.

use super::centre::{Centre, SMALL};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use switchroom::access::lens::PseudonymKey;
use switchroom::config::{Config, Source};
use switchroom::domain::command::QueueCommand;
use switchroom::domain::contact::ContactState;
use switchroom::domain::machine::{Answer, Me};
use switchroom::engine::clock::Clock;
use switchroom::engine::{Engine, Options};
use switchroom::id::{ContactId, Seq};
use switchroom::journal::folder::Folder;
use switchroom::journal::sqlite::Sqlite;
use switchroom::live::sight::Viewer;
use switchroom::time::{Instant, Span};

const NOON: Instant = Instant(1_800_000_000_000);

/// A centre on the log in a folder, by this configuration.
fn open_by(toml: &str, folder: &Path, clock: &Clock) -> Centre {
    let mut log = Sqlite::open(Folder::take(folder).unwrap(), clock.now()).unwrap();
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
