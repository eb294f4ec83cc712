//! What events do to contacts and their segments.

use super::case::{Born, Case, ContactRow, Kept, Kind, Segment, Stay};
use super::counts::{Counts, OfAgent, OfQueue};
use super::project::Projection;
use super::words::{Name, Words, word};
use crate::domain::contact::{Closed, Facts, Leg, LegEnd, Returned};
use crate::domain::event::{Decision, Entered, OfferRef, Record};
use crate::domain::offer::Outcome;
use crate::id::{ContactId, QueueId};
use crate::time::{Instant, Span};

/// The names that an offer has in the tables.
struct Places {
    offer: i64,
    queue: Name,
    channel: Name,
    agent: Name,
}

/// A segment that begins, in a queue and on a channel.
fn begin(record: &Record, kind: Kind, queue: &Name, channel: &Name) -> Segment {
    Segment {
        kept: Kept::New,
        seq: record.seq.0.cast_signed(),
        kind,
        parent: None,
        queue: queue.clone(),
        channel: channel.clone(),
        agent: None,
        team: None,
        offer: None,
        cause: None,
        started_at: record.at.0.cast_signed(),
        ended_at: None,
        outcome: None,
        reason: None,
        codes: None,
    }
}

impl Projection<'_> {
    pub(super) fn entered(
        &mut self,
        record: &Record,
        facts: &Facts,
        queue: QueueId,
        how: Entered,
    ) -> rusqlite::Result<()> {
        let at = record.at;
        let queue = self.words.queue(queue);
        let channel = self.words.channel(facts.channel);
        let case = self.cases.of(self.file, facts.id)?;
        if let Some(stay) = case.stay() {
            case.end((Kind::Queue, None), at, "moved_out".to_owned(), None);
            let moved = [(OfQueue::MovedOut, 1)];
            self.counts.queue(at, &stay.queue, &stay.channel, &moved);
        }
        match case.change() {
            Some(row) => row.queue = queue.clone(),
            None => case.row = Some(new_row(record, facts, (&queue, &channel), self.words)),
        }
        case.segments.push(Segment {
            cause: Some(word(&how)),
            ..begin(record, Kind::Queue, &queue, &channel)
        });
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
        let places = self.places(offer);
        let case = self.cases.of(self.file, offer.contact)?;
        case.segments.push(Segment {
            parent: case.stay().map(|stay| stay.seq),
            agent: Some(places.agent.clone()),
            offer: Some(places.offer),
            cause: Some(word(&decision.by)),
            ..begin(record, Kind::Offer, &places.queue, &places.channel)
        });
        if let Some(row) = case.change() {
            row.offers += 1;
        }
        let counts = &mut self.counts;
        places.count(counts, record.at, OfQueue::Offers, OfAgent::Offers);
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
        let places = self.places(offer);
        let case = self.cases.of(self.file, offer.contact)?;
        let part = (Kind::Offer, Some(places.offer));
        case.end(part, record.at, word(&outcome), reason);
        places.count(&mut self.counts, record.at, of_queue, of_agent);
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
        let case = self.cases.of(self.file, contact)?;
        let Some(stay) = case.stay() else {
            return Ok(());
        };
        case.end((Kind::Queue, None), at, "answered".to_owned(), None);
        let agent = self.words.agent(leg.agent);
        let team = leg.team.map(|team| self.words.team(team));
        let offer = leg.offer.0.cast_signed();
        case.segments.push(Segment {
            parent: case.part(Kind::Offer, offer).map(|part| part.seq),
            agent: Some(agent.clone()),
            team: team.clone(),
            offer: Some(offer),
            ..begin(record, Kind::Leg, &stay.queue, &stay.channel)
        });
        let mut counters = vec![(OfQueue::Answered, 1)];
        if first {
            if let Some(row) = case.change() {
                row.answered_at = Some(at.0.cast_signed());
                row.waited_ms = Some(waited.0.cast_signed());
                row.answered_by = Some(agent.clone());
                row.answered_team = team;
            }
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
        let case = self.cases.of(self.file, contact)?;
        if let Some(row) = case.change() {
            row.requeues += 1;
        }
        if let Some(stay) = case.stay() {
            let requeued = [(OfQueue::Requeued, 1)];
            let counts = &mut self.counts;
            counts.queue(record.at, &stay.queue, &stay.channel, &requeued);
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
        let case = self.cases.of(self.file, contact)?;
        let Some(row) = case.change() else {
            return Ok(());
        };
        row.returns += 1;
        let (queue, channel) = (self.words.queue(queue), row.channel.clone());
        case.segments.push(Segment {
            cause: Some(word(&why)),
            ..begin(record, Kind::Queue, &queue, &channel)
        });
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
        let case = self.cases.of(self.file, contact)?;
        if let Some(stay) = case.stay() {
            case.end((Kind::Queue, None), at, word(&reason), None);
            left(case, &mut self.counts, self.words, at, &stay, reason);
        }
        if let Some(row) = case.change() {
            let at = at.0.cast_signed();
            row.outcome = Some(word(&reason));
            if closed {
                row.closed_at = Some(at);
                row.ended_at.get_or_insert(at);
            } else {
                row.ended_at = Some(at);
            }
        }
        Ok(())
    }

    pub(super) fn wrap_up_started(
        &mut self,
        record: &Record,
        offer: &OfferRef,
        how: LegEnd,
    ) -> rusqlite::Result<()> {
        let places = self.places(offer);
        let case = self.cases.of(self.file, offer.contact)?;
        let leg = (Kind::Leg, Some(places.offer));
        let parent = case.end(leg, record.at, word(&how), None);
        case.segments.push(Segment {
            parent,
            agent: Some(places.agent),
            offer: Some(places.offer),
            ..begin(record, Kind::WrapUp, &places.queue, &places.channel)
        });
        Ok(())
    }

    pub(super) fn wrap_up_given(
        &mut self,
        offer: &OfferRef,
        codes: &[String],
    ) -> rusqlite::Result<()> {
        let case = self.cases.of(self.file, offer.contact)?;
        case.give(offer.offer.0.cast_signed(), codes);
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
        let places = self.places(offer);
        let case = self.cases.of(self.file, offer.contact)?;
        for kind in [Kind::WrapUp, Kind::Leg] {
            let part = (kind, Some(places.offer));
            if case.end(part, at, word(&how), None).is_some() {
                break;
            }
        }
        if let Some(row) = case.change() {
            row.talk_ms += talk.0.cast_signed();
            row.wrap_up_ms += wrap_up.0.cast_signed();
        }
        let of_queue = [
            (OfQueue::Handled, 1),
            (OfQueue::Talk, talk.0),
            (OfQueue::WrapUp, wrap_up.0),
        ];
        let Places { queue, channel, .. } = &places;
        self.counts.queue(at, queue, channel, &of_queue);
        let of_agent = [
            (OfAgent::Handled, 1),
            (OfAgent::Talk, talk.0),
            (OfAgent::WrapUp, wrap_up.0),
        ];
        self.counts.agent(at, &places.agent, channel, &of_agent);
        Ok(())
    }

    fn places(&mut self, offer: &OfferRef) -> Places {
        Places {
            offer: offer.offer.0.cast_signed(),
            queue: self.words.queue(offer.queue),
            channel: self.words.channel(offer.channel),
            agent: self.words.agent(offer.agent),
        }
    }
}

impl Places {
    /// Counts one for the queue, and one for the agent.
    fn count(&self, counts: &mut Counts, at: Instant, of_queue: OfQueue, of_agent: OfAgent) {
        counts.queue(at, &self.queue, &self.channel, &[(of_queue, 1)]);
        counts.agent(at, &self.agent, &self.channel, &[(of_agent, 1)]);
    }
}

fn new_row(
    record: &Record,
    facts: &Facts,
    (queue, channel): (&Name, &Name),
    words: &mut Words,
) -> ContactRow {
    // Content that is gone was erased, and with it goes what the connector calls the contact.
    let content = record.content.as_deref();
    let born = Born {
        first_queue: queue.clone(),
        external_id: content.map(|_| facts.external_id.to_string()),
        customer_id: content.and_then(|content| content.customer_id.clone()),
        conversation: facts.conversation.to_string(),
        submitted_by: words.user(facts.submitted_by),
    };
    ContactRow {
        kept: Kept::New,
        seq: record.seq.0.cast_signed(),
        born: Some(born),
        channel: channel.clone(),
        queue: queue.clone(),
        entered_at: record.at.0.cast_signed(),
        answered_at: None,
        waited_ms: None,
        answered_by: None,
        answered_team: None,
        talk_ms: 0,
        wrap_up_ms: 0,
        offers: 0,
        requeues: 0,
        returns: 0,
        ended_at: None,
        closed_at: None,
        outcome: None,
        wrap_up_codes: None,
    }
}

/// A contact left the line without an answer.
fn left(
    case: &mut Case,
    counts: &mut Counts,
    words: &Words,
    at: Instant,
    stay: &Stay,
    reason: Closed,
) {
    let waited = at.since(stay.entered);
    if stay.first
        && let Some(row) = case.change()
    {
        row.waited_ms = Some(waited.0.cast_signed());
    }
    let (queue, channel) = (&stay.queue, &stay.channel);
    let mut counters = match reason {
        Closed::Abandoned => vec![(OfQueue::Abandoned, 1)],
        Closed::ShortAbandoned => vec![(OfQueue::ShortAbandoned, 1)],
        Closed::Completed | Closed::EndedBySupervisor | Closed::Failed => {
            counts.queue(at, queue, channel, &[(OfQueue::Cancelled, 1)]);
            return;
        }
    };
    if stay.first {
        counters.push((OfQueue::AbandonWait, waited.0));
        if waited <= words.target(queue, channel) {
            counters.push((OfQueue::AbandonedInThreshold, 1));
        }
        counts.waited(at, queue, channel, waited);
    } else {
        counters.push((OfQueue::AbandonedAfterReturn, 1));
    }
    counts.queue(at, queue, channel, &counters);
}
