//! The workspace a seed is about: a handful of queues and agents with every rule that the
//! machines know, so small that everything meets everything.

use super::rng::Rng;
use std::sync::{Arc, LazyLock};
use switchroom::access::principal::{Identity, Principal};
use switchroom::access::role::{Limits, Roles};
use switchroom::domain::capacity::{Capacity, ChannelSet, Channels};
use switchroom::domain::requirement::{Requirement, Step, Steps};
use switchroom::domain::rules::{
    AgentRules, ChannelPolicy, ChannelTerms, Connect, Fill, Membership, QueueRules, Selection,
    SignOutWork, Workspace, WorkspaceTerms, WrapUp, WrapUpMode,
};
use switchroom::domain::skill::{Level, Qualities};
use switchroom::id::{AgentId, ChannelId, QueueId, SkillId, TeamId, UserId};
use switchroom::limits;
use switchroom::time::Span;

/// Most agents of a world; the users after them are the supervisor and two connectors.
pub const AGENTS: u32 = 10;
const SUPERVISOR: u32 = AGENTS;
/// Users who submit contacts and report media.
pub const CONNECTORS: [u32; 2] = [AGENTS + 1, AGENTS + 2];
/// Users there may be: those beyond the connectors are agents of a crowd.
const USERS: u32 = 64;
const SKILLS: [SkillId; 3] = [SkillId(0), SkillId(1), SkillId(2)];
const CHANNELS: [ChannelId; 5] = [
    ChannelId(0),
    ChannelId(1),
    ChannelId(2),
    ChannelId(3),
    ChannelId(4),
];

static PRINCIPALS: LazyLock<Vec<Arc<Principal>>> = LazyLock::new(|| {
    let roles = Roles::built_in();
    (0..USERS)
        .map(|user| {
            let role = match user {
                user if user < AGENTS || user > CONNECTORS[1] => "senior_agent",
                SUPERVISOR => "admin",
                _ => "integration",
            };
            let name = format!("u{user}");
            Identity::new(UserId(user), &name, role)
                .principal(&roles, Limits::default(), 1)
                .unwrap()
        })
        .collect()
});

/// The principal of an agent or connector.
pub fn principal(user: u32) -> Arc<Principal> {
    Arc::clone(&PRINCIPALS[user as usize])
}

/// Somebody who may do everything.
pub fn supervisor() -> Arc<Principal> {
    principal(SUPERVISOR)
}

/// The workspace of a seed.
pub fn workspace(rng: &mut Rng) -> Workspace {
    let queues = rng.of(&[1, 2, 2, 3, 3, 4]);
    let agents = rng.of(&[1, 2, 3, 4, 5, 6, 8, 10]);
    let mut rules = Workspace {
        name: "sim".to_owned(),
        channels: Channels::default(),
        policies: policies(rng),
        terms: WorkspaceTerms {
            sign_out_with_work: rng.of(&[
                SignOutWork::Refuse,
                SignOutWork::Drain,
                SignOutWork::Return,
            ]),
            back_from_missed: rng.of(&[None, Some(Span::seconds(3)), Some(Span::seconds(40))]),
            retry_after: rng.of(&[Span::seconds(5), Span::seconds(30)]),
            ..WorkspaceTerms::default()
        },
        ..Workspace::default()
    };
    for id in 0..queues {
        let queue = queue(rng, QueueId(id));
        rules.queues.push(queue);
    }
    if rng.chance(30) {
        let mut direct = queue(rng, QueueId(queues));
        direct.direct = true;
        direct.selection = Selection::LongestIdle;
        direct.steps = Steps::default();
        rules.queues.push(direct);
    }
    for id in 0..=CONNECTORS[1] {
        let agent = if id < agents {
            agent(rng, AgentId(id), queues)
        } else {
            nobody(AgentId(id))
        };
        rules.agents.push(agent);
    }
    rules
}

/// Users of a workspace, up to the last who handles contacts.
pub fn agents(rules: &Workspace) -> usize {
    let last = rules
        .agents
        .iter()
        .rposition(|agent| !agent.channels.is_empty());
    last.map_or(0, |last| last + 1)
}

fn policies(rng: &mut Rng) -> Vec<ChannelPolicy> {
    CHANNELS
        .iter()
        .map(|channel| ChannelPolicy {
            misses: rng.of(&[1, 2, 3]),
            grace: match channel.0 {
                0 => None,
                _ => Some(Span::seconds(rng.of(&[8, 20, 60]))),
            },
        })
        .collect()
}

fn queue(rng: &mut Rng, id: QueueId) -> QueueRules {
    let mut channels = rng.some(&CHANNELS, 60);
    if channels.is_empty() {
        channels.push(rng.of(&CHANNELS));
    }
    QueueRules {
        id,
        name: format!("q{}", id.0),
        title: String::new(),
        team: Some(TeamId(0)),
        priority: rng.of(&[0, 0, 0, 1, -1]),
        steps: steps(rng),
        skip_when_empty: rng.chance(30),
        selection: selection(rng),
        fill: rng.of(&[Fill::Spread, Fill::Fill]),
        strict: rng.chance(40),
        direct: false,
        channels: channels.iter().map(|c| (*c, terms(rng, *c))).collect(),
    }
}

fn selection(rng: &mut Rng) -> Selection {
    rng.of(&[
        Selection::LongestIdle,
        Selection::LongestIdle,
        Selection::LeastLoaded,
        Selection::MostSkilled,
        Selection::LeastSkilled,
        Selection::RoundRobin,
        Selection::FewestContacts,
        Selection::LongestIdle,
        Selection::LongestIdle,
        Selection::Manual,
    ])
}

fn terms(rng: &mut Rng, channel: ChannelId) -> ChannelTerms {
    let by_report = rng.chance(if channel.0 == 0 { 85 } else { 10 });
    ChannelTerms {
        target: Span::seconds(rng.of(&[5, 20, 20, 60, 300])),
        offer_timeout: Span::seconds(rng.of(&[2, 5, 20])),
        auto_accept: rng.chance(15),
        may_decline: rng.chance(85),
        connect: if by_report {
            Connect::ByReport
        } else {
            Connect::AtOnce
        },
        connect_timeout: rng.of(&[Span::seconds(3), limits::CONNECT_TIMEOUT]),
        wrap_up: WrapUp {
            mode: rng.of(&[
                WrapUpMode::None,
                WrapUpMode::Optional,
                WrapUpMode::Required,
                WrapUpMode::Timeboxed,
            ]),
            span: Span::seconds(rng.of(&[1, 6, 30])),
            holds_capacity: rng.chance(60),
            default_code: rng.chance(70).then(|| "other".to_owned()),
        },
        ring_width: 1,
        short_abandon: limits::SHORT_ABANDON,
    }
}

/// A requirement of the kind people write, sometimes none.
pub fn requirement(rng: &mut Rng) -> Requirement {
    if rng.chance(55) {
        return Requirement::anyone();
    }
    let level = Level::try_from(rng.of(&[1, 3, 6, 9])).unwrap();
    let one = Requirement::skills([(rng.of(&SKILLS), level)]);
    if rng.chance(25) {
        Requirement::any_of(
            &one,
            &Requirement::skills([(rng.of(&SKILLS), Level::LEAST)]),
        )
    } else {
        one
    }
}

fn steps(rng: &mut Rng) -> Steps {
    let first = requirement(rng);
    let mut after = 0;
    let mut later = Vec::new();
    for _ in 0..rng.of(&[0, 0, 1, 2, 3]) {
        after += rng.of(&[2, 5, 10]);
        later.push(Step {
            after: Span::seconds(after),
            requirement: requirement(rng),
            widen: rng.chance(50),
        });
    }
    Steps::new(first, later).unwrap()
}

fn agent(rng: &mut Rng, id: AgentId, queues: u32) -> AgentRules {
    let mut channels: ChannelSet = rng.some(&CHANNELS, 75).into_iter().collect();
    if channels.is_empty() {
        channels.insert(rng.of(&CHANNELS));
    }
    let memberships = (0..queues)
        .filter_map(|queue| {
            rng.chance(75).then(|| Membership {
                queue: QueueId(queue),
                rank: rng.of(&[1, 1, 1, 2, 3]),
                delay: delay(rng),
            })
        })
        .collect();
    AgentRules {
        memberships,
        qualities: qualities(rng, id),
        channels,
        capacity: capacity(rng),
        auto_accept: rng.chance(10),
        ..nobody(id)
    }
}

fn delay(rng: &mut Rng) -> Span {
    Span::seconds(rng.of(&[0, 0, 0, 4, 12]))
}

fn qualities(rng: &mut Rng, id: AgentId) -> Qualities {
    let skills = SKILLS
        .iter()
        .filter_map(|skill| {
            let level = rng.of(&[0, 1, 3, 6, 9, 10]);
            Some((*skill, Level::try_from(level).ok()?))
        })
        .collect();
    Qualities {
        skills,
        teams: [TeamId(0)].into_iter().collect(),
        agent: id,
    }
}

fn capacity(rng: &mut Rng) -> Capacity {
    Capacity {
        points: rng.of(&[100, 100, 100, 60]),
        max: rng
            .some(&CHANNELS, 15)
            .into_iter()
            .map(|channel| (channel, rng.of(&[1, 2, 4])))
            .collect(),
    }
}

/// Two queues that serve every channel and connect at once, two agents who serve both with
/// everything: where a story begins.
pub fn tiny() -> Workspace {
    let terms = ChannelTerms {
        target: Span::seconds(20),
        offer_timeout: Span::seconds(20),
        auto_accept: false,
        may_decline: true,
        connect: Connect::AtOnce,
        connect_timeout: limits::CONNECT_TIMEOUT,
        wrap_up: WrapUp {
            mode: WrapUpMode::None,
            span: Span::seconds(30),
            holds_capacity: true,
            default_code: None,
        },
        ring_width: 1,
        short_abandon: limits::SHORT_ABANDON,
    };
    let queue = |id| QueueRules {
        id: QueueId(id),
        name: format!("q{id}"),
        title: String::new(),
        team: Some(TeamId(0)),
        priority: 0,
        steps: Steps::default(),
        skip_when_empty: false,
        selection: Selection::LongestIdle,
        fill: Fill::Spread,
        strict: false,
        direct: false,
        channels: CHANNELS.iter().map(|c| (*c, terms.clone())).collect(),
    };
    let serves = |queue| Membership {
        queue: QueueId(queue),
        rank: 1,
        delay: Span(0),
    };
    let mut agents: Vec<AgentRules> = (0..=CONNECTORS[1]).map(|u| nobody(AgentId(u))).collect();
    for agent in &mut agents[..2] {
        agent.channels = CHANNELS.into_iter().collect();
        agent.memberships = vec![serves(0), serves(1)];
    }
    Workspace {
        name: "tiny".to_owned(),
        channels: Channels::default(),
        policies: CHANNELS
            .iter()
            .map(|channel| ChannelPolicy {
                misses: 9,
                grace: (channel.0 > 0).then_some(Span::seconds(8)),
            })
            .collect(),
        queues: vec![queue(0), queue(1)],
        agents,
        ..Workspace::default()
    }
}

/// A user who handles no contacts.
fn nobody(id: AgentId) -> AgentRules {
    AgentRules {
        id,
        name: format!("u{}", id.0),
        title: String::new(),
        teams: vec![TeamId(0)],
        qualities: Qualities {
            skills: std::iter::empty().collect(),
            teams: [TeamId(0)].into_iter().collect(),
            agent: id,
        },
        memberships: Vec::new(),
        channels: ChannelSet::EMPTY,
        capacity: Capacity::default(),
        auto_accept: false,
        address: None,
    }
}

/// One change of the rules, as an administrator makes it while everything runs.
pub fn change(rules: &Workspace, rng: &mut Rng) -> Workspace {
    let mut rules = rules.clone();
    let agents = agents(&rules);
    let who = rng.below(agents);
    let queue = rng.below(rules.queues.len());
    let agent = &mut rules.agents[who];
    let changed = &mut rules.queues[queue];
    match rng.below(10) {
        0 => agent.qualities = qualities(rng, agent.id),
        1 => agent.qualities.skills.set(rng.of(&SKILLS), None),
        2 => agent.capacity = capacity(rng),
        3 => {
            for membership in &mut agent.memberships {
                membership.delay = delay(rng);
            }
        }
        4 if rng.chance(50) => agent.memberships.remove_random(rng),
        4 => {
            let channel = ChannelSet::of(rng.of(&CHANNELS));
            let toggled = ChannelSet(agent.channels.0 ^ channel.0);
            // Whoever handles nothing is no agent.
            if !toggled.is_empty() {
                agent.channels = toggled;
            }
        }
        9 if agent
            .memberships
            .iter()
            .all(|known| known.queue != changed.id)
            && !changed.direct =>
        {
            agent.memberships.push(Membership {
                queue: changed.id,
                rank: rng.of(&[1, 2]),
                delay: delay(rng),
            });
        }
        5 if !changed.direct => changed.steps = steps(rng),
        6 => changed.strict = !changed.strict,
        7 if !changed.direct => changed.selection = selection(rng),
        8 => {
            for (channel, terms) in &mut changed.channels {
                *terms = self::terms(rng, *channel);
            }
        }
        _ => changed.skip_when_empty = !changed.skip_when_empty,
    }
    rules
}

trait RemoveRandom {
    fn remove_random(&mut self, rng: &mut Rng);
}

impl RemoveRandom for Vec<Membership> {
    fn remove_random(&mut self, rng: &mut Rng) {
        if !self.is_empty() {
            self.remove(rng.below(self.len()));
        }
    }
}
