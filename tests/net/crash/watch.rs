//! Somebody who watches all contacts over every end of the server and never asks for them: what is
//! missed comes again, whole and in order, or the view is told anew.

use super::line::Line;
use super::program::Access;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// What was seen so far.
#[derive(Default)]
pub struct Watch {
    /// The session of before, as `hello` says it, without positions.
    session: Option<Value>,
    position: u64,
    /// Contacts that are there.
    contacts: BTreeSet<String>,
    /// Ends over which it went on without a gap.
    whole: u32,
}

impl Watch {
    fn resume(&self) -> Option<Value> {
        let mut resume = self.session.clone()?;
        resume["subs"] = json!([{"topic": "contacts", "seq": self.position}]);
        Some(resume)
    }

    /// Takes in what is said of the view.
    fn take(&mut self, message: &Value) {
        let key = || message["key"].as_str().expect("a key").to_owned();
        match message["type"].as_str().expect("a type") {
            "snapshot" => {
                if message["part"] == 1 {
                    self.contacts.clear();
                }
                let rows = message["data"]["contacts"].as_array().expect("contacts");
                let ids = rows
                    .iter()
                    .map(|row| row["contact"].as_str().expect("an id").to_owned());
                self.contacts.extend(ids);
                self.position = message["as_of"].as_u64().expect("a position");
                return;
            }
            "entered" => assert!(self.contacts.insert(key()), "it was there: {message}"),
            "left" => assert!(self.contacts.remove(&key()), "it was not there: {message}"),
            "event" if message["event"] == "contact.closed" => {
                assert!(self.contacts.remove(&key()), "it was not there: {message}");
            }
            "event" => assert!(self.contacts.contains(&key()), "it is not there: {message}"),
            _ => return,
        }
        let (seq, prev) = (message["seq"].as_u64(), message["prev"].as_u64());
        assert!(prev.expect("prev") <= self.position, "a gap: {message}");
        assert!(seq.expect("seq") > self.position, "again: {message}");
        self.position = seq.expect("seq");
    }
}

/// A socket on which the view goes on.
async fn open(access: &Access, watch: &Mutex<Watch>) -> Option<(Line, Value)> {
    let resume = watch.lock().unwrap().resume();
    let first = resume.is_none();
    let (mut line, welcome) = Line::resume(access, resume).await?;
    let sub = if first {
        line.subscribe("contacts").await?["result"]["sub"].clone()
    } else {
        let resumed = &welcome["subs"][0];
        if resumed["resumed"] == true {
            watch.lock().unwrap().whole += 1;
        } else {
            assert_eq!(resumed["reason"], "position_lost", "{welcome}");
        }
        resumed["sub"].clone()
    };
    watch.lock().unwrap().session =
        Some(json!({"session": welcome["session"], "epoch": welcome["epoch"]}));
    Some((line, sub))
}

/// Watches until the socket ends.
pub async fn watch(access: Access, watch: Arc<Mutex<Watch>>) {
    let Some((mut line, sub)) = open(&access, &watch).await else {
        return;
    };
    while let Some(message) = line.event().await {
        if message["sub"] == sub {
            watch.lock().unwrap().take(&message);
        }
    }
}

/// Watches until no contact is left. It has gone on without a gap over most ends: only where it
/// had nothing to go on from did it begin anew.
pub async fn until_all_are_gone(access: &Access, watch: &Mutex<Watch>) {
    let (mut line, sub) = open(access, watch).await.expect("a session");
    while !watch.lock().unwrap().contacts.is_empty() {
        let message = line.event().await.expect("something happens");
        if message["sub"] == sub {
            watch.lock().unwrap().take(&message);
        }
    }
    assert!(watch.lock().unwrap().whole > 0, "it never went on");
}
