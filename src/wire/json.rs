//! JSON as frames hold it: depth is checked before anything is decoded, then the frame is
//! taken apart in one pass that leaves every value unread.

use super::fields::{Fields, Part, Parts};
use crate::limits::FRAME_DEPTH;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Finds the byte at which nesting goes deeper than [`FRAME_DEPTH`].
pub(super) fn too_deep(bytes: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut in_text = false;
    let mut escaped = false;
    for (at, byte) in bytes.iter().enumerate() {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > FRAME_DEPTH {
                    return Some(at);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Takes a frame apart. `None` is a frame that is neither an object nor an array.
pub(super) fn parts<'a, const N: usize>(
    text: &'a str,
    keys: &'static [&'static str; N],
) -> Result<Option<Parts<'a, N>>, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let parts = Frame(keys).deserialize(&mut json)?;
    json.end()?;
    Ok(parts)
}

/// Checks that the text is one well-formed value.
pub(super) fn check(text: &str) -> Result<(), serde_json::Error> {
    serde_json::from_str::<IgnoredAny>(text).map(drop)
}

/// Every visitor here takes any kind of value, so that only broken JSON is an error.
macro_rules! scalars {
    ($value:expr) => {
        fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
            Ok($value)
        }

        fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
            Ok($value)
        }

        fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
            Ok($value)
        }

        fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
            Ok($value)
        }

        fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
            Ok($value)
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok($value)
        }
    };
}

struct Frame<const N: usize>(&'static [&'static str; N]);

impl<'de, const N: usize> DeserializeSeed<'de> for Frame<N> {
    type Value = Option<Parts<'de, N>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Frame<N> {
    type Value = Option<Parts<'de, N>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message or an array of messages")
    }

    scalars!(None);

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        fields(self.0, map).map(|fields| Some(Parts::one(Part::Message(fields))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut parts = Parts::none();
        while let Some(part) = seq.next_element_seed(Element(self.0))? {
            parts.push(part);
        }
        Ok(Some(parts))
    }
}

struct Element<const N: usize>(&'static [&'static str; N]);

impl<'de, const N: usize> DeserializeSeed<'de> for Element<N> {
    type Value = Part<'de, N>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Element<N> {
    type Value = Part<'de, N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message")
    }

    scalars!(Part::Other);

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        fields(self.0, map).map(Part::Message)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Part::Other)
    }
}

fn fields<'de, A: MapAccess<'de>, const N: usize>(
    keys: &'static [&'static str; N],
    mut map: A,
) -> Result<Fields<'de, N>, A::Error> {
    let mut fields = Fields::new(keys);
    while let Some(number) = map.next_key_seed(Key(keys))? {
        let value: &RawValue = map.next_value()?;
        if let Some(number) = number {
            fields.set(number, value.get().as_bytes());
        }
    }
    Ok(fields)
}

struct Key<const N: usize>(&'static [&'static str; N]);

impl<'de, const N: usize> DeserializeSeed<'de> for Key<N> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<const N: usize> Visitor<'_> for Key<N> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Fields::number(self.0, key))
    }
}

#[cfg(test)]
mod tests {
    use super::too_deep;
    use crate::limits::FRAME_DEPTH;

    #[test]
    fn brackets_in_texts_are_no_nesting() {
        let text = format!("[\"{}\\\"{}\", {{}}]", "[".repeat(100), "{".repeat(100));
        assert_eq!(too_deep(text.as_bytes()), None);
        assert_eq!(too_deep("[]".repeat(1_000).as_bytes()), None);
    }

    #[test]
    fn the_first_bracket_too_many_is_found() {
        assert_eq!(too_deep("[".repeat(FRAME_DEPTH).as_bytes()), None);
        assert_eq!(
            too_deep("[".repeat(FRAME_DEPTH + 1).as_bytes()),
            Some(FRAME_DEPTH)
        );
    }
}
