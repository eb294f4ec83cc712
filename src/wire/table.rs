//! Statistics tables: their cells, whole rows, and changed rows.

use super::push::Str;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A value of a table.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Cell<'a> {
    /// Nothing to say: no traffic, or not measured.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number: a count, an instant or a duration in milliseconds.
    Int(i64),
    /// A number with a fraction: a ratio from 0 to 1.
    Float(f64),
    /// A text.
    Text(Str<'a>),
    /// Whole numbers by name.
    Counts(BTreeMap<Str<'a>, i64>),
}

/// A changed row of a conflated view, written `[key, column, value, column, value, …]`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RowChange<'a> {
    /// The key of the row.
    pub key: &'a str,
    /// Index of each changed column in the snapshot's `columns`, and its value.
    pub cells: &'a [(u16, Cell<'a>)],
}

impl Serialize for RowChange<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_seq(Some(1 + 2 * self.cells.len()))?;
        row.serialize_element(self.key)?;
        for (column, cell) in self.cells {
            row.serialize_element(column)?;
            row.serialize_element(cell)?;
        }
        row.end()
    }
}

impl JsonSchema for RowChange<'_> {
    fn schema_name() -> Cow<'static, str> {
        "RowChange".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let cell = generator.subschema_for::<Cell<'_>>();
        json_schema!({
            "description": "[key, column, value, column, value, …]",
            "type": "array",
            "prefixItems": [{ "type": "string" }],
            "items": cell,
            "minItems": 1,
        })
    }
}
