//! MessagePack as the protocol allows it: nil, booleans, whole numbers, 64-bit floats, texts,
//! arrays, and maps whose keys are texts. One pass checks a value whole, without recursion.

use super::fields::{Fields, Part, Parts};
use crate::limits::FRAME_DEPTH;
use std::fmt;
use std::str;

/// Why bytes are no MessagePack of the protocol, and at which byte.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Malformed {
    /// Offset of the byte at which it was noticed.
    pub at: usize,
    /// What is wrong there.
    pub what: Fault,
}

/// What is wrong at a byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// The bytes end inside a value.
    Short,
    /// Nested deeper than [`FRAME_DEPTH`].
    Deep,
    /// A text that is not UTF-8.
    NotUtf8,
    /// A type that the protocol does not use; its name.
    Foreign(&'static str),
    /// A key that is not a text.
    Key,
    /// More bytes than the value has.
    Trailing,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            Fault::Short => f.write_str("the frame ends inside a value"),
            Fault::Deep => write!(f, "nested deeper than {FRAME_DEPTH} at byte {}", self.at),
            Fault::NotUtf8 => write!(f, "a text that is not UTF-8 at byte {}", self.at),
            Fault::Foreign(kind) => write!(f, "the protocol has no {kind} (byte {})", self.at),
            Fault::Key => write!(f, "a key that is not a text at byte {}", self.at),
            Fault::Trailing => write!(f, "more than one value (byte {})", self.at),
        }
    }
}

/// What begins at a byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Head {
    /// A value without parts; its payload is so many bytes, UTF-8 if it is a text.
    Flat { payload: usize, text: bool },
    /// An array of so many values.
    Array(usize),
    /// A map of so many pairs.
    Map(usize),
}

/// Reads checked and unchecked MessagePack from the front.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads from the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Checks that the bytes are one well-formed value.
    pub fn check(mut self) -> Result<(), Malformed> {
        self.value(0)?;
        match self.at == self.bytes.len() {
            true => Ok(()),
            false => Err(Malformed {
                at: self.at,
                what: Fault::Trailing,
            }),
        }
    }

    /// Reads the head of the next value.
    fn head(&mut self) -> Result<Head, Malformed> {
        let start = self.at;
        let marker = self.be(1)? as u8;
        let flat = |payload| Head::Flat {
            payload,
            text: false,
        };
        let text = |payload| Head::Flat {
            payload,
            text: true,
        };
        Ok(match marker {
            0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => flat(0),
            0xcc | 0xd0 => flat(1),
            0xcd | 0xd1 => flat(2),
            0xce | 0xd2 => flat(4),
            0xcf | 0xd3 | 0xcb => flat(8),
            0xa0..=0xbf => text(usize::from(marker & 0x1f)),
            0xd9 => text(self.be(1)?),
            0xda => text(self.be(2)?),
            0xdb => text(self.be(4)?),
            0x90..=0x9f => Head::Array(usize::from(marker & 0x0f)),
            0xdc => Head::Array(self.be(2)?),
            0xdd => Head::Array(self.be(4)?),
            0x80..=0x8f => Head::Map(usize::from(marker & 0x0f)),
            0xde => Head::Map(self.be(2)?),
            0xdf => Head::Map(self.be(4)?),
            0xc1 => {
                return Err(Malformed {
                    at: start,
                    what: Fault::Foreign("reserved byte"),
                });
            }
            0xc4..=0xc6 => {
                return Err(Malformed {
                    at: start,
                    what: Fault::Foreign("binary"),
                });
            }
            0xca => {
                return Err(Malformed {
                    at: start,
                    what: Fault::Foreign("32-bit float"),
                });
            }
            0xc7..=0xc9 | 0xd4..=0xd8 => {
                return Err(Malformed {
                    at: start,
                    what: Fault::Foreign("extension"),
                });
            }
        })
    }

    /// Reads a key, which is a text.
    fn key(&mut self) -> Result<&'a str, Malformed> {
        let start = self.at;
        match self.head()? {
            Head::Flat {
                payload,
                text: true,
            } => self.text(payload),
            Head::Flat { .. } | Head::Array(_) | Head::Map(_) => Err(Malformed {
                at: start,
                what: Fault::Key,
            }),
        }
    }

    /// Reads one whole value that stands `depth` containers deep, and gives back its bytes.
    fn value(&mut self, depth: usize) -> Result<&'a [u8], Malformed> {
        let start = self.at;
        // What is open: values still to come in each container, and whether they have keys.
        let mut open = [(0_usize, false); FRAME_DEPTH];
        let mut used = 0;
        loop {
            let at = self.at;
            let (count, keyed) = match self.head()? {
                Head::Flat {
                    payload,
                    text: true,
                } => {
                    self.text(payload)?;
                    (0, false)
                }
                Head::Flat {
                    payload,
                    text: false,
                } => {
                    self.take(payload)?;
                    (0, false)
                }
                Head::Array(count) => {
                    self.deeper(at, depth + used)?;
                    (count, false)
                }
                Head::Map(count) => {
                    self.deeper(at, depth + used)?;
                    (count, true)
                }
            };
            if count > 0 {
                open[used] = (count, keyed);
                used += 1;
            }
            while used > 0 && open[used - 1].0 == 0 {
                used -= 1;
            }
            let Some((left, keyed)) = open[..used].last_mut() else {
                return Ok(&self.bytes[start..self.at]);
            };
            *left -= 1;
            if *keyed {
                self.key()?;
            }
        }
    }

    /// Takes a frame apart. `None` is a frame that is neither a map nor an array.
    pub fn parts<const N: usize>(
        mut self,
        keys: &'static [&'static str; N],
    ) -> Result<Option<Parts<'a, N>>, Malformed> {
        let parts = match self.head()? {
            Head::Map(pairs) => Some(Parts::one(Part::Message(self.fields(pairs, 1, keys)?))),
            Head::Array(count) => {
                let mut parts = Parts::none();
                for _ in 0..count {
                    let start = self.at;
                    let part = match self.head()? {
                        Head::Map(pairs) => Part::Message(self.fields(pairs, 2, keys)?),
                        Head::Array(_) | Head::Flat { .. } => {
                            self.at = start;
                            self.value(1)?;
                            Part::Other
                        }
                    };
                    parts.push(part);
                }
                Some(parts)
            }
            Head::Flat { .. } => return Ok(None),
        };
        match self.at == self.bytes.len() {
            true => Ok(parts),
            false => Err(Malformed {
                at: self.at,
                what: Fault::Trailing,
            }),
        }
    }

    fn fields<const N: usize>(
        &mut self,
        pairs: usize,
        depth: usize,
        keys: &'static [&'static str; N],
    ) -> Result<Fields<'a, N>, Malformed> {
        let mut fields = Fields::new(keys);
        for _ in 0..pairs {
            let number = Fields::number(keys, self.key()?);
            let value = self.value(depth)?;
            if let Some(number) = number {
                fields.set(number, value);
            }
        }
        Ok(fields)
    }

    fn deeper(&self, at: usize, depth: usize) -> Result<(), Malformed> {
        if depth < FRAME_DEPTH {
            Ok(())
        } else {
            Err(Malformed {
                at,
                what: Fault::Deep,
            })
        }
    }

    fn text(&mut self, len: usize) -> Result<&'a str, Malformed> {
        let at = self.at;
        str::from_utf8(self.take(len)?).map_err(|error| Malformed {
            at: at + error.valid_up_to(),
            what: Fault::NotUtf8,
        })
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let end = self
            .at
            .checked_add(len)
            .filter(|end| *end <= self.bytes.len());
        let Some(end) = end else {
            return Err(Malformed {
                at: self.bytes.len(),
                what: Fault::Short,
            });
        };
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    /// A big-endian number of `len` bytes, at most four.
    fn be(&mut self, len: usize) -> Result<usize, Malformed> {
        Ok(self
            .take(len)?
            .iter()
            .fold(0, |number, byte| number << 8 | usize::from(*byte)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Reader};
    use crate::limits::FRAME_DEPTH;

    fn fault(bytes: &[u8]) -> (usize, Fault) {
        let malformed = Reader::new(bytes).value(0).expect_err("must be refused");
        (malformed.at, malformed.what)
    }

    #[test]
    fn a_value_ends_where_it_ends() {
        let bytes = rmp_serde::to_vec(&(1, "two", [3.5], (), vec![-4_i64; 20])).expect("encodes");
        let mut longer = bytes.clone();
        longer.extend([0xc0, 0xc0]);
        let mut reader = Reader::new(&longer);
        assert_eq!(reader.value(0).expect("reads"), bytes);
        assert_eq!(reader.at, bytes.len());
        let trailing = Reader::new(&longer).check().expect_err("goes on");
        assert_eq!((trailing.at, trailing.what), (bytes.len(), Fault::Trailing));
    }

    #[test]
    fn what_the_protocol_does_not_use_is_refused_by_name_and_place() {
        assert_eq!(fault(&[0x91, 0xc4, 1, 0]), (1, Fault::Foreign("binary")));
        assert_eq!(
            fault(&[0xca, 0, 0, 0, 0]),
            (0, Fault::Foreign("32-bit float"))
        );
        assert_eq!(
            fault(&[0xd6, 0xff, 0, 0, 0, 0]),
            (0, Fault::Foreign("extension"))
        );
        assert_eq!(fault(&[0xc1]), (0, Fault::Foreign("reserved byte")));
        assert_eq!(fault(&[0x81, 0x01, 0x02]), (1, Fault::Key));
        assert_eq!(fault(&[0xa2, b'a', 0xff]), (2, Fault::NotUtf8));
    }

    #[test]
    fn short_and_lying_lengths_are_refused() {
        assert_eq!(fault(&[]), (0, Fault::Short));
        assert_eq!(fault(&[0xdd, 0xff, 0xff, 0xff, 0xff]), (5, Fault::Short));
        assert_eq!(
            fault(&[0xdb, 0xff, 0xff, 0xff, 0xff, b'a']),
            (6, Fault::Short)
        );
        assert_eq!(fault(&[0xdf, 0xff, 0xff, 0xff, 0xff]), (5, Fault::Short));
    }

    #[test]
    fn nesting_is_bounded() {
        let mut bytes = vec![0x91; FRAME_DEPTH];
        bytes.push(0xc0);
        assert!(Reader::new(&bytes).value(0).is_ok());
        assert!(Reader::new(&bytes).value(1).is_err());
        bytes.insert(0, 0x91);
        assert_eq!(fault(&bytes), (FRAME_DEPTH, Fault::Deep));
        assert_eq!(fault(&vec![0x91; 60_000]), (FRAME_DEPTH, Fault::Deep));
    }
}
