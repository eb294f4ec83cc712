//! Users of a workspace: who they are, what they may do, and what they handle as agents.

use super::channels::check_max;
use super::check::Check;
use super::file;
use super::queues::Members;
use super::roles::{check_role, grants};
use super::value::Held;
use crate::access::principal::Identity;
use crate::access::privilege::Privilege;
use crate::access::role::{AGENT, INTEGRATION, Roles};
use crate::domain::capacity::{Capacity, ChannelSet, Channels};
use crate::domain::requirement::Names;
use crate::domain::rules::AgentRules;
use crate::domain::skill::{Level, Qualities, SkillKind, SkillLevels};
use crate::id::{AgentId, QueueId, TeamId, UserId};
use crate::limits::CAPACITY;
use toml::Spanned;

/// What a workspace has already, when its users are made.
pub(super) struct Around<'a> {
    pub channels: &'a Channels,
    pub roles: &'a Roles,
    /// By [`QueueId`].
    pub members: &'a [Members],
}

/// A user of the file, as the directory and as the floor know him.
pub(super) fn user(
    check: &mut Check<'_>,
    id: UserId,
    name: &file::Name,
    stated: &file::User,
    around: &Around<'_>,
) -> (Identity, AgentRules) {
    let teams = check.list(&stated.teams, Check::team);
    let queues: Vec<_> = (0u32..)
        .zip(around.members)
        .filter_map(|(queue, members)| members.membership(QueueId(queue), id.agent(), &teams))
        .collect();
    let identity = Identity {
        name: stated
            .name
            .clone()
            .unwrap_or_else(|| name.get_ref().clone()),
        roles: roles(check, stated, around.roles),
        grants: grants(check, &stated.grants),
        denials: grants(check, &stated.denials),
        teams: teams.clone(),
        queues: queues.iter().map(|place| place.queue).collect(),
        supervised_teams: check.list(&stated.supervises.teams, Check::team),
        supervised_queues: check.list(&stated.supervises.queues, Check::queue),
        ..Identity::new(id, name.get_ref(), AGENT)
    };
    let agent = AgentRules {
        id: id.agent(),
        name: name.get_ref().clone(),
        title: identity.name.clone(),
        qualities: qualities(check, id.agent(), &teams, stated),
        teams,
        memberships: queues,
        channels: channels(check, name, stated, &identity, around),
        capacity: capacity(check, stated, around.channels),
        auto_accept: stated.auto_accept.unwrap_or(false),
        address: address(check, stated.contact_method.as_ref()),
    };
    if !agent.memberships.is_empty() && agent.channels.is_empty() {
        let problem = format!(
            "\"{}\" is a member of queues but handles no channel: no role gives contact.handle",
            name.get_ref()
        );
        check.notes.warning(&name.span(), problem);
    }
    (identity, agent)
}

/// A connector, as the directory knows it.
pub(super) fn connector(id: UserId, name: &file::Name, stated: &file::Connector) -> Identity {
    Identity {
        name: stated
            .name
            .clone()
            .unwrap_or_else(|| name.get_ref().clone()),
        ..Identity::new(id, name.get_ref(), INTEGRATION)
    }
}

/// A user or connector that is no more: the log still names it, and nothing is allowed to it.
pub(super) fn gone(id: UserId, login: &str) -> Identity {
    Identity {
        roles: Vec::new(),
        ..Identity::new(id, login, AGENT)
    }
}

/// What the floor knows of somebody who is no agent.
pub(super) fn no_agent(id: UserId, login: &str) -> AgentRules {
    AgentRules {
        id: id.agent(),
        name: login.to_owned(),
        title: login.to_owned(),
        teams: Vec::new(),
        qualities: Qualities {
            skills: SkillLevels::none(),
            teams: Default::default(),
            agent: id.agent(),
        },
        memberships: Vec::new(),
        channels: ChannelSet::default(),
        capacity: Capacity::default(),
        auto_accept: false,
        address: None,
    }
}

fn roles(check: &mut Check<'_>, stated: &file::User, roles: &Roles) -> Vec<String> {
    let Some(given) = &stated.roles else {
        return vec![AGENT.to_owned()];
    };
    let known: Vec<String> = roles.iter().map(|role| role.name.clone()).collect();
    for name in given {
        check_role(check, name, &known);
    }
    given
        .iter()
        .map(|name| name.get_ref().clone())
        .filter(|name| known.contains(name))
        .collect()
}

fn qualities(
    check: &mut Check<'_>,
    agent: AgentId,
    teams: &[TeamId],
    stated: &file::User,
) -> Qualities {
    let mut skills = SkillLevels::none();
    for (name, held) in &stated.skills {
        let Some((skill, kind)) = check.names.skill(name.get_ref()) else {
            let known = check.names.skill_names();
            check.unknown("skill", name, &known);
            continue;
        };
        skills.set(skill, level(check, name, held, kind));
    }
    Qualities {
        skills,
        teams: teams.iter().copied().collect(),
        agent,
    }
}

fn level(
    check: &mut Check<'_>,
    name: &file::Name,
    held: &Spanned<Held>,
    kind: SkillKind,
) -> Option<Level> {
    let number = |number: i64| {
        u64::try_from(number)
            .ok()
            .and_then(|number| Level::try_from(number).ok())
    };
    let problem = match (*held.get_ref(), kind) {
        (Held::Flag(flag), SkillKind::YesNo) => return flag.then_some(Level::BEST),
        (Held::Number(given), SkillKind::Graded) => match number(given) {
            Some(level) => return Some(level),
            None => format!("a level is a whole number from 1 to 10, not {given}; 10 is best"),
        },
        (Held::Flag(_), SkillKind::Graded) => {
            format!(
                "skill \"{0}\" is graded: say at which level, for example {0} = 5",
                name.get_ref()
            )
        }
        (Held::Number(_), SkillKind::YesNo) => {
            format!(
                "skill \"{0}\" is held or not: write {0} = true",
                name.get_ref()
            )
        }
    };
    check.notes.error(&held.span(), problem);
    None
}

/// The channels the user handles: those listed, or all, as far as a role lets.
fn channels(
    check: &mut Check<'_>,
    name: &file::Name,
    stated: &file::User,
    identity: &Identity,
    around: &Around<'_>,
) -> ChannelSet {
    let roles: Vec<&str> = identity.roles.iter().map(String::as_str).collect();
    let holder = format!("user {:?}", name.get_ref());
    let allowed = match around
        .roles
        .rights(&holder, &roles, &identity.grants, &identity.denials)
    {
        Ok(rights) => rights.held(Privilege::ContactHandle),
        Err(error) => {
            check.notes.error(&name.span(), error);
            return ChannelSet::EMPTY;
        }
    };
    let Some(listed) = &stated.channels else {
        let all = around.channels.iter().map(|(channel, _)| channel);
        return all
            .filter(|channel| allowed.admits(Some(*channel)))
            .collect();
    };
    let ids = check.list(listed, Check::channel);
    for listed in listed {
        let id = check.names.channel(listed.get_ref());
        if id.is_some_and(|id| !allowed.admits(Some(id))) {
            let problem = format!(
                "no role of \"{}\" gives contact.handle on channel \"{}\": it is not handled",
                name.get_ref(),
                listed.get_ref()
            );
            check.notes.warning(&listed.span(), problem);
        }
    }
    ids.into_iter()
        .filter(|id| allowed.admits(Some(*id)))
        .collect()
}

fn capacity(check: &mut Check<'_>, stated: &file::User, channels: &Channels) -> Capacity {
    if let Some(points) = &stated.capacity {
        check.range(points, "capacity", 1, CAPACITY);
    }
    let stated_points = stated.capacity.as_ref().map(|points| *points.get_ref());
    let points = stated_points
        .filter(|points| (1..=CAPACITY).contains(points))
        .unwrap_or(CAPACITY);
    let mut own = Vec::new();
    for (name, max) in &stated.max {
        let Some(channel) = check.channel(name) else {
            continue;
        };
        let weight = channels.get(channel).map_or(1, |rules| rules.weight);
        check_max(check, max, weight, points);
        own.push((channel, *max.get_ref()));
    }
    Capacity { points, max: own }
}

fn address(check: &mut Check<'_>, given: Option<&Spanned<String>>) -> Option<String> {
    let given = given?;
    if given.get_ref().trim().is_empty() {
        check.notes.error(
            &given.span(),
            "contact_method is empty; leave it out to have none",
        );
    }
    Some(given.get_ref().clone())
}
