//! The configuration of a server that fits a plan. All that is known of its form stands here.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::args::{Journal, RunArgs};
use crate::plan::{CONNECTOR, Plan, agent_name, queue_name, supervisor_name};
use crate::room::CHANNELS;
use crate::server::Server;
use crate::token::Tokens;

/// Name of the key that the server makes in its data folder at its first start.
const KEY: &str = "signing.key";

/// The configuration file for a plan.
pub fn config(plan: &Plan, workspace: &str, listen: &str, data: &Path, journal: Journal) -> String {
    let mut text = String::new();
    let channels: Vec<String> = CHANNELS
        .iter()
        .map(|channel| quoted(channel.name))
        .collect();
    let queues: Vec<String> = (0..plan.sizes.queues)
        .map(|queue| quoted(&queue_name(queue)))
        .collect();
    let _ = writeln!(
        text,
        "[server]\nlisten = {}\ndata = {}\njournal = {}\n",
        quoted(listen),
        quoted(&data.to_string_lossy()),
        quoted(journal.name())
    );
    let _ = writeln!(text, "[workspace.{workspace}.connectors.{CONNECTOR}]");
    for (queue, members) in plan.members.iter().enumerate() {
        let members: Vec<String> = members
            .iter()
            .map(|agent| format!("{{ agent = {} }}", quoted(&agent_name(*agent))))
            .collect();
        let _ = writeln!(
            text,
            "\n[workspace.{workspace}.queues.{}]\nchannels = [{}]\nmembers = [{}]",
            queue_name(queue),
            channels.join(", "),
            members.join(", ")
        );
    }
    for agent in 0..plan.sizes.agents {
        let _ = writeln!(
            text,
            "\n[workspace.{workspace}.users.{}]\nroles = [\"agent\"]",
            agent_name(agent)
        );
    }
    for supervisor in 0..plan.sizes.supervisors {
        let _ = writeln!(
            text,
            "\n[workspace.{workspace}.users.{}]\nroles = [\"supervisor\"]\nsupervises = {{ queues = [{}] }}",
            supervisor_name(supervisor),
            queues.join(", ")
        );
    }
    text
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Starts a server for a plan with everything it keeps in `folder`; answers it with its tokens.
pub async fn start(
    plan: &Plan,
    args: &RunArgs,
    program: &Path,
    folder: &Path,
) -> Result<(Server, Tokens)> {
    let workspace = args.workspace.as_str();
    let data = folder.join("data");
    std::fs::create_dir_all(&data)?;
    let listen = free_port()?;
    let file = folder.join("switchroom.toml");
    std::fs::write(&file, config(plan, workspace, &listen, &data, args.journal))
        .with_context(|| format!("{} cannot be written", file.display()))?;
    let server = Server::start(program, &file, folder, format!("http://{listen}")).await?;
    let tokens = Tokens::minted(&key(&data)?, workspace)?;
    Ok((server, tokens))
}

fn key(data: &Path) -> Result<PathBuf> {
    let key = data.join(KEY);
    if !key.is_file() {
        bail!("the server made no key {}", key.display());
    }
    Ok(key)
}

/// An address that was free a moment ago.
fn free_port() -> Result<String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?.to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::plan::Sizes;

    #[test]
    fn everybody_of_the_plan_is_in_the_file() {
        let plan = Plan::new(Sizes {
            agents: 6,
            queues: 3,
            queues_per_agent: 2,
            supervisors: 1,
            handle: Duration::from_millis(1),
            wrap_up: Duration::from_millis(1),
            mix: "voice=1".parse().unwrap(),
            seed: 1,
        })
        .unwrap();
        let text = config(
            &plan,
            "main",
            "127.0.0.1:7480",
            Path::new("/tmp/a \"b\""),
            Journal::Memory,
        );
        assert_eq!(text.matches("roles = [\"agent\"]").count(), 6);
        assert_eq!(text.matches("{ agent = ").count(), 12);
        assert!(text.contains(r#"data = "/tmp/a \"b\"""#), "{text}");
        assert!(
            text.contains("[workspace.main.users.supervisor-001]"),
            "{text}"
        );
    }
}
