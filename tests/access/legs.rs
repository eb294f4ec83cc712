//! Rules by example: legs that listen, legs that are over, private legs.

use super::world::{
    MY_TEAM, OTHER, STRANGE, STRANGE_TEAM, SUPERVISED_TEAM, holder, leg, leg_of_team, my_leg,
};
use switchroom::access::facts::{ContactFacts, Facts, LegFacts, LegPart, LegStanding};
use switchroom::access::grant::Grant;
use switchroom::access::lens::Messages;
use switchroom::access::privilege::Privilege as P;
use switchroom::access::scope::Scope;

use super::asking::{answer, ask, contact, lens, of_role};

#[test]
fn a_leg_that_listens_gives_reading_and_leaving_and_a_coach_writes_to_agents() {
    let agent = of_role("agent");
    let monitor = [my_leg(LegPart::Monitor, LegStanding::Connected)];
    let coach = [my_leg(LegPart::Coach, LegStanding::Connected)];
    let asked = |legs: &[LegFacts<'_>]| -> Vec<P> {
        let facts = contact(legs);
        let acts = P::every().filter(|p| p.name().starts_with("contact."));
        acts.filter(|p| ask(&agent, *p, &facts).allows()).collect()
    };
    let nothing_special = asked(&[]);
    let gained = |legs: &[LegFacts<'_>]| -> Vec<P> {
        let now = asked(legs);
        now.into_iter()
            .filter(|p| !nothing_special.contains(p))
            .collect()
    };
    assert_eq!(gained(&monitor), [P::ContactLeave, P::ContactView]);
    assert_eq!(
        gained(&coach),
        [P::ContactMessage, P::ContactLeave, P::ContactView]
    );
    let facts = contact(&coach);
    assert_eq!(
        lens(&agent, P::ContactMessage, &facts).writes,
        Messages::AmongAgents
    );
    assert_eq!(
        lens(&agent, P::ContactView, &contact(&monitor)).writes,
        Messages::None
    );
    let party = [my_leg(LegPart::Barged, LegStanding::Connected)];
    assert_eq!(
        lens(&agent, P::ContactView, &contact(&party)).writes,
        Messages::All
    );
    assert_eq!(
        answer(&agent, P::ContactHold, &facts),
        "forbidden: contact.hold is needed"
    );
    for standing in [
        LegStanding::Connecting,
        LegStanding::Ended { late_wrap_up: true },
    ] {
        let legs = [my_leg(LegPart::Monitor, standing)];
        assert_eq!(answer(&agent, P::ContactView, &contact(&legs)), "not_found");
    }
}

#[test]
fn who_listens_to_a_contact_is_told_what_he_may_not_do_there() {
    let listener = holder(vec![Grant::new(P::ContactMonitor, Scope::Own)], vec![]);
    let legs = [my_leg(LegPart::Monitor, LegStanding::Connected)];
    let told = |facts: &Facts<'_>| answer(&listener, P::ContactEnd, facts);
    assert_eq!(told(&contact(&legs)), "forbidden: contact.end is needed");
    assert_eq!(told(&contact(&[])), "not_found");
}

#[test]
fn a_contact_stays_readable_from_connect_to_the_end_of_the_wrap_up() {
    let agent = of_role("agent");
    let reads = |standing| {
        let legs = [my_leg(LegPart::Owner, standing)];
        ask(&agent, P::ContactView, &contact(&legs)).allows()
    };
    assert!(!reads(LegStanding::Connecting));
    assert!(reads(LegStanding::Connected));
    assert!(reads(LegStanding::WrapUp));
    assert!(!reads(LegStanding::Ended {
        late_wrap_up: false
    }));
}

#[test]
fn a_leg_that_is_over_gives_late_notes_for_a_while_and_recent_contacts_for_good() {
    let agent = of_role("agent");
    let given = |late_wrap_up| -> Vec<P> {
        let legs = [my_leg(
            LegPart::Participant,
            LegStanding::Ended { late_wrap_up },
        )];
        let facts = contact(&legs);
        [
            P::ContactNote,
            P::ContactWrapUp,
            P::ContactRecent,
            P::ContactMessage,
            P::ContactView,
        ]
        .into_iter()
        .filter(|p| ask(&agent, *p, &facts).allows())
        .collect()
    };
    assert_eq!(
        given(true),
        [P::ContactNote, P::ContactWrapUp, P::ContactRecent]
    );
    assert_eq!(given(false), [P::ContactRecent]);
    let of_team = [LegFacts {
        teams: &[SUPERVISED_TEAM],
        ..leg(
            OTHER,
            LegPart::Owner,
            LegStanding::Ended {
                late_wrap_up: false,
            },
        )
    }];
    let supervisor = of_role("supervisor");
    assert!(ask(&supervisor, P::ContactRecent, &contact(&of_team)).allows());
    assert!(!ask(&supervisor, P::ContactView, &contact(&of_team)).allows());
}

#[test]
fn the_team_of_a_queue_counts_only_while_no_leg_is_open() {
    let supervisor = of_role("supervisor");
    let sees = |legs: &[LegFacts<'_>]| {
        let facts = Facts::Contact(ContactFacts {
            owner_team: Some(SUPERVISED_TEAM),
            legs,
            ..STRANGE
        });
        ask(&supervisor, P::ContactView, &facts).allows()
    };
    let ended = LegStanding::Ended { late_wrap_up: true };
    assert!(sees(&[]));
    assert!(sees(&[leg(OTHER, LegPart::Owner, ended)]));
    assert!(!sees(&[leg(OTHER, LegPart::Owner, LegStanding::WrapUp)]));
}

#[test]
fn a_private_leg_changes_nothing_for_anybody_else() {
    let strange = leg_of_team(&[STRANGE_TEAM]);
    let private = |teams| LegFacts {
        part: LegPart::Monitor,
        private: true,
        ..leg_of_team(teams)
    };
    let roles = [
        "agent",
        "senior_agent",
        "supervisor",
        "admin",
        "integration",
        "visitor",
    ];
    for principal in roles.map(of_role) {
        for without in [&[][..], &[strange]] {
            for teams in [&[MY_TEAM][..], &[SUPERVISED_TEAM], &[STRANGE_TEAM]] {
                let with = [without, &[private(teams)]].concat();
                for privilege in P::every() {
                    let owner_team = Some(SUPERVISED_TEAM);
                    let told = |legs: &[LegFacts<'_>]| {
                        ask(
                            &principal,
                            privilege,
                            &Facts::Contact(ContactFacts {
                                legs,
                                owner_team,
                                ..STRANGE
                            }),
                        )
                    };
                    assert_eq!(told(without), told(&with), "{privilege}");
                }
            }
        }
    }
}
