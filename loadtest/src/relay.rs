//! The bare relay, the floor under the server's latency: socket in, socket out, nothing decided.
//!
//! It runs in a process of its own, as the server does, with the same library, runtime and socket
//! settings. A socket first says `join N`; then every frame `TTTTTTOOOOOOIIIIIIIIII…` (target,
//! size to send, id) goes to socket T as a frame of O bytes that begins with the id.

use std::io::{Read, Write};
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context, Result, bail};
use futures::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio_tungstenite::accept_async_with_config;
use tokio_tungstenite::tungstenite::Message;

use crate::socket::settings;

/// Bytes of the header of a frame to the relay.
pub const HEADER: usize = 22;
/// Bytes of the id.
pub const ID: usize = 10;
/// Frames a writer takes at once.
const BATCH: usize = 256;

type Sockets = Arc<RwLock<Vec<Option<mpsc::UnboundedSender<Message>>>>>;

/// Runs the relay on so many threads: prints its address, serves until its standard input closes.
pub fn serve(threads: usize) -> Result<()> {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let mut builder = match threads {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    let runtime = builder.worker_threads(threads).enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        std::io::stdout().flush()?;
        accept(listener).await
    })
}

/// Serves a listener for ever.
pub async fn accept(listener: TcpListener) -> Result<()> {
    let sockets = Sockets::default();
    loop {
        let (stream, _) = listener.accept().await?;
        let sockets = sockets.clone();
        tokio::spawn(async move {
            let _ = relay(stream, sockets).await;
        });
    }
}

async fn relay(stream: TcpStream, sockets: Sockets) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut socket = accept_async_with_config(stream, Some(settings())).await?;
    let Some(Ok(join)) = socket.next().await else {
        bail!("a socket that did not join");
    };
    let name = join.to_text()?.strip_prefix("join ").context("no join")?;
    let (sender, mut receiver) = mpsc::unbounded_channel();
    enter(&sockets, name.parse()?, sender);
    socket.send(Message::Text("joined".into())).await?;
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        tokio::select! {
            biased;
            count = receiver.recv_many(&mut batch, BATCH) => {
                if count == 0 {
                    return Ok(());
                }
                for frame in batch.drain(..) {
                    socket.feed(frame).await?;
                }
                socket.flush().await?;
            }
            frame = socket.next() => {
                let Some(frame) = frame else {
                    return Ok(());
                };
                let (target, frame) = turn(&frame?)?;
                let known = sockets.read().unwrap_or_else(PoisonError::into_inner);
                if let Some(Some(target)) = known.get(target) {
                    let _ = target.send(frame);
                }
            }
        }
    }
}

fn enter(sockets: &Sockets, place: usize, sender: mpsc::UnboundedSender<Message>) {
    let mut known = sockets.write().unwrap_or_else(PoisonError::into_inner);
    if known.len() <= place {
        known.resize_with(place + 1, || None);
    }
    known[place] = Some(sender);
}

/// Where a frame goes, and what goes there.
fn turn(frame: &Message) -> Result<(usize, Message)> {
    let (text, bytes) = match frame {
        Message::Text(text) => (true, text.as_bytes()),
        Message::Binary(bytes) => (false, &bytes[..]),
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => {
            bail!("no data")
        }
    };
    let header = std::str::from_utf8(bytes.get(..HEADER).context("a short frame")?)?;
    let (target, size) = (header[..6].parse()?, header[6..12].parse()?);
    let mut out = Vec::with_capacity(size);
    out.extend_from_slice(&bytes[12..HEADER]);
    out.resize(size.max(ID), b'.');
    Ok((target, pack(out, text)))
}

/// A frame to the relay of `size` bytes, for `target` to receive as `out` bytes with `id`.
pub fn frame(target: usize, out: usize, id: u32, size: usize, text: bool) -> Message {
    let mut bytes = format!("{target:06}{out:06}{id:010}").into_bytes();
    bytes.resize(size.max(HEADER), b'.');
    pack(bytes, text)
}

/// The id at the start of a frame from the relay.
pub fn id(frame: &Message) -> Option<u32> {
    let bytes = crate::wire::payload(frame)?;
    std::str::from_utf8(bytes.get(..ID)?).ok()?.parse().ok()
}

/// Text is checked for UTF-8 once on the way in by the library, as the server's would be.
fn pack(bytes: Vec<u8>, text: bool) -> Message {
    match String::from_utf8(bytes) {
        Ok(string) if text => Message::Text(string.into()),
        Ok(string) => Message::Binary(string.into_bytes().into()),
        Err(error) => Message::Binary(error.into_bytes().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_keeps_its_id_and_gets_its_size() {
        for text in [true, false] {
            let (target, out) = turn(&frame(42, 300, 7, 250, text)).unwrap();
            assert_eq!(target, 42);
            assert_eq!(out.len(), 300);
            assert_eq!(out.is_text(), text);
            assert_eq!(id(&out), Some(7));
        }
    }

    #[test]
    fn a_short_frame_is_an_error() {
        assert!(turn(&Message::Text("00".into())).is_err());
    }
}
