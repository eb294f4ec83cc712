//! A queue that many fill and one empties: nobody who fills it ever waits, and whoever empties
//! it takes all there is at once. Mailboxes of actors and outboxes of doors are made of it.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// An empty queue keeps room for so many items; what a burst needed beyond is given back.
const KEPT: usize = 64;

/// Both ends of a new queue.
pub(super) fn inbox<T>() -> (Filler<T>, Emptier<T>) {
    let shared = Arc::new(Shared {
        length: AtomicUsize::new(0),
        inside: Mutex::new(Inside {
            items: VecDeque::new(),
            waker: None,
            open: true,
        }),
    });
    (Filler(Arc::clone(&shared)), Emptier(shared))
}

/// The end that is filled; clone it freely.
#[derive(Debug)]
pub(super) struct Filler<T>(Arc<Shared<T>>);

impl<T> Clone for Filler<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// The end that is emptied.
#[derive(Debug)]
pub(super) struct Emptier<T>(Arc<Shared<T>>);

#[derive(Debug)]
struct Shared<T> {
    length: AtomicUsize,
    inside: Mutex<Inside<T>>,
}

#[derive(Debug)]
struct Inside<T> {
    items: VecDeque<T>,
    waker: Option<Waker>,
    open: bool,
}

impl<T> Shared<T> {
    /// Nothing between lock and unlock can panic, so a poisoned lock holds a whole queue.
    fn lock(&self) -> MutexGuard<'_, Inside<T>> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Filler<T> {
    /// Puts an item at the end; gives it back when the queue is closed.
    pub(super) fn push(&self, item: T) -> Result<(), T> {
        self.push_all(std::iter::once(item))
            .map_or(Ok(()), |mut left| left.next().map_or(Ok(()), Err))
    }

    /// Puts items at the end, in order; gives them back when the queue is closed.
    pub(super) fn push_all<I: Iterator<Item = T>>(&self, items: I) -> Option<I> {
        let waker = {
            let mut inside = self.0.lock();
            if !inside.open {
                return Some(items);
            }
            inside.items.extend(items);
            self.0.length.store(inside.items.len(), Ordering::Relaxed);
            inside.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        None
    }

    /// Drops everything inside, leaves `last` as the only item, and takes nothing after it.
    pub(super) fn finish(&self, last: T) {
        let (dropped, waker) = {
            let mut inside = self.0.lock();
            if !inside.open {
                return;
            }
            inside.open = false;
            let dropped = std::mem::replace(&mut inside.items, VecDeque::from([last]));
            self.0.length.store(1, Ordering::Relaxed);
            (dropped, inside.waker.take())
        };
        drop(dropped);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Takes nothing more; what is inside can still be taken out.
    pub(super) fn close(&self) {
        let waker = {
            let mut inside = self.0.lock();
            inside.open = false;
            inside.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Number of items inside.
    pub(super) fn len(&self) -> usize {
        self.0.length.load(Ordering::Relaxed)
    }
}

impl<T> Emptier<T> {
    /// Waits until something is there and moves all of it to the end of `into`. False when the
    /// queue is closed and empty. Cancel safe.
    pub(super) async fn take_all(&mut self, into: &mut VecDeque<T>) -> bool {
        self.take(into, usize::MAX).await
    }

    /// The same, but moves no more than `most`.
    pub(super) async fn take(&mut self, into: &mut VecDeque<T>, most: usize) -> bool {
        poll_fn(|cx| self.poll_take(cx, into, most)).await
    }

    fn poll_take(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut VecDeque<T>,
        most: usize,
    ) -> Poll<bool> {
        let mut inside = self.0.lock();
        if inside.items.is_empty() {
            if !inside.open {
                return Poll::Ready(false);
            }
            match &mut inside.waker {
                Some(waker) if waker.will_wake(cx.waker()) => {}
                waker => *waker = Some(cx.waker().clone()),
            }
            return Poll::Pending;
        }
        if inside.items.len() > most {
            into.extend(inside.items.drain(..most));
        } else if into.is_empty() {
            // The emptied buffer goes back in, so that a steady flow allocates nothing.
            std::mem::swap(&mut inside.items, into);
            if inside.items.capacity() > KEPT {
                inside.items = VecDeque::new();
            }
        } else {
            into.append(&mut inside.items);
        }
        self.0.length.store(inside.items.len(), Ordering::Relaxed);
        Poll::Ready(true)
    }

    /// Number of items inside.
    pub(super) fn len(&self) -> usize {
        self.0.length.load(Ordering::Relaxed)
    }
}

impl<T> Drop for Emptier<T> {
    fn drop(&mut self) {
        let items = {
            let mut inside = self.0.lock();
            inside.open = false;
            std::mem::take(&mut inside.items)
        };
        self.0.length.store(0, Ordering::Relaxed);
        drop(items);
    }
}

#[cfg(test)]
mod tests {
    use super::inbox;
    use std::collections::VecDeque;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .build()
            .unwrap()
    }

    #[test]
    fn no_wake_up_is_lost_and_order_is_kept_between_threads() {
        const FILLERS: u64 = 4;
        const EACH: u64 = 20_000;
        let (filler, mut emptier) = inbox();
        let threads: Vec<_> = (0..FILLERS)
            .map(|who| {
                let filler = filler.clone();
                std::thread::spawn(move || {
                    (0..EACH).for_each(|n| filler.push((who, n)).unwrap());
                })
            })
            .collect();
        runtime().block_on(async {
            let mut last = [0; FILLERS as usize];
            let mut taken = VecDeque::new();
            while last.iter().sum::<u64>() < FILLERS * EACH {
                assert!(emptier.take_all(&mut taken).await);
                for (who, n) in taken.drain(..) {
                    let last = &mut last[usize::try_from(who).unwrap()];
                    assert_eq!(n, *last, "of filler {who}");
                    *last += 1;
                }
            }
        });
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
    }

    #[test]
    fn a_closed_queue_gives_out_what_it_holds_and_takes_nothing_more() {
        let (filler, mut emptier) = inbox();
        filler.push(1).unwrap();
        filler.close();
        assert_eq!(filler.push(2), Err(2));
        let mut taken = VecDeque::new();
        runtime().block_on(async {
            assert!(emptier.take_all(&mut taken).await);
            assert_eq!(taken, [1]);
            assert!(!emptier.take_all(&mut taken).await);
        });
    }

    #[test]
    fn finish_leaves_one_last_item() {
        let (filler, mut emptier) = inbox();
        filler.push(1).unwrap();
        filler.push(2).unwrap();
        filler.finish(9);
        assert_eq!((filler.len(), filler.push(3)), (1, Err(3)));
        let mut taken = VecDeque::new();
        runtime().block_on(async {
            assert!(emptier.take_all(&mut taken).await);
            assert_eq!(taken, [9]);
            assert!(!emptier.take_all(&mut taken).await);
        });
    }

    #[test]
    fn what_nobody_will_empty_is_given_back() {
        let (filler, emptier) = inbox();
        filler.push(1).unwrap();
        drop(emptier);
        assert_eq!((filler.push(2), filler.len()), (Err(2), 0));
    }
}
