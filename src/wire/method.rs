//! THE table of methods: what can be asked, with what, who may, and who answers. The
//! dispatcher, the permission check, the schema and the documentation read it; there is no
//! other way in.

use super::error::{Code, WireError, quoted};
use super::object;
use super::params::{self, Check};
use super::raw::Raw;
use super::result;
use super::topic::Over;
use super::topic::any_act;
use super::word::{nearest, words};
use crate::access::privilege::Needs;
use schemars::{Schema, SchemaGenerator};
use serde::Serialize;

/// Who answers a method.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AnsweredBy {
    /// The gate alone.
    Gate,
    /// The floor of the workspace.
    Floor,
    /// The queue that has the contact.
    Queue,
    /// The board, from its views.
    Board,
}

impl AnsweredBy {
    /// The word in the documentation.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Floor => "floor",
            Self::Queue => "queue",
            Self::Board => "board",
        }
    }
}

/// What a method asks of a loaded server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Work {
    /// Changes nothing.
    Read,
    /// Brings new work: refused as `busy` or `unavailable` under load.
    New,
    /// Belongs to work in hand: never refused for load.
    InHand,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct MethodRow {
    /// The method.
    pub method: Method,
    /// The privileges it needs.
    pub needs: Needs,
    /// Over what they are asked.
    pub over: Over,
    /// Who answers.
    pub answered_by: AnsweredBy,
    /// What it asks of a loaded server.
    pub work: Work,
    /// Whether an allowed call is written to the audit; a denied one always is.
    pub audit: bool,
    /// What it does, in a sentence.
    pub about: &'static str,
}

macro_rules! methods {
    ($(
        $method:ident = $name:literal
        ($params:ident) -> $result:ty,
        $by:ident $work:ident $over:ident $audit:ident ($($act:ident)|+)
        $about:literal;
    )+) => {
        words! {
            /// A method of the protocol.
            Method {
                $( #[doc = $about] $method = $name, )+
            }
        }

        impl Method {
            /// Its row of the table.
            #[must_use]
            pub const fn row(self) -> &'static MethodRow {
                match self {
                    $( Self::$method => &MethodRow {
                        method: Self::$method,
                        needs: any_act!($($act)|+),
                        over: Over::$over,
                        answered_by: AnsweredBy::$by,
                        work: Work::$work,
                        audit: methods!(@audit $audit),
                        about: $about,
                    }, )+
                }
            }

            /// Reads and checks its params.
            ///
            /// # Errors
            /// `validation_failed` with the JSON pointer to what is missing or wrong, and what
            /// would be right there.
            pub fn read(self, params: &Raw) -> Result<Call, WireError> {
                match self {
                    $( Self::$method => {
                        let params: params::$params = params.parse()?;
                        params.check()?;
                        Ok(Call::$method(params))
                    } )+
                }
            }

            /// Schema of its params.
            pub fn params_schema(self, generator: &mut SchemaGenerator) -> Schema {
                match self {
                    $( Self::$method => generator.subschema_for::<params::$params>(), )+
                }
            }

            /// Schema of its result.
            pub fn result_schema(self, generator: &mut SchemaGenerator) -> Schema {
                match self {
                    $( Self::$method => generator.subschema_for::<$result>(), )+
                }
            }
        }

        /// A method with its params, ready to be carried out.
        #[expect(clippy::large_enum_variant, reason = "a call is moved once, to who answers it")]
        #[derive(Clone, PartialEq, Eq, Debug, Serialize)]
        #[serde(untagged)]
        pub enum Call {
            $( #[doc = concat!("`", $name, "`")] $method(params::$params), )+
        }

        impl Call {
            /// The method that is called.
            #[must_use]
            pub const fn method(&self) -> Method {
                match self {
                    $( Self::$method(_) => Method::$method, )+
                }
            }
        }

        /// The result of a method.
        #[derive(Clone, PartialEq, Debug, Serialize)]
        #[serde(untagged)]
        pub enum Answer {
            $( #[doc = concat!("`", $name, "`")] $method($result), )+
        }

        impl Answer {
            /// The method that is answered.
            #[must_use]
            pub const fn method(&self) -> Method {
                match self {
                    $( Self::$method(_) => Method::$method, )+
                }
            }

            /// Reads a result, as a client does.
            ///
            /// # Errors
            /// `validation_failed` with the JSON pointer to what is missing or wrong.
            pub fn read(method: Method, raw: &Raw) -> Result<Self, WireError> {
                match method {
                    $( Method::$method => raw.parse().map(Self::$method), )+
                }
            }
        }
    };
    (@audit audited) => { true };
    (@audit plain) => { false };
}

methods! {
    AgentSignIn = "agent.sign_in" (SignIn) -> result::SignedIn,
        Floor New Caller audited (AgentSignIn)
        "Opens the caller's seat and the view of `me`.";
    AgentSignOut = "agent.sign_out" (SignOut) -> result::OfAgent,
        Floor InHand Caller audited (AgentSignOut)
        "Closes the caller's seat.";
    AgentSetState = "agent.set_state" (SetState) -> result::OfAgent,
        Floor InHand Agent audited (AgentSetState)
        "Sets an agent available or not ready.";
    AgentSetChannels = "agent.set_channels" (SetChannels) -> result::OfAgent,
        Floor InHand Agent audited (AgentSetChannels)
        "Switches channels of an agent on and off.";
    AgentSetQueues = "agent.set_queues" (SetQueues) -> result::OfAgent,
        Floor InHand Agent audited (AgentSetQueues)
        "Chooses the queues that an agent serves.";
    AgentEndWrapUp = "agent.end_wrap_up" (EndWrapUp) -> result::OfAgent,
        Floor InHand Agent audited (AgentEndWrapUp)
        "Ends wrap-ups of an agent; one's own end by `contact.wrap_up`.";
    AgentList = "agent.list" (NoParams) -> result::Agents,
        Board Read Rows plain (AgentWatch)
        "Lists agents with their states.";
    ContactAccept = "contact.accept" (OnOffer) -> result::Accepted,
        Floor InHand Offer audited (ContactAccept)
        "Takes an offer.";
    ContactDecline = "contact.decline" (Decline) -> result::OfOffer,
        Floor InHand Offer audited (ContactDecline)
        "Refuses an offer, where the queue allows it.";
    OfferShown = "offer.shown" (OnOffer) -> result::OfOffer,
        Floor InHand Offer plain (OfferShown)
        "Says that the page shows the offer; auto-accept waits 2 s for it.";
    ContactEnd = "contact.end" (OnContact) -> result::OfContact,
        Queue InHand Contact audited (ContactEnd)
        "Ends a contact for everybody in it.";
    ContactRequeue = "contact.requeue" (OnContact) -> result::OfContact,
        Queue InHand Contact audited (ContactRequeue)
        "Puts an active contact back into its queue, at its age.";
    ContactPrioritise = "contact.prioritise" (Prioritise) -> result::OfContact,
        Queue InHand Contact audited (ContactPrioritise)
        "Sets priority points or the strict class of a waiting contact.";
    ContactWrapUp = "contact.wrap_up" (WrapUp) -> result::OfContact,
        Queue InHand Contact audited (ContactWrapUp)
        "Gives codes and a note for the caller's leg, during or after the conversation.";
    ContactGet = "contact.get" (OnContact) -> object::Contact<'static>,
        Board Read Contact plain (ContactGet)
        "Reads one contact.";
    ContactList = "contact.list" (ListContacts) -> result::Contacts,
        Board Read Rows plain (ContactView)
        "Lists contacts, most urgent first.";
    ContactTrace = "contact.trace" (Trace) -> result::Decisions,
        Board Read Contact plain (ContactTrace)
        "Tells why a contact was routed as it was.";
    ContactSubmit = "contact.submit" (Submit) -> result::Submitted,
        Queue New Target audited (ContactSubmit)
        "Brings a new contact in.";
    ContactUpdate = "contact.update" (Update) -> result::OfContact,
        Queue InHand Contact audited (ContactUpdate)
        "Changes attributes or requirement of a contact.";
    ContactAbandon = "contact.abandon" (OnContact) -> result::OfContact,
        Queue InHand Contact audited (ContactAbandon)
        "Says that the customer has left.";
    MediaReport = "media.report" (Report) -> result::Reported,
        Queue InHand Command plain (MediaReport)
        "Says how a command to a connector went.";
    QueueList = "queue.list" (NoParams) -> result::Queues,
        Gate Read Rows plain (StatsQueues)
        "Lists queues.";
    StatsGet = "stats.get" (GetStats) -> result::Stats,
        Board Read Rows plain (StatsQueues | StatsAgents)
        "Reads a statistics table once; needs what the topic of that table needs.";
    WorkspaceDrain = "workspace.drain" (Drain) -> result::Draining,
        Floor InHand Caller audited (WorkspaceDrain)
        "Takes no new contacts any more, or takes them again; what is there is finished.";
    AuthRefresh = "auth.refresh" (Refresh) -> result::Refreshed,
        Gate InHand Caller plain (SessionOpen)
        "Renews the session's token.";
    SessionWorkspaces = "session.workspaces" (NoParams) -> result::Workspaces,
        Gate Read Caller plain (SessionOpen)
        "Lists the workspaces that the caller can open.";
    Authorize = "authorize" (Authorize) -> result::Authorized,
        Gate Read Caller plain (Authorize)
        "Tells what the caller may do.";
}

impl Method {
    /// Finds a method by its name.
    ///
    /// # Errors
    /// `method_not_found` naming it and, if there is one, the method that comes nearest.
    pub fn named(name: &str) -> Result<Self, WireError> {
        Self::find(name).ok_or_else(|| {
            WireError::new(
                Code::MethodNotFound,
                format!("there is no method {}", quoted(name)),
            )
            .suggesting(nearest(name, Self::WORDS.iter().copied()))
        })
    }
}
