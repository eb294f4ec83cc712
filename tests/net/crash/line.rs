//! A socket that may end at any moment: then everything on it answers nothing.

use super::super::client::PATIENCE;
use super::program::Access;
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

pub struct Line {
    socket: WebSocketStream<TcpStream>,
    ids: u64,
    /// Read, and not yet taken.
    unread: VecDeque<Value>,
    /// Events that came while a reply was awaited.
    events: VecDeque<Value>,
}

impl Line {
    pub async fn open(access: &Access) -> Option<Self> {
        Some(Self::resume(access, None).await?.0)
    }

    /// A socket that goes on where another ended, and its welcome.
    pub async fn resume(access: &Access, resume: Option<Value>) -> Option<(Self, Value)> {
        let stream = TcpStream::connect(access.address).await.ok()?;
        let url = format!("ws://{}/v1/ws", access.address);
        let (socket, _) = tokio_tungstenite::client_async(url, stream).await.ok()?;
        let mut line = Self {
            socket,
            ids: 0,
            unread: VecDeque::new(),
            events: VecDeque::new(),
        };
        let mut hello = json!({"type": "hello", "id": "hello", "token": access.token});
        if let Some(resume) = resume {
            hello["resume"] = resume;
        }
        line.send(&hello).await?;
        let welcome = line.read().await?;
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        Some((line, welcome))
    }

    async fn send(&mut self, message: &Value) -> Option<()> {
        let frame = Message::text(message.to_string());
        timeout(PATIENCE, self.socket.send(frame))
            .await
            .expect("in time")
            .ok()
    }

    async fn read(&mut self) -> Option<Value> {
        loop {
            if let Some(message) = self.unread.pop_front() {
                if message["type"] == "ping" {
                    self.send(&json!({"type": "pong", "at": message["at"]}))
                        .await?;
                    continue;
                }
                return Some(message);
            }
            let frame = timeout(PATIENCE, self.socket.next())
                .await
                .expect("in time");
            match frame?.ok()? {
                Message::Text(text) => match serde_json::from_str(&text).unwrap() {
                    Value::Array(messages) => self.unread.extend(messages),
                    message => self.unread.push_back(message),
                },
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }

    async fn reply(&mut self, mut message: Value) -> Option<Value> {
        self.ids += 1;
        let id = json!(self.ids.to_string());
        message["id"] = id.clone();
        self.send(&message).await?;
        loop {
            let message = self.read().await?;
            if message["type"] == "reply" && message["id"] == id {
                return Some(message);
            }
            self.events.push_back(message);
        }
    }

    /// The reply to a request, asked again when the server says so.
    pub async fn ask(&mut self, method: &str, params: Value) -> Option<Value> {
        let request = json!({"type": "request", "method": method, "params": params});
        self.insist(request).await
    }

    /// The same with an idempotency key.
    pub async fn ask_once(&mut self, key: &str, method: &str, params: Value) -> Option<Value> {
        let request = json!({"type": "request", "method": method, "params": params, "key": key});
        self.insist(request).await
    }

    async fn insist(&mut self, request: Value) -> Option<Value> {
        loop {
            let reply = self.reply(request.clone()).await?;
            let Some(wait) = reply["error"]["after_ms"].as_u64() else {
                return Some(reply);
            };
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
    }

    pub async fn subscribe(&mut self, topic: &str) -> Option<Value> {
        self.reply(json!({"type": "subscribe", "topic": topic}))
            .await
    }

    /// The next message that is no reply.
    pub async fn event(&mut self) -> Option<Value> {
        match self.events.pop_front() {
            Some(event) => Some(event),
            None => self.read().await,
        }
    }
}
