//! `GET /v1/reports/{report}`: a page of a report from the history, as JSON, NDJSON or CSV.

use super::http::Port;
use super::problem::Problem;
use super::request::{Called, called};
use crate::domain::near::nearest;
use crate::gate::reports::Page;
use crate::journal::history::format::{Format, Writing};
use crate::journal::history::report::{Asked, Place, Report, instant};
use crate::limits;
use crate::wire::error::{Code, WireError};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, LINK};
use http::{HeaderMap, HeaderValue, Request, StatusCode};

/// What a query asks for.
struct Query {
    asked: Asked,
    limit: usize,
    format: Option<Format>,
}

const KEYS: [&str; 8] = [
    "from", "to", "queue", "agent", "channel", "limit", "cursor", "format",
];

/// Answers a request for a report.
pub(super) async fn report(
    State(server): Port,
    Path(name): Path<String>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let Called {
        gate,
        caller,
        place: _place,
    } = called(&server, request.headers())?;
    let report = Report::named(&name).ok_or_else(|| {
        let near = nearest(&name, Report::ALL.map(Report::name));
        WireError::new(Code::NotFound, "there is no such report").suggesting(near)
    })?;
    let text = request.uri().query().unwrap_or_default();
    let query = Query::read(report, text)?;
    let format = query.format.unwrap_or_else(|| accepted(request.headers()));
    let clock = server.clock();
    let deadline = clock.now() + limits::REPORT_WITHIN + server.options().answer_within;
    let page = tokio::select! {
        page = gate.report(&caller, report, query.asked, query.limit) => page?,
        () = clock.until(deadline) => {
            let text = "other reports are being read: try again";
            return Err(WireError::new(Code::Timeout, text).into());
        }
    };
    let next = page.next.as_ref().map(|place| place.cursor(report));
    // Ten thousand rows take longer to write than anybody on the floor should wait.
    let written = tokio::task::spawn_blocking(move || write(page, report, format));
    let body = written.await.map_err(|_| {
        let text = "the report could not be written";
        WireError::new(Code::Internal, text)
    })?;
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(format.media_type())),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    let mut response = (StatusCode::OK, headers, body).into_response();
    if let Some(link) = next.and_then(|cursor| link(report, text, &cursor)) {
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}

fn write(page: Page, report: Report, format: Format) -> Vec<u8> {
    let mut body = Vec::new();
    let mut writing = Writing::begin(format, page.columns, &mut body);
    for row in &page.rows {
        writing.row(row, &mut body);
    }
    let next = page.next.map(|place| place.cursor(report));
    writing.end(next.as_deref(), &mut body);
    body
}

/// The same query, where the report goes on.
fn link(report: Report, query: &str, cursor: &str) -> Option<HeaderValue> {
    let kept = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key != "cursor");
    let mut query = form_urlencoded::Serializer::new(String::new());
    let query = query
        .extend_pairs(kept)
        .append_pair("cursor", cursor)
        .finish();
    let link = format!("</v1/reports/{}?{query}>; rel=\"next\"", report.name());
    HeaderValue::from_str(&link).ok()
}

/// The first format that the caller accepts; JSON when it says nothing.
fn accepted(headers: &HeaderMap) -> Format {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    let kinds = accept.unwrap_or_default().split(',');
    let kinds = kinds.map(|kind| kind.split(';').next().unwrap_or_default().trim());
    let mut formats = kinds.filter_map(|kind| {
        Format::ALL
            .into_iter()
            .find(|format| format.media_type().split(';').next() == Some(kind))
    });
    formats.next().unwrap_or(Format::Json)
}

fn wrong(key: &str, expected: &str) -> WireError {
    WireError::wrong(Code::ValidationFailed, format!("/{key}"), expected)
}

impl Query {
    fn read(report: Report, text: &str) -> Result<Self, WireError> {
        let mut query = Self {
            asked: Asked::default(),
            limit: limits::REPORT_ROWS,
            format: None,
        };
        let mut seen: Vec<String> = Vec::new();
        for (key, value) in form_urlencoded::parse(text.as_bytes()) {
            if seen.iter().any(|known| *known == key) {
                return Err(wrong(&key, "one value"));
            }
            query.set(report, &key, &value)?;
            seen.push(key.into_owned());
        }
        Ok(query)
    }

    fn set(&mut self, report: Report, key: &str, value: &str) -> Result<(), WireError> {
        let time = || {
            let expected = "milliseconds since 1970, a date such as 2026-11-22, or a date and time such as 2026-11-22T09:00:00Z";
            instant(value).ok_or_else(|| wrong(key, expected))
        };
        let asked = &mut self.asked;
        match key {
            "from" => asked.from = Some(time()?),
            "to" => asked.to = Some(time()?),
            "queue" => asked.queue = Some(value.to_owned()),
            "agent" => asked.agent = Some(value.to_owned()),
            "channel" => asked.channel = Some(value.to_owned()),
            "cursor" => {
                let place = Place::at(report, value);
                let expected = "a cursor that came with an earlier page of this report";
                asked.after = Some(place.ok_or_else(|| wrong(key, expected))?);
            }
            "limit" => {
                let limit = value.parse().ok();
                let limit = limit.filter(|limit| (1..=limits::REPORT_ROWS_MAX).contains(limit));
                let expected = format!("a number from 1 to {}", limits::REPORT_ROWS_MAX);
                self.limit = limit.ok_or_else(|| wrong(key, &expected))?;
            }
            "format" => {
                let format = Format::named(value);
                self.format = Some(format.ok_or_else(|| wrong(key, "json, ndjson or csv"))?);
            }
            other => {
                let expected = "from, to, queue, agent, channel, limit, cursor or format";
                let error = WireError::wrong(Code::ValidationFailed, String::new(), expected);
                return Err(error.suggesting(nearest(other, KEYS)));
            }
        }
        Ok(())
    }
}
