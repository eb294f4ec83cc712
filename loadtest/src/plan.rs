//! The workload, drawn from a seed: who serves which queue, when contacts come, how long they take.

use std::time::Duration;

use anyhow::{Result, bail};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use crate::room::CHANNELS;

/// Name of the integration identity that submits and carries media.
pub const CONNECTOR: &str = "connector";

/// Shares of the channels, in the order of [`CHANNELS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mix(pub [u32; CHANNELS.len()]);

impl std::str::FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut shares = [0; CHANNELS.len()];
        for part in text.split(',') {
            let (name, share) = part
                .split_once('=')
                .ok_or_else(|| format!("`{part}` is not channel=share"))?;
            let channel = crate::room::channel(name.trim()).ok_or_else(|| {
                format!("no channel `{name}`; there are voice, chat, email and sms")
            })?;
            shares[channel] = share
                .trim()
                .parse()
                .map_err(|_| format!("the share of {name} is no whole number: `{share}`"))?;
        }
        if shares.iter().all(|share| *share == 0) {
            return Err("every share is 0".to_owned());
        }
        Ok(Self(shares))
    }
}

impl std::fmt::Display for Mix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts: Vec<String> = CHANNELS
            .iter()
            .zip(self.0)
            .map(|(channel, share)| format!("{}={share}", channel.name))
            .collect();
        f.write_str(&parts.join(","))
    }
}

/// What one contact is.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    /// Index of the channel.
    pub channel: usize,
    /// Index of the queue.
    pub queue: usize,
    /// How long the agent talks.
    pub handle: Duration,
    /// How long the agent writes up.
    pub wrap_up: Duration,
}

/// What a plan is drawn from.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Agents signed in.
    pub agents: usize,
    /// Queues of the workspace.
    pub queues: usize,
    /// Queues each agent serves.
    pub queues_per_agent: usize,
    /// Supervisors at both tables.
    pub supervisors: usize,
    /// Mean of the exponential handle time.
    pub handle: Duration,
    /// Mean of the exponential wrap-up time.
    pub wrap_up: Duration,
    /// Shares of the channels.
    pub mix: Mix,
    /// What all draws depend on.
    pub seed: u64,
}

/// The workload of one run.
#[derive(Debug)]
pub struct Plan {
    /// What it was drawn from.
    pub sizes: Sizes,
    /// Queues of each agent.
    pub memberships: Vec<Vec<usize>>,
    /// Agents of each queue.
    pub members: Vec<Vec<usize>>,
}

impl Plan {
    /// Draws the memberships: every queue gets members, evenly. Refuses sizes that leave one without.
    pub fn new(sizes: Sizes) -> Result<Self> {
        let per_agent = sizes.queues_per_agent;
        if sizes.agents == 0 || sizes.queues == 0 || per_agent == 0 {
            bail!("agents, queues and queues per agent are at least 1");
        }
        if per_agent > sizes.queues {
            bail!(
                "an agent cannot serve {per_agent} of {} queues",
                sizes.queues
            );
        }
        if sizes.agents * per_agent < sizes.queues {
            bail!(
                "{} agents in {per_agent} queues each leave some of {} queues without members",
                sizes.agents,
                sizes.queues
            );
        }
        let mut chance = StdRng::seed_from_u64(sizes.seed);
        let mut members = vec![Vec::new(); sizes.queues];
        let mut order: Vec<usize> = (0..sizes.queues).collect();
        let mut memberships = Vec::with_capacity(sizes.agents);
        for agent in 0..sizes.agents {
            order.shuffle(&mut chance);
            order.sort_by_key(|queue| members[*queue].len());
            let mut own = order[..per_agent].to_vec();
            own.sort_unstable();
            for queue in &own {
                members[*queue].push(agent);
            }
            memberships.push(own);
        }
        Ok(Self {
            sizes,
            memberships,
            members,
        })
    }

    /// What contact number `index` is; the same for every run of a seed, whoever handles it.
    pub fn contact(&self, index: u32) -> Draw {
        let spread = u64::from(index)
            .wrapping_add(1)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut chance = StdRng::seed_from_u64(self.sizes.seed ^ spread);
        let mut ticket = chance.random_range(0..self.sizes.mix.0.iter().sum());
        let mut channel = 0;
        for (index, share) in self.sizes.mix.0.iter().enumerate() {
            if ticket < *share {
                channel = index;
                break;
            }
            ticket -= share;
        }
        Draw {
            channel,
            queue: chance.random_range(0..self.sizes.queues),
            handle: exponential(&mut chance, self.sizes.handle),
            wrap_up: exponential(&mut chance, self.sizes.wrap_up),
        }
    }
}

/// Name of an agent.
pub fn agent_name(index: usize) -> String {
    format!("agent-{:05}", index + 1)
}

/// Name of a queue.
pub fn queue_name(index: usize) -> String {
    format!("queue-{:03}", index + 1)
}

/// Name of a supervisor.
pub fn supervisor_name(index: usize) -> String {
    format!("supervisor-{:03}", index + 1)
}

/// Gaps between contacts of a Poisson stream.
pub struct Arrivals {
    chance: StdRng,
    mean: Duration,
}

impl Arrivals {
    /// Arrivals at so many per second.
    pub fn new(seed: u64, rate: f64) -> Self {
        Self {
            chance: StdRng::seed_from_u64(seed.rotate_left(32)),
            mean: Duration::from_secs_f64(1.0 / rate),
        }
    }

    /// Time to the next contact.
    pub fn gap(&mut self) -> Duration {
        exponential(&mut self.chance, self.mean)
    }
}

fn exponential(chance: &mut StdRng, mean: Duration) -> Duration {
    let unit: f64 = chance.random();
    mean.mul_f64(-(1.0 - unit).ln())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes() -> Sizes {
        Sizes {
            agents: 1_000,
            queues: 50,
            queues_per_agent: 5,
            supervisors: 20,
            handle: Duration::from_millis(400),
            wrap_up: Duration::from_millis(150),
            mix: "voice=40,chat=40,email=10,sms=10".parse().unwrap(),
            seed: 7,
        }
    }

    #[test]
    fn members_are_spread_evenly_and_the_seed_decides() {
        let plan = Plan::new(sizes()).unwrap();
        assert!(plan.members.iter().all(|members| members.len() == 100));
        assert!(plan.memberships.iter().all(|own| own.len() == 5));
        assert_eq!(plan.memberships, Plan::new(sizes()).unwrap().memberships);
    }

    #[test]
    fn draws_follow_the_mix_and_the_means() {
        let plan = Plan::new(sizes()).unwrap();
        let mut counts = [0_u32; CHANNELS.len()];
        let mut handle = Duration::ZERO;
        for index in 0..20_000 {
            let draw = plan.contact(index);
            counts[draw.channel] += 1;
            handle += draw.handle;
        }
        assert!((7_700..8_300).contains(&counts[0]), "voice {}", counts[0]);
        assert!((1_850..2_150).contains(&counts[3]), "sms {}", counts[3]);
        let mean = handle.as_secs_f64() * 1_000.0 / 20_000.0;
        assert!((390.0..410.0).contains(&mean), "mean {mean}");
    }

    #[test]
    fn arrivals_keep_the_rate() {
        let mut arrivals = Arrivals::new(3, 1_000.0);
        let total: Duration = (0..50_000).map(|_| arrivals.gap()).sum();
        let seconds = total.as_secs_f64();
        assert!((49.0..51.0).contains(&seconds), "{seconds}");
    }

    #[test]
    fn a_mix_names_channels_that_exist() {
        let error = "voice=1,fax=2".parse::<Mix>().unwrap_err();
        assert!(error.contains("fax"), "{error}");
        assert!("voice=0".parse::<Mix>().is_err());
        assert!("voice".parse::<Mix>().is_err());
    }

    #[test]
    fn sizes_that_leave_a_queue_alone_are_refused() {
        let mut few = sizes();
        few.agents = 3;
        assert!(Plan::new(few).is_err());
    }
}
