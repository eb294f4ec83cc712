//! A server on a port of its own, and the tokens of its users.

use std::net::SocketAddr;
use std::sync::Arc;
use switchroom::access::token::TokenKey;
use switchroom::config::{Config, Source};
use switchroom::engine::clock::Clock;
use switchroom::engine::{Engine, Options as EngineOptions, Trip};
use switchroom::gate::{Served, Site};
use switchroom::journal::space::Space;
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
        let clock = engine_options.clock.clone();
        let source = Source {
            name: "house".into(),
            text: toml.into(),
        };
        let config = Config::check(source).unwrap_or_else(|findings| panic!("{findings}"));
        let workspace = config.workspaces[0].clone();
        let names = Arc::clone(workspace.directory.names());
        let engine = Engine::start(workspace.rules, names, engine_options).expect("an engine");
        let served = Served {
            name: "main".to_owned(),
            directory: workspace.directory,
            engine: engine.clone(),
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
