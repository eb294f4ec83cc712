//! Submits contacts at their intended times, over WebSocket or HTTP, and hears the answers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use hyper::Method;
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

use crate::clock;
use crate::http::Http;
use crate::plan::{Plan, queue_name};
use crate::promise::Promise;
use crate::room::CHANNELS;
use crate::session::{Run, stopped};
use crate::socket::{Line, Socket};
use crate::wire::{Customer, Kind, Pong, Refusal, Request, Submit, payload};

/// Writers of contacts, in turn.
pub struct Submitter {
    run: Run,
    plan: Arc<Plan>,
    prefix: Arc<str>,
    way: Way,
}

enum Way {
    Sockets { writers: Vec<Writer>, turn: usize },
    Requests(Arc<Pool>),
}

type Sink = Arc<tokio::sync::Mutex<SplitSink<Socket, Message>>>;

struct Writer {
    sink: Sink,
    dirty: bool,
}

/// Idle HTTP connections and requests that found none; at most one of the two is not empty.
#[derive(Default)]
struct Pool(Mutex<(Vec<mpsc::UnboundedSender<Job>>, VecDeque<Job>)>);

struct Job {
    number: u32,
    body: bytes::Bytes,
}

impl Submitter {
    /// Opens `count` sockets of the integration identity.
    pub async fn sockets(
        run: Run,
        plan: Arc<Plan>,
        prefix: Arc<str>,
        token: &str,
        count: usize,
    ) -> Result<Self> {
        let mut writers = Vec::new();
        for _ in 0..count {
            let line = Line::open(&run.target, run.encoding, token).await?;
            let (sink, stream) = line.split();
            let sink = Arc::new(tokio::sync::Mutex::new(sink));
            tokio::spawn(hear(run.clone(), stream, sink.clone()));
            writers.push(Writer { sink, dirty: false });
        }
        let way = Way::Sockets { writers, turn: 0 };
        Ok(Self {
            run,
            plan,
            prefix,
            way,
        })
    }

    /// Opens `count` kept HTTP connections of the integration identity.
    pub async fn requests(
        run: Run,
        plan: Arc<Plan>,
        prefix: Arc<str>,
        token: &str,
        count: usize,
    ) -> Result<Self> {
        let pool = Arc::new(Pool::default());
        for _ in 0..count {
            let http = Http::open(&run.target, Some(token)).await?;
            tokio::spawn(ask(run.clone(), http, pool.clone()));
        }
        let way = Way::Requests(pool);
        Ok(Self {
            run,
            plan,
            prefix,
            way,
        })
    }

    /// Sends one contact, whose number the ledger gave.
    pub async fn send(&mut self, number: u32) -> Result<()> {
        let draw = self.plan.contact(number);
        let queue = queue_name(draw.queue);
        let external_id = format!("{}{number}", self.prefix);
        let customer = format!("customer-{number}");
        let submit = Submit {
            channel: CHANNELS[draw.channel].name,
            queue: &queue,
            external_id: &external_id,
            customer: Customer {
                id: &customer,
                name: "Rosa Example",
            },
        };
        match &mut self.way {
            Way::Sockets { writers, turn } => {
                let id = number.to_string();
                let request = Request::new(&id, "contact.submit", submit);
                let frame = self.run.encoding.encode(&request)?;
                let bytes = payload(&frame).map_or(0, <[u8]>::len);
                self.run.ledger.turn().measures.submit_bytes.add(bytes);
                *turn = (*turn + 1) % writers.len();
                let writer = &mut writers[*turn];
                writer.sink.lock().await.feed(frame).await?;
                writer.dirty = true;
            }
            Way::Requests(pool) => {
                let body = bytes::Bytes::from(serde_json::to_vec(&submit)?);
                self.run.ledger.turn().measures.submit_bytes.add(body.len());
                pool.give(Job { number, body });
            }
        }
        Ok(())
    }

    /// Writes what was sent.
    pub async fn flush(&mut self) -> Result<()> {
        if let Way::Sockets { writers, .. } = &mut self.way {
            for writer in writers.iter_mut().filter(|writer| writer.dirty) {
                writer.sink.lock().await.flush().await?;
                writer.dirty = false;
            }
        }
        Ok(())
    }
}

/// Hears the answers on one socket until it closes.
async fn hear(run: Run, mut stream: SplitStream<Socket>, sink: Sink) {
    let mut stop = run.stop.clone();
    loop {
        let frame = tokio::select! {
            frame = stream.next() => frame,
            () = stopped(&mut stop) => return,
        };
        let heard = match frame {
            Some(Ok(frame)) => answers(&run, &frame, &sink).await,
            Some(Err(error)) => Err(error.into()),
            None => Err(anyhow::anyhow!("closed by the server")),
        };
        if let Err(error) = heard {
            run.ledger
                .turn()
                .broken
                .note(Promise::Served, || format!("submitter: {error:#}"));
            return;
        }
    }
}

async fn answers(run: &Run, frame: &Message, sink: &Sink) -> Result<()> {
    if let Message::Close(close) = frame {
        bail!("closed by the server: {close:?}");
    }
    let Some(bytes) = payload(frame) else {
        return Ok(());
    };
    for message in run.encoding.decode(bytes)? {
        if message.kind == Kind::Ping {
            let pong = Pong::new(message.at.unwrap_or(0), clock::wall_ms() as i64);
            sink.lock().await.send(run.encoding.encode(&pong)?).await?;
        }
        if message.kind != Kind::Reply {
            continue;
        }
        let number = message.id.as_deref().unwrap_or_default().parse();
        let number: u32 = number.context("a reply to nothing that was asked")?;
        let result = message.result.as_ref();
        let mut ledger = run.ledger.turn();
        match (
            result.and_then(|result| result.contact.as_deref()),
            &message.error,
        ) {
            (Some(contact), None) => {
                let first_entry = result.and_then(|result| result.first_entry);
                ledger.acknowledged(number, contact, first_entry, clock::now());
            }
            (_, Some(error)) => refused(&mut ledger, number, &error.code, &error.message),
            (None, None) => bail!("a reply to {number} without contact and error"),
        }
    }
    Ok(())
}

/// A refusal for load is the server's right, any other is not.
fn refused(ledger: &mut crate::ledger::Ledger, number: u32, code: &str, message: &str) {
    ledger.refused(number);
    if !matches!(code, "busy" | "rate_limited" | "unavailable" | "queue_full") {
        ledger.broken.note(Promise::Served, || {
            format!("contact {number} was refused: {code} {message}")
        });
    }
}

#[derive(Deserialize)]
struct Taken {
    contact: String,
    first_entry: Option<i64>,
}

/// Serves jobs on one connection, one at a time, until it closes.
async fn ask(run: Run, mut http: Http, pool: Arc<Pool>) {
    let (idle, mut jobs) = mpsc::unbounded_channel();
    let mut stop = run.stop.clone();
    loop {
        let job = match pool.take(&idle) {
            Some(job) => job,
            None => tokio::select! {
                job = jobs.recv() => match job {
                    Some(job) => job,
                    None => return,
                },
                () = stopped(&mut stop) => return,
            },
        };
        if let Err(error) = post(&run, &mut http, job).await {
            run.ledger
                .turn()
                .broken
                .note(Promise::Served, || format!("submitter: {error:#}"));
            return;
        }
    }
}

async fn post(run: &Run, http: &mut Http, job: Job) -> Result<()> {
    let (status, body) = http.ask(Method::POST, "/v1/contacts", job.body).await?;
    let mut ledger = run.ledger.turn();
    if status.is_success() {
        let taken: Taken = serde_json::from_slice(&body).with_context(|| {
            format!("answer not understood: {}", String::from_utf8_lossy(&body))
        })?;
        ledger.acknowledged(job.number, &taken.contact, taken.first_entry, clock::now());
    } else {
        let problem = serde_json::from_slice(&body).unwrap_or(Refusal {
            code: status.to_string(),
            message: String::from_utf8_lossy(&body).into_owned(),
        });
        refused(&mut ledger, job.number, &problem.code, &problem.message);
    }
    Ok(())
}

impl Pool {
    fn give(&self, job: Job) {
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut job = job;
        while let Some(idle) = pool.0.pop() {
            match idle.send(job) {
                Ok(()) => return,
                Err(gone) => job = gone.0,
            }
        }
        pool.1.push_back(job);
    }

    fn take(&self, idle: &mpsc::UnboundedSender<Job>) -> Option<Job> {
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let job = pool.1.pop_front();
        if job.is_none() {
            pool.0.push(idle.clone());
        }
        job
    }
}
