//! An eye: a client that keeps what it is sent and believes nothing else, and the naive judge
//! of what it ought to have.

use super::centre::Centre;
use super::naive::{Contact, Naive};
use std::collections::{BTreeMap, BTreeSet};
use switchroom::id::{ContactId, Seq, UserId};
use switchroom::live::board::Board;
use switchroom::live::change::{Fields, Name};
use switchroom::live::delta::{
    Body, Cut, Delta, Key, Resumed, Said, Seen, State, Sub, Watcher, What,
};
use switchroom::live::seen::{ContactSeen, Who};
use switchroom::live::sight::Viewer;
use switchroom::live::stats::Cell;
use switchroom::live::topic::{Ask, Topic};

/// A row as a client keeps it: texts by group of fields.
pub type Row = BTreeMap<&'static str, String>;

/// A client with one view.
pub struct Eye {
    pub login: &'static str,
    pub watcher: Watcher,
    pub viewer: Viewer,
    pub ask: Ask,
    pub sub: Sub,
    pub rows: BTreeMap<Key, Row>,
    pub table: BTreeMap<Key, Vec<Cell>>,
    pub position: Seq,
    pub revoked: Option<&'static str>,
    /// Rights or rules change while it watches.
    pub recuts: bool,
}

/// Groups of a contact's fields.
const GROUPS: [(&str, Fields); 9] = [
    ("state", Fields::STATE),
    ("queue", Fields::QUEUE),
    ("due_at", Fields::DUE_AT),
    ("priority", Fields::PRIORITY),
    ("tier", Fields::TIER),
    ("content", Fields::CONTENT),
    ("agents", Fields::AGENTS),
    ("legs", Fields::LEGS),
    ("reason", Fields::REASON),
];

fn who(centre: &Centre, who: Who) -> String {
    match who {
        Who::Agent(agent) => centre.login(agent),
        Who::Anonymous(pseudonym) => pseudonym.to_string(),
    }
}

pub fn contact_row(centre: &Centre, seen: &ContactSeen) -> Row {
    let legs: Vec<String> = seen
        .legs()
        .map(|leg| {
            let agent = who(centre, leg.agent);
            format!(
                "{} {agent} {:?} {:?} {:?}",
                leg.offer, leg.role, leg.state, leg.since
            )
        })
        .collect();
    let agents: Vec<String> = seen.agents().into_iter().map(|a| who(centre, a)).collect();
    [
        ("state", format!("{:?} {:?}", seen.state(), seen.since())),
        ("queue", format!("{:?}", seen.queue())),
        ("due_at", format!("{:?}", seen.due_at())),
        ("priority", seen.priority().to_string()),
        ("tier", seen.tier().to_string()),
        (
            "content",
            format!(
                "{:?} {:?} {:?} {:?}",
                seen.customer_id(),
                seen.customer_name(),
                seen.customer_address(),
                seen.attributes()
            ),
        ),
        ("agents", agents.join(" ")),
        ("legs", legs.join(", ")),
        ("reason", format!("{:?}", seen.reason())),
        (
            "fixed",
            format!(
                "{} {:?} {} {:?}",
                seen.id(),
                seen.channel(),
                seen.external_id(),
                seen.first_entry()
            ),
        ),
    ]
    .into()
}

fn row_of(centre: &Centre, seen: &Seen) -> Row {
    match seen {
        Seen::Contact(contact) => contact_row(centre, contact),
        Seen::Agent(agent) => [("agent", format!("{:?}", agent.row()))].into(),
    }
}

impl Eye {
    /// Subscribes; the state is what the cut says.
    pub fn open(
        centre: &Centre,
        board: &mut Board,
        login: &'static str,
        watcher: Watcher,
        viewer: Viewer,
        ask: Ask,
    ) -> Option<Self> {
        let subscribed = board.subscribe(watcher, &viewer, &ask).ok()?;
        let mut eye = Self {
            login,
            watcher,
            viewer,
            ask,
            sub: subscribed.sub,
            rows: BTreeMap::new(),
            table: BTreeMap::new(),
            position: Seq(0),
            revoked: None,
            recuts: false,
        };
        eye.take_cut(centre, &subscribed.cut);
        Some(eye)
    }

    /// Comes back after a lost connection with what it has.
    pub fn come_back(&mut self, centre: &Centre, board: &mut Board, watcher: Watcher) -> bool {
        let resumed = board.resume(watcher, &self.viewer, &self.ask, self.position);
        self.watcher = watcher;
        match resumed {
            Ok(Resumed::Whole { sub, as_of, replay }) => {
                self.sub = sub;
                for said in replay {
                    assert!(said.replay && said.seq <= as_of);
                    self.hear(centre, said);
                }
                true
            }
            Ok(Resumed::Reset { subscribed, .. }) => {
                self.sub = subscribed.sub;
                self.take_cut(centre, &subscribed.cut);
                true
            }
            Err(_) => false,
        }
    }

    pub fn take_cut(&mut self, centre: &Centre, cut: &Cut) {
        self.position = cut.as_of;
        self.rows.clear();
        self.table.clear();
        match &cut.state {
            State::Contact(contact) => {
                let row = contact_row(centre, contact);
                if !row["state"].starts_with("Closed") {
                    self.rows.insert(Key::Contact(contact.id()), row);
                }
            }
            State::Contacts { rows, total } => {
                assert_eq!(rows.len(), (*total).min(self.ask.limit));
                for contact in rows {
                    self.rows
                        .insert(Key::Contact(contact.id()), contact_row(centre, contact));
                }
            }
            State::Agents(agents) => {
                for agent in agents {
                    let row = [("agent", format!("{:?}", agent.row()))].into();
                    self.rows.insert(Key::Agent(agent.row().agent), row);
                }
            }
            State::Table(table) => {
                self.table = table
                    .rows
                    .iter()
                    .map(|(k, cells)| (*k, cells.to_vec()))
                    .collect();
            }
        }
    }

    /// Takes what the board said, as far as it is for this eye.
    pub fn receive(&mut self, centre: &Centre, delta: &Delta) {
        if !delta.to.contains(&self.watcher) || delta.sub != self.sub {
            return;
        }
        match &delta.body {
            Body::Said(said) => self.hear(centre, said.clone()),
            Body::Update(update) => {
                assert!(update.as_of >= self.position);
                self.position = update.as_of;
                for key in &update.remove {
                    assert!(self.table.remove(key).is_some(), "{key:?} was there");
                }
                for (key, cells) in &update.set {
                    let row = self.table.entry(*key).or_default();
                    for (column, cell) in cells {
                        let column = usize::from(*column);
                        if row.len() <= column {
                            row.resize(column + 1, Cell::Null);
                        }
                        row[column] = cell.clone();
                    }
                }
            }
            Body::Opened(cut) => self.take_cut(centre, cut),
            Body::Revoked(why) => self.revoked = Some(why.word()),
        }
    }

    /// Whether it may stand at the position of what was said before it: what is told beside the
    /// log, and what goes and comes by a change of rights or rules.
    fn repeats(&self, said: &Said) -> bool {
        said.seq == self.position
            && match said.what {
                What::Position { .. } | What::Media(_) => true,
                What::Entered(_) | What::Left(_) => self.recuts,
                What::Event(_) => false,
            }
    }

    fn hear(&mut self, centre: &Centre, said: Said) {
        assert!(
            said.prev <= self.position,
            "a gap: {said:?} after {:?}",
            self.position
        );
        assert!(
            said.seq > self.position || self.repeats(&said),
            "back in time: {said:?} after {:?}",
            self.position
        );
        self.position = said.seq;
        match said.what {
            What::Entered(seen) => {
                let before = self.rows.insert(seen.key(), row_of(centre, &seen));
                assert!(before.is_none(), "{:?} entered twice", seen.key());
            }
            What::Event(event) if event.name == Name::ContactClosed => {
                let gone = self.rows.remove(&event.row.key());
                assert!(gone.is_some(), "{:?} closed before it came", event.row);
            }
            What::Event(event) => {
                let whole = row_of(centre, &event.row);
                let row = self.rows.get_mut(&event.row.key());
                let row = row.unwrap_or_else(|| panic!("{:?} was never entered", event.row.key()));
                match event.row {
                    Seen::Agent(_) => *row = whole,
                    Seen::Contact(_) => {
                        for (group, field) in GROUPS {
                            if event.fields.has(field) {
                                row.insert(group, whole[group].clone());
                            }
                        }
                        assert_eq!(*row, whole, "{:?} says all that is new", event.name);
                    }
                }
            }
            What::Left(key) => {
                assert!(
                    self.rows.remove(&key).is_some(),
                    "{key:?} left before it came"
                );
            }
            What::Position { .. } | What::Media(_) => {}
        }
    }

    /// Everything that this eye was ever shown, in one text.
    pub fn text(&self) -> String {
        format!("{:?} {:?}", self.rows, self.table)
    }
}

/// Whether somebody may see a contact, by the page of permissions and the roles of the centre.
pub fn may_view(centre: &Centre, naive: &Naive, login: &str, contact: &Contact) -> bool {
    let me = centre.agent(login);
    match login {
        "alex" | "nim" | "nox" => true,
        "sue" | "sid" => supervised(centre, naive, contact),
        "site" | "shop" => UserId::from(me) == contact.by,
        _ => {
            let mut legs = contact.legs.values();
            legs.any(|(agent, stands)| *agent == me && *stands != "connecting")
        }
    }
}

fn supervised(centre: &Centre, naive: &Naive, contact: &Contact) -> bool {
    let names = &centre.rules.teams;
    let teams: BTreeSet<&str> = naive
        .teams(contact, &centre.rules)
        .into_iter()
        .map(|team| names[team.index()].as_str())
        .collect();
    contact.queue == centre.queue("calls") || teams.contains("north")
}

/// The contacts that a view ought to show.
pub fn expected(centre: &Centre, naive: &Naive, login: &str, topic: Topic) -> BTreeSet<ContactId> {
    let shown = |(id, contact): (&ContactId, &Contact)| {
        let live = contact.state != "closed";
        let seen = match topic {
            Topic::Contacts => live && may_view(centre, naive, login, contact),
            Topic::Contact(one) => live && one == *id && may_view(centre, naive, login, contact),
            Topic::QueueContacts(queue) => {
                let in_queue = contact.queue == queue && contact.in_line();
                let mut waiting = contact.clone();
                waiting
                    .legs
                    .retain(|_, (_, stands)| *stands == "connecting");
                let all = login == "alex";
                in_queue && (all || supervised(centre, naive, &waiting))
            }
            Topic::Connector => live && centre.user(login) == contact.by,
            Topic::Agents | Topic::StatsQueues | Topic::StatsAgents => false,
        };
        seen.then_some(*id)
    };
    naive.contacts.iter().filter_map(shown).collect()
}
