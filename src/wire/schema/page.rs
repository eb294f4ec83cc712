//! The tables of `docs/protocol.md`: each stands between two marks and comes from the code.

use super::root;
use crate::limits;
use crate::wire::close::CloseCode;
use crate::wire::error::Code;
use crate::wire::event::{DataKind, EventName};
use crate::wire::method::{Method, Work};
use crate::wire::topic::TopicKind;
use schemars::generate::{Contract, SchemaSettings};
use schemars::{Schema, SchemaGenerator};
use serde_json::Value;
use std::fs;

/// The page with every table as the code says.
pub(super) fn text() -> String {
    let mut page = fs::read_to_string(root().join("docs/protocol.md")).expect("the page is there");
    for (name, table) in [
        ("methods", methods()),
        ("topics", topics()),
        ("events", events()),
        ("errors", errors()),
        ("close codes", close_codes()),
        ("limits", limits()),
    ] {
        let begin = format!("<!-- {name}: from the code -->\n");
        let end = format!("<!-- end of {name} -->");
        let from = page
            .find(&begin)
            .unwrap_or_else(|| panic!("no mark {begin}"))
            + begin.len();
        let to = from
            + page[from..]
                .find(&end)
                .unwrap_or_else(|| panic!("no mark {end}"));
        page.replace_range(from..to, &format!("\n{table}\n"));
    }
    page
}

fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut text = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(head.len()));
    for row in rows {
        text.push_str(&format!("| {} |\n", row.join(" | ")));
    }
    text
}

fn generator(contract: Contract) -> SchemaGenerator {
    SchemaSettings::draft2020_12()
        .with(|settings| settings.contract = contract)
        .into_generator()
}

fn methods() -> String {
    let mut client = generator(Contract::Deserialize);
    let mut server = generator(Contract::Serialize);
    let rows = Method::ALL.iter().map(|method| {
        let row = method.row();
        let params = method.params_schema(&mut client);
        let result = method.result_schema(&mut server);
        let mut about = row.about.to_owned();
        match row.work {
            Work::New => about.push_str(" New work: refused as `busy` under load."),
            Work::Read | Work::InHand => {}
        }
        vec![
            format!("`{method}`"),
            about,
            keys(&params, &mut client),
            keys(&result, &mut server),
            row.needs.to_string(),
            row.over.words().to_owned(),
            row.answered_by.word().to_owned(),
            if row.audit { "yes" } else { "" }.to_owned(),
        ]
    });
    table(
        &[
            "method",
            "what it does",
            "params",
            "result",
            "needs",
            "over",
            "by",
            "audit",
        ],
        rows.collect(),
    )
}

/// The keys of an object, those that may be left out with a question mark; or its name, if it
/// is one of those that the page shows.
fn keys(schema: &Schema, generator: &mut SchemaGenerator) -> String {
    let reference = schema
        .get("$ref")
        .and_then(Value::as_str)
        .expect("goes by a name");
    let name = reference.rsplit('/').next().unwrap_or_default();
    if name == "Contact" {
        return "the contact".to_owned();
    }
    let schema = &generator.definitions()[name];
    let required = |key: &str| {
        schema["required"]
            .as_array()
            .is_some_and(|keys| keys.iter().any(|name| name == key))
    };
    let Some(properties) = schema["properties"].as_object() else {
        return String::new();
    };
    let mut keys: Vec<(bool, String)> = properties
        .keys()
        .map(|key| {
            (
                !required(key),
                format!("`{key}{}`", if required(key) { "" } else { "?" }),
            )
        })
        .collect();
    keys.sort();
    keys.into_iter()
        .map(|(_, key)| key)
        .collect::<Vec<_>>()
        .join(" ")
}

fn topics() -> String {
    let rows = TopicKind::ALL.iter().map(|kind| {
        let row = kind.row();
        vec![
            format!("`{}`", row.pattern),
            row.about.to_owned(),
            row.delivery.word().to_owned(),
            row.needs.to_string(),
            row.over.words().to_owned(),
            row.filters
                .iter()
                .map(|field| format!("`{field}`"))
                .collect::<Vec<_>>()
                .join(" "),
        ]
    });
    table(
        &[
            "topic",
            "what it shows",
            "delivery",
            "needs",
            "over",
            "filter by",
        ],
        rows.collect(),
    )
}

/// Topics of contacts, in the order of the table.
const OF_CONTACTS: [TopicKind; 4] = [
    TopicKind::Connector,
    TopicKind::Contact,
    TopicKind::Contacts,
    TopicKind::QueueContacts,
];

fn events() -> String {
    let rows = EventName::ALL.iter().map(|event| {
        let on = |topic| {
            event
                .data_on(topic)
                .map(data_words)
                .unwrap_or_default()
                .to_owned()
        };
        let shown: Vec<(TopicKind, DataKind)> = OF_CONTACTS
            .iter()
            .filter_map(|topic| Some((*topic, event.data_on(*topic)?)))
            .collect();
        let contacts = match shown.as_slice() {
            [] => String::new(),
            [(_, data), ..] => {
                let topics: Vec<String> = shown
                    .iter()
                    .map(|(topic, _)| format!("`{}`", topic.row().pattern))
                    .collect();
                match topics.len() == OF_CONTACTS.len() {
                    true => data_words(*data).to_owned(),
                    false => format!("{} (only {})", data_words(*data), topics.join(" ")),
                }
            }
        };
        vec![
            format!("`{event}`"),
            event.about().to_owned(),
            on(TopicKind::Me),
            on(TopicKind::Agents),
            contacts,
        ]
    });
    table(
        &[
            "event",
            "what happened",
            "on `me`",
            "on `agents`",
            "on topics of contacts",
        ],
        rows.collect(),
    )
}

fn data_words(data: DataKind) -> &'static str {
    match data {
        DataKind::Offer => "offer",
        DataKind::OfferEnd => "offer's end",
        DataKind::Leg => "leg",
        DataKind::Agent => "agent",
        DataKind::AgentChange => "agent",
        DataKind::Contact => "change",
        DataKind::Position => "position",
        DataKind::MediaConnect => "command",
        DataKind::MediaDisconnect => "command",
    }
}

fn errors() -> String {
    let rows = Code::ALL.iter().map(|code| {
        let retry = if *code == Code::AlreadyTaken {
            "while the winner connects"
        } else if code.retry() {
            "yes"
        } else {
            "no"
        };
        vec![
            format!("`{code}`"),
            code.status().to_string(),
            retry.to_owned(),
            code.about().to_owned(),
        ]
    });
    table(&["code", "HTTP", "retry", "meaning"], rows.collect())
}

fn close_codes() -> String {
    let rows = CloseCode::ALL.iter().map(|code| {
        vec![
            code.code().to_string(),
            code.meaning().to_owned(),
            code.then().advice().to_owned(),
        ]
    });
    table(&["code", "what happened", "what to do"], rows.collect())
}

fn limits() -> String {
    let seconds = |span: crate::time::Span| format!("{} s", span.0 / 1_000);
    let kib = |bytes: usize| match bytes {
        bytes if bytes >= 1 << 20 => format!("{} MiB", bytes >> 20),
        bytes => format!("{} KiB", bytes >> 10),
    };
    let row = |what: &str, value: String, over: &str| vec![what.to_owned(), value, over.to_owned()];
    let rows = vec![
        row(
            "`hello` after the upgrade",
            seconds(limits::HELLO_WITHIN),
            "closed with 4101",
        ),
        row(
            "inbound frame",
            kib(limits::FRAME_BYTES),
            "closed with 4103",
        ),
        row(
            "inbound frame of a connector",
            kib(limits::FRAME_BYTES_CONNECTOR),
            "closed with 4103",
        ),
        row(
            "messages in a frame",
            limits::FRAME_MESSAGES.to_string(),
            "closed with 4102",
        ),
        row(
            "nesting of a frame",
            limits::FRAME_DEPTH.to_string(),
            "closed with 4102",
        ),
        row("token", kib(limits::TOKEN_BYTES), "`bad_request`"),
        row(
            "views of a connection, those of own legs apart",
            limits::SUBSCRIPTIONS.to_string(),
            "`rate_limited`",
        ),
        row(
            "frames of a conflated view",
            format!(
                "{} Hz, {} unless asked otherwise",
                limits::CONFLATED_HZ_MAX,
                limits::CONFLATED_HZ
            ),
            "`validation_failed`",
        ),
        row(
            "contacts in a list",
            format!("{} unless asked otherwise", limits::LIST_ROWS),
            "the rest is counted in `total`",
        ),
        row(
            "part of a snapshot",
            kib(limits::SNAPSHOT_PART_BYTES),
            "another part follows",
        ),
        row(
            "live events that a connection owes its reader",
            kib(limits::OUTBOUND_BYTES),
            "closed with 4008",
        ),
        row(
            "live events kept while a snapshot of their view drains",
            kib(limits::SNAPSHOT_BACKLOG_BYTES),
            "the snapshot restarts once, then 4008",
        ),
        row(
            "replay of `me` after `hello.resume`",
            format!(
                "{} events and {} min",
                limits::ME_KEPT_FOR_LOST,
                limits::REPLAY_AGE.0 / 60_000
            ),
            "sign in again",
        ),
        row(
            "replay of a view after `hello.resume`",
            format!(
                "{} events and {} min",
                limits::REPLAY_EVENTS,
                limits::REPLAY_AGE.0 / 60_000
            ),
            "`reset` and a snapshot",
        ),
        row(
            "idempotency keys",
            format!(
                "{} h, {} per identity",
                limits::KEY_MEMORY.0 / 3_600_000,
                limits::KEYS_PER_IDENTITY
            ),
            "the oldest are forgotten",
        ),
        row(
            "an external id names the same contact",
            format!(
                "{} h after it closed",
                limits::EXTERNAL_ID_MEMORY.0 / 3_600_000
            ),
            "later it makes a new contact",
        ),
        row(
            "contacts of one batch",
            limits::BATCH_CONTACTS.to_string(),
            "`validation_failed`",
        ),
        row(
            "ping",
            format!("every {}", seconds(limits::PING_EVERY)),
            "no frame for 20 s: closed with 4001",
        ),
    ];
    table(&["what", "limit", "over it"], rows)
}

#[test]
fn params_are_listed_with_those_that_may_be_left_out_last() {
    let mut generator = generator(Contract::Deserialize);
    let params = Method::ContactDecline.params_schema(&mut generator);
    assert_eq!(keys(&params, &mut generator), "`offer` `reason?`");
    let params = Method::QueueList.params_schema(&mut generator);
    assert_eq!(keys(&params, &mut generator), "");
}
