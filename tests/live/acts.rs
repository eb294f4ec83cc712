//! What people do in the contact centre, one random act at a time.

use super::centre::{AGENTS, Centre};
use super::random::Random;
use switchroom::domain::capacity::ChannelSet;
use switchroom::domain::command::{FloorCommand, FloorInput, QueueCommand, Report, When};
use switchroom::domain::offer::AgentState;
use switchroom::domain::rules::SignOutWork;
use switchroom::id::{ChannelId, ContactId};
use switchroom::time::Span;

impl Centre {
    /// Does something at random.
    pub fn act(&mut self, random: &mut Random) {
        let login = *random.one(&AGENTS).unwrap();
        let contact = random.one(&self.contacts()).copied();
        match random.below(20) {
            0..=3 => {
                let (queue, channel) = *random
                    .one(&[
                        ("calls", "voice"),
                        ("calls", "chat"),
                        ("mails", "email"),
                        ("mails", "chat"),
                        ("spare", "chat"),
                    ])
                    .unwrap();
                let by = *random.one(&["site", "shop"]).unwrap();
                let priority = i32::try_from(random.below(3)).unwrap() - 1;
                self.submit_with(by, queue, channel, priority);
            }
            4..=6 => {
                if let Some((offer, agent)) = random.one(&self.offers()).copied() {
                    self.floor(&self.login(agent), FloorCommand::Accept(offer));
                }
            }
            7 => self.sign_in(login),
            8 => self.pass(Span(random.below(40_000) as u64)),
            9 => self.pass(Span(random.below(400) as u64)),
            10 => self.act_on_contact(contact, login, random),
            11 => self.act_on_contact(contact, login, random),
            12 => self.act_on_agent(login, random),
            13 => {
                if let Some(command) = random.one(&self.commands).copied() {
                    let report = *random
                        .one(&[Report::Connected, Report::Connected, Report::Failed])
                        .unwrap();
                    let contact = command.contact;
                    for by in ["site", "shop"] {
                        let report = QueueCommand::Report {
                            contact,
                            command,
                            report,
                        };
                        self.command(by, report);
                    }
                }
            }
            14 => {
                if let Some((offer, agent)) = random.one(&self.offers()).copied() {
                    let decline = FloorCommand::Decline {
                        offer,
                        reason: None,
                    };
                    self.floor(&self.login(agent), decline);
                }
            }
            15 => {
                if let Some(contact) = contact {
                    for by in ["site", "shop"] {
                        self.command(by, QueueCommand::Abandon(contact));
                    }
                }
            }
            16 => {
                let agent = self.agent(login);
                if let Some(generation) = self.generation(agent) {
                    let lost = random.chance(40);
                    self.tell_floor(if lost {
                        FloorInput::SocketLost(agent, generation)
                    } else {
                        FloorInput::SocketBack(agent, generation)
                    });
                }
            }
            _ => {
                if let Some(contact) = contact {
                    self.command(login, QueueCommand::End(contact));
                }
            }
        }
    }

    fn act_on_contact(&mut self, contact: Option<ContactId>, login: &str, random: &mut Random) {
        let Some(contact) = contact else { return };
        let (by, command) = match random.below(7) {
            0 => ("alex", QueueCommand::Requeue(contact)),
            1 => {
                let command = QueueCommand::Prioritise {
                    contact,
                    priority: Some(i32::try_from(random.below(5)).unwrap()),
                    tier: random.chance(20).then_some(3),
                };
                ("alex", command)
            }
            2 => {
                let name = "plan".to_owned();
                let value = random.chance(70).then(|| "silver".to_owned());
                let command = QueueCommand::Update {
                    contact,
                    attributes: vec![(name, value)],
                    requirement: None,
                };
                (*random.one(&["site", "shop"]).unwrap(), command)
            }
            3 => {
                let command = QueueCommand::WrapUp {
                    contact,
                    codes: Some(vec!["done".to_owned()]),
                    note: None,
                    done: random.chance(50),
                };
                (login, command)
            }
            4 => {
                let agent = self.agent(login);
                ("alex", QueueCommand::EndWrapUp { contact, agent })
            }
            _ => ("alex", QueueCommand::End(contact)),
        };
        self.command(by, command);
    }

    fn act_on_agent(&mut self, login: &str, random: &mut Random) {
        match random.below(6) {
            0 => self.set_state(login, AgentState::NotReady("lunch".to_owned())),
            1 => self.set_state(login, AgentState::Available),
            2 => {
                let command = FloorCommand::SignOut {
                    agent: None,
                    when: *random.one(&[When::Now, When::AfterWork]).unwrap(),
                    work: Some(
                        *random
                            .one(&[SignOutWork::Return, SignOutWork::Drain])
                            .unwrap(),
                    ),
                };
                self.floor(login, command);
            }
            3 => {
                let channel = ChannelId(u8::try_from(random.below(3)).unwrap());
                let (one, none) = (ChannelSet::of(channel), ChannelSet::EMPTY);
                let (on, off) = if random.chance(60) {
                    (one, none)
                } else {
                    (none, one)
                };
                let agent = None;
                self.floor(login, FloorCommand::SetChannels { agent, on, off });
            }
            4 => {
                let rules = self.rules.agent(self.agent(login)).unwrap();
                let mut queues: Vec<_> = rules.memberships.iter().map(|m| m.queue).collect();
                if random.chance(60) && !queues.is_empty() {
                    queues.remove(random.below(queues.len()));
                }
                let agent = Some(self.agent(login));
                self.floor("alex", FloorCommand::SetQueues { agent, queues });
            }
            _ => {
                let command = FloorCommand::SetState {
                    agent: Some(self.agent(login)),
                    state: AgentState::NotReady("talk".to_owned()),
                    when: *random.one(&[When::Now, When::AfterWork]).unwrap(),
                };
                self.floor("alex", command);
            }
        }
    }
}
