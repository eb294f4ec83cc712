//! What happened how often, over all seeds: a simulation that never meets a thing proves
//! nothing about it.

use std::collections::BTreeMap;
use std::mem::discriminant;
use switchroom::domain::event::{Event, Record};
use switchroom::domain::offer::Outcome;

/// Counts of a run.
#[derive(Default)]
pub struct Tally {
    pub steps: u64,
    pub rests: u64,
    pub restarts: u64,
    pub barriers: u64,
    pub happened: BTreeMap<String, u64>,
    /// Every event, if anybody wants to read them.
    pub log: Option<Vec<Record>>,
    /// Names of events by their kind, so that a name is made only once.
    kinds: Vec<(std::mem::Discriminant<Event>, String, u64)>,
}

impl Tally {
    pub fn event(&mut self, event: &Event) {
        let kind = discriminant(event);
        match self.kinds.iter_mut().find(|(known, ..)| *known == kind) {
            Some((_, _, count)) => *count += 1,
            None => {
                let name = format!("{event:?}");
                let name = name.split(['{', '(', ' ']).next().unwrap_or("").to_owned();
                self.kinds.push((kind, name, 1));
            }
        }
        if let Event::OfferEnded { outcome, .. } = event {
            self.count(match outcome {
                Outcome::Accepted => "ended accepted",
                Outcome::Declined => "ended declined",
                Outcome::Missed => "ended missed",
                Outcome::Failed => "ended failed",
                Outcome::Withdrawn(why) => withdrawn(*why),
            });
        }
    }

    pub fn count(&mut self, what: &str) {
        match self.happened.get_mut(what) {
            Some(count) => *count += 1,
            None => {
                self.happened.insert(what.to_owned(), 1);
            }
        }
    }

    /// Adds what happened elsewhere.
    pub fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.rests += other.rests;
        self.restarts += other.restarts;
        self.barriers += other.barriers;
        let kinds = other.kinds.iter().map(|(_, name, count)| (name, count));
        for (what, count) in other.happened.iter().chain(kinds) {
            *self.happened.entry(what.clone()).or_default() += count;
        }
    }
}

fn withdrawn(why: switchroom::domain::offer::Withdrawn) -> &'static str {
    use switchroom::domain::offer::Withdrawn;
    match why {
        Withdrawn::Abandoned => "withdrawn abandoned",
        Withdrawn::LostRace => "withdrawn lost_race",
        Withdrawn::AgentLeft => "withdrawn agent_left",
        Withdrawn::Supervisor => "withdrawn supervisor",
        Withdrawn::Moved => "withdrawn moved",
        Withdrawn::Overflowed => "withdrawn overflowed",
        Withdrawn::NotEligible => "withdrawn not_eligible",
        Withdrawn::Restarted => "withdrawn restarted",
    }
}
