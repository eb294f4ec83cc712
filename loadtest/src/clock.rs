//! The generator's clock: one monotone origin, wall time for what the server stamps, exact waits.
#![allow(
    clippy::disallowed_methods,
    reason = "this file is the generator's only clock"
)]

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::unix::AsyncFd;

/// The monotone time now.
pub fn now() -> Instant {
    Instant::now()
}

/// Wall time now, in milliseconds since 1970 UTC with their fraction.
pub fn wall_ms() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
        * 1_000.0
}

/// Waits about so long; the runtime's timers have a grain of 1 ms.
pub async fn pause(span: Duration) {
    tokio::time::sleep(span).await;
}

/// Waits until about `at`, with the runtime's grain of 1 ms.
pub async fn pause_until(at: Instant) {
    tokio::time::sleep_until(at.into()).await;
}

/// Nanoseconds from `from` to `to`, none when `to` is earlier.
pub fn nanos(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.saturating_duration_since(from).as_nanos()).unwrap_or(u64::MAX)
}

/// A timer without the runtime's grain of 1 ms, which would be most of a submit's latency.
pub struct Alarm {
    timer: AsyncFd<OwnedFd>,
}

impl Alarm {
    /// An alarm of the present runtime. Fails when the system has no timers left.
    pub fn new() -> Result<Self> {
        let timer = timerfd_create(
            TimerfdClockId::Monotonic,
            TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC,
        )
        .context("the system gave no timer")?;
        #[allow(
            deprecated,
            reason = "the descriptor is owned and honest; the newer constructor is an unsafe fn"
        )]
        let timer = AsyncFd::new(timer)?;
        Ok(Self { timer })
    }

    /// Waits until `at`; returns at once when that has passed.
    pub async fn wait(&self, at: Instant) -> Result<()> {
        let left = at.saturating_duration_since(now());
        if left.is_zero() {
            return Ok(());
        }
        let once = Itimerspec {
            it_interval: Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            },
            it_value: Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: i64::from(left.subsec_nanos()),
            },
        };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
        loop {
            let mut ready = self.timer.readable().await?;
            let read = ready.try_io(|timer| {
                let mut count = [0_u8; 8];
                Ok(rustix::io::read(timer.get_ref(), &mut count)?)
            });
            match read {
                Ok(done) => {
                    done?;
                    return Ok(());
                }
                Err(_would_block) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_alarm_is_never_early() {
        let alarm = Alarm::new().unwrap();
        for step in 1..20_u64 {
            let at = now() + Duration::from_micros(step * 37);
            alarm.wait(at).await.unwrap();
            assert!(now() >= at, "rang before its time");
        }
    }
}
