//! Whether a floor lives is asked of its actors, and they do not answer when they hang.

use super::centre::{Centre, SMALL};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use switchroom::engine::Options;
use switchroom::journal::Source;
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_floor_or_queue_that_hangs_does_not_live() {
    for hangs in [Source::Floor, Source::Queue(switchroom::id::QueueId(1))] {
        let hang = Arc::new(AtomicBool::new(false));
        let hung = Arc::clone(&hang);
        let options = Options {
            trip: Some(Arc::new(move |source, _| {
                while source == hangs && hung.load(Ordering::SeqCst) {
                    std::thread::yield_now();
                }
            })),
            ..Options::default()
        };
        let centre = Centre::open(SMALL, options);
        assert!(centre.engine.lives().await);
        hang.store(true, Ordering::SeqCst);
        let mut lives = Box::pin(centre.engine.lives());
        let heard = timeout(Duration::from_millis(200), &mut lives).await;
        assert!(heard.is_err(), "{hangs} hangs and nobody answers for it");
        hang.store(false, Ordering::SeqCst);
        assert!(lives.await);
        centre.engine.stop().await;
    }
}
