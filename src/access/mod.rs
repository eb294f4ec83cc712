//! Who may do what to whom: privileges, roles, scopes, permits and lenses.

pub mod catalogue;
pub mod ext;
pub mod privilege;
pub mod scope;
