//! One WebSocket: its settings in one place, messages in, frames out.
//!
//! Reading goes through tungstenite, which checks masks, fragments, text and sizes; it never
//! writes here. Frames out are only framed by its header, so that a payload that many sockets
//! share is encoded once and copied nowhere but into the small buffer of one write.

use crate::limits;
use bytes::Bytes;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::error::{CapacityError, Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::frame::coding::{
    CloseCode as WebSocketCode, Control, Data, OpCode,
};
use tokio_tungstenite::tungstenite::protocol::frame::{FrameHeader, Utf8Bytes};
use tokio_tungstenite::tungstenite::protocol::{
    CloseFrame, Message, Role, WebSocketConfig, WebSocketContext,
};

/// Bytes read at once. The library's default, 128 KiB, is filled with zeros before every read.
/// Every socket keeps so much; what people's clients send is smaller.
const READ_BUFFER: usize = 1_024;
/// A write carries frames up to about so many bytes; one larger frame is a write of its own.
const WRITE_CHUNK: usize = 16 * 1_024;
/// The library writes only answers to pings and closes, which are never so long.
const WRITE_LEAST: usize = 1_024;
/// Send buffer in the kernel for everybody but connectors. The default swallows megabytes
/// before anybody notices that a reader has stopped.
const SEND_BUFFER: usize = 64 * 1_024;

/// The settings of every WebSocket of this server; `frame` is the largest inbound message.
fn settings(frame: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_LEAST)
        .max_message_size(Some(frame))
        .max_frame_size(Some(frame))
}

/// Settings of the TCP socket beneath. A connector's send buffer stays with the kernel, which
/// sizes it for throughput.
///
/// # Errors
/// When the kernel refuses a setting; the socket still works.
pub fn tune(stream: &tokio::net::TcpStream, connector: bool) -> io::Result<()> {
    stream.set_nodelay(true)?;
    if !connector {
        socket2::SockRef::from(stream).set_send_buffer_size(SEND_BUFFER)?;
    }
    Ok(())
}

/// What came in.
#[derive(Debug)]
pub enum Received {
    /// A text message, valid UTF-8.
    Text(Utf8Bytes),
    /// A binary message.
    Binary(Bytes),
    /// A ping of the WebSocket itself; its payload goes back in a pong.
    Ping(Bytes),
    /// A pong of the WebSocket itself.
    Pong,
}

/// Why nothing more comes in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// The connection broke.
    Gone,
    /// The other side closes, with this code if any.
    Closed(Option<u16>),
    /// A message over the limit.
    TooLarge,
    /// Not a WebSocket frame, or text that is not UTF-8.
    BadFrame,
}

/// The reading half.
#[derive(Debug)]
pub struct Incoming<R> {
    io: R,
    socket: WebSocketContext,
}

impl<R: AsyncRead + Unpin> Incoming<R> {
    /// Reads from `io`, beginning with what the upgrade had already read.
    pub fn new(io: R, already: &[u8]) -> Self {
        let config = Some(settings(limits::FRAME_BYTES));
        Self {
            io,
            socket: WebSocketContext::from_partially_read(already.to_vec(), Role::Server, config),
        }
    }

    /// Allows messages of a connector's size from now on.
    pub fn allow_connector(&mut self) {
        self.socket
            .set_config(|config| *config = settings(limits::FRAME_BYTES_CONNECTOR));
    }

    /// The next message. Cancel safe.
    ///
    /// # Errors
    /// When nothing more can be read.
    pub async fn next(&mut self) -> Result<Received, Ended> {
        loop {
            let read = poll_fn(|cx| {
                let mut stream = Polled {
                    io: &mut self.io,
                    cx,
                };
                match self.socket.read(&mut stream) {
                    Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => Poll::Pending,
                    done => Poll::Ready(done),
                }
            })
            .await;
            match read {
                Ok(Message::Text(text)) => return Ok(Received::Text(text)),
                Ok(Message::Binary(bytes)) => return Ok(Received::Binary(bytes)),
                Ok(Message::Ping(payload)) => return Ok(Received::Ping(payload)),
                Ok(Message::Pong(_)) => return Ok(Received::Pong),
                Ok(Message::Close(close)) => return Err(Ended::Closed(close.map(echo))),
                Ok(Message::Frame(_)) => {}
                Err(error) => return Err(ended(&error)),
            }
        }
    }

    /// Reads and drops until the other side is gone, so that a close frame on its way out is
    /// not overtaken by a reset.
    pub async fn drain(&mut self) {
        let mut scrap = [0; 512];
        loop {
            let read = poll_fn(|cx| {
                let mut buffer = ReadBuf::new(&mut scrap);
                ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
                Poll::Ready(io::Result::Ok(buffer.filled().len()))
            })
            .await;
            if !matches!(read, Ok(1..)) {
                return;
            }
        }
    }
}

/// The code that answers a close: the same, unless it may not stand in a close frame.
fn echo(close: CloseFrame) -> u16 {
    if close.code.is_allowed() {
        close.code.into()
    } else {
        WebSocketCode::Protocol.into()
    }
}

/// What an error of the library means here.
fn ended(error: &Error) -> Ended {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. } | CapacityError::TooManyHeaders) => {
            Ended::TooLarge
        }
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)
        | Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Io(_)
        | Error::Tls(_)
        | Error::WriteBufferFull(_)
        | Error::Url(_)
        | Error::Http(_)
        | Error::HttpFormat(_) => Ended::Gone,
        Error::Protocol(_) | Error::Utf8(_) | Error::AttackAttempt => Ended::BadFrame,
    }
}

/// The stream as tungstenite wants it while a task polls: reads register the task, writes go
/// nowhere, because the writer answers pings and closes itself.
struct Polled<'a, 'b, R> {
    io: &'a mut R,
    cx: &'a mut Context<'b>,
}

impl<R: AsyncRead + Unpin> io::Read for Polled<'_, '_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut buffer = ReadBuf::new(into);
        match Pin::new(&mut *self.io).poll_read(self.cx, &mut buffer) {
            Poll::Ready(read) => read.map(|()| buffer.filled().len()),
            Poll::Pending => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

impl<R> io::Write for Polled<'_, '_, R> {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        Ok(from.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Kinds of frames that go out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A JSON message.
    Text,
    /// A MessagePack message.
    Binary,
    /// The answer to a ping of the WebSocket itself.
    Pong,
    /// The last frame.
    Close,
}

impl From<Kind> for OpCode {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Data(Data::Text),
            Kind::Binary => Self::Data(Data::Binary),
            Kind::Pong => Self::Control(Control::Pong),
            Kind::Close => Self::Control(Control::Close),
        }
    }
}

/// The writing half.
#[derive(Debug)]
pub struct Outgoing<W> {
    io: W,
    buffer: Vec<u8>,
    sent: usize,
}

impl<W: AsyncWrite + Unpin> Outgoing<W> {
    /// Writes to `io`.
    pub fn new(io: W) -> Self {
        Self {
            io,
            buffer: Vec::new(),
            sent: 0,
        }
    }

    /// The half beneath.
    pub fn io(&self) -> &W {
        &self.io
    }

    /// Whether another frame fits into the write at hand.
    pub fn has_room(&self) -> bool {
        self.buffer.len() < WRITE_CHUNK
    }

    /// Whether everything put was written.
    pub fn is_clear(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Puts a frame behind those not yet written.
    pub fn put(&mut self, kind: Kind, payload: &[u8]) {
        let header = FrameHeader {
            opcode: kind.into(),
            ..FrameHeader::default()
        };
        let length = payload.len() as u64;
        self.buffer.reserve(header.len(length) + payload.len());
        // Writing to memory cannot fail, and a server's frame has no mask to fail on.
        if header.format(length, &mut self.buffer).is_ok() {
            self.buffer.extend_from_slice(payload);
        }
    }

    /// Puts a close frame with its code and reason; without a code it has neither.
    pub fn put_close(&mut self, code: Option<u16>, reason: &str) {
        let payload = code.map_or_else(Vec::new, |code| {
            [&code.to_be_bytes(), reason.as_bytes()].concat()
        });
        self.put(Kind::Close, &payload);
    }

    /// Writes what was put. Ready when all of it went out; each call that gets anywhere says so
    /// in `progress`.
    pub fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        progress: &mut bool,
    ) -> Poll<io::Result<()>> {
        while self.sent < self.buffer.len() {
            let written = ready!(Pin::new(&mut self.io).poll_write(cx, &self.buffer[self.sent..]))?;
            if written == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            *progress = true;
            self.sent += written;
        }
        self.sent = 0;
        // An idle socket keeps no buffer.
        self.buffer = Vec::new();
        Poll::Ready(Ok(()))
    }

    /// Tells the other side that nothing more comes.
    pub async fn shut(&mut self) {
        // The other side may be gone already, which is what is wanted.
        let _ = poll_fn(|cx| Pin::new(&mut self.io).poll_shutdown(cx)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncWriteExt, DuplexStream, duplex};

    /// A masked frame as a client sends it.
    fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![0x80 | opcode];
        match payload.len() {
            short @ 0..126 => frame.push(0x80 | u8::try_from(short).unwrap()),
            long @ 126..65_536 => {
                frame.push(0x80 | 126);
                frame.extend(u16::try_from(long).unwrap().to_be_bytes());
            }
            huge => {
                frame.push(0x80 | 127);
                frame.extend((huge as u64).to_be_bytes());
            }
        }
        let mask = [1, 2, 3, 4];
        frame.extend(mask);
        frame.extend(
            payload
                .iter()
                .zip(mask.iter().cycle())
                .map(|(byte, mask)| byte ^ mask),
        );
        frame
    }

    async fn read(frames: &[Vec<u8>]) -> (Incoming<DuplexStream>, DuplexStream) {
        let (mut client, server) = duplex(1 << 20);
        for frame in frames {
            client.write_all(frame).await.unwrap();
        }
        (Incoming::new(server, &[]), client)
    }

    #[test]
    fn the_settings_are_the_measured_ones() {
        let config = settings(limits::FRAME_BYTES);
        assert_eq!(config.read_buffer_size, 1_024);
        assert_eq!(config.write_buffer_size, 0);
        assert!(config.max_write_buffer_size <= 4_096);
        assert_eq!(config.max_message_size, Some(65_536));
        assert_eq!(config.max_frame_size, Some(65_536));
        assert!(!config.accept_unmasked_frames);
    }

    #[tokio::test]
    async fn the_tcp_socket_is_tuned_and_a_connectors_keeps_its_send_buffer() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let connect = tokio::net::TcpStream::connect(listener.local_addr().unwrap());
        let (agent, accepted) = tokio::join!(connect, listener.accept());
        let (agent, connector) = (agent.unwrap(), accepted.unwrap().0);
        let untouched = socket2::SockRef::from(&connector)
            .send_buffer_size()
            .unwrap();
        tune(&agent, false).unwrap();
        tune(&connector, true).unwrap();
        assert!(agent.nodelay().unwrap() && connector.nodelay().unwrap());
        // Linux counts its own bookkeeping and doubles what was asked for.
        assert_eq!(
            socket2::SockRef::from(&agent).send_buffer_size().unwrap(),
            2 * SEND_BUFFER
        );
        assert_eq!(
            socket2::SockRef::from(&connector)
                .send_buffer_size()
                .unwrap(),
            untouched
        );
    }

    #[tokio::test]
    async fn messages_come_in_whole_and_pings_are_shown() {
        let (mut incoming, _client) =
            read(&[masked(1, b"one"), masked(9, b"p"), masked(2, b"two")]).await;
        assert!(matches!(incoming.next().await, Ok(Received::Text(text)) if text == "one"));
        assert!(matches!(incoming.next().await, Ok(Received::Ping(payload)) if payload == "p"));
        assert!(matches!(incoming.next().await, Ok(Received::Binary(bytes)) if bytes == "two"));
    }

    #[tokio::test]
    async fn a_message_over_the_limit_ends_it_unless_a_connector_sends_it() {
        let large = vec![b'x'; limits::FRAME_BYTES + 1];
        let (mut incoming, _client) = read(&[masked(1, &large)]).await;
        assert_eq!(incoming.next().await.unwrap_err(), Ended::TooLarge);

        let (mut incoming, _client) = read(&[masked(1, &large)]).await;
        incoming.allow_connector();
        assert!(
            matches!(incoming.next().await, Ok(Received::Text(text)) if text.len() == large.len())
        );
    }

    #[tokio::test]
    async fn what_is_no_frame_or_no_text_ends_it() {
        for bad in [
            masked(1, &[0xff, 0xfe]),
            masked(3, b"unknown opcode"),
            vec![0x81, 0x01, b'x'],
            vec![0xf1, 0x81, 0, 0, 0, 0, b'x'],
        ] {
            let (mut incoming, _client) = read(&[bad]).await;
            assert_eq!(incoming.next().await.unwrap_err(), Ended::BadFrame);
        }
    }

    #[tokio::test]
    async fn a_close_and_a_broken_connection_are_the_end() {
        // 1005 may not stand in a close frame.
        let closes = [
            (Some(1000), Some(1000)),
            (Some(1005), Some(1002)),
            (None, None),
        ];
        for (code, answer) in closes {
            let payload = code.map_or_else(Vec::new, |code: u16| code.to_be_bytes().to_vec());
            let (mut incoming, _client) = read(&[masked(8, &payload)]).await;
            assert_eq!(incoming.next().await.unwrap_err(), Ended::Closed(answer));
        }
        let (mut incoming, client) = read(&[]).await;
        drop(client);
        assert_eq!(incoming.next().await.unwrap_err(), Ended::Gone);
    }

    #[tokio::test]
    async fn many_frames_are_one_write_and_the_buffer_is_given_back() {
        let (client, server) = duplex(1 << 20);
        let mut outgoing = Outgoing::new(client);
        for _ in 0..20 {
            outgoing.put(Kind::Text, &[b'x'; 300]);
        }
        let mut progress = false;
        poll_fn(|cx| outgoing.poll_write(cx, &mut progress))
            .await
            .unwrap();
        assert!(progress && outgoing.is_clear());
        assert_eq!(outgoing.buffer.capacity(), 0);
        drop(outgoing);

        let mut peer = WebSocketContext::new(Role::Client, None);
        let mut bytes = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(&mut { server }, &mut bytes)
            .await
            .unwrap();
        let mut stream = std::io::Cursor::new(bytes);
        for _ in 0..20 {
            assert_eq!(
                peer.read(&mut stream).unwrap(),
                Message::text("x".repeat(300))
            );
        }
    }

    #[tokio::test]
    async fn a_reader_that_has_stopped_shows_as_no_progress() {
        let (client, _server) = duplex(64);
        let mut outgoing = Outgoing::new(client);
        outgoing.put(Kind::Text, &[b'x'; 300]);
        let mut progress = false;
        let mut poll = |progress: &mut bool| {
            let mut cx = Context::from_waker(std::task::Waker::noop());
            outgoing.poll_write(&mut cx, progress).is_pending()
        };
        assert!(poll(&mut progress));
        assert!(progress);
        progress = false;
        assert!(poll(&mut progress));
        assert!(!progress);
    }
}
