//! A WebSocket client that speaks both encodings and waits for what it expects.

use super::house::House;
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};

/// Nothing here takes so long unless it hangs.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How messages are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    Json,
    Pack,
}

/// One socket.
pub struct Client {
    pub socket: WebSocketStream<TcpStream>,
    pub encoding: Encoding,
    ids: u64,
    /// Of a frame that was an array of messages.
    unread: VecDeque<Value>,
    /// Read while something else was waited for.
    waiting: Vec<Value>,
}

/// Connects with these headers; the response where it is no upgrade.
pub async fn connect(
    address: SocketAddr,
    headers: &[(&'static str, &str)],
) -> Result<(WebSocketStream<TcpStream>, http::HeaderMap), http::Response<Option<Vec<u8>>>> {
    let mut request = format!("ws://{address}/v1/ws")
        .into_client_request()
        .unwrap();
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    let stream = TcpStream::connect(address).await.expect("a connection");
    match timeout(PATIENCE, tokio_tungstenite::client_async(request, stream))
        .await
        .unwrap()
    {
        Ok((socket, response)) => Ok((socket, response.headers().clone())),
        Err(Error::Http(response)) => Err(*response),
        Err(error) => panic!("no answer: {error}"),
    }
}

impl Client {
    pub async fn connect(address: SocketAddr, encoding: Encoding) -> Self {
        let protocol = match encoding {
            Encoding::Json => "switchroom.v1.json",
            Encoding::Pack => "switchroom.v1.msgpack",
        };
        let connected = connect(address, &[("sec-websocket-protocol", protocol)]).await;
        let (socket, _) = connected.expect("an upgrade");
        Self::over(socket, encoding)
    }

    pub fn over(socket: WebSocketStream<TcpStream>, encoding: Encoding) -> Self {
        Self {
            socket,
            encoding,
            ids: 0,
            unread: VecDeque::new(),
            waiting: Vec::new(),
        }
    }

    /// A session of a user, JSON.
    pub async fn of(house: &House, user: &str) -> Self {
        Self::welcomed(house, user, Encoding::Json).await.0
    }

    /// A session of a user, and its welcome.
    pub async fn welcomed(house: &House, user: &str, encoding: Encoding) -> (Self, Value) {
        let mut client = Self::connect(house.address, encoding).await;
        let welcome = client.hello(json!({"token": house.token(user)})).await;
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        (client, welcome)
    }

    /// Says hello with these fields; the first message after it.
    pub async fn hello(&mut self, fields: Value) -> Value {
        let mut hello = json!({"type": "hello", "id": "hello"});
        hello
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        self.send(&hello).await;
        self.next().await
    }

    pub async fn send(&mut self, message: &Value) {
        let frame = match self.encoding {
            Encoding::Json => Message::text(message.to_string()),
            Encoding::Pack => Message::binary(rmp_serde::to_vec_named(message).unwrap()),
        };
        self.raw(frame).await;
    }

    pub async fn raw(&mut self, frame: Message) {
        timeout(PATIENCE, self.socket.send(frame))
            .await
            .unwrap()
            .expect("is sent");
    }

    /// The next message that is no ping of the protocol, answering pings on the way.
    pub async fn next(&mut self) -> Value {
        if !self.waiting.is_empty() {
            return self.waiting.remove(0);
        }
        let read = timeout(PATIENCE, self.read())
            .await
            .expect("something comes");
        read.unwrap_or_else(|code| panic!("closed with {code:?}"))
    }

    async fn read(&mut self) -> Result<Value, Option<u16>> {
        loop {
            if let Some(message) = self.unread.pop_front() {
                if message["type"] == "ping" {
                    self.send(&json!({"type": "pong", "at": message["at"]}))
                        .await;
                    continue;
                }
                return Ok(message);
            }
            let frame = self.socket.next().await;
            let frame = match frame {
                Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
                Some(Ok(Message::Binary(bytes))) => rmp_serde::from_slice(&bytes).unwrap(),
                Some(Ok(Message::Close(close))) => {
                    return Err(close.map(|close| close.code.into()));
                }
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return Err(None),
            };
            match frame {
                Value::Array(messages) => self.unread.extend(messages),
                message => self.unread.push_back(message),
            }
        }
    }

    /// The first message, now or later, for which `wanted` holds; others are kept.
    pub async fn expect(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.waiting.iter().position(&wanted) {
            return self.waiting.remove(at);
        }
        let found = timeout(PATIENCE, async {
            loop {
                match self.read().await {
                    Ok(message) if wanted(&message) => return message,
                    Ok(message) => self.waiting.push(message),
                    Err(code) => panic!("closed with {code:?} while waiting for {what}"),
                }
            }
        })
        .await;
        found.unwrap_or_else(|_| panic!("{what} did not come; what came: {:?}", self.waiting))
    }

    /// What has come and nobody waited for.
    pub fn heard(&self) -> &[Value] {
        &self.waiting
    }

    pub async fn event(&mut self, name: &str) -> Value {
        self.expect(name, |message| {
            message["type"] == "event" && message["event"] == name
        })
        .await
    }

    /// Sends a message with an id of its own; its reply.
    pub async fn ask(&mut self, mut message: Value) -> Value {
        self.ids += 1;
        let id = self.ids.to_string();
        message["id"] = json!(id);
        self.send(&message).await;
        self.expect("a reply", |reply| {
            reply["type"] == "reply" && reply["id"] == json!(id)
        })
        .await
    }

    pub async fn request(&mut self, method: &str, params: Value) -> Value {
        self.ask(json!({"type": "request", "method": method, "params": params}))
            .await
    }

    /// The result of a request that has to succeed.
    pub async fn result(&mut self, method: &str, params: Value) -> Value {
        let reply = self.request(method, params).await;
        assert!(reply.get("error").is_none(), "{method}: {reply}");
        reply["result"].clone()
    }

    /// The error of a request that has to fail.
    pub async fn error(&mut self, method: &str, params: Value) -> Value {
        let reply = self.request(method, params).await;
        assert!(reply.get("result").is_none(), "{method}: {reply}");
        reply["error"].clone()
    }

    /// Subscribes; name of the view and its first snapshot.
    pub async fn subscribe(&mut self, topic: &str, params: Value) -> (String, Value) {
        let reply = self
            .ask(json!({"type": "subscribe", "topic": topic, "params": params}))
            .await;
        let sub = reply["result"]["sub"]
            .as_str()
            .unwrap_or_else(|| panic!("{reply}"))
            .to_owned();
        let snapshot = self
            .expect("a snapshot", |message| {
                message["type"] == "snapshot" && message["sub"] == *sub
            })
            .await;
        (sub, snapshot)
    }

    /// Reads until the server closes; the goaway before it, and the close code.
    pub async fn closed(&mut self) -> (Option<Value>, Option<u16>) {
        let closed = timeout(PATIENCE, async {
            let mut goaway = None;
            loop {
                match self.read().await {
                    Ok(message) if message["type"] == "goaway" => goaway = Some(message),
                    Ok(_) => {}
                    Err(code) => return (goaway, code),
                }
            }
        });
        closed.await.expect("a close")
    }

    /// The code with which the server closes, which its goaway names too.
    pub async fn close_code(&mut self) -> u16 {
        let (goaway, code) = self.closed().await;
        let code = code.expect("a close frame");
        assert_eq!(goaway.expect("a goaway")["code"], json!(code));
        code
    }
}
