//! The world outside: what an order of a plan means, as things stand.

use super::mail::Sender;
use super::plan::{Op, Verb};
use super::promise::Kept;
use super::rng::Rng;
use super::setup::{self, CONNECTORS, principal, requirement, supervisor};
use super::world::{Asking, START, Session, World};
use std::sync::Arc;
use switchroom::access::principal::Principal;
use switchroom::domain::capacity::ChannelSet;
use switchroom::domain::command::{
    Asked, FloorCommand, FloorInput, QueueCommand, QueueInput, Report, When,
};
use switchroom::domain::contact::Facts;
use switchroom::domain::offer::AgentState;
use switchroom::domain::rules::SignOutWork;
use switchroom::id::{AgentId, ChannelId, ContactId, OfferId, QueueId, UserId};
use switchroom::time::Span;

/// Contacts alive at once; beyond, a plan's submits do nothing.
const ALIVE: usize = 40;
/// Doors of those who are no agents.
const CONNECTOR_DOOR: u64 = 1 << 32;
const SUPERVISOR_DOOR: u64 = 1 << 33;

impl World {
    /// Carries an order out.
    pub fn obey(&mut self, op: Op) -> Kept {
        let mut rng = Rng::new(u64::from(op.b), u64::from(op.a) + 2);
        self.say(|| format!("* {} {} {}", op.verb.name(), op.a, op.b));
        match op.verb {
            Verb::Deliver => {
                let ready = self.ready();
                if !ready.is_empty() {
                    self.step(rng.of(&ready), &mut rng)?;
                }
            }
            Verb::Rest => self.rest(&mut rng)?,
            Verb::Wake => self.wake(&mut rng),
            Verb::Wait => {
                let most = rng.of(&[3, 30, 300, 300, 3_000, 3_000, 20_000, 90_000]);
                self.now = self.now + Span(rng.below(most) as u64);
            }
            Verb::Submit => self.submit(1, &mut rng),
            Verb::Burst => self.submit(14, &mut rng),
            Verb::Rules => self.change_rules(&mut rng),
            Verb::Kill => self.doom(&mut rng),
            Verb::Retire => {
                let queue = rng.below(self.queues.len());
                if self.queues[queue].machine.is_some() && op.b % 8 == 0 {
                    self.retire(queue);
                }
            }
            Verb::Reboot if op.b % 4 == 0 => self.reboot(),
            Verb::Reboot => {}
            Verb::Abandon
            | Verb::Hang
            | Verb::Update
            | Verb::Report
            | Verb::End
            | Verb::Requeue
            | Verb::Prioritise
            | Verb::EndWrapUp => self.on_contact(op.verb, &mut rng),
            Verb::SetState
            | Verb::ForceOut
            | Verb::SignIn
            | Verb::SignOut
            | Verb::State
            | Verb::Channels
            | Verb::Queues
            | Verb::Accept
            | Verb::AcceptOld
            | Verb::Decline
            | Verb::Shown
            | Verb::WrapUp
            | Verb::Finish
            | Verb::Stale
            | Verb::Lose
            | Verb::Back => {
                let agents = setup::agents(self.newest_rules());
                let agent = AgentId(rng.below(agents) as u32);
                self.on_agent(op.verb, agent, &mut rng);
            }
        }
        Ok(())
    }

    fn wake(&mut self, rng: &mut Rng) {
        if let Some(at) = self.next_wake() {
            let at = match rng.below(8) {
                0 => at - Span(1),
                1 => at + Span(1),
                2 => at + Span(19),
                _ => at,
            };
            self.now = self.now.max(at);
        }
    }

    fn change_rules(&mut self, rng: &mut Rng) {
        let rules = Arc::new(setup::change(self.newest_rules(), rng));
        self.rules.push(Arc::clone(&rules));
        for queue in &mut self.queues {
            queue
                .mail
                .put(Sender::Rules, QueueInput::Rules(Arc::clone(&rules)));
        }
        self.floor.mail.put(Sender::Rules, FloorInput::Rules(rules));
    }

    fn doom(&mut self, rng: &mut Rng) {
        let which = rng.below(self.queues.len() + 1);
        match self.queues.get_mut(which) {
            Some(queue) => queue.doomed = queue.machine.is_some(),
            None => self.floor.doomed = true,
        }
    }

    /// The process dies and starts again from its log: nothing else is left.
    fn reboot(&mut self) {
        self.pending.clear();
        self.floor.mail.clear();
        self.floor.doomed = false;
        let newest = self.rules.len() - 1;
        self.floor.rules = newest;
        for queue in &mut self.queues {
            queue.mail.clear();
            queue.doomed = false;
            queue.rules = newest;
        }
        self.raise_floor();
        for queue in 0..self.queues.len() {
            self.raise_queue(queue);
        }
        for session in &mut self.sessions {
            session.open = false;
        }
        for (agent, seat) in &self.roster.seats {
            let lost = FloorInput::SocketLost(*agent, seat.generation);
            self.floor.mail.put(Sender::Post, lost);
            // Whoever waited for the answer of a sign-in asks again on a new socket.
            if let Some(session) = self.current[agent.index()] {
                self.sessions[session].generation = Some(seat.generation);
            }
        }
        // Declines and misses that were under way to a queue are forgotten.
        self.ledger.refused.clear();
        self.tally.count("reboots");
    }

    fn submit(&mut self, count: usize, rng: &mut Rng) {
        let rules = Arc::clone(self.newest_rules());
        let queue = &rules.queues[rng.below(rules.queues.len())];
        let channel = rng.of(&queue.channels.iter().map(|(c, _)| *c).collect::<Vec<_>>());
        let requirement = requirement(rng);
        let preferred = (queue.direct || rng.chance(15))
            .then(|| AgentId(rng.below(setup::agents(&rules)) as u32));
        let patience = rng.of(&[None, Some(Span::seconds(2)), Some(Span::seconds(15))]);
        let connector = rng.of(&CONNECTORS);
        for _ in 0..count {
            if self.ledger.contacts.len() >= ALIVE {
                return;
            }
            let id = ContactId(uuid::Uuid::from_u128(self.submitted.len() as u128 + 1));
            let due_at = rng
                .chance(8)
                .then(|| self.now + Span(rng.below(90_000) as u64));
            let facts = Facts {
                id,
                external_id: "x".into(),
                channel,
                conversation: id,
                first_entry: START,
                priority: rng.of(&[0, 0, 0, 1, 2, -1]),
                tier: rng.of(&[5, 5, 5, 5, 1, 7]),
                due_at,
                requirement: requirement.clone(),
                preferred,
                patience,
                submitted_by: UserId(connector),
            };
            self.submitted.push((id, queue.id));
            let submit = QueueCommand::Submit {
                facts: Box::new(facts),
                content: Box::default(),
            };
            self.connector_asks(connector, queue.id, Asking::Other, submit);
        }
    }

    /// A contact, mostly one that lives.
    fn some_contact(&self, rng: &mut Rng) -> Option<(ContactId, QueueId)> {
        if self.submitted.is_empty() {
            return None;
        }
        if self.ledger.contacts.is_empty() || rng.chance(8) {
            return Some(rng.of(&self.submitted));
        }
        let place = rng.below(self.ledger.contacts.len());
        let held = self.ledger.contacts.values().nth(place)?;
        Some((held.facts.id, held.queue))
    }

    fn on_contact(&mut self, verb: Verb, rng: &mut Rng) {
        if verb == Verb::Report {
            return self.report(rng);
        }
        let Some((contact, queue)) = self.some_contact(rng) else {
            return;
        };
        let held = self.ledger.contacts.get(&contact);
        let connector = held.map_or(CONNECTORS[0], |held| held.facts.submitted_by.0);
        let owner = held.and_then(|held| held.legs.first()).map(|leg| leg.agent);
        let closing = Asking::Close(contact);
        match verb {
            Verb::Abandon => {
                let asked = QueueCommand::Abandon(contact);
                self.connector_asks(connector, queue, closing, asked);
            }
            Verb::Hang => {
                self.connector_asks(connector, queue, closing, QueueCommand::End(contact));
            }
            Verb::Update => {
                let update = QueueCommand::Update {
                    contact,
                    attributes: vec![("mood".to_owned(), rng.chance(50).then(String::new))],
                    requirement: rng.chance(60).then(|| requirement(rng)),
                };
                self.connector_asks(connector, queue, Asking::Other, update);
            }
            Verb::End => self.supervisor_asks(queue, closing, QueueCommand::End(contact)),
            Verb::Requeue => {
                let asked = QueueCommand::Requeue(contact);
                self.supervisor_asks(queue, Asking::Other, asked);
            }
            Verb::Prioritise => {
                let asked = QueueCommand::Prioritise {
                    contact,
                    priority: rng.chance(70).then(|| rng.of(&[0, 1, 3, -2, i32::MAX])),
                    tier: rng.chance(40).then(|| rng.of(&[0, 5, 9])),
                };
                self.supervisor_asks(queue, Asking::Other, asked);
            }
            _ => {
                let agent = owner.unwrap_or(AgentId(0));
                let asked = QueueCommand::EndWrapUp { contact, agent };
                self.supervisor_asks(queue, Asking::Other, asked);
            }
        }
    }

    fn report(&mut self, rng: &mut Rng) {
        let recent = self.ledger.media.len().saturating_sub(6);
        let Some(media) = self.ledger.media.get(recent + rng.below(6)).copied() else {
            return;
        };
        let contact = media.command.contact;
        let home = self.submitted.iter().find(|(id, _)| *id == contact);
        let Some((_, queue)) = home.copied() else {
            return;
        };
        let report = QueueCommand::Report {
            contact,
            command: media.command,
            report: rng.of(&[
                Report::Connected,
                Report::Connected,
                Report::Connected,
                Report::Done,
                Report::Failed,
            ]),
        };
        self.connector_asks(media.connector.0, queue, Asking::Other, report);
    }

    fn connector_asks(
        &mut self,
        connector: u32,
        queue: QueueId,
        asking: Asking,
        command: QueueCommand,
    ) {
        let door = CONNECTOR_DOOR + u64::from(connector);
        let asked = self.asked(principal(connector), door, asking);
        let mail = &mut self.queues[queue.index()].mail;
        mail.put(
            Sender::Connector(connector),
            QueueInput::Command(asked, command),
        );
    }

    fn supervisor_asks(&mut self, queue: QueueId, asking: Asking, command: QueueCommand) {
        let asked = self.asked(supervisor(), SUPERVISOR_DOOR, asking);
        let mail = &mut self.queues[queue.index()].mail;
        mail.put(Sender::Supervisor, QueueInput::Command(asked, command));
    }

    fn asked(&mut self, principal: Arc<Principal>, door: u64, asking: Asking) -> Asked {
        Asked {
            principal,
            generation: None,
            reply: Some(self.request(door, asking)),
        }
    }

    fn on_agent(&mut self, verb: Verb, agent: AgentId, rng: &mut Rng) {
        match verb {
            Verb::SetState => {
                let command = FloorCommand::SetState {
                    agent: Some(agent),
                    state: some_state(rng),
                    when: some_time(rng),
                };
                return self.supervisor_asks_floor(command);
            }
            Verb::ForceOut => {
                let command = FloorCommand::SignOut {
                    agent: Some(agent),
                    when: some_time(rng),
                    work: some_work(rng),
                };
                return self.supervisor_asks_floor(command);
            }
            Verb::SignIn => return self.sign_in(agent, rng),
            Verb::Lose | Verb::Back => return self.socket(verb, agent),
            _ => {}
        }
        let stale = verb == Verb::Stale;
        let Some(session) = self.session_of(agent, stale, rng) else {
            return;
        };
        match verb {
            Verb::SignOut => {
                let command = FloorCommand::SignOut {
                    agent: None,
                    when: some_time(rng),
                    work: some_work(rng),
                };
                self.agent_asks(session, Asking::Other, command);
            }
            Verb::State => {
                let command = FloorCommand::SetState {
                    agent: None,
                    state: some_state(rng),
                    when: some_time(rng),
                };
                self.agent_asks(session, Asking::Other, command);
            }
            Verb::Channels => {
                let all: Vec<ChannelId> = (0..5).map(ChannelId).collect();
                let command = FloorCommand::SetChannels {
                    agent: None,
                    on: rng.some(&all, 60).into_iter().collect(),
                    off: rng.some(&all, 25).into_iter().collect(),
                };
                self.agent_asks(session, Asking::Other, command);
            }
            Verb::Queues => {
                let queues = self.memberships(agent);
                let queues = rng.some(&queues, 60);
                let command = FloorCommand::SetQueues {
                    agent: None,
                    queues,
                };
                self.agent_asks(session, Asking::Other, command);
            }
            Verb::WrapUp | Verb::Finish => self.on_leg(verb, session, agent, rng),
            _ => self.on_offer(verb, session, agent, rng),
        }
    }

    fn memberships(&self, agent: AgentId) -> Vec<QueueId> {
        let memberships = &self.newest_rules().agents[agent.index()].memberships;
        memberships.iter().map(|m| m.queue).collect()
    }

    /// The agent's socket; or, for what comes late, one that was taken over.
    fn session_of(&self, agent: AgentId, stale: bool, rng: &mut Rng) -> Option<usize> {
        let current = self.current[agent.index()]?;
        if !stale {
            return self.sessions[current].open.then_some(current);
        }
        let old = self.sessions.iter().enumerate();
        let old = old.filter(|(place, session)| {
            *place != current && session.agent == agent && session.generation.is_some()
        });
        let old: Vec<usize> = old.map(|(place, _)| place).collect();
        (!old.is_empty()).then(|| rng.of(&old))
    }

    fn on_offer(&mut self, verb: Verb, session: usize, agent: AgentId, rng: &mut Rng) {
        let screen = &self.screens[agent.index()];
        let shown: Vec<OfferId> = screen.offers.keys().copied().collect();
        let from = match verb {
            Verb::Accept | Verb::Decline | Verb::Shown => &shown,
            _ => &screen.past,
        };
        if from.is_empty() {
            return;
        }
        let offer = rng.of(from);
        let (asking, command) = match verb {
            Verb::Accept | Verb::AcceptOld => (Asking::Accept(offer), FloorCommand::Accept(offer)),
            Verb::Shown => (Asking::Other, FloorCommand::Shown(offer)),
            Verb::Decline => {
                let reason = None;
                (Asking::Other, FloorCommand::Decline { offer, reason })
            }
            _ => match rng.below(4) {
                0 => (Asking::Accept(offer), FloorCommand::Accept(offer)),
                1 => (Asking::Other, FloorCommand::Shown(offer)),
                2 => {
                    let reason = None;
                    (Asking::Other, FloorCommand::Decline { offer, reason })
                }
                _ => {
                    let command = FloorCommand::SetState {
                        agent: None,
                        state: some_state(rng),
                        when: some_time(rng),
                    };
                    (Asking::Other, command)
                }
            },
        };
        self.agent_asks(session, asking, command);
    }

    fn on_leg(&mut self, verb: Verb, session: usize, agent: AgentId, rng: &mut Rng) {
        let legs = self.screens[agent.index()].legs.values();
        let legs: Vec<_> = legs.copied().collect();
        if legs.is_empty() {
            return;
        }
        let (contact, queue, _) = rng.of(&legs);
        let (asking, command) = match verb {
            Verb::Finish => (Asking::Close(contact), QueueCommand::End(contact)),
            _ => {
                let codes = rng.chance(60).then(|| vec!["done".to_owned()]);
                let command = QueueCommand::WrapUp {
                    contact,
                    codes,
                    note: rng.chance(20).then(String::new),
                    done: rng.chance(70),
                };
                (Asking::Other, command)
            }
        };
        let door = session as u64;
        let mut asked = self.asked(principal(agent.0), door, asking);
        asked.generation = self.sessions[session].generation;
        let mail = &mut self.queues[queue.index()].mail;
        mail.put(
            Sender::Session(session),
            QueueInput::Command(asked, command),
        );
    }

    fn agent_asks(&mut self, session: usize, asking: Asking, command: FloorCommand) {
        let agent = self.sessions[session].agent;
        let mut asked = self.asked(principal(agent.0), session as u64, asking);
        asked.generation = self.sessions[session].generation;
        let input = FloorInput::Command(asked, command);
        self.floor.mail.put(Sender::Session(session), input);
    }

    fn supervisor_asks_floor(&mut self, command: FloorCommand) {
        let asked = self.asked(supervisor(), SUPERVISOR_DOOR, Asking::Other);
        let input = FloorInput::Command(asked, command);
        self.floor.mail.put(Sender::Supervisor, input);
    }

    fn sign_in(&mut self, agent: AgentId, rng: &mut Rng) {
        let current = self.current[agent.index()];
        let again = current.filter(|session| self.sessions[*session].open && rng.chance(20));
        let session = again.unwrap_or_else(|| {
            if let Some(old) = current {
                self.sessions[old].open = false;
            }
            self.sessions.push(Session {
                agent,
                generation: None,
                open: true,
            });
            self.sessions.len() - 1
        });
        self.current[agent.index()] = Some(session);
        let queues = self.memberships(agent);
        let may = self.newest_rules().agents[agent.index()].channels;
        let may: Vec<ChannelId> = may.iter().collect();
        let command = FloorCommand::SignIn {
            take_over: rng.chance(85),
            channels: rng
                .chance(20)
                .then(|| rng.some(&may, 60).into_iter().collect::<ChannelSet>()),
            queues: rng.chance(15).then(|| rng.some(&queues, 70)),
        };
        self.agent_asks(session, Asking::SignIn(session), command);
    }

    fn socket(&mut self, verb: Verb, agent: AgentId) {
        let Some(session) = self.current[agent.index()] else {
            return;
        };
        let door = &mut self.sessions[session];
        let lost = verb == Verb::Lose;
        if door.open != lost {
            return;
        }
        let Some(generation) = door.generation else {
            // Before it was signed in, a socket that is lost has nothing to come back to.
            door.open = false;
            return;
        };
        door.open = !lost;
        let input = if lost {
            FloorInput::SocketLost(agent, generation)
        } else {
            FloorInput::SocketBack(agent, generation)
        };
        self.floor.mail.put(Sender::Session(session), input);
    }
}

/// What happens last: everybody who waits or talks is sent home.
pub fn last_orders(world: &mut World) -> Kept {
    let mut rng = Rng::new(0, 9);
    world.floor.doomed = false;
    for queue in &mut world.queues {
        queue.doomed = false;
    }
    world.rest(&mut rng)?;
    let alive: Vec<(ContactId, QueueId)> = world
        .ledger
        .contacts
        .values()
        .map(|held| (held.facts.id, held.queue))
        .collect();
    for (contact, queue) in alive {
        world.supervisor_asks(queue, Asking::Close(contact), QueueCommand::End(contact));
    }
    world.rest(&mut rng)?;
    for _ in 0..100 {
        let Some(at) = world.next_wake() else {
            break;
        };
        world.now = world.now.max(at);
        world.rest(&mut rng)?;
    }
    Ok(())
}

fn some_state(rng: &mut Rng) -> AgentState {
    if rng.chance(65) {
        AgentState::Available
    } else {
        AgentState::NotReady("lunch".to_owned())
    }
}

fn some_time(rng: &mut Rng) -> When {
    rng.of(&[When::Now, When::Now, When::AfterWork])
}

fn some_work(rng: &mut Rng) -> Option<SignOutWork> {
    rng.of(&[
        None,
        Some(SignOutWork::Drain),
        Some(SignOutWork::Return),
        Some(SignOutWork::Refuse),
    ])
}

/// Everybody is gone: nothing is left anywhere.
pub fn nothing_is_left(world: &World) -> Kept {
    use super::promise::{keep, promise};
    promise! { NOTHING_LEFT: "When every contact was ended, no contact and no work is left." }
    for held in world.ledger.contacts.values() {
        let retired = world.queues[held.queue.index()].machine.is_none();
        keep!(NOTHING_LEFT, retired, "{held:?}");
    }
    for offer in world.ledger.offers.values() {
        let retired = world.queues[offer.offer.queue.index()].machine.is_none();
        keep!(NOTHING_LEFT, retired, "{offer:?}");
    }
    Ok(())
}
