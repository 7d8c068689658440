//! The series of a dense family: an array that the ids of its label values index.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::{Arc, OnceLock, PoisonError};

use super::pages::Inserted;

use super::label::{Label, Words};
use crate::catalogue::Metric;
use crate::exposition::labels_text;
use crate::sync::{AtomicU32, Mutex};

/// The most series of a family. A further one goes into an overflow series.
pub(crate) const FAMILY_LIMIT: usize = 10_000;

/// The values of a family's labels, in wire order.
pub(crate) trait LabelSet: Copy {
    /// Rows of the table: the combinations of all labels but the last.
    const ROWS: usize;
    /// Cells of a row: the values of the last label.
    const COLUMNS: usize;

    fn position(self) -> (usize, usize);
    fn words(self, words: &Words) -> Vec<Cow<'static, str>>;
    /// The overflow series that counts for this one in a full family.
    fn overflow(self) -> Self;
    /// Whether this is an overflow series.
    fn is_overflow(self) -> bool;
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

    fn overflow(self) -> Self {}

    fn is_overflow(self) -> bool {
        false
    }
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
            fn overflow(self) -> Self {
                let ($($rest,)* $last,) = self;
                ($($rest.overflow(),)* $last.overflow(),)
            }

            #[allow(non_snake_case)]
            fn is_overflow(self) -> bool {
                let ($($rest,)* $last,) = self;
                $($rest.is_overflow() ||)* $last.is_overflow()
            }
        }
    };
}

label_set!(A);
label_set!(B, A);
label_set!(C, A, B);

type Row = Box<[AtomicU32]>;

/// Numbers the series of a family. To look up an inserted series takes no lock.
pub(crate) struct Table<K> {
    pub(crate) metric: &'static Metric,
    words: Arc<Words>,
    /// One more than the number of each series, 0 before it is inserted. A row is allocated when it
    /// is first used.
    rows: Box<[OnceLock<Row>]>,
    inserts: Mutex<Inserts>,
    /// How many series there are, and how many of them are overflow series. A scrape takes the lock
    /// only if they have changed.
    count: AtomicU32,
    overflows: AtomicU32,
    limit: usize,
    key: PhantomData<fn(K)>,
}

#[derive(Default)]
struct Inserts {
    series: u32,
    /// The numbers of the overflow series.
    overflow: Vec<u32>,
    /// The series that no scrape has taken yet.
    unseen: Vec<Inserted>,
}

impl<K: LabelSet> Table<K> {
    pub(crate) fn new(metric: &'static Metric, words: &Arc<Words>, limit: usize) -> Self {
        Self {
            metric,
            words: Arc::clone(words),
            rows: (0..K::ROWS).map(|_| OnceLock::new()).collect(),
            inserts: Mutex::new(Inserts::default()),
            count: AtomicU32::new(0),
            overflows: AtomicU32::new(0),
            limit,
            key: PhantomData,
        }
    }

    /// The number of a series, which is inserted if it is new. In a full family, the number of its
    /// overflow series.
    #[inline]
    pub(crate) fn series(&self, key: K) -> usize {
        let (row, column) = key.position();
        let known = self.rows[row].get().map(|row| row[column].load(Acquire));
        match known.unwrap_or(0) {
            0 => self.insert(key),
            number => number as usize - 1,
        }
    }

    #[cold]
    fn insert(&self, key: K) -> usize {
        let mut inserts = self.inserts.lock().unwrap_or_else(PoisonError::into_inner);
        let place = self.place(key);
        if let Some(series) = place.load(Acquire).checked_sub(1) {
            return series as usize;
        }
        let full = inserts.series as usize >= self.limit && !key.is_overflow();
        let home = if full { key.overflow() } else { key };
        let number = match self.place(home).load(Acquire) {
            0 => {
                let series = inserts.series;
                inserts.series += 1;
                if home.is_overflow() {
                    inserts.overflow.push(series);
                    self.overflows.store(inserts.overflow.len() as u32, Release);
                }
                let labels = labels_text(self.metric.labels, &home.words(&self.words));
                inserts.unseen.push(Inserted { labels: labels.into(), series });
                self.count.store(series + 1, Release);
                self.place(home).store(series + 1, Release);
                series + 1
            }
            number => number,
        };
        place.store(number, Release);
        number as usize - 1
    }

    fn place(&self, key: K) -> &AtomicU32 {
        let (row, column) = key.position();
        let new = || (0..K::COLUMNS).map(|_| AtomicU32::new(0)).collect();
        &self.rows[row].get_or_init(new)[column]
    }

    /// How many series there are.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Acquire) as usize
    }

    /// Takes the series that were inserted since the last call.
    pub(crate) fn take_unseen(&self) -> Vec<Inserted> {
        let mut inserts = self.inserts.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut inserts.unseen)
    }

    /// The numbers of the overflow series.
    pub(crate) fn overflow(&self) -> Vec<u32> {
        if self.overflows.load(Acquire) == 0 {
            return Vec::new();
        }
        let inserts = self.inserts.lock().unwrap_or_else(PoisonError::into_inner);
        inserts.overflow.clone()
    }
}

impl<K> fmt::Debug for Table<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("metric", &self.metric.name).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(cap_loom)))]
mod tests {
    use super::*;
    use crate::catalogue::labels::JobType;
    use crate::catalogue::metric;

    fn table(words: &Arc<Words>, limit: usize) -> Table<(JobType,)> {
        let metric = metric("cap_jobs_queued_total").expect("in the catalogue");
        Table::new(metric, words, limit)
    }

    #[test]
    fn past_its_limit_a_family_has_one_overflow_series() {
        let words = Arc::new(Words::new());
        let table = table(&words, 2);
        let numbers = ["issue", "renew", "scan", "notify", "issue"]
            .map(|name| table.series((words.job_type(name),)));
        assert_eq!(numbers, [0, 1, 2, 2, 0]);
        assert_eq!(table.overflow(), [2]);
        let inserted = table.take_unseen();
        let labels: Vec<_> = inserted.iter().map(|inserted| &*inserted.labels).collect();
        assert_eq!(labels, [r#"type="issue""#, r#"type="renew""#, r#"type="_overflow""#]);
        assert_eq!(table.count(), 3);
        assert!(table.take_unseen().is_empty());
    }

    #[test]
    fn inserts_racing_for_one_series_share_one_number() {
        let words = Arc::new(Words::new());
        let table = table(&words, 100);
        let seen = std::thread::scope(|scope| {
            let numbers = || -> Vec<_> {
                let types = (0..32).map(|n| words.job_type(&format!("t{n}")));
                types.map(|job_type| table.series((job_type,))).collect()
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(numbers)).collect();
            let ended = threads.into_iter().map(|thread| thread.join().expect("it ends"));
            ended.collect::<std::collections::BTreeSet<_>>()
        });
        assert_eq!(seen.len(), 1);
        assert_eq!(table.count(), 32);
        assert_eq!(table.take_unseen().len(), 32);
    }
}
