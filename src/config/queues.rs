//! Queues of a workspace: what they ask for, whom they choose, who serves them.

use super::channels::terms;
use super::check::Check;
use super::file;
use super::value::{Length, written};
use crate::domain::requirement::{Requirement, Step, Steps, StepsError};
use crate::domain::rules::{AgentRules, ChannelTerms, Fill, Membership, QueueRules, Selection};
use crate::id::{AgentId, ChannelId, QueueId, TeamId};
use crate::limits::REQUIREMENT_STEPS;
use crate::time::Span;
use std::collections::BTreeMap;
use toml::Spanned;

/// Name of the built-in queue of a channel, before the channel's name.
pub(super) const DIRECT: &str = "direct.";

/// Terms of every channel, for queues that say nothing else.
pub(super) type ChannelTable = [ChannelTerms];

/// The rules of one queue.
pub(super) fn rules(
    check: &mut Check<'_>,
    id: QueueId,
    name: &file::Name,
    queue: &file::Queue,
    channels: &ChannelTable,
) -> QueueRules {
    if name.get_ref() == "direct" || name.get_ref().starts_with(DIRECT) {
        check.notes.error(
            &name.span(),
            "queues of this name are built in, one for each channel; choose another name",
        );
    }
    QueueRules {
        id,
        name: name.get_ref().clone(),
        title: queue.name.clone().unwrap_or_else(|| name.get_ref().clone()),
        team: queue.team.as_ref().and_then(|team| check.team(team)),
        priority: queue.priority.unwrap_or(0),
        steps: steps(check, queue),
        skip_when_empty: queue.skip_when_empty.unwrap_or(false),
        selection: queue.selection.unwrap_or(Selection::LongestIdle),
        fill: queue.fill.unwrap_or(Fill::Spread),
        strict: queue.strict.unwrap_or(false),
        direct: false,
        channels: served(check, name, queue, channels),
    }
}

/// The built-in queue of a channel: owns contacts for a named agent. It has no members, so that
/// the selection has nobody but that agent to choose.
pub(super) fn direct(
    id: QueueId,
    channel: ChannelId,
    channel_name: &str,
    terms: &ChannelTerms,
) -> QueueRules {
    QueueRules {
        id,
        name: format!("{DIRECT}{channel_name}"),
        title: format!("Direct ({channel_name})"),
        team: None,
        priority: 0,
        steps: Steps::default(),
        skip_when_empty: false,
        selection: Selection::LongestIdle,
        fill: Fill::Spread,
        strict: false,
        direct: true,
        channels: vec![(channel, terms.clone())],
    }
}

/// A queue that is no more: it serves nothing, and nobody serves it.
pub(super) fn gone(id: QueueId, name: &str) -> QueueRules {
    QueueRules {
        id,
        name: name.to_owned(),
        title: name.to_owned(),
        team: None,
        priority: 0,
        steps: Steps::default(),
        skip_when_empty: false,
        selection: Selection::LongestIdle,
        fill: Fill::Spread,
        strict: false,
        direct: false,
        channels: Vec::new(),
    }
}

/// The channels served, with their terms.
fn served(
    check: &mut Check<'_>,
    name: &file::Name,
    queue: &file::Queue,
    table: &ChannelTable,
) -> Vec<(ChannelId, ChannelTerms)> {
    let ids = match &queue.channels {
        Some(given) => {
            let ids = check.list(given.get_ref(), Check::channel);
            if given.get_ref().is_empty() {
                check
                    .notes
                    .error(&given.span(), "a queue serves at least one channel");
            }
            ids
        }
        None => {
            let example = check
                .names
                .channels
                .iter()
                .map(|name| format!("\"{name}\""))
                .collect::<Vec<_>>()
                .join(", ");
            let problem = format!(
                "queue \"{}\" does not say which channels it serves, for example channels = [{example}]",
                name.get_ref()
            );
            check.notes.error(&name.span(), problem);
            Vec::new()
        }
    };
    for named in queue.terms.keys() {
        if check.channel(named).is_some_and(|id| !ids.contains(&id)) && queue.channels.is_some() {
            let problem = format!(
                "queue \"{}\" does not serve channel \"{}\"; add it to channels, or leave these terms out",
                name.get_ref(),
                named.get_ref()
            );
            check.notes.error(&named.span(), problem);
        }
    }
    let mut served = Vec::new();
    for id in ids {
        let Some(base) = table.get(id.index()) else {
            continue;
        };
        let stated = queue
            .terms
            .iter()
            .find(|(named, _)| check.names.channel(named.get_ref()) == Some(id));
        let own = stated.map_or_else(|| base.clone(), |(_, stated)| terms(check, stated, base));
        served.push((id, own));
    }
    served
}

fn steps(check: &mut Check<'_>, queue: &file::Queue) -> Steps {
    let first = queue
        .requirement
        .as_ref()
        .map_or_else(Requirement::anyone, |text| check.requirement(text));
    let later = queue.steps.iter().map(Spanned::get_ref).map(|step| Step {
        after: step.after.0,
        requirement: check.requirement(&step.requirement),
        widen: step.widen,
    });
    let later: Vec<Step> = later.collect();
    Steps::new(first, later).unwrap_or_else(|error| {
        match error {
            StepsError::Order { step, after, before } => {
                let span = queue.steps.get(step - 1).map_or(0..0, Spanned::span);
                let problem = format!(
                    "this step is taken after \"{}\", which is not later than \"{}\", when the one before it is",
                    written(after),
                    written(before)
                );
                check.notes.error(&span, problem);
            }
            StepsError::TooMany { count } => {
                let span = queue.steps.get(REQUIREMENT_STEPS).map_or(0..0, Spanned::span);
                check.notes.error(&span, format!("at most {REQUIREMENT_STEPS} steps are possible, here are {count}"));
            }
        }
        Steps::default()
    })
}

/// Who serves a queue: agents by name, and everybody in a team.
pub(super) struct Members {
    named: BTreeMap<AgentId, Place>,
    teams: BTreeMap<TeamId, Place>,
}

/// A member's place in a queue: rank, then delay; the smaller comes first.
type Place = (u8, Span);

impl Members {
    /// Nobody.
    pub const fn none() -> Self {
        Self {
            named: BTreeMap::new(),
            teams: BTreeMap::new(),
        }
    }

    /// The members that a queue of the file names.
    pub fn of(check: &mut Check<'_>, queue: &file::Queue) -> Self {
        let mut members = Self::none();
        for member in &queue.members {
            members.add(check, member);
        }
        members
    }

    fn add(&mut self, check: &mut Check<'_>, member: &Spanned<file::Member>) {
        let (span, member) = (member.span(), member.get_ref());
        if let Some(rank) = &member.rank {
            check.range(rank, "rank", 1, u32::from(u8::MAX));
        }
        let rank = member.rank.as_ref().map_or(1, |rank| *rank.get_ref());
        let delay = member.delay.map_or(Span(0), |Length(span)| span);
        let place = (u8::try_from(rank).unwrap_or(u8::MAX), delay);
        let (name, known) = match (&member.agent, &member.team) {
            (Some(name), None) => {
                let Some(agent) = check.user(name) else {
                    return;
                };
                (name, self.named.insert(agent, place))
            }
            (None, Some(name)) => {
                let Some(team) = check.team(name) else { return };
                (name, self.teams.insert(team, place))
            }
            (Some(_), Some(_)) | (None, None) => {
                let problem = "a member is either { agent = \"…\" } or { team = \"…\" }";
                check.notes.error(&span, problem);
                return;
            }
        };
        if known.is_some() {
            let problem = format!("\"{}\" is a member of this queue already", name.get_ref());
            check.notes.error(&name.span(), problem);
        }
    }

    /// The membership of an agent in `queue`, if it is a member: by its own name, else by the
    /// best of its teams.
    pub fn membership(
        &self,
        queue: QueueId,
        agent: AgentId,
        teams: &[TeamId],
    ) -> Option<Membership> {
        let named = self.named.get(&agent).copied();
        let by_team = || {
            teams
                .iter()
                .filter_map(|team| self.teams.get(team))
                .min()
                .copied()
        };
        let (rank, delay) = named.or_else(by_team)?;
        Some(Membership { queue, rank, delay })
    }
}

/// Warns of a queue, or a channel of it, that nobody can ever serve.
pub(super) fn check_served(
    check: &mut Check<'_>,
    name: &file::Name,
    queue: &QueueRules,
    agents: &[AgentRules],
) {
    if queue.selection == Selection::Manual {
        return;
    }
    let serves = |agent: &&AgentRules| {
        agent
            .memberships
            .iter()
            .any(|place| place.queue == queue.id)
    };
    let members: Vec<&AgentRules> = agents.iter().filter(serves).collect();
    if members.is_empty() {
        let problem = format!(
            "nobody is a member of queue \"{}\": its contacts wait for ever",
            queue.name
        );
        check.notes.warning(&name.span(), problem);
        return;
    }
    for (channel, _) in &queue.channels {
        let channel_name = check.names.channel_name(*channel).unwrap_or_default();
        let on_channel: Vec<&&AgentRules> = members
            .iter()
            .filter(|agent| agent.channels.contains(*channel))
            .collect();
        let problem = if on_channel.is_empty() {
            format!(
                "no member of queue \"{}\" handles channel \"{channel_name}\"",
                queue.name
            )
        } else if !on_channel.iter().any(|agent| {
            queue
                .steps
                .iter()
                .any(|(_, asked)| asked.meets(&agent.qualities))
        }) {
            let last = queue.steps.in_force(usize::MAX).text(check.names);
            format!(
                "no member of queue \"{}\" who handles channel \"{channel_name}\" meets what it asks for, \
                 at last: {last}",
                queue.name
            )
        } else {
            continue;
        };
        check.notes.warning(
            &name.span(),
            format!("{problem}: such contacts wait for ever"),
        );
    }
}
