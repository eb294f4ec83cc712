//! `switchroom doctor`: looks at everything in a data folder and says what is wrong.

use super::load::load_knowing;
use super::store::{data_folder, workspaces};
use super::{Failure, Settings};
use crate::domain::rules::Workspace;
use crate::journal::folder::LOCK;
use crate::journal::history;
use crate::journal::sqlite::{FILE, FORMAT, Read, Reader};
use clap::Args;
use rustix::process::{Pid, test_kill_process};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::panic;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// Check a data folder.
#[derive(Args, Debug)]
pub struct Doctor {
    /// Which one, and the configuration of the server that uses it.
    #[command(flatten)]
    pub settings: Settings,
}

impl Doctor {
    pub(super) fn run(&self, out: &mut impl Write) -> Result<ExitCode, Failure> {
        let data = data_folder(&self.settings)?;
        let found = examine(&data, &self.settings, out)?;
        writeln!(out, "{}", many(found))?;
        Ok(if found == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

fn many(problems: usize) -> String {
    match problems {
        0 => "no problems".into(),
        1 => "1 problem".into(),
        more => format!("{more} problems"),
    }
}

/// Looks at a whole data folder; how many problems there are. With a folder alone nothing is
/// folded: what the server's rules are is not known.
pub(super) fn examine(
    data: &Path,
    settings: &Settings,
    out: &mut impl Write,
) -> Result<usize, Failure> {
    let names = workspaces(data)?;
    let mut report = Report { out, problems: 0 };
    report.line(&format!("data folder {}", data.display()))?;
    files(data, &names, &mut report)?;
    if names.is_empty() {
        report.problem("it has no log of any workspace")?;
    }
    for name in &names {
        report.line(&format!("workspace {name}"))?;
        log(data, name, settings, &mut report)?;
    }
    Ok(report.problems)
}

/// What was found, as it is printed.
struct Report<'a, W> {
    out: &'a mut W,
    problems: usize,
}

impl<W: Write> Report<'_, W> {
    fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    fn good(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "  ok       {text}")
    }

    fn note(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "  note     {text}")
    }

    fn problem(&mut self, text: &str) -> io::Result<()> {
        self.problems += 1;
        writeln!(self.out, "  PROBLEM  {text}")
    }
}

/// Owners and rights: whoever can read these files can read what people said, and sign in as
/// anybody.
fn files<W: Write>(
    data: &Path,
    names: &[String],
    report: &mut Report<'_, W>,
) -> Result<(), Failure> {
    let before = report.problems;
    let owner = meta(data)?.uid();
    let mut count = 0;
    let folders = names.iter().map(|name| data.join(name));
    for folder in folders.chain([data.to_path_buf()]) {
        open_to_others(&folder, 0o022, "written", report)?;
        for entry in fs::read_dir(&folder).map_err(|error| Failure::File {
            file: folder.clone(),
            error,
        })? {
            let path = entry?.path();
            count += 1;
            let found = meta(&path)?;
            if found.uid() != owner {
                report.problem(&format!(
                    "{} belongs to user {}, and the folder to user {owner}: chown it",
                    path.display(),
                    found.uid()
                ))?;
            }
            if path.extension().is_some_and(|end| end == "key") {
                open_to_others(&path, 0o077, "read", report)?;
            }
        }
    }
    if report.problems == before {
        report.good(&format!("{count} files and folders, of user {owner}"))?;
    }
    Ok(())
}

fn open_to_others<W: Write>(
    path: &Path,
    bits: u32,
    how: &str,
    report: &mut Report<'_, W>,
) -> Result<(), Failure> {
    let mode = meta(path)?.mode() & 0o777;
    if mode & bits != 0 {
        report.problem(&format!(
            "{} can be {how} by others (mode {mode:03o}): chmod go-rwx it",
            path.display()
        ))?;
    }
    Ok(())
}

fn meta(path: &Path) -> Result<fs::Metadata, Failure> {
    fs::metadata(path).map_err(|error| Failure::File {
        file: path.to_path_buf(),
        error,
    })
}

fn log<W: Write>(
    data: &Path,
    name: &str,
    settings: &Settings,
    report: &mut Report<'_, W>,
) -> Result<(), Failure> {
    let before = report.problems;
    let folder = data.join(name);
    if let Some(who) = user_of(&folder) {
        report.note(&format!("in use by {who}"))?;
    }
    let read = Reader::open(&folder.join(FILE))
        .map_err(|error| error.to_string())
        .and_then(|reader| {
            let read = reader.check().map_err(|error| error.to_string())?;
            Ok((reader, read))
        });
    let (reader, read) = match read {
        Ok(read) => read,
        Err(error) => return Ok(report.problem(&error)?),
    };
    said(&read, report)?;
    history(&folder, &read, report)?;
    for finding in &read.findings {
        report.problem(&finding.to_string())?;
    }
    if report.problems == before {
        report.good("the file, every check sum, the order, and what was said")?;
        fold(&reader, name, settings, report)?;
    }
    if report.problems > before {
        report.note(ADVICE)?;
    }
    Ok(())
}

/// The history that was made of a log.
fn history<W: Write>(folder: &Path, log: &Read, report: &mut Report<'_, W>) -> io::Result<()> {
    let history = match history::check(&folder.join(history::FILE)) {
        Ok(history) => history,
        Err(none @ history::OpenError::None(_)) => return report.note(&none.to_string()),
        Err(error) => return report.problem(&error.to_string()),
    };
    for damage in &history.damage {
        report.problem(&format!("the history is damaged: {damage}; {ANEW}"))?;
    }
    if !history.damage.is_empty() {
        return Ok(());
    }
    let ahead = log.span.is_some_and(|(_, last)| history.position > last);
    if history.epoch != log.epoch || ahead {
        report.note(
            "the history is of another log, or ahead of this one: the next start sets it aside \
             and makes a new one",
        )?;
    }
    if history.gaps > 0 {
        let gaps = history.gaps;
        report.note(&format!(
            "the history has {gaps} gaps: its table gaps says where"
        ))?;
    }
    for wrong in &history.miscounted {
        report.note(&format!("in the history, {wrong}: {MISCOUNTED}"))?;
    }
    if history.miscounted.is_empty() {
        let (format, position) = (history.format, history.position.0);
        report.good(&format!(
            "history of format {format}, up to position {position}; its counters are what its \
             rows say"
        ))?;
    }
    Ok(())
}

/// What can be done about a history that is damaged.
const ANEW: &str = "move history.db away, and the next start makes a new one of what the log holds";

/// When a history's counters may differ from its rows.
const MISCOUNTED: &str =
    "that is so where segments are kept for less time than contacts wait, and else a fault";

/// What can be done about a log that is damaged.
const ADVICE: &str = "a server does not start on what it cannot read: copy this folder away, look \
     into the disk, and restore the newest backup (docs/operations.md, A damaged log)";

/// How far a log goes.
fn said<W: Write>(read: &Read, report: &mut Report<'_, W>) -> io::Result<()> {
    let epoch = read.epoch.map_or(0, |epoch| epoch.0);
    let upgrade = if read.format < FORMAT {
        format!(", brought to {FORMAT} by the next start")
    } else {
        String::new()
    };
    report.good(&format!("format {}{upgrade}, epoch {epoch}", read.format))?;
    let span = match read.span {
        Some((first, last)) => format!(", positions {} to {}", first.0, last.0),
        None => String::new(),
    };
    report.good(&format!(
        "{} events in {} batches{span}; {} with something said; {} snapshots",
        read.events,
        read.batches,
        read.content,
        read.snapshots.len()
    ))
}

fn fold<W: Write>(
    reader: &Reader,
    name: &str,
    settings: &Settings,
    report: &mut Report<'_, W>,
) -> Result<(), Failure> {
    let rules = match rules(reader, name, settings) {
        Ok(Some(rules)) => rules,
        Ok(None) => {
            return Ok(report.note(
                "the events were not folded: name the server's configuration by -c, and it has \
                 to have this workspace",
            )?);
        }
        Err(failure) => return Ok(report.problem(&failure.to_string())?),
    };
    // That it cannot be folded is told in words.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let checked = reader.check_fold(&rules);
    panic::set_hook(hook);
    let (findings, board) = checked?;
    for finding in &findings {
        report.problem(&finding.to_string())?;
    }
    if board {
        report.note(
            "the statistics of the newest snapshot are not what the events before it come to; \
             that is so after a change of the configuration, and else a fault",
        )?;
    }
    if findings.is_empty() {
        report.good("every event can be folded, and the snapshots agree with them")?;
    }
    Ok(())
}

/// The rules that a server would start with.
fn rules(
    reader: &Reader,
    name: &str,
    settings: &Settings,
) -> Result<Option<Arc<Workspace>>, Failure> {
    if settings.config.is_none() && settings.data.is_some() {
        return Ok(None);
    }
    let known = BTreeMap::from([(name.to_owned(), reader.names()?)]);
    let (config, _) = load_knowing(settings, &known)?;
    let mut workspaces = config.workspaces.iter();
    let workspace = workspaces.find(|workspace| workspace.rules.name == name);
    Ok(workspace.map(|workspace| Arc::clone(&workspace.rules)))
}

/// Who says that it uses a folder, if that process is alive. The lock itself is not touched: a
/// server that starts at this moment must not find it taken.
fn user_of(folder: &Path) -> Option<String> {
    let who = fs::read_to_string(folder.join(LOCK)).ok()?;
    let who = who.trim();
    let number = who.rsplit_once("(process ")?.1.strip_suffix(')')?;
    let process = Pid::from_raw(number.parse().ok()?)?;
    match test_kill_process(process) {
        Err(error) if error == rustix::io::Errno::SRCH => None,
        Ok(()) | Err(_) => Some(who.to_owned()),
    }
}
