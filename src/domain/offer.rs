//! Offers and how they end: a closed set.

use serde::{Deserialize, Serialize};

/// How an offer ended. `accepted` is written when the leg is connected.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A leg came of it.
    Accepted,
    /// The agent said no.
    Declined,
    /// The agent did not answer in time.
    Missed,
    /// It was taken back; never the agent's fault.
    Withdrawn(Withdrawn),
    /// The page did not show it, or the leg did not connect.
    Failed,
}

/// Why an offer was taken back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withdrawn {
    /// The customer left.
    Abandoned,
    /// Another agent was first.
    LostRace,
    /// The agent stopped being routable.
    AgentLeft,
    /// A supervisor decided otherwise.
    Supervisor,
    /// The contact went to another queue.
    Moved,
    /// The contact waited too long for this queue.
    Overflowed,
    /// The agent no longer meets the requirement, and the queue is strict.
    NotEligible,
    /// The floor or the queue was restarted.
    Restarted,
}

impl Outcome {
    /// An agent who declined, missed or failed to connect is excluded from the contact for a
    /// while: nothing would be different at once.
    #[must_use]
    pub fn excludes(self) -> bool {
        match self {
            Self::Declined | Self::Missed | Self::Failed => true,
            Self::Accepted | Self::Withdrawn(_) => false,
        }
    }
}

/// The floor's state of an agent, as the agent or a supervisor set it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentState {
    /// Not here.
    SignedOut,
    /// Takes work.
    Available,
    /// Takes none, for a reason.
    NotReady(String),
}

/// Reason of the `not_ready` that follows missed offers.
pub const MISSED: &str = "missed";
/// Reason of the `not_ready` that follows technical failures in a row.
pub const TECHNICAL: &str = "technical";
