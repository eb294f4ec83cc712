//! The server behind the port: what it serves, its sessions, and its orderly end.

use super::drain;
use super::origin::Origins;
use super::pace::Paces;
use super::roll::Roll;
use super::say::Farewell;
use super::sessions::Sessions;
use crate::engine::clock::Clock;
use crate::gate::Site;
use crate::id::UserId;
use crate::journal::space::Space;
use crate::limits;
use crate::time::{Instant, Span};
use crate::wire::close::CloseCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How a server treats those who connect. The times are those of the protocol, unless a test
/// says otherwise.
#[derive(Clone, Debug)]
pub struct Options {
    /// Pages that may open a WebSocket.
    pub origins: Origins,
    /// Whether everybody comes through a proxy, so that the peer's address says nothing.
    pub behind_proxy: bool,
    /// `hello` has to come within this time.
    pub hello_within: Span,
    /// The server pings this often.
    pub ping_every: Span,
    /// A socket that is silent for so long is dead.
    pub dead_after: Span,
    /// A client that is told goodbye is waited for so long.
    pub close_within: Span,
    /// A request over HTTP has its body by then, and its answer by then again.
    pub answer_within: Span,
    /// When the server stops, clients come back over this time and not all at once.
    pub return_over: Span,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            origins: Origins::SameHost,
            behind_proxy: false,
            hello_within: limits::HELLO_WITHIN,
            ping_every: limits::PING_EVERY,
            dead_after: limits::DEAD_AFTER,
            close_within: limits::CLOSE_WITHIN,
            answer_within: limits::ANSWER_WITHIN,
            return_over: limits::RETURN_OVER,
        }
    }
}

/// How often the configuration was read again.
#[derive(Debug, Default)]
struct Reloads {
    in_force: AtomicU64,
    refused: AtomicU64,
}

/// What stands behind a port.
#[derive(Debug)]
pub struct Server {
    site: Site,
    options: Options,
    sessions: Arc<Sessions>,
    roll: Roll,
    reloads: Reloads,
    paces: Arc<Paces>,
    tasks: TaskTracker,
    stop: CancellationToken,
    parted: AtomicU64,
    paused: AtomicU64,
    /// How often all places for connections were taken, and when that was last logged.
    full: AtomicU64,
    full_said: AtomicU64,
}

impl Server {
    /// Serves a site. `stop` ends every session; their tasks are spawned on `tasks`.
    #[must_use]
    pub fn new(
        site: Site,
        options: Options,
        stop: CancellationToken,
        tasks: TaskTracker,
    ) -> Arc<Self> {
        let sessions: Arc<Sessions> = Arc::default();
        for gate in site.gates() {
            sessions.remember(&Arc::from(gate.name()), gate.sessions());
        }
        let server = Arc::new(Self {
            site,
            options,
            sessions,
            roll: Roll::default(),
            reloads: Reloads::default(),
            paces: Arc::default(),
            tasks,
            stop,
            parted: AtomicU64::new(0),
            paused: AtomicU64::new(0),
            full: AtomicU64::new(0),
            full_said: AtomicU64::new(0),
        });
        drain::warn_of(&server);
        server
    }

    /// What it serves.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// How it treats those who connect.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The clock everything here goes by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        self.site.clock()
    }

    /// Its sessions.
    #[must_use]
    pub fn sessions(&self) -> &Arc<Sessions> {
        &self.sessions
    }

    pub(super) fn roll(&self) -> &Roll {
        &self.roll
    }

    /// The rights of these users of a workspace are others: their sessions go by the new ones
    /// from now on, or end.
    pub fn rights_changed(&self, workspace: &str, users: &[UserId]) {
        let gate = self.site.gates().find(|gate| gate.name() == workspace);
        for (gate, user) in gate
            .into_iter()
            .flat_map(|gate| users.iter().map(move |u| (gate, *u)))
        {
            let sessions = self.roll.of(workspace, user);
            let viewers = sessions
                .iter()
                .filter_map(|session| session.rights_changed());
            gate.engine().rights_changed(user, viewers);
        }
    }

    /// A configuration was read again, and was put in force or had errors.
    pub fn reloaded(&self, in_force: bool) {
        let count = if in_force {
            &self.reloads.in_force
        } else {
            &self.reloads.refused
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// How fast each identity asks over HTTP.
    #[must_use]
    pub fn paces(&self) -> &Arc<Paces> {
        &self.paces
    }

    /// Where its tasks are spawned.
    #[must_use]
    pub fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    /// Whether it has been told to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Waits until the server is told to stop. Cancel safe.
    pub async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    /// What ends one session, or all.
    #[must_use]
    pub fn child(&self) -> CancellationToken {
        self.stop.child_token()
    }

    /// One socket more, or one fewer, of which nothing is read until it takes its replies.
    pub fn one_paused(&self, more: bool) {
        if more {
            self.paused.fetch_add(1, Ordering::Relaxed);
        } else {
            self.paused.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// All places for connections are taken: further ones wait until one is free.
    pub fn no_place(&self, most: usize) {
        self.full.fetch_add(1, Ordering::Relaxed);
        let now = self.clock().now();
        let said = Instant(self.full_said.load(Ordering::Relaxed));
        if said == Instant(0) || now.since(said) >= limits::FULL_SAID_EVERY {
            self.full_said.store(now.0, Ordering::Relaxed);
            tracing::warn!(most, "all places for connections are taken; others wait");
        }
    }

    /// What operators see, as one page in the text format of Prometheus.
    #[must_use]
    pub fn metrics(&self) -> String {
        let mut page = format!(
            "# HELP switchroom_sockets_paused Sockets of which nothing is read until they take \
             their replies.\n# TYPE switchroom_sockets_paused gauge\nswitchroom_sockets_paused {}\n\
             # HELP switchroom_connections_full_total Times all places for connections were \
             taken.\n# TYPE switchroom_connections_full_total counter\n\
             switchroom_connections_full_total {}\n\
             # HELP switchroom_reloads_total Times the configuration was read again.\n\
             # TYPE switchroom_reloads_total counter\n\
             switchroom_reloads_total{{result=\"in_force\"}} {}\n\
             switchroom_reloads_total{{result=\"refused\"}} {}\n",
            self.paused.load(Ordering::Relaxed),
            self.full.load(Ordering::Relaxed),
            self.reloads.in_force.load(Ordering::Relaxed),
            self.reloads.refused.load(Ordering::Relaxed),
        );
        if let Some(space) = self.space() {
            page.push_str(&of_space(space));
        }
        for gate in self.site.gates() {
            page.push_str(&gate.engine().metrics());
        }
        page
    }

    /// The room that the logs have, which is the same for all of them.
    #[must_use]
    pub fn space(&self) -> Option<&Arc<Space>> {
        self.site.gates().find_map(|gate| gate.engine().space())
    }

    /// What clients are told when the server stops: each to come back at another time.
    #[must_use]
    pub fn going_away(&self) -> Farewell {
        /// A prime, so that neighbours are spread over the whole time.
        const STRIDE: u64 = 7_919;
        let number = self.parted.fetch_add(1, Ordering::Relaxed);
        let spread = self.options.return_over.0.max(1);
        Farewell {
            after_ms: number.wrapping_mul(STRIDE) % spread,
            ..Farewell::new(CloseCode::GoingAway)
        }
    }
}

fn of_space(space: &Space) -> String {
    format!(
        "# HELP switchroom_free_bytes Room on the disk of the data folder.\n\
         # TYPE switchroom_free_bytes gauge\nswitchroom_free_bytes {}\n\
         # HELP switchroom_low_space_bytes Less room than this is short.\n\
         # TYPE switchroom_low_space_bytes gauge\nswitchroom_low_space_bytes {}\n\
         # HELP switchroom_space_short Whether new contacts and sign-ins are refused for lack of \
         room.\n# TYPE switchroom_space_short gauge\nswitchroom_space_short {}\n",
        space.free().unwrap_or(0),
        space.low(),
        u8::from(space.is_short()),
    )
}
