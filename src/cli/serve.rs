//! `switchroom serve`: engines started, the port opened, and an orderly end.

use super::check::summary;
use super::data::Data;
use super::load::load_knowing;
use super::service::Manager;
use super::{Failure, Settings, Where, load, signing_key};
use crate::access::principal::Principal;
use crate::access::privilege::Privilege;
use crate::access::token::TokenKey;
use crate::config::{Config, Server};
use crate::engine::clock::Clock;
use crate::engine::{Engine, Options};
use crate::gate::{Served, Site};
use crate::journal::history::{History, Targets};
use crate::net;
use crate::net::http::routes;
use crate::net::listen::{Port, listen};
use crate::net::origin::Origins;
use clap::Args;
use futures::future::select_all;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing_subscriber::EnvFilter;

/// Requests and sockets in hand have so long to finish when the server is told to stop.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// Between two looks at the sockets a thread takes so many turns at most: what has come in is
/// as urgent as what is under way.
const TURNS: u32 = 13;

/// The runtime of a server.
///
/// # Errors
/// When the system gives no threads.
pub fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .enable_all()
        .event_interval(TURNS)
        .build()
}

/// Run the server.
#[derive(Args, Debug)]
pub struct Serve {
    /// By what it runs.
    #[command(flatten)]
    pub settings: Settings,
}

/// A server that has been started.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// By what it runs.
    config: Config,
    doors: Arc<net::server::Server>,
    engines: Vec<Named>,
    stop: CancellationToken,
    tasks: TaskTracker,
    /// Looks at the room on the disk until the end.
    _data: Data,
}

/// A workspace's engine.
struct Named {
    workspace: String,
    engine: Engine,
    history: Option<History>,
}

impl std::fmt::Debug for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Named").field(&self.workspace).finish()
    }
}

impl Serve {
    pub(super) fn run(&self, out: &mut impl Write) -> Result<ExitCode, Failure> {
        log_to_stderr()?;
        raise_files();
        let (config, _) = load(&self.settings)?;
        let key = signing_key(&config.server)?;
        let data = Data::open(&config, Clock::system().now())?;
        let (config, from) = load_knowing(&self.settings, &data.known()?)?;
        let runtime = runtime().map_err(Failure::Start)?;
        runtime.block_on(async {
            let mut signals = [SignalKind::interrupt(), SignalKind::terminate()]
                .into_iter()
                .map(signal)
                .collect::<io::Result<Vec<Signal>>>()
                .map_err(Failure::Start)?;
            let mut running = start(&config, key, data).await?;
            for gate in running.doors().site().gates() {
                gate.warn_of_gone_queues().await;
            }
            let manager = Manager::of_environment();
            manager.ready();
            write!(out, "{}", self.greeting(&config, &from, running.address))?;
            out.flush()?;
            let mut hang_up = signal(SignalKind::hangup()).map_err(Failure::Start)?;
            loop {
                let asked = select_all(signals.iter_mut().map(|signal| Box::pin(signal.recv())));
                tokio::select! {
                    _ = asked => break,
                    () = running.fatal() => break,
                    Some(()) = hang_up.recv() => {
                        running.reload(&self.settings).await;
                    }
                    () = manager.watch(&running) => {}
                }
            }
            manager.stopping();
            Ok(running.stop().await)
        })
    }

    /// What the person who started it wants to know: what runs, where, and how to get in.
    fn greeting(&self, config: &Config, from: &Where, address: SocketAddr) -> String {
        let mut lines = vec![
            format!("switchroom {}", env!("CARGO_PKG_VERSION")),
            summary(config, from),
        ];
        lines.extend(config.findings.lines());
        if *from == Where::BuiltIn && std::path::Path::new("switchroom.toml").exists() {
            lines.push("switchroom.toml is here but not used; to use it: switchroom serve -c switchroom.toml".into());
        }
        lines.push(format!("data in {}", config.server.data.display()));
        lines.push(format!(
            "listening on http://{address}, WebSocket ws://{address}/v1/ws"
        ));
        lines.push(String::new());
        lines.push("To sign in, get a token, for example:".into());
        lines.extend(self.examples(config));
        lines.join("\n") + "\n"
    }

    /// A command for a user of each kind that the first workspace has.
    fn examples(&self, config: &Config) -> Vec<String> {
        let Some(workspace) = config.workspaces.first() else {
            return Vec::new();
        };
        let users = || workspace.directory.iter();
        let serves = |user: &&Arc<Principal>| {
            user.holds(Privilege::ContactHandle) && !user.queues().is_empty()
        };
        let handles = |user: &&Arc<Principal>| user.holds(Privilege::ContactHandle);
        let found = [
            (
                "agent",
                users().find(serves).or_else(|| users().find(handles)),
            ),
            (
                "supervisor",
                users().find(|user| user.holds(Privilege::ContactMonitor)),
            ),
            ("connector", users().find(|user| user.is_integration())),
        ];
        let mut options = String::new();
        if config.workspaces.len() > 1 {
            options.push_str(&format!(" --workspace {}", workspace.rules.name));
        }
        if let Some(file) = &self.settings.config {
            options.push_str(&format!(" -c {}", file.display()));
        }
        if let Some(data) = &self.settings.data {
            options.push_str(&format!(" --data {}", data.display()));
        }
        found
            .into_iter()
            .filter_map(|(kind, user)| Some((kind, user?.login())))
            .map(|(kind, login)| format!("  switchroom token --user {login}{options}    ({kind})"))
            .collect()
    }
}

/// Raises the limit of open files as far as the system lets it: each connection is one.
fn raise_files() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, now = limit.current, "the limit of open files was not raised");
    }
}

/// Logs go to standard error; `SWITCHROOM_LOG` says what, such as `debug` or `switchroom=trace`.
pub(super) fn log_to_stderr() -> Result<(), Failure> {
    let wanted =
        std::env::var("SWITCHROOM_LOG").unwrap_or_else(|_| "warn,switchroom=info".to_owned());
    let filter = EnvFilter::try_new(&wanted)
        .map_err(|error| Failure::Unknown(format!("SWITCHROOM_LOG is \"{wanted}\": {error}")))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    // A program that serves within another one has set its log up already.
    let _ = log.try_init();
    Ok(())
}

/// Starts the engines of a configuration and opens its port.
///
/// # Errors
/// The port cannot be opened, or an engine cannot be started.
pub async fn start(config: &Config, key: TokenKey, mut data: Data) -> Result<Running, Failure> {
    let wanted = config.server.listen;
    let listener = TcpListener::bind(wanted)
        .await
        .map_err(|error| Failure::Port {
            address: wanted,
            error,
        })?;
    let address = listener.local_addr().map_err(Failure::Start)?;
    let clock = Clock::system();
    let mut served = Vec::new();
    let mut engines = Vec::new();
    for workspace in &config.workspaces {
        let names = Arc::clone(workspace.directory.names());
        let mut options = Options {
            clock: clock
                .clone()
                .not_before(data.last_at(&workspace.rules.name)?),
            space: data.space(),
            configuration: Some(config.digest),
            ..Options::default()
        };
        let history = data.history(workspace.history, &workspace.rules, &options.clock)?;
        if let Some(journal) = data.journal(&workspace.rules.name, &names.known())? {
            options.journal = journal;
        }
        let engine =
            Engine::start(Arc::clone(&workspace.rules), names, options).map_err(Failure::Start)?;
        served.push(Served {
            name: workspace.rules.name.clone(),
            directory: workspace.directory.clone(),
            engine: engine.clone(),
            history: history.as_ref().map(|kept| kept.path().to_path_buf()),
        });
        engines.push(Named {
            workspace: workspace.rules.name.clone(),
            engine,
            history,
        });
    }
    for named in &engines {
        // Nobody is to see an offer of before.
        named.engine.settled().await;
    }
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let options = net::server::Options {
        origins: origins(&config.server),
        behind_proxy: config.server.behind_proxy,
        ..net::server::Options::default()
    };
    let site = Site::new(key, served, clock);
    let doors = net::server::Server::new(site, options, stop.clone(), tasks.clone());
    let routes = routes(&doors);
    tasks.spawn(listen(
        listener,
        routes,
        Arc::clone(&doors),
        Port::default(),
    ));
    Ok(Running {
        address,
        config: config.clone(),
        doors,
        engines,
        stop,
        tasks,
        _data: data,
    })
}

fn origins(server: &Server) -> Origins {
    if server.origins.is_empty() {
        Origins::SameHost
    } else {
        Origins::Listed(server.origins.clone())
    }
}

impl Running {
    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn doors(&self) -> &Arc<net::server::Server> {
        &self.doors
    }

    /// Another configuration is in force. Settings of the server itself and workspaces stay what
    /// they were at the start.
    pub(super) fn runs_by(&mut self, config: Config) {
        for named in &self.engines {
            if let Some(history) = &named.history
                && let Some(new) = config.workspace(&named.workspace)
            {
                history.change(new.history, Targets::of(&new.rules));
            }
        }
        for workspace in &mut self.config.workspaces {
            if let Some(new) = config.workspace(&workspace.rules.name) {
                workspace.clone_from(new);
            }
        }
    }

    /// Waits until an engine says that the process has to end. Cancel safe.
    pub async fn fatal(&self) {
        select_all(
            self.engines
                .iter()
                .map(|named| Box::pin(named.engine.fatal().heard())),
        )
        .await;
    }

    /// Every floor, queue and board has answered, and what they do becomes durable.
    pub(super) async fn lives(&self) -> bool {
        for named in &self.engines {
            if !named.engine.lives().await {
                return false;
            }
        }
        true
    }

    /// Stops in order: the doors first, then the engines. Fails where an engine had to end.
    pub async fn stop(self) -> ExitCode {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(STOP_WITHIN, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!(left = self.tasks.len(), "connections were cut at the end");
        }
        let mut code = ExitCode::SUCCESS;
        for Named {
            workspace,
            engine,
            history,
        } in self.engines
        {
            engine.stop().await;
            if let Some(history) = history {
                // Its thread says itself what went wrong.
                let _ = tokio::task::spawn_blocking(|| history.stop()).await;
            }
            if let Some(why) = engine.fatal().why() {
                tracing::error!(workspace, why, "the engine had to end");
                code = ExitCode::FAILURE;
            }
        }
        code
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Source;

    fn greeting(settings: Settings, text: &str) -> String {
        let config = Config::check(Source {
            name: "s.toml".into(),
            text: text.into(),
        })
        .unwrap();
        let from = settings.config.clone().map_or(Where::BuiltIn, Where::File);
        let address = "127.0.0.1:7480".parse().unwrap();
        Serve { settings }.greeting(&config, &from, address)
    }

    #[test]
    fn the_greeting_says_how_to_get_in() {
        assert_eq!(
            greeting(Settings::default(), ""),
            format!(
                "switchroom {}\n\
                 built-in configuration: workspace main: 4 channels, 3 queues, 6 users, 1 connector\n\
                 data in ./switchroom-data\n\
                 listening on http://127.0.0.1:7480, WebSocket ws://127.0.0.1:7480/v1/ws\n\n\
                 To sign in, get a token, for example:\n\
                 \x20 switchroom token --user ana    (agent)\n\
                 \x20 switchroom token --user sam    (supervisor)\n\
                 \x20 switchroom token --user site    (connector)\n",
                env!("CARGO_PKG_VERSION")
            )
        );
        let settings = Settings {
            config: Some("two.toml".into()),
            data: Some("/tmp/d".into()),
        };
        let two = greeting(
            settings,
            "[workspace.a.users.ana]\n[workspace.b.queues.q]\nchannels = [\"chat\"]\n",
        );
        assert!(
            two.contains("\ns.toml:2:21: warning: nobody is a member of queue \"q\""),
            "{two}"
        );
        assert!(two.ends_with(
            "\n  switchroom token --user ana --workspace a -c two.toml --data /tmp/d    (agent)\n"
        ));
    }
}
