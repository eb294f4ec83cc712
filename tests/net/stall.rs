//! A disk that stalls for a second: new work is refused as `busy`, and what was taken is answered
//! when the disk goes on.

use super::client::Client;
use super::contacts::chat;
use super::house::{House, SMALL};
use super::http::post;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use switchroom::engine::Options as EngineOptions;
use switchroom::engine::clock::Clock;
use switchroom::journal::{Epoch, memory};
use switchroom::limits;
use switchroom::net::server::Options;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_disk_stalls_new_work_is_told_to_wait_and_nothing_is_dropped() {
    let stalled = Arc::new(AtomicBool::new(false));
    let disk = Arc::clone(&stalled);
    let clock = Clock::by_hand(Clock::system().now());
    let engine_options = EngineOptions {
        clock: clock.clone(),
        journal: Box::new(move |opening| {
            let disk = Box::new(move |_| {
                while disk.load(Ordering::Relaxed) {
                    std::thread::yield_now();
                }
                Ok(())
            });
            Ok(Arc::new(memory::start_on(
                Epoch(opening.now.0),
                opening.release,
                disk,
            )?))
        }),
        ..EngineOptions::default()
    };
    let house = House::with(SMALL, Options::default(), engine_options).await;
    let mut ana = Client::of(&house, "ana").await;
    ana.result("agent.sign_in", json!({})).await;
    let mut site = Client::of(&house, "site").await;
    let mut bo = Client::of(&house, "bo").await;

    stalled.store(true, Ordering::Relaxed);
    let first = json!({"type": "request", "id": "first", "method": "contact.submit", "params": chat("x-1")});
    site.send(&first).await;
    let offer = ana.event("offer.made").await;
    clock.move_on(limits::UNDURABLE_AGE);
    let refused = site.error("contact.submit", chat("x-2")).await;
    assert_eq!(
        (&refused["code"], &refused["after_ms"]),
        (&json!("busy"), &json!(limits::BUSY_AFTER.0)),
        "{refused}"
    );
    let refused = post(&house, "site", "/v1/contacts", &chat("x-2")).await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(bo.error("agent.sign_in", json!({})).await["code"], "busy");
    // What is in hand is taken, and answered when it is durable.
    let accept = json!({
        "type": "request", "id": "accept", "method": "contact.accept",
        "params": {"offer": offer["data"]["offer"]},
    });
    ana.send(&accept).await;
    stalled.store(false, Ordering::Relaxed);

    let reply = site
        .expect("the first answer", |reply| reply["id"] == "first")
        .await;
    let contact = &reply["result"]["contact"];
    assert!(contact.is_string(), "{reply}");
    let reply = ana
        .expect("the answer", |reply| reply["id"] == "accept")
        .await;
    assert_eq!(&reply["result"]["contact"], contact, "{reply}");
    site.result("contact.submit", chat("x-2")).await;
    bo.result("agent.sign_in", json!({})).await;
}
