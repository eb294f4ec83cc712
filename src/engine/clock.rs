//! The clock: the only place that reads one. Everything else is told the time.

use crate::time::{Instant, Span};
use std::time::Duration;
use tokio::sync::watch;

/// Whole milliseconds since 1970 UTC: the wall clock's value at the start, moved on by the
/// monotonic clock, so that a jump of the wall clock moves nothing.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    System {
        wall: Instant,
        started: tokio::time::Instant,
    },
    Hand(watch::Sender<Instant>),
}

impl Clock {
    /// The system's clock.
    #[must_use]
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the one place that reads clocks"
    )]
    pub fn system() -> Self {
        let wall = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| {
                u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
            });
        Self(Kind::System {
            wall: Instant(wall),
            started: tokio::time::Instant::now(),
        })
    }

    /// The same clock, but never before `at`: where the wall clock was set back since then, it
    /// goes on from there.
    #[must_use]
    pub fn not_before(self, at: Instant) -> Self {
        match self.0 {
            Kind::System { wall, started } => {
                if wall < at {
                    let behind_ms = at.since(wall).0;
                    tracing::warn!(
                        behind_ms,
                        "the clock was set back; time goes on from the last event"
                    );
                }
                let wall = wall.max(at);
                Self(Kind::System { wall, started })
            }
            hand @ Kind::Hand(_) => Self(hand),
        }
    }

    /// A clock that stands at `at` until it is moved on by hand, for tests and simulations.
    #[must_use]
    pub fn by_hand(at: Instant) -> Self {
        Self(Kind::Hand(watch::Sender::new(at)))
    }

    /// Moves a clock that is moved by hand on, and wakes whoever waits for that; the system's
    /// clock moves by itself.
    pub fn move_on(&self, by: Span) {
        match &self.0 {
            Kind::System { .. } => {}
            Kind::Hand(at) => at.send_modify(|at| *at = *at + by),
        }
    }

    /// What the clock says.
    #[must_use]
    pub fn now(&self) -> Instant {
        match &self.0 {
            Kind::System { wall, started } => {
                let passed = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
                *wall + Span(passed)
            }
            Kind::Hand(at) => *at.borrow(),
        }
    }

    /// Waits until the clock says `at` or later; without end for [`Instant::NEVER`]. Cancel safe.
    pub async fn until(&self, at: Instant) {
        match &self.0 {
            Kind::System { .. } if at == Instant::NEVER => std::future::pending().await,
            Kind::System { wall, started } => {
                let due = started.checked_add(Duration::from_millis(at.since(*wall).0));
                match due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            }
            Kind::Hand(now) => {
                let mut now = now.subscribe();
                // The sender is this clock itself and outlives the wait.
                let _ = now.wait_for(|now| *now >= at).await;
            }
        }
    }
}

/// Lets others work for a moment of real time, whatever a clock says.
pub(super) async fn rest(moment: Duration) {
    tokio::time::sleep_until(tokio::time::Instant::now() + moment).await;
}

#[cfg(test)]
mod tests {
    use super::Clock;
    use crate::time::{Instant, Span};

    #[tokio::test]
    async fn time_goes_on_from_the_last_event_when_the_clock_was_set_back() {
        let wall = Clock::system().now();
        let ahead = wall + Span::minutes(60);
        assert!(Clock::system().not_before(ahead).now() >= ahead);
        let now = Clock::system().not_before(wall).now();
        assert!(now >= wall && now < ahead);
    }

    #[tokio::test]
    async fn a_wait_ends_when_the_clock_is_there() {
        let clock = Clock::by_hand(Instant(1_000));
        let waiter = clock.clone();
        let wait = tokio::spawn(async move { waiter.until(Instant(1_500)).await });
        clock.move_on(Span(499));
        tokio::task::yield_now().await;
        assert!(!wait.is_finished());
        clock.move_on(Span(1));
        wait.await.unwrap();
        assert_eq!(clock.now(), Instant(1_500));
    }

    #[tokio::test]
    async fn the_system_clock_has_arrived_when_its_wait_ends() {
        let clock = Clock::system();
        let due = clock.now() + Span(3);
        clock.until(due).await;
        assert!(clock.now() >= due);
        assert!(
            due > Instant(1_700_000_000_000),
            "the clock tells wall time"
        );
    }
}
