//! The doors to the network: one port for HTTP and WebSocket.

pub mod http;
pub mod listen;
pub mod origin;
pub mod outbox;
pub mod pace;
pub mod problem;
pub mod request;
pub mod say;
mod roll;
pub mod server;
pub mod session;
pub mod sessions;
pub mod socket;
pub mod taken;
pub mod upgrade;
