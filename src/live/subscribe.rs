//! Subscribing, resuming and leaving: registration and cut are one step, so that nothing is
//! missed and nothing comes twice.

use crate::id::{ContactId, OfferId, Seq};
use crate::limits;
use crate::live::board::{Board, Refused, cut, open_leg, stands, table_of};
use crate::live::change::Change;
use crate::live::delta::{Cut, Replay, ResetWhy, Resumed, Revoked, Sub, Subscribed, Watcher};
use crate::live::lookout::Lookout;
use crate::live::sight::{Sight, Viewer};
use crate::live::stats::{Column, Table};
use crate::live::table::TableView;
use crate::live::topic::{Ask, Topic};
use std::collections::VecDeque;
use std::sync::Arc;

impl Board {
    /// Opens a view for a watcher and cuts its state, in one step: no gap, nothing twice. What
    /// the view says after the cut's position follows.
    ///
    /// # Errors
    /// Why it is not opened; nothing has changed.
    pub fn subscribe(
        &mut self,
        watcher: Watcher,
        viewer: &Viewer,
        ask: &Ask,
    ) -> Result<Subscribed, Refused> {
        let sight = self.admit(watcher, viewer, ask)?;
        let sub = self.enter(watcher, ask, sight)?;
        match self.cut(sub, ask.limit) {
            Some(cut) => Ok(Subscribed { sub, cut }),
            None => {
                self.unsubscribe(watcher, sub);
                Err(Refused::NotFound)
            }
        }
    }

    /// Opens a view again for a watcher who has seen all of it up to `seq`, of this epoch.
    ///
    /// # Errors
    /// Why it is not opened; nothing has changed.
    pub fn resume(
        &mut self,
        watcher: Watcher,
        viewer: &Viewer,
        ask: &Ask,
        seq: Seq,
    ) -> Result<Resumed, Refused> {
        let why = match self.changes_for(viewer, ask, seq) {
            Ok(changes) => {
                let sight = self.admit(watcher, viewer, ask)?;
                let sub = self.enter(watcher, ask, sight)?;
                let as_of = self.picture.as_of;
                self.positions.forget(sub);
                let view = self.views.views.get_mut(&sub).ok_or(Refused::NotFound)?;
                if !view.spoke {
                    view.prev = view.prev.min(seq);
                }
                let replay = Replay::new(Arc::clone(&view.lookout), changes, seq);
                return Ok(Resumed::Whole { sub, as_of, replay });
            }
            Err(why) => why,
        };
        let subscribed = self.subscribe(watcher, viewer, ask)?;
        Ok(Resumed::Reset { why, subscribed })
    }

    fn changes_for(
        &self,
        viewer: &Viewer,
        ask: &Ask,
        seq: Seq,
    ) -> Result<VecDeque<Arc<Change>>, ResetWhy> {
        if ask.topic.is_table() {
            return Err(ResetWhy::Conflated);
        }
        let rights = self.rights_at.get(&viewer.principal.user()).copied();
        if rights.max(self.rules_at).is_some_and(|at| seq <= at) {
            return Err(ResetWhy::RightsChanged);
        }
        if seq > self.picture.as_of {
            return Err(ResetWhy::PositionLost);
        }
        self.ring.after(seq).ok_or(ResetWhy::PositionLost)
    }

    /// Whether a viewer may watch what is asked.
    fn admit(&self, watcher: Watcher, viewer: &Viewer, ask: &Ask) -> Result<Sight, Refused> {
        let sight = Sight::new(viewer.clone(), ask.topic.needs());
        self.may_watch(&sight, ask.topic)?;
        if ask.filter.names_agents() && sight.is_anonymous() {
            return Err(Refused::FilterHidden);
        }
        let columns = self.columns(ask.topic);
        let known = |name: &String| columns.iter().any(|column| *column.name == **name);
        if let Some(name) = ask.columns.iter().find(|name| !known(name)) {
            return Err(Refused::NoColumn(name.clone()));
        }
        if let Some(sub) = self.views.find(ask, &sight)
            && self
                .views
                .get(sub)
                .is_some_and(|view| view.is_watched_by(watcher))
        {
            return Err(Refused::AlreadySubscribed(sub));
        }
        if self.views.is_full(watcher) {
            return Err(Refused::TooMany);
        }
        let anonymous = sight.is_anonymous();
        if anonymous && self.views.anonymous_sessions(watcher) >= limits::ANONYMOUS_SESSIONS {
            return Err(Refused::TooManyAnonymous);
        }
        Ok(sight)
    }

    pub(super) fn may_watch(&self, sight: &Sight, topic: Topic) -> Result<(), Refused> {
        let rules = &self.picture.rules;
        match topic {
            Topic::Contact(contact) => {
                let row = self.picture.contact(contact).ok_or(Refused::NotFound)?;
                sight.decide_contact(rules, row)?;
            }
            Topic::QueueContacts(queue) => {
                rules.queue(queue).ok_or(Refused::NotFound)?;
                sight.decide_queue(rules, queue)?;
            }
            Topic::Contacts
            | Topic::Agents
            | Topic::Connector
            | Topic::StatsQueues
            | Topic::StatsAgents => {
                sight.decide_rows()?;
            }
        }
        Ok(())
    }

    /// All columns of a table; none of another topic.
    fn columns(&self, topic: Topic) -> Arc<[Column]> {
        table_of(topic).map_or_else(|| Arc::from([]), |table| table.columns(&self.picture.rules))
    }

    /// Makes the watcher one of the view that shows what is asked.
    fn enter(&mut self, watcher: Watcher, ask: &Ask, sight: Sight) -> Result<Sub, Refused> {
        let now = self.picture.at;
        let found = self.views.find(ask, &sight);
        let user = sight.viewer().principal.user();
        let sub = match found {
            Some(sub) => {
                self.tell(sub, now);
                sub
            }
            None => self.open(ask, sight, None),
        };
        if let Topic::Contact(_) | Topic::Connector = ask.topic {
            self.positions.forget(sub);
            self.positions.watch(sub, ask.topic, now);
        }
        self.views.watch(watcher, sub);
        if ask.topic == Topic::Connector {
            for dispatch in self.media.join(now, user, watcher, sub) {
                self.dispatch(dispatch);
            }
        }
        Ok(sub)
    }

    fn open(&mut self, ask: &Ask, sight: Sight, leg: Option<OfferId>) -> Sub {
        let table = table_of(ask.topic).map(|table| {
            let all = table.columns(&self.picture.rules);
            let chosen = ask.columns.iter();
            let chosen = chosen.filter_map(|name| all.iter().find(|c| *c.name == **name));
            let columns = if ask.columns.is_empty() {
                Arc::clone(&all)
            } else {
                chosen.cloned().collect()
            };
            let dirty = match table {
                Table::Queues => &mut self.queues_dirty,
                Table::Agents => &mut self.agents_dirty,
            };
            let looked = dirty.look();
            TableView::new(
                table,
                columns,
                ask.hz,
                &sight,
                &ask.filter,
                &self.picture,
                looked,
            )
        });
        let rules = Arc::clone(&self.picture.rules);
        let lookout = Lookout::new(ask.topic, ask.filter.clone(), sight, rules);
        self.views
            .open(ask, lookout, leg, self.picture.as_of, table)
    }

    fn cut(&self, sub: Sub, limit: usize) -> Option<Cut> {
        let view = self.views.get(sub)?;
        cut(view, &self.picture, limit)
    }

    /// The state of a view that somebody watches, for whoever has to begin it anew: what the
    /// view says after the cut's position follows.
    #[must_use]
    pub fn cut_again(&self, watcher: Watcher, sub: Sub, limit: usize) -> Option<Cut> {
        let view = self.views.get(sub)?;
        view.is_watched_by(watcher).then(|| self.cut(sub, limit))?
    }

    /// Opens the view of a contact for the life of an agent's leg. Its name can be told at once.
    /// Its state comes as `Body::Opened` when the log has come to the leg, and it ends with the
    /// leg, as [`Revoked::LegEnded`].
    pub fn open_for_leg(
        &mut self,
        watcher: Watcher,
        viewer: &Viewer,
        encoding: u8,
        contact: ContactId,
        offer: OfferId,
    ) -> Sub {
        let ask = Ask {
            encoding,
            ..Ask::of(Topic::Contact(contact))
        };
        let sight = Sight::new(viewer.clone(), ask.topic.needs());
        let sub = self.open(&ask, sight, Some(offer));
        self.views.watch(watcher, sub);
        let row = self.picture.contact(contact);
        match row.and_then(|row| stands(row, offer)) {
            Some(true) => {
                if let Some(view) = self.views.views.get_mut(&sub) {
                    open_leg(view, &self.picture, &mut self.out);
                }
            }
            Some(false) => self.revoke_all(sub, Revoked::LegEnded),
            None => {}
        }
        sub
    }

    /// Ends a watcher's view; whether there was one of that name.
    pub fn unsubscribe(&mut self, watcher: Watcher, sub: Sub) -> bool {
        let view = self.views.get(sub);
        let connector = view
            .filter(|view| view.lookout.topic == Topic::Connector && view.is_watched_by(watcher))
            .map(|view| view.lookout.user());
        let was = self.views.unwatch(watcher, sub);
        if self.views.get(sub).is_none() {
            self.positions.unwatch(sub);
        }
        if let Some(user) = connector {
            for dispatch in self.media.leave(self.picture.at, user, watcher, sub) {
                self.dispatch(dispatch);
            }
        }
        was
    }

    /// A watcher is gone, with everything it watched.
    pub fn gone(&mut self, watcher: Watcher) {
        for sub in self.views.watched_by(watcher) {
            self.unsubscribe(watcher, sub);
        }
    }
}
