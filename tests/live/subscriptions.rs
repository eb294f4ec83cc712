//! Who shares a view, and which subscriptions are refused.

use super::random::Random;
use super::streams::World;
use switchroom::id::ContactId;
use switchroom::live::board::Refused;
use switchroom::live::delta::Watcher;
use switchroom::live::topic::{Ask, Topic};

#[test]
fn equal_subscriptions_share_one_view_and_others_do_not() {
    let mut world = World::new();
    let open = |world: &mut World, login: &str, ask: &Ask| {
        let watcher = world.watcher();
        let viewer = world.viewers[login].clone();
        world
            .board
            .subscribe(watcher, &viewer, ask)
            .map(|subscribed| subscribed.sub)
    };
    let queues = Ask::of(Topic::StatsQueues);
    let sue = open(&mut world, "sue", &queues).unwrap();
    assert_eq!(
        open(&mut world, "sid", &queues),
        Ok(sue),
        "same rights, same standpoint"
    );
    let alex = open(&mut world, "alex", &queues).unwrap();
    assert_ne!(alex, sue);
    assert_eq!(open(&mut world, "alex", &queues), Ok(alex));
    let other = Ask {
        hz: 1,
        ..queues.clone()
    };
    assert_ne!(open(&mut world, "alex", &other), Ok(alex), "another rate");
    let other = Ask {
        encoding: 1,
        ..queues.clone()
    };
    assert_ne!(
        open(&mut world, "alex", &other),
        Ok(alex),
        "another encoding"
    );
    let other = Ask {
        columns: vec!["id".to_owned()],
        ..queues.clone()
    };
    assert_ne!(open(&mut world, "alex", &other), Ok(alex), "other columns");
    let other = Ask {
        limit: 7,
        ..Ask::of(Topic::Contacts)
    };
    let contacts = open(&mut world, "alex", &Ask::of(Topic::Contacts)).unwrap();
    assert_eq!(
        open(&mut world, "alex", &other),
        Ok(contacts),
        "the limit is the snapshot's"
    );
    let agents = Ask::of(Topic::StatsAgents);
    let nim = open(&mut world, "nim", &agents).unwrap();
    assert_ne!(
        open(&mut world, "nox", &agents),
        Ok(nim),
        "pseudonyms are a session's own"
    );
    let mine = open(&mut world, "ana", &Ask::of(Topic::Contacts)).unwrap();
    assert_ne!(open(&mut world, "bo", &Ask::of(Topic::Contacts)), Ok(mine));
}

#[test]
fn what_may_not_be_watched_is_refused() {
    let mut world = World::new();
    let contact = world.centre.submit("site", "mails", "email");
    let mut random = Random::new(1);
    world.fold(&mut random, false);
    let calls = world.centre.queue("calls");
    let mails = world.centre.queue("mails");
    let refuse = |world: &mut World, login: &str, ask: Ask| {
        let watcher = world.watcher();
        let viewer = world.viewers[login].clone();
        let refused = world.board.subscribe(watcher, &viewer, &ask);
        refused.map(|subscribed| subscribed.sub).unwrap_err()
    };
    let code = |refused: Refused| match refused {
        Refused::Denied(denied) => denied.code(),
        Refused::NotFound => "not_found",
        other => panic!("{other:?}"),
    };
    let absent = ContactId(uuid::Uuid::from_u128(7));
    for (login, topic, ought) in [
        ("sue", Topic::Contact(contact), "not_found"),
        ("sue", Topic::Contact(absent), "not_found"),
        ("ana", Topic::Contact(contact), "not_found"),
        ("shop", Topic::Contact(contact), "not_found"),
        ("sue", Topic::QueueContacts(mails), "not_found"),
        ("ana", Topic::QueueContacts(calls), "not_found"),
        ("site", Topic::Agents, "forbidden"),
        ("nim", Topic::Agents, "forbidden"),
        ("ana", Topic::StatsQueues, "forbidden"),
        ("ana", Topic::StatsAgents, "forbidden"),
        ("ana", Topic::Connector, "forbidden"),
    ] {
        let refused = refuse(&mut world, login, Ask::of(topic));
        assert_eq!(code(refused), ought, "{login} on {topic:?}");
    }
    let viewer = world.viewers["sue"].clone();
    assert_eq!(
        world
            .board
            .contact(&viewer, contact)
            .map_err(code)
            .unwrap_err(),
        "not_found"
    );
    assert_eq!(
        world
            .board
            .trace(&viewer, contact)
            .map_err(code)
            .unwrap_err(),
        "not_found"
    );
    let mut ask = Ask::of(Topic::StatsAgents);
    ask.filter
        .add(ask.topic, "team", "north", &world.centre.rules)
        .unwrap();
    assert_eq!(refuse(&mut world, "nim", ask), Refused::FilterHidden);
    let ask = Ask {
        columns: vec!["id".to_owned(), "nonsense".to_owned()],
        ..Ask::of(Topic::StatsQueues)
    };
    assert_eq!(
        refuse(&mut world, "alex", ask),
        Refused::NoColumn("nonsense".to_owned())
    );
}

#[test]
fn a_view_is_open_once_on_a_connection_and_not_without_end() {
    let mut world = World::new();
    let watcher = world.watcher();
    let viewer = world.viewers["alex"].clone();
    let ask = Ask::of(Topic::Contacts);
    let sub = world.board.subscribe(watcher, &viewer, &ask).unwrap().sub;
    let again = world.board.subscribe(watcher, &viewer, &ask).unwrap_err();
    assert_eq!(again, Refused::AlreadySubscribed(sub));
    for encoding in 1..64 {
        let ask = Ask {
            encoding,
            ..ask.clone()
        };
        world.board.subscribe(watcher, &viewer, &ask).unwrap();
    }
    let more = Ask {
        encoding: 99,
        ..ask.clone()
    };
    let refused = world.board.subscribe(watcher, &viewer, &more).unwrap_err();
    assert_eq!(refused, Refused::TooMany);
    assert!(world.board.unsubscribe(watcher, sub));
    assert!(!world.board.unsubscribe(watcher, sub));
    world.board.subscribe(watcher, &viewer, &more).unwrap();
    assert_eq!(world.board.gauges().views, 64);
    world.board.gone(watcher);
    assert_eq!(world.board.gauges().views, 0);
}

#[test]
fn no_more_sessions_see_pseudonyms_than_the_workspace_can_encode_for() {
    let mut world = World::new();
    let ask = Ask::of(Topic::StatsAgents);
    for session in 0..50 {
        let viewer = world.centre.viewer("nim", session);
        world
            .board
            .subscribe(Watcher(u64::from(session)), &viewer, &ask)
            .unwrap();
    }
    let viewer = world.centre.viewer("nox", 77);
    let refused = world
        .board
        .subscribe(Watcher(77), &viewer, &ask)
        .unwrap_err();
    assert_eq!(refused, Refused::TooManyAnonymous);
    world.board.gone(Watcher(3));
    world.board.subscribe(Watcher(77), &viewer, &ask).unwrap();
    let viewer = world.centre.viewer("alex", 78);
    world.board.subscribe(Watcher(78), &viewer, &ask).unwrap();
}
