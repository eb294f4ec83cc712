//! What is found in a configuration file: where it stands, what is wrong, what would be right.

use std::fmt;
use std::ops::Range;

/// A configuration file as it was read.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file, as the person named it.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// A place in a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Character in the line, from 1.
    pub column: usize,
}

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, but probably not as it was meant.
    Warning,
}

/// One thing found in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Bytes of the file it is about; empty at the start for what is missing from all of it.
    pub span: Range<usize>,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Source {
    /// The place of a byte of the text.
    #[must_use]
    pub fn place(&self, at: usize) -> Place {
        let before = self.text.get(..at).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Place {
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
        }
    }

    /// `file:line:column: what is wrong`, on one line.
    #[must_use]
    pub fn line(&self, finding: &Finding) -> String {
        let Place { line, column } = self.place(finding.span.start);
        let word = match finding.severity {
            Severity::Error => "",
            Severity::Warning => "warning: ",
        };
        format!("{}:{line}:{column}: {word}{}", self.name, finding.message)
    }

    /// The line of [`Source::line`], and under it the place itself with a mark.
    #[must_use]
    pub fn show(&self, finding: &Finding) -> String {
        let Place { line, column } = self.place(finding.span.start);
        let shown = self
            .text
            .lines()
            .nth(line - 1)
            .unwrap_or_default()
            .replace('\t', " ");
        let on_line = shown.chars().count().saturating_sub(column - 1);
        let width = self
            .text
            .get(finding.span.clone())
            .map_or(1, |marked| marked.chars().count());
        let margin = " ".repeat(line.to_string().len());
        format!(
            "{}\n {margin} |\n {line} | {shown}\n {margin} | {}{}",
            self.line(finding),
            " ".repeat(column - 1),
            "^".repeat(width.min(on_line).max(1)),
        )
    }
}

/// Everything found in one file, in the order of the file.
#[derive(Clone, Debug)]
pub struct Findings {
    /// The file.
    pub source: Source,
    /// What was found.
    pub list: Vec<Finding>,
}

impl Findings {
    /// What was found in a file.
    #[must_use]
    pub fn new(source: Source, mut list: Vec<Finding>) -> Self {
        list.sort_by(|a, b| {
            (a.span.start, a.severity, &a.message).cmp(&(b.span.start, b.severity, &b.message))
        });
        list.dedup();
        Self { source, list }
    }

    /// Whether the file cannot be used.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// How many findings are so bad.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.list
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    }

    /// Every finding on one line, `file:line:column: message`.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.list
            .iter()
            .map(|finding| self.source.line(finding))
            .collect()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.list {
            writeln!(f, "{}\n", self.source.show(finding))?;
        }
        let (errors, warnings) = (self.count(Severity::Error), self.count(Severity::Warning));
        let of = |count: usize, what: &str| {
            format!("{count} {what}{}", if count == 1 { "" } else { "s" })
        };
        write!(
            f,
            "{}: {}, {}",
            self.source.name,
            of(errors, "error"),
            of(warnings, "warning")
        )
    }
}

impl std::error::Error for Findings {}

/// Collects findings while a file is checked.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes(pub Vec<Finding>);

impl Notes {
    /// Notes an error about these bytes.
    pub fn error(&mut self, span: &Range<usize>, message: impl fmt::Display) {
        self.add(Severity::Error, span, message);
    }

    /// Notes a warning about these bytes.
    pub fn warning(&mut self, span: &Range<usize>, message: impl fmt::Display) {
        self.add(Severity::Warning, span, message);
    }

    /// Whether there is an error among them.
    pub fn has_errors(&self) -> bool {
        self.0
            .iter()
            .any(|finding| finding.severity == Severity::Error)
    }

    fn add(&mut self, severity: Severity, span: &Range<usize>, message: impl fmt::Display) {
        self.0.push(Finding {
            severity,
            span: span.clone(),
            message: message.to_string(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_shows_its_place() {
        let source = Source {
            name: "s.toml".into(),
            text: "[a]\nname = \"é\" # x\nteam = \"b\"\n".into(),
        };
        let span = source.text.find("# x").unwrap();
        let finding = Finding {
            severity: Severity::Warning,
            span: span..span + 3,
            message: "is odd".into(),
        };
        assert_eq!(source.line(&finding), "s.toml:2:12: warning: is odd");
        assert_eq!(
            source.show(&finding),
            "s.toml:2:12: warning: is odd\n   |\n 2 | name = \"é\" # x\n   |            ^^^"
        );
        let whole = Finding {
            severity: Severity::Error,
            span: 0..0,
            message: "is empty".into(),
        };
        let findings = Findings::new(source, vec![finding.clone(), whole, finding]);
        assert_eq!(
            findings.to_string(),
            "s.toml:1:1: is empty\n   |\n 1 | [a]\n   | ^\n\n\
             s.toml:2:12: warning: is odd\n   |\n 2 | name = \"é\" # x\n   |            ^^^\n\n\
             s.toml: 1 error, 1 warning"
        );
    }

    #[test]
    fn a_place_beyond_the_text_is_its_end() {
        let source = Source {
            name: "s".into(),
            text: String::new(),
        };
        let finding = Finding {
            severity: Severity::Error,
            span: 7..9,
            message: "x".into(),
        };
        assert_eq!(source.show(&finding), "s:1:1: x\n   |\n 1 | \n   | ^");
    }
}
