//! What the service manager is told: that the server is ready, lives or stops. By the
//! protocol of `sd_notify`: datagrams to the socket that `NOTIFY_SOCKET` names.

use super::serve::Running;
use std::env;
use std::ffi::OsString;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// The service manager, if there is one that wants to know.
#[derive(Debug, Default)]
pub struct Manager {
    socket: Option<(UnixDatagram, SocketAddr)>,
    /// It wants to hear so often that the server lives.
    watchdog: Option<Duration>,
}

impl Manager {
    /// The one that the environment names.
    #[must_use]
    pub fn of_environment() -> Self {
        let Some(name) = env::var_os("NOTIFY_SOCKET") else {
            return Self::default();
        };
        let socket = connect(&name).inspect_err(|error| {
            tracing::warn!(%error, ?name, "the service manager cannot be told");
        });
        let of_this = env::var("WATCHDOG_PID").ok();
        let of_this = of_this.is_none_or(|pid| pid == std::process::id().to_string());
        let micros = env::var("WATCHDOG_USEC").ok().filter(|_| of_this);
        let micros = micros.and_then(|micros| micros.parse().ok());
        Self {
            socket: socket.ok(),
            // Half of it, so that one that is late is not the last.
            watchdog: micros.map(|micros: u64| Duration::from_micros(micros / 2)),
        }
    }

    /// Says something; a manager that is gone needs to hear nothing.
    fn say(&self, what: &str) {
        if let Some((socket, to)) = &self.socket
            && let Err(error) = socket.send_to_addr(what.as_bytes(), to)
        {
            tracing::warn!(%error, "the service manager was not told");
        }
    }

    /// The port is open, and everybody is shown as after the start.
    pub fn ready(&self) {
        self.say("READY=1");
    }

    /// The server is on its way down.
    pub fn stopping(&self) {
        self.say("STOPPING=1");
    }

    /// Says that the server lives, for as long as it does: every floor and queue has answered, by
    /// way of the log. Returns never; cancel safe.
    pub async fn watch(&self, running: &Running) {
        let Some(every) = self.watchdog.filter(|_| self.socket.is_some()) else {
            return std::future::pending().await;
        };
        let mut beat = tokio::time::interval(every.max(Duration::from_millis(10)));
        loop {
            beat.tick().await;
            if running.lives().await {
                self.say("WATCHDOG=1");
            }
        }
    }
}

fn connect(name: &OsString) -> io::Result<(UnixDatagram, SocketAddr)> {
    let bytes = name.as_bytes();
    let to = match bytes.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(name)?,
    };
    Ok((UnixDatagram::unbound()?, to))
}
