//! A family that is replaced as a whole. A series that is not in the snapshot is not exposed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::intern::Interner;
use super::label::Words;
use super::{Exposed, Reader, Reading};
use crate::catalogue::{Metric, Values};
use crate::exposition::{Format, labels_text, push_f64};

/// Values by labels, at one time. `None` if there are none.
type Rows = Option<Arc<BTreeMap<String, f64>>>;

/// A snapshot of gauges, or of counters that something else counts. Absent until it is first set.
#[derive(Debug)]
pub(crate) struct Inventory {
    metric: &'static Metric,
    limit: usize,
    rows: Mutex<Rows>,
    overflowed: AtomicU64,
}

impl Inventory {
    pub(crate) fn new(metric: &'static Metric, _: &Arc<Words>, _: usize) -> Self {
        let limits = metric.labels.iter().map(|label| label.values.limit());
        Self {
            metric,
            limit: limits.product(),
            rows: Mutex::default(),
            overflowed: AtomicU64::new(0),
        }
    }

    /// Replaces every series of a count. Rows with the same labels add up.
    pub(crate) fn replace<W: AsRef<str>, const N: usize>(
        &self,
        rows: impl IntoIterator<Item = ([W; N], f64)>,
    ) {
        self.replace_merging(rows, |a, b| a + b);
    }

    /// Replaces every series of a value that does not add up: a version, a share, a yes or no. Of
    /// rows with the same labels, the highest counts.
    pub(crate) fn replace_highest<W: AsRef<str>, const N: usize>(
        &self,
        rows: impl IntoIterator<Item = ([W; N], f64)>,
    ) {
        self.replace_merging(rows, f64::max);
    }

    /// Merges rows past the limit into an overflow series. Closed labels keep their values there,
    /// so that a rule that selects by them still sees it.
    fn replace_merging<W: AsRef<str>, const N: usize>(
        &self,
        rows: impl IntoIterator<Item = ([W; N], f64)>,
        merge: fn(f64, f64) -> f64,
    ) {
        debug_assert_eq!(N, self.metric.labels.len(), "{}", self.metric.name);
        let mut next = BTreeMap::new();
        for (words, value) in rows {
            let mut labels = labels_text(self.metric.labels, &words);
            if next.len() >= self.limit && !next.contains_key(&labels) {
                self.overflowed.fetch_add(1, Ordering::Relaxed);
                let mut open = self
                    .metric
                    .labels
                    .iter()
                    .map(|label| matches!(label.values, Values::Open { .. }));
                let words = words.each_ref().map(|word| match open.next() {
                    Some(true) => Interner::OVERFLOW_WORD,
                    _ => word.as_ref(),
                });
                labels = labels_text(self.metric.labels, &words);
            }
            next.entry(labels)
                .and_modify(|merged| *merged = merge(*merged, value))
                .or_insert(value);
        }
        let next = (!next.is_empty()).then(|| Arc::new(next));
        // The lock is released before the old rows are freed.
        let _before = std::mem::replace(&mut *self.lock(), next);
    }

    fn lock(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Exposed for Inventory {
    fn metric(&self) -> &'static Metric {
        self.metric
    }

    fn read(&self) -> Reading {
        let metric = self.metric;
        match self.lock().clone() {
            None => Reading::Absent,
            rows => Reading::Series(Box::new(Series { metric, rows })),
        }
    }

    fn overflowed(&self) -> u64 {
        self.overflowed.load(Ordering::Relaxed)
    }
}

struct Series {
    metric: &'static Metric,
    rows: Rows,
}

impl Reader for Series {
    fn write_page(&mut self, _: Format, out: &mut Vec<u8>) -> bool {
        let Some(rows) = self.rows.take() else {
            return false;
        };
        for (labels, value) in rows.iter() {
            out.push(b'\n');
            out.extend_from_slice(self.metric.name.as_bytes());
            out.push(b'{');
            out.extend_from_slice(labels.as_bytes());
            out.extend_from_slice(b"} ");
            push_f64(out, *value);
        }
        true
    }
}
