//! Errors as the wire shows them: a closed set of codes, each with its HTTP status and
//! whether trying again can help.

use super::word::words;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

words! {
    /// What went wrong, for programs. The same codes over WebSocket and HTTP.
    Code {
        /// The message cannot be read as one of the protocol.
        BadRequest = "bad_request",
        /// No token, or one that does not hold.
        Unauthenticated = "unauthenticated",
        /// The token has run out.
        TokenExpired = "token_expired",
        /// The caller may see the object but not do this to it.
        Forbidden = "forbidden",
        /// The address is on the channel's block list.
        Blocked = "blocked",
        /// There is no such object, or none that the caller may see.
        NotFound = "not_found",
        /// There is no such method.
        MethodNotFound = "method_not_found",
        /// Somebody else has just changed the object.
        Conflict = "conflict",
        /// The object is in a state in which this cannot be done.
        InvalidState = "invalid_state",
        /// The offer has ended.
        OfferExpired = "offer_expired",
        /// Another was first. `retry` is true while the winner still connects.
        AlreadyTaken = "already_taken",
        /// The contact has ended.
        ContactGone = "contact_gone",
        /// The agent has no room for it.
        CapacityExceeded = "capacity_exceeded",
        /// The queue holds as many contacts as it may.
        QueueFull = "queue_full",
        /// The queue takes no contacts now.
        QueueClosed = "queue_closed",
        /// It can only be done with `override`.
        OverrideNeeded = "override_needed",
        /// A newer session of the same agent took over.
        Superseded = "superseded",
        /// This connection has that very view already.
        AlreadySubscribed = "already_subscribed",
        /// The position is no longer held (HTTP cursors only).
        PositionLost = "position_lost",
        /// The body or a part of it is over the limit.
        TooLarge = "too_large",
        /// A parameter is missing or wrong; it is named, with what would be right.
        ValidationFailed = "validation_failed",
        /// The key was used before with other content.
        IdempotencyMismatch = "idempotency_mismatch",
        /// Too many messages, requests or subscriptions.
        RateLimited = "rate_limited",
        /// A fault of the server; nothing was done.
        Internal = "internal",
        /// New work is not admitted right now.
        Busy = "busy",
        /// The server cannot take this now: low space, draining, or its store is down.
        Unavailable = "unavailable",
        /// The server is going down.
        ShuttingDown = "shutting_down",
        /// No answer came in time; what was asked may still happen.
        Timeout = "timeout",
    }
}

impl Code {
    /// The status of the same error over HTTP.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthenticated | Self::TokenExpired => 401,
            Self::Forbidden | Self::Blocked => 403,
            Self::NotFound | Self::MethodNotFound => 404,
            Self::Conflict
            | Self::InvalidState
            | Self::OfferExpired
            | Self::AlreadyTaken
            | Self::ContactGone
            | Self::CapacityExceeded
            | Self::QueueFull
            | Self::QueueClosed
            | Self::OverrideNeeded
            | Self::Superseded
            | Self::AlreadySubscribed => 409,
            Self::PositionLost => 410,
            Self::TooLarge => 413,
            Self::ValidationFailed | Self::IdempotencyMismatch => 422,
            Self::RateLimited => 429,
            Self::Internal => 500,
            Self::Busy | Self::Unavailable | Self::ShuttingDown => 503,
            Self::Timeout => 504,
        }
    }

    /// Whether the same request can succeed later without a change of it. `already_taken` is
    /// the one code whose flag depends on the moment.
    #[must_use]
    pub const fn retry(self) -> bool {
        match self {
            Self::Conflict
            | Self::QueueFull
            | Self::QueueClosed
            | Self::RateLimited
            | Self::Internal
            | Self::Busy
            | Self::Unavailable
            | Self::ShuttingDown
            | Self::Timeout => true,
            Self::BadRequest
            | Self::Unauthenticated
            | Self::TokenExpired
            | Self::Forbidden
            | Self::Blocked
            | Self::NotFound
            | Self::MethodNotFound
            | Self::InvalidState
            | Self::OfferExpired
            | Self::AlreadyTaken
            | Self::ContactGone
            | Self::CapacityExceeded
            | Self::OverrideNeeded
            | Self::Superseded
            | Self::AlreadySubscribed
            | Self::PositionLost
            | Self::TooLarge
            | Self::ValidationFailed
            | Self::IdempotencyMismatch => false,
        }
    }
}

/// An error as it leaves the server: `reply.error`, and the source of an HTTP problem document.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error, Serialize, Deserialize, JsonSchema)]
#[error("{code}: {message}")]
pub struct WireError {
    /// What went wrong, for programs.
    pub code: Code,
    /// What went wrong, for people. Never holds values that the client sent, nor personal data.
    pub message: String,
    /// Whether the same request can succeed later.
    pub retry: bool,
    /// Wait at least so long before trying again, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_ms: Option<u64>,
    /// More about it, by code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<ErrorData>>,
}

/// More about an error.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct ErrorData {
    /// `validation_failed`, `bad_request`: JSON pointer to the key, from the params (HTTP: from
    /// the body), or from the message when an own key of the message is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// `validation_failed`, `bad_request`: what would be right there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// `method_not_found`, `not_found`, `bad_request`: the known name that comes nearest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub did_you_mean: Option<String>,
    /// `forbidden`: the privilege that is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privilege: Option<String>,
}

impl WireError {
    /// An error with the retry flag of its code.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            retry: code.retry(),
            after_ms: None,
            data: None,
        }
    }

    /// The same error, to be tried again after so many milliseconds.
    #[must_use]
    pub fn after(mut self, ms: u64) -> Self {
        self.retry = true;
        self.after_ms = Some(ms);
        self
    }

    /// The same error with its retry flag set to what holds at this moment.
    #[must_use]
    pub fn retrying(mut self, retry: bool) -> Self {
        self.retry = retry;
        self
    }

    /// The same error, naming the privilege that the caller lacks.
    #[must_use]
    pub fn lacking(mut self, privilege: impl Into<String>) -> Self {
        self.data.get_or_insert_default().privilege = Some(privilege.into());
        self
    }

    /// The same error, naming the known name that may have been meant.
    #[must_use]
    pub fn suggesting(mut self, name: Option<&str>) -> Self {
        if let Some(name) = name {
            self.message.push_str(&format!(" (did you mean `{name}`?)"));
            self.data.get_or_insert_default().did_you_mean = Some(name.to_owned());
        }
        self
    }

    /// A parameter is wrong: where (JSON pointer) and what would be right.
    #[must_use]
    pub fn wrong(code: Code, pointer: String, expected: &str) -> Self {
        let message = match pointer.as_str() {
            "" => format!("expected {expected}"),
            field => format!("{field}: expected {expected}"),
        };
        let data = ErrorData {
            pointer: Some(pointer),
            expected: Some(expected.to_owned()),
            ..ErrorData::default()
        };
        Self {
            data: Some(Box::new(data)),
            ..Self::new(code, message)
        }
    }
}

/// A name that a client sent, made fit for an error text: short and printable.
#[must_use]
pub fn quoted(name: &str) -> String {
    let mut text: String = name.chars().take(64).flat_map(char::escape_debug).collect();
    if name.chars().nth(64).is_some() {
        text.push('…');
    }
    format!("`{text}`")
}

#[cfg(test)]
mod tests {
    use super::{Code, WireError, quoted};

    #[test]
    fn an_error_carries_the_retry_flag_of_its_code() {
        assert!(WireError::new(Code::Busy, "the server is busy").retry);
        assert!(!WireError::new(Code::OfferExpired, "offer o1 has ended").retry);
        let taken = WireError::new(Code::AlreadyTaken, "another agent was first").retrying(true);
        assert!(taken.retry);
    }

    #[test]
    fn a_quoted_name_is_short_and_printable() {
        assert_eq!(quoted("a\nb"), "`a\\nb`");
        assert_eq!(quoted(&"x".repeat(100)).chars().count(), 67);
    }
}
