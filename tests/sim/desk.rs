//! What agents and their supervisors do: sign in and out, answer, decline, wrap up, lose their
//! sockets.

use super::mail::Sender;
use super::outside::SUPERVISOR_DOOR;
use super::plan::Verb;
use super::rng::Rng;
use super::setup::{principal, supervisor};
use super::world::{Asking, Session, World};
use switchroom::domain::capacity::ChannelSet;
use switchroom::domain::command::{FloorCommand, FloorInput, QueueCommand, QueueInput, When};
use switchroom::domain::offer::AgentState;
use switchroom::domain::rules::SignOutWork;
use switchroom::id::{AgentId, ChannelId, OfferId, QueueId};

impl World {
    pub fn on_agent(&mut self, verb: Verb, agent: AgentId, rng: &mut Rng) {
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

    pub fn agent_asks(&mut self, session: usize, asking: Asking, command: FloorCommand) {
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
