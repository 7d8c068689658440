//! Families of histograms: a count for every bucket, and a sum. Nothing is locked, and nothing is cumulative until a scrape.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::cells::Cells;
use super::exemplar::{Exemplar, Exemplars, TraceIds};
use super::pages::{Frame, Pages, Snapshot};
use super::slot::Slot;
use super::{Exposed, LabelSet, Reader, Table, Value};
use crate::catalogue::Metric;
use crate::expose::{Format, bound, push_exemplar, push_f64, push_u64};
use crate::labels::Words;

/// A family of histograms.
#[derive(Debug)]
pub(crate) struct Histograms<K> {
    table: Table<K>,
    /// For every series a count for each bound and one for what is above; the sum of them is `_count`, which so always agrees.
    counts: Cells,
    sums: Cells,
    exemplars: Arc<Exemplars>,
    pages: Arc<Pages>,
    lines: Arc<Lines>,
}

/// What stands around the labels in the lines of a series. It never changes.
#[derive(Debug)]
struct Lines {
    /// Before those of a bucket.
    bucket: Vec<u8>,
    /// After them.
    les: Vec<Vec<u8>>,
}

impl Lines {
    fn of(metric: &Metric) -> Self {
        let bounds = metric.buckets.iter().copied().chain([f64::INFINITY]);
        let comma = if metric.labels.is_empty() { "" } else { "," };
        Lines {
            bucket: format!("{}_bucket{{", metric.name).into_bytes(),
            les: bounds
                .map(|le| format!("{comma}le=\"{}\"}} ", bound(le)).into_bytes())
                .collect(),
        }
    }
}

impl<K: LabelSet> Histograms<K> {
    pub(crate) fn new(metric: &'static Metric, words: &Arc<Words>, limit: usize) -> Self {
        let frame = Frame {
            before: String::new(),
            after: "",
        };
        Histograms {
            table: Table::new(metric, words, limit),
            counts: Cells::new(),
            sums: Cells::new(),
            exemplars: Arc::new(Exemplars::new()),
            pages: Arc::new(Pages::new(frame)),
            lines: Arc::new(Lines::of(metric)),
        }
    }

    #[inline]
    pub(crate) fn observe(&self, key: K, took: Duration, trace: Option<TraceIds>) {
        let value = took.as_secs_f64();
        let bounds = self.table.metric.buckets;
        let series = self.table.series(key);
        // Few bounds: counting those below has no branch to mispredict.
        let bucket = bounds
            .iter()
            .map(|bound| usize::from(*bound < value))
            .sum::<usize>();
        let slot = Slot::current();
        self.counts
            .add(slot, series * (bounds.len() + 1) + bucket, 1);
        self.sums.add_f64(slot, series, value);
        if let Some(ids) = trace {
            let at = SystemTime::now();
            let exemplar = Exemplar { ids, value, at };
            self.exemplars
                .put(series, bucket, bounds.len() + 1, exemplar);
        }
    }

    pub(crate) fn touch(&self, key: K) {
        self.table.series(key);
    }
}

impl<K: LabelSet> Exposed for Histograms<K> {
    fn metric(&self) -> &'static Metric {
        self.table.metric
    }

    fn read(&self) -> Box<dyn Reader> {
        let mut count = 0;
        let pages = self.pages.snapshot(|| {
            let (born, series) = self.table.take_unseen();
            count = series;
            born
        });
        let metric = self.table.metric;
        Box::new(Reading {
            metric,
            counts: self.counts.sums(count * (metric.buckets.len() + 1)),
            sums: self.sums.sums_f64(count),
            exemplars: Arc::clone(&self.exemplars),
            frame: Arc::clone(&self.pages),
            pages,
            next: 0,
            lines: Arc::clone(&self.lines),
        })
    }

    fn folded(&self) -> u64 {
        let overflow = self.table.overflow();
        let stride = self.table.metric.buckets.len() + 1;
        let Some(last) = overflow.iter().max() else {
            return 0;
        };
        let counts = self.counts.sums((*last as usize + 1) * stride);
        let series = overflow.iter().map(|series| *series as usize * stride);
        series
            .map(|at| counts[at..at + stride].iter().sum::<u64>())
            .sum()
    }
}

struct Reading {
    metric: &'static Metric,
    pages: Snapshot,
    frame: Arc<Pages>,
    counts: Vec<u64>,
    sums: Vec<f64>,
    exemplars: Arc<Exemplars>,
    next: usize,
    lines: Arc<Lines>,
}

impl Reader for Reading {
    fn write_page(&mut self, format: Format, out: &mut Vec<u8>) -> bool {
        let Some(page) = self.pages.get(self.next) else {
            return false;
        };
        self.next += 1;
        let line = self.lines.bucket.len() + 2 + 16 + 21;
        let lines = self.lines.les.len() + 2;
        out.reserve(lines * (page.text_len() + page.len() * line));
        for (labels, series) in page.lines() {
            let mut cumulative = 0;
            let counts = &self.counts[series * self.lines.les.len()..];
            for (bucket, (le, count)) in self.lines.les.iter().zip(counts).enumerate() {
                cumulative += count;
                out.extend_from_slice(&self.lines.bucket);
                out.extend_from_slice(labels);
                out.extend_from_slice(le);
                push_u64(out, cumulative);
                if format == Format::OpenMetrics
                    && let Some(exemplar) = self.exemplars.get(series, bucket)
                {
                    push_exemplar(out, &exemplar);
                }
                out.push(b'\n');
            }
            self.start(out, "_sum", labels);
            push_f64(out, self.sums[series]);
            out.push(b'\n');
            self.start(out, "_count", labels);
            push_u64(out, cumulative);
            out.push(b'\n');
        }
        true
    }

    fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    fn visit(
        &self,
        visit: &mut dyn FnMut(&str, Value<'_>) -> std::fmt::Result,
    ) -> std::fmt::Result {
        let bounds = self.metric.buckets.iter().copied().chain([f64::INFINITY]);
        for page in self.pages.iter() {
            for (at, (_, series)) in page.lines().enumerate() {
                let labels = page.labels(at, self.frame.frame()).unwrap_or_default();
                let counts = &self.counts[series * self.lines.les.len()..];
                let buckets: Vec<_> = bounds.clone().zip(counts.iter().copied()).collect();
                let sum = self.sums[series];
                visit(
                    labels,
                    Value::Histogram {
                        sum,
                        buckets: &buckets,
                    },
                )?;
            }
        }
        Ok(())
    }
}

impl Reading {
    fn start(&self, out: &mut Vec<u8>, suffix: &str, labels: &[u8]) {
        out.extend_from_slice(self.metric.name.as_bytes());
        out.extend_from_slice(suffix.as_bytes());
        if !labels.is_empty() {
            out.push(b'{');
            out.extend_from_slice(labels);
            out.push(b'}');
        }
        out.push(b' ');
    }
}
