//! Ended spans on their way to the export thread.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use tokio::sync::mpsc;

use crate::stats::Counts;

/// Puts ended spans into a bounded queue, without waiting.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) spans: mpsc::Sender<SpanData>,
    pub(crate) counts: Arc<Counts>,
}

impl SpanProcessor for Queue {
    fn on_start(&self, _: &mut Span, _: &Context) {
        self.counts.started.fetch_add(1, Ordering::AcqRel);
    }

    fn on_end(&self, span: SpanData) {
        if self.spans.try_send(span).is_err() {
            self.counts.dropped.fetch_add(1, Ordering::AcqRel);
        }
    }

    // Flushing and shutting down are the pipe's, which has deadlines and says what was left.
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}
