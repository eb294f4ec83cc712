//! Turns: of one identity only so many looks at the board are on their way at once, so that
//! nobody fills the board's mailbox with reads. Others wait until it is their turn.

use crate::id::UserId;
use crate::limits::LOOKS_AT_ONCE;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The turns of every identity that has looked.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<UserId, Arc<Semaphore>>>);

impl Turns {
    /// Waits for a turn, which lasts until it is dropped. Cancel safe.
    pub(super) async fn next(&self, user: UserId) -> Option<OwnedSemaphorePermit> {
        let turns = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let turns = all.entry(user);
            Arc::clone(turns.or_insert_with(|| Arc::new(Semaphore::new(LOOKS_AT_ONCE))))
        };
        // Nobody closes it.
        turns.acquire_owned().await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    #[tokio::test]
    async fn more_looks_than_may_be_wait_and_those_of_others_do_not() {
        let turns = Turns::default();
        let mut looks = Vec::new();
        for _ in 0..LOOKS_AT_ONCE {
            looks.push(turns.next(UserId(1)).await.unwrap());
        }
        let mut waits = Box::pin(turns.next(UserId(1)));
        assert!(waits.as_mut().now_or_never().is_none());
        assert!(turns.next(UserId(2)).now_or_never().is_some());
        looks.pop();
        assert!(waits.now_or_never().is_some());
    }
}
