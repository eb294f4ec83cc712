//! Rights that change while views are open.

use super::centre::Centre;
use super::eyes::Eye;
use std::collections::BTreeMap;
use std::sync::Arc;
use switchroom::access::grant::Grant;
use switchroom::access::principal::Identity;
use switchroom::access::privilege::Privilege;
use switchroom::access::scope::Scope;
use switchroom::domain::capacity::{ChannelRules, Channels};
use switchroom::id::{ContactId, Seq, TeamId};
use switchroom::live::board::{Board, Refused};
use switchroom::live::delta::{Delta, Key, ResetWhy, Resumed, Watcher};
use switchroom::live::sight::Viewer;
use switchroom::live::topic::{Ask, Topic};

struct World {
    centre: Centre,
    board: Board,
    folded: usize,
}

impl World {
    fn new() -> Self {
        let centre = Centre::new();
        let board = Board::new(Arc::clone(&centre.rules), centre.now);
        Self {
            centre,
            board,
            folded: 0,
        }
    }

    fn fold(&mut self) -> Vec<Delta> {
        for record in self.centre.since(self.folded) {
            self.board.fold(record);
        }
        self.folded = self.centre.log.len();
        self.board.drain()
    }

    fn team(&self, name: &str) -> TeamId {
        let index = self.centre.rules.teams.iter().position(|team| team == name);
        TeamId(u32::try_from(index.unwrap()).unwrap())
    }

    /// The user with the same name and role who supervises other teams and queues.
    fn supervisor(&self, login: &str, teams: &[&str], queues: &[&str]) -> Viewer {
        let mut identity = Identity::new(self.centre.user(login), login, "watcher");
        identity.teams = vec![self.team("north")];
        identity.supervised_teams = teams.iter().map(|team| self.team(team)).collect();
        identity.supervised_queues = queues
            .iter()
            .map(|queue| self.centre.queue(queue))
            .collect();
        self.viewer(identity, login)
    }

    fn viewer(&self, identity: Identity, login: &str) -> Viewer {
        let roles = self.centre.directory.roles();
        Viewer {
            principal: identity.principal(roles, Default::default(), 2).unwrap(),
            key: self.centre.viewer(login, 9).key,
        }
    }

    fn eye(&mut self, login: &'static str, watcher: u64, topic: Topic) -> Eye {
        let viewer = self.centre.viewer(login, u8::try_from(watcher).unwrap());
        let (board, watcher) = (&mut self.board, Watcher(watcher));
        let eye = Eye::open(&self.centre, board, login, watcher, viewer, Ask::of(topic));
        self.board.drain();
        Eye {
            recuts: true,
            ..eye.unwrap()
        }
    }

    fn change(&mut self, login: &str, viewers: &[(&Eye, &Viewer)]) -> Vec<Delta> {
        let viewers: BTreeMap<Watcher, Viewer> = viewers
            .iter()
            .map(|(eye, viewer)| (eye.watcher, (*viewer).clone()))
            .collect();
        let user = self.centre.user(login);
        self.board.rights_changed(user, &viewers);
        self.board.drain()
    }
}

fn shown(eye: &Eye) -> Vec<ContactId> {
    let keys = eye.rows.keys();
    keys.map(|key| match key {
        Key::Contact(contact) => *contact,
        _ => panic!("{key:?}"),
    })
    .collect()
}

#[test]
fn what_comes_into_the_scope_enters_and_what_goes_leaves() {
    let mut world = World::new();
    let call = world.centre.submit("site", "calls", "voice");
    let mail = world.centre.submit("site", "mails", "email");
    world.fold();
    let mut sue = world.eye("sue", 1, Topic::Contacts);
    assert_eq!(shown(&sue), [call]);
    let now = world.supervisor("sue", &["south"], &["mails"]);
    for delta in world.change("sue", &[(&sue, &now)]) {
        sue.receive(&world.centre, &delta);
    }
    assert_eq!(shown(&sue), [mail]);
    let next = world.centre.submit("site", "mails", "email");
    world.centre.submit("site", "calls", "voice");
    for delta in world.fold() {
        sue.receive(&world.centre, &delta);
    }
    assert_eq!(shown(&sue), [mail, next], "the stream obeys the new rights");
    assert_eq!(sue.revoked, None);
}

#[test]
fn agents_and_tables_are_cut_anew() {
    let mut world = World::new();
    let mut agents = world.eye("sue", 1, Topic::Agents);
    let mut table = world.eye("sue", 2, Topic::StatsQueues);
    let before = agents.rows.len();
    let queues: Vec<Key> = table.table.keys().copied().collect();
    assert_eq!(queues, [Key::Queue(world.centre.queue("calls"))]);
    let now = world.supervisor("sue", &["south"], &["mails"]);
    let deltas = world.change("sue", &[(&agents, &now), (&table, &now)]);
    for delta in deltas {
        agents.receive(&world.centre, &delta);
        table.receive(&world.centre, &delta);
    }
    let logins: Vec<String> = agents
        .rows
        .keys()
        .map(|key| match key {
            Key::Agent(agent) => world.centre.login(*agent),
            _ => panic!("{key:?}"),
        })
        .collect();
    assert!(
        before > 0 && logins.contains(&"cy".to_owned()),
        "{logins:?}"
    );
    assert!(!logins.contains(&"eli".to_owned()), "{logins:?}");
    let queues: Vec<Key> = table.table.keys().copied().collect();
    assert_eq!(queues, [Key::Queue(world.centre.queue("mails"))]);
    assert!(
        table.table.values().all(|cells| cells.len() > 10),
        "new rows come whole"
    );
}

#[test]
fn a_shared_view_is_left_by_the_one_whose_rights_changed() {
    let mut world = World::new();
    let sue = world.eye("sue", 1, Topic::StatsQueues);
    let sid = world.eye("sid", 2, Topic::StatsQueues);
    assert_eq!(sue.sub, sid.sub);
    let now = world.supervisor("sue", &["south"], &["mails"]);
    let deltas = world.change("sue", &[(&sue, &now)]);
    let (mut sue, mut sid) = (sue, sid);
    for delta in &deltas {
        sue.receive(&world.centre, delta);
        sid.receive(&world.centre, delta);
    }
    assert_eq!((sue.revoked, sid.revoked), (Some("rights_changed"), None));
    let again = world
        .board
        .subscribe(Watcher(1), &now, &Ask::of(Topic::StatsQueues));
    assert_ne!(again.unwrap().sub, sid.sub);
}

#[test]
fn a_topic_that_is_not_allowed_any_more_ends() {
    let mut world = World::new();
    let call = world.centre.submit("site", "calls", "voice");
    world.fold();
    let mut eyes = [
        world.eye("sue", 1, Topic::Contacts),
        world.eye("sue", 2, Topic::Contact(call)),
        world.eye("sue", 3, Topic::QueueContacts(world.centre.queue("calls"))),
        world.eye("sue", 4, Topic::StatsAgents),
    ];
    let demoted = Identity::new(world.centre.user("sue"), "sue", "wallboard");
    let demoted = world.viewer(demoted, "sue");
    let pairs: Vec<(&Eye, &Viewer)> = eyes.iter().map(|eye| (eye, &demoted)).collect();
    let deltas = world.change("sue", &pairs);
    for eye in &mut eyes {
        for delta in &deltas {
            eye.receive(&world.centre, delta);
        }
        assert_eq!(eye.revoked, Some("rights_changed"), "{:?}", eye.ask.topic);
    }
    assert_eq!(world.board.gauges().views, 0);
    world.centre.submit("site", "calls", "voice");
    assert!(world.fold().is_empty(), "nothing is said to nobody");
    let refused = world.board.contact(&demoted, call).map(|_| ()).unwrap_err();
    assert!(matches!(refused, Refused::Denied(denied) if denied.code() == "not_found"));
}

#[test]
fn another_lens_ends_the_view_because_no_event_can_say_it() {
    let mut world = World::new();
    world.centre.submit("site", "calls", "voice");
    world.fold();
    let mut sue = world.eye("sue", 1, Topic::Contacts);
    let mut identity = Identity::new(world.centre.user("sue"), "sue", "watcher");
    identity.supervised_queues = vec![world.centre.queue("calls")];
    identity.denials = vec![Grant::new(Privilege::CustomerPiiClear, Scope::All)];
    let masked = world.viewer(identity, "sue");
    for delta in world.change("sue", &[(&sue, &masked)]) {
        sue.receive(&world.centre, &delta);
    }
    assert_eq!(sue.revoked, Some("rights_changed"));
    let ask = Ask::of(Topic::Contacts);
    let (board, watcher) = (&mut world.board, Watcher(1));
    let again = Eye::open(&world.centre, board, "sue", watcher, masked, ask).unwrap();
    assert_eq!(again.rows.len(), 1);
    assert!(!again.text().contains("erysecret"), "{}", again.text());
}

#[test]
fn a_position_from_before_the_change_resumes_nothing() {
    let mut world = World::new();
    world.centre.submit("site", "calls", "voice");
    world.fold();
    let sue = world.eye("sue", 1, Topic::Contacts);
    world.board.gone(sue.watcher);
    world.centre.submit("site", "calls", "voice");
    world.fold();
    let ask = Ask::of(Topic::Contacts);
    let resumed = world
        .board
        .resume(Watcher(2), &sue.viewer, &ask, sue.position)
        .unwrap();
    assert!(matches!(resumed, Resumed::Whole { .. }), "{resumed:?}");
    world.board.gone(Watcher(2));
    let now = world.supervisor("sue", &["south"], &["calls"]);
    world
        .board
        .rights_changed(world.centre.user("sue"), &BTreeMap::new());
    let resumed = world
        .board
        .resume(Watcher(3), &now, &ask, sue.position)
        .unwrap();
    let Resumed::Reset { why, subscribed } = resumed else {
        panic!("{resumed:?}")
    };
    assert_eq!(why, ResetWhy::RightsChanged);
    world.board.gone(Watcher(3));
    let at = subscribed.cut.as_of;
    let resumed = world.board.resume(Watcher(4), &now, &ask, at).unwrap();
    assert!(
        matches!(resumed, Resumed::Reset { .. }),
        "perhaps half of what the change took and brought was seen: {resumed:?}"
    );
    world.board.gone(Watcher(4));
    world.centre.submit("site", "calls", "voice");
    world.fold();
    let after = world.board.as_of();
    let resumed = world.board.resume(Watcher(6), &now, &ask, after).unwrap();
    assert!(
        matches!(resumed, Resumed::Whole { .. }),
        "after the change it goes on: {resumed:?}"
    );
    world.board.gone(Watcher(6));
    let future = Seq(world.board.as_of().0 + 1);
    let resumed = world.board.resume(Watcher(5), &now, &ask, future).unwrap();
    assert!(matches!(
        resumed,
        Resumed::Reset {
            why: ResetWhy::PositionLost,
            ..
        }
    ));
}

#[test]
fn new_rules_cut_the_views_anew() {
    let mut world = World::new();
    world.centre.sign_in("ana");
    let call = world.centre.submit("site", "calls", "voice");
    world.fold();
    let mut agents = world.eye("sue", 1, Topic::Agents);
    let mut table = world.eye("alex", 2, Topic::StatsQueues);
    let mut contacts = world.eye("sue", 3, Topic::Contacts);
    let mut rules = (*world.centre.rules).clone();
    let ana = world.centre.agent("ana");
    let south = world.team("south");
    rules.agents[ana.index()].teams = vec![south];
    rules.agents[ana.index()].memberships.clear();
    world.board.rules_changed(Arc::new(rules));
    for delta in world.board.drain() {
        agents.receive(&world.centre, &delta);
        table.receive(&world.centre, &delta);
        contacts.receive(&world.centre, &delta);
    }
    assert!(
        !agents.rows.contains_key(&Key::Agent(ana)),
        "ana is in another team"
    );
    assert_eq!(table.revoked, None, "its columns are the same");
    assert_eq!(shown(&contacts), [call]);
    let calls = world.centre.queue("calls");
    let read = world
        .board
        .table(&table.viewer, switchroom::live::stats::Table::Queues)
        .unwrap();
    let members = read
        .columns
        .iter()
        .position(|c| &*c.name == "members")
        .unwrap();
    let (_, row) = read
        .rows
        .iter()
        .find(|(key, _)| *key == Key::Queue(calls))
        .unwrap();
    let before = world.centre.rules.agents.iter();
    let before = before
        .filter(|a| a.memberships.iter().any(|m| m.queue == calls))
        .count();
    assert_eq!(
        row[members],
        switchroom::live::stats::Cell::Int(i64::try_from(before - 1).unwrap())
    );

    let mut rules = (*world.centre.rules).clone();
    let channels = rules.channels.iter().map(|(_, own)| own.clone());
    let mut channels: Vec<ChannelRules> = channels.collect();
    channels.push(ChannelRules {
        name: "fax".into(),
        ..channels[0].clone()
    });
    rules.channels = Channels::new(channels);
    world.board.rules_changed(Arc::new(rules));
    for delta in world.board.drain() {
        table.receive(&world.centre, &delta);
    }
    assert_eq!(
        table.revoked,
        Some("rules_changed"),
        "there is a channel more"
    );
}
