//! The server's process: what it uses, and its start and end when it is the generator's own child.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};
use tokio::process::{Child, Command};

use crate::clock;
use crate::http;
use crate::socket::Target;

/// A server that is not ready by then will not be.
const READY_WITHIN: Duration = Duration::from_secs(20);
/// A server that has not gone by then is killed.
const GONE_WITHIN: Duration = Duration::from_secs(10);
/// Lines of the server's output shown when it fails.
const TAIL: usize = 20;

/// What a process uses.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Resident memory, in bytes.
    pub rss: u64,
    /// Most resident memory so far, in bytes.
    pub rss_peak: u64,
    /// User and system time so far, in seconds.
    pub cpu: f64,
}

/// What a process uses now; `None` when there is no such process or system.
pub fn usage(pid: u32) -> Option<Usage> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    let (_, after_name) = stat.rsplit_once(')')?;
    let ticks: u64 = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|field| field.parse::<u64>().unwrap_or(0))
        .sum();
    Some(Usage {
        rss: kib("VmRSS:")? * 1_024,
        rss_peak: kib("VmHWM:")? * 1_024,
        cpu: ticks as f64 / rustix::param::clock_ticks_per_second() as f64,
    })
}

/// Raises the limit of open files as far as the system lets it; answers the limit.
pub fn raise_files() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum.unwrap_or(u64::MAX),
        Err(_) => limit.current.unwrap_or(u64::MAX),
    }
}

/// A server started for the run. Dropping it kills the process.
pub struct Server {
    child: Child,
    folder: PathBuf,
    /// Where it listens.
    pub url: String,
}

/// The server beside this executable.
pub fn beside() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let mut folders = own.ancestors().skip(1).take(2);
    let found = folders.find_map(|folder| {
        let file = folder.join("switchroom");
        file.is_file().then_some(file)
    });
    found.with_context(|| {
        format!(
            "no `switchroom` beside {}; build it, or name it with --server",
            own.display()
        )
    })
}

impl Server {
    /// Starts `program serve -c config` and waits until it is ready.
    pub async fn start(program: &Path, config: &Path, folder: &Path, url: String) -> Result<Self> {
        let output = std::fs::File::create(folder.join("server.log"))?;
        let child = Command::new(program)
            .arg("serve")
            .arg("-c")
            .arg(config)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} did not start", program.display()))?;
        let mut server = Self {
            child,
            folder: folder.to_owned(),
            url,
        };
        server.wait_ready().await?;
        Ok(server)
    }

    async fn wait_ready(&mut self) -> Result<()> {
        let target = Arc::new(Target::resolve(&self.url, false).await?);
        let until = clock::now() + READY_WITHIN;
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended at once with {status}:\n{}", self.tail());
            }
            match http::ready(&target).await {
                Ok(()) => return Ok(()),
                Err(error) if clock::now() > until => {
                    bail!("the server is not ready: {error:#}\n{}", self.tail());
                }
                Err(_) => clock::pause(Duration::from_millis(20)).await,
            }
        }
    }

    /// Its process.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Asks it to go, as an operator would. An exit code other than 0 is an error.
    pub async fn stop(mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the server had ended with {status}:\n{}", self.tail());
        }
        let pid = self
            .child
            .id()
            .and_then(|pid| Pid::from_raw(pid.try_into().ok()?));
        kill_process(pid.context("the server has no process")?, Signal::TERM)?;
        match tokio::time::timeout(GONE_WITHIN, self.child.wait()).await {
            Ok(status) => {
                let status = status?;
                if !status.success() {
                    bail!("the server ended with {status}:\n{}", self.tail());
                }
                Ok(())
            }
            Err(_) => {
                self.child.kill().await?;
                bail!(
                    "the server did not go within {} s of SIGTERM",
                    GONE_WITHIN.as_secs()
                )
            }
        }
    }

    fn tail(&self) -> String {
        let log = std::fs::read(self.folder.join("server.log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory_and_nobody_has_process_0() {
        let own = usage(std::process::id()).unwrap();
        assert!(own.rss > 100_000 && own.rss_peak >= own.rss / 2, "{own:?}");
        assert!(usage(0).is_none());
    }
}
