//! Every interleaving of the storage, under loom:
//! `RUSTFLAGS="--cfg cap_loom" cargo test -p cap-metrics --lib --no-default-features`.

use loom::thread;

use super::cells::Cells;
use super::label::Words;
use super::shard::{Pool, Shard};
use super::table::{LabelSet as _, Table};
use crate::catalogue::labels::JobType;
use crate::catalogue::metric;

#[test]
fn no_count_is_lost_when_a_shard_changes_its_owner() {
    loom::model(|| {
        let (pool, cells) = (loom::sync::Arc::new(Pool::new()), std::sync::Arc::new(Cells::new()));
        // Allocated here, because a thread that waits in OnceLock waits outside of loom.
        cells.add(pool.take(), 0, 1);
        cells.add(Shard::SHARED, 0, 1);
        pool.give_back(Shard::current_for_test(0));
        let count = |pool: &Pool, cells: &Cells| {
            let shard = pool.take();
            if shard.index() < 1 {
                cells.add(shard, 0, 1);
                pool.give_back(shard);
            } else {
                pool.give_back(shard);
                cells.add(Shard::SHARED, 0, 1);
            }
        };
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let (pool, cells) = (pool.clone(), cells.clone());
                thread::spawn(move || count(&pool, &cells))
            })
            .collect();
        // A scrape in between sees what was counted before, and no more than will be counted.
        assert!((2..=4).contains(&cells.sums(1)[0]));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(cells.sums(1), [4]);
    });
}

#[test]
fn inserts_at_the_limit_share_numbers_and_are_scraped_once() {
    loom::model(|| {
        let words = std::sync::Arc::new(Words::new());
        let metric = metric("cap_jobs_queued_total").unwrap();
        let table = std::sync::Arc::new(Table::<(JobType,)>::new(metric, &words, 2));
        let [a, b] = ["a", "b"].map(|word| (words.job_type(word),));
        // The row exists, because a thread that waits in OnceLock waits outside of loom.
        let overflow = table.series(a.overflow());
        let other = {
            let table = table.clone();
            thread::spawn(move || [table.series(b), table.series(a)])
        };
        let mine = [table.series(b), table.series(a)];
        let mut inserted = table.take_unseen();
        let theirs = other.join().unwrap();
        inserted.extend(table.take_unseen());
        assert_eq!(mine, theirs);
        // The limit leaves room for one of the two. The other goes into the overflow series.
        assert!(mine.contains(&overflow) && mine[0] != mine[1], "{mine:?}");
        assert_eq!(inserted.len(), 2);
    });
}
