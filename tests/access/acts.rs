//! Acts that need more than one privilege: each with every operand, and with each one missing.

use super::world::{AGENTS, CHAT, ME, OTHER, STRANGE, VOICE, holder};
use switchroom::access::act::{self, EVERY};
use switchroom::access::facts::{AgentFacts, ContactFacts, Facts};
use switchroom::access::grant::{Channels, Grant};
use switchroom::access::permit::{Act, permit, permit_each};
use switchroom::access::privilege::{Needs, Privilege};
use switchroom::access::rights::{Why, decide_needs};
use switchroom::access::scope::Scope;

fn privilege(name: &str) -> Privilege {
    name.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn all(names: &[&str]) -> Vec<Grant> {
    names
        .iter()
        .map(|name| Grant::new(privilege(name), Scope::All))
        .collect()
}

fn allows(names: &[&str], needs: &Needs, facts: &Facts<'_>) -> bool {
    decide_needs(&holder(all(names), vec![]), needs, None, facts).allows()
}

/// Acts of the page with the privileges that together allow them; alternatives are lines.
const MORE_THAN_ONE: &[(&str, Needs, &[&[&str]])] = &[
    (
        "set queues",
        act::AgentSetQueues::NEEDS,
        &[&["agent.queues.set", "agent.queue_selection"]],
    ),
    (
        "set the state of another",
        act::AgentSetState::NEEDS,
        &[&["agent.state.set", "agent.queue_selection"]],
    ),
    (
        "set channels",
        act::AgentSetChannels::NEEDS,
        &[&["agent.channels.set"]],
    ),
    (
        "assign a role",
        act::RoleAssign::NEEDS,
        &[&["role.assign", "config.users.edit"]],
    ),
    (
        "watch agents",
        act::AgentWatch::NEEDS,
        &[&["agent.status.view"], &["dashboard.agents.identified"]],
    ),
    (
        "alert of an agent",
        act::AlertOfAgent::NEEDS,
        &[&["dashboard.agents"]],
    ),
    (
        "alert of a queue",
        act::AlertOfQueue::NEEDS,
        &[&["dashboard.queues"]],
    ),
    (
        "alert of a team",
        act::AlertOfTeam::NEEDS,
        &[&["dashboard.agents"], &["dashboard.team"]],
    ),
    (
        "alert of the workspace",
        act::AlertOfWorkspace::NEEDS,
        &[&["dashboard.queues"]],
    ),
    (
        "stats.queues",
        act::StatsQueues::NEEDS,
        &[&["dashboard.queues"], &["dashboard.team"]],
    ),
    (
        "stats.agents",
        act::StatsAgents::NEEDS,
        &[&["dashboard.agents"]],
    ),
    (
        "stats.teams",
        act::StatsTeams::NEEDS,
        &[&["dashboard.team"]],
    ),
    (
        "stats.workspace",
        act::StatsWorkspace::NEEDS,
        &[&["dashboard.queues"]],
    ),
    (
        "inbox",
        act::InboxWatch::NEEDS,
        &[&["inbox.view"], &["inbox.act_as"]],
    ),
    (
        "monitor privately",
        act::ContactMonitorPrivately::NEEDS,
        &[&["contact.monitor", "contact.monitor.private"]],
    ),
    (
        "coach",
        act::ContactCoach::NEEDS,
        &[&["contact.monitor", "contact.coach"]],
    ),
    (
        "barge",
        act::ContactBarge::NEEDS,
        &[&["contact.monitor", "contact.barge", "contact.handle"]],
    ),
    (
        "pick up",
        act::ContactPickUp::NEEDS,
        &[&["queue.contacts.pick_up", "contact.handle"]],
    ),
    (
        "join",
        act::ListJoin::NEEDS,
        &[&["list.join", "contact.handle"]],
    ),
    (
        "take over",
        act::ContactTakeOver::NEEDS,
        &[&["contact.take_over", "contact.handle"]],
    ),
    (
        "accept",
        act::ContactAccept::NEEDS,
        &[&["contact.accept", "contact.handle"]],
    ),
    (
        "complete as a transfer",
        act::ConsultTransfer::NEEDS,
        &[&["contact.consult", "contact.transfer"]],
    ),
    (
        "complete as a conference",
        act::ConsultConference::NEEDS,
        &[&["contact.consult", "contact.conference"]],
    ),
    (
        "start with a stranger",
        act::ContactStartUnknown::NEEDS,
        &[&["contact.start", "customer.create"]],
    ),
    (
        "attach a file of one's own",
        act::EmailAttachOwn::NEEDS,
        &[&["email.attach", "file.upload"]],
    ),
    (
        "send a document",
        act::DocumentSend::NEEDS,
        &[&["document.share", "contact.message"]],
    ),
    (
        "run a report",
        act::ReportRun::NEEDS,
        &[&["report.view", "report.create"]],
    ),
    (
        "end and block",
        act::ContactEndAndBlock::NEEDS,
        &[&["contact.end", "block.edit"]],
    ),
    (
        "another's password",
        act::UserSetPassword::NEEDS,
        &[&["config.users.edit"]],
    ),
    (
        "pass on",
        act::EntryPointPass::NEEDS,
        &[&["config.entry_points.edit"], &["ext.routing_flows.edit"]],
    ),
    (
        "allocate",
        act::EntryAllocate::NEEDS,
        &[&["config.entry_points.allocate"]],
    ),
    (
        "define a flow",
        act::RoutingFlowDefine::NEEDS,
        &[&["ext.routing_flows.edit", "ext.flow_editor"]],
    ),
];

#[test]
fn each_act_is_allowed_by_its_operands_and_refused_without_any_one_of_them() {
    let strange = AGENTS[0].facts;
    for (name, needs, alternatives) in MORE_THAN_ONE {
        for operands in *alternatives {
            assert!(
                allows(operands, needs, &strange),
                "{name} with {operands:?}"
            );
            for missing in *operands {
                let rest: Vec<_> = operands.iter().copied().filter(|p| p != missing).collect();
                assert!(!allows(&rest, needs, &strange), "{name} without {missing}");
            }
        }
        let together: Vec<_> = alternatives.concat();
        let named: Vec<_> = needs.privileges().iter().map(|p| p.name()).collect();
        let extra = named
            .iter()
            .find(|p| !together.contains(p) && **p != "session.open");
        assert_eq!(
            extra, None,
            "{name} names a privilege that the page does not"
        );
    }
}

#[test]
fn recording_needs_the_dashboard_and_is_taken_away_by_a_denial() {
    let needs = act::ContactRecord::NEEDS;
    let facts = Facts::Contact(STRANGE);
    assert!(allows(&["dashboard.agents"], &needs, &facts));
    assert!(!allows(&["contact.record"], &needs, &facts));
    let denied = holder(
        all(&["dashboard.agents.identified"]),
        all(&["contact.record"]),
    );
    assert!(!decide_needs(&denied, &needs, None, &facts).allows());
}

#[test]
fn ones_own_state_and_password_need_no_second_privilege() {
    let me = AGENTS
        .iter()
        .find(|agent| agent.name == "myself")
        .expect("one");
    let own = |name: &str| vec![Grant::new(privilege(name), Scope::Own)];
    let setter = holder(own("agent.state.set"), vec![]);
    assert!(permit::<act::AgentSetState>(&setter, &me.facts).is_ok());
    let chooser = holder(own("agent.queues.set"), vec![]);
    let denied = permit::<act::AgentSetQueues>(&chooser, &me.facts).expect_err("one operand");
    assert_eq!(denied.missing, Some(Privilege::AgentQueueSelection));
    let person = holder(own("session.open"), vec![]);
    assert!(permit::<act::UserSetPassword>(&person, &me.facts).is_ok());
    assert!(permit::<act::UserSetPassword>(&person, &AGENTS[0].facts).is_err());
}

#[test]
fn queue_selection_counts_whatever_its_scope() {
    let mut grants = all(&["agent.queues.set"]);
    grants.push(Grant::new(Privilege::AgentQueueSelection, Scope::Own));
    let setter = holder(grants, vec![]);
    assert!(permit::<act::AgentSetQueues>(&setter, &AGENTS[0].facts).is_ok());
}

#[test]
fn taking_a_contact_is_refused_naming_the_channel_right_that_lacks() {
    let mut grants = all(&[
        "contact.view",
        "queue.contacts.pick_up",
        "contact.take_over",
    ]);
    let chat = Channels::only(CHAT);
    grants.push(Grant::new(Privilege::ContactHandle, Scope::Own).on(chat));
    let supervisor = holder(grants, vec![]);
    let on = |channel| Facts::Contact(ContactFacts { channel, ..STRANGE });
    assert!(permit::<act::ContactPickUp>(&supervisor, &on(CHAT)).is_ok());
    for denied in [
        permit::<act::ContactPickUp>(&supervisor, &on(VOICE)).expect_err("no voice"),
        permit::<act::ContactTakeOver>(&supervisor, &on(VOICE)).expect_err("no voice"),
    ] {
        assert_eq!(denied.why, Why::Forbidden);
        assert_eq!(denied.to_string(), "contact.handle is needed");
    }
}

#[test]
fn with_all_means_the_whole_workspace() {
    let supervised = vec![
        Grant::new(Privilege::DashboardQueues, Scope::Supervised),
        Grant::new(Privilege::ContactStart, Scope::Conversation),
        Grant::new(Privilege::CustomerCreate, Scope::All),
    ];
    let supervisor = holder(supervised, vec![]);
    assert!(permit::<act::StatsWorkspace>(&supervisor, &Facts::Workspace).is_err());
    assert!(permit::<act::ContactStartUnknown>(&supervisor, &Facts::Rows).is_err());
}

#[test]
fn an_act_with_two_ends_needs_the_right_over_both_on_the_channel_of_the_contact() {
    let agent = |agent| {
        Facts::Agent(AgentFacts {
            agent,
            teams: &[],
            queues: &[],
        })
    };
    let contact = Facts::Contact(ContactFacts {
        offered: &[ME.agent()],
        channel: CHAT,
        ..STRANGE
    });
    let own = Grant::new(Privilege::ContactAssign, Scope::Own);
    let assign = |grant: Grant, to| {
        let assigner = holder(vec![grant], vec![]);
        permit_each::<act::ContactAssign>(&assigner, &contact, &[agent(to)]).is_ok()
    };
    assert!(assign(own.clone(), ME.agent()));
    assert!(!assign(own.clone(), OTHER));
    assert!(assign(own.clone().on(Channels::only(CHAT)), ME.agent()));
    assert!(!assign(own.on(Channels::only(VOICE)), ME.agent()));
}

#[test]
fn a_permit_says_who_acts_by_which_rights() {
    let ender = holder(all(&["contact.end"]), vec![]);
    let permit = permit::<act::ContactEnd>(&ender, &Facts::Contact(STRANGE)).expect("held");
    assert_eq!((permit.who(), permit.version()), (ME, 1));
}

#[test]
fn every_act_names_privileges_and_nobody_without_any_may_do_one() {
    let nobody = holder(vec![], vec![]);
    for (name, needs) in EVERY {
        assert!(!needs.privileges().is_empty(), "{name}");
        for facts in [
            Facts::Rows,
            Facts::Workspace,
            Facts::Contact(STRANGE),
            AGENTS[1].facts,
        ] {
            assert!(
                !decide_needs(&nobody, needs, None, &facts).allows(),
                "{name}"
            );
        }
    }
}
