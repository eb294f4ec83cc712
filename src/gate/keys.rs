//! Idempotency keys: the same key of the same identity gets the first answer again, and those
//! who come while the first is at work wait for it. Kept in memory for [`KEY_MEMORY`].

use crate::id::UserId;
use crate::limits::{KEY_MEMORY, KEYS_PER_IDENTITY};
use crate::time::Instant;
use std::collections::hash_map::RandomState;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The keys of every identity, with answers of type `A`.
#[derive(Debug)]
pub struct Keys<A> {
    shared: Arc<Shared<A>>,
    hasher: RandomState,
}

#[derive(Debug)]
struct Shared<A> {
    identities: Mutex<HashMap<UserId, Identity<A>>>,
}

#[derive(Debug)]
struct Identity<A> {
    keys: HashMap<Arc<str>, Held<A>>,
    /// Keys in the order in which they came; one that was freed may be named still.
    order: VecDeque<(Instant, Arc<str>)>,
}

#[derive(Debug)]
struct Held<A> {
    since: Instant,
    content: u64,
    answer: watch::Receiver<Option<A>>,
}

/// What a key stands for.
#[derive(Debug)]
pub enum Claim<A> {
    /// It is new: do it, and tell the [`First`] what came of it.
    First(First<A>),
    /// It is at work, or done: the answer to wait for.
    Again(Again<A>),
    /// It was used for other content.
    Mismatch,
}

impl<A> Keys<A> {
    /// No keys.
    #[must_use]
    pub fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                identities: Mutex::default(),
            }),
            hasher: RandomState::new(),
        }
    }

    /// Claims `key` for `identity` and what it wants done, of which `content` is any text that
    /// is the same for the same request.
    pub fn claim(&self, identity: UserId, key: &str, content: &str, now: Instant) -> Claim<A> {
        let content = self.hasher.hash_one(content);
        let mut identities = self.shared.lock();
        let known = identities.entry(identity).or_insert_with(|| Identity {
            keys: HashMap::new(),
            order: VecDeque::new(),
        });
        known.forget(|since, _| now.since(since) >= KEY_MEMORY);
        if let Some(held) = known.keys.get(key) {
            return if held.content == content {
                Claim::Again(Again(held.answer.clone()))
            } else {
                Claim::Mismatch
            };
        }
        known.forget(|_, length| length >= KEYS_PER_IDENTITY);
        let key: Arc<str> = key.into();
        let (sender, answer) = watch::channel(None);
        known.order.push_back((now, Arc::clone(&key)));
        known.keys.insert(
            Arc::clone(&key),
            Held {
                since: now,
                content,
                answer,
            },
        );
        Claim::First(First {
            identity,
            key,
            since: now,
            answer: sender,
            shared: Arc::clone(&self.shared),
            kept: false,
        })
    }
}

impl<A> Default for Keys<A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A> Shared<A> {
    /// Nothing between lock and unlock can panic, so a poisoned lock holds whole tables.
    fn lock(&self) -> MutexGuard<'_, HashMap<UserId, Identity<A>>> {
        self.identities
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A> Identity<A> {
    /// Forgets the oldest keys as long as `must` says so of their age and of how many there are.
    fn forget(&mut self, must: impl Fn(Instant, usize) -> bool) {
        while let Some((since, key)) = self.order.front() {
            let freed = self.keys.get(key).is_none_or(|held| held.since != *since);
            if !freed {
                if !must(*since, self.keys.len()) {
                    return;
                }
                self.keys.remove(key);
            }
            self.order.pop_front();
        }
    }
}

/// Whoever came first with a key. Dropped without an answer, it frees the key.
#[derive(Debug)]
pub struct First<A> {
    identity: UserId,
    key: Arc<str>,
    since: Instant,
    answer: watch::Sender<Option<A>>,
    shared: Arc<Shared<A>>,
    kept: bool,
}

impl<A> First<A> {
    /// Keeps the answer for all who come again.
    pub fn keep(mut self, answer: A) {
        self.kept = true;
        self.answer.send_replace(Some(answer));
    }
}

impl<A> Drop for First<A> {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let mut identities = self.shared.lock();
        if let Some(known) = identities.get_mut(&self.identity)
            && known
                .keys
                .get(&self.key)
                .is_some_and(|held| held.since == self.since)
        {
            known.keys.remove(&self.key);
        }
    }
}

/// The answer that another is about to have, or has.
#[derive(Debug)]
pub struct Again<A>(watch::Receiver<Option<A>>);

impl<A: Clone> Again<A> {
    /// Waits for the answer; none if whoever came first gave up, and the key may be claimed
    /// anew. Cancel safe.
    pub async fn answer(mut self) -> Option<A> {
        let answer = self.0.wait_for(Option::is_some).await.ok()?;
        answer.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    const ANA: UserId = UserId(1);
    const BO: UserId = UserId(2);
    const NOW: Instant = Instant(1_000);

    fn first(keys: &Keys<u32>, key: &str, now: Instant) -> First<u32> {
        let Claim::First(first) = keys.claim(ANA, key, "content", now) else {
            panic!("{key} is taken")
        };
        first
    }

    async fn again(keys: &Keys<u32>, key: &str, now: Instant) -> Option<u32> {
        let Claim::Again(again) = keys.claim(ANA, key, "content", now) else {
            panic!("{key} is free")
        };
        again.answer().await
    }

    #[tokio::test]
    async fn a_key_gets_the_first_answer_again_and_others_wait_for_it() {
        let keys = Keys::new();
        let ticket = first(&keys, "k", NOW);
        let Claim::Again(waiting) = keys.claim(ANA, "k", "content", NOW) else {
            panic!()
        };
        let waiting = tokio::spawn(waiting.answer());
        ticket.keep(7);
        assert_eq!(waiting.await.unwrap(), Some(7));
        assert_eq!(again(&keys, "k", NOW).await, Some(7));
    }

    #[tokio::test]
    async fn a_key_belongs_to_one_identity_and_one_content() {
        let keys = Keys::new();
        first(&keys, "k", NOW).keep(7);
        assert!(matches!(
            keys.claim(ANA, "k", "other", NOW),
            Claim::Mismatch
        ));
        assert!(matches!(keys.claim(BO, "k", "other", NOW), Claim::First(_)));
    }

    #[tokio::test]
    async fn a_key_whose_first_gave_up_is_free_again() {
        let keys = Keys::new();
        let ticket = first(&keys, "k", NOW);
        let Claim::Again(waiting) = keys.claim(ANA, "k", "content", NOW) else {
            panic!()
        };
        drop(ticket);
        assert_eq!(waiting.answer().await, None);
        first(&keys, "k", NOW).keep(8);
        assert_eq!(again(&keys, "k", NOW).await, Some(8));
    }

    #[tokio::test]
    async fn keys_are_forgotten_after_their_time_and_not_before() {
        let keys = Keys::new();
        first(&keys, "k", NOW).keep(7);
        let almost = NOW + Span(KEY_MEMORY.0 - 1);
        assert_eq!(again(&keys, "k", almost).await, Some(7));
        first(&keys, "k", NOW + KEY_MEMORY).keep(8);
        assert_eq!(again(&keys, "k", NOW + KEY_MEMORY).await, Some(8));
    }

    #[tokio::test]
    async fn a_key_freed_and_claimed_anew_lives_its_own_time() {
        let keys = Keys::new();
        drop(first(&keys, "k", NOW));
        let later = NOW + Span(KEY_MEMORY.0 / 2);
        first(&keys, "k", later).keep(8);
        assert_eq!(again(&keys, "k", NOW + KEY_MEMORY).await, Some(8));
    }

    #[tokio::test]
    async fn the_oldest_go_when_an_identity_has_too_many() {
        let keys = Keys::new();
        for number in 0..=KEYS_PER_IDENTITY {
            first(&keys, &number.to_string(), NOW).keep(7);
        }
        assert_eq!(again(&keys, "1", NOW).await, Some(7));
        drop(first(&keys, "0", NOW));
        assert_eq!(keys.shared.lock()[&ANA].keys.len(), KEYS_PER_IDENTITY - 1);
    }
}
