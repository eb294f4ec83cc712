//! A socket of a simulated person: requests with their replies, and what is pushed.

use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

type Socket = WebSocketStream<TcpStream>;

/// Why a simulated person is cut off.
#[derive(Debug, thiserror::Error)]
pub(super) enum Cut {
    /// The connection could not be made.
    #[error("cannot connect: {0}")]
    Connect(#[from] std::io::Error),
    /// The WebSocket failed.
    #[error(transparent)]
    Socket(Box<tungstenite::Error>),
    /// The server closed it.
    #[error("the server closed the connection: {0}")]
    Closed(String),
    /// The server refused a request.
    #[error("{method}: {error}")]
    Refused {
        /// What was asked.
        method: String,
        /// What was answered.
        error: Value,
    },
}

impl From<tungstenite::Error> for Cut {
    fn from(error: tungstenite::Error) -> Self {
        Self::Socket(Box::new(error))
    }
}

/// An open session.
pub(super) struct Line {
    write: SplitSink<Socket, Message>,
    read: SplitStream<Socket>,
    waiting: VecDeque<Value>,
    requests: u64,
}

impl Line {
    /// Connects and says hello.
    pub(super) async fn open(address: SocketAddr, token: &str, name: &str) -> Result<Self, Cut> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let request = format!("ws://{address}/v1/ws").into_client_request()?;
        let config = WebSocketConfig::default().read_buffer_size(4096);
        let (socket, _) = client_async_with_config(request, stream, Some(config)).await?;
        let (write, read) = socket.split();
        let mut line = Self {
            write,
            read,
            waiting: VecDeque::new(),
            requests: 0,
        };
        let client = json!({ "name": format!("demo {name}"), "version": "1" });
        line.send(json!({ "type": "hello", "id": "hello", "token": token, "client": client }))
            .await?;
        line.until(|message| message["type"] == "welcome").await?;
        Ok(line)
    }

    async fn send(&mut self, message: Value) -> Result<(), Cut> {
        self.write.send(Message::text(message.to_string())).await?;
        Ok(())
    }

    /// Reads until a message that is looked for; others wait for [`Line::next`].
    async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Result<Value, Cut> {
        loop {
            let messages = self.read().await?;
            let mut found = None;
            for message in messages {
                if found.is_none() && wanted(&message) {
                    found = Some(message);
                } else {
                    self.waiting.push_back(message);
                }
            }
            if let Some(found) = found {
                return Ok(found);
            }
        }
    }

    async fn read(&mut self) -> Result<Vec<Value>, Cut> {
        loop {
            let Some(frame) = self.read.next().await else {
                return Err(Cut::Closed("end of stream".to_owned()));
            };
            match frame? {
                Message::Text(text) => {
                    let parsed = serde_json::from_str(&text)
                        .map_err(|error| Cut::Closed(format!("no JSON came: {error}")))?;
                    let messages = frame_messages(parsed);
                    for message in messages.iter().filter(|m| m["type"] == "ping") {
                        let pong = json!({ "type": "pong", "at": message["at"] });
                        self.send(pong).await?;
                    }
                    return Ok(messages);
                }
                Message::Close(frame) => {
                    let why = frame.map_or(String::new(), |frame| {
                        format!("{} {}", frame.code, frame.reason)
                    });
                    return Err(Cut::Closed(why));
                }
                Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_) => {}
            }
        }
    }

    /// The next message that was pushed.
    pub(super) async fn next(&mut self) -> Result<Value, Cut> {
        loop {
            if let Some(message) = self.waiting.pop_front() {
                return Ok(message);
            }
            let messages = self.read().await?;
            self.waiting.extend(messages);
        }
    }

    /// Asks without waiting for the reply; gives the id that the reply will name.
    pub(super) async fn ask(&mut self, method: &str, params: Value) -> Result<String, Cut> {
        self.requests += 1;
        let id = self.requests.to_string();
        let request = json!({ "type": "request", "id": id, "method": method, "params": params });
        self.send(request).await?;
        Ok(id)
    }

    /// Asks and waits for the reply.
    pub(super) async fn call(&mut self, method: &str, params: Value) -> Result<Value, Cut> {
        let id = self.ask(method, params).await?;
        self.reply(&id, method).await
    }

    /// Subscribes and waits for the reply.
    pub(super) async fn subscribe(&mut self, topic: &str) -> Result<String, Cut> {
        self.requests += 1;
        let id = self.requests.to_string();
        let subscribe = json!({ "type": "subscribe", "id": id, "topic": topic });
        self.send(subscribe).await?;
        let result = self.reply(&id, topic).await?;
        Ok(result["sub"].as_str().unwrap_or_default().to_owned())
    }

    async fn reply(&mut self, id: &str, method: &str) -> Result<Value, Cut> {
        let mut reply = self
            .until(|message| message["type"] == "reply" && message["id"] == id)
            .await?;
        if reply["error"].is_null() {
            return Ok(reply["result"].take());
        }
        Err(Cut::Refused {
            method: method.to_owned(),
            error: reply["error"].take(),
        })
    }
}

/// A frame is one message or an array of them.
fn frame_messages(mut frame: Value) -> Vec<Value> {
    match frame.as_array_mut() {
        Some(messages) => std::mem::take(messages),
        None => vec![frame],
    }
}
