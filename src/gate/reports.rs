//! Reports from the history: each row is decided by its own facts, as the contact, agent or
//! queue that it tells of would be, and what is hidden in it is taken out before it leaves.

use super::{Caller, Gate, refuse};
use crate::access::facts::{
    AgentFacts, ContactFacts, Facts, LegFacts, LegPart, LegStanding, Thing, ThingFacts,
};
use crate::access::lens::Agents;
use crate::access::principal::Principal;
use crate::access::privilege::{Needs, Privilege};
use crate::access::rights::decide_needs;
use crate::directory::Directory;
use crate::domain::requirement::Names as _;
use crate::domain::rules::Workspace;
use crate::engine::clock::Clock;
use crate::id::{AgentId, ContactId, QueueId, TeamId};
use crate::journal::history::HistoryError;
use crate::journal::history::report::{Asked, Column, Place, Reader, Report, Value};
use crate::limits;
use crate::wire::error::{Code, WireError};
use std::ops::ControlFlow;
use std::sync::Arc;

/// Some rows of a report, as its reader may see them.
#[derive(Debug)]
pub struct Page {
    /// The report's columns.
    pub columns: Vec<Column>,
    /// Rows, with their values in the order of the columns.
    pub rows: Vec<Vec<Value>>,
    /// Where the report goes on; none at its end.
    pub next: Option<Place>,
}

impl Gate {
    /// Reads at most so many rows of a report: those that are in the caller's scopes.
    ///
    /// # Errors
    /// Without the privilege, without a history, or when it takes too long.
    pub async fn report(
        &self,
        caller: &Caller,
        report: Report,
        asked: Asked,
        most: usize,
    ) -> Result<Page, WireError> {
        let eyes = self.eyes(caller, report, &asked)?;
        let Some(path) = self.history.clone() else {
            let text = "this server keeps its journal in memory, and so no history";
            return Err(WireError::new(Code::Unavailable, text).retrying(false));
        };
        let Ok(reading) = Arc::clone(&self.reading).acquire_owned().await else {
            return Err(WireError::new(Code::ShuttingDown, "the server stops"));
        };
        let clock = self.engine.clock().clone();
        let work = tokio::task::spawn_blocking(move || {
            let _reading = reading;
            Reader::open(&path)
                .map_err(|error| broken(&error))
                .and_then(|reader| eyes.page(&reader, &asked, most, &clock))
        });
        work.await.unwrap_or_else(|_| {
            let text = "the report failed inside the server";
            Err(WireError::new(Code::Internal, text))
        })
    }

    /// Whoever sees agents by pseudonyms only is shown no table of agents, and no rows that
    /// were chosen by one.
    fn eyes(&self, caller: &Caller, report: Report, asked: &Asked) -> Result<Eyes, WireError> {
        let needs = Needs::One(match report {
            Report::Contacts
            | Report::Segments
            | Report::AgentStates
            | Report::QueueIntervals
            | Report::AgentIntervals => Privilege::ReportView,
            Report::Audit => Privilege::AuditView,
        });
        let of_agents = match report {
            Report::AgentStates | Report::AgentIntervals | Report::Audit => true,
            Report::Contacts | Report::Segments | Report::QueueIntervals => asked.agent.is_some(),
        };
        let lens = decide_needs(&caller.principal, &needs, None, &Facts::Rows).lens();
        let lens = lens.map_err(|denied| refuse::denied(denied, None))?;
        if of_agents && lens.agents == Agents::Anonymous {
            let privilege = Privilege::DashboardAgentsIdentified.to_string();
            let error = WireError::new(Code::Forbidden, format!("{privilege} is needed"));
            return Err(error.lacking(privilege));
        }
        Ok(Eyes {
            principal: Arc::clone(&caller.principal),
            directory: self.directory(),
            rules: self.engine.rules(),
            needs,
            report,
        })
    }
}

fn broken(error: &HistoryError) -> WireError {
    tracing::error!(%error, "a report cannot be read");
    WireError::new(Code::Unavailable, "the history cannot be read now")
}

/// Who reads which report, and what the names in it stand for now.
struct Eyes {
    principal: Arc<Principal>,
    directory: Arc<Directory>,
    rules: Arc<Workspace>,
    needs: Needs,
    report: Report,
}

/// A row by the names of its columns.
struct Named<'a> {
    columns: &'a [Column],
    values: &'a [Value],
}

impl Named<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        let at = self.columns.iter().position(|column| column.name == name)?;
        match self.values.get(at)? {
            Value::Text(text) => Some(text),
            Value::Null | Value::Number(_) => None,
        }
    }
}

impl Eyes {
    fn page(
        &self,
        reader: &Reader,
        asked: &Asked,
        most: usize,
        clock: &Clock,
    ) -> Result<Page, WireError> {
        let columns = self.report.columns();
        let until = clock.now() + limits::REPORT_WITHIN;
        let (mut rows, mut last, mut next, mut late) = (Vec::new(), None, None, false);
        let read = reader.read(self.report, asked, |read| {
            late = clock.now() >= until;
            let row = Named {
                columns: &columns,
                values: &read.values,
            };
            if let Some(agents) = self.sees(&row)
                && let Some(values) = self.shown(&columns, &read.values, agents)
            {
                if rows.len() == most {
                    next = last.take();
                    return ControlFlow::Break(());
                }
                rows.push(values);
                last = Some(read.place);
            }
            if late {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        read.map_err(|error| broken(&error))?;
        if late {
            let text = "the report takes too long: ask for a shorter time, from and to";
            return Err(WireError::new(Code::Timeout, text).retrying(false));
        }
        Ok(Page {
            columns,
            rows,
            next,
        })
    }

    /// How agents are seen in a row, if it is seen at all.
    fn sees(&self, row: &Named<'_>) -> Option<Agents> {
        match self.report {
            Report::Contacts => self.contact(row, "answered_by", "answered_team"),
            Report::Segments => self.contact(row, "agent", "team"),
            Report::AgentStates | Report::AgentIntervals => self.agent(row),
            Report::QueueIntervals => self.queue(row),
            Report::Audit if row.text("queue").is_some() => self.contact(row, "agent", "team"),
            Report::Audit => self.agent(row),
        }
    }

    /// A row as it is shown: of a part that an agent had in a contact nothing is left without
    /// the agent.
    fn shown(&self, columns: &[Column], values: &[Value], agents: Agents) -> Option<Vec<Value>> {
        const HIDDEN: [&str; 4] = ["answered_by", "answered_team", "agent", "team"];
        if agents == Agents::Identified {
            return Some(values.to_vec());
        }
        let row = Named { columns, values };
        match self.report {
            Report::Contacts => {}
            Report::Segments if row.text("kind") == Some("queue") => {}
            Report::QueueIntervals => {}
            Report::Segments | Report::AgentStates | Report::AgentIntervals | Report::Audit => {
                return None;
            }
        }
        let cells = columns.iter().zip(values);
        let cells = cells.map(|(column, value)| match HIDDEN.contains(&column.name) {
            true => Value::Null,
            false => value.clone(),
        });
        Some(cells.collect())
    }

    fn decide(&self, facts: &Facts<'_>) -> Option<Agents> {
        let lens = decide_needs(&self.principal, &self.needs, None, facts).lens();
        lens.ok().map(|lens| lens.agents)
    }

    /// As the contact would be whose agent still has it; without one, as one that waits.
    fn contact(&self, row: &Named<'_>, agent: &str, team: &str) -> Option<Agents> {
        let names = self.directory.names();
        let Some(queue) = row.text("queue").and_then(|name| names.queue(name)) else {
            return self.decide(&Facts::Workspace);
        };
        let channel = row.text("channel").and_then(|name| names.channel(name));
        let channel = channel.or_else(|| {
            let terms = self.rules.queue(queue)?.channels.first();
            terms.map(|(channel, _)| *channel)
        });
        let Some(channel) = channel else {
            return self.decide(&Facts::Workspace);
        };
        let contact = row.text("contact").and_then(|id| id.parse().ok());
        let team = row.text(team).and_then(|name| names.team(name));
        let who = row.text(agent).map(|name| self.agent_of(name));
        let teams = match (team, who) {
            (Some(team), _) => vec![team],
            (None, Some(who)) => self.teams_of(who),
            (None, None) => Vec::new(),
        };
        let leg = who.map(|agent| LegFacts {
            agent,
            teams: &teams,
            part: LegPart::Owner,
            standing: LegStanding::WrapUp,
            private: false,
        });
        let submitted_by = row.text("submitted_by").and_then(|name| names.user(name));
        self.decide(&Facts::Contact(ContactFacts {
            contact: contact.unwrap_or(ContactId(uuid::Uuid::nil())),
            channel,
            queue,
            owner_team: self.rules.queue(queue).and_then(|queue| queue.team),
            legs: leg.as_slice(),
            offered: &[],
            submitted_by,
            connector: None,
        }))
    }

    fn agent(&self, row: &Named<'_>) -> Option<Agents> {
        let Some(name) = row.text("agent") else {
            return self.decide(&Facts::Workspace);
        };
        let agent = self.agent_of(name);
        let rules = self.rules.agent(agent);
        let queues = rules.iter().flat_map(|rules| &rules.memberships);
        let queues: Vec<QueueId> = queues.map(|member| member.queue).collect();
        self.decide(&Facts::Agent(AgentFacts {
            agent,
            teams: &self.teams_of(agent),
            queues: &queues,
        }))
    }

    fn queue(&self, row: &Named<'_>) -> Option<Agents> {
        let queue = row.text("queue");
        let Some(queue) = queue.and_then(|name| self.directory.names().queue(name)) else {
            return self.decide(&Facts::Workspace);
        };
        let team = self.rules.queue(queue).and_then(|queue| queue.team);
        self.decide(&Facts::Thing(ThingFacts {
            teams: team.as_slice(),
            ..ThingFacts::of(Thing::Queue(queue))
        }))
    }

    /// One that is gone is nobody's colleague.
    fn agent_of(&self, name: &str) -> AgentId {
        let user = self.directory.names().user(name);
        user.map_or(AgentId(u32::MAX), |user| user.agent())
    }

    fn teams_of(&self, agent: AgentId) -> Vec<TeamId> {
        let rules = self.rules.agent(agent);
        rules.map_or(Vec::new(), |rules| rules.teams.clone())
    }
}
