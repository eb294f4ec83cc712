//! Subscriptions: from topic and params to what the board is asked, and its refusals back.

use super::named::{Reading, Subject, contact};
use super::{Caller, Gate, refuse};
use crate::access::facts::Facts;
use crate::access::lens::{Agents, Lens};
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
        let lens = decide_needs(&caller.principal, &row.needs, None, &Facts::Rows).lens();
        let lens = lens.map_err(|denied| refuse::denied(denied, None))?;
        let (directory, rules) = (self.directory(), self.engine.rules());
        let reading = Reading {
            directory: &directory,
            rules: &rules,
            caller: &caller.principal,
        };
        let mut ask = Ask::of(watched(&reading, topic)?);
        narrow(&reading, lens, &mut ask, params)?;
        Ok(ask)
    }
}

/// The topic with its object.
fn watched(reading: &Reading<'_>, topic: &Named) -> Result<Topic, WireError> {
    let needs = &topic.row().needs;
    Ok(match topic {
        Named::Connector => Topic::Connector,
        Named::Contact(id) => Topic::Contact(contact(id)?),
        Named::Contacts => Topic::Contacts,
        Named::QueueContacts(id) => Topic::QueueContacts(reading.queue_to_watch(id, needs)?),
        Named::Agents => Topic::Agents,
        Named::StatsQueues => Topic::StatsQueues,
        Named::StatsAgents => Topic::StatsAgents,
        Named::Me => {
            let text = "`me` is opened by `agent.sign_in`";
            return Err(WireError::new(Code::InvalidState, text));
        }
    })
}

fn narrow(
    reading: &Reading<'_>,
    lens: Lens,
    ask: &mut Ask,
    params: &SubscribeParams,
) -> Result<(), WireError> {
    for (field, values) in params.filter.iter().flat_map(|filter| filter.iter()) {
        let values = match values {
            OneOrMore::One(value) => std::slice::from_ref(value),
            OneOrMore::More(values) => values,
        };
        for value in values {
            let of_agents = matches!(field.as_str(), "agent" | "team");
            let known = ask.topic.filters().contains(&field.as_str());
            if lens.agents == Agents::Anonymous && of_agents && known {
                return Err(refused(&Refused::FilterHidden, None));
            }
            add(reading, &mut ask.filter, ask.topic, field, value)?;
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

/// Adds a value to a filter. What the caller may not see does not exist.
fn add(
    reading: &Reading<'_>,
    filter: &mut Filter,
    topic: Topic,
    field: &str,
    value: &str,
) -> Result<(), WireError> {
    let added = filter.add(topic, field, value, reading.rules);
    let known = added.and_then(|()| {
        let may = reading.may_name(field, value);
        may.then_some(()).ok_or_else(|| BadFilter::Value {
            field: field.to_owned(),
            value: value.to_owned(),
        })
    });
    known.map_err(|bad| bad_filter(&bad))
}

/// The contacts of one queue, if one is named.
pub(super) fn of_queue(reading: &Reading<'_>, queue: Option<&Name>) -> Result<Filter, WireError> {
    let mut filter = Filter::default();
    if let Some(name) = queue {
        add(reading, &mut filter, Topic::Contacts, "queue", name)
            .map_err(|_| Subject::new("queue", name).at("/queue").not_found())?;
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
        Named::QueueContacts(id) => Some(Subject::new("queue", id).at("/topic")),
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
