//! From the start of the server's process to its first answer on `/readyz`, with 100,000 contacts
//! waiting and 1,000 agents, from the older of two snapshots and almost 200,000 events after it:
//! the longest tail there can be. Prints the time of each start and their median, and what the
//! data folder holds.
//!
//! `cargo bench --bench recovery -- [waiting] [agents] [starts]`

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

use centre::{Centre, facts};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use switchroom::config::{Config, Source};
use switchroom::domain::command::QueueCommand;
use switchroom::domain::contact::Content;
use switchroom::engine::clock::Clock;
use switchroom::engine::{Engine, Options};
use switchroom::id::{ContactId, Seq};
use switchroom::journal::chore::EVERY;
use switchroom::journal::folder::Folder;
use switchroom::journal::history::{History, Retention, Targets};
use switchroom::journal::sqlite::{FILE, Sqlite};

const QUEUES: usize = 50;
const PORT: u16 = 7_497;
const GOAL: Duration = Duration::from_secs(2);

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|text| text.parse().ok());
    let mut number = |default| numbers.next().unwrap_or(default);
    let (waiting, agents, starts) = (number(100_000), number(1_000), number(5));
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("switchroom.toml");
    let data = folder.path().join("data");
    let toml = workspace(agents, &data);
    std::fs::write(&config, &toml).expect("a configuration");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(fill(&toml, &data.join("main"), waiting, agents));
    drop(runtime);
    let (snapshot, tail) = shorten(&data.join("main").join(FILE));
    println!(
        "{waiting} contacts wait, {agents} agents; a snapshot of {snapshot:.1} MB, then {tail} events"
    );
    println!("data folder: {:.1} MB", megabytes(&data.join("main")));
    let mut times: Vec<Duration> = (0..starts).map(|_| start(&config)).collect();
    times.sort();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    println!("median {median:.2?} from start to ready (goal {GOAL:?})");
}

/// A log with lines of waiting contacts, and as many events after a snapshot as there can be.
async fn fill(toml: &str, folder: &Path, waiting: usize, agents: usize) {
    let now = Clock::system().now();
    let mut log = Sqlite::open(Folder::take(folder).expect("a folder"), now).expect("a log");
    let source = Source {
        name: "bench".into(),
        text: toml.into(),
    };
    let known = BTreeMap::from([("main".to_owned(), log.names().expect("names"))]);
    let config = Config::check_knowing(source, &known).expect("a good configuration");
    let workspace = config.workspaces[0].clone();
    let names = Arc::clone(workspace.directory.names());
    log.keep_names(&names.known()).expect("names");
    let (keep, targets) = (Retention::default(), Targets::of(&workspace.rules));
    let now = || Clock::system().now();
    let history = History::start(folder, keep, targets, &log.holds(), now).expect("a history");
    let options = Options {
        journal: Box::new(|opening| Ok(Arc::new(log.start(opening).expect("a log")))),
        ..Options::default()
    };
    let engine = Engine::start(workspace.rules, names, options).expect("an engine");
    let centre = Centre {
        engine,
        directory: workspace.directory,
    };
    let mut present = Vec::new();
    for n in 0..agents {
        present.push(centre.sign_in(&format!("a{n}")).await);
    }
    let contacts: Vec<ContactId> = (0..waiting).map(|n| submit(&centre, n)).collect();
    let mut events = written(&centre).await;
    let goal = (events / EVERY + 3) * EVERY - 1;
    while events < goal {
        // Some of what is asked is refused, or more than one event: come closer step by step.
        let more = usize::try_from(goal - events)
            .unwrap_or(usize::MAX)
            .div_ceil(2);
        for n in 0..more.min(20_000) {
            let contact = contacts[n * 7 % contacts.len()];
            let command = QueueCommand::Prioritise {
                contact,
                priority: Some(i32::try_from((events + n as u64) % 1_000).unwrap_or(0)),
                tier: None,
            };
            let asked = centre.asked("boss", None, None);
            centre.engine.command(asked, command);
        }
        events = written(&centre).await;
        print!("\r{events} of {goal} events");
        let _ = std::io::stdout().flush();
    }
    println!();
    drop(present);
    centre.engine.stop().await;
    history.stop();
}

fn submit(centre: &Centre, n: usize) -> ContactId {
    let asked = centre.asked("site", None, None);
    let mut facts = facts(&format!("x{n}"));
    facts.submitted_by = asked.principal.user();
    let contact = facts.id;
    let attributes = [("language", "en"), ("product", "router"), ("plan", "gold")];
    let attributes = attributes.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let content = Content {
        customer_id: Some(format!("c{n}")),
        customer_name: Some(format!("Customer number {n}")),
        customer_address: Some(format!("+4930{n:08}")),
        attributes: attributes.into(),
        ..Content::default()
    };
    let queue = centre.queue(&format!("q{}", n % QUEUES));
    let (facts, content) = (Box::new(facts), Box::new(content));
    centre
        .engine
        .submit(queue, asked, facts, content)
        .expect("an id of its own");
    contact
}

/// Waits until all that was asked is durable; the events there are.
async fn written(centre: &Centre) -> u64 {
    let mut before = Seq(0);
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let now = centre.engine.durable();
        if now == before {
            return now.0;
        }
        before = now;
    }
}

/// Takes the newest snapshot away; the size of the one that is left, in MB, and the events after
/// it.
fn shorten(log: &Path) -> (f64, u64) {
    let connection = Connection::open(log).expect("the log");
    connection
        .execute(
            "DELETE FROM snapshots WHERE seq = (SELECT max(seq) FROM snapshots)",
            [],
        )
        .expect("two snapshots");
    let one = |statement: &str| -> i64 {
        connection
            .query_row(statement, [], |row| row.get(0))
            .expect(statement)
    };
    let size = one(
        "SELECT sum(length(body)) FROM pieces WHERE snapshot = (SELECT max(seq) FROM snapshots)",
    );
    let tail = one("SELECT max(last) - (SELECT max(seq) FROM snapshots) FROM batches");
    (size as f64 / 1e6, tail.unsigned_abs())
}

/// Starts the server and kills it as soon as it is ready.
fn start(config: &Path) -> Duration {
    let started = Instant::now();
    let mut server = Command::new(env!("CARGO_BIN_EXE_switchroom"))
        .args(["serve", "--config"])
        .arg(config)
        .stdout(Stdio::null())
        .spawn()
        .expect("the server");
    while !ready() {
        assert!(server.try_wait().expect("a child").is_none(), "it ended");
        std::thread::sleep(Duration::from_millis(5));
    }
    let took = started.elapsed();
    println!("ready after {took:.2?}");
    server.kill().expect("killed");
    server.wait().expect("ended");
    took
}

fn ready() -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", PORT)) else {
        return false;
    };
    let request = "GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let mut answer = String::new();
    let answered = stream
        .write_all(request.as_bytes())
        .and_then(|()| stream.read_to_string(&mut answer));
    answered.is_ok() && answer.starts_with("HTTP/1.1 200")
}

fn megabytes(folder: &Path) -> f64 {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = files.filter_map(|file| Some(file.metadata().ok()?.len()));
    sizes.sum::<u64>() as f64 / 1e6
}

fn workspace(agents: usize, data: &Path) -> String {
    let mut text = format!("[server]\nlisten = \"127.0.0.1:{PORT}\"\ndata = {data:?}\n");
    text += "[workspace.main.connectors.site]\n[workspace.main.users.boss]\nroles = [\"admin\"]\n";
    for n in 0..agents {
        writeln!(text, "[workspace.main.users.a{n}]\nmax = {{ chat = 1 }}").expect("text");
    }
    for queue in 0..QUEUES {
        let members = (0..agents).filter(|n| (0..5).any(|k| (n * 7 + k * 11) % QUEUES == queue));
        let members: Vec<String> = members.map(|n| format!("{{ agent = \"a{n}\" }}")).collect();
        writeln!(
            text,
            "[workspace.main.queues.q{queue}]\nchannels = [\"chat\"]\nmembers = [{}]",
            members.join(", ")
        )
        .expect("text");
    }
    text
}
