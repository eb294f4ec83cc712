//! Most urgent first, judged from outside after the run.

use std::collections::BTreeMap;

use crate::room::CHANNELS;

/// What is known of one contact's wait.
#[derive(Clone, Copy, Debug)]
pub struct Wait {
    /// The generator's number of the contact.
    pub contact: u32,
    /// Index of the queue.
    pub queue: usize,
    /// Index of the channel.
    pub channel: usize,
    /// Position at which it came into the queue.
    pub entered: u64,
    /// First entry plus the channel's target, in milliseconds.
    pub due: i64,
    /// Position of its first offer.
    pub offered: u64,
    /// Bits of the channels that the agent of that offer could surely have taken instead.
    pub could: u8,
}

/// Pairs that were served in the wrong order: the contact left standing, the one served before it.
///
/// A pair is wrong when both were in one queue, the first one came in at a smaller position and is
/// due strictly earlier, the second one was offered at a smaller position than the first, and its
/// agent could just then have taken the first. Each contact served too early counts once. Due
/// times are compared over channels only when the server's targets are known (`across`).
pub fn wrong_pairs(waits: &mut [Wait], across: bool) -> Vec<(u32, u32)> {
    waits.sort_unstable_by_key(|wait| (wait.queue, wait.entered));
    let mut wrong = Vec::new();
    for queue in waits.chunk_by(|a, b| a.queue == b.queue) {
        let mut lanes: [Latest; CHANNELS.len()] = Default::default();
        for wait in queue {
            let own = 1_u8 << wait.channel;
            let could = if across { wait.could | own } else { own };
            let standing = lanes
                .iter()
                .enumerate()
                .filter(|(channel, _)| could & (1 << channel) != 0)
                .find_map(|(_, lane)| lane.offered_after(wait));
            if let Some(standing) = standing {
                wrong.push((standing, wait.contact));
            }
            lanes[wait.channel].add(wait);
        }
    }
    wrong
}

/// Per due time, the latest first offer among the contacts due by then; grows with the due time.
#[derive(Default)]
struct Latest(BTreeMap<i64, (u64, u32)>);

impl Latest {
    /// A contact due before `wait` that was offered after it.
    fn offered_after(&self, wait: &Wait) -> Option<u32> {
        let (_, (offered, contact)) = self.0.range(..wait.due).next_back()?;
        (*offered > wait.offered).then_some(*contact)
    }

    fn add(&mut self, wait: &Wait) {
        let before = self.0.range(..=wait.due).next_back();
        if before.is_some_and(|(_, (offered, _))| *offered >= wait.offered) {
            return;
        }
        let passed: Vec<i64> = self
            .0
            .range(wait.due..)
            .take_while(|(_, (offered, _))| *offered <= wait.offered)
            .map(|(due, _)| *due)
            .collect();
        for due in passed {
            self.0.remove(&due);
        }
        self.0.insert(wait.due, (wait.offered, wait.contact));
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    fn wait(contact: u32, channel: usize, entered: u64, due: i64, offered: u64) -> Wait {
        Wait {
            contact,
            queue: 0,
            channel,
            entered,
            due,
            offered,
            could: 0b1111,
        }
    }

    #[test]
    fn first_due_first_served_is_silent() {
        let mut waits = [wait(1, 0, 10, 100, 20), wait(2, 0, 11, 101, 21)];
        assert!(wrong_pairs(&mut waits, true).is_empty());
    }

    #[test]
    fn a_later_contact_served_first_is_found() {
        let mut waits = [wait(1, 0, 10, 100, 30), wait(2, 0, 11, 101, 21)];
        assert_eq!(wrong_pairs(&mut waits, false), [(1, 2)]);
    }

    #[test]
    fn the_same_due_time_is_no_order() {
        let mut waits = [wait(1, 0, 10, 100, 30), wait(2, 0, 11, 100, 21)];
        assert!(wrong_pairs(&mut waits, true).is_empty());
    }

    #[test]
    fn over_channels_only_with_known_targets_and_an_agent_who_could() {
        let mut waits = [wait(1, 0, 10, 100, 30), wait(2, 1, 11, 140, 21)];
        assert!(wrong_pairs(&mut waits, false).is_empty());
        assert_eq!(wrong_pairs(&mut waits, true), [(1, 2)]);
        waits[1].could = 0b0010;
        assert!(wrong_pairs(&mut waits, true).is_empty());
    }

    #[test]
    fn agrees_with_the_plain_definition() {
        let mut chance = StdRng::seed_from_u64(11);
        for _ in 0..200 {
            let mut waits: Vec<Wait> = (0..40)
                .map(|contact| Wait {
                    contact,
                    queue: chance.random_range(0..2),
                    channel: chance.random_range(0..4),
                    entered: u64::from(contact),
                    due: chance.random_range(0..30),
                    offered: chance.random_range(50..200),
                    could: chance.random_range(0..16),
                })
                .collect();
            let plain: Vec<u32> = waits
                .iter()
                .filter(|late| {
                    waits.iter().any(|early| {
                        early.queue == late.queue
                            && early.entered < late.entered
                            && early.due < late.due
                            && early.offered > late.offered
                            && (early.channel == late.channel
                                || late.could & (1 << early.channel) != 0)
                    })
                })
                .map(|late| late.contact)
                .collect();
            let mut found: Vec<u32> = wrong_pairs(&mut waits, true)
                .iter()
                .map(|(_, late)| *late)
                .collect();
            found.sort_unstable();
            assert_eq!(found, plain);
        }
    }
}
