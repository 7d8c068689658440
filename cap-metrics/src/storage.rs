//! Where the numbers live between scrapes.

mod counter;
mod gauge;
mod histogram;
mod intern;
mod inventory;
mod table;

pub(crate) use counter::Counters;
pub(crate) use gauge::Gauge;
pub(crate) use histogram::Histograms;
pub(crate) use intern::Interner;
pub(crate) use inventory::Inventory;
pub(crate) use table::{LabelSet, Table};

use crate::catalogue::Metric;

/// A family that a scrape can read.
pub(crate) trait Exposed: Sync {
    fn metric(&self) -> &'static Metric;
    /// Writes every series as text, in order of its labels.
    fn write(&self, out: &mut String);
    /// How many series were folded into overflow series so far.
    fn folded(&self) -> u64;
}
