//! Sessions of the server: how many a user has, and the secrets by which a lost one goes on.

use crate::engine::door::Mark;
use crate::id::{Generation, UserId};
use crate::journal::beside::SessionRow;
use crate::limits;
use crate::time::Instant;
use aws_lc_rs::digest::{SHA256, digest};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Secret of one session, 128 random bits. Never logged.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Secret([u8; 16]);

impl Secret {
    /// A new secret.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn draw() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// What is kept of it: from a digest nobody finds the secret.
    #[must_use]
    pub fn digest(&self) -> Mark {
        let digest = digest(&SHA256, &self.0);
        let mut mark = Mark::default();
        mark.iter_mut()
            .zip(digest.as_ref())
            .for_each(|(to, from)| *to = *from);
        mark
    }

    /// The secret as `welcome` tells it.
    #[must_use]
    pub fn told(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// The text is no secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotASecret;

impl FromStr for Secret {
    type Err = NotASecret;

    fn from_str(text: &str) -> Result<Self, NotASecret> {
        let digits = text.as_bytes();
        if digits.len() != 32 {
            return Err(NotASecret);
        }
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |digit: u8| char::from(digit).to_digit(16);
            let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) else {
                return Err(NotASecret);
            };
            *byte = u8::try_from(high * 16 + low).map_err(|_| NotASecret)?;
        }
        Ok(Self(bytes))
    }
}

/// A user of a workspace.
type Whose = (Arc<str>, UserId);

/// What is known of a session; of one with a sign-in also for a while after its socket was lost.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    /// The workspace.
    pub workspace: Arc<str>,
    /// Whose it is.
    pub user: UserId,
    /// The sign-in of the agent, if it has one.
    pub generation: Option<Generation>,
}

/// The sessions of a server.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<Tables>);

#[derive(Debug, Default)]
struct Tables {
    open: HashMap<Whose, u32>,
    known: HashMap<Secret, Known>,
    /// Sign-ins of before the server started, by digest of the session's secret, until the user
    /// signs in anew. The floor knows whether there is still a seat.
    before: HashMap<Mark, Known>,
    /// Sessions whose sockets are gone, until when each is known, oldest first.
    lost: HashMap<Whose, VecDeque<(Instant, Secret)>>,
    /// When those of everybody are looked at again.
    sweep_at: Instant,
}

impl Tables {
    /// Remembers a lost session for a while, and forgets those whose time has come.
    fn lose(&mut self, whose: &Whose, secret: Secret, now: Instant) {
        let own = self.lost.entry(whose.clone()).or_default();
        own.push_back((now + limits::REPLAY_AGE, secret));
        let surplus = own.len().saturating_sub(limits::LOST_SESSIONS_PER_USER);
        for (_, secret) in own.drain(..surplus) {
            self.known.remove(&secret);
        }
        forget(own, &mut self.known, now);
        if self.sweep_at <= now {
            self.sweep_at = now + limits::LOST_SWEPT_EVERY;
            let known = &mut self.known;
            self.lost.retain(|_, own| {
                forget(own, known, now);
                !own.is_empty()
            });
        }
    }
}

fn forget(own: &mut VecDeque<(Instant, Secret)>, known: &mut HashMap<Secret, Known>, now: Instant) {
    while let Some((_, secret)) = own.pop_front_if(|(until, _)| *until <= now) {
        known.remove(&secret);
    }
}

impl Sessions {
    /// Nothing between lock and unlock can panic, so a poisoned lock holds whole tables.
    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a session, unless the user has as many as `most`.
    pub fn open(
        self: &Arc<Self>,
        workspace: &Arc<str>,
        user: UserId,
        secret: Secret,
        most: u32,
    ) -> Option<Open> {
        let whose = (Arc::clone(workspace), user);
        let mut tables = self.lock();
        let open = tables.open.entry(whose.clone()).or_default();
        if *open >= most {
            return None;
        }
        *open += 1;
        let known = Known {
            workspace: Arc::clone(workspace),
            user,
            generation: None,
        };
        tables.known.insert(secret, known);
        Some(Open {
            sessions: Arc::clone(self),
            whose,
            secret,
            lost_at: None,
        })
    }

    /// What is known of the session with this secret.
    #[must_use]
    pub fn known(&self, secret: Secret) -> Option<Known> {
        let tables = self.lock();
        let known = tables.known.get(&secret);
        known
            .or_else(|| tables.before.get(&secret.digest()))
            .cloned()
    }

    /// Takes in by which sessions users of a workspace were signed in before the server started.
    pub fn remember(&self, workspace: &Arc<str>, rows: Vec<SessionRow>) {
        let known = rows.into_iter().map(|row| {
            let known = Known {
                workspace: Arc::clone(workspace),
                user: row.user,
                generation: Some(row.generation),
            };
            (row.secret, known)
        });
        self.lock().before.extend(known);
    }

    /// Sockets of all users.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.lock().open.values().map(|open| u64::from(*open)).sum()
    }

    /// The session is that of this sign-in from now on.
    pub fn sign_in(&self, secret: Secret, generation: Generation) {
        let mut tables = self.lock();
        let Tables { known, before, .. } = &mut *tables;
        if let Some(known) = known.get_mut(&secret) {
            known.generation = Some(generation);
            if !before.is_empty() {
                let others = |old: &Known| {
                    old.user != known.user
                        || old.workspace != known.workspace
                        || old.generation == known.generation
                };
                before.retain(|_, old| others(old));
            }
        }
    }

    fn close(&self, whose: &Whose, secret: Secret, lost_at: Option<Instant>) {
        let mut tables = self.lock();
        if let Some(open) = tables.open.get_mut(whose) {
            *open -= 1;
            if *open == 0 {
                tables.open.remove(whose);
            }
        }
        // Views go on by their positions alone: only a sign-in has to be found again.
        let signed_in = tables
            .known
            .get(&secret)
            .is_some_and(|known| known.generation.is_some());
        match lost_at.filter(|_| signed_in) {
            Some(now) => tables.lose(whose, secret, now),
            None => {
                tables.known.remove(&secret);
            }
        }
    }
}

/// An open session; closed when dropped.
#[derive(Debug)]
pub struct Open {
    sessions: Arc<Sessions>,
    whose: Whose,
    secret: Secret,
    lost_at: Option<Instant>,
}

impl Open {
    /// The session's secret.
    #[must_use]
    pub fn secret(&self) -> Secret {
        self.secret
    }

    /// The socket is gone: a sign-in is known for a while yet and may go on elsewhere.
    pub fn lost(mut self, now: Instant) {
        self.lost_at = Some(now);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.sessions.close(&self.whose, self.secret, self.lost_at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    const NOW: Instant = Instant(1_000);

    fn open(sessions: &Arc<Sessions>, user: u32, most: u32) -> Option<Open> {
        let secret = Secret::draw().unwrap();
        sessions.open(&Arc::from("main"), UserId(user), secret, most)
    }

    #[test]
    fn a_secret_reads_back_and_nothing_else_does() {
        let secret = Secret::draw().unwrap();
        assert_eq!(secret.told().parse(), Ok(secret));
        assert_eq!(secret.told().len(), 32);
        for bad in ["", "6f", &"g".repeat(32), &"0".repeat(33), &"é".repeat(16)] {
            assert_eq!(bad.parse::<Secret>(), Err(NotASecret), "{bad}");
        }
    }

    #[test]
    fn a_user_has_so_many_sessions_and_closing_one_makes_room() {
        let sessions = Arc::default();
        let first = open(&sessions, 1, 2).unwrap();
        let _second = open(&sessions, 1, 2).unwrap();
        assert!(open(&sessions, 1, 2).is_none());
        let _other = open(&sessions, 2, 2).unwrap();
        assert_eq!(sessions.count(), 3);
        drop(first);
        assert!(open(&sessions, 1, 2).is_some());
    }

    #[test]
    fn a_lost_sign_in_is_known_for_a_while_and_a_closed_one_not_at_all() {
        let sessions: Arc<Sessions> = Arc::default();
        let lose = |at| {
            let lost = open(&sessions, 1, 9).unwrap();
            let secret = lost.secret();
            sessions.sign_in(secret, Generation(7));
            lost.lost(at);
            secret
        };
        let secret = lose(NOW);
        assert_eq!(
            sessions.known(secret).unwrap().generation,
            Some(Generation(7))
        );

        let closed = open(&sessions, 1, 9).unwrap();
        let gone = closed.secret();
        drop(closed);
        assert_eq!(sessions.known(gone), None);

        lose(NOW + Span(limits::REPLAY_AGE.0 - 1));
        assert!(sessions.known(secret).is_some());
        lose(NOW + limits::REPLAY_AGE);
        assert_eq!(sessions.known(secret), None);
    }

    #[test]
    fn of_a_lost_session_that_never_signed_in_nothing_is_kept() {
        let sessions: Arc<Sessions> = Arc::default();
        for user in 0..100 {
            open(&sessions, user, 9).unwrap().lost(NOW);
        }
        let tables = sessions.lock();
        assert!(tables.open.is_empty() && tables.known.is_empty() && tables.lost.is_empty());
    }

    #[test]
    fn of_a_user_who_loses_many_sessions_only_the_newest_are_known() {
        let sessions: Arc<Sessions> = Arc::default();
        let lose = |user| {
            let lost = open(&sessions, user, 9).unwrap();
            let secret = lost.secret();
            sessions.sign_in(secret, Generation(1));
            lost.lost(NOW);
            secret
        };
        let other = lose(2);
        let secrets: Vec<Secret> = (0..1_000).map(|_| lose(1)).collect();
        let known = |secret: &&Secret| sessions.known(**secret).is_some();
        let newest = secrets.iter().rev().take(limits::LOST_SESSIONS_PER_USER);
        assert!(newest.clone().all(|secret| known(&secret)));
        assert_eq!(secrets.iter().filter(known).count(), newest.count());
        assert!(sessions.known(other).is_some());
        // Another user's loss much later is enough for all of these to be forgotten.
        let late = open(&sessions, 3, 9).unwrap();
        sessions.sign_in(late.secret(), Generation(1));
        late.lost(NOW + limits::REPLAY_AGE);
        let tables = sessions.lock();
        assert_eq!((tables.known.len(), tables.lost.len()), (1, 1));
    }
}
