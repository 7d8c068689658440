//! The trace pipe: set up, running, shut down.

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

/// The trace pipe. Clones share it.
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
    /// A pipe that makes no spans; inbound context and baggage still pass through to outbound calls.
    pub fn disabled() -> Self {
        Tracer(None)
    }

    /// Starts the pipe, with a thread of its own for the export, from inside or outside any runtime. A collector that is away
    /// delays nothing.
    ///
    /// # Errors
    ///
    /// When a setting cannot work, or the system has no thread left.
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
        Ok(Tracer(Some(Arc::new(Active {
            sampler,
            trusted_peers,
            queue,
            flushes,
            worker,
        }))))
    }

    pub(crate) fn active(&self) -> Option<&Active> {
        self.0.as_deref()
    }

    /// Changes the share of traces that are sampled from here on. Traces under way keep their decision.
    pub fn set_sample_rate(&self, rate: SampleRate) {
        if let Some(active) = &self.0 {
            active.sampler.set(rate);
        }
    }

    /// The share of traces that are sampled; `None` when disabled.
    pub fn sample_rate(&self) -> Option<SampleRate> {
        self.0.as_ref().map(|active| active.sampler.rate())
    }

    /// The accounting so far; all zero when disabled.
    pub fn stats(&self) -> Stats {
        self.0
            .as_ref()
            .map_or_else(Stats::default, |active| active.queue.counts.stats())
    }

    /// Sends what is queued now without waiting for batches to fill, and returns when each span of it has been accepted, refused or
    /// given up, or at the deadline: then it is still being tried, and [`Stats::last_error`] says why. Blocks the calling thread for
    /// so long; in async code call it where blocking is allowed.
    pub fn flush(&self, deadline: Duration) -> Stats {
        let Some(active) = &self.0 else {
            return Stats::default();
        };
        let (flush, flushed) = channel();
        if active.flushes.send(flush).is_ok() {
            // Late, or the thread has ended meanwhile: the numbers say how far it came.
            let _ = flushed.recv_timeout(deadline);
        }
        active.queue.counts.stats()
    }

    /// Sends what is queued and ends the thread, within `deadline`; spans that could not be sent by then count as failed, and
    /// spans that end later as dropped. Blocks the calling thread for so long; in async code call it where blocking is allowed.
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
    /// Whether the decision that came with a request is honoured. Of whom nothing is known is not trusted.
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
            Some(active) => f
                .debug_tuple("Tracer")
                .field(&active.queue.counts.stats())
                .finish(),
            None => f.write_str("Tracer(disabled)"),
        }
    }
}
