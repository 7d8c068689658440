//! Encoded spans of one request, and the memory that batches reuse.

use std::sync::{Arc, Mutex, PoisonError};

/// Bytes reserved for the first spans of a batch.
const INITIAL_BYTES: usize = 64 * 1024;
/// A batch that grew past this is not worth keeping.
const MAX_KEPT_BYTES: usize = 1024 * 1024;
/// How many buffers the pool keeps: more are rarely in flight at once.
const MAX_KEPT: usize = 4;

/// Spans in OTLP's encoding, one after the other, behind room for what precedes them in a request.
/// Dropping a batch returns its memory to the pool.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) bytes: Vec<u8>,
    pub(crate) spans: usize,
    pool: Arc<Pool>,
}

impl Batch {
    pub(crate) fn push(&mut self, encoded: &[u8]) {
        self.bytes.extend_from_slice(encoded);
        self.spans += 1;
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.pool.give(std::mem::take(&mut self.bytes));
    }
}

/// The memory of batches that were sent, for those that follow.
#[derive(Debug)]
pub(crate) struct Pool {
    /// Bytes left free at the beginning of a batch.
    room: usize,
    kept: Mutex<Vec<Vec<u8>>>,
}

impl Pool {
    pub(crate) fn new(room: usize) -> Arc<Self> {
        Arc::new(Self { room, kept: Mutex::new(Vec::with_capacity(MAX_KEPT)) })
    }

    /// A batch without spans.
    pub(crate) fn batch(self: &Arc<Self>) -> Batch {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut bytes = kept.unwrap_or_else(|| Vec::with_capacity(INITIAL_BYTES));
        bytes.resize(self.room, 0);
        Batch { bytes, spans: 0, pool: Arc::clone(self) }
    }

    fn give(&self, mut bytes: Vec<u8>) {
        if bytes.capacity() > MAX_KEPT_BYTES {
            return;
        }
        bytes.clear();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MAX_KEPT {
            kept.push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(pool: &Pool) -> usize {
        pool.kept.lock().expect("no panic").len()
    }

    #[test]
    fn a_batch_reuses_memory_within_the_pools_bounds() {
        let pool = Pool::new(5);
        let sent: Vec<_> = (0..MAX_KEPT + 2).map(|_| pool.batch()).collect();
        let last = sent[MAX_KEPT - 1].bytes.as_ptr();
        drop(sent);
        assert_eq!(kept(&pool), MAX_KEPT);
        let mut next = pool.batch();
        assert_eq!(next.bytes.as_ptr(), last);
        assert_eq!((&*next.bytes, next.spans), (&[0; 5][..], 0));
        next.bytes.reserve(MAX_KEPT_BYTES + 1);
        drop(next);
        assert_eq!(kept(&pool), MAX_KEPT - 1);
    }
}
