//! Where the numbers live between scrapes.

mod absolute;
mod cells;
mod counter;
mod exemplars;
mod gauge;
mod histogram;
#[cfg(all(test, cap_loom))]
mod interleavings;
mod intern;
mod inventory;
mod label;
mod pages;
mod segmented;
mod shard;
mod table;

pub(crate) use absolute::Absolute;
pub(crate) use counter::Counters;
pub(crate) use gauge::Gauge;
pub(crate) use histogram::Histograms;
pub(crate) use inventory::Inventory;
pub(crate) use label::Words;
pub(crate) use table::FAMILY_LIMIT;

use crate::catalogue::Metric;
use crate::exposition::Format;

/// A family that a scrape can read.
pub(crate) trait Exposed: Send + Sync {
    fn metric(&self) -> &'static Metric;
    /// Its series as they are now, in order of their labels.
    fn read(&self) -> Reading;
    /// How many recordings went into overflow series so far.
    fn overflowed(&self) -> u64;
}

/// What a scrape found of a family. Most have nothing or one value to show, and cost next to nothing.
pub(crate) enum Reading {
    /// It is absent.
    Absent,
    /// Its one series, which has no labels.
    One(f64),
    Series(Box<dyn Reader>),
}

/// Series on their way into a body. Holds no lock, so that a slow scraper delays nobody.
pub(crate) trait Reader: Send {
    /// Writes the next page, each line with the line feed that ends the one before; false when there was none.
    fn write_page(&mut self, format: Format, out: &mut Vec<u8>) -> bool;
}
