//! What leaves the board: handles of rows that can be read through their lens only. They are
//! cheap to cut and to clone; whoever encodes them does it elsewhere and later.

use crate::access::lens::{Agents, Lens, Pii, PiiKind, Pseudonym, PseudonymKey, mask};
use crate::domain::contact::{Closed, ContactState, Content, Role};
use crate::domain::event::{By, Decision};
use crate::id::{AgentId, ContactId, OfferId, QueueId, UserId};
use crate::live::agent::AgentRow;
use crate::live::contact::{ContactRow, LegRow, LegStanding};
use crate::live::picture::Place;
use crate::time::Instant;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// An agent, as a lens shows one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Who {
    /// By name.
    Agent(AgentId),
    /// By what stands for the name in this session.
    Anonymous(Pseudonym),
}

/// A lens with the key of its pseudonyms.
#[derive(Clone, Debug)]
pub struct Glass {
    lens: Lens,
    key: Option<Arc<PseudonymKey>>,
}

impl Glass {
    /// A lens, and the key if it needs one.
    #[must_use]
    pub fn new(lens: Lens, key: &Arc<PseudonymKey>) -> Self {
        let key = (lens.agents == Agents::Anonymous).then(|| Arc::clone(key));
        Self { lens, key }
    }

    /// The lens.
    #[must_use]
    pub fn lens(&self) -> &Lens {
        &self.lens
    }

    /// What of the lens shows in a row.
    #[must_use]
    pub fn shows(self) -> (Pii, Agents, bool) {
        (self.lens.pii, self.lens.agents, self.lens.private_legs)
    }

    /// An agent.
    #[must_use]
    pub fn who(&self, agent: AgentId) -> Who {
        match &self.key {
            Some(key) => Who::Anonymous(key.pseudonym(agent)),
            None => Who::Agent(agent),
        }
    }

    /// A time of an agent.
    #[must_use]
    pub fn agent_time(&self, at: Instant) -> Instant {
        self.lens.agent_time(at)
    }
}

/// A contact through a lens.
#[derive(Clone)]
pub struct ContactSeen {
    row: Arc<ContactRow>,
    glass: Glass,
    place: Place,
}

/// A leg through a lens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LegSeen {
    /// Its id: the offer it came from.
    pub offer: OfferId,
    /// Whose.
    pub agent: Who,
    /// Part in the contact.
    pub role: Role,
    /// Where it stands.
    pub state: LegStanding,
    /// Since when.
    pub since: Instant,
}

/// Logs never hold what people said or who they are.
impl fmt::Debug for ContactSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ContactSeen").field(&self.row.id()).finish()
    }
}

impl ContactSeen {
    pub(super) fn new(row: Arc<ContactRow>, glass: Glass, place: Place) -> Self {
        Self { row, glass, place }
    }

    /// How it is seen.
    #[must_use]
    pub fn glass(&self) -> &Glass {
        &self.glass
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> ContactId {
        self.row.id()
    }

    /// Its channel.
    #[must_use]
    pub fn channel(&self) -> crate::id::ChannelId {
        self.row.facts.channel
    }

    /// The connector's id.
    #[must_use]
    pub fn external_id(&self) -> &str {
        &self.row.facts.external_id
    }

    /// The queue that has it.
    #[must_use]
    pub fn queue(&self) -> QueueId {
        self.row.queue
    }

    /// Where the customer's side stands.
    #[must_use]
    pub fn state(&self) -> ContactState {
        self.row.state
    }

    /// Since when.
    #[must_use]
    pub fn since(&self) -> Instant {
        self.row.since
    }

    /// When it first entered a queue.
    #[must_use]
    pub fn first_entry(&self) -> Instant {
        self.row.facts.first_entry
    }

    /// When it should be answered.
    #[must_use]
    pub fn due_at(&self) -> Instant {
        self.row.due_at
    }

    /// Own priority points.
    #[must_use]
    pub fn priority(&self) -> i32 {
        self.row.priority
    }

    /// Strict class.
    #[must_use]
    pub fn tier(&self) -> u8 {
        self.row.tier
    }

    /// Joins contacts of one matter.
    #[must_use]
    pub fn conversation(&self) -> ContactId {
        self.row.facts.conversation
    }

    /// Place in line and expected wait.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }

    /// Why it is over.
    #[must_use]
    pub fn reason(&self) -> Option<Closed> {
        self.row.over()
    }

    /// The customer's id with the integrator.
    #[must_use]
    pub fn customer_id(&self) -> Option<&str> {
        self.content().customer_id.as_deref()
    }

    /// The customer's name.
    #[must_use]
    pub fn customer_name(&self) -> Option<Cow<'_, str>> {
        let name = self.content().customer_name.as_deref()?;
        Some(self.glass.lens.show(PiiKind::Name, name))
    }

    /// The customer's address on the channel.
    #[must_use]
    pub fn customer_address(&self) -> Option<Cow<'_, str>> {
        let address = self.content().customer_address.as_deref()?;
        Some(match self.glass.lens.pii {
            Pii::Clear => Cow::Borrowed(address),
            Pii::Masked => Cow::Owned(mask(address_kind(address), address)),
        })
    }

    /// Attributes.
    #[must_use]
    pub fn attributes(&self) -> &BTreeMap<String, String> {
        &self.content().attributes
    }

    /// Agents with an open offer or leg, each once.
    #[must_use]
    pub fn agents(&self) -> Vec<Who> {
        let offers = self.row.offers.iter().map(|(_, agent)| *agent);
        let legs = self.row.open_legs().map(|leg| leg.agent);
        let mut agents: Vec<Who> = legs.chain(offers).map(|a| self.glass.who(a)).collect();
        agents.sort_unstable();
        agents.dedup();
        agents
    }

    /// Open legs; of a closed contact, those it had.
    pub fn legs(&self) -> impl Iterator<Item = LegSeen> + '_ {
        let closed = !self.row.is_live();
        let legs = self.row.legs.iter();
        legs.filter(move |leg| closed || leg.state.is_open())
            .map(|leg| self.leg(leg))
    }

    fn leg(&self, leg: &LegRow) -> LegSeen {
        LegSeen {
            offer: leg.offer,
            agent: self.glass.who(leg.agent),
            role: leg.role,
            state: leg.state,
            since: self.glass.agent_time(leg.since),
        }
    }

    fn content(&self) -> &Content {
        &self.row.content
    }
}

/// What a contact's address is: an email or SIP address, or a number.
fn address_kind(address: &str) -> PiiKind {
    let number = |c: char| c.is_ascii_digit() || "+-() .".contains(c);
    if address.contains('@') {
        PiiKind::Address
    } else if address.chars().all(number) {
        PiiKind::Phone
    } else {
        PiiKind::Other
    }
}

/// An agent by name: rows of agents are shown to nobody who may not know who they are.
#[derive(Clone, Debug)]
pub struct AgentSeen {
    row: Arc<AgentRow>,
}

impl AgentSeen {
    /// `None` through a lens that hides who agents are.
    pub(super) fn new(row: Arc<AgentRow>, glass: &Glass) -> Option<Self> {
        match glass.lens.agents {
            Agents::Identified => Some(Self { row }),
            Agents::Anonymous => None,
        }
    }

    /// The row.
    #[must_use]
    pub fn row(&self) -> &AgentRow {
        &self.row
    }
}

/// Who made an event happen, through a lens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ActorSeen {
    /// A user by name.
    User(UserId),
    /// By what stands for the name in this session.
    Anonymous(Pseudonym),
}

impl Glass {
    /// Who made an event happen, and on whose behalf; nobody for rules and timers.
    #[must_use]
    pub fn actor(&self, by: By) -> (Option<ActorSeen>, Option<ActorSeen>) {
        match by {
            By::Engine => (None, None),
            By::User { user, behalf } => (Some(self.user(user)), behalf.map(|u| self.user(u))),
        }
    }

    fn user(&self, user: UserId) -> ActorSeen {
        match self.who(user.agent()) {
            Who::Agent(_) => ActorSeen::User(user),
            Who::Anonymous(pseudonym) => ActorSeen::Anonymous(pseudonym),
        }
    }
}

/// A choice of an agent, through a lens.
#[derive(Clone, Debug)]
pub struct DecisionSeen {
    /// When it was made.
    pub at: Instant,
    decision: Arc<Decision>,
    glass: Glass,
}

impl DecisionSeen {
    pub(super) fn new(at: Instant, decision: Arc<Decision>, glass: Glass) -> Self {
        Self {
            at,
            decision,
            glass,
        }
    }

    /// Who was chosen.
    #[must_use]
    pub fn agent(&self) -> Who {
        self.glass.who(self.decision.agent)
    }

    /// By what.
    #[must_use]
    pub fn by(&self) -> crate::domain::event::Chosen {
        self.decision.by
    }

    /// Others who could have had it, best first.
    pub fn runners_up(&self) -> impl Iterator<Item = Who> + '_ {
        let agents = self.decision.runners_up.iter();
        agents.map(|agent| self.glass.who(*agent))
    }

    /// Members passed over, by reason.
    #[must_use]
    pub fn passed_over(&self) -> &[(crate::domain::event::PassedOver, u32)] {
        &self.decision.passed_over
    }
}
