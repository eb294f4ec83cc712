//! Stories of seats: what an agent holds, is told and may have.

use super::*;

#[test]
fn what_a_queue_gave_is_over_when_it_is_out_of_service() {
    let mut world = world(|rules| {
        for (_, terms) in &mut rules.queues[0].channels {
            terms.wrap_up.mode = WrapUpMode::Optional;
        }
    });
    world.arrives(A0);
    let talks = world.submits(Q0, |_| ());
    let wraps_up = world.submits(Q0, |_| ());
    world.at_ease();
    world.accepts(A0, talks);
    world.accepts(A0, wraps_up);
    let end = QueueCommand::End(wraps_up);
    world.connector_asks(CONNECTORS[0], Q0, Asking::Close(wraps_up), end);
    world.says(A0, sign_out(SignOutWork::Drain));
    world.at_ease();
    assert_eq!(world.ledger.agents[0].hands.len(), 2);
    world.retire(0);
    world.at_ease();
    assert!(world.ledger.agents[0].hands.is_empty());
    assert_eq!(world.ledger.agents[0].state, AgentState::SignedOut);
}

#[test]
fn who_was_lost_is_told_what_was_taken_and_not_what_ended() {
    let mut world = world(|_| ());
    world.arrives(A0);
    let [ended, taken] = [(); 2].map(|()| world.submits(Q0, |_| ()));
    world.at_ease();
    world.accepts(A0, ended);
    world.accepts(A0, taken);
    let generation = world.ledger.agents[0].generation;
    let lost = FloorInput::SocketLost(A0, generation);
    world.floor.mail.put(Sender::Post, lost);
    world.at_ease();
    let end = QueueCommand::End(ended);
    world.connector_asks(CONNECTORS[0], Q0, Asking::Close(ended), end);
    world.wait(Span::seconds(8));
    world.at_ease();
    assert_eq!(world.ledger.agents[0].taken, [taken]);
    let roster = world.floor.machine.as_ref().unwrap().roster();
    let told: Vec<_> = roster.seats[&A0].taken.iter().map(|t| t.contact).collect();
    assert_eq!(told, [taken]);
    let back = FloorInput::SocketBack(A0, generation);
    world.floor.mail.put(Sender::Post, back);
    world.at_ease();
    let roster = world.floor.machine.as_ref().unwrap().roster();
    assert!(roster.seats[&A0].taken.is_empty(), "told on me");
}

#[test]
fn who_wished_to_be_available_after_work_may_have_anew_what_it_declined() {
    let mut world = world(|_| ());
    world.arrives(A0);
    let [kept, declined] = [(); 2].map(|()| world.submits(Q0, |_| ()));
    world.at_ease();
    world.accepts(A0, kept);
    let (offer, reason) = (world.offer(declined), None);
    world.says(A0, FloorCommand::Decline { offer, reason });
    world.says(A0, not_ready());
    let wish = FloorCommand::SetState {
        agent: None,
        state: AgentState::Available,
        when: When::AfterWork,
    };
    world.says(A0, wish);
    world.at_ease();
    assert_ne!(world.ledger.agents[0].state, AgentState::Available);
    let end = QueueCommand::End(kept);
    world.connector_asks(CONNECTORS[0], Q0, Asking::Close(kept), end);
    world.at_ease();
    assert_eq!(world.with(declined), Some(A0));
}

#[test]
fn a_decline_that_is_told_again_does_not_outlive_its_end() {
    let mut world = world(|_| ());
    world.arrives(A0);
    let contact = world.submits(Q0, |_| ());
    world.at_ease();
    let (offer, reason) = (world.offer(contact), None);
    world.says(A0, FloorCommand::Decline { offer, reason });
    world.says(A0, set(AgentState::Available));
    let line = world.line(A0);
    world.reads_now(Who::Floor, &[line, line]);
    world.queues[0].doomed = true;
    world.touches(Q0, contact);
    world.reads_now(Who::Queue(0), &[CONNECTOR]);
    // The queue hears both in its new life, and the decline once more.
    world.reads_now(
        Who::Queue(0),
        &[Sender::Floor, Sender::Floor, Sender::Floor],
    );
    world.at_ease();
    assert_eq!(world.with(contact), Some(A0), "available anew");
}
