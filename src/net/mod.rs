//! The doors to the network: one port for HTTP and WebSocket.

mod drain;
pub mod http;
pub mod listen;
pub mod origin;
pub mod outbox;
pub mod pace;
pub mod problem;
mod reports;
pub mod request;
mod roll;
pub mod say;
pub mod server;
pub mod session;
pub mod sessions;
pub mod socket;
pub mod taken;
pub mod upgrade;
