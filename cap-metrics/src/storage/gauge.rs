//! A gauge that goes up and down with what is happening now.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::Exposed;
use crate::catalogue::Metric;
use crate::expose::Sample;
use crate::labels::Words;

/// A gauge without labels.
#[derive(Debug)]
pub(crate) struct Gauge {
    metric: &'static Metric,
    value: AtomicI64,
}

impl Gauge {
    pub(crate) fn new(metric: &'static Metric, _: &Arc<Words>) -> Self {
        Gauge {
            metric,
            value: AtomicI64::new(0),
        }
    }

    pub(crate) fn inc(&self) {
        self.value.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn dec(&self) {
        self.value.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Exposed for Gauge {
    fn metric(&self) -> &'static Metric {
        self.metric
    }

    fn write(&self, out: &mut String) {
        // A count of what is under way is far below 2^53, where f64 stops being exact.
        let value = self.value.load(Ordering::Relaxed) as f64;
        Sample::of(self.metric.name, "").write_f64(out, value);
    }

    fn folded(&self) -> u64 {
        0
    }
}
