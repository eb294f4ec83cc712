//! Views: who watches what. Equal subscriptions share one view, and everything it says is made
//! once for all of them.

use crate::id::{OfferId, Seq};
use crate::limits;
use crate::live::anchor::{Anchor, Anchors, anchors_of};
use crate::live::delta::{Sub, Watcher};
use crate::live::lookout::Lookout;
use crate::live::sight::Sight;
use crate::live::table::TableView;
use crate::live::topic::{Ask, Filter, Topic};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A view: what is shown, to whom, and how far it has come.
#[derive(Clone, Debug)]
pub struct View {
    pub(super) sub: Sub,
    pub(super) lookout: Arc<Lookout>,
    pub(super) watchers: Arc<[Watcher]>,
    /// Position of its last event; of its beginning while it has had none.
    pub(super) prev: Seq,
    /// It has had an event.
    pub(super) spoke: bool,
    /// The rows of a table.
    pub(super) table: Option<TableView>,
    /// The leg it was opened for, and whether the board knows that leg by now.
    pub(super) leg: Option<(OfferId, bool)>,
    columns: Vec<String>,
    hz: u32,
    encoding: u8,
    anchors: BTreeSet<Anchor>,
}

/// All views of a board.
#[derive(Clone, Debug, Default)]
pub struct Views {
    pub(super) views: BTreeMap<Sub, View>,
    watching: BTreeMap<Watcher, BTreeSet<Sub>>,
    by_ask: BTreeMap<(Topic, Filter, u8), BTreeSet<Sub>>,
    pub(super) anchors: Anchors,
    /// Views of tables: what is told by the clock.
    pub(super) tables: BTreeSet<Sub>,
    numbered: u64,
}

impl View {
    /// Whether a subscription would show the same.
    fn shows(&self, ask: &Ask, sight: &Sight) -> bool {
        let table = !ask.topic.is_table() || (self.columns == ask.columns && self.hz == ask.hz);
        self.leg.is_none() && table && self.lookout.sight.equals(sight)
    }

    /// Whether somebody watches it.
    #[must_use]
    pub fn is_watched_by(&self, watcher: Watcher) -> bool {
        self.watchers.contains(&watcher)
    }
}

impl Views {
    /// The view that shows what is asked to somebody with this sight, if there is one.
    #[must_use]
    pub fn find(&self, ask: &Ask, sight: &Sight) -> Option<Sub> {
        let key = (ask.topic, ask.filter.clone(), ask.encoding);
        let subs = self.by_ask.get(&key)?;
        let shows = |sub: &&Sub| {
            self.views
                .get(sub)
                .is_some_and(|view| view.shows(ask, sight))
        };
        subs.iter().find(shows).copied()
    }

    /// The view of this name.
    #[must_use]
    pub fn get(&self, sub: Sub) -> Option<&View> {
        self.views.get(&sub)
    }

    /// A new view, watched by nobody yet.
    pub fn open(
        &mut self,
        ask: &Ask,
        lookout: Lookout,
        leg: Option<OfferId>,
        at: Seq,
        table: Option<TableView>,
    ) -> Sub {
        let sub = leg.map_or_else(
            || {
                self.numbered += 1;
                Sub::View(self.numbered)
            },
            Sub::Leg,
        );
        self.close(sub);
        let anchors = anchors_of(&lookout);
        self.anchors.hold(sub, &anchors);
        let key = (ask.topic, ask.filter.clone(), ask.encoding);
        self.by_ask.entry(key).or_default().insert(sub);
        if table.is_some() {
            self.tables.insert(sub);
        }
        let view = View {
            sub,
            lookout: Arc::new(lookout),
            watchers: Arc::from([]),
            prev: at,
            spoke: false,
            table,
            leg: leg.map(|leg| (leg, false)),
            columns: ask.columns.clone(),
            hz: ask.hz,
            encoding: ask.encoding,
            anchors,
        };
        self.views.insert(sub, view);
        sub
    }

    /// A view sees with other rights, or by other rules, from now on.
    pub fn change(&mut self, sub: Sub, lookout: Lookout) {
        let Some(view) = self.views.get_mut(&sub) else {
            return;
        };
        self.anchors.let_go(sub, &view.anchors);
        view.anchors = anchors_of(&lookout);
        self.anchors.hold(sub, &view.anchors);
        view.lookout = Arc::new(lookout);
    }

    /// Views that somebody watches.
    #[must_use]
    pub fn watched_by(&self, watcher: Watcher) -> BTreeSet<Sub> {
        self.watching.get(&watcher).cloned().unwrap_or_default()
    }

    /// Whether somebody watches as many views as anybody may. Views that the server opened for
    /// legs do not count.
    #[must_use]
    pub fn is_full(&self, watcher: Watcher) -> bool {
        let subs = self.watching.get(&watcher).into_iter().flatten();
        let own = subs.filter(|sub| matches!(sub, Sub::View(_)));
        own.count() >= limits::SUBSCRIPTIONS
    }

    /// How many sessions see pseudonyms, this one apart.
    #[must_use]
    pub fn anonymous_sessions(&self, apart: Watcher) -> usize {
        let anonymous = self
            .views
            .values()
            .filter(|view| view.lookout.sight.is_anonymous());
        let watchers: BTreeSet<Watcher> = anonymous
            .flat_map(|view| view.watchers.iter().copied())
            .filter(|watcher| *watcher != apart)
            .collect();
        watchers.len()
    }

    /// Somebody watches a view from now on.
    pub fn watch(&mut self, watcher: Watcher, sub: Sub) {
        if let Some(view) = self.views.get_mut(&sub) {
            let others = view
                .watchers
                .iter()
                .copied()
                .filter(|other| *other != watcher);
            view.watchers = others.chain([watcher]).collect();
            self.watching.entry(watcher).or_default().insert(sub);
        }
    }

    /// Somebody does not watch a view any more. A view that nobody watches is closed.
    pub fn unwatch(&mut self, watcher: Watcher, sub: Sub) -> bool {
        let watched = self.watching.get_mut(&watcher);
        let Some(subs) = watched.filter(|subs| subs.contains(&sub)) else {
            return false;
        };
        subs.remove(&sub);
        if subs.is_empty() {
            self.watching.remove(&watcher);
        }
        if let Some(view) = self.views.get_mut(&sub) {
            let others = view
                .watchers
                .iter()
                .copied()
                .filter(|other| *other != watcher);
            view.watchers = others.collect();
            if view.watchers.is_empty() {
                self.close(sub);
            }
        }
        true
    }

    fn close(&mut self, sub: Sub) {
        let Some(view) = self.views.remove(&sub) else {
            return;
        };
        self.tables.remove(&sub);
        self.anchors.let_go(sub, &view.anchors);
        let key = (
            view.lookout.topic,
            view.lookout.filter.clone(),
            view.encoding,
        );
        if let Some(subs) = self.by_ask.get_mut(&key) {
            subs.remove(&sub);
            if subs.is_empty() {
                self.by_ask.remove(&key);
            }
        }
        for watcher in view.watchers.iter() {
            if let Some(subs) = self.watching.get_mut(watcher) {
                subs.remove(&sub);
                if subs.is_empty() {
                    self.watching.remove(watcher);
                }
            }
        }
    }
}
