//! The lens: what of an object may be seen. Masks of personal data and pseudonyms of agents are
//! made here, where the outgoing message is built, and never in a client.

use crate::id::AgentId;
use crate::time::Instant;
use aws_lc_rs::hmac;
use std::borrow::Cow;
use std::fmt;

/// What of an object the holder of a right may see of it, and write to it.
///
/// A lens holds for the object it was decided on. The lens of [`Facts::Rows`] says how the view
/// as a whole is encoded; each of its rows is decided on its own facts.
///
/// [`Facts::Rows`]: super::facts::Facts::Rows
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Lens {
    /// Personal data of customers.
    pub pii: Pii,
    /// Agents.
    pub agents: Agents,
    /// Whether legs that nobody is told about are shown.
    pub private_legs: bool,
    /// Messages of the conversation that may be read.
    pub reads: Messages,
    /// Messages that may be written.
    pub writes: Messages,
}

/// How personal data of customers is shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Pii {
    /// As it is.
    Clear,
    /// Masked; it can be neither filtered on nor read back.
    Masked,
}

/// How agents are shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Agents {
    /// By name.
    Identified,
    /// By a pseudonym of the session, times cut to the minute.
    Anonymous,
}

/// Messages of a conversation, by audience.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Messages {
    /// None.
    None,
    /// Audience `agents` only.
    AmongAgents,
    /// Audience `all` only, the customer among it.
    WithCustomer,
    /// Of either audience.
    All,
}

impl Messages {
    /// Whether a message with audience `all` is among them.
    #[must_use]
    pub const fn with_customer(self) -> bool {
        match self {
            Self::WithCustomer | Self::All => true,
            Self::None | Self::AmongAgents => false,
        }
    }

    /// Whether a message with audience `agents` is among them.
    #[must_use]
    pub const fn among_agents(self) -> bool {
        match self {
            Self::AmongAgents | Self::All => true,
            Self::None | Self::WithCustomer => false,
        }
    }
}

impl Lens {
    /// A text of this kind as the lens shows it.
    #[must_use]
    pub fn show<'a>(&self, kind: PiiKind, text: &'a str) -> Cow<'a, str> {
        match self.pii {
            Pii::Clear => Cow::Borrowed(text),
            Pii::Masked => Cow::Owned(mask(kind, text)),
        }
    }

    /// The pseudonym that stands for an agent; `None` where he is shown by name.
    #[must_use]
    pub fn pseudonym(&self, key: &PseudonymKey, agent: AgentId) -> Option<Pseudonym> {
        match self.agents {
            Agents::Identified => None,
            Agents::Anonymous => Some(key.pseudonym(agent)),
        }
    }

    /// An agent's time, cut to the minute where agents are anonymous: exact times would link
    /// the rows of two sessions.
    #[must_use]
    pub fn agent_time(&self, at: Instant) -> Instant {
        match self.agents {
            Agents::Identified => at,
            Agents::Anonymous => Instant(at.0 - at.0 % 60_000),
        }
    }
}

/// What a masked text is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PiiKind {
    /// A person's name: first letters stay.
    Name,
    /// A telephone number: the last two digits stay.
    Phone,
    /// An email or SIP address: the domain stays.
    Address,
    /// Anything else: nothing stays.
    Other,
}

/// What stands for what is hidden, whatever its length.
const HIDDEN: &str = "***";

/// A number with fewer digits would be nearly told by its last two.
const PHONE_DIGITS_MIN: usize = 5;

/// The mask of a text. Never longer than a few characters a word, and of a length that tells
/// nothing. An empty text stays empty.
#[must_use]
pub fn mask(kind: PiiKind, text: &str) -> String {
    if text.trim().is_empty() {
        return String::new();
    }
    match kind {
        PiiKind::Name => mask_name(text),
        PiiKind::Phone => mask_phone(text),
        PiiKind::Address => mask_address(text),
        PiiKind::Other => HIDDEN.to_owned(),
    }
}

fn mask_name(name: &str) -> String {
    let words = name.split_whitespace().map(|word| {
        let first = word.chars().find(|c| c.is_alphanumeric());
        first.map_or_else(|| HIDDEN.to_owned(), |letter| format!("{letter}{HIDDEN}"))
    });
    words.collect::<Vec<_>>().join(" ")
}

fn mask_phone(number: &str) -> String {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    match digits.as_slice() {
        [.., tens, ones] if digits.len() >= PHONE_DIGITS_MIN => format!("{HIDDEN}{tens}{ones}"),
        _ => HIDDEN.to_owned(),
    }
}

fn mask_address(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((_, domain)) if !domain.is_empty() => format!("{HIDDEN}@{domain}"),
        Some(_) | None => HIDDEN.to_owned(),
    }
}

/// Whether a text that a client sent is a mask: such a value is ignored, so that a form saved
/// by a masked reader cannot write masks into the profile.
#[must_use]
pub fn is_mask(text: &str) -> bool {
    text.contains(HIDDEN)
}

/// The key of one session's pseudonyms. Drawn by the session, and never shown.
#[derive(Clone)]
pub struct PseudonymKey(hmac::Key);

impl PseudonymKey {
    /// The key made of these random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
    }

    /// The pseudonym of an agent in this session.
    #[must_use]
    pub fn pseudonym(&self, agent: AgentId) -> Pseudonym {
        let tag = hmac::sign(&self.0, &agent.0.to_be_bytes());
        let head = tag.as_ref().iter().take(8);
        Pseudonym(head.fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PseudonymKey")
    }
}

/// What stands for an agent in one anonymous session. Rows are sent in its order, so that their
/// order tells nothing either; without the key it leads back to nobody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Pseudonym(u64);

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "anon-{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_keep_what_the_page_says_and_no_more() {
        for (kind, text, masked) in [
            (PiiKind::Name, "John Doe", "J*** D***"),
            (PiiKind::Name, "Zoë", "Z***"),
            (PiiKind::Name, "  ørsted   'Q", "ø*** Q***"),
            (PiiKind::Name, "—", "***"),
            (PiiKind::Phone, "+44 20 7946 0958", "***58"),
            (PiiKind::Phone, "5551", "***"),
            (PiiKind::Phone, "anonymous", "***"),
            (PiiKind::Address, "rosa@example.org", "***@example.org"),
            (PiiKind::Address, "\"a@b\"@example.org", "***@example.org"),
            (
                PiiKind::Address,
                "sip:ana@pbx.example:5060",
                "***@pbx.example:5060",
            ),
            (PiiKind::Address, "12 Long Lane", "***"),
            (PiiKind::Address, "rosa@", "***"),
            (PiiKind::Other, "AB-123", "***"),
            (PiiKind::Other, "", ""),
        ] {
            assert_eq!(mask(kind, text), masked, "{text:?}");
            assert_eq!(is_mask(masked), !masked.is_empty());
        }
        assert!(!is_mask("J* D*"));
    }

    #[test]
    fn pseudonyms_are_stable_in_a_session_and_do_not_link_two() {
        let one = PseudonymKey::new([1; 32]);
        let other = PseudonymKey::new([2; 32]);
        let agents: Vec<_> = (0..100).map(AgentId).collect();
        let names = |key: &PseudonymKey| -> Vec<_> {
            agents.iter().map(|agent| key.pseudonym(*agent)).collect()
        };
        assert_eq!(names(&one), names(&PseudonymKey::new([1; 32])));
        assert!(names(&one).iter().all(|p| !names(&other).contains(p)));
        let by_name = |key: &PseudonymKey| {
            let mut order = agents.clone();
            order.sort_by_key(|agent| key.pseudonym(*agent));
            order
        };
        assert_ne!(by_name(&one), by_name(&other));
        assert_ne!(by_name(&one), agents);
    }
}
