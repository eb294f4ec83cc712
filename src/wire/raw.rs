//! A value that was received and not yet read: it stays in the bytes of its frame until the
//! method or event that it belongs to is known.

use super::codec::Encoding;
use super::error::{Code, WireError};
use super::field::Object;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A checked value in the encoding in which it came: well formed, UTF-8, and not too deep.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Raw {
    encoding: Encoding,
    bytes: Bytes,
}

impl Raw {
    /// The value in `bytes`, which [`Encoding::decode`] or [`Encoding::body`] has checked.
    pub(super) fn checked(encoding: Encoding, bytes: Bytes) -> Self {
        Self { encoding, bytes }
    }

    /// An object without entries.
    #[must_use]
    pub fn empty(encoding: Encoding) -> Self {
        let bytes = match encoding {
            Encoding::Json => Bytes::from_static(b"{}"),
            Encoding::MessagePack => Bytes::from_static(b"\x80"),
        };
        Self { encoding, bytes }
    }

    /// The encoding in which the value came.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The bytes of the value.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Reads an object as `T`.
    ///
    /// # Errors
    /// `validation_failed` with the JSON pointer to the key that is missing or wrong and what
    /// would be right there; the value that was sent is not repeated.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, WireError> {
        read::<Object<T>>(self.encoding, &self.bytes)
            .map(|object| object.0)
            .map_err(|problem| problem.into_error(Code::ValidationFailed))
    }
}

/// Writes the value anew in the encoding of the serializer. It goes through a generic value, so
/// it is for clients and tests; the server never sends on what it received.
impl Serialize for Raw {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::Error;
        read::<serde_json::Value>(self.encoding, &self.bytes)
            .map_err(|problem| S::Error::custom(problem.expected))?
            .serialize(serializer)
    }
}

/// What is said when a reader does not tell what it expected.
const UNSAID: &str = "another kind of value";

/// Where a value is not what it should be, and what it should be.
#[derive(Debug)]
pub(super) struct Problem {
    /// JSON pointer to the value, from the one that was read.
    pub pointer: String,
    /// What would be right.
    pub expected: String,
}

impl Problem {
    /// The same, seen from the object that has the value under this key.
    pub fn under(mut self, key: &str) -> Self {
        self.pointer = format!("/{key}{}", self.pointer);
        self
    }

    /// The same as an error.
    pub fn into_error(self, code: Code) -> WireError {
        WireError::wrong(code, self.pointer, &self.expected)
    }
}

/// Reads checked bytes as `T`. The path to an error is only followed when there is one: the
/// bytes are then read a second time.
pub(super) fn read<T: DeserializeOwned>(encoding: Encoding, bytes: &[u8]) -> Result<T, Problem> {
    match encoding {
        Encoding::Json => serde_json::from_slice(bytes)
            .or_else(|_| followed(&mut serde_json::Deserializer::from_slice(bytes))),
        Encoding::MessagePack => rmp_serde::from_slice(bytes).or_else(|_| followed_pack(bytes)),
    }
}

/// The MessagePack reader does not say what it expected of a number or a truth value. A generic
/// value does, but knows no key that is given twice, so it is only asked when the reader is mute.
fn followed_pack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mute = match followed(&mut rmp_serde::Deserializer::from_read_ref(bytes)) {
        Err(problem) if problem.expected == UNSAID => problem,
        read => return read,
    };
    match rmp_serde::from_slice::<serde_json::Value>(bytes) {
        Ok(value) => Err(followed::<T, _>(value).err().unwrap_or(mute)),
        Err(_) => Err(mute),
    }
}

fn followed<'de, T, D>(deserializer: D) -> Result<T, Problem>
where
    T: Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    let mut path = serde_path_to_error::Track::new();
    T::deserialize(serde_path_to_error::Deserializer::new(
        deserializer,
        &mut path,
    ))
    .map_err(|error| problem(&path.path(), &error.to_string()))
}

/// Turns serde's words into ours. What serde repeats of the input always stands before the last
/// `, expected `, so nothing of it is kept.
fn problem(path: &serde_path_to_error::Path, text: &str) -> Problem {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                pointer.push('/');
                pointer.push_str(&escaped(key));
            }
            Segment::Unknown => {}
        }
    }
    let named = |start: &str| {
        text.strip_prefix(start)
            .and_then(|rest| rest.split('`').next())
    };
    let expected = if let Some(field) = named("missing field `") {
        pointer.push_str(&format!("/{field}"));
        "a value, none is given".to_owned()
    } else if let Some(field) = named("duplicate field `") {
        pointer.push_str(&format!("/{field}"));
        "one value, several are given".to_owned()
    } else if let Some((_, expected)) = text.rsplit_once(", expected ") {
        plain(expected.split(" at line ").next().unwrap_or(expected)).to_owned()
    } else {
        UNSAID.to_owned()
    };
    Problem { pointer, expected }
}

/// A key as a JSON pointer shows it, without what would disturb a reader's screen.
fn escaped(key: &str) -> String {
    let mut text = String::new();
    for c in key.chars().take(super::field::NAME) {
        match c {
            '~' => text.push_str("~0"),
            '/' => text.push_str("~1"),
            c if c.is_control() => text.push('\u{fffd}'),
            c => text.push(c),
        }
    }
    text
}

/// What Rust's types are called in the protocol's own words.
fn plain(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, not below zero",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a string" | "str" | "string" => "a text",
        "a map" => "an object",
        "a sequence" => "a list",
        other if other.starts_with("struct ") => "an object",
        other => other,
    }
}
