//! Which rows of a table changed since a view last looked: an event marks a row in O(1), a look
//! costs the rows that changed.

use std::collections::VecDeque;

/// Marks of the rows of one table.
#[derive(Clone, Debug)]
pub struct Dirty {
    /// Counts looks; starts at 1.
    clock: u64,
    /// By row, the clock when it last changed.
    marked: Vec<u64>,
    /// Rows in the order of their marks; a later mark makes an earlier one void.
    journal: VecDeque<(u64, u32)>,
}

impl Dirty {
    /// A table of so many rows, none of which has changed.
    #[must_use]
    pub fn new(rows: usize) -> Self {
        Self {
            clock: 1,
            marked: vec![0; rows],
            journal: VecDeque::new(),
        }
    }

    /// A table of so many rows from now on, each of which may have changed.
    pub fn all(&mut self, rows: usize) {
        self.marked.resize(rows, 0);
        (0u32..).take(rows).for_each(|row| self.mark(row));
    }

    /// A row changed.
    pub fn mark(&mut self, row: u32) {
        let Some(marked) = self.marked.get_mut(row as usize) else {
            return;
        };
        if *marked == self.clock {
            return;
        }
        *marked = self.clock;
        self.journal.push_back((self.clock, row));
        if self.journal.len() > 2 * self.marked.len() {
            let marked = &self.marked;
            self.journal
                .retain(|(at, row)| marked[*row as usize] == *at);
        }
    }

    /// The time of a look that sees every mark so far. Marks that come later are seen by the
    /// next look.
    pub fn look(&mut self) -> u64 {
        if self.any_since(self.clock - 1) {
            self.clock += 1;
        }
        self.clock - 1
    }

    /// Whether a row changed after a look.
    #[must_use]
    pub fn any_since(&self, look: u64) -> bool {
        self.journal.back().is_some_and(|(at, _)| *at > look)
    }

    /// Rows that changed after a look.
    pub fn since(&self, look: u64) -> impl Iterator<Item = u32> + '_ {
        let first = self.journal.partition_point(|(at, _)| *at <= look);
        let after = self.journal.range(first..);
        after
            .filter(|(at, row)| self.marked[*row as usize] == *at)
            .map(|(_, row)| *row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_sees_each_row_changed_since_the_last_once() {
        let mut dirty = Dirty::new(4);
        let first = dirty.look();
        dirty.mark(2);
        dirty.mark(2);
        dirty.mark(0);
        assert_eq!(dirty.since(first).collect::<Vec<_>>(), [2, 0]);
        let second = dirty.look();
        assert!(!dirty.any_since(second));
        dirty.mark(2);
        assert!(dirty.any_since(second));
        assert_eq!(dirty.since(second).collect::<Vec<_>>(), [2]);
        assert_eq!(dirty.since(first).collect::<Vec<_>>(), [0, 2]);
        for _ in 0..1_000 {
            dirty.look();
            dirty.mark(1);
        }
        assert!(dirty.journal.len() <= 8);
        let mut rows: Vec<_> = dirty.since(first).collect();
        rows.sort_unstable();
        assert_eq!(rows, [0, 1, 2]);
    }
}
