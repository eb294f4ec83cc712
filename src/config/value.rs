//! Values of a configuration file: lengths of time, words, levels.

use crate::time::Span;
use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use std::fmt;

/// A length of time: `"20s"`, `"5m"`, `"4h"`, `"1h30m"`, `"500ms"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Length(pub Span);

/// A number of bytes: `"512MiB"`, `"2GiB"`, `"0B"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Size(pub u64);

/// A length of time, or a word that says that there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LengthOr<W> {
    /// So long.
    Length(Span),
    /// The word.
    Word(W),
}

/// `"off"`: it does not happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Off;

/// `"media"`: as long as media lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WhileMedia;

/// One word that stands in place of a length of time.
pub trait Word: Sized {
    /// The word.
    const WORD: &'static str;
    /// Its value.
    const VALUE: Self;
}

impl Word for Off {
    const WORD: &'static str = "off";
    const VALUE: Self = Self;
}

impl Word for WhileMedia {
    const WORD: &'static str = "media";
    const VALUE: Self = Self;
}

impl<W> LengthOr<W> {
    /// The length of time, if it is one.
    #[must_use]
    pub fn length(self) -> Option<Span> {
        match self {
            Self::Length(span) => Some(span),
            Self::Word(_) => None,
        }
    }
}

/// How a skill is held by a user: `true`, or a level.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Held {
    /// `true` or `false`.
    Flag(bool),
    /// A number, not yet known to be a level.
    Number(i64),
}

/// Reads a length of time: numbers with a unit each, the largest first, such as `1h30m`.
#[must_use]
pub fn length(text: &str) -> Option<Span> {
    const UNITS: [(&str, u64); 5] = [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ];
    let mut rest = text.trim();
    let mut total: u64 = 0;
    let mut last = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let unit_end = tail
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let (_, ms) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
        if ms >= last {
            return None;
        }
        last = ms;
        total = number
            .parse::<u64>()
            .ok()?
            .checked_mul(ms)?
            .checked_add(total)?;
        rest = tail;
    }
    (last != u64::MAX && total <= LONGEST.0).then_some(Span(total))
}

/// Reads a number of bytes: a whole number with a unit.
#[must_use]
pub fn size(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 5] = [
        ("TiB", 1 << 40),
        ("GiB", 1 << 30),
        ("MiB", 1 << 20),
        ("KiB", 1 << 10),
        ("B", 1),
    ];
    let text = text.trim();
    let (unit, bytes) = UNITS.into_iter().find(|(unit, _)| text.ends_with(unit))?;
    let number = text.strip_suffix(unit)?.trim_end();
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let total = number.parse::<u64>().ok()?.checked_mul(bytes)?;
    (total <= LARGEST).then_some(total)
}

/// More bytes than any disk has; larger is a slip.
const LARGEST: u64 = 1 << 50;

/// Longer than a year is a slip, and would not fit the timers of other programs.
const LONGEST: Span = Span::hours(24 * 366);

/// Writes a length of time as a key reads it.
#[must_use]
pub fn written(span: Span) -> String {
    let mut left = span.0;
    let mut text = String::new();
    for (unit, ms) in [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)] {
        if left >= ms {
            text.push_str(&format!("{}{unit}", left / ms));
            left %= ms;
        }
    }
    if text.is_empty() { "0s".into() } else { text }
}

const LENGTHS: &str = "a length of time such as \"20s\", \"5m\", \"1h30m\" or \"500ms\"";

struct LengthVisitor;

impl Visitor<'_> for LengthVisitor {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(LENGTHS)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Span, E> {
        length(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(LengthVisitor).map(Self)
    }
}

struct SizeVisitor;

impl Visitor<'_> for SizeVisitor {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of bytes such as \"512MiB\", \"2GiB\" or \"0B\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
        size(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(SizeVisitor).map(Self)
    }
}

struct LengthOrVisitor<W>(std::marker::PhantomData<W>);

impl<W: Word> Visitor<'_> for LengthOrVisitor<W> {
    type Value = LengthOr<W>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" or {LENGTHS}", W::WORD)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<LengthOr<W>, E> {
        if text == W::WORD {
            return Ok(LengthOr::Word(W::VALUE));
        }
        match length(text) {
            Some(span) => Ok(LengthOr::Length(span)),
            None => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }
}

impl<'de, W: Word> Deserialize<'de> for LengthOr<W> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(LengthOrVisitor(std::marker::PhantomData))
    }
}

struct HeldVisitor;

impl Visitor<'_> for HeldVisitor {
    type Value = Held;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true for a yes-or-no skill, or a level from 1 to 10")
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Held, E> {
        Ok(Held::Flag(flag))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Held, E> {
        Ok(Held::Number(number))
    }
}

impl<'de> Deserialize<'de> for Held {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HeldVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        for (text, ms) in [
            ("0s", 0),
            ("500ms", 500),
            ("20s", 20_000),
            ("1m30s", 90_000),
            (" 4h ", 14_400_000),
            ("2d", 172_800_000),
            ("1h500ms", 3_600_500),
        ] {
            assert_eq!(length(text), Some(Span(ms)), "{text}");
        }
        for bad in [
            "",
            "20",
            "s",
            "20 s",
            "-1s",
            "1.5s",
            "30s1m",
            "1m1m",
            "20x",
            "99999999999999999999s",
            "367d",
            "20ſ",
        ] {
            assert_eq!(length(bad), None, "{bad}");
        }
    }

    #[test]
    fn numbers_of_bytes() {
        for (text, bytes) in [
            ("0B", 0),
            ("512MiB", 512 << 20),
            (" 2 GiB ", 2 << 30),
            ("1TiB", 1 << 40),
            ("3KiB", 3_072),
        ] {
            assert_eq!(size(text), Some(bytes), "{text}");
        }
        for bad in [
            "",
            "512",
            "MiB",
            "-1B",
            "1.5GiB",
            "512MB",
            "512mib",
            "9999999TiB",
            "1+1B",
        ] {
            assert_eq!(size(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for ms in [0, 1, 999, 1_000, 61_000, 3_600_000, 90_061_007] {
            assert_eq!(length(&written(Span(ms))), Some(Span(ms)), "{ms}");
        }
    }
}
