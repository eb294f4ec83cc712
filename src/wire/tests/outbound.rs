//! What the server sends, read back by a client.

use crate::limits::SNAPSHOT_PART_BYTES;
use crate::wire::codec::Encoding;
use crate::wire::encode::{Encoder, batches};
use crate::wire::event::{EventData, EventName, OfferEnd};
use crate::wire::object::OfferWhy;
use crate::wire::push::{Event, Left, Outbound, Update};
use crate::wire::snapshot::{SnapshotHead, SnapshotOf, SnapshotWriter};
use crate::wire::table::{Cell, RowChange};
use bytes::Bytes;
use serde_json::{Value, json};

fn value(encoding: Encoding, frame: &Bytes) -> Value {
    match encoding {
        Encoding::Json => serde_json::from_slice(frame).expect("is JSON"),
        Encoding::MessagePack => rmp_serde::from_slice(frame).expect("is MessagePack"),
    }
}

fn left(seq: u64) -> Left<'static> {
    Left {
        sub: "v1".into(),
        seq,
        prev: seq - 1,
        at: 5,
        key: "c1".into(),
    }
}

#[test]
fn an_event_is_written_as_the_page_says() {
    let data = EventData::OfferEnd(OfferEnd {
        offer: "o17".into(),
        contact: "c1".into(),
        why: Some(OfferWhy::LostRace),
    });
    let event = Event {
        sub: "me".into(),
        seq: 150,
        prev: 140,
        at: 1_763_756_003_000,
        event: EventName::OfferWithdrawn,
        key: "o17".into(),
        data: &data,
        actor: None,
        on_behalf: None,
        replay: false,
    };
    for encoding in Encoding::ALL {
        let frame = encoding.encode(&event).expect("encodes");
        assert_eq!(
            value(encoding, &frame),
            json!({
                "type": "event", "sub": "me", "seq": 150, "prev": 140, "at": 1_763_756_003_000_u64,
                "event": "offer.withdrawn", "key": "o17",
                "data": {"offer": "o17", "contact": "c1", "why": "lost_race"},
            })
        );
        let read = encoding.decode_outbound(&frame).expect("reads back");
        let [Outbound::Event(read)] = read.as_slice() else {
            panic!("{read:?}")
        };
        assert_eq!(read.seq, 150);
        assert_eq!(
            read.data
                .parse::<OfferEnd<'_>>()
                .expect("is an offer's end")
                .why,
            Some(OfferWhy::LostRace)
        );
    }
}

#[test]
fn changed_rows_are_flat() {
    let cells = [
        (1, Cell::Int(2)),
        (2, Cell::Null),
        (3, Cell::Float(0.5)),
        (4, Cell::Text("x".into())),
    ];
    let set = [RowChange {
        key: "billing",
        cells: &cells,
    }];
    let update = Update {
        sub: "v7".into(),
        as_of: 140,
        at: 9,
        set: &set[..],
        remove: ["old"],
    };
    for encoding in Encoding::ALL {
        let frame = encoding.encode(&update).expect("encodes");
        assert_eq!(
            value(encoding, &frame),
            json!({
                "type": "update", "sub": "v7", "as_of": 140, "at": 9,
                "set": [["billing", 1, 2, 2, null, 3, 0.5, 4, "x"]], "remove": ["old"],
            })
        );
    }
}

#[test]
fn an_encoder_keeps_its_buffer_and_gives_away_only_the_message() {
    for encoding in Encoding::ALL {
        let mut encoder = Encoder::new(encoding);
        let first = encoder.message(&left(10)).expect("encodes");
        let second = encoder.message(&left(11)).expect("encodes");
        assert_eq!(value(encoding, &first)["seq"], 10);
        assert_eq!(value(encoding, &second)["seq"], 11);
    }
}

#[test]
fn messages_are_joined_into_frames_of_at_most_64() {
    for encoding in Encoding::ALL {
        let messages: Vec<Bytes> = (1..=130)
            .map(|seq| encoding.encode(&left(seq)).expect("encodes"))
            .collect();
        let frames = batches(encoding, &messages);
        let read: Vec<usize> = frames
            .iter()
            .map(|frame| encoding.decode_outbound(frame).expect("reads back").len())
            .collect();
        assert_eq!(read, [64, 64, 2]);
        assert!(batches(encoding, &[]).is_empty());
    }
}

#[test]
fn a_snapshot_comes_in_parts_that_together_are_whole() {
    let columns = ["id", "waiting"];
    let head = SnapshotHead {
        sub: "v7".into(),
        epoch: "17".into(),
        as_of: 131,
    };
    for encoding in Encoding::ALL {
        let of = SnapshotOf::Table(columns.map(Into::into).to_vec());
        let mut writer = SnapshotWriter::new(encoding, head.clone(), of).expect("starts");
        let mut parts = Vec::new();
        let rows: Vec<(String, u32)> = (0..20_000).map(|n| (format!("queue-{n}"), n)).collect();
        for row in &rows {
            parts.extend(writer.row(row).expect("writes"));
        }
        parts.push(writer.finish().expect("ends"));
        assert!(parts.len() > 3);
        let mut seen = Vec::new();
        for (number, part) in parts.iter().enumerate() {
            assert!(part.len() <= SNAPSHOT_PART_BYTES, "{}", part.len());
            let messages = encoding.decode_outbound(part).expect("reads back");
            let [Outbound::Snapshot(part)] = messages.as_slice() else {
                panic!("{messages:?}")
            };
            assert_eq!(part.part as usize, number + 1);
            assert_eq!(part.last, number + 1 == parts.len());
            assert_eq!(part.as_of, 131);
            let read = value(encoding, part.rows.as_ref().expect("has rows").bytes());
            seen.extend(read.as_array().expect("is a list").clone());
        }
        let wanted: Vec<Value> = rows.iter().map(|row| json!(row)).collect();
        assert_eq!(seen, wanted);
    }
}

#[test]
fn a_snapshot_without_rows_is_one_part() {
    let head = SnapshotHead {
        sub: "v8".into(),
        epoch: "17".into(),
        as_of: 4,
    };
    for encoding in Encoding::ALL {
        let of = SnapshotOf::List {
            name: "contacts",
            total: Some(0),
        };
        let writer = SnapshotWriter::new(encoding, head.clone(), of).expect("starts");
        assert_eq!(
            value(encoding, &writer.finish().expect("ends")),
            json!({
                "type": "snapshot", "sub": "v8", "epoch": "17", "as_of": 4,
                "data": {"contacts": [], "total": 0}, "part": 1, "last": true,
            })
        );
    }
}

#[test]
fn a_row_larger_than_a_part_goes_alone() {
    let head = SnapshotHead {
        sub: "v8".into(),
        epoch: "17".into(),
        as_of: 4,
    };
    let huge = "x".repeat(SNAPSHOT_PART_BYTES);
    for encoding in Encoding::ALL {
        let of = SnapshotOf::List {
            name: "agents",
            total: None,
        };
        let mut writer = SnapshotWriter::new(encoding, head.clone(), of).expect("starts");
        assert!(writer.row(&huge).expect("writes").is_none());
        let first = writer
            .row(&"small")
            .expect("writes")
            .expect("the part is full");
        assert_eq!(value(encoding, &first)["data"]["agents"], json!([huge]));
        assert_eq!(
            value(encoding, &writer.finish().expect("ends"))["data"]["agents"],
            json!(["small"])
        );
    }
}
