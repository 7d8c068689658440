//! The export thread: batches, retries, and what became of each span.

pub(crate) mod encode;
mod transport;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cap_egress::Connector;
use tokio::sync::{mpsc, watch};

use crate::buffers::Buffers;
use crate::config::Config;
use crate::queue::{Filling, Queue};
use crate::stats::Counts;
use crate::stop::Deadline;
use encode::Encoder;
use transport::{GivenUp, Transport, remark};

/// Told when everything that was queued before it has been sent or given up.
pub(crate) type Flush = std::sync::mpsc::Sender<()>;

/// Turns queued spans into export requests.
pub(crate) struct Worker {
    spans: mpsc::Receiver<Vec<u8>>,
    filling: Arc<Filling>,
    buffers: Arc<Buffers>,
    stopping: watch::Receiver<Deadline>,
    flushes: mpsc::UnboundedReceiver<Flush>,
    /// Who waits for what is queued to be sent.
    waiting: Vec<Flush>,
    counts: Arc<Counts>,
    encoder: Encoder,
    transport: Transport,
    batch_size: usize,
    batch_delay: Duration,
}

impl Worker {
    pub(crate) fn new(
        config: Config,
        connector: Connector,
        spans: mpsc::Receiver<Vec<u8>>,
        queue: Arc<Queue>,
        flushes: mpsc::UnboundedReceiver<Flush>,
        counts: Arc<Counts>,
        stopping: watch::Receiver<Deadline>,
    ) -> Self {
        let (batch_size, batch_delay) = (config.batch_size, config.batch_delay);
        let encoder = Encoder::new(&config);
        let transport = Transport::new(config, connector, Arc::clone(&counts), stopping.clone());
        Worker {
            spans,
            filling: Arc::clone(&queue.filling),
            buffers: Arc::clone(&queue.buffers),
            stopping,
            flushes,
            waiting: Vec::new(),
            counts,
            encoder,
            transport,
            batch_size,
            batch_delay,
        }
    }

    pub(crate) async fn run(mut self) {
        let mut batch = Vec::with_capacity(self.batch_size);
        while self.stopping.borrow_and_update().is_none() {
            tokio::select! {
                received = self.spans.recv_many(&mut batch, self.batch_size) => {
                    if received == 0 {
                        break;
                    }
                    self.fill(&mut batch).await;
                    self.export(&mut batch).await;
                    self.flush(&mut batch).await;
                }
                Some(flush) = self.flushes.recv() => {
                    self.waiting.push(flush);
                    self.flush(&mut batch).await;
                }
                Ok(()) = self.stopping.changed() => {}
            }
        }
        // Nothing more is taken in; what is queued goes out in full batches until the deadline, and is given up then.
        self.spans.close();
        while self.spans.recv_many(&mut batch, self.batch_size).await > 0 {
            let late = self
                .stopping
                .borrow()
                .is_some_and(|until| until <= Instant::now());
            if late {
                self.counts.fail(None, batch.len() as u64);
                batch.clear();
            } else {
                self.export(&mut batch).await;
            }
        }
    }

    /// Waits for the batch to fill, as long as a span may wait.
    async fn fill(&mut self, batch: &mut Vec<Vec<u8>>) {
        let room = self.batch_size.saturating_sub(batch.len());
        tokio::select! {
            () = self.filling.until(&self.spans, room) => {}
            () = tokio::time::sleep(self.batch_delay) => {}
            Some(flush) = self.flushes.recv() => self.waiting.push(flush),
            // Whoever stops the pipe wants it sent now.
            _ = self.stopping.wait_for(Option::is_some) => {}
        }
        while batch.len() < self.batch_size
            && let Ok(span) = self.spans.try_recv()
        {
            batch.push(span);
        }
    }

    /// Where somebody waits for it, sends what is queued at this moment, and tells them.
    async fn flush(&mut self, batch: &mut Vec<Vec<u8>>) {
        if self.waiting.is_empty() {
            return;
        }
        let mut left = self.spans.len();
        while left > 0 && self.stopping.borrow().is_none() {
            left -= self.spans.recv_many(batch, left.min(self.batch_size)).await;
            self.export(batch).await;
        }
        for flush in self.waiting.drain(..) {
            // Who has stopped waiting is not told.
            let _ = flush.send(());
        }
    }

    async fn export(&mut self, batch: &mut Vec<Vec<u8>>) {
        let spans = batch.len() as u64;
        let request = self.encoder.encode(batch);
        self.buffers.give(batch.drain(..));
        match self.transport.send(request).await {
            Ok(partial) => {
                let rejected = u64::try_from(partial.rejected_spans)
                    .unwrap_or(0)
                    .min(spans);
                self.counts
                    .exported
                    .fetch_add(spans - rejected, Ordering::AcqRel);
                self.counts.rejected.fetch_add(rejected, Ordering::AcqRel);
                self.counts.set_error((rejected > 0).then(|| {
                    let why = remark(&partial.error_message);
                    format!("the collector refused {rejected} spans: {why}")
                }));
            }
            Err(GivenUp { class, why }) => {
                self.counts.fail(Some(class), spans);
                self.counts.set_error(Some(why));
            }
        }
    }
}
