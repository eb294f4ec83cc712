//! What the board is asked once: lists, single objects, tables. It is looked at in its own
//! turn; what it hands out are shared rows, which are put into words here.

use super::named::{Reading, Subject, contact};
use super::{Caller, Gate, Outcome, refuse, watch};
use crate::access::lens::PseudonymKey;
use crate::access::rights::decide_needs;
use crate::domain::command::{Asked, QueueCommand};
use crate::engine::show::Show;
use crate::id::{AgentId, ContactId, Seq};
use crate::limits;
use crate::live::agent::Phase;
use crate::live::board::{Board, Refused};
use crate::live::sight::Viewer;
use crate::live::stats::Table;
use crate::wire::error::{Code, WireError};
use crate::wire::field::Name;
use crate::wire::method::{Answer, Call, Method};
use crate::wire::{params, result};
use std::sync::Arc;

type Read<T> = Result<T, WireError>;

impl Gate {
    /// The caller as the board sees him.
    ///
    /// # Errors
    /// When the system has no randomness for the pseudonyms of a caller without a session.
    pub fn viewer(&self, caller: &Caller) -> Read<Viewer> {
        let key = match &caller.pseudonyms {
            Some(key) => Arc::clone(key),
            None => Arc::new(pseudonyms()?),
        };
        Ok(Viewer {
            principal: Arc::clone(&caller.principal),
            key,
        })
    }

    /// Answers a call from the board's views.
    pub(super) async fn ask_board(&self, caller: &Caller, call: Call) -> Outcome {
        match self.read(caller, call).await {
            Ok((answer, seq)) => Outcome {
                result: Ok(Arc::new(answer)),
                seq,
                repeated: false,
            },
            Err(error) => self.refused(error),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the table of methods says which the board answers"
    )]
    async fn read(&self, caller: &Caller, call: Call) -> Read<(Answer, Seq)> {
        self.admit(caller, call.method())?;
        match call {
            Call::ContactGet(asked) => self.contact(caller, &asked).await,
            Call::ContactList(asked) => self.contacts(caller, &asked).await,
            Call::ContactTrace(asked) => self.trace(caller, &asked).await,
            Call::AgentList(_) => self.agents(caller).await,
            Call::StatsGet(asked) => self.table(caller, &asked).await,
            Call::AgentEndWrapUp(asked) => self.end_wrap_up(caller, &asked).await,
            other => {
                tracing::error!(method = %other.method(), "the board does not answer this method");
                Err(WireError::new(Code::Internal, "this method has no answer"))
            }
        }
    }

    /// Looks at the board at its newest position.
    async fn look<T: Send + 'static>(
        &self,
        caller: &Caller,
        subject: Option<&Subject>,
        look: impl FnOnce(&Board, &Viewer) -> Result<T, Refused> + Send + 'static,
    ) -> Read<(T, Seq)> {
        let viewer = self.viewer(caller)?;
        let _turn = self.turns.next(caller.principal.user()).await;
        let looked = self
            .engine
            .look(move |board| (look(board, &viewer), board.as_of()))
            .await;
        let Some((seen, seq)) = looked else {
            return Err(WireError::new(
                Code::Unavailable,
                "the views cannot be read now",
            ));
        };
        let seen = seen.map_err(|refused| watch::refused(&refused, subject))?;
        Ok((seen, seq))
    }

    fn words(&self) -> Show {
        Show::new(self.engine.rules(), Arc::clone(self.directory().names()))
    }

    async fn contact(&self, caller: &Caller, asked: &params::OnContact) -> Read<(Answer, Seq)> {
        let id = contact(&asked.contact)?;
        let subject = Subject::new("contact", &asked.contact);
        let (seen, seq) = self
            .look(caller, Some(&subject), move |board, viewer| {
                board.contact(viewer, id)
            })
            .await?;
        Ok((Answer::ContactGet(self.words().contact(&seen)), seq))
    }

    async fn contacts(&self, caller: &Caller, asked: &params::ListContacts) -> Read<(Answer, Seq)> {
        let (directory, rules) = (self.directory(), self.engine.rules());
        let reading = Reading {
            directory: &directory,
            rules: &rules,
            caller: &caller.principal,
        };
        let filter = watch::of_queue(&reading, asked.queue.as_ref())?;
        let limit = asked.limit.map(|limit| limit.get().unsigned_abs());
        let limit = limit
            .and_then(|limit| usize::try_from(limit).ok())
            .unwrap_or(limits::LIST_ROWS);
        let ((rows, total), seq) = self
            .look(caller, None, move |board, viewer| {
                board.contacts(viewer, filter, limit)
            })
            .await?;
        let words = self.words();
        let contacts = result::Contacts {
            contacts: rows.iter().map(|row| words.contact(row)).collect(),
            total: total as u64,
        };
        Ok((Answer::ContactList(contacts), seq))
    }

    async fn trace(&self, caller: &Caller, asked: &params::Trace) -> Read<(Answer, Seq)> {
        let id = contact(&asked.contact)?;
        let subject = Subject::new("contact", &asked.contact);
        // The contact is looked at first, so that of one that is hidden nothing is learnt about
        // the agent either.
        let named = self.named(caller, asked.agent.as_ref());
        let agent = named.as_ref().ok().and_then(Option::as_ref);
        let agent = agent.map(|(agent, _)| *agent);
        let ((seen, explained), seq) = self
            .look(caller, Some(&subject), move |board, viewer| {
                let seen = board.trace(viewer, id)?;
                Ok((seen, agent.map(|agent| board.explain(viewer, id, agent))))
            })
            .await?;
        let words = self.words();
        let explained = match (named?, explained) {
            (Some((agent, subject)), Some(why)) => {
                let why = why.map_err(|refused| watch::refused(&refused, Some(&subject)))?;
                Some(words.explained(agent, why))
            }
            _ => None,
        };
        let decisions = seen
            .iter()
            .map(|decision| words.decision(decision))
            .collect();
        let answer = result::Decisions {
            decisions,
            explained,
        };
        Ok((Answer::ContactTrace(answer), seq))
    }

    /// An agent that a call names, if it names one.
    fn named(&self, caller: &Caller, agent: Option<&Name>) -> Read<Option<(AgentId, Subject)>> {
        let (directory, rules) = (self.directory(), self.engine.rules());
        let reading = Reading {
            directory: &directory,
            rules: &rules,
            caller: &caller.principal,
        };
        agent
            .map(|name| {
                let agent = reading.agent(name, "/agent")?;
                Ok((agent, Subject::new("agent", name).at("/agent")))
            })
            .transpose()
    }

    async fn agents(&self, caller: &Caller) -> Read<(Answer, Seq)> {
        let (rows, seq) = self
            .look(caller, None, |board, viewer| board.agents(viewer))
            .await?;
        let words = self.words();
        let agents = result::Agents {
            agents: rows.iter().map(|row| words.agent(row)).collect(),
        };
        Ok((Answer::AgentList(agents), seq))
    }

    async fn table(&self, caller: &Caller, asked: &params::GetStats) -> Read<(Answer, Seq)> {
        let table = match asked.table {
            params::Table::Queues => Table::Queues,
            params::Table::Agents => Table::Agents,
        };
        let (cut, seq) = self
            .look(caller, None, move |board, viewer| {
                board.table(viewer, table)
            })
            .await?;
        Ok((Answer::StatsGet(self.words().table(&cut, seq.0)), seq))
    }

    /// Ends wrap-ups of an agent: the queues that have them end them, and the agent as he is
    /// after that is the answer.
    async fn end_wrap_up(&self, caller: &Caller, asked: &params::EndWrapUp) -> Read<(Answer, Seq)> {
        let (agent, subject) = match self.named(caller, asked.agent.as_ref())? {
            Some((agent, subject)) => (agent, Some(subject)),
            None => (caller.principal.agent(), None),
        };
        let subject = subject.as_ref();
        self.may_end_wrap_up(caller, agent, subject)?;
        match &asked.contact {
            Some(name) => {
                let of = Subject::new("contact", name);
                self.end_wrap_up_of(caller, agent, contact(name)?, &of)
                    .await?;
            }
            None => {
                for contact in self.wrap_ups(caller, agent, subject).await? {
                    let of = Subject::new("contact", &contact.to_string());
                    match self.end_wrap_up_of(caller, agent, contact, &of).await {
                        // It ended between the look and the command, which is what is wanted.
                        Err(error) if error.code == Code::NotFound => {}
                        ended => ended?,
                    }
                }
            }
        }
        let (seen, seq) = self
            .look(caller, subject, move |board, viewer| {
                let mut seen = board.agents(viewer)?.into_iter();
                seen.find(|seen| seen.row().agent == agent)
                    .ok_or(Refused::NotFound)
            })
            .await?;
        let agent = self.words().agent(&seen);
        Ok((Answer::AgentEndWrapUp(result::OfAgent { agent }), seq))
    }

    fn may_end_wrap_up(
        &self,
        caller: &Caller,
        agent: AgentId,
        subject: Option<&Subject>,
    ) -> Read<()> {
        let (directory, rules) = (self.directory(), self.engine.rules());
        let reading = Reading {
            directory: &directory,
            rules: &rules,
            caller: &caller.principal,
        };
        let needs = &Method::AgentEndWrapUp.row().needs;
        let decided = reading.about_agent(agent, |facts| {
            decide_needs(&caller.principal, needs, None, facts).lens()
        });
        decided
            .map(|_| ())
            .map_err(|denied| refuse::denied(denied, subject))
    }

    /// Contacts of which an agent is in wrap-up.
    async fn wrap_ups(
        &self,
        caller: &Caller,
        agent: AgentId,
        subject: Option<&Subject>,
    ) -> Read<Vec<ContactId>> {
        let (contacts, _) = self
            .look(caller, subject, move |board, viewer| {
                let seen = board.agents(viewer)?;
                let seen = seen.iter().find(|seen| seen.row().agent == agent);
                let work = seen.iter().flat_map(|seen| seen.row().work.iter());
                let ending = work.filter(|work| matches!(work.phase, Phase::WrapUp { .. }));
                Ok(ending.map(|work| work.offer.contact).collect())
            })
            .await?;
        Ok(contacts)
    }

    async fn end_wrap_up_of(
        &self,
        caller: &Caller,
        agent: AgentId,
        contact: ContactId,
        subject: &Subject,
    ) -> Read<()> {
        let (to, once) = self.engine.doors().once();
        let asked = Asked {
            principal: Arc::clone(&caller.principal),
            generation: caller.speaks_for.generation(),
            reply: Some(to),
        };
        self.engine
            .command(asked, QueueCommand::EndWrapUp { contact, agent });
        match once.answer().await {
            Some((Ok(_), _)) => Ok(()),
            Some((Err(refusal), _)) => Err(refuse::refusal(&refusal, Some(subject))),
            None => Err(WireError::new(Code::ShuttingDown, "the server stops")),
        }
    }
}

/// A key for pseudonyms that are seen once.
///
/// # Errors
/// When the system has no randomness.
pub fn pseudonyms() -> Read<PseudonymKey> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        tracing::error!(%error, "no randomness for pseudonyms");
        WireError::new(Code::Internal, "pseudonyms could not be made")
    })?;
    Ok(PseudonymKey::new(bytes))
}
