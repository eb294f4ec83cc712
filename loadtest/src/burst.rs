//! A burst: N contacts at once into N idle agents.

use std::time::Duration;

use anyhow::Result;

use crate::args::RunArgs;
use crate::clock::{self, pause};
use crate::report::{Burst, Report};
use crate::stage::Stage;

/// The last offer is waited for no longer.
const OFFERED_WITHIN: Duration = Duration::from_secs(30);

/// Runs a burst of `contacts` and fills the report.
pub async fn run(args: &RunArgs, contacts: usize, report: &mut Report) -> Result<()> {
    let submitters = args.submitters();
    let mut stage = Stage::open(args, contacts + args.supervisors + 1 + submitters).await?;
    stage.agents(0, contacts).await?;
    stage.watchers(args.hz).await?;
    let mut submitter = stage.submitter(args.submit, submitters).await?;
    let phase = stage.progress.phase("burst", 1);
    let before = stage.usage();
    let origin = clock::now();
    for _ in 0..contacts {
        let number = stage
            .run
            .ledger
            .turn()
            .submit(origin, clock::now(), Some(0));
        submitter.send(number).await?;
    }
    submitter.flush().await?;
    let sent = clock::nanos(origin, clock::now());
    let wanted = contacts as u64;
    until(origin + OFFERED_WITHIN, || {
        let tally = stage.run.ledger.turn().tally();
        tally.offered + tally.refused >= wanted
    })
    .await;
    let drained = clock::now() + Duration::from_secs_f64(args.drain.max(0.0));
    until(drained, || stage.run.ledger.turn().open() == 0).await;
    pause(args.tables_settle()).await;
    phase.done("done");
    if let (Some(before), Some(after)) = (before, stage.usage()) {
        report.server.rss_bytes = Some(after.rss);
        report.server.rss_peak_bytes = Some(after.rss_peak);
        report.server.cpu_seconds = Some(after.cpu - before.cpu);
    }
    let ledger = stage.run.ledger.clone();
    let closed = stage.close().await;
    ledger.turn().close();
    report.fill(&ledger.turn(), &[]);
    let ledger = ledger.turn();
    let all = ledger.tally().offered == wanted;
    report.burst = Burst {
        contacts: Some(wanted),
        agents: Some(ledger.first_agents() as u64),
        offers: Some(ledger.offers_seen() as u64),
        sent_ms: Some(sent as f64 / 1e6),
        last_offer_ms: ledger
            .last_offer()
            .filter(|_| all)
            .map(|at| clock::nanos(origin, at) as f64 / 1e6),
    };
    closed
}

async fn until(end: std::time::Instant, done: impl Fn() -> bool) {
    while !done() && clock::now() < end {
        pause(Duration::from_millis(5)).await;
    }
}
