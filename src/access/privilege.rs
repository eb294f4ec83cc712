//! Privileges by name and number, the levels of some, and expressions over them.
//! The table itself is `catalogue.rs`.

pub use super::catalogue::{Mark, Privilege, Row, Source};
use super::catalogue::{Part, ROWS};
use super::ext::{ExtId, STARTER};
use std::fmt;
use std::str::FromStr;

/// How far a grant on a configuration object or an external page goes. Each level implies the
/// ones before it: add, change, copy, import and export need `edit`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Level {
    /// Read.
    View,
    /// Add, change, copy, import, export.
    Edit,
    /// Delete.
    Delete,
}

impl Level {
    /// Every level, weakest first.
    pub const EVERY: [Self; 3] = [Self::View, Self::Edit, Self::Delete];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Edit => "edit",
            Self::Delete => "delete",
        }
    }

    /// The level of this name.
    #[must_use]
    pub fn from_name(word: &str) -> Option<Self> {
        Self::EVERY.into_iter().find(|level| level.name() == word)
    }
}

macro_rules! config_objects {
    ($( $variant:ident $name:literal $per_channel:literal; )*) => {
        /// A kind of configuration object. Labels, customer schema, wallboards, reports, roles
        /// and agent views are not among them: they have privileges of their own.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum ConfigObject {
            $(
                #[doc = concat!("`", $name, "`")]
                $variant,
            )*
        }

        impl ConfigObject {
            /// Every kind, in the order of the page.
            pub const EVERY: &[Self] = &[ $( Self::$variant, )* ];

            /// The word for it, as in `config.list {object}`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $( Self::$variant => $name, )* }
            }

            /// Whether grants on it may name channels.
            #[must_use]
            pub const fn per_channel(self) -> bool {
                match self { $( Self::$variant => $per_channel, )* }
            }

            const fn privilege_name(self, level: Level) -> &'static str {
                match (self, level) {
                    $(
                        (Self::$variant, Level::View) => concat!("config.", $name, ".view"),
                        (Self::$variant, Level::Edit) => concat!("config.", $name, ".edit"),
                        (Self::$variant, Level::Delete) => concat!("config.", $name, ".delete"),
                    )*
                }
            }
        }
    };
}

config_objects! {
    Users "users" false;
    Teams "teams" false;
    Profiles "profiles" false;
    Skills "skills" false;
    Queues "queues" true;
    PullLists "pull_lists" false;
    EntryPoints "entry_points" true;
    SenderAddresses "sender_addresses" true;
    Connectors "connectors" true;
    ConnectorDefaults "connector_defaults" false;
    BreakReasons "break_reasons" false;
    WrapUpCodes "wrap_up_codes" false;
    HolidayLists "holiday_lists" false;
    TimeRanges "time_ranges" false;
    ExternalDestinations "external_destinations" false;
    NumberLists "number_lists" false;
    Assets "assets" false;
    AgentSettings "agent_settings" false;
    AlertRules "alert_rules" false;
    EventDestinations "event_destinations" false;
    EventRoutes "event_routes" false;
    Channels "channels" false;
    ApiTokens "api_tokens" false;
    Workspace "workspace" false;
}

const LEVELS: usize = Level::EVERY.len();
const CONFIG_FROM: usize = ROWS.len();
const EXT_FROM: usize = CONFIG_FROM + ConfigObject::EVERY.len() * LEVELS;

impl Privilege {
    /// Privileges with a number below this are known to every workspace.
    pub const KNOWN: usize = EXT_FROM + STARTER.len() * LEVELS;

    /// Every privilege that every workspace knows, external starter rows included.
    pub fn every() -> impl Iterator<Item = Self> {
        let plain = ROWS.iter().map(|row| row.privilege);
        let config = ConfigObject::EVERY
            .iter()
            .flat_map(|object| Level::EVERY.map(|level| Self::Config(*object, level)));
        let ext = (0_u8..).zip(STARTER).flat_map(|(number, page)| {
            let levels = if page.levels { LEVELS } else { 1 };
            Level::EVERY
                .into_iter()
                .take(levels)
                .map(move |level| Self::Ext(ExtId(number), level))
        });
        plain.chain(config).chain(ext)
    }

    /// Position of this privilege in the tables that are indexed by it.
    #[must_use]
    pub const fn index(self) -> usize {
        match self.part() {
            Part::Row(number) => number,
            Part::Config(object, level) => CONFIG_FROM + object as usize * LEVELS + level as usize,
            Part::Ext(page, level) => EXT_FROM + page.0 as usize * LEVELS + level as usize,
        }
    }

    /// The dotted name. A page that a workspace added is only `ext` here; its name is
    /// [`ExtNames::name_of`](super::ext::ExtNames::name_of).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.part() {
            Part::Row(number) => ROWS[number].name,
            Part::Config(object, level) => object.privilege_name(level),
            Part::Ext(page, level) => STARTER
                .get(usize::from(page.0))
                .map_or("ext", |starter| starter.names[level as usize]),
        }
    }

    /// Its row of the catalogue; `None` for `config.<object>` and `ext`.
    #[must_use]
    pub fn row(self) -> Option<&'static Row> {
        match self.part() {
            Part::Row(number) => Some(&ROWS[number]),
            Part::Config(..) | Part::Ext(..) => None,
        }
    }

    /// Whether grants and denials of it may name channels.
    #[must_use]
    pub fn per_channel(self) -> bool {
        match self.part() {
            Part::Row(number) => ROWS[number].per_channel(),
            Part::Config(object, _) => object.per_channel(),
            Part::Ext(..) => false,
        }
    }

    /// Whether built-in roles other than `agent` hold it only by inheriting `agent`.
    #[must_use]
    pub fn agent_operation(self) -> bool {
        self.row().is_some_and(Row::agent_operation)
    }

    /// Whether only roles that inherit `admin` may be granted it.
    #[must_use]
    pub fn admin_only(self) -> bool {
        self.row().is_some_and(Row::admin_only)
    }
}

impl fmt::Display for Privilege {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no privilege.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("unknown privilege {0:?}")]
pub struct UnknownPrivilege(pub String);

impl FromStr for Privilege {
    type Err = UnknownPrivilege;

    /// Knows the starter rows of `ext`, not the pages that a workspace added; for those
    /// [`ExtNames::parse`](super::ext::ExtNames::parse).
    fn from_str(name: &str) -> Result<Self, UnknownPrivilege> {
        Self::every()
            .find(|privilege| privilege.name() == name)
            .ok_or_else(|| UnknownPrivilege(name.to_owned()))
    }
}

/// What an act needs: an expression over privileges, decided over the facts of its object.
/// Usable in constants, so that the table of methods can hold one per row.
///
/// ```
/// use switchroom::access::privilege::{Needs, Privilege};
/// const PICK_UP: Needs = Needs::AllOf(&[
///     Needs::One(Privilege::QueueContactsPickUp),
///     Needs::Held(Privilege::ContactHandle),
/// ]);
/// assert_eq!(PICK_UP.to_string(), "queue.contacts.pick_up and contact.handle (held)");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Needs {
    /// Public: nothing at all, not even a session.
    Nothing,
    /// The privilege over the object (and its channel, where it is per channel).
    One(Privilege),
    /// The privilege in any scope, on the object's channel where it is per channel:
    /// `contact.handle`, `agent.queue_selection`, acts whose answer is cut row by row.
    Held(Privilege),
    /// The privilege with scope `all`.
    Everywhere(Privilege),
    /// The object is the caller himself.
    Myself,
    /// Every one of these.
    AllOf(&'static [Needs]),
    /// At least one of these.
    AnyOf(&'static [Needs]),
}

impl Needs {
    /// Every privilege that the expression names, in its order.
    pub fn privileges(&self) -> Vec<Privilege> {
        match self {
            Self::Nothing | Self::Myself => Vec::new(),
            Self::One(privilege) | Self::Held(privilege) | Self::Everywhere(privilege) => {
                vec![*privilege]
            }
            Self::AllOf(parts) | Self::AnyOf(parts) => {
                parts.iter().flat_map(Self::privileges).collect()
            }
        }
    }

    fn write_parts(f: &mut fmt::Formatter<'_>, parts: &[Self], word: &str) -> fmt::Result {
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                write!(f, " {word} ")?;
            }
            match part {
                Self::AllOf(_) | Self::AnyOf(_) => write!(f, "({part})")?,
                Self::Nothing
                | Self::One(_)
                | Self::Held(_)
                | Self::Everywhere(_)
                | Self::Myself => write!(f, "{part}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Needs {
    /// The expression in words, as the documentation of methods shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::One(privilege) => write!(f, "{privilege}"),
            Self::Held(privilege) => write!(f, "{privilege} (held)"),
            Self::Everywhere(privilege) => write!(f, "{privilege} (all)"),
            Self::Myself => f.write_str("oneself"),
            Self::AllOf(parts) => Self::write_parts(f, parts, "and"),
            Self::AnyOf(parts) => Self::write_parts(f, parts, "or"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_name_and_number_is_its_own_and_reads_back() {
        let every: Vec<_> = Privilege::every().collect();
        let names: BTreeSet<_> = every.iter().map(|p| p.name()).collect();
        let numbers: BTreeSet<_> = every.iter().map(|p| p.index()).collect();
        assert_eq!(names.len(), every.len());
        assert_eq!(numbers.len(), every.len());
        assert!(numbers.iter().all(|number| *number < Privilege::KNOWN));
        for privilege in every {
            assert_eq!(privilege.name().parse(), Ok(privilege));
        }
        assert!("config.queues".parse::<Privilege>().is_err());
        assert!("ext.nothing".parse::<Privilege>().is_err());
    }
}
