//! The report: JSON with keys that stay, text for people.

mod text;

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::floor::Took;
use crate::journals::Journals;
use crate::ledger::Ledger;
use crate::measure::{histogram, median};
use crate::promise::{PROMISES, Promise};

/// Name and version of the report's form. It changes when a key goes or means something else.
pub const SCHEMA: &str = "switchroom.loadtest/1";

/// What the run was.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Settings {
    /// `load`, `floor`, `burst`, `idle`, `waves` or `journals`.
    pub mode: String,
    /// Agents signed in.
    pub agents: usize,
    /// Queues of the workspace.
    pub queues: usize,
    /// Queues of each agent.
    pub queues_per_agent: usize,
    /// Supervisors at both tables.
    pub supervisors: usize,
    /// Updates a second of their tables.
    pub hz: u32,
    /// Contacts a second.
    pub rate: f64,
    /// Measured seconds.
    pub seconds: f64,
    /// Mean handle time.
    pub handle_ms: u64,
    /// Mean wrap-up time.
    pub wrap_up_ms: u64,
    /// Shares of the channels.
    pub mix: String,
    /// Encoding of the sockets.
    pub encoding: String,
    /// `ws` or `http`.
    pub submit: String,
    /// Where a spawned server keeps its log: `disk` or `memory`.
    pub journal: String,
    /// Seed.
    pub seed: u64,
}

/// What became of the contacts.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Contacts {
    /// Sent.
    pub submitted: u64,
    /// Refused by the server.
    pub refused: u64,
    /// Offered at least once.
    pub offered: u64,
    /// Closed after a talk.
    pub completed: u64,
    /// Closed because the customer hung up.
    pub abandoned: u64,
    /// Came to no end, or to a wrong one.
    pub lost: u64,
    /// Handled, closed or numbered twice.
    pub doubled: u64,
}

/// Times in microseconds; null where nothing was measured.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Times {
    /// How many.
    pub count: u64,
    /// Half of them were faster.
    pub p50_us: Option<f64>,
    /// 99 % were faster.
    pub p99_us: Option<f64>,
    /// 99.9 % were faster.
    pub p999_us: Option<f64>,
    /// The slowest.
    pub max_us: Option<f64>,
}

impl Times {
    /// The times of a histogram of nanoseconds.
    pub fn of(histogram: &Histogram<u32>) -> Self {
        let at = |quantile| {
            let nanos = histogram.value_at_quantile(quantile);
            (!histogram.is_empty()).then_some(nanos as f64 / 1_000.0)
        };
        Self {
            count: histogram.len(),
            p50_us: at(0.5),
            p99_us: at(0.99),
            p999_us: at(0.999),
            max_us: at(1.0),
        }
    }
}

/// Ages in milliseconds; null where nothing was measured.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Ages {
    /// How many.
    pub count: u64,
    /// Half of them were younger.
    pub p50_ms: Option<f64>,
    /// 99 % were younger.
    pub p99_ms: Option<f64>,
    /// The oldest.
    pub max_ms: Option<f64>,
}

impl Ages {
    /// The ages of a histogram of microseconds.
    pub fn of(histogram: &Histogram<u32>) -> Self {
        let at = |quantile| {
            let micros = histogram.value_at_quantile(quantile);
            (!histogram.is_empty()).then_some(micros as f64 / 1_000.0)
        };
        Self {
            count: histogram.len(),
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            max_ms: at(1.0),
        }
    }
}

/// Two figures at two quantiles.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Ratio {
    /// Of the medians.
    pub p50: Option<f64>,
    /// Of the 99th percentiles.
    pub p99: Option<f64>,
}

/// What the server used.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct ServerUse {
    /// Resident memory at the end of the load.
    pub rss_bytes: Option<u64>,
    /// Most resident memory.
    pub rss_peak_bytes: Option<u64>,
    /// CPU time during the load, without the slices of the relay.
    pub cpu_seconds: Option<f64>,
}

/// One slice of the load, and of the relay after it.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Slice {
    /// The load.
    pub load: Times,
    /// The relay.
    pub floor: Option<Times>,
}

/// A burst.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Burst {
    /// Contacts sent at once.
    pub contacts: Option<u64>,
    /// Distinct agents that got an offer.
    pub agents: Option<u64>,
    /// Distinct offers.
    pub offers: Option<u64>,
    /// First contact out to last contact out.
    pub sent_ms: Option<f64>,
    /// First contact out to last offer in.
    pub last_offer_ms: Option<f64>,
}

/// Idle sockets.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Idle {
    /// Sockets counted.
    pub sockets: Option<u64>,
    /// Memory before they came.
    pub rss_before_bytes: Option<u64>,
    /// Memory with them.
    pub rss_after_bytes: Option<u64>,
    /// Difference per socket.
    pub bytes_per_socket: Option<f64>,
}

/// Waves of sockets.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Waves {
    /// Sockets of each wave.
    pub sockets: Option<u64>,
    /// Memory after each wave has gone.
    pub rss_bytes: Vec<u64>,
    /// Memory after the last wave over that after the first.
    pub growth: Option<f64>,
}

/// The whole report.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// What the run was.
    pub settings: Settings,
    /// What became of the contacts.
    pub contacts: Contacts,
    /// Mean share of agents with an offer or a leg, 0 to 1.
    pub agents_with_work: Option<f64>,
    /// Why the run says nothing, if so.
    pub void: Option<String>,
    /// Intended submit to offer received, contacts that found room.
    pub offer: Times,
    /// The same of contacts that found no room.
    pub waited: Times,
    /// Intended submit to reply received.
    pub reply: Times,
    /// Offer received to leg connected.
    pub connect: Times,
    /// The relay: medians over its slices.
    pub floor: Times,
    /// Load over relay: medians over the pairs of slices.
    pub ratio: Ratio,
    /// The slices.
    pub slices: Vec<Slice>,
    /// Change on the floor to row at a supervisor.
    pub staleness: Ages,
    /// Promises broken, of all kinds.
    pub promises_broken: u64,
    /// Promises broken, by kind.
    pub promises: BTreeMap<Promise, u64>,
    /// A few examples of each kind.
    pub examples: Vec<String>,
    /// Intended to actual submit.
    pub generator_lag: Times,
    /// Intended to actual send to the relay.
    pub floor_lag: Times,
    /// What the server used.
    pub server: ServerUse,
    /// `--burst`.
    pub burst: Burst,
    /// `--idle`.
    pub idle: Idle,
    /// `--waves`.
    pub waves: Waves,
    /// `--journals`.
    pub journals: Option<Journals>,
    /// Histograms for `.hgrm` files, by name.
    #[serde(skip)]
    pub histograms: Vec<(&'static str, Histogram<u32>)>,
}

impl Report {
    /// A report of nothing.
    pub fn new(settings: Settings) -> Self {
        Self {
            schema: SCHEMA,
            settings,
            promises: PROMISES.iter().map(|promise| (*promise, 0)).collect(),
            ..Self::default()
        }
    }

    /// Takes over what the ledger knows.
    pub fn fill(&mut self, ledger: &Ledger, floors: &[Took]) {
        let (tally, broken, measures) = (ledger.tally(), &ledger.broken, &ledger.measures);
        self.contacts = Contacts {
            submitted: tally.submitted,
            refused: tally.refused,
            offered: tally.offered,
            completed: tally.completed,
            abandoned: tally.abandoned,
            lost: broken.count(Promise::Lost),
            doubled: broken.count(Promise::Doubled),
        };
        self.promises_broken = broken.total();
        self.promises = PROMISES
            .iter()
            .map(|promise| (*promise, broken.count(*promise)))
            .collect();
        self.examples = broken
            .examples()
            .iter()
            .map(|(promise, text)| format!("{promise:?}: {text}"))
            .collect();
        if !measures.busy.is_empty() {
            let sum: f64 = measures.busy.iter().map(|share| f64::from(*share)).sum();
            self.agents_with_work = Some(sum / measures.busy.len() as f64);
        }
        self.offer = Times::of(&measures.offers());
        self.waited = Times::of(&measures.waited);
        self.reply = Times::of(&measures.reply);
        self.connect = Times::of(&measures.connect);
        self.generator_lag = Times::of(&measures.lag);
        self.staleness = Ages::of(&measures.changes.ages);
        self.slices = measures
            .slices
            .iter()
            .enumerate()
            .map(|(place, load)| Slice {
                load: Times::of(load),
                floor: floors.get(place).map(|floor| Times::of(&floor.times)),
            })
            .collect();
        self.compare();
        self.floor_lag = lag(floors);
        let mut floor = histogram();
        for slice in floors {
            floor += &slice.times;
        }
        self.histograms = vec![
            ("offer", measures.offers()),
            ("waited", measures.waited.clone()),
            ("reply", measures.reply.clone()),
            ("connect", measures.connect.clone()),
            ("generator_lag", measures.lag.clone()),
            ("staleness", measures.changes.ages.clone()),
            ("floor", floor),
        ];
    }

    /// Adds what became of the contacts of another run.
    pub fn add(&mut self, other: &Self) {
        let (all, more) = (&mut self.contacts, &other.contacts);
        all.submitted += more.submitted;
        all.refused += more.refused;
        all.offered += more.offered;
        all.completed += more.completed;
        all.abandoned += more.abandoned;
        all.lost += more.lost;
        all.doubled += more.doubled;
        self.promises_broken += other.promises_broken;
        for (promise, count) in &other.promises {
            *self.promises.entry(*promise).or_default() += count;
        }
        self.examples.extend(other.examples.iter().cloned());
        self.agents_with_work = other.agents_with_work;
    }

    /// Takes over slices of the bare relay that had no load beside them.
    pub fn fill_floor(&mut self, floors: &[Took]) {
        self.slices = floors
            .iter()
            .map(|floor| Slice {
                load: Times::default(),
                floor: Some(Times::of(&floor.times)),
            })
            .collect();
        self.compare();
        self.floor_lag = lag(floors);
    }

    fn compare(&mut self) {
        let pairs: Vec<(Times, Times)> = self
            .slices
            .iter()
            .filter_map(|slice| Some((slice.load, slice.floor?)))
            .collect();
        let middle = |figure: fn(&Times) -> Option<f64>| {
            median(
                pairs
                    .iter()
                    .filter_map(|(_, floor)| figure(floor))
                    .collect(),
            )
        };
        self.floor = Times {
            count: pairs.iter().map(|(_, floor)| floor.count).sum(),
            p50_us: middle(|times| times.p50_us),
            p99_us: middle(|times| times.p99_us),
            p999_us: middle(|times| times.p999_us),
            max_us: middle(|times| times.max_us),
        };
        let ratio = |figure: fn(&Times) -> Option<f64>| {
            let ratios = pairs
                .iter()
                .filter_map(|(load, floor)| Some(figure(load)? / figure(floor)?));
            median(ratios.collect())
        };
        self.ratio = Ratio {
            p50: ratio(|times| times.p50_us),
            p99: ratio(|times| times.p99_us),
        };
    }
}

fn lag(floors: &[Took]) -> Times {
    let mut all = histogram();
    for floor in floors {
        all += &floor.lag;
    }
    Times::of(&all)
}
