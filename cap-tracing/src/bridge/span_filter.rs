//! Which spans are recorded and open, as far as that can be said without looking them up.

use std::sync::atomic::{AtomicU32, Ordering};

use tracing::span::Id;

/// Of the spans that are open at one time hardly two share a place.
const PLACES: usize = 1024;

/// How many recorded spans are open, by what is left of their ids. To look a span up in the registry costs more than all else that is
/// done for one that is not recorded.
pub(super) struct SpanFilter([AtomicU32; PLACES]);

impl Default for SpanFilter {
    fn default() -> Self {
        SpanFilter([const { AtomicU32::new(0) }; PLACES])
    }
}

impl SpanFilter {
    pub(super) fn add(&self, id: &Id) {
        self.place(id).fetch_add(1, Ordering::Relaxed);
    }

    /// Of one that was added.
    pub(super) fn remove(&self, id: &Id) {
        self.place(id).fetch_sub(1, Ordering::Relaxed);
    }

    /// False only of a span that was not added, or was removed. Who has a span's id had it from who added it, so no order is asked for.
    pub(super) fn may_have(&self, id: &Id) -> bool {
        self.place(id).load(Ordering::Relaxed) > 0
    }

    fn place(&self, id: &Id) -> &AtomicU32 {
        // Multiplied by an odd number near 2^64 divided by the golden ratio, the upper bits depend on all of them (Fibonacci hashing).
        let hash = id.into_u64().wrapping_mul(0x9E37_79B9_7F4A_7C15);
        &self.0[(hash >> 54) as usize]
    }
}
