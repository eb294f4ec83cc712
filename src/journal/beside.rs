//! What becomes durable beside events: idempotency keys with their answers, and by which session
//! an agent is signed in. Both are found again when a server starts.

use crate::directory::Known;
use crate::id::{Generation, Seq, UserId};
use crate::time::Instant;
use tokio::sync::oneshot;

/// A digest of an idempotency key, or of what was asked with it.
pub type Digest = [u8; 16];

/// An idempotency key and the first answer to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyRow {
    /// Which one it is, for the store; never used again.
    pub number: u64,
    /// Whose key it is.
    pub user: UserId,
    /// Digest of the key.
    pub key: Digest,
    /// Digest of what was asked with it.
    pub content: Digest,
    /// When it was first used.
    pub at: Instant,
    /// Numbers of older keys that are to be forgotten.
    pub forgets: Vec<u64>,
    /// The answer, as the gate writes it.
    pub answer: Vec<u8>,
    /// A position that includes the effect.
    pub seq: Seq,
}

/// A key that a store knows, without its answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KnownKey {
    /// Which one it is.
    pub number: u64,
    /// Whose key it is.
    pub user: UserId,
    /// Digest of the key.
    pub key: Digest,
    /// Digest of what was asked with it.
    pub content: Digest,
    /// When it was first used.
    pub at: Instant,
}

/// A session by which a user is signed in. One that goes on with the sign-in of another is kept
/// beside it: nobody knows which of the two its client has heard of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SessionRow {
    /// The user.
    pub user: UserId,
    /// The sign-in.
    pub generation: Generation,
    /// Digest of the session's secret, which is itself nowhere.
    pub secret: [u8; 32],
}

/// Digest of a configuration: of another one views are not what they were.
pub type Configuration = [u8; 32];

/// What a batch brings beside its events, durable with them or not at all.
#[derive(Debug, Default)]
pub struct Beside {
    /// Keys that were answered.
    pub keys: Vec<KeyRow>,
    /// Sessions by which agents are signed in from now on.
    pub sessions: Vec<SessionRow>,
    /// Names that the numbers in events stand for from now on.
    pub names: Option<Known>,
    /// The configuration in force from now on.
    pub configuration: Option<Configuration>,
    /// To be told when all of it is durable.
    pub told: Option<oneshot::Sender<()>>,
}

impl Beside {
    /// There is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
            && self.sessions.is_empty()
            && self.configuration.is_none()
            && self.names.is_none()
    }
}

/// Reads what lay beside the events when the log was opened, and answers to keys at any time.
/// Each call waits for the disk.
pub trait Recall: Send + Sync {
    /// Every key, the oldest first.
    ///
    /// # Errors
    /// Why they cannot be read, in words.
    fn keys(&self) -> Result<Vec<KnownKey>, String>;

    /// The answer to a key and its position; none if there is no such key any more.
    ///
    /// # Errors
    /// Why it cannot be read, in words.
    fn answer(&self, number: u64) -> Result<Option<(Vec<u8>, Seq)>, String>;

    /// The sessions of users' last sign-ins.
    ///
    /// # Errors
    /// Why they cannot be read, in words.
    fn sessions(&self) -> Result<Vec<SessionRow>, String>;
}
