//! Rights and rules that change while views are open: what a watcher may not see any more goes,
//! what it may see now comes, and what cannot be told so is taken away.

use crate::domain::rules::Workspace;
use crate::id::UserId;
use crate::live::board::{Board, say, table_of};
use crate::live::delta::{Body, Delta, Key, Revoked, Seen, Sub, Watcher, What};
use crate::live::lookout::Lookout;
use crate::live::seen::Glass;
use crate::live::sight::{Sight, Viewer};
use crate::live::stats::Table;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Board {
    /// The rights of a user are others from now on; `viewers` are all doors of that user, with
    /// the new principal. Views are cut anew (`entered`, `left`) or ended, and positions up
    /// to this one resume nothing: what goes and comes does so at one position.
    pub fn rights_changed(&mut self, user: UserId, viewers: &BTreeMap<Watcher, Viewer>) {
        self.rights_at.insert(user, self.picture.as_of);
        let watched = viewers
            .keys()
            .flat_map(|watcher| self.views.watched_by(*watcher));
        let subs: BTreeSet<Sub> = watched.collect();
        for sub in subs {
            self.view_rights_changed(sub, viewers);
        }
    }

    fn view_rights_changed(&mut self, sub: Sub, viewers: &BTreeMap<Watcher, Viewer>) {
        let Some(view) = self.views.get(sub) else {
            return;
        };
        let (topic, old) = (view.lookout.topic, &view.lookout.sight);
        let watchers = Arc::clone(&view.watchers);
        let mut sights = Vec::new();
        for watcher in watchers.iter() {
            if let Some(viewer) = viewers.get(watcher) {
                let sight = Sight::new(viewer.clone(), topic.needs());
                sights.push((*watcher, sight));
            }
        }
        if sights.iter().all(|(_, sight)| sight.equals(old)) {
            return;
        }
        let all = sights.len() == watchers.len();
        let first = sights.first().map(|(_, sight)| sight.clone());
        let alike = first.filter(|first| sights.iter().all(|(_, sight)| sight.equals(first)));
        match alike.filter(|sight| all && self.may_watch(sight, topic).is_ok()) {
            Some(sight) => self.recut(sub, sight),
            None => {
                for (watcher, _) in sights {
                    self.revoke(watcher, sub, Revoked::RightsChanged);
                }
            }
        }
    }

    /// A view sees with another sight, or by other rules, from now on.
    fn recut(&mut self, sub: Sub, sight: Sight) {
        let Some(view) = self.views.get(sub) else {
            return;
        };
        let (topic, filter) = (view.lookout.topic, view.lookout.filter.clone());
        let rules = Arc::clone(&self.picture.rules);
        let lookout = Lookout::new(topic, filter, sight, rules);
        let told = if view.table.is_some() {
            self.recut_table(sub, &lookout)
        } else {
            self.recut_rows(sub, &lookout)
        };
        if told {
            self.views.change(sub, lookout);
        } else {
            self.revoke_all(sub, Revoked::RightsChanged);
        }
    }

    fn recut_table(&mut self, sub: Sub, lookout: &Lookout) -> bool {
        let Some(view) = self.views.views.get_mut(&sub) else {
            return false;
        };
        let table = view.table.as_mut();
        let recut = table.and_then(|t| t.recut(&lookout.sight, &lookout.filter, &self.picture));
        let Some(update) = recut else {
            return false;
        };
        if let Some(update) = update {
            self.out.push(Delta {
                sub,
                to: Arc::clone(&view.watchers),
                body: Body::Update(update),
            });
        }
        true
    }

    /// Says what goes and what comes; false when some row would be seen through another lens.
    fn recut_rows(&mut self, sub: Sub, lookout: &Lookout) -> bool {
        let Some(view) = self.views.get(sub) else {
            return false;
        };
        let before = self.rows_of(&view.lookout);
        let after = self.rows_of(lookout);
        let same_lens = |(key, (_, glass)): (&Key, &(Seen, Glass))| {
            let now = after.get(key);
            now.is_none_or(|(_, now)| now.clone().shows() == glass.clone().shows())
        };
        if !before.iter().all(same_lens) {
            return false;
        }
        let Some(view) = self.views.views.get_mut(&sub) else {
            return false;
        };
        let (seq, at) = (self.picture.as_of, self.picture.at);
        for key in before.keys().filter(|key| !after.contains_key(key)) {
            say(view, seq, at, What::Left(*key), &mut self.out);
        }
        for (key, (seen, _)) in after {
            if !before.contains_key(&key) {
                say(view, seq, at, What::Entered(seen), &mut self.out);
            }
        }
        true
    }

    fn rows_of(&self, lookout: &Lookout) -> BTreeMap<Key, (Seen, Glass)> {
        self.picture
            .rows_seen(lookout)
            .into_iter()
            .map(|(seen, glass)| (seen.key(), (seen, glass)))
            .collect()
    }

    /// The workspace was changed. Agents, queues and memberships are counted anew by the new
    /// rules, and every view is cut anew by the facts they state.
    pub fn rules_changed(&mut self, rules: Arc<Workspace>) {
        self.rules_at = Some(self.picture.as_of);
        let (queues, agents) = (rules.queues.len(), rules.agents.len());
        let before = Arc::clone(&self.picture.rules);
        self.picture.rules_changed(rules);
        self.queues_dirty.all(queues);
        self.agents_dirty.all(agents);
        let subs: Vec<Sub> = self.views.views.keys().copied().collect();
        for sub in subs {
            let Some(view) = self.views.get(sub) else {
                continue;
            };
            let table = table_of(view.lookout.topic);
            if table.is_some_and(|table| !same_columns(table, &before, &self.picture.rules)) {
                self.revoke_all(sub, Revoked::RulesChanged);
            } else {
                let sight = view.lookout.sight.clone();
                self.recut(sub, sight);
            }
        }
    }
}

/// Whether a table has the same columns by either rules.
fn same_columns(table: Table, before: &Workspace, after: &Workspace) -> bool {
    let names = |rules| {
        let columns = table.columns(rules);
        let names = columns.iter().map(|column| Arc::clone(&column.name));
        names.collect::<Vec<_>>()
    };
    before.channels == after.channels && names(before) == names(after)
}
