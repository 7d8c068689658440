//! Histograms without locks: an atomic count a bucket, and a sum.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Exposed, LabelSet, Table};
use crate::catalogue::Metric;
use crate::expose::{Sample, number};
use crate::labels::Words;

/// One histogram. The count is the sum of the buckets, so that `+Inf` and `_count` always agree.
#[derive(Debug)]
pub(crate) struct Histogram {
    bounds: &'static [f64],
    /// Not cumulative; the last is everything above the highest bound.
    buckets: Box<[AtomicU64]>,
    sum_bits: AtomicU64,
}

impl Histogram {
    fn new(metric: &'static Metric) -> Self {
        Histogram {
            bounds: metric.buckets,
            buckets: (0..=metric.buckets.len())
                .map(|_| AtomicU64::new(0))
                .collect(),
            sum_bits: AtomicU64::new(0f64.to_bits()),
        }
    }

    fn observe(&self, value: f64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        let mut seen = self.sum_bits.load(Ordering::Relaxed);
        while let Err(now) = self.sum_bits.compare_exchange_weak(
            seen,
            (f64::from_bits(seen) + value).to_bits(),
            Ordering::Relaxed,
            Ordering::Relaxed,
        ) {
            seen = now;
        }
    }
}

/// A family of histograms.
#[derive(Debug)]
pub(crate) struct Histograms<K>(Table<K, Histogram>);

impl<K: LabelSet> Histograms<K> {
    pub(crate) fn new(metric: &'static Metric, words: &Arc<Words>) -> Self {
        Histograms(Table::new(metric, words, Histogram::new))
    }

    pub(crate) fn observe(&self, key: K, value: std::time::Duration) {
        self.0.cell(key).observe(value.as_secs_f64());
    }

    pub(crate) fn touch(&self, key: K) {
        self.0.cell(key);
    }
}

impl<K: LabelSet> Exposed for Histograms<K> {
    fn metric(&self) -> &'static Metric {
        self.0.metric
    }

    fn write(&self, out: &mut String) {
        let metric = self.0.metric;
        let les: Vec<String> = metric
            .buckets
            .iter()
            .map(|bound| number(*bound))
            .chain(["+Inf".to_owned()])
            .collect();
        for series in self.0.series().values() {
            let sample = Sample::of(metric.name, &series.labels);
            let mut cumulative = 0;
            for (bucket, le) in series.cell.buckets.iter().zip(&les) {
                cumulative += bucket.load(Ordering::Relaxed);
                sample.suffix("_bucket").le(le).write_u64(out, cumulative);
            }
            let sum = f64::from_bits(series.cell.sum_bits.load(Ordering::Relaxed));
            sample.suffix("_sum").write_f64(out, sum);
            sample.suffix("_count").write_u64(out, cumulative);
        }
    }

    fn folded(&self) -> u64 {
        self.0.folded()
    }
}
