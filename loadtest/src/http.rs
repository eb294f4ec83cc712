//! A small HTTP client: submits over kept connections, and single questions to the server.

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;

use crate::socket::Target;

/// One kept connection.
pub struct Http {
    sender: SendRequest<Full<Bytes>>,
    authority: String,
    authorization: Option<String>,
}

impl Http {
    /// Connects; `token` goes with every request.
    pub async fn open(target: &Target, token: Option<&str>) -> Result<Self> {
        let stream = target.dial().await?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self {
            sender,
            authority: target.authority.clone(),
            authorization: token.map(|token| format!("Bearer {token}")),
        })
    }

    /// One request with a JSON body, or without when it is empty, and its whole answer.
    pub async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes)> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.authority);
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        self.sender
            .ready()
            .await
            .context("the server closed the connection")?;
        let answer = self
            .sender
            .send_request(request.body(Full::new(body))?)
            .await?;
        let status = answer.status();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }
}

/// Whether `/readyz` says yes. Fails only when nothing answers.
pub async fn ready(target: &Target) -> Result<()> {
    let mut http = Http::open(target, None).await?;
    let (status, body) = http.ask(Method::GET, "/readyz", Bytes::new()).await?;
    if !status.is_success() {
        bail!(
            "/readyz answers {status}: {}",
            String::from_utf8_lossy(&body)
        );
    }
    Ok(())
}
