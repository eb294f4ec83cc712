//! Agents and connectors, who work until their sockets end, and note what they were told.

use super::line::Line;
use super::program::Access;
use super::record::{Act, Record};
use serde_json::{Value, json};
use std::sync::Arc;

/// Numbers by chance, the same for the same seed.
pub struct Chance(pub u64);

impl Chance {
    /// A number below `end`.
    pub fn next(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    pub fn branch(&mut self) -> Self {
        Self(self.next(u64::from(u32::MAX)))
    }
}

pub fn chat(external_id: &str) -> Value {
    json!({"channel": "chat", "queue": "support", "external_id": external_id,
        "customer": {"id": "c-1", "name": "Rosa Luz"}})
}

/// Submits a contact, perhaps for the second time.
pub async fn submit(line: &mut Line, record: &Record, external_id: &str) -> Option<String> {
    let key = format!("submit-{external_id}");
    let reply = line
        .ask_once(&key, "contact.submit", chat(external_id))
        .await?;
    let contact = reply["result"]["contact"].as_str();
    let contact = contact.unwrap_or_else(|| panic!("{external_id}: {reply}"));
    record.submitted(external_id, contact);
    Some(contact.to_owned())
}

/// Does something to a contact. Whoever comes too late may be refused.
async fn act(
    line: &mut Line,
    record: &Record,
    contact: &str,
    act: Act,
    method: &str,
    params: Value,
) -> Option<bool> {
    record.asks(contact, act);
    let reply = line.ask(method, params).await?;
    let done = reply.get("result").is_some();
    record.hears(contact, act, done);
    Some(done)
}

/// Submits contacts; some of them leave.
pub async fn connector(access: Access, record: Arc<Record>, mut chance: Chance) {
    let Some(mut line) = Line::open(&access).await else {
        return;
    };
    for external_id in record.unanswered() {
        if submit(&mut line, &record, &external_id).await.is_none() {
            return;
        }
    }
    for contact in record.unheard(Act::Abandon) {
        if abandon(&mut line, &record, &contact).await.is_none() {
            return;
        }
    }
    while record.room().await {
        let external_id = record.new_id();
        let Some(contact) = submit(&mut line, &record, &external_id).await else {
            return;
        };
        if chance.next(6) == 0 {
            record.asks(&contact, Act::Abandon);
            if abandon(&mut line, &record, &contact).await.is_none() {
                return;
            }
        }
    }
}

/// Abandons a contact, perhaps for the second time: the key is that of the first, so that it is
/// refused only if the contact was over before any of them.
async fn abandon(line: &mut Line, record: &Record, contact: &str) -> Option<()> {
    let params = json!({"contact": contact});
    let key = format!("abandon-{contact}");
    let reply = line.ask_once(&key, "contact.abandon", params).await?;
    let done = reply.get("result").is_some();
    assert!(
        done || record.may_have_ended(contact),
        "{contact} was abandoned, or nobody ended it: {reply}"
    );
    record.hears(contact, Act::Abandon, done);
    Some(())
}

/// Takes offers, ends contacts, wraps up.
pub async fn agent(login: &'static str, access: Access, record: Arc<Record>, mut chance: Chance) {
    let _ = work(login, access, &record, &mut chance).await;
}

/// The seat of an agent, by the session of before if there was one, and what it has in hand.
async fn seat(login: &'static str, access: &Access, record: &Record) -> Option<(Line, Value)> {
    let before = record.session(login);
    let again = before.is_some();
    let (mut line, welcome) = Line::resume(access, before).await?;
    let subs = json!([{"topic": "me", "seq": 0}]);
    let session = json!({"session": welcome["session"], "epoch": welcome["epoch"], "subs": subs});
    if again {
        let me = json!([{"topic": "me", "sub": "me", "resumed": false, "reason": "position_lost"}]);
        assert_eq!(welcome["subs"], me, "{login} comes back to its seat");
        record.set_session(login, session);
        loop {
            let message = line.event().await?;
            if message["type"] == "snapshot" && message["sub"] == "me" {
                return Some((line, message["data"].clone()));
            }
        }
    }
    let signed_in = line.ask("agent.sign_in", json!({})).await?;
    let hand = signed_in["result"].clone();
    assert!(hand.is_object(), "{signed_in}");
    record.set_session(login, session);
    Some((line, hand))
}

async fn work(
    login: &'static str,
    access: Access,
    record: &Record,
    chance: &mut Chance,
) -> Option<()> {
    let (mut line, hand) = seat(login, &access, record).await?;
    for leg in hand["contacts"].as_array().expect("what is in hand") {
        let contact = leg["contact"].as_str().expect("its contact");
        if leg["state"] == "wrap_up" {
            wrap_up(&mut line, record, contact).await?;
        } else {
            end(&mut line, record, contact).await?;
        }
    }
    for offer in hand["offers"].as_array().expect("what rings") {
        answer(&mut line, record, chance, offer).await?;
    }
    loop {
        let event = line.event().await?;
        if event["event"] == "offer.made" {
            answer(&mut line, record, chance, &event["data"]).await?;
        }
    }
}

async fn answer(
    line: &mut Line,
    record: &Record,
    chance: &mut Chance,
    offer: &Value,
) -> Option<()> {
    let contact = offer["contact"].as_str().expect("its contact");
    let params = json!({"offer": offer["offer"]});
    if chance.next(5) == 0 {
        line.ask("contact.decline", params).await?;
    } else if act(line, record, contact, Act::Accept, "contact.accept", params).await? {
        end(line, record, contact).await?;
    }
    Some(())
}

async fn end(line: &mut Line, record: &Record, contact: &str) -> Option<()> {
    let params = json!({"contact": contact});
    act(line, record, contact, Act::End, "contact.end", params).await?;
    wrap_up(line, record, contact).await
}

async fn wrap_up(line: &mut Line, record: &Record, contact: &str) -> Option<()> {
    let params = json!({"contact": contact, "done": true});
    act(
        line,
        record,
        contact,
        Act::WrapUp,
        "contact.wrap_up",
        params,
    )
    .await?;
    Some(())
}
