//! The capacity rule as a table: every pair of channels, and what random work may never do.

use super::*;
use proptest::prelude::*;

const NAMES: [&str; 5] = ["voice", "chat", "email", "sms", "task"];

fn channel(name: &str) -> ChannelId {
    Channels::default().by_name(name).unwrap()
}

/// An agent with so many contacts of the named channels, none of them connected.
fn load(work: &[(&str, u32)]) -> Load {
    let mut load = Load::default();
    for (name, count) in work {
        (0..*count).for_each(|_| load.add(channel(name)));
    }
    load
}

/// What one more contact of each channel meets: `+` it fits, `i` interrupted, `m` max, `p` points.
fn fits(load: &Load, channels: &Channels, agent: &Capacity) -> String {
    channels
        .iter()
        .map(
            |(channel, _)| match load.room_for(channel, channels, agent) {
                Ok(()) => '+',
                Err(NoRoom::Interrupted) => 'i',
                Err(NoRoom::Max) => 'm',
                Err(NoRoom::Points) => 'p',
            },
        )
        .collect()
}

#[test]
fn the_channels_of_the_manual() {
    let channels = Channels::default();
    let table: Vec<(&str, u32, u32, Vec<&str>)> = channels
        .iter()
        .map(|(_, rules)| {
            let by = rules
                .interrupted_by
                .iter()
                .map(|by| NAMES[by.index()])
                .collect();
            (rules.name.as_str(), rules.weight, rules.max, by)
        })
        .collect();
    assert_eq!(
        table,
        [
            ("voice", 100, 1, vec![]),
            ("chat", 30, 3, vec![]),
            ("email", 10, 10, vec!["voice", "chat"]),
            ("sms", 20, 5, vec!["voice"]),
            ("task", 10, 10, vec!["voice", "chat"]),
        ]
    );
}

#[test]
fn every_pair_of_channels() {
    // present work, then one more of: voice, chat, email, sms, task
    for (work, fit) in [
        (("voice", 0), "+++++"),
        (("voice", 1), "mpiii"),
        (("chat", 1), "p+i+i"),
        (("chat", 2), "p+i+i"),
        (("chat", 3), "pmipi"),
        (("email", 1), "+++++"),
        (("email", 9), "+++p+"),
        (("email", 10), "++mpp"),
        (("sms", 1), "+++++"),
        (("sms", 4), "+p+++"),
        (("sms", 5), "+ppmp"),
        (("task", 1), "+++++"),
        (("task", 9), "+++p+"),
        (("task", 10), "++ppm"),
    ] {
        let found = fits(&load(&[work]), &Channels::default(), &Capacity::default());
        assert_eq!(found, fit, "{} {}", work.1, work.0);
    }
}

#[test]
fn an_offer_reserves_as_much_as_a_connected_leg() {
    for name in NAMES {
        let reserved = load(&[(name, 1)]);
        let mut connected = reserved.clone();
        connected.connect(channel(name));
        let fits = |load: &Load| fits(load, &Channels::default(), &Capacity::default());
        assert_eq!(fits(&reserved), fits(&connected), "{name}");
    }
}

#[test]
fn every_pair_of_channels_interrupted_only_while_connected() {
    let channels = Channels::default();
    for (by, hit) in [
        ("voice", "email sms task"),
        ("chat", "email task"),
        ("email", ""),
        ("sms", ""),
        ("task", ""),
    ] {
        let names = |set: ChannelSet| {
            set.iter()
                .map(|channel| NAMES[channel.index()])
                .collect::<Vec<_>>()
                .join(" ")
        };
        let mut load = load(&NAMES.map(|name| (name, 1)));
        assert_eq!(names(load.interrupts(channel(by), &channels)), hit, "{by}");
        assert_eq!(
            names(load.interrupted(&channels)),
            "",
            "an offer of {by} only reserves"
        );
        load.connect(channel(by));
        assert_eq!(names(load.interrupted(&channels)), hit, "{by} connected");
        load.disconnect(channel(by));
        assert_eq!(names(load.interrupted(&channels)), "", "{by} in wrap-up");
        load.remove(channel(by));
        assert_eq!(
            names(load.interrupts(channel(by), &channels)),
            hit,
            "{by} gone"
        );
    }
}

#[test]
fn interrupted_work_resumes_with_the_last_leg_that_interrupts_it() {
    let channels = Channels::default();
    let mut load = load(&[("email", 4), ("chat", 2)]);
    load.connect(channel("chat"));
    load.connect(channel("chat"));
    load.disconnect(channel("chat"));
    load.remove(channel("chat"));
    assert_eq!(
        load.interrupted(&channels),
        ChannelSet::of(channel("email"))
    );
    load.disconnect(channel("chat"));
    assert!(load.interrupted(&channels).is_empty());
    assert_eq!(
        fits(&load, &channels, &Capacity::default()),
        "p+i+i",
        "in wrap-up the chat still counts"
    );
}

#[test]
fn interrupted_work_counts_but_for_what_interrupts_it() {
    let channels = Channels::default();
    let mut load = load(&[("sms", 5), ("voice", 1)]);
    load.connect(channel("voice"));
    assert_eq!(fits(&load, &channels, &Capacity::default()), "mpiii");
    assert_eq!(load.points(&channels), 100, "the texts rest");
    load.disconnect(channel("voice"));
    load.remove(channel("voice"));
    assert_eq!(load.points(&channels), 100, "the texts again");
    assert_eq!(fits(&load, &channels, &Capacity::default()), "+ppmp");
}

#[test]
fn chats_that_voice_interrupts_leave_room_for_a_call() {
    let mut rules: Vec<ChannelRules> = Channels::default().into();
    rules[1].interrupted_by = ChannelSet::of(channel("voice"));
    let channels = Channels::new(rules);
    let mut load = load(&[("chat", 3)]);
    assert_eq!(fits(&load, &channels, &Capacity::default()), "+mipi");
    load.add(channel("voice"));
    assert_eq!(
        fits(&load, &channels, &Capacity::default()),
        "miiii",
        "no chat during the call"
    );
    load.connect(channel("voice"));
    assert_eq!(load.interrupted(&channels), ChannelSet::of(channel("chat")));
}

#[test]
fn an_agents_own_limits() {
    let channels = Channels::default();
    let two_chats = Capacity {
        points: 100,
        max: vec![(channel("chat"), 2)],
    };
    assert_eq!(fits(&load(&[("chat", 1)]), &channels, &two_chats), "p+i+i");
    assert_eq!(fits(&load(&[("chat", 2)]), &channels, &two_chats), "pmi+i");
    let half = Capacity {
        points: 50,
        max: Vec::new(),
    };
    assert_eq!(fits(&load(&[]), &channels, &half), "p++++");
    assert_eq!(fits(&load(&[("chat", 1)]), &channels, &half), "ppi+i");
    let none = Capacity {
        points: 0,
        max: Vec::new(),
    };
    assert_eq!(fits(&load(&[]), &channels, &none), "ppppp");

    let chats = load(&[("chat", 2)]);
    assert!(!chats.is_over(&channels, &two_chats));
    assert!(chats.is_over(&channels, &half), "lowered below the load");
    let one = Capacity {
        points: 100,
        max: vec![(channel("chat"), 1)],
    };
    assert!(chats.is_over(&channels, &one));
}

#[test]
fn a_channel_that_is_not_there_has_no_room() {
    let channels = Channels::default();
    let other = ChannelId(63);
    let mut load = Load::default();
    assert_eq!(
        load.room_for(other, &channels, &Capacity::default()),
        Err(NoRoom::Max)
    );
    load.add(other);
    assert_eq!((load.count(other), load.points(&channels)), (1, 0));
    assert_eq!(ChannelSet::of(ChannelId(64)), ChannelSet::EMPTY);
}

#[test]
fn accounts_and_tables_are_kept_as_they_are() {
    let mut load = load(&[("voice", 1), ("email", 3)]);
    load.connect(channel("voice"));
    let text = serde_json::to_string(&(&load, Channels::default(), Capacity::default())).unwrap();
    let (kept, channels, capacity): (Load, Channels, Capacity) =
        serde_json::from_str(&text).unwrap();
    assert_eq!(
        (kept, channels, capacity),
        (load, Channels::default(), Capacity::default())
    );
    assert_eq!(format!("{:?}", ChannelSet(0b101)), "{0, 2}");
}

/// Up to six channels of any weight that interrupt each other in any way.
fn tables() -> impl Strategy<Value = Channels> {
    let rules = (1..=100u32, 1..=6u32, 0..64u64).prop_map(|(weight, max, by)| ChannelRules {
        name: String::new(),
        weight,
        max,
        interrupted_by: ChannelSet(by),
    });
    proptest::collection::vec(rules, 1..=6).prop_map(|mut rules| {
        for (own, rules) in (0u8..).zip(&mut rules) {
            rules.interrupted_by.remove(ChannelId(own));
        }
        Channels::new(rules)
    })
}

proptest! {
    /// Whatever is offered where it fits, connected and ended in any order: what is not
    /// interrupted never weighs more than the agent carries, and no channel has more than its max.
    #[test]
    fn work_that_fits_never_overloads(
        channels in tables(),
        acts in proptest::collection::vec((0..6u8, 0..4u8), 0..60),
    ) {
        let agent = Capacity::default();
        let mut load = Load::default();
        for (channel, act) in acts {
            let channel = ChannelId(channel);
            let resting = load.count(channel) - load.connected_count(channel);
            match act {
                0 if load.room_for(channel, &channels, &agent).is_ok() => load.add(channel),
                1 if resting > 0 => load.connect(channel),
                2 if load.connected_count(channel) > 0 => load.disconnect(channel),
                3 if resting > 0 => load.remove(channel),
                _ => {}
            }
            prop_assert!(!load.is_over(&channels, &agent), "{load:?}");
            for (channel, _) in channels.iter() {
                let free = load.free_for(channel, &channels, &agent);
                let mut filled = load.clone();
                (0..free).for_each(|_| {
                    assert_eq!(filled.room_for(channel, &channels, &agent), Ok(()));
                    filled.add(channel);
                });
                prop_assert!(filled.room_for(channel, &channels, &agent).is_err());
            }
            let interrupted = load.interrupted(&channels);
            for channel in interrupted.iter() {
                let by = channels.get(channel).unwrap().interrupted_by;
                prop_assert!(by.iter().any(|by| load.connected_count(by) > 0));
                prop_assert!(load.count(channel) > 0);
            }
        }
    }
}
