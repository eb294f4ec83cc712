//! Who may do what to whom: privileges, roles, scopes, permits and lenses.
//!
//! The directory makes a [`principal::Principal`] of a [`principal::Identity`] and the
//! [`role::Roles`] of the workspace. The table of methods holds a [`privilege::Needs`] per row.
//! The gate attaches the principal; the owner of the object states its [`facts::Facts`] and asks
//! for a [`permit::Permit`] inside the step that applies the command. Views ask
//! [`rights::decide`] row by row and show what its [`lens::Lens`] shows. Everything here is pure.

pub mod act;
pub mod built_in;
pub mod catalogue;
pub mod ext;
pub mod facts;
pub mod grant;
pub mod lens;
pub mod permit;
pub mod principal;
pub mod privilege;
pub mod rights;
pub mod role;
pub mod scope;
mod stand;
pub mod table;
pub mod token;
