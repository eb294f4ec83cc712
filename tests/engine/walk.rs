//! The walk of a contact through the engine.

use super::centre::{Centre, SMALL};
use switchroom::domain::command::QueueCommand;
use switchroom::domain::machine::{Answer, Me, Refusal};
use switchroom::domain::offer::Outcome;
use switchroom::engine::Options;
use switchroom::engine::clock::Clock;
use switchroom::time::{Instant, Span};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contact_is_offered_accepted_and_ended() {
    let centre = Centre::small();
    let mut ana = centre.sign_in("ana").await;
    let contact = centre.submit("one", "x-1").await;
    let offer = ana.offered().await;
    assert_eq!(offer.offer.contact, contact);
    assert_eq!(centre.engine.queue_of(contact), Some(centre.queue("one")));
    ana.accept(&centre, offer.offer.offer).await;
    let (ended, seq) = centre.command("site", QueueCommand::End(contact)).await;
    assert!(matches!(ended, Ok(Answer::Contact(_))), "{ended:?}");
    assert!(
        seq <= centre.engine.durable(),
        "what is answered is durable"
    );
    let over = ana.next_me().await;
    assert!(matches!(*over.me, Me::Ended(_)), "{over:?}");
    centre.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_for_no_contact_is_not_found() {
    let centre = Centre::small();
    let nobody = super::centre::facts("x").id;
    let (answer, _) = centre.command("site", QueueCommand::Abandon(nobody)).await;
    assert!(
        matches!(
            answer,
            Err(Refusal::NotFound {
                what: "contact",
                ..
            })
        ),
        "{answer:?}"
    );
    centre.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_taken_in_before_a_stop_is_answered() {
    let centre = Centre::small();
    let waiting: Vec<_> = (0..500)
        .map(|n| {
            let (to, once) = centre.engine.doors().once();
            centre.submit_to("one", &format!("x-{n}"), Some(to));
            once
        })
        .collect();
    centre.engine.stop().await;
    for once in waiting {
        let (answer, _) = once.answer().await.expect("an answer");
        assert!(matches!(answer, Ok(Answer::Submitted { .. })), "{answer:?}");
    }
    let (to, once) = centre.engine.doors().once();
    centre.submit_to("one", "late", Some(to));
    let (answer, _) = once.answer().await.expect("an answer");
    assert!(matches!(answer, Err(Refusal::Unavailable)), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_is_woken_when_its_time_has_come() {
    let clock = Clock::by_hand(Instant(1_800_000_000_000));
    let options = Options {
        clock: clock.clone(),
        ..Options::default()
    };
    let centre = Centre::open(SMALL, options);
    let mut ana = centre.sign_in("ana").await;
    centre.submit("one", "x-1").await;
    let offer = ana.offered().await;
    let before = offer.deadline.since(clock.now());
    clock.move_on(Span(before.0));
    let missed = ana.next_me().await;
    assert!(
        matches!(
            &*missed.me,
            Me::OfferEnded {
                outcome: Outcome::Missed,
                ..
            }
        ),
        "{missed:?}"
    );
    assert_eq!(missed.at, offer.deadline);
    centre.engine.stop().await;
}
