//! What is at hand while a workspace is checked: its file, its names, and the ways to say that a
//! name is not one of them.

use super::file;
use super::finding::{Notes, Source};
use crate::directory::WorkspaceNames;
use crate::domain::near::did_you_mean;
use crate::domain::requirement::{Names, Requirement};
use crate::id::{AgentId, ChannelId, QueueId, TeamId};
use crate::limits::NAME_BYTES;
use std::ops::Range;
use toml::Spanned;

/// What is at hand while one workspace is checked.
pub(super) struct Check<'a> {
    pub source: &'a Source,
    pub notes: &'a mut Notes,
    pub names: &'a WorkspaceNames,
}

impl Check<'_> {
    /// Notes that there is no such object, with the one that may have been meant.
    pub fn unknown(&mut self, kind: &str, name: &file::Name, known: &[&str]) {
        let meant = did_you_mean(name.get_ref(), known.iter().copied());
        let listed = match known.len() {
            0 => format!("; this workspace has no {kind}s"),
            1..=8 if meant.is_empty() => format!("; known: {}", known.join(", ")),
            _ => meant,
        };
        self.notes.error(
            &name.span(),
            format!("there is no {kind} \"{}\"{listed}", name.get_ref()),
        );
    }

    pub fn channel(&mut self, name: &file::Name) -> Option<ChannelId> {
        let found = self.names.channel(name.get_ref());
        if found.is_none() {
            self.unknown(
                "channel",
                name,
                &self.names.channels.iter().collect::<Vec<_>>(),
            );
        }
        found
    }

    pub fn team(&mut self, name: &file::Name) -> Option<TeamId> {
        let found = self.names.team(name.get_ref());
        if found.is_none() {
            self.unknown("team", name, &self.names.teams.iter().collect::<Vec<_>>());
        }
        found
    }

    pub fn queue(&mut self, name: &file::Name) -> Option<QueueId> {
        let found = self.names.queue(name.get_ref());
        if found.is_none() {
            self.unknown("queue", name, &self.names.queues.iter().collect::<Vec<_>>());
        }
        found
    }

    pub fn user(&mut self, name: &file::Name) -> Option<AgentId> {
        let found = self.names.agent(name.get_ref());
        if found.is_none() {
            self.unknown("user", name, &self.names.users.iter().collect::<Vec<_>>());
        }
        found
    }

    /// A list of names, each looked up; a name that is listed twice is an error.
    pub fn list<T: PartialEq>(
        &mut self,
        names: &[file::Name],
        find: fn(&mut Self, &file::Name) -> Option<T>,
    ) -> Vec<T> {
        let mut found = Vec::new();
        for name in names {
            let Some(id) = find(self, name) else { continue };
            if found.contains(&id) {
                self.notes.error(
                    &name.span(),
                    format!("\"{}\" is listed twice", name.get_ref()),
                );
            } else {
                found.push(id);
            }
        }
        found
    }

    /// A requirement expression; an error stands where it is in the file.
    pub fn requirement(&mut self, text: &Spanned<String>) -> Requirement {
        Requirement::parse(text.get_ref(), self.names).unwrap_or_else(|error| {
            let at = inside(&self.source.text, &text.span(), error.at);
            self.notes.error(&(at..at), error.problem);
            Requirement::anyone()
        })
    }

    /// Notes a number that is out of its range.
    pub fn range(&mut self, given: &Spanned<u32>, what: &str, least: u32, most: u32) {
        let value = *given.get_ref();
        if !(least..=most).contains(&value) {
            let problem = format!("{what} is a whole number from {least} to {most}, not {value}");
            self.notes.error(&given.span(), problem);
        }
    }
}

/// Notes a name that cannot be one: names stand in topics, tokens and lists.
pub(super) fn check_name(notes: &mut Notes, kind: &str, name: &file::Name) {
    let text = name.get_ref();
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '@' | '+');
    if text.is_empty() || text.len() > NAME_BYTES || !text.chars().all(fits) {
        let problem = format!(
            "\"{}\" is no name for a {kind}: letters, digits, \"_\", \"-\", \".\", \"@\" and \"+\", 1 to {NAME_BYTES} bytes",
            text.escape_debug()
        );
        notes.error(&name.span(), problem);
    }
}

/// Byte of the file at which byte `at` of the text stands that a TOML string holds.
fn inside(file: &str, span: &Range<usize>, at: usize) -> usize {
    let raw = file.get(span.clone()).unwrap_or_default();
    let long = raw.starts_with("'''") || raw.starts_with("\"\"\"");
    let mut from = if long { 3 } else { 1 };
    if long && raw.get(from..).is_some_and(|rest| rest.starts_with("\r\n")) {
        from += 2;
    } else if long && raw.get(from..).is_some_and(|rest| rest.starts_with('\n')) {
        from += 1;
    }
    let mut rest = raw.get(from..).unwrap_or_default();
    let mut decoded = 0;
    while decoded < at && !rest.is_empty() {
        let (width, bytes) = letter(rest, raw.starts_with('"'));
        decoded += bytes;
        rest = rest.get(width..).unwrap_or_default();
    }
    span.end - rest.len().min(span.len())
}

/// Width in the file, and bytes of text, of the first letter of a TOML string.
fn letter(rest: &str, escapes: bool) -> (usize, usize) {
    let mut letters = rest.chars();
    let first = letters.next().map_or(1, char::len_utf8);
    if !(escapes && rest.starts_with('\\')) {
        return (first, first);
    }
    let digits = match letters.next() {
        Some('x') => 2,
        Some('u') => 4,
        Some('U') => 8,
        Some(_) => return (2, 1),
        None => return (1, 1),
    };
    let code = rest
        .get(2..2 + digits)
        .and_then(|code| u32::from_str_radix(code, 16).ok());
    (
        2 + digits,
        code.and_then(char::from_u32).map_or(1, char::len_utf8),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_of_a_text_is_found_in_the_file() {
        for (raw, text, mark) in [
            ("'ab!'", "ab!", '!'),
            (r#""ab!""#, "ab!", '!'),
            (r#""a\"\u00e9\\!""#, "a\"é\\!", '!'),
            (r#""é\U0001F600\x41!""#, "é😀A!", '!'),
            ("'''\nab\nc!'''", "ab\nc!", '!'),
            ("\"\"\"\r\nab!\"\"\"", "ab!", '!'),
            (r"'a\!'", "a\\!", '!'),
        ] {
            let file = format!("x = {raw} # {mark}");
            let at = text.find(mark).unwrap();
            assert_eq!(
                inside(&file, &(4..4 + raw.len()), at),
                file.find(mark).unwrap(),
                "{raw}"
            );
        }
        assert_eq!(
            inside("x = 'ab'", &(4..8), 2),
            7,
            "the end of the text is the closing quote"
        );
    }
}
