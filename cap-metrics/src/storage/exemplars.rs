//! The last exemplar of each bucket.

use std::sync::{Mutex, OnceLock};

use super::segmented::Segmented;
use crate::exemplar::Exemplar;

/// Exemplars by series, then by bucket. A series takes memory from its first exemplar on.
#[derive(Debug)]
pub(crate) struct Exemplars(Segmented<OnceLock<Buckets>>);

type Buckets = Box<[Mutex<Option<Exemplar>>]>;

impl Exemplars {
    pub(crate) fn new() -> Self {
        Self(Segmented::new())
    }

    /// Keeps an exemplar, unless another thread holds the lock of this bucket: a recorder does not
    /// wait.
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
