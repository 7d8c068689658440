//! A filter of span ids, which saves lookups of spans that are not recorded.

use std::sync::atomic::{AtomicU32, Ordering};

use tracing::span::Id;

/// Few of the spans that are open at one time share a slot.
const SLOTS: usize = 1024;

/// How many recorded spans are open, by a hash of their ids. A lookup in the registry costs more
/// than everything else that the bridge does for a span that is not recorded.
pub(super) struct SpanFilter([AtomicU32; SLOTS]);

impl Default for SpanFilter {
    fn default() -> Self {
        Self([const { AtomicU32::new(0) }; SLOTS])
    }
}

impl SpanFilter {
    pub(super) fn add(&self, id: &Id) {
        self.slot(id).fetch_add(1, Ordering::Relaxed);
    }

    /// Removes an id that was added.
    pub(super) fn remove(&self, id: &Id) {
        self.slot(id).fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether the id may have been added. False is certain. Relaxed suffices, because a thread
    /// learns an id from the thread that added it.
    pub(super) fn may_have(&self, id: &Id) -> bool {
        self.slot(id).load(Ordering::Relaxed) > 0
    }

    fn slot(&self, id: &Id) -> &AtomicU32 {
        // Fibonacci hashing: after multiplication by an odd number near 2^64 divided by the golden
        // ratio, the upper bits depend on all bits.
        let hash = id.into_u64().wrapping_mul(0x9E37_79B9_7F4A_7C15);
        &self.0[(hash >> 54) as usize]
    }
}
