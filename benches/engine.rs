//! Contact lives per second through floor, queues, sequencer and journal, without sockets: each
//! contact is submitted, offered, accepted, connected and ended. Prints lives per second of wall
//! time and per second of the engine's own processor time, as medians of alternating rounds.
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
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use switchroom::domain::command::{FloorCommand, QueueCommand};
use switchroom::domain::machine::Me;
use switchroom::engine::Options;
use switchroom::engine::door::ToDoor;
use switchroom::id::ContactId;

/// Queues that one agent serves.
const QUEUES_PER_AGENT: usize = 5;

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
    println!("{agents} agents, {queues} queues, {lives} lives in each of {rounds} rounds");
    let mut rates: Vec<(f64, f64)> = (0..rounds)
        .map(|_| runtime.block_on(round(agents, queues, lives)))
        .inspect(|(wall, own)| {
            println!("{wall:>9.0} lives/s   {own:>9.0} lives per CPU second of the engine")
        })
        .collect();
    let median = |rates: &mut Vec<(f64, f64)>, of: fn(&(f64, f64)) -> f64| {
        rates.sort_by(|a, b| of(a).total_cmp(&of(b)));
        rates.get(rates.len() / 2).map_or(0.0, of)
    };
    let wall = median(&mut rates, |rate| rate.0);
    let own = median(&mut rates, |rate| rate.1);
    println!("median {wall:.0} lives/s, {own:.0} per CPU second of the engine (goal 20000)");
}

/// One centre from start to stop; its rates by wall time and by the engine's own time.
async fn round(agents: usize, queues: usize, lives: usize) -> (f64, f64) {
    let centre = Arc::new(Centre::open(&workspace(agents, queues), Options::default()));
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
    let (passed, own) = (started.elapsed(), engine_time() - before);
    at_work.iter().for_each(tokio::task::JoinHandle::abort);
    centre.engine.stop().await;
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

/// Processor time of the engine's threads so far: those of the actors and of the journal.
fn engine_time() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten();
    let of_thread = |task: std::fs::DirEntry| {
        let name = std::fs::read_to_string(task.path().join("comm")).ok()?;
        if !["floor", "journal"].contains(&name.trim()) {
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
