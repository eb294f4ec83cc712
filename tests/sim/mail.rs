//! Mail of an actor: in order from each sender, in any order across senders.

use super::rng::Rng;
use std::collections::VecDeque;
use switchroom::id::QueueId;

/// Who sent something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sender {
    /// The floor.
    Floor,
    /// A queue.
    Queue(QueueId),
    /// A socket of an agent.
    Session(usize),
    /// A connector.
    Connector(u32),
    /// A supervisor.
    Supervisor,
    /// Whoever lets answers out once they are durable.
    Post,
    /// Whoever spreads new rules.
    Rules,
}

/// Mail that is not yet read.
#[derive(Debug)]
pub struct Mail<I> {
    lines: Vec<(Sender, VecDeque<I>)>,
    len: usize,
}

impl<I> Default for Mail<I> {
    fn default() -> Self {
        Self {
            lines: Vec::new(),
            len: 0,
        }
    }
}

impl<I> Mail<I> {
    pub fn put(&mut self, from: Sender, input: I) {
        self.len += 1;
        match self.lines.iter_mut().find(|(sender, _)| *sender == from) {
            Some((_, line)) => line.push_back(input),
            None => self.lines.push((from, VecDeque::from([input]))),
        }
    }

    /// The first of some sender.
    pub fn take(&mut self, rng: &mut Rng) -> Option<I> {
        if self.len == 0 {
            return None;
        }
        let (from, _) = self.lines[rng.below(self.lines.len())];
        self.take_from(from)
    }

    /// The first of this sender.
    pub fn take_from(&mut self, from: Sender) -> Option<I> {
        let which = self.lines.iter().position(|(sender, _)| *sender == from)?;
        let (_, line) = &mut self.lines[which];
        let input = line.pop_front();
        if line.is_empty() {
            self.lines.swap_remove(which);
        }
        self.len -= 1;
        input
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn clear(&mut self) {
        self.lines.clear();
        self.len = 0;
    }
}
