//! Makes what machines print about themselves short enough to be read.

/// Structs of which only these fields are shown.
const SHORTENED: [(&str, &[&str]); 14] = [
    ("Principal", &["login"]),
    ("Terms", &[]),
    ("Decision", &[]),
    ("Card", &["id"]),
    (
        "Facts",
        &["id", "channel", "first_entry", "preferred", "patience"],
    ),
    ("Content", &[]),
    ("AgentCard", &["state", "next", "generation"]),
    ("OfferRef", &["offer", "contact", "queue", "agent"]),
    ("MyOffer", &["offer", "deadline"]),
    ("Head", &["tier", "due_at", "entry"]),
    ("SignedIn", &["offers", "legs", "taken", "generation"]),
    ("Workspace", &[]),
    ("Between", &["queue", "queue_life", "floor_life", "message"]),
    ("ReplyTo", &["request"]),
];

/// A line with long structs cut down and ids as people say them.
pub fn brief(line: &str) -> String {
    let mut line = line.replace("00000000-0000-0000-0000-", "c");
    for (name, fields) in SHORTENED {
        line = shorten(&line, name, fields);
    }
    for (long, short) in [
        ("AgentId(", "(a"),
        ("QueueId(", "(q"),
        ("ChannelId(", "(ch"),
        ("OfferId(", "(o"),
        ("ReservationId(", "(r"),
        ("Incarnation(", "("),
        ("Generation(", "(g"),
        ("Instant(100", "(@"),
        ("UserId(", "(u"),
        ("LaneId(", "(l"),
        ("c00000000", "c"),
    ] {
        line = line.replace(long, short);
    }
    line
}

fn shorten(line: &str, name: &str, fields: &[&str]) -> String {
    let opening = format!("{name} {{");
    let mut done = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(&opening) {
        let whole = !rest[..at].ends_with(|c: char| c.is_alphanumeric());
        let inside = at + opening.len();
        if !whole {
            done.push_str(&rest[..inside]);
            rest = &rest[inside..];
            continue;
        }
        let end = closing(&rest[inside..]) + inside;
        done.push_str(&rest[..at]);
        done.push('{');
        for field in fields {
            if let Some(value) = value_of(&rest[inside..end], field) {
                done.push_str(value);
                done.push(' ');
            }
        }
        done.push('}');
        rest = &rest[(end + 1).min(rest.len())..];
    }
    done + rest
}

/// Where the bracket that is open at the start of the text is closed.
fn closing(text: &str) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' if depth == 0 => return at,
            '}' | ')' | ']' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

fn value_of<'a>(inside: &'a str, field: &str) -> Option<&'a str> {
    let label = format!(" {field}: ");
    let from = inside.find(&label)? + label.len();
    let value = &inside[from..];
    let mut depth = 0;
    let end = value.char_indices().find_map(|(at, c)| {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' if depth > 0 => depth -= 1,
            ',' | ' ' | '}' if depth == 0 && !value[..at].ends_with(char::is_alphanumeric) => {
                return Some(at);
            }
            ',' if depth == 0 => return Some(at),
            _ => {}
        }
        None
    });
    Some(&value[..end.unwrap_or(value.len())])
}

#[test]
fn long_structs_are_cut_down() {
    let line = "reads Command(Asked { principal: Principal { version: 1, user: UserId(11), login: \"u11\", rights: [A { b: 2 }] }, generation: Some(Generation(2)) }, Accept(OfferId(7)))";
    assert_eq!(
        brief(line),
        "reads Command(Asked { principal: {\"u11\" }, generation: Some((g2)) }, Accept((o7)))"
    );
}
