//! What becomes of each call: an order for its owner, or an answer that the gate knows itself.

use super::named::{self, Reading, Subject};
use super::order::{self, Order};
use super::{Caller, Gate, refuse};
use crate::access::ext::ExtNames;
use crate::access::facts::{Facts, Thing, ThingFacts};
use crate::access::privilege::Needs;
use crate::access::rights::decide_needs;
use crate::domain::command::{FloorCommand, QueueCommand};
use crate::domain::requirement::Names as _;
use crate::domain::rules::QueueRules;
use crate::id::{AgentId, QueueId, TeamId};
use crate::wire::error::{Code, WireError, quoted};
use crate::wire::field::Name;
use crate::wire::method::{Answer, Call, Method};
use crate::wire::{params, result};
use std::borrow::Cow;

/// What is due on a call.
#[derive(Debug)]
pub(super) enum Due {
    /// This, by its owner.
    Order(Order),
    /// This answer.
    Answered(Box<Answer>),
}

impl Gate {
    /// What is due on a call whose privilege is held.
    pub(super) fn due(&self, caller: &Caller, call: Call) -> Result<Due, WireError> {
        let (directory, rules) = (self.directory(), self.engine.rules());
        let reading = Reading {
            directory: &directory,
            rules: &rules,
            caller: &caller.principal,
        };
        let order = match call {
            Call::AgentSignIn(asked) => reading.sign_in(&asked)?,
            Call::AgentSignOut(asked) => order::sign_out(&asked),
            Call::AgentSetState(asked) => reading.set_state(asked)?,
            Call::AgentSetChannels(asked) => reading.set_channels(&asked)?,
            Call::AgentSetQueues(asked) => reading.set_queues(&asked)?,
            Call::ContactAccept(asked) => {
                Order::Floor(FloorCommand::Accept(named::offer(&asked.offer)?))
            }
            Call::ContactDecline(asked) => order::decline(asked)?,
            Call::OfferShown(asked) => {
                Order::Floor(FloorCommand::Shown(named::offer(&asked.offer)?))
            }
            Call::WorkspaceDrain(asked) => {
                let cancel = asked.cancel.unwrap_or(false);
                Order::Floor(FloorCommand::Drain(!cancel))
            }
            Call::ContactEnd(asked) => {
                Order::Queue(QueueCommand::End(named::contact(&asked.contact)?))
            }
            Call::ContactRequeue(asked) => {
                Order::Queue(QueueCommand::Requeue(named::contact(&asked.contact)?))
            }
            Call::ContactAbandon(asked) => {
                Order::Queue(QueueCommand::Abandon(named::contact(&asked.contact)?))
            }
            Call::ContactPrioritise(asked) => order::prioritise(&asked)?,
            Call::ContactWrapUp(asked) => order::wrap_up(asked)?,
            Call::ContactSubmit(asked) => {
                let (id, now) = (self.contact_id(), self.engine.clock().now());
                reading.submit(asked, id, now)?
            }
            Call::ContactUpdate(asked) => reading.update(asked)?,
            Call::MediaReport(asked) => order::report(&asked)?,
            Call::QueueList(_) => {
                let queues = self.queues(caller, &rules.queues);
                return Ok(Due::Answered(Box::new(Answer::QueueList(queues))));
            }
            Call::AuthRefresh(asked) => {
                let refreshed = self.refresh(caller, &asked)?;
                return Ok(Due::Answered(Box::new(Answer::AuthRefresh(refreshed))));
            }
            Call::SessionWorkspaces(_) => {
                return Ok(Due::Answered(Box::new(Answer::SessionWorkspaces(
                    self.workspaces(caller),
                ))));
            }
            Call::AgentList(_)
            | Call::AgentEndWrapUp(_)
            | Call::ContactGet(_)
            | Call::ContactList(_)
            | Call::ContactTrace(_)
            | Call::StatsGet(_) => {
                let text = "this method is answered by a look at the board";
                return Err(WireError::new(Code::Internal, text));
            }
            Call::Authorize(asked) => {
                let answers = asked
                    .items
                    .iter()
                    .map(|item| self.authorize(caller, item, &reading));
                let answers = result::Authorized {
                    answers: answers.collect(),
                };
                return Ok(Due::Answered(Box::new(Answer::Authorize(answers))));
            }
        };
        Ok(Due::Order(order))
    }

    fn queues(&self, caller: &Caller, queues: &[QueueRules]) -> result::Queues {
        let needs = &Method::QueueList.row().needs;
        let seen = queues.iter().filter(|queue| !queue.direct).filter(|queue| {
            let thing = ThingFacts {
                teams: queue.team.as_slice(),
                ..ThingFacts::of(Thing::Queue(queue.id))
            };
            decide_needs(&caller.principal, needs, None, &Facts::Thing(thing)).allows()
        });
        let directory = self.directory();
        let channel = |id| {
            directory
                .names()
                .channel_name(id)
                .unwrap_or_default()
                .to_owned()
        };
        result::Queues {
            queues: seen
                .map(|queue| result::Queue {
                    id: Cow::Owned(queue.name.clone()),
                    name: Cow::Owned(queue.title.clone()),
                    channels: queue
                        .channels
                        .iter()
                        .map(|(id, _)| Cow::Owned(channel(*id)))
                        .collect(),
                })
                .collect(),
        }
    }

    /// A newer token of the same user.
    fn refresh(
        &self,
        caller: &Caller,
        asked: &params::Refresh,
    ) -> Result<result::Refreshed, WireError> {
        let entrant = self.tokens.check(&asked.token)?;
        if entrant.user != caller.principal.user() || entrant.workspace != self.name {
            let text = "the token is of another user or workspace";
            return Err(WireError::new(Code::Unauthenticated, text));
        }
        Ok(result::Refreshed {
            expires_at: entrant.expires_at.0,
        })
    }

    fn workspaces(&self, caller: &Caller) -> result::Workspaces {
        let login = caller.principal.login();
        let names = self.tokens.workspaces_of(login);
        result::Workspaces {
            workspaces: names
                .map(|name| result::Workspace {
                    id: Cow::Owned(name.to_owned()),
                })
                .collect(),
        }
    }
}

impl Gate {
    /// Whether the caller may do one thing.
    fn authorize(
        &self,
        caller: &Caller,
        item: &params::AuthorizeItem,
        reading: &Reading<'_>,
    ) -> result::Authorization {
        let answer = needs_of(item).and_then(|needs| self.weigh(caller, item, needs, reading));
        result::Authorization {
            allowed: answer.is_ok(),
            reason: answer.err().map(|error| Cow::Owned(error.message)),
        }
    }

    fn weigh(
        &self,
        caller: &Caller,
        item: &params::AuthorizeItem,
        needs: Needs,
        reading: &Reading<'_>,
    ) -> Result<(), WireError> {
        let decide = |facts: &Facts<'_>| {
            let decision = decide_needs(&caller.principal, &needs, None, facts);
            decision.lens().map(|_| ())
        };
        let Some(object) = item.object.as_deref() else {
            return decide(&Facts::Rows).map_err(|denied| refuse::denied(denied, None));
        };
        // Of what does not exist the answer is that of any object in nobody's scope.
        let names = reading.directory.names();
        let (subject, known, decided) = if let Some(name) = &object.agent {
            let known = names.agent(name);
            let agent = known.unwrap_or(AgentId(u32::MAX));
            let decided = reading.about_agent(agent, decide);
            (Subject::new("agent", name), known.is_some(), decided)
        } else if let Some(name) = &object.queue {
            let known = names.queue(name);
            let queue = known.unwrap_or(QueueId(u32::MAX));
            let decided = reading.about_queue(queue, decide);
            (Subject::new("queue", name), known.is_some(), decided)
        } else if let Some(name) = &object.team {
            let known = names.team(name);
            let team = Thing::Team(known.unwrap_or(TeamId(u32::MAX)));
            let decided = decide(&Facts::Thing(ThingFacts::of(team)));
            (Subject::new("team", name), known.is_some(), decided)
        } else {
            return Err(WireError::new(
                Code::ValidationFailed,
                "contacts are asked about by `contact.get`",
            ));
        };
        decided.map_err(|denied| match known {
            true => refuse::denied(denied, Some(&subject)),
            false => subject.not_found(),
        })
    }
}

/// What an item of `authorize` needs: that of a privilege, or of an operation.
fn needs_of(item: &params::AuthorizeItem) -> Result<Needs, WireError> {
    match (&item.operation, &item.privilege) {
        (Some(operation), _) => Method::named(operation).map(|method| method.row().needs),
        (None, Some(name)) => privilege(name),
        (None, None) => Ok(Needs::Nothing),
    }
}

fn privilege(name: &Name) -> Result<Needs, WireError> {
    ExtNames::default()
        .parse(name)
        .map(Needs::One)
        .map_err(|_| {
            WireError::new(
                Code::NotFound,
                format!("there is no privilege {}", quoted(name)),
            )
        })
}
