//! Agents' states: a row for as long as state, reason and connection stay what they are.

use super::project::Projection;
use super::words::word;
use crate::domain::event::{Record, SignOut};
use crate::domain::offer::AgentState;
use crate::id::AgentId;
use rusqlite::{OptionalExtension, params};

const OPEN: &str =
    "SELECT seq, state, reason, connection FROM agent_states WHERE agent = ?1 AND ended_at IS NULL";
const END: &str = "UPDATE agent_states SET ended_at = ?2, outcome = ?3 WHERE seq = ?1";
const BEGIN: &str = "INSERT INTO agent_states (seq, agent, state, reason, connection, started_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

/// How an agent is.
#[derive(Clone, PartialEq)]
struct Is {
    state: String,
    reason: Option<String>,
    connection: String,
}

impl Projection<'_> {
    pub(super) fn signed_in(
        &mut self,
        record: &Record,
        agent: AgentId,
        state: &AgentState,
    ) -> rusqlite::Result<()> {
        self.becomes(record, agent, |_| Some(is(state, "connected")))
    }

    pub(super) fn state_changed(
        &mut self,
        record: &Record,
        agent: AgentId,
        state: &AgentState,
    ) -> rusqlite::Result<()> {
        self.becomes(record, agent, |was| Some(is(state, &was?.connection)))
    }

    pub(super) fn connection(
        &mut self,
        record: &Record,
        agent: AgentId,
        connection: &str,
    ) -> rusqlite::Result<()> {
        self.becomes(record, agent, |was| {
            Some(Is {
                connection: connection.to_owned(),
                ..was?.clone()
            })
        })
    }

    pub(super) fn signed_out(
        &mut self,
        record: &Record,
        agent: AgentId,
        why: SignOut,
    ) -> rusqlite::Result<()> {
        let agent = self.words.agent(agent);
        if let Some((seq, _)) = self.open_state(&agent)? {
            let how = match why {
                SignOut::Own => "signed_out",
                SignOut::Forced => "forced_out",
                SignOut::ConnectionLost => "connection_lost",
            };
            self.end_state(record, seq, how)?;
        }
        Ok(())
    }

    fn becomes(
        &mut self,
        record: &Record,
        agent: AgentId,
        next: impl FnOnce(Option<&Is>) -> Option<Is>,
    ) -> rusqlite::Result<()> {
        let agent = self.words.agent(agent);
        let was = self.open_state(&agent)?;
        let Some(next) = next(was.as_ref().map(|(_, is)| is)) else {
            return Ok(());
        };
        if let Some((seq, was)) = was {
            if was == next {
                return Ok(());
            }
            let how = match (was.connection == next.connection, &*next.connection) {
                (true, _) => &next.state,
                (false, "lost") => "connection_lost",
                (false, _) => "resumed",
            };
            self.end_state(record, seq, how)?;
        }
        self.file.prepare_cached(BEGIN)?.execute(params![
            record.seq.0.cast_signed(),
            agent,
            next.state,
            next.reason,
            next.connection,
            record.at.0.cast_signed(),
        ])?;
        Ok(())
    }

    fn open_state(&self, agent: &str) -> rusqlite::Result<Option<(i64, Is)>> {
        let mut open = self.file.prepare_cached(OPEN)?;
        let open = open.query_row([agent], |row| {
            let is = Is {
                state: row.get(1)?,
                reason: row.get(2)?,
                connection: row.get(3)?,
            };
            Ok((row.get(0)?, is))
        });
        open.optional()
    }

    fn end_state(&self, record: &Record, seq: i64, how: &str) -> rusqlite::Result<()> {
        let mut end = self.file.prepare_cached(END)?;
        end.execute(params![seq, record.at.0.cast_signed(), how])?;
        Ok(())
    }
}

fn is(state: &AgentState, connection: &str) -> Is {
    Is {
        state: word(state),
        reason: match state {
            AgentState::NotReady(reason) => Some(reason.clone()),
            AgentState::Available | AgentState::SignedOut => None,
        },
        connection: connection.to_owned(),
    }
}
