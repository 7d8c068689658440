//! The queue of ended spans, between the threads that make spans and the export thread.
//!
//! # Theory of operation
//!
//! This page covers the queue, [`batch`](crate::batch) and [`export`](crate::export).
//!
//! ## States
//!
//! A sampled span is in one of four states, and [`Stats`](crate::Stats) counts each of them:
//!
//! - Open. [`Recorder`](crate::recorder::Recorder) holds its record. `started` counts it.
//! - Queued. The thread that ends the span encodes it, appends it to the last batch, and frees its
//!   record.
//! - In flight. The export thread takes the oldest batch, full or not, and sends it. There is one
//!   such batch at a time.
//! - Done. Exactly one of `exported`, `rejected`, `dropped` and `failed` counts it. A span that
//!   finds the queue full or closed goes from open to dropped.
//!
//! `pending` is the number of spans in the first three states.
//!
//! The export thread is in one of four states:
//!
//! - Idle. It waits for one span, a flush, or a stop.
//! - Filling. It waits for a whole batch, a full queue, `batch_delay`, a flush, or a stop.
//! - Exporting. It sends one batch until the collector answers for good, `retry_for` is over, or
//!   the deadline of a stop passes. After that, if a flush waits, it exports as many spans as were
//!   queued when it began to serve the flush, and answers it.
//! - Stopping. It closes the queue and exports what is left. Once the deadline has passed, it
//!   counts the remaining batches as failed without sending them.
//!
//! ## Locks
//!
//! Three locks can be held together. They are taken in this order:
//!
//! - OpenTelemetry's lock on one recorded span. It protects the record, and is held while the span
//!   ends.
//! - `Queue::waiting`. It protects the batches, their number of spans, `closed`, and what the
//!   export thread waits for. Encoding is done before the lock is taken, so a holder copies at most
//!   one span, or begins a batch.
//! - `Pool::kept`. It protects the buffers that wait for reuse. A thread that begins a batch takes
//!   it under `waiting`. A batch that is dropped takes it alone.
//!
//! `Counts::last_error` and the locks of the gRPC connection are taken alone. No lock is held
//! across an `await`. `Queue::waiting` is released before a thread is woken; the span's own lock is
//! not.
//!
//! ## Waking the export thread
//!
//! The export thread compares the number of spans with the number that it wants, and stores the
//! latter in `wanted`, under one lock. The push that reaches this number takes it and notifies. A
//! batch costs at most two wakes: one at its first span if the thread was idle, and one when it is
//! full. A notification between the unlock and the wait is not lost, because [`Notify`] keeps one
//! permit. A permit that is left over from a canceled wait costs one more comparison.
//!
//! ## Atomics
//!
//! - `Queue::queued` repeats `Waiting::queued`. It is written under the lock and read without, both
//!   Relaxed, because it publishes no other memory and decides nothing but whether to encode: a
//!   stale value costs an encoding for nothing, or drops a span that would just have found room.
//!   The bound itself is checked under the lock.
//! - The counters of [`Counts`] are added to with AcqRel and read with Acquire. A span is counted
//!   as started before it can be counted as done, and a reader loads `started` last. It therefore
//!   sees the start of each span whose end it has seen, and `pending` is never negative.
//!
//! ## Bounds
//!
//! | what | bound |
//! |---|---|
//! | spans queued | `queue_size` |
//! | spans in flight | `batch_size` |
//! | attributes, events and links of a span | 128 each; the length of a value has no bound |
//! | memory of batches kept for reuse | 4 buffers of at most 1 MiB |
//! | memory that a thread keeps for encoding | 16 KiB |
//! | one attempt | `timeout` |
//! | one batch with its retries | `retry_for` |
//! | the pause between attempts | 250 ms, doubled up to 5 s; longer if the collector asks for it |
//! | everything after a stop | the deadline of the stop |
//! | the answer of a collector | 64 KiB are read, 300 characters shown |
//! | flushes | each blocks its caller, up to that caller's deadline |

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::batch::{Batch, Pool};
use crate::encode;
use crate::record::Record;
use crate::stats::Counts;

/// Bytes that a thread keeps for the next span that it encodes.
const SPAN: usize = 16 * 1024;

/// Takes ended spans without blocking on the export.
///
/// The thread that ends a span encodes it and frees its record there. The export thread frees
/// nothing that other threads allocated, which would be slow. The encoded span goes to the end of a
/// batch, and the batch is sent as it is, so no span is copied twice.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) counts: Arc<Counts>,
    pool: Arc<Pool>,
    capacity: usize,
    batch_size: usize,
    waiting: Mutex<Waiting>,
    /// The same number as [`Waiting::queued`], to be read without the lock.
    queued: AtomicUsize,
    enough: Notify,
}

#[derive(Debug)]
struct Waiting {
    batches: VecDeque<Batch>,
    queued: usize,
    closed: bool,
    /// The number of spans at which the export thread wants to be woken. A wake costs more than a
    /// span does, so there is one per batch.
    wanted: Option<usize>,
}

thread_local! {
    static ENCODED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Queue {
    /// A queue for `capacity` spans, in batches of at most `batch_size`.
    pub(crate) fn new(
        counts: Arc<Counts>,
        room: usize,
        capacity: usize,
        batch_size: usize,
    ) -> Self {
        Self {
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
        // A span without room is not encoded.
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
        // A span may end while its thread ends, after the thread's buffer is gone.
        encoded.ok().flatten().unwrap_or_else(|| {
            let mut encoded = Vec::new();
            encode::span(&mut encoded, span);
            self.append(&encoded)
        })
    }

    /// Returns whether there was room.
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

    /// Waits for a span.
    pub(crate) async fn any(&self) {
        self.until(1).await;
    }

    /// Waits for a whole batch, or for a full queue.
    pub(crate) async fn full(&self) {
        self.until(self.batch_size.min(self.capacity)).await;
    }

    /// Only the export thread calls this.
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

    /// Takes the oldest batch.
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

    /// From here on, a span that ends is dropped.
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
    fn batches_keep_the_order_and_a_full_queue_drops() {
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
        assert_eq!((queue.queued(), queue.counts.dropped.load(Ordering::Relaxed)), (1, 2));
    }

    #[test]
    fn a_first_span_a_whole_batch_and_a_full_queue_wake() {
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
