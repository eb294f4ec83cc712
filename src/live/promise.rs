//! Promises that hold after every record, whatever is in the log: cheap enough to be called
//! after each.

use crate::domain::contact::ContactState;
use crate::id::QueueId;
use crate::live::board::Board;
use crate::live::queue::{Bucket, Counts, QueueCell};

/// A promise that does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Broken {
    /// What came into a line is not what went out and what is there.
    #[error("{queue:?} does not conserve: {counts:?}, {waiting} are waiting")]
    Conservation {
        /// The queue.
        queue: QueueId,
        /// What came and went.
        counts: Counts,
        /// Contacts in line.
        waiting: u32,
    },
    /// The contacts in line are not those that wait, ring and connect.
    #[error("{queue:?} has {line} in line and {states} in states that are in line")]
    Line {
        /// The queue.
        queue: QueueId,
        /// In line.
        line: u32,
        /// Waiting, ringing and connecting.
        states: u32,
    },
    /// The buckets do not sum to the members.
    #[error("the buckets of {queue:?} sum to {sum}, of {members} members")]
    Buckets {
        /// The queue.
        queue: QueueId,
        /// Sum of the buckets.
        sum: u32,
        /// Its members.
        members: u32,
    },
    /// More slots are free than there are.
    #[error("{queue:?} has {free} slots free of {all}")]
    Slots {
        /// The queue.
        queue: QueueId,
        /// Free.
        free: u32,
        /// All.
        all: u32,
    },
    /// Records were about contacts or agents that nothing was known of.
    #[error("{0} records were about nothing that is known")]
    Strays(u64),
}

impl Board {
    /// The promises that do not hold: none, ever.
    #[must_use]
    pub fn broken(&self) -> Vec<Broken> {
        let strays = self.picture.strays();
        let queues = self.picture.rules.queues.iter();
        let cells = queues.filter_map(|own| Some((own.id, self.picture.queue(own.id)?)));
        cells
            .flat_map(|(queue, cell)| of_queue(queue, cell))
            .chain((strays > 0).then_some(Broken::Strays(strays)))
            .collect()
    }
}

fn of_queue(queue: QueueId, cell: &QueueCell) -> impl Iterator<Item = Broken> {
    let (waiting, counts) = (cell.waiting_now(), cell.counts);
    let conserves = counts.conserve(u64::from(waiting));
    let states = cell.contacts(ContactState::Waiting)
        + cell.contacts(ContactState::Offered)
        + cell.contacts(ContactState::Connecting);
    let sum = Bucket::ALL
        .into_iter()
        .map(|bucket| cell.agents(bucket))
        .sum();
    let (members, (free, all)) = (cell.members, cell.slots());
    let broken = [
        (!conserves).then_some(Broken::Conservation {
            queue,
            counts,
            waiting,
        }),
        (states != waiting).then_some(Broken::Line {
            queue,
            line: waiting,
            states,
        }),
        (sum != members).then_some(Broken::Buckets {
            queue,
            sum,
            members,
        }),
        (free > all).then_some(Broken::Slots { queue, free, all }),
    ];
    broken.into_iter().flatten()
}
