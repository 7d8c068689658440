//! Memory for encoded spans, on its way back from the export thread.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// So many are kept, two batches of the usual size, each of so many bytes at most: four megabytes in all.
const KEPT: usize = 1024;
const KEPT_BYTES: usize = 4096;
/// What a span usually takes at most.
const USUAL: usize = 512;

/// A span is encoded where it ends, and what it was recorded in is freed there, while both are at hand. Only the encoded span goes to
/// the export thread, in memory that comes back: an allocator is slow with what one thread takes and another frees a while later,
/// and leaves the heap of everybody else worn.
#[derive(Default)]
pub(crate) struct Buffers {
    kept: Mutex<Vec<Vec<u8>>>,
    /// Whether there may be some: a look that disturbs nobody.
    any: AtomicBool,
}

impl Buffers {
    /// An empty one; a new one where another thread is at those that are kept.
    pub(crate) fn take(&self) -> Vec<u8> {
        let mut taken = None;
        if self.any.load(Ordering::Relaxed)
            && let Ok(mut kept) = self.kept.try_lock()
        {
            taken = kept.pop();
            if kept.is_empty() {
                self.any.store(false, Ordering::Relaxed);
            }
        }
        taken.unwrap_or_else(|| Vec::with_capacity(USUAL))
    }

    /// Keeps them as long as there is room for them, and frees the rest.
    pub(crate) fn give(&self, buffers: impl Iterator<Item = Vec<u8>>) {
        let mut buffers = buffers.filter(|buffer| buffer.capacity() <= KEPT_BYTES);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let room = KEPT - kept.len();
        kept.extend(buffers.by_ref().take(room).map(|mut buffer| {
            buffer.clear();
            buffer
        }));
        self.any.store(!kept.is_empty(), Ordering::Relaxed);
        // What is left is freed when nobody waits for it.
        drop(kept);
        buffers.for_each(drop);
    }
}

impl fmt::Debug for Buffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Buffers")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_is_handed_out_again_empty_and_no_more_is_kept_than_there_is_room_for() {
        let buffers = Buffers::default();
        let kept = |buffers: &Buffers| buffers.kept.lock().expect("not poisoned").len();
        assert_eq!(buffers.take().len(), 0);
        for count in [3, KEPT, KEPT] {
            buffers.give((0..count).map(|_| b"a span".to_vec()));
        }
        buffers.give([vec![0; KEPT_BYTES + 1]].into_iter());
        assert_eq!(kept(&buffers), KEPT);
        for taken in 1..=KEPT {
            let buffer = buffers.take();
            assert!(buffer.is_empty() && buffer.capacity() < USUAL);
            assert_eq!(kept(&buffers), KEPT - taken);
        }
        assert!(!buffers.any.load(Ordering::Relaxed));
        assert!(buffers.take().capacity() >= USUAL);
    }
}
