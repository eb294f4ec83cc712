//! Identifiers. Configured objects are interned to small numbers; contacts carry the
//! UUID v7 that the wire shows; offers and reservations are numbered by their floor.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! interned {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u32);

        impl $name {
            /// Position of this object in the tables that are indexed by it.
            #[must_use]
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

interned!(
    /// A queue of a workspace.
    QueueId
);
interned!(
    /// A user of a workspace: a person, an integration, a wallboard or a visitor.
    UserId
);
interned!(
    /// A user who can handle contacts; the same number as the user's.
    AgentId
);

impl UserId {
    /// This user as an agent.
    #[must_use]
    pub const fn agent(self) -> AgentId {
        AgentId(self.0)
    }
}

impl AgentId {
    /// The user that this agent is.
    #[must_use]
    pub const fn user(self) -> UserId {
        UserId(self.0)
    }
}

impl From<AgentId> for UserId {
    fn from(agent: AgentId) -> Self {
        agent.user()
    }
}

impl From<UserId> for AgentId {
    fn from(user: UserId) -> Self {
        user.agent()
    }
}

interned!(
    /// A team of a workspace.
    TeamId
);
interned!(
    /// A skill of a workspace.
    SkillId
);
interned!(
    /// A lane of one queue; never used again within an incarnation of that queue.
    LaneId
);

/// A channel of a workspace: `voice`, `chat`, `email`, `sms` or a custom one. At most 64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChannelId(pub u8);

impl ChannelId {
    /// Position of this channel in the tables that are indexed by it.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A contact: the UUID v7 that the wire shows. Younger contacts have greater ids.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContactId(pub uuid::Uuid);

impl fmt::Display for ContactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl fmt::Debug for ContactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for ContactId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        uuid::Uuid::parse_str(text).map(Self)
    }
}

macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                text.strip_prefix($prefix)
                    .and_then(|digits| digits.parse().ok())
                    .map(Self)
                    .ok_or(NotAnId)
            }
        }
    };
}

numbered!(
    /// A reservation's seat as the agent sees it. Never used again, not even after a crash.
    OfferId,
    "o"
);
numbered!(
    /// The floor's promise of seats to one contact or request.
    ReservationId,
    "r"
);
/// A command to a connector that is confirmed by `media.report`; names its contact, so that
/// the report finds the queue without a table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct CommandId {
    /// The contact it is about.
    pub contact: ContactId,
    /// Number of the command within the contact.
    pub number: u32,
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m{}.{}", self.number, self.contact)
    }
}

impl std::str::FromStr for CommandId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let (number, contact) = text
            .strip_prefix('m')
            .and_then(|rest| rest.split_once('.'))
            .ok_or(NotAnId)?;
        Ok(Self {
            contact: contact.parse().map_err(|_| NotAnId)?,
            number: number.parse().map_err(|_| NotAnId)?,
        })
    }
}

/// The text is no id of this kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not an id of this kind")]
pub struct NotAnId;

/// One sign-in of an agent. A later sign-in has a greater number and takes the seat over.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(pub u64);

/// One life of an actor. Messages between floor and queue of an older life are dropped.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Incarnation(pub u32);

/// Number of an event in the log of a floor; positions grow by at least one.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Seq(pub u64);
