//! The protocol from outside: what is read, what is refused and how, and what comes back.

mod frame;
mod fuzz;
mod inbound;
mod outbound;
mod params;

use super::codec::Encoding;
use super::frame::{Inbound, Invalid};
use bytes::Bytes;
use serde_json::Value;

/// A frame of both encodings with the content of this JSON text.
fn frames(json: &str) -> [(Encoding, Bytes); 2] {
    let value: Value = serde_json::from_str(json).expect("the test's text is JSON");
    let pack = rmp_serde::to_vec_named(&value).expect("JSON fits into MessagePack");
    [
        (Encoding::Json, Bytes::copy_from_slice(json.as_bytes())),
        (Encoding::MessagePack, Bytes::from(pack)),
    ]
}

/// The only message of a frame.
fn only(encoding: Encoding, frame: &Bytes) -> Inbound {
    let mut messages = encoding
        .decode(frame, usize::MAX)
        .expect("the frame can be taken apart");
    assert_eq!(messages.len(), 1);
    messages.remove(0)
}

/// The only message of a frame, which is none of ours.
fn refused(encoding: Encoding, frame: &Bytes) -> Invalid {
    let message = only(encoding, frame);
    let Inbound::Invalid(invalid) = message else {
        panic!("{encoding} reads {frame:?} as {message:?}");
    };
    invalid
}
