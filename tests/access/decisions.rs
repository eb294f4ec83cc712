//! Rules of the decision by example: what is hidden and what is refused, legs that only listen,
//! legs that are over, channels, ids, agent views and the lens.

use super::world::{
    self, AGENTS, CHAT, ME, OTHER, STRANGE, STRANGE_QUEUE, STRANGE_TEAM, SUPERVISED_QUEUE,
    SUPERVISED_TEAM, VOICE, holder, identity, leg, leg_of_team, my_leg,
};
use switchroom::access::facts::{
    AgentFacts, ContactFacts, Facts, LegFacts, LegPart, LegStanding, Thing, ThingFacts,
};
use switchroom::access::grant::{Channels, Grant, Named};
use switchroom::access::lens::Messages;
use switchroom::access::principal::{Identity, Principal};
use switchroom::access::privilege::Privilege as P;
use switchroom::access::rights::decide;
use switchroom::access::role::{Limits, Roles};
use switchroom::access::scope::Scope;
use switchroom::id::{ContactId, QueueId};

use super::asking::{all, answer, ask, contact, lens, of_role, supervised, thing};

#[test]
fn what_one_may_not_see_is_not_found_and_what_one_sees_is_forbidden() {
    let (agent, supervisor) = (of_role("agent"), of_role("supervisor"));
    let offered = Facts::Contact(ContactFacts {
        offered: &[ME.agent()],
        ..STRANGE
    });
    let conference = [my_leg(LegPart::Participant, LegStanding::Connected)];
    let mate = AGENTS
        .iter()
        .find(|a| a.name == "a team mate")
        .expect("one");
    let stranger = AGENTS
        .iter()
        .find(|a| a.name == "a strange agent")
        .expect("one");
    let queue = |id| Facts::Thing(ThingFacts::of(Thing::Queue(id)));
    for (principal, privilege, facts, expected) in [
        (&agent, P::ContactEnd, Facts::Contact(STRANGE), "not_found"),
        (&agent, P::ContactView, Facts::Contact(STRANGE), "not_found"),
        (
            &agent,
            P::ContactMove,
            offered,
            "forbidden: contact.move is needed",
        ),
        (
            &agent,
            P::ContactMove,
            contact(&conference),
            "forbidden: contact.move is needed",
        ),
        (
            &agent,
            P::ContactTransfer,
            contact(&conference),
            "forbidden: contact.transfer is needed",
        ),
        (
            &agent,
            P::AgentEndWrapUp,
            mate.facts,
            "forbidden: agent.end_wrap_up is needed",
        ),
        (&agent, P::AgentStateSet, stranger.facts, "not_found"),
        (
            &agent,
            P::QueueOpenClose,
            queue(SUPERVISED_QUEUE),
            "not_found",
        ),
        (
            &agent,
            P::LabelDelete,
            thing("vip"),
            "forbidden: label.delete is needed",
        ),
        (&agent, P::WallboardEdit, thing("lobby"), "not_found"),
        (
            &agent,
            P::WorkspaceDrain,
            Facts::Workspace,
            "forbidden: workspace.drain is needed",
        ),
        (
            &agent,
            P::ReportView,
            Facts::Rows,
            "forbidden: report.view is needed",
        ),
        (
            &supervisor,
            P::ContactMonitorPrivate,
            supervised(),
            "forbidden: contact.monitor.private is needed",
        ),
        (&supervisor, P::ContactMonitor, supervised(), "allow"),
        (
            &supervisor,
            P::ContactEnd,
            Facts::Contact(STRANGE),
            "not_found",
        ),
        (
            &supervisor,
            P::QueueOpenClose,
            queue(STRANGE_QUEUE),
            "not_found",
        ),
        (
            &supervisor,
            P::WorkspaceDrain,
            queue(SUPERVISED_QUEUE),
            "forbidden: workspace.drain is needed",
        ),
        (
            &of_role("wallboard"),
            P::ContactView,
            offered,
            "forbidden: contact.view is needed",
        ),
        (
            &of_role("wallboard"),
            P::ContactView,
            supervised(),
            "not_found",
        ),
        (
            &of_role("integration"),
            P::ContactEnd,
            supervised(),
            "not_found",
        ),
    ] {
        let told = answer(principal, privilege, &facts);
        assert_eq!(
            told,
            expected,
            "{:?} {privilege} {facts:?}",
            principal.roles()
        );
    }
}

#[test]
fn the_anonymous_dashboard_shows_no_agent_by_his_id() {
    let viewer = holder(all(&[P::DashboardAgents]), vec![]);
    let agent = AGENTS[0].facts;
    assert_eq!(answer(&viewer, P::AgentStateSet, &agent), "not_found");
    let viewer = holder(all(&[P::DashboardAgentsIdentified]), vec![]);
    assert_eq!(
        answer(&viewer, P::AgentStateSet, &agent),
        "forbidden: agent.state.set is needed"
    );
}

#[test]
fn inboxes_of_others_show_every_channel_and_allow_nothing() {
    let viewer = holder(
        vec![Grant::new(P::InboxView, Scope::Supervised)],
        all(&[P::ContactHandle]),
    );
    let of_supervised = [leg_of_team(&[SUPERVISED_TEAM])];
    for channel in [VOICE, CHAT] {
        let facts = Facts::Contact(ContactFacts {
            channel,
            legs: &of_supervised,
            ..STRANGE
        });
        assert!(ask(&viewer, P::InboxView, &facts).allows());
        for privilege in P::every().filter(|p| *p != P::InboxView) {
            let told = answer(&viewer, privilege, &facts);
            assert_eq!(told, format!("forbidden: {privilege} is needed"));
        }
    }
}

#[test]
fn the_whole_workspace_is_not_held_by_whom_a_part_is_denied() {
    let denied = vec![Grant::new(P::DashboardQueues, Scope::Supervised)];
    let viewer = holder(all(&[P::DashboardQueues]), denied);
    assert!(!ask(&viewer, P::DashboardQueues, &Facts::Workspace).allows());
    assert!(ask(&viewer, P::DashboardQueues, &Facts::Rows).allows());
    assert!(viewer.holds(P::DashboardQueues));
}

#[test]
fn waiting_contacts_are_opened_from_their_queue_only_while_they_wait() {
    let supervisor = of_role("supervisor");
    let opens = |legs: &[LegFacts<'_>]| {
        let facts = Facts::Contact(ContactFacts {
            queue: SUPERVISED_QUEUE,
            legs,
            ..STRANGE
        });
        ask(&supervisor, P::QueueContactsView, &facts).allows()
    };
    assert!(opens(&[]));
    assert!(opens(&[leg(
        OTHER,
        LegPart::Owner,
        LegStanding::Connecting
    )]));
    assert!(!opens(&[leg(
        OTHER,
        LegPart::Owner,
        LegStanding::Connected
    )]));
    let ended = LegStanding::Ended { late_wrap_up: true };
    assert!(opens(&[leg(OTHER, LegPart::Owner, ended)]));
}

#[test]
fn grants_and_denials_by_channel_add_up_and_subtract() {
    let chat_only = Grant::new(P::ContactMove, Scope::All).on(Channels::only(CHAT));
    let supervised_voice = Grant::new(P::ContactMove, Scope::Supervised).on(Channels::only(VOICE));
    let mover = holder(vec![chat_only.clone(), supervised_voice], vec![]);
    let on = |principal: &Principal, channel, queue| {
        let facts = ContactFacts {
            channel,
            queue,
            ..STRANGE
        };
        ask(principal, P::ContactMove, &Facts::Contact(facts)).allows()
    };
    assert!(on(&mover, CHAT, STRANGE_QUEUE));
    assert!(on(&mover, CHAT, SUPERVISED_QUEUE));
    assert!(on(&mover, VOICE, SUPERVISED_QUEUE));
    assert!(!on(&mover, VOICE, STRANGE_QUEUE));
    let denied = holder(all(&[P::ContactMove]), vec![chat_only]);
    assert!(on(&denied, VOICE, STRANGE_QUEUE) && !on(&denied, CHAT, STRANGE_QUEUE));
    assert!(denied.holds(P::ContactMove));
    assert!(decide(&denied, P::ContactMove, None, &Facts::Workspace).allows());
    assert!(!decide(&denied, P::ContactMove, Some(CHAT), &Facts::Workspace).allows());
}

#[test]
fn listed_ids_reach_contacts_by_their_facts_and_people_and_things_by_their_own() {
    let named = |named| holder(vec![Grant::over(P::ContactView, named)], vec![]);
    let by_queue = named(Named {
        queues: vec![STRANGE_QUEUE],
        ..Named::default()
    });
    let by_team = named(Named {
        teams: vec![STRANGE_TEAM],
        ..Named::default()
    });
    let by_agent = named(Named {
        agents: vec![OTHER],
        ..Named::default()
    });
    let by_id = named(Named {
        contacts: vec![STRANGE.contact],
        ..Named::default()
    });
    let waiting = Facts::Contact(STRANGE);
    let legs = [leg(OTHER, LegPart::Owner, LegStanding::Connected)];
    let engaged = contact(&legs);
    let table = [
        (&by_queue, true, true),
        (&by_team, true, false),
        (&by_agent, false, true),
        (&by_id, true, true),
    ];
    for (principal, while_waiting, while_engaged) in table {
        assert_eq!(
            ask(principal, P::ContactView, &waiting).allows(),
            while_waiting
        );
        assert_eq!(
            ask(principal, P::ContactView, &engaged).allows(),
            while_engaged
        );
        assert!(!ask(principal, P::ContactView, &Facts::Workspace).allows());
        assert!(ask(principal, P::ContactView, &Facts::Rows).allows());
    }
    let other = Facts::Contact(ContactFacts {
        queue: QueueId(33),
        owner_team: None,
        contact: ContactId(uuid::Uuid::from_u128(2)),
        ..STRANGE
    });
    assert!(
        table
            .iter()
            .all(|(p, ..)| !ask(p, P::ContactView, &other).allows())
    );
    let person = AgentFacts {
        agent: OTHER,
        teams: &[STRANGE_TEAM],
        queues: &[STRANGE_QUEUE],
    };
    assert!(ask(&by_agent, P::ContactView, &Facts::Agent(person)).allows());
    assert!(!ask(&by_team, P::ContactView, &Facts::Agent(person)).allows());
    let queue = Facts::Thing(ThingFacts::of(Thing::Queue(STRANGE_QUEUE)));
    assert!(ask(&by_queue, P::ContactView, &queue).allows());
    assert!(!ask(&by_agent, P::ContactView, &queue).allows());
}

#[test]
fn a_denial_by_id_beats_a_grant_over_all() {
    let but_one = Named {
        agents: vec![OTHER],
        ..Named::default()
    };
    let viewer = holder(
        all(&[P::InboxView]),
        vec![Grant::over(P::InboxView, but_one)],
    );
    let inbox = |agent| {
        let facts = AgentFacts {
            agent,
            teams: &[],
            queues: &[],
        };
        ask(&viewer, P::InboxView, &Facts::Agent(facts)).allows()
    };
    assert!(inbox(ME.agent()) && !inbox(OTHER));
    assert!(viewer.holds(P::InboxView));
    assert!(!ask(&viewer, P::InboxView, &Facts::Workspace).allows());
}

#[test]
fn an_agent_view_lets_act_for_its_owner_until_it_is_withdrawn_or_denied() {
    let delegate = |denials: Vec<Grant>, acts_for| {
        let identity = Identity {
            acts_for,
            denials,
            ..identity("agent")
        };
        let principal = identity.principal(&Roles::built_in(), Limits::default(), 1);
        principal.expect("the role exists")
    };
    let owner = AGENTS[0].facts;
    let acts = |p: &Principal, facts: &Facts<'_>| ask(p, P::InboxActAs, facts).allows();
    assert!(acts(&delegate(vec![], vec![OTHER]), &owner));
    assert!(!acts(&delegate(vec![], vec![OTHER]), &AGENTS[1].facts));
    assert!(!acts(&delegate(vec![], vec![]), &owner));
    assert!(!acts(&delegate(all(&[P::InboxActAs]), vec![OTHER]), &owner));
}

#[test]
fn a_visitor_reaches_its_one_contact_and_no_message_among_agents() {
    let visitor = of_role("visitor");
    let own = &world::OF_VISITOR[0].facts;
    let shown = lens(&visitor, P::ContactView, own);
    assert_eq!(
        (shown.reads, shown.writes),
        (Messages::WithCustomer, Messages::WithCustomer)
    );
    assert!(shown.reads.with_customer() && !shown.reads.among_agents());
    assert_eq!(
        answer(&visitor, P::ContactView, &Facts::Contact(STRANGE)),
        "not_found"
    );
    let agent = Identity {
        visits: Some(world::MY_VISIT),
        ..identity("agent")
    };
    let agent = agent
        .principal(&Roles::built_in(), Limits::default(), 1)
        .expect("fine");
    assert_eq!(answer(&agent, P::ContactEnd, own), "not_found");
}

#[test]
fn submitting_makes_a_contact_own_for_integrations_only() {
    let own = Facts::Contact(ContactFacts {
        submitted_by: Some(ME),
        connector: Some(ME),
        ..STRANGE
    });
    assert!(ask(&of_role("integration"), P::ContactAbandon, &own).allows());
    assert_eq!(answer(&of_role("agent"), P::ContactEnd, &own), "not_found");
}
