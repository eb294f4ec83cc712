//! Requirement steps: how a requirement changes while a contact waits.

use super::Requirement;
use crate::limits::REQUIREMENT_STEPS;
use crate::time::Span;
use serde::{Deserialize, Serialize};

/// From `after` on, `requirement` applies: in place of what applied before, or beside it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Time waited at which the step is taken; more than zero.
    pub after: Span,
    /// What is asked from then on.
    pub requirement: Requirement,
    /// Whoever met what applied before still will do.
    pub widen: bool,
}

/// What is asked of an agent, by the time a contact has waited. Step 0 is in force at once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Steps {
    /// When each step is taken; the first at zero, each later than the one before.
    at: Vec<Span>,
    /// What is in force from each step on, widening worked in.
    in_force: Vec<Requirement>,
}

/// Steps as they are kept: what is in force is written out, nothing is left to work out.
#[derive(Serialize, Deserialize)]
struct Written(Vec<(Span, Requirement)>);

/// Why a list of steps is none.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StepsError {
    /// A step is not later than the one before it.
    #[error("step {step} is taken after {} s; it must be later than the one before it, at {} s", .after.0 as f64 / 1e3, .before.0 as f64 / 1e3)]
    Order {
        /// Which one, from 1.
        step: usize,
        /// When it is taken.
        after: Span,
        /// When the one before it is taken.
        before: Span,
    },
    /// More than [`REQUIREMENT_STEPS`].
    #[error("at most {REQUIREMENT_STEPS} steps are possible, here are {count}")]
    TooMany {
        /// How many were given.
        count: usize,
    },
}

impl Steps {
    /// One requirement for all the time a contact waits.
    #[must_use]
    pub fn always(requirement: Requirement) -> Self {
        Self {
            at: vec![Span(0)],
            in_force: vec![requirement],
        }
    }

    /// `first` applies at once; each later step from its time on.
    ///
    /// # Errors
    /// The times do not grow from more than zero, or there are too many steps.
    pub fn new(first: Requirement, later: Vec<Step>) -> Result<Self, StepsError> {
        if later.len() > REQUIREMENT_STEPS {
            return Err(StepsError::TooMany { count: later.len() });
        }
        let mut steps = Self::always(first);
        let mut before = Span(0);
        for (index, step) in later.into_iter().enumerate() {
            if step.after <= before {
                return Err(StepsError::Order {
                    step: index + 1,
                    after: step.after,
                    before,
                });
            }
            before = step.after;
            let requirement = if step.widen {
                Requirement::any_of(steps.in_force(index), &step.requirement)
            } else {
                step.requirement
            };
            steps.at.push(step.after);
            steps.in_force.push(requirement);
        }
        Ok(steps)
    }

    /// The same steps, each asking for `more` as well.
    #[must_use]
    pub fn and(&self, more: &Requirement) -> Self {
        let with = |requirement| Requirement::all_of(requirement, more);
        Self {
            at: self.at.clone(),
            in_force: self.in_force.iter().map(with).collect(),
        }
    }

    /// Index of the last step.
    #[must_use]
    pub fn last(&self) -> usize {
        self.in_force.len() - 1
    }

    /// The step that is in force when a contact has waited for `age`: exactly at its time, a step
    /// is taken.
    #[must_use]
    pub fn step_at(&self, age: Span) -> usize {
        self.at.partition_point(|at| *at <= age).saturating_sub(1)
    }

    /// What is asked while the step is in force; beyond the last one, the last.
    #[must_use]
    pub fn in_force(&self, step: usize) -> &Requirement {
        &self.in_force[step.min(self.in_force.len() - 1)]
    }

    /// The age at which the next step is taken, later than `age`; `None` after the last one.
    #[must_use]
    pub fn next_boundary(&self, age: Span) -> Option<Span> {
        self.at.iter().copied().find(|at| *at > age)
    }

    /// Every step with the age at which it is taken and what is in force from then on. Never
    /// empty; the first is at zero.
    pub fn iter(&self) -> impl Iterator<Item = (Span, &Requirement)> {
        self.at.iter().copied().zip(&self.in_force)
    }
}

impl Default for Steps {
    fn default() -> Self {
        Self::always(Requirement::anyone())
    }
}

impl TryFrom<Written> for Steps {
    type Error = &'static str;

    fn try_from(Written(steps): Written) -> Result<Self, Self::Error> {
        let (at, in_force): (Vec<Span>, Vec<Requirement>) = steps.into_iter().unzip();
        if at.first() != Some(&Span(0)) || !at.is_sorted_by(|a, b| a < b) {
            return Err("steps begin at zero and grow");
        }
        Ok(Self { at, in_force })
    }
}

impl From<Steps> for Written {
    fn from(steps: Steps) -> Self {
        Self(steps.at.into_iter().zip(steps.in_force).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::requirement::tests::{agent, floor, requirement};

    const SECOND: Span = Span::seconds(1);

    fn spanish() -> Steps {
        let step = |after, text, widen| Step {
            after: Span::seconds(after),
            requirement: requirement(text),
            widen,
        };
        let later = vec![
            step(30, "skill(\"spanish\") >= 5", false),
            step(60, "team = \"emea\"", true),
            step(90, "anyone", false),
        ];
        Steps::new(requirement("skill(\"spanish\") >= 8"), later).unwrap()
    }

    #[test]
    fn a_step_is_taken_exactly_at_its_boundary() {
        let steps = spanish();
        for (ms, step, next) in [
            (0, 0, Some(30)),
            (29_999, 0, Some(30)),
            (30_000, 1, Some(60)),
            (59_999, 1, Some(60)),
            (60_000, 2, Some(90)),
            (90_000, 3, None),
            (u64::MAX, 3, None),
        ] {
            assert_eq!(steps.step_at(Span(ms)), step, "at {ms}");
            assert_eq!(
                steps.next_boundary(Span(ms)),
                next.map(Span::seconds),
                "at {ms}"
            );
        }
    }

    #[test]
    fn a_step_replaces_unless_it_widens() {
        let steps = spanish();
        let fluent = agent(&[("spanish", 9)], &[]);
        let fair = agent(&[("spanish", 5)], &[]);
        let other = agent(&[], &["emea"]);
        let meets =
            |step: usize| [&fluent, &fair, &other].map(|agent| steps.in_force(step).meets(agent));
        assert_eq!(meets(0), [true, false, false]);
        assert_eq!(meets(1), [true, true, false]);
        assert_eq!(meets(2), [true, true, true], "widened: either matches");
        assert_eq!(meets(3), [true, true, true]);
        assert_eq!(meets(99), meets(3), "beyond the last one");
        let text = steps.in_force(2).text(&floor());
        assert_eq!(text, "skill(\"spanish\") >= 5 or team = \"emea\"");
    }

    #[test]
    fn what_a_contact_asks_itself_holds_in_every_step() {
        let steps = spanish().and(&requirement("skill(\"billing\")"));
        let other = agent(&[], &["emea"]);
        let clerk = agent(&[("billing", 10)], &["emea"]);
        for step in 2..4 {
            assert!(!steps.in_force(step).meets(&other));
            assert!(steps.in_force(step).meets(&clerk));
        }
        assert_eq!(steps.step_at(SECOND), 0);
    }

    #[test]
    fn steps_must_grow_and_be_few() {
        let step = |after| Step {
            after,
            requirement: Requirement::anyone(),
            widen: false,
        };
        let error = |later| {
            Steps::new(Requirement::anyone(), later)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            error(vec![step(Span(0))]),
            "step 1 is taken after 0 s; it must be later than the one before it, at 0 s"
        );
        assert_eq!(
            error(vec![step(Span(1_500)), step(Span(1_500))]),
            "step 2 is taken after 1.5 s; it must be later than the one before it, at 1.5 s"
        );
        let many = (1..=33).map(|n| step(Span(n))).collect();
        assert_eq!(error(many), "at most 32 steps are possible, here are 33");
    }

    #[test]
    fn steps_are_kept_as_they_are() {
        let steps = spanish();
        let text = serde_json::to_string(&steps).unwrap();
        assert_eq!(serde_json::from_str::<Steps>(&text).unwrap(), steps);
        assert!(serde_json::from_str::<Steps>("[]").is_err());
        let backwards = text.replace("30000", "70000");
        assert!(serde_json::from_str::<Steps>(&backwards).is_err());
        assert_eq!(Steps::default().iter().count(), 1);
    }
}
