//! The export thread: batches, retries, and what became of each span.

mod transport;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cap_egress::Connector;
use opentelemetry_otlp::{WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use tokio::sync::{mpsc, watch};

use crate::config::Config;
use crate::error::{Error, Kind};
use crate::stats::Counts;
use crate::stop::Deadline;
use transport::{Outcome, Transport};

/// Turns queued spans into export requests.
pub(crate) struct Worker {
    spans: mpsc::Receiver<SpanData>,
    stopping: watch::Receiver<Deadline>,
    counts: Arc<Counts>,
    /// The stock exporter serves as the encoder; delivery is decided by the transport it is given.
    encoder: opentelemetry_otlp::SpanExporter,
    transport: Transport,
    batch_size: usize,
    batch_delay: Duration,
}

impl Worker {
    pub(crate) fn new(
        config: Config,
        connector: Connector,
        resource: &Resource,
        spans: mpsc::Receiver<SpanData>,
        counts: Arc<Counts>,
        stopping: watch::Receiver<Deadline>,
    ) -> Result<Self, Error> {
        let (batch_size, batch_delay) = (config.batch_size, config.batch_delay);
        let endpoint = config.endpoint.to_string();
        let transport = Transport::new(config, connector, Arc::clone(&counts), stopping.clone());
        let mut encoder = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(transport.clone())
            .with_endpoint(endpoint)
            .with_protocol(opentelemetry_otlp::Protocol::HttpBinary)
            .build()
            .map_err(Kind::Exporter)?;
        encoder.set_resource(resource);
        Ok(Worker {
            spans,
            stopping,
            counts,
            encoder,
            transport,
            batch_size,
            batch_delay,
        })
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
                self.counts
                    .failed
                    .fetch_add(batch.len() as u64, Ordering::AcqRel);
                batch.clear();
            } else {
                self.export(&mut batch).await;
            }
        }
    }

    /// Waits for the batch to fill, as long as a span may wait.
    async fn fill(&mut self, batch: &mut Vec<SpanData>) {
        let full = async {
            while batch.len() < self.batch_size {
                let room = self.batch_size - batch.len();
                if self.spans.recv_many(batch, room).await == 0 {
                    break;
                }
            }
        };
        tokio::select! {
            () = full => {}
            () = tokio::time::sleep(self.batch_delay) => {}
            // Whoever stops the pipe wants it sent now.
            _ = self.stopping.wait_for(Option::is_some) => {}
        }
    }

    async fn export(&mut self, batch: &mut Vec<SpanData>) {
        let spans = batch.len() as u64;
        let encoded = self.encoder.export(std::mem::take(batch)).await;
        let outcome = match encoded {
            Ok(()) => self.transport.outcome(),
            Err(error) => Outcome::Failed(error.to_string()),
        };
        match outcome {
            Outcome::Accepted { rejected, message } => {
                let rejected = rejected.min(spans);
                self.counts
                    .exported
                    .fetch_add(spans - rejected, Ordering::AcqRel);
                self.counts.rejected.fetch_add(rejected, Ordering::AcqRel);
                self.counts.set_error(
                    (rejected > 0)
                        .then(|| format!("the collector refused {rejected} spans: {message}")),
                );
            }
            Outcome::Failed(error) => {
                self.counts.failed.fetch_add(spans, Ordering::AcqRel);
                self.counts.set_error(Some(error));
            }
        }
    }
}
