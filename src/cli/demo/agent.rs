//! A simulated agent: thinks before accepting, misses some, works, wraps up, takes breaks.

use super::chance::Chance;
use super::line::{Cut, Line};
use super::{Failure, Stage};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What an agent will do, and when.
enum Plan {
    Accept(String),
    Decline(String),
    End(String),
    WrapUp(String),
    ComeBack,
}

struct Agent {
    stage: Arc<Stage>,
    line: Line,
    chance: Chance,
    plans: BTreeMap<(Instant, u64), Plan>,
    planned: u64,
    /// Channel of each offer in hand.
    offers: BTreeMap<String, String>,
}

/// Signs an agent in and lets it work until the demo stops.
pub(super) async fn arrive(stage: &Arc<Stage>, name: &str, chance: Chance) -> Result<(), Failure> {
    let mut line = stage.open(name).await?;
    line.call("agent.sign_in", json!({}))
        .await
        .map_err(|error| Failure::Unknown(format!("{name} of the demo: {error}")))?;
    let agent = Agent {
        stage: Arc::clone(stage),
        line,
        chance,
        plans: BTreeMap::new(),
        planned: 0,
        offers: BTreeMap::new(),
    };
    let name = name.to_owned();
    stage.people.spawn(async move {
        if let Err(cut) = agent.work().await {
            tracing::warn!(agent = name, %cut, "an agent of the demo is gone");
        }
    });
    Ok(())
}

impl Agent {
    async fn work(mut self) -> Result<(), Cut> {
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
        let (method, params) = match plan {
            Plan::Accept(offer) => ("contact.accept", json!({ "offer": offer })),
            Plan::Decline(offer) => ("contact.decline", json!({ "offer": offer })),
            Plan::End(contact) => ("contact.end", json!({ "contact": contact })),
            Plan::WrapUp(contact) => (
                "contact.wrap_up",
                json!({ "contact": contact, "codes": ["resolved"], "done": true }),
            ),
            Plan::ComeBack => ("agent.set_state", json!({ "state": "available" })),
        };
        self.line.ask(method, params).await?;
        Ok(())
    }

    fn hear(&mut self, message: &Value) {
        let data = &message["data"];
        let text = |key: &str| data[key].as_str().unwrap_or_default().to_owned();
        match message["event"].as_str().unwrap_or_default() {
            "offer.made" => self.offered(&text("offer"), &text("channel")),
            "leg.connected" if data["offer"].is_string() => {
                self.outcome(&text("offer"), "accepted");
                let mean = match text("channel").as_str() {
                    "voice" => 9_000.0,
                    "chat" => 12_000.0,
                    "email" => 8_000.0,
                    _ => 6_000.0,
                };
                let talk = self.chance.about(mean);
                self.plan(talk, Plan::End(text("contact")));
            }
            "leg.wrap_up" => {
                let after = self.chance.between(800, 4_000);
                self.plan(after, Plan::WrapUp(text("contact")));
            }
            "offer.missed" => self.outcome(&text("offer"), "missed"),
            "offer.declined" => self.outcome(&text("offer"), "declined"),
            "offer.withdrawn" => self.outcome(&text("offer"), "withdrawn"),
            "offer.failed" => self.outcome(&text("offer"), "failed"),
            "agent.state_changed" if data["state"] == "not_ready" => {
                let after = self.chance.between(2_000, 8_000);
                self.plan(after, Plan::ComeBack);
            }
            _ => {}
        }
    }

    fn offered(&mut self, offer: &str, channel: &str) {
        self.offers.insert(offer.to_owned(), channel.to_owned());
        let think = self.chance.between(300, 2_500);
        if self.chance.happens(0.93) {
            self.plan(think, Plan::Accept(offer.to_owned()));
        } else if self.chance.happens(0.5) {
            self.plan(think, Plan::Decline(offer.to_owned()));
        }
    }

    fn outcome(&mut self, offer: &str, outcome: &str) {
        if let Some(channel) = self.offers.remove(offer) {
            self.stage.tally.offer(&channel, outcome);
        }
    }
}
