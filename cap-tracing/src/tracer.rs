//! The handle of the trace pipeline: start, settings that change while it runs, shutdown.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use cap_egress::worker::Worker;
use cap_egress::{Connector, IpNet};
use tokio::sync::mpsc;

use crate::config::{Config, SampleRate};
use crate::encode::Encoder;
use crate::error::{Error, Kind};
use crate::export;
use crate::queue::Queue;
use crate::sampling::Sampler;
use crate::stats::{Counts, Stats};

/// Makes spans and exports them. Clones share one pipeline.
#[derive(Clone)]
pub struct Tracer(Option<Arc<Active>>);

pub(crate) struct Active {
    pub(crate) sampler: Sampler,
    trusted_peers: Option<Vec<IpNet>>,
    pub(crate) queue: Arc<Queue>,
    flushes: mpsc::UnboundedSender<export::Flush>,
    worker: Worker,
}

impl Tracer {
    /// A tracer that makes no spans. Inbound context and baggage still go out with calls.
    pub fn disabled() -> Self {
        Self(None)
    }

    /// Starts the pipeline with a thread of its own for the export.
    ///
    /// The caller may be inside a runtime or outside of any. A collector that does not answer
    /// delays nothing.
    ///
    /// # Errors
    ///
    /// The system starts no thread.
    pub fn start(config: Config, connector: Connector) -> Result<Self, Error> {
        let counts = Arc::new(Counts::default());
        let (flushes, flushing) = mpsc::unbounded_channel();
        let encoder = Encoder::new(&config);
        let queue = Arc::new(Queue::new(
            Arc::clone(&counts),
            encoder.room(),
            config.queue_size.get(),
            config.batch_size.get(),
        ));

        let sampler = Sampler::new(config.sample_rate);
        let trusted_peers = config.trusted_peers.clone();
        let export_queue = Arc::clone(&queue);
        let worker = Worker::start("cap-tracing", move |runtime, stop| {
            // The exporter must not trace itself, whatever the caller's subscriber does, and not
            // while its connections are taken down either.
            let silent = tracing::subscriber::NoSubscriber::default();
            let _silent = tracing::subscriber::set_default(silent);
            let export =
                export::Worker::new(config, connector, encoder, export_queue, flushing, stop);
            runtime.run(export.run());
        })
        .map_err(Kind::Thread)?;
        Ok(Self(Some(Arc::new(Active { sampler, trusted_peers, queue, flushes, worker }))))
    }

    pub(crate) fn active(&self) -> Option<&Active> {
        self.0.as_deref()
    }

    /// Changes the share of traces to sample. Traces that have begun keep their decision.
    pub fn set_sample_rate(&self, rate: SampleRate) {
        if let Some(active) = &self.0 {
            active.sampler.set(rate);
        }
    }

    /// The share of traces to sample; `None` if the tracer is disabled.
    pub fn sample_rate(&self) -> Option<SampleRate> {
        self.0.as_ref().map(|active| active.sampler.rate())
    }

    /// The accounting so far; all zero if the tracer is disabled.
    pub fn stats(&self) -> Stats {
        self.0.as_ref().map_or_else(Stats::default, |active| active.queue.counts.stats())
    }

    /// Sends what is queued, without waiting for batches to fill.
    ///
    /// Blocks the calling thread until each of these spans is accepted, rejected or given up, or
    /// until `deadline` has passed. The thread then goes on sending, and [`Stats::last_error`] says
    /// why it has not succeeded yet. In async code, call it where blocking is allowed.
    pub fn flush(&self, deadline: Duration) -> Stats {
        let Some(active) = &self.0 else {
            return Stats::default();
        };
        let (flush, flushed) = channel();
        if active.flushes.send(flush).is_ok() {
            // After the deadline, or once the thread has ended, the counters say how far it came.
            let _ = flushed.recv_timeout(deadline);
        }
        active.queue.counts.stats()
    }

    /// Sends what is queued and ends the export thread within `deadline`.
    ///
    /// Spans that are not sent by then count as failed, and spans that end later as dropped. Blocks
    /// the calling thread for up to `deadline` and 200 ms. In async code, call it where blocking is
    /// allowed.
    pub fn shutdown(&self, deadline: Duration) -> Stats {
        let Some(active) = &self.0 else {
            return Stats::default();
        };
        if active.worker.stop_within(deadline).is_err() {
            tracing::warn!(target: "cap_tracing", "the trace export thread did not stop within the deadline");
        }
        active.queue.counts.stats()
    }
}

impl Active {
    /// Whether to honor the decision that came with a request. An unknown peer is trusted only if
    /// all are.
    pub(crate) fn trusts(&self, peer: Option<IpAddr>) -> bool {
        let Some(trusted) = &self.trusted_peers else {
            return true;
        };
        peer.map(|peer| peer.to_canonical())
            .is_some_and(|peer| trusted.iter().any(|net| net.contains(&peer)))
    }
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(active) => f.debug_tuple("Tracer").field(&active.queue.counts.stats()).finish(),
            None => f.write_str("Tracer(disabled)"),
        }
    }
}
