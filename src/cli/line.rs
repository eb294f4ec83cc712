//! An event of the log as a line of JSON: numbers replaced by the names that they stand for, and
//! ids as the protocol writes them.

use crate::directory::{Known, WorkspaceNames};
use crate::domain::capacity::ChannelSet;
use crate::domain::event::{By, Record};
use crate::domain::requirement::Requirement;
use crate::id::{CommandId, OfferId, ReservationId, Seq, UserId};
use crate::time::Instant;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// Writes the lines of one log.
pub(super) struct Lines {
    names: WorkspaceNames,
}

/// A line, in the order in which people read it.
#[derive(Serialize)]
struct Line<'a> {
    seq: Seq,
    at: Instant,
    by: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    behalf: Option<Value>,
    event: String,
    data: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a RawValue>,
}

/// What a number stands for.
#[derive(Clone, Copy)]
enum Kind {
    Channel,
    Team,
    Queue,
    User,
}

impl Lines {
    /// Lines with these names.
    pub(super) fn new(known: &Known) -> Self {
        let mut names = WorkspaceNames::default();
        for (numbered, known) in [
            (&mut names.channels, &known.channels),
            (&mut names.skills, &known.skills),
            (&mut names.teams, &known.teams),
            (&mut names.queues, &known.queues),
            (&mut names.users, &known.users),
        ] {
            *numbered = known.iter().collect();
        }
        Self { names }
    }

    /// One line, without its end; with what was said, if that is given as JSON.
    pub(super) fn line(&self, record: &Record, said: Option<&str>) -> String {
        let (by, behalf) = match record.by {
            By::Engine => (json!("engine"), None),
            By::User { user, behalf } => (self.user(user), behalf.map(|behalf| self.user(behalf))),
        };
        let (event, data) = self.event(record);
        let line = Line {
            seq: record.seq,
            at: record.at,
            by,
            behalf,
            event,
            data,
            content: said.and_then(|said| serde_json::from_str(said).ok()),
        };
        serde_json::to_string(&line).unwrap_or_else(|error| json!(error.to_string()).to_string())
    }

    /// Its name and its fields. An event is encoded as one key, its kind.
    fn event(&self, record: &Record) -> (String, Value) {
        match serde_json::to_value(&record.event) {
            Ok(Value::Object(event)) => match event.into_iter().next() {
                Some((kind, data)) => (spoken(&kind), self.named("", data)),
                None => ("unknown".into(), Value::Null),
            },
            Ok(other) => (other.to_string(), Value::Null),
            Err(error) => ("unreadable".into(), json!(error.to_string())),
        }
    }

    /// A value under its key, with names for numbers.
    fn named(&self, key: &str, value: Value) -> Value {
        match key {
            "requirement" => return self.requirement(value),
            "command" => return shown::<CommandId>(value),
            "reservation" => return shown::<ReservationId>(value),
            "offer" if value.is_number() => return shown::<OfferId>(value),
            "channels" if value.is_number() => return self.channels(value),
            "seats" => return self.pairs(value, shown::<OfferId>, Kind::User),
            "starts" => return self.starts(value),
            "excluded" => return self.first(value, Kind::User),
            _ => {}
        }
        let kind = kind_of(key);
        match value {
            Value::Number(_) => kind.map_or(value.clone(), |kind| self.name(kind, &value)),
            Value::Array(all) => all
                .into_iter()
                .map(|value| self.named(key, value))
                .collect(),
            Value::Object(fields) => Value::Object(
                fields
                    .into_iter()
                    .map(|(key, value)| {
                        let value = self.named(&key, value);
                        (key, value)
                    })
                    .collect(),
            ),
            Value::Null | Value::Bool(_) | Value::String(_) => value,
        }
    }

    fn name(&self, kind: Kind, value: &Value) -> Value {
        let number = value
            .as_u64()
            .and_then(|number| usize::try_from(number).ok());
        let names = match kind {
            Kind::Channel => &self.names.channels,
            Kind::Team => &self.names.teams,
            Kind::Queue => &self.names.queues,
            Kind::User => &self.names.users,
        };
        match number.and_then(|number| names.name(number)) {
            Some(name) => json!(name),
            None => value.clone(),
        }
    }

    fn user(&self, user: UserId) -> Value {
        self.name(Kind::User, &json!(user))
    }

    fn requirement(&self, value: Value) -> Value {
        match serde_json::from_value::<Requirement>(value.clone()) {
            Ok(requirement) => json!(requirement.text(&self.names)),
            Err(_) => value,
        }
    }

    /// A set of channels as a list of their names.
    fn channels(&self, value: Value) -> Value {
        let Ok(set) = serde_json::from_value::<ChannelSet>(value.clone()) else {
            return value;
        };
        set.iter()
            .map(|channel| self.name(Kind::Channel, &json!(channel)))
            .collect()
    }

    /// A list of pairs of which the second is to be named.
    fn pairs(&self, value: Value, first: impl Fn(Value) -> Value, second: Kind) -> Value {
        each(value, |mut pair| {
            if let [one, two] = pair.as_mut_slice() {
                *one = first(one.take());
                *two = self.name(second, two);
            }
            Value::Array(pair)
        })
    }

    /// A list of pairs of which the first is to be named.
    fn starts(&self, value: Value) -> Value {
        each(value, |pair| self.first(Value::Array(pair), Kind::Queue))
    }

    /// A pair of which the first is to be named.
    fn first(&self, mut value: Value, kind: Kind) -> Value {
        if let Some(first) = value.get_mut(0) {
            *first = self.name(kind, first);
        }
        value
    }
}

/// Every list in a list, made into something else.
fn each(mut value: Value, make: impl Fn(Vec<Value>) -> Value) -> Value {
    for one in value.as_array_mut().into_iter().flatten() {
        if let Some(list) = one.as_array_mut().map(std::mem::take) {
            *one = make(list);
        }
    }
    value
}

fn kind_of(key: &str) -> Option<Kind> {
    match key {
        "channel" => Some(Kind::Channel),
        "team" => Some(Kind::Team),
        "queue" | "queues" => Some(Kind::Queue),
        "agent" | "agents" | "preferred" | "runners_up" | "submitted_by" | "connector" => {
            Some(Kind::User)
        }
        _ => None,
    }
}

/// An id as the protocol writes it.
fn shown<T: serde::de::DeserializeOwned + std::fmt::Display>(value: Value) -> Value {
    match serde_json::from_value::<T>(value.clone()) {
        Ok(id) => json!(id.to_string()),
        Err(_) => value,
    }
}

/// The name of an event: as the protocol has it where it tells of that event, else in its manner.
fn spoken(kind: &str) -> String {
    match kind {
        "leg_wrap_up_started" => "leg.wrap_up".into(),
        _ => kind.replacen('_', ".", 1),
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;
    use crate::directory::Known;
    use crate::domain::capacity::ChannelSet;
    use crate::domain::event::{By, Event, Record};
    use crate::domain::offer::AgentState;
    use crate::id::{
        AgentId, ChannelId, ContactId, Generation, OfferId, QueueId, ReservationId, Seq, UserId,
    };
    use crate::time::Instant;

    fn line(event: Event) -> String {
        let names = |all: [&str; 2]| all.map(str::to_owned).to_vec();
        let known = Known {
            channels: names(["voice", "chat"]),
            queues: names(["sales", "support"]),
            users: names(["ana", "sue"]),
            ..Known::default()
        };
        let record = Record {
            seq: Seq(7),
            at: Instant(9),
            by: By::User {
                user: UserId(0),
                behalf: Some(UserId(1)),
            },
            event,
            content: None,
        };
        Lines::new(&known).line(&record, Some("{\"note\":\"late\"}"))
    }

    #[test]
    fn numbers_are_names_and_ids_are_those_of_the_protocol() {
        let contact = ContactId(uuid::Uuid::from_u128(1));
        let offered = line(Event::ContactOffered {
            contact,
            queue: QueueId(1),
            reservation: ReservationId(4),
            seats: vec![(OfferId(3), AgentId(0)), (OfferId(5), AgentId(9))],
        });
        assert_eq!(
            offered,
            format!(
                "{{\"seq\":7,\"at\":9,\"by\":\"ana\",\"behalf\":\"sue\",\"event\":\"contact.offered\",\
                 \"data\":{{\"contact\":\"{contact}\",\"queue\":\"support\",\"reservation\":\"r4\",\
                 \"seats\":[[\"o3\",\"ana\"],[\"o5\",9]]}},\"content\":{{\"note\":\"late\"}}}}"
            )
        );
        let signed_in = line(Event::AgentSignedIn {
            agent: AgentId(1),
            generation: Generation(2),
            channels: ChannelSet::of(ChannelId(1)),
            queues: vec![QueueId(0), QueueId(1)],
            state: AgentState::Available,
            starts: vec![(QueueId(1), 3)],
        });
        for part in [
            "\"event\":\"agent.signed_in\"",
            "\"agent\":\"sue\"",
            "\"channels\":[\"chat\"]",
            "\"queues\":[\"sales\",\"support\"]",
            "\"starts\":[[\"support\",3]]",
        ] {
            assert!(signed_in.contains(part), "{part}: {signed_in}");
        }
    }
}
