//! `switchroom export`

use super::token::workspace;
use super::{Failure, Settings, load};
use crate::journal::history::FILE;
use crate::journal::history::format::{Format, Writing};
use crate::journal::history::report::{Asked, Reader, Report, instant};
use crate::time::Instant;
use clap::Args;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Bytes that are written at once.
const BUFFER: usize = 64 * 1_024;

/// Write a report from the history, all of it; the server may run.
#[derive(Args, Debug)]
pub struct Export {
    /// contacts, segments, agent_states, queue_intervals, agent_intervals or audit.
    #[arg(long, value_name = "NAME", value_parser = report)]
    pub report: Report,
    /// From this time on: 2026-11-22, 2026-11-22T09:00:00Z, or milliseconds since 1970.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub from: Option<Instant>,
    /// Up to this time, and not of it.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub to: Option<Instant>,
    /// Of this queue.
    #[arg(long, value_name = "NAME")]
    pub queue: Option<String>,
    /// Of this agent.
    #[arg(long, value_name = "NAME")]
    pub agent: Option<String>,
    /// Of this channel.
    #[arg(long, value_name = "NAME")]
    pub channel: Option<String>,
    /// json, ndjson or csv.
    #[arg(long, value_name = "NAME", default_value = "csv", value_parser = format)]
    pub format: Format,
    /// File to write, in place of the standard output; none of that name may be there.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Workspace; needed where the configuration has several.
    #[arg(long, value_name = "NAME")]
    pub workspace: Option<String>,
    /// By what the server runs.
    #[command(flatten)]
    pub settings: Settings,
}

fn report(text: &str) -> Result<Report, String> {
    let names = || Report::ALL.map(Report::name).join(", ");
    Report::named(text).ok_or_else(|| format!("expected one of {}", names()))
}

fn format(text: &str) -> Result<Format, String> {
    Format::named(text).ok_or_else(|| "expected json, ndjson or csv".into())
}

fn time(text: &str) -> Result<Instant, String> {
    instant(text).ok_or_else(|| {
        "expected a date such as 2026-11-22, a date and time such as 2026-11-22T09:00:00Z, or milliseconds since 1970".into()
    })
}

impl Export {
    pub(super) fn run(&self, out: &mut impl Write) -> Result<ExitCode, Failure> {
        let (config, _) = load(&self.settings)?;
        let workspace = workspace(&config, self.workspace.as_deref())?;
        let folder = config.server.data.join(&workspace.rules.name);
        let reader = Reader::open(&folder.join(FILE))?;
        match &self.out {
            None => self.write(&reader, out)?,
            Some(path) => {
                let failed = |error| file_failed(path, error);
                let file = OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(path)
                    .map_err(failed)?;
                let mut file = BufWriter::new(file);
                self.write(&reader, &mut file)?;
                file.flush().map_err(failed)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn write(&self, reader: &Reader, out: &mut impl Write) -> Result<(), Failure> {
        let asked = Asked {
            from: self.from,
            to: self.to,
            queue: self.queue.clone(),
            agent: self.agent.clone(),
            channel: self.channel.clone(),
            after: None,
        };
        let mut buffer = Vec::with_capacity(BUFFER);
        let mut writing = Writing::begin(self.format, self.report.columns(), &mut buffer);
        let mut written = Ok(());
        reader.read(self.report, &asked, |read| {
            writing.row(&read.values, &mut buffer);
            if buffer.len() >= BUFFER {
                written = out.write_all(&buffer);
                buffer.clear();
            }
            match &written {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        })?;
        written?;
        writing.end(None, &mut buffer);
        out.write_all(&buffer)?;
        Ok(())
    }
}

fn file_failed(path: &Path, error: io::Error) -> Failure {
    if error.kind() == io::ErrorKind::AlreadyExists {
        return Failure::Exists(path.to_path_buf());
    }
    Failure::File {
        file: path.to_path_buf(),
        error,
    }
}
