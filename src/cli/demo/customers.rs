//! Simulated customers and the connector they come over: calls and chats by WebSocket, emails
//! and texts by HTTP; in waves like a day; some hang up.

use super::centre::{OWN_CONNECTOR, QUEUES};
use super::chance::Chance;
use super::line::{Cut, Line};
use super::tally::CHANNELS;
use super::{Failure, Stage};
use bytes::Bytes;
use http::{Request, header};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::Instant;

/// A day of the demo.
const DAY: Duration = Duration::from_secs(120);

/// Contacts per second of each channel, on average over a day.
const RATES: [f64; 4] = [0.9, 1.0, 0.7, 0.8];

/// What will happen to a contact that the customer has in hand, or at the connector.
enum Plan {
    Arrive(usize),
    Abandon(String),
    HangUp(String),
    Report(String, &'static str),
}

struct World {
    stage: Arc<Stage>,
    line: Line,
    posts: SendRequest<String>,
    token: String,
    chance: Chance,
    plans: BTreeMap<(Instant, u64), Plan>,
    planned: u64,
    submitted: u64,
    began: Instant,
    /// Channel of each live contact, and whether it was answered.
    contacts: BTreeMap<String, (String, bool)>,
    /// Submits under way on the socket, with their channel.
    asked: BTreeMap<String, String>,
}

/// Lets customers come until the demo stops.
pub(super) async fn begin(stage: &Arc<Stage>, chance: Chance) -> Result<(), Failure> {
    let failed = |error: Cut| Failure::Unknown(format!("the demo's connector: {error}"));
    let mut line = stage.open(OWN_CONNECTOR).await?;
    line.subscribe("connector").await.map_err(failed)?;
    let posts = http_line(stage).await.map_err(failed)?;
    let mut world = World {
        stage: Arc::clone(stage),
        token: stage.token(OWN_CONNECTOR)?,
        line,
        posts,
        chance,
        plans: BTreeMap::new(),
        planned: 0,
        submitted: 0,
        began: Instant::now(),
        contacts: BTreeMap::new(),
        asked: BTreeMap::new(),
    };
    for channel in 0..CHANNELS.len() {
        world.plan(Duration::from_millis(50), Plan::Arrive(channel));
    }
    stage.people.spawn(async move {
        if let Err(cut) = world.turn().await {
            tracing::warn!(%cut, "the connector of the demo is gone");
        }
    });
    Ok(())
}

async fn http_line(stage: &Arc<Stage>) -> Result<SendRequest<String>, Cut> {
    let stream = TcpStream::connect(stage.address).await?;
    let (posts, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| Cut::Closed(error.to_string()))?;
    stage.people.spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "the demo's HTTP connection ended");
        }
    });
    Ok(posts)
}

impl World {
    async fn turn(mut self) -> Result<(), Cut> {
        let stop = self.stage.stop.clone();
        loop {
            let next = self.plans.first_key_value().map(|((at, _), _)| *at);
            let due = async {
                match next {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = due => self.act().await?,
                message = self.line.next() => self.hear(&message?),
            }
        }
    }

    fn plan(&mut self, after: Duration, plan: Plan) {
        self.planned += 1;
        self.plans
            .insert((Instant::now() + after, self.planned), plan);
    }

    async fn act(&mut self) -> Result<(), Cut> {
        let Some((_, plan)) = self.plans.pop_first() else {
            return Ok(());
        };
        match plan {
            Plan::Arrive(place) => self.arrive(place).await,
            Plan::Abandon(contact) => self.give_up(contact).await,
            Plan::HangUp(contact) => self.say("contact.end", json!({ "contact": contact })).await,
            Plan::Report(command, result) => {
                let report = json!({ "command": command, "result": result });
                self.say("media.report", report).await
            }
        }
    }

    async fn say(&mut self, method: &str, params: Value) -> Result<(), Cut> {
        self.line.ask(method, params).await.map(|_| ())
    }

    /// A customer comes, and the next one of the channel is drawn: more at the day's noon.
    async fn arrive(&mut self, place: usize) -> Result<(), Cut> {
        let channel = CHANNELS.get(place).copied().unwrap_or("chat");
        let day = self.began.elapsed().as_secs_f64() / DAY.as_secs_f64();
        let wave = 1.0 - 0.7 * ((day + 0.25) * TAU).cos();
        let rate = RATES.get(place).copied().unwrap_or(1.0) * wave;
        let next = self.chance.about(1_000.0 / rate);
        self.plan(next, Plan::Arrive(place));
        let contact = self.contact(channel);
        if matches!(channel, "voice" | "chat") {
            let id = self.line.ask("contact.submit", contact).await?;
            self.asked.insert(id, channel.to_owned());
            return Ok(());
        }
        let answer = self.post(contact).await?;
        if let Some(contact) = answer["contact"].as_str() {
            self.submitted(contact.to_owned(), channel);
        }
        Ok(())
    }

    fn contact(&mut self, channel: &str) -> Value {
        let queues: Vec<&str> = QUEUES
            .iter()
            .filter(|(_, _, channels)| channels.contains(&channel))
            .map(|(name, _, _)| *name)
            .collect();
        self.submitted += 1;
        let number = self.submitted;
        let mut contact = json!({
            "channel": channel,
            "queue": self.chance.one_of(&queues),
            "external_id": format!("demo-{number}"),
            "customer": { "id": format!("c-{}", number % 500), "name": format!("Customer {number}") },
            "attributes": { "topic": self.chance.one_of(&["order", "invoice", "delivery"]) },
        });
        if self.chance.happens(0.15) {
            contact["requirement"] = json!("skill(\"spanish\") >= 3");
        }
        if self.chance.happens(0.1) {
            contact["priority"] = json!(2);
        }
        contact
    }

    async fn post(&mut self, contact: Value) -> Result<Value, Cut> {
        let failed = |error: &dyn std::error::Error| Cut::Closed(error.to_string());
        let request = Request::post("/v1/contacts")
            .header(header::HOST, self.stage.address.to_string())
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::CONTENT_TYPE, "application/json")
            .body(contact.to_string())
            .map_err(|error| failed(&error))?;
        self.posts.ready().await.map_err(|error| failed(&error))?;
        let response = self
            .posts
            .send_request(request)
            .await
            .map_err(|error| failed(&error))?;
        let body: Bytes = axum::body::to_bytes(axum::body::Body::new(response.into_body()), 65_536)
            .await
            .map_err(|error| failed(&error))?;
        serde_json::from_slice(&body).map_err(|error| failed(&error))
    }

    fn submitted(&mut self, contact: String, channel: &str) {
        self.stage.tally.submitted(channel);
        let patience = match channel {
            "voice" => Some(self.chance.about(25_000.0)),
            "chat" => Some(self.chance.about(60_000.0)),
            _ => None,
        };
        if let Some(patience) = patience {
            self.plan(patience, Plan::Abandon(contact.clone()));
        }
        self.contacts
            .entry(contact)
            .or_insert((channel.to_owned(), false));
    }

    async fn give_up(&mut self, contact: String) -> Result<(), Cut> {
        let waiting = self
            .contacts
            .get(&contact)
            .is_some_and(|(_, answered)| !answered);
        if waiting {
            self.say("contact.abandon", json!({ "contact": contact }))
                .await?;
        }
        Ok(())
    }

    fn hear(&mut self, message: &Value) {
        if message["type"] == "reply" {
            let id = message["id"].as_str().unwrap_or_default();
            if let Some(channel) = self.asked.remove(id)
                && let Some(contact) = message["result"]["contact"].as_str()
            {
                self.submitted(contact.to_owned(), &channel);
            }
            return;
        }
        let data = &message["data"];
        let contact = data["contact"]
            .as_str()
            .or(message["key"].as_str())
            .unwrap_or_default()
            .to_owned();
        match message["event"].as_str().unwrap_or_default() {
            "leg.connected" => self.answered(contact),
            "contact.closed" => {
                let reason = data["reason"].as_str().unwrap_or_default();
                if let Some((channel, _)) = self.contacts.remove(&contact) {
                    self.stage.tally.closed(&channel, reason);
                }
            }
            "media.connect" => {
                let command = data["command"].as_str().unwrap_or_default().to_owned();
                let after = self.chance.between(80, 500);
                let result = if self.chance.happens(0.02) {
                    "failed"
                } else {
                    "connected"
                };
                self.plan(after, Plan::Report(command, result));
            }
            "media.disconnect" => {
                let command = data["command"].as_str().unwrap_or_default().to_owned();
                self.plan(Duration::from_millis(20), Plan::Report(command, "done"));
            }
            _ => {}
        }
    }

    fn answered(&mut self, contact: String) {
        let Some((channel, answered)) = self.contacts.get_mut(&contact) else {
            return;
        };
        if !*answered {
            *answered = true;
            let channel = channel.clone();
            self.stage.tally.answered(&channel);
        }
        if self.chance.happens(0.2) {
            let after = self.chance.between(2_000, 10_000);
            self.plan(after, Plan::HangUp(contact));
        }
    }
}
