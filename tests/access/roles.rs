//! Roles as data: inheritance, what is refused, limits, and what a role sees.

use super::world::{CHAT, MY_QUEUE, MY_TEAM, VOICE, holder, identity, principal};
use std::collections::BTreeSet;
use switchroom::access::built_in::paired;
use switchroom::access::ext::{ExtNames, NotAPage};
use switchroom::access::facts::{Facts, Thing, ThingFacts};
use switchroom::access::grant::{Channels, Grant, Named};
use switchroom::access::principal::Identity;
use switchroom::access::privilege::{ConfigObject, Level, Privilege as P};
use switchroom::access::rights::decide;
use switchroom::access::role::{Limits, Panel, Role, RoleError, Roles, Screen};
use switchroom::access::scope::Scope;
use switchroom::id::{QueueId, UserId};
use switchroom::time::Span;

fn role(name: &str, inherits: &[&str]) -> Role {
    Role {
        name: name.to_owned(),
        inherits: inherits.iter().map(|name| (*name).to_owned()).collect(),
        ..Role::default()
    }
}

fn chain(length: usize) -> Vec<Role> {
    let name = |n: usize| format!("r{n}");
    let mut roles = vec![role("r1", &[])];
    roles.extend((2..=length).map(|n| role(&name(n), &[&name(n - 1)])));
    roles
}

fn with_built_in(added: Role) -> Result<Roles, RoleError> {
    let mut roles: Vec<Role> = Roles::built_in().iter().cloned().collect();
    roles.push(added);
    Roles::new(roles)
}

#[test]
fn seven_roles_are_built_in() {
    let roles = Roles::built_in();
    let names: Vec<_> = roles.iter().map(|role| role.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "admin",
            "agent",
            "integration",
            "senior_agent",
            "supervisor",
            "visitor",
            "wallboard"
        ]
    );
    for heir in ["senior_agent", "supervisor", "admin"] {
        assert!(roles.inherits(&[heir], "agent"), "{heir}");
    }
}

#[test]
fn inheritance_is_eight_deep_at_most_and_never_a_circle() {
    assert!(Roles::new(chain(8)).is_ok());
    assert!(matches!(Roles::new(chain(9)), Err(RoleError::TooDeep(_))));
    let circle = vec![role("a", &["b"]), role("b", &["c"]), role("c", &["a"])];
    let error = Roles::new(circle).expect_err("a circle");
    assert_eq!(
        error.to_string(),
        "role \"a\" inherits itself: a inherits b inherits c inherits a"
    );
    let alone = Roles::new(vec![role("a", &["a"])]);
    assert!(matches!(alone, Err(RoleError::Cycle(..))));
}

#[test]
fn many_roles_that_share_ancestors_are_checked_quickly() {
    let width = 40;
    let name = |layer: usize, n: usize| format!("r{layer}_{n}");
    let mut roles = Vec::new();
    for layer in 0..8 {
        for n in 0..width {
            let inherits = (0..width).map(|m| name(layer + 1, m));
            roles.push(Role {
                name: name(layer, n),
                inherits: if layer < 7 {
                    inherits.collect()
                } else {
                    Vec::new()
                },
                ..Role::default()
            });
        }
    }
    assert!(Roles::new(roles).is_ok());
}

#[test]
fn roles_that_do_not_hold_together_are_refused_with_a_reason() {
    let unknown = Roles::new(vec![role("a", &["b"])]).expect_err("no b");
    assert_eq!(
        unknown.to_string(),
        "role \"a\" names role \"b\", which does not exist"
    );
    let twice = Roles::new(vec![role("a", &[]), role("a", &[])]).expect_err("two");
    assert_eq!(twice.to_string(), "role \"a\" is there twice");
    let nobody = identity("ghost").principal(&Roles::built_in(), Limits::default(), 1);
    assert_eq!(
        nobody.expect_err("no such role").to_string(),
        "user \"me\" names role \"ghost\", which does not exist"
    );
    for (grant, text) in [
        (
            Grant::new(P::ContactEnd, Scope::All).on(Channels::only(VOICE)),
            "role \"x\" lists channels of contact.end: it is not per channel",
        ),
        (
            Grant::new(P::ContactMove, Scope::All).on(Channels::NONE),
            "role \"x\" lists channels of contact.move: the list is empty",
        ),
        (
            Grant::new(P::ContactEnd, Scope::Named),
            "role \"x\" grants or denies contact.end with scope named: it lists no ids",
        ),
        (
            Grant {
                scope: Scope::All,
                ..Grant::over(
                    P::ContactEnd,
                    Named {
                        queues: vec![MY_QUEUE],
                        ..Named::default()
                    },
                )
            },
            "role \"x\" grants or denies contact.end with scope all: ids are listed only with scope named",
        ),
        (
            Grant::new(P::DelegationEdit, Scope::All),
            "role \"x\" grants delegation.edit, which only roles that inherit admin may hold",
        ),
    ] {
        let granted = Role {
            grants: vec![grant],
            ..role("x", &["supervisor"])
        };
        let error = with_built_in(granted).expect_err(text);
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn agent_views_are_granted_by_heirs_of_admin_alone() {
    let grant = Grant::new(P::DelegationEdit, Scope::All);
    let heir = Role {
        grants: vec![grant.clone()],
        ..role("owner", &["admin"])
    };
    assert!(with_built_in(heir).is_ok());
    let personal = |role: &str| {
        let identity = Identity {
            grants: vec![grant.clone()],
            ..identity(role)
        };
        identity.principal(&Roles::built_in(), Limits::default(), 1)
    };
    assert!(personal("supervisor").is_err());
    assert!(personal("admin").is_ok());
}

#[test]
fn two_users_of_one_role_differ_by_personal_grants_and_denials() {
    let roles = Roles::built_in();
    let plain = principal("agent", &roles);
    let changed = Identity {
        grants: vec![Grant::new(P::CustomerList, Scope::All)],
        denials: vec![Grant::new(P::ContactHandle, Scope::All).on(Channels::only(VOICE))],
        ..identity("agent")
    };
    let changed = changed
        .principal(&roles, Limits::default(), 1)
        .expect("fine");
    assert!(plain.may_handle(VOICE) && plain.may_handle(CHAT));
    assert!(!changed.may_handle(VOICE) && changed.may_handle(CHAT));
    assert!(!plain.holds(P::CustomerList) && changed.holds(P::CustomerList));
}

#[test]
fn a_level_brings_those_before_it_and_takes_those_after_it() {
    let queues = |level| P::Config(ConfigObject::Queues, level);
    let editor = holder(vec![Grant::new(queues(Level::Edit), Scope::All)], vec![]);
    let held = |p: &switchroom::access::principal::Principal| {
        Level::EVERY.map(|level| p.holds(queues(level)))
    };
    assert_eq!(held(&editor), [true, true, false]);
    let all = vec![Grant::new(queues(Level::Delete), Scope::All)];
    let reader = holder(
        all.clone(),
        vec![Grant::new(queues(Level::Edit), Scope::All)],
    );
    assert_eq!(held(&reader), [true, false, false]);
    let nobody = holder(all, vec![Grant::new(queues(Level::View), Scope::All)]);
    assert_eq!(held(&nobody), [false, false, false]);
}

#[test]
fn recording_comes_with_either_level_of_the_dashboard_and_can_be_denied() {
    for level in [P::DashboardAgents, P::DashboardAgentsIdentified] {
        let grants = vec![Grant::new(level, Scope::Team)];
        assert!(holder(grants.clone(), vec![]).holds(P::ContactRecord));
        let denied = holder(grants, vec![Grant::new(P::ContactRecord, Scope::All)]);
        assert!(!denied.holds(P::ContactRecord) && denied.holds(level));
    }
}

#[test]
fn the_strictest_limit_counts_unless_the_user_has_his_own() {
    let strict = Role {
        limits: Limits {
            auto_sign_out_after: Some(Span::minutes(5)),
            email_review_required: Some(true),
            max_sessions: Some(2),
            ..Limits::default()
        },
        ..role("strict", &["agent"])
    };
    let lax = Role {
        limits: Limits {
            auto_sign_out_after: Some(Span::minutes(30)),
            email_review_required: Some(false),
            ..Limits::default()
        },
        ..role("lax", &[])
    };
    let mut roles: Vec<Role> = Roles::built_in().iter().cloned().collect();
    roles.extend([strict, lax]);
    let roles = Roles::new(roles).expect("fine");
    let identity = Identity {
        roles: vec!["lax".to_owned(), "strict".to_owned()],
        limits: Limits {
            max_sessions: Some(9),
            ..Limits::default()
        },
        ..identity("lax")
    };
    let workspace = Limits {
        auto_sign_out_after: Some(Span::minutes(1)),
        auto_sign_out_warning: Some(Span::minutes(1)),
        ..Limits::default()
    };
    let limits = *identity
        .principal(&roles, workspace, 1)
        .expect("fine")
        .limits();
    assert_eq!(limits.auto_sign_out_after, Some(Span::minutes(5)));
    assert_eq!(limits.auto_sign_out_warning, Some(Span::minutes(1)));
    assert_eq!(limits.email_review_required, Some(true));
    assert_eq!(limits.max_sessions, Some(9));
}

#[test]
fn inactivity_never_ends_a_live_screen_of_a_wallboard() {
    let always = Limits {
        auto_sign_out_live: Some(true),
        ..Limits::default()
    };
    let identity = Identity {
        limits: always,
        ..identity("wallboard")
    };
    let screen = identity
        .principal(&Roles::built_in(), always, 1)
        .expect("fine");
    assert_eq!(screen.limits().auto_sign_out_live, Some(false));
}

#[test]
fn a_role_sees_its_panels_and_never_one_without_its_privilege() {
    let roles = Roles::built_in();
    let panels = |name: &str| principal(name, &roles).home().panels.clone();
    let agent = [
        Panel::Contacts,
        Panel::Recent,
        Panel::Customers,
        Panel::Voicemail,
        Panel::Stats,
    ];
    assert_eq!(panels("agent"), agent);
    assert_eq!(panels("senior_agent"), agent);
    let supervision = [
        Panel::TeamRecent,
        Panel::Queues,
        Panel::Agents,
        Panel::Reports,
    ];
    assert_eq!(panels("supervisor"), [&agent[..], &supervision].concat());
    let administration = [Panel::Administration];
    assert_eq!(
        panels("admin"),
        [&agent[..], &supervision, &administration].concat()
    );
    assert!(panels("visitor").is_empty() && panels("wallboard").is_empty());
    let screen = |name: &str| principal(name, &roles).home().screen;
    assert_eq!(screen("senior_agent"), Screen::Desktop);
    assert_eq!(screen("supervisor"), Screen::Supervisor);
    let without = Identity {
        denials: vec![Grant::new(P::ReportView, Scope::All)],
        ..identity("supervisor")
    };
    let without = without
        .principal(&roles, Limits::default(), 1)
        .expect("fine");
    assert!(!without.home().panels.contains(&Panel::Reports));
    assert!(without.home().panels.contains(&Panel::Queues));
}

#[test]
fn a_paired_screen_reads_its_board_and_nothing_else() {
    let board_queue = QueueId(5);
    let screen = Identity {
        grants: paired("lobby", &[board_queue]),
        ..Identity::new(UserId(3), "screen", "wallboard")
    };
    let screen = screen
        .principal(&Roles::built_in(), Limits::default(), 1)
        .expect("fine");
    let sees = |privilege, thing| {
        decide(
            &screen,
            privilege,
            None,
            &Facts::Thing(ThingFacts::of(thing)),
        )
        .allows()
    };
    assert!(sees(P::WallboardView, Thing::Other("lobby")));
    assert!(!sees(P::WallboardView, Thing::Other("floor2")));
    assert!(sees(P::DashboardQueues, Thing::Queue(board_queue)));
    assert!(!sees(P::DashboardQueues, Thing::Queue(MY_QUEUE)));
    assert!(!sees(P::DashboardQueues, Thing::Team(MY_TEAM)));
    let held: BTreeSet<_> = screen
        .privileges(&ExtNames::default())
        .into_iter()
        .collect();
    let held: Vec<_> = held.iter().map(AsRef::as_ref).collect();
    assert_eq!(held, ["dashboard.queues", "session.open", "wallboard.view"]);
}

#[test]
fn one_may_give_what_reaches_no_further_than_what_one_holds() {
    let roles = Roles::built_in();
    let supervised = |p| Grant::new(p, Scope::Supervised);
    let manager = holder(
        vec![
            supervised(P::RoleEdit),
            supervised(P::ContactEnd),
            supervised(P::ContactMove).on(Channels::only(VOICE)),
            Grant::over(
                P::DashboardQueues,
                Named {
                    queues: vec![MY_QUEUE],
                    ..Named::default()
                },
            ),
        ],
        vec![],
    );
    assert!(manager.may_give(&supervised(P::ContactEnd)));
    assert!(!manager.may_give(&Grant::new(P::ContactEnd, Scope::All)));
    assert!(!manager.may_give(&supervised(P::ContactMove)));
    assert!(manager.may_give(&supervised(P::ContactMove).on(Channels::only(VOICE))));
    assert!(!manager.may_give(&supervised(P::ContactView)));
    let board = |queue| {
        let named = Named {
            queues: vec![queue],
            ..Named::default()
        };
        Grant::over(P::DashboardQueues, named)
    };
    assert!(manager.may_give(&board(MY_QUEUE)) && !manager.may_give(&board(QueueId(4))));
    let admin = principal("admin", &roles);
    assert!(admin.may_give(&Grant::new(P::ContactMonitorPrivate, Scope::All)));
}

#[test]
fn pages_of_a_workspace_are_granted_like_any_other() {
    let mut ext = ExtNames::default();
    ext.add("ext.loyalty", true).expect("free");
    ext.add("ext.loyalty_app.open", false).expect("free");
    let edit = ext.parse("ext.loyalty.edit").expect("added");
    let open = ext.parse("ext.loyalty_app.open").expect("added");
    assert!(ext.parse("ext.loyalty").is_err() && ext.parse("ext.loyalty_app").is_err());
    assert_eq!(
        ext.parse("ext.payments.edit").expect("starter").name(),
        "ext.payments.edit"
    );
    let holder = holder(
        vec![Grant::new(edit, Scope::All), Grant::new(open, Scope::Own)],
        vec![],
    );
    assert_eq!(
        holder.privileges(&ext),
        [
            "ext.loyalty.view",
            "ext.loyalty.edit",
            "ext.loyalty_app.open"
        ]
    );
    assert!(!holder.holds(ext.parse("ext.loyalty.delete").expect("added")));
    for (name, wrong) in [
        ("loyalty", NotAPage::Name("loyalty".to_owned())),
        ("ext.", NotAPage::Name("ext.".to_owned())),
        ("ext.Loyal", NotAPage::Name("ext.Loyal".to_owned())),
        ("ext.loyalty", NotAPage::Taken("ext.loyalty".to_owned())),
        (
            "ext.payments.edit",
            NotAPage::Taken("ext.payments.edit".to_owned()),
        ),
    ] {
        assert_eq!(ext.add(name, false), Err(wrong), "{name}");
    }
}

#[test]
fn a_workspace_has_so_many_pages_and_no_more() {
    let mut ext = ExtNames::default();
    let mut added = 0;
    while ext.add(&format!("ext.page{added}"), false).is_ok() {
        added += 1;
    }
    assert_eq!(ext.pages().count(), switchroom::limits::EXT_PAGES);
    assert_eq!(ext.add("ext.more", false), Err(NotAPage::TooMany));
    let last = ext.parse(&format!("ext.page{}", added - 1)).expect("added");
    assert!(holder(vec![Grant::new(last, Scope::All)], vec![]).holds(last));
}
