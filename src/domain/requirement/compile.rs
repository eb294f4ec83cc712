//! From an expression to the compact form with its names looked up, and back again.

use super::{ANY_LEVEL, Comparison, Expression, LevelBits, Name, Names, Node, Number, Requirement};
use crate::domain::near::did_you_mean;
use crate::domain::skill::{Level, SkillKind};
use crate::id::SkillId;
use std::sync::Arc;

/// Where in the text, and what is wrong there.
type Wrong = (usize, String);

/// Why a map of needed skills is none.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{problem}")]
pub struct SkillsError {
    /// The skill it is about, as it was named.
    pub skill: String,
    /// What is wrong, and what would be right.
    pub problem: String,
}

/// The levels that compare so with `level`.
pub(super) fn levels(comparison: Comparison, level: Level) -> LevelBits {
    let level = u64::from(level.get());
    (0..=10)
        .filter(|held| comparison.holds(*held, level))
        .fold(0, |bits, held| bits | 1 << held)
}

impl Requirement {
    pub(super) fn compile(expression: &Expression, names: &impl Names) -> Result<Self, Wrong> {
        Ok(Self(Arc::new(node(expression, names, false)?)))
    }

    /// Asks for each named skill at this level (1 to 10) or better; of a yes-or-no skill, level 1.
    ///
    /// # Errors
    /// A skill or level that does not exist.
    pub fn needed<'a>(
        needed: impl IntoIterator<Item = (&'a str, u64)>,
        names: &impl Names,
    ) -> Result<Self, SkillsError> {
        let mut tests = Vec::new();
        for (name, level) in needed {
            let wrong = |problem: String| SkillsError {
                skill: name.to_owned(),
                problem,
            };
            let Some((skill, kind)) = names.skill(name) else {
                return Err(wrong(unknown("skill", name, &names.skill_names())));
            };
            let level = Level::try_from(level)
                .map_err(|error| wrong(format!("skill \"{name}\": {error}, not {level}")))?;
            if kind == SkillKind::YesNo && level != Level::LEAST {
                let problem = format!("skill \"{name}\" is held or not; the level to ask for is 1");
                return Err(wrong(problem));
            }
            tests.push((skill, level));
        }
        Ok(Self::skills(tests))
    }
}

/// Compiles an expression or its opposite.
fn node(expression: &Expression, names: &impl Names, negated: bool) -> Result<Node, Wrong> {
    match expression {
        Expression::Anyone => Ok(if negated { Node::NEVER } else { Node::ALWAYS }),
        Expression::All(parts) => list(!negated, parts, names, negated),
        Expression::Any(parts) => list(negated, parts, names, negated),
        Expression::Not(part) => node(part, names, !negated),
        Expression::Skill { skill, test } => {
            let (id, levels) = skill_test(skill, *test, names)?;
            Ok(Node::skill(id, if negated { !levels } else { levels }))
        }
        Expression::Team { team, is } => match names.team(&team.text) {
            Some(id) => Ok(Node::Team(id, *is != negated)),
            None => Err((team.at, unknown("team", &team.text, &names.team_names()))),
        },
        Expression::Agent { agent, is } => match names.agent(&agent.text) {
            Some(id) => Ok(Node::Agent(id, *is != negated)),
            None => Err((agent.at, unknown("agent", &agent.text, &[]))),
        },
    }
}

fn list(all: bool, parts: &[Expression], names: &impl Names, negated: bool) -> Result<Node, Wrong> {
    let parts: Result<Vec<Node>, Wrong> = parts
        .iter()
        .map(|part| node(part, names, negated))
        .collect();
    Ok(Node::list(all, parts?))
}

fn skill_test(
    skill: &Name,
    test: Option<(Comparison, Number)>,
    names: &impl Names,
) -> Result<(SkillId, LevelBits), Wrong> {
    let Some((id, kind)) = names.skill(&skill.text) else {
        return Err((
            skill.at,
            unknown("skill", &skill.text, &names.skill_names()),
        ));
    };
    let Some((comparison, number)) = test else {
        return Ok((id, levels(Comparison::AtLeast, Level::LEAST)));
    };
    if kind == SkillKind::YesNo {
        let problem =
            format!("skill {skill} is held or not and has no levels; write skill({skill})");
        return Err((number.at, problem));
    }
    let level = Level::try_from(number.value)
        .map_err(|error| (number.at, format!("{error}, not {}", number.value)))?;
    match levels(comparison, level) {
        0 => Err((number.at, "no level is greater than 10".into())),
        levels => Ok((id, levels)),
    }
}

fn unknown(kind: &str, name: &str, known: &[&str]) -> String {
    format!(
        "there is no {kind} \"{name}\"{}",
        did_you_mean(name, known.iter().copied())
    )
}

impl Node {
    /// An expression that compiles to this form.
    pub(super) fn expression(&self, names: &impl Names) -> Expression {
        let name = |name: Option<&str>, id: u32| Name {
            text: name.map_or_else(|| format!("#{id}"), str::to_owned),
            at: 0,
        };
        match self {
            Self::Skill(skill, levels) => {
                let kind_name = name(names.skill_name(*skill), skill.0);
                skill_expression(&kind_name, *levels)
            }
            Self::Team(team, is) => Expression::Team {
                team: name(names.team_name(*team), team.0),
                is: *is,
            },
            Self::Agent(agent, is) => Expression::Agent {
                agent: name(names.agent_name(*agent), agent.0),
                is: *is,
            },
            Self::All(parts) if parts.is_empty() => Expression::Anyone,
            Self::Any(parts) if parts.is_empty() => Expression::Not(Box::new(Expression::Anyone)),
            Self::All(parts) => {
                Expression::All(parts.iter().map(|part| part.expression(names)).collect())
            }
            Self::Any(parts) => {
                Expression::Any(parts.iter().map(|part| part.expression(names)).collect())
            }
        }
    }
}

/// Words for a set of levels: a comparison where one will do, else runs of levels.
fn skill_expression(skill: &Name, levels: LevelBits) -> Expression {
    let test = |comparison: Comparison, level: u64| Expression::Skill {
        skill: skill.clone(),
        test: Some((
            comparison,
            Number {
                value: level,
                at: 0,
            },
        )),
    };
    let held = Expression::Skill {
        skill: skill.clone(),
        test: None,
    };
    let missing = !levels & ANY_LEVEL;
    if missing.count_ones() == 1 && missing != 1 && missing != 1 << 10 {
        return test(Comparison::NotEqual, u64::from(missing.trailing_zeros()));
    }
    let mut runs = runs(levels).into_iter().map(|run| match run {
        (0, 0) => Expression::Not(Box::new(held.clone())),
        (1, 10) => held.clone(),
        (0, high) => test(Comparison::AtMost, high),
        (low, 10) => test(Comparison::AtLeast, low),
        (low, high) if low == high => test(Comparison::Equal, low),
        (low, high) => Expression::All(vec![
            test(Comparison::AtLeast, low),
            test(Comparison::AtMost, high),
        ]),
    });
    let first = runs.next().unwrap_or(Expression::Anyone);
    let mut all = vec![first];
    all.extend(runs);
    match all.pop() {
        Some(only) if all.is_empty() => only,
        Some(last) => {
            all.push(last);
            Expression::Any(all)
        }
        None => Expression::Anyone,
    }
}

/// The runs of levels in a set, as (lowest, highest).
fn runs(levels: LevelBits) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for level in (0..=10).filter(|level| levels >> level & 1 == 1) {
        match runs.last_mut() {
            Some((_, high)) if *high + 1 == level => *high = level,
            Some(_) | None => runs.push((level, level)),
        }
    }
    runs
}
