//! The board's thread.

use std::io;
use std::thread::JoinHandle;
use tokio::runtime::{Builder, Handle};
use tokio_util::sync::CancellationToken;

/// How much the board's thread gives way to what offers wait for; 19 would be most.
const BOARD_GIVES_WAY: i32 = 2;

/// The board's thread, how it is put there, and what ends it. A thread of its own, because a
/// table of a thousand rows takes its time, and the system shares that out better than tasks do.
pub(super) fn board_thread() -> io::Result<(JoinHandle<()>, Handle, CancellationToken)> {
    let runtime = Builder::new_current_thread().enable_time().build()?;
    let (on, done) = (runtime.handle().clone(), CancellationToken::new());
    let ended = done.clone();
    let thread = std::thread::Builder::new()
        .name("board".to_owned())
        .spawn(move || {
            // Where it may not, it takes its turn like the others.
            let _ = rustix::process::nice(BOARD_GIVES_WAY);
            runtime.block_on(ended.cancelled());
        })?;
    Ok((thread, on, done))
}
