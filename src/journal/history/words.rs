//! Words in the place of numbers and variants: the tables are read by people.

use super::targets::Targets;
use crate::directory::Known;
use crate::id::{AgentId, ChannelId, QueueId, TeamId, UserId};
use crate::time::Span;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

/// A name in the tables.
pub(super) type Name = Arc<str>;

/// The names of one kind, by number.
type Names = Vec<Name>;

/// The names that the log's numbers stand for, as far as they were read, and what is configured
/// for them.
#[derive(Debug, Default)]
pub(super) struct Words {
    queues: Names,
    channels: Names,
    users: Names,
    teams: Names,
    targets: Targets,
    /// A number had no name: they have to be read again.
    missed: bool,
}

impl Words {
    /// No names yet, and these targets.
    pub(super) fn new(targets: Targets) -> Self {
        Self {
            targets,
            ..Self::default()
        }
    }

    /// These targets from now on.
    pub(super) fn aim(&mut self, targets: Targets) {
        self.targets = targets;
    }

    /// Within which an answer is in time.
    pub(super) fn target(&self, queue: &str, channel: &str) -> Span {
        self.targets.target(queue, channel)
    }

    pub(super) fn targets(&self) -> &Targets {
        &self.targets
    }

    /// Goes by these names from now on.
    pub(super) fn learn(&mut self, known: Known) {
        let names = |names: Vec<String>| names.into_iter().map(Name::from).collect();
        self.queues = names(known.queues);
        self.channels = names(known.channels);
        self.users = names(known.users);
        self.teams = names(known.teams);
        self.missed = false;
    }

    /// Whether a number had no name since they were last read.
    pub(super) fn missed(&self) -> bool {
        self.missed
    }

    pub(super) fn queue(&mut self, queue: QueueId) -> Name {
        let name = self.queues.get(queue.index()).cloned();
        self.or_number(name, queue.0)
    }

    pub(super) fn channel(&mut self, channel: ChannelId) -> Name {
        let name = self.channels.get(channel.index()).cloned();
        self.or_number(name, channel.0.into())
    }

    pub(super) fn user(&mut self, user: UserId) -> Name {
        let name = self.users.get(user.index()).cloned();
        self.or_number(name, user.0)
    }

    pub(super) fn agent(&mut self, agent: AgentId) -> Name {
        self.user(agent.user())
    }

    pub(super) fn team(&mut self, team: TeamId) -> Name {
        let name = self.teams.get(team.index()).cloned();
        self.or_number(name, team.0)
    }

    fn or_number(&mut self, name: Option<Name>, number: u32) -> Name {
        name.unwrap_or_else(|| {
            self.missed = true;
            format!("#{number}").into()
        })
    }
}

/// The word by which a variant is written, as in the log: `short_abandoned`.
pub(super) fn word(of: &impl Serialize) -> String {
    match serde_json::to_value(of) {
        Ok(Value::String(word)) => word,
        Ok(Value::Object(of)) => of.keys().next().cloned().unwrap_or_default(),
        Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_)) | Err(_) => {
            String::new()
        }
    }
}
