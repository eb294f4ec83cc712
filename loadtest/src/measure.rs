//! What is timed: histograms of the whole run and of each slice.

use hdrhistogram::Histogram;

use crate::staleness::Changes;

/// Longest time kept apart, in nanoseconds; longer ones count as this.
const LONGEST_NS: u64 = 600_000_000_000;

/// A histogram of nanoseconds to three digits.
pub fn histogram() -> Histogram<u32> {
    #[allow(
        clippy::expect_used,
        reason = "the bounds are constants that the crate accepts"
    )]
    Histogram::new_with_bounds(1, LONGEST_NS, 3).expect("bounds in range")
}

/// A mean of sizes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mean {
    sum: usize,
    count: usize,
}

impl Mean {
    /// One more size.
    pub fn add(&mut self, size: usize) {
        self.sum += size;
        self.count += 1;
    }

    /// The mean, or `none` when there was nothing.
    pub fn or(self, none: usize) -> usize {
        self.sum.checked_div(self.count).unwrap_or(none)
    }
}

/// The times of one run.
#[derive(Debug)]
pub struct Measures {
    /// Intended submit to offer, contacts that found room, per load slice.
    pub slices: Vec<Histogram<u32>>,
    /// Intended submit to offer, contacts that found no room.
    pub waited: Histogram<u32>,
    /// Intended submit to reply.
    pub reply: Histogram<u32>,
    /// Offer received to leg connected.
    pub connect: Histogram<u32>,
    /// Intended to actual submit.
    pub lag: Histogram<u32>,
    /// Ages of the supervisors' tables.
    pub changes: Changes,
    /// Samples of the share of agents with work.
    pub busy: Vec<f32>,
    /// Whether a measured part of a slice is running.
    pub running: bool,
    /// Bytes of the frames that submit a contact.
    pub submit_bytes: Mean,
    /// Bytes of the frames that bring an offer.
    pub offer_bytes: Mean,
}

impl Default for Measures {
    fn default() -> Self {
        Self {
            slices: Vec::new(),
            waited: histogram(),
            reply: histogram(),
            connect: histogram(),
            lag: histogram(),
            changes: Changes::new(histogram()),
            busy: Vec::new(),
            running: false,
            submit_bytes: Mean::default(),
            offer_bytes: Mean::default(),
        }
    }
}

impl Measures {
    /// An offer reached its agent so many nanoseconds after the intended submit.
    pub fn offer(&mut self, slice: u8, found_room: bool, nanos: u64) {
        if !found_room {
            self.waited.saturating_record(nanos);
            return;
        }
        let slice = usize::from(slice);
        while self.slices.len() <= slice {
            self.slices.push(histogram());
        }
        self.slices[slice].saturating_record(nanos);
    }

    /// A leg was connected so many nanoseconds after its offer.
    pub fn connect(&mut self, nanos: u64) {
        self.connect.saturating_record(nanos);
    }

    /// A contact was acknowledged so many nanoseconds after its intended time.
    pub fn reply(&mut self, nanos: u64) {
        self.reply.saturating_record(nanos);
    }

    /// A contact went out so many nanoseconds after its intended time.
    pub fn lag(&mut self, nanos: u64) {
        self.lag.saturating_record(nanos);
    }

    /// All slices as one.
    pub fn offers(&self) -> Histogram<u32> {
        let mut all = histogram();
        for slice in &self.slices {
            all += slice;
        }
        all
    }
}

/// The middle of some numbers; `None` of none.
pub fn median(mut numbers: Vec<f64>) -> Option<f64> {
    if numbers.is_empty() {
        return None;
    }
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    Some(if numbers.len() % 2 == 1 {
        numbers[middle]
    } else {
        f64::midpoint(numbers[middle - 1], numbers[middle])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn contacts_without_room_are_kept_apart() {
        let mut measures = Measures::default();
        measures.offer(1, true, 1_000);
        measures.offer(0, false, 9_000_000);
        assert_eq!(measures.offers().len(), 1);
        assert_eq!(measures.waited.len(), 1);
        assert_eq!(measures.slices[0].len(), 0);
    }
}
