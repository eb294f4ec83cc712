//! A small HTTP client: submits over kept connections, and single questions to the server.

use std::sync::Arc;

use anyhow::{Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;

use crate::socket::Target;

/// One kept connection, opened anew when the server has closed it in a pause.
pub struct Http {
    target: Arc<Target>,
    sender: Sender,
    authorization: Option<String>,
}

type Sender = SendRequest<Full<Bytes>>;

impl Http {
    /// Connects; `token` goes with every request.
    pub async fn open(target: &Arc<Target>, token: Option<&str>) -> Result<Self> {
        Ok(Self {
            target: target.clone(),
            sender: dial(target).await?,
            authorization: token.map(|token| format!("Bearer {token}")),
        })
    }

    /// One request with a JSON body, or without when it is empty, and its whole answer. What a
    /// connection that closes just then did not send is sent once more.
    pub async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes)> {
        if self.sender.ready().await.is_err() {
            self.sender = dial(&self.target).await?;
            self.sender.ready().await?;
        }
        let request = self.request(&method, path, body.clone())?;
        let answer = match self.sender.send_request(request).await {
            Err(error) if error.is_canceled() => {
                self.sender = dial(&self.target).await?;
                self.sender.ready().await?;
                let request = self.request(&method, path, body)?;
                self.sender.send_request(request).await?
            }
            answer => answer?,
        };
        let status = answer.status();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }

    fn request(&self, method: &Method, path: &str, body: Bytes) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.target.authority);
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        Ok(request.body(Full::new(body))?)
    }
}

async fn dial(target: &Target) -> Result<Sender> {
    let stream = target.dial().await?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// Whether `/readyz` says yes. Fails only when nothing answers.
pub async fn ready(target: &Arc<Target>) -> Result<()> {
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
