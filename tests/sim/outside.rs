//! The world outside: what an order of a plan means, as things stand.

use super::mail::Sender;
use super::plan::{Op, Verb};
use super::promise::Kept;
use super::rng::Rng;
use super::setup::{self, CONNECTORS, principal, requirement, supervisor};
use super::world::{Asking, START, World};
use std::sync::Arc;
use switchroom::access::principal::Principal;
use switchroom::domain::command::{Asked, FloorInput, QueueCommand, QueueInput, Report};
use switchroom::domain::contact::Facts;
use switchroom::domain::rules::Workspace;
use switchroom::id::{AgentId, ContactId, QueueId, UserId};
use switchroom::time::Span;

/// Contacts alive at once; beyond, a plan's submits do nothing.
const ALIVE: usize = 40;
/// Doors of those who are no agents.
const CONNECTOR_DOOR: u64 = 1 << 32;
pub const SUPERVISOR_DOOR: u64 = 1 << 33;

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
            Verb::Rules => {
                let rules = setup::change(self.newest_rules(), &mut rng);
                self.new_rules(rules);
            }
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

    /// New rules are on their way to everybody.
    pub fn new_rules(&mut self, rules: Workspace) {
        let rules = Arc::new(rules);
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
        self.ledger.doubt(|_, _| true);
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
            self.hand_in(queue.id, facts);
        }
    }

    /// A connector submits a contact.
    pub fn hand_in(&mut self, queue: QueueId, facts: Facts) {
        let connector = facts.submitted_by.0;
        self.submitted.push((facts.id, queue));
        let submit = QueueCommand::Submit {
            facts: Box::new(facts),
            content: Box::default(),
        };
        self.connector_asks(connector, queue, Asking::Other, submit);
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

    pub fn connector_asks(
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

    pub fn supervisor_asks(&mut self, queue: QueueId, asking: Asking, command: QueueCommand) {
        let asked = self.asked(supervisor(), SUPERVISOR_DOOR, asking);
        let mail = &mut self.queues[queue.index()].mail;
        mail.put(Sender::Supervisor, QueueInput::Command(asked, command));
    }

    pub fn asked(&mut self, principal: Arc<Principal>, door: u64, asking: Asking) -> Asked {
        Asked {
            principal,
            generation: None,
            reply: Some(self.request(door, asking)),
        }
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

/// Everybody is gone: nothing is left anywhere.
pub fn nothing_is_left(world: &World) -> Kept {
    use super::promise::{keep, promise};
    promise! { NOTHING_LEFT: "When every contact was ended, no contact and no work is left." }
    for held in world.ledger.contacts.values() {
        let retired = world.queues[held.queue.index()].machine.is_none();
        keep!(NOTHING_LEFT, retired, "{held:?}");
    }
    for offer in world.ledger.offers.values() {
        keep!(NOTHING_LEFT, false, "{offer:?}");
    }
    Ok(())
}
