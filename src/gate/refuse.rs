//! Refusals in the words of the wire. An object outside the caller's scope is answered exactly
//! as one that does not exist: by what the caller named, and by nothing else.

use super::named::Subject;
use crate::access::rights::{Denied, Why};
use crate::access::token::TokenError;
use crate::domain::machine::Refusal;
use crate::engine::{Foreign, NotNow};
use crate::wire::error::{Code, WireError, quoted};

/// A refusal of what was asked about `subject`.
#[must_use]
pub fn refusal(refusal: &Refusal, subject: Option<&Subject>) -> WireError {
    let code = match refusal {
        Refusal::Denied(denied) => return self::denied(*denied, subject),
        Refusal::NotFound { what, id } => {
            let named = || Subject::new(what, id);
            return subject.cloned().unwrap_or_else(named).not_found();
        }
        Refusal::AlreadyTaken { retry, .. } => {
            return WireError::new(Code::AlreadyTaken, refusal.to_string()).retrying(*retry);
        }
        Refusal::OfferExpired(_) => Code::OfferExpired,
        Refusal::ContactGone(_) => Code::ContactGone,
        Refusal::InvalidState(_) => Code::InvalidState,
        Refusal::Superseded => Code::Superseded,
        Refusal::SignedInElsewhere(_) => {
            return WireError::new(Code::Conflict, refusal.to_string()).retrying(false);
        }
        Refusal::NotServed { queue, channel } => {
            let text = format!("queue {} does not serve {}", quoted(queue), quoted(channel));
            return WireError::new(Code::InvalidState, text);
        }
        Refusal::Unavailable => Code::Unavailable,
        Refusal::Internal => Code::Internal,
    };
    WireError::new(code, refusal.to_string())
}

/// A right that is missing.
#[must_use]
pub fn denied(denied: Denied, subject: Option<&Subject>) -> WireError {
    match (denied.why, subject) {
        (Why::OutOfScope, Some(subject)) => subject.not_found(),
        (Why::OutOfScope, None) => WireError::new(Code::NotFound, "there is no such object"),
        (Why::Forbidden, _) => {
            let error = WireError::new(Code::Forbidden, denied.to_string());
            match denied.missing {
                Some(privilege) => error.lacking(privilege.to_string()),
                None => error,
            }
        }
    }
}

/// A command on the caller's own seat by a session that has none.
#[must_use]
pub fn no_sign_in() -> WireError {
    let text = "this session is not signed in: `agent.sign_in` comes first";
    WireError::new(Code::InvalidState, text)
}

/// An external id of another identity's contact, of which nothing else is told.
#[must_use]
pub fn foreign(foreign: Foreign) -> WireError {
    WireError::new(Code::Conflict, foreign.to_string()).retrying(false)
}

/// New work that is not taken now.
#[must_use]
pub fn not_now(why: NotNow) -> WireError {
    match why {
        NotNow::Busy(after) => WireError::new(Code::Busy, why.to_string()).after(after.0),
        NotNow::NoRoom(after) => WireError::new(Code::Unavailable, why.to_string()).after(after.0),
        NotNow::Draining => WireError::new(Code::Unavailable, why.to_string()),
        NotNow::Stopping => WireError::new(Code::ShuttingDown, why.to_string()),
    }
}

/// A token that is refused.
#[must_use]
pub fn token(error: TokenError) -> WireError {
    let code = match error {
        TokenError::Expired => Code::TokenExpired,
        TokenError::TooLong
        | TokenError::Malformed
        | TokenError::Unsigned
        | TokenError::OtherAlgorithm
        | TokenError::Forged
        | TokenError::Claims
        | TokenError::OtherIssuer
        | TokenError::OtherAudience
        | TokenError::OtherWorkspace
        | TokenError::NotYet => Code::Unauthenticated,
    };
    WireError::new(code, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::privilege::Privilege;

    #[test]
    fn out_of_scope_reads_exactly_like_what_does_not_exist() {
        let subject = Subject::new("contact", "019a");
        let hidden = Denied {
            why: Why::OutOfScope,
            missing: Some(Privilege::ContactEnd),
        };
        let unknown = Refusal::NotFound {
            what: "contact",
            id: "019a".to_owned(),
        };
        let hidden = refusal(&Refusal::Denied(hidden), Some(&subject));
        assert_eq!(hidden, refusal(&unknown, Some(&subject)));
        assert_eq!(hidden, subject.not_found());
        assert_eq!((hidden.code, hidden.data), (Code::NotFound, None));
    }

    #[test]
    fn forbidden_names_the_privilege() {
        let denied = Denied {
            why: Why::Forbidden,
            missing: Some(Privilege::ContactEnd),
        };
        let error = self::denied(denied, None);
        assert_eq!(error.code, Code::Forbidden);
        assert_eq!(
            error.data.unwrap().privilege.as_deref(),
            Some("contact.end")
        );
    }
}
