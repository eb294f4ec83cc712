//! A frame taken apart: the bytes of each known key of each of its messages, unread.

use super::codec::Encoding;
use super::raw::{Problem, read};
use crate::limits::FRAME_MESSAGES;
use serde::de::DeserializeOwned;

/// The messages of a frame; at most [`FRAME_MESSAGES`] are kept, all are counted.
pub(super) struct Parts<'a, const N: usize> {
    /// Those that are kept.
    pub messages: Vec<Part<'a, N>>,
    /// How many there are.
    pub count: usize,
}

/// One element of a frame.
pub(super) enum Part<'a, const N: usize> {
    /// An object.
    Message(Fields<'a, N>),
    /// Anything else.
    Other,
}

impl<'a, const N: usize> Parts<'a, N> {
    /// A frame that is one message.
    pub fn one(part: Part<'a, N>) -> Self {
        Self {
            messages: vec![part],
            count: 1,
        }
    }

    /// An array without messages yet.
    pub fn none() -> Self {
        Self {
            messages: Vec::new(),
            count: 0,
        }
    }

    /// Adds a message of an array.
    pub fn push(&mut self, part: Part<'a, N>) {
        self.count += 1;
        if self.count <= FRAME_MESSAGES {
            self.messages.push(part);
        }
    }
}

/// One message: where each of the known keys has its value.
pub(super) struct Fields<'a, const N: usize> {
    keys: &'static [&'static str; N],
    values: [Option<&'a [u8]>; N],
    twice: Option<&'static str>,
}

impl<'a, const N: usize> Fields<'a, N> {
    /// A message without keys yet.
    pub fn new(keys: &'static [&'static str; N]) -> Self {
        Self {
            keys,
            values: [None; N],
            twice: None,
        }
    }

    /// The number of a known key.
    pub fn number(keys: &'static [&'static str; N], key: &str) -> Option<usize> {
        keys.iter().position(|known| *known == key)
    }

    /// Notes the value of a known key.
    pub fn set(&mut self, number: usize, value: &'a [u8]) {
        if self.values[number].replace(value).is_some() {
            self.twice = Some(self.keys[number]);
        }
    }

    /// A known key that was given more than once.
    pub fn twice(&self) -> Option<&'static str> {
        self.twice
    }

    /// The unread value of a key.
    pub fn value(&self, key: &str) -> Option<&'a [u8]> {
        self.keys
            .iter()
            .position(|known| *known == key)
            .and_then(|number| self.values[number])
    }

    /// Reads the value of a key that has to be there.
    pub fn must<T: DeserializeOwned>(&self, encoding: Encoding, key: &str) -> Result<T, Problem> {
        let Some(bytes) = self.value(key) else {
            return Err(Problem {
                pointer: format!("/{key}"),
                expected: "a value, none is given".to_owned(),
            });
        };
        read(encoding, bytes).map_err(|problem| problem.under(key))
    }

    /// Reads the value of a key that may be left out or null.
    pub fn may<T: DeserializeOwned>(
        &self,
        encoding: Encoding,
        key: &str,
    ) -> Result<Option<T>, Problem> {
        match self.value(key) {
            None => Ok(None),
            Some(bytes) => read(encoding, bytes).map_err(|problem| problem.under(key)),
        }
    }
}
