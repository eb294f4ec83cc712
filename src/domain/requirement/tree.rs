//! A requirement expression as it was written: names not yet looked up, and its text again.

use std::fmt;

/// A requirement expression. `Display` gives a text that parses to an equal expression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Expression {
    /// `anyone`: asks nothing.
    Anyone,
    /// `a and b and …`, two or more.
    All(Vec<Expression>),
    /// `a or b or …`, two or more.
    Any(Vec<Expression>),
    /// `not a`.
    Not(Box<Expression>),
    /// `skill("spanish")`, or `skill("spanish") >= 5`. Not holding the skill counts as level 0.
    Skill {
        /// The skill.
        skill: Name,
        /// Comparison with a level; without one, any level will do.
        test: Option<(Comparison, Number)>,
    },
    /// `team = "emea"` (member of that team), or with `!=` (not a member of it).
    Team {
        /// The team.
        team: Name,
        /// False for `!=`.
        is: bool,
    },
    /// `agent = "ana"`, or with `!=`.
    Agent {
        /// The agent.
        agent: Name,
        /// False for `!=`.
        is: bool,
    },
}

/// A name in an expression. Names are equal wherever they stand.
#[derive(Clone, Eq, Debug)]
pub struct Name {
    /// The name, without quotes and escapes.
    pub text: String,
    /// Byte offset of its opening quote in the expression's text.
    pub at: usize,
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// A number in an expression. Numbers are equal wherever they stand.
#[derive(Clone, Copy, Eq, Debug)]
pub struct Number {
    /// The number; what does not fit is the largest.
    pub value: u64,
    /// Byte offset of its first digit in the expression's text.
    pub at: usize,
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// How two levels are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Comparison {
    /// The sign that stands for it.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }

    /// Whether `left` compares so with `right`.
    #[must_use]
    pub fn holds(self, left: u64, right: u64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::Greater => left > right,
            Self::AtLeast => left >= right,
        }
    }
}

/// How tightly an expression binds: what binds less than its place needs parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Or,
    And,
    Not,
    Whole,
}

impl Expression {
    fn binding(&self) -> Binding {
        match self {
            Self::Any(_) => Binding::Or,
            Self::All(_) => Binding::And,
            Self::Not(_) => Binding::Not,
            Self::Anyone | Self::Skill { .. } | Self::Team { .. } | Self::Agent { .. } => {
                Binding::Whole
            }
        }
    }

    /// Writes this expression, in parentheses if it binds less tightly than `least`.
    fn write(&self, f: &mut fmt::Formatter<'_>, least: Binding) -> fmt::Result {
        if self.binding() < least {
            f.write_str("(")?;
            self.write(f, Binding::Or)?;
            return f.write_str(")");
        }
        match self {
            Self::Anyone => f.write_str("anyone"),
            Self::All(parts) => join(f, parts, " and ", Binding::Not),
            Self::Any(parts) => join(f, parts, " or ", Binding::And),
            Self::Not(part) => {
                f.write_str("not ")?;
                part.write(f, Binding::Not)
            }
            Self::Skill { skill, test: None } => write!(f, "skill({skill})"),
            Self::Skill {
                skill,
                test: Some((comparison, level)),
            } => {
                write!(f, "skill({skill}) {} {}", comparison.sign(), level.value)
            }
            Self::Team { team, is } => write!(f, "team {} {team}", if *is { "=" } else { "!=" }),
            Self::Agent { agent, is } => {
                write!(f, "agent {} {agent}", if *is { "=" } else { "!=" })
            }
        }
    }
}

fn join(
    f: &mut fmt::Formatter<'_>,
    parts: &[Expression],
    between: &str,
    least: Binding,
) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        part.write(f, least)?;
    }
    Ok(())
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, Binding::Or)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for letter in self.text.chars() {
            if matches!(letter, '"' | '\\') {
                f.write_str("\\")?;
            }
            write!(f, "{letter}")?;
        }
        f.write_str("\"")
    }
}
