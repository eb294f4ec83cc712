//! The board's actor: takes in the log as it becomes durable, and tells everybody who watches.
//! Each delta is encoded once per view; it goes out to a few doors at a time, so that an offer
//! on the same thread never waits for a wallboard.

use super::clock::{self, Clock};
use super::door::{DoorId, Doors, SnapshotWhy, ToDoor, ToSession};
use super::fan::{self, Events, Outgoing, Sent};
use super::fatal::Fatal;
use super::mailbox::Mail;
use super::metrics::Metrics;
use super::restart::{Panics, guarded};
use super::show::Show;
use super::tell::{Draining, Teller, encoding_of, numbered, tellers, written_or_told};
use super::to_board::{ToBoard, ViewResumed};
use crate::directory::WorkspaceNames;
use crate::domain::rules::Workspace;
use crate::id::Seq;
use crate::journal::{Journal, Source, Written};
use crate::limits;
use crate::live::board::{Board, Kept, Refused};
use crate::live::delta::{self, Body, Cut, Delta, Sub, Watcher};
use crate::live::sight::Viewer;
use crate::live::topic::Ask;
use crate::time::Instant;
use crate::wire::codec::Encoding;
use crate::wire::push::RevokedReason;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

/// What the actor shares with the engine.
pub(super) struct Around {
    pub(super) clock: Clock,
    pub(super) journal: Arc<dyn Journal>,
    pub(super) doors: Arc<Doors>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) fatal: Fatal,
}

/// The actor.
pub(super) struct BoardActor {
    around: Around,
    mail: Mail<ToBoard>,
    batch: VecDeque<ToBoard>,
    board: Board,
    rules: Arc<Workspace>,
    tellers: [Teller; 2],
    show: Arc<Show>,
    sessions: HashMap<DoorId, Session>,
    /// Doors that fell behind a table: they get all of it when they have caught up.
    behind: BTreeSet<(DoorId, Sub)>,
    look_behind: Instant,
    panics: Panics,
    sent: usize,
}

/// A door that watches.
struct Session {
    to: ToSession,
    /// Its views.
    views: BTreeMap<Sub, Watched>,
}

/// How a door watches a view.
#[derive(Clone, Copy)]
struct Watched {
    encoding: Encoding,
    /// Most contacts in a snapshot.
    limit: usize,
}

impl Watched {
    fn by(ask: &Ask) -> Self {
        Self {
            encoding: encoding_of(ask),
            limit: ask.limit,
        }
    }
}

impl BoardActor {
    pub(super) fn new(
        around: Around,
        mail: Mail<ToBoard>,
        rules: Arc<Workspace>,
        names: Arc<WorkspaceNames>,
    ) -> Self {
        let now = around.clock.now();
        let new = Board::new(Arc::clone(&rules), now);
        around.journal.keep(Source::Board, Box::new(new.keep()));
        let kept = around.journal.recover(Source::Board);
        let kept = kept.and_then(|part| part.into_any().downcast::<Kept>().ok());
        let mut board = kept.map_or(new, |kept| Board::rebuild(*kept));
        if !around.journal.same_rules() {
            board.break_off();
        }
        let show = Arc::new(Show::new(Arc::clone(&rules), names));
        Self {
            tellers: tellers(&show),
            around,
            mail,
            batch: VecDeque::new(),
            board,
            rules,
            show,
            sessions: HashMap::new(),
            behind: BTreeSet::new(),
            look_behind: now,
            panics: Panics::default(),
            sent: 0,
        }
    }

    /// Runs until the mailbox is closed and empty.
    pub(super) async fn run(mut self) {
        loop {
            let wake = self.next_wake();
            let open = tokio::select! {
                biased;
                open = self.mail.read(&mut self.batch, limits::ACTOR_BATCH) => open,
                () = self.around.clock.until(wake) => true,
            };
            if !open {
                return;
            }
            let written = |input: &ToBoard| matches!(input, ToBoard::Written(_));
            let rests = self.batch.len() < limits::ACTOR_BATCH && self.batch.iter().all(written);
            while let Some(input) = self.batch.pop_front() {
                self.take(input).await;
            }
            self.say().await;
            self.tick().await;
            // What comes within a moment is one round: one frame for a view, not one for each
            // record. Nobody who asks, and no log that runs ahead, waits for it.
            if rests {
                clock::rest(limits::BOARD_RESTS).await;
            } else {
                tokio::task::yield_now().await;
            }
        }
    }

    fn next_wake(&self) -> Instant {
        let behind = (!self.behind.is_empty()).then_some(self.look_behind);
        let tick = self.board.next_tick();
        tick.into_iter()
            .chain(behind)
            .min()
            .unwrap_or(Instant::NEVER)
    }

    async fn take(&mut self, input: ToBoard) {
        if let ToBoard::Written(written) = &input {
            self.fold(written);
            return;
        }
        // What was said before is sent before.
        self.say().await;
        if let Err(why) = guarded(|| self.answer(input)) {
            self.restart(&why);
        }
        self.say().await;
    }

    fn fold(&mut self, written: &Written) {
        let board = &mut self.board;
        let folded = guarded(|| written.records.iter().for_each(|record| board.fold(record)));
        if let Err(why) = folded {
            self.restart(&why);
        }
    }

    fn answer(&mut self, input: ToBoard) {
        match input {
            ToBoard::Written(written) => self.fold(&written),
            ToBoard::Subscribe(door, request, viewer, ask) => {
                self.subscribe(door, request, &viewer, &ask);
            }
            ToBoard::Resume(door, viewer, ask, seq, reply) => {
                let resumed = self.resume(door, &viewer, &ask, seq);
                // Whoever asked may be gone.
                let _ = reply.send(resumed);
            }
            ToBoard::OpenForLeg(door, viewer, encoding, contact, offer) => {
                if self.session(door).is_some() {
                    let number = numbered(encoding);
                    let watcher = Watcher(door);
                    let sub = self
                        .board
                        .open_for_leg(watcher, &viewer, number, contact, offer);
                    let limit = limits::LIST_ROWS;
                    self.watches(door, sub, Watched { encoding, limit });
                }
            }
            ToBoard::Unsubscribe(door, sub) => self.unsubscribe(door, sub),
            ToBoard::Again(door, sub) => self.again(door, sub, SnapshotWhy::Reset),
            ToBoard::Gone(door) => {
                self.sessions.remove(&door);
                self.behind.retain(|(behind, _)| *behind != door);
                self.board.gone(Watcher(door));
            }
            ToBoard::Rights(user, viewers) => self.board.rights_changed(user, &viewers),
            ToBoard::Rules(rules, names) => self.change_rules(rules, names),
            ToBoard::Look(look) => look(&self.board),
        }
    }

    fn change_rules(&mut self, rules: Arc<Workspace>, names: Arc<WorkspaceNames>) {
        self.show = Arc::new(Show::new(Arc::clone(&rules), names));
        self.tellers = tellers(&self.show);
        self.rules = Arc::clone(&rules);
        self.board.rules_changed(rules);
    }

    /// The session of a door, unless it is gone.
    fn session(&mut self, door: DoorId) -> Option<&mut Session> {
        if !self.sessions.contains_key(&door) {
            let to = self.around.doors.session(door)?;
            let views = BTreeMap::new();
            self.sessions.insert(door, Session { to, views });
        }
        self.sessions.get_mut(&door)
    }

    fn watches(&mut self, door: DoorId, sub: Sub, watched: Watched) {
        if let Some(session) = self.sessions.get_mut(&door) {
            session.views.insert(sub, watched);
        }
    }

    fn subscribe(&mut self, door: DoorId, request: u64, viewer: &Viewer, ask: &Ask) {
        let Some(to) = self.session(door).map(|session| session.to.clone()) else {
            return;
        };
        let subscribed = self.board.subscribe(Watcher(door), viewer, ask);
        let (result, cut) = match subscribed {
            Ok(subscribed) => (Ok(subscribed.sub), Some(subscribed.cut)),
            Err(refused) => (Err(refused), None),
        };
        let sub = result.clone().ok();
        to.send(ToDoor::Subscribed {
            request,
            result,
            seq: self.board.as_of(),
        });
        if let (Some(sub), Some(cut)) = (sub, cut) {
            let watched = Watched::by(ask);
            self.watches(door, sub, watched);
            self.send_cut(&to, sub, watched.encoding, cut, SnapshotWhy::Opened);
        }
    }

    fn resume(
        &mut self,
        door: DoorId,
        viewer: &Viewer,
        ask: &Ask,
        seq: Seq,
    ) -> Result<ViewResumed, Refused> {
        let to = self.session(door).map(|session| session.to.clone());
        let to = to.ok_or(Refused::NotFound)?;
        let watched = Watched::by(ask);
        let encoding = watched.encoding;
        match self.board.resume(Watcher(door), viewer, ask, seq)? {
            delta::Resumed::Whole { sub, as_of, replay } => {
                self.watches(door, sub, watched);
                let teller = &mut self.tellers[usize::from(numbered(encoding))];
                for said in replay {
                    if let Some(bytes) = written_or_told(teller.said(sub, &said)) {
                        let seq = said.seq;
                        to.send(ToDoor::Frame { sub, seq, bytes });
                    }
                }
                to.send(ToDoor::Live { sub, seq: as_of });
                Ok(ViewResumed::Whole(sub))
            }
            delta::Resumed::Reset { why, subscribed } => {
                let sub = subscribed.sub;
                self.watches(door, sub, watched);
                self.around.metrics.reset();
                self.send_cut(&to, sub, encoding, subscribed.cut, SnapshotWhy::Reset);
                Ok(ViewResumed::Reset(sub, why))
            }
        }
    }

    fn unsubscribe(&mut self, door: DoorId, sub: Sub) {
        self.board.unsubscribe(Watcher(door), sub);
        self.behind.remove(&(door, sub));
        if let Some(session) = self.sessions.get_mut(&door) {
            session.views.remove(&sub);
        }
    }

    /// Sends the state of a view that a door watches.
    fn again(&mut self, door: DoorId, sub: Sub, why: SnapshotWhy) {
        let session = self.sessions.get(&door);
        let Some((to, watched)) = session.and_then(|s| Some((s.to.clone(), *s.views.get(&sub)?)))
        else {
            return;
        };
        if let Some(cut) = self.board.cut_again(Watcher(door), sub, watched.limit) {
            self.around.metrics.reset();
            self.send_cut(&to, sub, watched.encoding, cut, why);
        }
    }

    fn send_cut(&self, to: &ToSession, sub: Sub, encoding: Encoding, cut: Cut, why: SnapshotWhy) {
        let show = Arc::clone(&self.show);
        let (epoch, as_of) = (self.around.journal.epoch(), cut.as_of);
        match Draining::new(show, encoding, sub, epoch, cut) {
            Ok(draining) => {
                let parts = Box::new(draining);
                to.send(ToDoor::Snapshot {
                    sub,
                    why,
                    as_of,
                    parts,
                });
            }
            Err(unwritable) => tracing::error!(%unwritable, "a snapshot cannot be written"),
        }
    }

    /// What is due by the clock.
    async fn tick(&mut self) {
        let now = self.around.clock.now();
        if self.board.next_tick().is_some_and(|at| at <= now) {
            let board = &mut self.board;
            if let Err(why) = guarded(|| board.tick(now)) {
                self.restart(&why);
            }
            self.say().await;
        }
        if !self.behind.is_empty() && self.look_behind <= now {
            self.look_behind = now + limits::BEHIND_EVERY;
            self.catch_up();
        }
    }

    /// Doors that have written what they owed get the whole of what they missed.
    fn catch_up(&mut self) {
        let caught_up = |(door, _): &&(DoorId, Sub)| {
            let session = self.sessions.get(door);
            session.is_none_or(|session| session.to.owes() < limits::BEHIND_BYTES / 2)
        };
        let caught_up: Vec<_> = self.behind.iter().filter(caught_up).copied().collect();
        for (door, sub) in caught_up {
            self.behind.remove(&(door, sub));
            self.again(door, sub, SnapshotWhy::Behind);
        }
    }

    /// Sends what the board has said, a few doors at a time.
    async fn say(&mut self) {
        let deltas = self.board.drain();
        if deltas.is_empty() {
            return;
        }
        for delta in fan::frames(deltas, |delta| self.encode(delta)) {
            for some in delta.to.chunks(limits::FAN_OUT) {
                some.iter()
                    .for_each(|watcher| self.say_to(*watcher, &delta));
                self.sent += some.len();
                if self.sent >= limits::FAN_OUT {
                    self.sent = 0;
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    /// What is sent of a delta; nothing when nobody is there.
    fn encode(&mut self, delta: &Delta) -> Option<Sent> {
        let encoding = delta.to.iter().find_map(|watcher| {
            let session = self.sessions.get(&watcher.0)?;
            session
                .views
                .get(&delta.sub)
                .map(|watched| watched.encoding)
        })?;
        let teller = &mut self.tellers[usize::from(numbered(encoding))];
        Some(match &delta.body {
            Body::Said(said) => {
                let bytes = written_or_told(teller.said(delta.sub, said))?;
                Sent::Events(Events::new(encoding, said.seq, bytes))
            }
            Body::Update(update) => {
                let bytes = written_or_told(teller.update(delta.sub, update))?;
                Sent::Numbers(update.as_of, bytes)
            }
            Body::Opened(cut) => Sent::Opened(encoding, cut.clone()),
            Body::Revoked(why) => Sent::Revoked(fan::reason(*why)),
        })
    }

    fn say_to(&mut self, watcher: Watcher, outgoing: &Outgoing) {
        let (door, sub) = (watcher.0, outgoing.sub);
        let Some(session) = self.sessions.get_mut(&door) else {
            return;
        };
        match &outgoing.what {
            Sent::Events(events) => {
                session.frame(sub, events.seq, events.frame());
                self.around.metrics.frame();
            }
            Sent::Numbers(seq, bytes) => {
                let over = session.to.owes() + bytes.len() > limits::BEHIND_BYTES;
                if over || self.behind.contains(&(door, sub)) {
                    self.behind.insert((door, sub));
                } else {
                    session.frame(sub, *seq, bytes.clone());
                    self.around.metrics.frame();
                }
            }
            Sent::Opened(encoding, cut) => {
                let to = session.to.clone();
                let cut = Cut::clone(cut);
                self.send_cut(&to, sub, *encoding, cut, SnapshotWhy::Opened);
            }
            Sent::Revoked(reason) => {
                session.views.remove(&sub);
                self.behind.remove(&(door, sub));
                let reason = *reason;
                session.to.send(ToDoor::Revoked { sub, reason });
            }
        }
    }

    /// The board comes back as its log says it was; nobody watches it any more, which everybody
    /// who did is told.
    fn restart(&mut self, why: &str) {
        tracing::error!(why, "the board has failed");
        let now = self.around.clock.now();
        if self.panics.one_more(now) {
            self.around.fatal.say("the board has failed too often");
        }
        let part = self.around.journal.recover(Source::Board);
        let kept = part.and_then(|part| part.into_any().downcast::<Kept>().ok());
        let rules = Arc::clone(&self.rules);
        let rise = || {
            let mut board = Board::rebuild(*kept?);
            board.rules_changed(rules);
            Some(board)
        };
        match guarded(rise) {
            Ok(Some(board)) => self.board = board,
            Ok(None) | Err(_) => {
                self.board = Board::new(Arc::clone(&self.rules), now);
                self.around.fatal.say("the board cannot be brought back");
            }
        }
        self.around.metrics.restarted();
        self.revoke_all();
    }

    fn revoke_all(&mut self) {
        self.behind.clear();
        for session in self.sessions.values_mut() {
            for (sub, _) in std::mem::take(&mut session.views) {
                let reason = RevokedReason::Restarted;
                session.to.send(ToDoor::Revoked { sub, reason });
                self.around.metrics.reset();
            }
        }
    }
}

impl Session {
    fn frame(&self, sub: Sub, seq: Seq, bytes: Bytes) {
        // A door that is too slow closes itself; its end is told by `Gone`.
        let _ = self.to.send(ToDoor::Frame { sub, seq, bytes });
    }
}
