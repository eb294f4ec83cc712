//! What the clients asked for, and what they were told.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};
use tokio::sync::Notify;

/// Contacts that are under way at once, as far as is known.
const ROOM: usize = 60;

/// What is done to a contact.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Act {
    Abandon,
    Accept,
    End,
    WrapUp,
}

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Told {
    /// Nobody said: it is so, or not.
    Nothing,
    Done,
    Refused,
}

/// What was done to a contact, as far as anybody was told.
#[derive(Default)]
struct Acts(BTreeMap<Act, Told>);

impl Acts {
    fn done(&self, act: Act) -> bool {
        self.0.get(&act) == Some(&Told::Done)
    }

    /// It was asked for, and not refused.
    fn possible(&self, act: Act) -> bool {
        self.0.get(&act).is_some_and(|told| *told != Told::Refused)
    }

    /// The states in which the contact can be.
    fn states(&self) -> &'static [&'static str] {
        if self.done(Act::WrapUp) {
            return &["closed"];
        }
        if self.done(Act::Abandon) && !self.possible(Act::Accept) {
            return &["closed"];
        }
        if self.done(Act::Abandon) || self.done(Act::End) {
            return if self.possible(Act::WrapUp) || !self.done(Act::Accept) {
                &["wrap_up", "closed"]
            } else {
                &["wrap_up"]
            };
        }
        if self.possible(Act::Abandon) || self.possible(Act::End) {
            return &["waiting", "active", "wrap_up", "closed"];
        }
        if self.done(Act::Accept) {
            return &["active"];
        }
        if self.possible(Act::Accept) {
            return &["waiting", "active"];
        }
        &["waiting"]
    }
}

#[derive(Default)]
struct Inside {
    /// Contacts by external id, as far as they are known.
    contacts: BTreeMap<String, Option<String>>,
    /// External ids by contact.
    names: BTreeMap<String, String>,
    /// By contact; an offer may come before the answer to the submit.
    acts: BTreeMap<String, Acts>,
    /// Contacts that were seen closed after they had to be.
    settled: BTreeSet<String>,
    answers: u64,
    /// By which sessions agents are signed in.
    sessions: BTreeMap<&'static str, Value>,
    /// The server is gone: nobody waits for others any more.
    gone: bool,
}

impl Inside {
    fn over(&self, contact: Option<&String>) -> bool {
        let acts = contact.and_then(|contact| self.acts.get(contact));
        acts.is_some_and(|acts| acts.states() == ["closed"])
    }
}

#[derive(Default)]
pub struct Record {
    inside: Mutex<Inside>,
    news: Notify,
}

impl Record {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap()
    }

    fn answered(&self, mut inside: MutexGuard<'_, Inside>) {
        inside.answers += 1;
        drop(inside);
        self.news.notify_waiters();
    }

    /// By which session an agent is signed in, as `hello` says it.
    pub fn session(&self, login: &str) -> Option<Value> {
        self.inside().sessions.get(login).cloned()
    }

    pub fn set_session(&self, login: &'static str, session: Value) {
        self.inside().sessions.insert(login, session);
    }

    /// Waits for so many answers.
    pub async fn acknowledged(&self, more: u64) {
        let end = self.inside().answers + more;
        self.until(|inside| inside.answers >= end).await;
    }

    /// Whether the server is gone, so that nobody waits for others any more.
    pub fn go_home(&self, gone: bool) {
        self.inside().gone = gone;
        self.news.notify_waiters();
    }

    /// Waits until one more contact may be under way. False when the server is gone.
    pub async fn room(&self) -> bool {
        self.until(|inside| {
            let contacts = inside.contacts.values();
            inside.gone || contacts.filter(|id| !inside.over(id.as_ref())).count() < ROOM
        })
        .await;
        !self.inside().gone
    }

    async fn until(&self, wanted: impl Fn(&Inside) -> bool) {
        loop {
            let mut news = std::pin::pin!(self.news.notified());
            news.as_mut().enable();
            if wanted(&self.inside()) {
                return;
            }
            news.await;
        }
    }

    /// An external id that is about to be submitted.
    pub fn new_id(&self) -> String {
        let mut inside = self.inside();
        let id = format!("x-{}", inside.contacts.len());
        inside.contacts.insert(id.clone(), None);
        id
    }

    /// One external id has one contact, for ever.
    pub fn submitted(&self, external_id: &str, contact: &str) {
        let mut inside = self.inside();
        let known = inside.contacts.get_mut(external_id).unwrap();
        let before = known.replace(contact.to_owned());
        assert!(
            before.is_none_or(|before| before == contact),
            "{external_id} is two"
        );
        let other = inside
            .names
            .insert(contact.to_owned(), external_id.to_owned());
        assert!(
            other.is_none_or(|other| other == external_id),
            "{contact} is two"
        );
        self.answered(inside);
    }

    fn act(&self, contact: &str, act: Act, told: Told) -> MutexGuard<'_, Inside> {
        let mut inside = self.inside();
        let acts = inside.acts.entry(contact.to_owned()).or_default();
        acts.0.insert(act, told);
        inside
    }

    pub fn asks(&self, contact: &str, act: Act) {
        drop(self.act(contact, act, Told::Nothing));
    }

    pub fn hears(&self, contact: &str, act: Act, done: bool) {
        let told = if done { Told::Done } else { Told::Refused };
        let inside = self.act(contact, act, told);
        self.answered(inside);
    }

    /// Every external id whose submit was answered, with its contact.
    pub fn all(&self) -> Vec<(String, String)> {
        let inside = self.inside();
        let all = inside.contacts.iter();
        all.filter_map(|(name, id)| Some((name.clone(), id.clone()?)))
            .collect()
    }

    /// The same, without those that were seen as they have to stay.
    pub fn unsettled(&self) -> Vec<(String, String)> {
        let mut all = self.all();
        let inside = self.inside();
        all.retain(|(_, contact)| !inside.settled.contains(contact));
        all
    }

    /// External ids whose submit was not answered.
    pub fn unanswered(&self) -> Vec<String> {
        let inside = self.inside();
        let unanswered = inside.contacts.iter().filter(|(_, id)| id.is_none());
        unanswered.map(|(name, _)| name.clone()).collect()
    }

    /// Contacts to which something was done, and nobody said what became of it.
    pub fn unheard(&self, act: Act) -> Vec<String> {
        let inside = self.inside();
        let acts = inside.acts.iter();
        let unheard = acts.filter(|(_, acts)| acts.0.get(&act) == Some(&Told::Nothing));
        unheard.map(|(contact, _)| contact.clone()).collect()
    }

    /// Contacts to which something was done as far as anybody was told, and those to which it was
    /// done perhaps.
    pub fn contacts(&self, act: Act) -> (usize, usize) {
        let inside = self.inside();
        let count = |of: fn(&Acts, Act) -> bool| {
            let acts = inside.acts.values();
            acts.filter(|acts| of(acts, act)).count()
        };
        (count(Acts::done), count(Acts::possible))
    }

    /// Whether an agent may have ended a contact.
    pub fn may_have_ended(&self, contact: &str) -> bool {
        let inside = self.inside();
        let acts = inside.acts.get(contact);
        acts.is_some_and(|acts| acts.possible(Act::End))
    }

    /// Whether a contact is as the clients were told.
    pub fn judge(&self, contact: &str, seen: &Value) -> Result<(), String> {
        let mut inside = self.inside();
        let nothing = Acts::default();
        let acts = inside.acts.get(contact).unwrap_or(&nothing);
        let state = seen["result"]["state"].as_str().unwrap_or("lost");
        if acts.states().contains(&state) {
            if acts.states() == ["closed"] {
                inside.settled.insert(contact.to_owned());
            }
            return Ok(());
        }
        Err(format!("expected {:?} after {:?}", acts.states(), acts.0))
    }
}
