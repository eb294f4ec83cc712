//! The starter file: it has every key, it can be used, and where it states a default it states
//! the right one.

use crate::config::file;
use crate::config::read::keys;
use crate::config::{Config, STARTER, Server};
use crate::domain::capacity::Channels;
use crate::domain::rules;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use toml::{Table, Value};

fn starter() -> Table {
    STARTER.parse().unwrap()
}

/// Every value at a path, `*` standing for any name or index.
fn at<'a>(value: &'a Value, path: &[&str]) -> Vec<&'a Value> {
    let Some((first, rest)) = path.split_first() else {
        return vec![value];
    };
    let next: Vec<&Value> = match value {
        Value::Table(table) if *first == "*" => table.values().collect(),
        Value::Table(table) => table.get(*first).into_iter().collect(),
        Value::Array(list) if *first == "*" => list.iter().collect(),
        Value::Array(_)
        | Value::String(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Datetime(_) => Vec::new(),
    };
    next.into_iter().flat_map(|value| at(value, rest)).collect()
}

/// The keys that a table of the file may have must all be found at one of these paths.
fn has_every_key<T: DeserializeOwned>(paths: &[&str]) {
    let whole = Value::Table(starter());
    let tables: Vec<&Value> = paths
        .iter()
        .flat_map(|path| {
            at(
                &whole,
                &path
                    .split('.')
                    .filter(|part| !part.is_empty())
                    .collect::<Vec<_>>(),
            )
        })
        .collect();
    let keys = keys::<T>();
    assert!(
        !keys.is_empty(),
        "no keys of {}",
        std::any::type_name::<T>()
    );
    for key in keys {
        let found = tables.iter().any(|table| table.get(&key).is_some());
        assert!(
            found,
            "the starter file does not show key {key:?} at {paths:?}"
        );
    }
}

#[test]
fn every_key_is_in_the_starter_file() {
    has_every_key::<file::File>(&[""]);
    has_every_key::<file::Server>(&["server"]);
    has_every_key::<file::Workspace>(&["workspace.*"]);
    has_every_key::<file::History>(&["workspace.*.history"]);
    has_every_key::<file::Channel>(&["workspace.*.channels.*"]);
    has_every_key::<file::Terms>(&["workspace.*.queues.*.terms.*"]);
    has_every_key::<file::WrapUp>(&[
        "workspace.*.channels.*.wrap_up",
        "workspace.*.queues.*.terms.*.wrap_up",
    ]);
    has_every_key::<file::Team>(&["workspace.*.teams.*"]);
    has_every_key::<file::Queue>(&["workspace.*.queues.*"]);
    has_every_key::<file::Step>(&["workspace.*.queues.*.steps.*"]);
    has_every_key::<file::Member>(&["workspace.*.queues.*.members.*"]);
    has_every_key::<file::User>(&["workspace.*.users.*"]);
    has_every_key::<file::Supervises>(&["workspace.*.users.*.supervises"]);
    has_every_key::<file::Grant>(&["workspace.*.roles.*.grants.*"]);
    has_every_key::<file::Named>(&["workspace.*.roles.*.grants.*.named"]);
    has_every_key::<file::Connector>(&["workspace.*.connectors.*"]);
    has_every_key::<file::Role>(&["workspace.*.roles.*"]);
    has_every_key::<file::Home>(&["workspace.*.roles.*.home"]);
}

/// A missing key would go unnoticed if serde did not list the keys; two known ones show it does.
#[test]
fn the_keys_are_those_of_the_structs() {
    assert_eq!(keys::<file::Step>(), ["after", "requirement", "widen"]);
    assert_eq!(keys::<file::Connector>(), ["name"]);
}

fn main_of(config: &Config) -> &rules::Workspace {
    &config.workspace("main").unwrap().rules
}

#[test]
fn the_starter_file_can_be_used_and_has_no_warning() {
    let config = Config::built_in(&BTreeMap::new()).unwrap();
    assert_eq!(config.findings.lines(), [""; 0]);
    let main = main_of(&config);
    let names: Vec<&str> = main
        .queues
        .iter()
        .map(|queue| queue.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "billing",
            "sales",
            "support",
            "direct.chat",
            "direct.email",
            "direct.sms",
            "direct.voice"
        ]
    );
    let agents = main
        .agents
        .iter()
        .filter(|agent| !agent.channels.is_empty() && !agent.memberships.is_empty());
    assert_eq!(agents.count(), 5);
    let directory = &config.workspace("main").unwrap().directory;
    assert!(directory.by_login("site").unwrap().is_integration());
    assert_eq!(directory.by_login("sam").unwrap().roles(), ["supervisor"]);
}

/// Leaves the named keys of the table at `path` out, or all but the named ones.
fn without(file: &mut Table, path: &str, keys: &[&str]) {
    let mut table = file;
    for part in path.split('.') {
        table = table.get_mut(part).unwrap().as_table_mut().unwrap();
    }
    for key in keys {
        assert!(table.remove(*key).is_some(), "{path} has no {key}");
    }
}

fn rules_of(file: &Table) -> String {
    let config = super::check(&toml::to_string(file).unwrap()).unwrap();
    let history = config.workspace("main").unwrap().history;
    format!("{:#?} {:#?} {history:?}", config.server, main_of(&config))
}

#[test]
fn what_the_starter_file_states_as_default_is_the_default() {
    let mut file = starter();
    let whole = rules_of(&file);
    let terms = [
        "target",
        "offer_timeout",
        "auto_accept",
        "may_decline",
        "connect",
        "connect_timeout",
        "short_abandon",
    ];
    for (path, keys) in [
        (
            "server",
            &[
                "listen",
                "behind_proxy",
                "origins",
                "data",
                "key_file",
                "issuer",
                "audience",
            ][..],
        ),
        (
            "workspace.main",
            &[
                "sign_out_with_work",
                "back_from_missed",
                "retry_after",
                "offer_grace",
            ],
        ),
        (
            "workspace.main",
            &["patience", "priority_step", "return_boost"],
        ),
        (
            "workspace.main.history",
            &["contacts", "segments", "agent_states", "audit"],
        ),
        (
            "workspace.main.history",
            &["queue_intervals", "agent_intervals", "content"],
        ),
        (
            "workspace.main.channels.voice",
            &["weight", "max", "interrupted_by", "misses", "grace"],
        ),
        ("workspace.main.channels.voice", &terms),
        (
            "workspace.main.channels.voice.wrap_up",
            &["mode", "time", "holds_capacity"],
        ),
        ("workspace.main.channels.voice", &["wrap_up"]),
        (
            "workspace.main.channels.chat",
            &["weight", "max", "interrupted_by", "misses", "grace"],
        ),
        (
            "workspace.main.channels.chat",
            &["target", "offer_timeout", "connect"],
        ),
        (
            "workspace.main.channels.email",
            &["weight", "max", "interrupted_by", "misses", "grace"],
        ),
        (
            "workspace.main.channels.email",
            &["target", "offer_timeout"],
        ),
        (
            "workspace.main.channels.sms",
            &["weight", "max", "interrupted_by", "misses", "grace"],
        ),
        ("workspace.main.channels.sms", &["target", "offer_timeout"]),
        (
            "workspace.main.queues.support",
            &["priority", "requirement", "steps", "skip_when_empty"],
        ),
        (
            "workspace.main.queues.support",
            &["selection", "fill", "strict"],
        ),
        ("workspace.main.queues.support.terms.voice", &terms),
        ("workspace.main.queues.support.terms.voice", &["wrap_up"]),
        (
            "workspace.main.users.ana",
            &["roles", "channels", "capacity", "auto_accept", "supervises"],
        ),
        ("workspace.main.users.ana", &["grants", "denials"]),
        ("workspace.main.roles.team_lead", &["denials"]),
    ] {
        without(&mut file, path, keys);
        assert_eq!(
            rules_of(&file),
            whole,
            "{keys:?} of [{path}] are not the defaults"
        );
    }
}

#[test]
fn a_workspace_without_channels_has_the_usual_ones() {
    let mut file = starter();
    let with = super::check(&toml::to_string(&file).unwrap()).unwrap();
    without(&mut file, "workspace.main", &["channels"]);
    let usual = super::check(&toml::to_string(&file).unwrap()).unwrap();
    let names = |channels: &Channels| {
        channels
            .iter()
            .map(|(_, rules)| rules.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names(&main_of(&with).channels),
        ["chat", "email", "sms", "voice"]
    );
    assert_eq!(
        names(&main_of(&usual).channels),
        ["chat", "email", "sms", "task", "voice"]
    );
    for (_, rules) in main_of(&with).channels.iter() {
        let same = main_of(&usual).channels.by_name(&rules.name).unwrap();
        let same = main_of(&usual).channels.get(same).unwrap();
        assert_eq!(
            (rules.weight, rules.max),
            (same.weight, same.max),
            "{}",
            rules.name
        );
    }
}

#[test]
fn a_file_without_a_workspace_gets_that_of_the_starter_file() {
    let config = super::check("[server]\nlisten = \"127.0.0.1:0\"").unwrap();
    assert_eq!(config.server.listen.port(), 0);
    assert_eq!(main_of(&config).queues.len(), 7);
    assert_eq!(super::check("").unwrap().server, Server::default());
}
