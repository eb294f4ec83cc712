//! The doors to the network: one port for HTTP and WebSocket.

pub mod listen;
pub mod origin;
pub mod outbox;
pub mod pace;
pub mod socket;
pub mod upgrade;
