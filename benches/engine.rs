//! Contact lives per second through floor, queues, sequencer and journal, without sockets: each
//! contact is submitted, offered, accepted, connected and ended. Rounds alternate between a
//! journal in memory and a log on disk with the history that is made of it; a round is over when
//! every event of it is durable and the log is closed. Prints lives per second of wall time and
//! per second of the engine's own processor time (without that of the history), as medians.
//!
//! `cargo bench --bench engine -- [agents] [queues] [lives per round] [rounds]`

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a bench reads the clock, and stops when it cannot go on"
)]

#[allow(
    dead_code,
    clippy::wildcard_enum_match_arm,
    reason = "it is written for tests, which need more of it and stop at anything unexpected"
)]
#[path = "../tests/engine/centre.rs"]
mod centre;

use centre::{Agent, Centre};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use switchroom::config::{Config, Source};
use switchroom::domain::command::{FloorCommand, QueueCommand};
use switchroom::domain::machine::Me;
use switchroom::engine::Options;
use switchroom::engine::clock::Clock;
use switchroom::engine::door::ToDoor;
use switchroom::id::ContactId;
use switchroom::journal::folder::Folder;
use switchroom::journal::history::{History, Retention, Targets};
use switchroom::journal::sqlite::Sqlite;
use tokio::runtime::Runtime;

/// Queues that one agent serves.
const QUEUES_PER_AGENT: usize = 5;
/// Name of the thread of the actors.
const ACTORS: &str = "actors";
/// Threads of the engine and its journal.
const OF_THE_ENGINE: [&str; 5] = [ACTORS, "board", "journal", "folding", "checkpoints"];
/// Lives per second on disk that are the goal.
const GOAL: f64 = 5_000.0;

/// Rates of a round: by wall time, and by the engine's own time.
type Rates = (f64, f64);

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|text| text.parse().ok());
    let mut number = |default| numbers.next().unwrap_or(default);
    let (agents, queues) = (number(1_000), number(50));
    let (lives, rounds) = (number(40_000), number(5));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let actors = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name(ACTORS)
        .enable_time()
        .build()
        .expect("a runtime");
    let size = (agents, queues, lives);
    println!(
        "{agents} agents, {queues} queues, {lives} lives in each of {rounds} rounds of either"
    );
    let (mut memory, mut disk) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        memory.push(runtime.block_on(round(size, None, &actors)));
        let folder = tempfile::tempdir().expect("a folder");
        disk.push(runtime.block_on(round(size, Some(folder.path()), &actors)));
        let told = [("memory", memory.last()), ("disk", disk.last())];
        for (journal, (wall, own)) in told.into_iter().filter_map(|(name, at)| Some((name, at?))) {
            println!("{journal:<6} {wall:>9.0} lives/s   {own:>9.0} per CPU second of the engine");
        }
    }
    let (wall, own) = medians(memory);
    println!("median in memory {wall:.0} lives/s, {own:.0} per CPU second (goal 20000)");
    let (wall, own) = medians(disk);
    println!("median on disk {wall:.0} lives/s (goal {GOAL:.0}), {own:.0} per CPU second");
    // A machine with other things to do is given a third of the goal.
    assert!(wall > GOAL / 3.0, "a third of the goal");
}

fn medians(rates: Vec<Rates>) -> Rates {
    let median = |mut rates: Vec<f64>| {
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    };
    let (wall, own) = rates.into_iter().unzip();
    (median(wall), median(own))
}

/// A centre, with its log and history in a folder if there is one.
fn open(toml: &str, folder: Option<&Path>, actors: &Runtime) -> (Centre, Option<History>) {
    let options = Options {
        sockets: Some(actors.handle().clone()),
        ..Options::default()
    };
    let Some(folder) = folder else {
        return (Centre::open(toml, options), None);
    };
    let now = || Clock::system().now();
    let mut log = Sqlite::open(Folder::take(folder).expect("a folder"), now()).expect("a log");
    let source = Source {
        name: "bench".into(),
        text: toml.into(),
    };
    let config = Config::check(source).expect("a good configuration");
    let workspace = &config.workspaces[0];
    let names = workspace.directory.names().known();
    log.keep_names(&names).expect("names");
    let (keep, targets) = (Retention::default(), Targets::of(&workspace.rules));
    let history = History::start(folder, keep, targets, &log.holds(), now).expect("a history");
    let options = Options {
        journal: Box::new(|opening| Ok(Arc::new(log.start(opening).expect("a log")))),
        ..options
    };
    (Centre::open(toml, options), Some(history))
}

/// One centre from start to stop; its rates by wall time and by the engine's own time.
async fn round(
    (agents, queues, lives): (usize, usize, usize),
    folder: Option<&Path>,
    actors: &Runtime,
) -> Rates {
    let (centre, history) = open(&workspace(agents, queues), folder, actors);
    let centre = Arc::new(centre);
    let ended = Arc::new(AtomicU64::new(0));
    let mut at_work = Vec::new();
    for n in 0..agents {
        let agent = centre.sign_in(&format!("a{n}")).await;
        at_work.push(tokio::spawn(work(
            agent,
            Arc::clone(&centre),
            Arc::clone(&ended),
        )));
    }
    let (started, before) = (Instant::now(), engine_time());
    let mut submitted = 0;
    let mut over = 0;
    while over < lives {
        // Twice as many contacts as agents are in the house, so that lines form.
        while submitted < lives && submitted - over < 2 * agents {
            centre.submit_to(
                &format!("q{}", submitted % queues),
                &format!("x{submitted}"),
                None,
            );
            submitted += 1;
        }
        tokio::task::yield_now().await;
        over = usize::try_from(ended.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
    }
    at_work.iter().for_each(tokio::task::JoinHandle::abort);
    let own = engine_time() - before;
    centre.engine.stop().await;
    let passed = started.elapsed();
    if let Some(history) = history {
        history.stop();
    }
    let rate = |time: Duration| lives as f64 / time.as_secs_f64();
    (rate(passed), rate(own))
}

/// An agent who accepts at once and ends at once.
async fn work(mut agent: Agent, centre: Arc<Centre>, ended: Arc<AtomicU64>) {
    while let Some(received) = agent.next().await {
        let ToDoor::Me(event) = received else {
            continue;
        };
        match &*event.me {
            Me::Offer(offer) => {
                agent.ask(&centre, FloorCommand::Accept(offer.offer.offer));
            }
            Me::Connected(leg) => end(&agent, &centre, leg.offer.contact),
            Me::Ended(_) => {
                ended.fetch_add(1, Ordering::Relaxed);
            }
            Me::OfferEnded { .. }
            | Me::Connecting(_)
            | Me::WrapUp(_)
            | Me::State(_)
            | Me::Channels(_)
            | Me::Queues(_)
            | Me::SignedOut(_)
            | Me::Resumed(_) => {}
        }
    }
}

fn end(agent: &Agent, centre: &Centre, contact: ContactId) {
    let asked = centre.asked(&agent.login, Some(agent.generation), None);
    centre.engine.command(asked, QueueCommand::End(contact));
}

fn workspace(agents: usize, queues: usize) -> String {
    let mut text = String::from("[workspace.main.connectors.site]\n");
    for n in 0..agents {
        text += &format!("[workspace.main.users.a{n}]\nmax = {{ chat = 1 }}\n");
    }
    for queue in 0..queues {
        let serves = |n: &usize| (0..QUEUES_PER_AGENT).any(|k| (n * 7 + k * 11) % queues == queue);
        let members: Vec<String> = (0..agents)
            .filter(serves)
            .map(|n| format!("{{ agent = \"a{n}\" }}"))
            .collect();
        text += &format!(
            "[workspace.main.queues.q{queue}]\nchannels = [\"chat\"]\nmembers = [{}]\nterms.chat = {{ wrap_up = {{ mode = \"none\" }} }}\n",
            members.join(", ")
        );
    }
    text
}

/// Processor time of the engine's threads so far.
fn engine_time() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten();
    let of_thread = |task: std::fs::DirEntry| {
        let name = std::fs::read_to_string(task.path().join("comm")).ok()?;
        if !OF_THE_ENGINE.contains(&name.trim()) {
            return None;
        }
        let times = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        times
            .split(' ')
            .next()?
            .parse()
            .ok()
            .map(Duration::from_nanos)
    };
    tasks.filter_map(of_thread).sum()
}
