//! What sent spans held of memory, on its way back to the threads that make spans.

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use opentelemetry::KeyValue;

/// What so many spans held is kept for the way back: two batches of the usual size. Of more, the export thread frees it itself.
const KEPT: usize = 1024;

/// An allocator keeps what a thread frees for what it takes next. Where one thread only takes and another only frees, both go to what
/// they share instead, for every string of every span: that is slower by far, and how much so depends on how worn the heap is. So
/// whoever ends a span frees what another one held.
#[derive(Default)]
pub(crate) struct Spent {
    held: Mutex<Vec<Held>>,
    /// Whether there may be some: a look that disturbs nobody.
    any: AtomicBool,
}

/// The two that every span has.
type Held = (Cow<'static, str>, Vec<KeyValue>);

impl Spent {
    /// Takes what spans held as long as there is room for it, and frees the rest.
    pub(crate) fn give(&self, mut spans: impl Iterator<Item = Held>) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let room = KEPT - held.len();
        held.extend(spans.by_ref().take(room));
        self.any.store(!held.is_empty(), Ordering::Relaxed);
        drop(held);
        spans.for_each(drop);
    }

    /// Frees what one span held, unless another thread is at it.
    pub(crate) fn free_one(&self) {
        if self.any.load(Ordering::Relaxed)
            && let Ok(mut held) = self.held.try_lock()
        {
            let one = held.pop();
            if held.is_empty() {
                self.any.store(false, Ordering::Relaxed);
            }
            // Freed when nobody waits for it.
            drop(held);
            drop(one);
        }
    }
}

impl fmt::Debug for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spent")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_kept_than_there_is_room_for_and_one_is_freed_at_a_time() {
        let spent = Spent::default();
        let held = |spent: &Spent| spent.held.lock().expect("not poisoned").len();
        spent.free_one();
        for spans in [3, KEPT, KEPT] {
            spent.give((0..spans).map(|_| ("job renew".into(), Vec::new())));
        }
        assert_eq!(held(&spent), KEPT);
        (1..=KEPT).for_each(|freed| {
            spent.free_one();
            assert_eq!(held(&spent), KEPT - freed);
        });
        assert!(!spent.any.load(Ordering::Relaxed));
        spent.free_one();
    }
}
