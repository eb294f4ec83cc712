//! The load: contacts at their times, in slices that alternate with the bare relay's.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::args::{RunArgs, Way};
use crate::clock::{self, Alarm, pause};
use crate::floor::{self, Floor, Shape, Took};
use crate::plan::Arrivals;
use crate::progress::Progress;
use crate::report::Report;
use crate::server;
use crate::session::Run;
use crate::stage::Stage;
use crate::submit::Submitter;
use crate::wire::Encoding;

/// The share of agents with work is looked at this often.
const SAMPLE: Duration = Duration::from_millis(20);
/// Contacts that wait are judged at every so many samples.
const JUDGE: u32 = 5;
/// Between slices, so that one does not warm the other's caches or delay its first frames.
const SETTLE: Duration = Duration::from_millis(200);
/// The relay's slices are no longer than this, unless asked.
const FLOOR_SECONDS: f64 = 5.0;
/// Start of a relay's slice that is not measured; a relay needs less of it than agents do.
const FLOOR_RAMP: Duration = Duration::from_millis(500);
/// Bytes of a submit, when none was seen.
const BYTES_IN: usize = 220;
/// Bytes of an offer, when none was seen.
const BYTES_OUT: usize = 500;

/// Runs the load and fills the report.
pub async fn run(args: &RunArgs, report: &mut Report) -> Result<()> {
    let submitters = args.submitters();
    let sockets = args.agents + args.supervisors + 1 + submitters;
    let mut stage = Stage::open(args, if args.floor { 2 * sockets } else { sockets }).await?;
    let mut floor = None;
    if args.floor {
        let senders = match args.submit {
            Way::Ws => submitters,
            Way::Http => 1,
        };
        let idle = args.supervisors + 1 + submitters - senders;
        floor = Some(Floor::start(shape(args, idle, senders)).await?);
    }
    stage.agents(0, args.agents).await?;
    stage.watchers(args.hz).await?;
    let submitter = stage.submitter(args.submit, submitters).await?;
    let sampler = tokio::spawn(sample(stage.run.clone(), args.agents));
    let mut load = Load {
        args,
        submitter,
        arrivals: Arrivals::new(args.seed, args.rate),
        alarm: Alarm::new()?,
        cpu: None,
        floors: Vec::new(),
    };
    let driven = load.drive(&mut stage, floor.as_mut()).await;
    sampler.abort();
    report.server.cpu_seconds = load.cpu;
    if let Some(usage) = stage.usage() {
        report.server.rss_bytes = Some(usage.rss);
        report.server.rss_peak_bytes = Some(usage.rss_peak);
    }
    let ledger = stage.run.ledger.clone();
    let closed = stage.close().await;
    ledger.turn().close();
    report.fill(&ledger.turn(), &load.floors);
    driven?;
    closed
}

/// Runs slices of the bare relay and nothing else.
pub async fn floor_only(args: &RunArgs, report: &mut Report) -> Result<()> {
    server::raise_files();
    let mut floor = Floor::start(shape(args, args.supervisors + 1, args.submitters())).await?;
    let slices = args.slices();
    let phase = Progress::new().phase("bare relay", u64::from(slices));
    let mut floors = Vec::new();
    for slice in 0..slices {
        let load = floor::Load {
            rate: args.rate,
            span: Duration::from_secs_f64(args.seconds / f64::from(slices)),
            ramp: FLOOR_RAMP,
            bytes_in: BYTES_IN,
            bytes_out: BYTES_OUT,
            seed: args.seed.wrapping_add(u64::from(slice)),
        };
        floors.push(floor.slice(load).await?);
        phase.at(u64::from(slice) + 1);
    }
    phase.done("done");
    report.fill_floor(&floors);
    Ok(())
}

fn shape(args: &RunArgs, idle: usize, submitters: usize) -> Shape {
    Shape {
        receivers: args.agents,
        idle,
        submitters,
        text: args.encoding == Encoding::Json,
        threads: args.floor_threads(),
    }
}

struct Load<'a> {
    args: &'a RunArgs,
    submitter: Submitter,
    arrivals: Arrivals,
    alarm: Alarm,
    cpu: Option<f64>,
    floors: Vec<Took>,
}

impl Load<'_> {
    async fn drive(&mut self, stage: &mut Stage, mut floor: Option<&mut Floor>) -> Result<()> {
        let seconds = Duration::from_secs_f64;
        let slices = self.args.slices();
        let span = seconds(self.args.seconds / f64::from(slices));
        let ramp = seconds(self.args.ramp.max(0.0));
        if self.args.warm_up > 0.0 {
            let phase = stage.progress.phase("warm-up", 1);
            self.contacts(stage, seconds(self.args.warm_up), None)
                .await?;
            self.drain(stage).await;
            phase.done("done");
        }
        let phase = stage.progress.phase("load", u64::from(slices));
        for slice in 0..slices {
            let before = stage.usage();
            self.contacts(stage, ramp, None).await?;
            stage.run.ledger.turn().measures.running = true;
            let sent = self.contacts(stage, span, Some(slice)).await;
            stage.run.ledger.turn().measures.running = false;
            sent?;
            self.drain(stage).await;
            if let (Some(before), Some(after)) = (before, stage.usage()) {
                *self.cpu.get_or_insert(0.0) += after.cpu - before.cpu;
            }
            if let Some(floor) = floor.as_deref_mut() {
                pause(SETTLE).await;
                let measured = floor
                    .slice(self.floor_load(stage, span, ramp, slice))
                    .await?;
                self.floors.push(measured);
                pause(SETTLE).await;
            }
            phase.at(u64::from(slice) + 1);
        }
        phase.done("done");
        let phase = stage.progress.phase("drain", 1);
        pause(self.args.tables_settle()).await;
        phase.done("done");
        Ok(())
    }

    fn floor_load(&self, stage: &Stage, span: Duration, ramp: Duration, slice: u8) -> floor::Load {
        let ledger = stage.run.ledger.turn();
        let measures = &ledger.measures;
        let longest = self
            .args
            .floor_seconds
            .unwrap_or(FLOOR_SECONDS.min(span.as_secs_f64()));
        floor::Load {
            rate: self.args.rate,
            span: Duration::from_secs_f64(longest),
            ramp: ramp.min(FLOOR_RAMP),
            bytes_in: measures.submit_bytes.or(BYTES_IN),
            bytes_out: measures.offer_bytes.or(BYTES_OUT),
            seed: self.args.seed.wrapping_add(u64::from(slice)),
        }
    }

    /// Sends contacts for `span` at the times that the seed drew, whatever the server does.
    async fn contacts(&mut self, stage: &Stage, span: Duration, slice: Option<u8>) -> Result<()> {
        let origin = clock::now();
        let mut at = origin + self.arrivals.gap();
        while at < origin + span {
            self.alarm.wait(at).await?;
            at = self.due(stage, at, origin + span, slice).await?;
        }
        Ok(())
    }

    /// Sends every contact that is due, then writes them; answers when the next one is.
    async fn due(
        &mut self,
        stage: &Stage,
        mut at: Instant,
        end: Instant,
        slice: Option<u8>,
    ) -> Result<Instant> {
        while at < end {
            let now = clock::now();
            if at > now {
                break;
            }
            let number = stage.run.ledger.turn().submit(at, now, slice);
            self.submitter.send(number).await?;
            at += self.arrivals.gap();
        }
        self.submitter.flush().await?;
        Ok(at)
    }

    /// Waits until every contact has come to its end, or too long.
    async fn drain(&self, stage: &Stage) {
        let until = clock::now() + Duration::from_secs_f64(self.args.drain.max(0.0));
        while stage.run.ledger.turn().open() > 0 && clock::now() < until {
            pause(SAMPLE).await;
        }
    }
}

/// Looks at the agents and at those who wait, until aborted.
async fn sample(run: Run, agents: usize) {
    let mut samples = 0_u32;
    loop {
        pause(SAMPLE).await;
        let mut ledger = run.ledger.turn();
        if ledger.measures.running {
            let share = ledger.agents_with_work as f32 / agents as f32;
            ledger.measures.busy.push(share);
        }
        samples = samples.wrapping_add(1);
        if samples.is_multiple_of(JUDGE) {
            ledger.judge_waiting(clock::now());
        }
    }
}
