//! A small HTTP client: submits over kept connections, and single questions to the server.

use std::error::Error as _;
use std::io::ErrorKind;
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
    /// An answer has come over the connection.
    kept: bool,
    authorization: Option<String>,
}

type Sender = SendRequest<Full<Bytes>>;

impl Http {
    /// Connects; `token` goes with every request.
    pub async fn open(target: &Arc<Target>, token: Option<&str>) -> Result<Self> {
        Ok(Self {
            target: target.clone(),
            sender: dial(target).await?,
            kept: false,
            authorization: token.map(|token| format!("Bearer {token}")),
        })
    }

    /// One request with a JSON body, or without when it is empty, and its whole answer. A server
    /// may close a kept connection in a pause: what went out just then is asked once more, which
    /// is harmless, because a contact is unique by its external id.
    pub async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes)> {
        if self.sender.ready().await.is_err() {
            self.redial().await?;
        }
        let request = self.request(&method, path, body.clone())?;
        let answer = match self.sender.send_request(request).await {
            Err(error) if error.is_canceled() || (self.kept && closed_meanwhile(&error)) => {
                self.redial().await?;
                let request = self.request(&method, path, body)?;
                self.sender.send_request(request).await?
            }
            answer => answer?,
        };
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        self.kept = true;
        Ok((status, body))
    }

    async fn redial(&mut self) -> Result<()> {
        self.sender = dial(&self.target).await?;
        self.kept = false;
        Ok(self.sender.ready().await?)
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

/// The connection ended before the first byte of an answer.
fn closed_meanwhile(error: &hyper::Error) -> bool {
    let of_socket = error
        .source()
        .and_then(|source| source.downcast_ref::<std::io::Error>());
    let reset = of_socket.is_some_and(|error| {
        matches!(
            error.kind(),
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
        )
    });
    reset || error.is_incomplete_message()
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// A server that answers so many requests on each connection and closes it under the next.
    async fn server(answers: &'static [usize]) -> Arc<Target> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            for answers in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                for _ in 0..*answers {
                    let _ = stream.read(&mut [0; 4_096]).await.unwrap();
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                    stream.write_all(answer).await.unwrap();
                }
                // Part of the request stays unread, which resets the connection.
                let _ = stream.read(&mut [0; 8]).await.unwrap();
            }
        });
        Arc::new(Target::resolve(&url, false).await.unwrap())
    }

    async fn ask(http: &mut Http) -> bool {
        let answer = http.ask(Method::POST, "/v1/contacts", Bytes::from_static(b"{}"));
        answer.await.is_ok()
    }

    #[tokio::test]
    async fn what_met_a_closing_connection_is_asked_once_more() {
        let mut http = Http::open(&server(&[1, 2]).await, None).await.unwrap();
        assert!(ask(&mut http).await);
        assert!(ask(&mut http).await, "on the second connection");
        assert!(ask(&mut http).await);
    }

    #[tokio::test]
    async fn a_server_that_closes_under_a_first_request_is_not_asked_again() {
        let mut http = Http::open(&server(&[0, 1]).await, None).await.unwrap();
        assert!(!ask(&mut http).await);
    }
}
