//! Memory of sockets: idle agents, and waves of connects and disconnects.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::StreamExt;
use futures::stream::FuturesUnordered;

use crate::args::{RunArgs, Waves};
use crate::clock::pause;
use crate::plan::agent_name;
use crate::report::{self, Idle, Report};
use crate::socket::Line;
use crate::stage::Stage;

/// Sockets opened before memory is first read, so that the process has grown its pools.
const WARM: usize = 200;
/// Memory is read after this pause.
const SETTLE: Duration = Duration::from_secs(2);
/// Sockets connecting at the same time.
const AT_ONCE: usize = 128;

/// Opens `sockets` idle agents beyond a few that warm the server up, and fills the report.
pub async fn idle(args: &RunArgs, sockets: usize, report: &mut Report) -> Result<()> {
    let mut stage = Stage::open(args, sockets).await?;
    let warm = WARM.min(sockets / 10);
    stage.agents(0, warm).await?;
    pause(SETTLE).await;
    let before = rss(&stage)?;
    stage.agents(warm, sockets).await?;
    pause(SETTLE).await;
    let after = rss(&stage)?;
    let counted = (sockets - warm) as u64;
    report.idle = Idle {
        sockets: Some(counted),
        rss_before_bytes: Some(before),
        rss_after_bytes: Some(after),
        bytes_per_socket: Some((after as f64 - before as f64) / counted as f64),
    };
    report.server.rss_bytes = Some(after);
    let ledger = stage.run.ledger.clone();
    let closed = stage.close().await;
    report.fill(&ledger.turn(), &[]);
    closed
}

/// Connects and disconnects in waves, and fills the report.
pub async fn waves(args: &RunArgs, waves: Waves, report: &mut Report) -> Result<()> {
    let stage = Stage::open(args, waves.sockets).await?;
    let mut after = Vec::new();
    for wave in 0..waves.waves {
        let phase = stage
            .progress
            .phase(format!("wave {}", wave + 1), waves.sockets as u64);
        let mut lines = Vec::with_capacity(waves.sockets);
        let mut opening = FuturesUnordered::new();
        for index in 0..waves.sockets {
            if opening.len() == AT_ONCE
                && let Some(line) = opening.next().await
            {
                lines.push(line?);
            }
            opening.push(open(&stage, index));
            phase.at(lines.len() as u64);
        }
        while let Some(line) = opening.next().await {
            lines.push(line?);
        }
        let closing: FuturesUnordered<_> = lines.into_iter().map(Line::close).collect();
        closing.collect::<()>().await;
        pause(SETTLE).await;
        after.push(rss(&stage)?);
        phase.done("done");
    }
    let growth = match (after.first(), after.last()) {
        (Some(first), Some(last)) if after.len() > 1 => Some(*last as f64 / *first as f64),
        (_, _) => None,
    };
    report.server.rss_bytes = after.last().copied();
    report.waves = report::Waves {
        sockets: Some(waves.sockets as u64),
        rss_bytes: after,
        growth,
    };
    let ledger = stage.run.ledger.clone();
    let closed = stage.close().await;
    report.fill(&ledger.turn(), &[]);
    closed
}

async fn open(stage: &Stage, index: usize) -> Result<Line> {
    let token = stage.token(&agent_name(index))?;
    let line = Line::open(&stage.run.target, stage.run.encoding, &token).await;
    line.with_context(|| agent_name(index))
}

fn rss(stage: &Stage) -> Result<u64> {
    match stage.usage() {
        Some(usage) => Ok(usage.rss),
        None => bail!(
            "the server's memory cannot be read; spawn it, or name its process with --server-pid"
        ),
    }
}
