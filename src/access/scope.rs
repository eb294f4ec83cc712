//! The seven scopes, as a set in one byte. Grants add up, a denial beats every grant, and no
//! order among scopes is implied.

use std::fmt;
use std::ops::BitOr;
use std::str::FromStr;

/// A set of objects, named from where the principal stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Scope {
    /// Me; an offer made to me or a contact whose owner leg is mine; what I made.
    Own,
    /// Contacts in which a leg of mine is connected or in wrap-up, and their customers.
    Conversation,
    /// Agents and contacts of queues I serve; pull lists I am subscribed to.
    Queue,
    /// Members of my teams, contacts with a fact in them, things of theirs.
    Team,
    /// Whatever has a fact in the teams and queues I supervise.
    Supervised,
    /// Listed ids, or contacts with facts in them.
    Named,
    /// The workspace's.
    All,
}

impl Scope {
    /// Every scope, in the order of the page.
    pub const EVERY: [Self; 7] = [
        Self::Own,
        Self::Conversation,
        Self::Queue,
        Self::Team,
        Self::Supervised,
        Self::Named,
        Self::All,
    ];

    /// The word for it in files and on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Conversation => "conversation",
            Self::Queue => "queue",
            Self::Team => "team",
            Self::Supervised => "supervised",
            Self::Named => "named",
            Self::All => "all",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The word names no scope.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "unknown scope {0:?}; one of own, conversation, queue, team, supervised, named, all is meant"
)]
pub struct UnknownScope(pub String);

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(word: &str) -> Result<Self, UnknownScope> {
        Self::EVERY
            .into_iter()
            .find(|scope| scope.name() == word)
            .ok_or_else(|| UnknownScope(word.to_owned()))
    }
}

/// A set of scopes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Scopes(u8);

impl Scopes {
    /// No scope.
    pub const NONE: Self = Self(0);

    /// The set of one scope.
    #[must_use]
    pub const fn only(scope: Scope) -> Self {
        Self(1 << scope as u8)
    }

    /// The set that a cell of the catalogue names by its letters: `o` own, `c` conversation,
    /// `q` queue, `t` team, `s` supervised, `a` all. `d` (by agent view) and `-` are no scope.
    ///
    /// # Panics
    /// When a constant of the catalogue holds another letter, which fails the build.
    #[must_use]
    pub(super) const fn letters(cell: &str) -> Self {
        let letters = cell.as_bytes();
        let mut set = Self::NONE;
        let mut at = 0;
        while at < letters.len() {
            let scope = match letters[at] {
                b'o' => Self::only(Scope::Own),
                b'c' => Self::only(Scope::Conversation),
                b'q' => Self::only(Scope::Queue),
                b't' => Self::only(Scope::Team),
                b's' => Self::only(Scope::Supervised),
                b'a' => Self::only(Scope::All),
                b'd' | b'-' => Self::NONE,
                _ => panic!("no scope has this letter"),
            };
            set = set.union(scope);
            at += 1;
        }
        set
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the sets share a scope.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether the scope is in the set.
    #[must_use]
    pub const fn has(self, scope: Scope) -> bool {
        self.meets(Self::only(scope))
    }

    /// Whether no scope is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The scopes of the set, in the order of the page.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::EVERY
            .into_iter()
            .filter(move |scope| self.has(*scope))
    }
}

impl BitOr for Scopes {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        scopes
            .into_iter()
            .fold(Self::NONE, |set, scope| set | Self::only(scope))
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
