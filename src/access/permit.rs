//! Permits: values that only this layer can make. What takes a permit cannot be called
//! unchecked.

use super::facts::Facts;
use super::lens::Lens;
use super::principal::Principal;
use super::privilege::Needs;
use super::rights::{Denied, decide_needs};
use crate::id::UserId;
use std::marker::PhantomData;

/// An act that needs a permit: a name in the type, and what it needs.
pub trait Act {
    /// What the principal needs over each object of the act.
    const NEEDS: Needs;
}

/// Proof that a principal was allowed act `A` on the facts of this moment. An owner asks for it
/// inside the step that applies the command and hands it to the function that does the act, so
/// it is neither kept nor copied.
///
/// ```
/// use switchroom::access::act::AgentSetState;
/// use switchroom::access::facts::{AgentFacts, Facts};
/// use switchroom::access::permit::{Permit, permit};
/// use switchroom::access::principal::{Identity, Principal};
/// use switchroom::access::rights::Denied;
/// use switchroom::access::role::{Limits, Roles};
/// use switchroom::id::{AgentId, UserId};
///
/// struct Seat { agent: AgentId, away: bool }
///
/// fn set_away(seat: &mut Seat, permit: &Permit<AgentSetState>) -> UserId {
///     seat.away = true;
///     permit.who()
/// }
///
/// fn apply(seat: &mut Seat, principal: &Principal) -> Result<UserId, Denied> {
///     let facts = Facts::Agent(AgentFacts { agent: seat.agent, teams: &[], queues: &[] });
///     let permit = permit::<AgentSetState>(principal, &facts)?;
///     Ok(set_away(seat, &permit))
/// }
///
/// let roles = Roles::built_in();
/// let ana = Identity::new(UserId(1), "ana", "agent").principal(&roles, Limits::default(), 1)?;
/// assert_eq!(apply(&mut Seat { agent: AgentId(1), away: false }, &ana), Ok(UserId(1)));
/// assert!(apply(&mut Seat { agent: AgentId(2), away: false }, &ana).is_err());
/// # Ok::<(), switchroom::access::role::RoleError>(())
/// ```
///
/// Nothing else makes one:
///
/// ```compile_fail,E0451
/// use std::marker::PhantomData;
/// use switchroom::access::act::AgentSetState;
/// use switchroom::access::lens::Lens;
/// use switchroom::access::permit::Permit;
/// use switchroom::id::UserId;
///
/// fn forge(lens: Lens) -> Permit<AgentSetState> {
///     Permit { who: UserId(1), version: 1, lens, act: PhantomData }
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Permit<A> {
    who: UserId,
    version: u64,
    lens: Lens,
    act: PhantomData<fn() -> A>,
}

impl<A> Permit<A> {
    /// Who acts, for the record of the event.
    #[must_use]
    pub fn who(&self) -> UserId {
        self.who
    }

    /// Version of the rights by which it was given.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Through what the object may be shown in the reply.
    #[must_use]
    pub fn lens(&self) -> Lens {
        self.lens
    }
}

/// A permit for act `A` on one object.
///
/// # Errors
/// [`Denied`] when the principal lacks what the act needs.
pub fn permit<A: Act>(principal: &Principal, facts: &Facts<'_>) -> Result<Permit<A>, Denied> {
    permit_each(principal, facts, &[])
}

/// A permit for act `A` on several objects at once, as an assignment has two ends. A channel
/// that one of them has holds for all: the other end of a contact's move is asked about the
/// contact's channel. The lens is that of the first.
///
/// # Errors
/// The first refusal, in the order of the objects.
pub fn permit_each<A: Act>(
    principal: &Principal,
    first: &Facts<'_>,
    others: &[Facts<'_>],
) -> Result<Permit<A>, Denied> {
    let channel = first
        .channel()
        .or_else(|| others.iter().find_map(Facts::channel));
    let lens = decide_needs(principal, &A::NEEDS, channel, first).lens()?;
    for facts in others {
        decide_needs(principal, &A::NEEDS, channel, facts).lens()?;
    }
    Ok(Permit {
        who: principal.user(),
        version: principal.version(),
        lens,
        act: PhantomData,
    })
}
