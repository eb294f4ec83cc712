//! One workspace of the file: its names interned, its rules and its directory.

use super::channels;
use super::check::{Check, check_name};
use super::file;
use super::finding::{Notes, Source};
use super::queues::{self, DIRECT, Members};
use super::roles::roles;
use super::users::{self, Around};
use super::value::{Length, LengthOr};
use crate::directory::{Directory, WorkspaceNames};
use crate::domain::capacity::{ChannelRules, Channels};
use crate::domain::rules::{self, WorkspaceTerms};
use crate::domain::skill::SkillKind;
use crate::id::{ChannelId, QueueId, UserId};
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
}

/// Checks one workspace of the file. Nothing is made of one with errors.
pub(super) fn check(
    source: &Source,
    notes: &mut Notes,
    name: &file::Name,
    stated: &file::Workspace,
) -> Option<Workspace> {
    let channel_table = channels::table(stated.channels.as_ref());
    channels::check_count(&channel_table, name, notes);
    check_names(notes, name, stated);
    let names = names(stated, &channel_table);
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

    let mut queue_rules = Vec::new();
    let mut members = Vec::new();
    for (id, (name, queue)) in (0u32..).map(QueueId).zip(&stated.queues) {
        queue_rules.push(queues::rules(&mut check, id, name, queue, &terms));
        members.push(Members::of(&mut check, queue));
    }
    let first_direct = queue_rules.len();
    for ((id, terms), (name, _)) in (0u8..).map(ChannelId).zip(&terms).zip(&channel_table) {
        let queue = u32::try_from(first_direct + id.index()).unwrap_or(u32::MAX);
        queue_rules.push(queues::direct(QueueId(queue), id, name.get_ref(), terms));
    }

    let roles = Arc::new(roles(&mut check, &stated.roles));
    let around = Around {
        channels: &channels,
        roles: &roles,
        members: &members,
    };
    let (mut identities, mut agents) = (Vec::new(), Vec::new());
    for (id, (name, user)) in (0u32..).map(UserId).zip(&stated.users) {
        let (identity, agent) = users::user(&mut check, id, name, user, &around);
        identities.push(identity);
        agents.push(agent);
    }
    for (id, (name, connector)) in (0u32..)
        .map(UserId)
        .skip(agents.len())
        .zip(&stated.connectors)
    {
        identities.push(users::connector(id, name, connector));
    }
    let terms = workspace_terms(&mut check, stated);
    if check.notes.has_errors() {
        return None;
    }
    for ((name, _), queue) in stated.queues.iter().zip(&queue_rules) {
        queues::check_served(&mut check, name, queue, &agents);
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

fn names(stated: &file::Workspace, channels: &[(file::Name, file::Channel)]) -> WorkspaceNames {
    fn of<T>(table: &file::Table<T>) -> impl Iterator<Item = &str> {
        table.keys().map(|name| name.get_ref().as_str())
    }
    let channel_names = || channels.iter().map(|(name, _)| name.get_ref().as_str());
    let direct: Vec<String> = channel_names()
        .map(|name| format!("{DIRECT}{name}"))
        .collect();
    WorkspaceNames {
        channels: channel_names().collect(),
        skills: of(&stated.skills).collect(),
        skill_kinds: stated
            .skills
            .values()
            .map(|kind| match kind {
                file::SkillWord::YesNo => SkillKind::YesNo,
                file::SkillWord::Graded => SkillKind::Graded,
            })
            .collect(),
        teams: of(&stated.teams).collect(),
        queues: of(&stated.queues)
            .chain(direct.iter().map(String::as_str))
            .collect(),
        users: of(&stated.users).chain(of(&stated.connectors)).collect(),
        people: stated.users.len(),
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
