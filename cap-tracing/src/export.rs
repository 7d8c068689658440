//! The export thread: it sends batches and counts the outcome of each span.
//!
//! Its states are described in [`queue`](crate::queue).

mod transport;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cap_egress::Connector;
use cap_egress::worker::StopSignal;
use tokio::sync::mpsc;

use crate::batch::Batch;
use crate::config::Config;
use crate::encode::Encoder;
use crate::queue::Queue;
use transport::{GivenUp, Transport, printable};

/// Answered when every span that was queued before it has been sent or given up.
pub(crate) type Flush = std::sync::mpsc::Sender<()>;

/// Takes batches from the queue and sends them.
pub(crate) struct Worker {
    queue: Arc<Queue>,
    stop: StopSignal,
    flushes: mpsc::UnboundedReceiver<Flush>,
    /// Flushes that wait for an answer.
    waiting: Vec<Flush>,
    encoder: Encoder,
    transport: Transport,
    batch_delay: Duration,
}

impl Worker {
    pub(crate) fn new(
        config: Config,
        connector: Connector,
        encoder: Encoder,
        queue: Arc<Queue>,
        flushes: mpsc::UnboundedReceiver<Flush>,
        stop: StopSignal,
    ) -> Self {
        let batch_delay = config.batch_delay;
        let counts = Arc::clone(&queue.counts);
        let transport = Transport::new(config, connector, counts, stop.clone());
        Self { queue, stop, flushes, waiting: Vec::new(), encoder, transport, batch_delay }
    }

    pub(crate) async fn run(mut self) {
        while !self.stop.is_requested() {
            tokio::select! {
                () = self.queue.any() => {
                    self.fill().await;
                    if let Some(batch) = self.queue.take() {
                        self.export(batch).await;
                    }
                    self.flush().await;
                }
                Some(flush) = self.flushes.recv() => {
                    self.waiting.push(flush);
                    self.flush().await;
                }
                () = self.stop.requested() => {}
            }
        }
        // What is queued goes out in full batches until the deadline; the rest then counts as
        // unsent.
        self.queue.close();
        while let Some(batch) = self.queue.take() {
            let late = self.stop.deadline().is_some_and(|until| until <= Instant::now());
            if late {
                self.queue.counts.fail(None, batch.spans as u64);
            } else {
                self.export(batch).await;
            }
        }
    }

    /// Waits for the batch to fill, for at most `batch_delay`.
    async fn fill(&mut self) {
        tokio::select! {
            () = self.queue.full() => {}
            () = tokio::time::sleep(self.batch_delay) => {}
            Some(flush) = self.flushes.recv() => self.waiting.push(flush),
            // A stop sends what is there at once.
            () = self.stop.requested() => {}
        }
    }

    /// Sends what is queued at this moment and answers the flushes, if there are any.
    async fn flush(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let mut left = self.queue.queued();
        while left > 0
            && !self.stop.is_requested()
            && let Some(batch) = self.queue.take()
        {
            left = left.saturating_sub(batch.spans);
            self.export(batch).await;
        }
        for flush in self.waiting.drain(..) {
            // A caller whose deadline has passed no longer listens.
            let _ = flush.send(());
        }
    }

    async fn export(&mut self, batch: Batch) {
        let spans = batch.spans as u64;
        let request = self.encoder.encode(batch);
        let counts = &self.queue.counts;
        match self.transport.send(request).await {
            Ok(partial) => {
                let rejected = u64::try_from(partial.rejected_spans).unwrap_or(0).min(spans);
                counts.exported.fetch_add(spans - rejected, Ordering::AcqRel);
                counts.rejected.fetch_add(rejected, Ordering::AcqRel);
                counts.set_error((rejected > 0).then(|| {
                    let why = printable(&partial.error_message);
                    format!("the collector refused {rejected} spans: {why}")
                }));
            }
            Err(GivenUp { class, why }) => {
                counts.fail(Some(class), spans);
                counts.set_error(Some(why));
            }
        }
    }
}
