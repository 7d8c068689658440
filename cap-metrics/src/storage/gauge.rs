//! A gauge that goes up and down with what is happening now.

use std::sync::Arc;

use super::cells::Cells;
use super::label::Words;
use super::shard::Shard;
use super::{Exposed, Reading};
use crate::catalogue::Metric;

/// A gauge without labels. What goes up on one thread may go down on another, so a single shard may stand below zero.
#[derive(Debug)]
pub(crate) struct Gauge {
    metric: &'static Metric,
    cells: Cells,
}

impl Gauge {
    pub(crate) fn new(metric: &'static Metric, _: &Arc<Words>, _: usize) -> Self {
        Gauge {
            metric,
            cells: Cells::new(),
        }
    }

    pub(crate) fn inc(&self) {
        self.cells.add(Shard::current(), 0, 1);
    }

    pub(crate) fn dec(&self) {
        self.cells.add(Shard::current(), 0, 1u64.wrapping_neg());
    }
}

impl Exposed for Gauge {
    fn metric(&self) -> &'static Metric {
        self.metric
    }

    fn read(&self) -> Reading {
        // A scrape between the shards of an end and its beginning could see the end alone. A count of what is under way is far
        // below 2^53, where f64 stops being exact.
        let value = self.cells.sums(1)[0].cast_signed().max(0) as f64;
        Reading::One(value)
    }

    fn overflowed(&self) -> u64 {
        0
    }
}
