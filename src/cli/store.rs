//! What lies in a data folder, for commands that look at it from outside.

use super::load::load;
use super::{Failure, Settings};
use crate::config::Server;
use crate::journal::sqlite::FILE;
use std::fs;
use std::path::{Path, PathBuf};

/// The data folder that the options name. A configuration with errors is in nobody's way who
/// names the folder itself.
pub(super) fn data_folder(settings: &Settings) -> Result<PathBuf, Failure> {
    match (&settings.data, &settings.config) {
        (Some(data), _) => Ok(data.clone()),
        (None, Some(_)) => Ok(load(settings)?.0.server.data),
        (None, None) => Ok(Server::default().data),
    }
}

/// The workspaces that have a log in a data folder, by name.
pub(super) fn workspaces(data: &Path) -> Result<Vec<String>, Failure> {
    let failed = |error| Failure::File {
        file: data.to_path_buf(),
        error,
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(data).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.path().join(FILE).is_file()
            && let Ok(name) = entry.file_name().into_string()
        {
            found.push(name);
        }
    }
    found.sort();
    Ok(found)
}

/// The log of the workspace that is named, or of the only one.
pub(super) fn log_of(data: &Path, workspace: Option<&str>) -> Result<PathBuf, Failure> {
    let found = workspaces(data)?;
    let name = match (workspace, found.as_slice()) {
        (Some(name), _) if found.iter().any(|found| found == name) => name,
        (None, [only]) => only,
        (_, []) => {
            let text = format!("{} has no log of any workspace", data.display());
            return Err(Failure::Unknown(text));
        }
        (Some(name), _) => {
            let text = format!(
                "{} has no log of workspace {name:?}; it has those of {}",
                data.display(),
                found.join(", ")
            );
            return Err(Failure::Unknown(text));
        }
        (None, _) => {
            let text = format!(
                "{} has the logs of {}; name one by --workspace",
                data.display(),
                found.join(", ")
            );
            return Err(Failure::Unknown(text));
        }
    };
    Ok(data.join(name).join(FILE))
}
