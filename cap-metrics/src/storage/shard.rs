//! Shards: which set of cells a thread counts in.
//!
//! A shard is leased to one thread at a time, which is then the only writer of its cells. It counts
//! with a plain load and a plain store, and shares no cache line. Threads that find no shard free
//! share one, in which they count atomically.

use std::cell::Cell;
use std::sync::PoisonError;

use crate::sync::Mutex;

/// The shards, the shared one included. A shard takes memory when a thread first counts in it.
pub(crate) const SHARDS: usize = 64;

/// The right to count in one set of cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard(u8);

impl Shard {
    /// The shard of all threads without a lease.
    pub(crate) const SHARED: Shard = Self(SHARDS as u8 - 1);

    #[inline]
    pub(crate) fn index(self) -> usize {
        usize::from(self.0) % SHARDS
    }

    /// Whether the calling thread is the only writer.
    #[inline]
    pub(crate) fn is_owned(self) -> bool {
        self != Self::SHARED
    }

    #[cfg(all(test, cap_loom))]
    pub(crate) fn current_for_test(index: u8) -> Self {
        Self(index)
    }

    /// The shard of the calling thread, which is leased at the first call and until the thread
    /// ends.
    #[inline]
    pub(crate) fn current() -> Self {
        match MINE.get() {
            Some(shard) => shard,
            None => lease(),
        }
    }
}

thread_local! {
    static MINE: Cell<Option<Shard>> = const { Cell::new(None) };
    static LEASE: Lease = Lease::new();
}

#[cold]
fn lease() -> Shard {
    // While the thread-locals of a thread are destroyed, it has no lease.
    let shard = LEASE.try_with(|lease| lease.0).unwrap_or(Shard::SHARED);
    MINE.set(Some(shard));
    shard
}

#[cfg(not(cap_loom))]
static POOL: Pool = Pool::new();
#[cfg(cap_loom)]
loom::lazy_static! {
    static ref POOL: Pool = Pool::new();
}

/// Gives the shard back when its thread ends.
struct Lease(Shard);

impl Lease {
    fn new() -> Self {
        Self(POOL.take())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Destructors that run after this one count in the shared shard.
        MINE.set(Some(Shard::SHARED));
        POOL.give_back(self.0);
    }
}

/// The leased shards, as bits. The lock orders the last write of an owner before the first read of
/// the next one.
pub(crate) struct Pool(Mutex<u64>);

impl Pool {
    #[cfg(not(cap_loom))]
    const fn new() -> Self {
        Self(Mutex::new(0))
    }

    #[cfg(cap_loom)]
    pub(crate) fn new() -> Self {
        Self(Mutex::new(0))
    }

    pub(crate) fn take(&self) -> Shard {
        let mut leased = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let free = leased.trailing_ones() as u8;
        if free >= Shard::SHARED.0 {
            return Shard::SHARED;
        }
        *leased |= 1 << free;
        Shard(free)
    }

    pub(crate) fn give_back(&self, shard: Shard) {
        if shard.is_owned() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) &= !(1 << shard.0);
        }
    }
}

#[cfg(all(test, not(cap_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_slot_has_one_owner_at_a_time_and_the_rest_share_one() {
        let pool = Pool::new();
        let taken: Vec<_> = (0..SHARDS + 3).map(|_| pool.take()).collect();
        let owned = taken.iter().filter(|shard| shard.is_owned());
        let indices: std::collections::BTreeSet<_> = owned.map(|shard| shard.index()).collect();
        assert_eq!(indices.len(), SHARDS - 1);
        assert!(taken[SHARDS - 1..].iter().all(|shard| !shard.is_owned()));

        pool.give_back(taken[5]);
        pool.give_back(Shard::SHARED);
        assert_eq!(pool.take(), taken[5]);
        assert!(!pool.take().is_owned());
    }

    #[test]
    fn the_slot_of_a_thread_that_ended_is_leased_again() {
        let ends: Vec<_> = (0..4 * SHARDS)
            .map(|_| std::thread::spawn(Shard::current).join().expect("it ends"))
            .collect();
        assert!(ends.iter().filter(|shard| shard.is_owned()).count() > SHARDS);
    }
}
