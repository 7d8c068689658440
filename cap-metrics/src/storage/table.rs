//! The cells of a family whose label values are small numbers: an array indexed by them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::catalogue::Metric;
use crate::expose::{Sample, labels_text};
use crate::labels::{Label, Words};
use crate::storage::Interner;

/// Series that a family holds at most; a further one is folded into its overflow series.
pub(crate) const FAMILY_LIMIT: usize = 10_000;

/// The values of a family's labels, in wire order.
pub(crate) trait LabelSet: Copy {
    /// Rows of the table: the combinations of all labels but the last.
    const ROWS: usize;
    /// Cells of a row: the values of the last label.
    const COLUMNS: usize;

    fn position(self) -> (usize, usize);
    fn words(self, words: &Words) -> Vec<Cow<'static, str>>;
    fn folded(self) -> Self;
}

impl LabelSet for () {
    const ROWS: usize = 1;
    const COLUMNS: usize = 1;

    fn position(self) -> (usize, usize) {
        (0, 0)
    }

    fn words(self, _: &Words) -> Vec<Cow<'static, str>> {
        Vec::new()
    }

    fn folded(self) -> Self {}
}

macro_rules! label_set {
    ($last:ident $(, $rest:ident)*) => {
        impl<$($rest: Label,)* $last: Label> LabelSet for ($($rest,)* $last,) {
            const ROWS: usize = 1 $(* $rest::CARDINALITY)*;
            const COLUMNS: usize = $last::CARDINALITY;

            #[allow(non_snake_case)] // one name for the type parameter and its value
            #[inline]
            fn position(self) -> (usize, usize) {
                let ($($rest,)* $last,) = self;
                let row = 0;
                $(let row = row * $rest::CARDINALITY + $rest.id();)*
                (row, $last.id())
            }

            #[allow(non_snake_case)]
            fn words(self, words: &Words) -> Vec<Cow<'static, str>> {
                let ($($rest,)* $last,) = self;
                vec![$($rest.word(words),)* $last.word(words)]
            }

            #[allow(non_snake_case)]
            fn folded(self) -> Self {
                let ($($rest,)* $last,) = self;
                ($($rest.folded(),)* $last.folded(),)
            }
        }
    };
}

label_set!(A);
label_set!(B, A);
label_set!(C, A, B);

type Row<C> = Box<[OnceLock<Arc<Series<C>>>]>;

/// One series: its labels and the start of its line as text, rendered once, and its cell.
#[derive(Debug)]
pub(crate) struct Series<C> {
    pub(crate) labels: Box<str>,
    pub(crate) line: Box<str>,
    /// Whether this is where what has no series of its own goes.
    overflow: bool,
    pub(crate) cell: C,
}

/// Series by their labels, in the order of exposition.
type Born<C> = BTreeMap<Box<str>, Arc<Series<C>>>;

/// An array of cells, rows of which appear when first used. Recording takes no lock once a series was born.
pub(crate) struct Table<K, C> {
    pub(crate) metric: &'static Metric,
    words: Arc<Words>,
    rows: Box<[OnceLock<Row<C>>]>,
    /// Copied by a birth only while a scrape holds it.
    born: Mutex<Arc<Born<C>>>,
    folded: AtomicU64,
    limit: usize,
    new_cell: fn(&'static Metric) -> C,
    key: PhantomData<fn(K)>,
}

impl<K: LabelSet, C> Table<K, C> {
    pub(crate) fn new(
        metric: &'static Metric,
        words: &Arc<Words>,
        new_cell: fn(&'static Metric) -> C,
    ) -> Self {
        Self::with_limit(metric, words, new_cell, FAMILY_LIMIT)
    }

    pub(crate) fn with_limit(
        metric: &'static Metric,
        words: &Arc<Words>,
        new_cell: fn(&'static Metric) -> C,
        limit: usize,
    ) -> Self {
        Table {
            metric,
            words: Arc::clone(words),
            rows: (0..K::ROWS).map(|_| OnceLock::new()).collect(),
            born: Mutex::default(),
            folded: AtomicU64::new(0),
            limit,
            new_cell,
            key: PhantomData,
        }
    }

    #[inline]
    pub(crate) fn cell(&self, key: K) -> &C {
        let (row, column) = key.position();
        let born = self.rows[row].get().and_then(|row| row[column].get());
        let series = born.unwrap_or_else(|| self.slot(key));
        if series.overflow {
            self.folded.fetch_add(1, Ordering::Relaxed);
        }
        &series.cell
    }

    #[cold]
    fn slot(&self, key: K) -> &Arc<Series<C>> {
        let (row, column) = key.position();
        self.rows[row].get_or_init(|| (0..K::COLUMNS).map(|_| OnceLock::new()).collect())[column]
            .get_or_init(|| self.birth(key))
    }

    fn birth(&self, key: K) -> Arc<Series<C>> {
        let mut born = self.born.lock().unwrap_or_else(PoisonError::into_inner);
        let mut labels = labels_text(self.metric.labels, &key.words(&self.words));
        if born.len() >= self.limit && !born.contains_key(labels.as_str()) {
            let folded = labels_text(self.metric.labels, &key.folded().words(&self.words));
            labels = folded;
        }
        let labels = labels.into_boxed_str();
        let born = Arc::make_mut(&mut born);
        Arc::clone(born.entry(labels.clone()).or_insert_with(|| {
            Arc::new(Series {
                overflow: labels.contains(Interner::OVERFLOW_WORD),
                line: Sample::of(self.metric.name, &labels).line(),
                labels,
                cell: (self.new_cell)(self.metric),
            })
        }))
    }

    pub(crate) fn folded(&self) -> u64 {
        self.folded.load(Ordering::Relaxed)
    }

    /// Every series, in order of its labels, as they are now. No lock is held while they are read.
    pub(crate) fn series(&self) -> Arc<Born<C>> {
        Arc::clone(&self.born.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<K, C: fmt::Debug> fmt::Debug for Table<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("metric", &self.metric.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::metric;
    use crate::labels::JobType;

    #[test]
    fn past_its_limit_a_family_folds_new_series_into_one_and_counts_what_goes_there() {
        let words = Arc::new(Words::new());
        let metric = metric("cap_jobs_queued_total").expect("in the catalogue");
        let table: Table<(JobType,), AtomicU64> =
            Table::with_limit(metric, &words, |_| AtomicU64::new(0), 2);
        for (name, times) in [("issue", 1), ("renew", 2), ("scan", 4), ("notify", 8)] {
            table
                .cell((words.job_type(name),))
                .fetch_add(times, Ordering::Relaxed);
        }
        let series: Vec<_> = table
            .series()
            .values()
            .map(|series| {
                (
                    series.labels.to_string(),
                    series.cell.load(Ordering::Relaxed),
                )
            })
            .collect();
        assert_eq!(
            series,
            [
                (r#"type="_overflow""#.to_owned(), 12),
                (r#"type="issue""#.to_owned(), 1),
                (r#"type="renew""#.to_owned(), 2),
            ]
        );
        assert_eq!(table.folded(), 2);
    }

    #[test]
    fn births_racing_for_one_series_share_one_cell() {
        let words = Arc::new(Words::new());
        let metric = metric("cap_jobs_queued_total").expect("in the catalogue");
        let table: Table<(JobType,), AtomicU64> = Table::new(metric, &words, |_| AtomicU64::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for n in 0..32 {
                        let job_type = words.job_type(&format!("t{n}"));
                        table.cell((job_type,)).fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        let series = table.series();
        assert_eq!(series.len(), 32);
        assert!(
            series
                .values()
                .all(|series| series.cell.load(Ordering::Relaxed) == 8)
        );
    }
}
