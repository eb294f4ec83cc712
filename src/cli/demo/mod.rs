//! `switchroom demo`: a server with a simulated contact centre, all of it through real sockets
//! and HTTP, as anybody else would use it.

mod agent;
mod centre;
mod chance;
mod customers;
mod line;
mod screen;
mod tally;

use super::data::Data;
use super::{Failure, KeyFileError, serve};
use crate::access::token::TokenKey;
use crate::config::{Config, Source};
use crate::engine::clock::Clock;
use crate::limits;
use crate::time::Span;
use chance::Chance;
use clap::Args;
use line::Line;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tally::Tally;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Tokens for the people of the demo are valid so long.
const TOKENS_LAST: Span = Span::hours(12);

/// Run a server with a simulated contact centre.
#[derive(Args, Debug)]
pub struct Demo {
    /// Stop after so many seconds; without it, at Ctrl+C.
    #[arg(long, value_name = "N")]
    pub seconds: Option<u64>,
    /// The same seed makes the same customers and agents.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Nothing but one JSON object at the end; any free port unless --listen is given.
    #[arg(long)]
    pub headless: bool,
    /// Address and port; another one than the server's own.
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
}

/// What every simulated person needs.
pub(super) struct Stage {
    address: SocketAddr,
    key: TokenKey,
    tally: Tally,
    stop: CancellationToken,
    people: TaskTracker,
}

impl Stage {
    /// A token for somebody of the demo.
    fn token(&self, user: &str) -> Result<String, Failure> {
        let now = Clock::system().now();
        let token = self.key.mint(user, centre::WORKSPACE, now, TOKENS_LAST);
        token.map_err(|error| Failure::Key(KeyFileError::from(error)))
    }

    /// Opens a socket for somebody of the demo.
    async fn open(&self, user: &str) -> Result<Line, Failure> {
        let token = self.token(user)?;
        Line::open(self.address, &token, user)
            .await
            .map_err(|error| Failure::Unknown(format!("{user} of the demo: {error}")))
    }
}

impl Demo {
    pub(super) fn run(&self, out: &mut impl Write) -> Result<ExitCode, Failure> {
        serve::log_to_stderr()?;
        let runtime = crate::cli::serve::runtime().map_err(Failure::Start)?;
        runtime.block_on(self.play(out))
    }

    async fn play(&self, out: &mut impl Write) -> Result<ExitCode, Failure> {
        let config = self.config()?;
        let secret = secret()?;
        let (issuer, audience) = (&config.server.issuer, &config.server.audience);
        let key = || {
            let key = TokenKey::new(&secret, issuer, audience);
            key.map_err(|error| Failure::Key(KeyFileError::from(error)))
        };
        let running = serve::start(&config, key()?, Data::default()).await?;
        let stage = Arc::new(Stage {
            address: running.address,
            key: key()?,
            tally: Tally::default(),
            stop: CancellationToken::new(),
            people: TaskTracker::new(),
        });
        let started = Instant::now();
        if !self.headless {
            write!(out, "{}", self.greeting(&stage)?)?;
            out.flush()?;
        }
        let mut chance = Chance::new(self.seed);
        for name in centre::agents() {
            agent::arrive(&stage, &name, chance.branch()).await?;
        }
        customers::begin(&stage, chance.branch()).await?;
        self.watch(&stage, out, started).await?;
        stage.stop.cancel();
        stage.people.close();
        let _ = tokio::time::timeout(Duration::from_secs(5), stage.people.wait()).await;
        if self.headless {
            let seconds = started.elapsed().as_secs();
            writeln!(out, "{}", stage.tally.summary(self.seed, seconds))?;
        }
        Ok(running.stop().await)
    }

    fn config(&self) -> Result<Config, Failure> {
        let source = Source {
            name: "demo".to_owned(),
            text: centre::configuration(),
        };
        let mut config =
            Config::check(source).map_err(|found| Failure::Configuration(Box::new(found)))?;
        if let Some(listen) = self.listen {
            config.server.listen = listen;
        } else if self.headless {
            config.server.listen.set_port(0);
        }
        Ok(config)
    }

    /// Links and tokens, so that a newcomer can take part at once.
    fn greeting(&self, stage: &Stage) -> Result<String, Failure> {
        let address = stage.address;
        let mut text = format!(
            "switchroom {} demo: {} agents, {} queues, customers by seed {}\n\n",
            env!("CARGO_PKG_VERSION"),
            centre::agents().count(),
            centre::QUEUES.len(),
            self.seed,
        );
        text += &format!("  http://{address}/readyz\n  ws://{address}/v1/ws\n\n");
        for (user, what) in [
            (
                centre::GUEST,
                "an agent, for you: sign in and take contacts",
            ),
            (centre::SUPERVISOR, "a supervisor"),
            (centre::CONNECTOR, "a connector, to submit contacts"),
        ] {
            text += &format!("  {user} ({what}):\n  {}\n\n", stage.token(user)?);
        }
        Ok(text)
    }

    /// Shows what happens until the time is over or somebody says stop.
    async fn watch(
        &self,
        stage: &Arc<Stage>,
        out: &mut impl Write,
        started: Instant,
    ) -> Result<(), Failure> {
        let mut interrupt =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())
                .map_err(Failure::Start)?;
        let mut terminate =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
                .map_err(Failure::Start)?;
        let end = self.seconds.map(|n| started + Duration::from_secs(n));
        let live = !self.headless && io::stdout().is_terminal();
        let mut screen = screen::Screen::open(stage, live).await?;
        loop {
            let over = async {
                match end {
                    Some(end) => tokio::time::sleep_until(end).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = interrupt.recv() => return Ok(()),
                _ = terminate.recv() => return Ok(()),
                () = over => return Ok(()),
                text = screen.next(&stage.tally) => {
                    if !self.headless {
                        write!(out, "{text}")?;
                        out.flush()?;
                    }
                }
            }
        }
    }
}

fn secret() -> Result<[u8; limits::TOKEN_SECRET_BYTES], Failure> {
    let mut secret = [0; limits::TOKEN_SECRET_BYTES];
    getrandom::fill(&mut secret)
        .map_err(|error| Failure::Start(io::Error::other(error.to_string())))?;
    Ok(secret)
}
