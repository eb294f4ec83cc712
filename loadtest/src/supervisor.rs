//! A supervisor at both tables, and a judge of what they show.

use std::collections::HashMap;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::clock;
use crate::plan::supervisor_name;
use crate::promise::Promise;
use crate::session::{Client, Out, Run};
use crate::socket::Welcome;
use crate::staleness::Shown;
use crate::wire::{Cell, Incoming, Kind, Place, Rows, Subscribe};

/// Columns of `stats.queues` that are 0 in every row when nothing is under way.
const AT_REST: [&str; 5] = ["waiting", "ringing", "connecting", "active", "wrap_up"];
/// The tables a supervisor watches.
const TABLES: [&str; 2] = ["stats.queues", "stats.agents"];
/// The one whose rows are looked at; of the other, when it shows what.
const COMPARED: &str = TABLES[0];

#[derive(Default)]
struct Table {
    sub: Option<Box<str>>,
    columns: Vec<Box<str>>,
    rows: HashMap<Box<str>, Vec<Option<f64>>>,
    as_of: u64,
    at: i64,
    complete: bool,
    shown: Shown,
}

/// One supervisor.
pub struct Supervisor {
    name: String,
    run: Run,
    hz: u32,
    ahead_ms: f64,
    tables: [Table; TABLES.len()],
    ready: bool,
}

impl Supervisor {
    /// Supervisor number `index`, at both tables so many times a second.
    pub fn new(index: usize, run: Run, hz: u32) -> Self {
        Self {
            name: supervisor_name(index),
            run,
            hz,
            ahead_ms: 0.0,
            tables: Default::default(),
            ready: false,
        }
    }

    fn reply(&mut self, message: &Incoming<'_>) -> Result<()> {
        let id = message.id.as_deref().unwrap_or_default();
        if let Some(error) = &message.error {
            bail!("{id} was refused: {} {}", error.code, error.message);
        }
        let table = TABLES.iter().position(|topic| *topic == id);
        let sub = message
            .result
            .as_ref()
            .and_then(|result| result.sub.as_deref());
        match (table, sub) {
            (Some(table), Some(sub)) => self.tables[table].sub = Some(sub.into()),
            (Some(_), None) => bail!("the reply to the subscription of {id} names no `sub`"),
            (None, _) => {}
        }
        Ok(())
    }

    /// The table that a message is about, and what it says of the rows, where they are compared.
    fn table<'a>(
        &mut self,
        message: &Incoming<'_>,
        place: Place<'a>,
    ) -> Result<Option<(&mut Table, Rows<'a>)>> {
        let sub = message.sub.as_deref();
        let mut tables = self.tables.iter_mut().zip(TABLES);
        let found = tables.find(|(table, _)| sub.is_some() && table.sub.as_deref() == sub);
        let Some((table, topic)) = found else {
            return Ok(None);
        };
        let rows = if topic == COMPARED {
            place.rows()?
        } else {
            Rows::default()
        };
        Ok(Some((table, rows)))
    }

    fn snapshot(&mut self, message: &Incoming<'_>, place: Place<'_>) -> Result<()> {
        let watch = self.run.ledger.turn().measures.changes.watch();
        let Some((table, rows)) = self.table(message, place)? else {
            return Ok(());
        };
        if let Some(columns) = &rows.columns {
            table.columns = columns.iter().map(|column| (**column).into()).collect();
            table.rows.clear();
        }
        for row in rows.rows.iter().flatten() {
            if let Some(Cell::Text(key)) = row.first() {
                let numbers = row.iter().map(Cell::number).collect();
                table.rows.insert((**key).into(), numbers);
            }
        }
        table.as_of = table.as_of.max(message.as_of.unwrap_or(0));
        table.complete = message.last == Some(true);
        table.shown = watch;
        if !self.ready && self.tables.iter().all(|table| table.complete) {
            self.ready = true;
            let _ = self.run.ready.send(Ok(()));
        }
        Ok(())
    }

    fn update(
        &mut self,
        message: &Incoming<'_>,
        place: Place<'_>,
        received: Instant,
    ) -> Result<()> {
        let age_ms = clock::nanos(received, clock::now()) as f64 / 1_000_000.0;
        let now_ms = clock::wall_ms() - age_ms + self.ahead_ms;
        let ledger = self.run.ledger.clone();
        let name = self.name.clone();
        let Some((table, rows)) = self.table(message, place)? else {
            return Ok(());
        };
        let (as_of, at) = (message.as_of.unwrap_or(0), message.at.unwrap_or(0));
        for row in rows.set.iter().flatten() {
            table.set(row);
        }
        for key in rows.remove.iter().flatten() {
            table.rows.remove(&**key);
        }
        let mut ledger = ledger.turn();
        if as_of < table.as_of || at < table.at {
            let before = (table.as_of, table.at);
            ledger.broken.note(Promise::RowsBack, || {
                format!(
                    "{name}: rows of {:?} went from {before:?} back to {:?}",
                    message.sub,
                    (as_of, at)
                )
            });
        }
        table.as_of = as_of;
        table.at = at;
        if ledger.measures.running {
            ledger
                .measures
                .changes
                .shown(&mut table.shown, as_of, now_ms);
        } else {
            table.shown = ledger.measures.changes.watch();
        }
        Ok(())
    }
}

impl Table {
    fn set(&mut self, row: &[Cell<'_>]) {
        let Some((Cell::Text(key), pairs)) = row.split_first() else {
            return;
        };
        if !self.rows.contains_key(&**key) {
            let cells = vec![None; self.columns.len()];
            self.rows.insert((**key).into(), cells);
        }
        let Some(numbers) = self.rows.get_mut(&**key) else {
            return;
        };
        for pair in pairs.chunks_exact(2) {
            let place = pair[0].number().map(|number| number as usize);
            if let Some(cell) = place.and_then(|place| numbers.get_mut(place)) {
                *cell = pair[1].number();
            }
        }
    }

    fn at_work(&self) -> Option<String> {
        for (place, column) in self.columns.iter().enumerate() {
            if !AT_REST.contains(&&**column) {
                continue;
            }
            for (key, numbers) in &self.rows {
                if let Some(number) = numbers[place].filter(|number| *number != 0.0) {
                    return Some(format!("{column} of {key} is {number}"));
                }
            }
        }
        None
    }
}

impl Client for Supervisor {
    fn name(&self) -> &str {
        &self.name
    }

    fn start(&mut self, welcome: Welcome, out: &mut Out) -> Result<()> {
        self.ahead_ms = welcome.ahead_ms;
        for topic in TABLES {
            out.say(&Subscribe::new(topic, topic, Some(self.hz)))?;
        }
        Ok(())
    }

    fn take(
        &mut self,
        message: &Incoming<'_>,
        at: Instant,
        place: Place<'_>,
        _out: &mut Out,
    ) -> Result<()> {
        match message.kind {
            Kind::Reply => self.reply(message)?,
            Kind::Snapshot => self.snapshot(message, place)?,
            Kind::Update => self.update(message, place, at)?,
            Kind::Goaway => bail!("the server says goaway"),
            Kind::Welcome
            | Kind::Event
            | Kind::Entered
            | Kind::Left
            | Kind::Ping
            | Kind::Reset
            | Kind::Other => {}
        }
        Ok(())
    }

    /// A supervisor goes when all contacts are over: the queues' table has to say so.
    fn end(&mut self) {
        if let Some(left) = self.tables[0].at_work() {
            let mut ledger = self.run.ledger.turn();
            ledger.broken.note(Promise::Settled, || {
                format!("{}: all is over, but {left}", self.name)
            });
        }
    }
}
