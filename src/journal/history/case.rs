//! A contact as it is worked on in memory: its row and those of its segments, as in the tables.

use super::words::Name;
use crate::time::Instant;

/// A contact.
#[derive(Debug, Default)]
pub(super) struct Case {
    /// None when its beginning is missing in the log.
    pub(super) row: Option<ContactRow>,
    /// In the order in which they began.
    pub(super) segments: Vec<Segment>,
}

/// Whether a row has to be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kept {
    /// It is not in the file.
    New,
    /// It is otherwise in the file.
    Changed,
    /// It is in the file as it is.
    Same,
}

impl Kept {
    fn change(&mut self) {
        if *self == Self::Same {
            *self = Self::Changed;
        }
    }
}

/// A row of `contacts`.
#[derive(Debug)]
pub(super) struct ContactRow {
    pub(super) kept: Kept,
    pub(super) seq: i64,
    /// Of a new row. It is written once, and not read: it may have been erased.
    pub(super) born: Option<Born>,
    pub(super) channel: Name,
    pub(super) queue: Name,
    pub(super) entered_at: i64,
    pub(super) answered_at: Option<i64>,
    pub(super) waited_ms: Option<i64>,
    pub(super) answered_by: Option<Name>,
    pub(super) answered_team: Option<Name>,
    pub(super) talk_ms: i64,
    pub(super) wrap_up_ms: i64,
    pub(super) offers: i64,
    pub(super) requeues: i64,
    pub(super) returns: i64,
    pub(super) ended_at: Option<i64>,
    pub(super) closed_at: Option<i64>,
    pub(super) outcome: Option<String>,
    pub(super) wrap_up_codes: Option<String>,
}

/// What a contact came with.
#[derive(Debug)]
pub(super) struct Born {
    pub(super) first_queue: Name,
    pub(super) external_id: Option<String>,
    pub(super) customer_id: Option<String>,
    pub(super) conversation: String,
    pub(super) submitted_by: Name,
}

/// What a segment is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A stay in line.
    Queue,
    Offer,
    Leg,
    WrapUp,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Queue, Self::Offer, Self::Leg, Self::WrapUp];

    /// As in the table.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Offer => "offer",
            Self::Leg => "leg",
            Self::WrapUp => "wrap_up",
        }
    }

    /// From the table.
    pub(super) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// A row of `segments`.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) kept: Kept,
    pub(super) seq: i64,
    pub(super) kind: Kind,
    pub(super) parent: Option<i64>,
    pub(super) queue: Name,
    pub(super) channel: Name,
    pub(super) agent: Option<Name>,
    pub(super) team: Option<Name>,
    /// Number of the offer; none of a stay.
    pub(super) offer: Option<i64>,
    pub(super) cause: Option<String>,
    pub(super) started_at: i64,
    pub(super) ended_at: Option<i64>,
    pub(super) outcome: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) codes: Option<String>,
}

/// A contact's open stay in line.
pub(super) struct Stay {
    pub(super) seq: i64,
    pub(super) queue: Name,
    pub(super) channel: Name,
    /// When the contact came.
    pub(super) entered: Instant,
    /// Nobody has answered it yet.
    pub(super) first: bool,
}

impl Case {
    /// The row, to be changed.
    pub(super) fn change(&mut self) -> Option<&mut ContactRow> {
        let row = self.row.as_mut()?;
        row.kept.change();
        Some(row)
    }

    /// The stay in line of a contact that is in one.
    pub(super) fn stay(&self) -> Option<Stay> {
        let row = self.row.as_ref()?;
        let mut stays = self.segments.iter().rev();
        let stay = stays.find(|part| part.kind == Kind::Queue && part.ended_at.is_none())?;
        Some(Stay {
            seq: stay.seq,
            queue: stay.queue.clone(),
            channel: stay.channel.clone(),
            entered: Instant(row.entered_at.cast_unsigned()),
            first: row.answered_at.is_none(),
        })
    }

    /// The segment of this kind that belongs to an offer.
    pub(super) fn part(&self, kind: Kind, offer: i64) -> Option<&Segment> {
        let mut parts = self.segments.iter().rev();
        parts.find(|part| part.kind == kind && part.offer == Some(offer))
    }

    /// Ends the open segment of this kind that belongs to an offer, or to none; says which one
    /// it was.
    pub(super) fn end(
        &mut self,
        (kind, offer): (Kind, Option<i64>),
        at: Instant,
        outcome: String,
        reason: Option<String>,
    ) -> Option<i64> {
        let part = self
            .segments
            .iter_mut()
            .rev()
            .find(|part| part.kind == kind && part.offer == offer && part.ended_at.is_none())?;
        part.kept.change();
        part.ended_at = Some(at.0.cast_signed());
        part.outcome = Some(outcome);
        part.reason = reason;
        Some(part.seq)
    }

    /// Codes were given to a leg; the contact's are those of all its legs.
    pub(super) fn give(&mut self, offer: i64, codes: &[String]) {
        let given = serde_json::Value::from(codes).to_string();
        let legs = self.segments.iter_mut();
        for leg in legs.filter(|part| part.kind == Kind::Leg && part.offer == Some(offer)) {
            leg.kept.change();
            leg.codes = Some(given.clone());
        }
        let mut all: Vec<String> = Vec::new();
        let legs = self.segments.iter().filter(|part| part.kind == Kind::Leg);
        for codes in legs.filter_map(|leg| leg.codes.as_deref()) {
            let codes: Vec<String> = serde_json::from_str(codes).unwrap_or_default();
            for code in codes {
                if !all.contains(&code) {
                    all.push(code);
                }
            }
        }
        if let Some(row) = self.change() {
            row.wrap_up_codes = Some(serde_json::Value::from(all).to_string());
        }
    }

    /// Nothing more is expected of it.
    pub(super) fn is_over(&self) -> bool {
        let closed = self.row.as_ref().is_none_or(|row| row.closed_at.is_some());
        closed && self.segments.iter().all(|part| part.ended_at.is_some())
    }
}
