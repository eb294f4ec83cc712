//! THE table of topics: what can be watched, who may, and how it is delivered. There is no
//! other way in.

use super::error::{Code, WireError, quoted};
use super::field::{NAME, Name};
use super::word::nearest;
use crate::access::privilege::Needs;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// What a topic promises about delivery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Delivery {
    /// In order, nothing lost, nothing twice; a reader that falls behind is closed and resumes.
    Lossless,
    /// Rows by key: the latest value of each always arrives, those between may be skipped.
    Conflated,
}

impl Delivery {
    /// The word in the documentation.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Lossless => "lossless",
            Self::Conflated => "conflated",
        }
    }
}

/// Over what a right is asked: the facts that the privilege expression is decided on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Over {
    /// The caller alone.
    Caller,
    /// The agent that the params name, or the caller.
    Agent,
    /// The contact of the offer that the params name.
    Offer,
    /// The contact that the params or topic name.
    Contact,
    /// The queue or agent that a new contact is for.
    Target,
    /// The contact of the command that the params name.
    Command,
    /// The queue that the topic names.
    Queue,
    /// Each row by itself: those outside the scope are left out.
    Rows,
}

impl Over {
    /// What the documentation says.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Caller => "the caller",
            Self::Agent => "the agent",
            Self::Offer => "the offer's contact",
            Self::Contact => "the contact",
            Self::Target => "the queue or agent it is for",
            Self::Command => "the command's contact",
            Self::Queue => "the queue",
            Self::Rows => "each row",
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct TopicRow {
    /// Kind of topic.
    pub kind: TopicKind,
    /// Its name, `{id}` standing for the object.
    pub pattern: &'static str,
    /// What is delivered, and how surely.
    pub delivery: Delivery,
    /// The privileges that watching needs.
    pub needs: Needs,
    /// Over what they are asked.
    pub over: Over,
    /// Fields that `params.filter` can name.
    pub filters: &'static [&'static str],
    /// What it shows, in a sentence.
    pub about: &'static str,
}

/// What an act of `access` needs; with several acts, what any of them needs.
macro_rules! any_act {
    ($act:ident) => {
        <crate::access::act::$act as crate::access::permit::Act>::NEEDS
    };
    ($($act:ident)|+) => {
        crate::access::privilege::Needs::AnyOf(&[$(any_act!($act)),+])
    };
}

pub(super) use any_act;

macro_rules! topics {
    ($(
        $kind:ident $pattern:literal $delivery:ident $over:ident
        ($($act:ident)|+) [$($filter:literal)*] $about:literal;
    )+) => {
        /// Kind of a topic.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum TopicKind {
            $( #[doc = concat!("`", $pattern, "`: ", $about)] $kind, )+
        }

        impl TopicKind {
            /// Every kind, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// Its row of the table.
            #[must_use]
            pub const fn row(self) -> &'static TopicRow {
                match self {
                    $( Self::$kind => &TopicRow {
                        kind: Self::$kind,
                        pattern: $pattern,
                        delivery: Delivery::$delivery,
                        needs: any_act!($($act)|+),
                        over: Over::$over,
                        filters: &[$($filter),*],
                        about: $about,
                    }, )+
                }
            }
        }
    };
}

topics! {
    Me "me" Lossless Caller (SessionOpen) []
        "the caller's own seat: state, offers, legs and wrap-ups; opened by `agent.sign_in`";
    Connector "connector" Lossless Rows (ConnectorWatch) ["queue" "channel" "state"]
        "contacts of an integration, and commands to it";
    Contact "contact/{id}" Lossless Contact (ContactView) []
        "one contact: state, legs, and place in line while it waits";
    Contacts "contacts" Lossless Rows (ContactView) ["queue" "channel" "state"]
        "the contacts that the caller may see";
    QueueContacts "queue/{id}/contacts" Lossless Queue (QueueContacts) ["channel" "state"]
        "the contacts that wait in a queue";
    Agents "agents" Lossless Rows (AgentWatch) ["agent" "queue" "team" "state"]
        "state changes of the agents that the caller may see";
    StatsQueues "stats.queues" Conflated Rows (StatsQueues) ["queue" "channel" "team"]
        "numbers of each queue";
    StatsAgents "stats.agents" Conflated Rows (StatsAgents) ["agent" "queue" "team"]
        "numbers of each agent";
}

impl TopicKind {
    /// Whether it lists objects, which then come and go by `entered` and `left`.
    #[must_use]
    pub const fn lists(self) -> bool {
        match self {
            Self::Contacts | Self::QueueContacts | Self::Agents => true,
            Self::Me | Self::Connector | Self::Contact | Self::StatsQueues | Self::StatsAgents => {
                false
            }
        }
    }
}

/// A topic: its kind, and the object where the kind is about one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Topic {
    /// `me`
    Me,
    /// `connector`
    Connector,
    /// `contact/{id}`
    Contact(Name),
    /// `contacts`
    Contacts,
    /// `queue/{id}/contacts`
    QueueContacts(Name),
    /// `agents`
    Agents,
    /// `stats.queues`
    StatsQueues,
    /// `stats.agents`
    StatsAgents,
}

impl Topic {
    /// Reads a topic.
    ///
    /// # Errors
    /// `not_found` naming the topic and, if there is one, the topic that comes nearest.
    pub fn parse(text: &str) -> Result<Self, WireError> {
        let about = |id: &str, topic: fn(Name) -> Self| Name::new(id).map(topic);
        let found = match text {
            "me" => Some(Self::Me),
            "connector" => Some(Self::Connector),
            "contacts" => Some(Self::Contacts),
            "agents" => Some(Self::Agents),
            "stats.queues" => Some(Self::StatsQueues),
            "stats.agents" => Some(Self::StatsAgents),
            _ => {
                if let Some(id) = text.strip_prefix("contact/") {
                    about(id, Self::Contact)
                } else {
                    text.strip_prefix("queue/")
                        .and_then(|rest| rest.strip_suffix("/contacts"))
                        .and_then(|id| about(id, Self::QueueContacts))
                }
            }
        };
        found.ok_or_else(|| {
            let near = nearest(text, TopicKind::ALL.iter().map(|kind| kind.row().pattern));
            WireError::new(
                Code::NotFound,
                format!("there is no topic {}", quoted(text)),
            )
            .suggesting(near)
        })
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> TopicKind {
        match self {
            Self::Me => TopicKind::Me,
            Self::Connector => TopicKind::Connector,
            Self::Contact(_) => TopicKind::Contact,
            Self::Contacts => TopicKind::Contacts,
            Self::QueueContacts(_) => TopicKind::QueueContacts,
            Self::Agents => TopicKind::Agents,
            Self::StatsQueues => TopicKind::StatsQueues,
            Self::StatsAgents => TopicKind::StatsAgents,
        }
    }

    /// Its row of the table.
    #[must_use]
    pub const fn row(&self) -> &'static TopicRow {
        self.kind().row()
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contact(id) => write!(f, "contact/{id}"),
            Self::QueueContacts(id) => write!(f, "queue/{id}/contacts"),
            Self::Me
            | Self::Connector
            | Self::Contacts
            | Self::Agents
            | Self::StatsQueues
            | Self::StatsAgents => f.write_str(self.row().pattern),
        }
    }
}

impl Serialize for Topic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Topic {
    fn schema_name() -> Cow<'static, str> {
        "Topic".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let patterns: Vec<String> = TopicKind::ALL
            .iter()
            .map(|kind| {
                kind.row()
                    .pattern
                    .replace('.', "\\.")
                    .replace("{id}", "[^/]+")
            })
            .collect();
        json_schema!({
            "type": "string",
            "pattern": format!("^({})$", patterns.join("|")),
            "maxLength": NAME + "queue//contacts".len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Delivery, Topic, TopicKind};
    use crate::wire::error::Code;

    #[test]
    fn every_topic_reads_back() {
        for kind in TopicKind::ALL {
            let text = kind.row().pattern.replace("{id}", "x-1");
            let topic = Topic::parse(&text).expect("is a topic");
            assert_eq!(topic.kind(), *kind);
            assert_eq!(topic.to_string(), text);
        }
    }

    #[test]
    fn the_board_and_the_table_say_the_same_of_a_topic() {
        use crate::id::{ContactId, QueueId};
        use crate::live::topic::Topic as Shown;
        let contact = ContactId(
            "019aa5d2-7c40-7b1e-9f3a-52d1f0a7c001"
                .parse()
                .expect("a UUID"),
        );
        for kind in TopicKind::ALL {
            let shown = match kind {
                TopicKind::Me => continue,
                TopicKind::Connector => Shown::Connector,
                TopicKind::Contact => Shown::Contact(contact),
                TopicKind::Contacts => Shown::Contacts,
                TopicKind::QueueContacts => Shown::QueueContacts(QueueId(1)),
                TopicKind::Agents => Shown::Agents,
                TopicKind::StatsQueues => Shown::StatsQueues,
                TopicKind::StatsAgents => Shown::StatsAgents,
            };
            let row = kind.row();
            assert_eq!(shown.filters(), row.filters, "{}", row.pattern);
            assert_eq!(
                shown.is_table(),
                row.delivery == Delivery::Conflated,
                "{}",
                row.pattern
            );
        }
    }

    #[test]
    fn an_unknown_topic_is_named_and_the_nearest_told() {
        let error = Topic::parse("stats.queue").expect_err("no such topic");
        assert_eq!(error.code, Code::NotFound);
        assert_eq!(
            error.message,
            "there is no topic `stats.queue` (did you mean `stats.queues`?)"
        );
        for text in [
            "",
            "contact/",
            "queue//contacts",
            "queue/contacts",
            "contact",
            "me ",
        ] {
            assert_eq!(
                Topic::parse(text).expect_err("no such topic").code,
                Code::NotFound,
                "{text}"
            );
        }
    }
}
