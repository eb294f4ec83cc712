//! From the text of a file to its tables: every syntax error, unknown key and wrong value in
//! one pass, each in words a person can act on.

use super::file::File;
use super::finding::{Notes, Source};
use crate::domain::near::did_you_mean;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// Stop after so many errors: the rest is likely to follow from them.
const MOST: usize = 30;

/// Reads the tables of a file, or notes everything that is wrong with them.
pub(super) fn read(source: &Source, notes: &mut Notes) -> Option<File> {
    let (mut table, errors) = DeTable::parse_recoverable(&source.text);
    for error in errors {
        notes.error(&error.span().unwrap_or(0..0), in_words(error.message()));
    }
    if !notes.0.is_empty() {
        return None;
    }
    loop {
        let error = match serde::Deserialize::deserialize(toml::Deserializer::from(table.clone())) {
            Ok(file) => return notes.0.is_empty().then_some(file),
            Err(error) => error,
        };
        let error: toml::de::Error = error;
        let span = error.span().unwrap_or(0..0);
        notes.error(&span, in_words(error.message()));
        if notes.0.len() >= MOST || !take_out(table.get_mut(), &span) {
            return None;
        }
    }
}

/// Takes the entry out whose key or value stands here, or that lists it, so that the next error
/// can be found.
fn take_out(table: &mut DeTable<'_>, span: &Range<usize>) -> bool {
    let stands_here = |(key, value): &(&Spanned<DeString<'_>>, &Spanned<DeValue<'_>>)| {
        key.span() == *span || value.span() == *span || lists(value.get_ref(), span)
    };
    if let Some(key) = table.iter().find(stands_here).map(|(key, _)| key.clone()) {
        return table.remove(&key).is_some();
    }
    table
        .iter_mut()
        .any(|(_, value)| take_out_of(value.get_mut(), span))
}

fn lists(value: &DeValue<'_>, span: &Range<usize>) -> bool {
    value
        .as_array()
        .is_some_and(|list| list.iter().any(|item| item.span() == *span))
}

fn take_out_of(value: &mut DeValue<'_>, span: &Range<usize>) -> bool {
    match value {
        DeValue::Table(table) => take_out(table, span),
        DeValue::Array(list) => {
            let mut all = 0..list.len();
            all.any(|index| {
                list.get_mut(index)
                    .is_some_and(|item| take_out_of(item.get_mut(), span))
            })
        }
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => false,
    }
}

/// Says what serde and the TOML reader say, in the words of the manual.
fn in_words(message: &str) -> String {
    if message == "duplicate key" {
        return "this name is here twice; put its settings into one place, or rename one".into();
    }
    for (start, kind) in [("unknown field `", "key"), ("unknown variant `", "word")] {
        let Some((found, rest)) = message
            .strip_prefix(start)
            .and_then(|rest| rest.split_once('`'))
        else {
            continue;
        };
        let known = in_backticks(rest);
        let meant = did_you_mean(found, known.iter().copied());
        let listed: Vec<String> = known.iter().map(|name| format!("\"{name}\"")).collect();
        let possible = format!("possible here: {}", listed.join(", "));
        return if meant.is_empty() {
            format!("unknown {kind} \"{found}\"; {possible}")
        } else {
            format!("unknown {kind} \"{found}\"{meant} ({possible})")
        };
    }
    if let Some(field) = message
        .strip_prefix("missing field `")
        .and_then(|rest| rest.strip_suffix('`'))
    {
        return format!("the key \"{field}\" is missing here");
    }
    if let Some((found, wanted)) = message.split_once(", expected ")
        && let Some(found) = found
            .strip_prefix("invalid type: ")
            .or(found.strip_prefix("invalid value: "))
    {
        return format!(
            "expected {}, found {}",
            wanted_in_words(wanted),
            found_in_words(found)
        );
    }
    message.to_owned()
}

fn wanted_in_words(wanted: &str) -> &str {
    match wanted {
        "u32" | "u64" | "u8" | "usize" => "a whole number, 0 or more",
        "i32" | "i64" => "a whole number",
        "a string" | "string" => "a text in quotes",
        "a boolean" => "true or false",
        "a sequence" => "a list in brackets",
        "a map" => "a table",
        other if other.starts_with("struct ") => "a table",
        other => other,
    }
}

fn found_in_words(found: &str) -> String {
    match found {
        "sequence" => "a list".into(),
        "map" => "a table".into(),
        other => match other.split_once(' ') {
            Some(("string", text)) => text.to_owned(),
            Some((_, number)) => number
                .trim_start_matches("point ")
                .trim_matches('`')
                .to_owned(),
            None => other.to_owned(),
        },
    }
}

fn in_backticks(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The keys that a table may have: what serde lists when it meets an unknown one.
#[cfg(test)]
pub(super) fn keys<T: serde::de::DeserializeOwned>() -> Vec<String> {
    match toml::from_str::<T>("\"?\" = 0") {
        Ok(_) => Vec::new(),
        Err(error) => {
            let (_, rest) = error.message().split_once("`?`").unwrap_or_default();
            in_backticks(rest).into_iter().map(str::to_owned).collect()
        }
    }
}
