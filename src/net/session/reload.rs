//! What a session does when the configuration changes around it, and when its workspace drains.

use super::super::say::{self, Farewell, Parting};
use super::Session;
use crate::access::act::SessionOpen;
use crate::access::facts::Facts;
use crate::access::permit::Act as _;
use crate::access::rights::decide_needs;
use crate::engine::door::DoorId;
use crate::id::UserId;
use crate::live::sight::Viewer;
use crate::wire::close::CloseCode;
use crate::wire::push::{Warning, WarningCode};
use std::borrow::Cow;

impl Session {
    pub(in super::super) fn is_in(&self, workspace: &str) -> bool {
        self.gate.name() == workspace
    }

    /// Says that the workspace drains.
    pub(in super::super) fn warn_of_drain(&self) {
        let warning = Warning {
            code: WarningCode::Draining,
            deadline: None,
            message: Cow::Borrowed("no new contacts are taken; finish what is in hand"),
        };
        self.say(say::frame(self.encoding, &warning));
    }

    pub(in super::super) fn is_of(&self, workspace: &str, user: UserId) -> bool {
        self.user == user && self.is_in(workspace)
    }

    /// The rights of its user are others: what it may see from now on, by which door. It ends
    /// when it may not be there any more, or would have another pace.
    pub(in super::super) fn rights_changed(&self) -> Option<(DoorId, Viewer)> {
        let caller = self.caller()?;
        let who = &caller.principal;
        let may = decide_needs(who, &SessionOpen::NEEDS, None, &Facts::Rows).allows();
        if !may || who.is_integration() != self.is_connector() {
            let code = if may {
                CloseCode::Unknown
            } else {
                CloseCode::Forbidden
            };
            self.end(Parting::Say(Farewell::new(code)));
            return None;
        }
        Some((self.door, self.viewer(&caller).ok()?))
    }
}
