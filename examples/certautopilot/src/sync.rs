//! Locks.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a mutex. No lock of this service is held where a panic could leave half a change, so a
/// poisoned one is taken as it is.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
