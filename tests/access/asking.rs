//! Questions to the decision, and its answers as words.

use super::world::{self, STRANGE, SUPERVISED_QUEUE};
use std::sync::Arc;
use switchroom::access::facts::{ContactFacts, Facts, LegFacts, Thing, ThingFacts};
use switchroom::access::grant::Grant;
use switchroom::access::lens::Lens;
use switchroom::access::principal::Principal;
use switchroom::access::privilege::Privilege as P;
use switchroom::access::rights::{Decision, Why, decide};
use switchroom::access::role::Roles;
use switchroom::access::scope::Scope;

pub fn of_role(role: &str) -> Arc<Principal> {
    world::principal(role, &Roles::built_in())
}

pub fn all(privileges: &[P]) -> Vec<Grant> {
    let grant = |privilege: &P| Grant::new(*privilege, Scope::All);
    privileges.iter().map(grant).collect()
}

pub fn ask(principal: &Principal, privilege: P, facts: &Facts<'_>) -> Decision {
    decide(principal, privilege, None, facts)
}

/// `allow`, `not_found` or `forbidden <missing privilege>`.
pub fn answer(principal: &Principal, privilege: P, facts: &Facts<'_>) -> String {
    match ask(principal, privilege, facts) {
        Decision::Allow(_) => "allow".to_owned(),
        Decision::Deny(denied) if denied.why == Why::OutOfScope => denied.code().to_owned(),
        Decision::Deny(denied) => format!("{}: {denied}", denied.code()),
    }
}

pub fn lens(principal: &Principal, privilege: P, facts: &Facts<'_>) -> Lens {
    ask(principal, privilege, facts).lens().expect("allowed")
}

pub fn contact<'a>(legs: &'a [LegFacts<'a>]) -> Facts<'a> {
    Facts::Contact(ContactFacts { legs, ..STRANGE })
}

pub fn supervised() -> Facts<'static> {
    Facts::Contact(ContactFacts {
        queue: SUPERVISED_QUEUE,
        ..STRANGE
    })
}

pub fn thing(id: &'static str) -> Facts<'static> {
    Facts::Thing(ThingFacts::of(Thing::Other(id)))
}
