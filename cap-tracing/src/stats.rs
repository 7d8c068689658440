//! The accounting of the trace pipe.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

/// Totals since the start. `started = exported + rejected + dropped + failed + pending`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Sampled spans that were started.
    pub started: u64,
    /// Spans that the collector accepted.
    pub exported: u64,
    /// Spans that the collector refused, in a partial success.
    pub rejected: u64,
    /// Spans that found the queue full.
    pub dropped: u64,
    /// Spans of batches that were given up.
    pub failed: u64,
    /// Spans open, queued or being exported.
    pub pending: u64,
    /// Why the last batch was given up or is being tried again; `None` while exports succeed.
    pub last_error: Option<String>,
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stats {
            started,
            exported,
            rejected,
            dropped,
            failed,
            pending,
            last_error,
        } = self;
        write!(
            f,
            "{started} spans: {exported} exported, {rejected} rejected, {dropped} dropped, {failed} failed, {pending} pending"
        )?;
        match last_error {
            Some(error) => write!(f, " ({error})"),
            None => Ok(()),
        }
    }
}

/// Counts as spans go by.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) started: AtomicU64,
    pub(crate) exported: AtomicU64,
    pub(crate) rejected: AtomicU64,
    pub(crate) dropped: AtomicU64,
    pub(crate) failed: AtomicU64,
    last_error: Mutex<Option<String>>,
}

impl Counts {
    pub(crate) fn set_error(&self, error: Option<String>) {
        *self
            .last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = error;
    }

    pub(crate) fn stats(&self) -> Stats {
        // `started` is read last: a span that starts and ends in between makes `pending` too large, never negative.
        let exported = self.exported.load(Ordering::Acquire);
        let rejected = self.rejected.load(Ordering::Acquire);
        let dropped = self.dropped.load(Ordering::Acquire);
        let failed = self.failed.load(Ordering::Acquire);
        let started = self.started.load(Ordering::Acquire);
        Stats {
            started,
            exported,
            rejected,
            dropped,
            failed,
            pending: started - (exported + rejected + dropped + failed),
            last_error: self
                .last_error
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        }
    }
}
