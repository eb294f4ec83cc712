//! The program: hands the command line over and says what went wrong.

#![forbid(unsafe_code)]

use clap::Parser;
use std::io;
use std::process::ExitCode;
use switchroom::cli;

fn main() -> ExitCode {
    match cli::run(cli::Cli::parse(), &mut io::stdout()) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("switchroom: {:#}", anyhow::Error::from(failure));
            ExitCode::FAILURE
        }
    }
}
