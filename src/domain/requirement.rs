//! Requirements: what a contact asks of the agent who is to serve it.
//!
//! A person writes an expression, `skill("spanish") >= 5 and (skill("billing") or team = "emea")`;
//! the engine keeps a compact form with interned names in a fixed order, so that two requirements
//! written differently and meaning the same are one lane in all common cases, and a test against
//! an agent's qualities is a few array reads.

mod compile;
mod parse;
mod steps;
#[cfg(test)]
mod tests;
mod tree;

pub use compile::SkillsError;
pub use parse::ExpressionError;
pub use steps::{Step, Steps, StepsError};
pub use tree::{Comparison, Expression, Name, Number};

use crate::domain::skill::{Level, Qualities, SkillKind};
use crate::id::{AgentId, SkillId, TeamId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

/// What is asked of an agent. Cheap to clone; equal requirements are equal values, in a fixed
/// order of no meaning.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(from = "Node", into = "Node")]
pub struct Requirement(Arc<Node>);

/// The names that expressions may use, to and fro.
pub trait Names {
    /// The skill of this name, and how it is held.
    fn skill(&self, name: &str) -> Option<(SkillId, SkillKind)>;
    /// The team of this name.
    fn team(&self, name: &str) -> Option<TeamId>;
    /// The agent of this name.
    fn agent(&self, name: &str) -> Option<AgentId>;
    /// All names of skills, to suggest the one that was meant.
    fn skill_names(&self) -> Vec<&str>;
    /// All names of teams, to suggest the one that was meant. Agents are never suggested: whoever
    /// sends an expression need not be allowed to see them.
    fn team_names(&self) -> Vec<&str>;
    /// The name of a skill.
    fn skill_name(&self, skill: SkillId) -> Option<&str>;
    /// The name of a team.
    fn team_name(&self, team: TeamId) -> Option<&str>;
    /// The name of an agent.
    fn agent_name(&self, agent: AgentId) -> Option<&str>;
}

/// One bit per level, bit 0 for not holding the skill.
type LevelBits = u16;
/// Every level, and not holding the skill.
const ANY_LEVEL: LevelBits = (1 << (10 + 1)) - 1;

/// The compact form. Lists are flat, sorted, without repetition and never of one; negation is
/// worked into the leaves; a list has at most one test of each skill.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Node {
    /// The agent's level is one of these; never none and never all of them.
    Skill(SkillId, LevelBits),
    /// The agent is a member of the team, or is not.
    Team(TeamId, bool),
    /// It is this agent, or is not.
    Agent(AgentId, bool),
    /// Every one holds; none at all asks nothing.
    All(Vec<Node>),
    /// One at least holds; none at all is met by nobody.
    Any(Vec<Node>),
}

impl Node {
    fn name_skills(&self, named: &mut BTreeSet<SkillId>) {
        match self {
            Self::Skill(skill, _) => {
                named.insert(*skill);
            }
            Self::Team(..) | Self::Agent(..) => {}
            Self::All(nodes) | Self::Any(nodes) => {
                for node in nodes {
                    node.name_skills(named);
                }
            }
        }
    }
}

impl Requirement {
    /// Asks nothing: every agent meets it.
    #[must_use]
    pub fn anyone() -> Self {
        static ANYONE: LazyLock<Requirement> =
            LazyLock::new(|| Requirement(Arc::new(Node::ALWAYS)));
        ANYONE.clone()
    }

    /// Reads an expression and looks its names up.
    ///
    /// # Errors
    /// What is wrong and where, with the name that may have been meant.
    pub fn parse(text: &str, names: &impl Names) -> Result<Self, ExpressionError> {
        Self::compile(&Expression::parse(text)?, names)
            .map_err(|(at, problem)| ExpressionError::new(text, at, problem))
    }

    /// Asks for each of these skills at this level or better.
    #[must_use]
    pub fn skills(needed: impl IntoIterator<Item = (SkillId, Level)>) -> Self {
        let at_least = |(skill, level): (SkillId, Level)| {
            Node::skill(skill, compile::levels(Comparison::AtLeast, level))
        };
        Self(Arc::new(Node::list(true, needed.into_iter().map(at_least))))
    }

    /// Asks what `a` and `b` ask.
    #[must_use]
    pub fn all_of(a: &Self, b: &Self) -> Self {
        if a == b || b.is_anyone() {
            return a.clone();
        }
        if a.is_anyone() {
            return b.clone();
        }
        Self(Arc::new(Node::list(
            true,
            [Node::clone(&a.0), Node::clone(&b.0)],
        )))
    }

    /// Is met by whoever meets `a` or `b`.
    #[must_use]
    pub fn any_of(a: &Self, b: &Self) -> Self {
        if a == b {
            return a.clone();
        }
        Self(Arc::new(Node::list(
            false,
            [Node::clone(&a.0), Node::clone(&b.0)],
        )))
    }

    /// Whether an agent with these qualities meets it.
    #[must_use]
    pub fn meets(&self, agent: &Qualities) -> bool {
        self.0.holds(agent)
    }

    /// The skills it asks about, each once.
    #[must_use]
    pub fn skills_named(&self) -> BTreeSet<SkillId> {
        let mut named = BTreeSet::new();
        self.0.name_skills(&mut named);
        named
    }

    /// Whether it asks nothing.
    #[must_use]
    pub fn is_anyone(&self) -> bool {
        *self.0 == Node::ALWAYS
    }

    /// The requirement as an expression that compiles to it.
    #[must_use]
    pub fn text(&self, names: &impl Names) -> String {
        self.0.expression(names).to_string()
    }
}

impl Default for Requirement {
    fn default() -> Self {
        Self::anyone()
    }
}

impl Node {
    const ALWAYS: Self = Self::All(Vec::new());
    const NEVER: Self = Self::Any(Vec::new());

    fn holds(&self, agent: &Qualities) -> bool {
        match self {
            Self::Skill(skill, levels) => levels >> agent.skills.points(*skill) & 1 == 1,
            Self::Team(team, member) => agent.teams.contains(*team) == *member,
            Self::Agent(id, is) => (agent.agent == *id) == *is,
            Self::All(parts) => parts.iter().all(|part| part.holds(agent)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(agent)),
        }
    }

    fn skill(skill: SkillId, levels: LevelBits) -> Self {
        match levels & ANY_LEVEL {
            0 => Self::NEVER,
            ANY_LEVEL => Self::ALWAYS,
            levels => Self::Skill(skill, levels),
        }
    }

    /// The conjunction (`all`) or disjunction of the parts, in compact form.
    fn list(all: bool, parts: impl IntoIterator<Item = Self>) -> Self {
        let (wrap, decides): (fn(Vec<Self>) -> Self, Self) = if all {
            (Self::All, Self::NEVER)
        } else {
            (Self::Any, Self::ALWAYS)
        };
        let mut flat = Vec::new();
        for part in parts {
            match part {
                Self::All(inner) if all => flat.extend(inner),
                Self::Any(inner) if !all => flat.extend(inner),
                Self::All(_)
                | Self::Any(_)
                | Self::Skill(..)
                | Self::Team(..)
                | Self::Agent(..) => {
                    flat.push(part);
                }
            }
        }
        flat.sort();
        let mut kept: Vec<Self> = Vec::with_capacity(flat.len());
        for part in flat {
            match (kept.last_mut(), &part) {
                (Some(Self::Skill(skill, levels)), Self::Skill(same, more)) if skill == same => {
                    *levels = if all { *levels & more } else { *levels | more };
                }
                (Some(last), part) if last == part => {}
                (Some(_) | None, _) => kept.push(part),
            }
        }
        let mut done: Vec<Self> = Vec::with_capacity(kept.len());
        for part in kept {
            let part = if let Self::Skill(skill, levels) = part {
                Self::skill(skill, levels)
            } else {
                part
            };
            if part == decides {
                return decides;
            }
            if part != wrap(Vec::new()) {
                done.push(part);
            }
        }
        match done.pop() {
            Some(only) if done.is_empty() => only,
            Some(last) => {
                done.push(last);
                wrap(done)
            }
            None => wrap(done),
        }
    }
}

impl From<Node> for Requirement {
    fn from(node: Node) -> Self {
        fn compact(node: Node) -> Node {
            match node {
                Node::Skill(skill, levels) => Node::skill(skill, levels),
                leaf @ (Node::Team(..) | Node::Agent(..)) => leaf,
                Node::All(parts) => Node::list(true, parts.into_iter().map(compact)),
                Node::Any(parts) => Node::list(false, parts.into_iter().map(compact)),
            }
        }
        Self(Arc::new(compact(node)))
    }
}

impl From<Requirement> for Node {
    fn from(requirement: Requirement) -> Self {
        Arc::unwrap_or_clone(requirement.0)
    }
}
