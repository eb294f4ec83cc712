//! Where the server is, and one WebSocket to it. Every socket setting of the generator stands here.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail};
use futures::{SinkExt, StreamExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::wire::{Encoding, Hello, Kind};

/// Sockets opened from one loopback address before the next is used: an address has about 28,000
/// ports, and those of closed sockets stay taken for a minute.
const SOCKETS_PER_ADDRESS: u32 = 8_000;
/// Loopback addresses used in turn, from 127.0.0.2 on.
const ADDRESSES: u32 = 200;

/// The library's settings that both the clients and the bare relay use. The default read buffer is
/// filled with zeros at every read and would be measured instead of the server.
pub fn settings() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(4_096)
        .write_buffer_size(4_096)
        .max_write_buffer_size(16 << 20)
        .max_message_size(Some(4 << 20))
        .max_frame_size(Some(4 << 20))
}

/// A WebSocket over plain TCP.
pub type Socket = WebSocketStream<TcpStream>;

/// The server under test.
#[derive(Debug)]
pub struct Target {
    /// Host and port as given, for the request's `Host`.
    pub authority: String,
    /// Where it listens.
    pub address: SocketAddr,
    opened: AtomicU32,
}

impl Target {
    /// Finds the server of an `http://`, `ws://` or bare `host:port` address. Anything but a
    /// loopback address is refused unless `remote` allows it.
    pub async fn resolve(url: &str, remote: bool) -> Result<Self> {
        if url.starts_with("https://") || url.starts_with("wss://") {
            bail!("{url}: the load generator speaks plain TCP only");
        }
        let rest = url
            .strip_prefix("http://")
            .or_else(|| url.strip_prefix("ws://"));
        let rest = rest.unwrap_or(url);
        let authority = rest.split('/').next().unwrap_or(rest).to_owned();
        let mut found = tokio::net::lookup_host(authority.clone())
            .await
            .with_context(|| format!("{authority} is not host:port of a known host"))?;
        let address = found
            .next()
            .with_context(|| format!("{authority} has no address"))?;
        if !remote && !address.ip().is_loopback() {
            bail!("{address} is not this machine; give --allow-remote to load another one");
        }
        Ok(Self {
            authority,
            address,
            opened: AtomicU32::new(0),
        })
    }

    /// Whether client and server share one wall clock.
    pub fn same_clock(&self) -> bool {
        self.address.ip().is_loopback()
    }

    /// A TCP connection without delay. Loopback servers are reached from several addresses in turn.
    pub async fn dial(&self) -> Result<TcpStream> {
        let stream = match self.address {
            SocketAddr::V4(address) if address.ip().is_loopback() => {
                let opened = self.opened.fetch_add(1, Ordering::Relaxed);
                let last = 2 + (opened / SOCKETS_PER_ADDRESS) % ADDRESSES;
                let source = IpAddr::V4(Ipv4Addr::new(127, 0, 0, last as u8));
                let socket = TcpSocket::new_v4()?;
                socket.set_reuseaddr(true)?;
                socket.bind(SocketAddr::new(source, 0))?;
                socket.connect(self.address).await
            }
            SocketAddr::V4(_) | SocketAddr::V6(_) => TcpStream::connect(self.address).await,
        };
        let stream = stream.with_context(|| format!("no connection to {}", self.address))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// A WebSocket at `path`, speaking one subprotocol.
    pub async fn upgrade(&self, path: &str, protocol: Option<&str>) -> Result<Socket> {
        let mut request = format!("ws://{}{path}", self.authority).into_client_request()?;
        if let Some(protocol) = protocol {
            request
                .headers_mut()
                .insert(SEC_WEBSOCKET_PROTOCOL, protocol.parse()?);
        }
        let stream = self.dial().await?;
        let upgrade =
            tokio_tungstenite::client_async_with_config(request, stream, Some(settings()));
        let (socket, _) = upgrade.await.context("the upgrade to a WebSocket failed")?;
        Ok(socket)
    }
}

/// What the server said first.
#[derive(Clone, Copy, Debug)]
pub struct Welcome {
    /// The server's wall time less the generator's, in milliseconds.
    pub ahead_ms: f64,
}

/// A session that has said hello.
pub struct Line {
    socket: Socket,
    /// What the server said first.
    pub welcome: Welcome,
}

impl Line {
    /// Opens a session with a token and waits for its welcome.
    pub async fn open(target: &Target, encoding: Encoding, token: &str) -> Result<Self> {
        let socket = target
            .upgrade("/v1/ws", Some(encoding.subprotocol()))
            .await?;
        let mut line = Self {
            socket,
            welcome: Welcome { ahead_ms: 0.0 },
        };
        line.put(encoding.encode(&Hello::new(token))?).await?;
        line.flush().await?;
        let frame = line.next().await?;
        let bytes = crate::wire::payload(&frame).unwrap_or_default();
        let messages = encoding.decode(bytes)?;
        let Some(first) = messages.first().filter(|first| first.kind == Kind::Welcome) else {
            bail!("no welcome to the hello: {frame:?}");
        };
        let ahead_ms = match first.now {
            Some(now) if !target.same_clock() => now as f64 - crate::clock::wall_ms(),
            Some(_) | None => 0.0,
        };
        line.welcome = Welcome { ahead_ms };
        Ok(line)
    }

    /// Puts a frame into the write buffer.
    pub async fn put(&mut self, frame: Message) -> Result<()> {
        Ok(self.socket.feed(frame).await?)
    }

    /// Writes what was put.
    pub async fn flush(&mut self) -> Result<()> {
        Ok(self.socket.flush().await?)
    }

    /// The next data frame. A closed socket is an error that names the server's code.
    pub async fn next(&mut self) -> Result<Message> {
        loop {
            match self.socket.next().await {
                Some(Ok(frame @ (Message::Text(_) | Message::Binary(_)))) => return Ok(frame),
                Some(Ok(Message::Close(Some(close)))) => {
                    bail!(
                        "closed by the server: {} {}",
                        u16::from(close.code),
                        close.reason
                    )
                }
                Some(Ok(Message::Close(None))) | None => bail!("closed by the server"),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(error)) => return Err(error.into()),
            }
        }
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        let _ = self.socket.close(None).await;
    }

    /// Parts into a writer and a reader.
    pub fn split(
        self,
    ) -> (
        futures::stream::SplitSink<Socket, Message>,
        futures::stream::SplitStream<Socket>,
    ) {
        self.socket.split()
    }
}
