//! Whatever bytes come, decoding ends with messages or an error, and what is read once is read
//! the same again.

use crate::limits::FRAME_BYTES;
use crate::wire::codec::Encoding;
use crate::wire::field::Text;
use crate::wire::frame::{Inbound, Request};
use crate::wire::method::Method;
use bytes::Bytes;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

/// Reads everything that can be read of a frame, as server and as client.
fn read(encoding: Encoding, bytes: &[u8]) {
    let frame = Bytes::copy_from_slice(bytes);
    for message in encoding.decode(&frame, FRAME_BYTES).unwrap_or_default() {
        if let Inbound::Request(request) = message {
            for method in Method::ALL {
                let _ = method.read(&request.params);
            }
        }
    }
    let _ = encoding.decode_outbound(&frame);
    if let Ok(raw) = encoding.body(&frame, FRAME_BYTES) {
        let _ = Method::ContactSubmit.read(&raw);
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i32>().prop_map(|n| Value::from(f64::from(n) / 4.0)),
        ".{0,12}".prop_map(Value::from),
        select(vec![
            "o17",
            "billing",
            "voice",
            "available",
            "now",
            "me",
            "stats.queues"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(any_key(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_key() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec![
            "type",
            "id",
            "method",
            "params",
            "key",
            "as",
            "topic",
            "sub",
            "at",
            "token",
            "client",
            "resume",
            "offer",
            "contact",
            "channel",
            "external_id",
            "queue",
            "agent",
            "customer",
            "attributes",
            "skills",
            "items",
            "object",
            "privilege",
            "state",
            "subs",
            "seq",
            "filter",
        ])
        .prop_map(str::to_owned),
        ".{0,8}",
    ]
}

fn any_message() -> impl Strategy<Value = Value> {
    let kind = select(vec![
        "hello",
        "request",
        "subscribe",
        "unsubscribe",
        "pong",
        "event",
        "reply",
    ]);
    let method = select(Method::WORDS.to_vec());
    (kind, method, btree_map(any_key(), any_value(), 0..8)).prop_map(|(kind, method, mut map)| {
        map.insert("type".to_owned(), kind.into());
        map.insert("method".to_owned(), method.into());
        map.entry("id".to_owned()).or_insert_with(|| "1".into());
        Value::Object(map.into_iter().collect())
    })
}

fn bytes_of(encoding: Encoding, value: &Value) -> Vec<u8> {
    match encoding {
        Encoding::Json => serde_json::to_vec(value).expect("encodes"),
        Encoding::MessagePack => rmp_serde::to_vec_named(value).expect("encodes"),
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..512)) {
        for encoding in Encoding::ALL {
            read(encoding, &bytes);
        }
    }

    #[test]
    fn mutated_frames_never_panic(
        message in any_message(),
        edits in vec((any::<Index>(), any::<u8>(), 0..4_u8), 0..6),
    ) {
        for encoding in Encoding::ALL {
            let mut bytes = bytes_of(encoding, &message);
            for (at, byte, kind) in &edits {
                let at = at.index(bytes.len().max(1));
                match kind {
                    0 if at < bytes.len() => bytes[at] = *byte,
                    1 => bytes.insert(at, *byte),
                    2 if at < bytes.len() => drop(bytes.remove(at)),
                    _ => bytes.truncate(at),
                }
            }
            read(encoding, &bytes);
        }
    }

    #[test]
    fn both_encodings_read_a_message_alike(message in any_message()) {
        let [json, pack] = Encoding::ALL.map(|encoding| {
            let frame = Bytes::from(bytes_of(encoding, &message));
            let messages = encoding.decode(&frame, usize::MAX).expect("the frame is well formed");
            format!("{:?}", messages.iter().map(without_bytes).collect::<Vec<_>>())
        });
        prop_assert_eq!(json, pack);
    }

    #[test]
    fn a_request_comes_back_as_it_was_sent(
        id in "[a-z0-9]{1,64}",
        method in select(Method::ALL.to_vec()),
        key in proptest::option::of("[a-z0-9]{1,64}"),
        params in btree_map(any_key(), any_value(), 0..6),
    ) {
        let params = Value::Object(params.into_iter().collect());
        for encoding in Encoding::ALL {
            let request = Request {
                id: Text::new(id.clone()).expect("fits"),
                method,
                params: &params,
                key: key.clone().and_then(Text::new),
                on_behalf: None,
            };
            let frame = encoding.encode(&request).expect("encodes");
            let read = super::only(encoding, &frame);
            let Inbound::Request(read) = read else { panic!("{read:?}") };
            prop_assert_eq!(&read.id, &request.id);
            prop_assert_eq!(read.method, method);
            prop_assert_eq!(&read.key, &request.key);
            let again = serde_json::to_value(&read.params).expect("is a value");
            prop_assert_eq!(&again, &params);
        }
    }
}

/// A message with its params as every encoding shows them.
fn without_bytes(message: &Inbound) -> String {
    let Inbound::Request(request) = message else {
        return format!("{message:?}");
    };
    format!(
        "{} {} {:?} {:?} {:?}",
        request.id,
        request.method,
        request.key,
        request.on_behalf,
        request.method.read(&request.params)
    )
}
