//! What ends the process: said once, heard by whoever serves.

use std::sync::{Arc, OnceLock};
use tokio_util::sync::CancellationToken;

/// Something from which the process cannot go on; the first word counts.
#[derive(Clone, Debug, Default)]
pub struct Fatal {
    why: Arc<OnceLock<String>>,
    said: CancellationToken,
}

impl Fatal {
    /// Says that the process has to end, and why.
    pub fn say(&self, why: impl Into<String>) {
        let why = why.into();
        if self.why.set(why.clone()).is_ok() {
            tracing::error!(why, "the engine cannot go on");
        }
        self.said.cancel();
    }

    /// Why the process has to end, if it has to.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        self.why.get().map(String::as_str)
    }

    /// Waits until the process has to end. Cancel safe.
    pub async fn heard(&self) {
        self.said.cancelled().await;
    }
}
