//! Channels of a workspace, and the terms that a queue has on one of them: the queue's own,
//! else the channel's, else the defaults.

use super::check::Check;
use super::file;
use super::finding::Notes;
use super::value::Length;
use crate::domain::capacity::{ChannelRules, ChannelSet};
use crate::domain::rules::{ChannelPolicy, ChannelTerms, Connect, WrapUp, WrapUpMode};
use crate::limits::{
    CAPACITY, CHANNEL_DEFAULTS, CHANNELS, CONNECT_TIMEOUT, ChannelDefaults, OFFER_TIMEOUT_MAX,
    RING_WIDTH, SHORT_ABANDON, WRAP_UP_MAX, WRAP_UP_SPAN_MAX,
};
use crate::time::Span;
use std::ops::Range;
use toml::Spanned;

/// The channels of the file; without any, those that every workspace has.
pub(super) fn table(
    given: Option<&file::Table<file::Channel>>,
) -> Vec<(file::Name, file::Channel)> {
    match given {
        Some(table) => table
            .iter()
            .map(|(name, channel)| (name.clone(), channel.clone()))
            .collect(),
        None => {
            let name = |default: &ChannelDefaults| Spanned::new(0..0, default.name.to_owned());
            let mut all: Vec<_> = CHANNEL_DEFAULTS
                .iter()
                .map(|default| (name(default), file::Channel::default()))
                .collect();
            all.sort_by(|(a, _), (b, _)| a.cmp(b));
            all
        }
    }
}

/// Puts channels in the order in which the log knows them. Contacts are counted and weighed by
/// channel for ever: one that the log knows cannot be left out.
pub(super) fn keep_order(
    table: &mut [(file::Name, file::Channel)],
    known: &[String],
    workspace: &file::Name,
    notes: &mut Notes,
) {
    let stated = |name: &String| table.iter().any(|(of, _)| of.get_ref() == name);
    for name in known.iter().filter(|name| !stated(name)) {
        notes.error(
            &workspace.span(),
            format!(
                "channel \"{name}\" was used before and has to stay; a queue need not serve it"
            ),
        );
    }
    let place = |name: &str| known.iter().position(|of| of == name);
    table.sort_by_key(|(name, _)| place(name.get_ref()).unwrap_or(known.len()));
}

/// Notes what is wrong with the list of channels as a whole.
pub(super) fn check_count(
    table: &[(file::Name, file::Channel)],
    workspace: &file::Name,
    notes: &mut Notes,
) {
    if table.len() > CHANNELS {
        let problem = format!(
            "a workspace has at most {CHANNELS} channels, this one has {}",
            table.len()
        );
        notes.error(&workspace.span(), problem);
    }
    if table.is_empty() {
        notes.error(
            &workspace.span(),
            "a workspace has at least one channel; leave \"channels\" out for the usual ones",
        );
    }
}

/// What holds on a channel that says nothing itself; other channels than the usual are like tasks.
fn defaults(name: &str) -> &'static ChannelDefaults {
    let [.., task] = &CHANNEL_DEFAULTS;
    CHANNEL_DEFAULTS
        .iter()
        .find(|default| default.name == name)
        .unwrap_or(task)
}

fn is_usual(name: &str) -> bool {
    CHANNEL_DEFAULTS.iter().any(|default| default.name == name)
}

/// What one contact of the channel takes of an agent.
pub(super) fn rules(
    check: &mut Check<'_>,
    name: &file::Name,
    channel: &file::Channel,
) -> ChannelRules {
    let default = defaults(name.get_ref());
    if channel.weight.is_none() && !is_usual(name.get_ref()) {
        let problem = format!(
            "channel \"{}\" is not one of the usual ones: say how much of an agent one contact takes, \
             weight = 1 to {CAPACITY}",
            name.get_ref()
        );
        check.notes.error(&name.span(), problem);
    }
    if let Some(weight) = &channel.weight {
        check.range(weight, "weight", 1, CAPACITY);
    }
    let weight = channel
        .weight
        .as_ref()
        .map_or(default.weight, |weight| *weight.get_ref())
        .clamp(1, CAPACITY);
    let fits = CAPACITY / weight;
    if let Some(max) = &channel.max {
        check_max(check, max, weight, CAPACITY);
    }
    ChannelRules {
        name: name.get_ref().clone(),
        weight,
        max: channel.max.as_ref().map_or(fits, |max| *max.get_ref()),
        interrupted_by: interrupted_by(check, name, channel, default),
    }
}

/// Notes a number of contacts that is none, or that never fits.
pub(super) fn check_max(check: &mut Check<'_>, max: &Spanned<u32>, weight: u32, capacity: u32) {
    let (given, fits) = (*max.get_ref(), capacity / weight);
    if given == 0 {
        check.notes.error(
            &max.span(),
            "max is 1 or more; leave the channel out to have none of it",
        );
    } else if given > fits {
        let problem = format!(
            "max = {given} is never reached: with weight {weight}, {fits} fit into {capacity}"
        );
        check.notes.error(&max.span(), problem);
    }
}

fn interrupted_by(
    check: &mut Check<'_>,
    name: &file::Name,
    channel: &file::Channel,
    default: &ChannelDefaults,
) -> ChannelSet {
    let Some(given) = &channel.interrupted_by else {
        let usual = default
            .interrupted_by
            .iter()
            .filter(|_| is_usual(name.get_ref()));
        return usual.filter_map(|by| check.names.channel(by)).collect();
    };
    for by in given.iter().filter(|by| by.get_ref() == name.get_ref()) {
        check
            .notes
            .error(&by.span(), "a channel does not interrupt itself");
    }
    check.list(given, Check::channel).into_iter().collect()
}

/// What holds on the channel beside capacity.
pub(super) fn policy(
    check: &mut Check<'_>,
    name: &file::Name,
    channel: &file::Channel,
) -> ChannelPolicy {
    let default = defaults(name.get_ref());
    if let Some(misses) = &channel.misses {
        check.range(misses, "misses", 1, 100);
    }
    ChannelPolicy {
        misses: channel
            .misses
            .as_ref()
            .map_or(default.misses, |misses| *misses.get_ref()),
        grace: channel
            .grace
            .map_or(default.grace, super::value::LengthOr::length),
    }
}

/// What a channel says about the terms of queues on it.
fn stated(channel: &file::Channel) -> file::Terms {
    file::Terms {
        target: channel.target,
        offer_timeout: channel.offer_timeout.clone(),
        auto_accept: channel.auto_accept,
        may_decline: channel.may_decline,
        connect: channel.connect,
        connect_timeout: channel.connect_timeout.clone(),
        short_abandon: channel.short_abandon,
        wrap_up: channel.wrap_up.clone(),
    }
}

/// The channel's terms, which hold in queues that say nothing else.
pub(super) fn terms_of_channel(
    check: &mut Check<'_>,
    name: &file::Name,
    channel: &file::Channel,
) -> ChannelTerms {
    let default = defaults(name.get_ref());
    let base = ChannelTerms {
        target: default.target,
        offer_timeout: default.offer_timeout,
        auto_accept: false,
        may_decline: true,
        connect: if name.get_ref() == "voice" {
            Connect::ByReport
        } else {
            Connect::AtOnce
        },
        connect_timeout: CONNECT_TIMEOUT,
        wrap_up: WrapUp {
            mode: WrapUpMode::Optional,
            span: WRAP_UP_MAX,
            holds_capacity: true,
            default_code: None,
        },
        ring_width: RING_WIDTH,
        short_abandon: SHORT_ABANDON,
    };
    terms(check, &stated(channel), &base)
}

/// The terms that are stated, else those of `base`.
pub(super) fn terms(
    check: &mut Check<'_>,
    stated: &file::Terms,
    base: &ChannelTerms,
) -> ChannelTerms {
    ChannelTerms {
        target: stated.target.map_or(base.target, |Length(target)| target),
        offer_timeout: bounded(
            check,
            stated.offer_timeout.as_ref(),
            "offer_timeout",
            OFFER_TIMEOUT_MAX,
        )
        .unwrap_or(base.offer_timeout),
        auto_accept: stated.auto_accept.unwrap_or(base.auto_accept),
        may_decline: stated.may_decline.unwrap_or(base.may_decline),
        connect: stated.connect.unwrap_or(base.connect),
        connect_timeout: bounded(
            check,
            stated.connect_timeout.as_ref(),
            "connect_timeout",
            OFFER_TIMEOUT_MAX,
        )
        .unwrap_or(base.connect_timeout),
        wrap_up: stated
            .wrap_up
            .as_ref()
            .map_or_else(|| base.wrap_up.clone(), |given| wrap_up(check, given, base)),
        ring_width: base.ring_width,
        short_abandon: stated
            .short_abandon
            .map_or(base.short_abandon, |Length(span)| span),
    }
}

/// A length of time that must be more than nothing and not more than `most`.
fn bounded(
    check: &mut Check<'_>,
    given: Option<&Spanned<Length>>,
    what: &str,
    most: Span,
) -> Option<Span> {
    let given = given?;
    let Length(span) = *given.get_ref();
    if span == Span(0) || span > most {
        note_length(check, &given.span(), what, most);
    }
    Some(span)
}

fn note_length(check: &mut Check<'_>, span: &Range<usize>, what: &str, most: Span) {
    let problem = format!(
        "{what} is more than nothing and at most \"{}\"",
        super::value::written(most)
    );
    check.notes.error(span, problem);
}

fn wrap_up(check: &mut Check<'_>, given: &Spanned<file::WrapUp>, base: &ChannelTerms) -> WrapUp {
    let (stated, base) = (given.get_ref(), &base.wrap_up);
    let mode = stated.mode.unwrap_or(base.mode);
    let time = bounded(
        check,
        stated.time.as_ref(),
        "the time of a wrap-up",
        WRAP_UP_SPAN_MAX,
    );
    match (mode, &stated.time) {
        (WrapUpMode::None, Some(time)) => {
            check.notes.error(
                &time.span(),
                "mode \"none\" has no time: leave it out, or choose another mode",
            );
        }
        (WrapUpMode::Timeboxed, None) if base.mode != mode => {
            check.notes.error(
                &given.span(),
                "mode \"timeboxed\" needs its time, for example time = \"30s\"",
            );
        }
        (
            WrapUpMode::None | WrapUpMode::Optional | WrapUpMode::Required | WrapUpMode::Timeboxed,
            _,
        ) => {}
    }
    if let Some(code) = &stated.default_code {
        if code.get_ref().is_empty() {
            check.notes.error(
                &code.span(),
                "a code is not empty; leave default_code out to have none",
            );
        } else if mode == WrapUpMode::None {
            check.notes.error(
                &code.span(),
                "mode \"none\" gives no code: leave default_code out, or choose another mode",
            );
        }
    }
    WrapUp {
        mode,
        span: time.unwrap_or(base.span),
        holds_capacity: stated.holds_capacity.unwrap_or(base.holds_capacity),
        default_code: stated
            .default_code
            .as_ref()
            .map(|code| code.get_ref().clone())
            .or(base.default_code.clone()),
    }
}
