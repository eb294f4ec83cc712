//! Contacts in memory. One comes from the file when an event needs it; what changed of it goes
//! there when a group of events ends, each row once, so that a start needs nothing else.

use super::case::{Case, ContactRow, Kept, Kind, Segment};
use crate::id::ContactId;
use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, Row, ToSql, params};
use std::collections::{BTreeSet, HashMap};

/// With more contacts than so many in memory, those that are needed are read anew.
const MOST: usize = 20_000;

const CONTACT: &str = "SELECT seq, channel, queue, entered_at, answered_at, waited_ms, answered_by, answered_team, talk_ms, wrap_up_ms, offers, requeues, returns, ended_at, closed_at, outcome, wrap_up_codes FROM contacts WHERE contact = ?1";
const SEGMENTS: &str = "SELECT seq, kind, parent, queue, channel, agent, team, offer, cause, started_at, ended_at, outcome, reason, codes FROM segments WHERE contact = ?1 ORDER BY seq";
const NEW_CONTACT: &str = "INSERT INTO contacts (seq, queue, answered_at, waited_ms, answered_by, answered_team, talk_ms, wrap_up_ms, offers, requeues, returns, ended_at, closed_at, outcome, wrap_up_codes, contact, external_id, customer_id, channel, first_queue, conversation, submitted_by, entered_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)";
const SAME_CONTACT: &str = "UPDATE contacts SET queue = ?2, answered_at = ?3, waited_ms = ?4, answered_by = ?5, answered_team = ?6, talk_ms = ?7, wrap_up_ms = ?8, offers = ?9, requeues = ?10, returns = ?11, ended_at = ?12, closed_at = ?13, outcome = ?14, wrap_up_codes = ?15 WHERE seq = ?1";
const NEW_SEGMENT: &str = "INSERT INTO segments (seq, contact, kind, parent, queue, channel, agent, team, offer, cause, started_at, ended_at, outcome, reason, codes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
const SAME_SEGMENT: &str =
    "UPDATE segments SET ended_at = ?2, outcome = ?3, reason = ?4, codes = ?5 WHERE seq = ?1";

/// Contacts in memory.
#[derive(Debug, Default)]
pub(super) struct Cases {
    known: HashMap<ContactId, Case>,
    /// Those that were asked for since the last group ended.
    touched: BTreeSet<ContactId>,
}

impl Cases {
    /// A contact, to be read and changed.
    pub(super) fn of(&mut self, file: &Connection, id: ContactId) -> rusqlite::Result<&mut Case> {
        self.touched.insert(id);
        let case = match self.known.remove(&id) {
            Some(case) => case,
            None => read(file, id)?,
        };
        Ok(self.known.entry(id).or_insert(case))
    }

    /// Writes what changed.
    pub(super) fn write(&mut self, file: &Connection) -> rusqlite::Result<()> {
        let touched = std::mem::take(&mut self.touched);
        let known = &mut self.known;
        let mut cases: Vec<(ContactId, Case)> = touched
            .into_iter()
            .filter_map(|id| known.remove_entry(&id))
            .collect();
        for (id, case) in &mut cases {
            if let Some(row) = &mut case.row {
                write_contact(file, *id, row)?;
            }
        }
        let segments = cases.iter_mut().flat_map(|(id, case)| {
            let segments = case.segments.iter_mut();
            segments.map(|part| (*id, part))
        });
        let mut segments: Vec<(ContactId, &mut Segment)> = segments.collect();
        // New ones are added at the end of the table.
        segments.sort_unstable_by_key(|(_, part)| part.seq);
        for (id, part) in segments {
            write_segment(file, id, part)?;
        }
        if self.known.len() > MOST {
            self.known.clear();
        }
        let going_on = cases.into_iter().filter(|(_, case)| !case.is_over());
        self.known.extend(going_on);
        Ok(())
    }
}

fn write_contact(
    file: &Connection,
    contact: ContactId,
    row: &mut ContactRow,
) -> rusqlite::Result<()> {
    let statement = match row.kept {
        Kept::Same => return Ok(()),
        Kept::New => NEW_CONTACT,
        Kept::Changed => SAME_CONTACT,
    };
    let mut values: Vec<&dyn ToSql> = vec![
        &row.seq,
        &row.queue,
        &row.answered_at,
        &row.waited_ms,
        &row.answered_by,
        &row.answered_team,
        &row.talk_ms,
        &row.wrap_up_ms,
        &row.offers,
        &row.requeues,
        &row.returns,
        &row.ended_at,
        &row.closed_at,
        &row.outcome,
        &row.wrap_up_codes,
    ];
    let (born, contact) = (row.born.take(), contact.to_string());
    if let Some(born) = &born {
        let born: [&dyn ToSql; 8] = [
            &contact,
            &born.external_id,
            &born.customer_id,
            &row.channel,
            &born.first_queue,
            &born.conversation,
            &born.submitted_by,
            &row.entered_at,
        ];
        values.extend(born);
    }
    file.prepare_cached(statement)?.execute(values.as_slice())?;
    row.kept = Kept::Same;
    Ok(())
}

fn write_segment(
    file: &Connection,
    contact: ContactId,
    part: &mut Segment,
) -> rusqlite::Result<()> {
    match part.kept {
        Kept::Same => {}
        Kept::New => {
            file.prepare_cached(NEW_SEGMENT)?.execute(params![
                part.seq,
                contact.to_string(),
                part.kind.word(),
                part.parent,
                part.queue,
                part.channel,
                part.agent,
                part.team,
                part.offer,
                part.cause,
                part.started_at,
                part.ended_at,
                part.outcome,
                part.reason,
                part.codes,
            ])?;
        }
        Kept::Changed => {
            file.prepare_cached(SAME_SEGMENT)?.execute(params![
                part.seq,
                part.ended_at,
                part.outcome,
                part.reason,
                part.codes,
            ])?;
        }
    }
    part.kept = Kept::Same;
    Ok(())
}

fn read(file: &Connection, id: ContactId) -> rusqlite::Result<Case> {
    let contact = id.to_string();
    let mut row = file.prepare_cached(CONTACT)?;
    let row = row.query_row([&contact], read_contact).optional()?;
    let mut segments = file.prepare_cached(SEGMENTS)?;
    let segments = segments.query_map([&contact], read_segment)?;
    Ok(Case {
        row,
        segments: segments.collect::<rusqlite::Result<_>>()?,
    })
}

fn read_contact(row: &Row<'_>) -> rusqlite::Result<ContactRow> {
    Ok(ContactRow {
        kept: Kept::Same,
        seq: row.get(0)?,
        born: None,
        channel: row.get(1)?,
        queue: row.get(2)?,
        entered_at: row.get(3)?,
        answered_at: row.get(4)?,
        waited_ms: row.get(5)?,
        answered_by: row.get(6)?,
        answered_team: row.get(7)?,
        talk_ms: row.get(8)?,
        wrap_up_ms: row.get(9)?,
        offers: row.get(10)?,
        requeues: row.get(11)?,
        returns: row.get(12)?,
        ended_at: row.get(13)?,
        closed_at: row.get(14)?,
        outcome: row.get(15)?,
        wrap_up_codes: row.get(16)?,
    })
}

fn read_segment(row: &Row<'_>) -> rusqlite::Result<Segment> {
    let kind: String = row.get(1)?;
    let kind = Kind::of(&kind).ok_or_else(|| {
        let what = format!("no kind of segment: {kind}");
        Error::FromSqlConversionFailure(1, Type::Text, what.into())
    })?;
    Ok(Segment {
        kept: Kept::Same,
        seq: row.get(0)?,
        kind,
        parent: row.get(2)?,
        queue: row.get(3)?,
        channel: row.get(4)?,
        agent: row.get(5)?,
        team: row.get(6)?,
        offer: row.get(7)?,
        cause: row.get(8)?,
        started_at: row.get(9)?,
        ended_at: row.get(10)?,
        outcome: row.get(11)?,
        reason: row.get(12)?,
        codes: row.get(13)?,
    })
}
