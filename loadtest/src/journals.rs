//! The journal on disk against the one in memory, in slices that alternate, each beside a bare
//! writer on the same disk: what it costs that a reply means durable.

use std::fs::File;
use std::io::Write;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use hdrhistogram::Histogram;
use serde::Serialize;

use crate::args::{Journal, RunArgs};
use crate::clock::{self, Alarm, pause};
use crate::load;
use crate::measure::{histogram, median};
use crate::plan::Arrivals;
use crate::report::{Report, Times};

/// What the bare writer writes for each contact: the events of its submit, in bytes.
const RECORD: usize = 600;
/// Between runs, so that the disk is at rest.
const SETTLE: Duration = Duration::from_secs(1);

/// Medians over the slices.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Journals {
    /// Submit to offer, and to reply, with the log in memory.
    pub memory: Side,
    /// The same with the log on disk.
    pub disk: Side,
    /// Handing a record to a bare writer until it is synced: a thread that writes whatever has
    /// come and syncs once for all of it.
    pub writer: Times,
    /// Replies with the log on disk over the bare writer.
    pub over_writer: Quantiles,
    /// Replies with the log on disk over those with it in memory.
    pub over_memory: Quantiles,
}

/// One place of the log.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Side {
    /// Intended submit to offer received, contacts that found room.
    pub offer: Times,
    /// Intended submit to reply received.
    pub reply: Times,
    /// Server's CPU per contact completed, in microseconds.
    pub cpu_us: Option<f64>,
}

/// Ratios at two quantiles.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Quantiles {
    /// Of the medians.
    pub p50: Option<f64>,
    /// Of the 99th percentiles.
    pub p99: Option<f64>,
}

/// One slice of all three.
struct Slice {
    memory: Side,
    disk: Side,
    writer: Times,
}

/// Runs the slices and fills the report: promises and contacts of all of them together.
pub async fn run(args: &RunArgs, slices: u8, report: &mut Report) -> Result<()> {
    let mut taken = Vec::new();
    for slice in 0..slices {
        let memory = side(args, Journal::Memory, slice, report).await?;
        pause(SETTLE).await;
        let disk = side(args, Journal::Disk, slice, report).await?;
        pause(SETTLE).await;
        let writer = Times::of(&bare(args, slice).await?);
        pause(SETTLE).await;
        taken.push(Slice {
            memory,
            disk,
            writer,
        });
    }
    report.journals = Some(medians(&taken));
    Ok(())
}

async fn side(args: &RunArgs, journal: Journal, slice: u8, all: &mut Report) -> Result<Side> {
    let mut args = args.clone();
    args.journal = journal;
    args.seed = args.seed.wrapping_add(u64::from(slice));
    args.seconds /= f64::from(args.journals.unwrap_or(1).max(1));
    let mut report = Report::new(all.settings.clone());
    load::run(&args, &mut report).await?;
    all.add(&report);
    let completed = report.contacts.completed as f64;
    Ok(Side {
        offer: report.offer,
        reply: report.reply,
        cpu_us: report.server.cpu_seconds.map(|cpu| cpu * 1e6 / completed),
    })
}

/// The bare writer at the times of the load.
async fn bare(args: &RunArgs, slice: u8) -> Result<Histogram<u32>> {
    let folder = match &args.keep {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let file = File::create(folder.path().join("log")).context("the bare writer has no file")?;
    let (sender, receiver) = channel();
    let writer = thread::spawn(move || write(file, &receiver));
    send(args, slice, &sender).await?;
    drop(sender);
    let times = writer
        .join()
        .map_err(|_| anyhow!("the bare writer failed"))?;
    Ok(times?)
}

async fn send(args: &RunArgs, slice: u8, to: &Sender<Instant>) -> Result<()> {
    let alarm = Alarm::new()?;
    let mut arrivals = Arrivals::new(args.seed.wrapping_add(u64::from(slice)), args.rate);
    let seconds = args.seconds / f64::from(args.journals.unwrap_or(1).max(1));
    let origin = clock::now();
    let end = origin + Duration::from_secs_f64(seconds);
    let mut at = origin + arrivals.gap();
    while at < end {
        alarm.wait(at).await?;
        to.send(at)
            .map_err(|_| anyhow!("the bare writer is gone"))?;
        at += arrivals.gap();
    }
    Ok(())
}

fn write(mut file: File, receiver: &Receiver<Instant>) -> std::io::Result<Histogram<u32>> {
    let mut times = histogram();
    let record = [b'x'; RECORD];
    while let Ok(first) = receiver.recv() {
        let group: Vec<Instant> = std::iter::once(first).chain(receiver.try_iter()).collect();
        for _ in &group {
            file.write_all(&record)?;
        }
        file.sync_data()?;
        let now = clock::now();
        for at in group {
            times.saturating_record(clock::nanos(at, now));
        }
    }
    Ok(times)
}

fn medians(slices: &[Slice]) -> Journals {
    let times = |of: &dyn Fn(&Slice) -> Times| {
        let all: Vec<Times> = slices.iter().map(of).collect();
        let middle =
            |figure: fn(&Times) -> Option<f64>| median(all.iter().filter_map(figure).collect());
        Times {
            count: all.iter().map(|times| times.count).sum(),
            p50_us: middle(|times| times.p50_us),
            p99_us: middle(|times| times.p99_us),
            p999_us: middle(|times| times.p999_us),
            max_us: middle(|times| times.max_us),
        }
    };
    let side = |of: fn(&Slice) -> &Side| Side {
        offer: times(&|slice| of(slice).offer),
        reply: times(&|slice| of(slice).reply),
        cpu_us: median(slices.iter().filter_map(|slice| of(slice).cpu_us).collect()),
    };
    let over = |base: fn(&Slice) -> Times| {
        let ratio = |figure: fn(&Times) -> Option<f64>| {
            let ratios = slices
                .iter()
                .filter_map(|slice| Some(figure(&slice.disk.reply)? / figure(&base(slice))?));
            median(ratios.collect())
        };
        Quantiles {
            p50: ratio(|times| times.p50_us),
            p99: ratio(|times| times.p99_us),
        }
    };
    Journals {
        memory: side(|slice| &slice.memory),
        disk: side(|slice| &slice.disk),
        writer: times(&|slice| slice.writer),
        over_writer: over(|slice| slice.writer),
        over_memory: over(|slice| slice.memory.reply),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn took(us: f64) -> Times {
        Times {
            count: 1,
            p50_us: Some(us),
            p99_us: Some(us * 2.0),
            p999_us: None,
            max_us: None,
        }
    }

    #[test]
    fn ratios_are_medians_of_slices_that_stood_beside_each_other() {
        let slice = |memory: f64, disk: f64, writer: f64| Slice {
            memory: Side {
                reply: took(memory),
                ..Side::default()
            },
            disk: Side {
                reply: took(disk),
                ..Side::default()
            },
            writer: took(writer),
        };
        let slices = [
            slice(10.0, 20.0, 10.0),
            slice(100.0, 300.0, 100.0),
            slice(10.0, 40.0, 10.0),
        ];
        let journals = medians(&slices);
        assert_eq!(journals.over_writer.p50, Some(3.0));
        assert_eq!(journals.over_memory.p99, Some(3.0));
        assert_eq!(journals.disk.reply.p50_us, Some(40.0));
        assert_eq!(journals.disk.reply.count, 3);
    }
}
