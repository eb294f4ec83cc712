//! Skills: what an agent is able to do, as yes or no or as a level from 1 to 10, and the
//! qualities by which an agent meets a requirement.

use crate::id::{AgentId, SkillId, TeamId};
use serde::{Deserialize, Serialize};

/// How a skill is held.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkillKind {
    /// Held or not held. Whoever holds it holds it at [`Level::BEST`].
    YesNo,
    /// Held at a level from 1 to 10.
    Graded,
}

/// A level of proficiency: 1 to 10, 10 is best. Not holding a skill is no level.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Level(u8);

/// The number is no level.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a level is a whole number from 1 to 10")]
pub struct NotALevel;

impl Level {
    /// The least level of somebody who holds the skill.
    pub const LEAST: Self = Self(1);
    /// The best level, and that of every holder of a yes-or-no skill.
    pub const BEST: Self = Self(10);

    /// 1 to 10.
    #[must_use]
    pub fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u64> for Level {
    type Error = NotALevel;

    fn try_from(level: u64) -> Result<Self, NotALevel> {
        let level = u8::try_from(level).map_err(|_| NotALevel)?;
        if (Self::LEAST.0..=Self::BEST.0).contains(&level) {
            Ok(Self(level))
        } else {
            Err(NotALevel)
        }
    }
}

impl From<Level> for u64 {
    fn from(level: Level) -> Self {
        Self::from(level.0)
    }
}

/// The levels at which one agent holds skills, by skill. Equal holdings are equal values.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<u8>", into = "Vec<u8>")]
pub struct SkillLevels(Vec<u8>);

impl SkillLevels {
    /// No skill at all.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Sets the level of one skill; `None` takes the skill away.
    pub fn set(&mut self, skill: SkillId, level: Option<Level>) {
        let index = skill.index();
        if self.0.len() <= index {
            self.0.resize(index + 1, 0);
        }
        if let Some(slot) = self.0.get_mut(index) {
            *slot = level.map_or(0, Level::get);
        }
        self.trim();
    }

    /// The level of one skill; `None` where it is not held.
    #[must_use]
    pub fn get(&self, skill: SkillId) -> Option<Level> {
        match self.points(skill) {
            0 => None,
            level => Some(Level(level)),
        }
    }

    /// The level of one skill as a number, 0 where it is not held.
    #[must_use]
    pub fn points(&self, skill: SkillId) -> u8 {
        self.0.get(skill.index()).copied().unwrap_or(0)
    }

    /// The skills held, in order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (SkillId, Level)> + '_ {
        (0u32..)
            .zip(&self.0)
            .filter(|(_, level)| **level > 0)
            .map(|(skill, level)| (SkillId(skill), Level(*level)))
    }

    /// Equal holdings must be equal values, whatever was held before.
    fn trim(&mut self) {
        let used = self
            .0
            .iter()
            .rposition(|level| *level > 0)
            .map_or(0, |last| last + 1);
        self.0.truncate(used);
    }
}

impl FromIterator<(SkillId, Level)> for SkillLevels {
    fn from_iter<I: IntoIterator<Item = (SkillId, Level)>>(held: I) -> Self {
        let mut levels = Self::none();
        for (skill, level) in held {
            levels.set(skill, Some(level));
        }
        levels
    }
}

impl TryFrom<Vec<u8>> for SkillLevels {
    type Error = NotALevel;

    fn try_from(levels: Vec<u8>) -> Result<Self, NotALevel> {
        if levels.iter().any(|level| *level > Level::BEST.0) {
            return Err(NotALevel);
        }
        let mut levels = Self(levels);
        levels.trim();
        Ok(levels)
    }
}

impl From<SkillLevels> for Vec<u8> {
    fn from(levels: SkillLevels) -> Self {
        levels.0
    }
}

/// A set of teams, as bits. Equal sets are equal values.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<TeamId>", into = "Vec<TeamId>")]
pub struct TeamSet(Vec<u64>);

impl TeamSet {
    /// Adds a team.
    pub fn insert(&mut self, team: TeamId) {
        let word = team.index() / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(bits) = self.0.get_mut(word) {
            *bits |= 1 << (team.0 % 64);
        }
    }

    /// Whether the team is in the set.
    #[must_use]
    pub fn contains(&self, team: TeamId) -> bool {
        let bits = self.0.get(team.index() / 64).copied().unwrap_or(0);
        bits >> (team.0 % 64) & 1 == 1
    }

    /// The teams, in order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = TeamId> + '_ {
        (0u32..).zip(&self.0).flat_map(|(word, bits)| {
            let bits = *bits;
            (0..64)
                .filter(move |bit| bits >> bit & 1 == 1)
                .map(move |bit| TeamId(word * 64 + bit))
        })
    }
}

impl FromIterator<TeamId> for TeamSet {
    fn from_iter<I: IntoIterator<Item = TeamId>>(teams: I) -> Self {
        let mut set = Self::default();
        for team in teams {
            set.insert(team);
        }
        set
    }
}

impl From<Vec<TeamId>> for TeamSet {
    fn from(teams: Vec<TeamId>) -> Self {
        teams.into_iter().collect()
    }
}

impl From<TeamSet> for Vec<TeamId> {
    fn from(teams: TeamSet) -> Self {
        teams.iter().collect()
    }
}

/// What of an agent a requirement can ask about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Qualities {
    /// Skills held, with their levels.
    pub skills: SkillLevels,
    /// Every team the agent is a member of.
    pub teams: TeamSet,
    /// The agent.
    pub agent: AgentId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_one_to_ten() {
        for bad in [0, 11, 256, u64::MAX] {
            assert_eq!(Level::try_from(bad), Err(NotALevel), "{bad}");
        }
        assert_eq!(Level::try_from(1), Ok(Level::LEAST));
        assert_eq!(Level::try_from(10), Ok(Level::BEST));
        assert_eq!(serde_json::to_string(&Level::BEST).unwrap(), "10");
        let error = serde_json::from_str::<Level>("11").unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("a level is a whole number from 1 to 10")
        );
    }

    #[test]
    fn equal_holdings_are_equal_whatever_was_held_before() {
        let five = Level::try_from(5).unwrap();
        let mut levels: SkillLevels = [(SkillId(1), five)].into_iter().collect();
        let before = levels.clone();
        levels.set(SkillId(70), Some(Level::BEST));
        assert_eq!(levels.get(SkillId(70)), Some(Level::BEST));
        levels.set(SkillId(70), None);
        assert_eq!(levels, before);
        assert_eq!(levels.iter().collect::<Vec<_>>(), [(SkillId(1), five)]);
        assert_eq!(
            (levels.points(SkillId(0)), levels.points(SkillId(99))),
            (0, 0)
        );
        let text = serde_json::to_string(&levels).unwrap();
        assert_eq!(serde_json::from_str::<SkillLevels>(&text).unwrap(), levels);
        assert!(serde_json::from_str::<SkillLevels>("[0,11]").is_err());
    }

    #[test]
    fn teams_are_kept_across_words() {
        let set: TeamSet = [TeamId(0), TeamId(63), TeamId(64), TeamId(200)]
            .into_iter()
            .collect();
        let ids: Vec<TeamId> = set.iter().collect();
        assert_eq!(ids, [TeamId(0), TeamId(63), TeamId(64), TeamId(200)]);
        assert!(set.contains(TeamId(64)) && !set.contains(TeamId(65)));
        assert!(!set.contains(TeamId(9_999)));
        let text = serde_json::to_string(&set).unwrap();
        assert_eq!(serde_json::from_str::<TeamSet>(&text).unwrap(), set);
    }
}
