//! Families of counters.

use std::sync::Arc;

use super::cells::Cells;
use super::pages::{Frame, Pages, Snapshot};
use super::slot::Slot;
use super::{Exposed, LabelSet, Reader, Table, Value};
use crate::catalogue::Metric;
use crate::expose::{Format, push_u64, reopen_line};
use crate::labels::Words;

/// A family of counters.
#[derive(Debug)]
pub(crate) struct Counters<K> {
    table: Table<K>,
    cells: Cells,
    pages: Arc<Pages>,
}

impl<K: LabelSet> Counters<K> {
    pub(crate) fn new(metric: &'static Metric, words: &Arc<Words>, limit: usize) -> Self {
        let name = metric.name;
        let frame = match metric.labels {
            [] => Frame {
                before: format!("\n{name}"),
                after: " ",
            },
            _ => Frame {
                before: format!("\n{name}{{"),
                after: "} ",
            },
        };
        Counters {
            table: Table::new(metric, words, limit),
            cells: Cells::new(),
            pages: Arc::new(Pages::new(frame)),
        }
    }

    #[inline]
    pub(crate) fn inc(&self, key: K) {
        self.cells.add(Slot::current(), self.table.series(key), 1);
    }

    /// Brings the series into being at 0, so that `increase()` sees its first event.
    pub(crate) fn touch(&self, key: K) {
        self.table.series(key);
    }
}

impl<K: LabelSet> Exposed for Counters<K> {
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
        Box::new(Reading {
            sums: self.cells.sums(count),
            frame: Arc::clone(&self.pages),
            pages,
            next: 0,
        })
    }

    fn folded(&self) -> u64 {
        let overflow = self.table.overflow();
        let Some(last) = overflow.iter().max() else {
            return 0;
        };
        let sums = self.cells.sums(*last as usize + 1);
        overflow.iter().map(|series| sums[*series as usize]).sum()
    }
}

struct Reading {
    pages: Snapshot,
    frame: Arc<Pages>,
    sums: Vec<u64>,
    next: usize,
}

impl Reader for Reading {
    fn write_page(&mut self, _: Format, out: &mut Vec<u8>) -> bool {
        let Some(page) = self.pages.get(self.next) else {
            return false;
        };
        self.next += 1;
        out.reserve(page.text_len() + 20 * page.len() + 1);
        reopen_line(out);
        for (line, series) in page.lines() {
            out.extend_from_slice(line);
            push_u64(out, self.sums[series]);
        }
        out.push(b'\n');
        true
    }

    fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    fn visit(
        &self,
        visit: &mut dyn FnMut(&str, Value<'_>) -> std::fmt::Result,
    ) -> std::fmt::Result {
        for page in self.pages.iter() {
            for (at, (_, series)) in page.lines().enumerate() {
                let labels = page.labels(at, self.frame.frame()).unwrap_or_default();
                visit(labels, Value::Counter(self.sums[series] as f64))?;
            }
        }
        Ok(())
    }
}
