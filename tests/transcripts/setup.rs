//! Configuration lines of a transcript, made into the rules of a workspace.

use std::sync::Arc;
use switchroom::access::principal::{Identity, Principal};
use switchroom::access::role::{Limits, Roles};
use switchroom::directory::WorkspaceNames;
use switchroom::domain::capacity::{Capacity, ChannelSet, Channels};
use switchroom::domain::requirement::{Requirement, Step, Steps};
use switchroom::domain::rules::{
    AgentRules, ChannelPolicy, ChannelTerms, Connect, Fill, Membership, QueueRules, Selection,
    SignOutWork, Workspace, WrapUp, WrapUpMode,
};
use switchroom::domain::skill::{Level, Qualities, SkillKind, SkillLevels, TeamSet};
use switchroom::id::{AgentId, ChannelId, QueueId, SkillId, UserId};
use switchroom::limits::CHANNEL_DEFAULTS;
use switchroom::time::Span;

pub type Wrong = String;

const SKILLS: [&str; 3] = ["spanish", "billing", "vip"];

/// An empty workspace with the default channels, a supervisor and a connector.
pub fn workspace() -> Workspace {
    let mut rules = Workspace {
        name: "test".to_owned(),
        channels: Channels::default(),
        policies: CHANNEL_DEFAULTS
            .iter()
            .map(|channel| ChannelPolicy {
                misses: channel.misses,
                grace: channel.grace,
            })
            .collect(),
        skills: SKILLS.map(str::to_owned).to_vec(),
        ..Workspace::default()
    };
    for name in ["sup", "cn"] {
        add_user(&mut rules, name, ChannelSet::default());
    }
    rules
}

fn add_user(rules: &mut Workspace, name: &str, channels: ChannelSet) -> AgentId {
    let id = AgentId(u32::try_from(rules.agents.len()).unwrap());
    rules.agents.push(AgentRules {
        id,
        name: name.to_owned(),
        title: name.to_owned(),
        teams: Vec::new(),
        qualities: Qualities {
            skills: SkillLevels::none(),
            teams: TeamSet::default(),
            agent: id,
        },
        memberships: Vec::new(),
        channels,
        capacity: Capacity::default(),
        auto_accept: false,
        address: None,
    });
    id
}

/// The principal of a user, by the role that its name stands for here.
pub fn principal(rules: &Workspace, name: &str) -> Arc<Principal> {
    let agent = rules
        .agents
        .iter()
        .find(|agent| agent.name == name)
        .unwrap();
    let role = match name {
        "sup" => "supervisor",
        "cn" => "integration",
        _ => "senior_agent",
    };
    let mut identity = Identity::new(UserId::from(agent.id), name, role);
    identity.queues = agent.memberships.iter().map(|m| m.queue).collect();
    if name == "sup" {
        identity.supervised_queues = rules.queues.iter().map(|queue| queue.id).collect();
    }
    identity
        .principal(&Roles::built_in(), Limits::default(), 1)
        .unwrap()
}

/// `key=value` words of a line; a word without a value is a flag.
pub fn options<'a>(words: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    words
        .iter()
        .map(|word| word.split_once('=').unwrap_or((*word, "")))
        .collect()
}

/// `20s`, `1500ms`, `5m`, `1h`.
pub fn span(text: &str) -> Result<Span, Wrong> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(0));
    let number: u64 = number.parse().map_err(|_| format!("{text} is no time"))?;
    match unit {
        "ms" => Ok(Span(number)),
        "s" => Ok(Span::seconds(number)),
        "m" => Ok(Span::minutes(number)),
        "h" => Ok(Span::hours(number)),
        _ => Err(format!("{text} is no time")),
    }
}

pub fn channel(rules: &Workspace, name: &str) -> Result<ChannelId, Wrong> {
    rules
        .channels
        .by_name(name)
        .ok_or_else(|| format!("no channel {name}"))
}

pub fn expression(rules: &Workspace, text: &str) -> Result<Requirement, Wrong> {
    let text = text.replace('_', " ");
    let names = WorkspaceNames {
        skills: SKILLS.iter().collect(),
        skill_kinds: vec![SkillKind::Graded; SKILLS.len()],
        users: rules.agents.iter().map(|agent| &agent.name).collect(),
        people: rules.agents.iter().map(|agent| agent.id.user()).collect(),
        ..WorkspaceNames::default()
    };
    Requirement::parse(&text, &names).map_err(|error| error.to_string())
}

/// `queue NAME option…`: makes a queue, or changes one that is there.
pub fn queue(rules: &mut Workspace, name: &str, words: &[&str]) -> Result<(), Wrong> {
    let known = rules.queues.iter().position(|queue| queue.name == name);
    let index = known.unwrap_or_else(|| {
        let id = QueueId(u32::try_from(rules.queues.len()).unwrap());
        rules.queues.push(new_queue(rules, id, name));
        id.index()
    });
    let mut queue = rules.queues[index].clone();
    for (key, value) in options(words) {
        match key {
            "channels" => {
                let names = value.split(',');
                let channels: Result<Vec<ChannelId>, Wrong> =
                    names.map(|name| channel(rules, name)).collect();
                let channels = channels?;
                queue.channels.retain(|(id, _)| channels.contains(id));
            }
            "selection" => queue.selection = selection(value)?,
            "fill" => queue.fill = Fill::Fill,
            "strict" => queue.strict = true,
            "direct" => queue.direct = true,
            "skip" => queue.skip_when_empty = true,
            "priority" => queue.priority = value.parse().map_err(|_| "priority")?,
            "need" => queue.steps = Steps::always(expression(rules, value)?),
            "steps" => queue.steps = steps(rules, value)?,
            _ => {
                for (_, terms) in &mut queue.channels {
                    change_terms(terms, key, value)?;
                }
            }
        }
    }
    rules.queues[index] = queue;
    Ok(())
}

/// `EXPRESSION,30s:EXPRESSION,60s+EXPRESSION`: `+` widens.
fn steps(rules: &Workspace, text: &str) -> Result<Steps, Wrong> {
    let mut parts = text.split(',');
    let first = expression(rules, parts.next().unwrap_or_default())?;
    let later: Result<Vec<Step>, Wrong> = parts
        .map(|part| {
            let at = part.find([':', '+']).ok_or("step")?;
            Ok(Step {
                after: span(&part[..at])?,
                requirement: expression(rules, &part[at + 1..])?,
                widen: part[at..].starts_with('+'),
            })
        })
        .collect();
    Steps::new(first, later?).map_err(|error| error.to_string())
}

fn selection(value: &str) -> Result<Selection, Wrong> {
    Ok(match value {
        "longest_idle" => Selection::LongestIdle,
        "least_loaded" => Selection::LeastLoaded,
        "most_skilled" => Selection::MostSkilled,
        "least_skilled" => Selection::LeastSkilled,
        "round_robin" => Selection::RoundRobin,
        "fewest_contacts" => Selection::FewestContacts,
        "manual" => Selection::Manual,
        _ => return Err(format!("no selection {value}")),
    })
}

fn change_terms(terms: &mut ChannelTerms, key: &str, value: &str) -> Result<(), Wrong> {
    match key {
        "target" => terms.target = span(value)?,
        "timeout" => terms.offer_timeout = span(value)?,
        "auto" => terms.auto_accept = true,
        "nodecline" => terms.may_decline = false,
        "connect" => terms.connect = Connect::ByReport,
        "wrap_up" => {
            let (mode, time) = value.split_once(':').unwrap_or((value, "30s"));
            terms.wrap_up.span = span(time)?;
            terms.wrap_up.mode = match mode {
                "none" => WrapUpMode::None,
                "optional" => WrapUpMode::Optional,
                "required" => WrapUpMode::Required,
                "timeboxed" => WrapUpMode::Timeboxed,
                _ => return Err(format!("no wrap-up policy {mode}")),
            };
        }
        "free" => terms.wrap_up.holds_capacity = false,
        "code" => terms.wrap_up.default_code = Some(value.to_owned()),
        _ => return Err(format!("no option {key}")),
    }
    Ok(())
}

fn new_queue(rules: &Workspace, id: QueueId, name: &str) -> QueueRules {
    let channels = rules.channels.iter().map(|(channel, _)| {
        let defaults = &CHANNEL_DEFAULTS[channel.index()];
        let terms = ChannelTerms {
            target: Span::seconds(20),
            offer_timeout: defaults.offer_timeout,
            auto_accept: false,
            may_decline: true,
            connect: Connect::AtOnce,
            connect_timeout: switchroom::limits::CONNECT_TIMEOUT,
            wrap_up: WrapUp {
                mode: WrapUpMode::None,
                span: Span::seconds(30),
                holds_capacity: true,
                default_code: None,
            },
            ring_width: 1,
            short_abandon: switchroom::limits::SHORT_ABANDON,
        };
        (channel, terms)
    });
    QueueRules {
        id,
        name: name.to_owned(),
        title: name.to_owned(),
        team: None,
        priority: 0,
        steps: Steps::always(Requirement::anyone()),
        skip_when_empty: false,
        selection: Selection::LongestIdle,
        fill: Fill::Spread,
        strict: false,
        direct: false,
        channels: channels.collect(),
    }
}

/// `agent NAME option…`: makes an agent, or changes one that is there.
pub fn agent(rules: &mut Workspace, name: &str, words: &[&str]) -> Result<AgentId, Wrong> {
    let all: ChannelSet = rules.channels.iter().map(|(id, _)| id).collect();
    let known = rules.agents.iter().find(|agent| agent.name == name);
    let id = match known {
        Some(agent) => agent.id,
        None => add_user(rules, name, all),
    };
    let mut agent = rules.agents[id.index()].clone();
    for (key, value) in options(words) {
        match key {
            "queues" => {
                let places: Result<_, Wrong> = value
                    .split(',')
                    .map(|place| membership(rules, place))
                    .collect();
                agent.memberships = places?;
            }
            "skills" => {
                agent.qualities.skills = SkillLevels::none();
                for held in value.split(',').filter(|held| !held.is_empty()) {
                    let (skill, level) = held.split_once(':').unwrap_or((held, "10"));
                    let level: u64 = level.parse().map_err(|_| "level")?;
                    let skill = rules.skills.iter().position(|known| known == skill);
                    let skill = SkillId(u32::try_from(skill.ok_or("skill")?).unwrap());
                    let level = Level::try_from(level).map_err(|error| error.to_string())?;
                    agent.qualities.skills.set(skill, Some(level));
                }
            }
            "max" => {
                let (name, most) = value.split_once(':').ok_or("max")?;
                let most = most.parse().map_err(|_| "max")?;
                agent.capacity.max = vec![(channel(rules, name)?, most)];
            }
            "channels" => {
                let named: Result<_, Wrong> =
                    value.split(',').map(|name| channel(rules, name)).collect();
                agent.channels = named?;
            }
            "auto" => agent.auto_accept = true,
            "available" => {}
            _ => return Err(format!("no option {key}")),
        }
    }
    rules.agents[id.index()] = agent;
    Ok(id)
}

/// Queues by name, with commas.
pub fn queues(rules: &Workspace, names: &str) -> Result<Vec<QueueId>, Wrong> {
    let id = |name: &str| {
        let known = rules.queues.iter().find(|queue| queue.name == name);
        known.map_or_else(|| Err(format!("no queue {name}")), |queue| Ok(queue.id))
    };
    names.split(',').map(id).collect()
}

/// `QUEUE:RANK@DELAY`.
fn membership(rules: &Workspace, text: &str) -> Result<Membership, Wrong> {
    let (place, delay) = text.split_once('@').unwrap_or((text, "0s"));
    let (queue, rank) = place.split_once(':').unwrap_or((place, "1"));
    let queue = rules.queues.iter().find(|known| known.name == queue);
    Ok(Membership {
        queue: queue.ok_or_else(|| format!("no queue in {text}"))?.id,
        rank: rank.parse().map_err(|_| "rank")?,
        delay: span(delay)?,
    })
}

/// `workspace option…`.
pub fn terms(rules: &mut Workspace, words: &[&str]) -> Result<(), Wrong> {
    for (key, value) in options(words) {
        match key {
            "sign_out" => {
                rules.terms.sign_out_with_work = match value {
                    "refuse" => SignOutWork::Refuse,
                    "drain" => SignOutWork::Drain,
                    "return" => SignOutWork::Return,
                    _ => return Err(format!("no policy {value}")),
                }
            }
            "back" => rules.terms.back_from_missed = Some(span(value)?),
            "retry_after" => rules.terms.retry_after = span(value)?,
            _ => return Err(format!("no option {key}")),
        }
    }
    Ok(())
}
