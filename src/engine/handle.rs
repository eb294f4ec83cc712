//! The engine of one floor as others see it: where commands go in. It starts the actors and
//! stops them in order; doors and streams are how things come out.

use super::actor::Actor;
use super::board::BoardActor;
use super::clock::Clock;
use super::door::{DoorId, Doors};
use super::external::{Foreign, Submit};
use super::fatal::Fatal;
use super::kinds::{FloorKind, Numbers, QueueKind};
use super::mailbox::{Mail, Mailbox, mailbox};
use super::me::{Resumed, Streams};
use super::metrics::Readings;
use super::notes::Notes;
use super::post::{Outlet, Post, Trip};
use super::recover;
use super::registry::Registry;
use super::restart::Kind;
use super::sequencer::Sequencer;
use super::thread::board_thread;
use super::to_board::ToBoard;
use crate::directory::WorkspaceNames;
use crate::domain::command::{Asked, FloorCommand, FloorInput, QueueCommand, QueueInput};
use crate::domain::contact::{Content, Facts};
use crate::domain::floor::Counters;
use crate::domain::machine::{Machine, Refusal, ReplyTo};
use crate::domain::rules::Workspace;
use crate::id::{AgentId, ContactId, Generation, QueueId, Seq};
use crate::journal::beside::Configuration;
use crate::journal::memory;
use crate::journal::space::Space;
use crate::journal::{Epoch, Journal, OnFailure, Opening, Release};
use crate::limits;
use crate::time::Span;
use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Opens the journal of an engine.
pub type OpenJournal = Box<dyn FnOnce(Opening) -> io::Result<Arc<dyn Journal>> + Send>;

/// What an engine is started with, besides the rules.
pub struct Options {
    /// The clock.
    pub clock: Clock,
    /// Opens the journal.
    pub journal: OpenJournal,
    /// Digest of the configuration that the rules come from; none if it is not known.
    pub configuration: Option<Configuration>,
    /// The runtime of the sockets, on which the actors run too; the caller's when absent.
    pub sockets: Option<Handle>,
    /// The room there is for the log; as much as it needs when absent.
    pub space: Option<Arc<Space>>,
    /// For tests: runs before a machine takes an input in, and may panic in its place.
    pub trip: Option<Trip>,
}

impl Default for Options {
    /// The system's clock, and a journal in memory.
    fn default() -> Self {
        Self {
            clock: Clock::system(),
            journal: Box::new(|opening| {
                let epoch = Epoch(opening.now.0);
                Ok(Arc::new(memory::start(epoch, opening.release)?))
            }),
            configuration: None,
            sockets: None,
            space: None,
            trip: None,
        }
    }
}

/// Why new work is not taken now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotNow {
    /// Over a mark; try again after this time.
    #[error("the server is busy")]
    Busy(Span),
    /// Space is short; try again after this time.
    #[error("space on the server's disk is short: no new contacts and no sign-ins")]
    NoRoom(Span),
    /// No new contacts are taken, until that is cancelled.
    #[error("this workspace is draining: no new contacts are taken")]
    Draining,
    /// On its way down.
    #[error("the server is stopping")]
    Stopping,
}

/// The engine of one floor. Clones speak for the same engine.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    post: Arc<Post>,
    board: Mailbox<ToBoard>,
    rules: RwLock<Arc<Workspace>>,
    actors: TaskTracker,
    boards: TaskTracker,
    on: Handle,
    /// Ends the board's thread.
    done: CancellationToken,
    thread: Mutex<Option<JoinHandle<()>>>,
    stopping: AtomicBool,
    space: Option<Arc<Space>>,
}

impl Engine {
    /// Starts the floor of a workspace and its queues on the runtime of the sockets, so that a
    /// contact goes from its connector's socket to its agent's without changing threads, and the
    /// board, which nobody's offer waits for, on a thread of its own.
    ///
    /// # Errors
    /// When the journal cannot be opened, a thread cannot be started, or there is no runtime.
    pub fn start(
        rules: Arc<Workspace>,
        names: Arc<WorkspaceNames>,
        options: Options,
    ) -> io::Result<Self> {
        let clock = options.clock;
        let on = options.sockets.map_or_else(Handle::try_current, Ok);
        let on = on.map_err(io::Error::other)?;
        let (board, board_mail) = mailbox();
        let doors = Arc::new(Doors::default());
        let (registry, floor_mail) = Registry::new();
        let outlet = Arc::new(Outlet {
            registry,
            notes: Notes::default(),
            streams: Streams::new(Arc::clone(&doors)),
            doors,
        });
        tell_of_doors(&outlet, &board);
        let fatal = Fatal::default();
        let journal = (options.journal)(Opening {
            now: clock.now(),
            rules: Arc::clone(&rules),
            configuration: options.configuration,
            release: letting_out(&outlet, &board),
            failed: failing(&fatal),
        })?;
        let post = Arc::new(Post {
            sequencer: Sequencer::new(Arc::clone(&journal)),
            clock,
            journal,
            outlet,
            metrics: Arc::default(),
            fatal,
            trip: options.trip,
        });
        recover::recover(&post);
        let (thread, aside, done) = board_thread()?;
        let boards = TaskTracker::new();
        let actor = BoardActor::new(post.around(), board_mail, Arc::clone(&rules), names);
        boards.spawn_on(actor.run(), &aside);
        let engine = Self(Arc::new(Inner {
            post,
            board,
            rules: RwLock::new(Arc::clone(&rules)),
            actors: TaskTracker::new(),
            boards,
            on,
            done,
            thread: Mutex::new(Some(thread)),
            stopping: AtomicBool::new(false),
            space: options.space,
        }));
        let floor = FloorKind {
            rules: Arc::clone(&rules),
            next: None,
            tried: false,
            outlet: Arc::clone(&engine.0.post.outlet),
            metrics: Arc::clone(&engine.0.post.metrics),
            fatal: engine.fatal().clone(),
            counted: Counters::default(),
            numbers: Numbers::default(),
            down: BTreeSet::new(),
        };
        engine.run(floor, floor_mail);
        engine.start_queues(&rules);
        Ok(engine)
    }

    fn run<K: Kind>(&self, kind: K, mail: Mail<<K::Machine as Machine>::Input>) {
        let actor = Actor::new(kind, mail, Arc::clone(&self.0.post));
        self.0.actors.spawn_on(actor.run(), &self.0.on);
    }

    fn start_queues(&self, rules: &Arc<Workspace>) {
        for queue in &rules.queues {
            self.start_queue(queue.id, rules);
        }
    }

    /// Starts a queue, unless it runs already. True when it was started.
    fn start_queue(&self, queue: QueueId, rules: &Arc<Workspace>) -> bool {
        let outlet = &self.0.post.outlet;
        let Some((line, mail)) = outlet.registry.enter(queue) else {
            return false;
        };
        let kind = QueueKind {
            queue,
            rules: Arc::clone(rules),
            life: line.life,
            outlet: Arc::clone(outlet),
            metrics: Arc::clone(&self.0.post.metrics),
        };
        self.run(kind, mail);
        true
    }

    /// The clock everything here goes by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.post.clock
    }

    /// Name of the log.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.0.post.journal.epoch()
    }

    /// The newest position that is durable.
    #[must_use]
    pub fn durable(&self) -> Seq {
        self.0.post.journal.durable()
    }

    /// The room there is for the log, where it is looked at.
    #[must_use]
    pub fn space(&self) -> Option<&Arc<Space>> {
        self.0.space.as_ref()
    }

    /// Doors of this floor.
    #[must_use]
    pub fn doors(&self) -> &Arc<Doors> {
        &self.0.post.outlet.doors
    }

    /// What ends the process.
    #[must_use]
    pub fn fatal(&self) -> &Fatal {
        &self.0.post.fatal
    }

    pub(super) fn post(&self) -> &Post {
        &self.0.post
    }

    /// The rules in force.
    #[must_use]
    pub fn rules(&self) -> Arc<Workspace> {
        let rules = self.0.rules.read();
        Arc::clone(&rules.unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts new rules in force: queues that are new are started, every actor is told.
    pub fn change_rules(&self, rules: &Arc<Workspace>, names: &Arc<WorkspaceNames>) {
        self.tell_board(ToBoard::Rules(Arc::clone(rules), Arc::clone(names)));
        *self.0.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(rules);
        let outlet = &self.0.post.outlet;
        outlet.registry.each_queue(|_, mailbox| {
            // A queue that is gone goes by no rules.
            let _ = mailbox.put(QueueInput::Rules(Arc::clone(rules)));
        });
        outlet.tell_floor(FloorInput::Rules(Arc::clone(rules)));
        self.start_queues(rules);
    }

    /// Whether new work may come in now: a contact for a queue, or a sign-in. What is in hand
    /// is never refused for load.
    ///
    /// # Errors
    /// When too much is not yet durable, a mailbox is half full, space is short, or the engine
    /// stops.
    pub fn admit(&self, queue: Option<QueueId>) -> Result<(), NotNow> {
        if self.0.stopping.load(Ordering::Relaxed) {
            return Err(NotNow::Stopping);
        }
        if self.space().is_some_and(|space| space.is_short()) {
            return Err(NotNow::NoRoom(limits::NO_ROOM_AFTER));
        }
        let registry = &self.0.post.outlet.registry;
        let undurable = self.0.post.journal.undurable();
        let old = undurable
            .oldest
            .is_some_and(|oldest| self.clock().now().since(oldest) >= limits::UNDURABLE_AGE);
        let queue = queue.and_then(|queue| registry.queue(queue));
        let full = undurable.bytes >= limits::UNDURABLE_BYTES
            || registry.floor.mailbox.half_full()
            || self.0.board.half_full()
            || queue.is_some_and(|mailbox| mailbox.half_full());
        if old || full {
            return Err(NotNow::Busy(limits::BUSY_AFTER));
        }
        Ok(())
    }

    /// Submits a contact to a queue. Of several with one external id the first is sent; the
    /// others get its answer.
    ///
    /// # Errors
    /// When the external id is that of a contact which another identity submitted.
    pub fn submit(
        &self,
        queue: QueueId,
        asked: Asked,
        facts: Box<Facts>,
        content: Box<Content>,
    ) -> Result<(), Foreign> {
        let submit = Submit {
            queue,
            asked,
            facts,
            content,
            note: None,
        };
        self.0.post.outlet.submit(submit, self.durable())
    }

    /// Sends a command to the queue that has its contact.
    pub fn command(&self, asked: Asked, command: QueueCommand) {
        let contact = command.contact();
        let outlet = &self.0.post.outlet;
        let reply = asked.reply;
        let refused = match outlet.registry.home(contact) {
            Some(queue) => outlet
                .registry
                .tell_queue(queue, QueueInput::Command(asked, command))
                .err()
                .map(|_| Refusal::Unavailable),
            None => Some(Refusal::NotFound {
                what: "contact",
                id: contact.to_string(),
            }),
        };
        self.refuse(reply, refused);
    }

    /// Sends a command to the floor.
    pub fn command_floor(&self, asked: Asked, command: FloorCommand) {
        let reply = asked.reply;
        let input = FloorInput::Command(asked, command);
        let told = self.0.post.outlet.registry.floor.mailbox.put(input);
        self.refuse(reply, told.err().map(|_| Refusal::Unavailable));
    }

    pub(super) fn tell_board(&self, input: ToBoard) {
        // A board that is gone was stopped after everybody else.
        let _ = self.0.board.put(input);
    }

    fn refuse(&self, reply: Option<ReplyTo>, refusal: Option<Refusal>) {
        if let (Some(to), Some(refusal)) = (reply, refusal) {
            // Whoever asked may be gone.
            let _ = self.doors().answer(to, Err(refusal), self.durable());
        }
    }

    /// The queue that has a contact; also for a while after it is closed.
    #[must_use]
    pub fn queue_of(&self, contact: ContactId) -> Option<QueueId> {
        self.0.post.outlet.registry.home(contact)
    }

    /// Brings an agent's own stream to the door of a socket that is back and has heard
    /// everything up to `after`; what was missed is repeated. The older socket, if there is
    /// one, is closed.
    pub fn resume(
        &self,
        agent: AgentId,
        generation: Generation,
        door: DoorId,
        after: Seq,
    ) -> Resumed {
        let outlet = &self.0.post.outlet;
        let back = || outlet.tell_floor(FloorInput::SocketBack(agent, generation));
        let resumed = outlet.streams.resume(agent, generation, door, after, back);
        if resumed == Resumed::Lost {
            self.0.post.metrics.reset();
        }
        resumed
    }

    /// What operators see, as one page in the text format of Prometheus.
    #[must_use]
    pub fn metrics(&self) -> String {
        let post = &self.0.post;
        let registry = &post.outlet.registry;
        let undurable = post.journal.undurable();
        let now = post.clock.now();
        let mut queue_mail = 0;
        registry.each_queue(|_, mailbox| queue_mail = queue_mail.max(mailbox.len()));
        post.metrics.page(Readings {
            position: post.sequencer.last().0,
            durable: post.journal.durable().0,
            undurable_bytes: undurable.bytes as u64,
            undurable_age: undurable.oldest.map_or(0, |oldest| now.since(oldest).0),
            floor_mail: registry.floor.mailbox.len() as u64,
            queue_mail: queue_mail as u64,
            board_mail: self.0.board.len() as u64,
            contacts: registry.contacts() as u64,
            external_ids: registry.externals.len() as u64,
            doors: post.outlet.doors.len() as u64,
        })
    }

    /// Stops in order: nothing new is taken; actors act on what they have; all they did
    /// becomes durable and is let out; the board says the last of it; then the threads end.
    pub async fn stop(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
        let registry = &self.0.post.outlet.registry;
        registry.each_queue(|_, mailbox| mailbox.close());
        registry.floor.mailbox.close();
        self.0.actors.close();
        self.0.actors.wait().await;
        self.aside(|inner| inner.post.journal.close()).await;
        self.0.board.close();
        self.0.boards.close();
        self.0.boards.wait().await;
        self.aside(Inner::end_thread).await;
    }

    /// Does what waits for a thread where no actor has to wait with it.
    async fn aside(&self, work: impl FnOnce(&Inner) + Send + 'static) {
        let inner = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || work(&inner)).await;
        if done.is_err() {
            tracing::error!("the engine's threads did not end in order");
        }
    }
}

impl Inner {
    fn end_thread(&self) {
        self.done.cancel();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the board's thread had failed");
        }
    }
}

/// The process ends when nothing becomes durable any more.
fn failing(fatal: &Fatal) -> OnFailure {
    let fatal = fatal.clone();
    Box::new(move |why| fatal.say(why.to_string()))
}

/// Lets out what is durable: the board is told first, so that whoever has an answer and then
/// asks the board sees what he was answered.
fn letting_out(outlet: &Arc<Outlet>, board: &Mailbox<ToBoard>) -> Release {
    let (outlet, board) = (Arc::clone(outlet), board.clone());
    Box::new(move |written, gated| {
        if !written.records.is_empty() {
            // A board that is gone was stopped after everybody else.
            let _ = board.put(ToBoard::Written(written));
        }
        gated.into_iter().for_each(|gated| outlet.let_out(gated));
    })
}

/// Floor and board hear of doors that are gone.
fn tell_of_doors(outlet: &Arc<Outlet>, board: &Mailbox<ToBoard>) {
    let (gone, board) = (Arc::downgrade(outlet), board.clone());
    outlet.doors.when_gone(Box::new(move |door| {
        if let Some(outlet) = gone.upgrade() {
            outlet.door_gone(door);
        }
        let _ = board.put(ToBoard::Gone(door));
    }));
}
