//! Messages into bytes: each is encoded once, and the bytes are shared by every socket.

use super::codec::Encoding;
use super::frame::Message;
use super::raw::Raw;
use bytes::Bytes;
use serde::Serialize;

/// A message could not be written: its types have something that an encoding does not know.
#[derive(Debug, thiserror::Error)]
#[error("a message could not be encoded: {0}")]
pub struct Unwritable(String);

/// Writes messages of one encoding into a buffer that it keeps.
#[derive(Debug)]
pub struct Encoder {
    encoding: Encoding,
    buffer: Vec<u8>,
}

impl Encoder {
    /// An encoder with an empty buffer.
    #[must_use]
    pub fn new(encoding: Encoding) -> Self {
        Self {
            encoding,
            buffer: Vec::new(),
        }
    }

    /// The encoding that it writes.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Writes one message as a frame. The bytes are exactly as long as the message, cheap to
    /// clone, and UTF-8 if the encoding is JSON.
    ///
    /// # Errors
    /// Only for types that an encoding does not know, which the tests of the schema exclude.
    pub fn message<M: Message>(&mut self, message: &M) -> Result<Bytes, Unwritable> {
        self.value(message)
    }

    /// Writes a value that is not a message, such as the body of an HTTP answer.
    ///
    /// # Errors
    /// As [`Encoder::message`].
    pub fn value<T: Serialize>(&mut self, value: &T) -> Result<Bytes, Unwritable> {
        self.buffer.clear();
        append(self.encoding, &mut self.buffer, value)?;
        Ok(Bytes::copy_from_slice(&self.buffer))
    }
}

impl Encoding {
    /// Writes one message as a frame; [`Encoder`] does the same with a buffer kept.
    ///
    /// # Errors
    /// As [`Encoder::message`].
    pub fn encode<M: Message>(self, message: &M) -> Result<Bytes, Unwritable> {
        Encoder::new(self).message(message)
    }

    /// Writes a value that a client or test puts into a message as it is.
    ///
    /// # Errors
    /// As [`Encoder::message`].
    pub fn raw<T: Serialize>(self, value: &T) -> Result<Raw, Unwritable> {
        Ok(Raw::checked(self, Encoder::new(self).value(value)?))
    }
}

/// Writes a value behind what the buffer holds.
pub(super) fn append<T: Serialize>(
    encoding: Encoding,
    buffer: &mut Vec<u8>,
    value: &T,
) -> Result<(), Unwritable> {
    match encoding {
        Encoding::Json => {
            serde_json::to_writer(buffer, value).map_err(|error| Unwritable(error.to_string()))
        }
        Encoding::MessagePack => {
            let mut pack = rmp_serde::Serializer::new(buffer).with_struct_map();
            value
                .serialize(&mut pack)
                .map_err(|error| Unwritable(error.to_string()))
        }
    }
}
