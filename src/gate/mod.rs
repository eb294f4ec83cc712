//! The gate: whatever a door brings in passes here and nowhere else. It attaches the
//! principal, asks for the privilege, reads the params, finds the owner and hands the command
//! over; the owner decides on the facts.

mod answer;
mod customer;
pub mod keys;
mod named;
mod once;
mod order;
mod read;
mod refuse;
mod reload;
pub mod reports;
mod seat;
pub mod show;
mod site;
pub mod tokens;
mod turns;
pub mod watch;

pub use named::Subject;
pub use read::pseudonyms;
pub use site::{Served, Site};

use self::answer::Due;
use self::keys::Keys;
use self::order::Order;
use self::show::Show;
use self::tokens::{Directories, Tokens};
use self::turns::Turns;
use crate::access::facts::Facts;
use crate::access::lens::PseudonymKey;
use crate::access::principal::Principal;
use crate::access::rights::decide_needs;
use crate::directory::Directory;
use crate::domain::command::{Asked, FloorCommand};
use crate::domain::machine::{Answer, Refusal, ReplyTo};
use crate::engine::Engine;
use crate::id::{ContactId, Generation, Seq, UserId};
use crate::journal::Recall;
use crate::limits;
use crate::wire::error::{Code, WireError};
use crate::wire::method::{self, AnsweredBy, Call, Method, Work};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;
use uuid::timestamp::context::ContextV7;
use uuid::{Timestamp, Uuid};

/// For which sign-in of its agent a caller speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SpeaksFor {
    /// For the one of this moment: a request over HTTP, which has no session.
    Present,
    /// For none: a session that has not signed in.
    Nobody,
    /// For this one: a session that signed in, or went on with the sign-in of a lost one.
    One(Generation),
}

impl SpeaksFor {
    /// The sign-in, if it is a certain one.
    #[must_use]
    pub fn generation(self) -> Option<Generation> {
        match self {
            Self::One(generation) => Some(generation),
            Self::Present | Self::Nobody => None,
        }
    }
}

/// Who calls: a principal no older than this request, and the sign-in its socket speaks for.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The principal.
    pub principal: Arc<Principal>,
    /// The sign-in.
    pub speaks_for: SpeaksFor,
    /// The key of the session's pseudonyms, once it has one.
    pub pseudonyms: Option<Arc<PseudonymKey>>,
}

/// What came of a call.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The result, or why there is none.
    pub result: Result<Arc<method::Answer>, WireError>,
    /// A position that includes the effect.
    pub seq: Seq,
    /// The same was asked for before, and this is the answer of then.
    pub repeated: bool,
}

impl Outcome {
    /// Whether the same call would come to the same again: it was not refused for the moment.
    fn is_last(&self) -> bool {
        self.result.as_ref().err().is_none_or(|error| !error.retry)
    }
}

/// How far a call has come at once.
#[derive(Debug)]
pub enum Begun {
    /// Whoever owns the object answers at the place that was named; [`Gate::shown`] makes a
    /// result of that answer.
    Sent,
    /// It is answered.
    Answered(Box<method::Answer>),
}

/// The gate of one workspace.
pub struct Gate {
    name: String,
    engine: Engine,
    directories: Arc<Directories>,
    tokens: Arc<Tokens>,
    keys: Keys<Outcome>,
    /// Where answers to keys lie; none if in memory.
    recall: Option<Arc<dyn Recall>>,
    turns: Turns,
    history: Option<PathBuf>,
    /// Who reads a report holds a place.
    reading: Arc<Semaphore>,
    ids: Mutex<ContextV7>,
}

/// Whether a method is answered by a look at the board, and so only by [`Gate::ask`].
#[must_use]
pub fn takes_time(method: Method) -> bool {
    // The wrap-ups that are to end are found on the board.
    method == Method::AgentEndWrapUp || method.row().answered_by == AnsweredBy::Board
}

/// Whether a key keeps the answer to a method. What is only read is read anew each time; a
/// sign-in and a new token are for the very session that asks, never the answer of another.
#[must_use]
pub fn keeps_key(method: Method) -> bool {
    method.row().work != Work::Read && !matches!(method, Method::AgentSignIn | Method::AuthRefresh)
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Gate").field(&self.name).finish()
    }
}

impl Gate {
    /// The gate of a workspace that this engine runs, and whose history is in that file.
    #[must_use]
    pub fn new(
        name: &str,
        engine: Engine,
        directories: Arc<Directories>,
        tokens: Arc<Tokens>,
        history: Option<PathBuf>,
    ) -> Self {
        let recall = engine.recall();
        let known = recall
            .as_ref()
            .map_or(Ok(Vec::new()), |recall| recall.keys());
        let known = known.unwrap_or_else(|why| {
            engine.fatal().say(format!("idempotency keys: {why}"));
            Vec::new()
        });
        let keys = Keys::new(known, engine.clock().now());
        Self {
            name: name.to_owned(),
            engine,
            directories,
            tokens,
            keys,
            recall,
            turns: Turns::default(),
            history,
            reading: Arc::new(Semaphore::new(limits::REPORTS_AT_ONCE)),
            ids: Mutex::new(ContextV7::new()),
        }
    }

    /// Name of the workspace.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The engine behind the gate.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The newest directory.
    #[must_use]
    pub fn directory(&self) -> Arc<Directory> {
        self.directories.now()
    }

    /// What a user may do, as of now; nothing if there is no such user any more.
    #[must_use]
    pub fn principal(&self, user: UserId) -> Option<Arc<Principal>> {
        self.directory().principal(user).map(Arc::clone)
    }

    /// Carries a call out; `note` hears where its answer goes. Also says whether that is the final word on it: what was refused
    /// before it reached its owner, or may go otherwise a moment later, is not.
    async fn perform(
        &self,
        caller: &Caller,
        call: Call,
        note: impl FnOnce(ReplyTo) + Send,
    ) -> (Outcome, bool) {
        let (method, subject) = (call.method(), Subject::of(&call));
        if takes_time(method) {
            let outcome = self.ask_board(caller, call).await;
            let last = outcome.is_last();
            return (outcome, last);
        }
        let (to, once) = self.engine.doors().once();
        note(to);
        match self.begin(caller, call, to) {
            Err(error) => (self.refused(error), false),
            Ok(Begun::Answered(answer)) => (self.answered(*answer), true),
            Ok(Begun::Sent) => {
                let Some((result, seq)) = once.answer().await else {
                    let text = "the server stopped before the answer was known";
                    return (
                        self.refused(WireError::new(Code::ShuttingDown, text)),
                        false,
                    );
                };
                let principal = &caller.principal;
                let outcome = self.shown(principal, method, subject.as_ref(), &result, seq);
                let last = outcome.is_last();
                (outcome, last)
            }
        }
    }

    /// Begins a call: checks the privilege and the params, and hands it to its owner, who
    /// answers at `to`.
    ///
    /// # Errors
    /// When it is refused here.
    pub fn begin(&self, caller: &Caller, call: Call, to: ReplyTo) -> Result<Begun, WireError> {
        self.admit(caller, call.method())?;
        let asked = Asked {
            principal: Arc::clone(&caller.principal),
            generation: caller.speaks_for.generation(),
            reply: Some(to),
        };
        match self.due(caller, call)? {
            Due::Answered(answer) => return Ok(Begun::Answered(answer)),
            Due::Order(Order::Submit {
                queue,
                facts,
                content,
            }) => {
                self.engine.admit(Some(queue)).map_err(refuse::not_now)?;
                self.engine.admit_new(&facts).map_err(refuse::not_now)?;
                let submitted = self.engine.submit(queue, asked, facts, content);
                submitted.map_err(refuse::foreign)?;
            }
            Due::Order(Order::Queue(command)) => self.engine.command(asked, command),
            Due::Order(Order::Floor(command)) => {
                if caller.speaks_for == SpeaksFor::Nobody
                    && order::on_seat_of(&command, caller.principal.agent())
                {
                    return Err(refuse::no_sign_in());
                }
                if let FloorCommand::SignIn { .. } = command {
                    self.engine.admit(None).map_err(refuse::not_now)?;
                }
                self.engine.command_floor(asked, command);
            }
        }
        Ok(Begun::Sent)
    }

    /// The privilege at the gate: whether the caller could do this to anything at all. The
    /// owner asks again, for the object.
    fn admit(&self, caller: &Caller, method: Method) -> Result<(), WireError> {
        let needs = &method.row().needs;
        decide_needs(&caller.principal, needs, None, &Facts::Rows)
            .lens()
            .map(|_| ())
            .map_err(|denied| refuse::denied(denied, None))
    }

    /// What a machine answered, as the outcome of a call.
    #[must_use]
    pub fn shown(
        &self,
        reader: &Principal,
        method: Method,
        subject: Option<&Subject>,
        result: &Result<Answer, Refusal>,
        seq: Seq,
    ) -> Outcome {
        let answer = match result {
            Ok(answer) => answer,
            Err(refusal) => {
                return Outcome {
                    result: Err(refuse::refusal(refusal, subject)),
                    seq,
                    repeated: false,
                };
            }
        };
        let now = self.engine.clock().now();
        let shown = self.show(reader, |show| show.answer(method, answer, now));
        Outcome {
            result: shown.map(Arc::new).map_err(|show::Misfit| {
                tracing::error!(%method, ?answer, "an answer does not fit its method");
                WireError::new(Code::Internal, "the answer could not be shown")
            }),
            seq,
            repeated: matches!(answer, Answer::Submitted { repeated: true, .. }),
        }
    }

    /// Shows something to a reader, with the names of this moment.
    pub fn show<T>(&self, reader: &Principal, shown: impl FnOnce(Show<'_>) -> T) -> T {
        let (directory, rules) = (self.directory(), self.engine.rules());
        shown(Show {
            directory: &directory,
            rules: &rules,
            reader,
        })
    }

    fn answered(&self, answer: method::Answer) -> Outcome {
        Outcome {
            result: Ok(Arc::new(answer)),
            seq: self.engine.durable(),
            repeated: false,
        }
    }

    /// An error that was found before anybody was asked.
    #[must_use]
    pub fn refused(&self, error: WireError) -> Outcome {
        Outcome {
            result: Err(error),
            seq: self.engine.durable(),
            repeated: false,
        }
    }

    /// A contact id that is greater than those given out before.
    fn contact_id(&self) -> ContactId {
        let now = self.engine.clock().now().0;
        let nanos = u32::try_from(now % 1_000).unwrap_or_default() * 1_000_000;
        let context = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        let timestamp = Timestamp::from_unix(&*context, now / 1_000, nanos);
        ContactId(Uuid::new_v7(timestamp))
    }
}
