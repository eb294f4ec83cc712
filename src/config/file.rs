//! The configuration file as it is written: one struct per table, one field per key, nothing
//! looked up yet. `starter.toml` shows and explains every key; a test holds the two together.

use super::value::{Held, Length, LengthOr, Off, Size, WhileMedia};
use crate::domain::rules::{Connect, Fill, Selection, SignOutWork, WrapUpMode};
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// A name, with its place.
pub type Name = Spanned<String>;
/// Objects by their names.
pub type Table<T> = BTreeMap<Name, T>;

/// The whole file.
#[derive(Deserialize, Debug, Default)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    pub server: Server,
    pub workspace: Table<Workspace>,
}

/// `[server]`
#[derive(Deserialize, Debug, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    pub listen: Option<Spanned<String>>,
    pub behind_proxy: Option<bool>,
    pub origins: Option<Vec<Spanned<String>>>,
    pub data: Option<Spanned<String>>,
    pub journal: Option<JournalWord>,
    pub low_space: Option<Size>,
    pub key_file: Option<Spanned<String>>,
    pub issuer: Option<Spanned<String>>,
    pub audience: Option<Spanned<String>>,
}

/// Where the log is kept.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub enum JournalWord {
    Disk,
    Memory,
}

/// `[workspace.<id>]`
#[derive(Deserialize, Debug, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Workspace {
    pub sign_out_with_work: Option<SignOutWork>,
    pub back_from_missed: Option<LengthOr<Off>>,
    pub retry_after: Option<Length>,
    pub offer_grace: Option<Length>,
    pub patience: Option<Length>,
    pub priority_step: Option<Spanned<Length>>,
    pub return_boost: Option<i32>,
    pub history: History,
    pub channels: Option<Table<Channel>>,
    pub skills: Table<SkillWord>,
    pub teams: Table<Team>,
    pub queues: Table<Queue>,
    pub users: Table<User>,
    pub connectors: Table<Connector>,
    pub roles: Table<Role>,
}

/// `[workspace.<id>.history]`: days, 0 for ever.
#[derive(Deserialize, Debug, Default)]
#[serde(deny_unknown_fields, default)]
pub struct History {
    pub contacts: Option<u32>,
    pub segments: Option<u32>,
    pub agent_states: Option<u32>,
    pub queue_intervals: Option<u32>,
    pub agent_intervals: Option<u32>,
    pub audit: Option<u32>,
    pub content: Option<u32>,
}

/// How a skill is held.
#[derive(Deserialize, Debug, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub enum SkillWord {
    /// Held or not.
    YesNo,
    /// Held at a level from 1 to 10.
    Graded,
}

/// `[workspace.<id>.channels.<name>]`: what holds on the channel, and what holds for it in
/// queues that say nothing else.
#[derive(Deserialize, Debug, Default, Clone)]
#[serde(deny_unknown_fields, default)]
pub struct Channel {
    pub weight: Option<Spanned<u32>>,
    pub max: Option<Spanned<u32>>,
    pub interrupted_by: Option<Vec<Name>>,
    pub misses: Option<Spanned<u32>>,
    pub grace: Option<LengthOr<WhileMedia>>,
    pub target: Option<Length>,
    pub offer_timeout: Option<Spanned<Length>>,
    pub auto_accept: Option<bool>,
    pub may_decline: Option<bool>,
    pub connect: Option<Connect>,
    pub connect_timeout: Option<Spanned<Length>>,
    pub short_abandon: Option<Length>,
    pub wrap_up: Option<Spanned<WrapUp>>,
}

/// `[workspace.<id>.queues.<name>.terms.<channel>]`
#[derive(Deserialize, Debug, Default, Clone)]
#[serde(deny_unknown_fields, default)]
pub struct Terms {
    pub target: Option<Length>,
    pub offer_timeout: Option<Spanned<Length>>,
    pub auto_accept: Option<bool>,
    pub may_decline: Option<bool>,
    pub connect: Option<Connect>,
    pub connect_timeout: Option<Spanned<Length>>,
    pub short_abandon: Option<Length>,
    pub wrap_up: Option<Spanned<WrapUp>>,
}

/// A wrap-up policy.
#[derive(Deserialize, Debug, Default, Clone)]
#[serde(deny_unknown_fields, default)]
pub struct WrapUp {
    pub mode: Option<WrapUpMode>,
    pub time: Option<Spanned<Length>>,
    pub holds_capacity: Option<bool>,
    pub default_code: Option<Spanned<String>>,
}

/// `[workspace.<id>.teams.<name>]`
#[derive(Deserialize, Debug, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Team {
    pub name: Option<String>,
}

/// `[workspace.<id>.queues.<name>]`
#[derive(Deserialize, Debug, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Queue {
    pub name: Option<String>,
    pub channels: Option<Spanned<Vec<Name>>>,
    pub team: Option<Name>,
    pub priority: Option<i32>,
    pub requirement: Option<Spanned<String>>,
    pub steps: Vec<Spanned<Step>>,
    pub skip_when_empty: Option<bool>,
    pub selection: Option<Selection>,
    pub fill: Option<Fill>,
    pub strict: Option<bool>,
    pub members: Vec<Spanned<Member>>,
    pub terms: Table<Terms>,
}

/// One requirement step of a queue.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub after: Length,
    pub requirement: Spanned<String>,
    #[serde(default)]
    pub widen: bool,
}

/// One member of a queue: an agent, or everybody in a team.
#[derive(Deserialize, Debug, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Member {
    pub agent: Option<Name>,
    pub team: Option<Name>,
    pub rank: Option<Spanned<u32>>,
    pub delay: Option<Length>,
}

/// `[workspace.<id>.users.<name>]`
#[derive(Deserialize, Debug, Default)]
#[serde(deny_unknown_fields, default)]
pub struct User {
    pub name: Option<String>,
    pub roles: Option<Vec<Name>>,
    pub teams: Vec<Name>,
    pub supervises: Supervises,
    pub skills: Table<Spanned<Held>>,
    pub channels: Option<Vec<Name>>,
    pub capacity: Option<Spanned<u32>>,
    pub max: Table<Spanned<u32>>,
    pub auto_accept: Option<bool>,
    pub contact_method: Option<Spanned<String>>,
    pub grants: Vec<Spanned<Grant>>,
    pub denials: Vec<Spanned<Grant>>,
}

/// What a user supervises.
#[derive(Deserialize, Debug, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Supervises {
    pub teams: Vec<Name>,
    pub queues: Vec<Name>,
}

/// A privilege over a set of objects.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    pub privilege: Spanned<String>,
    pub scope: Spanned<String>,
    #[serde(default)]
    pub channels: Option<Vec<Name>>,
    #[serde(default)]
    pub named: Named,
}

/// What a grant with scope `named` lists.
#[derive(Deserialize, Debug, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Named {
    pub users: Vec<Name>,
    pub queues: Vec<Name>,
    pub teams: Vec<Name>,
}

/// `[workspace.<id>.connectors.<name>]`: an identity with role `integration`.
#[derive(Deserialize, Debug, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Connector {
    pub name: Option<String>,
}

/// `[workspace.<id>.roles.<name>]`: a role, or changes to a built-in one.
#[derive(Deserialize, Debug, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Role {
    pub inherits: Option<Vec<Name>>,
    pub home: Option<Home>,
    pub grants: Vec<Spanned<Grant>>,
    pub denials: Vec<Spanned<Grant>>,
}

/// What holders of a role see.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Home {
    pub screen: Spanned<String>,
    #[serde(default)]
    pub panels: Vec<Spanned<String>>,
    #[serde(default)]
    pub columns: Vec<String>,
}
