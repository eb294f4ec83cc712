//! A contact centre of real machines, driven by hand or by chance: what it writes is a log.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use switchroom::access::lens::PseudonymKey;
use switchroom::config::{Config, Source};
use switchroom::directory::Directory;
use switchroom::domain::command::{
    Asked, FloorCommand, FloorInput, QueueCommand, QueueInput, When,
};
use switchroom::domain::contact::{Content, Facts};
use switchroom::domain::event::{Event, Record};
use switchroom::domain::floor::Floor;
use switchroom::domain::machine::{Effect, Machine, Outbox};
use switchroom::domain::offer::AgentState;
use switchroom::domain::queue::Queue;
use switchroom::domain::requirement::Requirement;
use switchroom::domain::rules::Workspace;
use switchroom::id::{
    AgentId, ChannelId, CommandId, ContactId, Generation, Incarnation, OfferId, QueueId, Seq,
    UserId,
};
use switchroom::live::sight::Viewer;
use switchroom::time::{Instant, Span};

/// Two teams, three queues, every kind of viewer.
pub const CENTRE: &str = r#"
[workspace.main]
sign_out_with_work = "return"
[workspace.main.channels.voice]
weight = 100
[workspace.main.channels.chat]
weight = 30
misses = 2
[workspace.main.channels.email]
weight = 10
interrupted_by = ["voice", "chat"]
[workspace.main.teams.north]
[workspace.main.teams.south]
[workspace.main.queues.calls]
channels = ["voice", "chat"]
team = "north"
members = [{ team = "north" }, { agent = "eli" }]
terms.voice = { wrap_up = { mode = "timeboxed", time = "20s", default_code = "none" } }
terms.chat = { wrap_up = { mode = "optional", holds_capacity = false } }
[workspace.main.queues.mails]
channels = ["email", "chat"]
team = "south"
members = [{ team = "south" }]
terms.email = { wrap_up = { mode = "none" } }
terms.chat = { wrap_up = { mode = "required", time = "1m" } }
[workspace.main.queues.spare]
channels = ["chat"]
members = [{ team = "north" }, { team = "south" }]
terms.chat = { wrap_up = { mode = "none" } }
[workspace.main.users.ana]
teams = ["north"]
[workspace.main.users.bo]
teams = ["north", "south"]
contact_method = "sip:bo@example.org"
[workspace.main.users.cy]
teams = ["south"]
max = { chat = 2 }
[workspace.main.users.dee]
roles = ["senior_agent"]
teams = ["south"]
[workspace.main.users.eli]
teams = ["north"]
channels = ["voice"]
[workspace.main.users.sue]
name = "Sue"
roles = ["watcher"]
teams = ["north"]
supervises = { teams = ["north"], queues = ["calls"] }
[workspace.main.users.sid]
roles = ["watcher"]
teams = ["north"]
supervises = { teams = ["north"], queues = ["calls"] }
[workspace.main.users.alex]
roles = ["overseer"]
[workspace.main.users.nim]
roles = ["anonymous"]
[workspace.main.users.nox]
roles = ["anonymous"]
[workspace.main.connectors.site]
[workspace.main.connectors.shop]
[workspace.main.roles.watcher]
grants = [
  { privilege = "session.open", scope = "own" },
  { privilege = "contact.view", scope = "supervised" },
  { privilege = "contact.trace", scope = "supervised" },
  { privilege = "queue.contacts.view", scope = "supervised" },
  { privilege = "customer.pii.clear", scope = "all" },
  { privilege = "agent.status.view", scope = "supervised" },
  { privilege = "dashboard.queues", scope = "supervised" },
  { privilege = "dashboard.agents.identified", scope = "supervised" },
]
[workspace.main.roles.overseer]
grants = [
  { privilege = "session.open", scope = "own" },
  { privilege = "contact.view", scope = "all" },
  { privilege = "contact.end", scope = "all" },
  { privilege = "contact.move", scope = "all" },
  { privilege = "contact.prioritise", scope = "all" },
  { privilege = "contact.trace", scope = "all" },
  { privilege = "queue.contacts.view", scope = "all" },
  { privilege = "agent.status.view", scope = "all" },
  { privilege = "agent.state.set", scope = "all" },
  { privilege = "agent.queue_selection", scope = "all" },
  { privilege = "agent.channels.set", scope = "all" },
  { privilege = "agent.queues.set", scope = "all" },
  { privilege = "agent.end_wrap_up", scope = "all" },
  { privilege = "dashboard.queues", scope = "all" },
  { privilege = "dashboard.agents.identified", scope = "all" },
]
[workspace.main.roles.anonymous]
grants = [
  { privilege = "session.open", scope = "own" },
  { privilege = "contact.view", scope = "all" },
  { privilege = "contact.trace", scope = "all" },
  { privilege = "dashboard.agents", scope = "all" },
  { privilege = "dashboard.queues", scope = "all" },
]
"#;

/// Those who handle contacts.
pub const AGENTS: [&str; 5] = ["ana", "bo", "cy", "dee", "eli"];

/// A running contact centre.
pub struct Centre {
    pub rules: Arc<Workspace>,
    pub directory: Directory,
    pub now: Instant,
    pub log: Vec<Record>,
    floor: Floor,
    queues: Vec<Queue>,
    mail: VecDeque<Mail>,
    contacts: u64,
    /// Contacts that are not closed, with their queues.
    live: BTreeMap<ContactId, QueueId>,
    pub commands: Vec<CommandId>,
}

enum Mail {
    Floor(FloorInput),
    Queue(QueueId, QueueInput),
}

impl Centre {
    pub fn new() -> Self {
        let source = Source {
            name: "centre".into(),
            text: CENTRE.into(),
        };
        let config = Config::check(source).unwrap_or_else(|e| panic!("{:#?}", e.lines()));
        let workspace = config.workspaces.into_iter().next().unwrap();
        let rules = workspace.rules;
        let life = Incarnation(1);
        let queue = |id| Queue::new(Arc::clone(&rules), id, life, life);
        let mut centre = Self {
            queues: rules.queues.iter().map(|own| queue(own.id)).collect(),
            floor: Floor::new(Arc::clone(&rules), life, 1),
            rules: Arc::clone(&rules),
            directory: workspace.directory,
            now: Instant(1_700_000_000_000),
            log: Vec::new(),
            mail: VecDeque::new(),
            contacts: 0,
            live: BTreeMap::new(),
            commands: Vec::new(),
        };
        centre.wake_all();
        centre
    }

    /// Records written from `from` on.
    pub fn since(&self, from: usize) -> &[Record] {
        &self.log[from..]
    }

    pub fn agent(&self, login: &str) -> AgentId {
        self.user(login).agent()
    }

    pub fn user(&self, login: &str) -> UserId {
        self.directory.by_login(login).unwrap().user()
    }

    pub fn queue(&self, name: &str) -> QueueId {
        let mut queues = self.rules.queues.iter();
        queues.find(|queue| queue.name == name).unwrap().id
    }

    pub fn channel(&self, name: &str) -> ChannelId {
        self.rules.channels.by_name(name).unwrap()
    }

    /// A viewer with a session of its own.
    pub fn viewer(&self, login: &str, session: u8) -> Viewer {
        Viewer {
            principal: Arc::clone(self.directory.by_login(login).unwrap()),
            key: Arc::new(PseudonymKey::new([session; 32])),
        }
    }

    fn asked(&self, login: &str) -> Asked {
        let principal = Arc::clone(self.directory.by_login(login).unwrap());
        let seat = self.floor.roster().seat(principal.agent());
        Asked {
            generation: seat.map(|seat| seat.generation),
            principal,
            reply: None,
        }
    }

    pub fn submit(&mut self, by: &str, queue: &str, channel: &str) -> ContactId {
        self.submit_with(by, queue, channel, 0)
    }

    pub fn submit_with(
        &mut self,
        by: &str,
        queue: &str,
        channel: &str,
        priority: i32,
    ) -> ContactId {
        self.contacts += 1;
        let id = ContactId(uuid::Uuid::from_u128(
            u128::from(self.now.0) << 80 | 0x7000 << 64 | u128::from(self.contacts),
        ));
        let facts = Facts {
            id,
            external_id: format!("x-{}", self.contacts).into(),
            channel: self.channel(channel),
            conversation: id,
            first_entry: self.now,
            priority,
            tier: 5,
            due_at: None,
            requirement: Requirement::anyone(),
            preferred: None,
            patience: None,
            submitted_by: self.user(by),
        };
        let content = Content {
            customer_id: Some(format!("c-{}", self.contacts)),
            customer_name: Some(format!("Rosa Verysecret{}", self.contacts)),
            customer_address: Some(format!("rosa.verysecret{}@example.org", self.contacts)),
            attributes: [("plan".to_owned(), "gold".to_owned())].into(),
            ..Content::default()
        };
        let command = QueueCommand::Submit {
            facts: Box::new(facts),
            content: Box::new(content),
        };
        self.tell_queue(by, self.queue(queue), command);
        id
    }

    /// A command on a contact, if it is not closed.
    pub fn command(&mut self, by: &str, command: QueueCommand) {
        if let Some(queue) = self.live.get(&command.contact()).copied() {
            self.tell_queue(by, queue, command);
        }
    }

    fn tell_queue(&mut self, by: &str, queue: QueueId, command: QueueCommand) {
        let input = QueueInput::Command(self.asked(by), command);
        self.mail.push_back(Mail::Queue(queue, input));
        self.run();
    }

    pub fn floor(&mut self, by: &str, command: FloorCommand) {
        let input = FloorInput::Command(self.asked(by), command);
        self.tell_floor(input);
    }

    pub fn tell_floor(&mut self, input: FloorInput) {
        self.mail.push_back(Mail::Floor(input));
        self.run();
    }

    /// Signs an agent in, to be there at once.
    pub fn sign_in(&mut self, login: &str) {
        let command = FloorCommand::SignIn {
            take_over: true,
            channels: None,
            queues: None,
        };
        self.floor(login, command);
        let agent = self.agent(login);
        if let Some(generation) = self.generation(agent) {
            self.tell_floor(FloorInput::Present(agent, generation));
        }
        self.set_state(login, AgentState::Available);
    }

    pub fn set_state(&mut self, login: &str, state: AgentState) {
        let command = FloorCommand::SetState {
            agent: None,
            state,
            when: When::Now,
        };
        self.floor(login, command);
    }

    pub fn generation(&self, agent: AgentId) -> Option<Generation> {
        self.floor.roster().seat(agent).map(|seat| seat.generation)
    }

    /// Open offers, with whose they are.
    pub fn offers(&self) -> Vec<(OfferId, AgentId)> {
        let ringing = |work: &&switchroom::domain::floor::roster::Work| {
            matches!(
                work.phase,
                switchroom::domain::floor::roster::Phase::Ringing { .. }
            )
        };
        let seats = self.floor.roster().seats.iter();
        seats
            .flat_map(|(agent, seat)| {
                let offers = seat.work.iter().filter(ringing);
                offers.map(|work| (work.offer.offer, *agent))
            })
            .collect()
    }

    pub fn login(&self, agent: AgentId) -> String {
        self.rules.agent(agent).unwrap().name.clone()
    }

    pub fn accept_all(&mut self) {
        for (offer, agent) in self.offers() {
            self.floor(&self.login(agent), FloorCommand::Accept(offer));
        }
    }

    pub fn contacts(&self) -> Vec<ContactId> {
        self.live.keys().copied().collect()
    }

    /// Lets time pass, every timer in its turn.
    pub fn pass(&mut self, span: Span) {
        let end = self.now + span;
        loop {
            let wakes = self.queues.iter().map(|queue| queue.next_wake());
            let wakes = wakes.chain([self.floor.next_wake()]).flatten();
            let next = wakes.map(|(at, _)| at).min();
            match next.filter(|at| *at <= end) {
                Some(at) => {
                    self.now = self.now.max(at);
                    self.wake_all();
                }
                None => break,
            }
        }
        self.now = end;
    }

    fn wake_all(&mut self) {
        let now = self.now;
        for index in 0..self.queues.len() {
            let mut out = Outbox::default();
            self.queues[index].turn(now, &mut out);
            self.effects(out);
        }
        let mut out = Outbox::default();
        self.floor.turn(now, &mut out);
        self.effects(out);
        self.run();
    }

    fn run(&mut self) {
        while let Some(mail) = self.mail.pop_front() {
            let mut out = Outbox::default();
            match mail {
                Mail::Floor(input) => {
                    self.floor.apply(self.now, input, &mut out);
                    self.floor.turn(self.now, &mut out);
                }
                Mail::Queue(queue, input) => {
                    let queue = &mut self.queues[queue.index()];
                    queue.apply(self.now, input, &mut out);
                    queue.turn(self.now, &mut out);
                }
            }
            self.effects(out);
        }
    }

    fn effects(&mut self, out: Outbox) {
        for effect in out.effects {
            match effect {
                Effect::Event { event, by, content } => {
                    self.follow(&event);
                    let last = self.log.last().map_or(0, |record| record.seq.0);
                    self.log.push(Record {
                        seq: Seq(last + 1 + last % 3),
                        at: self.now,
                        by,
                        event,
                        content,
                    });
                }
                Effect::ToFloor(between) => {
                    self.mail.push_back(Mail::Floor(FloorInput::Queue(between)));
                }
                Effect::ToQueue(between) => {
                    let queue = between.queue;
                    let input = QueueInput::Floor(between);
                    self.mail.push_back(Mail::Queue(queue, input));
                }
                _ => {}
            }
        }
    }

    fn follow(&mut self, event: &Event) {
        match event {
            Event::ContactEntered { facts, queue, .. } => {
                self.live.insert(facts.id, *queue);
            }
            Event::ContactClosed { contact, .. } => {
                self.live.remove(contact);
            }
            Event::MediaConnect { command, .. } | Event::MediaDisconnect { command, .. } => {
                self.commands.push(*command);
            }
            _ => {}
        }
    }
}
