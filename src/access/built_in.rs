//! The seven built-in roles: four are columns of the catalogue, three are short lists.

use super::catalogue::ROWS;
use super::grant::{Grant, Named};
use super::privilege::{ConfigObject, Level, Privilege};
use super::role::{
    ADMIN, AGENT, Home, INTEGRATION, Limits, Panel, Role, SENIOR_AGENT, SUPERVISOR, Screen,
    VISITOR, WALLBOARD,
};
use super::scope::{Scope, Scopes};
use crate::id::QueueId;

/// What `integration` may do with contacts that it submitted or that run over its connectors.
const OF_INTEGRATION: [Privilege; 10] = [
    Privilege::SessionOpen,
    Privilege::ContactSubmit,
    Privilege::ContactUpdate,
    Privilege::ContactAbandon,
    Privilege::ContactMessage,
    Privilege::ContactView,
    Privilege::ContactEnd,
    Privilege::MediaReport,
    Privilege::CustomerPiiClear,
    Privilege::FileUpload,
];

/// What `visitor` may do with the contact of its session.
const OF_VISITOR: [Privilege; 5] = [
    Privilege::SessionOpen,
    Privilege::ContactSubmit,
    Privilege::ContactView,
    Privilege::ContactMessage,
    Privilege::ContactLeave,
];

/// The built-in roles as they are delivered.
pub(super) fn roles() -> Vec<Role> {
    let inherits = |role: &str| vec![role.to_owned()];
    vec![
        Role {
            name: AGENT.to_owned(),
            grants: column(0),
            home: home(
                Screen::Desktop,
                &[
                    Panel::Contacts,
                    Panel::Recent,
                    Panel::Customers,
                    Panel::Voicemail,
                    Panel::Stats,
                ],
            ),
            ..Role::default()
        },
        Role {
            name: SENIOR_AGENT.to_owned(),
            inherits: inherits(AGENT),
            grants: column(1),
            ..Role::default()
        },
        Role {
            name: SUPERVISOR.to_owned(),
            inherits: inherits(AGENT),
            grants: column(2)
                .into_iter()
                .chain(config(Scope::Supervised, Level::View))
                .collect(),
            home: home(Screen::Supervisor, &SUPERVISION),
            ..Role::default()
        },
        Role {
            name: ADMIN.to_owned(),
            inherits: inherits(AGENT),
            grants: column(3)
                .into_iter()
                .chain(config(Scope::All, Level::Delete))
                .collect(),
            home: home(
                Screen::Admin,
                &[&SUPERVISION[..], &[Panel::Administration]].concat(),
            ),
            ..Role::default()
        },
        Role {
            name: INTEGRATION.to_owned(),
            grants: own(&OF_INTEGRATION),
            ..Role::default()
        },
        Role {
            name: WALLBOARD.to_owned(),
            grants: own(&[Privilege::SessionOpen]),
            limits: Limits {
                auto_sign_out_live: Some(false),
                ..Limits::default()
            },
            home: home(Screen::Wallboard, &[]),
            ..Role::default()
        },
        Role {
            name: VISITOR.to_owned(),
            grants: own(&OF_VISITOR),
            ..Role::default()
        },
    ]
}

/// The grants that pairing gives a screen beside role `wallboard`: its board, and the numbers
/// of the board's queues.
#[must_use]
pub fn paired(board: &str, queues: &[QueueId]) -> Vec<Grant> {
    let board = Named {
        things: vec![board.into()],
        ..Named::default()
    };
    let mut grants = vec![Grant::over(Privilege::WallboardView, board)];
    if !queues.is_empty() {
        let queues = Named {
            queues: queues.to_vec(),
            ..Named::default()
        };
        grants.push(Grant::over(Privilege::DashboardQueues, queues));
    }
    grants
}

const SUPERVISION: [Panel; 4] = [
    Panel::TeamRecent,
    Panel::Queues,
    Panel::Agents,
    Panel::Reports,
];

fn home(screen: Screen, panels: &[Panel]) -> Option<Home> {
    Some(Home {
        screen,
        panels: panels.to_vec(),
        columns: Vec::new(),
    })
}

fn own(privileges: &[Privilege]) -> Vec<Grant> {
    let grant = |privilege: &Privilege| Grant::new(*privilege, Scope::Own);
    privileges.iter().map(grant).collect()
}

/// The grants that a role of this column makes itself. Of an agent operation, `agent` grants
/// what its own column says, and the others only widen that.
fn column(number: usize) -> Vec<Grant> {
    let mut grants = Vec::new();
    for row in ROWS {
        let widens = row.agent_operation() && number > 0;
        let inherited = if widens {
            row.built_in[0]
        } else {
            Scopes::NONE
        };
        for scope in row.built_in[number].without(inherited).iter() {
            grants.push(Grant {
                widens,
                ..Grant::new(row.privilege, scope)
            });
        }
    }
    grants
}

/// The grant of a level on every kind of configuration object.
fn config(scope: Scope, level: Level) -> impl Iterator<Item = Grant> {
    ConfigObject::EVERY
        .iter()
        .map(move |object| Grant::new(Privilege::Config(*object, level), scope))
}
