//! A gauge that counts what is under way.

use std::sync::Arc;

use super::cells::Cells;
use super::label::Words;
use super::shard::Shard;
use super::{Exposed, Reading};
use crate::catalogue::Metric;

/// A gauge without labels. It may go up on one thread and down on another, so the sum of a single
/// shard may be negative.
#[derive(Debug)]
pub(crate) struct Gauge {
    metric: &'static Metric,
    cells: Cells,
}

impl Gauge {
    pub(crate) fn new(metric: &'static Metric, _: &Arc<Words>, _: usize) -> Self {
        Self { metric, cells: Cells::new() }
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
        // A scrape can read the shard of a beginning before it, and the shard of its end after it,
        // so the sum can be negative. It is far below 2^53, past which f64 is not exact.
        let value = self.cells.sums(1)[0].cast_signed().max(0) as f64;
        Reading::One(value)
    }

    fn overflowed(&self) -> u64 {
        0
    }
}
