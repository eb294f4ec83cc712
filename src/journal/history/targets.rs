//! Within which an answer is in time: the target of each queue and channel.

use crate::domain::rules::Workspace;
use crate::limits;
use crate::time::Span;
use std::collections::BTreeMap;

/// An answer on a channel without a target of its own is in time within this.
const OTHERWISE: Span = Span::seconds(60);

/// Targets by the names of queue and channel, as the workspace has them now.
#[derive(Clone, Debug, Default)]
pub struct Targets(pub(super) BTreeMap<String, BTreeMap<String, Span>>);

impl Targets {
    /// Those of a workspace.
    #[must_use]
    pub fn of(rules: &Workspace) -> Self {
        let queues = rules.queues.iter().map(|queue| {
            let channels = queue.channels.iter();
            let channels = channels
                .map(|(channel, terms)| (rules.channel_name(*channel).to_owned(), terms.target));
            (queue.name.clone(), channels.collect())
        });
        Self(queues.collect())
    }

    /// The target of a queue and channel; the channel's usual one where they are not configured.
    pub(super) fn target(&self, queue: &str, channel: &str) -> Span {
        let own = self.0.get(queue).and_then(|channels| channels.get(channel));
        own.copied().unwrap_or_else(|| {
            let usual = limits::CHANNEL_DEFAULTS.iter();
            let usual = usual.filter(|usual| usual.name == channel);
            usual.map(|usual| usual.target).next().unwrap_or(OTHERWISE)
        })
    }
}
