//! A thread of its own for clients whose work must not delay what others measure.

use std::io;
use std::thread::JoinHandle;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// How much the thread gives way to the others; 0 is not at all, 19 is most.
const NICE: i32 = 5;

/// A thread with a runtime, until it is dropped.
pub struct Thread {
    runtime: Handle,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Thread {
    /// Starts it.
    pub fn start(name: &str) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                // Where it may not, it runs like the others.
                let _ = rustix::process::nice(NICE);
                let _ = runtime.block_on(ended);
            })?;
        Ok(Self {
            runtime: handle,
            end: Some(end),
            thread: Some(thread),
        })
    }

    /// Where tasks are spawned.
    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
