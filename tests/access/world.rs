//! One small workspace for the tests of rights: a person with a team, a queue, a supervised team
//! and a supervised queue of his own, and objects that lie for him in known scopes.

use std::sync::Arc;
use switchroom::access::facts::{
    AgentFacts, ContactFacts, Facts, LegFacts, LegPart, LegStanding, Thing, ThingFacts,
};
use switchroom::access::grant::Grant;
use switchroom::access::principal::{Identity, Principal};
use switchroom::access::role::{Limits, Role, Roles};
use switchroom::id::{AgentId, ChannelId, ContactId, QueueId, TeamId, UserId};
use uuid::Uuid;

pub const ME: UserId = UserId(7);
pub const OTHER: AgentId = AgentId(8);
pub const VOICE: ChannelId = ChannelId(0);
pub const CHAT: ChannelId = ChannelId(1);
pub const MY_TEAM: TeamId = TeamId(1);
pub const SUPERVISED_TEAM: TeamId = TeamId(2);
pub const STRANGE_TEAM: TeamId = TeamId(9);
pub const MY_QUEUE: QueueId = QueueId(1);
pub const SUPERVISED_QUEUE: QueueId = QueueId(2);
pub const STRANGE_QUEUE: QueueId = QueueId(9);
pub const MY_VISIT: ContactId = ContactId(Uuid::from_u128(70));

/// A user of this role in the usual place of this workspace.
pub fn identity(role: &str) -> Identity {
    Identity {
        teams: vec![MY_TEAM],
        queues: vec![MY_QUEUE],
        supervised_teams: vec![SUPERVISED_TEAM],
        supervised_queues: vec![SUPERVISED_QUEUE],
        visits: Some(MY_VISIT),
        ..Identity::new(ME, "me", role)
    }
}

pub fn principal(role: &str, roles: &Roles) -> Arc<Principal> {
    identity(role)
        .principal(roles, Limits::default(), 1)
        .expect("the role exists")
}

/// A user who holds these grants and denials and no more.
pub fn holder(grants: Vec<Grant>, denials: Vec<Grant>) -> Arc<Principal> {
    let role = Role {
        name: "nothing".to_owned(),
        ..Role::default()
    };
    let roles = Roles::new(vec![role]).expect("one empty role holds together");
    let identity = Identity {
        grants,
        denials,
        ..identity("nothing")
    };
    identity
        .principal(&roles, Limits::default(), 1)
        .expect("the grants are well formed")
}

/// A contact of a queue, team and people that have nothing to do with anybody.
pub const STRANGE: ContactFacts<'static> = ContactFacts {
    contact: ContactId(Uuid::from_u128(1)),
    channel: VOICE,
    queue: STRANGE_QUEUE,
    owner_team: Some(STRANGE_TEAM),
    legs: &[],
    offered: &[],
    submitted_by: None,
    connector: None,
};

pub const fn leg(agent: AgentId, part: LegPart, standing: LegStanding) -> LegFacts<'static> {
    LegFacts {
        agent,
        teams: &[],
        part,
        standing,
        private: false,
    }
}

pub const fn my_leg(part: LegPart, standing: LegStanding) -> LegFacts<'static> {
    leg(ME.agent(), part, standing)
}

pub const fn leg_of_team(teams: &'static [TeamId]) -> LegFacts<'static> {
    LegFacts {
        teams,
        ..leg(OTHER, LegPart::Owner, LegStanding::Connected)
    }
}

/// An object, and the letters of the scopes in which it lies for the person of this workspace.
pub struct Situation {
    pub name: &'static str,
    pub facts: Facts<'static>,
    pub scopes: &'static str,
    /// The person has, or had, a leg in it.
    pub had_leg: bool,
    /// It is no longer waiting: somebody is, or was just, connected.
    pub engaged: bool,
}

const fn contact(
    name: &'static str,
    scopes: &'static str,
    contact: ContactFacts<'static>,
) -> Situation {
    Situation {
        name,
        facts: Facts::Contact(contact),
        scopes,
        had_leg: false,
        engaged: false,
    }
}

const fn with_my_leg(
    name: &'static str,
    scopes: &'static str,
    legs: &'static [LegFacts<'static>],
    engaged: bool,
) -> Situation {
    Situation {
        had_leg: true,
        engaged,
        ..contact(name, scopes, ContactFacts { legs, ..STRANGE })
    }
}

const fn with_leg(
    name: &'static str,
    scopes: &'static str,
    legs: &'static [LegFacts<'static>],
    owner_team: Option<TeamId>,
) -> Situation {
    Situation {
        engaged: true,
        ..contact(
            name,
            scopes,
            ContactFacts {
                legs,
                owner_team,
                ..STRANGE
            },
        )
    }
}

const fn agent(
    name: &'static str,
    scopes: &'static str,
    agent: AgentId,
    teams: &'static [TeamId],
    queues: &'static [QueueId],
) -> Situation {
    Situation {
        name,
        facts: Facts::Agent(AgentFacts {
            agent,
            teams,
            queues,
        }),
        scopes,
        had_leg: false,
        engaged: false,
    }
}

const fn thing(name: &'static str, scopes: &'static str, thing: ThingFacts<'static>) -> Situation {
    Situation {
        name,
        facts: Facts::Thing(thing),
        scopes,
        had_leg: false,
        engaged: false,
    }
}

use LegPart::{Barged, Consulted, Owner, Participant};
use LegStanding::{Connected, Connecting, WrapUp};

const PRIVATE_OF_MY_TEAM: LegFacts<'static> = LegFacts {
    private: true,
    part: LegPart::Monitor,
    ..leg_of_team(&[MY_TEAM])
};

const NOTHING: ThingFacts<'static> = ThingFacts::of(Thing::Other("it"));

/// Contacts, by the scopes in which they lie.
pub const CONTACTS: &[Situation] = &[
    contact("a strange contact", "", STRANGE),
    contact(
        "offered to me",
        "o",
        ContactFacts {
            offered: &[OTHER, ME.agent()],
            ..STRANGE
        },
    ),
    contact(
        "offered to another",
        "",
        ContactFacts {
            offered: &[OTHER],
            ..STRANGE
        },
    ),
    with_my_leg("I accepted", "o", &[my_leg(Owner, Connecting)], false),
    with_my_leg("I own it", "oc", &[my_leg(Owner, Connected)], true),
    with_my_leg("I wrap up", "oc", &[my_leg(Owner, WrapUp)], true),
    with_my_leg("a conference", "c", &[my_leg(Participant, Connected)], true),
    with_my_leg("asked", "c", &[my_leg(Consulted, Connected)], true),
    with_my_leg("barged in", "c", &[my_leg(Barged, Connected)], true),
    contact(
        "of my queue",
        "q",
        ContactFacts {
            queue: MY_QUEUE,
            ..STRANGE
        },
    ),
    contact(
        "of a queue of my team",
        "t",
        ContactFacts {
            owner_team: Some(MY_TEAM),
            ..STRANGE
        },
    ),
    with_leg(
        "of a team mate",
        "t",
        &[leg_of_team(&[STRANGE_TEAM, MY_TEAM])],
        None,
    ),
    with_leg(
        "of a queue of my team, but with a stranger",
        "",
        &[leg_of_team(&[STRANGE_TEAM])],
        Some(MY_TEAM),
    ),
    contact(
        "of a supervised queue",
        "s",
        ContactFacts {
            queue: SUPERVISED_QUEUE,
            ..STRANGE
        },
    ),
    contact(
        "of a queue of a supervised team",
        "s",
        ContactFacts {
            owner_team: Some(SUPERVISED_TEAM),
            ..STRANGE
        },
    ),
    with_leg(
        "of a supervised agent",
        "s",
        &[leg_of_team(&[SUPERVISED_TEAM])],
        None,
    ),
    with_leg(
        "a team mate listens in private",
        "",
        &[leg_of_team(&[STRANGE_TEAM]), PRIVATE_OF_MY_TEAM],
        None,
    ),
];

/// Agents, by the scopes in which they lie.
pub const AGENTS: &[Situation] = &[
    agent(
        "a strange agent",
        "",
        OTHER,
        &[STRANGE_TEAM],
        &[STRANGE_QUEUE],
    ),
    agent("myself", "o", ME.agent(), &[], &[]),
    agent("a team mate", "t", OTHER, &[STRANGE_TEAM, MY_TEAM], &[]),
    agent("of my queue", "q", OTHER, &[], &[STRANGE_QUEUE, MY_QUEUE]),
    agent("of a supervised team", "s", OTHER, &[SUPERVISED_TEAM], &[]),
    agent(
        "of a supervised queue",
        "s",
        OTHER,
        &[],
        &[SUPERVISED_QUEUE],
    ),
];

/// Other things, by the scopes in which they lie.
pub const THINGS: &[Situation] = &[
    thing("a strange thing", "", NOTHING),
    thing(
        "made by me",
        "o",
        ThingFacts::made_by(Thing::Other("it"), ME),
    ),
    thing(
        "made by another",
        "",
        ThingFacts::made_by(Thing::Other("it"), UserId(8)),
    ),
    thing(
        "a customer I talk to",
        "c",
        ThingFacts {
            conversing: &[OTHER, ME.agent()],
            ..NOTHING
        },
    ),
    thing(
        "a list I am on",
        "q",
        ThingFacts {
            subscribers: &[ME.agent()],
            ..NOTHING
        },
    ),
    thing(
        "a strange queue",
        "",
        ThingFacts::of(Thing::Queue(STRANGE_QUEUE)),
    ),
    thing("my queue", "q", ThingFacts::of(Thing::Queue(MY_QUEUE))),
    thing("my team", "t", ThingFacts::of(Thing::Team(MY_TEAM))),
    thing(
        "my team's",
        "t",
        ThingFacts {
            teams: &[MY_TEAM],
            ..NOTHING
        },
    ),
    thing(
        "a supervised queue",
        "s",
        ThingFacts::of(Thing::Queue(SUPERVISED_QUEUE)),
    ),
    thing(
        "a supervised team",
        "s",
        ThingFacts::of(Thing::Team(SUPERVISED_TEAM)),
    ),
    thing(
        "a queue of a supervised team",
        "s",
        ThingFacts {
            teams: &[SUPERVISED_TEAM],
            ..ThingFacts::of(Thing::Queue(STRANGE_QUEUE))
        },
    ),
    thing(
        "of a supervised queue",
        "s",
        ThingFacts {
            queues: &[SUPERVISED_QUEUE],
            ..NOTHING
        },
    ),
];

/// Contacts that are an integration's own.
pub const OF_INTEGRATION: &[Situation] = &[
    contact(
        "submitted by me",
        "o",
        ContactFacts {
            submitted_by: Some(ME),
            ..STRANGE
        },
    ),
    contact(
        "over my connector",
        "o",
        ContactFacts {
            connector: Some(ME),
            ..STRANGE
        },
    ),
];

/// The contact that is a visitor's own.
pub const OF_VISITOR: &[Situation] = &[contact(
    "my visit",
    "o",
    ContactFacts {
        contact: MY_VISIT,
        ..STRANGE
    },
)];
