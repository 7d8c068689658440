//! The last trace that fell into each bucket.

use std::sync::{Mutex, OnceLock};
use std::time::SystemTime;

use super::segmented::Segmented;

/// The trace and span in which something was observed, as W3C Trace Context writes them: lower-case hexadecimal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExemplarIds {
    /// 16 bytes, not all zero.
    pub trace_id: [u8; 16],
    /// 8 bytes, not all zero.
    pub span_id: [u8; 8],
}

/// An observation with its trace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exemplar {
    pub(crate) ids: ExemplarIds,
    pub(crate) value: f64,
    pub(crate) at: SystemTime,
}

/// By series, then by bucket. A series has none until its first.
#[derive(Debug)]
pub(crate) struct Exemplars(Segmented<OnceLock<Buckets>>);

type Buckets = Box<[Mutex<Option<Exemplar>>]>;

impl Exemplars {
    pub(crate) fn new() -> Self {
        Exemplars(Segmented::new())
    }

    /// Keeps an exemplar, unless somebody is at this bucket's right now: a recorder does not wait.
    pub(crate) fn put(&self, series: usize, bucket: usize, buckets: usize, exemplar: Exemplar) {
        let new = || (0..buckets).map(|_| Mutex::default()).collect();
        let kept = self.0.get(series).get_or_init(new);
        if let Ok(mut kept) = kept[bucket].try_lock() {
            *kept = Some(exemplar);
        }
    }

    pub(crate) fn get(&self, series: usize, bucket: usize) -> Option<Exemplar> {
        *self.0.existing(series)?.get()?[bucket].lock().ok()?
    }
}
