//! One client's life on a socket: hello, messages in, messages out, waits, goodbye.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::Message;

use crate::clock;
use crate::ledger::Shared;
use crate::promise::Promise;
use crate::socket::{Line, Target, Welcome};
use crate::wire::{Encoding, Incoming, Kind, Place, Pong, payload};

/// What all clients of a run share.
#[derive(Clone)]
pub struct Run {
    /// The server.
    pub target: Arc<Target>,
    /// How sockets speak.
    pub encoding: Encoding,
    /// What is known.
    pub ledger: Arc<Shared>,
    /// Becomes true when the clients are to go.
    pub stop: watch::Receiver<bool>,
    /// Takes one message per client that is ready, or why it never will be.
    pub ready: mpsc::UnboundedSender<Result<(), String>>,
}

/// Messages on their way out.
pub struct Out {
    encoding: Encoding,
    frames: Vec<Message>,
}

impl Out {
    /// Adds one message.
    pub fn say<T: serde::Serialize>(&mut self, message: &T) -> Result<()> {
        self.frames.push(self.encoding.encode(message)?);
        Ok(())
    }
}

/// A client: what it says first, what it answers, what it does by the clock.
pub trait Client: Send {
    /// Who it is, for errors.
    fn name(&self) -> &str;
    /// The socket is open.
    fn start(&mut self, welcome: Welcome, out: &mut Out) -> Result<()>;
    /// A message came at `at`.
    fn take(
        &mut self,
        message: &Incoming<'_>,
        at: Instant,
        place: Place<'_>,
        out: &mut Out,
    ) -> Result<()>;
    /// When it wants to act next.
    fn due(&self) -> Option<Instant> {
        None
    }
    /// It is time to act.
    fn act(&mut self, now: Instant, out: &mut Out) -> Result<()> {
        let _ = (now, out);
        Ok(())
    }
    /// The run is over and the socket is about to close.
    fn end(&mut self) {}
}

/// Lives a client to its end. A failure is a broken promise, and no `ready` if it comes before.
pub async fn live<C: Client>(run: Run, token: String, mut client: C) {
    if let Err(error) = talk(&run, &token, &mut client).await {
        let text = format!("{}: {error:#}", client.name());
        run.ledger
            .turn()
            .broken
            .note(Promise::Served, || text.clone());
        let _ = run.ready.send(Err(text));
    }
}

async fn talk<C: Client>(run: &Run, token: &str, client: &mut C) -> Result<()> {
    let mut line = Line::open(&run.target, run.encoding, token).await?;
    let mut stop = run.stop.clone();
    let mut out = Out {
        encoding: run.encoding,
        frames: Vec::new(),
    };
    client.start(line.welcome, &mut out)?;
    loop {
        if !out.frames.is_empty() {
            for frame in out.frames.drain(..) {
                line.put(frame).await?;
            }
            line.flush().await?;
        }
        let due = client.due();
        tokio::select! {
            biased;
            frame = line.next() => {
                let at = clock::now();
                listen(client, run.encoding, &frame?, at, &mut out)?;
            }
            () = until(due) => client.act(clock::now(), &mut out)?,
            () = stopped(&mut stop) => {
                client.end();
                line.close().await;
                return Ok(());
            }
        }
    }
}

fn listen<C: Client>(
    client: &mut C,
    encoding: Encoding,
    frame: &Message,
    at: Instant,
    out: &mut Out,
) -> Result<()> {
    let frame = payload(frame).context("a frame without a payload")?;
    for (index, message) in encoding.decode(frame)?.into_iter().enumerate() {
        match message.kind {
            Kind::Ping => out.say(&Pong::new(message.at.unwrap_or(0), clock::wall_ms() as i64))?,
            Kind::Welcome
            | Kind::Reply
            | Kind::Event
            | Kind::Entered
            | Kind::Left
            | Kind::Snapshot
            | Kind::Update
            | Kind::Reset
            | Kind::Goaway => {
                let place = Place {
                    encoding,
                    frame,
                    index,
                };
                client.take(&message, at, place, out)?;
            }
            Kind::Other => {}
        }
    }
    Ok(())
}

/// Waits until the run is over.
pub async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => clock::pause_until(due).await,
        None => std::future::pending().await,
    }
}
