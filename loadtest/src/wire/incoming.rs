//! What the generator understands of what the server says.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A string that borrows from the frame where it can; an escaped one is owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text<'a>(pub Cow<'a, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Strings;
        impl<'de> Visitor<'de> for Strings {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_str(Strings)
    }
}

/// One cell of a table: what the generator compares, the rest skipped.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'a> {
    /// A string.
    Text(Text<'a>),
    /// A number.
    Number(f64),
    /// Anything else.
    Other,
}

impl Cell<'_> {
    /// The number in it.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(_) | Self::Other => None,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Cell<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Cells;
        impl<'de> Visitor<'de> for Cells {
            type Value = Cell<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a cell of a table")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Cell<'de>, E> {
                Ok(Cell::Text(Text(Cow::Borrowed(text))))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Cell<'de>, E> {
                Ok(Cell::Text(Text(Cow::Owned(text.to_owned()))))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Cell<'de>, E> {
                Ok(Cell::Number(number as f64))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Cell<'de>, E> {
                Ok(Cell::Number(number as f64))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Cell<'de>, E> {
                Ok(Cell::Number(number))
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Cell<'de>, E> {
                Ok(Cell::Other)
            }

            fn visit_unit<E: Error>(self) -> Result<Cell<'de>, E> {
                Ok(Cell::Other)
            }

            fn visit_none<E: Error>(self) -> Result<Cell<'de>, E> {
                Ok(Cell::Other)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Cell<'de>, A::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Cell::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Cell<'de>, A::Error> {
                while items.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Cell::Other)
            }
        }
        from.deserialize_any(Cells)
    }
}

/// What kind of message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The answer to `hello`.
    Welcome,
    /// The answer to a request or subscription.
    Reply,
    /// One change of a lossless view.
    Event,
    /// An object came into a lossless view.
    Entered,
    /// An object left a lossless view.
    Left,
    /// The start of a view.
    Snapshot,
    /// Changed rows of a conflated view.
    Update,
    /// The server asks for a `pong`.
    Ping,
    /// A view starts anew.
    Reset,
    /// The server is about to close.
    Goaway,
    /// A kind of a later version.
    #[serde(other)]
    Other,
}

/// Names of events that the generator acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Happened {
    /// An offer rings.
    #[serde(rename = "offer.made")]
    OfferMade,
    /// An offer was taken back.
    #[serde(rename = "offer.withdrawn")]
    OfferWithdrawn,
    /// An offer ran out.
    #[serde(rename = "offer.missed")]
    OfferMissed,
    /// An offer was declined.
    #[serde(rename = "offer.declined")]
    OfferDeclined,
    /// An offer failed for a technical reason.
    #[serde(rename = "offer.failed")]
    OfferFailed,
    /// An accepted leg waits for its media.
    #[serde(rename = "leg.connecting")]
    LegConnecting,
    /// A leg is connected.
    #[serde(rename = "leg.connected")]
    LegConnected,
    /// A leg is in wrap-up.
    #[serde(rename = "leg.wrap_up")]
    LegWrapUp,
    /// A leg is over.
    #[serde(rename = "leg.ended")]
    LegEnded,
    /// A contact came in.
    #[serde(rename = "contact.entered")]
    ContactEntered,
    /// A contact went back to its place after an offer failed.
    #[serde(rename = "contact.requeued")]
    ContactRequeued,
    /// A contact went back to its place after an answer.
    #[serde(rename = "contact.returned")]
    ContactReturned,
    /// A contact is over.
    #[serde(rename = "contact.closed")]
    ContactClosed,
    /// The place in line of a contact moved.
    #[serde(rename = "contact.position")]
    ContactPosition,
    /// The connector is to join media.
    #[serde(rename = "media.connect")]
    MediaConnect,
    /// The connector is to part media.
    #[serde(rename = "media.disconnect")]
    MediaDisconnect,
    /// Anything else.
    #[serde(other)]
    Other,
}

/// The card of an offer.
#[derive(Clone, Debug, Deserialize)]
pub struct Card<'a> {
    /// The id that the submitter gave.
    #[serde(borrow, default)]
    pub external_id: Option<Text<'a>>,
}

/// Fields of `data` and `result` that the generator looks at, whatever the message.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Facts<'a> {
    /// Id of a contact.
    #[serde(borrow, default)]
    pub contact: Option<Text<'a>>,
    /// Id of an offer.
    #[serde(borrow, default)]
    pub offer: Option<Text<'a>>,
    /// Name of a channel.
    #[serde(borrow, default)]
    pub channel: Option<Text<'a>>,
    /// Name of a queue.
    #[serde(borrow, default)]
    pub queue: Option<Text<'a>>,
    /// Name of a view.
    #[serde(borrow, default)]
    pub sub: Option<Text<'a>>,
    /// Id of a command to the connector.
    #[serde(borrow, default)]
    pub command: Option<Text<'a>>,
    /// Why a contact closed.
    #[serde(borrow, default)]
    pub reason: Option<Text<'a>>,
    /// First entry of the contact, in milliseconds since 1970.
    #[serde(default)]
    pub first_entry: Option<i64>,
    /// The card of an offer.
    #[serde(borrow, default)]
    pub card: Option<Card<'a>>,
}

/// An error answer.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Refusal {
    /// Code of the closed set.
    pub code: String,
    /// What happened, for people.
    #[serde(default)]
    pub message: String,
}

/// One message from the server.
#[derive(Clone, Debug, Deserialize)]
pub struct Incoming<'a> {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Id of the request that it answers.
    #[serde(borrow, default)]
    pub id: Option<Text<'a>>,
    /// Name of the view.
    #[serde(borrow, default)]
    pub sub: Option<Text<'a>>,
    /// Position.
    #[serde(default)]
    pub seq: Option<u64>,
    /// Position of the view's event before.
    #[serde(default)]
    pub prev: Option<u64>,
    /// Position of a snapshot or update.
    #[serde(default)]
    pub as_of: Option<u64>,
    /// When it happened, in milliseconds since 1970.
    #[serde(default)]
    pub at: Option<i64>,
    /// The server's wall time at `welcome`.
    #[serde(default)]
    pub now: Option<i64>,
    /// Name of the event.
    #[serde(default)]
    pub event: Option<Happened>,
    /// The object that the event is about.
    #[serde(borrow, default)]
    pub key: Option<Text<'a>>,
    /// What changed.
    #[serde(borrow, default)]
    pub data: Option<Facts<'a>>,
    /// A good answer.
    #[serde(borrow, default)]
    pub result: Option<Facts<'a>>,
    /// A bad answer.
    #[serde(default)]
    pub error: Option<Refusal>,
    /// Whether a snapshot is complete.
    #[serde(default)]
    pub last: Option<bool>,
}

/// What a message of a table says of its rows. It is read only where rows are compared: most of
/// a wallboard's bytes are rows.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Rows<'a> {
    /// Columns of a table.
    #[serde(borrow, default)]
    pub columns: Option<Vec<Text<'a>>>,
    /// Rows of a table's snapshot.
    #[serde(borrow, default)]
    pub rows: Option<Vec<Vec<Cell<'a>>>>,
    /// Changed rows: key, then column and value in turn.
    #[serde(borrow, default)]
    pub set: Option<Vec<Vec<Cell<'a>>>>,
    /// Keys of rows that went.
    #[serde(borrow, default)]
    pub remove: Option<Vec<Text<'a>>>,
}

impl Incoming<'_> {
    /// Whether it is told beside the log, and so may stand at the position of the event before.
    pub fn is_beside(&self) -> bool {
        let beside = [
            Happened::ContactPosition,
            Happened::MediaConnect,
            Happened::MediaDisconnect,
        ];
        self.event.is_some_and(|event| beside.contains(&event))
    }
}
