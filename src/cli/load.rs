//! Reading the configuration that a command was told to use.

use super::{Failure, Settings};
use crate::config::{Config, Source};
use crate::directory::Known;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where a configuration came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Where {
    /// No file was named.
    BuiltIn,
    /// This file.
    File(PathBuf),
}

/// The text of a configuration file.
pub(super) fn read(file: &Path) -> Result<Source, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::File {
        file: file.to_path_buf(),
        error,
    })?;
    Ok(Source {
        name: file.display().to_string(),
        text,
    })
}

/// The configuration that the options name, its data folder replaced where they say so.
///
/// # Errors
/// The file cannot be read, or has errors.
pub fn load(settings: &Settings) -> Result<(Config, Where), Failure> {
    load_knowing(settings, &BTreeMap::new())
}

/// The same, where logs of some workspaces know names already.
///
/// # Errors
/// The same, and what cannot be left out because a log knows it.
pub fn load_knowing(
    settings: &Settings,
    known: &BTreeMap<String, Known>,
) -> Result<(Config, Where), Failure> {
    let (checked, from) = match &settings.config {
        Some(file) => (
            Config::check_knowing(read(file)?, known),
            Where::File(file.clone()),
        ),
        None => (Config::built_in(known), Where::BuiltIn),
    };
    let mut config = checked.map_err(|findings| Failure::Configuration(Box::new(findings)))?;
    if let Some(data) = &settings.data {
        config.server.data.clone_from(data);
    }
    Ok((config, from))
}
