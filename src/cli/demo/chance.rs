//! Chance with a seed: the same seed makes the same demo, as far as timing allows.

use std::time::Duration;

/// A small generator (splitmix64).
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A generator of its own for somebody else.
    pub(super) fn branch(&mut self) -> Self {
        Self(self.next())
    }

    /// From 0 up to 1.
    pub(super) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True so often.
    pub(super) fn happens(&mut self, share: f64) -> bool {
        self.share() < share
    }

    /// Between two lengths of time, in milliseconds.
    pub(super) fn between(&mut self, least: u64, most: u64) -> Duration {
        let width = (most - least) as f64;
        Duration::from_millis(least + (self.share() * width) as u64)
    }

    /// Exponential with this mean, in milliseconds, at most five times the mean.
    pub(super) fn about(&mut self, mean: f64) -> Duration {
        let draw = -(1.0 - self.share()).ln() * mean;
        Duration::from_millis(draw.min(5.0 * mean) as u64)
    }

    /// One of several.
    pub(super) fn one_of<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        let place = (self.share() * of.len() as f64) as usize;
        of.get(place).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_makes_one_life() {
        let life = |seed| {
            let mut chance = Chance::new(seed);
            (0..50).map(|_| chance.about(100.0)).collect::<Vec<_>>()
        };
        assert_eq!(life(7), life(7));
        assert_ne!(life(7), life(8));
        assert!(
            life(7)
                .iter()
                .all(|draw| *draw <= Duration::from_millis(500))
        );
    }
}
