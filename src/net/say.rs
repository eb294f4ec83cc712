//! What the server itself says on a socket, as frames.

use crate::wire::close::CloseCode;
use crate::wire::codec::Encoding;
use crate::wire::encode::Encoder;
use crate::wire::error::WireError;
use crate::wire::frame::Message;
use crate::wire::push::{Goaway, Reply};
use bytes::Bytes;
use serde::Serialize;
use std::borrow::Cow;
use std::cell::RefCell;

thread_local! {
    /// Buffers are kept by the threads, so that an idle session has none.
    static ENCODERS: RefCell<[Encoder; 2]> = RefCell::new([
        Encoder::new(Encoding::Json),
        Encoder::new(Encoding::MessagePack),
    ]);
}

/// A message as a frame. Nothing when its types have what the encoding does not know, which the
/// tests of the schema exclude.
pub fn frame<M: Message>(encoding: Encoding, message: &M) -> Option<Bytes> {
    let written = ENCODERS.with_borrow_mut(|[json, pack]| match encoding {
        Encoding::Json => json.message(message),
        Encoding::MessagePack => pack.message(message),
    });
    written
        .inspect_err(|error| tracing::error!(kind = M::TYPE, %error, "a message was not sent"))
        .ok()
}

/// The result of a request.
pub fn result<R: Serialize>(encoding: Encoding, id: &str, seq: u64, result: R) -> Option<Bytes> {
    let reply = Reply {
        id: Some(Cow::Borrowed(id)),
        seq,
        result: Some(result),
        error: None,
    };
    frame(encoding, &reply)
}

/// Why a request has no result.
pub fn error(encoding: Encoding, id: Option<&str>, seq: u64, error: &WireError) -> Option<Bytes> {
    let reply = Reply::<()> {
        id: id.map(Cow::Borrowed),
        seq,
        result: None,
        error: Some(Cow::Borrowed(error)),
    };
    frame(encoding, &reply)
}

/// How a session ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Parting {
    /// The connection is gone: there is nobody to say anything to.
    Gone,
    /// The client closes, with this code if any: it gets the same code back.
    Answer(Option<u16>),
    /// The server closes, and says why.
    Say(Farewell),
}

/// Why the socket is about to be closed, and what then.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Farewell {
    /// The close code.
    pub code: CloseCode,
    /// What happened, for people.
    pub message: Cow<'static, str>,
    /// Wait so long before connecting again, in milliseconds.
    pub after_ms: u64,
}

impl Farewell {
    /// A farewell that says what its code says.
    #[must_use]
    pub fn new(code: CloseCode) -> Self {
        Self {
            code,
            message: Cow::Borrowed(code.meaning()),
            after_ms: 0,
        }
    }

    /// A farewell that says more than its code.
    #[must_use]
    pub fn saying(code: CloseCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            message: message.into(),
            ..Self::new(code)
        }
    }

    /// The `goaway` before the close.
    pub fn goaway(&self, encoding: Encoding) -> Option<Bytes> {
        let goaway = Goaway {
            code: self.code.code(),
            message: Cow::Borrowed(&self.message),
            reconnect: self.code.then().reconnect(),
            after_ms: self.after_ms,
        };
        frame(encoding, &goaway)
    }

    /// What fits into the close frame of the message.
    #[must_use]
    pub fn reason(&self) -> &str {
        /// A control frame has 125 bytes, two of which are the code.
        const REASON: usize = 123;
        let mut end = self.message.len().min(REASON);
        while !self.message.is_char_boundary(end) {
            end -= 1;
        }
        &self.message[..end]
    }
}
