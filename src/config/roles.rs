//! Roles of a workspace: the built-in ones, changed and added to by the file; grants and denials.

use super::check::Check;
use super::file;
use crate::access::grant::{Channels, Grant, Named};
use crate::access::privilege::Privilege;
use crate::access::role::{Home, Panel, Role, RoleError, Roles, Screen};
use crate::access::scope::Scope;
use crate::domain::near::did_you_mean;
use toml::Spanned;

/// The roles that the file makes of the built-in ones.
pub(super) fn roles(check: &mut Check<'_>, table: &file::Table<file::Role>) -> Roles {
    let built_in = Roles::built_in();
    let known: Vec<String> = built_in
        .iter()
        .map(|role| role.name.clone())
        .chain(table.keys().map(|name| name.get_ref().clone()))
        .collect();
    let changed = |role: &&Role| !table.keys().any(|name| *name.get_ref() == role.name);
    let mut all: Vec<Role> = built_in.iter().filter(changed).cloned().collect();
    for (name, stated) in table {
        for inherited in stated.inherits.iter().flatten() {
            check_role(check, inherited, &known);
        }
        all.push(role(check, name, stated, built_in.get(name.get_ref())));
    }
    if check.notes.has_errors() {
        return built_in;
    }
    Roles::new(all).unwrap_or_else(|error| {
        let at = table
            .keys()
            .find(|name| is_about(&error, name.get_ref()))
            .map_or(0..0, Spanned::span);
        check.notes.error(&at, error);
        built_in
    })
}

/// Notes a role that does not exist.
pub(super) fn check_role(check: &mut Check<'_>, name: &file::Name, known: &[String]) {
    if !known.contains(name.get_ref()) {
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        check.unknown("role", name, &known);
    }
}

fn is_about(error: &RoleError, name: &str) -> bool {
    match error {
        RoleError::Twice(role) | RoleError::Cycle(role, _) | RoleError::TooDeep(role) => {
            role == name
        }
        RoleError::Unknown { holder, .. }
        | RoleError::AdminOnly { holder, .. }
        | RoleError::Channels { holder, .. }
        | RoleError::Ids { holder, .. } => *holder == format!("role {name:?}"),
    }
}

/// A role of the file. One with the name of a built-in role changes that role: what is stated
/// takes the place of what it inherits and sees, grants and denials are added to its own.
fn role(
    check: &mut Check<'_>,
    name: &file::Name,
    stated: &file::Role,
    built_in: Option<&Role>,
) -> Role {
    let mut role = built_in.cloned().unwrap_or_default();
    role.name.clone_from(name.get_ref());
    if let Some(inherits) = &stated.inherits {
        role.inherits = inherits.iter().map(|name| name.get_ref().clone()).collect();
    }
    role.grants.extend(grants(check, &stated.grants));
    role.denials.extend(grants(check, &stated.denials));
    if let Some(home) = &stated.home {
        role.home = Some(view(check, home));
    }
    role
}

fn view(check: &mut Check<'_>, home: &file::Home) -> Home {
    let screen = word(check, &home.screen, "screen", Screen::EVERY, Screen::name);
    let panels = home
        .panels
        .iter()
        .filter_map(|panel| word(check, panel, "panel", Panel::EVERY, Panel::name));
    Home {
        panels: panels.collect(),
        screen: screen.unwrap_or(Screen::Desktop),
        columns: home.columns.clone(),
    }
}

/// One of a closed list of words.
fn word<T: Copy>(
    check: &mut Check<'_>,
    given: &Spanned<String>,
    kind: &str,
    every: &[T],
    name: fn(T) -> &'static str,
) -> Option<T> {
    let found = every
        .iter()
        .copied()
        .find(|one| name(*one) == given.get_ref());
    if found.is_none() {
        let known: Vec<&str> = every.iter().map(|one| name(*one)).collect();
        let meant = did_you_mean(given.get_ref(), known.iter().copied());
        let listed = known.join(", ");
        let right = if meant.is_empty() {
            format!("; known: {listed}")
        } else {
            format!("{meant} (known: {listed})")
        };
        check.notes.error(
            &given.span(),
            format!("there is no {kind} \"{}\"{right}", given.get_ref()),
        );
    }
    found
}

/// Grants or denials of a role or user.
pub(super) fn grants(check: &mut Check<'_>, stated: &[Spanned<file::Grant>]) -> Vec<Grant> {
    stated
        .iter()
        .filter_map(|stated| grant(check, stated))
        .collect()
}

fn grant(check: &mut Check<'_>, stated: &Spanned<file::Grant>) -> Option<Grant> {
    let (span, stated) = (stated.span(), stated.get_ref());
    let privilege = privilege(check, &stated.privilege);
    let scope = word(check, &stated.scope, "scope", &Scope::EVERY, Scope::name);
    let channels = stated
        .channels
        .as_ref()
        .map(|names| check.list(names, Check::channel));
    let named = Named {
        agents: check.list(&stated.named.users, Check::user),
        queues: check.list(&stated.named.queues, Check::queue),
        teams: check.list(&stated.named.teams, Check::team),
        ..Named::default()
    };
    let lists = [
        &stated.named.users,
        &stated.named.queues,
        &stated.named.teams,
    ]
    .iter()
    .any(|list| !list.is_empty());
    let (privilege, scope) = (privilege?, scope?);
    let problem = match (channels.as_deref(), scope, lists) {
        (Some(_), _, _) if !privilege.per_channel() => {
            format!("{privilege} is not granted per channel; leave channels out")
        }
        (Some([]), _, _) => "channels is empty; leave it out to mean every channel".into(),
        (_, Scope::Named, false) => {
            "scope \"named\" needs what it names, for example named = { queues = [\"…\"] }".into()
        }
        (_, Scope::Named, true) | (_, _, false) => {
            let channels = channels.map_or(Channels::EVERY, Channels::from_iter);
            return Some(Grant {
                privilege,
                scope,
                named,
                channels,
                widens: false,
            });
        }
        (_, _, true) => {
            "named is for scope \"named\" alone; leave it out, or change the scope".into()
        }
    };
    check.notes.error(&span, problem);
    None
}

fn privilege(check: &mut Check<'_>, given: &Spanned<String>) -> Option<Privilege> {
    let found = given.get_ref().parse().ok();
    if found.is_none() {
        let meant = did_you_mean(given.get_ref(), Privilege::every().map(Privilege::name));
        check.notes.error(
            &given.span(),
            format!("there is no privilege \"{}\"{meant}", given.get_ref()),
        );
    }
    found
}
