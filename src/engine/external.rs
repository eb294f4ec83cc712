//! The index of external ids: one contact per channel and id while it lives and a while after.
//! An id is taken before the queue is asked; whoever comes later waits for that answer, and a
//! refusal makes room for the next of them.

use super::notes::Note;
use crate::domain::command::Asked;
use crate::domain::contact::{Content, Facts};
use crate::domain::machine::{Answer, Refusal, ReplyTo};
use crate::id::{ChannelId, QueueId, Seq, UserId};
use crate::limits;
use crate::time::Instant;
use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A channel and the connector's id of a contact.
pub(super) type Key = (ChannelId, Arc<str>);

/// The door at which the index itself takes answers to submits.
pub(super) const SUBMITS: u64 = 0;

/// A new contact, on its way to a queue.
#[derive(Debug)]
pub(super) struct Submit {
    /// The queue it names.
    pub(super) queue: QueueId,
    /// Who asks, and where the answer goes.
    pub(super) asked: Asked,
    /// Routing facts.
    pub(super) facts: Box<Facts>,
    /// Customer and attributes.
    pub(super) content: Box<Content>,
    /// The key that it came with.
    pub(super) note: Option<Note>,
}

impl Submit {
    fn key(&self) -> Key {
        (self.facts.channel, Arc::clone(&self.facts.external_id))
    }
}

/// An external id belongs to a contact of another identity.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("this external id was used on this channel by another connector")]
pub struct Foreign;

/// What becomes of a submit.
#[derive(Debug)]
pub(super) enum Claim {
    /// The id is this contact's: to be sent to its queue. The answer comes back to the index.
    Send(Submit),
    /// Another contact has just claimed the id: this one waits for its answer.
    Wait,
    /// The id has a contact; this is the answer.
    Known(Answer),
    /// The id is another identity's, of whose contact nothing is told.
    Foreign,
}

/// An answer that may leave, and where it goes.
pub(super) type Leaving = (ReplyTo, Result<Answer, Refusal>, Seq);

/// What follows from an answer to a submit.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// Answers that may leave now.
    pub(super) leaving: Vec<Leaving>,
    /// The next in line, to be sent to its queue.
    pub(super) next: Option<Submit>,
}

/// Every external id that has a contact, or is about to.
#[derive(Default)]
pub(super) struct Externals {
    ids: DashMap<Key, Known>,
    tickets: DashMap<u64, Key>,
    next_ticket: AtomicU64,
    /// Ids of closed contacts, in the order in which they are forgotten.
    closed: Mutex<VecDeque<(Instant, Key)>>,
}

struct Known {
    /// Who submitted the contact, and alone hears of it.
    whose: UserId,
    state: State,
}

enum State {
    /// A queue is being asked.
    Asking {
        first: Option<ReplyTo>,
        waiting: VecDeque<Submit>,
    },
    /// The contact was taken in.
    Taken(Answer),
}

impl Externals {
    /// Takes the external id for a contact that is to be submitted.
    pub(super) fn claim(&self, submit: Submit) -> Claim {
        let key = submit.key();
        let whose = submit.asked.principal.user();
        match self.ids.entry(key.clone()) {
            Entry::Vacant(free) => {
                let state = State::Asking {
                    first: submit.asked.reply,
                    waiting: VecDeque::new(),
                };
                free.insert(Known { whose, state });
                Claim::Send(self.with_ticket(key, submit))
            }
            Entry::Occupied(known) if known.get().whose != whose => Claim::Foreign,
            Entry::Occupied(mut known) => match &mut known.get_mut().state {
                State::Asking { waiting, .. } => {
                    waiting.push_back(submit);
                    Claim::Wait
                }
                State::Taken(answer) => Claim::Known(repeated(answer)),
            },
        }
    }

    fn with_ticket(&self, key: Key, mut submit: Submit) -> Submit {
        let ticket = self.next_ticket.fetch_add(1, Ordering::Relaxed);
        self.tickets.insert(ticket, key);
        submit.asked.reply = Some(ReplyTo {
            door: SUBMITS,
            request: ticket,
        });
        submit
    }

    /// A submit was answered, and the answer may leave.
    pub(super) fn settle(&self, ticket: u64, result: Result<Answer, Refusal>, seq: Seq) -> Settled {
        let mut settled = Settled::default();
        let Some((_, key)) = self.tickets.remove(&ticket) else {
            return settled;
        };
        let Entry::Occupied(mut entry) = self.ids.entry(key.clone()) else {
            return settled;
        };
        let State::Asking { first, waiting } = &mut entry.get_mut().state else {
            return settled;
        };
        let to_first = first.take();
        match &result {
            Ok(answer) => {
                let others = waiting.drain(..).filter_map(|waiting| waiting.asked.reply);
                let others = others.map(|to| (to, Ok(repeated(answer)), seq));
                settled.leaving.extend(others);
                entry.get_mut().state = State::Taken(answer.clone());
            }
            Err(_) => match waiting.pop_front() {
                Some(next) => {
                    *first = next.asked.reply;
                    settled.next = Some(self.with_ticket(key, next));
                }
                None => {
                    entry.remove();
                }
            },
        }
        let first = to_first.map(|to| (to, result, seq));
        settled.leaving.splice(0..0, first);
        settled
    }

    /// The contact is over: its id is remembered until then, and others are forgotten whose
    /// time has come.
    pub(super) fn closed(&self, key: Key, now: Instant) {
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        closed.push_back((now + limits::EXTERNAL_ID_MEMORY, key));
        while let Some((until, _)) = closed.front()
            && (*until <= now || closed.len() > limits::EXTERNAL_IDS)
        {
            if let Some((_, key)) = closed.pop_front() {
                self.ids.remove(&key);
            }
        }
    }

    /// An id that was taken before this server started.
    pub(super) fn remember(&self, key: Key, whose: UserId, answer: Answer) {
        let state = State::Taken(answer);
        self.ids.insert(key, Known { whose, state });
    }

    /// The contact of this id was taken in.
    pub(super) fn knows(&self, key: &Key) -> bool {
        let known = self.ids.get(key);
        known.is_some_and(|known| matches!(known.state, State::Taken(_)))
    }

    /// Ids that are taken.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }
}

/// The same answer for whoever comes later.
fn repeated(answer: &Answer) -> Answer {
    let mut answer = answer.clone();
    if let Answer::Submitted { repeated, .. } = &mut answer {
        *repeated = true;
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::{Claim, Externals, Submit};
    use crate::access::principal::{Identity, Principal};
    use crate::access::role::{Limits, Roles};
    use crate::domain::command::Asked;
    use crate::domain::contact::{Content, Facts};
    use crate::domain::machine::{Answer, Refusal, ReplyTo};
    use crate::domain::requirement::Requirement;
    use crate::id::{ChannelId, ContactId, QueueId, Seq, UserId};
    use crate::limits;
    use crate::time::{Instant, Span};
    use std::sync::Arc;

    fn principal(user: u32) -> Arc<Principal> {
        let identity = Identity::new(UserId(user), "site", "integration");
        identity
            .principal(&Roles::built_in(), Limits::default(), 1)
            .unwrap()
    }

    /// The submit of contact `n`, whose answer goes to door `n`.
    fn submit(n: u64) -> Submit {
        submit_of(0, n)
    }

    fn submit_of(user: u32, n: u64) -> Submit {
        let id = ContactId(uuid::Uuid::from_u64_pair(0, n));
        Submit {
            queue: QueueId(0),
            asked: Asked {
                principal: principal(user),
                generation: None,
                reply: Some(to(n)),
            },
            facts: Box::new(Facts {
                id,
                external_id: "x".into(),
                channel: ChannelId(0),
                conversation: id,
                first_entry: Instant(0),
                priority: 0,
                tier: 5,
                due_at: None,
                requirement: Requirement::anyone(),
                preferred: None,
                patience: None,
                submitted_by: UserId(user),
            }),
            content: Box::new(Content::default()),
            note: None,
        }
    }

    fn to(n: u64) -> ReplyTo {
        ReplyTo {
            door: n,
            request: 0,
        }
    }

    fn taken(n: u64) -> Answer {
        Answer::Submitted {
            contact: ContactId(uuid::Uuid::from_u64_pair(0, n)),
            external_id: "x".into(),
            channel: ChannelId(0),
            queue: QueueId(0),
            conversation: ContactId(uuid::Uuid::from_u64_pair(0, n)),
            first_entry: Instant(0),
            repeated: false,
        }
    }

    /// The ticket of a submit that is to be sent.
    fn ticket(claim: Claim) -> u64 {
        match claim {
            Claim::Send(submit) => submit.asked.reply.unwrap().request,
            Claim::Wait | Claim::Known(_) | Claim::Foreign => panic!("{claim:?}"),
        }
    }

    fn repeats(answer: &Result<Answer, Refusal>) -> bool {
        matches!(answer, Ok(Answer::Submitted { repeated: true, .. }))
    }

    #[test]
    fn the_answer_to_the_first_is_the_answer_to_all() {
        let externals = Externals::default();
        let first = ticket(externals.claim(submit(1)));
        assert!(matches!(externals.claim(submit(2)), Claim::Wait));
        let settled = externals.settle(first, Ok(taken(1)), Seq(7));
        let doors: Vec<(u64, bool)> = settled
            .leaving
            .iter()
            .map(|(to, answer, _)| (to.door, repeats(answer)))
            .collect();
        assert_eq!(doors, [(1, false), (2, true)]);
        assert!(settled.next.is_none());
        match externals.claim(submit(3)) {
            Claim::Known(answer) => assert!(repeats(&Ok(answer))),
            other @ (Claim::Send(_) | Claim::Wait | Claim::Foreign) => panic!("{other:?}"),
        }
    }

    #[test]
    fn nobody_else_hears_of_a_contact_by_its_external_id() {
        let externals = Externals::default();
        let first = ticket(externals.claim(submit_of(1, 1)));
        assert!(matches!(externals.claim(submit_of(2, 2)), Claim::Foreign));
        let settled = externals.settle(first, Ok(taken(1)), Seq(7));
        assert_eq!(settled.leaving.len(), 1);
        assert!(matches!(externals.claim(submit_of(2, 3)), Claim::Foreign));
        assert!(matches!(externals.claim(submit_of(1, 4)), Claim::Known(_)));
    }

    #[test]
    fn a_refusal_is_the_refused_ones_alone_and_the_next_is_asked() {
        let externals = Externals::default();
        let first = ticket(externals.claim(submit(1)));
        externals.claim(submit(2));
        externals.claim(submit(3));
        let settled = externals.settle(first, Err(Refusal::Unavailable), Seq(7));
        assert_eq!(settled.leaving.len(), 1);
        assert_eq!(settled.leaving[0].0, to(1));
        let next = settled.next.expect("the second is asked");
        let second = next.asked.reply.unwrap().request;
        let settled = externals.settle(second, Ok(taken(2)), Seq(9));
        let doors: Vec<u64> = settled.leaving.iter().map(|(to, ..)| to.door).collect();
        assert_eq!(doors, [2, 3]);
    }

    #[test]
    fn the_last_refusal_frees_the_id() {
        let externals = Externals::default();
        let first = ticket(externals.claim(submit(1)));
        let settled = externals.settle(first, Err(Refusal::Unavailable), Seq(7));
        assert!(settled.next.is_none());
        assert_eq!(externals.len(), 0);
        assert!(matches!(externals.claim(submit(2)), Claim::Send(_)));
    }

    #[test]
    fn an_answer_that_comes_twice_changes_nothing() {
        let externals = Externals::default();
        let first = ticket(externals.claim(submit(1)));
        externals.settle(first, Ok(taken(1)), Seq(7));
        let again = externals.settle(first, Err(Refusal::Unavailable), Seq(8));
        assert!(again.leaving.is_empty() && again.next.is_none());
        assert!(matches!(externals.claim(submit(2)), Claim::Known(_)));
    }

    #[test]
    fn a_closed_contact_keeps_its_id_for_a_while() {
        let externals = Externals::default();
        let first = ticket(externals.claim(submit(1)));
        externals.settle(first, Ok(taken(1)), Seq(7));
        let closed = Instant(1_000);
        let key = submit(1).key();
        externals.closed(key, closed);
        let other = (ChannelId(1), Arc::from("y"));
        let just_before = closed + Span(limits::EXTERNAL_ID_MEMORY.0 - 1);
        externals.closed(other.clone(), just_before);
        assert!(matches!(externals.claim(submit(2)), Claim::Known(_)));
        externals.closed(other, closed + limits::EXTERNAL_ID_MEMORY);
        assert!(matches!(externals.claim(submit(3)), Claim::Send(_)));
    }
}
