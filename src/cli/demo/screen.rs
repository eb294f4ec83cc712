//! What the demo shows in a terminal: the supervisor's own view of the queues, and the tally.

use super::line::{Cut, Line};
use super::tally::{CHANNELS, Tally};
use super::{Failure, Stage, centre};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Interval, interval};

/// Columns of `stats.queues` that are shown, each below its heading.
const SHOWN: [(&str, &str); 5] = [
    ("waiting", "waiting"),
    ("ringing", "ringing"),
    ("active", "active"),
    ("wrap_up", "wrap_up"),
    ("routable", "agents_routable"),
];

/// A live summary.
pub(super) struct Screen {
    line: Line,
    live: bool,
    tick: Interval,
    columns: Vec<String>,
    rows: BTreeMap<String, Vec<Value>>,
    drawn: bool,
}

impl Screen {
    pub(super) async fn open(stage: &Arc<Stage>, live: bool) -> Result<Self, Failure> {
        let mut line = stage.open(centre::SUPERVISOR).await?;
        line.subscribe("stats.queues")
            .await
            .map_err(|error| Failure::Unknown(format!("the demo's supervisor: {error}")))?;
        let every = if live { 500 } else { 5_000 };
        Ok(Self {
            line,
            live,
            tick: interval(Duration::from_millis(every)),
            columns: Vec::new(),
            rows: BTreeMap::new(),
            drawn: false,
        })
    }

    /// The next picture.
    pub(super) async fn next(&mut self, tally: &Tally) -> String {
        loop {
            tokio::select! {
                _ = self.tick.tick() => return self.draw(tally),
                message = self.line.next() => match message {
                    Ok(message) => self.take(&message),
                    Err(cut) => return self.end(&cut).await,
                },
            }
        }
    }

    /// The server is gone: said once, then silence.
    async fn end(&mut self, cut: &Cut) -> String {
        if self.drawn {
            self.drawn = false;
            return format!("the demo's supervisor was cut off: {cut}\n");
        }
        std::future::pending().await
    }

    fn take(&mut self, message: &Value) {
        let cells = |of: &Value| of.as_array().cloned().unwrap_or_default();
        match message["type"].as_str().unwrap_or_default() {
            "snapshot" => {
                self.columns = cells(&message["columns"])
                    .iter()
                    .map(|name| name.as_str().unwrap_or_default().to_owned())
                    .collect();
                for row in cells(&message["rows"]) {
                    let row = cells(&row);
                    let key = row.first().and_then(Value::as_str).unwrap_or_default();
                    self.rows.insert(key.to_owned(), row);
                }
            }
            "update" => {
                for change in cells(&message["set"]) {
                    self.change(&cells(&change));
                }
            }
            _ => {}
        }
    }

    fn change(&mut self, change: &[Value]) {
        let key = change.first().and_then(Value::as_str).unwrap_or_default();
        let width = self.columns.len();
        let row = self
            .rows
            .entry(key.to_owned())
            .or_insert_with(|| vec![Value::Null; width]);
        for pair in change.get(1..).unwrap_or_default().chunks_exact(2) {
            let column = pair[0].as_u64().and_then(|at| usize::try_from(at).ok());
            if let Some(cell) = column.and_then(|at| row.get_mut(at)) {
                *cell = pair[1].clone();
            }
        }
    }

    fn cell(&self, row: &[Value], column: &str) -> String {
        let at = self.columns.iter().position(|name| name == column);
        match at.and_then(|at| row.get(at)) {
            Some(Value::Null) | None => "—".to_owned(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }
    }

    fn draw(&mut self, tally: &Tally) -> String {
        let mut text = String::new();
        if self.live && self.drawn {
            let lines = self.rows.len() + CHANNELS.len() + 4;
            let _ = write!(text, "\x1b[{lines}A\x1b[J");
        }
        let _ = write!(text, "{:<12}", "queue");
        for (heading, _) in SHOWN {
            let _ = write!(text, "{heading:>10}");
        }
        text.push('\n');
        for (name, row) in &self.rows {
            let _ = write!(text, "{name:<12}");
            for (_, column) in SHOWN {
                let _ = write!(text, "{:>10}", self.cell(row, column));
            }
            text.push('\n');
        }
        let _ = write!(
            text,
            "\n{:<12}{:>10}{:>10}{:>10}{:>10}\n",
            "channel", "submitted", "answered", "abandoned", "completed"
        );
        for (name, row) in CHANNELS.iter().zip(tally.rows()) {
            let _ = writeln!(
                text,
                "{name:<12}{:>10}{:>10}{:>10}{:>10}",
                row.submitted, row.answered, row.abandoned, row.completed
            );
        }
        text.push('\n');
        self.drawn = true;
        text
    }
}

#[cfg(test)]
mod tests {
    use super::SHOWN;
    use crate::config::{Config, STARTER, Source};
    use crate::live::stats::Table;

    #[test]
    fn every_column_that_is_shown_is_a_column_of_the_table() {
        let source = Source {
            name: "starter.toml".to_owned(),
            text: STARTER.to_owned(),
        };
        let config = Config::check(source).unwrap();
        let columns = Table::Queues.columns(&config.workspaces[0].rules);
        for (_, shown) in SHOWN {
            assert!(
                columns.iter().any(|column| &*column.name == shown),
                "{shown}"
            );
        }
    }
}
