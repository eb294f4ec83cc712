//! The capacity rule as the contract states it, written a second time to judge the server by.

/// What the generator knows of a channel; the defaults of a workspace.
#[derive(Clone, Copy, Debug)]
pub struct Channel {
    /// Name on the wire.
    pub name: &'static str,
    /// Points of 100 that one contact takes.
    pub weight: u32,
    /// Contacts of it at once.
    pub max: usize,
    /// Bits of the channels whose work interrupts it.
    pub interrupted_by: u8,
    /// Target that makes the due time, in milliseconds.
    pub target_ms: i64,
}

/// Voice, chat, email and SMS, in this order everywhere in the generator.
pub const CHANNELS: [Channel; 4] = [
    Channel {
        name: "voice",
        weight: 100,
        max: 1,
        interrupted_by: 0,
        target_ms: 20_000,
    },
    Channel {
        name: "chat",
        weight: 30,
        max: 3,
        interrupted_by: 0,
        target_ms: 60_000,
    },
    Channel {
        name: "email",
        weight: 10,
        max: 10,
        interrupted_by: 0b0011,
        target_ms: 4 * 3_600_000,
    },
    Channel {
        name: "sms",
        weight: 20,
        max: 5,
        interrupted_by: 0b0001,
        target_ms: 300_000,
    },
];

/// Points of work an agent carries at once.
const CAPACITY: u32 = 100;

/// Index of a channel by its name.
pub fn channel(name: &str) -> Option<usize> {
    CHANNELS.iter().position(|channel| channel.name == name)
}

/// How far one piece of an agent's work has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// An offer rings.
    Offered,
    /// Accepted, and the media not there yet.
    Connecting,
    /// Talking.
    Connected,
    /// Writing up.
    WrapUp,
}

/// One piece of an agent's work.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    /// The contact, by the generator's own number.
    pub contact: u32,
    /// Index of its channel.
    pub channel: usize,
    /// How far it has come.
    pub phase: Phase,
}

/// `count(X) + 1 <= max(X)` and the weight of what X does not interrupt, plus X, within 100.
pub fn fits(work: &[Work], channel: usize) -> bool {
    let own = CHANNELS[channel];
    let count = work.iter().filter(|item| item.channel == channel).count();
    let bit = 1_u8 << channel;
    let load: u32 = work
        .iter()
        .map(|item| CHANNELS[item.channel])
        .filter(|other| other.interrupted_by & bit == 0)
        .map(|other| other.weight)
        .sum();
    count < own.max && load + own.weight <= CAPACITY
}

/// Whether work that rings, connects or talks interrupts the channel.
pub fn interrupted(work: &[Work], channel: usize) -> bool {
    work.iter()
        .filter(|item| item.phase != Phase::WrapUp)
        .any(|item| CHANNELS[channel].interrupted_by & (1 << item.channel) != 0)
}

/// Whether the agent can surely take one more, however the rule on wrap-up is read.
pub fn free(work: &[Work], channel: usize) -> bool {
    let blocked = work
        .iter()
        .any(|item| CHANNELS[channel].interrupted_by & (1 << item.channel) != 0);
    !blocked && fits(work, channel)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOICE: usize = 0;
    const CHAT: usize = 1;
    const EMAIL: usize = 2;
    const SMS: usize = 3;

    fn work(items: &[(usize, Phase)]) -> Vec<Work> {
        items
            .iter()
            .map(|(channel, phase)| Work {
                contact: 0,
                channel: *channel,
                phase: *phase,
            })
            .collect()
    }

    #[test]
    fn the_rule_as_a_table() {
        use Phase::{Connected, Offered, WrapUp};
        type Case = (&'static [(usize, Phase)], usize, bool, bool);
        let cases: [Case; 10] = [
            (&[], VOICE, true, true),
            (&[(VOICE, Offered)], VOICE, false, false),
            (&[(CHAT, Connected); 2], CHAT, true, true),
            (&[(CHAT, Connected); 3], CHAT, false, false),
            (&[(CHAT, Connected)], VOICE, false, false),
            (&[(EMAIL, Connected); 3], VOICE, true, true),
            (&[(SMS, Connected); 5], VOICE, true, true),
            (&[(VOICE, Connected)], SMS, false, false),
            (&[(CHAT, Connected)], EMAIL, true, false),
            (&[(CHAT, WrapUp)], SMS, true, true),
        ];
        for (items, channel, fit, sure) in cases {
            let work = work(items);
            let case = format!("{items:?} then {}", CHANNELS[channel].name);
            assert_eq!(fits(&work, channel), fit, "{case} fits");
            assert_eq!(free(&work, channel), sure, "{case} is free");
        }
    }

    #[test]
    fn a_ringing_or_running_chat_interrupts_email_and_its_wrap_up_may_not() {
        assert!(interrupted(&work(&[(CHAT, Phase::Offered)]), EMAIL));
        assert!(!interrupted(&work(&[(CHAT, Phase::WrapUp)]), EMAIL));
        assert!(!interrupted(&work(&[(CHAT, Phase::Connected)]), SMS));
    }
}
