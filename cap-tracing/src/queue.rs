//! Ended spans on their way to the export thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Notify, mpsc};

use crate::recorder::Record;
use crate::stats::Counts;

/// Takes ended spans into a bounded queue, without waiting.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) spans: mpsc::Sender<Record>,
    pub(crate) counts: Arc<Counts>,
    pub(crate) batch_size: usize,
    pub(crate) filling: Arc<Filling>,
}

/// How the export thread waits for a batch to fill: it is woken once, when the queue holds a batch. Waking a thread costs more than
/// a span does, and waiting on the queue itself it would be woken by each.
#[derive(Debug, Default)]
pub(crate) struct Filling {
    waiting: AtomicBool,
    full: Notify,
}

impl Filling {
    /// Waits until the queue of `spans` holds `enough`.
    pub(crate) async fn until(&self, spans: &mpsc::Receiver<Record>, enough: usize) {
        loop {
            // Said before looking: a span that ends after the look finds it said.
            self.waiting.store(true, Ordering::SeqCst);
            if spans.len() >= enough || spans.is_closed() {
                return;
            }
            self.full.notified().await;
        }
    }
}

impl Queue {
    pub(crate) fn started(&self) {
        self.counts.started.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn push(&self, span: Record) {
        if self.spans.try_send(span).is_err() {
            self.counts.dropped.fetch_add(1, Ordering::AcqRel);
            return;
        }
        let queued = self.spans.max_capacity() - self.spans.capacity();
        if queued >= self.batch_size
            && self.filling.waiting.load(Ordering::SeqCst)
            && self.filling.waiting.swap(false, Ordering::SeqCst)
        {
            self.filling.full.notify_one();
        }
    }
}
