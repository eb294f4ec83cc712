//! The routes of the port.

use super::listen::Peer;
use super::problem::Problem;
use super::reports::report;
use super::request::{Called, called, json, key, limit_of, params, token, too_fast};
use super::server::Server;
use super::session::{self, Arrival};
use super::upgrade::{Asked, NoUpgrade, bare};
use crate::access::privilege::Privilege;
use crate::gate::{Caller, Gate, Outcome};
use crate::limits;
use crate::wire::close::CloseCode;
use crate::wire::error::{Code, WireError, quoted};
use crate::wire::method::{Answer, Call, Method};
use crate::wire::raw::Raw;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use futures::future::join_all;
use http::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HOST, LOCATION, ORIGIN, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use http::{HeaderValue, Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;

pub(super) type Port = State<Arc<Server>>;

/// The routes of a server.
pub fn routes(server: &Arc<Server>) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/v1/ws", get(websocket))
        .route("/v1/contacts", post(submit))
        .route("/v1/contacts:batch", post(batch))
        .route("/v1/methods/{method}", post(method))
        .route("/v1/reports/{report}", get(report))
        .method_not_allowed_fallback(wrong_method)
        .fallback(no_such_route)
        .with_state(Arc::clone(server))
}

async fn no_such_route() -> Problem {
    WireError::new(Code::NotFound, "there is no such route").into()
}

async fn wrong_method(request: Request<Body>) -> Problem {
    let allowed = match request.uri().path() {
        path if path.starts_with("/v1/reports/") => "GET, HEAD",
        path if path.starts_with("/v1/") && path != "/v1/ws" => "POST",
        "/v1/ws" => "GET",
        _ => "GET, HEAD",
    };
    let text = format!("this route takes {allowed}");
    Problem::bad_request(StatusCode::METHOD_NOT_ALLOWED, text)
        .with(ALLOW, HeaderValue::from_static(allowed))
}

async fn healthz() -> &'static str {
    "ok\n"
}

async fn readyz(State(server): Port) -> (StatusCode, &'static str) {
    if server.is_stopping() {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
    } else if server.drains() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    } else if server.space().is_some_and(|space| space.is_short()) {
        // Work in hand goes on, so its requests have to find their way here.
        (
            StatusCode::OK,
            "space is short: no new contacts, no sign-ins\n",
        )
    } else {
        (StatusCode::OK, "ready\n")
    }
}

/// What operators see: to the machine itself, or to a token of an application or administrator.
async fn metrics(State(server): Port, request: Request<Body>) -> Result<Response, Problem> {
    let here = request
        .extensions()
        .get::<Peer>()
        .is_some_and(|peer| peer.address.ip().is_loopback());
    if !here || server.options().behind_proxy {
        let Called { caller, .. } = called(&server, request.headers())?;
        let who = &caller.principal;
        if !who.is_integration() && !who.holds(Privilege::WorkspaceDrain) {
            let error = WireError::new(Code::Forbidden, "workspace.drain is needed");
            return Err(error.lacking("workspace.drain").into());
        }
    }
    let page = server.metrics();
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(CONTENT_TYPE, kind)], page).into_response())
}

/// `GET /v1/ws`
async fn websocket(State(server): Port, request: Request<Body>) -> Result<Response, Problem> {
    let headers = request.headers();
    let mut asked = match Asked::read(headers) {
        Ok(asked) if request.method() == http::Method::GET => asked,
        Ok(_) | Err(NoUpgrade::NotWebSocket) => return Err(upgrade_required()),
        Err(NoUpgrade::Refused(error)) => return Err((*error).into()),
    };
    if server.is_stopping() {
        return Err(WireError::new(Code::ShuttingDown, "the server stops")
            .after(1_000)
            .into());
    }
    let Some(peer) = request.extensions().get::<Peer>().cloned() else {
        tracing::error!("a connection has no peer");
        return Err(WireError::new(Code::Internal, "the connection cannot be upgraded").into());
    };
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    let admitted = server.options().origins.admit(text(ORIGIN), text(HOST));
    let from_header = token(headers).map(str::to_owned);
    let token = from_header.or(asked.token.take());
    let response = asked.response();
    let encoding = asked.encoding;
    let upgrade = hyper::upgrade::on(request);
    let tasks = server.tasks().clone();
    tasks.spawn(async move {
        let Some((stream, already)) = upgrade.await.ok().and_then(bare) else {
            return;
        };
        let arrival = Arrival {
            stream,
            already,
            encoding,
            token,
            peer,
            refused: (!admitted).then_some(CloseCode::OriginRefused),
        };
        session::serve(server, arrival).await;
    });
    Ok(response)
}

fn upgrade_required() -> Problem {
    let text = "this route is a WebSocket: expected an upgrade request of version 13";
    Problem::bad_request(StatusCode::UPGRADE_REQUIRED, text)
        .with(CONNECTION, HeaderValue::from_static("upgrade"))
        .with(UPGRADE, HeaderValue::from_static("websocket"))
        .with(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))
}

/// `POST /v1/methods/{method}`
async fn method(
    State(server): Port,
    Path(name): Path<String>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let Called {
        gate,
        caller,
        place: _place,
    } = called(&server, request.headers())?;
    let key = key(request.headers())?;
    let method = Method::named(&name)?;
    let limit = limit_of(&caller);
    let body = json(&server, request, limit).await?;
    let call = method.read(&params(&body, limit)?)?;
    if method == Method::AgentSignIn {
        let text = "agent.sign_in opens the view of `me` and needs a WebSocket";
        return Err(WireError::new(Code::InvalidState, text).into());
    }
    let outcome = answer(&server, &gate, &caller, call, key.as_deref()).await;
    let answer = outcome.result?;
    Ok(body_of(StatusCode::OK, &*answer))
}

/// `POST /v1/contacts`
async fn submit(State(server): Port, request: Request<Body>) -> Result<Response, Problem> {
    let Called {
        gate,
        caller,
        place: _place,
    } = called(&server, request.headers())?;
    let key = key(request.headers())?;
    let limit = limit_of(&caller);
    let body = json(&server, request, limit).await?;
    let call = Method::ContactSubmit.read(&params(&body, limit)?)?;
    let outcome = answer(&server, &gate, &caller, call, key.as_deref()).await;
    let repeated = outcome.repeated;
    let answer = outcome.result?;
    let mut response = body_of(submitted(repeated), &*answer);
    if let Answer::ContactSubmit(submitted) = &*answer
        && let Ok(location) = HeaderValue::from_str(&format!("/v1/contacts/{}", submitted.contact))
    {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// The status of a submit: the first makes the contact.
fn submitted(repeated: bool) -> StatusCode {
    if repeated {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    }
}

/// Body of `POST /v1/contacts:batch`.
#[derive(Deserialize)]
struct Batch {
    contacts: Vec<Box<RawValue>>,
}

/// The answer to a batch, in the order of its contacts.
#[derive(Serialize)]
struct Results {
    results: Vec<OneResult>,
}

/// What came of one contact of a batch.
#[derive(Serialize)]
struct OneResult {
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Arc<Answer>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<WireError>,
}

/// `POST /v1/contacts:batch`: each succeeds or fails alone.
async fn batch(State(server): Port, request: Request<Body>) -> Result<Response, Problem> {
    let Called {
        gate,
        caller,
        place,
    } = called(&server, request.headers())?;
    let key = key(request.headers())?;
    let body = json(&server, request, limits::BATCH_BYTES).await?;
    params(&body, limits::BATCH_BYTES)?;
    let expected = format!("a list of 1 to {} contacts", limits::BATCH_CONTACTS);
    let wrong = || {
        let pointer = "/contacts".to_owned();
        WireError::wrong(Code::ValidationFailed, pointer, &expected)
    };
    let Batch { contacts } = serde_json::from_slice(&body).map_err(|_| wrong())?;
    if !(1..=limits::BATCH_CONTACTS).contains(&contacts.len()) {
        return Err(wrong().into());
    }
    // Each contact counts as a request.
    let more = u32::try_from(contacts.len() - 1).unwrap_or(u32::MAX);
    let counted = place.more(more, server.clock().now());
    counted.map_err(too_fast)?;
    let one = |(number, contact): (usize, &RawValue)| {
        let key = key.as_ref().map(|key| format!("{key}/{number}"));
        let contact = Bytes::copy_from_slice(contact.get().as_bytes());
        one_of_batch(&server, &gate, &caller, contact, key)
    };
    let results = join_all(contacts.iter().map(AsRef::as_ref).enumerate().map(one)).await;
    Ok(body_of(StatusCode::OK, &Results { results }))
}

async fn one_of_batch(
    server: &Server,
    gate: &Arc<Gate>,
    caller: &Caller,
    contact: Bytes,
    key: Option<String>,
) -> OneResult {
    let params = params(&contact, limit_of(caller));
    let call = params.and_then(|params: Raw| Method::ContactSubmit.read(&params));
    let outcome = match call {
        Ok(call) => answer(server, gate, caller, call, key.as_deref()).await,
        Err(error) => gate.refused(error),
    };
    match outcome.result {
        Ok(answer) => OneResult {
            status: submitted(outcome.repeated).as_u16(),
            body: Some(answer),
            error: None,
        },
        Err(error) => OneResult {
            status: error.code.status(),
            body: None,
            error: Some(error),
        },
    }
}

/// Carries a call out, within its time.
async fn answer(
    server: &Server,
    gate: &Arc<Gate>,
    caller: &Caller,
    call: Call,
    key: Option<&str>,
) -> Outcome {
    let clock = server.clock();
    let deadline = clock.now() + server.options().answer_within;
    let name = call.method().word();
    tokio::select! {
        outcome = gate.ask(caller, call, key) => outcome,
        () = clock.until(deadline) => {
            let text = format!("{} was not answered in time and may still happen", quoted(name));
            gate.refused(WireError::new(Code::Timeout, text))
        }
    }
}

fn body_of<T: Serialize>(status: StatusCode, body: &T) -> Response {
    match serde_json::to_vec(body) {
        Ok(json) => {
            let kind = HeaderValue::from_static("application/json");
            let store = HeaderValue::from_static("no-store");
            (status, [(CONTENT_TYPE, kind), (CACHE_CONTROL, store)], json).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            Problem::from(WireError::new(
                Code::Internal,
                "the answer could not be written",
            ))
            .into_response()
        }
    }
}
