//! Ended spans, encoded, on their way to the export thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Notify, mpsc};

use crate::buffers::Buffers;
use crate::deliver::encode;
use crate::recorder::Record;
use crate::stats::Counts;

/// Takes ended spans into a bounded queue, without waiting.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) spans: mpsc::Sender<Vec<u8>>,
    pub(crate) counts: Arc<Counts>,
    pub(crate) filling: Arc<Filling>,
    pub(crate) buffers: Arc<Buffers>,
}

/// How the export thread waits for a batch to fill: it is woken once, when the queue holds what the batch lacks. Waking a thread
/// costs more than a span does, and waiting on the queue itself it would be woken by each.
#[derive(Debug)]
pub(crate) struct Filling {
    /// How many spans the batch lacks; [`NOT_WAITING`] when nobody waits for them.
    lacking: AtomicUsize,
    full: Notify,
}

const NOT_WAITING: usize = usize::MAX;

impl Default for Filling {
    fn default() -> Self {
        Filling {
            lacking: AtomicUsize::new(NOT_WAITING),
            full: Notify::new(),
        }
    }
}

impl Filling {
    /// Waits until the queue of `spans` holds `enough`.
    pub(crate) async fn until(&self, spans: &mpsc::Receiver<Vec<u8>>, enough: usize) {
        while spans.len() < enough && !spans.is_closed() {
            // Said before looking again: a span that ends after that look finds it said.
            self.lacking.store(enough, Ordering::SeqCst);
            if spans.len() < enough {
                self.full.notified().await;
            }
        }
    }

    fn queued(&self, spans: usize) {
        if spans >= self.lacking.load(Ordering::SeqCst)
            && self.lacking.swap(NOT_WAITING, Ordering::SeqCst) != NOT_WAITING
        {
            self.full.notify_one();
        }
    }
}

impl Queue {
    pub(crate) fn started(&self) {
        self.counts.started.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn push(&self, span: &Record) {
        let Ok(room) = self.spans.try_reserve() else {
            self.counts.dropped.fetch_add(1, Ordering::AcqRel);
            return;
        };
        let mut encoded = self.buffers.take();
        encode::span(&mut encoded, span);
        room.send(encoded);
        let queued = self.spans.max_capacity() - self.spans.capacity();
        self.filling.queued(queued);
    }
}
