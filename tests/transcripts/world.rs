//! A floor with its queues in one thread: commands in, messages until rest, time on demand.

use crate::say;
use crate::setup::{self, Wrong};
use std::collections::BTreeMap;
use std::sync::Arc;
use switchroom::domain::capacity::ChannelSet;
use switchroom::domain::command::{
    Asked, FloorCommand, FloorInput, QueueCommand, QueueInput, Report, When,
};
use switchroom::domain::contact::{Content, Facts};
use switchroom::domain::event::{By, Event, Record};
use switchroom::domain::floor::Floor;
use switchroom::domain::machine::{Answer, Effect, Machine, Outbox, ReplyTo};
use switchroom::domain::offer::AgentState;
use switchroom::domain::queue::Queue;
use switchroom::domain::requirement::Requirement;
use switchroom::domain::rules::{SignOutWork, Workspace};
use switchroom::domain::urgency::TIER;
use switchroom::id::{
    AgentId, CommandId, ContactId, Generation, Incarnation, OfferId, QueueId, Seq, UserId,
};
use switchroom::time::{Instant, Span};

/// Transcript time zero.
const START: u64 = 1_000_000_000;

/// The machines, and what a transcript calls things.
pub struct World {
    rules: Arc<Workspace>,
    now: Instant,
    floor: Floor,
    queues: Vec<Queue>,
    started: bool,
    to_floor: Vec<FloorInput>,
    to_queue: Vec<(QueueId, QueueInput)>,
    offers: Vec<OfferId>,
    contacts: BTreeMap<String, ContactId>,
    homes: BTreeMap<ContactId, QueueId>,
    commands: BTreeMap<ContactId, CommandId>,
    generations: BTreeMap<AgentId, Generation>,
    asked: BTreeMap<u64, String>,
    said: Vec<String>,
    seq: u64,
    /// Everything that was logged.
    pub log: Vec<Record>,
}

impl Default for World {
    fn default() -> Self {
        let rules = Arc::new(setup::workspace());
        Self {
            floor: Floor::new(Arc::clone(&rules), Incarnation(1), 0),
            rules,
            now: Instant(START),
            queues: Vec::new(),
            started: false,
            to_floor: Vec::new(),
            to_queue: Vec::new(),
            offers: Vec::new(),
            contacts: BTreeMap::new(),
            homes: BTreeMap::new(),
            commands: BTreeMap::new(),
            generations: BTreeMap::new(),
            asked: BTreeMap::new(),
            said: Vec::new(),
            seq: 0,
            log: Vec::new(),
        }
    }
}

impl World {
    /// Runs one line and returns what was said.
    pub fn run(&mut self, line: &str) -> Result<Vec<String>, Wrong> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["queue", name, options @ ..] => {
                self.configure(|rules| setup::queue(rules, name, options))?;
            }
            ["workspace", options @ ..] => {
                self.configure(|rules| setup::terms(rules, options))?;
            }
            ["agent", name, options @ ..] => {
                self.configure(|rules| setup::agent(rules, name, options).map(|_| ()))?;
                if options.contains(&"available") {
                    self.start();
                    self.act(&format!("signin {name}"))?;
                    self.rest();
                }
            }
            ["at", time, rest @ ..] => {
                self.start();
                self.go_to(Instant(START) + setup::span(time)?);
                for act in rest.join(" ").split(';') {
                    self.act(act.trim())?;
                }
                self.rest();
            }
            _ => return Err("no such line".to_owned()),
        }
        Ok(std::mem::take(&mut self.said))
    }

    fn configure(
        &mut self,
        change: impl FnOnce(&mut Workspace) -> Result<(), Wrong>,
    ) -> Result<(), Wrong> {
        let mut rules = (*self.rules).clone();
        change(&mut rules)?;
        self.rules = Arc::new(rules);
        if self.started {
            while self.queues.len() < self.rules.queues.len() {
                self.add_queue();
            }
            self.to_floor
                .push(FloorInput::Rules(Arc::clone(&self.rules)));
            for queue in &self.rules.queues {
                let input = QueueInput::Rules(Arc::clone(&self.rules));
                self.to_queue.push((queue.id, input));
            }
            self.rest();
        }
        Ok(())
    }

    fn add_queue(&mut self) {
        let id = QueueId(u32::try_from(self.queues.len()).unwrap());
        let rules = Arc::clone(&self.rules);
        self.queues
            .push(Queue::new(rules, id, Incarnation(1), Incarnation(1)));
    }

    fn start(&mut self) {
        if !self.started {
            self.started = true;
            self.floor = Floor::new(Arc::clone(&self.rules), Incarnation(1), 0);
            while self.queues.len() < self.rules.queues.len() {
                self.add_queue();
            }
            self.rest();
        }
    }

    /// Lets time pass, every deadline on the way taken exactly.
    fn go_to(&mut self, at: Instant) {
        loop {
            let floor = self.floor.next_wake();
            let queues = self.queues.iter().filter_map(Machine::next_wake);
            let Some((next, _)) = queues.chain(floor).min_by_key(|(at, _)| *at) else {
                break;
            };
            if next >= at {
                break;
            }
            self.now = self.now.max(next);
            self.rest();
        }
        self.now = at;
    }

    /// A pass: messages until rest, no time passing. What is asked is applied before timers.
    fn rest(&mut self) {
        loop {
            let mut out = Outbox::default();
            for input in std::mem::take(&mut self.to_floor) {
                self.floor.apply(self.now, input, &mut out);
            }
            self.floor.turn(self.now, &mut out);
            self.take(out);
            let inputs = std::mem::take(&mut self.to_queue);
            for index in 0..self.queues.len() {
                let mut out = Outbox::default();
                for (queue, input) in &inputs {
                    if queue.index() == index {
                        self.queues[index].apply(self.now, input.clone(), &mut out);
                    }
                }
                self.queues[index].turn(self.now, &mut out);
                self.take(out);
            }
            if self.to_floor.is_empty() && self.to_queue.is_empty() {
                break;
            }
        }
        assert_eq!(
            self.floor.idle_pair(),
            None,
            "a free agent beside a waiting contact"
        );
        assert_eq!(self.floor.misplaced(), None, "an agent out of order");
    }

    fn take(&mut self, out: Outbox) {
        for effect in out.effects {
            match effect {
                Effect::Event { event, by, content } => self.logged(event, by, content),
                Effect::ToFloor(said) => self.to_floor.push(FloorInput::Queue(said)),
                Effect::ToQueue(said) => self.to_queue.push((said.queue, QueueInput::Floor(said))),
                Effect::Me(..) => {}
                Effect::Reply(to, result) => self.replied(to, result),
            }
        }
    }

    fn logged(&mut self, event: Event, by: By, content: Option<Box<Content>>) {
        match &event {
            Event::OfferMade { offer, .. } => self.offers.push(offer.offer),
            Event::MediaConnect { command, .. } => {
                self.commands.insert(command.contact, *command);
            }
            Event::ContactEntered { facts, queue, .. } => {
                self.homes.insert(facts.id, *queue);
            }
            _ => {}
        }
        say::is_kept(&event);
        if let Some(text) = say::event(self, &event) {
            let note = content.as_ref().and_then(|said| said.note.as_ref());
            let note = note.map_or_else(String::new, |note| format!(" \"{note}\""));
            self.say(&format!("{text}{note}"));
        }
        self.seq += 1;
        self.log.push(Record {
            seq: Seq(self.seq),
            at: self.now,
            by,
            event,
            content,
        });
    }

    fn say(&mut self, text: &str) {
        let at = self.now.0 - START;
        let line = format!("{}.{:03} {text}", at / 1000, at % 1000);
        self.said.push(line);
    }

    fn replied(
        &mut self,
        to: ReplyTo,
        result: Result<Answer, switchroom::domain::machine::Refusal>,
    ) {
        if let Ok(Answer::SignedIn(signed_in)) = &result {
            let card = &signed_in.agent;
            self.generations.insert(card.agent, card.generation);
            let present = FloorInput::Present(card.agent, card.generation);
            self.to_floor.push(present);
        }
        let asked = self.asked.remove(&to.request).unwrap();
        match result {
            Ok(_) => self.say(&format!("reply {asked}: done")),
            Err(refusal) => {
                let text = say::names(self, &refusal.to_string());
                self.say(&format!("reply {asked}: {text}"));
            }
        }
    }

    fn asked(&mut self, who: &str, what: &str) -> Asked {
        let request = self.asked.len() as u64 + self.seq * 1_000;
        self.asked.insert(request, what.to_owned());
        let agent = self.agent(who).unwrap();
        Asked {
            principal: setup::principal(&self.rules, who),
            generation: self.generations.get(&agent).copied(),
            reply: Some(ReplyTo { door: 0, request }),
        }
    }

    fn agent(&self, name: &str) -> Result<AgentId, Wrong> {
        let agent = self.rules.agents.iter().find(|agent| agent.name == name);
        Ok(agent.ok_or_else(|| format!("no agent {name}"))?.id)
    }

    fn offer(&self, name: &str) -> Result<OfferId, Wrong> {
        let number: usize = name.trim_start_matches('o').parse().map_err(|_| "offer")?;
        Ok(self
            .offers
            .get(number - 1)
            .copied()
            .unwrap_or(OfferId(999_999)))
    }

    /// Name of an offer, in the order they were made.
    pub fn offer_name(&self, offer: OfferId) -> String {
        let place = self.offers.iter().position(|known| *known == offer);
        place.map_or("o?".to_owned(), |place| format!("o{}", place + 1))
    }

    /// Name of a contact, as the transcript calls it.
    pub fn contact_name(&self, contact: ContactId) -> &str {
        let known = self.contacts.iter().find(|(_, id)| **id == contact);
        known.map_or("?", |(name, _)| name)
    }

    /// Contacts and offers with the names the transcript knows.
    pub fn known(&self) -> (&BTreeMap<String, ContactId>, &[OfferId], &Workspace) {
        (&self.contacts, &self.offers, &self.rules)
    }

    /// Time since the start, for people.
    pub fn clock(&self, at: Instant) -> String {
        let at = at.0.saturating_sub(START);
        format!("{}.{:03}", at / 1000, at % 1000)
    }

    fn act(&mut self, act: &str) -> Result<(), Wrong> {
        let words: Vec<&str> = act.split_whitespace().collect();
        match words.as_slice() {
            [] => {}
            ["submit", names, queue, options @ ..] => {
                for name in names.split(',') {
                    self.submit(name, queue, options)?;
                }
            }
            ["lost", who] | ["back", who] => {
                let agent = self.agent(who)?;
                let generation = self.generations[&agent];
                self.to_floor.push(if words[0] == "lost" {
                    FloorInput::SocketLost(agent, generation)
                } else {
                    FloorInput::SocketBack(agent, generation)
                });
            }
            [
                verb @ ("abandon" | "end" | "requeue" | "prioritise" | "wrapup" | "report"),
                contact,
                options @ ..,
            ] => {
                self.contact_act(verb, contact, options, act)?;
            }
            [verb, who, options @ ..] => {
                let command = self.floor_act(verb, who, options)?;
                let by = setup::options(options)
                    .iter()
                    .find(|(key, _)| *key == "by")
                    .map_or(*who, |(_, by)| by);
                let asked = self.asked(by, act);
                self.to_floor.push(FloorInput::Command(asked, command));
            }
            [verb] => return Err(format!("no act {verb}")),
        }
        Ok(())
    }

    fn floor_act(&self, verb: &str, who: &str, options: &[&str]) -> Result<FloorCommand, Wrong> {
        let flag = |name: &str| options.contains(&name);
        let first = options.first().copied().unwrap_or_default();
        let when = if flag("after_work") {
            When::AfterWork
        } else {
            When::Now
        };
        let agent = Some(self.agent(who)?);
        Ok(match verb {
            "accept" => FloorCommand::Accept(self.offer(first)?),
            "decline" => FloorCommand::Decline {
                offer: self.offer(first)?,
                reason: options.get(1).map(|&why| why.to_owned()),
            },
            "shown" => FloorCommand::Shown(self.offer(first)?),
            "signin" => FloorCommand::SignIn {
                take_over: flag("take_over"),
                channels: None,
                queues: None,
            },
            "signout" => FloorCommand::SignOut {
                agent,
                when,
                work: ["refuse", "drain", "return"]
                    .into_iter()
                    .zip([SignOutWork::Refuse, SignOutWork::Drain, SignOutWork::Return])
                    .find(|(name, _)| flag(name))
                    .map(|(_, work)| work),
            },
            "available" => FloorCommand::SetState {
                agent,
                state: AgentState::Available,
                when,
            },
            "not_ready" => FloorCommand::SetState {
                agent,
                state: AgentState::NotReady(first.to_owned()),
                when,
            },
            "on" => FloorCommand::SetChannels {
                agent,
                on: ChannelSet::of(setup::channel(&self.rules, first)?),
                off: ChannelSet::EMPTY,
            },
            "queues" => FloorCommand::SetQueues {
                agent,
                queues: setup::queues(&self.rules, first)?,
            },
            _ => return Err(format!("no act {verb}")),
        })
    }

    fn contact_act(
        &mut self,
        verb: &str,
        contact: &str,
        options: &[&str],
        act: &str,
    ) -> Result<(), Wrong> {
        let id = *self.contacts.get(contact).ok_or("no such contact")?;
        let mut by = match verb {
            "abandon" | "report" => "cn",
            _ => "sup",
        };
        let (mut priority, mut tier, mut codes) = (None, None, None);
        for (key, value) in setup::options(options) {
            match key {
                "by" => by = value,
                "priority" => priority = value.parse().ok(),
                "tier" => tier = value.parse().ok(),
                "codes" => codes = Some(vec![value.to_owned()]),
                _ => {}
            }
        }
        let flag = |name: &str| options.contains(&name);
        let command = match verb {
            "abandon" => QueueCommand::Abandon(id),
            "end" => QueueCommand::End(id),
            "requeue" => QueueCommand::Requeue(id),
            "prioritise" => QueueCommand::Prioritise {
                contact: id,
                priority,
                tier,
            },
            "wrapup" => QueueCommand::WrapUp {
                contact: id,
                codes,
                note: None,
                done: flag("done"),
            },
            _ => QueueCommand::Report {
                contact: id,
                command: self.commands[&id],
                report: if flag("failed") {
                    Report::Failed
                } else {
                    Report::Connected
                },
            },
        };
        let asked = self.asked(by, act);
        let home = self.homes[&id];
        self.to_queue
            .push((home, QueueInput::Command(asked, command)));
        Ok(())
    }

    fn submit(&mut self, name: &str, queue: &str, options: &[&str]) -> Result<(), Wrong> {
        let number = self.contacts.len() as u128 + 1;
        let id = ContactId(uuid::Uuid::from_u128(number));
        let queue = self.rules.queues.iter().find(|known| known.name == queue);
        let queue = queue.ok_or("no such queue")?.id;
        let mut facts = Facts {
            id,
            external_id: name.into(),
            channel: setup::channel(&self.rules, "voice")?,
            conversation: id,
            first_entry: Instant(0),
            priority: 0,
            tier: TIER,
            due_at: None,
            requirement: Requirement::anyone(),
            preferred: None,
            patience: Some(Span::seconds(60)),
            submitted_by: UserId::from(self.agent("cn")?),
        };
        for (key, value) in setup::options(options) {
            match key {
                "priority" => facts.priority = value.parse().map_err(|_| "priority")?,
                "tier" => facts.tier = value.parse().map_err(|_| "tier")?,
                "need" => facts.requirement = setup::expression(&self.rules, value)?,
                "prefer" => facts.preferred = Some(self.agent(value)?),
                "patience" => facts.patience = setup::span(value).ok(),
                "due" => facts.due_at = Some(Instant(START) + setup::span(value)?),
                channel => facts.channel = setup::channel(&self.rules, channel)?,
            }
        }
        self.contacts.insert(name.to_owned(), id);
        self.homes.insert(id, queue);
        let asked = self.asked("cn", &format!("submit {name}"));
        let command = QueueCommand::Submit {
            facts: Box::new(facts),
            content: Box::new(Content::default()),
        };
        self.to_queue
            .push((queue, QueueInput::Command(asked, command)));
        Ok(())
    }
}
