//! Actors that panic come back with all they had, or are taken out of service.

use super::centre::{Centre, SMALL};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use switchroom::domain::command::{FloorCommand, QueueCommand, When};
use switchroom::domain::machine::{Answer, Me, Refusal};
use switchroom::domain::offer::AgentState;
use switchroom::engine::door::ToDoor;
use switchroom::engine::{Engine, Options, Trip};
use switchroom::id::QueueId;
use switchroom::journal::Source;
use switchroom::limits;

/// The queue `one`: queues are numbered by name.
const ONE: QueueId = QueueId(0);

/// Makes an actor panic at commands that want an answer, as often as it is told.
#[derive(Clone, Default)]
struct Bomb(Arc<AtomicU32>);

impl Bomb {
    fn arm(&self, times: u32) {
        self.0.store(times, Ordering::SeqCst);
    }

    fn for_queue_one(&self) -> Trip {
        let bomb = self.clone();
        Arc::new(move |source, asked| match source {
            Source::Queue(ONE) if asked => bomb.go(),
            Source::Queue(_) | Source::Floor | Source::Board | Source::Index => {}
        })
    }

    fn for_the_floor(&self) -> Trip {
        let bomb = self.clone();
        Arc::new(move |source, asked| match source {
            Source::Floor if asked => bomb.go(),
            Source::Queue(_) | Source::Floor | Source::Board | Source::Index => {}
        })
    }

    /// At what the floor is told, and nobody asked.
    fn for_a_floor_that_is_told(&self) -> Trip {
        let bomb = self.clone();
        Arc::new(move |source, asked| match source {
            Source::Floor if !asked => bomb.go(),
            Source::Queue(_) | Source::Floor | Source::Board | Source::Index => {}
        })
    }

    fn go(&self) {
        let left = |left: u32| left.checked_sub(1);
        let armed = self
            .0
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, left);
        assert!(armed.is_err(), "the bomb of this test");
    }
}

fn centre(trip: Trip) -> Centre {
    let options = Options {
        trip: Some(trip),
        ..Options::default()
    };
    Centre::open(SMALL, options)
}

fn restarts(engine: &Engine) -> String {
    let page = engine.metrics();
    let line = page
        .lines()
        .find(|line| line.starts_with("switchroom_actor_restarts_total"));
    line.expect("the number of restarts").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_panics_keeps_its_contacts_and_answers_internal_once() {
    let bomb = Bomb::default();
    let centre = centre(bomb.for_queue_one());
    let first = centre.submit("one", "x-1").await;
    let second = centre.submit("one", "x-2").await;
    bomb.arm(1);
    let (answer, _) = centre.command("site", QueueCommand::Abandon(first)).await;
    assert!(matches!(answer, Err(Refusal::Internal)), "{answer:?}");
    assert_eq!(
        restarts(&centre.engine),
        "switchroom_actor_restarts_total 1"
    );
    let mut ana = centre.sign_in("ana").await;
    let mut bo = centre.sign_in("bo").await;
    let offered = [ana.offered().await, bo.offered().await];
    let mut offered = offered.map(|offer| offer.offer.contact);
    offered.sort_unstable();
    assert_eq!(offered, [first, second], "both are still in line");
    let (answer, _) = centre.command("site", QueueCommand::Abandon(first)).await;
    assert!(matches!(answer, Ok(Answer::Contact(_))), "{answer:?}");
    centre.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_mailbox_outlives_the_machine() {
    const CONTACTS: usize = 5_000;
    let bomb = Bomb::default();
    let centre = centre(bomb.for_queue_one());
    let mut waiting = Vec::new();
    for n in 0..CONTACTS {
        if n == CONTACTS / 3 || n == CONTACTS / 2 {
            bomb.arm(1);
        }
        let (to, once) = centre.engine.doors().once();
        centre.submit_to("one", &format!("x-{n}"), Some(to));
        waiting.push(once);
    }
    let (mut taken, mut internal) = (0, 0);
    for once in waiting {
        match once.answer().await.expect("an answer to each") {
            (Ok(Answer::Submitted { .. }), _) => taken += 1,
            (Err(Refusal::Internal), _) => internal += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(
        (1..=2).contains(&internal),
        "{internal} were answered internal"
    );
    assert_eq!(taken + internal, CONTACTS);
    let has = format!("switchroom_contacts {taken}\n");
    let page = centre.engine.metrics();
    assert!(page.contains(&has), "{page}");
    centre.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_floor_that_panics_keeps_its_agents_and_rings_anew() {
    let bomb = Bomb::default();
    let centre = centre(bomb.for_the_floor());
    let mut ana = centre.sign_in("ana").await;
    let contact = centre.submit("one", "x-1").await;
    let first = ana.offered().await;
    bomb.arm(1);
    let (to, once) = centre.engine.doors().once();
    let asked = centre.asked("ana", Some(ana.generation), Some(to));
    let shown = switchroom::domain::command::FloorCommand::Shown(first.offer.offer);
    centre.engine.command_floor(asked, shown);
    let (answer, _) = once.answer().await.expect("an answer");
    assert!(matches!(answer, Err(Refusal::Internal)), "{answer:?}");
    let again = loop {
        let event = ana.next_me().await;
        if let switchroom::domain::machine::Me::Offer(offer) = &*event.me {
            break offer.clone();
        }
    };
    assert_eq!(again.offer.contact, contact);
    assert!(
        again.offer.offer > first.offer.offer,
        "numbers are never used again"
    );
    ana.accept(&centre, again.offer.offer).await;
    centre.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_keeps_panicking_is_taken_out_and_the_others_go_on() {
    let bomb = Bomb::default();
    let centre = centre(bomb.for_queue_one());
    let contact = centre.submit("one", "x-1").await;
    bomb.arm(u32::try_from(limits::PANICS).unwrap());
    for _ in 0..limits::PANICS {
        let (answer, _) = centre.command("site", QueueCommand::Abandon(contact)).await;
        assert!(matches!(answer, Err(Refusal::Internal)), "{answer:?}");
    }
    let (answer, _) = centre.command("site", QueueCommand::Abandon(contact)).await;
    assert!(matches!(answer, Err(Refusal::Unavailable)), "{answer:?}");
    assert_eq!(centre.engine.fatal().why(), None);
    let mut ana = centre.sign_in("ana").await;
    let other = centre.submit("two", "x-2").await;
    assert_eq!(ana.offered().await.offer.contact, other);
    centre.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_floor_that_keeps_panicking_ends_the_process() {
    let bomb = Bomb::default();
    let centre = centre(bomb.for_the_floor());
    bomb.arm(u32::MAX);
    for _ in 0..limits::PANICS {
        let (to, _once) = centre.engine.doors().once();
        let asked = centre.asked("ana", None, Some(to));
        let nothing = switchroom::domain::command::FloorCommand::Shown(switchroom::id::OfferId(1));
        centre.engine.command_floor(asked, nothing);
    }
    centre.engine.fatal().heard().await;
    assert_eq!(
        centre.engine.fatal().why(),
        Some("the floor has failed too often")
    );
    centre.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_newly_assigned_is_so_although_the_floor_fails_over_it() {
    let bomb = Bomb::default();
    let before = SMALL.replace(
        "[workspace.main.queues.two]\nchannels = [\"chat\"]\nmembers = [{ team = \"service\" }]",
        "[workspace.main.queues.two]\nchannels = [\"chat\"]",
    );
    assert_ne!(before, SMALL);
    let options = Options {
        trip: Some(bomb.for_a_floor_that_is_told()),
        ..Options::default()
    };
    let centre = Centre::open(&before, options);
    let mut ana = centre.sign_in("ana").await;
    // Whatever the floor was told of the sign-ins is behind this answer.
    let mut bo = centre.sign_in("bo").await;
    let state = FloorCommand::SetState {
        agent: None,
        state: AgentState::NotReady("lunch".into()),
        when: When::Now,
    };
    bo.ask(&centre, state);
    while !matches!(bo.next().await, Some(ToDoor::Reply { .. })) {}
    let waits = centre.submit("two", "x-1").await;
    let after = Centre::open(SMALL, Options::default());
    bomb.arm(1);
    let names = Arc::clone(after.directory.names());
    centre.engine.change_rules(&after.engine.rules(), &names);
    loop {
        if let Me::Offer(offer) = &*ana.next_me().await.me {
            assert_eq!(offer.card.facts.id, waits);
            break;
        }
    }
    assert_eq!(
        restarts(&centre.engine),
        "switchroom_actor_restarts_total 1"
    );
}
