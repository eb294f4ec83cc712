//! Properties of the decision over random rights and facts: it agrees with a second, naive
//! implementation; a denial beats every grant; a further grant never takes anything away; and
//! it answers every question.

use super::world::{ME, holder};
use proptest::collection::vec;
use proptest::prelude::*;
use switchroom::access::ext::ExtNames;
use switchroom::access::facts::{
    AgentFacts, ContactFacts, Facts, LegFacts, LegPart, LegStanding, Thing, ThingFacts,
};
use switchroom::access::grant::{Channels, Grant, Named};
use switchroom::access::privilege::{ConfigObject, Level, Privilege};
use switchroom::access::rights::decide;
use switchroom::access::scope::Scope;
use switchroom::id::{AgentId, ChannelId, ContactId, QueueId, TeamId, UserId};
use uuid::Uuid;

/// Privileges to which the plain rules apply, with and without channels.
const PLAIN: [Privilege; 4] = [
    Privilege::ContactEnd,
    Privilege::ContactMove,
    Privilege::CustomerEdit,
    Privilege::Config(ConfigObject::Queues, Level::Delete),
];

/// Ids are drawn from so few that they often meet. The person of the tests is agent 7, in team
/// 1 and queue 1, and supervises team 2 and queue 2.
fn ids() -> impl Strategy<Value = Vec<u32>> {
    vec(1_u32..4, 0..3)
}

fn an_agent() -> impl Strategy<Value = AgentId> {
    (5_u32..9).prop_map(AgentId)
}

fn a_channel() -> impl Strategy<Value = ChannelId> {
    (0_u8..3).prop_map(ChannelId)
}

#[derive(Clone, Debug)]
struct Leg {
    agent: AgentId,
    teams: Vec<TeamId>,
    part: LegPart,
    standing: LegStanding,
    private: bool,
}

fn a_leg() -> impl Strategy<Value = Leg> {
    let parts = [
        LegPart::Owner,
        LegPart::Participant,
        LegPart::Monitor,
        LegPart::Coach,
    ];
    let standings = [
        LegStanding::Connecting,
        LegStanding::Connected,
        LegStanding::WrapUp,
        LegStanding::Ended { late_wrap_up: true },
    ];
    let words = (
        proptest::sample::select(parts.to_vec()),
        proptest::sample::select(standings.to_vec()),
    );
    (an_agent(), ids(), words, any::<bool>()).prop_map(
        |(agent, teams, (part, standing), private)| Leg {
            agent,
            teams: teams.into_iter().map(TeamId).collect(),
            part,
            standing,
            private: private && !part.converses(),
        },
    )
}

/// An object with facts of its own.
#[derive(Clone, Debug)]
enum Object {
    Contact {
        queue: u32,
        owner_team: Option<u32>,
        legs: Vec<Leg>,
        offered: Vec<AgentId>,
        channel: ChannelId,
    },
    Agent {
        agent: AgentId,
        teams: Vec<TeamId>,
        queues: Vec<QueueId>,
    },
    Thing {
        made_by: u32,
        teams: Vec<TeamId>,
        conversing: Vec<AgentId>,
        queue: bool,
    },
}

fn an_object() -> impl Strategy<Value = Object> {
    let owner_team = proptest::option::of(1_u32..4);
    prop_oneof![
        (
            1_u32..4,
            owner_team,
            vec(a_leg(), 0..3),
            vec(an_agent(), 0..2),
            a_channel()
        )
            .prop_map(
                |(queue, owner_team, legs, offered, channel)| Object::Contact {
                    queue,
                    owner_team,
                    legs,
                    offered,
                    channel
                }
            ),
        (an_agent(), ids(), ids()).prop_map(|(agent, teams, queues)| Object::Agent {
            agent,
            teams: teams.into_iter().map(TeamId).collect(),
            queues: queues.into_iter().map(QueueId).collect(),
        }),
        (5_u32..9, ids(), vec(an_agent(), 0..2), any::<bool>()).prop_map(
            |(made_by, teams, conversing, queue)| Object::Thing {
                made_by,
                teams: teams.into_iter().map(TeamId).collect(),
                conversing,
                queue,
            }
        ),
    ]
}

impl Object {
    fn with_facts<R>(&self, ask: impl FnOnce(&Facts<'_>) -> R) -> R {
        match self {
            Self::Contact {
                queue,
                owner_team,
                legs,
                offered,
                channel,
            } => {
                let legs: Vec<_> = legs
                    .iter()
                    .map(|leg| LegFacts {
                        agent: leg.agent,
                        teams: &leg.teams,
                        part: leg.part,
                        standing: leg.standing,
                        private: leg.private,
                    })
                    .collect();
                ask(&Facts::Contact(ContactFacts {
                    contact: ContactId(Uuid::from_u128(1)),
                    channel: *channel,
                    queue: QueueId(*queue),
                    owner_team: owner_team.map(TeamId),
                    legs: &legs,
                    offered,
                    submitted_by: Some(ME),
                    connector: Some(ME),
                }))
            }
            Self::Agent {
                agent,
                teams,
                queues,
            } => ask(&Facts::Agent(AgentFacts {
                agent: *agent,
                teams,
                queues,
            })),
            Self::Thing {
                made_by,
                teams,
                conversing,
                queue,
            } => ask(&Facts::Thing(ThingFacts {
                made_by: Some(UserId(*made_by)),
                teams,
                conversing,
                ..ThingFacts::of(if *queue {
                    Thing::Queue(QueueId(2))
                } else {
                    Thing::Other("it")
                })
            })),
        }
    }

    /// Whether the object lies in the scope, straight from the page's table of scopes.
    fn lies_in(&self, grant: &Grant) -> bool {
        let me = AgentId(7);
        match (self, grant.scope) {
            (_, Scope::All) => true,
            (Self::Contact { legs, offered, .. }, Scope::Own) => {
                offered.contains(&me)
                    || open(legs).any(|leg| leg.agent == me && leg.part == LegPart::Owner)
            }
            (Self::Contact { legs, .. }, Scope::Conversation) => open(legs).any(|leg| {
                leg.agent == me
                    && matches!(leg.part, LegPart::Owner | LegPart::Participant)
                    && leg.standing != LegStanding::Connecting
            }),
            (Self::Contact { queue, .. }, Scope::Queue) => *queue == 1,
            (Self::Contact { .. }, Scope::Team) => self.teams_of_contact().contains(&1),
            (Self::Contact { queue, .. }, Scope::Supervised) => {
                *queue == 2 || self.teams_of_contact().contains(&2)
            }
            (Self::Contact { queue, legs, .. }, Scope::Named) => {
                grant.named.queues.contains(&QueueId(*queue))
                    || open(legs).any(|leg| !leg.private && grant.named.agents.contains(&leg.agent))
            }
            (Self::Agent { agent, .. }, Scope::Own) => *agent == me,
            (Self::Agent { .. }, Scope::Conversation) => false,
            (Self::Agent { queues, .. }, Scope::Queue) => queues.contains(&QueueId(1)),
            (Self::Agent { teams, .. }, Scope::Team) => teams.contains(&TeamId(1)),
            (Self::Agent { teams, queues, .. }, Scope::Supervised) => {
                teams.contains(&TeamId(2)) || queues.contains(&QueueId(2))
            }
            (Self::Agent { agent, .. }, Scope::Named) => grant.named.agents.contains(agent),
            (Self::Thing { made_by, .. }, Scope::Own) => *made_by == 7,
            (Self::Thing { conversing, .. }, Scope::Conversation) => conversing.contains(&me),
            (Self::Thing { .. }, Scope::Queue) => false,
            (Self::Thing { teams, .. }, Scope::Team) => teams.contains(&TeamId(1)),
            (Self::Thing { teams, queue, .. }, Scope::Supervised) => {
                *queue || teams.contains(&TeamId(2))
            }
            (Self::Thing { queue, .. }, Scope::Named) => {
                *queue && grant.named.queues.contains(&QueueId(2))
            }
        }
    }

    fn teams_of_contact(&self) -> Vec<u32> {
        let Self::Contact {
            legs, owner_team, ..
        } = self
        else {
            return Vec::new();
        };
        let public: Vec<_> = open(legs).filter(|leg| !leg.private).collect();
        if public.is_empty() {
            owner_team.iter().copied().collect()
        } else {
            public
                .iter()
                .flat_map(|leg| leg.teams.iter().map(|team| team.0))
                .collect()
        }
    }

    fn channel(&self) -> Option<ChannelId> {
        match self {
            Self::Contact { channel, .. } => Some(*channel),
            Self::Agent { .. } | Self::Thing { .. } => None,
        }
    }
}

fn open(legs: &[Leg]) -> impl Iterator<Item = &Leg> {
    legs.iter()
        .filter(|leg| leg.standing != LegStanding::Ended { late_wrap_up: true })
}

fn a_grant() -> impl Strategy<Value = Grant> {
    let channels = prop_oneof![
        Just(Channels::EVERY),
        vec(a_channel(), 1..3).prop_map(|channels| channels.into_iter().collect()),
    ];
    let named = (vec(an_agent(), 0..2), 1_u32..4);
    (
        proptest::sample::select(&PLAIN[..]),
        proptest::sample::select(&Scope::EVERY[..]),
        channels,
        named,
    )
        .prop_map(|(privilege, scope, channels, (agents, queue))| {
            let named = Named {
                agents,
                queues: vec![QueueId(queue)],
                ..Named::default()
            };
            let grant = match scope {
                Scope::Named => Grant::over(privilege, named),
                Scope::Own
                | Scope::Conversation
                | Scope::Queue
                | Scope::Team
                | Scope::Supervised
                | Scope::All => Grant::new(privilege, scope),
            };
            if privilege.per_channel() {
                grant.on(channels)
            } else {
                grant
            }
        })
}

fn grants() -> impl Strategy<Value = Vec<Grant>> {
    vec(a_grant(), 0..6)
}

fn allows(grants: &[Grant], denials: &[Grant], privilege: Privilege, object: &Object) -> bool {
    let principal = holder(grants.to_vec(), denials.to_vec());
    object.with_facts(|facts| decide(&principal, privilege, None, facts).allows())
}

/// The page's rule, channel by channel: some grant reaches the object there and no denial does.
fn naive(grants: &[Grant], denials: &[Grant], privilege: Privilege, object: &Object) -> bool {
    let reaches = |grant: &Grant, channel: ChannelId| {
        grant.privilege == privilege
            && grant.channels.admits(Some(channel))
            && object.lies_in(grant)
    };
    let channels: Vec<_> = match object.channel() {
        Some(channel) => vec![channel],
        None => (0..64).map(ChannelId).collect(),
    };
    channels.into_iter().any(|channel| {
        grants.iter().any(|grant| reaches(grant, channel))
            && !denials.iter().any(|denial| reaches(denial, channel))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn it_agrees_with_a_naive_judge(grants in grants(), denials in vec(a_grant(), 0..3), object in an_object()) {
        for privilege in PLAIN {
            let expected = naive(&grants, &denials, privilege, &object);
            prop_assert_eq!(allows(&grants, &denials, privilege, &object), expected, "{}", privilege);
        }
    }

    #[test]
    fn a_denial_beats_every_grant(grants in grants(), denial in a_grant(), object in an_object()) {
        let every = Grant { channels: Channels::EVERY, ..denial };
        if object.lies_in(&every) {
            let denials = [every.clone()];
            prop_assert!(!allows(&grants, &denials, every.privilege, &object));
        }
    }

    #[test]
    fn a_further_grant_takes_nothing_away(grants in grants(), denials in vec(a_grant(), 0..3), more in a_grant(), object in an_object()) {
        let further = [&grants[..], &[more]].concat();
        for privilege in PLAIN {
            if allows(&grants, &denials, privilege, &object) {
                prop_assert!(allows(&further, &denials, privilege, &object));
            }
        }
    }

    #[test]
    fn a_further_denial_gives_nothing(grants in grants(), denials in vec(a_grant(), 0..3), more in a_grant(), object in an_object()) {
        let further = [&denials[..], &[more]].concat();
        for privilege in PLAIN {
            if !allows(&grants, &denials, privilege, &object) {
                prop_assert!(!allows(&grants, &further, privilege, &object));
            }
        }
    }

    #[test]
    fn what_is_held_over_something_is_what_rows_allow(grants in grants(), denials in vec(a_grant(), 0..3), object in an_object()) {
        let principal = holder(grants.clone(), denials.clone());
        for privilege in PLAIN {
            if allows(&grants, &denials, privilege, &object) {
                prop_assert!(principal.holds(privilege), "{} is held over an object", privilege);
                prop_assert!(decide(&principal, privilege, None, &Facts::Rows).allows());
            }
        }
    }

    #[test]
    fn it_answers_every_question(grants in grants(), object in an_object(), channel in proptest::option::of(any::<u8>())) {
        let principal = holder(grants, vec![]);
        let mut ext = ExtNames::default();
        prop_assert!(ext.add("ext.page", true).is_ok());
        for privilege in ext.every() {
            let channel = channel.map(ChannelId);
            let decision = object.with_facts(|facts| decide(&principal, privilege, channel, facts));
            let again = object.with_facts(|facts| decide(&principal, privilege, channel, facts));
            prop_assert_eq!(decision, again);
        }
    }
}
