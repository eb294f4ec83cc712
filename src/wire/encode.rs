//! Messages into bytes: each is encoded once, and the bytes are shared by every socket.

use super::codec::Encoding;
use super::frame::Message;
use super::raw::Raw;
use crate::limits::FRAME_MESSAGES;
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

/// Joins encoded messages into one frame, an array of them. At most
/// [`FRAME_MESSAGES`] go into a frame; what is over is in the
/// next one.
#[must_use]
pub fn batches(encoding: Encoding, messages: &[Bytes]) -> Vec<Bytes> {
    messages
        .chunks(FRAME_MESSAGES)
        .map(|chunk| {
            let mut frame = Vec::with_capacity(
                chunk.iter().map(|message| message.len() + 1).sum::<usize>() + 2,
            );
            match encoding {
                Encoding::Json => {
                    for (number, message) in chunk.iter().enumerate() {
                        frame.push(if number == 0 { b'[' } else { b',' });
                        frame.extend_from_slice(message);
                    }
                    frame.push(b']');
                }
                Encoding::MessagePack => {
                    array(&mut frame, chunk.len());
                    frame.extend(chunk.iter().flatten());
                }
            }
            frame.into()
        })
        .collect()
}

/// Writes the head of a MessagePack array.
pub(super) fn array(buffer: &mut Vec<u8>, count: usize) {
    buffer.push(0xdd);
    // A frame has fewer bytes than this number can count.
    buffer.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes());
}

/// Writes a value behind what the buffer holds.
pub(super) fn append<T: Serialize + ?Sized>(
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
