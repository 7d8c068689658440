//! Numbers that many threads add to and a scrape sums: a set of cells for every shard.

use std::sync::OnceLock;
use std::sync::atomic::Ordering::Relaxed;

use super::segmented::Segmented;
use super::shard::{SHARDS, Shard};
use crate::sync::AtomicU64;

/// Cells of one shard. No two shards share a line, which is two cache lines long, because some CPUs
/// fetch cache lines in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Line([AtomicU64; LINE]);

const LINE: usize = 16;

type Lines = OnceLock<Box<Segmented<Line>>>;

/// Sums by number, in a set of cells for each shard.
#[derive(Debug)]
pub(crate) struct Cells {
    shards: Box<[Lines; SHARDS]>,
}

impl Cells {
    pub(crate) fn new() -> Self {
        Self { shards: Box::new([const { OnceLock::new() }; SHARDS]) }
    }

    #[inline]
    pub(crate) fn add(&self, shard: Shard, at: usize, n: u64) {
        let cell = self.cell(shard, at);
        if shard.is_owned() {
            cell.store(cell.load(Relaxed).wrapping_add(n), Relaxed);
        } else {
            cell.fetch_add(n, Relaxed);
        }
    }

    /// Adds to a cell that holds the bits of an `f64`.
    #[inline]
    pub(crate) fn add_f64(&self, shard: Shard, at: usize, value: f64) {
        let cell = self.cell(shard, at);
        let mut seen = cell.load(Relaxed);
        let sum = |seen| (f64::from_bits(seen) + value).to_bits();
        if shard.is_owned() {
            cell.store(sum(seen), Relaxed);
            return;
        }
        while let Err(now) = cell.compare_exchange_weak(seen, sum(seen), Relaxed, Relaxed) {
            seen = now;
        }
    }

    /// The sum of all numbers of these series, each of which has `stride` of them.
    pub(crate) fn total(&self, series: &[u32], stride: usize) -> u64 {
        let Some(last) = series.iter().max() else {
            return 0;
        };
        let sums = self.sums((*last as usize + 1) * stride);
        let of = |series: &u32| &sums[*series as usize * stride..][..stride];
        series.iter().flat_map(of).sum()
    }

    /// The sums of the first `count` numbers.
    pub(crate) fn sums(&self, count: usize) -> Vec<u64> {
        self.fold(count, u64::wrapping_add)
    }

    /// The sums of the first `count` numbers, where cells hold the bits of `f64`s.
    pub(crate) fn sums_f64(&self, count: usize) -> Vec<f64> {
        self.fold(count, |sum, bits| sum + f64::from_bits(bits))
    }

    fn fold<T: Copy + Default>(&self, count: usize, add: impl Fn(T, u64) -> T) -> Vec<T> {
        let mut sums = vec![T::default(); count];
        for lines in self.shards.iter().filter_map(OnceLock::get) {
            for (first, lines) in lines.segments() {
                let Some(rest) = sums.get_mut(first * LINE..) else {
                    break;
                };
                let cells = lines.iter().flat_map(|line| &line.0);
                for (sum, cell) in rest.iter_mut().zip(cells) {
                    *sum = add(*sum, cell.load(Relaxed));
                }
            }
        }
        sums
    }

    #[inline]
    fn cell(&self, shard: Shard, at: usize) -> &AtomicU64 {
        let lines = match self.shards[shard.index()].get() {
            Some(lines) => lines,
            None => self.open(shard),
        };
        &lines.get(at / LINE).0[at % LINE]
    }

    #[cold]
    fn open(&self, shard: Shard) -> &Segmented<Line> {
        self.shards[shard.index()].get_or_init(|| Box::new(Segmented::new()))
    }
}

#[cfg(all(test, not(cap_loom)))]
mod tests {
    use super::*;

    #[test]
    fn totals_are_exact_with_more_threads_than_slots() {
        let cells = Cells::new();
        std::thread::scope(|scope| {
            for _ in 0..SHARDS + 8 {
                scope.spawn(|| {
                    for n in 0..1000 {
                        cells.add(Shard::current(), n % 100, 1);
                        cells.add_f64(Shard::current(), 100, 0.5);
                        cells.add(Shard::SHARED, 101, 1);
                        cells.add_f64(Shard::SHARED, 102, 0.5);
                    }
                });
            }
        });
        let threads = (SHARDS + 8) as u64;
        assert!(cells.sums(100).iter().all(|sum| *sum == threads * 10));
        assert_eq!(cells.sums(102)[101], threads * 1000);
        let sums = cells.sums_f64(103);
        assert_eq!((sums[100], sums[102]), (threads as f64 * 500.0, threads as f64 * 500.0));
    }
}
