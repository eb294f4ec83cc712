//! From a method's params to the command that a machine understands: names become ids, texts
//! become requirements. What cannot be so is refused here, with the field and what would be
//! right.

use super::named::{Reading, Subject, at, contact, offer};
use crate::domain::capacity::ChannelSet;
use crate::domain::command::{FloorCommand, QueueCommand, Report, When};
use crate::domain::contact::{Content, Facts};
use crate::domain::offer::AgentState;
use crate::domain::requirement::Requirement;
use crate::domain::rules::SignOutWork;
use crate::id::{AgentId, ChannelId, CommandId, ContactId, QueueId};
use crate::time::{Instant, Span};
use crate::wire::error::{Code, WireError};
use crate::wire::field::{Map, Text};
use crate::wire::method::Method;
use crate::wire::params;
use std::collections::BTreeMap;

/// Reason of a `not_ready` that names none.
const NO_REASON: &str = "away";
/// Tier of a contact that names none: the middle.
const TIER: u8 = 5;

/// What a call wants done, by whom it is done.
#[derive(Debug)]
pub enum Order {
    /// A new contact, for this queue.
    Submit {
        /// The queue.
        queue: QueueId,
        /// Routing facts.
        facts: Box<Facts>,
        /// Customer and attributes.
        content: Box<Content>,
    },
    /// For the queue that has the contact.
    Queue(QueueCommand),
    /// For the floor.
    Floor(FloorCommand),
}

type Read<T> = Result<T, WireError>;

/// `validation_failed`, saying where and in which words.
fn wrong(pointer: &str, problem: String) -> WireError {
    let text = format!("{pointer}: {problem}");
    at(pointer, WireError::new(Code::ValidationFailed, text))
}

impl Reading<'_> {
    /// Required skills and an expression as one requirement.
    fn requirement(
        &self,
        skills: Option<&Map<params::SkillLevel, 32>>,
        expression: Option<&str>,
    ) -> Read<Requirement> {
        let levels = skills.iter().flat_map(|skills| skills.iter());
        let levels = levels.map(|(name, level)| (&**name, level.get().unsigned_abs()));
        let skills = Requirement::needed(levels, self.names()).map_err(|error| {
            wrong(
                &format!("/skills/{}", pointer_part(&error.skill)),
                error.problem,
            )
        })?;
        let Some(expression) = expression else {
            return Ok(skills);
        };
        let expression = Requirement::parse(expression, self.names())
            .map_err(|error| wrong("/requirement", error.to_string()))?;
        Ok(Requirement::all_of(&skills, &expression))
    }

    /// `contact.submit`
    ///
    /// # Errors
    /// When a name does not exist or the requirement cannot be read.
    pub fn submit(&self, asked: params::Submit, id: ContactId, now: Instant) -> Read<Order> {
        let channel = self.channel(&asked.channel, "/channel")?;
        let named = asked
            .agent
            .as_ref()
            .map(|name| self.agent(name, "/agent"))
            .transpose()?;
        let preferred = asked
            .preferred_agent
            .as_ref()
            .map(|name| self.agent(name, "/preferred_agent"))
            .transpose()?;
        let queue = match &asked.queue {
            Some(name) => self.queue_to_fill(name, channel)?,
            None => self.direct(channel)?,
        };
        let patience = asked.patience_ms.map(|ms| Span(ms.get().unsigned_abs()));
        let patience = preferred.map(|_| patience.unwrap_or(self.rules.terms.patience));
        let conversation = asked.conversation.as_ref().map(|name| {
            name.parse().map_err(|_| {
                let expected = "the id of a conversation, a UUID";
                WireError::wrong(Code::ValidationFailed, "/conversation".to_owned(), expected)
            })
        });
        let facts = Facts {
            id,
            external_id: asked.external_id.as_str().into(),
            channel,
            conversation: conversation.transpose()?.unwrap_or(id),
            first_entry: now,
            priority: asked.priority.map_or(0, small),
            tier: asked
                .tier
                .map_or(TIER, |tier| u8::try_from(tier.get()).unwrap_or(TIER)),
            due_at: asked.due_at.map(|at| Instant(at.get().unsigned_abs())),
            requirement: self.requirement(asked.skills.as_ref(), asked.requirement.as_deref())?,
            // A contact that is for one agent is kept for that agent without end.
            preferred: named.or(preferred),
            patience: if named.is_some() { None } else { patience },
            submitted_by: self.caller.user(),
        };
        let content = content(asked.customer.map(|customer| customer.0), asked.attributes);
        Ok(Order::Submit {
            queue,
            facts: Box::new(facts),
            content: Box::new(content),
        })
    }

    /// The built-in queue of a channel, which owns contacts for a named agent.
    fn direct(&self, channel: ChannelId) -> Read<QueueId> {
        let direct = self
            .rules
            .queues
            .iter()
            .find(|queue| queue.direct && queue.terms(channel).is_some());
        direct.map(|queue| queue.id).ok_or_else(|| {
            wrong(
                "/agent",
                "contacts of this channel cannot be for one agent".to_owned(),
            )
        })
    }

    /// `contact.update`
    ///
    /// # Errors
    /// When there is no such contact or skill, or the requirement cannot be read.
    pub fn update(&self, asked: params::Update) -> Read<Order> {
        let changes = asked.skills.is_some() || asked.requirement.is_some();
        let requirement = changes
            .then(|| self.requirement(asked.skills.as_ref(), asked.requirement.as_deref()))
            .transpose()?;
        let attributes = asked.attributes.map(Map::into_map).unwrap_or_default();
        Ok(Order::Queue(QueueCommand::Update {
            contact: contact(&asked.contact)?,
            attributes: attributes
                .into_iter()
                .map(|(name, value)| (name.into_string(), value.map(Text::into_string)))
                .collect(),
            requirement,
        }))
    }

    /// `agent.sign_in`
    ///
    /// # Errors
    /// When there is no such channel, or the agent is no member of a queue.
    pub fn sign_in(&self, asked: &params::SignIn) -> Read<Order> {
        let channels = asked.channels.as_ref();
        let queues = asked.queues.as_ref();
        Ok(Order::Floor(FloorCommand::SignIn {
            take_over: asked.take_over.unwrap_or_default(),
            channels: channels
                .map(|names| self.channels(names.iter(), "/channels"))
                .transpose()?,
            queues: queues
                .map(|names| self.queues_of(self.caller.agent(), names.iter()))
                .transpose()?,
        }))
    }

    /// `agent.set_state`
    ///
    /// # Errors
    /// When there is no such agent.
    pub fn set_state(&self, asked: params::SetState) -> Read<Order> {
        let reason = asked
            .reason
            .map_or_else(|| NO_REASON.to_owned(), Text::into_string);
        Ok(Order::Floor(FloorCommand::SetState {
            agent: self.agent_of(asked.agent.as_ref(), Method::AgentSetState)?,
            state: match asked.state {
                params::ReadyState::Available => AgentState::Available,
                params::ReadyState::NotReady => AgentState::NotReady(reason),
            },
            when: when(asked.when),
        }))
    }

    /// `agent.set_channels`
    ///
    /// # Errors
    /// When there is no such agent or channel.
    pub fn set_channels(&self, asked: &params::SetChannels) -> Read<Order> {
        let (mut on, mut off) = (ChannelSet::EMPTY, ChannelSet::EMPTY);
        for (name, switch) in asked.channels.iter() {
            let pointer = format!("/channels/{}", pointer_part(name));
            let channel = self.channel(name, &pointer)?;
            if *switch {
                on.insert(channel)
            } else {
                off.insert(channel)
            }
        }
        Ok(Order::Floor(FloorCommand::SetChannels {
            agent: self.agent_of(asked.agent.as_ref(), Method::AgentSetChannels)?,
            on,
            off,
        }))
    }

    /// `agent.set_queues`
    ///
    /// # Errors
    /// When there is no such agent or queue.
    pub fn set_queues(&self, asked: &params::SetQueues) -> Read<Order> {
        let agent = self.agent_of(asked.agent.as_ref(), Method::AgentSetQueues)?;
        let whose = agent.unwrap_or(self.caller.agent());
        Ok(Order::Floor(FloorCommand::SetQueues {
            agent,
            queues: self.queues_of(whose, asked.queues.iter())?,
        }))
    }
}

/// Whether a command is about the seat of this agent, other than to open it.
#[must_use]
pub fn on_seat_of(command: &FloorCommand, own: AgentId) -> bool {
    match command {
        FloorCommand::SignIn { .. } | FloorCommand::Return | FloorCommand::Drain(_) => false,
        FloorCommand::SignOut { agent, .. }
        | FloorCommand::SetState { agent, .. }
        | FloorCommand::SetChannels { agent, .. }
        | FloorCommand::SetQueues { agent, .. } => agent.is_none_or(|agent| agent == own),
        FloorCommand::Accept(_) | FloorCommand::Decline { .. } | FloorCommand::Shown(_) => true,
    }
}

/// `agent.sign_out`
#[must_use]
pub fn sign_out(asked: &params::SignOut) -> Order {
    Order::Floor(FloorCommand::SignOut {
        agent: None,
        when: when(asked.when),
        work: asked.work.map(|work| match work {
            params::SignOutWork::Refuse => SignOutWork::Refuse,
            params::SignOutWork::Drain => SignOutWork::Drain,
            params::SignOutWork::Return => SignOutWork::Return,
        }),
    })
}

/// `contact.decline`
///
/// # Errors
/// When there is no such offer.
pub fn decline(asked: params::Decline) -> Read<Order> {
    Ok(Order::Floor(FloorCommand::Decline {
        offer: offer(&asked.offer)?,
        reason: asked.reason.map(Text::into_string),
    }))
}

/// `contact.prioritise`
///
/// # Errors
/// When there is no such contact.
pub fn prioritise(asked: &params::Prioritise) -> Read<Order> {
    Ok(Order::Queue(QueueCommand::Prioritise {
        contact: contact(&asked.contact)?,
        priority: asked.priority.map(small),
        tier: asked.tier.and_then(|tier| u8::try_from(tier.get()).ok()),
    }))
}

/// `contact.wrap_up`
///
/// # Errors
/// When there is no such contact.
pub fn wrap_up(asked: params::WrapUp) -> Read<Order> {
    Ok(Order::Queue(QueueCommand::WrapUp {
        contact: contact(&asked.contact)?,
        codes: asked.codes.map(|codes| {
            codes
                .into_vec()
                .into_iter()
                .map(Text::into_string)
                .collect()
        }),
        note: asked.note.map(Text::into_string),
        done: asked.done.unwrap_or_default(),
    }))
}

/// `media.report`
///
/// # Errors
/// When there is no such command.
pub fn report(asked: &params::Report) -> Read<Order> {
    let command: CommandId = asked
        .command
        .parse()
        .map_err(|_| Subject::new("command", &asked.command).not_found())?;
    Ok(Order::Queue(QueueCommand::Report {
        contact: command.contact,
        command,
        report: match asked.result {
            params::ReportResult::Connected => Report::Connected,
            params::ReportResult::Done => Report::Done,
            params::ReportResult::Failed => Report::Failed,
        },
    }))
}

fn when(asked: Option<params::When>) -> When {
    match asked {
        Some(params::When::AfterWork) => When::AfterWork,
        Some(params::When::Now) | None => When::Now,
    }
}

fn small(points: params::Priority) -> i32 {
    i32::try_from(points.get()).unwrap_or_default()
}

/// Customer and attributes, as they came.
fn content(
    customer: Option<params::SubmittedCustomer>,
    attributes: Option<Map<params::Attribute, 64>>,
) -> Content {
    let (id, name, address) = match customer {
        Some(customer) => (customer.id, customer.name, customer.address),
        None => (None, None, None),
    };
    let attributes = attributes.map(Map::into_map).unwrap_or_default();
    Content {
        customer_id: id.map(Text::into_string),
        customer_name: name.map(Text::into_string),
        customer_address: address.map(Text::into_string),
        attributes: attributes
            .into_iter()
            .map(|(name, value)| (name.into_string(), value.into_string()))
            .collect::<BTreeMap<_, _>>(),
        ..Content::default()
    }
}

/// A key as a part of a JSON pointer.
fn pointer_part(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
