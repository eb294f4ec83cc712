//! `switchroom log`: the events of a workspace, a line of JSON each.

use super::line::Lines;
use super::store::{data_folder, log_of};
use super::{Failure, Settings};
use crate::domain::event::Record;
use crate::id::{ContactId, Seq};
use crate::journal::sqlite::Reader;
use clap::Args;
use std::io::{self, ErrorKind, Write};
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

/// Batches that are read at once.
const PAGE: u32 = 512;
/// How often `--follow` looks for more.
const LOOK: Duration = Duration::from_millis(250);

/// Print the log of a workspace.
#[derive(Args, Debug)]
pub struct Log {
    /// Where it is.
    #[command(flatten)]
    pub settings: Settings,
    /// The workspace; the only one when there are no others.
    #[arg(long, value_name = "NAME")]
    pub workspace: Option<String>,
    /// Position of the first event to print.
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    pub from: u64,
    /// Position of the last event to print.
    #[arg(long, value_name = "SEQ")]
    pub to: Option<u64>,
    /// Only events of this contact.
    #[arg(long, value_name = "ID")]
    pub contact: Option<ContactId>,
    /// Print what people said and who they are, too.
    #[arg(long)]
    pub content: bool,
    /// Go on with what happens from now on.
    #[arg(short, long)]
    pub follow: bool,
}

impl Log {
    pub(super) fn run(&self, out: &mut impl Write) -> Result<ExitCode, Failure> {
        let data = data_folder(&self.settings)?;
        let reader = Reader::open(&log_of(&data, self.workspace.as_deref())?)?;
        // A pipe whose reader has gone is how `log | head` ends.
        match self.print(&reader, &mut io::BufWriter::new(out)) {
            Err(Failure::Output(error)) if error.kind() == ErrorKind::BrokenPipe => {
                Ok(ExitCode::SUCCESS)
            }
            Err(failure) => Err(failure),
            Ok(()) => Ok(ExitCode::SUCCESS),
        }
    }

    fn print(&self, reader: &Reader, out: &mut impl Write) -> Result<(), Failure> {
        // The batch that has the first event begins before it.
        let mut after = Seq(reader.batch_of(Seq(self.from))?.0.saturating_sub(1));
        loop {
            let page = reader.page(after, PAGE)?;
            if page.is_empty() {
                out.flush()?;
                if !self.follow {
                    return Ok(());
                }
                thread::park_timeout(LOOK);
                continue;
            }
            // A server that has started meanwhile may know more names.
            let lines = Lines::new(&reader.names()?);
            for written in &page {
                for record in &written.records {
                    if self.one(reader, &lines, record, out)?.is_break() {
                        return Ok(out.flush()?);
                    }
                }
                after = written.records.last().map_or(after, |last| last.seq);
            }
        }
    }

    fn one(
        &self,
        reader: &Reader,
        lines: &Lines,
        record: &Record,
        out: &mut impl Write,
    ) -> Result<ControlFlow<()>, Failure> {
        if self.to.is_some_and(|to| record.seq.0 > to) {
            return Ok(ControlFlow::Break(()));
        }
        let wanted = record.seq.0 >= self.from
            && (self.contact.is_none() || self.contact == record.event.contact());
        if wanted {
            let said = self.content.then(|| reader.said(record.seq)).transpose()?;
            writeln!(out, "{}", lines.line(record, said.flatten().as_deref()))?;
        }
        Ok(ControlFlow::Continue(()))
    }
}
