//! What the server sends, taken apart as a client does it: for the demo, the load generator
//! and the tests. What depends on method, topic or event stays unread until asked for.

use super::codec::{Encoding, FrameError};
use super::error::{Code, WireError};
use super::fields::{Fields, Part};
use super::push::{
    Entered, Event, Goaway, Left, Live, Outbound, Ping, Reply, Reset, Revoked, Snapshot, Update,
    Warning, Welcome,
};
use super::raw::{Problem, Raw};
use bytes::Bytes;

/// Keys of the messages of the server.
const OUTBOUND: [&str; 38] = [
    "type",
    "id",
    "sub",
    "seq",
    "prev",
    "at",
    "event",
    "key",
    "data",
    "actor",
    "as",
    "replay",
    "result",
    "error",
    "epoch",
    "as_of",
    "columns",
    "rows",
    "part",
    "last",
    "set",
    "remove",
    "positions",
    "reason",
    "code",
    "message",
    "deadline",
    "reconnect",
    "after_ms",
    "session",
    "now",
    "heartbeat_ms",
    "expires_at",
    "user",
    "home",
    "privileges",
    "limits",
    "subs",
];

/// A message of the server, and the bytes it is in.
struct Reading<'a, const N: usize> {
    encoding: Encoding,
    frame: &'a Bytes,
    fields: Fields<'a, N>,
}

impl Encoding {
    /// Takes a server's frame apart.
    ///
    /// # Errors
    /// When the frame cannot be taken apart, or a message of a known type is not as the
    /// protocol says.
    pub fn decode_outbound(self, frame: &Bytes) -> Result<Vec<Outbound>, WireError> {
        let parts = self
            .parts(frame, usize::MAX, &OUTBOUND)
            .map_err(|error| WireError::from(&error))?;
        parts
            .messages
            .into_iter()
            .map(|part| match part {
                Part::Message(fields) => Reading {
                    encoding: self,
                    frame,
                    fields,
                }
                .message()
                .map_err(|problem| problem.into_error(Code::BadRequest)),
                Part::Other => Err(WireError::from(&FrameError::NoMessage)),
            })
            .collect()
    }
}

impl<const N: usize> Reading<'_, N> {
    fn message(&self) -> Result<Outbound, Problem> {
        let kind: String = self.must("type")?;
        Ok(match kind.as_str() {
            "event" => Outbound::Event(self.event()?),
            "update" => Outbound::Update(self.update()?),
            "reply" => Outbound::Reply(self.reply()?),
            "entered" => Outbound::Entered(self.entered()?),
            "left" => Outbound::Left(self.left()?),
            "snapshot" => Outbound::Snapshot(self.snapshot()?),
            "ping" => Outbound::Ping(Ping {
                at: self.must("at")?,
                positions: self.raw("positions")?,
            }),
            "welcome" => Outbound::Welcome(Box::new(self.welcome()?)),
            "live" => Outbound::Live(Live {
                sub: self.must("sub")?,
                seq: self.must("seq")?,
            }),
            "reset" => Outbound::Reset(Reset {
                sub: self.must("sub")?,
                reason: self.must("reason")?,
            }),
            "subscription.revoked" => Outbound::Revoked(Revoked {
                sub: self.must("sub")?,
                reason: self.must("reason")?,
            }),
            "warning" => Outbound::Warning(self.warning()?),
            "goaway" => Outbound::Goaway(self.goaway()?),
            _ => Outbound::Unknown(kind),
        })
    }

    fn event(&self) -> Result<Event<'static, Raw>, Problem> {
        Ok(Event {
            sub: self.must("sub")?,
            seq: self.must("seq")?,
            prev: self.must("prev")?,
            at: self.must("at")?,
            event: self.must("event")?,
            key: self.must("key")?,
            data: self.raw("data")?,
            actor: self.may("actor")?,
            on_behalf: self.may("as")?,
            replay: self.may("replay")?.unwrap_or_default(),
        })
    }

    fn update(&self) -> Result<Update<'static, Raw, Raw>, Problem> {
        Ok(Update {
            sub: self.must("sub")?,
            as_of: self.must("as_of")?,
            at: self.must("at")?,
            set: self.raw("set")?,
            remove: self.raw("remove")?,
        })
    }

    fn reply(&self) -> Result<Reply<'static, Raw>, Problem> {
        Ok(Reply {
            id: self.may("id")?,
            seq: self.must("seq")?,
            result: self.raw_or_none("result"),
            error: self.may("error")?,
        })
    }

    fn entered(&self) -> Result<Entered<'static, Raw>, Problem> {
        Ok(Entered {
            sub: self.must("sub")?,
            seq: self.must("seq")?,
            prev: self.must("prev")?,
            at: self.must("at")?,
            key: self.must("key")?,
            data: self.raw("data")?,
        })
    }

    fn left(&self) -> Result<Left<'static>, Problem> {
        Ok(Left {
            sub: self.must("sub")?,
            seq: self.must("seq")?,
            prev: self.must("prev")?,
            at: self.must("at")?,
            key: self.must("key")?,
        })
    }

    fn snapshot(&self) -> Result<Snapshot<'static, Raw, Raw>, Problem> {
        Ok(Snapshot {
            sub: self.must("sub")?,
            epoch: self.must("epoch")?,
            as_of: self.must("as_of")?,
            columns: self.may("columns")?,
            rows: self.raw_or_none("rows"),
            data: self.raw_or_none("data"),
            part: self.must("part")?,
            last: self.must("last")?,
        })
    }

    fn warning(&self) -> Result<Warning<'static>, Problem> {
        Ok(Warning {
            code: self.must("code")?,
            deadline: self.may("deadline")?,
            message: self.must("message")?,
        })
    }

    fn goaway(&self) -> Result<Goaway<'static>, Problem> {
        Ok(Goaway {
            code: self.must("code")?,
            message: self.must("message")?,
            reconnect: self.must("reconnect")?,
            after_ms: self.must("after_ms")?,
        })
    }

    fn welcome(&self) -> Result<Welcome, Problem> {
        Ok(Welcome {
            id: self.must("id")?,
            session: self.must("session")?,
            epoch: self.must("epoch")?,
            seq: self.must("seq")?,
            now: self.must("now")?,
            heartbeat_ms: self.must("heartbeat_ms")?,
            expires_at: self.must("expires_at")?,
            user: self.must("user")?,
            home: self.must("home")?,
            privileges: self.must("privileges")?,
            limits: self.must("limits")?,
            subs: self.may("subs")?.unwrap_or_default(),
        })
    }

    fn must<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<T, Problem> {
        self.fields.must(self.encoding, key)
    }

    fn may<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Problem> {
        self.fields.may(self.encoding, key)
    }

    fn raw(&self, key: &str) -> Result<Raw, Problem> {
        self.raw_or_none(key).ok_or_else(|| Problem {
            pointer: format!("/{key}"),
            expected: "a value, none is given".to_owned(),
        })
    }

    fn raw_or_none(&self, key: &str) -> Option<Raw> {
        let value = self.fields.value(key)?;
        Some(Raw::checked(self.encoding, self.frame.slice_ref(value)))
    }
}
