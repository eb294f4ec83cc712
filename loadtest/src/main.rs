//! Open-loop load generator for Switchroom. It speaks the wire contract as any client would and
//! shares no code with the server. `README.md` beside this package says how to read its figures.

#![forbid(unsafe_code)]

mod agent;
mod args;
mod burst;
mod clock;
mod connector;
mod floor;
mod hgrm;
mod http;
mod idle;
mod journals;
mod ledger;
mod load;
mod measure;
mod order;
mod plan;
mod progress;
mod promise;
mod relay;
mod report;
mod require;
mod room;
mod server;
mod session;
mod socket;
mod spawn;
mod stage;
mod staleness;
mod submit;
mod supervisor;
mod thread;
mod token;
mod view;
mod wire;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{CommandFactory, Parser};

use crate::args::{Cli, Part, RunArgs, Way};
use crate::report::{Report, Settings};
use crate::require::Outcome;
use crate::wire::Encoding;

/// A promise was broken or a requirement is false.
const FAILED: u8 = 1;
/// Wrong usage; clap exits with it too.
const USAGE: u8 = 2;
/// The run could not be made.
const NO_RUN: u8 = 3;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Some(Part::Relay { threads }) = cli.part {
        return end(relay::serve(threads).map(|()| 0));
    }
    let args = cli.run;
    let known = args.require.iter().try_for_each(|requirement| {
        requirement.known(&serde_json::to_value(Report::new(settings(&args))).unwrap_or_default())
    });
    if let Err(unknown) = known {
        let mut command = Cli::command();
        let error = command.error(
            clap::error::ErrorKind::ValueValidation,
            format!("--require: {unknown}"),
        );
        let _ = error.print();
        return ExitCode::from(USAGE);
    }
    if args.print_config {
        return end(print_config(&args).map(|()| 0));
    }
    end(run(&args))
}

fn end(result: Result<u8>) -> ExitCode {
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("loadtest: {error:#}");
            ExitCode::from(NO_RUN)
        }
    }
}

fn print_config(args: &RunArgs) -> Result<()> {
    let plan = plan::Plan::new(args.sizes())?;
    print!(
        "{}",
        spawn::config(
            &plan,
            &args.workspace,
            "127.0.0.1:7480",
            Path::new("./switchroom-data"),
            args.journal,
        )
    );
    Ok(())
}

fn run(args: &RunArgs) -> Result<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .event_interval(13)
        .build()?;
    let mut report = Report::new(settings(args));
    let result = runtime.block_on(async {
        tokio::select! {
            result = mode(args, &mut report) => result,
            _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("stopped by hand")),
        }
    });
    if let Err(error) = result {
        for example in &report.examples {
            eprintln!("{example}");
        }
        return Err(error);
    }
    if let (Some(range), Some(share)) = (args.require_busy, report.agents_with_work) {
        let percent = share * 100.0;
        if percent < f64::from(range.from) || percent > f64::from(range.to) {
            report.void = Some(format!(
                "{percent:.1} % of the agents had work, not {} to {} %",
                range.from, range.to
            ));
        }
    }
    let verdict = judge(args, &report)?;
    write(args, &report)?;
    Ok(verdict)
}

async fn mode(args: &RunArgs, report: &mut Report) -> Result<()> {
    if args.floor_only {
        return load::floor_only(args, report).await;
    }
    if let Some(slices) = args.journals {
        return journals::run(args, slices, report).await;
    }
    match (args.burst, args.idle, args.waves) {
        (Some(contacts), _, _) => burst::run(args, contacts, report).await,
        (_, Some(sockets), _) => idle::idle(args, sockets, report).await,
        (_, _, Some(waves)) => idle::waves(args, waves, report).await,
        (None, None, None) => load::run(args, report).await,
    }
}

/// Says how every requirement came out; answers the exit code.
fn judge(args: &RunArgs, report: &Report) -> Result<u8> {
    let figures = serde_json::to_value(report)?;
    let mut failed = report.promises_broken > 0 || report.void.is_some();
    for requirement in &args.require {
        match requirement.judge(&figures) {
            Outcome::Holds(figure) => eprintln!("holds: {requirement} ({figure})"),
            Outcome::Fails(figure) => {
                eprintln!("FAILS: {requirement} ({figure})");
                failed = true;
            }
            Outcome::Unmeasured => {
                eprintln!("FAILS: {requirement} (this run did not measure it)");
                failed = true;
            }
        }
    }
    Ok(if failed { FAILED } else { 0 })
}

fn write(args: &RunArgs, report: &Report) -> Result<()> {
    let text = report.text();
    let to_stdout = args.json.as_deref() == Some(Path::new("-"));
    if to_stdout {
        eprint!("{text}");
        println!("{}", serde_json::to_string_pretty(report)?);
    } else {
        print!("{text}");
    }
    if let Some(file) = args.json.as_deref().filter(|_| !to_stdout) {
        std::fs::write(file, serde_json::to_string_pretty(report)?)
            .with_context(|| format!("{} cannot be written", file.display()))?;
    }
    if let Some(folder) = &args.hgrm {
        hgrm::write(folder, &report.histograms)?;
    }
    if let Some(file) = &args.text {
        std::fs::write(file, text)
            .with_context(|| format!("{} cannot be written", file.display()))?;
    }
    Ok(())
}

fn settings(args: &RunArgs) -> Settings {
    let sizes = args.sizes();
    let mode = match (args.burst, args.idle, args.waves) {
        (Some(_), _, _) => "burst",
        (_, Some(_), _) => "idle",
        (_, _, Some(_)) => "waves",
        (None, None, None) if args.floor_only => "floor",
        (None, None, None) if args.journals.is_some() => "journals",
        (None, None, None) => "load",
    };
    Settings {
        mode: mode.to_owned(),
        agents: sizes.agents,
        queues: sizes.queues,
        queues_per_agent: sizes.queues_per_agent,
        supervisors: sizes.supervisors,
        hz: args.hz,
        rate: args.rate,
        seconds: args.seconds,
        handle_ms: args.handle_ms,
        wrap_up_ms: args.wrap_up_ms,
        mix: sizes.mix.to_string(),
        encoding: match args.encoding {
            Encoding::Json => "json",
            Encoding::Msgpack => "msgpack",
        }
        .to_owned(),
        submit: match args.submit {
            Way::Ws => "ws",
            Way::Http => "http",
        }
        .to_owned(),
        journal: args.journal.name().to_owned(),
        seed: sizes.seed,
    }
}
