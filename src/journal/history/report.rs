//! Reading the history: reports, each of one table, row by row in the order of time.

use super::{HistoryError, schema};
use crate::time::Instant;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, ToSql};
use serde_json::Value as Json;
use std::ops::ControlFlow;
use std::path::Path;

/// A report: a table of the history.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Report {
    /// A row per contact, by when it entered.
    Contacts,
    /// Stays in line, offers, legs and wrap-ups, by when they began.
    Segments,
    /// What agents were doing, by when it began.
    AgentStates,
    /// Counters of half hours, queues and channels.
    QueueIntervals,
    /// Counters of half hours, agents and channels.
    AgentIntervals,
    /// Who did what.
    Audit,
}

/// What the values of a column are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A name, a word or a text.
    Text,
    /// A number.
    Count,
    /// An instant, in milliseconds since 1970 UTC.
    At,
    /// A length of time, in milliseconds.
    Length,
    /// A list of texts, as JSON.
    List,
}

/// A column of a report, named as in its table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What its values are.
    pub kind: Kind,
}

/// A value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// Nothing, or nothing that may be seen.
    Null,
    /// A number, an instant or a length of time.
    Number(i64),
    /// A text.
    Text(String),
}

impl Report {
    /// Every report.
    pub const ALL: [Self; 6] = [
        Self::Contacts,
        Self::Segments,
        Self::AgentStates,
        Self::QueueIntervals,
        Self::AgentIntervals,
        Self::Audit,
    ];

    /// Its name, which is that of its table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Segments => "segments",
            Self::AgentStates => "agent_states",
            Self::QueueIntervals => "queue_intervals",
            Self::AgentIntervals => "agent_intervals",
            Self::Audit => "audit",
        }
    }

    /// The report of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|report| report.name() == name)
    }

    /// Its columns, in order.
    #[must_use]
    pub fn columns(self) -> Vec<Column> {
        let column = |name: &'static str| Column {
            name,
            kind: kind(name),
        };
        self.names().split(' ').map(column).collect()
    }

    const fn names(self) -> &'static str {
        match self {
            Self::Contacts => {
                "contact external_id customer_id channel first_queue queue conversation submitted_by entered_at answered_at ended_at closed_at waited_ms answered_by answered_team talk_ms wrap_up_ms offers requeues returns outcome wrap_up_codes"
            }
            Self::Segments => {
                "seq contact kind parent queue channel agent team cause outcome reason codes started_at ended_at"
            }
            Self::AgentStates => "agent state reason connection outcome started_at ended_at",
            Self::QueueIntervals => {
                "started_at queue channel threshold_ms entered moved_in transferred_in returned answered answered_first answered_in_threshold abandoned short_abandoned abandoned_in_threshold abandoned_after_return cancelled moved_out requeued offers offers_accepted offers_declined offers_missed offers_withdrawn offers_failed handled talk_ms wrap_up_ms wait_ms abandon_wait_ms max_wait_ms"
            }
            Self::AgentIntervals => {
                "started_at agent channel offers offers_accepted offers_declined offers_missed offers_withdrawn offers_failed answered handled talk_ms wrap_up_ms"
            }
            Self::Audit => "seq at user behalf action contact queue agent detail",
        }
    }

    /// The column by whose time rows are chosen and ordered, and what orders those of one time.
    const fn order(self) -> (&'static str, &'static str) {
        match self {
            Self::Contacts => ("entered_at", "seq"),
            Self::Segments | Self::AgentStates => ("started_at", "seq"),
            Self::QueueIntervals => ("started_at", "queue || ' ' || channel"),
            Self::AgentIntervals => ("started_at", "agent || ' ' || channel"),
            Self::Audit => ("at", "seq"),
        }
    }

    /// The columns by which it can be filtered: queue, agent and channel, as far as it has them.
    const fn filters(self) -> [Option<&'static str>; 3] {
        match self {
            Self::Contacts => [Some("queue"), Some("answered_by"), Some("channel")],
            Self::Segments => [Some("queue"), Some("agent"), Some("channel")],
            Self::AgentStates => [None, Some("agent"), None],
            Self::QueueIntervals => [Some("queue"), None, Some("channel")],
            Self::AgentIntervals => [None, Some("agent"), Some("channel")],
            Self::Audit => [Some("queue"), Some("agent"), None],
        }
    }
}

/// What the values of a column are, by how columns are named.
fn kind(name: &str) -> Kind {
    const COUNTS: &[&str] = &["seq", "parent", "entered", "moved_in", "transferred_in"];
    const MORE: &[&str] = &[
        "returned",
        "answered",
        "answered_first",
        "answered_in_threshold",
        "abandoned",
        "short_abandoned",
        "abandoned_in_threshold",
        "abandoned_after_return",
        "cancelled",
        "moved_out",
        "requeued",
        "requeues",
        "returns",
        "handled",
    ];
    match name {
        "at" => Kind::At,
        "codes" | "wrap_up_codes" => Kind::List,
        name if name.ends_with("_at") => Kind::At,
        name if name.ends_with("_ms") => Kind::Length,
        name if name.starts_with("offers") => Kind::Count,
        name if COUNTS.contains(&name) || MORE.contains(&name) => Kind::Count,
        _ => Kind::Text,
    }
}

/// Which rows are wanted.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// From this time on.
    pub from: Option<Instant>,
    /// Up to this time, and not of it.
    pub to: Option<Instant>,
    /// Of this queue.
    pub queue: Option<String>,
    /// Of this agent.
    pub agent: Option<String>,
    /// Of this channel.
    pub channel: Option<String>,
    /// Behind the row of this place.
    pub after: Option<Place>,
}

/// Where a row stands in its report: its time, and what tells it from others of that time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Its time.
    pub at: i64,
    /// Its position in the log, or whose half hour it is.
    pub key: Value,
}

impl Place {
    /// The place in a report, as a text whose inside is nobody's business.
    #[must_use]
    pub fn cursor(&self, report: Report) -> String {
        let key = match &self.key {
            Value::Null => Json::Null,
            Value::Number(number) => Json::from(*number),
            Value::Text(text) => Json::from(text.as_str()),
        };
        let place = Json::from(vec![Json::from(report.name()), Json::from(self.at), key]);
        URL_SAFE_NO_PAD.encode(place.to_string())
    }

    /// The place that such a text names in this report.
    #[must_use]
    pub fn at(report: Report, cursor: &str) -> Option<Self> {
        let place = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (of, at, key): (String, i64, Json) = serde_json::from_slice(&place).ok()?;
        let key = match key {
            Json::Number(number) => Value::Number(number.as_i64()?),
            Json::String(text) => Value::Text(text),
            Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => return None,
        };
        (of == report.name()).then_some(Self { at, key })
    }
}

/// An instant as people and programs name it: milliseconds since 1970 UTC, a date (its first
/// moment in UTC), or a date and time with an offset.
#[must_use]
pub fn instant(text: &str) -> Option<Instant> {
    if let Ok(ms) = text.parse() {
        return Some(Instant(ms));
    }
    let at = text.parse::<Timestamp>().ok().or_else(|| {
        let date = text.parse::<Date>().ok()?;
        date.to_zoned(TimeZone::UTC).ok().map(|day| day.timestamp())
    })?;
    u64::try_from(at.as_millisecond()).ok().map(Instant)
}

/// A row, with the place at which it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Read {
    /// Its values, in the order of the columns.
    pub values: Vec<Value>,
    /// Its place.
    pub place: Place,
}

/// The history of a workspace, open to be read, also while a server writes it.
#[derive(Debug)]
pub struct Reader(Connection);

impl Reader {
    /// Opens the file.
    ///
    /// # Errors
    /// When there is none, or it is not one of ours, or of another version.
    pub fn open(path: &Path) -> Result<Self, HistoryError> {
        Ok(Self(schema::open_to_read(path)?))
    }

    /// Reads the rows that are wanted, in order, for as long as `each` wants more. A filter
    /// that the report does not have leaves nothing.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn read(
        &self,
        report: Report,
        asked: &Asked,
        mut each: impl FnMut(Read) -> ControlFlow<()>,
    ) -> Result<(), HistoryError> {
        let (at, key) = report.order();
        let mut wanted: Vec<String> = Vec::new();
        let mut values: Vec<&dyn ToSql> = Vec::new();
        let (from, to) = (millis(asked.from), millis(asked.to));
        for (bound, compared) in [(&from, ">="), (&to, "<")] {
            if let Some(bound) = bound {
                wanted.push(format!("{at} {compared} ?"));
                values.push(bound);
            }
        }
        let given = [&asked.queue, &asked.agent, &asked.channel];
        for (column, value) in report.filters().into_iter().zip(given) {
            match (column, value) {
                (_, None) => {}
                (Some(column), Some(value)) => {
                    wanted.push(format!("{column} = ?"));
                    values.push(value);
                }
                (None, Some(_)) => return Ok(()),
            }
        }
        if let Some(after) = &asked.after {
            wanted.push(format!("({at}, {key}) > (?, ?)"));
            values.push(&after.at);
            values.push(match &after.key {
                Value::Null => &rusqlite::types::Null,
                Value::Number(number) => number,
                Value::Text(text) => text,
            });
        }
        let wanted = match wanted.is_empty() {
            true => String::new(),
            false => format!("WHERE {}", wanted.join(" AND ")),
        };
        let columns = report.names().replace(' ', ", ");
        let query = format!(
            "SELECT {at}, {key}, {columns} FROM {table} {wanted} ORDER BY {at}, {key}",
            table = report.name()
        );
        let mut rows = self.0.prepare(&query)?;
        let count = report.columns().len();
        let mut rows = rows.query(values.as_slice())?;
        while let Some(row) = rows.next()? {
            if each(read(row, count)?).is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn millis(at: Option<Instant>) -> Option<i64> {
    at.map(|at| i64::try_from(at.0).unwrap_or(i64::MAX))
}

fn read(row: &Row<'_>, columns: usize) -> rusqlite::Result<Read> {
    let value = |n: usize| {
        Ok(match row.get_ref(n)? {
            ValueRef::Integer(number) => Value::Number(number),
            ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => Value::Null,
        })
    };
    Ok(Read {
        values: (2..columns + 2)
            .map(value)
            .collect::<rusqlite::Result<_>>()?,
        place: Place {
            at: row.get(0)?,
            key: value(1)?,
        },
    })
}
