//! Families of counters.

use std::sync::Arc;

use super::cells::Cells;
use super::label::Words;
use super::pages::{Frame, Pages, Snapshot, Tail};
use super::shard::Shard;
use super::table::{LabelSet, Table};
use super::{Exposed, Reader, Reading};
use crate::catalogue::Metric;
use crate::exposition::{Format, push_u64};

/// A family of counters.
#[derive(Debug)]
pub(crate) struct Counters<K> {
    table: Table<K>,
    cells: Cells,
    pages: Pages,
}

impl<K: LabelSet> Counters<K> {
    pub(crate) fn new(metric: &'static Metric, words: &Arc<Words>, limit: usize) -> Self {
        let name = metric.name;
        let frame = match metric.labels {
            [] => Frame { before: format!("\n{name}"), after: " " },
            _ => Frame { before: format!("\n{name}{{"), after: "} " },
        };
        Self {
            table: Table::new(metric, words, limit),
            cells: Cells::new(),
            pages: Pages::new(frame),
        }
    }

    #[inline]
    pub(crate) fn inc(&self, key: K) {
        self.cells.add(Shard::current(), self.table.series(key), 1);
    }

    /// Exposes the series at 0, so that `increase()` sees its first event.
    pub(crate) fn init(&self, key: K) {
        self.table.series(key);
    }
}

impl<K: LabelSet> Exposed for Counters<K> {
    fn metric(&self) -> &'static Metric {
        self.table.metric
    }

    fn read(&self) -> Reading {
        let count = self.table.count();
        if count == 0 {
            return Reading::Absent;
        }
        let pages = self.pages.snapshot(count, || self.table.take_unseen());
        Reading::Series(Box::new(Series { sums: self.cells.sums(pages.series()), pages, next: 0 }))
    }

    fn overflowed(&self) -> u64 {
        self.cells.total(&self.table.overflow(), 1)
    }
}

struct Series {
    pages: Arc<Snapshot>,
    sums: Vec<u64>,
    next: usize,
}

impl Reader for Series {
    fn write_page(&mut self, _: Format, out: &mut Vec<u8>) -> bool {
        let Some(page) = self.pages.page(self.next) else {
            return false;
        };
        self.next += 1;
        // The most digits of a number, and the padding of a tail.
        out.reserve(page.text_len() + (20 + Tail::SHORT) * page.len());
        for run in page.runs() {
            for (tail, series) in run.lines() {
                out.extend_from_slice(run.head());
                tail.push(out);
                push_u64(out, self.sums[series]);
            }
        }
        true
    }
}
