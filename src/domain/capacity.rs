//! Capacity: one account per agent over all queues, channels and paths, and the one rule that
//! says whether a contact still fits.

use crate::id::ChannelId;
use crate::limits::{CAPACITY, CHANNEL_DEFAULTS, CHANNELS};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A set of channels, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChannelSet(pub u64);

impl ChannelSet {
    /// No channel.
    pub const EMPTY: Self = Self(0);

    /// This one channel.
    #[must_use]
    pub fn of(channel: ChannelId) -> Self {
        Self(1u64.checked_shl(u32::from(channel.0)).unwrap_or(0))
    }

    /// Whether the channel is in the set.
    #[must_use]
    pub fn contains(self, channel: ChannelId) -> bool {
        self.meets(Self::of(channel))
    }

    /// Whether a channel is in both sets.
    #[must_use]
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Adds a channel.
    pub fn insert(&mut self, channel: ChannelId) {
        self.0 |= Self::of(channel).0;
    }

    /// Takes a channel out.
    pub fn remove(&mut self, channel: ChannelId) {
        self.0 &= !Self::of(channel).0;
    }

    /// Whether the set has no channel.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The channels, in order of their ids.
    pub fn iter(self) -> impl Iterator<Item = ChannelId> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let bit = u8::try_from(left.trailing_zeros())
                .ok()
                .filter(|_| left != 0)?;
            left &= left - 1;
            Some(ChannelId(bit))
        })
    }
}

impl FromIterator<ChannelId> for ChannelSet {
    fn from_iter<I: IntoIterator<Item = ChannelId>>(channels: I) -> Self {
        let mut set = Self::EMPTY;
        channels.into_iter().for_each(|channel| set.insert(channel));
        set
    }
}

impl fmt::Debug for ChannelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.iter().map(|channel| channel.0))
            .finish()
    }
}

/// What one contact of a channel takes of an agent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChannelRules {
    /// Name of the channel.
    pub name: String,
    /// Points one contact takes, 1 to [`CAPACITY`].
    pub weight: u32,
    /// Contacts of this channel one agent has at once, unless the agent's own limit says otherwise.
    pub max: u32,
    /// Channels whose connected legs interrupt work of this one.
    pub interrupted_by: ChannelSet,
}

/// The channels of a workspace, by id.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "Vec<ChannelRules>", into = "Vec<ChannelRules>")]
pub struct Channels {
    rules: Vec<ChannelRules>,
    /// By channel, those whose work it interrupts: `interrupted_by` read the other way.
    interrupts: Vec<ChannelSet>,
}

impl Channels {
    /// The channels in order of their ids. Those beyond [`CHANNELS`] are left out: the
    /// configuration refuses them.
    #[must_use]
    pub fn new(mut rules: Vec<ChannelRules>) -> Self {
        rules.truncate(CHANNELS);
        let ids = || (0u8..).map(ChannelId);
        let interrupts = ids()
            .zip(&rules)
            .map(|(by, _)| {
                let hit =
                    |(_, rules): &(ChannelId, &ChannelRules)| rules.interrupted_by.contains(by);
                ids()
                    .zip(&rules)
                    .filter(hit)
                    .map(|(channel, _)| channel)
                    .collect()
            })
            .collect();
        Self { rules, interrupts }
    }

    /// The rules of one channel.
    #[must_use]
    pub fn get(&self, channel: ChannelId) -> Option<&ChannelRules> {
        self.rules.get(channel.index())
    }

    /// The channel of this name.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<ChannelId> {
        self.iter()
            .find(|(_, rules)| rules.name == name)
            .map(|(channel, _)| channel)
    }

    /// Every channel with its rules, in order of the ids.
    pub fn iter(&self) -> impl Iterator<Item = (ChannelId, &ChannelRules)> {
        (0u8..).map(ChannelId).zip(&self.rules)
    }

    /// How many channels there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.rules.len()
    }

    /// The channels whose work is interrupted while a leg of this one is connected.
    #[must_use]
    pub fn interrupted_by(&self, channel: ChannelId) -> ChannelSet {
        self.interrupts
            .get(channel.index())
            .copied()
            .unwrap_or_default()
    }

    fn weight(&self, channel: ChannelId) -> u32 {
        self.get(channel).map_or(0, |rules| rules.weight)
    }
}

impl Default for Channels {
    /// [`CHANNEL_DEFAULTS`], in their order.
    fn default() -> Self {
        let id = |name: &str| {
            (0u8..)
                .zip(&CHANNEL_DEFAULTS)
                .find(|(_, channel)| channel.name == name)
                .map(|(id, _)| ChannelId(id))
        };
        let rules = CHANNEL_DEFAULTS.iter().map(|channel| ChannelRules {
            name: channel.name.to_owned(),
            weight: channel.weight,
            max: CAPACITY / channel.weight,
            interrupted_by: channel
                .interrupted_by
                .iter()
                .filter_map(|name| id(name))
                .collect(),
        });
        Self::new(rules.collect())
    }
}

impl From<Vec<ChannelRules>> for Channels {
    fn from(rules: Vec<ChannelRules>) -> Self {
        Self::new(rules)
    }
}

impl From<Channels> for Vec<ChannelRules> {
    fn from(channels: Channels) -> Self {
        channels.rules
    }
}

/// What one agent can carry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Capacity {
    /// Points of work at once; 0 takes none.
    pub points: u32,
    /// The agent's own limits on contacts at once, by channel, in place of the channel's `max`.
    pub max: Vec<(ChannelId, u32)>,
}

impl Default for Capacity {
    fn default() -> Self {
        Self {
            points: CAPACITY,
            max: Vec::new(),
        }
    }
}

impl Capacity {
    /// Contacts of the channel that the agent has at most.
    #[must_use]
    pub fn max(&self, channel: ChannelId, channels: &Channels) -> u32 {
        let own = self
            .max
            .iter()
            .find(|(own, _)| *own == channel)
            .map(|(_, max)| *max);
        own.or_else(|| channels.get(channel).map(|rules| rules.max))
            .unwrap_or(0)
    }
}

/// Why a contact does not fit.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, thiserror::Error,
)]
#[serde(rename_all = "snake_case")]
pub enum NoRoom {
    /// Present or reserved work would interrupt it at once.
    #[error("other work would interrupt it")]
    Interrupted,
    /// The agent has as many contacts of the channel as it may.
    #[error("no more contacts of this channel at once")]
    Max,
    /// Its weight is more than is left.
    #[error("too little capacity is left")]
    Points,
}

/// Work of one channel on one agent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Work {
    /// Offers, connecting and connected legs, wrap-up that holds capacity.
    count: u32,
    /// Those of them with a connected leg, the customer on hold or not.
    connected: u32,
}

/// What one agent carries now: every slot taken, whatever for.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Load {
    work: Vec<Work>,
    present: ChannelSet,
    connected: ChannelSet,
}

impl Load {
    /// Whether one more contact of `channel` fits:
    /// `count(X) + 1 ≤ max(X)`, `Σ weight of work that X does not interrupt + weight(X) ≤ points`,
    /// and no present or reserved work that interrupts X.
    ///
    /// # Errors
    /// The first reason why it does not.
    pub fn room_for(
        &self,
        channel: ChannelId,
        channels: &Channels,
        agent: &Capacity,
    ) -> Result<(), NoRoom> {
        let Some(rules) = channels.get(channel) else {
            return Err(NoRoom::Max);
        };
        if self.present.meets(rules.interrupted_by) {
            return Err(NoRoom::Interrupted);
        }
        if self.count(channel) >= agent.max(channel, channels) {
            return Err(NoRoom::Max);
        }
        let staying = ChannelSet(self.present.0 & !channels.interrupted_by(channel).0);
        if self.weight_of(staying, channels) + rules.weight > agent.points {
            return Err(NoRoom::Points);
        }
        Ok(())
    }

    /// How many more contacts of `channel` fit one after another, nothing else being taken:
    /// at least one exactly when [`Load::room_for`] says yes.
    #[must_use]
    pub fn free_for(&self, channel: ChannelId, channels: &Channels, agent: &Capacity) -> u32 {
        if self.room_for(channel, channels, agent).is_err() {
            return 0;
        }
        let staying = ChannelSet(self.present.0 & !channels.interrupted_by(channel).0);
        let points = agent.points - self.weight_of(staying, channels);
        let by_points = points
            .checked_div(channels.weight(channel))
            .unwrap_or(u32::MAX);
        by_points.min(agent.max(channel, channels) - self.count(channel))
    }

    /// Takes a slot for one contact, fitting or not: an offer, or work that came by another path.
    pub fn add(&mut self, channel: ChannelId) {
        self.change(channel, |work| work.count += 1);
    }

    /// Gives the slot of one contact back. Its leg is not connected any more.
    pub fn remove(&mut self, channel: ChannelId) {
        debug_assert!(
            self.count(channel) > self.connected_count(channel),
            "a slot that was not taken"
        );
        self.change(channel, |work| work.count = work.count.saturating_sub(1));
    }

    /// A leg of a contact that has a slot was connected.
    pub fn connect(&mut self, channel: ChannelId) {
        debug_assert!(
            self.count(channel) > self.connected_count(channel),
            "a leg without a slot"
        );
        self.change(channel, |work| work.connected += 1);
    }

    /// A connected leg ended, its slot still being held (wrap-up) or about to be given back.
    pub fn disconnect(&mut self, channel: ChannelId) {
        debug_assert!(
            self.connected_count(channel) > 0,
            "a leg that was not connected"
        );
        self.change(channel, |work| {
            work.connected = work.connected.saturating_sub(1)
        });
    }

    /// Slots taken on the channel, interrupted work included.
    #[must_use]
    pub fn count(&self, channel: ChannelId) -> u32 {
        self.work.get(channel.index()).map_or(0, |work| work.count)
    }

    /// Connected legs of the channel.
    #[must_use]
    pub fn connected_count(&self, channel: ChannelId) -> u32 {
        self.work
            .get(channel.index())
            .map_or(0, |work| work.connected)
    }

    /// The channels with work of any kind.
    #[must_use]
    pub fn present(&self) -> ChannelSet {
        self.present
    }

    /// Whether there is no work at all.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.present.is_empty()
    }

    /// The channels whose present work is interrupted when a leg of `channel` connects.
    #[must_use]
    pub fn interrupts(&self, channel: ChannelId, channels: &Channels) -> ChannelSet {
        ChannelSet(self.present.0 & channels.interrupted_by(channel).0)
    }

    /// The channels whose work is interrupted now: a leg of an interrupting channel is connected.
    #[must_use]
    pub fn interrupted(&self, channels: &Channels) -> ChannelSet {
        self.interrupted_while(self.connected, channels)
    }

    /// Points in use: work that no other present or reserved work interrupts.
    #[must_use]
    pub fn points(&self, channels: &Channels) -> u32 {
        let resting = self.interrupted_while(self.present, channels);
        self.weight_of(ChannelSet(self.present.0 & !resting.0), channels)
    }

    /// Whether the agent carries more than it can: after its limits were lowered, or by override.
    #[must_use]
    pub fn is_over(&self, channels: &Channels, agent: &Capacity) -> bool {
        self.points(channels) > agent.points
            || self
                .present
                .iter()
                .any(|channel| self.count(channel) > agent.max(channel, channels))
    }

    fn interrupted_while(&self, working: ChannelSet, channels: &Channels) -> ChannelSet {
        let hit = working
            .iter()
            .fold(0, |hit, channel| hit | channels.interrupted_by(channel).0);
        ChannelSet(self.present.0 & hit)
    }

    fn weight_of(&self, set: ChannelSet, channels: &Channels) -> u32 {
        set.iter()
            .map(|channel| self.count(channel).saturating_mul(channels.weight(channel)))
            .sum()
    }

    fn change(&mut self, channel: ChannelId, change: impl FnOnce(&mut Work)) {
        if self.work.len() <= channel.index() {
            self.work.resize(channel.index() + 1, Work::default());
        }
        let Some(work) = self.work.get_mut(channel.index()) else {
            return;
        };
        change(work);
        let (present, connected) = (work.count > 0, work.connected > 0);
        for (set, on) in [
            (&mut self.present, present),
            (&mut self.connected, connected),
        ] {
            if on {
                set.insert(channel);
            } else {
                set.remove(channel);
            }
        }
    }
}

#[cfg(test)]
#[path = "capacity/tests.rs"]
mod tests;
