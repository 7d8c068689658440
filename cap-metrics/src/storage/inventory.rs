//! A family that is replaced as a whole: what is no longer in the snapshot is no longer exposed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Exposed, Interner, Reader, Value};
use crate::catalogue::{Kind, Metric, Values};
use crate::expose::{Format, labels_text, push_f64};
use crate::labels::Words;

/// Values by labels, at one time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows(Arc<BTreeMap<String, f64>>);

impl<const N: usize> From<[(String, f64); N]> for Rows {
    fn from(rows: [(String, f64); N]) -> Self {
        Rows(Arc::new(BTreeMap::from(rows)))
    }
}

impl Rows {
    pub(crate) fn read(self, metric: &'static Metric) -> Box<dyn Reader> {
        Box::new(Reading {
            metric,
            rows: Some(self),
        })
    }
}

/// A snapshot of gauges (or of counters that something else counts). Absent until it is first set.
#[derive(Debug)]
pub(crate) struct Inventory {
    metric: &'static Metric,
    limit: usize,
    rows: Mutex<Rows>,
    folded: AtomicU64,
}

impl Inventory {
    pub(crate) fn new(metric: &'static Metric, _: &Arc<Words>, _: usize) -> Self {
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
        let mut next = BTreeMap::new();
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
        *self.rows.lock().unwrap_or_else(PoisonError::into_inner) = Rows(Arc::new(next));
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

    fn read(&self) -> Box<dyn Reader> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.clone().read(self.metric)
    }

    fn folded(&self) -> u64 {
        self.folded.load(Ordering::Relaxed)
    }
}

struct Reading {
    metric: &'static Metric,
    rows: Option<Rows>,
}

impl Reader for Reading {
    fn write_page(&mut self, _: Format, out: &mut Vec<u8>) -> bool {
        let Some(rows) = self.rows.take() else {
            return false;
        };
        for (labels, value) in rows.0.iter() {
            out.extend_from_slice(self.metric.name.as_bytes());
            if !labels.is_empty() {
                out.push(b'{');
                out.extend_from_slice(labels.as_bytes());
                out.push(b'}');
            }
            out.push(b' ');
            push_f64(out, *value);
            out.push(b'\n');
        }
        true
    }

    fn is_empty(&self) -> bool {
        self.rows.as_ref().is_none_or(|rows| rows.0.is_empty())
    }

    fn visit(
        &self,
        visit: &mut dyn FnMut(&str, Value<'_>) -> std::fmt::Result,
    ) -> std::fmt::Result {
        for (labels, value) in self.rows.iter().flat_map(|rows| rows.0.iter()) {
            let value = match self.metric.kind {
                Kind::Counter => Value::Counter(*value),
                _ => Value::Gauge(*value),
            };
            visit(labels, value)?;
        }
        Ok(())
    }
}
