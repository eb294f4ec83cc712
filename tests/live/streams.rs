//! Whoever keeps what the board sends has at every position exactly what the naive judge says
//! that it may have: through snapshots, streams, lost connections, and what comes and goes.

use super::centre::{AGENTS, Centre};
use super::eyes::{Eye, contact_row, expected};
use super::naive::Naive;
use super::random::Random;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use switchroom::domain::event::Event;
use switchroom::id::{ContactId, OfferId};
use switchroom::live::board::Board;
use switchroom::live::delta::{Delta, Key, Sub, Watcher};
use switchroom::live::sight::Viewer;
use switchroom::live::stats::{Cell, Table};
use switchroom::live::topic::{Ask, Topic};
use switchroom::time::{Instant, Span};

/// A centre, its board, and everybody who watches.
pub struct World {
    pub centre: Centre,
    pub board: Board,
    folded: usize,
    eyes: Vec<Eye>,
    away: Vec<Eye>,
    legs: BTreeMap<OfferId, Eye>,
    ended: usize,
    watchers: u64,
    ticked: Instant,
    pub viewers: BTreeMap<&'static str, Viewer>,
}

const WATCHERS: [&str; 9] = [
    "alex", "sue", "sid", "nim", "ana", "bo", "dee", "site", "shop",
];

impl World {
    pub fn new() -> Self {
        let centre = Centre::new();
        let board = Board::new(Arc::clone(&centre.rules), centre.now);
        let viewers = WATCHERS.into_iter().chain(["nox", "cy", "eli"]);
        let keys = 1u8..;
        let viewers = viewers
            .zip(keys)
            .map(|(login, key)| (login, centre.viewer(login, key)));
        Self {
            viewers: viewers.collect(),
            centre,
            board,
            folded: 0,
            eyes: Vec::new(),
            away: Vec::new(),
            legs: BTreeMap::new(),
            ended: 0,
            watchers: 0,
            ticked: Instant(0),
        }
    }

    pub fn watcher(&mut self) -> Watcher {
        self.watchers += 1;
        Watcher(self.watchers)
    }

    /// Folds what the machines wrote, record by record, judging after each.
    pub fn fold(&mut self, random: &mut Random, judge: bool) {
        while self.folded < self.centre.log.len() {
            let record = self.centre.log[self.folded].clone();
            let leg = match &record.event {
                Event::LegConnected { contact, leg, .. } => Some((*contact, leg.offer, leg.agent)),
                _ => None,
            };
            let early = random.chance(50);
            if let Some(leg) = leg.filter(|_| early) {
                self.open_leg(leg);
            }
            self.board.fold(&record);
            self.folded += 1;
            if let Some(leg) = leg.filter(|_| !early) {
                self.open_leg(leg);
            }
            self.deliver();
            if judge {
                self.judge();
            }
        }
    }

    fn open_leg(&mut self, (contact, offer, agent): (ContactId, OfferId, switchroom::id::AgentId)) {
        let login = self.centre.login(agent);
        let login = *AGENTS.iter().find(|known| **known == login).unwrap();
        let watcher = self.watcher();
        let viewer = self.viewers[login].clone();
        let sub = self.board.open_for_leg(watcher, &viewer, 0, contact, offer);
        assert_eq!(sub, Sub::Leg(offer));
        let eye = Eye {
            login,
            watcher,
            viewer,
            ask: Ask::of(Topic::Contact(contact)),
            sub,
            rows: BTreeMap::new(),
            table: BTreeMap::new(),
            position: self.board.as_of(),
            revoked: None,
            recuts: false,
        };
        self.legs.insert(offer, eye);
    }

    fn deliver(&mut self) {
        let deltas = self.board.drain();
        let eyes = self.eyes.iter_mut().chain(self.legs.values_mut());
        for eye in eyes {
            for delta in &deltas {
                eye.receive(&self.centre, delta);
            }
        }
        let ended = self
            .legs
            .values()
            .filter(|eye| eye.revoked == Some("leg_ended"));
        self.ended += ended.count();
        self.legs.retain(|_, eye| eye.revoked.is_none());
        self.deltas_are_for_somebody(&deltas);
    }

    fn deltas_are_for_somebody(&self, deltas: &[Delta]) {
        for delta in deltas {
            assert!(!delta.to.is_empty(), "{delta:?} is for nobody");
        }
    }

    fn judge(&self) {
        let naive = Naive::count(&self.centre.log[..self.folded], &self.centre.rules);
        for eye in &self.eyes {
            self.judge_eye(&naive, eye);
        }
        for (offer, eye) in &self.legs {
            let Topic::Contact(contact) = eye.ask.topic else {
                continue;
            };
            let legs = &naive.contacts[&contact].legs;
            assert!(legs.contains_key(offer), "{offer} is over but watched");
            assert_eq!(eye.rows.len(), 1, "{offer} was opened");
            let row = eye.rows.values().next().unwrap();
            let seen = self.board.contact(&eye.viewer, contact).unwrap();
            assert_eq!(*row, contact_row(&self.centre, &seen));
        }
        let open: usize = naive
            .contacts
            .values()
            .map(|contact| {
                let legs = contact.legs.values();
                legs.filter(|(_, stands)| *stands != "connecting").count()
            })
            .sum();
        assert_eq!(self.legs.len(), open, "every leg is watched");
    }

    fn judge_eye(&self, naive: &Naive, eye: &Eye) {
        let (login, topic) = (eye.login, eye.ask.topic);
        match topic {
            Topic::StatsQueues | Topic::StatsAgents => {}
            Topic::Agents => self.judge_agents(eye),
            _ => {
                let shown: BTreeSet<ContactId> = eye
                    .rows
                    .keys()
                    .map(|key| match key {
                        Key::Contact(contact) => *contact,
                        _ => panic!("{key:?} is no contact"),
                    })
                    .collect();
                let ought = expected(&self.centre, naive, login, topic);
                assert_eq!(shown, ought, "{login} on {topic:?} at {:?}", eye.position);
                for contact in shown {
                    let row = &eye.rows[&Key::Contact(contact)];
                    let naive = &naive.contacts[&contact];
                    self.judge_row(login, naive, row);
                }
            }
        }
        let text = eye.text();
        let clear = ["sue", "sid", "dee", "site", "shop"].contains(&login);
        assert!(clear || !text.contains("erysecret"), "{login} sees {text}");
        if login == "nim" || login == "nox" {
            for agent in AGENTS {
                assert!(
                    !text.contains(&format!("{agent} ")),
                    "{login} sees {agent}: {text}"
                );
                assert!(!text.to_lowercase().contains(&format!("\"{agent}\"")));
            }
        }
    }

    fn judge_row(&self, login: &str, naive: &super::naive::Contact, row: &super::eyes::Row) {
        let state = row["state"].to_lowercase().replace("wrapup", "wrap_up");
        assert!(state.starts_with(naive.state), "{state} is {}", naive.state);
        assert_eq!(row["priority"], naive.priority.to_string());
        assert_eq!(row["tier"], naive.tier.to_string());
        assert_eq!(row["due_at"], format!("{:?}", naive.due_at));
        let plan = naive.plan.as_deref().unwrap_or("{}");
        assert!(
            row["content"].contains(plan),
            "{} has {plan}",
            row["content"]
        );
        if login == "sue" {
            assert!(row["content"].contains("Rosa Verysecret"));
        }
        let legs = row["legs"].split(", ").filter(|leg| !leg.is_empty());
        if naive.state != "closed" {
            assert_eq!(legs.count(), naive.legs.len(), "{}", row["legs"]);
        }
    }

    fn judge_agents(&self, eye: &Eye) {
        let seen: BTreeSet<String> = eye
            .rows
            .keys()
            .map(|key| match key {
                Key::Agent(agent) => self.centre.login(*agent),
                _ => panic!("{key:?} is no agent"),
            })
            .collect();
        let north: BTreeSet<String> = ["ana", "bo", "eli", "sue", "sid"].map(str::to_owned).into();
        let south: BTreeSet<String> = ["bo", "cy", "dee"].map(str::to_owned).into();
        let all: BTreeSet<String> = AGENTS.map(str::to_owned).into();
        let handles = |login: &String| all.contains(login);
        let of = |team: &BTreeSet<String>| team.iter().filter(|l| handles(l)).cloned().collect();
        let ought: BTreeSet<String> = match eye.login {
            "alex" => all.clone(),
            "sue" | "sid" | "ana" => of(&north),
            "bo" => all.clone(),
            "dee" => of(&south),
            other => panic!("{other} sees no agents"),
        };
        assert_eq!(seen, ought, "{} on agents", eye.login);
        let rows = self.board.agents(&eye.viewer).unwrap();
        for seen in rows {
            let row = &eye.rows[&Key::Agent(seen.row().agent)];
            assert_eq!(row["agent"], format!("{:?}", seen.row()));
        }
    }

    fn subscribe(&mut self, random: &mut Random) {
        let login = *random.one(&WATCHERS).unwrap();
        let contacts = self.centre.contacts();
        let mut topics = vec![
            Topic::Contacts,
            Topic::QueueContacts(self.centre.queue("calls")),
            Topic::QueueContacts(self.centre.queue("mails")),
            Topic::QueueContacts(self.centre.queue("spare")),
            Topic::Agents,
            Topic::Connector,
            Topic::StatsQueues,
            Topic::StatsAgents,
        ];
        topics.extend(
            random
                .one(&contacts)
                .map(|contact| Topic::Contact(*contact)),
        );
        let topic = *random.one(&topics).unwrap();
        let watcher = self.watcher();
        let viewer = self.viewers[login].clone();
        let ask = Ask::of(topic);
        let eye = Eye::open(&self.centre, &mut self.board, login, watcher, viewer, ask);
        self.deliver();
        if let Some(eye) = eye {
            self.eyes.push(eye);
        }
    }

    fn lose(&mut self, random: &mut Random) {
        if !self.eyes.is_empty() {
            let eye = self.eyes.swap_remove(random.below(self.eyes.len()));
            self.board.gone(eye.watcher);
            self.deliver();
            if random.chance(70) {
                self.away.push(eye);
            }
        }
    }

    fn come_back(&mut self, random: &mut Random) {
        if !self.away.is_empty() {
            let mut eye = self.away.swap_remove(random.below(self.away.len()));
            let watcher = self.watcher();
            if eye.come_back(&self.centre, &mut self.board, watcher) {
                self.deliver();
                self.eyes.push(eye);
            }
        }
    }

    /// Once the clock has gone on, every table shows what a read shows.
    fn judge_tables(&mut self) {
        self.ticked = self.ticked.max(self.centre.now) + Span::seconds(2);
        self.board.tick(self.ticked);
        self.deliver();
        for eye in &self.eyes {
            let table = match eye.ask.topic {
                Topic::StatsQueues => Table::Queues,
                Topic::StatsAgents => Table::Agents,
                _ => continue,
            };
            let read = self.board.table(&eye.viewer, table).unwrap();
            let read: BTreeMap<Key, Vec<Cell>> = read
                .rows
                .into_iter()
                .map(|(key, cells)| (key, cells.to_vec()))
                .collect();
            assert_eq!(eye.table, read, "{} on {table:?}", eye.login);
        }
    }
}

#[test]
fn what_is_kept_of_a_stream_is_what_may_be_seen_at_every_position() {
    let mut ended = 0;
    for seed in 0..30 {
        let mut random = Random::new(1_000 + seed);
        let mut world = World::new();
        for step in 0..160 {
            world.centre.act(&mut random);
            world.fold(&mut random, true);
            match random.below(12) {
                0..=2 => world.subscribe(&mut random),
                3 => world.lose(&mut random),
                4 => world.come_back(&mut random),
                5 => world.judge_tables(),
                _ => {}
            }
            if step % 20 == 0 {
                world.judge();
            }
        }
        world.judge_tables();
        ended += world.ended;
        assert_eq!(world.board.gauges().strays, 0);
    }
    assert!(ended > 50, "{ended} legs were watched to their end");
}
