//! Measures the bare relay in slices that alternate with the load.

use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::{SinkExt, StreamExt};
use hdrhistogram::Histogram;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio_tungstenite::tungstenite::Message;

use crate::clock::{self, Alarm};
use crate::measure::histogram;
use crate::plan::Arrivals;
use crate::relay;
use crate::socket::{Socket, Target};

/// Frames that have not come back by then are lost, which a relay does not do.
const COMES_BACK: Duration = Duration::from_secs(5);

/// What a slice of the relay is run with.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Frames a second.
    pub rate: f64,
    /// Length of the slice that is measured.
    pub span: Duration,
    /// Length before it that is not.
    pub ramp: Duration,
    /// Bytes of a frame in.
    pub bytes_in: usize,
    /// Bytes of a frame out.
    pub bytes_out: usize,
    /// Seed of the gaps and targets.
    pub seed: u64,
}

/// The sockets of a relay: as many as the load has.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Sockets that get frames.
    pub receivers: usize,
    /// Sockets that get none.
    pub idle: usize,
    /// Sockets that send.
    pub submitters: usize,
    /// Whether frames are text.
    pub text: bool,
    /// Threads of the relay's runtime.
    pub threads: usize,
}

/// What a slice of the relay took, in nanoseconds.
#[derive(Debug)]
pub struct Took {
    /// Intended send to receipt.
    pub times: Histogram<u32>,
    /// Intended to actual send.
    pub lag: Histogram<u32>,
}

/// The relay's process and the sockets to it.
pub struct Floor {
    _child: Child,
    submitters: Vec<Socket>,
    receivers: usize,
    text: bool,
    slice: Arc<Mutex<Slice>>,
}

/// Frames of the slice that runs: intended times by id, and when they came.
struct Slice {
    intended: Vec<Instant>,
    measured_from: usize,
    came: usize,
    times: Histogram<u32>,
}

impl Floor {
    /// Starts the relay and opens the sockets.
    pub async fn start(shape: Shape) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("relay")
            .arg(shape.threads.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("the relay did not start")?;
        let stdout = child.stdout.take().context("the relay has no output")?;
        let address = BufReader::new(stdout).lines().next_line().await?;
        let address = address.context("the relay ended at once")?;
        let target = Target::resolve(&address, false).await?;
        let slice = Arc::new(Mutex::new(Slice::empty()));
        let quiet = shape.receivers + shape.idle;
        for place in 0..quiet {
            let socket = join(&target, place).await?;
            tokio::spawn(receive(socket, slice.clone()));
        }
        let mut senders = Vec::new();
        for place in 0..shape.submitters {
            senders.push(join(&target, quiet + place).await?);
        }
        Ok(Self {
            _child: child,
            submitters: senders,
            receivers: shape.receivers,
            text: shape.text,
            slice,
        })
    }

    /// Runs one slice.
    pub async fn slice(&mut self, load: Load) -> Result<Took> {
        *self.turn() = Slice::empty();
        let alarm = Alarm::new()?;
        let mut arrivals = Arrivals::new(load.seed, load.rate);
        let mut chance = StdRng::seed_from_u64(load.seed);
        let origin = clock::now();
        let mut at = origin + arrivals.gap();
        let mut lag = histogram();
        let mut id = 0;
        while at < origin + load.ramp + load.span {
            alarm.wait(at).await?;
            {
                let mut slice = self.turn();
                slice.intended.push(at);
                if at < origin + load.ramp {
                    slice.measured_from = slice.intended.len();
                }
            }
            let target = chance.random_range(0..self.receivers);
            let frame = relay::frame(target, load.bytes_out, id, load.bytes_in, self.text);
            let place = id as usize % self.submitters.len();
            lag.saturating_record(clock::nanos(at, clock::now()));
            self.submitters[place].send(frame).await?;
            id += 1;
            at += arrivals.gap();
        }
        let times = self.settle(id as usize).await?;
        Ok(Took { times, lag })
    }

    async fn settle(&self, sent: usize) -> Result<Histogram<u32>> {
        let until = clock::now() + COMES_BACK;
        while self.turn().came < sent {
            if clock::now() > until {
                bail!(
                    "the relay lost {} of {sent} frames",
                    sent - self.turn().came
                );
            }
            clock::pause(Duration::from_millis(5)).await;
        }
        Ok(self.turn().times.clone())
    }

    fn turn(&self) -> std::sync::MutexGuard<'_, Slice> {
        self.slice.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slice {
    fn empty() -> Self {
        Self {
            intended: Vec::new(),
            measured_from: 0,
            came: 0,
            times: histogram(),
        }
    }

    fn came(&mut self, id: u32, at: Instant) {
        let id = id as usize;
        self.came += 1;
        if let Some(intended) = self.intended.get(id).filter(|_| id >= self.measured_from) {
            self.times.saturating_record(clock::nanos(*intended, at));
        }
    }
}

async fn join(target: &Target, place: usize) -> Result<Socket> {
    let mut socket = target.upgrade("/", None).await?;
    socket
        .send(Message::Text(format!("join {place}").into()))
        .await?;
    match socket.next().await {
        Some(Ok(_)) => Ok(socket),
        Some(Err(error)) => Err(error.into()),
        None => bail!("the relay closed socket {place}"),
    }
}

async fn receive(mut socket: Socket, slice: Arc<Mutex<Slice>>) {
    while let Some(Ok(frame)) = socket.next().await {
        let at = clock::now();
        if let Some(id) = relay::id(&frame) {
            slice
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .came(id, at);
        }
    }
}
