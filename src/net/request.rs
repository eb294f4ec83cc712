//! What a request over HTTP brings: its token, its key, its body.

use super::pace::Place;
use super::problem::Problem;
use super::server::Server;
use crate::access::act::SessionOpen;
use crate::access::facts::Facts;
use crate::access::permit::Act as _;
use crate::access::rights::decide_needs;
use crate::gate::{Caller, Gate, SpeaksFor};
use crate::limits;
use crate::wire::codec::Encoding;
use crate::wire::error::{Code, WireError};
use crate::wire::frame::Key;
use crate::wire::raw::Raw;
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Request, StatusCode};
use std::sync::Arc;

/// Who calls over HTTP, and at which gate.
#[derive(Debug)]
pub struct Called {
    /// The gate of the caller's workspace.
    pub gate: Arc<Gate>,
    /// The caller.
    pub caller: Caller,
    /// Its place among the requests of the caller, held until it is answered.
    pub place: Place,
}

/// The token of the `Authorization` header.
#[must_use]
pub fn token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// Who calls.
///
/// # Errors
/// 401 without a token that holds, 403 for a user that may not open a session, 429 for one that
/// asks too fast or too much at once.
pub fn called(server: &Server, headers: &HeaderMap) -> Result<Called, Problem> {
    let token = token(headers).ok_or_else(|| {
        let text = "a token is needed: `Authorization: Bearer …`";
        WireError::new(Code::Unauthenticated, text)
    })?;
    let (gate, entrant) = server.site().enter_once(token)?;
    let principal = gate
        .principal(entrant.user)
        .filter(|who| decide_needs(who, &SessionOpen::NEEDS, None, &Facts::Rows).allows())
        .ok_or_else(|| {
            WireError::new(Code::Forbidden, "this user may not open a session")
                .lacking("session.open")
        })?;
    if headers.contains_key("switchroom-as") {
        let text = "no agent view of that owner is open to you";
        return Err(WireError::new(Code::Forbidden, text)
            .lacking("inbox.act_as")
            .into());
    }
    let caller = Caller {
        principal,
        speaks_for: SpeaksFor::Present,
        pseudonyms: None,
    };
    let now = server.clock().now();
    let place = server.paces().enter(gate.name(), &caller.principal, now);
    let place = place.map_err(too_fast)?;
    Ok(Called {
        gate,
        caller,
        place,
    })
}

/// A request that came too soon.
#[must_use]
pub fn too_fast(after_ms: u64) -> Problem {
    WireError::new(Code::RateLimited, "too many requests")
        .after(after_ms)
        .into()
}

/// The idempotency key of a request; the draft writes it between quotes.
///
/// # Errors
/// 400 for a key that is empty, too long, or no text.
pub fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    let bare = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text);
    match Key::new(bare) {
        Some(key) => Ok(Some(key.into_string())),
        None => Err(Problem::bad_request(
            StatusCode::BAD_REQUEST,
            "Idempotency-Key: expected a text of 1 to 255 characters",
        )),
    }
}

/// The body of a request that has to be JSON; nothing at all counts as an object without keys.
///
/// # Errors
/// 415 for another type, 413 over the limit, 408 when it does not come in time, 400 for what
/// is no JSON.
pub async fn json(server: &Server, request: Request<Body>, limit: usize) -> Result<Bytes, Problem> {
    let is_json = is_json(request.headers());
    let body = body(server, request, limit).await?;
    if body.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    if !is_json {
        return Err(Problem::bad_request(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "expected `Content-Type: application/json`",
        ));
    }
    Ok(body)
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = kind
        .and_then(|kind| kind.split(';').next())
        .unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}

async fn body(server: &Server, request: Request<Body>, limit: usize) -> Result<Bytes, Problem> {
    let clock = server.clock();
    let deadline = clock.now() + server.options().answer_within;
    tokio::select! {
        body = whole(request.into_body(), limit) => body,
        () = clock.until(deadline) => {
            let error = WireError::new(Code::Timeout, "the body did not come in time");
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, error))
        }
    }
}

async fn whole(body: Body, limit: usize) -> Result<Bytes, Problem> {
    let mut stream = body.into_data_stream();
    let mut whole = BytesMut::new();
    while let Some(part) = stream.next().await {
        let part = part.map_err(|_| {
            Problem::bad_request(StatusCode::BAD_REQUEST, "the body could not be read")
        })?;
        if whole.len() + part.len() > limit {
            let text = format!("the body is over the limit of {limit} bytes");
            return Err(WireError::new(Code::TooLarge, text).into());
        }
        whole.extend_from_slice(&part);
    }
    Ok(whole.freeze())
}

/// A body as the params of a method.
///
/// # Errors
/// 400 for what is no JSON, not UTF-8, or too deep.
pub fn params(body: &Bytes, limit: usize) -> Result<Raw, WireError> {
    Encoding::Json
        .body(body, limit)
        .map_err(|error| WireError::from(&error))
}

/// Largest body of a caller.
#[must_use]
pub fn limit_of(caller: &Caller) -> usize {
    if caller.principal.is_integration() {
        limits::FRAME_BYTES_CONNECTOR
    } else {
        limits::FRAME_BYTES
    }
}
