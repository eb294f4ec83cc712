//! Positions of the lossless views of one socket, checked as the contract lets a client check them.

use std::collections::{HashMap, VecDeque};

/// Views that ended are remembered, as their last events may still be under way.
const ENDED: usize = 32;

/// The views of one socket.
#[derive(Debug, Default)]
pub struct Views {
    last: HashMap<Box<str>, u64>,
    ended: VecDeque<Box<str>>,
}

impl Views {
    /// A view starts, or starts anew, at a position.
    pub fn start(&mut self, sub: &str, at: u64) {
        self.last.insert(sub.into(), at);
    }

    /// A view will soon say no more.
    pub fn end(&mut self, sub: &str) {
        self.ended.push_back(sub.into());
        if self.ended.len() > ENDED
            && let Some(old) = self.ended.pop_front()
        {
            self.last.remove(&old);
        }
    }

    /// An event of a view; the error says what is wrong with its position.
    ///
    /// A view is whole while `prev` is not greater than the last position seen and `seq` is. What
    /// is told `beside` the log may stand at the last one seen.
    pub fn step(&mut self, sub: &str, seq: u64, prev: u64, beside: bool) -> Result<(), String> {
        let Some(last) = self.last.get_mut(sub) else {
            return Err(format!("event {seq} of view {sub}, which has not started"));
        };
        let before = *last;
        *last = before.max(seq);
        if prev > before {
            return Err(format!(
                "view {sub}: event {seq} follows {prev}, but the last seen is {before}"
            ));
        }
        if seq < before || (seq == before && !beside) {
            return Err(format!(
                "view {sub}: event {seq} comes again or late, after {before}"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_view_is_silent_and_every_flaw_speaks() {
        let mut views = Views::default();
        assert!(views.step("me", 5, 1, false).is_err(), "not started");
        views.start("me", 10);
        assert!(views.step("me", 12, 4, false).is_ok());
        assert!(views.step("me", 15, 12, false).is_ok());
        assert!(views.step("me", 15, 12, false).is_err(), "repeated");
        assert!(views.step("me", 14, 12, false).is_err(), "back");
        assert!(views.step("me", 20, 18, false).is_err(), "gap");
        assert!(views.step("me", 21, 20, false).is_ok());
        assert!(views.step("me", 21, 21, true).is_ok(), "aside");
        assert!(views.step("me", 20, 20, true).is_err(), "aside and back");
        assert!(views.step("me", 25, 22, true).is_err(), "aside of a gap");
    }

    #[test]
    fn ended_views_are_forgotten_after_a_while() {
        let mut views = Views::default();
        for number in 0..=ENDED {
            let sub = format!("v{number}");
            views.start(&sub, 0);
            views.end(&sub);
        }
        assert!(views.step("v0", 2, 0, false).is_err());
        assert!(views.step("v1", 2, 0, false).is_ok());
    }
}
