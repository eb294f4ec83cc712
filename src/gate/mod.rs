//! The gate: whatever a door brings in passes here and nowhere else.

pub mod keys;
pub mod order;
pub mod refuse;
pub mod show;
