//! What differs between two configurations: what can be put in force while the server runs, and
//! what needs it to be started again.

use super::{Config, Server, Workspace};
use crate::access::principal::Principal;
use crate::domain::rules::{AgentRules, QueueRules};
use crate::id::UserId;
use std::sync::Arc;

/// What differs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changes {
    /// Settings that count from the next start on.
    pub at_start: Vec<String>,
    /// What changes in each workspace that stays, in words.
    pub lines: Vec<String>,
    /// Users whose rights are others, by workspace.
    pub rights: Vec<(String, Vec<UserId>)>,
}

impl Changes {
    /// From one configuration to another, whose names have the same numbers.
    #[must_use]
    pub fn between(before: &Config, after: &Config) -> Self {
        let mut changes = Self::default();
        changes.of_server(&before.server, &after.server);
        for old in &before.workspaces {
            let name = &old.rules.name;
            match after.workspace(name) {
                Some(new) => changes.of_workspace(name, old, new),
                None => changes.at_start.push(format!("workspace {name} is gone")),
            }
        }
        let new = after.workspaces.iter().map(|new| &new.rules.name);
        let new = new.filter(|name| before.workspace(name).is_none());
        let new = new.map(|name| format!("workspace {name} is new"));
        changes.at_start.extend(new);
        changes
    }

    fn of_server(&mut self, before: &Server, after: &Server) {
        let Server {
            listen,
            behind_proxy,
            origins,
            data,
            durable,
            low_space,
            key_file,
            issuer,
            audience,
        } = before;
        let settings = [
            ("listen", *listen != after.listen),
            ("behind_proxy", *behind_proxy != after.behind_proxy),
            ("origins", *origins != after.origins),
            ("data", *data != after.data),
            ("journal", *durable != after.durable),
            ("low_space", *low_space != after.low_space),
            ("key_file", *key_file != after.key_file),
            ("issuer", *issuer != after.issuer),
            ("audience", *audience != after.audience),
        ];
        let other = settings.iter().filter(|(_, other)| *other);
        let other = other.map(|(setting, _)| format!("{setting} in [server]"));
        self.at_start.extend(other);
    }

    fn of_workspace(&mut self, workspace: &str, before: &Workspace, after: &Workspace) {
        let (old, new) = (&before.rules, &after.rules);
        let mut line = |text: String| self.lines.push(format!("{workspace}: {text}"));
        if old.channels != new.channels || old.policies != new.policies {
            line("channels are changed".into());
        }
        if before.history != after.history {
            line("for how long rows of the history are kept is changed".into());
        }
        if old.terms != new.terms {
            line("terms of the workspace are changed".into());
        }
        if old.skills != new.skills || old.teams != new.teams {
            line("skills or teams are changed".into());
        }
        let queues = diff(&old.queues, &new.queues, |queue: &QueueRules| {
            (queue.name.clone(), queue.channels.is_empty())
        });
        queues.lines("queue").into_iter().for_each(&mut line);
        let agents = diff(&old.agents, &new.agents, |agent: &AgentRules| {
            (agent.name.clone(), false)
        });
        let people = |workspace: &Workspace| -> Vec<Arc<Principal>> {
            workspace.directory.iter().map(Arc::clone).collect()
        };
        let gone = |who: &Arc<Principal>| (who.login().to_owned(), who.roles().is_empty());
        let users = diff(&people(before), &people(after), gone);
        let mut said = users.clone();
        for number in agents.changed {
            said.change(number);
        }
        said.lines("user").into_iter().for_each(&mut line);
        let numbers = users
            .numbers()
            .filter_map(|number| u32::try_from(number).ok());
        let numbers: Vec<UserId> = numbers.map(UserId).collect();
        if !numbers.is_empty() {
            self.rights.push((workspace.to_owned(), numbers));
        }
    }
}

/// What became of the entries of a table, by number.
#[derive(Clone, Debug, Default)]
struct Diff {
    names: Vec<String>,
    new: Vec<usize>,
    changed: Vec<usize>,
    gone: Vec<usize>,
}

/// `named` says the name of an entry, and whether it is only there because the log names it.
fn diff<T: PartialEq>(before: &[T], after: &[T], named: impl Fn(&T) -> (String, bool)) -> Diff {
    let mut diff = Diff::default();
    for (number, now) in after.iter().enumerate() {
        let (name, is_gone) = named(now);
        diff.names.push(name);
        let was = before.get(number);
        let was_gone = was.is_none_or(|was| named(was).1);
        match (was_gone, is_gone) {
            (true, true) => {}
            (true, false) => diff.new.push(number),
            (false, true) => diff.gone.push(number),
            (false, false) if was != Some(now) => diff.changed.push(number),
            (false, false) => {}
        }
    }
    diff
}

impl Diff {
    fn numbers(&self) -> impl Iterator<Item = usize> {
        let numbers = self.new.iter().chain(&self.changed).chain(&self.gone);
        numbers.copied()
    }

    fn change(&mut self, number: usize) {
        if !self.numbers().any(|known| known == number) {
            self.changed.push(number);
        }
    }

    fn lines(&self, kind: &str) -> Vec<String> {
        let line = |numbers: &[usize], what: &str| {
            let names = numbers.iter().filter_map(|number| self.names.get(*number));
            let names: Vec<&str> = names.map(String::as_str).collect();
            let some = names.iter().take(MOST_NAMED).copied();
            let some = some.collect::<Vec<_>>().join(", ");
            let more = names.len().saturating_sub(MOST_NAMED);
            match (names.len(), more) {
                (0, _) => None,
                (_, 0) => Some(format!("{kind} {what}: {some}")),
                (_, more) => Some(format!("{kind} {what}: {some} and {more} more")),
            }
        };
        let lines = [
            line(&self.new, "new"),
            line(&self.changed, "changed"),
            line(&self.gone, "gone"),
        ];
        lines.into_iter().flatten().collect()
    }
}

/// So many names stand in a line; the others are counted.
const MOST_NAMED: usize = 20;
