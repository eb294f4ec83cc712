//! Bugs that seeds have found, each as the short story of how it came about. The promises are
//! checked with every step of them, too.

mod barriers;
mod seats;

use super::mail::Sender;
use super::rng::Rng;
use super::setup::{CONNECTORS, tiny};
use super::world::{Asking, Session, Who, World};
use switchroom::domain::capacity::Capacity;
use switchroom::domain::command::{FloorCommand, FloorInput, QueueCommand, When};
use switchroom::domain::contact::Facts;
use switchroom::domain::offer::AgentState;
use switchroom::domain::requirement::{Requirement, Step, Steps};
use switchroom::domain::rules::{AgentRules, Selection, SignOutWork, Workspace, WrapUpMode};
use switchroom::domain::skill::Level;
use switchroom::id::{AgentId, ChannelId, ContactId, OfferId, QueueId, SkillId, UserId};
use switchroom::limits;
use switchroom::time::Span;

const A0: AgentId = AgentId(0);
const A1: AgentId = AgentId(1);
const Q0: QueueId = QueueId(0);
const Q1: QueueId = QueueId(1);
const CHAT: ChannelId = ChannelId(1);
const EMAIL: ChannelId = ChannelId(2);
const TASK: ChannelId = ChannelId(4);
const CONNECTOR: Sender = Sender::Connector(CONNECTORS[0]);

fn world(change: impl FnOnce(&mut Workspace)) -> World {
    let mut rules = tiny();
    change(&mut rules);
    World::of(rules)
}

impl World {
    /// All mail is read, and nobody is due.
    fn at_ease(&mut self) {
        self.rest(&mut Rng::new(1, 1)).unwrap();
    }

    fn wait(&mut self, span: Span) {
        self.now = self.now + span;
    }

    fn reads_now(&mut self, who: Who, from: &[Sender]) {
        self.reads(who, from).unwrap();
    }

    fn arrives(&mut self, agent: AgentId) {
        self.sessions.push(Session {
            agent,
            generation: None,
            open: true,
        });
        let session = self.sessions.len() - 1;
        self.current[agent.index()] = Some(session);
        let command = FloorCommand::SignIn {
            take_over: true,
            channels: None,
            queues: None,
        };
        self.agent_asks(session, Asking::SignIn(session), command);
        self.at_ease();
    }

    fn says(&mut self, agent: AgentId, command: FloorCommand) {
        let session = self.current[agent.index()].unwrap();
        self.agent_asks(session, Asking::Other, command);
    }

    fn line(&self, agent: AgentId) -> Sender {
        Sender::Session(self.current[agent.index()].unwrap())
    }

    fn submits(&mut self, queue: QueueId, change: impl FnOnce(&mut Facts)) -> ContactId {
        let id = ContactId(uuid::Uuid::from_u128(self.submitted.len() as u128 + 1));
        let mut facts = Facts {
            id,
            external_id: "x".into(),
            channel: CHAT,
            conversation: id,
            first_entry: self.now,
            priority: 0,
            tier: 5,
            due_at: None,
            requirement: Requirement::anyone(),
            preferred: None,
            patience: None,
            submitted_by: UserId(CONNECTORS[0]),
        };
        change(&mut facts);
        self.hand_in(queue, facts);
        id
    }

    /// Who rings for a contact, or talks.
    fn with(&self, contact: ContactId) -> Option<AgentId> {
        self.ledger.offer_of(contact).map(|offer| offer.offer.agent)
    }

    fn offer(&self, contact: ContactId) -> OfferId {
        self.ledger.offer_of(contact).unwrap().offer.offer
    }

    fn accepts(&mut self, agent: AgentId, contact: ContactId) {
        let offer = self.offer(contact);
        let session = self.current[agent.index()].unwrap();
        self.agent_asks(session, Asking::Accept(offer), FloorCommand::Accept(offer));
        self.at_ease();
    }

    fn touches(&mut self, queue: QueueId, contact: ContactId) {
        let update = QueueCommand::Update {
            contact,
            attributes: Vec::new(),
            requirement: None,
        };
        self.connector_asks(CONNECTORS[0], queue, Asking::Other, update);
    }
}

fn not_ready() -> FloorCommand {
    set(AgentState::NotReady("lunch".to_owned()))
}

fn set(state: AgentState) -> FloorCommand {
    FloorCommand::SetState {
        agent: None,
        state,
        when: When::Now,
    }
}

fn named(agent: AgentId, patience: Option<Span>) -> impl FnOnce(&mut Facts) {
    move |facts| {
        facts.preferred = Some(agent);
        facts.patience = patience;
    }
}

#[test]
fn a_contact_of_the_built_in_queue_is_its_agents_alone() {
    let mut world = world(|rules| rules.queues[1].direct = true);
    world.arrives(A1);
    let mine = world.submits(Q1, named(A0, Some(Span::seconds(2))));
    let nobodys = world.submits(Q1, |_| ());
    world.at_ease();
    assert!(!world.ledger.contacts.contains_key(&nobodys), "refused");
    world.wait(Span::seconds(10));
    world.at_ease();
    assert_eq!(world.with(mine), None);
    world.arrives(A0);
    assert_eq!(world.with(mine), Some(A0));
}

#[test]
fn patience_ends_even_if_something_else_came_in_with_its_end() {
    let mut world = world(|rules| rules.agents[0].capacity = at_most(CHAT, 1));
    world.arrives(A0);
    let first = world.submits(Q0, |_| ());
    world.at_ease();
    world.accepts(A0, first);
    let second = world.submits(Q0, named(A0, Some(Span::seconds(2))));
    world.at_ease();
    world.arrives(A1);
    assert_eq!(world.with(second), None, "kept for who is at work");
    world.wait(Span::seconds(2));
    world.touches(Q0, second);
    world.reads_now(Who::Queue(0), &[CONNECTOR]);
    world.at_ease();
    assert_eq!(world.with(second), Some(A1));
}

#[test]
fn a_queue_that_died_is_told_its_staffing_anew() {
    let mut world = world(|_| ());
    world.arrives(A0);
    world.queues[0].doomed = true;
    world.submits(Q0, |_| ());
    world.at_ease();
    let queue = world.queues[0].machine.as_ref().unwrap();
    assert_eq!(queue.staffing(CHAT).routable, 1);
}

#[test]
fn new_rules_and_a_new_life_of_the_floor_do_not_leave_old_staffing_behind() {
    let mut world = world(|_| ());
    world.arrives(A0);
    world.says(A0, not_ready());
    let rules = (**world.newest_rules()).clone();
    world.new_rules(rules);
    let line = world.line(A0);
    world.reads_now(Who::Floor, &[line, Sender::Rules]);
    world.at_ease();
    world.says(A0, set(AgentState::Available));
    world.at_ease();
    world.floor.doomed = true;
    world.says(A0, not_ready());
    world.at_ease();
    let queue = world.queues[0].machine.as_ref().unwrap();
    assert_eq!(queue.staffing(CHAT).routable, 1, "the command was lost");
}

#[test]
fn a_queue_that_died_still_hears_who_has_left() {
    let mut world = world(|_| ());
    world.arrives(A0);
    let contact = world.submits(Q0, |_| ());
    world.at_ease();
    world.accepts(A0, contact);
    world.says(A0, sign_out(SignOutWork::Return));
    let line = world.line(A0);
    world.reads_now(Who::Floor, &[line]);
    world.queues[0].doomed = true;
    world.submits(Q0, |_| ());
    world.reads_now(Who::Queue(0), &[CONNECTOR]);
    world.at_ease();
    assert_eq!(world.with(contact), None);
    world.arrives(A1);
    assert_eq!(world.with(contact), Some(A1));
}

#[test]
fn a_queue_that_died_still_hears_who_declined_and_who_is_back() {
    let mut world = world(|_| ());
    world.arrives(A0);
    let contact = world.submits(Q0, |_| ());
    world.at_ease();
    let offer = world.offer(contact);
    let reason = None;
    world.says(A0, FloorCommand::Decline { offer, reason });
    let line = world.line(A0);
    world.reads_now(Who::Floor, &[line]);
    world.queues[0].doomed = true;
    world.submits(Q0, |_| ());
    world.reads_now(Who::Queue(0), &[CONNECTOR]);
    world.at_ease();
    assert_eq!(world.with(contact), None, "the back-off holds");
    world.says(A0, set(AgentState::Available));
    world.reads_now(Who::Floor, &[line]);
    world.queues[0].doomed = true;
    world.submits(Q0, |_| ());
    world.reads_now(Who::Queue(0), &[CONNECTOR]);
    world.at_ease();
    assert_eq!(world.with(contact), Some(A0), "available anew");
}

#[test]
fn who_comes_behind_a_contact_kept_for_an_absent_agent_is_not_kept() {
    let mut world = world(|_| ());
    world.arrives(A1);
    let kept = world.submits(Q0, named(A0, None));
    world.at_ease();
    for _ in 0..9 {
        world.submits(Q0, named(A0, None));
    }
    world.at_ease();
    let free = world.submits(Q0, named(A0, Some(Span::seconds(30))));
    world.at_ease();
    assert_eq!((world.with(kept), world.with(free)), (None, Some(A1)));
}

#[test]
fn who_missed_comes_back_by_the_timer_also_after_the_floor_died() {
    let mut world = world(|rules| {
        rules.policies[CHAT.index()].misses = 1;
        rules.terms.back_from_missed = Some(Span::seconds(3));
    });
    world.arrives(A0);
    let contact = world.submits(Q0, |_| ());
    world.at_ease();
    world.wait(Span::seconds(20));
    world.at_ease();
    assert_ne!(world.ledger.agents[0].state, AgentState::Available);
    world.floor.doomed = true;
    world.arrives(A1);
    world.wait(Span::seconds(3));
    world.at_ease();
    assert_eq!(world.ledger.agents[0].state, AgentState::Available);
    // A timer is no wish of the agent: the back-off goes on.
    assert_ne!(world.with(contact), Some(A0));
}

#[test]
fn a_demand_that_answers_nothing_does_not_end_a_barrier() {
    let mut world = world(|rules| {
        rules.agents[0].capacity = at_most(EMAIL, 9);
        for (_, terms) in &mut rules.queues[1].channels {
            terms.target = Span::seconds(300);
        }
    });
    world.arrives(A0);
    let email = |facts: &mut Facts| facts.channel = EMAIL;
    let urgent: Vec<_> = (0..9).map(|_| world.submits(Q0, email)).collect();
    world.reads_now(Who::Queue(0), &[CONNECTOR; 9]);
    world.reads_now(Who::Floor, &[Sender::Queue(Q0)]);
    let later = world.submits(Q1, email);
    world.reads_now(Who::Queue(1), &[CONNECTOR]);
    world.touches(Q0, urgent[0]);
    world.reads_now(Who::Queue(0), &[CONNECTOR]);
    world.reads_now(Who::Floor, &[Sender::Queue(Q0), Sender::Queue(Q1)]);
    assert_eq!(
        world.with(later),
        None,
        "the ninth is unknown, and comes first"
    );
    world.at_ease();
    assert_eq!((world.with(urgent[8]), world.with(later)), (Some(A0), None));
}

#[test]
fn within_a_rank_the_more_urgent_lane_is_first_also_when_a_better_rank_went_before() {
    let mut world = world(|rules| {
        rules.agents[0].capacity.points = 20;
        rules.agents[0].memberships[0].rank = 2;
    });
    let light = |channel: ChannelId, due: u64| {
        move |facts: &mut Facts| {
            facts.channel = channel;
            facts.due_at = Some(facts.first_entry + Span::seconds(due));
        }
    };
    let second = world.submits(Q0, light(EMAIL, 30));
    let first = world.submits(Q1, light(EMAIL, 40));
    let third = world.submits(Q0, light(TASK, 50));
    world.at_ease();
    world.arrives(A0);
    assert_eq!(
        [first, second, third].map(|contact| world.with(contact)),
        [Some(A0), Some(A0), None]
    );
}

#[test]
fn a_miss_that_crosses_a_change_of_lane_still_keeps_the_agent_off() {
    let mut world = world(|rules| {
        rules.agents[1].memberships[0].delay = Span::seconds(12);
    });
    world.arrives(A0);
    let contact = world.submits(Q0, |_| ());
    world.reads_now(Who::Queue(0), &[CONNECTOR]);
    world.reads_now(Who::Floor, &[Sender::Queue(Q0)]);
    assert_eq!(world.with(contact), Some(A0));
    world.wait(Span::seconds(25));
    world.reads_now(Who::Floor, &[]);
    world.reads_now(Who::Queue(0), &[]);
    world.reads_now(Who::Floor, &[Sender::Queue(Q0), Sender::Queue(Q0)]);
    assert_eq!(world.with(contact), None);
    world.at_ease();
    assert_eq!(world.with(contact), None);
}

#[test]
fn a_contact_changes_lanes_in_time_even_if_something_else_came_in_with_it() {
    let mut world = world(|rules| {
        rules.agents[1].memberships[0].delay = Span::seconds(12);
    });
    world.arrives(A1);
    let contact = world.submits(Q0, |_| ());
    world.at_ease();
    world.wait(Span::seconds(12));
    let end = QueueCommand::EndWrapUp { contact, agent: A0 };
    world.supervisor_asks(Q0, Asking::Other, end);
    world.reads_now(Who::Queue(0), &[Sender::Supervisor]);
    world.at_ease();
    assert_eq!(world.with(contact), Some(A1));
}

#[test]
fn a_match_that_comes_in_with_a_step_is_judged_by_the_step() {
    let mut world = world(|rules| {
        let step = Step {
            after: Span::seconds(10),
            requirement: Requirement::skills([(SkillId(0), Level::BEST)]),
            widen: false,
        };
        rules.queues[0].steps = Steps::new(Requirement::anyone(), vec![step]).unwrap();
    });
    world.arrives(A0);
    let contact = world.submits(Q0, |_| ());
    world.reads_now(Who::Queue(0), &[CONNECTOR]);
    world.wait(Span::seconds(10));
    world.reads_now(Who::Floor, &[Sender::Queue(Q0)]);
    assert_eq!(world.with(contact), Some(A0));
    world.reads_now(Who::Queue(0), &[Sender::Floor]);
    world.at_ease();
    assert_eq!(world.with(contact), None);
}

#[test]
fn whoever_accepts_while_lost_loses_the_contact_after_the_grace() {
    let mut world = world(|_| ());
    world.arrives(A0);
    let contact = world.submits(Q0, |_| ());
    world.at_ease();
    let generation = world.ledger.agents[0].generation;
    let lost = FloorInput::SocketLost(A0, generation);
    world.floor.mail.put(Sender::Post, lost);
    world.at_ease();
    world.accepts(A0, contact);
    world.wait(Span::seconds(8));
    world.at_ease();
    assert_eq!(world.with(contact), None);
}

#[test]
fn a_queue_that_agents_pull_from_takes_back_what_it_asked_before() {
    let mut world = world(|_| ());
    let contact = world.submits(Q0, |_| ());
    world.at_ease();
    let asking = (**world.newest_rules()).clone();
    let mut pulled = asking.clone();
    pulled.queues[0].selection = Selection::Manual;
    world.new_rules(pulled);
    world.at_ease();
    let abandon = QueueCommand::Abandon(contact);
    world.connector_asks(CONNECTORS[0], Q0, Asking::Close(contact), abandon);
    world.at_ease();
    world.new_rules(asking);
    world.at_ease();
    world.arrives(A0);
    assert_eq!(
        world.ledger.outcomes.made, 0,
        "nobody is there to be offered"
    );
}

fn sign_out(work: SignOutWork) -> FloorCommand {
    FloorCommand::SignOut {
        agent: None,
        when: When::Now,
        work: Some(work),
    }
}

fn at_most(channel: ChannelId, max: u32) -> Capacity {
    Capacity {
        max: vec![(channel, max)],
        ..Capacity::default()
    }
}
