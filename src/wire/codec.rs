//! Both encodings behind one door: frames in, messages out, messages in, bytes out.

use super::close::CloseCode;
use super::error::{Code, WireError, quoted};
use super::field::Object;
use super::fields::{Fields, Part, Parts};
use super::frame::{Hello, Inbound, Invalid, Pong, Request, RequestId, Subscribe, Unsubscribe};
use super::json;
use super::method::Method;
use super::msgpack::{Fault, Malformed, Reader};
use super::raw::{Problem, Raw, read};
use super::topic::Topic;
use super::word::nearest;
use crate::limits::{FRAME_DEPTH, FRAME_MESSAGES};
use bytes::Bytes;

/// How messages are written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Encoding {
    /// JSON in text frames.
    Json,
    /// MessagePack in binary frames: maps with the same names as JSON.
    MessagePack,
}

/// A frame cannot be taken apart at all. The socket is closed with [`FrameError::close`].
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FrameError {
    /// Over the limit.
    #[error("a frame of {bytes} bytes, at most {limit} are allowed")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// More messages than a frame may have.
    #[error("a frame of {messages} messages, at most {FRAME_MESSAGES} are allowed")]
    TooMany {
        /// How many it has.
        messages: usize,
    },
    /// Nested too deep.
    #[error("nested deeper than {FRAME_DEPTH} at byte {at}")]
    TooDeep {
        /// Offset of the first value that is too deep.
        at: usize,
    },
    /// Not UTF-8.
    #[error("not UTF-8 at byte {at}")]
    NotUtf8 {
        /// Offset of the first byte that is wrong.
        at: usize,
    },
    /// Not of the encoding.
    #[error("not {encoding}: {what}")]
    Malformed {
        /// The encoding that was agreed on.
        encoding: Encoding,
        /// What is wrong, and where.
        what: String,
    },
    /// Neither a message nor an array of messages.
    #[error("a frame has to be a message (an object) or an array of messages")]
    NoMessage,
    /// A text frame where binary ones were agreed on, or the reverse.
    #[error("subprotocol {} has {} frames only", .0.subprotocol(), .0.frames())]
    WrongKind(Encoding),
}

impl FrameError {
    /// The code with which the socket is closed.
    #[must_use]
    pub const fn close(&self) -> CloseCode {
        match self {
            Self::TooLarge { .. } => CloseCode::TooLarge,
            Self::TooMany { .. }
            | Self::TooDeep { .. }
            | Self::NotUtf8 { .. }
            | Self::Malformed { .. }
            | Self::NoMessage
            | Self::WrongKind(_) => CloseCode::BadFrame,
        }
    }
}

/// The same error as the answer to an HTTP body.
impl From<&FrameError> for WireError {
    fn from(error: &FrameError) -> Self {
        let code = if error.close() == CloseCode::TooLarge {
            Code::TooLarge
        } else {
            Code::BadRequest
        };
        Self::new(code, error.to_string())
    }
}

impl std::fmt::Display for Encoding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Json => "JSON",
            Self::MessagePack => "MessagePack",
        })
    }
}

/// Keys of the messages of clients.
const INBOUND: [&str; 13] = [
    "type",
    "id",
    "method",
    "params",
    "key",
    "as",
    "topic",
    "sub",
    "at",
    "client_now",
    "token",
    "client",
    "resume",
];
/// Types of the messages of clients.
const INBOUND_TYPES: [&str; 5] = ["hello", "request", "subscribe", "unsubscribe", "pong"];

impl Encoding {
    /// Both, in the order in which the server prefers them when a client leaves the choice.
    pub const ALL: [Self; 2] = [Self::Json, Self::MessagePack];

    /// The WebSocket subprotocol.
    #[must_use]
    pub const fn subprotocol(self) -> &'static str {
        match self {
            Self::Json => "switchroom.v1.json",
            Self::MessagePack => "switchroom.v1.msgpack",
        }
    }

    /// The encoding of a subprotocol.
    #[must_use]
    pub fn of_subprotocol(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|encoding| encoding.subprotocol() == name)
    }

    /// Kind of the frames: `text` or `binary`.
    #[must_use]
    pub const fn frames(self) -> &'static str {
        match self {
            Self::Json => "text",
            Self::MessagePack => "binary",
        }
    }

    /// Checks that a frame is of the kind of this encoding.
    ///
    /// # Errors
    /// [`FrameError::WrongKind`] when it is not.
    pub fn expect_kind(self, text: bool) -> Result<(), FrameError> {
        let fits = match self {
            Self::Json => text,
            Self::MessagePack => !text,
        };
        if fits {
            Ok(())
        } else {
            Err(FrameError::WrongKind(self))
        }
    }

    /// Takes a client's frame apart. What is wrong with one message is an [`Inbound::Invalid`]
    /// in its place; the others count.
    ///
    /// # Errors
    /// When the frame is over `limit` bytes or cannot be taken apart at all.
    pub fn decode(self, frame: &Bytes, limit: usize) -> Result<Vec<Inbound>, FrameError> {
        let parts = self.parts(frame, limit, &INBOUND)?;
        let invalid = |id, error| Inbound::Invalid(Invalid { id, error });
        Ok(parts
            .messages
            .into_iter()
            .map(|part| match part {
                Part::Message(fields) => self.inbound(frame, &fields).unwrap_or_else(|error| {
                    invalid(fields.may::<RequestId>(self, "id").ok().flatten(), error)
                }),
                Part::Other => invalid(
                    None,
                    WireError::wrong(Code::BadRequest, String::new(), "an object"),
                ),
            })
            .collect())
    }

    /// Checks the body of an HTTP request, which is the params of a method.
    ///
    /// # Errors
    /// When it is over `limit` bytes, too deep, or malformed.
    pub fn body(self, body: &Bytes, limit: usize) -> Result<Raw, FrameError> {
        within(body, limit)?;
        match self {
            Self::Json => {
                let text = utf8(body)?;
                shallow(body)?;
                json::check(text).map_err(|error| self.malformed(&error))?;
            }
            Self::MessagePack => Reader::new(body)
                .check()
                .map_err(|error| self.fault(&error))?,
        }
        Ok(Raw::checked(self, body.clone()))
    }

    pub(super) fn parts<'a, const N: usize>(
        self,
        frame: &'a Bytes,
        limit: usize,
        keys: &'static [&'static str; N],
    ) -> Result<Parts<'a, N>, FrameError> {
        within(frame, limit)?;
        let parts = match self {
            Self::Json => {
                let text = utf8(frame)?;
                shallow(frame)?;
                json::parts(text, keys).map_err(|error| self.malformed(&error))?
            }
            Self::MessagePack => Reader::new(frame)
                .parts(keys)
                .map_err(|error| self.fault(&error))?,
        };
        let parts = parts.ok_or(FrameError::NoMessage)?;
        match parts.count {
            0 => Err(FrameError::NoMessage),
            messages if messages > FRAME_MESSAGES => Err(FrameError::TooMany { messages }),
            _ => Ok(parts),
        }
    }

    fn inbound<const N: usize>(
        self,
        frame: &Bytes,
        fields: &Fields<'_, N>,
    ) -> Result<Inbound, WireError> {
        let bad = |problem: Problem| problem.into_error(Code::BadRequest);
        if let Some(key) = fields.twice() {
            return Err(WireError::wrong(
                Code::BadRequest,
                format!("/{key}"),
                "one value, several are given",
            ));
        }
        let kind: String = fields.must(self, "type").map_err(bad)?;
        match kind.as_str() {
            "request" => self.request(frame, fields),
            "subscribe" => self.subscribe(fields),
            "unsubscribe" => self.unsubscribe(fields).map_err(bad),
            "pong" => self.pong(fields).map_err(bad),
            "hello" => self.hello(fields).map_err(bad),
            _ => Err(WireError::new(
                Code::BadRequest,
                format!("there is no message type {}", quoted(&kind)),
            )
            .suggesting(nearest(&kind, INBOUND_TYPES))),
        }
    }

    fn hello<const N: usize>(self, fields: &Fields<'_, N>) -> Result<Inbound, Problem> {
        Ok(Inbound::Hello(Hello {
            id: fields.must(self, "id")?,
            token: fields.may(self, "token")?,
            client: fields
                .may::<Object<_>>(self, "client")?
                .map(|client| client.0),
            resume: fields
                .may::<Object<_>>(self, "resume")?
                .map(|resume| resume.0),
        }))
    }

    fn request<const N: usize>(
        self,
        frame: &Bytes,
        fields: &Fields<'_, N>,
    ) -> Result<Inbound, WireError> {
        let bad = |problem: Problem| problem.into_error(Code::BadRequest);
        let id = fields.must(self, "id").map_err(bad)?;
        let method: String = fields.must(self, "method").map_err(bad)?;
        Ok(Inbound::Request(Request {
            id,
            method: Method::named(&method)?,
            params: match fields.value("params") {
                None | Some(b"null" | b"\xc0") => Raw::empty(self),
                Some(params) => Raw::checked(self, frame.slice_ref(params)),
            },
            key: fields.may(self, "key").map_err(bad)?,
            on_behalf: fields.may(self, "as").map_err(bad)?,
        }))
    }

    fn subscribe<const N: usize>(self, fields: &Fields<'_, N>) -> Result<Inbound, WireError> {
        let bad = |problem: Problem| problem.into_error(Code::BadRequest);
        let id = fields.must(self, "id").map_err(bad)?;
        let topic: String = fields.must(self, "topic").map_err(bad)?;
        let topic = Topic::parse(&topic)?;
        let params = match fields.value("params") {
            None => Ok(None),
            Some(params) => read::<Option<Object<_>>>(self, params),
        };
        Ok(Inbound::Subscribe(Subscribe {
            id,
            topic,
            params: params
                .map_err(|problem| problem.into_error(Code::ValidationFailed))?
                .map(|params| params.0)
                .unwrap_or_default(),
        }))
    }

    fn unsubscribe<const N: usize>(self, fields: &Fields<'_, N>) -> Result<Inbound, Problem> {
        Ok(Inbound::Unsubscribe(Unsubscribe {
            id: fields.must(self, "id")?,
            sub: fields.must(self, "sub")?,
        }))
    }

    fn pong<const N: usize>(self, fields: &Fields<'_, N>) -> Result<Inbound, Problem> {
        Ok(Inbound::Pong(Pong {
            at: fields.must(self, "at")?,
            client_now: fields.may(self, "client_now")?,
        }))
    }

    fn malformed(self, error: &serde_json::Error) -> FrameError {
        FrameError::Malformed {
            encoding: self,
            what: error.to_string(),
        }
    }

    fn fault(self, error: &Malformed) -> FrameError {
        match error.what {
            Fault::Deep => FrameError::TooDeep { at: error.at },
            Fault::NotUtf8 => FrameError::NotUtf8 { at: error.at },
            Fault::Short | Fault::Foreign(_) | Fault::Key | Fault::Trailing => {
                FrameError::Malformed {
                    encoding: self,
                    what: error.to_string(),
                }
            }
        }
    }
}

fn within(frame: &Bytes, limit: usize) -> Result<(), FrameError> {
    match frame.len() {
        bytes if bytes > limit => Err(FrameError::TooLarge { bytes, limit }),
        _ => Ok(()),
    }
}

fn utf8(bytes: &Bytes) -> Result<&str, FrameError> {
    std::str::from_utf8(bytes).map_err(|error| FrameError::NotUtf8 {
        at: error.valid_up_to(),
    })
}

fn shallow(bytes: &Bytes) -> Result<(), FrameError> {
    json::too_deep(bytes).map_or(Ok(()), |at| Err(FrameError::TooDeep { at }))
}
