//! Counters striped over cache lines, so that two threads counting the same thing do not wait for each other.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::{Exposed, LabelSet, Table};
use crate::catalogue::Metric;
use crate::expose;
use crate::labels::Words;

/// A cache line of its own (two on CPUs that fetch lines in pairs).
#[derive(Debug, Default)]
#[repr(align(128))]
struct Stripe(AtomicU64);

const STRIPES: usize = 4;

thread_local! {
    static MY_STRIPE: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Threads take stripes in turn, so that as many threads as there are stripes never share one.
#[inline]
pub(crate) fn stripe<const N: usize>() -> usize {
    MY_STRIPE.with(|mine| {
        if mine.get() == usize::MAX {
            static NEXT: AtomicUsize = AtomicUsize::new(0);
            mine.set(NEXT.fetch_add(1, Ordering::Relaxed) & 0xffff);
        }
        mine.get() % N
    })
}

/// One counter.
#[derive(Debug, Default)]
pub(crate) struct Counter([Stripe; STRIPES]);

impl Counter {
    #[inline]
    pub(crate) fn add(&self, n: u64) {
        self.0[stripe::<STRIPES>()]
            .0
            .fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.iter().fold(0, |sum, stripe| {
            sum.wrapping_add(stripe.0.load(Ordering::Relaxed))
        })
    }
}

/// A family of counters.
#[derive(Debug)]
pub(crate) struct Counters<K>(Table<K, Counter>);

impl<K: LabelSet> Counters<K> {
    pub(crate) fn new(metric: &'static Metric, words: &Arc<Words>) -> Self {
        Counters(Table::new(metric, words, |_| Counter::default()))
    }

    #[inline]
    pub(crate) fn inc(&self, key: K) {
        self.0.cell(key).add(1);
    }

    /// Brings the series into being at 0, so that `increase()` sees its first event.
    pub(crate) fn touch(&self, key: K) {
        self.0.cell(key);
    }
}

impl<K: LabelSet> Exposed for Counters<K> {
    fn metric(&self) -> &'static Metric {
        self.0.metric
    }

    fn write(&self, out: &mut String) {
        for series in self.0.series().values() {
            out.push_str(&series.line);
            expose::push_u64(out, series.cell.get());
            out.push('\n');
        }
    }

    fn folded(&self) -> u64 {
        self.0.folded()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_exact_after_concurrent_increments() {
        let counter = Counter::default();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..10_000).for_each(|_| counter.add(1)));
            }
        });
        assert_eq!(counter.get(), 80_000);
    }
}
