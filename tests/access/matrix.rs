//! The catalogue as a golden matrix: role × privilege × where the object lies, with the expected
//! answers typed from the permissions page.

use super::world::{self, AGENTS, CONTACTS, OF_INTEGRATION, OF_VISITOR, Situation, THINGS, VOICE};
use std::collections::BTreeSet;
use switchroom::access::ext::STARTER;
use switchroom::access::facts::Facts;
use switchroom::access::principal::Principal;
use switchroom::access::privilege::Privilege;
use switchroom::access::rights::decide;
use switchroom::access::role::{Role, Roles};

const MATRIX: &str = include_str!("../matrix/permissions.tsv");
const EXTERNAL: &str = include_str!("../matrix/external.tsv");
const ROLES: [&str; 7] = [
    "agent",
    "senior_agent",
    "supervisor",
    "admin",
    "integration",
    "wallboard",
    "visitor",
];

struct Line {
    name: &'static str,
    cells: [&'static str; 7],
    per_channel: bool,
    agent_operation: bool,
    admin_only: bool,
    sources: &'static str,
}

fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = text.lines().filter(|line| !line.starts_with('#')).skip(1);
    lines.map(|line| line.split('\t').collect())
}

fn matrix() -> Vec<Line> {
    let line = |row: Vec<&'static str>| {
        let [
            name,
            a,
            s,
            v,
            m,
            i,
            w,
            visitor,
            ch,
            operation,
            admin,
            sources,
        ] = row[..]
        else {
            panic!("a row of the matrix has twelve fields: {row:?}");
        };
        Line {
            name,
            cells: [a, s, v, m, i, w, visitor],
            per_channel: ch == "ch",
            agent_operation: operation == "yes",
            admin_only: admin == "yes",
            sources,
        }
    };
    rows(MATRIX).map(line).collect()
}

/// What the page says, worked out from letters alone.
fn expected(privilege: &str, cell: &str, situation: &Situation) -> bool {
    let contact = matches!(situation.facts, Facts::Contact(_));
    if contact && privilege == "queue.contacts.view" && situation.engaged {
        return false;
    }
    cell.chars().any(|letter| match letter {
        'a' => true,
        'o' if contact && privilege == "contact.recent" => situation.had_leg,
        letter => situation.scopes.contains(letter),
    })
}

fn situations(role: &str) -> Vec<&'static Situation> {
    let mut all: Vec<_> = CONTACTS.iter().chain(AGENTS).chain(THINGS).collect();
    match role {
        "integration" => all.extend(OF_INTEGRATION),
        "visitor" => all.extend(OF_VISITOR),
        _ => {}
    }
    all
}

fn allows(principal: &Principal, privilege: Privilege, facts: &Facts<'_>) -> bool {
    decide(principal, privilege, Some(VOICE), facts).allows()
}

/// Compares one role with its column, and gives the number of answers compared.
fn compare(role: &str, principal: &Principal, cell: impl Fn(&Line) -> &'static str) -> usize {
    let mut wrong = Vec::new();
    let mut compared = 0;
    for line in matrix() {
        let privilege: Privilege = line.name.parse().expect("the page names it");
        let cell = cell(&line);
        let mut compare = |place: &str, facts: &Facts<'_>, expected: bool| {
            compared += 1;
            if allows(principal, privilege, facts) != expected {
                wrong.push(format!("{role} {} {place}: expected {expected}", line.name));
            }
        };
        for situation in situations(role) {
            let expected = expected(line.name, cell, situation);
            compare(situation.name, &situation.facts, expected);
        }
        compare(
            "rows",
            &Facts::Rows,
            cell.contains(|c| "ocqtsa".contains(c)),
        );
        compare("the workspace", &Facts::Workspace, cell.contains('a'));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    compared
}

#[test]
fn built_in_roles_answer_as_the_page_says() {
    let roles = Roles::built_in();
    let mut compared = 0;
    for (column, role) in ROLES.into_iter().enumerate() {
        compared += compare(role, &world::principal(role, &roles), |line| {
            line.cells[column]
        });
    }
    assert!(compared > 40_000, "only {compared} answers were compared");
}

/// The built-in roles without the inheritance of role `agent`.
fn roles_without_agent() -> Roles {
    let built_in = Roles::built_in();
    let apart = |role: &Role| Role {
        inherits: Vec::new(),
        ..role.clone()
    };
    Roles::new(built_in.iter().map(apart).collect()).expect("no role names another")
}

#[test]
fn without_role_agent_agent_operations_are_gone_and_all_else_stays() {
    let roles = roles_without_agent();
    for (column, role) in ROLES.into_iter().enumerate().take(4).skip(1) {
        let principal = world::principal(role, &roles);
        assert!(!principal.may_handle(VOICE), "{role}");
        compare(role, &principal, |line| {
            if line.agent_operation {
                "-"
            } else {
                line.cells[column]
            }
        });
    }
    assert!(world::principal("agent", &roles).may_handle(VOICE));
}

#[test]
fn the_matrix_and_the_catalogue_have_the_same_rows() {
    let matrix = matrix();
    let typed: BTreeSet<&str> = matrix.iter().map(|line| line.name).collect();
    let coded: BTreeSet<&str> = Privilege::every()
        .filter(|privilege| !matches!(privilege, Privilege::Ext(..)))
        .map(Privilege::name)
        .collect();
    assert_eq!(typed, coded);
    assert_eq!(typed.len(), matrix.len(), "a row is there twice");
    for line in matrix {
        let privilege: Privilege = line.name.parse().expect("it is in the catalogue");
        assert_eq!(privilege.per_channel(), line.per_channel, "{}", line.name);
        assert_eq!(privilege.admin_only(), line.admin_only, "{}", line.name);
        let operation = privilege.agent_operation();
        assert_eq!(operation, line.agent_operation, "{}", line.name);
        if let Some(row) = privilege.row() {
            let sources: Vec<_> = row.sources.iter().map(|s| format!("{s:?}")).collect();
            assert_eq!(
                sources.join(" "),
                line.sources.trim_matches('-'),
                "{}",
                line.name
            );
        }
    }
}

#[test]
fn external_pages_are_those_of_the_page_and_no_built_in_role_holds_one() {
    let typed: Vec<_> = rows(EXTERNAL)
        .map(|row| (row[0], row[1] == "yes"))
        .collect();
    let coded: Vec<_> = STARTER
        .iter()
        .map(|page| (page.name, page.levels))
        .collect();
    assert_eq!(typed, coded);
    let roles = Roles::built_in();
    for role in ROLES {
        let principal = world::principal(role, &roles);
        let held =
            Privilege::every().find(|p| matches!(p, Privilege::Ext(..)) && principal.holds(*p));
        assert_eq!(held, None, "{role}");
    }
}
