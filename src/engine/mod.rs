//! The engine: everything that waits. One loop drives the machines of floor and queues; the
//! sequencer orders what they say happened; doors let replies and streams out.
//!
//! A command goes in by [`handle::Engine`]. The actor that owns its object takes it in
//! (`actor`), hands what happened to the sequencer, and sends what may leave at once;
//! the journal lets out the rest when it is durable.

mod actor;
mod board;
pub mod clock;
mod delivery;
pub mod door;
mod drain;
mod external;
mod fan;
pub mod fatal;
pub mod handle;
mod inbox;
mod kinds;
mod mailbox;
mod me;
mod metrics;
mod notes;
mod post;
mod pulse;
mod recover;
mod registry;
mod restart;
mod sequencer;
pub mod show;
mod stream;
mod tell;
mod thread;
mod to_board;
mod watch;

pub use external::Foreign;
pub use handle::{Engine, NotNow, OpenJournal, Options};
pub use me::Resumed;
pub use notes::Note;
pub use post::Trip;
pub use to_board::ViewResumed;
