//! Rights: the grants and denials of a set of roles, and of one user, in a dense table with a
//! cell per privilege. Users of the same roles share one.

use super::catalogue::Part;
use super::facts::Facts;
use super::grant::{Channels, Grant};
use super::privilege::{Level, Privilege};
use super::scope::{Scope, Scopes};

/// What was granted and denied of one privilege.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Cell {
    granted: Scopes,
    denied: Scopes,
    /// More is in `narrow`: grants and denials by channel or by id.
    narrowed: bool,
}

/// A grant or denial that a cell has no room for.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Narrow {
    index: usize,
    denies: bool,
    grant: Grant,
}

impl Narrow {
    /// Whether it reaches an object that lies in `scopes`.
    fn applies(&self, scopes: Scopes, facts: &Facts<'_>) -> bool {
        if self.grant.scope == Scope::Named {
            self.grant.named.lists(facts)
        } else {
            scopes.has(self.grant.scope)
        }
    }
}

/// The grants and denials of a principal by privilege. Immutable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rights {
    cells: Box<[Cell]>,
    narrow: Box<[Narrow]>,
}

impl Rights {
    /// Rights of these grants less these denials. Levels imply the ones before them, in
    /// grants downwards and in denials upwards; `dashboard.agents` brings `contact.record`.
    /// Grants that widen count only beside one of the same privilege that does not.
    #[must_use]
    pub fn of(grants: &[Grant], denials: &[Grant]) -> Self {
        let mut rights = Self {
            cells: vec![Cell::default(); Privilege::KNOWN].into(),
            narrow: Box::default(),
        };
        let mut narrow = Vec::new();
        for grant in grants.iter().filter(|grant| counts(grant, grants)) {
            for privilege in implied(grant.privilege) {
                rights.enter(privilege, grant, false, &mut narrow);
            }
        }
        for denial in denials {
            for privilege in implying(denial.privilege) {
                rights.enter(privilege, denial, true, &mut narrow);
            }
        }
        narrow.sort_by_key(|entry: &Narrow| entry.index);
        rights.narrow = narrow.into();
        rights
    }

    fn enter(&mut self, privilege: Privilege, grant: &Grant, denies: bool, out: &mut Vec<Narrow>) {
        let index = privilege.index();
        if index >= self.cells.len() {
            let mut cells = std::mem::take(&mut self.cells).into_vec();
            cells.resize(index + 1, Cell::default());
            self.cells = cells.into();
        }
        let cell = &mut self.cells[index];
        let channels = if privilege.per_channel() {
            grant.channels
        } else {
            Channels::EVERY
        };
        if grant.scope == Scope::Named || channels != Channels::EVERY {
            cell.narrowed = true;
            let grant = Grant {
                privilege,
                channels,
                ..grant.clone()
            };
            out.push(Narrow {
                index,
                denies,
                grant,
            });
        } else if denies {
            cell.denied = cell.denied | Scopes::only(grant.scope);
        } else {
            cell.granted = cell.granted | Scopes::only(grant.scope);
        }
    }

    fn cell(&self, privilege: Privilege) -> Cell {
        self.cells
            .get(privilege.index())
            .copied()
            .unwrap_or_default()
    }

    fn narrow(&self, privilege: Privilege) -> impl Iterator<Item = &Narrow> {
        let index = privilege.index();
        let from = self.narrow.partition_point(|entry| entry.index < index);
        self.narrow[from..]
            .iter()
            .take_while(move |entry| entry.index == index)
    }

    /// Channels on which the privilege is held over an object that lies in `scopes`.
    pub(super) fn over(&self, privilege: Privilege, scopes: Scopes, facts: &Facts<'_>) -> Channels {
        let cell = self.cell(privilege);
        if cell.denied.meets(scopes) {
            return Channels::NONE;
        }
        let mut granted = every_if(cell.granted.meets(scopes));
        if !cell.narrowed {
            return granted;
        }
        let mut denied = Channels::NONE;
        for entry in self.narrow(privilege) {
            let applies = entry.applies(scopes, facts);
            if applies && entry.denies {
                denied = denied.union(entry.grant.channels);
            } else if applies {
                granted = granted.union(entry.grant.channels);
            }
        }
        granted.without(denied)
    }

    /// Whether the privilege is denied on some channel over an object that lies in `scopes`.
    pub(super) fn denies(&self, privilege: Privilege, scopes: Scopes, facts: &Facts<'_>) -> bool {
        self.cell(privilege).denied.meets(scopes)
            || self
                .narrow(privilege)
                .any(|entry| entry.denies && entry.applies(scopes, facts))
    }

    /// Channels on which the privilege is held over something: granted in some scope and not
    /// denied in that scope or in all.
    #[must_use]
    pub fn held(&self, privilege: Privilege) -> Channels {
        let cell = self.cell(privilege);
        if !cell.narrowed {
            let left = cell.granted.without(cell.denied);
            return every_if(!left.is_empty() && !cell.denied.has(Scope::All));
        }
        let everywhere_denied = self.channels(privilege, Scope::All, true);
        let mut held = Channels::NONE;
        for scope in Scope::EVERY {
            let mut channels = self.channels(privilege, scope, false);
            if scope != Scope::Named {
                channels = channels.without(self.channels(privilege, scope, true));
            }
            held = held.union(channels);
        }
        held.without(everywhere_denied)
    }

    /// Channels on which the privilege is held over the workspace as a whole: granted with
    /// scope `all`, and denied for no part of it.
    #[must_use]
    pub fn everywhere(&self, privilege: Privilege) -> Channels {
        let cell = self.cell(privilege);
        if !cell.narrowed {
            return every_if(cell.granted.has(Scope::All) && cell.denied.is_empty());
        }
        let granted = self.channels(privilege, Scope::All, false);
        Scope::EVERY.into_iter().fold(granted, |left, scope| {
            left.without(self.channels(privilege, scope, true))
        })
    }

    /// The scopes in which the privilege is granted, on whatever channels, denials apart.
    #[must_use]
    pub fn granted(&self, privilege: Privilege) -> Scopes {
        let narrow = self.narrow(privilege).filter(|entry| !entry.denies);
        self.cell(privilege).granted | narrow.map(|entry| entry.grant.scope).collect()
    }

    /// The scopes on which an answer about the privilege depends: those in which it is granted
    /// or denied, on whatever channels.
    #[must_use]
    pub fn reach(&self, privilege: Privilege) -> Scopes {
        let cell = self.cell(privilege);
        let narrow = self.narrow(privilege).map(|entry| entry.grant.scope);
        cell.granted | cell.denied | narrow.collect()
    }

    /// Channels of the grants, or of the denials, with exactly this scope.
    fn channels(&self, privilege: Privilege, scope: Scope, denies: bool) -> Channels {
        let cell = self.cell(privilege);
        let wide = if denies { cell.denied } else { cell.granted };
        if wide.has(scope) || !cell.narrowed {
            return every_if(wide.has(scope));
        }
        self.narrow(privilege)
            .filter(|entry| entry.denies == denies && entry.grant.scope == scope)
            .fold(Channels::NONE, |set, entry| set.union(entry.grant.channels))
    }

    /// Whether everything that `grant` gives is held: over the same scope, or over all, on
    /// each of its channels, with nothing of it denied. Who may not set up every role may
    /// give away only what this allows.
    #[must_use]
    pub fn cover(&self, grant: &Grant) -> bool {
        let wanted = if grant.privilege.per_channel() {
            grant.channels
        } else {
            Channels::EVERY
        };
        let every = implied(grant.privilege).into_iter();
        every
            .map(|privilege| self.left_of(privilege, grant))
            .all(|left| left.covers(wanted))
    }

    /// Whether agents are seen somewhere by the anonymous dashboard only.
    #[must_use]
    pub(super) fn sees_anonymous_agents(&self) -> bool {
        let cell = self.cell(Privilege::DashboardAgents);
        let wide = cell.granted.iter();
        let wide = wide.map(|scope| Grant::new(Privilege::DashboardAgents, scope));
        let narrow = self.narrow(Privilege::DashboardAgents);
        let narrow = narrow.filter(|entry| !entry.denies);
        wide.chain(narrow.map(|entry| entry.grant.clone()))
            .any(|grant| {
                let identified = Privilege::DashboardAgentsIdentified;
                self.left_of(identified, &grant) == Channels::NONE
            })
    }

    /// Channels on which the privilege is held over all that a grant reaches, with no part
    /// of it denied.
    fn left_of(&self, privilege: Privilege, grant: &Grant) -> Channels {
        let mut held = self.channels(privilege, Scope::All, false);
        if grant.scope == Scope::Named {
            let listed = self.narrow(privilege).filter(|entry| {
                !entry.denies
                    && entry.grant.scope == Scope::Named
                    && entry.grant.named.covers(&grant.named)
            });
            held = listed.fold(held, |set, entry| set.union(entry.grant.channels));
        } else {
            held = held.union(self.channels(privilege, grant.scope, false));
        }
        Scope::EVERY.into_iter().fold(held, |left, scope| {
            left.without(self.channels(privilege, scope, true))
        })
    }
}

fn every_if(all: bool) -> Channels {
    if all { Channels::EVERY } else { Channels::NONE }
}

fn counts(grant: &Grant, grants: &[Grant]) -> bool {
    let base = |other: &Grant| other.privilege == grant.privilege && !other.widens;
    !grant.widens || grants.iter().any(base)
}

/// A privilege and what a grant of it brings along.
fn implied(privilege: Privilege) -> Vec<Privilege> {
    let up_to = |level: Level| Level::EVERY.into_iter().filter(move |l| *l <= level);
    match privilege.part() {
        Part::Config(object, level) => up_to(level).map(|l| Privilege::Config(object, l)).collect(),
        Part::Ext(page, level) => up_to(level).map(|l| Privilege::Ext(page, l)).collect(),
        Part::Row(_) => {
            let identified = privilege == Privilege::DashboardAgentsIdentified;
            let mut all = vec![privilege];
            if identified {
                all.push(Privilege::DashboardAgents);
            }
            if identified || privilege == Privilege::DashboardAgents {
                all.push(Privilege::ContactRecord);
            }
            all
        }
    }
}

/// A privilege and what a denial of it takes away besides.
fn implying(privilege: Privilege) -> Vec<Privilege> {
    let from = |level: Level| Level::EVERY.into_iter().filter(move |l| *l >= level);
    match privilege.part() {
        Part::Config(object, level) => from(level).map(|l| Privilege::Config(object, l)).collect(),
        Part::Ext(page, level) => from(level).map(|l| Privilege::Ext(page, l)).collect(),
        Part::Row(_) if privilege == Privilege::DashboardAgents => {
            vec![privilege, Privilege::DashboardAgentsIdentified]
        }
        Part::Row(_) => vec![privilege],
    }
}
