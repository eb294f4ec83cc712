//! Idempotency keys: the same key of the same identity gets the first answer again, and those
//! who come while the first is at work wait for it. Answers lie in the log's store where there is
//! one, else in memory; here it is known for [`KEY_MEMORY`] which keys there are, by digest.

use crate::id::{Seq, UserId};
use crate::journal::beside::{Digest, KeyRow, KnownKey};
use crate::limits::{KEY_MEMORY, KEYS_FORGOTTEN_AT_ONCE, KEYS_PER_IDENTITY, KEYS_SWEPT_EVERY};
use crate::time::Instant;
use aws_lc_rs::digest::{SHA256, digest};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The keys of every identity, with answers of type `A`.
#[derive(Debug)]
pub struct Keys<A> {
    shared: Arc<Shared<A>>,
}

#[derive(Debug)]
struct Shared<A>(Mutex<Tables<A>>);

#[derive(Debug)]
struct Tables<A> {
    identities: HashMap<UserId, Identity<A>>,
    /// When all identities are looked at again.
    sweep_at: Instant,
    /// The number of the last key.
    last: u64,
    /// Numbers of keys whose answers are in the store and not needed there any more.
    forgotten: Vec<u64>,
}

#[derive(Debug)]
struct Identity<A> {
    keys: HashMap<Digest, Held<A>>,
    /// Keys in the order in which they came; one that was freed may be named still, until those
    /// are as many as the others.
    order: VecDeque<(Instant, u64, Digest)>,
}

impl<A> Default for Identity<A> {
    fn default() -> Self {
        Self {
            keys: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

#[derive(Debug)]
struct Held<A> {
    number: u64,
    content: Digest,
    answer: Kept<A>,
}

/// Where the answer is.
#[derive(Debug)]
enum Kept<A> {
    /// Here, as soon as there is one.
    Here(watch::Receiver<Option<A>>),
    /// In the store.
    Stored,
}

/// What a key stands for.
#[derive(Debug)]
pub enum Claim<A> {
    /// It is new: do it, and tell the [`First`] what came of it.
    First(First<A>),
    /// It is at work, or done: the answer to wait for.
    Again(Again<A>),
    /// It is done, and the answer is in the store, by this number.
    Stored(u64),
    /// It was used for other content.
    Mismatch,
}

/// A digest of a key or of what is asked with it, the same in every process.
fn digest_of(text: &str) -> Digest {
    let whole = digest(&SHA256, text.as_bytes());
    let mut first = Digest::default();
    first
        .iter_mut()
        .zip(whole.as_ref())
        .for_each(|(to, from)| *to = *from);
    first
}

impl<A> Keys<A> {
    /// The keys that a store knows, the oldest first.
    #[must_use]
    pub fn new(known: Vec<KnownKey>, now: Instant) -> Self {
        let mut tables = Tables {
            identities: HashMap::new(),
            sweep_at: Instant(0),
            last: known.iter().map(|known| known.number).max().unwrap_or(0),
            forgotten: Vec::new(),
        };
        known.into_iter().for_each(|known| tables.enter(known, now));
        Self {
            shared: Arc::new(Shared(Mutex::new(tables))),
        }
    }

    /// Claims `key` for `identity` and what it wants done, of which `content` is any text that
    /// is the same for the same request.
    pub fn claim(&self, identity: UserId, key: &str, content: &str, now: Instant) -> Claim<A> {
        let (key, content) = (digest_of(key), digest_of(content));
        let mut tables = self.shared.lock();
        tables.sweep(now);
        let Tables {
            identities,
            last,
            forgotten,
            ..
        } = &mut *tables;
        let known = identities.entry(identity).or_default();
        known.forget(forgotten, |since, _| now.since(since) >= KEY_MEMORY);
        if let Some(held) = known.keys.get(&key) {
            return match &held.answer {
                _ if held.content != content => Claim::Mismatch,
                Kept::Here(answer) => Claim::Again(Again(answer.clone())),
                Kept::Stored => Claim::Stored(held.number),
            };
        }
        known.forget(forgotten, |_, length| length >= KEYS_PER_IDENTITY);
        *last += 1;
        let (sender, answer) = watch::channel(None);
        let answer = Kept::Here(answer);
        known.enter(key, now, *last, content, answer);
        let some = forgotten.len().saturating_sub(KEYS_FORGOTTEN_AT_ONCE);
        let row = KeyRow {
            number: *last,
            user: identity,
            key,
            content,
            at: now,
            forgets: forgotten.split_off(some),
            answer: Vec::new(),
            seq: Seq(0),
        };
        Claim::First(First {
            row,
            answer: sender,
            shared: Arc::clone(&self.shared),
            kept: false,
        })
    }
}

impl<A> Shared<A> {
    /// Nothing between lock and unlock can panic, so a poisoned lock holds whole tables.
    fn lock(&self) -> MutexGuard<'_, Tables<A>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A> Tables<A> {
    /// Takes a key in that a store knows.
    fn enter(&mut self, known: KnownKey, now: Instant) {
        let identity = self.identities.entry(known.user).or_default();
        if let Some(older) = identity.keys.remove(&known.key) {
            self.forgotten.push(older.number);
        }
        let KnownKey {
            number,
            key,
            content,
            at,
            ..
        } = known;
        identity.enter(key, at, number, content, Kept::Stored);
        let old = |since, length| now.since(since) >= KEY_MEMORY || length > KEYS_PER_IDENTITY;
        identity.forget(&mut self.forgotten, old);
    }

    /// Forgets the keys of everybody whose time has come, now and then.
    fn sweep(&mut self, now: Instant) {
        if now < self.sweep_at {
            return;
        }
        self.sweep_at = now + KEYS_SWEPT_EVERY;
        let forgotten = &mut self.forgotten;
        self.identities.retain(|_, identity| {
            identity.forget(forgotten, |since, _| now.since(since) >= KEY_MEMORY);
            !identity.keys.is_empty()
        });
    }

    fn held(&mut self, row: &KeyRow) -> Option<&mut Held<A>> {
        let known = self.identities.get_mut(&row.user)?;
        let held = known.keys.get_mut(&row.key)?;
        (held.number == row.number).then_some(held)
    }
}

impl<A> Identity<A> {
    fn enter(&mut self, key: Digest, at: Instant, number: u64, content: Digest, answer: Kept<A>) {
        self.order.push_back((at, number, key));
        let held = Held {
            number,
            content,
            answer,
        };
        self.keys.insert(key, held);
    }

    /// A key has been freed.
    fn free(&mut self, key: &Digest) {
        self.keys.remove(key);
        if self.order.len() > 2 * self.keys.len() + 8 {
            let keys = &self.keys;
            self.order.retain(|(_, number, key)| {
                keys.get(key).is_some_and(|held| held.number == *number)
            });
        }
    }

    /// Forgets the oldest keys as long as `must` says so of their age and of how many there are.
    fn forget(&mut self, forgotten: &mut Vec<u64>, must: impl Fn(Instant, usize) -> bool) {
        while let Some((since, number, key)) = self.order.front() {
            let held = self.keys.get(key).filter(|held| held.number == *number);
            if let Some(held) = held {
                if !must(*since, self.keys.len()) {
                    return;
                }
                if matches!(held.answer, Kept::Stored) {
                    forgotten.push(*number);
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
    row: KeyRow,
    answer: watch::Sender<Option<A>>,
    shared: Arc<Shared<A>>,
    kept: bool,
}

impl<A> First<A> {
    /// The key as the store has it, still without an answer.
    #[must_use]
    pub fn row(&self) -> &KeyRow {
        &self.row
    }

    /// Keeps the answer here for all who come again.
    pub fn keep(mut self, answer: A) {
        self.kept = true;
        self.answer.send_replace(Some(answer));
    }

    /// The answer is in the store for all who come again; those who wait get it now.
    pub fn stored(mut self, answer: A) {
        self.kept = true;
        self.answer.send_replace(Some(answer));
        let mut tables = self.shared.lock();
        match tables.held(&self.row) {
            Some(held) => held.answer = Kept::Stored,
            None => tables.forgotten.push(self.row.number),
        }
    }
}

impl<A> Drop for First<A> {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let mut tables = self.shared.lock();
        tables.forgotten.append(&mut self.row.forgets);
        if tables.held(&self.row).is_some()
            && let Some(known) = tables.identities.get_mut(&self.row.user)
        {
            known.free(&self.row.key);
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
        let keys = Keys::new(Vec::new(), NOW);
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
        let keys = Keys::new(Vec::new(), NOW);
        first(&keys, "k", NOW).keep(7);
        assert!(matches!(
            keys.claim(ANA, "k", "other", NOW),
            Claim::Mismatch
        ));
        assert!(matches!(keys.claim(BO, "k", "other", NOW), Claim::First(_)));
    }

    #[tokio::test]
    async fn a_key_whose_first_gave_up_is_free_again() {
        let keys = Keys::new(Vec::new(), NOW);
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
        let keys = Keys::new(Vec::new(), NOW);
        first(&keys, "k", NOW).keep(7);
        let almost = NOW + Span(KEY_MEMORY.0 - 1);
        assert_eq!(again(&keys, "k", almost).await, Some(7));
        first(&keys, "k", NOW + KEY_MEMORY).keep(8);
        assert_eq!(again(&keys, "k", NOW + KEY_MEMORY).await, Some(8));
    }

    #[tokio::test]
    async fn a_key_freed_and_claimed_anew_lives_its_own_time() {
        let keys = Keys::new(Vec::new(), NOW);
        drop(first(&keys, "k", NOW));
        let later = NOW + Span(KEY_MEMORY.0 / 2);
        first(&keys, "k", later).keep(8);
        assert_eq!(again(&keys, "k", NOW + KEY_MEMORY).await, Some(8));
    }

    #[tokio::test]
    async fn the_oldest_go_when_an_identity_has_too_many() {
        let keys = Keys::new(Vec::new(), NOW);
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
        let keys = Keys::new(Vec::new(), NOW);
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
        let keys = Keys::new(Vec::new(), NOW);
        first(&keys, "kept", NOW).keep(7);
        for number in 0..1_000_u32 {
            drop(first(&keys, &number.to_string(), NOW));
            drop(first(&keys, "again", NOW));
        }
        let tables = keys.shared.lock();
        assert_eq!(tables.identities[&ANA].keys.len(), 1);
        assert!(tables.identities[&ANA].order.len() <= 10);
    }

    fn known(number: u64, key: &str, at: Instant) -> KnownKey {
        KnownKey {
            number,
            user: ANA,
            key: digest_of(key),
            content: digest_of("content"),
            at,
        }
    }

    #[test]
    fn what_a_store_knows_is_known_and_what_is_too_old_is_to_be_forgotten_there() {
        let old = Instant(NOW.0 + 1);
        let now = old + KEY_MEMORY;
        let rows = vec![known(4, "old", old), known(9, "k", now)];
        let keys: Keys<u32> = Keys::new(rows, now);
        assert!(matches!(
            keys.claim(ANA, "k", "content", now),
            Claim::Stored(9)
        ));
        assert!(matches!(
            keys.claim(ANA, "k", "other", now),
            Claim::Mismatch
        ));
        let next = first(&keys, "new", now);
        assert_eq!((next.row().number, &*next.row().forgets), (10, &[4][..]));
        drop(next);
        let again = first(&keys, "new", now);
        assert_eq!(again.row().forgets, [4], "nobody has forgotten it yet");
    }

    #[tokio::test]
    async fn an_answer_in_the_store_is_not_kept_here_too() {
        let keys = Keys::new(Vec::new(), NOW);
        let ticket = first(&keys, "k", NOW);
        let Claim::Again(waiting) = keys.claim(ANA, "k", "content", NOW) else {
            panic!()
        };
        ticket.stored(7);
        assert_eq!(waiting.answer().await, Some(7));
        assert!(matches!(
            keys.claim(ANA, "k", "content", NOW),
            Claim::Stored(1)
        ));
    }

    #[test]
    fn of_an_identity_with_too_many_in_the_store_the_oldest_are_forgotten_there() {
        let most = u64::try_from(KEYS_PER_IDENTITY).unwrap();
        let rows = (1..=most + 3).map(|number| known(number, &number.to_string(), NOW));
        let keys: Keys<u32> = Keys::new(rows.collect(), NOW);
        assert_eq!(first(&keys, "new", NOW).row().forgets, [1, 2, 3, 4]);
    }
}
