//! Messages that a client may send, and the answer to what is none.

use super::params::call;
use super::{frames, only, refused};
use crate::limits::FRAME_BYTES;
use crate::wire::error::Code;
use crate::wire::frame::{Inbound, Invalid};
use crate::wire::method::{Call, Method};
use crate::wire::topic::Topic;

fn invalid(json: &str) -> Invalid {
    let [left, right] = frames(json).map(|(encoding, frame)| refused(encoding, &frame));
    assert_eq!(left, right, "both encodings answer {json} alike");
    left
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
