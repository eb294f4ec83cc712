//! What leaves at once, and what waits until it is durable.

use super::centre::{Centre, Disk, SMALL};
use futures::FutureExt;
use switchroom::engine::NotNow;
use switchroom::engine::clock::Clock;
use switchroom::limits;
use switchroom::time::{Instant, Span};

/// Waits until an event is handed over that is not yet durable.
async fn undurable(centre: &Centre) -> String {
    loop {
        let page = centre.engine.metrics();
        if !page.contains("switchroom_undurable_bytes 0\n") {
            return page;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_leaves_at_once_and_a_reply_waits_for_the_disk() {
    let disk = Disk::default();
    let centre = Centre::open(SMALL, disk.options());
    let mut ana = centre.sign_in("ana").await;
    let held = disk.hold();
    let durable = centre.engine.durable();
    let (to, once) = centre.engine.doors().once();
    let contact = centre.submit_to("one", "x-1", Some(to));
    let offer = ana.offered().await;
    assert_eq!(
        offer.offer.contact, contact,
        "the bell rings before the log is written"
    );
    assert!(ana.position > durable);
    let mut answer = Box::pin(once.answer());
    let early = (&mut answer).now_or_never();
    assert!(early.is_none(), "nothing is acknowledged: {early:?}");
    drop(held);
    let (answer, seq) = answer.await.expect("an answer");
    assert!(answer.is_ok() && seq > durable);
    centre.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_is_routable_only_when_the_sign_in_is_answered() {
    let disk = Disk::default();
    let centre = Centre::open(SMALL, disk.options());
    centre.submit("one", "x-1").await;
    let held = disk.hold();
    let mut signing_in = Box::pin(centre.sign_in("ana"));
    assert!((&mut signing_in).now_or_never().is_none());
    undurable(&centre).await;
    let early = (&mut signing_in).now_or_never();
    assert!(early.is_none(), "the answer waits for the disk");
    drop(held);
    // The helper fails if an event comes before the answer.
    let mut ana = signing_in.await;
    ana.offered().await;
    centre.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_work_is_refused_while_the_disk_stalls_and_no_longer() {
    let disk = Disk::default();
    let clock = Clock::by_hand(Instant(1_800_000_000_000));
    let mut options = disk.options();
    options.clock = clock.clone();
    let centre = Centre::open(SMALL, options);
    let queue = Some(centre.queue("one"));
    assert_eq!(centre.engine.admit(queue), Ok(()));
    let held = disk.hold();
    let (to, once) = centre.engine.doors().once();
    centre.submit_to("one", "x-1", Some(to));
    let page = undurable(&centre).await;
    assert!(page.contains("switchroom_undurable_age_ms 0\n"), "{page}");
    assert_eq!(centre.engine.admit(queue), Ok(()), "it is not yet old");
    clock.move_on(limits::UNDURABLE_AGE);
    assert_eq!(
        centre.engine.admit(queue),
        Err(NotNow::Busy(limits::BUSY_AFTER))
    );
    drop(held);
    assert!(once.answer().await.is_some());
    clock.move_on(Span(1));
    assert_eq!(centre.engine.admit(queue), Ok(()));
    centre.engine.stop().await;
    assert_eq!(centre.engine.admit(queue), Err(NotNow::Stopping));
}
