//! `switchroom init`

use super::Failure;
use crate::config::STARTER;
use clap::Args;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Write a starter configuration.
#[derive(Args, Debug)]
pub struct Init {
    /// Where to; "-" prints it. A file that is there is never overwritten.
    #[arg(value_name = "FILE", default_value = "switchroom.toml")]
    pub file: PathBuf,
}

impl Init {
    pub(super) fn run(&self, out: &mut impl Write) -> Result<ExitCode, Failure> {
        if self.file == Path::new("-") {
            out.write_all(STARTER.as_bytes())?;
            return Ok(ExitCode::SUCCESS);
        }
        let failed = |error| Failure::File {
            file: self.file.clone(),
            error,
        };
        let mut file = match OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&self.file)
        {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(Failure::Exists(self.file.clone()));
            }
            Err(error) => return Err(failed(error)),
        };
        file.write_all(STARTER.as_bytes()).map_err(failed)?;
        let name = self.file.display();
        writeln!(out, "wrote {name}")?;
        writeln!(
            out,
            "change it, then: switchroom check {name} && switchroom serve -c {name}"
        )?;
        Ok(ExitCode::SUCCESS)
    }
}
