//! The configuration file: read, checked as a whole, and made into what the engine runs by.
//!
//! Every finding says file, line and column, what is wrong and what would be right. A file with
//! errors makes nothing. [`STARTER`] explains every key and is what a server without a file
//! runs by.

mod changes;
mod channels;
mod check;
mod file;
mod finding;
mod queues;
mod read;
mod roles;
mod server;
#[cfg(test)]
mod tests;
mod users;
mod value;
mod workspace;

pub use changes::Changes;
pub use finding::{Finding, Findings, Place, Severity, Source};
pub use server::{PORT, Server};
pub use value::{length, written};
pub use workspace::Workspace;

use crate::directory::Known;
use aws_lc_rs::digest::{Context, SHA256};
use finding::Notes;
use std::collections::BTreeMap;

/// The starter file: a small contact centre, every key explained, with its default.
pub const STARTER: &str = include_str!("starter.toml");
/// What the starter file is called where no file was named.
const BUILT_IN: &str = "(built-in configuration)";

/// A configuration without errors.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[server]`
    pub server: Server,
    /// Every `[workspace.<id>]`, in order of the names; never none.
    pub workspaces: Vec<Workspace>,
    /// Warnings.
    pub findings: Findings,
    /// Digest of the text, and of the version of this program that reads it.
    pub digest: [u8; 32],
}

fn digest_of(text: &str) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(env!("CARGO_PKG_VERSION").as_bytes());
    context.update(text.as_bytes());
    let whole = context.finish();
    let mut digest = [0; 32];
    digest
        .iter_mut()
        .zip(whole.as_ref())
        .for_each(|(to, from)| *to = *from);
    digest
}

impl Config {
    /// Checks a configuration file. One without a workspace gets that of [`STARTER`].
    ///
    /// # Errors
    /// Everything that was found, if there is an error among it.
    pub fn check(source: Source) -> Result<Self, Findings> {
        Self::check_knowing(source, &BTreeMap::new())
    }

    /// The same, where logs of some workspaces know names already: those keep their numbers.
    ///
    /// # Errors
    /// The same, and what cannot be left out because the log knows it.
    pub fn check_knowing(
        source: Source,
        known: &BTreeMap<String, Known>,
    ) -> Result<Self, Findings> {
        let mut notes = Notes::default();
        let digest = digest_of(&source.text);
        let Some(file) = read::read(&source, &mut notes) else {
            return Err(Findings::new(source, notes.0));
        };
        let server = Server::check(&file.server, &mut notes);
        let nothing = Known::default();
        let mut workspaces: Vec<Workspace> = file
            .workspace
            .iter()
            .filter_map(|(name, stated)| {
                let known = known.get(name.get_ref()).unwrap_or(&nothing);
                workspace::check(&source, &mut notes, name, stated, known)
            })
            .collect();
        if notes.has_errors() {
            notes
                .0
                .retain(|finding| finding.severity == Severity::Error);
            return Err(Findings::new(source, notes.0));
        }
        let findings = Findings::new(source, notes.0);
        if workspaces.is_empty() {
            workspaces = Self::built_in(known)?.workspaces;
        }
        Ok(Self {
            server,
            workspaces,
            findings,
            digest,
        })
    }

    /// What a server runs by that has no file.
    ///
    /// # Errors
    /// None; the starter file is checked by the tests.
    pub fn built_in(known: &BTreeMap<String, Known>) -> Result<Self, Findings> {
        let source = Source {
            name: BUILT_IN.into(),
            text: STARTER.into(),
        };
        Self::check_knowing(source, known)
    }

    /// The workspace of this name.
    #[must_use]
    pub fn workspace(&self, name: &str) -> Option<&Workspace> {
        self.workspaces
            .iter()
            .find(|workspace| workspace.rules.name == name)
    }
}
