//! From text to a requirement expression: `or` binds least, then `and`, then `not`; parentheses
//! bind most. Every error says where it is and what would be right.

use super::tree::{Comparison, Expression, Name, Number};
use crate::domain::near::did_you_mean;
use crate::limits;
use std::fmt;
use winnow::Parser;
use winnow::ascii::{digit1, multispace0};
use winnow::combinator::{alt, delimited, not, preceded, repeat};
use winnow::stream::{LocatingSlice, Location};
use winnow::token::{any, none_of, one_of, rest, take_while};

/// What is wrong with an expression, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct ExpressionError {
    /// Byte offset in the text.
    pub at: usize,
    /// Line in the text, from 1.
    pub line: usize,
    /// Character in the line, from 1.
    pub column: usize,
    /// What is wrong, and what would be right.
    pub problem: String,
}

impl ExpressionError {
    pub(super) fn new(text: &str, at: usize, problem: impl fmt::Display) -> Self {
        let mut at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let before = text.get(..at).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            at,
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            problem: problem.to_string(),
        }
    }
}

/// What an operand may be, for error texts.
const OPERANDS: &str = "skill(\"…\"), team = \"…\", agent = \"…\", anyone, not or \"(\"";
/// The words of the language.
const WORDS: [&str; 7] = ["and", "or", "not", "skill", "team", "agent", "anyone"];

#[derive(Clone, PartialEq, Eq, Debug)]
enum Token {
    Open,
    Close,
    Compare(Comparison),
    Quoted(String),
    Number(u64),
    Word(String),
    /// What is no token, with what to say about it.
    Wrong(String),
    End,
}

impl Token {
    fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            Self::Open
            | Self::Close
            | Self::Compare(_)
            | Self::Quoted(_)
            | Self::Number(_)
            | Self::Wrong(_)
            | Self::End => None,
        }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("\"(\""),
            Self::Close => f.write_str("\")\""),
            Self::Compare(comparison) => write!(f, "\"{}\"", comparison.sign()),
            Self::Quoted(name) => write!(f, "the name \"{name}\""),
            Self::Number(number) => write!(f, "the number {number}"),
            Self::Word(word) => write!(f, "\"{word}\""),
            Self::Wrong(text) => f.write_str(text),
            Self::End => f.write_str("the end"),
        }
    }
}

type Input<'a> = LocatingSlice<&'a str>;

fn comparison(input: &mut Input<'_>) -> winnow::Result<Token> {
    alt((
        ">=".value(Comparison::AtLeast),
        "<=".value(Comparison::AtMost),
        "!=".value(Comparison::NotEqual),
        '>'.value(Comparison::Greater),
        '<'.value(Comparison::Less),
        '='.value(Comparison::Equal),
    ))
    .map(Token::Compare)
    .parse_next(input)
}

/// What other languages write.
fn foreign_sign(input: &mut Input<'_>) -> winnow::Result<Token> {
    alt((
        ("==", not('=')).value(("==", "=")),
        ("!", not('=')).value(("!", "not")),
        "&&".value(("&&", "and")),
        "||".value(("||", "or")),
    ))
    .map(|(sign, ours)| Token::Wrong(format!("\"{sign}\" is written \"{ours}\" here")))
    .parse_next(input)
}

fn name_in(quote: char) -> impl FnMut(&mut Input<'_>) -> winnow::Result<Token> {
    move |input| {
        let letter = alt((
            preceded('\\', one_of(['"', '\'', '\\'])),
            none_of(move |c: char| c == quote || c == '\\' || c.is_control()),
        ));
        delimited(quote, repeat(0.., letter), quote)
            .map(Token::Quoted)
            .parse_next(input)
    }
}

/// A quote that opens no name: says which of the possible reasons it is.
fn broken_name(input: &mut Input<'_>) -> winnow::Result<Token> {
    (one_of(['"', '\'']), rest)
        .map(|(quote, tail): (char, &str)| {
            let closed = tail.lines().next().is_some_and(|line| line.contains(quote));
            Token::Wrong(if closed {
                "this name has an escape that is not \\\" \\' or \\\\, or a control character"
                    .into()
            } else {
                "this name has no closing quote".into()
            })
        })
        .parse_next(input)
}

fn word(input: &mut Input<'_>) -> winnow::Result<Token> {
    take_while(1.., |c: char| c.is_alphanumeric() || matches!(c, '_' | '-'))
        .map(|word: &str| Token::Word(word.to_owned()))
        .parse_next(input)
}

fn token(input: &mut Input<'_>) -> winnow::Result<Token> {
    alt((
        '('.value(Token::Open),
        ')'.value(Token::Close),
        foreign_sign,
        comparison,
        alt((name_in('"'), name_in('\''), broken_name)),
        digit1.map(|digits: &str| Token::Number(digits.parse().unwrap_or(u64::MAX))),
        word,
        any.map(|other: char| {
            Token::Wrong(format!("\"{}\" means nothing here", other.escape_debug()))
        }),
    ))
    .parse_next(input)
}

/// All tokens with the byte offset where each begins; the last one is the end.
fn tokens(text: &str) -> Vec<(usize, Token)> {
    let mut input = LocatingSlice::new(text);
    let mut tokens = Vec::new();
    loop {
        let blank: winnow::Result<&str> = multispace0.parse_next(&mut input);
        let at = input.current_token_start();
        match (blank, token(&mut input)) {
            (Ok(_), Ok(token)) => tokens.push((at, token)),
            (Err(_), _) | (_, Err(_)) => {
                tokens.push((at, Token::End));
                return tokens;
            }
        }
    }
}

impl Expression {
    /// Reads an expression. Names are looked up later, by [`super::Requirement::parse`].
    ///
    /// # Errors
    /// What is wrong and where: not an expression, longer than
    /// [`limits::EXPRESSION_BYTES`], deeper than [`limits::EXPRESSION_DEPTH`] (parentheses and
    /// `not`), or more than [`limits::EXPRESSION_NODES`] parts.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        if text.len() > limits::EXPRESSION_BYTES {
            let problem = format!(
                "an expression has at most {} bytes, this one has {}",
                limits::EXPRESSION_BYTES,
                text.len()
            );
            return Err(ExpressionError::new(
                text,
                limits::EXPRESSION_BYTES,
                problem,
            ));
        }
        let tokens = tokens(text);
        if let [(at, Token::End)] = tokens.as_slice() {
            let problem = "the expression is empty; \"anyone\" asks nothing";
            return Err(ExpressionError::new(text, *at, problem));
        }
        let mut reader = Reader {
            tokens: &tokens,
            next: 0,
            depth: 0,
            nodes: 0,
        };
        reader
            .whole()
            .map_err(|(at, problem)| ExpressionError::new(text, at, problem))
    }
}

type Parsed<T> = Result<T, (usize, String)>;

struct Reader<'a> {
    /// Never empty; the last one is `Token::End`.
    tokens: &'a [(usize, Token)],
    next: usize,
    depth: usize,
    nodes: usize,
}

impl Reader<'_> {
    fn peek(&self) -> (usize, &Token) {
        let last = self.tokens.len().saturating_sub(1);
        self.tokens
            .get(self.next.min(last))
            .map_or((0, &Token::End), |(at, token)| (*at, token))
    }

    fn word_is(&self, word: &str) -> bool {
        self.peek().1.word() == Some(word)
    }

    fn unexpected<T>(&self, wanted: &str) -> Parsed<T> {
        let (at, token) = self.peek();
        let problem = match token {
            Token::Wrong(_) => token.to_string(),
            Token::Word(word) if !WORDS.contains(&word.as_str()) => {
                let meant = did_you_mean(word, WORDS);
                if meant.is_empty() {
                    format!("expected {wanted}, found {token} (names stand in quotes)")
                } else {
                    format!("unknown word {token}{meant}")
                }
            }
            Token::Open
            | Token::Close
            | Token::Compare(_)
            | Token::Quoted(_)
            | Token::Number(_)
            | Token::Word(_)
            | Token::End => format!("expected {wanted}, found {token}"),
        };
        Err((at, problem))
    }

    /// Counts one more part, which begins at `at`.
    fn part(&mut self, at: usize, part: Expression) -> Parsed<Expression> {
        self.nodes += 1;
        if self.nodes > limits::EXPRESSION_NODES {
            return Err((
                at,
                format!(
                    "an expression has at most {} parts",
                    limits::EXPRESSION_NODES
                ),
            ));
        }
        Ok(part)
    }

    fn whole(&mut self) -> Parsed<Expression> {
        let expression = self.or()?;
        match self.peek().1 {
            Token::End => Ok(expression),
            Token::Close => Err((self.peek().0, "this \")\" closes nothing".into())),
            Token::Open
            | Token::Compare(_)
            | Token::Quoted(_)
            | Token::Number(_)
            | Token::Word(_)
            | Token::Wrong(_) => self.unexpected("\"and\", \"or\" or the end"),
        }
    }

    fn or(&mut self) -> Parsed<Expression> {
        self.list("or", Self::and, Expression::Any)
    }

    fn and(&mut self) -> Parsed<Expression> {
        self.list("and", Self::not, Expression::All)
    }

    fn list(
        &mut self,
        word: &str,
        operand: fn(&mut Self) -> Parsed<Expression>,
        make: fn(Vec<Expression>) -> Expression,
    ) -> Parsed<Expression> {
        let at = self.peek().0;
        let first = operand(self)?;
        let mut parts = vec![first];
        while self.word_is(word) {
            self.next += 1;
            parts.push(operand(self)?);
        }
        match parts.pop() {
            Some(only) if parts.is_empty() => Ok(only),
            Some(last) => {
                parts.push(last);
                self.part(at, make(parts))
            }
            None => self.unexpected(OPERANDS),
        }
    }

    fn deeper<T>(&mut self, at: usize, inner: fn(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.depth += 1;
        if self.depth > limits::EXPRESSION_DEPTH {
            let most = limits::EXPRESSION_DEPTH;
            return Err((
                at,
                format!("parentheses and \"not\" nest at most {most} deep"),
            ));
        }
        let parsed = inner(self)?;
        self.depth -= 1;
        Ok(parsed)
    }

    fn not(&mut self) -> Parsed<Expression> {
        if !self.word_is("not") {
            return self.operand();
        }
        let at = self.peek().0;
        self.next += 1;
        let negated = self.deeper(at, Self::not)?;
        self.part(at, Expression::Not(Box::new(negated)))
    }

    fn operand(&mut self) -> Parsed<Expression> {
        let (at, token) = self.peek();
        if *token == Token::Open {
            self.next += 1;
            let inner = self.deeper(at, Self::or)?;
            self.expect(&Token::Close, "\"and\", \"or\" or \")\"")?;
            return Ok(inner);
        }
        let expression = match token.word() {
            Some("anyone") => {
                self.next += 1;
                Expression::Anyone
            }
            Some("skill") => self.skill()?,
            Some("team") => {
                let (team, is) = self.identity("team")?;
                Expression::Team { team, is }
            }
            Some("agent") => {
                let (agent, is) = self.identity("agent")?;
                Expression::Agent { agent, is }
            }
            Some(_) | None => return self.unexpected(OPERANDS),
        };
        self.part(at, expression)
    }

    fn expect(&mut self, token: &Token, wanted: &str) -> Parsed<()> {
        if self.peek().1 != token {
            return self.unexpected(wanted);
        }
        self.next += 1;
        Ok(())
    }

    fn name(&mut self, wanted: &str) -> Parsed<Name> {
        let (at, token) = self.peek();
        let Token::Quoted(text) = token else {
            return self.unexpected(wanted);
        };
        let name = Name {
            text: text.clone(),
            at,
        };
        self.next += 1;
        Ok(name)
    }

    fn skill(&mut self) -> Parsed<Expression> {
        self.next += 1;
        self.expect(&Token::Open, "\"(\" and the skill's name in quotes")?;
        let skill = self.name("the skill's name in quotes")?;
        self.expect(&Token::Close, "\")\" after the skill's name")?;
        let Token::Compare(comparison) = *self.peek().1 else {
            return Ok(Expression::Skill { skill, test: None });
        };
        self.next += 1;
        let (at, token) = self.peek();
        let Token::Number(value) = *token else {
            return self.unexpected("a level from 1 to 10");
        };
        self.next += 1;
        Ok(Expression::Skill {
            skill,
            test: Some((comparison, Number { value, at })),
        })
    }

    /// `team = "…"` or `agent != "…"`, from the word on.
    fn identity(&mut self, word: &str) -> Parsed<(Name, bool)> {
        self.next += 1;
        let is = match self.peek().1 {
            Token::Compare(Comparison::Equal) => true,
            Token::Compare(Comparison::NotEqual) => false,
            Token::Open
            | Token::Close
            | Token::Compare(_)
            | Token::Quoted(_)
            | Token::Number(_)
            | Token::Word(_)
            | Token::Wrong(_)
            | Token::End => return self.unexpected(&format!("\"=\" or \"!=\" after {word}")),
        };
        self.next += 1;
        Ok((self.name(&format!("the {word}'s name in quotes"))?, is))
    }
}
