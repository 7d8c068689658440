//! The accounting of the trace pipeline.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use cap_names::ErrorClass;
use serde::Serialize;

/// Totals since the start.
///
/// `started = exported + rejected + dropped + failed + pending`, and `failed` is the sum of
/// `failed_by`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Sampled spans that started.
    pub started: u64,
    /// Spans that the collector accepted.
    pub exported: u64,
    /// Spans that the collector rejected in a partial success.
    pub rejected: u64,
    /// Spans that ended while the queue was full or closed.
    pub dropped: u64,
    /// Spans of batches that were given up.
    pub failed: u64,
    /// The failed spans, by cause.
    pub failed_by: Failures,
    /// Spans open, queued or being exported.
    pub pending: u64,
    /// Why the last batch was given up or is being retried; `None` while exports succeed.
    pub last_error: Option<String>,
}

/// Spans that were given up, by the [`ErrorClass`] of the last attempt to send them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Failures {
    /// No complete answer came: nobody listened, the connection broke, TLS failed, or the time was
    /// up.
    pub network: u64,
    /// The collector refused the credentials.
    pub auth: u64,
    /// The last answer was 429 or 5xx, or the gRPC status that means the same.
    pub io_transient: u64,
    /// The collector answered with any other error.
    pub io_permanent: u64,
    /// The egress policy refused the address, so nothing was sent.
    pub validation: u64,
    /// The deadline of a shutdown passed before the span was sent.
    pub unsent: u64,
}

impl Failures {
    fn named(&self) -> [(&'static str, u64); 6] {
        [
            ("network", self.network),
            ("auth", self.auth),
            ("io_transient", self.io_transient),
            ("io_permanent", self.io_permanent),
            ("validation", self.validation),
            ("unsent", self.unsent),
        ]
    }

    /// The sum over all causes.
    pub fn total(&self) -> u64 {
        self.named().into_iter().map(|(_, count)| count).sum()
    }
}

/// The causes that occurred: `3 network, 2 unsent`.
impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = self.named().into_iter().filter(|(_, count)| *count > 0);
        for (n, (class, count)) in counted.enumerate() {
            write!(f, "{}{count} {class}", if n > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { started, exported, rejected, dropped, failed, failed_by, pending, last_error } =
            self;
        write!(
            f,
            "{started} spans: {exported} exported, {rejected} rejected, {dropped} dropped, {failed} failed"
        )?;
        if *failed > 0 {
            write!(f, " [{failed_by}]")?;
        }
        write!(f, ", {pending} pending")?;
        match last_error {
            Some(error) => write!(f, " ({error})"),
            None => Ok(()),
        }
    }
}

/// The counters behind [`Stats`].
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) started: AtomicU64,
    pub(crate) exported: AtomicU64,
    pub(crate) rejected: AtomicU64,
    pub(crate) dropped: AtomicU64,
    failed: [AtomicU64; 6],
    last_error: Mutex<Option<String>>,
}

impl Counts {
    /// Counts spans that were given up. `None` means that they were never sent.
    pub(crate) fn fail(&self, class: Option<ErrorClass>, spans: u64) {
        let slot = match class {
            Some(ErrorClass::Network) => 0,
            Some(ErrorClass::Auth) => 1,
            Some(ErrorClass::IoTransient) => 2,
            Some(ErrorClass::IoPermanent) => 3,
            Some(ErrorClass::Validation) => 4,
            None => 5,
        };
        self.failed[slot].fetch_add(spans, Ordering::AcqRel);
    }

    pub(crate) fn set_error(&self, error: Option<String>) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }

    pub(crate) fn stats(&self) -> Stats {
        // `started` is loaded last: a span that starts and ends in between makes `pending` too
        // large, never negative.
        let exported = self.exported.load(Ordering::Acquire);
        let rejected = self.rejected.load(Ordering::Acquire);
        let dropped = self.dropped.load(Ordering::Acquire);
        let [network, auth, io_transient, io_permanent, validation, unsent] =
            [0, 1, 2, 3, 4, 5].map(|slot: usize| self.failed[slot].load(Ordering::Acquire));
        let failed_by = Failures { network, auth, io_transient, io_permanent, validation, unsent };
        let failed = failed_by.total();
        let started = self.started.load(Ordering::Acquire);
        Stats {
            started,
            exported,
            rejected,
            dropped,
            failed,
            failed_by,
            pending: started - (exported + rejected + dropped + failed),
            last_error: self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}
