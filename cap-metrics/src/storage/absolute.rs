//! A single value that is set: an amount, or a total that something else counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::label::Words;
use super::{Exposed, Reading};
use crate::catalogue::Metric;

/// A family without labels, absent until it is first set.
#[derive(Debug)]
pub(crate) struct Absolute {
    metric: &'static Metric,
    /// The bits of the value, or `ABSENT`.
    bits: AtomicU64,
}

/// The bits of a NaN that `set` never stores.
const ABSENT: u64 = u64::MAX;

impl Absolute {
    pub(crate) fn new(metric: &'static Metric, _: &Arc<Words>, _: usize) -> Self {
        Self { metric, bits: AtomicU64::new(ABSENT) }
    }

    pub(crate) fn set(&self, value: f64) {
        let value = if value.is_nan() { f64::NAN } else { value };
        self.bits.store(value.to_bits(), Relaxed);
    }

    /// Makes the family absent, because its value is not known.
    pub(crate) fn clear(&self) {
        self.bits.store(ABSENT, Relaxed);
    }
}

impl Exposed for Absolute {
    fn metric(&self) -> &'static Metric {
        self.metric
    }

    fn read(&self) -> Reading {
        match self.bits.load(Relaxed) {
            ABSENT => Reading::Absent,
            bits => Reading::One(f64::from_bits(bits)),
        }
    }

    fn overflowed(&self) -> u64 {
        0
    }
}

#[cfg(all(test, not(cap_loom)))]
mod tests {
    use super::*;

    #[test]
    fn any_value_is_shown_also_the_nan_that_means_absent() {
        let metric = crate::catalogue::metric("cap_license_valid").expect("in the catalogue");
        let level = Absolute::new(metric, &Arc::new(Words::new()), 0);
        let shown = || match level.read() {
            Reading::One(value) => Some(value),
            _ => None,
        };
        assert_eq!(shown(), None);
        level.set(0.0);
        assert_eq!(shown(), Some(0.0));
        level.set(f64::from_bits(ABSENT));
        assert!(shown().is_some_and(f64::is_nan));
        level.clear();
        assert_eq!(shown(), None);
    }
}
