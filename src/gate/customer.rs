//! A customer as an agent is shown one.

use crate::access::lens::{PiiKind, mask};
use crate::domain::contact::Content;
use crate::wire::object;
use std::borrow::Cow;

pub(super) fn customer(content: &Content, clear: bool) -> object::Customer<'static> {
    let text = |value: &String| Cow::Owned(value.clone());
    let shown = |kind, value: &String| {
        if clear {
            text(value)
        } else {
            Cow::Owned(mask(kind, value))
        }
    };
    object::Customer {
        id: content.customer_id.as_ref().map(text),
        name: content
            .customer_name
            .as_ref()
            .map(|name| shown(PiiKind::Name, name)),
        address: content
            .customer_address
            .as_ref()
            .map(|address| shown(kind_of(address), address)),
    }
}

/// What kind of address it is, by its looks: a channel may carry more than one kind.
fn kind_of(address: &str) -> PiiKind {
    let dialled = |c: char| c.is_ascii_digit() || "+-()/. ".contains(c);
    if address.contains('@') {
        PiiKind::Address
    } else if address.chars().all(dialled) {
        PiiKind::Phone
    } else {
        PiiKind::Other
    }
}
