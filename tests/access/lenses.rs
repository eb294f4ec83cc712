//! Rules by example: what a reader is shown of what it may read.

use super::world::{AGENTS, ME, STRANGE, SUPERVISED_TEAM, holder, identity, leg_of_team, my_leg};
use switchroom::access::facts::{ContactFacts, Facts, LegPart, LegStanding};
use switchroom::access::grant::Grant;
use switchroom::access::lens::{Agents, Pii};
use switchroom::access::principal::Identity;
use switchroom::access::privilege::Privilege as P;
use switchroom::access::role::{Limits, Roles};
use switchroom::access::scope::Scope;

use super::asking::{all, contact, lens, of_role, supervised};

#[test]
fn personal_data_is_clear_only_by_its_privilege_over_the_object() {
    let (agent, senior) = (of_role("agent"), of_role("senior_agent"));
    let mine = [my_leg(LegPart::Owner, LegStanding::Connected)];
    assert_eq!(
        lens(&agent, P::ContactView, &contact(&mine)).pii,
        Pii::Masked
    );
    assert_eq!(
        lens(&senior, P::ContactView, &contact(&mine)).pii,
        Pii::Clear
    );
    let admin = of_role("admin");
    assert_eq!(lens(&admin, P::ContactView, &supervised()).pii, Pii::Masked);
    let integration = of_role("integration");
    let own = Facts::Contact(ContactFacts {
        submitted_by: Some(ME),
        ..STRANGE
    });
    assert_eq!(lens(&integration, P::ContactView, &own).pii, Pii::Clear);
    assert_eq!(
        lens(&integration, P::ContactView, &Facts::Rows).pii,
        Pii::Masked
    );
    let team = holder(
        [
            all(&[P::ContactView]),
            vec![Grant::new(P::CustomerPiiClear, Scope::Supervised)],
        ]
        .concat(),
        vec![],
    );
    assert_eq!(lens(&team, P::ContactView, &supervised()).pii, Pii::Clear);
    assert_eq!(
        lens(&team, P::ContactView, &Facts::Contact(STRANGE)).pii,
        Pii::Masked
    );
}

#[test]
fn agents_are_anonymous_to_whoever_sees_them_by_the_anonymous_dashboard_alone() {
    let anonymous = holder(
        vec![
            Grant::new(P::DashboardAgents, Scope::Supervised),
            Grant::new(P::AgentStatusView, Scope::Team),
            Grant::new(P::ContactView, Scope::All),
        ],
        vec![],
    );
    let find = |name| &AGENTS.iter().find(|a| a.name == name).expect("one").facts;
    let row = lens(&anonymous, P::DashboardAgents, find("of a supervised team"));
    assert_eq!(row.agents, Agents::Anonymous);
    let mate = lens(&anonymous, P::AgentStatusView, find("a team mate"));
    assert_eq!(mate.agents, Agents::Identified);
    assert_eq!(
        lens(&anonymous, P::ContactView, &supervised()).agents,
        Agents::Anonymous
    );
    let legs = [
        leg_of_team(&[SUPERVISED_TEAM]),
        my_leg(LegPart::Participant, LegStanding::Connected),
    ];
    assert_eq!(
        lens(&anonymous, P::ContactView, &contact(&legs)).agents,
        Agents::Identified
    );
    assert_eq!(
        lens(&anonymous, P::DashboardAgents, &Facts::Rows).agents,
        Agents::Anonymous
    );
    let supervisor = of_role("supervisor");
    assert_eq!(
        lens(&supervisor, P::DashboardAgents, &Facts::Rows).agents,
        Agents::Identified
    );
    assert_eq!(
        lens(&supervisor, P::ContactView, &supervised()).agents,
        Agents::Identified
    );
    let denied = Identity {
        denials: vec![Grant::new(P::DashboardAgentsIdentified, Scope::All)],
        ..identity("supervisor")
    };
    let denied = denied
        .principal(&Roles::built_in(), Limits::default(), 1)
        .expect("fine");
    assert_eq!(
        lens(&denied, P::DashboardAgents, &Facts::Rows).agents,
        Agents::Anonymous
    );
    assert_eq!(
        lens(&denied, P::ContactView, &supervised()).agents,
        Agents::Anonymous
    );
}

#[test]
fn private_legs_are_shown_to_holders_over_that_contact_and_to_nobody_else() {
    let mut grants = all(&[P::ContactView]);
    grants.push(Grant::new(P::ContactMonitorPrivate, Scope::Supervised));
    let listener = holder(grants, vec![]);
    assert!(lens(&listener, P::ContactView, &supervised()).private_legs);
    assert!(!lens(&listener, P::ContactView, &Facts::Contact(STRANGE)).private_legs);
    assert!(!lens(&listener, P::ContactView, &Facts::Rows).private_legs);
    assert!(!lens(&of_role("supervisor"), P::ContactView, &supervised()).private_legs);
}
