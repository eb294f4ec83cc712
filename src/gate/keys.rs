//! Idempotency keys: the same key of the same identity gets the first answer again, and those
//! who come while the first is at work wait for it. Kept in memory for [`KEY_MEMORY`].

use crate::id::UserId;
use crate::limits::{KEY_MEMORY, KEYS_PER_IDENTITY, KEYS_SWEPT_EVERY};
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
struct Shared<A>(Mutex<Tables<A>>);

#[derive(Debug)]
struct Tables<A> {
    identities: HashMap<UserId, Identity<A>>,
    /// When all identities are looked at again.
    sweep_at: Instant,
}

#[derive(Debug)]
struct Identity<A> {
    keys: HashMap<Arc<str>, Held<A>>,
    /// Keys in the order in which they came; one that was freed may be named still, until those
    /// are as many as the others.
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
            shared: Arc::new(Shared(Mutex::new(Tables {
                identities: HashMap::new(),
                sweep_at: Instant(0),
            }))),
            hasher: RandomState::new(),
        }
    }

    /// Claims `key` for `identity` and what it wants done, of which `content` is any text that
    /// is the same for the same request.
    pub fn claim(&self, identity: UserId, key: &str, content: &str, now: Instant) -> Claim<A> {
        let content = self.hasher.hash_one(content);
        let mut tables = self.shared.lock();
        tables.sweep(now);
        let known = tables
            .identities
            .entry(identity)
            .or_insert_with(|| Identity {
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
    fn lock(&self) -> MutexGuard<'_, Tables<A>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A> Tables<A> {
    /// Forgets the keys of everybody whose time has come, now and then.
    fn sweep(&mut self, now: Instant) {
        if now < self.sweep_at {
            return;
        }
        self.sweep_at = now + KEYS_SWEPT_EVERY;
        self.identities.retain(|_, identity| {
            identity.forget(|since, _| now.since(since) >= KEY_MEMORY);
            !identity.keys.is_empty()
        });
    }
}

impl<A> Identity<A> {
    /// A key has been freed.
    fn free(&mut self, key: &str) {
        self.keys.remove(key);
        if self.order.len() > 2 * self.keys.len() + 8 {
            let keys = &self.keys;
            self.order
                .retain(|(since, key)| keys.get(key).is_some_and(|held| held.since == *since));
        }
    }

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
        let mut tables = self.shared.lock();
        if let Some(known) = tables.identities.get_mut(&self.identity)
            && known
                .keys
                .get(&self.key)
                .is_some_and(|held| held.since == self.since)
        {
            known.free(&self.key);
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
        assert_eq!(
            keys.shared.lock().identities[&ANA].keys.len(),
            KEYS_PER_IDENTITY - 1
        );
    }

    #[tokio::test]
    async fn keys_of_whoever_is_gone_are_forgotten_when_others_come() {
        let keys = Keys::new();
        first(&keys, "k", NOW).keep(7);
        let almost = NOW + Span(KEY_MEMORY.0 - 1);
        drop(keys.claim(BO, "k", "content", almost));
        assert!(keys.shared.lock().identities.contains_key(&ANA));
        drop(keys.claim(BO, "k", "content", almost + KEYS_SWEPT_EVERY));
        let tables = keys.shared.lock();
        assert_eq!(tables.identities.keys().collect::<Vec<_>>(), [&BO]);
    }

    #[test]
    fn keys_that_are_freed_leave_nothing_behind() {
        let keys = Keys::new();
        first(&keys, "kept", NOW).keep(7);
        for number in 0..1_000_u32 {
            drop(first(&keys, &number.to_string(), NOW));
            drop(first(&keys, "again", NOW));
        }
        let tables = keys.shared.lock();
        assert_eq!(tables.identities[&ANA].keys.len(), 1);
        assert!(tables.identities[&ANA].order.len() <= 10);
    }
}
