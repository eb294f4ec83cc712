//! The wire contract as the generator speaks it: typed messages in, typed messages out, two encodings.
//!
//! Nothing here is shared with the server; only `docs/protocol.md` is. Fields that the generator
//! does not look at are left out and skipped while decoding.

mod incoming;
mod outgoing;

pub use incoming::{Cell, Facts, Happened, Incoming, Kind, Refusal, Rows};
pub use outgoing::{
    Accept, Customer, End, Hello, Pong, Report, Request, SetState, SignIn, Submit, Subscribe,
    WrapUp,
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use tokio_tungstenite::tungstenite::Message;

/// How messages are written on the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Text frames.
    Json,
    /// Binary frames of MessagePack maps.
    Msgpack,
}

impl Encoding {
    /// Name of the subprotocol.
    pub fn subprotocol(self) -> &'static str {
        match self {
            Self::Json => "switchroom.v1.json",
            Self::Msgpack => "switchroom.v1.msgpack",
        }
    }

    /// One message as one frame.
    pub fn encode<T: Serialize>(self, message: &T) -> Result<Message> {
        Ok(match self {
            Self::Json => Message::Text(serde_json::to_string(message)?.into()),
            Self::Msgpack => Message::Binary(rmp_serde::to_vec_named(message)?.into()),
        })
    }

    /// The messages of one frame, in order.
    pub fn decode(self, frame: &[u8]) -> Result<Vec<Incoming<'_>>> {
        self.read(frame)
    }

    fn read<'a, T: Deserialize<'a>>(self, frame: &'a [u8]) -> Result<Vec<T>> {
        match self {
            Self::Json => {
                let first = frame.iter().find(|byte| !byte.is_ascii_whitespace());
                let read = if first == Some(&b'[') {
                    serde_json::from_slice(frame)
                } else {
                    serde_json::from_slice(frame).map(|message| vec![message])
                };
                read.with_context(|| format!("frame not understood: {}", excerpt(frame)))
            }
            Self::Msgpack => {
                let batch = matches!(frame.first(), Some(0x90..=0x9f | 0xdc | 0xdd));
                let read = if batch {
                    rmp_serde::from_slice(frame)
                } else {
                    rmp_serde::from_slice(frame).map(|message| vec![message])
                };
                read.with_context(|| format!("frame not understood: {}", excerpt(frame)))
            }
        }
    }
}

/// Where a message stands.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// How it is written.
    pub encoding: Encoding,
    /// The frame that it came in.
    pub frame: &'a [u8],
    /// Which of the frame's messages it is.
    pub index: usize,
}

impl<'a> Place<'a> {
    /// What the message says of a table's rows.
    pub fn rows(&self) -> Result<Rows<'a>> {
        let all: Vec<Rows<'a>> = self.encoding.read(self.frame)?;
        let rows = all.into_iter().nth(self.index);
        rows.context("a frame with fewer messages than it had")
    }
}

/// The payload of a data frame; `None` for control frames.
pub fn payload(frame: &Message) -> Option<&[u8]> {
    match frame {
        Message::Text(text) => Some(text.as_bytes()),
        Message::Binary(bytes) => Some(bytes),
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => None,
    }
}

fn excerpt(frame: &[u8]) -> String {
    let shown = &frame[..frame.len().min(300)];
    String::from_utf8_lossy(shown).into_owned()
}

/// A UUID as a number; `None` when it is none.
pub fn uuid(text: &str) -> Option<u128> {
    let mut value = 0_u128;
    let mut digits = 0;
    for byte in text.bytes().filter(|byte| *byte != b'-') {
        value = (value << 4) | u128::from(char::from(byte).to_digit(16)?);
        digits += 1;
    }
    (digits == 32).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str = r#"{"type":"event","sub":"me","seq":150,"prev":140,"at":1763756003000,"event":"offer.made",
        "key":"o17","actor":"ana","data":{"offer":"o17","contact":"0190","channel":"chat","deadline":1,
        "card":{"customer":{"id":"c-9","name":"Ros\u00e1"},"external_id":"x-1"},"new":{"deep":[1,{}]}}}"#;

    fn both(json: &str) -> Vec<(Encoding, Vec<u8>)> {
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        vec![
            (Encoding::Json, json.as_bytes().to_vec()),
            (Encoding::Msgpack, rmp_serde::to_vec_named(&value).unwrap()),
        ]
    }

    #[test]
    fn an_offer_reads_the_same_in_both_encodings() {
        for (encoding, frame) in both(OFFER) {
            let messages = encoding.decode(&frame).unwrap();
            assert_eq!(messages.len(), 1);
            let data = messages[0].data.as_ref().unwrap();
            assert_eq!(messages[0].event, Some(Happened::OfferMade));
            assert_eq!((messages[0].seq, messages[0].prev), (Some(150), Some(140)));
            let card = data.card.as_ref().unwrap();
            assert_eq!(card.external_id.as_deref(), Some("x-1"));
        }
    }

    #[test]
    fn a_batch_reads_in_order_and_strange_kinds_are_skipped() {
        let json = r#"[{"type":"update","sub":"v7","as_of":140,"at":5,"set":[["billing",1,2,2,null]],"remove":["old"]},
            {"type":"hologram","sub":["no","string"]},{"type":"ping","at":7,"positions":[["me",3]]}]"#;
        for (encoding, frame) in both(&json.replace(r#","sub":["no","string"]"#, "")) {
            let messages = encoding.decode(&frame).unwrap();
            let kinds: Vec<_> = messages.iter().map(|message| message.kind).collect();
            assert_eq!(kinds, [Kind::Update, Kind::Other, Kind::Ping]);
            let frame = &frame;
            let rows = |index| {
                let place = Place {
                    encoding,
                    frame,
                    index,
                };
                place.rows()
            };
            let row = &rows(0).unwrap().set.unwrap()[0];
            assert_eq!(row[2].number(), Some(2.0));
            assert_eq!(row[4], Cell::Other);
            assert!(rows(1).unwrap().set.is_none());
            assert!(rows(3).is_err());
        }
    }

    #[test]
    fn escaped_text_is_read_too() {
        let frame = br#"{"type":"reply","id":"a\"b","result":{"queue":"caf\u00e9"}}"#;
        let messages = Encoding::Json.decode(frame).unwrap();
        assert_eq!(messages[0].id.as_deref(), Some("a\"b"));
        let queue = messages[0].result.as_ref().unwrap().queue.as_deref();
        assert_eq!(queue, Some("café"));
    }

    #[test]
    fn a_frame_that_is_no_message_says_so() {
        let error = Encoding::Json.decode(b"{\"type\":").unwrap_err();
        assert!(
            error.to_string().contains("frame not understood"),
            "{error}"
        );
    }

    #[test]
    fn ids_are_uuids_with_or_without_dashes() {
        let dashed = uuid("01890000-0000-7000-8000-00000000000f");
        assert_eq!(dashed, uuid("0189000000007000800000000000000f"));
        assert!(dashed.is_some());
        assert_eq!(uuid("c1"), None);
    }

    /// Kinds of the published examples that the generator acts on.
    const ACTED_ON: [&str; 9] = [
        "entered", "event", "goaway", "left", "ping", "reply", "reset", "snapshot", "update",
    ];

    fn example(file: &str) -> String {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples/");
        std::fs::read_to_string(format!("{folder}{file}")).unwrap()
    }

    #[test]
    fn the_published_examples_are_understood() {
        for kind in ACTED_ON.into_iter().chain(["welcome"]) {
            let json = example(&format!("{kind}.json"));
            let batch = Encoding::Json.decode(json.as_bytes()).unwrap();
            let packed = example(&format!("{kind}.msgpack.hex"));
            assert!(
                !batch.is_empty() && batch.len() == packed.lines().count(),
                "{kind}"
            );
            for (message, line) in batch.iter().zip(packed.lines()) {
                assert_ne!(message.kind, Kind::Other, "{kind}");
                let frame: Vec<u8> = (0..line.len())
                    .step_by(2)
                    .map(|place| u8::from_str_radix(&line[place..place + 2], 16).unwrap())
                    .collect();
                let same = Encoding::Msgpack.decode(&frame).unwrap();
                assert_eq!(format!("{message:?}"), format!("{:?}", same[0]), "{kind}");
            }
        }
    }
}
