//! How old a supervisor's table is: from a change on the floor to the update that shows it.

use std::collections::VecDeque;

use hdrhistogram::Histogram;

/// Changes kept for views that have not shown them yet.
const KEPT: usize = 1 << 16;

/// Changes of agents and contacts as the agents' own sockets told them: position and the server's
/// wall time, in milliseconds.
#[derive(Debug)]
pub struct Changes {
    log: VecDeque<(u64, i64)>,
    dropped: u64,
    /// Ages in microseconds, one per change and view.
    pub ages: Histogram<u32>,
}

/// How far one view has shown the changes.
#[derive(Debug, Default)]
pub struct Shown {
    next: u64,
    waiting: Vec<(u64, i64)>,
}

impl Changes {
    /// No changes, ages kept in `ages`.
    pub fn new(ages: Histogram<u32>) -> Self {
        Self {
            log: VecDeque::new(),
            dropped: 0,
            ages,
        }
    }

    /// A change that every table now has to show.
    pub fn changed(&mut self, seq: u64, at: i64) {
        if self.log.len() == KEPT {
            self.log.pop_front();
            self.dropped += 1;
        }
        self.log.push_back((seq, at));
    }

    /// A view that has seen nothing so far and owes nothing from before.
    pub fn watch(&self) -> Shown {
        Shown {
            next: self.dropped + self.log.len() as u64,
            waiting: Vec::new(),
        }
    }

    /// A view now stands at `as_of`; it arrived at `now_ms` by the server's clock.
    pub fn shown(&mut self, view: &mut Shown, as_of: u64, now_ms: f64) {
        let from = view.next.max(self.dropped) - self.dropped;
        let fresh = self.log.iter().skip(usize::try_from(from).unwrap_or(0));
        view.waiting.extend(fresh);
        view.next = self.dropped + self.log.len() as u64;
        let ages = &mut self.ages;
        view.waiting.retain(|(seq, at)| {
            let shown = *seq <= as_of;
            if shown {
                let age = ((now_ms - *at as f64) * 1_000.0).max(0.0);
                ages.saturating_record(age as u64);
            }
            !shown
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_ages_until_the_view_stands_behind_it() {
        let mut changes = Changes::new(crate::measure::histogram());
        changes.changed(5, 1_000);
        let mut view = Shown::default();
        changes.changed(9, 1_010);
        changes.shown(&mut view, 5, 1_100.0);
        changes.changed(8, 1_020);
        changes.shown(&mut view, 8, 1_200.0);
        changes.shown(&mut view, 20, 1_300.0);
        let ages: Vec<u64> = changes
            .ages
            .iter_recorded()
            .map(|step| (step.value_iterated_to() + 500) / 1_000)
            .collect();
        assert_eq!(ages, [100, 180, 290]);
    }
}
