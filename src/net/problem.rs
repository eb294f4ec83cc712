//! Errors over HTTP: problem documents (RFC 9457) with the code of the protocol.

use crate::wire::error::{Code, WireError};
use axum::body::Body;
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;

/// A problem document. The keys behind `code` are those of an error over WebSocket.
#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: Code,
    retry: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    after_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    did_you_mean: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    privilege: Option<&'a str>,
}

/// An error that is to be answered over HTTP.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    error: WireError,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl From<WireError> for Problem {
    fn from(error: WireError) -> Self {
        let status = StatusCode::from_u16(error.code.status());
        Self::new(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), error)
    }
}

impl Problem {
    /// An error with a status that says more than its code's.
    #[must_use]
    pub fn new(status: StatusCode, error: WireError) -> Self {
        Self {
            status,
            error,
            headers: Vec::new(),
        }
    }

    /// What is wrong with the request itself.
    #[must_use]
    pub fn bad_request(status: StatusCode, text: impl Into<String>) -> Self {
        Self::new(status, WireError::new(Code::BadRequest, text))
    }

    /// The same problem, with a header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    fn document(&self) -> Vec<u8> {
        let data = self.error.data.as_deref();
        let document = Document {
            r#type: format!("urn:switchroom:error:{}", self.error.code),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.error.message,
            code: self.error.code,
            retry: self.error.retry,
            after_ms: self.error.after_ms,
            pointer: data.and_then(|data| data.pointer.as_deref()),
            expected: data.and_then(|data| data.expected.as_deref()),
            did_you_mean: data.and_then(|data| data.did_you_mean.as_deref()),
            privilege: data.and_then(|data| data.privilege.as_deref()),
        };
        // Texts and numbers can always be written.
        serde_json::to_vec(&document).unwrap_or_default()
    }

    /// Whole seconds after which the request may be tried again, where that is told.
    fn retry_after(&self) -> Option<HeaderValue> {
        let told = matches!(
            self.status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        );
        told.then(|| HeaderValue::from(self.error.after_ms.unwrap_or(1_000).div_ceil(1_000).max(1)))
    }
}

impl axum::response::IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.document()));
        *response.status_mut() = self.status;
        let retry_after = self.retry_after();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(after) = retry_after {
            headers.insert(RETRY_AFTER, after);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        headers.extend(self.headers);
        response
    }
}
