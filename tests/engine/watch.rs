//! Watching through the engine: snapshots, what follows them, resumes, slow readers, a board
//! that fails.

use super::centre::{Centre, SMALL};
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::Arc;
use switchroom::access::lens::PseudonymKey;
use switchroom::domain::command::QueueCommand;
use switchroom::engine::clock::Clock;
use switchroom::engine::door::{Delivery, Door, SnapshotWhy, ToDoor};
use switchroom::engine::{Options, ViewResumed};
use switchroom::id::{ContactId, Seq};
use switchroom::limits;
use switchroom::live::board::Refused;
use switchroom::live::delta::Sub;
use switchroom::live::sight::Viewer;
use switchroom::live::topic::{Ask, Topic};
use switchroom::time::{Instant, Span};
use switchroom::wire::codec::Encoding;
use switchroom::wire::push::RevokedReason;

const JSON: Encoding = Encoding::Json;

fn centre() -> Centre {
    centre_with(Options::default())
}

fn centre_with(options: Options) -> Centre {
    let watched = format!(
        "{SMALL}\n[workspace.main.users.sam]\nroles = [\"supervisor\"]\nteams = [\"service\"]\n\
         supervises = {{ teams = [\"service\"], queues = [\"one\", \"two\"] }}\n"
    );
    Centre::open(&watched, options)
}

/// Somebody who watches.
struct Watching {
    door: Door,
    received: VecDeque<Delivery>,
    /// Messages of a frame that are not yet read.
    messages: VecDeque<Value>,
}

impl Watching {
    fn at(centre: &Centre) -> Self {
        Self {
            door: centre.engine.doors().open(),
            received: VecDeque::new(),
            messages: VecDeque::new(),
        }
    }

    async fn next(&mut self) -> ToDoor {
        while self.received.is_empty() {
            assert!(
                self.door.receive(&mut self.received).await,
                "the door is open"
            );
        }
        self.received.pop_front().expect("something").what
    }

    async fn subscribe(&mut self, centre: &Centre, topic: Topic) -> Result<Sub, Refused> {
        let door = self.door.id();
        centre
            .engine
            .subscribe(door, 7, sam(centre), Ask::of(topic), JSON);
        match self.next().await {
            ToDoor::Subscribed {
                request: 7, result, ..
            } => result,
            other => panic!("no answer but {other:?}"),
        }
    }

    async fn snapshot(&mut self, expected: SnapshotWhy) -> Vec<Value> {
        match self.next().await {
            ToDoor::Snapshot { why, mut parts, .. } => {
                assert_eq!(why, expected);
                let parts = std::iter::from_fn(|| parts.next_part());
                parts
                    .map(|part| serde_json::from_slice(&part).unwrap())
                    .collect()
            }
            other => panic!("no snapshot but {other:?}"),
        }
    }

    async fn frame(&mut self) -> Value {
        while self.messages.is_empty() {
            match self.next().await {
                ToDoor::Frame { bytes, .. } => {
                    let value: Value = serde_json::from_slice(&bytes).unwrap();
                    self.messages = match value {
                        Value::Array(messages) => messages.into(),
                        message => [message].into(),
                    };
                }
                other => panic!("no frame but {other:?}"),
            }
        }
        self.messages.pop_front().unwrap()
    }

    /// Frames up to and with the event of this name; checks that none is missing.
    async fn until(&mut self, name: &str, mut position: u64) -> Vec<Value> {
        let mut frames = Vec::new();
        loop {
            let frame = self.frame().await;
            let prev = frame["prev"].as_u64().unwrap();
            assert!(prev <= position, "{frame} after {position}");
            position = frame["seq"].as_u64().unwrap();
            let done = frame["event"] == name;
            frames.push(frame);
            if done {
                return frames;
            }
        }
    }
}

fn sam(centre: &Centre) -> Viewer {
    let principal = centre.directory.by_login("sam").expect("the supervisor");
    Viewer {
        principal: Arc::clone(principal),
        key: Arc::new(PseudonymKey::new([7; 32])),
    }
}

fn names(frames: &[Value]) -> Vec<&str> {
    let event = |frame: &'_ Value| frame["event"].is_string();
    frames
        .iter()
        .map(|frame| {
            frame[if event(frame) { "event" } else { "type" }]
                .as_str()
                .unwrap()
        })
        .collect()
}

async fn life(centre: &Centre) -> ContactId {
    let mut ana = centre.sign_in("ana").await;
    let contact = centre.submit("one", "x-1").await;
    let offer = ana.offered().await.offer.offer;
    ana.accept(centre, offer).await;
    let (ended, _) = centre.command("site", QueueCommand::End(contact)).await;
    ended.expect("ended");
    contact
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supervisor_sees_every_step_of_a_contact_as_numbered_events() {
    let centre = centre();
    let mut sam = Watching::at(&centre);
    let sub = sam.subscribe(&centre, Topic::Contacts).await.unwrap();
    let snapshot = sam.snapshot(SnapshotWhy::Opened).await;
    assert_eq!(snapshot.len(), 1);
    assert_eq!(snapshot[0]["data"]["total"], 0, "{}", snapshot[0]);
    assert_eq!(snapshot[0]["sub"], sub.to_string());
    let contact = life(&centre).await;
    let as_of = snapshot[0]["as_of"].as_u64().unwrap();
    let frames = sam.until("contact.closed", as_of).await;
    let steps = [
        "entered",
        "contact.offered",
        "leg.connected",
        "leg.ended",
        "contact.closed",
    ];
    assert_eq!(names(&frames), steps);
    assert!(
        frames
            .iter()
            .all(|frame| frame["key"] == contact.to_string())
    );
    assert_eq!(
        frames[2]["data"]["legs"][0]["agent"], "ana",
        "{}",
        frames[2]
    );
    centre.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_that_is_sent_again_keeps_its_limit() {
    let centre = centre();
    for id in ["x-1", "x-2", "x-3"] {
        centre.submit("one", id).await;
    }
    let mut watching = Watching::at(&centre);
    let ask = Ask {
        limit: 2,
        ..Ask::of(Topic::Contacts)
    };
    let door = watching.door.id();
    centre.engine.subscribe(door, 7, sam(&centre), ask, JSON);
    let ToDoor::Subscribed { result, .. } = watching.next().await else {
        panic!("no answer")
    };
    let sub = result.unwrap();
    for why in [SnapshotWhy::Opened, SnapshotWhy::Reset] {
        let snapshot = watching.snapshot(why).await;
        assert_eq!(snapshot[0]["data"]["contacts"].as_array().unwrap().len(), 2);
        assert_eq!(snapshot[0]["data"]["total"], 3);
        centre.engine.again(door, sub);
    }
    centre.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_socket_hears_what_it_missed_or_begins_anew() {
    let centre = centre();
    let mut first = Watching::at(&centre);
    first.subscribe(&centre, Topic::Contacts).await.unwrap();
    let as_of = first.snapshot(SnapshotWhy::Opened).await[0]["as_of"]
        .as_u64()
        .unwrap();
    drop(first);
    life(&centre).await;
    let mut again = Watching::at(&centre);
    let resume = |seq| {
        let (door, ask) = (again.door.id(), Ask::of(Topic::Contacts));
        centre
            .engine
            .resume_view(door, sam(&centre), ask, JSON, Seq(seq))
    };
    let resumed = resume(as_of).await.unwrap();
    assert!(matches!(resumed, ViewResumed::Whole(_)), "{resumed:?}");
    let frames = again.until("contact.closed", as_of).await;
    assert_eq!(frames.len(), 5);
    assert!(
        frames.iter().skip(1).all(|frame| frame["replay"] == true),
        "{frames:?}"
    );
    let live = again.next().await;
    assert!(matches!(live, ToDoor::Live { .. }), "{live:?}");
    let mut ahead = Watching::at(&centre);
    let (door, ask) = (ahead.door.id(), Ask::of(Topic::Contacts));
    let far = Seq(as_of + 1_000_000);
    let reset = centre
        .engine
        .resume_view(door, sam(&centre), ask, JSON, far)
        .await;
    assert!(matches!(reset, Ok(ViewResumed::Reset(..))), "{reset:?}");
    ahead.snapshot(SnapshotWhy::Reset).await;
    centre.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_was_answered_sees_it_on_the_board() {
    let centre = centre();
    for n in 0..50 {
        let contact = centre.submit("one", &format!("x-{n}")).await;
        let viewer = sam(&centre);
        let seen = centre
            .engine
            .look(move |board| board.contact(&viewer, contact).map(|seen| seen.id()));
        assert_eq!(seen.await, Some(Ok(contact)));
    }
    centre.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_behind_a_table_gets_the_whole_of_it_when_it_has_caught_up() {
    let clock = Clock::by_hand(Instant(1_800_000_000_000));
    let centre = centre_with(Options {
        clock: clock.clone(),
        ..Options::default()
    });
    let mut slow = Watching::at(&centre);
    let sub = slow.subscribe(&centre, Topic::StatsQueues).await.unwrap();
    slow.snapshot(SnapshotWhy::Opened).await;
    // Something large stands in for what the socket has not yet written.
    let session = centre.engine.doors().session(slow.door.id()).unwrap();
    assert!(session.send(ToDoor::Frame {
        sub,
        seq: Seq(0),
        bytes: vec![b' '; limits::BEHIND_BYTES].into(),
    }));
    centre.submit("one", "x-1").await;
    clock.move_on(Span::seconds(1));
    // The board has ticked when it lets itself be looked at a second time.
    for _ in 0..2 {
        centre.engine.look(|_| ()).await;
    }
    let held = slow.next().await;
    assert!(matches!(held, ToDoor::Frame { .. }), "{held:?}");
    clock.move_on(Span::seconds(1));
    let whole = slow.snapshot(SnapshotWhy::Behind).await;
    let columns = whole[0]["columns"].as_array().unwrap();
    let waiting = columns
        .iter()
        .position(|column| column == "waiting")
        .unwrap();
    let rows = whole[0]["rows"].as_array().unwrap();
    let one = rows.iter().find(|row| row[0] == "one").unwrap();
    assert_eq!(one[waiting], 1, "{one}");
    centre.submit("one", "x-2").await;
    clock.move_on(Span::seconds(1));
    let update = slow.frame().await;
    assert_eq!(update["type"], "update", "{update}");
    centre.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_for_a_leg_opens_by_its_known_name_and_ends_with_the_leg() {
    let centre = centre();
    let mut ana = centre.sign_in("ana").await;
    let contact = centre.submit("one", "x-1").await;
    let offer = ana.offered().await.offer.offer;
    ana.accept(&centre, offer).await;
    let mut page = Watching::at(&centre);
    let sub = centre
        .engine
        .open_for_leg(page.door.id(), sam(&centre), JSON, contact, offer);
    let state = page.snapshot(SnapshotWhy::Opened).await;
    assert_eq!(state[0]["sub"], sub.to_string());
    assert_eq!(state[0]["data"]["contact"], contact.to_string());
    let (ended, _) = centre.command("site", QueueCommand::End(contact)).await;
    ended.expect("ended");
    let revoked = loop {
        match page.next().await {
            ToDoor::Revoked { reason, .. } => break reason,
            ToDoor::Frame { .. } => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(revoked, RevokedReason::LegEnded);
    centre.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_board_that_fails_comes_back_with_all_it_knew_and_tells_its_watchers() {
    let centre = centre();
    let mut watching = Watching::at(&centre);
    watching.subscribe(&centre, Topic::Contacts).await.unwrap();
    watching.snapshot(SnapshotWhy::Opened).await;
    let contact = centre.submit("one", "x-1").await;
    assert_eq!(watching.frame().await["type"], "entered");
    let failed: Option<()> = centre
        .engine
        .look(|_| panic!("the bomb of this test"))
        .await;
    assert_eq!(failed, None);
    let revoked = watching.next().await;
    let restarted = RevokedReason::Restarted;
    assert!(
        matches!(revoked, ToDoor::Revoked { reason, .. } if reason == restarted),
        "{revoked:?}"
    );
    watching.subscribe(&centre, Topic::Contacts).await.unwrap();
    let snapshot = watching.snapshot(SnapshotWhy::Opened).await;
    assert_eq!(
        snapshot[0]["data"]["contacts"][0]["contact"],
        contact.to_string()
    );
    assert_eq!(centre.engine.fatal().why(), None);
    centre.engine.stop().await;
}
