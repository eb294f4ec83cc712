//! Snapshots in parts: rows are encoded one by one, and a part leaves when it is full.

use super::codec::Encoding;
use super::encode::{Unwritable, append, array};
use super::push::Str;
use crate::limits::SNAPSHOT_PART_BYTES;
use bytes::Bytes;
use serde::Serialize;

/// What every part of a snapshot says.
#[derive(Clone, Debug)]
pub struct SnapshotHead<'a> {
    /// The view.
    pub sub: Str<'a>,
    /// Epoch of the log.
    pub epoch: Str<'a>,
    /// The position at which the state was cut.
    pub as_of: u64,
}

/// What a snapshot is made of.
#[derive(Clone, Debug)]
pub enum SnapshotOf<'a> {
    /// Rows of a table with these columns.
    Table(Vec<Str<'a>>),
    /// Objects in `data.{name}`, and how many there are in all if not all may be listed.
    List {
        /// Key of the list in `data`.
        name: &'static str,
        /// `data.total`.
        total: Option<u64>,
    },
}

/// Writes the parts of one snapshot, each at most [`SNAPSHOT_PART_BYTES`] (unless a single row
/// is larger). Rows may come from a clone of row handles while the view moves on.
#[derive(Debug)]
pub struct SnapshotWriter<'a> {
    encoding: Encoding,
    head: SnapshotHead<'a>,
    of: SnapshotOf<'a>,
    rows: Vec<u8>,
    count: usize,
    part: u32,
    overhead: usize,
}

impl<'a> SnapshotWriter<'a> {
    /// A writer before the first row.
    ///
    /// # Errors
    /// Never for texts and numbers; the encoders are fallible by type.
    pub fn new(
        encoding: Encoding,
        head: SnapshotHead<'a>,
        of: SnapshotOf<'a>,
    ) -> Result<Self, Unwritable> {
        let mut writer = Self {
            encoding,
            head,
            of,
            rows: Vec::new(),
            count: 0,
            part: 1,
            overhead: 0,
        };
        // The head of a part without rows, with room for a longer part number.
        writer.overhead = writer.frame(false)?.len() + 16;
        Ok(writer)
    }

    /// Adds a row, and gives back the part before it if that is now full.
    ///
    /// # Errors
    /// For types that an encoding does not know.
    pub fn row<T: Serialize>(&mut self, row: &T) -> Result<Option<Bytes>, Unwritable> {
        let before = self.rows.len();
        if self.count > 0 && self.encoding == Encoding::Json {
            self.rows.push(b',');
        }
        let start = self.rows.len();
        append(self.encoding, &mut self.rows, row)?;
        if before == 0 || self.rows.len() + self.overhead <= SNAPSHOT_PART_BYTES {
            self.count += 1;
            return Ok(None);
        }
        let next = self.rows.split_off(start);
        self.rows.truncate(before);
        let full = self.frame(false)?;
        self.part += 1;
        self.rows = next;
        self.count = 1;
        Ok(Some(full))
    }

    /// The last part.
    ///
    /// # Errors
    /// As [`SnapshotWriter::new`].
    pub fn finish(self) -> Result<Bytes, Unwritable> {
        self.frame(true)
    }

    fn frame(&self, last: bool) -> Result<Bytes, Unwritable> {
        let mut map = MapWriter::new(
            self.encoding,
            Vec::with_capacity(self.overhead + self.rows.len()),
        );
        map.begin(match self.of {
            SnapshotOf::Table(_) => 8,
            SnapshotOf::List { .. } => 7,
        });
        map.entry("type", "snapshot")?;
        map.entry("sub", &self.head.sub)?;
        map.entry("epoch", &self.head.epoch)?;
        map.entry("as_of", &self.head.as_of)?;
        match &self.of {
            SnapshotOf::Table(columns) => {
                map.entry("columns", columns)?;
                map.list("rows", &self.rows, self.count)?;
            }
            SnapshotOf::List { name, total } => {
                map.key("data")?;
                map.begin(1 + u8::from(total.is_some()));
                map.list(name, &self.rows, self.count)?;
                if let Some(total) = total {
                    map.entry("total", total)?;
                }
                map.end();
            }
        }
        map.entry("part", &self.part)?;
        map.entry("last", &last)?;
        map.end();
        Ok(map.buffer.into())
    }
}

/// Writes maps key by key, in either encoding.
struct MapWriter {
    encoding: Encoding,
    buffer: Vec<u8>,
    first: bool,
}

impl MapWriter {
    fn new(encoding: Encoding, buffer: Vec<u8>) -> Self {
        Self {
            encoding,
            buffer,
            first: true,
        }
    }

    /// Begins a map of at most 15 entries.
    fn begin(&mut self, entries: u8) {
        self.first = true;
        self.buffer.push(match self.encoding {
            Encoding::Json => b'{',
            Encoding::MessagePack => 0x80 | entries,
        });
    }

    fn end(&mut self) {
        self.first = false;
        if self.encoding == Encoding::Json {
            self.buffer.push(b'}');
        }
    }

    fn key(&mut self, key: &str) -> Result<(), Unwritable> {
        if self.encoding == Encoding::Json && !self.first {
            self.buffer.push(b',');
        }
        self.first = false;
        append(self.encoding, &mut self.buffer, key)?;
        if self.encoding == Encoding::Json {
            self.buffer.push(b':');
        }
        Ok(())
    }

    fn entry<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Unwritable> {
        self.key(key)?;
        append(self.encoding, &mut self.buffer, value)
    }

    /// Writes a list of values that are encoded already.
    fn list(&mut self, key: &str, rows: &[u8], count: usize) -> Result<(), Unwritable> {
        self.key(key)?;
        match self.encoding {
            Encoding::Json => {
                self.buffer.push(b'[');
                self.buffer.extend_from_slice(rows);
                self.buffer.push(b']');
            }
            Encoding::MessagePack => {
                array(&mut self.buffer, count);
                self.buffer.extend_from_slice(rows);
            }
        }
        Ok(())
    }
}
