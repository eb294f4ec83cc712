//! Names that come in, and what they name. An object that the caller may not see is answered
//! exactly as one that does not exist, wherever it is named and whatever else is wrong.

use crate::access::facts::{AgentFacts, ContactFacts, Facts, Thing, ThingFacts};
use crate::access::principal::Principal;
use crate::access::privilege::Needs;
use crate::access::rights::{Decision, Why, decide_needs};
use crate::directory::{Directory, WorkspaceNames};
use crate::domain::capacity::ChannelSet;
use crate::domain::requirement::Names as _;
use crate::domain::rules::Workspace;
use crate::id::{AgentId, ChannelId, ContactId, OfferId, QueueId, TeamId};
use crate::wire::error::{Code, WireError, quoted};
use crate::wire::field::Name;
use crate::wire::method::{Call, Method};
use uuid::Uuid;

/// The object that a call is about, as its caller named it: what `not_found` repeats, the same
/// for an object that does not exist and one that the caller may not see.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    /// Kind of object.
    pub what: &'static str,
    /// As it was named.
    pub name: String,
    /// Where in the params it was named, of an object whose names are configured.
    pub pointer: Option<&'static str>,
}

impl Subject {
    /// An object of this kind.
    #[must_use]
    pub fn new(what: &'static str, name: &str) -> Self {
        Self {
            what,
            name: name.to_owned(),
            pointer: None,
        }
    }

    /// The same, named at this place of the params.
    #[must_use]
    pub fn at(self, pointer: &'static str) -> Self {
        Self {
            pointer: Some(pointer),
            ..self
        }
    }

    /// The object of a call, if it names one.
    #[must_use]
    pub fn of(call: &Call) -> Option<Self> {
        let named = |what: &'static str, name: &Name| Some(Self::new(what, name));
        let agent = |name: &Option<Name>| {
            let name = name.as_ref()?;
            Some(Self::new("agent", name).at("/agent"))
        };
        match call {
            Call::AgentSetState(asked) => agent(&asked.agent),
            Call::AgentSetChannels(asked) => agent(&asked.agent),
            Call::AgentSetQueues(asked) => agent(&asked.agent),
            Call::AgentEndWrapUp(asked) => agent(&asked.agent),
            Call::ContactAccept(asked) | Call::OfferShown(asked) => named("offer", &asked.offer),
            Call::ContactDecline(asked) => named("offer", &asked.offer),
            Call::ContactEnd(asked)
            | Call::ContactRequeue(asked)
            | Call::ContactGet(asked)
            | Call::ContactAbandon(asked) => named("contact", &asked.contact),
            Call::ContactPrioritise(asked) => named("contact", &asked.contact),
            Call::ContactWrapUp(asked) => named("contact", &asked.contact),
            Call::ContactUpdate(asked) => named("contact", &asked.contact),
            Call::ContactTrace(asked) => named("contact", &asked.contact),
            Call::ContactSubmit(asked) => match &asked.queue {
                Some(queue) => Some(Self::new("queue", queue).at("/queue")),
                None => agent(&asked.agent),
            },
            Call::MediaReport(asked) => named("command", &asked.command),
            Call::AgentSignIn(_)
            | Call::AgentSignOut(_)
            | Call::AgentList(_)
            | Call::ContactList(_)
            | Call::QueueList(_)
            | Call::StatsGet(_)
            | Call::WorkspaceDrain(_)
            | Call::AuthRefresh(_)
            | Call::SessionWorkspaces(_)
            | Call::Authorize(_) => None,
        }
    }

    /// There is no such object, or none that the caller may see.
    #[must_use]
    pub fn not_found(&self) -> WireError {
        let Self {
            what,
            name,
            pointer,
        } = self;
        let text = format!("there is no {what} {}", quoted(name));
        let error = WireError::new(Code::NotFound, text);
        match pointer {
            Some(pointer) => at(pointer, error),
            None => error,
        }
    }
}

/// The names of a workspace, for what has just come in, and who named them.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// Who and what there is.
    pub directory: &'a Directory,
    /// What it is configured to be.
    pub rules: &'a Workspace,
    /// Who asks.
    pub caller: &'a Principal,
}

type Read<T> = Result<T, WireError>;

/// The same error, saying where in the params it is.
pub(super) fn at(pointer: &str, mut error: WireError) -> WireError {
    let data = error.data.get_or_insert_default();
    data.pointer = Some(pointer.to_owned());
    error
}

/// A contact by its id.
///
/// # Errors
/// `not_found` when the text is no id of a contact: then there is none.
pub fn contact(name: &Name) -> Read<ContactId> {
    name.parse()
        .map_err(|_| Subject::new("contact", name).not_found())
}

/// An offer by its id.
///
/// # Errors
/// `not_found` when the text is no id of an offer.
pub fn offer(name: &Name) -> Read<OfferId> {
    name.parse()
        .map_err(|_| Subject::new("offer", name).not_found())
}

impl Reading<'_> {
    pub(super) fn names(&self) -> &WorkspaceNames {
        self.directory.names()
    }

    /// An agent by its name, whether or not the caller may see it.
    ///
    /// # Errors
    /// `not_found`.
    pub fn agent(&self, name: &Name, pointer: &'static str) -> Read<AgentId> {
        let none = || Subject::new("agent", name).at(pointer).not_found();
        self.names().agent(name).ok_or_else(none)
    }

    /// The agent that a method is about, the caller where none is named.
    ///
    /// # Errors
    /// `not_found`, also where the caller may not see the agent.
    pub fn agent_of(&self, name: Option<&Name>, method: Method) -> Read<Option<AgentId>> {
        let Some(name) = name else {
            return Ok(None);
        };
        let agent = self.agent(name, "/agent")?;
        let needs = &method.row().needs;
        if self.about_agent(agent, |facts| self.hides(needs, facts)) {
            return Err(Subject::new("agent", name).at("/agent").not_found());
        }
        Ok(Some(agent))
    }

    /// The queue that a contact is submitted to.
    ///
    /// # Errors
    /// `not_found`, also where the caller may not see the queue.
    pub fn queue_to_fill(&self, name: &Name, channel: ChannelId) -> Read<QueueId> {
        let queue = self.names().queue(name).filter(|queue| {
            let needs = &Method::ContactSubmit.row().needs;
            !self.hides(needs, &self.of_queue(*queue, channel))
        });
        queue.ok_or_else(|| Subject::new("queue", name).at("/queue").not_found())
    }

    /// The queue that is watched by this right.
    ///
    /// # Errors
    /// `not_found`, also where the caller may not see the queue.
    pub fn queue_to_watch(&self, name: &Name, needs: &Needs) -> Read<QueueId> {
        let queue = self.names().queue(name);
        let queue = queue.filter(|queue| self.about_queue(*queue, |of| !self.hides(needs, of)));
        queue.ok_or_else(|| Subject::new("queue", name).at("/topic").not_found())
    }

    /// Queues that an agent is to serve. Of others, those that do not exist included, all that
    /// is said is that the agent is no member.
    ///
    /// # Errors
    /// `invalid_state`.
    pub fn queues_of<'n>(
        &self,
        agent: AgentId,
        names: impl IntoIterator<Item = &'n Name>,
    ) -> Read<Vec<QueueId>> {
        let own = self.rules.agent(agent);
        let find = |(number, name): (usize, &Name)| {
            let is_member = |queue: &QueueId| {
                let mut memberships = own.iter().flat_map(|own| own.memberships.iter());
                memberships.any(|member| member.queue == *queue)
            };
            let queue = self.names().queue(name).filter(is_member);
            queue.ok_or_else(|| {
                let who = own.map_or("", |own| &own.name);
                let text = format!("agent {who} is no member of queue {}", quoted(name));
                at(
                    &format!("/queues/{number}"),
                    WireError::new(Code::InvalidState, text),
                )
            })
        };
        names.into_iter().enumerate().map(find).collect()
    }

    pub(super) fn channel(&self, name: &str, pointer: &str) -> Read<ChannelId> {
        self.names().channel(name).ok_or_else(|| {
            let known: Vec<_> = self.names().channels.iter().map(quoted).collect();
            let expected = format!("one of {}", known.join(" "));
            WireError::wrong(Code::ValidationFailed, pointer.to_owned(), &expected)
        })
    }

    pub(super) fn channels<'n>(
        &self,
        names: impl IntoIterator<Item = &'n Name>,
        pointer: &str,
    ) -> Read<ChannelSet> {
        let place =
            |(number, name): (usize, &Name)| self.channel(name, &format!("{pointer}/{number}"));
        names.into_iter().enumerate().map(place).collect()
    }
}

/// What a caller may know of by name.
impl Reading<'_> {
    /// Whether the caller may filter by this value of a field: he sees it somewhere, or belongs
    /// to it. What is no name of agent, queue or team is no secret.
    #[must_use]
    pub fn may_name(&self, field: &str, value: &str) -> bool {
        let sees = |facts: &Facts<'_>| !self.hides(&Needs::AnyOf(&[]), facts);
        match field {
            "agent" => {
                let agent = self.names().agent(value);
                agent.is_some_and(|agent| self.about_agent(agent, sees))
            }
            "queue" => self.names().queue(value).is_some_and(|queue| {
                self.caller.queues().contains(&queue)
                    || self.about_queue(queue, sees)
                    || self.may_fill(queue)
            }),
            "team" => self.names().team(value).is_some_and(|team| {
                let facts = Facts::Thing(ThingFacts::of(Thing::Team(team)));
                self.caller.teams().contains(&team) || sees(&facts)
            }),
            _ => true,
        }
    }

    fn may_fill(&self, queue: QueueId) -> bool {
        let needs = &Method::ContactSubmit.row().needs;
        let own = self.rules.queue(queue);
        let mut channels = own.iter().flat_map(|own| own.channels.iter());
        channels.any(|(channel, _)| {
            let facts = self.of_queue(queue, *channel);
            decide_needs(self.caller, needs, None, &facts).allows()
        })
    }

    /// Whether what is asked about is not there for the caller.
    fn hides(&self, needs: &Needs, facts: &Facts<'_>) -> bool {
        match decide_needs(self.caller, needs, None, facts) {
            Decision::Allow(_) => false,
            Decision::Deny(denied) => denied.why == Why::OutOfScope,
        }
    }

    /// Looks at an agent as the configuration has it.
    pub fn about_agent<T>(&self, agent: AgentId, look: impl FnOnce(&Facts<'_>) -> T) -> T {
        let own = self.rules.agent(agent);
        let memberships = own.iter().flat_map(|own| own.memberships.iter());
        let queues: Vec<QueueId> = memberships.map(|member| member.queue).collect();
        look(&Facts::Agent(AgentFacts {
            agent,
            teams: own.map(|own| own.teams.as_slice()).unwrap_or_default(),
            queues: &queues,
        }))
    }

    /// Looks at a queue as the configuration has it.
    pub fn about_queue<T>(&self, queue: QueueId, look: impl FnOnce(&Facts<'_>) -> T) -> T {
        let team: Option<TeamId> = self.rules.queue(queue).and_then(|own| own.team);
        look(&Facts::Thing(ThingFacts {
            teams: team.as_slice(),
            ..ThingFacts::of(Thing::Queue(queue))
        }))
    }

    /// A contact that the caller would submit to a queue.
    fn of_queue(&self, queue: QueueId, channel: ChannelId) -> Facts<'static> {
        Facts::Contact(ContactFacts {
            contact: ContactId(Uuid::nil()),
            channel,
            queue,
            owner_team: self.rules.queue(queue).and_then(|own| own.team),
            legs: &[],
            offered: &[],
            submitted_by: Some(self.caller.user()),
            connector: Some(self.caller.user()),
        })
    }
}
