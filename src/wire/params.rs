//! The params of every method. Unknown keys are ignored; bounds are those of the types.

use super::error::{Code, WireError};
use super::field::{Int, List, Map, Millis, Name, Object, Text};
use super::word::words;
use crate::limits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A text for people: a reason, shown to others.
pub type Reason = Text<1, 256>;
/// A note of an agent.
pub type Note = Text<0, 4_096>;
/// Value of an attribute.
pub type Attribute = Text<0, 1_024>;
/// Level of a skill; 10 is best. A skill without levels has 1.
pub type SkillLevel = Int<1, 10>;
/// Points of priority; each moves the due time by a minute.
pub type Priority = Int<-1_000, 1_000>;
/// Strict class: a smaller one always comes first.
pub type Tier = Int<0, 9>;

/// Declares params: first the fields that have to be given, then those that may be left out.
macro_rules! params {
    ($(
        $(#[$doc:meta])*
        $name:ident {
            $( $(#[$must_doc:meta])* $must:ident: $must_type:ty, )*
        }
        may {
            $( $(#[$may_doc:meta])* $may:ident: $may_type:ty, )*
        }
    )+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
            pub struct $name {
                $( $(#[$must_doc])* pub $must: $must_type, )*
                $(
                    $(#[$may_doc])*
                    #[serde(default, skip_serializing_if = "Option::is_none")]
                    pub $may: Option<$may_type>,
                )*
            }
        )+
    };
}

params! {
    /// A method without params.
    NoParams {} may {}

    /// `agent.sign_in`
    SignIn {} may {
        /// Take over from a session of the same agent that is signed in elsewhere.
        take_over: bool,
        /// Channels to switch on; all that the agent may handle if not given.
        channels: List<Name, { limits::CHANNELS }>,
        /// Queues to serve; all of the agent's if not given.
        queues: List<Name, 1_000>,
    }

    /// `workspace.drain`
    Drain {} may {
        /// New contacts are taken again.
        cancel: bool,
    }

    /// `agent.sign_out`
    SignOut {} may {
        /// When; `now` if not given.
        when: When,
        /// What becomes of the work in hand; the workspace's rule if not given.
        work: SignOutWork,
    }

    /// `agent.set_state`
    SetState {
        /// The state to be in.
        state: ReadyState,
    } may {
        /// Whose; the caller's if not given.
        agent: Name,
        /// Reason of `not_ready`.
        reason: Reason,
        /// When; `now` if not given.
        when: When,
    }

    /// `agent.set_channels`
    SetChannels {
        /// Channels to switch on (true) or off (false); others stay as they are.
        channels: Map<bool, { limits::CHANNELS }>,
    } may {
        /// Whose; the caller's if not given.
        agent: Name,
    }

    /// `agent.set_queues`
    SetQueues {
        /// The queues to serve from now on.
        queues: List<Name, 1_000>,
    } may {
        /// Whose; the caller's if not given.
        agent: Name,
    }

    /// `agent.end_wrap_up`
    EndWrapUp {} may {
        /// Whose; the caller's if not given.
        agent: Name,
        /// Only that of this contact; every one of the agent's if not given.
        contact: Name,
    }

    /// `contact.accept`, `offer.shown`
    OnOffer {
        /// The offer.
        offer: Name,
    } may {}

    /// `contact.decline`
    Decline {
        /// The offer.
        offer: Name,
    } may {
        /// Why, for people.
        reason: Reason,
    }

    /// `contact.end`, `contact.requeue`, `contact.get`, `contact.abandon`
    OnContact {
        /// The contact.
        contact: Name,
    } may {}

    /// `contact.prioritise`
    Prioritise {
        /// The contact.
        contact: Name,
    } may {
        /// Own priority points from now on; unchanged if not given.
        priority: Priority,
        /// Strict class from now on; unchanged if not given.
        tier: Tier,
    }

    /// `contact.wrap_up`
    WrapUp {
        /// The contact.
        contact: Name,
    } may {
        /// Wrap-up codes of the caller's leg from now on; unchanged if not given.
        codes: List<Name, 32>,
        /// A note to add.
        note: Note,
        /// Whether the wrap-up is finished; false if not given.
        done: bool,
    }

    /// `contact.list`
    ListContacts {} may {
        /// Only those of this queue.
        queue: Name,
        /// At most so many, most urgent first; 500 if not given.
        limit: Int<1, { limits::LIST_ROWS as i64 }>,
    }

    /// `contact.trace`
    Trace {
        /// The contact.
        contact: Name,
    } may {
        /// An agent to be explained: why this one is not chosen now.
        agent: Name,
    }

    /// `contact.submit`, `POST /v1/contacts`. Exactly one of `queue` and `agent` is given.
    Submit {
        /// The channel.
        channel: Name,
        /// The connector's id, unique with the channel while the contact lives and for a day
        /// after: the same id again gives the same contact.
        external_id: Text<1, 255>,
    } may {
        /// The queue to enter.
        queue: Name,
        /// The agent whom it is for.
        agent: Name,
        /// The customer.
        customer: Object<SubmittedCustomer>,
        /// Attributes for people and screens.
        attributes: Map<Attribute, 64>,
        /// Own priority points; 0 if not given.
        priority: Priority,
        /// Strict class; 5 if not given.
        tier: Tier,
        /// Skills that an agent must have, each with the least level.
        skills: Map<SkillLevel, 32>,
        /// Requirement that an agent must meet, beside that of the queue.
        requirement: Text<1, { limits::EXPRESSION_BYTES }>,
        /// Agent to be offered first.
        preferred_agent: Name,
        /// How long the preferred agent is waited for, in milliseconds; a minute if not given.
        patience_ms: Int<0, { 30 * 24 * 3_600_000 }>,
        /// When it should be answered; the queue's target after first entry if not given.
        due_at: Millis,
        /// Joins contacts of one matter; a new one if not given.
        conversation: Name,
    }

    /// `contact.update`
    Update {
        /// The contact.
        contact: Name,
    } may {
        /// Attributes to set, or with null to remove; others stay as they are.
        attributes: Map<Option<Attribute>, 64>,
        /// Skills from now on; unchanged if not given.
        skills: Map<SkillLevel, 32>,
        /// Requirement from now on; unchanged if not given.
        requirement: Text<1, { limits::EXPRESSION_BYTES }>,
    }

    /// `media.report`
    Report {
        /// The command that is reported on.
        command: Name,
        /// How it went.
        result: ReportResult,
    } may {
        /// Why it failed, for people.
        reason: Reason,
    }

    /// `stats.get`
    GetStats {
        /// Which table.
        table: Table,
    } may {}

    /// `auth.refresh`
    Refresh {
        /// A newer token of the same user and workspace.
        token: Text<1, { limits::TOKEN_BYTES }>,
    } may {}

    /// `authorize`
    Authorize {
        /// What is asked, answered in this order.
        items: List<Object<AuthorizeItem>, 100>,
    } may {}

    /// One question: exactly one of `privilege` and `operation` is given.
    AuthorizeItem {} may {
        /// A privilege by name.
        privilege: Name,
        /// A method by name.
        operation: Name,
        /// On what; whether it is held at all if not given.
        object: Object<ObjectRef>,
    }

    /// Names one object: exactly one of its keys is given.
    ObjectRef {} may {
        /// A contact.
        contact: Name,
        /// An agent.
        agent: Name,
        /// A queue.
        queue: Name,
        /// A team.
        team: Name,
    }
}

params! {
    /// The customer as a connector names it.
    SubmittedCustomer {} may {
        /// Id with the integrator.
        id: Text<1, 255>,
        /// Name for people.
        name: Text<0, 255>,
        /// Address on the channel.
        address: Text<0, 255>,
    }
}

words! {
    /// When a state takes effect.
    When {
        /// At once: no new offers, work goes on.
        Now = "now",
        /// When the last work ends.
        AfterWork = "after_work",
    }
}

words! {
    /// What becomes of the work of an agent who signs out.
    SignOutWork {
        /// The sign-out is refused while there is work.
        Refuse = "refuse",
        /// The sign-out waits until the work is done.
        Drain = "drain",
        /// Every contact goes back to its queue, at its age.
        Return = "return",
    }
}

words! {
    /// A state that can be set.
    ReadyState {
        /// Takes work.
        Available = "available",
        /// Takes no work, for a reason.
        NotReady = "not_ready",
    }
}

words! {
    /// What a connector says of a command.
    ReportResult {
        /// The agent hears the customer.
        Connected = "connected",
        /// Carried out.
        Done = "done",
        /// Could not be carried out.
        Failed = "failed",
    }
}

words! {
    /// A statistics table.
    Table {
        /// One row per queue.
        Queues = "queues",
        /// One row per agent.
        Agents = "agents",
    }
}

/// Rules over several fields of params, which their types alone cannot keep.
pub trait Check {
    /// Says what is wrong, if anything is.
    ///
    /// # Errors
    /// `validation_failed` naming the field.
    fn check(&self) -> Result<(), WireError> {
        Ok(())
    }
}

impl Check for NoParams {}
impl Check for SignIn {}
impl Check for SignOut {}
impl Check for Drain {}
impl Check for SetChannels {}
impl Check for SetQueues {}
impl Check for EndWrapUp {}
impl Check for OnOffer {}
impl Check for Decline {}
impl Check for OnContact {}
impl Check for WrapUp {}
impl Check for ListContacts {}
impl Check for Trace {}
impl Check for Update {}
impl Check for Report {}
impl Check for GetStats {}
impl Check for Refresh {}

impl Check for SetState {
    fn check(&self) -> Result<(), WireError> {
        match (self.state, &self.reason) {
            (ReadyState::Available, Some(_)) => {
                Err(wrong("/reason", "no reason, as `available` has none"))
            }
            (ReadyState::Available | ReadyState::NotReady, _) => Ok(()),
        }
    }
}

impl Check for Prioritise {
    fn check(&self) -> Result<(), WireError> {
        if self.priority.is_none() && self.tier.is_none() {
            return Err(wrong("/priority", "a priority, a tier, or both"));
        }
        Ok(())
    }
}

impl Check for Submit {
    fn check(&self) -> Result<(), WireError> {
        exactly_one(
            "/queue",
            "exactly one of `queue` and `agent`",
            [self.queue.is_some(), self.agent.is_some()],
        )
    }
}

impl Check for Authorize {
    fn check(&self) -> Result<(), WireError> {
        for (number, item) in self.items.iter().enumerate() {
            let at = format!("/items/{number}");
            exactly_one(
                &at,
                "exactly one of `privilege` and `operation`",
                [item.privilege.is_some(), item.operation.is_some()],
            )?;
            if let Some(object) = &item.object {
                exactly_one(
                    &format!("{at}/object"),
                    "exactly one of `contact`, `agent`, `queue` and `team`",
                    [
                        object.contact.is_some(),
                        object.agent.is_some(),
                        object.queue.is_some(),
                        object.team.is_some(),
                    ],
                )?;
            }
        }
        Ok(())
    }
}

fn exactly_one<const N: usize>(
    at: &str,
    expected: &str,
    given: [bool; N],
) -> Result<(), WireError> {
    match given.iter().filter(|given| **given).count() {
        1 => Ok(()),
        _ => Err(wrong(at, expected)),
    }
}

fn wrong(at: &str, expected: &str) -> WireError {
    WireError::wrong(Code::ValidationFailed, at.to_owned(), expected)
}
