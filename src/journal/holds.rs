//! What keeps a log from being cut: positions behind which somebody has still to read.

use crate::id::Seq;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The readers of one log. Whatever is after the least of their positions is kept.
#[derive(Clone, Debug, Default)]
pub struct Holds(Arc<Mutex<Vec<Weak<AtomicU64>>>>);

/// A reader's position; it holds nothing any more once it is dropped.
#[derive(Debug)]
pub struct Hold(Arc<AtomicU64>);

impl Holds {
    /// Keeps everything after a position.
    #[must_use]
    pub fn hold(&self, after: Seq) -> Hold {
        let position = Arc::new(AtomicU64::new(after.0));
        let mut readers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        readers.push(Arc::downgrade(&position));
        Hold(position)
    }

    /// The least position that is held; none when nobody reads.
    #[must_use]
    pub fn least(&self) -> Option<Seq> {
        let mut readers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        readers.retain(|reader| reader.strong_count() > 0);
        let positions = readers.iter().filter_map(Weak::upgrade);
        let positions = positions.map(|position| Seq(position.load(Ordering::Acquire)));
        positions.min()
    }
}

impl Hold {
    /// Everything up to and with a position has been read.
    pub fn moved(&self, to: Seq) {
        self.0.fetch_max(to.0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::Holds;
    use crate::id::Seq;

    #[test]
    fn the_slowest_reader_holds_the_log_until_it_leaves() {
        let holds = Holds::default();
        assert_eq!(holds.least(), None);
        let (slow, fast) = (holds.hold(Seq(3)), holds.hold(Seq(5)));
        assert_eq!(holds.least(), Some(Seq(3)));
        slow.moved(Seq(9));
        slow.moved(Seq(7));
        assert_eq!(holds.least(), Some(Seq(5)));
        drop(fast);
        assert_eq!(holds.least(), Some(Seq(9)));
    }
}
