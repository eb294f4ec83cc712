//! Frames that are refused whole: over a limit, too deep, or not of the encoding.

use super::{frames, only};
use crate::limits::{FRAME_BYTES, FRAME_DEPTH, FRAME_MESSAGES};
use crate::wire::close::CloseCode;
use crate::wire::codec::{Encoding, FrameError};
use crate::wire::error::{Code, WireError};
use crate::wire::frame::Inbound;
use bytes::Bytes;

fn frame_error(encoding: Encoding, frame: &[u8]) -> FrameError {
    encoding
        .decode(&Bytes::copy_from_slice(frame), FRAME_BYTES)
        .expect_err("must be refused")
}

#[test]
fn a_frame_over_a_limit_is_refused_before_it_is_read() {
    let large = vec![b' '; FRAME_BYTES + 1];
    for encoding in Encoding::ALL {
        let error = frame_error(encoding, &large);
        assert_eq!(
            error,
            FrameError::TooLarge {
                bytes: FRAME_BYTES + 1,
                limit: FRAME_BYTES
            }
        );
        assert_eq!(error.close(), CloseCode::TooLarge);
        assert_eq!(WireError::from(&error).code, Code::TooLarge);
    }
    let many = format!("[{}7]", r#"{"type":"pong","at":1},"#.repeat(FRAME_MESSAGES));
    for (encoding, frame) in frames(&many) {
        assert_eq!(
            frame_error(encoding, &frame),
            FrameError::TooMany {
                messages: FRAME_MESSAGES + 1
            }
        );
    }
    let full = format!(
        "[{}7]",
        r#"{"type":"pong","at":1},"#.repeat(FRAME_MESSAGES - 1)
    );
    for (encoding, frame) in frames(&full) {
        assert_eq!(
            encoding.decode(&frame, FRAME_BYTES).map(|m| m.len()),
            Ok(FRAME_MESSAGES)
        );
    }
}

#[test]
fn deep_nesting_is_refused_before_it_is_read() {
    let deep = |depth: usize| {
        let nested = format!("{}{}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        format!(r#"{{"type":"request","id":"1","method":"queue.list","new":{nested}}}"#)
    };
    for (encoding, frame) in frames(&deep(FRAME_DEPTH)) {
        assert!(matches!(only(encoding, &frame), Inbound::Request(_)));
    }
    for (encoding, frame) in frames(&deep(FRAME_DEPTH + 1)) {
        let error = frame_error(encoding, &frame);
        assert!(matches!(error, FrameError::TooDeep { .. }), "{error}");
        assert_eq!(error.close(), CloseCode::BadFrame);
    }
    assert!(matches!(
        frame_error(Encoding::Json, &vec![b'['; 60_000]),
        FrameError::TooDeep { at: FRAME_DEPTH }
    ));
    assert!(matches!(
        frame_error(Encoding::MessagePack, &vec![0x91; 60_000]),
        FrameError::TooDeep { .. }
    ));
}

#[test]
fn what_is_not_of_the_encoding_is_refused_with_the_place() {
    for (frame, message) in [
        (
            &b"{\"type\":\"pong\",}"[..],
            "not JSON: trailing comma at line 1 column 16",
        ),
        (
            b"{\"type\":\"pong\"} x",
            "not JSON: trailing characters at line 1 column 17",
        ),
        (
            b"{\"type\":\"po",
            "not JSON: EOF while parsing a string at line 1 column 11",
        ),
        (
            b"",
            "not JSON: EOF while parsing a value at line 1 column 0",
        ),
        (b"{\"type\":\"\xff\"}", "not UTF-8 at byte 9"),
        (
            b"7",
            "a frame has to be a message (an object) or an array of messages",
        ),
        (
            b"[]",
            "a frame has to be a message (an object) or an array of messages",
        ),
    ] {
        assert_eq!(frame_error(Encoding::Json, frame).to_string(), message);
    }
    for (frame, message) in [
        (
            &b"\x81\xa4type"[..],
            "not MessagePack: the frame ends inside a value",
        ),
        (
            b"\x81\xa4type\xc4\x00",
            "not MessagePack: the protocol has no binary (byte 6)",
        ),
        (
            b"\x81\x01\x02",
            "not MessagePack: a key that is not a text at byte 1",
        ),
        (b"\x81\xa4type\xa1\xff", "not UTF-8 at byte 7"),
        (b"\x80\xc0", "not MessagePack: more than one value (byte 1)"),
        (
            b"\xc0",
            "a frame has to be a message (an object) or an array of messages",
        ),
        (
            b"\x90",
            "a frame has to be a message (an object) or an array of messages",
        ),
    ] {
        assert_eq!(
            frame_error(Encoding::MessagePack, frame).to_string(),
            message
        );
    }
}

#[test]
fn a_frame_of_the_wrong_kind_is_refused() {
    assert_eq!(Encoding::Json.expect_kind(true), Ok(()));
    assert_eq!(Encoding::MessagePack.expect_kind(false), Ok(()));
    let error = Encoding::MessagePack
        .expect_kind(true)
        .expect_err("text on the binary protocol");
    assert_eq!(
        error.to_string(),
        "subprotocol switchroom.v1.msgpack has binary frames only"
    );
    assert_eq!(error.close(), CloseCode::BadFrame);
    assert!(Encoding::Json.expect_kind(false).is_err());
    assert_eq!(
        Encoding::of_subprotocol("switchroom.v1.msgpack"),
        Some(Encoding::MessagePack)
    );
    assert_eq!(Encoding::of_subprotocol("switchroom.v2.json"), None);
}

#[test]
fn a_body_is_checked_like_a_frame() {
    let body = |text: &'static [u8]| Encoding::Json.body(&Bytes::from_static(text), 64);
    assert!(body(b"{\"offer\":\"o1\"}").is_ok());
    assert!(matches!(
        body(b"{\"offer\":}"),
        Err(FrameError::Malformed { .. })
    ));
    assert!(matches!(body(b"{} {}"), Err(FrameError::Malformed { .. })));
    assert!(matches!(
        body(b"\"\xff\""),
        Err(FrameError::NotUtf8 { at: 1 })
    ));
    assert!(matches!(
        body(&[b' '; 65]),
        Err(FrameError::TooLarge { .. })
    ));
    assert!(matches!(body(&[b'['; 60]), Err(FrameError::TooDeep { .. })));
}
