//! Ended spans, encoded, on their way to the export thread.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::batch::{Batch, Pool};
use crate::encode;
use crate::record::Record;
use crate::stats::Counts;

/// What a thread keeps for the span that it encodes.
const SPAN: usize = 16 * 1024;

/// Takes ended spans into a bounded queue, without waiting.
///
/// A span is encoded where it ends, and what it was recorded in is freed there, while both are at hand. What is encoded goes to the end
/// of a batch, and a batch goes to the collector as it is: nothing is copied twice, and nothing that one thread took is freed by another,
/// with which an allocator is slow.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) counts: Arc<Counts>,
    pool: Arc<Pool>,
    capacity: usize,
    batch_size: usize,
    waiting: Mutex<Waiting>,
    /// How many wait: a look that disturbs nobody.
    queued: AtomicUsize,
    enough: Notify,
}

#[derive(Debug)]
struct Waiting {
    batches: VecDeque<Batch>,
    queued: usize,
    closed: bool,
    /// With how many the export thread is woken. Waking a thread costs more than a span does, so it is woken once for a batch.
    wanted: Option<usize>,
}

thread_local! {
    static ENCODED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Queue {
    /// For so many spans, in batches of so many at most.
    pub(crate) fn new(
        counts: Arc<Counts>,
        room: usize,
        capacity: usize,
        batch_size: usize,
    ) -> Self {
        Queue {
            counts,
            pool: Pool::new(room),
            capacity,
            batch_size,
            waiting: Mutex::new(Waiting {
                batches: VecDeque::new(),
                queued: 0,
                closed: false,
                wanted: None,
            }),
            queued: AtomicUsize::new(0),
            enough: Notify::new(),
        }
    }

    pub(crate) fn started(&self) {
        self.counts.started.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn push(&self, span: &Record) {
        // A span for which there is no room is not encoded.
        let pushed = self.queued.load(Ordering::Relaxed) < self.capacity && self.encode(span);
        if !pushed {
            self.counts.dropped.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn encode(&self, span: &Record) -> bool {
        let encoded = ENCODED.try_with(|encoded| {
            let Ok(mut encoded) = encoded.try_borrow_mut() else {
                return None;
            };
            encode::span(&mut encoded, span);
            let pushed = self.append(&encoded);
            encoded.clear();
            encoded.shrink_to(SPAN);
            Some(pushed)
        });
        // A span may end when what the thread keeps is gone.
        encoded.ok().flatten().unwrap_or_else(|| {
            let mut encoded = Vec::new();
            encode::span(&mut encoded, span);
            self.append(&encoded)
        })
    }

    /// Says whether there was room.
    fn append(&self, encoded: &[u8]) -> bool {
        let mut waiting = self.waiting();
        if waiting.closed || waiting.queued >= self.capacity {
            return false;
        }
        let last = waiting.batches.back();
        if last.is_none_or(|batch| batch.spans == self.batch_size) {
            waiting.batches.push_back(self.pool.batch());
        }
        if let Some(batch) = waiting.batches.back_mut() {
            batch.push(encoded);
        }
        waiting.queued += 1;
        self.queued.store(waiting.queued, Ordering::Relaxed);
        let queued = waiting.queued;
        let wakes = waiting.wanted.take_if(|wanted| *wanted <= queued);
        drop(waiting);
        if wakes.is_some() {
            self.enough.notify_one();
        }
        true
    }

    /// Waits until there is a span.
    pub(crate) async fn any(&self) {
        self.until(1).await;
    }

    /// Waits until there is a whole batch, or no room for more.
    pub(crate) async fn full(&self) {
        self.until(self.batch_size.min(self.capacity)).await;
    }

    /// For the export thread alone.
    async fn until(&self, wanted: usize) {
        loop {
            {
                let mut waiting = self.waiting();
                let there = waiting.queued >= wanted;
                waiting.wanted = (!there).then_some(wanted);
                if there {
                    return;
                }
            }
            self.enough.notified().await;
        }
    }

    /// The oldest batch.
    pub(crate) fn take(&self) -> Option<Batch> {
        let mut waiting = self.waiting();
        let batch = waiting.batches.pop_front()?;
        waiting.queued -= batch.spans;
        self.queued.store(waiting.queued, Ordering::Relaxed);
        Some(batch)
    }

    pub(crate) fn queued(&self) -> usize {
        self.waiting().queued
    }

    /// Nothing is taken in any more.
    pub(crate) fn close(&self) {
        self.waiting().closed = true;
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status};
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};
    use std::time::SystemTime;

    fn queue(room: usize, capacity: usize, batch_size: usize) -> Queue {
        Queue::new(Arc::default(), room, capacity, batch_size)
    }

    fn span(name: impl Into<String>) -> Record {
        Record {
            context: SpanContext::empty_context(),
            parent: SpanId::INVALID,
            parent_is_remote: false,
            kind: SpanKind::Internal,
            name: name.into().into(),
            start: SystemTime::UNIX_EPOCH,
            end: SystemTime::UNIX_EPOCH,
            attributes: Vec::new(),
            events: Vec::new(),
            links: Vec::new(),
            dropped: crate::record::Dropped::default(),
            status: Status::Unset,
        }
    }

    fn is_ready(future: impl Future) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        pin!(future).poll(&mut context).is_ready()
    }

    #[test]
    fn batches_hold_spans_in_order_after_the_room_and_a_full_queue_takes_no_more() {
        let queue = queue(5, 5, 2);
        let names = ["a", "b", "c", "d", "e", "f"];
        names.iter().for_each(|name| queue.push(&span(*name)));
        assert_eq!(queue.counts.dropped.load(Ordering::Relaxed), 1);
        for expected in [&names[0..2], &names[2..4], &names[4..5]] {
            let batch = queue.take().expect("a batch");
            let mut bytes = vec![0; 5];
            for name in expected {
                encode::span(&mut bytes, &span(*name));
            }
            assert_eq!((&batch.bytes, batch.spans), (&bytes, expected.len()));
        }
        assert!(queue.take().is_none());
        queue.push(&span("g"));
        assert_eq!(queue.queued(), 1);
        queue.close();
        queue.push(&span("h"));
        assert_eq!(
            (queue.queued(), queue.counts.dropped.load(Ordering::Relaxed)),
            (1, 2)
        );
    }

    #[test]
    fn the_export_thread_is_woken_for_the_first_span_and_for_a_whole_batch_or_a_full_queue() {
        for (capacity, batch_size) in [(10, 3), (3, 10)] {
            let queue = queue(0, capacity, batch_size);
            let (mut any, mut full) = (pin!(queue.any()), pin!(queue.full()));
            assert!(!is_ready(any.as_mut()));
            queue.push(&span("a"));
            assert!(is_ready(any.as_mut()));
            assert!(!is_ready(full.as_mut()));
            queue.push(&span("b"));
            assert!(!is_ready(full.as_mut()));
            queue.push(&span("c"));
            assert!(is_ready(full.as_mut()));
            assert!(is_ready(queue.any()));
        }
    }

    #[test]
    fn a_thread_keeps_little_of_what_a_long_span_took() {
        let queue = queue(0, 1, 1);
        queue.push(&span("n".repeat(1 << 20)));
        let kept = ENCODED.with_borrow(Vec::capacity);
        assert!(queue.queued() == 1 && kept <= SPAN, "{kept}");
    }
}
