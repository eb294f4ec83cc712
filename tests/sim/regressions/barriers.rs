//! Barriers that keep more agents back than a lane asks.

use super::*;

const ONE_MORE_THAN_ASKED: usize = limits::KEPT_BY_BARRIER as usize + limits::HEADS + 1;

/// The queues: 0 with lanes of two channels, 1 with the barrier. Everybody but A1 serves both on
/// one channel; A1 serves the first on two, and is the last whom it asks.
fn crowd(rules: &mut Workspace) {
    for (_, terms) in &mut rules.queues[0].channels {
        terms.target = Span::seconds(300);
    }
    let mut one = rules.agents[0].clone();
    one.channels = [TASK].into_iter().collect();
    one.capacity = at_most(TASK, 1);
    for _ in 0..ONE_MORE_THAN_ASKED {
        let id = AgentId(rules.agents.len() as u32);
        rules.agents.push(AgentRules { id, ..one.clone() });
    }
    let last = &mut rules.agents[A1.index()];
    last.channels = [TASK, EMAIL].into_iter().collect();
    last.memberships.truncate(1);
}

#[test]
fn a_lane_that_barriers_keep_waiting_is_not_passed_by_a_later_one() {
    let mut world = world(crowd);
    let everybody = world.newest_rules().agents.len();
    for agent in everybody - ONE_MORE_THAN_ASKED..everybody {
        world.arrives(AgentId(agent as u32));
    }
    world.wait(Span(1));
    world.arrives(A1);
    let of = |channel| move |facts: &mut Facts| facts.channel = channel;
    for _ in 0..=limits::HEADS {
        world.submits(Q1, of(TASK));
    }
    world.reads_now(Who::Queue(1), &[CONNECTOR; limits::HEADS + 1]);
    world.reads_now(Who::Floor, &[Sender::Queue(Q1)]);
    let first = world.submits(Q0, of(TASK));
    world.wait(Span(1));
    let later = world.submits(Q0, of(EMAIL));
    world.reads_now(Who::Queue(0), &[CONNECTOR; 2]);
    world.reads_now(Who::Floor, &[Sender::Queue(Q0), Sender::Queue(Q0)]);
    assert_eq!(
        [first, later].map(|contact| world.with(contact)),
        [None, None],
        "the first stands before the later one for the only agent who could have both"
    );
    world.at_ease();
    assert!(world.with(first).is_some());
    assert_eq!(world.with(later), Some(A1));
}
