//! A naive count of a floor's events: maps of everything, and one look at each event. It shares
//! no code with what it is held against.

use std::collections::BTreeMap;
use switchroom::domain::contact::Closed;
use switchroom::domain::event::{By, Event, Record};
use switchroom::domain::offer::{AgentState, Outcome};

/// A contact, counted naively.
#[derive(Default, Clone)]
pub struct Contact {
    pub channel: u8,
    pub queue: u32,
    pub entered: u64,
    pub answered: Option<(u64, u32)>,
    pub closed: Option<(u64, Closed)>,
    pub ended: Option<u64>,
    pub talk: u64,
    pub wrap_up: u64,
    pub offers: u64,
    pub requeues: u64,
    pub returns: u64,
    pub in_line: bool,
}

/// Counters by half hour, whose they are, channel and name.
pub type Counters = BTreeMap<(u64, String, String, &'static str), u64>;

/// A count of its own: maps of everything, and one look at each event.
#[derive(Default)]
pub struct Naive {
    pub contacts: BTreeMap<String, Contact>,
    pub queues: Counters,
    pub agents: Counters,
    pub acts: usize,
    /// Agent, state and the times between which it held.
    pub states: Vec<(u32, String, u64, Option<u64>)>,
    /// Signed in, as what, and whether the socket is there.
    pub signed_in: BTreeMap<u32, (String, bool)>,
}

impl Naive {
    fn count(&mut self, at: u64, queue: u32, channel: u8, name: &'static str, more: u64) {
        let start = at / 1_800_000 * 1_800_000;
        let key = (
            start,
            format!("queue{queue}"),
            format!("channel{channel}"),
            name,
        );
        *self.queues.entry(key).or_default() += more;
    }

    fn credit(&mut self, at: u64, agent: u32, channel: u8, name: &'static str, more: u64) {
        let start = at / 1_800_000 * 1_800_000;
        let key = (
            start,
            format!("user{agent}"),
            format!("channel{channel}"),
            name,
        );
        *self.agents.entry(key).or_default() += more;
    }

    fn both(&mut self, at: u64, place: (u32, u32, u8), name: &'static str, more: u64) {
        self.count(at, place.0, place.2, name, more);
        self.credit(at, place.1, place.2, name, more);
    }

    /// An agent is this from now on; nothing when signed out.
    fn state(&mut self, at: u64, agent: u32, now: Option<(String, bool)>) {
        let before = match &now {
            Some(now) => self.signed_in.insert(agent, now.clone()),
            None => self.signed_in.remove(&agent),
        };
        if before == now {
            return;
        }
        for open in &mut self.states {
            if open.0 == agent && open.3.is_none() {
                open.3 = Some(at);
            }
        }
        if let Some((state, there)) = now {
            let word = if there {
                state
            } else {
                format!("{state} lost")
            };
            self.states.push((agent, word, at, None));
        }
    }

    /// Counts an event.
    pub fn read(&mut self, record: &Record) {
        let at = record.at.0;
        self.acts += usize::from(matches!(record.by, By::User { .. }));
        match &record.event {
            Event::ContactEntered { facts, queue, .. } => {
                let contact = Contact {
                    channel: facts.channel.0,
                    queue: queue.0,
                    entered: at,
                    in_line: true,
                    ..Contact::default()
                };
                self.count(at, queue.0, facts.channel.0, "entered", 1);
                self.contacts.insert(facts.id.to_string(), contact);
            }
            Event::OfferMade { offer, .. } => {
                let place = (offer.queue.0, offer.agent.0, offer.channel.0);
                self.both(at, place, "offers", 1);
                let contact = self.contacts.get_mut(&offer.contact.to_string());
                contact.unwrap().offers += 1;
            }
            Event::OfferEnded { offer, outcome } => {
                let place = (offer.queue.0, offer.agent.0, offer.channel.0);
                let name = match outcome {
                    Outcome::Accepted => "offers_accepted",
                    Outcome::Declined => "offers_declined",
                    Outcome::Missed => "offers_missed",
                    Outcome::Withdrawn(_) => "offers_withdrawn",
                    Outcome::Failed => "offers_failed",
                };
                self.both(at, place, name, 1);
            }
            Event::LegConnected {
                contact,
                queue,
                channel,
                leg,
                ..
            } => {
                let known = self.contacts.get_mut(&contact.to_string()).unwrap();
                let first = known.answered.is_none();
                known.in_line = false;
                known.answered.get_or_insert((at, leg.agent.0));
                let waited = at - known.entered;
                self.both(at, (queue.0, leg.agent.0, channel.0), "answered", 1);
                if first {
                    self.count(at, queue.0, channel.0, "answered_first", 1);
                    self.count(at, queue.0, channel.0, "wait_ms", waited);
                    let in_time = u64::from(waited <= 60_000);
                    self.count(at, queue.0, channel.0, "answered_in_threshold", in_time);
                }
            }
            Event::ContactRequeued { contact, queue, .. } => {
                let known = self.contacts.get_mut(&contact.to_string()).unwrap();
                known.requeues += 1;
                let channel = known.channel;
                self.count(at, queue.0, channel, "requeued", 1);
            }
            Event::ContactReturned { contact, queue, .. } => {
                let known = self.contacts.get_mut(&contact.to_string()).unwrap();
                known.returns += 1;
                known.in_line = true;
                let channel = known.channel;
                self.count(at, queue.0, channel, "returned", 1);
            }
            Event::ContactEnded {
                contact, reason, ..
            }
            | Event::ContactClosed {
                contact, reason, ..
            } => {
                let known = self.contacts.get_mut(&contact.to_string()).unwrap();
                known.ended.get_or_insert(at);
                if matches!(record.event, Event::ContactClosed { .. }) {
                    known.closed = Some((at, *reason));
                }
                let known = known.clone();
                if known.in_line {
                    let left = self.contacts.get_mut(&contact.to_string()).unwrap();
                    left.in_line = false;
                    self.left(at, &known, *reason);
                }
            }
            Event::LegEnded {
                offer,
                talk,
                wrap_up,
                ..
            } => {
                let place = (offer.queue.0, offer.agent.0, offer.channel.0);
                self.both(at, place, "handled", 1);
                self.both(at, place, "talk_ms", talk.0);
                self.both(at, place, "wrap_up_ms", wrap_up.0);
                let known = self.contacts.get_mut(&offer.contact.to_string()).unwrap();
                known.talk += talk.0;
                known.wrap_up += wrap_up.0;
            }
            Event::AgentSignedIn { agent, state, .. } => {
                self.state(at, agent.0, Some((said(state), true)));
            }
            Event::AgentStateChanged { agent, state, .. } => {
                let there = self.signed_in.get(&agent.0).map(|(_, there)| *there);
                self.state(at, agent.0, there.map(|there| (said(state), there)));
            }
            Event::AgentConnectionLost { agent, .. } | Event::AgentResumed { agent, .. } => {
                let there = matches!(record.event, Event::AgentResumed { .. });
                let state = self.signed_in.get(&agent.0).map(|(state, _)| state.clone());
                self.state(at, agent.0, state.map(|state| (state, there)));
            }
            Event::AgentSignedOut { agent, .. } => self.state(at, agent.0, None),
            _ => {}
        }
    }

    fn left(&mut self, at: u64, contact: &Contact, reason: Closed) {
        let (queue, channel) = (contact.queue, contact.channel);
        let name = match reason {
            Closed::Abandoned => "abandoned",
            Closed::ShortAbandoned => "short_abandoned",
            Closed::EndedBySupervisor | Closed::Failed | Closed::Completed => "cancelled",
        };
        self.count(at, queue, channel, name, 1);
        if name == "cancelled" {
        } else if contact.answered.is_some() {
            self.count(at, queue, channel, "abandoned_after_return", 1);
        } else {
            let waited = at - contact.entered;
            self.count(at, queue, channel, "abandon_wait_ms", waited);
            let in_time = u64::from(waited <= 60_000);
            self.count(at, queue, channel, "abandoned_in_threshold", in_time);
        }
    }
}

fn said(state: &AgentState) -> String {
    match state {
        AgentState::SignedOut => "signed_out".into(),
        AgentState::Available => "available".into(),
        AgentState::NotReady(reason) => format!("not_ready {reason}"),
    }
}
