//! From HTTP to WebSocket: the headers are checked, the subprotocol is chosen, and the bare
//! TCP stream is taken out of the HTTP connection.

use super::taken::Taken;
use crate::limits;
use crate::wire::codec::Encoding;
use crate::wire::error::{Code, WireError};
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header::HeaderName};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// An offered subprotocol that begins so carries the token, in base64url.
const BEARER: &str = "bearer.switchroom.";
/// Subprotocols looked at; a client has no reason to offer more.
const OFFERS: usize = 16;

/// What a client asked for in the headers of its upgrade.
#[derive(Debug)]
pub struct Asked {
    /// The encoding of both directions.
    pub encoding: Encoding,
    /// The subprotocol to echo; absent when the client offered none.
    echo: Option<&'static str>,
    /// The token that came as a subprotocol.
    pub token: Option<String>,
    accept: String,
}

/// Why a request cannot become a WebSocket.
#[derive(Debug)]
pub enum NoUpgrade {
    /// It is no request for a WebSocket of version 13.
    NotWebSocket,
    /// It is one that cannot be met.
    Refused(Box<WireError>),
}

impl Asked {
    /// Reads the headers of a request.
    ///
    /// # Errors
    /// When it is no proper WebSocket request, or offers only subprotocols unknown here.
    pub fn read(headers: &HeaderMap) -> Result<Self, NoUpgrade> {
        let is_upgrade = has_token(headers, &CONNECTION, "upgrade")
            && has_token(headers, &UPGRADE, "websocket")
            && headers
                .get(SEC_WEBSOCKET_VERSION)
                .is_some_and(|version| version == "13");
        if !is_upgrade {
            return Err(NoUpgrade::NotWebSocket);
        }
        let key = headers.get(SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes);
        let Some(key) = key.filter(|key| STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == 16))
        else {
            let expected = "a header Sec-WebSocket-Key of 16 bytes in base64";
            return Err(refused(expected));
        };
        let mut asked = Self {
            encoding: Encoding::Json,
            echo: None,
            token: None,
            accept: derive_accept_key(key),
        };
        asked.choose(headers)?;
        Ok(asked)
    }

    /// Takes the first subprotocol that is known here, and the token out of them.
    fn choose(&mut self, headers: &HeaderMap) -> Result<(), NoUpgrade> {
        let mut offered = words(headers, &SEC_WEBSOCKET_PROTOCOL)
            .take(OFFERS)
            .peekable();
        if offered.peek().is_none() {
            return Ok(());
        }
        for name in offered {
            if let Some(token) = name.strip_prefix(BEARER) {
                self.token = Some(bearer(token)?);
            } else if self.echo.is_none()
                && let Some(encoding) = Encoding::of_subprotocol(name)
            {
                self.encoding = encoding;
                self.echo = Some(encoding.subprotocol());
            }
        }
        match self.echo {
            Some(_) => Ok(()),
            None => Err(refused(
                "a subprotocol of `switchroom.v1.json`, `switchroom.v1.msgpack`, or none at all",
            )),
        }
    }

    /// The answer that makes the connection a WebSocket.
    #[must_use]
    pub fn response(&self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        if let Ok(accept) = HeaderValue::from_str(&self.accept) {
            headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        }
        if let Some(echo) = self.echo {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(echo));
        }
        response
    }
}

fn refused(expected: &str) -> NoUpgrade {
    let error = WireError::new(Code::BadRequest, format!("expected {expected}"));
    NoUpgrade::Refused(Box::new(error))
}

/// The token in a subprotocol.
fn bearer(encoded: &str) -> Result<String, NoUpgrade> {
    let fits = encoded.len() <= limits::TOKEN_BYTES.div_ceil(3) * 4;
    fits.then(|| URL_SAFE_NO_PAD.decode(encoded.trim_end_matches('=')).ok())
        .flatten()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| refused("`bearer.switchroom.` and a token of at most 8 KiB in base64url"))
}

/// The words of a list header, over all its lines.
fn words<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .filter(|word| !word.is_empty())
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    words(headers, name).any(|word| word.eq_ignore_ascii_case(token))
}

/// The bare stream of an upgraded connection with what was read beyond the headers; nothing if
/// the connection ran over something else than TCP.
#[must_use]
pub fn bare(upgraded: Upgraded) -> Option<(TcpStream, Vec<u8>)> {
    let parts = upgraded.downcast::<TokioIo<Taken<TcpStream>>>().ok()?;
    let stream = parts.io.into_inner().into_inner();
    Some((stream, parts.read_buf.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(HeaderName, &str)]) -> HeaderMap {
        let proper = [
            (CONNECTION, "keep-alive, Upgrade"),
            (UPGRADE, "websocket"),
            (SEC_WEBSOCKET_VERSION, "13"),
            (SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        proper
            .iter()
            .chain(lines)
            .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
            .fold(HeaderMap::new(), |mut headers, (name, value)| {
                if name == SEC_WEBSOCKET_PROTOCOL {
                    headers.append(name, value);
                } else {
                    headers.insert(name, value);
                }
                headers
            })
    }

    fn offering(protocols: &[&str]) -> Result<Asked, NoUpgrade> {
        let lines: Vec<_> = protocols
            .iter()
            .map(|line| (SEC_WEBSOCKET_PROTOCOL, *line))
            .collect();
        Asked::read(&headers(&lines))
    }

    #[test]
    fn the_first_known_subprotocol_is_taken_and_echoed() {
        let cases: [(&[&str], Encoding, Option<&str>); 4] = [
            (&[], Encoding::Json, None),
            (
                &["switchroom.v1.json"],
                Encoding::Json,
                Some("switchroom.v1.json"),
            ),
            (
                &["x, switchroom.v1.msgpack, switchroom.v1.json"],
                Encoding::MessagePack,
                Some("switchroom.v1.msgpack"),
            ),
            (
                &["x", "switchroom.v1.json"],
                Encoding::Json,
                Some("switchroom.v1.json"),
            ),
        ];
        for (offered, encoding, echo) in cases {
            let asked = offering(offered).unwrap();
            assert_eq!(
                (asked.encoding, asked.echo),
                (encoding, echo),
                "{offered:?}"
            );
            let response = asked.response();
            assert_eq!(response.status(), 101);
            assert_eq!(
                response.headers()[SEC_WEBSOCKET_ACCEPT],
                "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
            );
            let echoed = response.headers().get(SEC_WEBSOCKET_PROTOCOL);
            assert_eq!(echoed.map(|value| value.to_str().unwrap()), echo);
        }
        for unknown in [
            &["x"][..],
            &["bearer.switchroom.YQ"],
            &["switchroom.v2.json"],
        ] {
            assert!(
                matches!(offering(unknown), Err(NoUpgrade::Refused(_))),
                "{unknown:?}"
            );
        }
    }

    #[test]
    fn a_token_comes_in_a_subprotocol_of_its_own_and_is_never_echoed() {
        let asked = offering(&["bearer.switchroom.YS5iLmM", "switchroom.v1.json"]).unwrap();
        assert_eq!(asked.token.as_deref(), Some("a.b.c"));
        assert_eq!(
            asked.response().headers()[SEC_WEBSOCKET_PROTOCOL],
            "switchroom.v1.json"
        );
        let long = format!("bearer.switchroom.{}", "A".repeat(2 * limits::TOKEN_BYTES));
        for bad in ["bearer.switchroom.%%%", "bearer.switchroom._w", &long] {
            let offered = offering(&[bad, "switchroom.v1.json"]);
            assert!(matches!(offered, Err(NoUpgrade::Refused(_))), "{bad}");
        }
    }

    #[test]
    fn what_is_no_websocket_request_is_told_apart() {
        for (name, value) in [
            (UPGRADE, "h2c"),
            (CONNECTION, "close"),
            (SEC_WEBSOCKET_VERSION, "8"),
        ] {
            let asked = Asked::read(&headers(&[(name, value)]));
            assert!(matches!(asked, Err(NoUpgrade::NotWebSocket)), "{value}");
        }
        let asked = Asked::read(&headers(&[(SEC_WEBSOCKET_KEY, "short")]));
        assert!(matches!(asked, Err(NoUpgrade::Refused(_))));
    }
}
