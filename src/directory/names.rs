//! The names of a workspace's objects and the numbers they are interned to, both ways.

use crate::domain::requirement::Names;
use crate::domain::skill::SkillKind;
use crate::id::{AgentId, ChannelId, QueueId, SkillId, TeamId, UserId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Names of one kind of object, numbered in the order in which they were added. A name that is
/// no more keeps its number, by which the log knows it.
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

    /// The names that there are, those that were known before by the numbers they had.
    #[must_use]
    pub fn keeping<'a>(known: &[String], names: impl Iterator<Item = &'a str>) -> Self {
        let mut all = Self {
            by_name: BTreeMap::new(),
            names: known.to_vec(),
        };
        let before: BTreeMap<&str, u32> = known.iter().map(String::as_str).zip(0..).collect();
        for name in names {
            match before.get(name) {
                Some(number) => {
                    all.by_name.insert(name.to_owned(), *number);
                }
                None => {
                    all.add(name);
                }
            }
        }
        all
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

    /// Every name, by number, those that are no more included.
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
    /// Queues, by [`QueueId`].
    pub queues: Numbered,
    /// Users and connectors, by [`UserId`].
    pub users: Numbered,
    /// Which of the users are people, who can be agents.
    pub people: BTreeSet<UserId>,
}

/// Every name that a log knows, by number.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Known {
    /// Channels.
    pub channels: Vec<String>,
    /// Skills.
    pub skills: Vec<String>,
    /// Teams.
    pub teams: Vec<String>,
    /// Queues.
    pub queues: Vec<String>,
    /// Users and connectors.
    pub users: Vec<String>,
}

impl WorkspaceNames {
    /// Every name, by number.
    #[must_use]
    pub fn known(&self) -> Known {
        let all = |names: &Numbered| names.iter().map(str::to_owned).collect();
        Known {
            channels: all(&self.channels),
            skills: all(&self.skills),
            teams: all(&self.teams),
            queues: all(&self.queues),
            users: all(&self.users),
        }
    }

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
        self.people
            .contains(&UserId(number))
            .then_some(AgentId(number))
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
    fn a_name_keeps_the_number_by_which_the_log_knows_it() {
        let known = ["b", "gone", "a"].map(str::to_owned);
        let mut names = Numbered::keeping(&known, ["a", "b", "new"].into_iter());
        assert_eq!(names.iter().collect::<Vec<_>>(), ["b", "gone", "a", "new"]);
        let numbers = ["a", "b", "new", "gone"].map(|name| names.number(name));
        assert_eq!(numbers, [Some(2), Some(0), Some(3), None]);
        assert_eq!(names.name(1), Some("gone"));
        assert_eq!(names.add("newer"), 4);
    }

    #[test]
    fn a_connector_is_a_user_and_no_agent() {
        let names = WorkspaceNames {
            users: ["ana", "crm"].into_iter().collect(),
            people: [UserId(0)].into(),
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
