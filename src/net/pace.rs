//! How fast a socket may send: a bucket of messages that refills with time.

use crate::time::Instant;

/// What one socket may do, by the role of its user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// Messages a second that may be kept up.
    pub per_second: u32,
    /// Messages that may come at once.
    pub burst: u32,
    /// Requests without a reply.
    pub in_flight: usize,
}

impl Pace {
    /// Of a page that people work with: far above what hands can do.
    pub const PERSON: Self = Self {
        per_second: 50,
        burst: 100,
        in_flight: 32,
    };
    /// Of a connector, which speaks for a whole channel.
    pub const CONNECTOR: Self = Self {
        per_second: 2_000,
        burst: 4_000,
        in_flight: 1_024,
    };
}

/// Thousandths of a message: the bucket refills by the millisecond.
const ONE: u64 = 1_000;

/// The messages a socket may still send now.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    left: u64,
    filled: Instant,
    debts: u32,
}

impl Bucket {
    /// A full bucket.
    #[must_use]
    pub fn full(pace: Pace, now: Instant) -> Self {
        Self {
            left: u64::from(pace.burst) * ONE,
            filled: now,
            debts: 0,
        }
    }

    /// Takes one message out. Absent: it fits. Else after how many milliseconds it would, and
    /// whether the sender has kept coming for another whole burst all the same.
    pub fn take(&mut self, pace: Pace, now: Instant) -> Option<TooFast> {
        let full = u64::from(pace.burst) * ONE;
        let gained = now
            .since(self.filled)
            .0
            .saturating_mul(u64::from(pace.per_second));
        self.left = full.min(self.left.saturating_add(gained));
        self.filled = now;
        if let Some(left) = self.left.checked_sub(ONE) {
            self.left = left;
            self.debts = 0;
            return None;
        }
        self.debts = self.debts.saturating_add(1);
        Some(TooFast {
            after_ms: (ONE - self.left).div_ceil(u64::from(pace.per_second.max(1))),
            deaf: self.debts > pace.burst,
        })
    }
}

/// A message that came too soon.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooFast {
    /// It would fit after so many milliseconds.
    pub after_ms: u64,
    /// The sender does not listen: a whole burst of refusals in a row.
    pub deaf: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_the_rate_holds() {
        let pace = Pace::PERSON;
        let mut bucket = Bucket::full(pace, Instant(0));
        for _ in 0..100 {
            assert_eq!(bucket.take(pace, Instant(0)), None);
        }
        let refused = bucket.take(pace, Instant(0)).unwrap();
        assert_eq!((refused.after_ms, refused.deaf), (20, false));
        assert_eq!(bucket.take(pace, Instant(20)), None);
        assert!(bucket.take(pace, Instant(39)).is_some());
        // A second later a second's worth fits, not more.
        for _ in 0..50 {
            assert_eq!(bucket.take(pace, Instant(1_039)), None);
        }
        assert!(bucket.take(pace, Instant(1_039)).is_some());
    }

    #[test]
    fn only_a_sender_that_keeps_coming_is_deaf() {
        let pace = Pace::PERSON;
        let mut bucket = Bucket::full(pace, Instant(0));
        let answers: Vec<_> = (0..201).map(|_| bucket.take(pace, Instant(0))).collect();
        assert!(
            answers
                .iter()
                .flatten()
                .take(100)
                .all(|refused| !refused.deaf)
        );
        assert!(answers[200].unwrap().deaf);
        assert_eq!(bucket.take(pace, Instant(60_000)), None);
        for _ in 0..99 {
            bucket.take(pace, Instant(60_000));
        }
        assert!(!bucket.take(pace, Instant(60_000)).unwrap().deaf);
    }
}
