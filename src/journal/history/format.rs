//! Reports as bytes: JSON and NDJSON for programs, with times in milliseconds; CSV for
//! spreadsheets, with lengths in seconds and instants as dates.

use super::report::{Column, Kind, Value};
use jiff::Timestamp;
use serde_json::{Map, Value as Json};

/// How a report is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// One object: `{"rows": […], "next": …}`.
    Json,
    /// An object a line.
    Ndjson,
    /// A line of names, then a line a row (RFC 4180).
    Csv,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Json, Self::Ndjson, Self::Csv];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }

    /// The format of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }
}

/// Writes a report, row by row.
#[derive(Debug)]
pub struct Writing {
    format: Format,
    columns: Vec<Column>,
    rows: usize,
}

impl Writing {
    /// Begins a report.
    #[must_use]
    pub fn begin(format: Format, columns: Vec<Column>, out: &mut Vec<u8>) -> Self {
        match format {
            Format::Json => out.extend(b"{\"rows\":["),
            Format::Ndjson => {}
            Format::Csv => {
                let names: Vec<String> = columns.iter().map(csv_name).collect();
                out.extend(names.join(",").as_bytes());
                out.extend(b"\r\n");
            }
        }
        Self {
            format,
            columns,
            rows: 0,
        }
    }

    /// Writes a row.
    pub fn row(&mut self, values: &[Value], out: &mut Vec<u8>) {
        match self.format {
            Format::Json => {
                if self.rows > 0 {
                    out.push(b',');
                }
                self.object(values, out);
            }
            Format::Ndjson => {
                self.object(values, out);
                out.push(b'\n');
            }
            Format::Csv => {
                let columns = self.columns.iter().zip(values);
                let cells: Vec<String> =
                    columns.map(|(column, value)| cell(column, value)).collect();
                out.extend(cells.join(",").as_bytes());
                out.extend(b"\r\n");
            }
        }
        self.rows += 1;
    }

    /// Ends the report; `next` is where it goes on.
    pub fn end(self, next: Option<&str>, out: &mut Vec<u8>) {
        if self.format == Format::Json {
            out.extend(format!("],\"next\":{}}}", Json::from(next)).as_bytes());
        }
    }

    fn object(&self, values: &[Value], out: &mut Vec<u8>) {
        let mut object = Map::new();
        for (column, value) in self.columns.iter().zip(values) {
            object.insert(column.name.to_owned(), json(column, value));
        }
        out.extend(Json::Object(object).to_string().as_bytes());
    }
}

fn json(column: &Column, value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Number(number) => Json::from(*number),
        Value::Text(text) => match column.kind {
            Kind::List => serde_json::from_str(text).unwrap_or(Json::Null),
            Kind::Text | Kind::Count | Kind::At | Kind::Length => Json::from(text.as_str()),
        },
    }
}

/// A column of lengths says that they are seconds.
fn csv_name(column: &Column) -> String {
    match column.name.strip_suffix("_ms") {
        Some(name) => format!("{name}_s"),
        None => column.name.to_owned(),
    }
}

fn cell(column: &Column, value: &Value) -> String {
    match (value, column.kind) {
        (Value::Null, _) => String::new(),
        (Value::Number(ms), Kind::Length) => format!("{}.{:03}", ms / 1_000, ms % 1_000),
        (Value::Number(ms), Kind::At) => match Timestamp::from_millisecond(*ms) {
            Ok(at) => format!("{at:.3}"),
            Err(_) => ms.to_string(),
        },
        (Value::Number(number), Kind::Text | Kind::Count | Kind::List) => number.to_string(),
        (Value::Text(text), Kind::List) => {
            let list: Vec<String> = serde_json::from_str(text).unwrap_or_default();
            quoted(&list.join(" "))
        }
        (Value::Text(text), Kind::Text | Kind::Count | Kind::At | Kind::Length) => quoted(text),
    }
}

/// A text as CSV. One that a spreadsheet would take for a formula is made a text by a quote in
/// front: external ids come from outside.
fn quoted(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{Format, Writing};
    use crate::journal::history::report::{Column, Kind, Value};

    fn written(format: Format) -> String {
        let column = |name, kind| Column { name, kind };
        let columns = vec![
            column("external_id", Kind::Text),
            column("entered_at", Kind::At),
            column("waited_ms", Kind::Length),
            column("wrap_up_codes", Kind::List),
        ];
        let text = |text: &str| Value::Text(text.into());
        let mut out = Vec::new();
        let mut writing = Writing::begin(format, columns, &mut out);
        let first = [
            text("a, \"b\""),
            Value::Number(1_800_000_000_007),
            Value::Number(20_050),
            text(r#"["sale","paid"]"#),
        ];
        writing.row(&first, &mut out);
        let second = [text("=1+1"), Value::Null, Value::Null, Value::Null];
        writing.row(&second, &mut out);
        writing.end(Some("more"), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn csv_has_seconds_dates_and_no_formulas() {
        assert_eq!(
            written(Format::Csv),
            "external_id,entered_at,waited_s,wrap_up_codes\r\n\
             \"a, \"\"b\"\"\",2027-01-15T08:00:00.007Z,20.050,sale paid\r\n\
             '=1+1,,,\r\n"
        );
    }

    #[test]
    fn json_has_milliseconds_and_says_where_it_goes_on() {
        let ndjson = written(Format::Ndjson);
        assert_eq!(ndjson.lines().count(), 2);
        let json: serde_json::Value = serde_json::from_str(&written(Format::Json)).unwrap();
        assert_eq!(json["next"], "more");
        assert_eq!(json["rows"][0]["waited_ms"], 20_050);
        assert_eq!(json["rows"][0]["wrap_up_codes"][1], "paid");
        let line: serde_json::Value = serde_json::from_str(ndjson.lines().next().unwrap()).unwrap();
        assert_eq!(line, json["rows"][0]);
    }
}
