//! Whole files: the starter, and each way to get one wrong with the exact answer.

mod starter;
mod wrong;

use super::{Config, Findings, Source};

/// Checks a file of this text.
fn check(text: &str) -> Result<Config, Findings> {
    Config::check(Source {
        name: "s.toml".into(),
        text: text.into(),
    })
}
