//! The protocol as types: messages, methods, topics, errors, and both encodings of them.
//! Nothing here opens a socket; nothing here knows the machines behind the gate.

pub mod client;
pub mod close;
pub mod codec;
pub mod contact;
pub mod encode;
pub mod error;
pub mod event;
pub mod field;
mod fields;
pub mod frame;
mod json;
pub mod method;
mod msgpack;
pub mod object;
pub mod params;
pub mod push;
pub mod raw;
pub mod result;
#[cfg(test)]
mod schema;
pub mod snapshot;
pub mod table;
#[cfg(test)]
mod tests;
pub mod topic;
mod word;
