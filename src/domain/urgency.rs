//! Order of waiting contacts: a constant per contact, smaller first.

use crate::id::ContactId;
use crate::time::{Instant, Span};
use serde::{Deserialize, Serialize};

/// An entry in the order of a queue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// A waiting contact.
    Contact(ContactId),
    /// A consult or an invitation to a conference, with an id of its own.
    Request(ContactId),
}

/// `(tier, due_at, id)`: never a function of now, so that order never needs sorting again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Urgency {
    /// Strict class, 0 (emergency) to 9.
    pub tier: u8,
    /// When the contact should be answered.
    pub due_at: Instant,
    /// Breaks ties.
    pub entry: Entry,
}

/// Tier of a contact unless a rule says otherwise.
pub const TIER: u8 = 5;

/// When a contact should be answered: first entry plus target, moved by its priority points,
/// never before first entry.
///
/// `given` is a due time named at submit and stands in for first entry plus target.
#[must_use]
pub fn due_at(
    first_entry: Instant,
    target: Span,
    given: Option<Instant>,
    points: i32,
    step: Span,
) -> Instant {
    let base = given.unwrap_or(first_entry + target);
    let shift = Span(step.0.saturating_mul(u64::from(points.unsigned_abs())));
    let moved = if points >= 0 {
        base - shift
    } else {
        base + shift
    };
    moved.max(first_entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_time_is_never_before_first_entry() {
        let first = Instant(1_000_000);
        let step = Span::seconds(60);
        let due = |given, points| due_at(first, Span::seconds(20), given, points, step);
        assert_eq!(due(None, 0), Instant(1_020_000));
        assert_eq!(due(None, 1), first);
        assert_eq!(due(None, -1), Instant(1_080_000));
        assert_eq!(due(Some(Instant(1_300_000)), 2), Instant(1_180_000));
        assert_eq!(due(Some(Instant(5)), 0), first);
    }
}
