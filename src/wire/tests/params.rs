//! Params that are wrong, and what their sender is told.

use super::{frames, refused};
use crate::limits::FRAME_BYTES;
use crate::wire::codec::Encoding;
use crate::wire::error::{Code, WireError};
use crate::wire::method::{Call, Method};
use bytes::Bytes;

pub(super) fn call(method: Method, params: &str) -> Result<Call, WireError> {
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
