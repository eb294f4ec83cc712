//! External privileges: pages that a routing engine does not have, guarded by data under
//! `ext.<name>`. The starter rows are known to every workspace; a workspace may add its own.

use super::privilege::{Level, Privilege, UnknownPrivilege};
use crate::limits::EXT_PAGES;
use std::borrow::Cow;

/// An external page: a starter row of [`STARTER`], or a page that the workspace added.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ExtId(pub(super) u8);

/// One external page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExtPage {
    /// Dotted name without a level, `ext.` included.
    pub name: &'static str,
    /// Names of its levels; for a page without levels all three are its own name.
    pub(super) names: [&'static str; 3],
    /// Whether it is granted by level.
    pub levels: bool,
}

macro_rules! starter {
    (@page levels $name:literal) => {
        ExtPage {
            name: $name,
            names: [concat!($name, ".view"), concat!($name, ".edit"), concat!($name, ".delete")],
            levels: true,
        }
    };
    (@page plain $name:literal) => {
        ExtPage { name: $name, names: [$name; 3], levels: false }
    };
    ($( $constant:ident $name:literal $kind:ident; )*) => {
        #[expect(non_camel_case_types, clippy::upper_case_acronyms, reason = "numbers the constants")]
        #[repr(u8)]
        enum Number { $( $constant, )* }

        /// The pages every workspace knows.
        pub const STARTER: &[ExtPage] = &[ $( starter!(@page $kind $name), )* ];

        impl ExtId {
            $(
                #[doc = concat!("`", $name, "`")]
                pub const $constant: Self = Self(Number::$constant as u8);
            )*
        }
    };
}

starter! {
    ROUTING_FLOWS "ext.routing_flows" levels;
    FLOW_EDITOR "ext.flow_editor" plain;
    CAMPAIGNS "ext.campaigns" levels;
    CAMPAIGNS_PROGRESS "ext.campaigns.progress" plain;
    WEBCHAT_FLOWS "ext.webchat_flows" levels;
    PLAY_BOOKS "ext.play_books" levels;
    AUDIO_FILES "ext.audio_files" levels;
    AREA_CODES "ext.area_codes" levels;
    SURVEYS "ext.surveys" levels;
    CALL_SLOTS "ext.call_slots" levels;
    AGENT_SCRIPTS "ext.agent_scripts" levels;
    PAYMENTS "ext.payments" levels;
    PAYMENTS_RECEIVE "ext.payments.receive" plain;
    PAYMENTS_PAY_OUT "ext.payments.pay_out" plain;
    SFTP "ext.sftp" levels;
    THEMES "ext.themes" levels;
    EMAIL_EDITOR "ext.email_editor" levels;
    SYSTEM_ASSETS "ext.system_assets" levels;
    EMIS "ext.emis" levels;
    EMIS_APP "ext.emis.app" plain;
    WIDGET_DYNAMICS "ext.widget.dynamics" plain;
    WIDGET_SALESFORCE "ext.widget.salesforce" plain;
    WIDGET_ZENDESK "ext.widget.zendesk" plain;
    TEAMS_PRESENCE "ext.teams_presence" plain;
}

/// The external pages of one workspace: the starter rows and what it added.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ExtNames {
    added: Vec<(Box<str>, bool)>,
}

/// Why a page cannot be added.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotAPage {
    /// The name is not `ext.` and words of `a-z0-9_` between dots.
    #[error(
        "{0:?} is no name for an external page; `ext.` and words of a-z, 0-9 and _ with dots between them is meant"
    )]
    Name(String),
    /// The name is taken, by a page or by a level of one.
    #[error("the external page {0:?} exists already")]
    Taken(String),
    /// The workspace has [`EXT_PAGES`] already.
    #[error("a workspace has at most {EXT_PAGES} external pages")]
    TooMany,
}

impl ExtNames {
    /// Adds a page of the workspace's own.
    ///
    /// # Errors
    /// [`NotAPage`] says what is wrong with the name.
    pub fn add(&mut self, name: &str, levels: bool) -> Result<ExtId, NotAPage> {
        let words = name.strip_prefix("ext.").unwrap_or_default();
        let well_formed = words.split('.').all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        });
        if !well_formed {
            return Err(NotAPage::Name(name.to_owned()));
        }
        let clashes = |other: &str| {
            let level_of = |page: &str, text: &str| {
                text.strip_prefix(page)
                    .and_then(|rest| rest.strip_prefix('.'))
                    .is_some_and(|rest| Level::from_name(rest).is_some())
            };
            other == name || level_of(other, name) || level_of(name, other)
        };
        if self.pages().any(|(page, _)| clashes(page)) {
            return Err(NotAPage::Taken(name.to_owned()));
        }
        let number = STARTER.len() + self.added.len();
        if number >= EXT_PAGES {
            return Err(NotAPage::TooMany);
        }
        self.added.push((name.into(), levels));
        u8::try_from(number)
            .map(ExtId)
            .map_err(|_| NotAPage::TooMany)
    }

    /// Every page with its name and whether it has levels, in the order of their ids.
    pub fn pages(&self) -> impl Iterator<Item = (&str, bool)> {
        let starter = STARTER.iter().map(|page| (page.name, page.levels));
        starter.chain(self.added.iter().map(|(name, levels)| (&**name, *levels)))
    }

    /// Every privilege of the workspace, pages of its own included.
    pub fn every(&self) -> impl Iterator<Item = Privilege> {
        let added = self.added.iter().zip(STARTER.len()..);
        let added = added.flat_map(|((_, levels), number)| {
            let count = if *levels { Level::EVERY.len() } else { 1 };
            let page = u8::try_from(number).map(ExtId).ok();
            let of_page = move |level| page.map(|page| Privilege::Ext(page, level));
            Level::EVERY.into_iter().take(count).filter_map(of_page)
        });
        Privilege::every().chain(added)
    }

    /// The privilege of this name, pages of the workspace included.
    ///
    /// # Errors
    /// [`UnknownPrivilege`] when there is none.
    pub fn parse(&self, name: &str) -> Result<Privilege, UnknownPrivilege> {
        let added = self.added.iter().zip(STARTER.len()..);
        for ((page, levels), number) in added {
            let Some(rest) = name.strip_prefix(&**page) else {
                continue;
            };
            let level = match (rest.strip_prefix('.'), levels) {
                (Some(word), true) => Level::from_name(word),
                (None, false) if rest.is_empty() => Some(Level::View),
                (Some(_), false) | (None, _) => None,
            };
            if let (Some(level), Ok(number)) = (level, u8::try_from(number)) {
                return Ok(Privilege::Ext(ExtId(number), level));
            }
        }
        name.parse()
    }

    /// The name of a privilege, pages of the workspace included.
    #[must_use]
    pub fn name_of(&self, privilege: Privilege) -> Cow<'static, str> {
        let Privilege::Ext(ExtId(number), level) = privilege else {
            return Cow::Borrowed(privilege.name());
        };
        match usize::from(number)
            .checked_sub(STARTER.len())
            .and_then(|at| self.added.get(at))
        {
            Some((name, true)) => Cow::Owned(format!("{name}.{}", level.name())),
            Some((name, false)) => Cow::Owned(name.to_string()),
            None => Cow::Borrowed(privilege.name()),
        }
    }
}
