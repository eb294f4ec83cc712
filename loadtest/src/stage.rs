//! Everything a run stands on: the server, the clients' tasks, and their orderly end.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::agent::Agent;
use crate::args::{RunArgs, Way};
use crate::clock;
use crate::connector::Connector;
use crate::ledger::{Ledger, Shared};
use crate::plan::{CONNECTOR, Plan, agent_name, supervisor_name};
use crate::progress::Progress;
use crate::server::{self, Server, Usage};
use crate::session::{Client, Run, live};
use crate::socket::Target;
use crate::spawn;
use crate::submit::Submitter;
use crate::supervisor::Supervisor;
use crate::thread::Thread;
use crate::token::Tokens;

/// Clients that connect at the same time; more would only queue in the server's backlog.
const AT_ONCE: usize = 64;
/// A client that is not ready by then will not be.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// Files that a run needs beside its sockets.
const OTHER_FILES: u64 = 64;

/// The server and everybody at it.
pub struct Stage {
    /// The workload.
    pub plan: Arc<Plan>,
    /// What clients share.
    pub run: Run,
    /// Says what is going on.
    pub progress: Progress,
    tokens: Tokens,
    prefix: Arc<str>,
    stop: watch::Sender<bool>,
    ready: mpsc::UnboundedReceiver<Result<(), String>>,
    tasks: JoinSet<()>,
    tables: Thread,
    server: Option<Server>,
    pid: Option<u32>,
    _folder: Option<tempfile::TempDir>,
}

impl Stage {
    /// Starts or finds the server. `sockets` is how many the run will open.
    pub async fn open(args: &RunArgs, sockets: usize) -> Result<Self> {
        let files = server::raise_files();
        if sockets as u64 + OTHER_FILES > files {
            bail!(
                "{sockets} sockets need more than the {files} open files this system allows; raise `ulimit -Hn`"
            );
        }
        let plan = Arc::new(Plan::new(args.sizes())?);
        let (folder, path) = folder(args)?;
        let (server, target, tokens) = if args.spawn {
            let program = args.server.clone().map_or_else(server::beside, Ok)?;
            let (server, tokens) = spawn::start(&plan, args, &program, &path).await?;
            let target = Target::resolve(&server.url, false).await?;
            (Some(server), target, tokens)
        } else {
            let url = args.url.as_deref().context("no --url and no --spawn")?;
            (
                None,
                Target::resolve(url, args.allow_remote).await?,
                tokens(args)?,
            )
        };
        let (stop, stopped) = watch::channel(false);
        let (sender, ready) = mpsc::unbounded_channel();
        let ledger = Ledger::new(plan.clone(), args.spawn);
        Ok(Self {
            run: Run {
                target: Arc::new(target),
                encoding: args.encoding,
                ledger: Arc::new(Shared::new(ledger)),
                stop: stopped,
                ready: sender,
            },
            plan,
            progress: Progress::new(),
            tokens,
            prefix: format!("lt-{:x}-", clock::wall_ms() as u64).into(),
            stop,
            ready,
            tasks: JoinSet::new(),
            tables: Thread::start("tables")?,
            pid: server.as_ref().and_then(Server::pid).or(args.server_pid),
            server,
            _folder: folder,
        })
    }

    /// What the server uses now.
    pub fn usage(&self) -> Option<Usage> {
        self.pid.and_then(server::usage)
    }

    /// A token of a user.
    pub fn token(&self, user: &str) -> Result<String> {
        self.tokens.of(user)
    }

    /// Signs in agents `from..to`.
    pub async fn agents(&mut self, from: usize, to: usize) -> Result<()> {
        let phase = self
            .progress
            .phase(format!("{} agents sign in", to - from), (to - from) as u64);
        let (mut begun, mut ready) = (from, from);
        while ready < to {
            while begun < to && begun - ready < AT_ONCE {
                let agent = Agent::new(
                    begun,
                    self.run.clone(),
                    self.plan.clone(),
                    self.prefix.clone(),
                );
                self.begin(&agent_name(begun), agent)?;
                begun += 1;
            }
            self.one_ready().await?;
            ready += 1;
            phase.at((ready - from) as u64);
        }
        phase.done("done");
        Ok(())
    }

    /// Puts all supervisors at their tables, and the connector at its topic.
    pub async fn watchers(&mut self, hz: u32) -> Result<()> {
        let count = self.plan.sizes.supervisors;
        let phase = self.progress.phase(
            format!("{count} supervisors and the connector subscribe"),
            count as u64 + 1,
        );
        self.begin(CONNECTOR, Connector::new(self.run.clone()))?;
        self.one_ready().await?;
        for index in 0..count {
            phase.at(index as u64 + 1);
            let token = self.token(&supervisor_name(index))?;
            let supervisor = Supervisor::new(index, self.run.clone(), hz);
            let life = live(self.run.clone(), token, supervisor);
            self.tasks.spawn_on(life, self.tables.runtime());
            self.one_ready().await?;
        }
        phase.done("done");
        Ok(())
    }

    /// Opens what submits.
    pub async fn submitter(&self, way: Way, count: usize) -> Result<Submitter> {
        let (run, plan, prefix) = (self.run.clone(), self.plan.clone(), self.prefix.clone());
        let token = self.token(CONNECTOR)?;
        match way {
            Way::Ws => Submitter::sockets(run, plan, prefix, &token, count).await,
            Way::Http => Submitter::requests(run, plan, prefix, &token, count).await,
        }
    }

    fn begin<C: Client + 'static>(&mut self, user: &str, client: C) -> Result<()> {
        let token = self.token(user)?;
        self.tasks.spawn(live(self.run.clone(), token, client));
        Ok(())
    }

    async fn one_ready(&mut self) -> Result<()> {
        let told = tokio::time::timeout(READY_WITHIN, self.ready.recv()).await;
        match told.context("a client is not ready after 30 s")? {
            Some(Ok(())) => Ok(()),
            Some(Err(why)) => bail!(why),
            None => bail!("all clients are gone"),
        }
    }

    /// Sends everybody home, and the server too when it is the run's own.
    pub async fn close(mut self) -> Result<()> {
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
        match self.server.take() {
            Some(server) => server.stop().await,
            None => Ok(()),
        }
    }
}

fn tokens(args: &RunArgs) -> Result<Tokens> {
    match (&args.key, &args.tokens) {
        (Some(key), _) => Tokens::minted(key, &args.workspace),
        (None, Some(file)) => Tokens::given(file),
        (None, None) => bail!("a running server needs --key or --tokens"),
    }
}

fn folder(args: &RunArgs) -> Result<(Option<tempfile::TempDir>, PathBuf)> {
    match &args.keep {
        Some(folder) => {
            std::fs::create_dir_all(folder)?;
            Ok((None, folder.clone()))
        }
        None => {
            let folder = tempfile::tempdir()?;
            let path = folder.path().to_owned();
            Ok((Some(folder), path))
        }
    }
}
