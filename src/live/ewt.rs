//! The wait that a contact in line may expect, from how fast its queue has been answering.

use crate::limits;
use crate::time::{Instant, Span};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// An expected wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ewt {
    /// Expected wait from now on, in ms.
    pub ms: u64,
    /// Nine of ten wait at most so long, in ms.
    pub p90_ms: u64,
    /// How it was found.
    pub method: Method,
    /// Departures it is founded on.
    pub n: u32,
}

/// How an expected wait was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// Position × mean gap between departures.
    Departures,
    /// The mean of that and of what the head of the line has waited, shared over the line.
    Blended,
}

impl Method {
    /// The word for it on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Departures => "departures",
            Self::Blended => "blended",
        }
    }
}

/// When contacts of a queue were answered, in slots of [`limits::EWT_SLOT`]: as much of it as
/// estimates look back on.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Departures {
    /// Slot number and answers in it, in order.
    slots: VecDeque<(u64, u32)>,
}

/// How fast a queue has been answering.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// Time looked back on.
    pub over: Span,
    /// Answers in it; at least one.
    pub n: u32,
}

/// The head of a line that has not been empty for a while.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// How long the first in line has waited.
    pub waited: Span,
    /// How many are in line.
    pub length: u32,
}

impl Departures {
    /// An answer.
    pub fn add(&mut self, at: Instant) {
        let slot = slot(at);
        match self.slots.back_mut() {
            Some((last, count)) if *last >= slot => *count += 1,
            Some(_) | None => self.slots.push_back((slot, 1)),
        }
        let oldest = slot.saturating_sub(slots_of(limits::EWT_EVIDENCE));
        while self.slots.front().is_some_and(|(slot, _)| *slot < oldest) {
            self.slots.pop_front();
        }
    }

    /// The pace of the last [`limits::EWT_WINDOW`]; of [`limits::EWT_EVIDENCE`] when nobody was
    /// answered within that; `None` under [`limits::EWT_DEPARTURES`] answers in the latter.
    #[must_use]
    pub fn pace(&self, now: Instant) -> Option<Pace> {
        let evidence = self.within(now, limits::EWT_EVIDENCE);
        if evidence < limits::EWT_DEPARTURES {
            return None;
        }
        let recent = self.within(now, limits::EWT_WINDOW);
        let (window, n) = if recent > 0 {
            (limits::EWT_WINDOW, recent)
        } else {
            (limits::EWT_EVIDENCE, evidence)
        };
        let (first, _) = self.slots.front()?;
        let from = (*first).max((slot(now) + 1).saturating_sub(slots_of(window)));
        let over = now.since(Instant(from * limits::EWT_SLOT.0));
        Some(Pace {
            over: over.max(limits::EWT_SLOT),
            n,
        })
    }

    fn within(&self, now: Instant, window: Span) -> u32 {
        let (now, length) = (slot(now), slots_of(window));
        let recent = self.slots.iter().rev();
        recent
            .take_while(|(slot, _)| *slot + length > now)
            .map(|(_, count)| count)
            .sum()
    }
}

impl Pace {
    /// The expected wait of the `position`th in line, 1 being the first.
    #[must_use]
    pub fn wait(self, position: u32, head: Option<Head>) -> Ewt {
        let position = u64::from(position.max(1));
        let paced = position * self.over.0 / u64::from(self.n);
        let (ms, method) = match head {
            None => (paced, Method::Departures),
            Some(head) => {
                let shared = head.waited.0 * position / u64::from(head.length.max(1));
                (paced.midpoint(shared), Method::Blended)
            }
        };
        Ewt {
            ms,
            p90_ms: ms.saturating_mul(late(position)) / 1_000,
            method,
            n: self.n,
        }
    }
}

/// What nine of ten sums of `n` exponential gaps stay under, in thousandths of their mean.
/// Source: Wilson and Hilferty 1931, the cube root of a gamma variable is nearly normal.
fn late(n: u64) -> u64 {
    let n = n as f64;
    let root = 1.0 - 1.0 / (9.0 * n) + 1.281_55 / (3.0 * n.sqrt());
    (root.powi(3) * 1_000.0) as u64
}

fn slot(at: Instant) -> u64 {
    at.0 / limits::EWT_SLOT.0
}

fn slots_of(span: Span) -> u64 {
    span.0 / limits::EWT_SLOT.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every(gap: u64, count: u64) -> Departures {
        let mut departures = Departures::default();
        for n in 0..count {
            departures.add(Instant(n * gap));
        }
        departures
    }

    #[test]
    fn ten_departures_are_the_least_evidence() {
        assert_eq!(every(1_000, 9).pace(Instant(9_000)), None);
        let pace = every(1_000, 10).pace(Instant(10_000));
        assert_eq!(pace.map(|pace| pace.n), Some(10));
        assert_eq!(every(1_000, 10).pace(Instant(31 * 60_000)), None);
    }

    #[test]
    fn the_wait_is_position_times_the_mean_gap() {
        let pace = every(6_000, 200).pace(Instant(200 * 6_000)).unwrap();
        assert_eq!((pace.over, pace.n), (Span::seconds(590), 98));
        let ewt = pace.wait(3, None);
        assert_eq!(
            (ewt.ms, ewt.method, ewt.n),
            (18_061, Method::Departures, 98)
        );
        assert!(ewt.p90_ms > 18_000 * 17 / 10 && ewt.p90_ms < 18_000 * 18 / 10);
    }

    #[test]
    fn a_line_that_stands_is_blended_with_its_head() {
        let pace = Pace {
            over: Span::minutes(10),
            n: 60,
        };
        let head = Head {
            waited: Span::seconds(120),
            length: 4,
        };
        let ewt = pace.wait(2, Some(head));
        assert_eq!((ewt.ms, ewt.method), (40_000, Method::Blended));
    }

    #[test]
    fn a_young_queue_is_judged_by_the_time_it_has_been_answering() {
        let pace = every(1_000, 30).pace(Instant(30_000)).unwrap();
        assert_eq!(pace.over, Span::seconds(30));
        let quiet = every(1_000, 30).pace(Instant(11 * 60_000)).unwrap();
        assert_eq!((quiet.over, quiet.n), (Span::minutes(11), 30));
        let slow = every(60_000, 20).pace(Instant(20 * 60_000)).unwrap();
        assert_eq!((slow.over, slow.n), (Span::seconds(590), 9));
    }
}
