//! A server on a port of its own, and the tokens of its users.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use switchroom::access::token::TokenKey;
use switchroom::config::{Config, Source, Workspace};
use switchroom::directory::Directory;
use switchroom::engine::clock::Clock;
use switchroom::engine::{Engine, Options as EngineOptions, Trip};
use switchroom::gate::{Served, Site};
use switchroom::journal::folder::Folder;
use switchroom::journal::history::{History, Targets};
use switchroom::journal::space::Space;
use switchroom::journal::sqlite::Sqlite;
use switchroom::net::http::routes;
use switchroom::net::listen::{Port, listen};
use switchroom::net::server::{Options, Server};
use switchroom::time::Span;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A queue with every role beside it. `ana` and `bo` serve it; `sue` supervises it.
pub const SMALL: &str = r#"
[workspace.main.teams.service]
[workspace.main.teams.other]
[workspace.main.queues.support]
channels = ["chat", "voice"]
team = "service"
members = [{ team = "service" }]
terms.chat = { wrap_up = { mode = "none" } }
[workspace.main.queues.sales]
channels = ["chat"]
team = "other"
members = [{ team = "other" }]
[workspace.main.users.ana]
name = "Ana"
roles = ["agent"]
teams = ["service"]
[workspace.main.users.bo]
roles = ["agent"]
teams = ["service"]
[workspace.main.users.sen]
roles = ["senior_agent"]
teams = ["service"]
[workspace.main.users.sue]
roles = ["supervisor"]
teams = ["service"]
supervises = { teams = ["service"], queues = ["support"] }
[workspace.main.users.max]
roles = ["admin"]
[workspace.main.users.wall]
roles = ["wallboard"]
[workspace.main.users.guest]
roles = ["visitor"]
[workspace.main.connectors.site]
[workspace.main.connectors.other]
"#;

pub const SECRET: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

/// A running server.
pub struct House {
    pub address: SocketAddr,
    pub clock: Clock,
    pub key: TokenKey,
    pub engine: Engine,
    pub server: Arc<Server>,
    pub stop: CancellationToken,
    pub tasks: TaskTracker,
}

/// The signing key of every test.
pub fn key() -> TokenKey {
    TokenKey::new(SECRET, "switchroom", "switchroom").expect("a key")
}

/// The only workspace of a configuration.
fn workspace(toml: &str) -> Workspace {
    let source = Source {
        name: "house".into(),
        text: toml.into(),
    };
    let config = Config::check(source).unwrap_or_else(|findings| panic!("{findings}"));
    config.workspaces[0].clone()
}

impl House {
    /// A server with the small floor, by the clock of the system.
    pub async fn small() -> Self {
        Self::open(SMALL, Clock::system(), Options::default()).await
    }

    /// A server whose clock is moved by the test.
    pub async fn by_hand() -> Self {
        let clock = Clock::by_hand(Clock::system().now());
        Self::open(SMALL, clock, Options::default()).await
    }

    pub async fn open(toml: &str, clock: Clock, options: Options) -> Self {
        Self::tripping(toml, clock, options, None).await
    }

    /// A server whose machines may be tripped.
    pub async fn tripping(toml: &str, clock: Clock, options: Options, trip: Option<Trip>) -> Self {
        let engine_options = EngineOptions {
            clock,
            trip,
            ..EngineOptions::default()
        };
        Self::with(toml, options, engine_options).await
    }

    /// A server whose disk has the room that the test says.
    pub async fn with_space(toml: &str, clock: Clock, options: Options, space: Arc<Space>) -> Self {
        let engine_options = EngineOptions {
            clock,
            space: Some(space),
            ..EngineOptions::default()
        };
        Self::with(toml, options, engine_options).await
    }

    /// A server whose engine is started with what the test says.
    pub async fn with(toml: &str, options: Options, engine_options: EngineOptions) -> Self {
        let workspace = workspace(toml);
        let names = Arc::clone(workspace.directory.names());
        let engine = Engine::start(workspace.rules, names, engine_options).expect("an engine");
        Self::serving(workspace.directory, engine, None, options).await
    }

    /// A server that keeps log and history in a folder.
    pub async fn keeping(toml: &str, folder: &Path) -> (Self, History) {
        let workspace = workspace(toml);
        let names = Arc::clone(workspace.directory.names());
        let clock = Clock::system();
        let folder = Folder::take(folder).expect("a folder");
        let mut log = Sqlite::open(folder, clock.now()).expect("a log");
        log.keep_names(&names.known()).expect("names");
        let (path, now) = (log.path(), clock.clone());
        let history = History::start(
            path.parent().expect("a folder"),
            workspace.history,
            Targets::of(&workspace.rules),
            &log.holds(),
            move || now.now(),
        )
        .expect("a history");
        let engine_options = EngineOptions {
            clock,
            journal: Box::new(|opening| {
                let log = log.start(opening).map_err(std::io::Error::other)?;
                Ok(Arc::new(log))
            }),
            ..EngineOptions::default()
        };
        let engine = Engine::start(workspace.rules, names, engine_options).expect("an engine");
        let path = history.path().to_path_buf();
        let options = Options::default();
        let house = Self::serving(workspace.directory, engine, Some(path), options).await;
        (house, history)
    }

    async fn serving(
        directory: Directory,
        engine: Engine,
        history: Option<PathBuf>,
        options: Options,
    ) -> Self {
        let clock = engine.clock().clone();
        let served = Served {
            name: "main".to_owned(),
            directory,
            engine: engine.clone(),
            history,
        };
        let site = Site::new(key(), vec![served], clock.clone());
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let server = Server::new(site, options, stop.clone(), tasks.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (routes, port) = (routes(&server), Port::default());
        tasks.spawn(listen(listener, routes, Arc::clone(&server), port));
        Self {
            address,
            clock,
            key: key(),
            engine,
            server,
            stop,
            tasks,
        }
    }

    /// A token of a user, good for an hour.
    pub fn token(&self, user: &str) -> String {
        self.token_for(user, Span::minutes(60))
    }

    /// A token of a user, good for so long.
    pub fn token_for(&self, user: &str, lasts: Span) -> String {
        self.key
            .mint(user, "main", self.clock.now(), lasts)
            .expect("a token")
    }
}
