//! The command line: what a person types, and what is answered.

mod backup;
mod check;
mod data;
mod demo;
mod doctor;
mod drain;
mod erase;
mod export;
mod init;
mod key;
mod line;
mod load;
mod log;
mod reload;
pub mod serve;
mod service;
mod store;
mod token;

pub use key::{KeyFileError, signing_key};
pub use load::{Where, load};

use crate::config::Findings;
use crate::journal::folder::FolderError;
use crate::journal::history::HistoryError;
use crate::journal::sqlite::{CopyError, OpenError, ReadError};
use clap::{Args, Parser, Subcommand};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// Real-time routing and supervisor event engine for contact centres.
#[derive(Parser, Debug)]
#[command(name = "switchroom", version, about, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run the server.
    Serve(serve::Serve),
    /// Run a server with a simulated contact centre, to look at and try.
    Demo(demo::Demo),
    /// Take no new contacts any more; what is there is finished.
    Drain(drain::Drain),
    /// Tell the server to read its configuration again.
    Reload(reload::Reload),
    /// Check a configuration file: every error with its line, and what would be right.
    Check(check::Check),
    /// Print a token with which a user or connector signs in.
    Token(token::Token),
    /// Write a report from the history, all of it; the server may run.
    Export(export::Export),
    /// Erase what people said and who they are, of a customer or a contact; the server may run.
    Erase(erase::Erase),
    /// Print the log of a workspace, an event in a line of JSON.
    Log(log::Log),
    /// Check a data folder: files, check sums, and whether a server can start from it.
    Doctor(doctor::Doctor),
    /// Copy a data folder, also while a server uses it.
    Backup(backup::Backup),
    /// Put a backup in the place of a data folder that is gone.
    Restore(backup::Restore),
    /// Write a starter configuration that explains every key.
    Init(init::Init),
}

/// The options that say by what the server runs; the same for every command that needs it.
#[derive(Args, Clone, Debug, Default)]
pub struct Settings {
    /// Configuration file; without one, a small contact centre that is built in.
    #[arg(short, long, value_name = "FILE", env = "SWITCHROOM_CONFIG")]
    pub config: Option<PathBuf>,
    /// Folder of everything the server keeps, in place of the one that the file names.
    #[arg(long, value_name = "DIR", env = "SWITCHROOM_DATA")]
    pub data: Option<PathBuf>,
}

/// Why a command could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The file cannot be read, or written.
    #[error("{}: {error}", file.display())]
    File {
        /// Which one.
        file: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// There is a file of this name already.
    #[error("{} is there already; name another file, or remove it first", .0.display())]
    Exists(PathBuf),
    /// The configuration has errors.
    #[error("{0}")]
    Configuration(Box<Findings>),
    /// The key that signs tokens cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The port cannot be opened.
    #[error(
        "cannot listen on {address}: {error}; another address or port is set by listen in [server]"
    )]
    Port {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// The server cannot be started.
    #[error("the server cannot be started: {0}")]
    Start(io::Error),
    /// The data folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The log cannot be opened.
    #[error(transparent)]
    Log(#[from] OpenError),
    /// The log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The history cannot be kept or read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// A file cannot be copied.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// Something was asked for that does not exist.
    #[error("{0}")]
    Unknown(String),
    /// Nobody reads the answer any more.
    #[error("the output cannot be written: {0}")]
    Output(#[from] io::Error),
}

/// Does what was asked; answers go to `out`.
///
/// # Errors
/// [`Failure`], in words for the person who asked.
pub fn run(cli: Cli, out: &mut impl Write) -> Result<ExitCode, Failure> {
    match cli.command {
        Command::Serve(serve) => serve.run(out),
        Command::Demo(demo) => demo.run(out),
        Command::Drain(drain) => drain.run(out),
        Command::Reload(reload) => reload.run(out),
        Command::Check(check) => check.run(out),
        Command::Token(token) => token.run(out),
        Command::Export(export) => export.run(out),
        Command::Erase(erase) => erase.run(out),
        Command::Log(log) => log.run(out),
        Command::Doctor(doctor) => doctor.run(out),
        Command::Backup(backup) => backup.run(out),
        Command::Restore(restore) => restore.run(out),
        Command::Init(init) => init.run(out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_options_hold_together() {
        Cli::command().debug_assert();
    }
}
