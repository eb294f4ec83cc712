//! Restart: how an actor that panics comes back, and when it is taken out of service instead.

use crate::domain::machine::{Machine, ReplyTo};
use crate::journal::{Fold, Source};
use crate::limits;
use crate::time::Instant;
use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What the loop has to know of a machine beyond [`Machine`].
pub(super) trait Kind: Send + 'static {
    /// The machine.
    type Machine: Machine<Input: Send> + Send;

    /// Whose events they are.
    fn source(&self) -> Source;

    /// What the log knows before the first event.
    fn empty(&self) -> Box<dyn Fold>;

    /// A machine as the log left it, in its next life. None when `part` is of another kind.
    fn rise(&mut self, now: Instant, part: Box<dyn Fold>) -> Option<Self::Machine>;

    /// Whom an input asks an answer for.
    fn reply_to(input: &<Self::Machine as Machine>::Input) -> Option<ReplyTo>;

    /// Hears of an input before the machine does.
    fn before(&mut self, input: &<Self::Machine as Machine>::Input);

    /// The actor is taken out of service.
    fn out_of_service(&self);

    /// Reads what operators see of a machine.
    fn observe(&mut self, machine: &Self::Machine);
}

/// Panics of one actor within the window.
#[derive(Debug, Default)]
pub(super) struct Panics(VecDeque<Instant>);

impl Panics {
    /// Counts one more; true when there were too many.
    pub(super) fn one_more(&mut self, now: Instant) -> bool {
        self.0.push_back(now);
        while self
            .0
            .front()
            .is_some_and(|at| now.since(*at) > limits::PANIC_WINDOW)
        {
            self.0.pop_front();
        }
        self.0.len() >= limits::PANICS
    }
}

/// Runs something that may panic; what it panicked with, in words, otherwise.
pub(super) fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    // Whatever the panic left half done is dropped or rebuilt by the caller.
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| words(&*panic))
}

fn words(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without words".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Panics, guarded};
    use crate::limits;
    use crate::time::{Instant, Span};

    #[test]
    fn panics_are_counted_within_their_window_only() {
        let mut panics = Panics::default();
        let step = Span(limits::PANIC_WINDOW.0 / 2 + 1);
        let mut now = Instant(1_000_000);
        for _ in 0..10 {
            assert!(
                !panics.one_more(now),
                "two at most are ever within the window"
            );
            now = now + step;
        }
        assert!(!panics.one_more(now) && panics.one_more(now));
    }

    #[test]
    fn a_panic_becomes_words() {
        assert_eq!(guarded(|| 3), Ok(3));
        let went = guarded(|| panic!("no {}", "way"));
        assert_eq!(went, Err::<(), _>("no way".to_owned()));
    }
}
