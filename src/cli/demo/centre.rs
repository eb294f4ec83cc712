//! The contact centre of the demo: who works there, and by which rules.

use std::fmt::Write;

pub(super) const WORKSPACE: &str = "demo";
pub(super) const GUEST: &str = "you";
pub(super) const SUPERVISOR: &str = "sam";
pub(super) const CONNECTOR: &str = "site";
/// The connector that the simulated customers come over.
pub(super) const OWN_CONNECTOR: &str = "world";

/// Queue, channels it serves, share of its team's agents.
pub(super) const QUEUES: [(&str, &str, &[&str]); 4] = [
    ("support", "Support", &["voice", "chat", "email", "sms"]),
    ("billing", "Billing", &["voice", "chat", "email"]),
    ("sales", "Sales", &["voice", "chat", "sms"]),
    ("returns", "Returns", &["chat", "email", "sms"]),
];

const NAMES: [&str; 24] = [
    "ana", "bo", "chen", "dora", "emre", "fatou", "gus", "hana", "ivan", "june", "kofi", "lena",
    "mika", "noor", "olga", "pia", "quinn", "rosa", "sven", "tara", "uma", "vik", "wen", "yara",
];

/// The simulated agents.
pub(super) fn agents() -> impl Iterator<Item = String> {
    NAMES.iter().map(|name| (*name).to_owned())
}

/// The configuration: times are short, so that a minute shows a day.
pub(super) fn configuration() -> String {
    let mut text = String::from(
        r#"[workspace.demo]
back_from_missed = "20s"
retry_after = "5s"

[workspace.demo.channels.voice]
offer_timeout = "8s"
target = "10s"
wrap_up = { mode = "optional", time = "10s" }
[workspace.demo.channels.chat]
offer_timeout = "10s"
target = "15s"
wrap_up = { mode = "optional", time = "10s" }
[workspace.demo.channels.email]
offer_timeout = "15s"
target = "60s"
wrap_up = { mode = "none" }
[workspace.demo.channels.sms]
offer_timeout = "10s"
target = "30s"
wrap_up = { mode = "none" }

[workspace.demo.skills]
spanish = "graded"

[workspace.demo.teams.north]
[workspace.demo.teams.south]
"#,
    );
    for (name, title, channels) in QUEUES {
        let channels: Vec<String> = channels.iter().map(|name| format!("{name:?}")).collect();
        let _ = write!(
            text,
            "[workspace.demo.queues.{name}]\nname = {title:?}\nteam = \"north\"\nchannels = [{}]\n\
             members = [{{ team = \"north\" }}, {{ team = \"south\", delay = \"3s\" }}]\n",
            channels.join(", ")
        );
    }
    for (place, name) in NAMES.iter().chain(&[GUEST]).enumerate() {
        let team = if place % 3 == 2 { "south" } else { "north" };
        let level = place % 10 + 1;
        let _ = write!(
            text,
            "[workspace.demo.users.{name}]\nroles = [\"agent\"]\nteams = [\"{team}\"]\n\
             skills = {{ spanish = {level} }}\n"
        );
    }
    let _ = write!(
        text,
        "[workspace.demo.users.{SUPERVISOR}]\nroles = [\"supervisor\"]\n\
         supervises = {{ teams = [\"north\", \"south\"], queues = [\"support\", \"billing\", \"sales\", \"returns\"] }}\n\
         [workspace.demo.connectors.{CONNECTOR}]\n[workspace.demo.connectors.{OWN_CONNECTOR}]\n"
    );
    text
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Source};

    #[test]
    fn the_configuration_is_right() {
        let source = Source {
            name: "demo".to_owned(),
            text: super::configuration(),
        };
        let config = Config::check(source).unwrap_or_else(|found| panic!("{found}"));
        assert!(config.findings.lines().is_empty());
    }
}
