//! Subscriptions: from topic and params to what the board is asked, and its refusals back.

use super::order::{Reading, Subject, contact};
use super::{Caller, Gate, refuse};
use crate::access::facts::Facts;
use crate::access::rights::decide_needs;
use crate::limits;
use crate::live::board::Refused;
use crate::live::topic::{Ask, BadFilter, Filter, Topic};
use crate::wire::error::{Code, WireError, quoted};
use crate::wire::field::{Name, OneOrMore};
use crate::wire::frame::SubscribeParams;
use crate::wire::topic::{Topic as Named, TopicRow};

impl Gate {
    /// What the board is asked for a subscription.
    ///
    /// # Errors
    /// When the caller may not watch the topic at all, or the params do not fit it.
    pub fn watch(
        &self,
        caller: &Caller,
        topic: &Named,
        params: &SubscribeParams,
    ) -> Result<Ask, WireError> {
        let row: &TopicRow = topic.row();
        decide_needs(&caller.principal, &row.needs, None, &Facts::Rows)
            .lens()
            .map_err(|denied| refuse::denied(denied, None))?;
        let mut ask = Ask::of(self.topic(topic)?);
        self.narrow(&mut ask, params)?;
        Ok(ask)
    }

    /// The topic with its object.
    fn topic(&self, topic: &Named) -> Result<Topic, WireError> {
        let directory = self.directory();
        let rules = self.engine.rules();
        let reading = Reading {
            directory: &directory,
            rules: &rules,
        };
        Ok(match topic {
            Named::Connector => Topic::Connector,
            Named::Contact(id) => Topic::Contact(contact(id)?),
            Named::Contacts => Topic::Contacts,
            Named::QueueContacts(id) => Topic::QueueContacts(reading.queue(id, "/topic")?),
            Named::Agents => Topic::Agents,
            Named::StatsQueues => Topic::StatsQueues,
            Named::StatsAgents => Topic::StatsAgents,
            Named::Me => {
                let text = "`me` is opened by `agent.sign_in`";
                return Err(WireError::new(Code::InvalidState, text));
            }
        })
    }

    fn narrow(&self, ask: &mut Ask, params: &SubscribeParams) -> Result<(), WireError> {
        let rules = self.engine.rules();
        for (field, values) in params.filter.iter().flat_map(|filter| filter.iter()) {
            let values = match values {
                OneOrMore::One(value) => std::slice::from_ref(value),
                OneOrMore::More(values) => values,
            };
            for value in values {
                ask.filter
                    .add(ask.topic, field, value, &rules)
                    .map_err(|bad| bad_filter(&bad))?;
            }
        }
        if let Some(columns) = &params.columns {
            ask.columns = columns
                .iter()
                .map(|column| column.as_str().to_owned())
                .collect();
        }
        if let Some(hz) = params.hz {
            ask.hz = u32::try_from(hz.get()).unwrap_or(limits::CONFLATED_HZ);
        }
        if let Some(limit) = params.limit {
            ask.limit = usize::try_from(limit.get()).unwrap_or(limits::LIST_ROWS);
        }
        Ok(())
    }
}

/// The contacts of one queue, if one is named.
pub(super) fn of_queue(reading: &Reading<'_>, queue: Option<&Name>) -> Result<Filter, WireError> {
    let mut filter = Filter::default();
    if let Some(name) = queue {
        reading.queue(name, "/queue")?;
        filter
            .add(Topic::Contacts, "queue", name, reading.rules)
            .map_err(|bad| bad_filter(&bad))?;
    }
    Ok(filter)
}

fn bad_filter(bad: &BadFilter) -> WireError {
    let (field, text) = match bad {
        BadFilter::Field { field, known } => {
            let known: Vec<_> = known.iter().map(|known| quoted(known)).collect();
            let known = match known.as_slice() {
                [] => "none".to_owned(),
                known => known.join(" "),
            };
            (
                field,
                format!(
                    "this topic cannot be filtered by {}; fields: {known}",
                    quoted(field)
                ),
            )
        }
        BadFilter::Value { field, value } => (
            field,
            format!("{} {} does not exist", quoted(field), quoted(value)),
        ),
    };
    let mut error = WireError::new(Code::ValidationFailed, text);
    error.data.get_or_insert_default().pointer = Some(format!("/params/filter/{field}"));
    error
}

/// The object that a topic is about, as `not_found` repeats it.
#[must_use]
pub fn subject(topic: &Named) -> Option<Subject> {
    match topic {
        Named::Contact(id) => Some(Subject::new("contact", id)),
        Named::QueueContacts(id) => Some(Subject::new("queue", id)),
        Named::Me
        | Named::Connector
        | Named::Contacts
        | Named::Agents
        | Named::StatsQueues
        | Named::StatsAgents => None,
    }
}

/// A subscription or read that the board refused.
#[must_use]
pub fn refused(refused: &Refused, subject: Option<&Subject>) -> WireError {
    let code = match refused {
        Refused::Denied(denied) => return refuse::denied(*denied, subject),
        Refused::NotFound => {
            let unnamed = || WireError::new(Code::NotFound, "there is no such object");
            return subject.map_or_else(unnamed, Subject::not_found);
        }
        Refused::AlreadySubscribed(_) => Code::AlreadySubscribed,
        Refused::TooMany | Refused::TooManyAnonymous => Code::RateLimited,
        Refused::FilterHidden => Code::Forbidden,
        Refused::NoColumn(column) => {
            let text = format!("there is no column {}", quoted(column));
            let mut error = WireError::new(Code::ValidationFailed, text);
            error.data.get_or_insert_default().pointer = Some("/params/columns".to_owned());
            return error;
        }
    };
    WireError::new(code, refused.to_string())
}
