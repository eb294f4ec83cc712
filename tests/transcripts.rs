//! Transcripts: a few commands, then everything the machines said. `UPDATE=1` rewrites the
//! files under `tests/transcripts/`; the diff is the review.

#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on says where"
)]

#[path = "transcripts/say.rs"]
mod say;
#[path = "transcripts/setup.rs"]
mod setup;
#[path = "transcripts/world.rs"]
mod world;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Plays one file again: its blocks with what the machines said now.
fn play(text: &str) -> String {
    let mut world = world::World::default();
    let mut written = Vec::new();
    for block in text.split("====\n") {
        let commands = block.split("----\n").next().unwrap();
        let mut said = Vec::new();
        for line in commands.lines() {
            let line = line.split('#').next().unwrap().trim();
            if !line.is_empty() {
                said.extend(
                    world
                        .run(line)
                        .unwrap_or_else(|wrong| panic!("{line}: {wrong}")),
                );
            }
        }
        let said: String = said.iter().map(|line| format!("{line}\n")).collect();
        written.push(format!("{commands}----\n{said}"));
    }
    written.join("====\n")
}

fn check(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/transcripts")
        .join(format!("{name}.txt"));
    let text = fs::read_to_string(&path).unwrap();
    let played = play(&text);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, played).unwrap();
    } else {
        assert!(text == played, "{name} now says:\n{played}");
    }
}

macro_rules! transcripts {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            check(stringify!($name));
        })*

        #[test]
        fn every_file_is_played() {
            let known = [$(concat!(stringify!($name), ".txt")),*];
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
            for entry in fs::read_dir(folder).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                assert!(
                    !name.ends_with(".txt") || known.contains(&name.as_str()),
                    "{name} is played by no test"
                );
            }
        }
    };
}

transcripts! {
    newcomer_starts_at_the_median
    newly_assigned
    newly_granted
    s01_accept_and_timeout_in_one_tick
    s02_abandoned_while_accepted
    s03_abandoned_just_after_accept
    s07_break_during_an_offer
    s08_decline_and_timeout_in_one_tick
    s09_skill_removed_while_offered
    s10_only_agent_misses
    s11_all_agents_miss
    s12_accept_twice
    s13_old_offer_id
    s14_burst_into_idle_agents
    s15_one_agent_five_queues
    s16_auto_accept_unshown
    s17_socket_lost_while_offered
    s18_socket_lost_with_chats
    s20_socket_lost_in_wrap_up
    s22_second_log_in
    s27_sign_out_with_work
    s28_pending_break_cancelled
    s30_flapping_socket
    s49_rules_changed_midway
    s50_steps_edited
    s51_step_boundary
    s52_head_not_eligible
    s53_new_contact_at_the_front
    s54_priority_changed
    s55_endless_priority_stream
    s56_ties_by_id
    s57_unassignable_heads
    s58_capacity_lowered
    s60_voice_interrupts_chat
    s61_two_channels_one_unit
    s66_wrap_up_counts_everywhere
    s67_break_toggled
    connecting_by_media_report
    preferred_agent
    membership_delay_and_rank
    selections
    wrap_up_policies
    requeue_and_end
    auto_accept_on_a_lost_socket
    available_after_work
    default_code
    forced_sign_out
    taken_over_is_not_away
    unconnectable_contact
    wish_outlives_missed
}

/// Contacts named `c1,c2,…`.
fn names(count: usize) -> String {
    let names: Vec<String> = (1..=count).map(|n| format!("c{n}")).collect();
    names.join(",")
}

fn offered(said: &[String]) -> (usize, BTreeSet<&str>) {
    let agents = said
        .iter()
        .filter_map(|line| line.split_once(" offer ")?.1.split(" to ").nth(1))
        .map(|rest| rest.split(' ').next().unwrap());
    (agents.clone().count(), agents.collect())
}

/// R-08, scenario 14 at size: no agent's mailbox is flooded, nobody is chosen twice.
#[test]
fn r08_a_thousand_contacts_into_a_thousand_idle_agents_in_one_pass() {
    let mut world = world::World::default();
    world.run("queue billing").unwrap();
    for number in 1..=1000 {
        world
            .run(&format!("agent a{number} queues=billing"))
            .unwrap();
    }
    let everybody: Vec<String> = (1..=1000).map(|n| format!("signin a{n}")).collect();
    world
        .run(&format!("at 0s {}", everybody.join("; ")))
        .unwrap();
    let said = world
        .run(&format!("at 1s submit {} billing", names(1000)))
        .unwrap();
    let (offers, agents) = offered(&said);
    assert_eq!((offers, agents.len()), (1000, 1000));
    assert!(said.iter().all(|line| line.starts_with("1.000 ")));
}

/// contacts that nobody can take never hold back one that somebody can.
#[test]
fn r51_fifty_unroutable_contacts_hold_back_none() {
    let mut world = world::World::default();
    world.run("queue billing").unwrap();
    world.run("agent ana queues=billing available").unwrap();
    let unroutable = format!(
        "at 0s submit {} billing tier=0 need=skill(\"vip\")",
        names(50)
    );
    let (offers, _) = offered(&world.run(&unroutable).unwrap());
    assert_eq!(offers, 0);
    let said = world.run("at 1s submit last billing").unwrap();
    assert_eq!(offered(&said).0, 1, "{said:?}");
    assert!(said.iter().any(|line| line.contains("of last to ana")));
}

/// A barrier that keeps many agents back does not make the first of the others the best.
#[test]
fn behind_a_barrier_the_most_skilled_of_the_others_is_chosen() {
    let mut world = world::World::default();
    for line in [
        "queue busy channels=chat",
        "queue expert channels=chat selection=most_skilled need=skill(\"spanish\")",
        "agent novice queues=expert skills=spanish:1 available",
    ] {
        world.run(line).unwrap();
    }
    let both = 1..=60;
    for number in both.clone() {
        let agent = format!("agent a{number} queues=busy,expert skills=spanish:5");
        world.run(&agent).unwrap();
    }
    let both: Vec<String> = both.map(|n| format!("signin a{n}")).collect();
    world.run(&format!("at 1s {}", both.join("; "))).unwrap();
    world
        .run("agent master queues=expert skills=spanish:9")
        .unwrap();
    world.run("at 2s signin master").unwrap();
    let all = format!(
        "at 3s submit {} busy chat; submit last expert chat",
        names(40)
    );
    let said = world.run(&all).unwrap();
    assert_eq!(offered(&said).0, 41, "{said:?}");
    assert!(
        said.iter().any(|line| line.contains("of last to master")),
        "{said:?}"
    );
}
