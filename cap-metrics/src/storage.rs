//! Where the numbers live between scrapes.
//!
//! # Theory of operation
//!
//! **A series** is inserted once and never removed. A [`Table`](table::Table) gives it the next
//! number of its family. The values of the series are the cells of that number in
//! [`Cells`](cells::Cells), and its labels are a line of text in [`Pages`](pages::Pages). A family
//! passes through three states: absent (no series), growing, and full. In a full family, a new key
//! gets the number of the overflow series that has the same closed labels.
//!
//! **A recording** turns the label values into ids, the ids into a place of the table, and the
//! place into a number. Then it adds to a cell of the calling thread's [`Shard`](shard::Shard). It
//! takes a lock for the first use of an open value, of a series, or of the storage by a thread, for
//! each open value past the limit of its label, and for each further spelling of a value once half
//! of the interner's entries are filled. With an exemplar it tries the lock of a bucket.
//!
//! **A shard** is free, leased to one thread, or shared. A thread leases a free shard at its first
//! recording and gives it back when it ends. A thread that finds none free uses the shared shard,
//! and so does a thread whose thread-locals are being destroyed.
//!
//! **A scrape** reads the number of series, merges new ones into the pages, and sums each cell over
//! the shards. Then it writes from these copies, a page at a time. Exemplars are not copied: each
//! is read under its own lock when its line is written. Between pages a scrape holds no lock. Pages
//! are immutable: a merge replaces the ones that get new series, and a scrape that began before
//! keeps the old ones.
//!
//! ## Locks
//!
//! | lock | protects |
//! |---|---|
//! | `Pages::merged` | the current snapshot of pages, and the order in which scrapes merge |
//! | `Table::inserts` | the next number, the overflow series, the series that no scrape has seen |
//! | `Interner::words` | the values by id, and who may fill an entry |
//! | `Pool` | which shards are leased |
//! | a bucket of `Exemplars` | its exemplar |
//! | `Inventory::rows` | which snapshot is current |
//!
//! They are taken in the order `merged`, `inserts`, `words`. The others are never held together
//! with another lock. A recorder only tries the lock of a bucket, and drops its exemplar if another
//! thread holds it. A scrape holds `inserts` to move the unseen series out or to copy the numbers
//! of the overflow series, and formats nothing meanwhile.
//!
//! ## Orderings
//!
//! - *Cells are relaxed.* An owned cell has one writer, so a load and a store lose nothing. A
//!   shared cell is changed by read-modify-write operations, which follow each other in the
//!   modification order of the cell. A scrape reads either the old or the new value of a cell. No
//!   cell has to be consistent with another: `_count` is the sum of the buckets that the scrape
//!   read, and `_sum` may differ from it by recordings that were under way.
//! - *The `Pool` mutex orders owners.* The old owner unlocks it after its last store, and the new
//!   owner locks it before its first load. So the new owner adds to the final value.
//! - *A place is stored with release and loaded with acquire,* and it is stored after
//!   `Table::count`. A thread that knows the number of a series therefore also sees a count that
//!   includes it, and so does a scrape that happens after what this thread recorded.
//! - *`count` is stored with release, under `inserts`, after the series is in the list of unseen
//!   ones.* A scrape that loads a count with acquire and then locks `inserts` finds every series
//!   below this count, or another scrape has already merged it.
//! - *`overflows` is stored with release under `inserts`.* It only spares a scrape the lock while a
//!   family has no overflow series.
//! - *`OnceLock` publishes* rows, segments, shards' cells and interned entries. Once set they stay
//!   where they are, so a reader keeps its reference without a lock.
//! - *An [`Absolute`] is relaxed*: it is one value that depends on no other.
//!
//! ## Bounds
//!
//! | what | bound |
//! |---|---|
//! | series of a counter or histogram | the family limit, and the overflow series |
//! | series of an inventory | the product of the limits of its labels, and the overflow series |
//! | overflow series | one for each combination of the closed labels |
//! | values of an open label | its limit in the catalogue, and `_overflow` |
//! | spellings found without a lock | half of the entries, two for each value on average |
//! | rows of a table | the combinations of all labels but the last, allocated at first use |
//! | cells | 64 shards; a shard allocates a segment when its thread first records there |
//! | exemplars | one a bucket, allocated for a series at its first exemplar |
//! | snapshots of pages | the current one, and one for each scrape under way |
//!
//! `interleavings` tries every interleaving of handing over a shard, and of inserts at the limit,
//! under loom. `OnceLock` is not loom's, so there the rows exist before the threads start.

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

/// What a scrape found of a family. Most have nothing or one value to show, and cost next to
/// nothing.
pub(crate) enum Reading {
    /// It is absent.
    Absent,
    /// Its one series, which has no labels.
    One(f64),
    Series(Box<dyn Reader>),
}

/// Series on their way into a body. Holds no lock, so that a slow scraper delays nobody.
pub(crate) trait Reader: Send {
    /// Writes the next page, each line with the line feed that ends the one before; false when
    /// there was none.
    fn write_page(&mut self, format: Format, out: &mut Vec<u8>) -> bool;
}
