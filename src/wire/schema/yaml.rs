//! Values as YAML and JSON for people: keys in an order that reads well, the rest by name.

use serde_json::Value;

/// Keys that come first, in this order.
const FIRST: [&str; 45] = [
    "$schema",
    "$id",
    "asyncapi",
    "title",
    "name",
    "info",
    "type",
    "id",
    "version",
    "license",
    "summary",
    "description",
    "$ref",
    "const",
    "enum",
    "format",
    "host",
    "protocol",
    "address",
    "action",
    "channel",
    "sub",
    "seq",
    "prev",
    "at",
    "event",
    "key",
    "method",
    "topic",
    "params",
    "result",
    "error",
    "defaultContentType",
    "servers",
    "channels",
    "operations",
    "components",
    "properties",
    "required",
    "items",
    "messages",
    "reply",
    "payload",
    "examples",
    "$defs",
];

fn ordered(map: &serde_json::Map<String, Value>) -> Vec<(&String, &Value)> {
    let rank = |key: &str| {
        FIRST
            .iter()
            .position(|first| *first == key)
            .unwrap_or(FIRST.len())
    };
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by(|(a, _), (b, _)| (rank(a), a).cmp(&(rank(b), b)));
    entries
}

/// The value as indented JSON.
pub(super) fn json(value: &Value) -> String {
    let mut text = String::new();
    write_json(&mut text, value, 0);
    text.push('\n');
    text
}

fn write_json(text: &mut String, value: &Value, indent: usize) {
    let line = |text: &mut String, indent: usize| {
        text.push('\n');
        text.push_str(&"  ".repeat(indent));
    };
    match value {
        Value::Object(map) if !map.is_empty() => {
            text.push('{');
            for (number, (key, value)) in ordered(map).into_iter().enumerate() {
                if number > 0 {
                    text.push(',');
                }
                line(text, indent + 1);
                text.push_str(&format!("{}: ", Value::from(key.as_str())));
                write_json(text, value, indent + 1);
            }
            line(text, indent);
            text.push('}');
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            text.push('[');
            for (number, item) in items.iter().enumerate() {
                if number > 0 {
                    text.push(',');
                }
                line(text, indent + 1);
                write_json(text, item, indent + 1);
            }
            line(text, indent);
            text.push(']');
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(Value::to_string).collect();
            text.push_str(&format!("[{}]", items.join(", ")));
        }
        Value::Object(_) => text.push_str("{}"),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            text.push_str(&value.to_string());
        }
    }
}

/// The value, an object, as YAML.
pub(super) fn yaml(value: &Value) -> String {
    let mut text = String::new();
    write_yaml(&mut text, value, 0);
    text.trim_start_matches('\n').to_owned() + "\n"
}

/// Writes a value behind `key:` or `-`.
fn write_yaml(text: &mut String, value: &Value, indent: usize) {
    let margin = "  ".repeat(indent);
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in ordered(map) {
                text.push_str(&format!("\n{margin}{}:", scalar(key)));
                write_yaml(text, value, indent + 1);
            }
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            for item in items {
                let mut inner = String::new();
                write_yaml(&mut inner, item, indent + 1);
                let inner = inner.trim_start();
                text.push_str(&format!("\n{margin}- {inner}"));
            }
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(flow).collect();
            text.push_str(&format!(" [{}]", items.join(", ")));
        }
        Value::String(lines) if lines.contains('\n') => {
            text.push_str(" |-");
            for line in lines.lines() {
                text.push_str(&format!("\n{margin}{line}"));
            }
        }
        Value::String(string) => text.push_str(&format!(" {}", scalar(string))),
        Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {
            text.push_str(&format!(" {value}"));
        }
    }
}

fn flow(value: &Value) -> String {
    match value {
        Value::String(string) => scalar(string),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

/// A text, quoted as JSON unless it is plain beyond doubt.
fn scalar(text: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
    let inner = |c: char| word(c) || " ,;()=<>+".contains(c);
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.ends_with(|c: char| word(c) || c == ')')
        && text.chars().all(inner)
        && !text.contains(", ")
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
            .contains(&text.to_lowercase().as_str());
    if plain {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}

#[test]
fn yaml_quotes_what_yaml_would_read_otherwise() {
    let value = serde_json::json!({
        "a": "plain text", "b": "null", "c": "1.0", "d": "x: y", "e": ["on", "b c", 3], "f": {}, "g": [],
        "h": [{"k": "v", "l": [1]}, {"k": "two\nlines"}], "#i": null,
    });
    assert_eq!(
        yaml(&value),
        "\"#i\": null\na: plain text\nb: \"null\"\nc: \"1.0\"\nd: \"x: y\"\ne: [\"on\", b c, 3]\nf: {}\ng: []\nh:\n- k: v\n    l: [1]\n"
            .replace("h:\n- k: v\n    l: [1]\n", "h:\n  - k: v\n    l: [1]\n  - k: |-\n      two\n      lines\n")
    );
}
