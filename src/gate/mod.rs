//! The gate: whatever a door brings in passes here and nowhere else.

pub mod keys;
