//! One workspace of the file: its names interned, its rules and its directory.

use super::channels;
use super::check::{Check, check_name};
use super::file;
use super::finding::{Notes, Source};
use super::queues::{self, DIRECT, Members};
use super::roles::roles;
use super::users::{self, Around};
use super::value::{Length, LengthOr};
use crate::directory::{Directory, Known, Numbered, WorkspaceNames};
use crate::domain::capacity::{ChannelRules, Channels};
use crate::domain::rules::{self, WorkspaceTerms};
use crate::domain::skill::SkillKind;
use crate::id::{QueueId, UserId};
use crate::journal::history::Retention;
use crate::time::Span;
use std::sync::Arc;
use toml::Spanned;

/// A workspace as it is configured.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// What the machines decide by.
    pub rules: Arc<rules::Workspace>,
    /// Who there is, and what they may do.
    pub directory: Directory,
    /// For how long its history is kept.
    pub history: Retention,
}

/// Checks one workspace of the file. Nothing is made of one with errors.
pub(super) fn check(
    source: &Source,
    notes: &mut Notes,
    name: &file::Name,
    stated: &file::Workspace,
    known: &Known,
) -> Option<Workspace> {
    let mut channel_table = channels::table(stated.channels.as_ref());
    channels::check_count(&channel_table, name, notes);
    channels::keep_order(&mut channel_table, &known.channels, name, notes);
    check_names(notes, name, stated);
    let names = names(stated, &channel_table, known);
    let mut check = Check {
        source,
        notes,
        names: &names,
    };

    let rules: Vec<ChannelRules> = channel_table
        .iter()
        .map(|(name, channel)| channels::rules(&mut check, name, channel))
        .collect();
    let policies = channel_table
        .iter()
        .map(|(name, channel)| channels::policy(&mut check, name, channel))
        .collect();
    let terms: Vec<_> = channel_table
        .iter()
        .map(|(name, channel)| channels::terms_of_channel(&mut check, name, channel))
        .collect();
    let channels = Channels::new(rules);

    let (mut queue_rules, mut members) = (Vec::new(), Vec::new());
    for (id, name) in (0u32..).map(QueueId).zip(names.queues.iter()) {
        if let Some((name, queue)) = stated.queues.iter().find(|(of, _)| of.get_ref() == name) {
            queue_rules.push(queues::rules(&mut check, id, name, queue, &terms));
            members.push(Members::of(&mut check, queue));
            continue;
        }
        let channel = name.strip_prefix(DIRECT).and_then(|of| names.channel(of));
        queue_rules.push(match channel {
            Some(channel) => queues::direct(
                id,
                channel,
                names.channel_name(channel).unwrap_or_default(),
                &terms[channel.index()],
            ),
            None => queues::gone(id, name),
        });
        members.push(Members::none());
    }

    let roles = Arc::new(roles(&mut check, &stated.roles));
    let around = Around {
        channels: &channels,
        roles: &roles,
        members: &members,
    };
    let (mut identities, mut agents) = (Vec::new(), Vec::new());
    for (id, login) in (0u32..).map(UserId).zip(names.users.iter()) {
        let user = stated.users.iter().find(|(of, _)| of.get_ref() == login);
        let connector = stated
            .connectors
            .iter()
            .find(|(of, _)| of.get_ref() == login);
        let (identity, agent) = match (user, connector) {
            (Some((name, user)), _) => users::user(&mut check, id, name, user, &around),
            (None, Some((name, connector))) => (
                users::connector(id, name, connector),
                users::no_agent(id, login),
            ),
            (None, None) => (users::gone(id, login), users::no_agent(id, login)),
        };
        identities.push(identity);
        agents.push(agent);
    }
    let terms = workspace_terms(&mut check, stated);
    if check.notes.has_errors() {
        return None;
    }
    for name in stated.queues.keys() {
        let queue = names.queue(name.get_ref());
        if let Some(queue) = queue.and_then(|queue| queue_rules.get(queue.index())) {
            queues::check_served(&mut check, name, queue, &agents);
        }
    }
    let rules = rules::Workspace {
        name: name.get_ref().clone(),
        channels,
        policies,
        skills: names.skills.iter().map(str::to_owned).collect(),
        teams: names.teams.iter().map(str::to_owned).collect(),
        queues: queue_rules,
        agents,
        terms,
    };
    let directory = Directory::new(Arc::new(names), roles, identities, 1);
    directory
        .map_err(|error| notes.error(&name.span(), error))
        .ok()
        .map(|directory| Workspace {
            rules: Arc::new(rules),
            directory,
            history: retention(&stated.history),
        })
}

/// Notes names that cannot be names, and names that two kinds of user share.
fn check_names(notes: &mut Notes, name: &file::Name, stated: &file::Workspace) {
    check_name(notes, "workspace", name);
    let kinds: [(&str, Vec<&file::Name>); 7] = [
        (
            "channel",
            stated
                .channels
                .iter()
                .flat_map(|table| table.keys())
                .collect(),
        ),
        ("skill", stated.skills.keys().collect()),
        ("team", stated.teams.keys().collect()),
        ("queue", stated.queues.keys().collect()),
        ("user", stated.users.keys().collect()),
        ("connector", stated.connectors.keys().collect()),
        ("role", stated.roles.keys().collect()),
    ];
    for (kind, names) in kinds {
        names
            .into_iter()
            .for_each(|name| check_name(notes, kind, name));
    }
    for name in stated
        .connectors
        .keys()
        .filter(|name| stated.users.contains_key(*name))
    {
        let problem = format!(
            "\"{}\" is a user already: users and connectors sign in by their names",
            name.get_ref()
        );
        notes.error(&name.span(), problem);
    }
}

/// The names of a workspace; those that its log knows keep their numbers.
fn names(
    stated: &file::Workspace,
    channels: &[(file::Name, file::Channel)],
    known: &Known,
) -> WorkspaceNames {
    fn of<T>(table: &file::Table<T>) -> impl Iterator<Item = &str> {
        table.keys().map(|name| name.get_ref().as_str())
    }
    let channel_names = || channels.iter().map(|(name, _)| name.get_ref().as_str());
    let direct: Vec<String> = channel_names()
        .map(|name| format!("{DIRECT}{name}"))
        .collect();
    let skills = Numbered::keeping(&known.skills, of(&stated.skills));
    let users = of(&stated.users).chain(of(&stated.connectors));
    let users = Numbered::keeping(&known.users, users);
    let people = of(&stated.users).filter_map(|name| users.number(name).map(UserId));
    WorkspaceNames {
        channels: channel_names().collect(),
        skill_kinds: skills.iter().map(|name| kind(stated, name)).collect(),
        skills,
        teams: Numbered::keeping(&known.teams, of(&stated.teams)),
        queues: Numbered::keeping(
            &known.queues,
            of(&stated.queues).chain(direct.iter().map(String::as_str)),
        ),
        people: people.collect(),
        users,
    }
}

fn kind(stated: &file::Workspace, name: &str) -> SkillKind {
    let stated = stated.skills.iter().find(|(of, _)| of.get_ref() == name);
    match stated.map(|(_, kind)| kind) {
        Some(file::SkillWord::Graded) => SkillKind::Graded,
        Some(file::SkillWord::YesNo) | None => SkillKind::YesNo,
    }
}

fn workspace_terms(check: &mut Check<'_>, stated: &file::Workspace) -> WorkspaceTerms {
    let default = WorkspaceTerms::default();
    let length = |given: Option<Length>, default: Span| given.map_or(default, |Length(span)| span);
    if let Some(step) = &stated.priority_step
        && step.get_ref().0 == Span(0)
    {
        check.notes.error(
            &step.span(),
            "priority_step is more than nothing: a point of priority moves the due time by it",
        );
    }
    WorkspaceTerms {
        sign_out_with_work: stated
            .sign_out_with_work
            .unwrap_or(default.sign_out_with_work),
        back_from_missed: stated
            .back_from_missed
            .map_or(default.back_from_missed, LengthOr::length),
        retry_after: length(stated.retry_after, default.retry_after),
        offer_grace: length(stated.offer_grace, default.offer_grace),
        patience: length(stated.patience, default.patience),
        priority_step: stated
            .priority_step
            .as_ref()
            .map_or(default.priority_step, |given| Spanned::get_ref(given).0),
        return_boost: stated.return_boost.unwrap_or(default.return_boost),
    }
}

fn retention(stated: &file::History) -> Retention {
    let default = Retention::default();
    Retention {
        contacts: stated.contacts.unwrap_or(default.contacts),
        segments: stated.segments.unwrap_or(default.segments),
        agent_states: stated.agent_states.unwrap_or(default.agent_states),
        queue_intervals: stated.queue_intervals.unwrap_or(default.queue_intervals),
        agent_intervals: stated.agent_intervals.unwrap_or(default.agent_intervals),
        audit: stated.audit.unwrap_or(default.audit),
        content: stated.content.unwrap_or(default.content),
    }
}
