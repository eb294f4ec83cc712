//! A lookout decides what a lossless view says of a change: a pure function of the change, so
//! that the live stream and a replay say the same.

use crate::domain::contact::ContactState;
use crate::domain::rules::Workspace;
use crate::id::UserId;
use crate::live::agent::AgentRow;
use crate::live::change::{Change, Fields, Step};
use crate::live::contact::ContactRow;
use crate::live::delta::{EventSeen, Key, Seen, What};
use crate::live::picture::Place;
use crate::live::seen::{AgentSeen, ContactSeen, Glass};
use crate::live::sight::Sight;
use crate::live::topic::{Filter, Topic};
use std::sync::Arc;

/// What of a topic a view shows, and to whom.
#[derive(Clone, Debug)]
pub struct Lookout {
    pub(super) topic: Topic,
    pub(super) filter: Filter,
    pub(super) sight: Sight,
    pub(super) rules: Arc<Workspace>,
    /// How every row is seen, where all are seen alike.
    whole: Option<Glass>,
}

impl Lookout {
    /// A lookout for somebody with this sight, by the facts that these rules state.
    #[must_use]
    pub fn new(topic: Topic, filter: Filter, sight: Sight, rules: Arc<Workspace>) -> Self {
        let alike = sight.is_everything() && !sight.is_anonymous();
        let whole = sight.decide_rows().ok().filter(|_| alike);
        Self {
            topic,
            filter,
            sight,
            rules,
            whole,
        }
    }

    /// Whether every row of the topic that passes the filter is shown.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.whole.is_some()
    }

    /// How the view shows a contact, if at all.
    #[must_use]
    pub fn contact(&self, row: &ContactRow) -> Option<Glass> {
        let on_topic = match self.topic {
            Topic::Contact(contact) => row.id() == contact,
            Topic::Contacts => row.is_live(),
            Topic::QueueContacts(queue) => row.queue == queue && row.in_line(),
            Topic::Connector => row.is_live() && row.facts.submitted_by == self.user(),
            Topic::Agents | Topic::StatsQueues | Topic::StatsAgents => false,
        };
        if !on_topic || !self.filter.contact(row) {
            return None;
        }
        if self.whole.is_some() {
            return self.whole.clone();
        }
        match self.topic {
            Topic::QueueContacts(_) => self.sight.waiting(&self.rules, row),
            Topic::Contact(_)
            | Topic::Contacts
            | Topic::Connector
            | Topic::Agents
            | Topic::StatsQueues
            | Topic::StatsAgents => self.sight.contact(&self.rules, row),
        }
    }

    /// How the view shows an agent, if at all.
    #[must_use]
    pub fn agent(&self, row: &AgentRow) -> Option<Glass> {
        if self.filter.agent(row, &self.rules) {
            self.sight.agent(&self.rules, row.agent)
        } else {
            None
        }
    }

    /// Who looks.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.sight.viewer().principal.user()
    }

    /// What is said of a change: one thing at most, so that a position names it. `place` is that
    /// of the contact after it; nothing in a replay, where places in line are not known any more.
    #[must_use]
    pub fn says(&self, change: &Change, place: Option<Place>) -> Option<What> {
        match &change.row {
            Step::Contact {
                before,
                after,
                fields,
            } => self.says_of_contact(change, before.as_deref(), after, *fields, place),
            Step::Agent { before, after } => self.says_of_agent(change, before, after),
        }
    }

    fn says_of_contact(
        &self,
        change: &Change,
        before: Option<&ContactRow>,
        after: &Arc<ContactRow>,
        fields: Fields,
        place: Option<Place>,
    ) -> Option<What> {
        let was = before.and_then(|row| self.contact(row));
        let is = self.contact(after);
        let seen = |glass: Glass| {
            let row = Arc::clone(after);
            Seen::Contact(ContactSeen::new(row, glass, place.unwrap_or_default()))
        };
        let fields = match place {
            Some(_) => fields,
            None => fields.without(Fields::POSITION),
        };
        match (was, is) {
            (None, None) => None,
            (None, Some(glass)) => Some(What::Entered(seen(glass))),
            (Some(_), Some(glass)) => Some(event(change, &glass, seen(glass.clone()), fields)),
            // The last word about it: that it is closed says that it goes.
            (Some(glass), None) if after.state == ContactState::Closed => {
                Some(event(change, &glass, seen(glass.clone()), fields))
            }
            (Some(_), None) => Some(What::Left(Key::Contact(after.id()))),
        }
    }

    fn says_of_agent(
        &self,
        change: &Change,
        before: &AgentRow,
        after: &Arc<AgentRow>,
    ) -> Option<What> {
        if self.topic != Topic::Agents {
            return None;
        }
        let was = self.agent(before).is_some();
        let seen = |glass: &Glass| AgentSeen::new(Arc::clone(after), glass).map(Seen::Agent);
        let is = self.agent(after);
        match is.and_then(|glass| seen(&glass).map(|seen| (glass, seen))) {
            Some((glass, seen)) if was => Some(event(change, &glass, seen, Fields::NONE)),
            Some((_, seen)) => Some(What::Entered(seen)),
            None if was => Some(What::Left(Key::Agent(after.agent))),
            None => None,
        }
    }
}

fn event(change: &Change, glass: &Glass, row: Seen, fields: Fields) -> What {
    let (actor, behalf) = glass.actor(change.by);
    What::Event(Box::new(EventSeen {
        name: change.name,
        row,
        fields,
        offer: change.about.offer,
        agent: change.about.agent.map(|agent| glass.who(agent)),
        why: change.about.why,
        actor,
        behalf,
    }))
}
