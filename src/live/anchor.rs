//! Anchors: what views hold on to, and what changes touch. A change concerns the views that hold
//! on to something it touches and no others, so that its cost is that of those who care.

use crate::access::scope::Scope;
use crate::domain::rules::Workspace;
use crate::id::{AgentId, ContactId, QueueId, TeamId, UserId};
use crate::live::change::{Change, Step};
use crate::live::contact::ContactRow;
use crate::live::delta::Sub;
use crate::live::lookout::Lookout;
use crate::live::topic::Topic;
use std::collections::{BTreeMap, BTreeSet};

/// Something that views hold on to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Anchor {
    /// Any contact.
    AnyContact,
    /// One contact.
    Contact(ContactId),
    /// Contacts of a queue.
    Queue(QueueId),
    /// Contacts of a team: by their agents, or by their queue.
    Team(TeamId),
    /// Contacts with a leg of an agent, or an offer to it.
    PartOf(AgentId),
    /// Contacts that a user submitted.
    Submitted(UserId),
    /// Any agent.
    AnyAgent,
    /// One agent.
    Agent(AgentId),
}

/// Which views hold on to what.
#[derive(Clone, Debug, Default)]
pub struct Anchors {
    held: BTreeMap<Anchor, BTreeSet<Sub>>,
}

impl Anchors {
    /// A view holds on to these.
    pub fn hold(&mut self, sub: Sub, anchors: &BTreeSet<Anchor>) {
        for anchor in anchors {
            self.held.entry(*anchor).or_default().insert(sub);
        }
    }

    /// A view lets go of these.
    pub fn let_go(&mut self, sub: Sub, anchors: &BTreeSet<Anchor>) {
        for anchor in anchors {
            if let Some(subs) = self.held.get_mut(anchor) {
                subs.remove(&sub);
                if subs.is_empty() {
                    self.held.remove(anchor);
                }
            }
        }
    }

    /// The views that a change concerns, perhaps; each once.
    #[must_use]
    pub fn concerned(&self, change: &Change, rules: &Workspace) -> BTreeSet<Sub> {
        let mut subs = BTreeSet::new();
        if self.held.is_empty() {
            return subs;
        }
        let mut touch = |anchor: Anchor| {
            if let Some(held) = self.held.get(&anchor) {
                subs.extend(held);
            }
        };
        match &change.row {
            Step::Contact { before, after, .. } => {
                touch(Anchor::AnyContact);
                touch(Anchor::Contact(after.id()));
                touch(Anchor::Submitted(after.facts.submitted_by));
                for row in before.as_deref().into_iter().chain([&**after]) {
                    touch_facts(row, rules, &mut touch);
                }
            }
            Step::Agent { after, .. } => {
                touch(Anchor::AnyAgent);
                touch(Anchor::Agent(after.agent));
            }
        }
        subs
    }
}

fn touch_facts(row: &ContactRow, rules: &Workspace, touch: &mut impl FnMut(Anchor)) {
    touch(Anchor::Queue(row.queue));
    if let Some(team) = rules.queue(row.queue).and_then(|queue| queue.team) {
        touch(Anchor::Team(team));
    }
    for leg in row.open_legs() {
        touch(Anchor::PartOf(leg.agent));
        for team in rules.agent(leg.agent).map_or(&[][..], |agent| &agent.teams) {
            touch(Anchor::Team(*team));
        }
    }
    for (_, agent) in &row.offers {
        touch(Anchor::PartOf(*agent));
    }
}

/// What a view of a lossless topic has to hold on to, so that nothing it shows escapes it.
#[must_use]
pub fn anchors_of(lookout: &Lookout) -> BTreeSet<Anchor> {
    match lookout.topic {
        Topic::Contact(contact) => [Anchor::Contact(contact)].into(),
        Topic::QueueContacts(queue) => [Anchor::Queue(queue)].into(),
        Topic::Connector => [Anchor::Submitted(lookout.user())].into(),
        Topic::Contacts => of_contacts(lookout),
        Topic::Agents if lookout.sight.is_everything() => [Anchor::AnyAgent].into(),
        Topic::Agents => {
            let rules = &lookout.rules;
            let agents = rules.agents.iter().map(|agent| agent.id);
            let seen = agents.filter(|agent| lookout.sight.agent(rules, *agent).is_some());
            seen.map(Anchor::Agent).collect()
        }
        Topic::StatsQueues | Topic::StatsAgents => BTreeSet::new(),
    }
}

fn of_contacts(lookout: &Lookout) -> BTreeSet<Anchor> {
    let principal = &lookout.sight.viewer().principal;
    let granted = lookout.sight.granted();
    if granted.has(Scope::All) || granted.has(Scope::Named) || principal.is_visitor() {
        return [Anchor::AnyContact].into();
    }
    let mut anchors: BTreeSet<Anchor> = [
        Anchor::PartOf(principal.agent()),
        Anchor::Submitted(principal.user()),
    ]
    .into();
    if granted.has(Scope::Queue) {
        anchors.extend(principal.queues().iter().map(|queue| Anchor::Queue(*queue)));
    }
    if granted.has(Scope::Team) {
        anchors.extend(principal.teams().iter().map(|team| Anchor::Team(*team)));
    }
    if granted.has(Scope::Supervised) {
        let (teams, queues) = principal.supervised();
        anchors.extend(teams.iter().map(|team| Anchor::Team(*team)));
        anchors.extend(queues.iter().map(|queue| Anchor::Queue(*queue)));
    }
    anchors
}
