//! A second, naive count of a floor: straight from the whole log, by looking at everything,
//! sharing no code with the live views.

use std::collections::{BTreeMap, BTreeSet};
use switchroom::domain::capacity::Load;
use switchroom::domain::event::{Entered, Event, Record};
use switchroom::domain::offer::{AgentState, Outcome};
use switchroom::domain::rules::Workspace;
use switchroom::id::{AgentId, ChannelId, ContactId, OfferId, QueueId, TeamId, UserId};
use switchroom::time::Instant;

/// A contact, by its events.
#[derive(Clone, Debug)]
pub struct Contact {
    pub queue: QueueId,
    pub state: &'static str,
    pub since: Instant,
    pub first_entry: Instant,
    pub due_at: Instant,
    pub tier: u8,
    pub priority: i32,
    pub by: UserId,
    pub plan: Option<String>,
    /// Open legs: whose, and whether connected, in wrap-up or only connecting.
    pub legs: BTreeMap<OfferId, (AgentId, &'static str)>,
    pub offers: BTreeMap<OfferId, AgentId>,
    pub reason: Option<String>,
}

impl Contact {
    pub fn in_line(&self) -> bool {
        ["waiting", "offered", "connecting"].contains(&self.state)
    }
}

/// An agent, by the floor's events.
#[derive(Clone, Debug)]
pub struct Agent {
    pub state: AgentState,
    pub leaving: bool,
    pub lost: bool,
    pub on: BTreeSet<ChannelId>,
    pub queues: Vec<QueueId>,
    pub work: BTreeMap<OfferId, (ChannelId, &'static str, bool)>,
}

/// What came and went, by queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    pub entered: u64,
    pub returned: u64,
    pub requeued: u64,
    pub answered: u64,
    pub abandoned: u64,
    pub short_abandoned: u64,
    pub cancelled: u64,
}

/// A floor, counted.
#[derive(Clone, Debug, Default)]
pub struct Naive {
    pub contacts: BTreeMap<ContactId, Contact>,
    pub agents: BTreeMap<AgentId, Agent>,
    pub flows: BTreeMap<QueueId, Flow>,
}

impl Naive {
    pub fn count(log: &[Record], rules: &Workspace) -> Self {
        let mut naive = Self::default();
        for agent in &rules.agents {
            naive.agents.insert(
                agent.id,
                Agent {
                    state: AgentState::SignedOut,
                    leaving: false,
                    lost: false,
                    on: BTreeSet::new(),
                    queues: Vec::new(),
                    work: BTreeMap::new(),
                },
            );
        }
        for record in log {
            naive.contact(record);
            naive.agent(record);
        }
        naive
    }

    fn contact(&mut self, record: &Record) {
        let at = record.at;
        let closing = |reason: &switchroom::domain::contact::Closed| format!("{reason:?}");
        match &record.event {
            Event::ContactEntered {
                facts,
                queue,
                due_at,
                how,
            } => {
                assert_eq!(*how, Entered::New);
                self.flows.entry(*queue).or_default().entered += 1;
                let plan = record.content.as_ref().unwrap().attributes.get("plan");
                self.contacts.insert(
                    facts.id,
                    Contact {
                        queue: *queue,
                        state: "waiting",
                        since: at,
                        first_entry: facts.first_entry,
                        due_at: *due_at,
                        tier: facts.tier,
                        priority: facts.priority,
                        by: facts.submitted_by,
                        plan: plan.cloned(),
                        legs: BTreeMap::new(),
                        offers: BTreeMap::new(),
                        reason: None,
                    },
                );
            }
            Event::ContactOffered { contact, seats, .. } => {
                let held = self.set(*contact, "offered", at);
                held.offers.extend(seats.iter().copied());
            }
            Event::ContactConnecting { offer, .. } => {
                let held = self.set(offer.contact, "connecting", at);
                held.offers.remove(&offer.offer);
                held.legs.insert(offer.offer, (offer.agent, "connecting"));
            }
            Event::LegConnected { contact, leg, .. } => {
                let held = &self.contacts[contact];
                if held.in_line() {
                    self.flows.entry(held.queue).or_default().answered += 1;
                }
                let held = self.set(*contact, "active", at);
                held.offers.clear();
                held.legs.insert(leg.offer, (leg.agent, "connected"));
            }
            Event::ContactRequeued { contact, queue, .. } => {
                self.flows.entry(*queue).or_default().requeued += 1;
                let held = self.set(*contact, "waiting", at);
                held.offers.clear();
                held.legs.retain(|_, (_, stands)| *stands != "connecting");
            }
            Event::ContactReturned {
                contact,
                queue,
                priority,
                due_at,
                ..
            } => {
                self.flows.entry(*queue).or_default().returned += 1;
                let held = self.set(*contact, "waiting", at);
                (held.priority, held.due_at) = (*priority, *due_at);
            }
            Event::ContactPrioritised {
                contact,
                priority,
                tier,
                due_at,
                ..
            } => {
                let held = self.contacts.get_mut(contact).unwrap();
                (held.priority, held.tier, held.due_at) = (*priority, *tier, *due_at);
            }
            Event::ContactUpdated { contact, .. } => {
                let plan = record.content.as_ref().unwrap().attributes.get("plan");
                self.contacts.get_mut(contact).unwrap().plan = plan.cloned();
            }
            Event::ContactEnded { contact, .. } => {
                self.set(*contact, "wrap_up", at);
            }
            Event::ContactClosed {
                contact, reason, ..
            } => {
                let held = &self.contacts[contact];
                if held.in_line() {
                    let flow = self.flows.entry(held.queue).or_default();
                    match closing(reason).as_str() {
                        "Abandoned" => flow.abandoned += 1,
                        "ShortAbandoned" => flow.short_abandoned += 1,
                        _ => flow.cancelled += 1,
                    }
                }
                let held = self.set(*contact, "closed", at);
                held.reason = Some(closing(reason));
                held.offers.clear();
                held.legs.clear();
            }
            Event::LegWrapUpStarted { offer, .. } => {
                let held = self.contacts.get_mut(&offer.contact).unwrap();
                held.legs.insert(offer.offer, (offer.agent, "wrap_up"));
            }
            Event::LegEnded { offer, .. } => {
                let held = self.contacts.get_mut(&offer.contact).unwrap();
                held.legs.remove(&offer.offer);
            }
            _ => {}
        }
    }

    fn set(&mut self, contact: ContactId, state: &'static str, at: Instant) -> &mut Contact {
        let held = self.contacts.get_mut(&contact).unwrap();
        if held.state != state {
            (held.state, held.since) = (state, at);
        }
        held
    }

    fn agent(&mut self, record: &Record) {
        let of =
            |agents: &mut BTreeMap<AgentId, Agent>, agent: AgentId, act: &dyn Fn(&mut Agent)| {
                act(agents.get_mut(&agent).unwrap());
            };
        let agents = &mut self.agents;
        match &record.event {
            Event::OfferMade { offer, .. } => of(agents, offer.agent, &|agent| {
                agent
                    .work
                    .insert(offer.offer, (offer.channel, "offered", true));
            }),
            Event::OfferTaken { offer } => of(agents, offer.agent, &|agent| {
                agent
                    .work
                    .insert(offer.offer, (offer.channel, "connecting", true));
            }),
            Event::OfferEnded { offer, outcome } => of(agents, offer.agent, &|agent| {
                if *outcome == Outcome::Accepted {
                    agent
                        .work
                        .insert(offer.offer, (offer.channel, "active", true));
                } else {
                    agent.work.remove(&offer.offer);
                }
            }),
            Event::SeatWrapUp {
                offer,
                holds_capacity,
                ..
            } => of(agents, offer.agent, &|agent| {
                agent
                    .work
                    .insert(offer.offer, (offer.channel, "wrap_up", *holds_capacity));
            }),
            Event::SeatReleased { offer, .. } => of(agents, offer.agent, &|agent| {
                agent.work.remove(&offer.offer);
            }),
            Event::AgentSignedIn {
                agent,
                channels,
                queues,
                state,
                ..
            } => of(agents, *agent, &|agent| {
                agent.state = state.clone();
                agent.lost = false;
                agent.leaving = false;
                agent.on = channels.iter().collect();
                agent.queues.clone_from(queues);
            }),
            Event::AgentSignedOut { agent, .. } => of(agents, *agent, &|agent| {
                agent.state = AgentState::SignedOut;
                agent.lost = false;
                agent.leaving = false;
            }),
            Event::AgentStateChanged { agent, state, next } => of(agents, *agent, &|agent| {
                agent.state = state.clone();
                agent.leaving = next.is_some();
            }),
            Event::AgentChannelsChanged { agent, channels } => of(agents, *agent, &|agent| {
                agent.on = channels.iter().collect();
            }),
            Event::AgentQueuesChanged { agent, queues, .. } => of(agents, *agent, &|agent| {
                agent.queues.clone_from(queues);
            }),
            Event::AgentConnectionLost { agent, .. } => of(agents, *agent, &|agent| {
                agent.lost = true;
            }),
            Event::AgentResumed { agent, .. } => of(agents, *agent, &|agent| agent.lost = false),
            _ => {}
        }
    }

    /// Contacts of a queue in line, most urgent first.
    pub fn line(&self, queue: QueueId) -> Vec<ContactId> {
        let contacts = self.contacts.iter();
        let mut line: Vec<_> = contacts
            .filter(|(_, contact)| contact.queue == queue && contact.in_line())
            .map(|(id, contact)| (contact.tier, contact.due_at, *id))
            .collect();
        line.sort();
        line.into_iter().map(|(_, _, id)| id).collect()
    }

    /// Contacts of a queue in a state.
    pub fn in_state(&self, queue: QueueId, state: &str) -> usize {
        let contacts = self.contacts.values();
        contacts
            .filter(|contact| contact.queue == queue && contact.state == state)
            .count()
    }

    /// Contacts of a channel that an agent could be given, found by trying.
    pub fn free(&self, agent: AgentId, channel: ChannelId, rules: &Workspace) -> u32 {
        let held = &self.agents[&agent];
        let own = rules.agent(agent).unwrap();
        let works = held.state == AgentState::Available && !held.lost && !held.leaving;
        if !works || !held.on.contains(&channel) {
            return 0;
        }
        let mut load = Load::default();
        for (channel, stands, holds) in held.work.values() {
            if *holds {
                load.add(*channel);
            }
            if *stands == "active" {
                load.connect(*channel);
            }
        }
        let mut free = 0;
        while load
            .room_for(channel, &rules.channels, &own.capacity)
            .is_ok()
        {
            load.add(channel);
            free += 1;
        }
        free
    }

    /// The bucket of a member, in words, and its free and all slots.
    pub fn member(&self, agent: AgentId, queue: QueueId, rules: &Workspace) -> (String, u32, u32) {
        let held = &self.agents[&agent];
        let own = rules.agent(agent).unwrap();
        let serves = held.queues.contains(&queue);
        let channels: Vec<ChannelId> = rules
            .queue(queue)
            .unwrap()
            .channels
            .iter()
            .map(|(c, _)| *c)
            .collect();
        let most = |number: &dyn Fn(ChannelId) -> u32| {
            let of = channels.iter().filter(|_| serves);
            of.map(|channel| number(*channel)).max().unwrap_or(0)
        };
        let free = most(&|channel| self.free(agent, channel, rules));
        let all = most(&|channel| {
            let max = own.capacity.max(channel, &rules.channels);
            if held.on.contains(&channel) { max } else { 0 }
        });
        let has = |kinds: &[&str]| {
            held.work
                .values()
                .any(|(_, stands, _)| kinds.contains(stands))
        };
        let bucket = match (&held.state, held.lost) {
            (AgentState::SignedOut, _) => return ("signed_out".to_owned(), free, 0),
            (_, true) => return ("connection_lost".to_owned(), free, 0),
            _ if has(&["offered"]) => "ringing".to_owned(),
            _ if has(&["connecting", "active"]) && free > 0 => "working".to_owned(),
            _ if has(&["connecting", "active"]) => "busy".to_owned(),
            _ if free > 0 => "routable".to_owned(),
            _ if has(&["wrap_up"]) => "wrap_up".to_owned(),
            (AgentState::NotReady(reason), _) => format!("not_ready {reason}"),
            _ if held.leaving => "not_ready leaving".to_owned(),
            _ if serves => "not_ready channels_off".to_owned(),
            _ => "not_ready queue_off".to_owned(),
        };
        (bucket, free, all)
    }

    /// Teams that are facts of a contact.
    pub fn teams(&self, contact: &Contact, rules: &Workspace) -> BTreeSet<TeamId> {
        if contact.legs.is_empty() {
            let owner = rules.queue(contact.queue).unwrap().team;
            return owner.into_iter().collect();
        }
        let agents = contact.legs.values().map(|(agent, _)| *agent);
        agents
            .flat_map(|agent| rules.agent(agent).unwrap().teams.clone())
            .collect()
    }
}
