//! What a decision costs. The aim is under 200 ns, the lens included.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::Arc;
use switchroom::access::act;
use switchroom::access::facts::{AgentFacts, ContactFacts, Facts, LegFacts, LegPart, LegStanding};
use switchroom::access::grant::{Channels, Grant};
use switchroom::access::permit::permit;
use switchroom::access::principal::{Identity, Principal};
use switchroom::access::privilege::Privilege;
use switchroom::access::rights::decide;
use switchroom::access::role::{Limits, RoleError, Roles};
use switchroom::access::scope::Scope;
use switchroom::id::{AgentId, ChannelId, ContactId, QueueId, TeamId, UserId};

/// A user of this role in 50 queues and 3 teams, who supervises 20 queues and 10 teams.
fn principal(role: &str, grants: Vec<Grant>) -> Result<Arc<Principal>, RoleError> {
    let identity = Identity {
        grants,
        teams: (0..3).map(TeamId).collect(),
        queues: (0..50).map(QueueId).collect(),
        supervised_teams: (10..20).map(TeamId).collect(),
        supervised_queues: (40..60).map(QueueId).collect(),
        ..Identity::new(UserId(7), "me", role)
    };
    identity.principal(&Roles::built_in(), Limits::default(), 1)
}

fn leg(agent: u32, part: LegPart, teams: &'static [TeamId]) -> LegFacts<'static> {
    LegFacts {
        agent: AgentId(agent),
        teams,
        part,
        standing: LegStanding::Connected,
        private: false,
    }
}

fn decisions(c: &mut Criterion) -> Result<(), RoleError> {
    let legs = [
        leg(1, LegPart::Monitor, &[TeamId(11), TeamId(90)]),
        leg(2, LegPart::Participant, &[TeamId(91)]),
        leg(7, LegPart::Owner, &[TeamId(1), TeamId(2), TeamId(3)]),
    ];
    let contact = Facts::Contact(ContactFacts {
        contact: ContactId(uuid::Uuid::nil()),
        channel: ChannelId(1),
        queue: QueueId(30),
        owner_team: Some(TeamId(5)),
        legs: &legs,
        offered: &[],
        submitted_by: None,
        connector: None,
    });
    let agent_facts = Facts::Agent(AgentFacts {
        agent: AgentId(9),
        teams: &[TeamId(90), TeamId(12)],
        queues: &[
            QueueId(90),
            QueueId(91),
            QueueId(92),
            QueueId(93),
            QueueId(50),
        ],
    });
    let voice = Channels::only(ChannelId(0));
    let narrow = vec![
        Grant::new(Privilege::ContactMove, Scope::Team).on(voice),
        Grant::new(Privilege::ContactMove, Scope::Queue).on(voice),
    ];
    let agent = principal("agent", vec![])?;
    let supervisor = principal("supervisor", vec![])?;
    let by_channel = principal("agent", narrow)?;
    let mut group = c.benchmark_group("decide");
    group.bench_function("own contact, allowed", |b| {
        b.iter(|| {
            decide(
                black_box(&agent),
                Privilege::ContactEnd,
                None,
                black_box(&contact),
            )
        });
    });
    group.bench_function("own contact, refused", |b| {
        b.iter(|| {
            decide(
                black_box(&agent),
                Privilege::ContactTrace,
                None,
                black_box(&contact),
            )
        });
    });
    group.bench_function("supervised contact", |b| {
        b.iter(|| {
            decide(
                black_box(&supervisor),
                Privilege::ContactView,
                None,
                black_box(&contact),
            )
        });
    });
    group.bench_function("supervised agent", |b| {
        b.iter(|| {
            decide(
                black_box(&supervisor),
                Privilege::AgentStateSet,
                None,
                black_box(&agent_facts),
            )
        });
    });
    group.bench_function("grants by channel", |b| {
        b.iter(|| {
            decide(
                black_box(&by_channel),
                Privilege::ContactMove,
                None,
                black_box(&contact),
            )
        });
    });
    group.bench_function("permit of an act of three privileges", |b| {
        b.iter(|| permit::<act::ContactBarge>(black_box(&supervisor), black_box(&contact)));
    });
    group.finish();
    Ok(())
}

fn bench(c: &mut Criterion) {
    if let Err(error) = decisions(c) {
        eprintln!("no decision was measured: {error}");
        std::process::exit(1);
    }
}

#[allow(missing_docs, reason = "made by the macro of the library")]
mod group {
    use super::{bench, criterion_group};
    criterion_group!(decide, bench);
}

criterion_main!(group::decide);
