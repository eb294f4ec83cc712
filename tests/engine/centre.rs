//! A contact centre on a running engine, without sockets: agents who hold doors, a connector
//! that submits.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use switchroom::config::{Config, Source};
use switchroom::directory::Directory;
use switchroom::domain::command::{Asked, FloorCommand, QueueCommand};
use switchroom::domain::contact::{Content, Facts};
use switchroom::domain::machine::{Answer, Me, MyOffer, Refusal, ReplyTo, SignedIn};
use switchroom::domain::requirement::Requirement;
use switchroom::engine::door::{Answered, Door, MyEvent, ToDoor};
use switchroom::engine::{Engine, Options};
use switchroom::id::{AgentId, ChannelId, ContactId, Generation, OfferId, QueueId, Seq};
use switchroom::journal::{Epoch, memory};
use switchroom::time::Instant;

/// Two queues, both served by the team of `ana` and `bo`; chats, so that an accept connects.
pub const SMALL: &str = r#"
[workspace.main.teams.service]
[workspace.main.queues.one]
channels = ["chat"]
members = [{ team = "service" }]
terms.chat = { wrap_up = { mode = "none" } }
[workspace.main.queues.two]
channels = ["chat"]
members = [{ team = "service" }]
terms.chat = { wrap_up = { mode = "none" } }
[workspace.main.users.ana]
teams = ["service"]
max = { chat = 1 }
[workspace.main.users.bo]
teams = ["service"]
max = { chat = 1 }
[workspace.main.connectors.site]
"#;

/// The chat channel of a workspace with the usual channels.
pub const CHAT: ChannelId = ChannelId(0);

/// A running engine and its directory.
pub struct Centre {
    pub engine: Engine,
    pub directory: Directory,
}

impl Centre {
    pub fn open(toml: &str, options: Options) -> Self {
        let source = Source {
            name: "centre".into(),
            text: toml.into(),
        };
        let config = Config::check(source).expect("a good configuration");
        let workspace = config.workspaces[0].clone();
        let names = Arc::clone(workspace.directory.names());
        let engine = Engine::start(workspace.rules, names, options).expect("an engine");
        Self {
            engine,
            directory: workspace.directory,
        }
    }

    pub fn small() -> Self {
        Self::open(SMALL, Options::default())
    }

    pub fn queue(&self, name: &str) -> QueueId {
        let rules = self.engine.rules();
        let queue = rules.queues.iter().find(|queue| queue.name == name);
        queue.expect("a queue of this name").id
    }

    pub fn asked(
        &self,
        login: &str,
        generation: Option<Generation>,
        reply: Option<ReplyTo>,
    ) -> Asked {
        let principal = self
            .directory
            .by_login(login)
            .expect("a user of this login");
        Asked {
            principal: Arc::clone(principal),
            generation,
            reply,
        }
    }

    /// Submits a chat, and says where the answer will be.
    pub fn submit_to(&self, queue: &str, external_id: &str, reply: Option<ReplyTo>) -> ContactId {
        let asked = self.asked("site", None, reply);
        let mut facts = facts(external_id);
        facts.submitted_by = asked.principal.user();
        let contact = facts.id;
        let queue = self.queue(queue);
        self.engine
            .submit(queue, asked, Box::new(facts), Box::new(Content::default()))
            .expect("an id of its own");
        contact
    }

    /// Submits a chat and waits for the answer.
    pub async fn submit(&self, queue: &str, external_id: &str) -> ContactId {
        let (to, once) = self.engine.doors().once();
        self.submit_to(queue, external_id, Some(to));
        match once.answer().await {
            Some((Ok(Answer::Submitted { contact, .. }), _)) => contact,
            other => panic!("not submitted: {other:?}"),
        }
    }

    /// Runs a command on a contact.
    pub async fn command(&self, login: &str, command: QueueCommand) -> Answered {
        let (to, once) = self.engine.doors().once();
        self.engine
            .command(self.asked(login, None, Some(to)), command);
        once.answer().await.expect("an answer")
    }

    /// Signs an agent in by a new session.
    pub async fn sign_in(&self, login: &str) -> Agent {
        let mut agent = Agent {
            login: login.to_owned(),
            door: self.engine.doors().open(),
            id: self
                .directory
                .by_login(login)
                .expect("a user")
                .user()
                .into(),
            generation: Generation(0),
            position: Seq(0),
            received: VecDeque::new(),
            requests: 0,
        };
        let signed = agent.try_sign_in(self, true).await.expect("signed in");
        agent.generation = signed.agent.generation;
        agent
    }
}

/// Facts of a new chat.
pub fn facts(external_id: &str) -> Facts {
    let id = ContactId(uuid::Uuid::now_v7());
    Facts {
        id,
        external_id: external_id.into(),
        channel: CHAT,
        conversation: id,
        first_entry: Instant(0),
        priority: 0,
        tier: 5,
        due_at: None,
        requirement: Requirement::anyone(),
        preferred: None,
        patience: None,
        submitted_by: switchroom::id::UserId(0),
    }
}

/// An agent with a session.
pub struct Agent {
    pub login: String,
    pub door: Door,
    pub id: AgentId,
    pub generation: Generation,
    /// The last position heard on the own stream.
    pub position: Seq,
    pub received: VecDeque<ToDoor>,
    requests: u64,
}

impl Agent {
    /// The next thing at the door.
    pub async fn next(&mut self) -> Option<ToDoor> {
        while self.received.is_empty() {
            let mut taken = VecDeque::new();
            if !self.door.receive(&mut taken).await {
                return None;
            }
            self.received
                .extend(taken.into_iter().map(|taken| taken.what));
        }
        self.received.pop_front()
    }

    /// The next event on the own stream; checks that none is missing.
    pub async fn next_me(&mut self) -> MyEvent {
        match self.next().await {
            Some(ToDoor::Me(event)) => {
                assert!(
                    event.prev <= self.position,
                    "{event:?} after {:?}",
                    self.position
                );
                assert!(
                    event.seq > self.position,
                    "{event:?} after {:?}",
                    self.position
                );
                self.position = event.seq;
                event
            }
            other => panic!("{} expects an event, not {other:?}", self.login),
        }
    }

    /// The next event, which is an offer.
    pub async fn offered(&mut self) -> MyOffer {
        let event = self.next_me().await;
        match &*event.me {
            Me::Offer(offer) => offer.clone(),
            other => panic!("{} expects an offer, not {other:?}", self.login),
        }
    }

    pub fn ask(&mut self, centre: &Centre, command: FloorCommand) -> u64 {
        self.requests += 1;
        let reply = ReplyTo {
            door: self.door.id(),
            request: self.requests,
        };
        let asked = centre.asked(&self.login, Some(self.generation), Some(reply));
        centre.engine.command_floor(asked, command);
        self.requests
    }

    /// Asks for something to be done with a contact.
    pub fn command(&mut self, centre: &Centre, command: QueueCommand) {
        self.requests += 1;
        let reply = ReplyTo {
            door: self.door.id(),
            request: self.requests,
        };
        let asked = centre.asked(&self.login, Some(self.generation), Some(reply));
        centre.engine.command(asked, command);
    }

    async fn try_sign_in(&mut self, centre: &Centre, take_over: bool) -> Result<SignedIn, Refusal> {
        let command = FloorCommand::SignIn {
            take_over,
            channels: None,
            queues: None,
        };
        let asked = self.ask(centre, command);
        match self.next().await {
            Some(ToDoor::Reply {
                request,
                result,
                seq,
            }) if request == asked => {
                self.position = seq;
                match result? {
                    Answer::SignedIn(signed) => Ok(*signed),
                    other => panic!("not a sign-in: {other:?}"),
                }
            }
            other => panic!("{} expects an answer, not {other:?}", self.login),
        }
    }

    /// Accepts an offer and hears that the leg is connected, in whatever order the answer and
    /// the events come.
    pub async fn accept(&mut self, centre: &Centre, offer: OfferId) {
        let asked = self.ask(centre, FloorCommand::Accept(offer));
        let (mut answered, mut connected) = (false, false);
        while !(answered && connected) {
            match self.next().await {
                Some(ToDoor::Reply {
                    request, result, ..
                }) if request == asked => {
                    result.expect("accepted");
                    answered = true;
                }
                Some(ToDoor::Me(event)) => {
                    self.position = event.seq;
                    connected |= matches!(*event.me, Me::Connected(_));
                }
                other => panic!("{} accepts, and gets {other:?}", self.login),
            }
        }
    }
}

/// A journal whose disk can be held up.
#[derive(Clone, Default)]
pub struct Disk(Arc<Mutex<()>>);

impl Disk {
    /// Nothing becomes durable until the guard is dropped.
    pub fn hold(&self) -> impl Drop + '_ {
        self.0.lock().unwrap()
    }

    pub fn options(&self) -> Options {
        let disk = self.clone();
        Options {
            journal: Box::new(move |opening| {
                let write = Box::new(move |_batches| {
                    drop(disk.0.lock().unwrap());
                    Ok(())
                });
                Ok(Arc::new(memory::start_on(
                    Epoch(opening.now.0),
                    opening.release,
                    write,
                )?))
            }),
            ..Options::default()
        }
    }
}
