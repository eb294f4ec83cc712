//! The names of a workspace's objects and the numbers they are interned to, both ways.

use crate::domain::requirement::Names;
use crate::domain::skill::SkillKind;
use crate::id::{AgentId, ChannelId, QueueId, SkillId, TeamId, UserId};
use std::collections::BTreeMap;

/// Names of one kind of object, numbered in the order in which they were added.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Numbered {
    by_name: BTreeMap<String, u32>,
    names: Vec<String>,
}

impl Numbered {
    /// Adds a name, unless it is there, and gives its number.
    pub fn add(&mut self, name: &str) -> u32 {
        let next = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let number = *self.by_name.entry(name.to_owned()).or_insert(next);
        if number == next {
            self.names.push(name.to_owned());
        }
        number
    }

    /// The number of a name.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u32> {
        self.by_name.get(name).copied()
    }

    /// The name of a number.
    #[must_use]
    pub fn name(&self, number: usize) -> Option<&str> {
        self.names.get(number).map(String::as_str)
    }

    /// Every name, by number.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }
}

impl<S: AsRef<str>> FromIterator<S> for Numbered {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        let mut all = Self::default();
        names.into_iter().for_each(|name| {
            all.add(name.as_ref());
        });
        all
    }
}

/// The names of one workspace. Requirements that come over the wire are read with them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WorkspaceNames {
    /// Channels, by [`ChannelId`].
    pub channels: Numbered,
    /// Skills, by [`SkillId`].
    pub skills: Numbered,
    /// How each skill is held, by [`SkillId`].
    pub skill_kinds: Vec<SkillKind>,
    /// Teams, by [`TeamId`].
    pub teams: Numbered,
    /// Queues, by [`QueueId`], the built-in ones last.
    pub queues: Numbered,
    /// Users by [`UserId`], connectors last.
    pub users: Numbered,
    /// How many of the users are people, who can be agents.
    pub people: usize,
}

impl WorkspaceNames {
    /// The channel of this name.
    #[must_use]
    pub fn channel(&self, name: &str) -> Option<ChannelId> {
        let number = self.channels.number(name)?;
        u8::try_from(number).ok().map(ChannelId)
    }

    /// The queue of this name.
    #[must_use]
    pub fn queue(&self, name: &str) -> Option<QueueId> {
        self.queues.number(name).map(QueueId)
    }

    /// The user or connector of this name.
    #[must_use]
    pub fn user(&self, name: &str) -> Option<UserId> {
        self.users.number(name).map(UserId)
    }

    /// The name of a channel.
    #[must_use]
    pub fn channel_name(&self, channel: ChannelId) -> Option<&str> {
        self.channels.name(channel.index())
    }

    /// The name of a queue.
    #[must_use]
    pub fn queue_name(&self, queue: QueueId) -> Option<&str> {
        self.queues.name(queue.index())
    }

    /// The name of a user or connector.
    #[must_use]
    pub fn user_name(&self, user: UserId) -> Option<&str> {
        self.users.name(user.index())
    }
}

impl Names for WorkspaceNames {
    fn skill(&self, name: &str) -> Option<(SkillId, SkillKind)> {
        let number = self.skills.number(name)?;
        let kind = self.skill_kinds.get(number as usize)?;
        Some((SkillId(number), *kind))
    }

    fn team(&self, name: &str) -> Option<TeamId> {
        self.teams.number(name).map(TeamId)
    }

    fn agent(&self, name: &str) -> Option<AgentId> {
        let number = self.users.number(name)?;
        ((number as usize) < self.people).then_some(AgentId(number))
    }

    fn skill_names(&self) -> Vec<&str> {
        self.skills.iter().collect()
    }

    fn team_names(&self) -> Vec<&str> {
        self.teams.iter().collect()
    }

    fn skill_name(&self, skill: SkillId) -> Option<&str> {
        self.skills.name(skill.index())
    }

    fn team_name(&self, team: TeamId) -> Option<&str> {
        self.teams.name(team.index())
    }

    fn agent_name(&self, agent: AgentId) -> Option<&str> {
        self.users.name(agent.index())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_order_and_stay() {
        let mut names: Numbered = ["b", "a", "b"].into_iter().collect();
        assert_eq!(
            (names.number("b"), names.number("a"), names.number("c")),
            (Some(0), Some(1), None)
        );
        assert_eq!((names.add("c"), names.add("a")), (2, 1));
        assert_eq!(names.iter().collect::<Vec<_>>(), ["b", "a", "c"]);
        assert_eq!((names.name(2), names.name(3)), (Some("c"), None));
    }

    #[test]
    fn a_connector_is_a_user_and_no_agent() {
        let names = WorkspaceNames {
            users: ["ana", "crm"].into_iter().collect(),
            people: 1,
            ..WorkspaceNames::default()
        };
        assert_eq!(
            (names.user("crm"), names.agent("crm")),
            (Some(UserId(1)), None)
        );
        assert_eq!(
            (names.user("ana"), names.agent("ana")),
            (Some(UserId(0)), Some(AgentId(0)))
        );
        assert_eq!(names.user_name(UserId(1)), Some("crm"));
    }
}
