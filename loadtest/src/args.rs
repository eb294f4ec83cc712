//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::plan::{Mix, Sizes};
use crate::require::Requirement;
use crate::wire::Encoding;

/// Open-loop load generator for Switchroom: agents, supervisors and connectors as real clients.
///
/// Exit code 0: all is well. 1: a promise was broken or a requirement is false. 2: wrong usage.
/// 3: the run could not be made.
#[derive(Debug, Parser)]
#[command(
    name = "loadtest",
    version,
    subcommand_negates_reqs = true,
    args_override_self = true
)]
pub struct Cli {
    /// The bare relay, started by the generator itself.
    #[command(subcommand)]
    pub part: Option<Part>,
    /// The run.
    #[command(flatten)]
    pub run: RunArgs,
}

/// Other processes of a run.
#[derive(Debug, Subcommand)]
pub enum Part {
    /// Serve as the bare relay until standard input closes.
    #[command(hide = true)]
    Relay {
        /// Threads of its runtime
        threads: usize,
    },
}

/// How contacts are submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Way {
    /// `contact.submit` over WebSocket.
    Ws,
    /// `POST /v1/contacts`.
    Http,
}

/// Where a spawned server keeps its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Journal {
    /// On disk, as servers do: replies wait for it.
    Disk,
    /// In memory.
    Memory,
}

impl Journal {
    /// As the configuration says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Memory => "memory",
        }
    }
}

/// Waves of sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waves {
    /// How many waves.
    pub waves: usize,
    /// Sockets of each.
    pub sockets: usize,
}

impl std::str::FromStr for Waves {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (waves, sockets) = text
            .split_once('x')
            .ok_or("give WAVESxSOCKETS, 3x10000 for instance")?;
        let number = |text: &str| {
            text.parse()
                .map_err(|_| format!("`{text}` is no whole number"))
        };
        let waves = Self {
            waves: number(waves)?,
            sockets: number(sockets)?,
        };
        if waves.waves == 0 || waves.sockets == 0 {
            return Err("waves and sockets are at least 1".to_owned());
        }
        Ok(waves)
    }
}

/// A range of percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percent {
    /// Least, in percent.
    pub from: u32,
    /// Most, in percent.
    pub to: u32,
}

impl std::str::FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (from, to) = text
            .split_once('-')
            .ok_or("give FROM-TO in percent, 40-60 for instance")?;
        let number = |text: &str| {
            text.parse()
                .map_err(|_| format!("`{text}` is no whole number"))
        };
        let range = Self {
            from: number(from)?,
            to: number(to)?,
        };
        if range.from > range.to || range.to > 100 {
            return Err(format!("`{text}` is no range within 0-100"));
        }
        Ok(range)
    }
}

/// Flags of a run.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// Agents that sign in
    #[arg(long, default_value_t = 100)]
    pub agents: usize,
    /// Queues of the workspace
    #[arg(long, default_value_t = 10)]
    pub queues: usize,
    /// Queues that each agent serves
    #[arg(long, default_value_t = 2)]
    pub queues_per_agent: usize,
    /// Supervisors, each at the tables of queues and agents
    #[arg(long, default_value_t = 2)]
    pub supervisors: usize,
    /// Updates a second of each supervisor's tables
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=10))]
    pub hz: u32,
    /// Contacts a second, at times drawn from the seed
    #[arg(long, default_value_t = 100.0, value_parser = positive)]
    pub rate: f64,
    /// Seconds of measured load, shared among the slices
    #[arg(long, default_value_t = 10.0, value_parser = positive)]
    pub seconds: f64,
    /// Mean of the exponential handle time, in milliseconds
    #[arg(long, default_value_t = 400)]
    pub handle_ms: u64,
    /// Mean of the exponential wrap-up time, in milliseconds
    #[arg(long, default_value_t = 150)]
    pub wrap_up_ms: u64,
    /// Shares of the channels
    #[arg(long, default_value = "voice=40,chat=40,email=10,sms=10")]
    pub mix: Mix,
    /// Encoding of all sockets
    #[arg(long, value_enum, default_value_t = Encoding::Json)]
    pub encoding: Encoding,
    /// How contacts are submitted
    #[arg(long, value_enum, default_value_t = Way::Ws)]
    pub submit: Way,
    /// Where a spawned server keeps its log
    #[arg(long, value_enum, default_value_t = Journal::Disk)]
    pub journal: Journal,
    /// Sockets or kept HTTP connections that submit [default: 2 sockets or 32 connections]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    pub submitters: Option<u64>,
    /// What all draws depend on
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Seconds of load before anything is measured
    #[arg(long, default_value_t = 2.0)]
    pub warm_up: f64,
    /// Seconds at the start of each slice that are not measured, while agents get busy
    #[arg(long, default_value_t = 1.0)]
    pub ramp: f64,
    /// Slices of the load; with --floor at least 5
    #[arg(long)]
    pub slices: Option<u8>,
    /// Longest wait for contacts to come to their end
    #[arg(long, default_value_t = 30.0)]
    pub drain: f64,

    /// Measure the bare relay in slices that alternate with the load
    #[arg(long)]
    pub floor: bool,
    /// Measured seconds of each slice of the relay [default: as long as the load's, 5 at most]
    #[arg(long, value_parser = positive)]
    pub floor_seconds: Option<f64>,

    /// Threads of the relay's runtime [default: one per processor, as the server's]
    #[arg(long, value_name = "THREADS", value_parser = clap::value_parser!(u64).range(1..=64))]
    pub floor_threads: Option<u64>,
    /// Measure the bare relay alone, without any server: what the machine can do
    #[arg(long, group = "mode")]
    pub floor_only: bool,
    /// Submit so many contacts at once to as many idle agents instead of a load
    #[arg(long, value_name = "CONTACTS", group = "mode")]
    pub burst: Option<usize>,
    /// Open so many idle agent sockets and print the server's memory per socket instead of a load
    #[arg(long, value_name = "SOCKETS", group = "mode")]
    pub idle: Option<usize>,
    /// Connect and disconnect in waves and print the server's memory after each instead of a load
    #[arg(long, value_name = "WAVESxSOCKETS", group = "mode")]
    pub waves: Option<Waves>,

    /// Compare the log on disk with the one in memory in so many alternating slices, each with a
    /// server of its own and beside a bare writer on the same disk
    #[arg(long, value_name = "SLICES", group = "mode", requires = "spawn",
          value_parser = clap::value_parser!(u8).range(1..=50))]
    pub journals: Option<u8>,

    /// Start a server of its own for the run
    #[arg(long, conflicts_with_all = ["url", "key", "tokens"])]
    pub spawn: bool,
    /// Executable of the server [default: `switchroom` beside this executable]
    #[arg(long, requires = "spawn", value_name = "FILE")]
    pub server: Option<PathBuf>,
    /// Keep the spawned server's configuration, data and output in this folder
    #[arg(long, requires = "spawn", value_name = "FOLDER")]
    pub keep: Option<PathBuf>,
    /// Address of a running server
    #[arg(long, required_unless_present_any = ["spawn", "print_config", "floor_only"])]
    pub url: Option<String>,
    /// File with the server's HS256 signing key
    #[arg(long, value_name = "FILE", conflicts_with = "tokens")]
    pub key: Option<PathBuf>,
    /// JSON file with a token for every user of the run
    #[arg(long, value_name = "FILE")]
    pub tokens: Option<PathBuf>,
    /// Workspace of the run
    #[arg(long, default_value = "main")]
    pub workspace: String,
    /// Process of a server that was not spawned, to read its memory and CPU
    #[arg(long, value_name = "PID")]
    pub server_pid: Option<u32>,
    /// Load a server on another machine
    #[arg(long)]
    pub allow_remote: bool,
    /// Print the configuration that a server needs for this run, and do nothing else
    #[arg(long)]
    pub print_config: bool,

    /// Write the report as JSON; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write the summary as text too
    #[arg(long, value_name = "FILE")]
    pub text: Option<PathBuf>,
    /// Write histograms as .hgrm files into this folder
    #[arg(long, value_name = "FOLDER")]
    pub hgrm: Option<PathBuf>,
    /// Fail unless this holds: path, comparison, number; may be given several times
    #[arg(long, value_name = "EXPR")]
    pub require: Vec<Requirement>,
    /// Fail (the run is void) unless the mean share of agents with work lies in this range
    #[arg(long, value_name = "PERCENT", num_args = 0..=1, default_missing_value = "40-60")]
    pub require_busy: Option<Percent>,
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number > 0.0 && number.is_finite() => Ok(number),
        Ok(_) | Err(_) => Err(format!("`{text}` is no number above 0")),
    }
}

impl RunArgs {
    /// Sizes of the plan; a mode brings those of its own.
    pub fn sizes(&self) -> Sizes {
        let mut sizes = Sizes {
            agents: self.agents,
            queues: self.queues,
            queues_per_agent: self.queues_per_agent,
            supervisors: self.supervisors,
            handle: Duration::from_millis(self.handle_ms),
            wrap_up: Duration::from_millis(self.wrap_up_ms),
            mix: self.mix,
            seed: self.seed,
        };
        if let Some(burst) = self.burst {
            sizes.agents = burst;
            sizes.queues_per_agent = sizes.queues;
        }
        if let Some(sockets) = self.idle.or(self.waves.map(|waves| waves.sockets)) {
            sizes.agents = sockets;
            sizes.queues_per_agent = sizes.queues_per_agent.min(sizes.queues);
        }
        sizes
    }

    /// Slices of the load.
    pub fn slices(&self) -> u8 {
        match self.slices {
            Some(slices) if self.floor => slices.max(5),
            Some(slices) => slices.max(1),
            None if self.floor => 5,
            None => 1,
        }
    }

    /// How long tables have to show that all is over: three updates.
    pub fn tables_settle(&self) -> Duration {
        Duration::from_secs(3) / self.hz
    }

    /// Threads of the relay's runtime.
    pub fn floor_threads(&self) -> usize {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        self.floor_threads
            .map_or(processors, |threads| threads as usize)
    }

    /// Sockets or connections that submit.
    pub fn submitters(&self) -> usize {
        let default = match self.submit {
            Way::Ws => 2,
            Way::Http => 32,
        };
        self.submitters.map_or(default, |count| count as usize)
    }
}
