//! Which set of cells a thread counts in.
//!
//! A slot is leased to one thread at a time, which is then the only writer of its cells: it counts with a plain load and a
//! plain store, and no cache line goes back and forth. Threads that find no slot free share one, in which they count atomically.

use std::cell::Cell;
use std::sync::PoisonError;

use crate::sync::Mutex;

/// Slots, the shared one included. Memory for one is taken when a thread first counts in it.
pub(crate) const SLOTS: usize = 64;

/// The right to count in one set of cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(u8);

impl Slot {
    /// The slot of all threads that have none of their own.
    pub(crate) const SHARED: Slot = Slot(SLOTS as u8 - 1);

    #[inline]
    pub(crate) fn index(self) -> usize {
        usize::from(self.0) % SLOTS
    }

    /// Whether nobody else writes there.
    #[inline]
    pub(crate) fn is_owned(self) -> bool {
        self != Self::SHARED
    }

    #[cfg(all(test, cap_loom))]
    pub(crate) fn current_for_test(index: u8) -> Slot {
        Slot(index)
    }

    /// The slot of the calling thread, leased at its first call until the thread ends.
    #[inline]
    pub(crate) fn current() -> Slot {
        match MINE.get() {
            Some(slot) => slot,
            None => lease(),
        }
    }
}

thread_local! {
    static MINE: Cell<Option<Slot>> = const { Cell::new(None) };
    static LEASE: Lease = Lease::new();
}

#[cold]
fn lease() -> Slot {
    // While a thread is being torn down it no longer has a lease.
    let slot = LEASE.try_with(|lease| lease.0).unwrap_or(Slot::SHARED);
    MINE.set(Some(slot));
    slot
}

#[cfg(not(cap_loom))]
static POOL: Pool = Pool::new();
#[cfg(cap_loom)]
loom::lazy_static! {
    static ref POOL: Pool = Pool::new();
}

/// Gives the slot back when its thread ends.
struct Lease(Slot);

impl Lease {
    fn new() -> Self {
        Lease(POOL.take())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // What the rest of the teardown counts, it counts in the shared slot.
        MINE.set(Some(Slot::SHARED));
        POOL.give_back(self.0);
    }
}

/// The slots that are leased, as bits. Its lock orders what the last owner of a slot wrote before what the next one reads.
pub(crate) struct Pool(Mutex<u64>);

impl Pool {
    #[cfg(not(cap_loom))]
    const fn new() -> Self {
        Pool(Mutex::new(0))
    }

    #[cfg(cap_loom)]
    pub(crate) fn new() -> Self {
        Pool(Mutex::new(0))
    }

    pub(crate) fn take(&self) -> Slot {
        let mut leased = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let free = leased.trailing_ones() as u8;
        if free >= Slot::SHARED.0 {
            return Slot::SHARED;
        }
        *leased |= 1 << free;
        Slot(free)
    }

    pub(crate) fn give_back(&self, slot: Slot) {
        if slot.is_owned() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) &= !(1 << slot.0);
        }
    }
}

#[cfg(all(test, not(cap_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_slot_has_one_owner_at_a_time_and_the_rest_share_one() {
        let pool = Pool::new();
        let taken: Vec<_> = (0..SLOTS + 3).map(|_| pool.take()).collect();
        let owned = taken.iter().filter(|slot| slot.is_owned());
        let indices: std::collections::BTreeSet<_> = owned.map(|slot| slot.index()).collect();
        assert_eq!(indices.len(), SLOTS - 1);
        assert!(taken[SLOTS - 1..].iter().all(|slot| !slot.is_owned()));

        pool.give_back(taken[5]);
        pool.give_back(Slot::SHARED);
        assert_eq!(pool.take(), taken[5]);
        assert!(!pool.take().is_owned());
    }

    #[test]
    fn the_slot_of_a_thread_that_ended_is_leased_again() {
        let ends: Vec<_> = (0..4 * SLOTS)
            .map(|_| std::thread::spawn(Slot::current).join().expect("it ends"))
            .collect();
        assert!(ends.iter().filter(|slot| slot.is_owned()).count() > SLOTS);
    }
}
