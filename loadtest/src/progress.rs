//! Says on standard error what the run is doing: bars on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Bars or lines.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    terminal: bool,
}

/// One phase under way.
pub struct Phase {
    bar: Option<ProgressBar>,
    name: String,
}

impl Progress {
    /// Bars when standard error is a terminal.
    pub fn new() -> Self {
        Self {
            terminal: std::io::stderr().is_terminal(),
        }
    }

    /// A phase of `steps` steps begins.
    pub fn phase(self, name: impl Into<String>, steps: u64) -> Phase {
        let name = name.into();
        if !self.terminal {
            eprintln!("{name} ...");
            return Phase { bar: None, name };
        }
        let bar = ProgressBar::new(steps).with_message(name.clone());
        if let Ok(style) = ProgressStyle::with_template("{msg:24} [{bar:40}] {pos}/{len} {elapsed}")
        {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        Phase {
            bar: Some(bar),
            name,
        }
    }
}

impl Phase {
    /// So many steps are done.
    pub fn at(&self, step: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(step);
        }
    }

    /// The phase is over.
    pub fn done(self, said: &str) {
        match self.bar {
            Some(bar) => bar.finish_with_message(format!("{} {said}", self.name)),
            None => eprintln!("{} {said}", self.name),
        }
    }
}
