//! Contacts and their segments, row by row. What an event has to know of the ones before it is
//! in the rows that they left, so that a start needs nothing else.

use super::counts::{OfAgent, OfQueue};
use super::project::Projection;
use super::words::word;
use crate::domain::contact::{Closed, Facts, Leg, LegEnd, Returned};
use crate::domain::event::{Decision, Entered, OfferRef, Record};
use crate::domain::offer::Outcome;
use crate::id::{ContactId, QueueId};
use crate::time::{Instant, Span};
use rusqlite::{OptionalExtension, Row, params};

const NEW: &str = "INSERT INTO contacts (seq, contact, external_id, customer_id, channel, first_queue, queue, conversation, submitted_by, entered_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, ?9) ON CONFLICT (contact) DO UPDATE SET queue = excluded.queue";
const SEGMENT: &str = "INSERT INTO segments (seq, contact, kind, parent, queue, channel, agent, team, offer, cause, started_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
const STAY: &str = "SELECT s.seq, s.queue, s.channel, c.entered_at, c.answered_at IS NULL FROM segments s JOIN contacts c ON c.contact = s.contact WHERE s.contact = ?1 AND s.kind = 'queue' AND s.ended_at IS NULL";
const END: &str = "UPDATE segments SET ended_at = ?2, outcome = ?3, reason = ?4 WHERE seq = ?1";
const END_PART: &str = "UPDATE segments SET ended_at = ?4, outcome = ?5, reason = ?6 WHERE contact = ?1 AND kind = ?2 AND offer = ?3 AND ended_at IS NULL RETURNING seq";
const OFFER: &str = "SELECT seq FROM segments WHERE contact = ?1 AND kind = 'offer' AND offer = ?2";
const CODES: &str =
    "UPDATE segments SET codes = ?3 WHERE contact = ?1 AND kind = 'leg' AND offer = ?2";
const ALL_CODES: &str = "UPDATE contacts SET wrap_up_codes = (SELECT json_group_array(DISTINCT code.value) FROM segments s, json_each(s.codes) code WHERE s.contact = ?1 AND s.kind = 'leg') WHERE contact = ?1";

/// A contact's open stay in line.
struct Stay {
    seq: i64,
    queue: String,
    channel: String,
    entered: Instant,
    /// Nobody has answered it yet.
    first: bool,
}

/// A segment that begins.
#[derive(Default)]
struct Segment<'a> {
    kind: &'a str,
    parent: Option<i64>,
    queue: &'a str,
    channel: &'a str,
    agent: Option<&'a str>,
    team: Option<&'a str>,
    offer: Option<u64>,
    cause: Option<&'a str>,
}

impl Projection<'_> {
    pub(super) fn entered(
        &mut self,
        record: &Record,
        facts: &Facts,
        queue: QueueId,
        how: Entered,
    ) -> rusqlite::Result<()> {
        let (at, contact) = (record.at, facts.id);
        let queue = self.words.queue(queue);
        let channel = self.words.channel(facts.channel);
        if let Some(stay) = self.stay(contact)? {
            self.end_segment(stay.seq, at, "moved_out")?;
            let moved = [(OfQueue::MovedOut, 1)];
            self.counts.queue(at, &stay.queue, &stay.channel, &moved);
        }
        // Content that is gone was erased, and with it goes what the connector calls the contact.
        let content = record.content.as_deref();
        let external_id = content.map(|_| &*facts.external_id);
        let customer_id = content.and_then(|content| content.customer_id.as_deref());
        let submitted_by = self.words.user(facts.submitted_by);
        self.file.prepare_cached(NEW)?.execute(params![
            record.seq.0.cast_signed(),
            contact.to_string(),
            external_id,
            customer_id,
            channel,
            queue,
            facts.conversation.to_string(),
            submitted_by,
            at.0.cast_signed(),
        ])?;
        let cause = word(&how);
        let stay = Segment {
            kind: "queue",
            queue: &queue,
            channel: &channel,
            cause: Some(&cause),
            ..Segment::default()
        };
        self.segment(record, contact, &stay)?;
        let mut counters = vec![(OfQueue::Entered, 1)];
        match how {
            Entered::New => {}
            Entered::Moved => counters.push((OfQueue::MovedIn, 1)),
            Entered::Transferred => counters.push((OfQueue::TransferredIn, 1)),
        }
        self.counts.queue(at, &queue, &channel, &counters);
        Ok(())
    }

    pub(super) fn offered(
        &mut self,
        record: &Record,
        offer: &OfferRef,
        decision: &Decision,
    ) -> rusqlite::Result<()> {
        let parent = self.stay(offer.contact)?.map(|stay| stay.seq);
        let (queue, channel, agent) = self.places(offer);
        let cause = word(&decision.by);
        let segment = Segment {
            kind: "offer",
            parent,
            queue: &queue,
            channel: &channel,
            agent: Some(&agent),
            offer: Some(offer.offer.0),
            cause: Some(&cause),
            ..Segment::default()
        };
        self.segment(record, offer.contact, &segment)?;
        self.add(offer.contact, "offers = offers + 1")?;
        let at = record.at;
        self.counts
            .queue(at, &queue, &channel, &[(OfQueue::Offers, 1)]);
        self.counts
            .agent(at, &agent, &channel, &[(OfAgent::Offers, 1)]);
        Ok(())
    }

    pub(super) fn offer_ended(
        &mut self,
        record: &Record,
        offer: &OfferRef,
        outcome: Outcome,
    ) -> rusqlite::Result<()> {
        let (of_queue, of_agent, reason) = match outcome {
            Outcome::Accepted => (OfQueue::OffersAccepted, OfAgent::OffersAccepted, None),
            Outcome::Declined => (OfQueue::OffersDeclined, OfAgent::OffersDeclined, None),
            Outcome::Missed => (OfQueue::OffersMissed, OfAgent::OffersMissed, None),
            Outcome::Withdrawn(why) => (
                OfQueue::OffersWithdrawn,
                OfAgent::OffersWithdrawn,
                Some(word(&why)),
            ),
            Outcome::Failed => (OfQueue::OffersFailed, OfAgent::OffersFailed, None),
        };
        let at = record.at;
        self.end_part(offer, "offer", at, &word(&outcome), reason.as_deref())?;
        let (queue, channel, agent) = self.places(offer);
        self.counts.queue(at, &queue, &channel, &[(of_queue, 1)]);
        self.counts.agent(at, &agent, &channel, &[(of_agent, 1)]);
        Ok(())
    }

    pub(super) fn connected(
        &mut self,
        record: &Record,
        contact: ContactId,
        leg: &Leg,
        first: bool,
        waited: Span,
    ) -> rusqlite::Result<()> {
        let at = record.at;
        let Some(stay) = self.stay(contact)? else {
            return Ok(());
        };
        self.end_segment(stay.seq, at, "answered")?;
        let agent = self.words.agent(leg.agent);
        let team = leg.team.map(|team| self.words.team(team));
        let offer = self
            .file
            .prepare_cached(OFFER)?
            .query_row(
                params![contact.to_string(), leg.offer.0.cast_signed()],
                |row| row.get(0),
            )
            .optional()?;
        let segment = Segment {
            kind: "leg",
            parent: offer,
            queue: &stay.queue,
            channel: &stay.channel,
            agent: Some(&agent),
            team: team.as_deref(),
            offer: Some(leg.offer.0),
            cause: None,
        };
        self.segment(record, contact, &segment)?;
        let mut counters = vec![(OfQueue::Answered, 1)];
        if first {
            let answered = "UPDATE contacts SET answered_at = ?2, waited_ms = ?3, answered_by = ?4, answered_team = ?5 WHERE contact = ?1";
            self.file.prepare_cached(answered)?.execute(params![
                contact.to_string(),
                at.0.cast_signed(),
                waited.0.cast_signed(),
                agent,
                team,
            ])?;
            counters.extend([(OfQueue::AnsweredFirst, 1), (OfQueue::Wait, waited.0)]);
            if waited <= self.words.target(&stay.queue, &stay.channel) {
                counters.push((OfQueue::AnsweredInThreshold, 1));
            }
            self.counts.waited(at, &stay.queue, &stay.channel, waited);
        }
        self.counts.queue(at, &stay.queue, &stay.channel, &counters);
        let answered = [(OfAgent::Answered, 1)];
        self.counts.agent(at, &agent, &stay.channel, &answered);
        Ok(())
    }

    pub(super) fn requeued(&mut self, record: &Record, contact: ContactId) -> rusqlite::Result<()> {
        self.add(contact, "requeues = requeues + 1")?;
        if let Some(stay) = self.stay(contact)? {
            let requeued = [(OfQueue::Requeued, 1)];
            self.counts
                .queue(record.at, &stay.queue, &stay.channel, &requeued);
        }
        Ok(())
    }

    pub(super) fn returned(
        &mut self,
        record: &Record,
        contact: ContactId,
        queue: QueueId,
        why: Returned,
    ) -> rusqlite::Result<()> {
        let returned =
            "UPDATE contacts SET returns = returns + 1 WHERE contact = ?1 RETURNING channel";
        let channel: Option<String> = self
            .file
            .prepare_cached(returned)?
            .query_row([contact.to_string()], |row| row.get(0))
            .optional()?;
        let Some(channel) = channel else {
            return Ok(());
        };
        let queue = self.words.queue(queue);
        let cause = word(&why);
        let stay = Segment {
            kind: "queue",
            queue: &queue,
            channel: &channel,
            cause: Some(&cause),
            ..Segment::default()
        };
        self.segment(record, contact, &stay)?;
        let returned = [(OfQueue::Returned, 1)];
        self.counts.queue(record.at, &queue, &channel, &returned);
        Ok(())
    }

    /// Nobody is left in a contact, or it is closed. One that was in line leaves it.
    pub(super) fn ended(
        &mut self,
        record: &Record,
        contact: ContactId,
        reason: Closed,
        closed: bool,
    ) -> rusqlite::Result<()> {
        let at = record.at;
        if let Some(stay) = self.stay(contact)? {
            self.end_segment(stay.seq, at, &word(&reason))?;
            self.left(at, contact, &stay, reason)?;
        }
        let over = if closed {
            "UPDATE contacts SET ended_at = coalesce(ended_at, ?2), closed_at = ?2, outcome = ?3 WHERE contact = ?1"
        } else {
            "UPDATE contacts SET ended_at = ?2, outcome = ?3 WHERE contact = ?1"
        };
        let mut over = self.file.prepare_cached(over)?;
        over.execute(params![
            contact.to_string(),
            at.0.cast_signed(),
            word(&reason)
        ])?;
        Ok(())
    }

    /// A contact left the line without an answer.
    fn left(
        &mut self,
        at: Instant,
        contact: ContactId,
        stay: &Stay,
        reason: Closed,
    ) -> rusqlite::Result<()> {
        let waited = at.since(stay.entered);
        if stay.first {
            let set = "UPDATE contacts SET waited_ms = ?2 WHERE contact = ?1";
            let mut set = self.file.prepare_cached(set)?;
            set.execute(params![contact.to_string(), waited.0.cast_signed()])?;
        }
        let mut counters = match reason {
            Closed::Abandoned => vec![(OfQueue::Abandoned, 1)],
            Closed::ShortAbandoned => vec![(OfQueue::ShortAbandoned, 1)],
            Closed::Completed | Closed::EndedBySupervisor | Closed::Failed => {
                self.counts
                    .queue(at, &stay.queue, &stay.channel, &[(OfQueue::Cancelled, 1)]);
                return Ok(());
            }
        };
        if stay.first {
            counters.push((OfQueue::AbandonWait, waited.0));
            if waited <= self.words.target(&stay.queue, &stay.channel) {
                counters.push((OfQueue::AbandonedInThreshold, 1));
            }
            self.counts.waited(at, &stay.queue, &stay.channel, waited);
        } else {
            counters.push((OfQueue::AbandonedAfterReturn, 1));
        }
        self.counts.queue(at, &stay.queue, &stay.channel, &counters);
        Ok(())
    }

    pub(super) fn wrap_up_started(
        &mut self,
        record: &Record,
        offer: &OfferRef,
        how: LegEnd,
    ) -> rusqlite::Result<()> {
        let parent = self.end_part(offer, "leg", record.at, &word(&how), None)?;
        let (queue, channel, agent) = self.places(offer);
        let segment = Segment {
            kind: "wrap_up",
            parent,
            queue: &queue,
            channel: &channel,
            agent: Some(&agent),
            offer: Some(offer.offer.0),
            ..Segment::default()
        };
        self.segment(record, offer.contact, &segment)
    }

    pub(super) fn wrap_up_given(
        &mut self,
        offer: &OfferRef,
        codes: &[String],
    ) -> rusqlite::Result<()> {
        let contact = offer.contact.to_string();
        let codes = serde_json::Value::from(codes).to_string();
        let mut set = self.file.prepare_cached(CODES)?;
        set.execute(params![contact, offer.offer.0.cast_signed(), codes])?;
        self.file.prepare_cached(ALL_CODES)?.execute([contact])?;
        Ok(())
    }

    pub(super) fn leg_ended(
        &mut self,
        record: &Record,
        offer: &OfferRef,
        how: LegEnd,
        (talk, wrap_up): (Span, Span),
    ) -> rusqlite::Result<()> {
        let at = record.at;
        for kind in ["wrap_up", "leg"] {
            if self.end_part(offer, kind, at, &word(&how), None)?.is_some() {
                break;
            }
        }
        let add = "UPDATE contacts SET talk_ms = talk_ms + ?2, wrap_up_ms = wrap_up_ms + ?3 WHERE contact = ?1";
        self.file.prepare_cached(add)?.execute(params![
            offer.contact.to_string(),
            talk.0.cast_signed(),
            wrap_up.0.cast_signed(),
        ])?;
        let (queue, channel, agent) = self.places(offer);
        let of_queue = [
            (OfQueue::Handled, 1),
            (OfQueue::Talk, talk.0),
            (OfQueue::WrapUp, wrap_up.0),
        ];
        self.counts.queue(at, &queue, &channel, &of_queue);
        let of_agent = [
            (OfAgent::Handled, 1),
            (OfAgent::Talk, talk.0),
            (OfAgent::WrapUp, wrap_up.0),
        ];
        self.counts.agent(at, &agent, &channel, &of_agent);
        Ok(())
    }

    fn places(&mut self, offer: &OfferRef) -> (String, String, String) {
        (
            self.words.queue(offer.queue),
            self.words.channel(offer.channel),
            self.words.agent(offer.agent),
        )
    }

    fn stay(&self, contact: ContactId) -> rusqlite::Result<Option<Stay>> {
        let stay = |row: &Row<'_>| {
            Ok(Stay {
                seq: row.get(0)?,
                queue: row.get(1)?,
                channel: row.get(2)?,
                entered: Instant(row.get::<_, i64>(3)?.cast_unsigned()),
                first: row.get(4)?,
            })
        };
        let mut open = self.file.prepare_cached(STAY)?;
        open.query_row([contact.to_string()], stay).optional()
    }

    fn segment(
        &self,
        record: &Record,
        contact: ContactId,
        segment: &Segment<'_>,
    ) -> rusqlite::Result<()> {
        self.file.prepare_cached(SEGMENT)?.execute(params![
            record.seq.0.cast_signed(),
            contact.to_string(),
            segment.kind,
            segment.parent,
            segment.queue,
            segment.channel,
            segment.agent,
            segment.team,
            segment.offer.map(u64::cast_signed),
            segment.cause,
            record.at.0.cast_signed(),
        ])?;
        Ok(())
    }

    fn end_segment(&self, seq: i64, at: Instant, outcome: &str) -> rusqlite::Result<()> {
        let mut end = self.file.prepare_cached(END)?;
        let at = at.0.cast_signed();
        end.execute(params![seq, at, outcome, None::<&str>])?;
        Ok(())
    }

    /// Ends the open segment of this kind that belongs to an offer; says which one it was.
    fn end_part(
        &self,
        offer: &OfferRef,
        kind: &str,
        at: Instant,
        outcome: &str,
        reason: Option<&str>,
    ) -> rusqlite::Result<Option<i64>> {
        self.file
            .prepare_cached(END_PART)?
            .query_row(
                params![
                    offer.contact.to_string(),
                    kind,
                    offer.offer.0.cast_signed(),
                    at.0.cast_signed(),
                    outcome,
                    reason,
                ],
                |row| row.get(0),
            )
            .optional()
    }

    fn add(&self, contact: ContactId, what: &str) -> rusqlite::Result<()> {
        let add = format!("UPDATE contacts SET {what} WHERE contact = ?1");
        let mut add = self.file.prepare_cached(&add)?;
        add.execute([contact.to_string()])?;
        Ok(())
    }
}
