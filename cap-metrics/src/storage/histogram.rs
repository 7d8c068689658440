//! Families of histograms: a count for every bucket, and a sum. A scrape makes the counts
//! cumulative.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::cells::Cells;
use super::exemplars::Exemplars;
use super::label::Words;
use super::pages::{Frame, Pages, Snapshot};
use super::shard::Shard;
use super::table::{LabelSet, Table};
use super::{Exposed, Reader, Reading};
use crate::catalogue::Metric;
use crate::exemplar::{Exemplar, ExemplarIds};
use crate::exposition::{Format, Short, bound, push_exemplar, push_f64, push_u64};

/// A family of histograms.
#[derive(Debug)]
pub(crate) struct Histograms<K> {
    table: Table<K>,
    /// For every series, a count for each bound and one for the values above all bounds. Their sum
    /// is `_count`, so the two always agree.
    counts: Cells,
    sums: Cells,
    exemplars: Arc<Exemplars>,
    pages: Pages,
    lines: Arc<Lines>,
}

/// The text around the labels in the lines of a series. Each line begins with the line feed that
/// ends the line before.
#[derive(Debug)]
struct Lines {
    /// The length of the text before the labels of a bucket. The text itself is in the page.
    bucket: usize,
    /// After the labels of a bucket.
    les: Vec<Le>,
    /// Before the labels of the sum.
    sum: String,
    /// Before the labels of the count.
    count: String,
    /// After the labels of the sum or the count.
    close: &'static str,
}

#[derive(Debug)]
enum Le {
    Short(Short),
    Long(String),
}

impl Lines {
    fn of(metric: &Metric) -> Self {
        let Metric { name, labels, .. } = metric;
        let bounds = metric.buckets.iter().copied().chain([f64::INFINITY]);
        let (comma, open, close) = match labels {
            [] => ("", "", " "),
            _ => (",", "{", "} "),
        };
        let le = |le| format!("{comma}le=\"{}\"}} ", bound(le));
        Self {
            bucket: Self::before(metric).len(),
            les: bounds.map(le).map(|le| Short::new(&le).map_or(Le::Long(le), Le::Short)).collect(),
            sum: format!("\n{name}_sum{open}"),
            count: format!("\n{name}_count{open}"),
            close,
        }
    }

    fn before(metric: &Metric) -> String {
        format!("\n{}_bucket{{", metric.name)
    }
}

impl<K: LabelSet> Histograms<K> {
    pub(crate) fn new(metric: &'static Metric, words: &Arc<Words>, limit: usize) -> Self {
        let frame = Frame { before: Lines::before(metric), after: "" };
        Self {
            table: Table::new(metric, words, limit),
            counts: Cells::new(),
            sums: Cells::new(),
            exemplars: Arc::new(Exemplars::new()),
            pages: Pages::new(frame),
            lines: Arc::new(Lines::of(metric)),
        }
    }

    #[inline]
    pub(crate) fn observe(&self, key: K, took: Duration, trace: Option<ExemplarIds>) {
        let value = took.as_secs_f64();
        let bounds = self.table.metric.buckets;
        let series = self.table.series(key);
        // Bounds are few, and counting those below needs no branch.
        let bucket = bounds.iter().map(|bound| usize::from(*bound < value)).sum::<usize>();
        let shard = Shard::current();
        self.counts.add(shard, series * (bounds.len() + 1) + bucket, 1);
        self.sums.add_f64(shard, series, value);
        if let Some(ids) = trace {
            let at = SystemTime::now();
            let exemplar = Exemplar { ids, value, at };
            self.exemplars.put(series, bucket, bounds.len() + 1, exemplar);
        }
    }

    pub(crate) fn init(&self, key: K) {
        self.table.series(key);
    }
}

impl<K: LabelSet> Exposed for Histograms<K> {
    fn metric(&self) -> &'static Metric {
        self.table.metric
    }

    fn read(&self) -> Reading {
        let count = self.table.count();
        if count == 0 {
            return Reading::Absent;
        }
        let pages = self.pages.snapshot(count, || self.table.take_unseen());
        let metric = self.table.metric;
        Reading::Series(Box::new(Series {
            counts: self.counts.sums(pages.series() * (metric.buckets.len() + 1)),
            sums: self.sums.sums_f64(pages.series()),
            exemplars: Arc::clone(&self.exemplars),
            pages,
            next: 0,
            lines: Arc::clone(&self.lines),
        }))
    }

    fn overflowed(&self) -> u64 {
        let stride = self.table.metric.buckets.len() + 1;
        self.counts.total(&self.table.overflow(), stride)
    }
}

struct Series {
    pages: Arc<Snapshot>,
    counts: Vec<u64>,
    sums: Vec<f64>,
    exemplars: Arc<Exemplars>,
    next: usize,
    lines: Arc<Lines>,
}

impl Reader for Series {
    fn write_page(&mut self, format: Format, out: &mut Vec<u8>) -> bool {
        let Some(page) = self.pages.page(self.next) else {
            return false;
        };
        self.next += 1;
        let les = self.lines.les.len();
        // The text after the labels of a line, with the padding of short texts.
        let after = 2 * Short::SIZE;
        out.reserve((les + 2) * (page.text_len() + page.len() * after));
        let mut line = Vec::new();
        for run in page.runs() {
            for (tail, series) in run.lines() {
                line.clear();
                line.extend_from_slice(run.head());
                tail.push(&mut line);
                self.write(&line, series, format, out);
            }
        }
        true
    }
}

impl Series {
    /// Writes every line of one series. `line` is the start of the lines of its buckets.
    #[inline]
    fn write(&self, line: &[u8], series: usize, format: Format, out: &mut Vec<u8>) {
        let Lines { les, sum, count, .. } = &*self.lines;
        let mut cumulative = 0;
        let counts = &self.counts[series * les.len()..];
        for (bucket, (le, n)) in les.iter().zip(counts).enumerate() {
            cumulative += n;
            out.extend_from_slice(line);
            match le {
                Le::Short(le) => le.push(out),
                Le::Long(le) => out.extend_from_slice(le.as_bytes()),
            }
            push_u64(out, cumulative);
            if format == Format::OpenMetrics
                && let Some(exemplar) = self.exemplars.get(series, bucket)
            {
                push_exemplar(out, &exemplar);
            }
        }
        let labels = &line[self.lines.bucket..];
        self.start(out, sum, labels);
        push_f64(out, self.sums[series]);
        self.start(out, count, labels);
        push_u64(out, cumulative);
    }

    fn start(&self, out: &mut Vec<u8>, before: &str, labels: &[u8]) {
        out.extend_from_slice(before.as_bytes());
        out.extend_from_slice(labels);
        out.extend_from_slice(self.lines.close.as_bytes());
    }
}
