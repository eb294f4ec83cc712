//! How fast a socket may send, or an identity ask over HTTP: a bucket of messages that refills
//! with time.

use crate::access::principal::Principal;
use crate::id::UserId;
use crate::time::Instant;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

    /// That of a user's sockets, and of his requests over HTTP together.
    #[must_use]
    pub fn of(principal: &Principal) -> Self {
        if principal.is_integration() {
            Self::CONNECTOR
        } else {
            Self::PERSON
        }
    }
}

/// A request over the limit of those in flight may be tried again so much later.
pub const FLIGHT_AFTER_MS: u64 = 50;

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
        self.take_many(1, pace, now)
    }

    /// Takes so many out, at most a burst, or none.
    pub fn take_many(&mut self, messages: u32, pace: Pace, now: Instant) -> Option<TooFast> {
        let wanted = u64::from(messages.min(pace.burst)) * ONE;
        let full = u64::from(pace.burst) * ONE;
        let gained = now
            .since(self.filled)
            .0
            .saturating_mul(u64::from(pace.per_second));
        self.left = full.min(self.left.saturating_add(gained));
        self.filled = now;
        if let Some(left) = self.left.checked_sub(wanted) {
            self.left = left;
            self.debts = 0;
            return None;
        }
        self.debts = self.debts.saturating_add(1);
        Some(TooFast {
            after_ms: (wanted - self.left).div_ceil(u64::from(pace.per_second.max(1))),
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

/// The pace of every identity over HTTP, where there is no session to count by.
#[derive(Debug, Default)]
pub struct Paces(Mutex<HashMap<Whose, Meter>>);

/// A user of a workspace.
type Whose = (String, UserId);

#[derive(Debug)]
struct Meter {
    bucket: Bucket,
    in_flight: usize,
}

impl Paces {
    /// Nothing between lock and unlock can panic, so a poisoned lock holds whole meters.
    fn lock(&self) -> MutexGuard<'_, HashMap<Whose, Meter>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a request of a user, which lasts until its place is dropped.
    ///
    /// # Errors
    /// When it comes too soon, or too many of them are at work: after how many milliseconds it
    /// may come again.
    pub fn enter(
        self: &Arc<Self>,
        workspace: &str,
        principal: &Principal,
        now: Instant,
    ) -> Result<Place, u64> {
        let pace = Pace::of(principal);
        let whose = (workspace.to_owned(), principal.user());
        let mut meters = self.lock();
        let meter = meters.entry(whose.clone()).or_insert_with(|| Meter {
            bucket: Bucket::full(pace, now),
            in_flight: 0,
        });
        if meter.in_flight >= pace.in_flight {
            return Err(FLIGHT_AFTER_MS);
        }
        if let Some(too_fast) = meter.bucket.take(pace, now) {
            return Err(too_fast.after_ms);
        }
        meter.in_flight += 1;
        Ok(Place {
            paces: Arc::clone(self),
            whose,
            pace,
        })
    }
}

/// The place of a request among those of its user that are at work.
#[derive(Debug)]
pub struct Place {
    paces: Arc<Paces>,
    whose: Whose,
    pace: Pace,
}

impl Place {
    /// The request counts as so many more.
    ///
    /// # Errors
    /// When that is too much now: after how many milliseconds it may come again.
    pub fn more(&self, messages: u32, now: Instant) -> Result<(), u64> {
        let mut meters = self.paces.lock();
        let Some(meter) = meters.get_mut(&self.whose) else {
            return Ok(());
        };
        match meter.bucket.take_many(messages, self.pace, now) {
            None => Ok(()),
            Some(too_fast) => Err(too_fast.after_ms),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(meter) = self.paces.lock().get_mut(&self.whose) {
            meter.in_flight -= 1;
        }
    }
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

    fn somebody(user: u32) -> Arc<Principal> {
        use crate::access::principal::Identity;
        use crate::access::role::{Limits, Roles};
        let identity = Identity::new(UserId(user), "ana", "agent");
        identity
            .principal(&Roles::built_in(), Limits::default(), 1)
            .unwrap()
    }

    #[test]
    fn requests_of_one_user_are_counted_together_and_of_each_alone() {
        let (paces, ana, bo) = (Arc::new(Paces::default()), somebody(1), somebody(2));
        let enter = |who: &Principal, at| paces.enter("main", who, Instant(at));
        let at_work: Vec<_> = (0..32).map(|_| enter(&ana, 0).unwrap()).collect();
        assert_eq!(enter(&ana, 0).err(), Some(FLIGHT_AFTER_MS));
        assert!(enter(&bo, 0).is_ok());
        assert!(paces.enter("other", &ana, Instant(0)).is_ok());
        drop(at_work);
        for _ in 32..100 {
            enter(&ana, 0).unwrap();
        }
        assert_eq!(enter(&ana, 0).err(), Some(20));
        let place = enter(&ana, 1_020).unwrap();
        assert_eq!(place.more(50, Instant(1_020)), Ok(()));
        assert_eq!(place.more(10, Instant(1_020)), Err(200));
        assert_eq!(place.more(10, Instant(1_220)), Ok(()));
    }
}
