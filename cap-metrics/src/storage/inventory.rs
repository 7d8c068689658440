//! A family that is replaced as a whole: what is no longer in the snapshot is no longer exposed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Exposed, Interner};
use crate::catalogue::{Metric, Values};
use crate::expose::{Sample, labels_text};
use crate::labels::Words;

type Rows = BTreeMap<String, f64>;

/// A snapshot of gauges (or of counters that something else counts). Absent until it is first set.
#[derive(Debug)]
pub(crate) struct Inventory {
    metric: &'static Metric,
    limit: usize,
    rows: Mutex<Arc<Rows>>,
    folded: AtomicU64,
}

impl Inventory {
    pub(crate) fn new(metric: &'static Metric, _: &Arc<Words>) -> Self {
        let limit = metric
            .labels
            .iter()
            .map(|label| match label.values {
                Values::Closed(words) => words.len(),
                Values::Open { limit } => limit,
                Values::HttpStatus => 502,
            })
            .product();
        Inventory {
            metric,
            limit,
            rows: Mutex::default(),
            folded: AtomicU64::new(0),
        }
    }

    /// Replaces every series of a count. Rows with the same labels add up.
    pub(crate) fn replace<W: AsRef<str>, const N: usize>(
        &self,
        rows: impl IntoIterator<Item = ([W; N], f64)>,
    ) {
        self.replace_merging(rows, |a, b| a + b);
    }

    /// Replaces every series of something that does not add up: a version, a share, a yes or no. Of rows with the same labels
    /// the highest counts.
    pub(crate) fn replace_highest<W: AsRef<str>, const N: usize>(
        &self,
        rows: impl IntoIterator<Item = ([W; N], f64)>,
    ) {
        self.replace_merging(rows, f64::max);
    }

    /// Rows past the limit come together in an overflow series, in which closed labels keep their values: a rule that selects
    /// by them still sees it.
    fn replace_merging<W: AsRef<str>, const N: usize>(
        &self,
        rows: impl IntoIterator<Item = ([W; N], f64)>,
        merge: fn(f64, f64) -> f64,
    ) {
        debug_assert!(
            N == self.metric.labels.len() || N == 0,
            "{}",
            self.metric.name
        );
        let mut next = Rows::new();
        for (words, value) in rows {
            let mut labels = labels_text(self.metric.labels, &words);
            if next.len() >= self.limit && !next.contains_key(&labels) {
                self.folded.fetch_add(1, Ordering::Relaxed);
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
        *self.rows.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
    }

    /// Sets the one series of a family without labels.
    pub(crate) fn set(&self, value: f64) {
        self.replace([([""; 0], value)]);
    }

    /// Makes the family absent: its value is not known.
    pub(crate) fn clear(&self) {
        self.replace::<&str, 0>([]);
    }
}

impl Exposed for Inventory {
    fn metric(&self) -> &'static Metric {
        self.metric
    }

    fn write(&self, out: &mut String) {
        let rows = Arc::clone(&self.rows.lock().unwrap_or_else(PoisonError::into_inner));
        for (labels, value) in rows.iter() {
            Sample::of(self.metric.name, labels).write_f64(out, *value);
        }
    }

    fn folded(&self) -> u64 {
        self.folded.load(Ordering::Relaxed)
    }
}
