//! Promises that are held against the whole ledger: at an offer, while contacts wait, at the end.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use super::{Close, Contact, Ledger, Shown};
use crate::order::{Wait, wrong_pairs};
use crate::plan::{agent_name, queue_name};
use crate::promise::Promise;
use crate::room::{self, CHANNELS};

/// A contact that waits beside an agent with room for longer than this breaks a promise. A pass
/// takes microseconds; the rest is for a loaded machine.
const REST: Duration = Duration::from_secs(1);

impl Ledger {
    /// Holds an offer against what its agent and its contact are.
    pub(super) fn judge_offer(&mut self, shown: &Shown<'_>) {
        let contact = &self.contacts[shown.contact as usize];
        let (channel, queue) = (usize::from(contact.channel), usize::from(contact.queue));
        let work = &self.agents[shown.agent].work;
        let who = || {
            format!(
                "{} of contact {} to {}",
                shown.offer,
                shown.contact,
                agent_name(shown.agent)
            )
        };
        if !room::fits(work, channel) {
            self.broken
                .note(Promise::Room, || format!("{} beside {work:?}", who()));
        }
        if room::interrupted(work, channel) {
            self.broken.note(Promise::Interrupted, || {
                format!("{} beside {work:?}", who())
            });
        }
        if contact.refused {
            self.broken.note(Promise::Served, || {
                format!("{}, whose submit was refused", who())
            });
        }
        let member = self.plan.members[queue].contains(&shown.agent);
        let same = shown.channel == CHANNELS[channel].name && shown.queue == queue_name(queue);
        if !member || !same {
            self.broken.note(Promise::Eligible, || {
                format!(
                    "{} as {} in {}, member of {}: {member}",
                    who(),
                    shown.channel,
                    shown.queue,
                    queue_name(queue)
                )
            });
        }
        let mut hash = DefaultHasher::new();
        shown.offer.hash(&mut hash);
        if !self.offers.insert(hash.finish()) {
            self.broken
                .note(Promise::ShownOnce, || format!("{} again", who()));
        }
    }

    /// Looks for contacts that wait beside an agent with room.
    pub fn judge_waiting(&mut self, now: Instant) {
        let mut idle = Vec::new();
        for (number, since) in &self.waiting {
            if now.saturating_duration_since(*since) < REST {
                continue;
            }
            let contact = &self.contacts[*number as usize];
            let beside = self.plan.members[usize::from(contact.queue)]
                .iter()
                .find(|agent| {
                    let agent = &self.agents[**agent];
                    let rested = agent
                        .changed
                        .is_none_or(|at| now.saturating_duration_since(at) > REST);
                    rested && room::free(&agent.work, usize::from(contact.channel))
                });
            if let Some(agent) = beside {
                idle.push((*number, *agent));
            }
        }
        for (number, agent) in idle {
            self.waiting.remove(&number);
            self.broken.note(Promise::Idle, || {
                format!("contact {number} waits beside {}", agent_name(agent))
            });
        }
    }

    /// Judges what can be judged only at the end; nothing is under way any more.
    pub fn close(&mut self) {
        let mut waits = Vec::new();
        for number in 0..self.contacts.len() {
            self.close_contact(number);
            let contact = &self.contacts[number];
            if let (Some(entered), Some(offered), Some(first)) =
                (contact.entered, contact.first_offer, contact.first_entry)
            {
                waits.push(Wait {
                    contact: number as u32,
                    queue: usize::from(contact.queue),
                    channel: usize::from(contact.channel),
                    entered,
                    due: first + CHANNELS[usize::from(contact.channel)].target_ms,
                    offered,
                    could: contact.could,
                });
            }
        }
        for (standing, served) in wrong_pairs(&mut waits, self.targets_known) {
            self.broken.note(Promise::Order, || {
                format!("contact {served} was offered while {standing}, due earlier, stood in the same queue")
            });
        }
    }

    fn close_contact(&mut self, number: usize) {
        let contact = &mut self.contacts[number];
        let never = contact.close == Close::Open && !contact.refused;
        let unseen = contact.close == Close::Completed && contact.connects == 0;
        if never || unseen {
            let Contact {
                acknowledged,
                first_offer,
                connects,
                ..
            } = *contact;
            self.broken.note(Promise::Lost, || {
                format!("contact {number}: acknowledged {acknowledged}, offered at {first_offer:?}, connected {connects} times, completed: {unseen}")
            });
        }
        contact.stays.sort_unstable_by_key(|stay| stay.from);
        for pair in contact.stays.windows(2) {
            if pair[0].to.is_none_or(|to| to > pair[1].from) {
                let agents = [pair[0].agent, pair[1].agent].map(|agent| agent_name(agent as usize));
                self.broken.note(Promise::OneAgent, || {
                    format!("contact {number} at {agents:?} at once, {pair:?}")
                });
            }
        }
    }
}
