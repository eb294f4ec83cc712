//! What a client may send, and the answer to what it may not.

use super::{frames, only};
use crate::limits::{FRAME_BYTES, FRAME_DEPTH, FRAME_MESSAGES};
use crate::wire::close::CloseCode;
use crate::wire::codec::{Encoding, FrameError};
use crate::wire::error::{Code, WireError};
use crate::wire::frame::{Inbound, Invalid};
use crate::wire::method::{Call, Method};
use crate::wire::topic::Topic;
use bytes::Bytes;

fn refused(encoding: Encoding, frame: &Bytes) -> Invalid {
    let message = only(encoding, frame);
    let Inbound::Invalid(invalid) = message else {
        panic!("{encoding} reads {frame:?} as {message:?}");
    };
    invalid
}

fn invalid(json: &str) -> Invalid {
    let [left, right] = frames(json).map(|(encoding, frame)| refused(encoding, &frame));
    assert_eq!(left, right, "both encodings answer {json} alike");
    left
}

fn call(method: Method, params: &str) -> Result<Call, WireError> {
    let [left, right] = frames(params).map(|(encoding, bytes)| {
        method.read(
            &encoding
                .body(&bytes, FRAME_BYTES)
                .expect("params are well formed"),
        )
    });
    assert_eq!(left, right, "both encodings read {params} alike");
    left
}

/// Pointer and expectation of the error that the params are answered with.
fn wrong(method: Method, params: &str) -> (String, String) {
    let error = call(method, params).expect_err("must be refused");
    assert_eq!(error.code, Code::ValidationFailed, "{error}");
    let data = error.data.expect("says where");
    (
        data.pointer.expect("has a pointer"),
        data.expected.expect("says what would be right"),
    )
}

fn frame_error(encoding: Encoding, frame: &[u8]) -> FrameError {
    encoding
        .decode(&Bytes::copy_from_slice(frame), FRAME_BYTES)
        .expect_err("must be refused")
}

#[test]
fn every_message_of_a_client_is_read_in_both_encodings() {
    for (encoding, frame) in frames(
        r#"[{"type":"hello","id":"1","token":"t","client":{"name":"desk","version":"1"},
             "resume":{"session":"6f","epoch":"17","subs":[{"topic":"me","seq":120},
               {"topic":"stats.queues","params":{"hz":2},"seq":0}]}},
            {"type":"request","id":"2","method":"contact.accept","params":{"offer":"o1"},"key":"k","as":"bo"},
            {"type":"subscribe","id":"3","topic":"queue/billing/contacts",
             "params":{"limit":10,"filter":{"channel":["chat","voice"],"state":"waiting"},"windows":["now"]}},
            {"type":"unsubscribe","id":"4","sub":"v7"},
            {"type":"pong","at":1763756000000,"client_now":1763756000001}]"#,
    ) {
        let messages = encoding.decode(&frame, FRAME_BYTES).expect("decodes");
        let [
            Inbound::Hello(hello),
            Inbound::Request(request),
            Inbound::Subscribe(subscribe),
            Inbound::Unsubscribe(unsubscribe),
            Inbound::Pong(pong),
        ] = messages.as_slice()
        else {
            panic!("{messages:?}");
        };
        let resume = hello.resume.as_ref().expect("resumes");
        assert_eq!(resume.subs[0].seq, 120);
        assert_eq!(
            resume.subs[1]
                .params
                .as_ref()
                .and_then(|p| p.hz)
                .map(|hz| hz.get()),
            Some(2)
        );
        assert_eq!(request.method, Method::ContactAccept);
        assert_eq!(request.on_behalf.as_deref(), Some("bo"));
        assert!(
            matches!(request.method.read(&request.params), Ok(Call::ContactAccept(p)) if &*p.offer == "o1")
        );
        assert!(matches!(&subscribe.topic, Topic::QueueContacts(queue) if &**queue == "billing"));
        let filter = subscribe.params.filter.as_ref().expect("filters");
        assert_eq!(
            filter.values().map(|v| v.texts().len()).collect::<Vec<_>>(),
            [2, 1]
        );
        assert_eq!(&*unsubscribe.sub, "v7");
        assert_eq!(pong.at, 1_763_756_000_000);
    }
}

#[test]
fn unknown_keys_are_ignored() {
    for (encoding, frame) in frames(
        r#"{"type":"request","id":"1","method":"queue.list","new":[1,{"a":null}],"seq":"x","seq2":1}"#,
    ) {
        assert!(matches!(only(encoding, &frame), Inbound::Request(_)));
    }
    assert!(
        call(
            Method::ContactAccept,
            r#"{"offer":"o1","agent":"bo","new":{"a":[1]}}"#
        )
        .is_ok()
    );
}

#[test]
fn params_that_are_absent_or_null_are_empty() {
    for params in ["", r#","params":null"#, r#","params":{}"#] {
        let text = format!(r#"{{"type":"request","id":"1","method":"agent.sign_in"{params}}}"#);
        for (encoding, frame) in frames(&text) {
            let Inbound::Request(request) = only(encoding, &frame) else {
                panic!("{text}")
            };
            assert!(matches!(
                request.method.read(&request.params),
                Ok(Call::AgentSignIn(_))
            ));
        }
    }
}

#[test]
fn an_unknown_method_is_named_and_the_nearest_told() {
    let Invalid { id, error } = invalid(r#"{"type":"request","id":"7","method":"contact.acept"}"#);
    assert_eq!(id.as_deref(), Some("7"));
    assert_eq!(error.code, Code::MethodNotFound);
    assert_eq!(
        error.message,
        "there is no method `contact.acept` (did you mean `contact.accept`?)"
    );
    assert_eq!(
        error.data.and_then(|data| data.did_you_mean).as_deref(),
        Some("contact.accept")
    );
    let far = invalid(r#"{"type":"request","id":"7","method":"drop table"}"#).error;
    assert_eq!(far.message, "there is no method `drop table`");
}

#[test]
fn an_unknown_type_is_named() {
    let Invalid { id, error } = invalid(r#"{"type":"subscibe","id":"7"}"#);
    assert_eq!(id.as_deref(), Some("7"));
    assert_eq!(error.code, Code::BadRequest);
    assert_eq!(
        error.message,
        "there is no message type `subscibe` (did you mean `subscribe`?)"
    );
}

#[test]
fn a_wrong_key_of_a_message_is_named_with_what_would_be_right() {
    for (json, pointer, expected) in [
        (r#"{"id":"1"}"#, "/type", "a value, none is given"),
        (r#"{"type":7,"id":"1"}"#, "/type", "a text"),
        (
            r#"{"type":"request","id":7,"method":"queue.list"}"#,
            "/id",
            "a text of 1 to 64 characters",
        ),
        (
            r#"{"type":"request","id":"","method":"queue.list"}"#,
            "/id",
            "a text of 1 to 64 characters",
        ),
        (
            r#"{"type":"request","method":"queue.list"}"#,
            "/id",
            "a value, none is given",
        ),
        (
            r#"{"type":"request","id":"1"}"#,
            "/method",
            "a value, none is given",
        ),
        (
            r#"{"type":"request","id":"1","method":["queue.list"]}"#,
            "/method",
            "a text",
        ),
        (
            r#"{"type":"request","id":"1","method":"queue.list","key":5}"#,
            "/key",
            "a text of 1 to 255 characters",
        ),
        (
            r#"{"type":"subscribe","id":"1","topic":{}}"#,
            "/topic",
            "a text",
        ),
        (
            r#"{"type":"unsubscribe","id":"1"}"#,
            "/sub",
            "a value, none is given",
        ),
        (
            r#"{"type":"pong","at":"now"}"#,
            "/at",
            "a whole number, not below zero",
        ),
        (
            r#"{"type":"pong","at":-1}"#,
            "/at",
            "a whole number, not below zero",
        ),
        (
            r#"{"type":"pong","at":1.5}"#,
            "/at",
            "a whole number, not below zero",
        ),
        (
            r#"{"type":"hello","id":"1","client":["desk","1"]}"#,
            "/client",
            "an object",
        ),
        (
            r#"{"type":"hello","id":"1","client":{"version":"1"}}"#,
            "/client/name",
            "a value, none is given",
        ),
        (
            r#"{"type":"hello","id":"1","resume":{"session":"s","epoch":"1","subs":[{"topic":"me","seq":1},{"topic":"me","seq":"2"}]}}"#,
            "/resume/subs/1/seq",
            "a whole number, not below zero",
        ),
        (
            r#"{"type":"hello","id":"1","resume":{"session":"s","epoch":"1","subs":[["me",1]]}}"#,
            "/resume/subs/0",
            "an object",
        ),
    ] {
        let error = invalid(json).error;
        assert_eq!(error.code, Code::BadRequest, "{json}");
        let data = error.data.expect("says where");
        assert_eq!(
            (data.pointer.as_deref(), data.expected.as_deref()),
            (Some(pointer), Some(expected)),
            "{json}"
        );
    }
}

#[test]
fn a_wrong_element_of_an_array_spoils_only_itself() {
    for (encoding, frame) in
        frames(r#"[{"type":"pong","at":1},7,[{"type":"pong","at":2}],null,{"type":"pong","at":3}]"#)
    {
        let messages = encoding.decode(&frame, FRAME_BYTES).expect("decodes");
        let read: Vec<bool> = messages
            .iter()
            .map(|m| matches!(m, Inbound::Pong(_)))
            .collect();
        assert_eq!(read, [true, false, false, false, true]);
    }
}

#[test]
fn wrong_params_of_a_subscription_are_the_params_fault() {
    let Invalid { id, error } =
        invalid(r#"{"type":"subscribe","id":"8","topic":"stats.queues","params":{"hz":40}}"#);
    assert_eq!(id.as_deref(), Some("8"));
    assert_eq!(error.code, Code::ValidationFailed);
    assert_eq!(error.message, "/hz: expected a whole number from 1 to 10");
    let error =
        invalid(r#"{"type":"subscribe","id":"8","topic":"stats.queues","params":[]}"#).error;
    assert_eq!(error.message, "expected an object");
    let error = invalid(r#"{"type":"subscribe","id":"8","topic":"wallboard/main"}"#).error;
    assert_eq!(error.code, Code::NotFound);
}

#[test]
fn a_wrong_parameter_is_named_with_what_would_be_right() {
    let long = format!(r#"{{"offer":"{}"}}"#, "x".repeat(129));
    let many = format!(r#"{{"contact":"c","codes":[{}"x"]}}"#, r#""x","#.repeat(32));
    for (method, params, pointer, expected) in [
        (
            Method::ContactAccept,
            "{}",
            "/offer",
            "a value, none is given",
        ),
        (
            Method::ContactAccept,
            r#"{"offer":17}"#,
            "/offer",
            "a text of 1 to 128 characters",
        ),
        (
            Method::ContactAccept,
            r#"{"offer":null}"#,
            "/offer",
            "a text of 1 to 128 characters",
        ),
        (
            Method::ContactAccept,
            r#"{"offer":{"id":"o1"}}"#,
            "/offer",
            "a text of 1 to 128 characters",
        ),
        (
            Method::ContactAccept,
            long.as_str(),
            "/offer",
            "a text of 1 to 128 characters",
        ),
        (
            Method::ContactAccept,
            r#"{"offer":"o1\u0000"}"#,
            "/offer",
            "a text without control characters",
        ),
        (Method::ContactAccept, r#"["o1"]"#, "", "an object"),
        (Method::ContactAccept, r#""o1""#, "", "an object"),
        (
            Method::AgentSetState,
            r#"{"state":"ready"}"#,
            "/state",
            "one of `available`, `not_ready`",
        ),
        (
            Method::AgentSetState,
            r#"{"state":1}"#,
            "/state",
            "one of `available`, `not_ready`",
        ),
        (
            Method::AgentSetState,
            r#"{"state":"available","reason":"lunch"}"#,
            "/reason",
            "no reason, as `available` has none",
        ),
        (
            Method::AgentSetChannels,
            r#"{"channels":{"voice":1}}"#,
            "/channels/voice",
            "true or false",
        ),
        (
            Method::AgentSetChannels,
            r#"{"channels":["voice"]}"#,
            "/channels",
            "an object of at most 64 different names",
        ),
        (
            Method::AgentSetQueues,
            r#"{"queues":"billing"}"#,
            "/queues",
            "a list of at most 1000 items",
        ),
        (
            Method::AgentSetQueues,
            r#"{"queues":["billing",2]}"#,
            "/queues/1",
            "a text of 1 to 128 characters",
        ),
        (
            Method::ContactWrapUp,
            many.as_str(),
            "/codes",
            "a list of at most 32 items",
        ),
        (
            Method::ContactWrapUp,
            r#"{"contact":"c","done":"yes"}"#,
            "/done",
            "true or false",
        ),
        (
            Method::ContactPrioritise,
            r#"{"contact":"c"}"#,
            "/priority",
            "a priority, a tier, or both",
        ),
        (
            Method::ContactPrioritise,
            r#"{"contact":"c","tier":10}"#,
            "/tier",
            "a whole number from 0 to 9",
        ),
        (
            Method::ContactPrioritise,
            r#"{"contact":"c","tier":1.0}"#,
            "/tier",
            "a whole number from 0 to 9",
        ),
        (
            Method::ContactPrioritise,
            r#"{"contact":"c","tier":"1"}"#,
            "/tier",
            "a whole number from 0 to 9",
        ),
        (
            Method::ContactSubmit,
            r#"{"channel":"chat","external_id":"x"}"#,
            "/queue",
            "exactly one of `queue` and `agent`",
        ),
        (
            Method::ContactSubmit,
            r#"{"channel":"chat","external_id":"x","queue":"q","skills":{"a/b~c":11}}"#,
            "/skills/a~1b~0c",
            "a whole number from 1 to 10",
        ),
        (
            Method::ContactSubmit,
            r#"{"channel":"chat","external_id":"x","queue":"q","customer":["c-9","Rosa"]}"#,
            "/customer",
            "an object",
        ),
        (
            Method::ContactSubmit,
            r#"{"channel":"chat","external_id":"x","queue":"q","customer":{"id":9}}"#,
            "/customer/id",
            "a text of 1 to 255 characters",
        ),
        (
            Method::ContactSubmit,
            r#"{"channel":"chat","external_id":"x","queue":"q","due_at":-1}"#,
            "/due_at",
            "a whole number from 0 to 253402300799999",
        ),
        (
            Method::StatsGet,
            r#"{"table":"teams"}"#,
            "/table",
            "one of `queues`, `agents`",
        ),
        (
            Method::Authorize,
            r#"{"items":[{"privilege":"contact.view"},{"privilege":"a","operation":"b"}]}"#,
            "/items/1",
            "exactly one of `privilege` and `operation`",
        ),
        (
            Method::Authorize,
            r#"{"items":[{"privilege":"contact.view","object":{"contact":"c","agent":"a"}}]}"#,
            "/items/0/object",
            "exactly one of `contact`, `agent`, `queue` and `team`",
        ),
    ] {
        assert_eq!(
            wrong(method, params),
            (pointer.to_owned(), expected.to_owned()),
            "{method} {params}"
        );
    }
}

#[test]
fn a_key_given_twice_is_refused() {
    let error = |text: &str| {
        refused(Encoding::Json, &Bytes::copy_from_slice(text.as_bytes()))
            .error
            .message
    };
    assert_eq!(
        error(r#"{"type":"pong","at":1,"at":2}"#),
        "/at: expected one value, several are given"
    );
    let read = |method: Method, params: &str| {
        let raw = Encoding::Json
            .body(&Bytes::copy_from_slice(params.as_bytes()), 1_000)
            .expect("well formed");
        method.read(&raw).expect_err("must be refused").message
    };
    assert_eq!(
        read(Method::ContactAccept, r#"{"offer":"a","offer":"b"}"#),
        "/offer: expected one value, several are given"
    );
    assert_eq!(
        read(
            Method::AgentSetChannels,
            r#"{"channels":{"chat":true,"chat":false}}"#
        ),
        "/channels: expected an object of at most 64 different names"
    );
}

#[test]
fn an_error_never_repeats_a_value() {
    let secret = "s3cret, expected u64 at line 1";
    for (method, params) in [
        (
            Method::ContactAccept,
            format!(r#"{{"offer":["{secret}"]}}"#),
        ),
        (Method::AgentSetState, format!(r#"{{"state":"{secret}"}}"#)),
        (
            Method::AgentSetChannels,
            format!(r#"{{"channels":{{"voice":"{secret}"}}}}"#),
        ),
        (
            Method::ContactPrioritise,
            format!(r#"{{"contact":"c","tier":"{secret}"}}"#),
        ),
        (
            Method::ContactSubmit,
            format!(r#"{{"channel":"chat","external_id":"x","customer":"{secret}"}}"#),
        ),
        (
            Method::ContactWrapUp,
            format!(r#"{{"contact":"c","done":"{secret}"}}"#),
        ),
        (Method::ContactAccept, format!(r#""{secret}""#)),
    ] {
        let error = call(method, &params).expect_err("must be refused");
        assert!(!error.message.contains("s3cret"), "{error}");
        assert!(!error.message.contains("line"), "{error}");
    }
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
