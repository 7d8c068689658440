//! Ended spans on their way to the export thread.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use opentelemetry_sdk::trace::SpanData;
use tokio::sync::mpsc;

use crate::stats::Counts;

/// Takes ended spans into a bounded queue, without waiting.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) spans: mpsc::Sender<SpanData>,
    pub(crate) counts: Arc<Counts>,
}

impl Queue {
    pub(crate) fn started(&self) {
        self.counts.started.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn push(&self, span: SpanData) {
        if self.spans.try_send(span).is_err() {
            self.counts.dropped.fetch_add(1, Ordering::AcqRel);
        }
    }
}
