//! Tests of the seats.

use super::{Roster, Seat};
use crate::domain::event::{Chosen, Decision, Event, OfferRef};
use crate::domain::offer::{Outcome, Withdrawn};
use crate::id::{AgentId, ChannelId, ContactId, OfferId, QueueId, ReservationId};
use crate::time::Instant;

const ANA: AgentId = AgentId(0);

fn offer(number: u64) -> OfferRef {
    OfferRef {
        offer: OfferId(number),
        reservation: ReservationId(number),
        contact: ContactId(uuid::Uuid::from_u128(number.into())),
        queue: QueueId(0),
        channel: ChannelId(1),
        agent: ANA,
    }
}

fn made(number: u64) -> Event {
    let offer = offer(number);
    Event::OfferMade {
        offer,
        deadline: Instant(99_000),
        auto_accept: false,
        decision: Box::new(Decision {
            contact: offer.contact,
            agent: ANA,
            by: Chosen::Only,
            runners_up: Vec::new(),
            passed_over: Vec::new(),
        }),
    }
}

fn ended(number: u64, outcome: Outcome) -> Event {
    let offer = offer(number);
    Event::OfferEnded { offer, outcome }
}

fn seat(story: &[(u64, Event)]) -> Seat {
    let mut roster = Roster::default();
    for (at, event) in story {
        roster.fold(Instant(*at), event);
    }
    roster.seats[&ANA].clone()
}

const BACK: Outcome = Outcome::Withdrawn(Withdrawn::Abandoned);

#[test]
fn the_newest_offer_that_stands_says_when_work_was_last_given() {
    let two = [(1_000, made(1)), (2_000, made(2))];
    let last = |ends: &[Event]| {
        let ends = ends.iter().map(|event| (3_000, event.clone()));
        let story: Vec<_> = two.iter().cloned().chain(ends).collect();
        seat(&story).last_assigned
    };
    assert_eq!(last(&[]), Instant(2_000));
    assert_eq!(last(&[ended(1, BACK)]), Instant(2_000));
    assert_eq!(last(&[ended(2, BACK)]), Instant(1_000));
    assert_eq!(last(&[ended(1, BACK), ended(2, BACK)]), Instant(0));
    assert_eq!(last(&[ended(2, BACK), ended(1, BACK)]), Instant(0));
    let declined = ended(2, Outcome::Declined);
    assert_eq!(last(&[declined, ended(1, BACK)]), Instant(2_000));
}

#[test]
fn a_leg_that_ends_beside_a_bell_begins_the_idle_time() {
    let released = Event::SeatReleased {
        offer: offer(1),
        returned: false,
    };
    let seat = seat(&[
        (1_000, made(1)),
        (1_500, Event::OfferTaken { offer: offer(1) }),
        (1_500, ended(1, Outcome::Accepted)),
        (2_000, made(2)),
        (3_000, released),
        (4_000, ended(2, BACK)),
    ]);
    assert_eq!(seat.idle_since, Instant(3_000));
}

#[test]
fn a_contact_that_never_connects_counts_once() {
    let story = [(1_000, made(1)), (1_100, ended(1, Outcome::Failed))];
    let twice = [story.clone(), story].concat();
    assert_eq!(seat(&twice).failed.len(), 1);
}
