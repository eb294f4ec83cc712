//! The agents' own streams: sockets that are lost and come back.

use super::centre::Centre;
use switchroom::engine::Resumed;
use switchroom::engine::door::{Close, ToDoor};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_comes_back_hears_what_it_missed_and_nothing_twice() {
    let centre = Centre::small();
    let mut ana = centre.sign_in("ana").await;
    let heard = ana.position;
    centre.submit("one", "x-1").await;
    let offer = ana.offered().await;
    // The page never saw the offer: its socket was dead.
    ana.position = heard;
    let new = centre.engine.doors().open();
    let resumed = centre
        .engine
        .resume(ana.id, ana.generation, new.id(), heard);
    assert_eq!(resumed, Resumed::Whole);
    let old = std::mem::replace(&mut ana.door, new);
    let again = ana.next_me().await;
    assert!(again.replay && again.prev <= heard, "{again:?}");
    assert!(matches!(ana.next().await, Some(ToDoor::MeLive)));
    ana.accept(&centre, offer.offer.offer).await;
    let mut closed = std::collections::VecDeque::new();
    let mut old = old;
    assert!(old.receive(&mut closed).await);
    assert!(
        matches!(
            closed.back().map(|last| &last.what),
            Some(ToDoor::Close(Close::Superseded))
        ),
        "{closed:?}"
    );
    centre.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_that_was_never_given_out_is_not_resumed() {
    let centre = Centre::small();
    let ana = centre.sign_in("ana").await;
    let door = centre.engine.doors().open();
    let mut ahead = ana.position;
    ahead.0 += 1_000;
    let resume = |generation, after| centre.engine.resume(ana.id, generation, door.id(), after);
    assert_eq!(resume(ana.generation, ahead), Resumed::Lost);
    let mut older = ana.generation;
    older.0 += 1;
    assert_eq!(resume(older, ana.position), Resumed::Superseded);
    centre.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_session_takes_the_seat_and_the_older_door_is_closed() {
    let centre = Centre::small();
    let mut old = centre.sign_in("ana").await;
    let mut new = centre.sign_in("ana").await;
    assert!(new.generation > old.generation);
    let closed = loop {
        match old.next().await {
            Some(ToDoor::Close(why)) => break why,
            Some(_) => {}
            None => panic!("closed without a word"),
        }
    };
    assert_eq!(closed, Close::Superseded);
    centre.submit("one", "x-1").await;
    new.offered().await;
    centre.engine.stop().await;
}
