//! Space on the server's disk runs short: new work is refused, work in hand goes on.

use super::client::Client;
use super::contacts::chat;
use super::house::{House, SMALL};
use super::http::{post, request};
use serde_json::json;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use switchroom::engine::clock::Clock;
use switchroom::journal::space::{Disk, Looker, Space};
use switchroom::net::server::Options;

/// A disk with as much room as the test says, which keeps no reserve.
struct Fake(Arc<AtomicU64>);

impl Disk for Fake {
    fn free(&self) -> io::Result<u64> {
        Ok(self.0.load(Ordering::Relaxed))
    }

    fn has_reserve(&self) -> bool {
        true
    }

    fn make_reserve(&mut self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn give_up_reserve(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn short_of_space_new_work_is_refused_and_what_is_in_hand_goes_on() {
    let free = Arc::new(AtomicU64::new(2_000));
    let space = Space::new(1_000);
    let mut looker = Looker::new(Arc::clone(&space), Box::new(Fake(Arc::clone(&free))));
    looker.look();
    let house = House::with_space(SMALL, Clock::system(), Options::default(), space).await;
    let ready = request(&house, "GET /readyz", &[], "").await;
    assert_eq!((ready.status, ready.body.as_str()), (200, "ready\n"));
    let mut ana = Client::of(&house, "ana").await;
    ana.result("agent.sign_in", json!({})).await;
    let mut site = Client::of(&house, "site").await;
    let first = site.result("contact.submit", chat("x-1")).await;
    let offer = ana.event("offer.made").await;

    free.store(999, Ordering::Relaxed);
    looker.look();
    let refused = site.error("contact.submit", chat("x-2")).await;
    assert_eq!(
        (&refused["code"], &refused["retry"], &refused["after_ms"]),
        (&json!("unavailable"), &json!(true), &json!(10_000)),
        "{refused}"
    );
    let refused = post(&house, "site", "/v1/contacts", &chat("x-2")).await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert_eq!(refused.header("retry-after"), Some("10"));
    assert_eq!(refused.json()["code"], "unavailable");
    let mut bo = Client::of(&house, "bo").await;
    let refused = bo.error("agent.sign_in", json!({})).await;
    assert_eq!(refused["code"], "unavailable", "{refused}");
    let ready = request(&house, "GET /readyz", &[], "").await;
    assert_eq!(ready.status, 200, "work in hand has to find its way");
    assert!(ready.body.contains("space is short"), "{ready:?}");
    let metrics = request(&house, "GET /metrics", &[], "").await;
    for line in [
        "switchroom_free_bytes 999",
        "switchroom_low_space_bytes 1000",
        "switchroom_space_short 1",
    ] {
        assert!(metrics.body.lines().any(|found| found == line), "{line}");
    }

    let offer = &offer["data"]["offer"];
    let accepted = ana.result("contact.accept", json!({"offer": offer})).await;
    assert_eq!(accepted["contact"], first["contact"], "{accepted}");
    let contact = &first["contact"];
    ana.result("contact.end", json!({"contact": contact})).await;
    site.result("contact.get", json!({"contact": contact}))
        .await;

    free.store(1_000, Ordering::Relaxed);
    looker.look();
    site.result("contact.submit", chat("x-2")).await;
    bo.result("agent.sign_in", json!({})).await;
    ana.event("offer.made").await;
}
