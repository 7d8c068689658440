//! The trace pipe: set up, running, shut down.

use std::fmt;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use cap_egress::Connector;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, ShouldSample, SpanLimits};
use tokio::sync::{mpsc, watch};

use crate::config::Config;
use crate::deliver;
use crate::error::{Error, Kind};
use crate::queue::Queue;
use crate::stats::{Counts, Stats};

/// The trace pipe. Clones share it.
#[derive(Clone)]
pub struct Tracing(Option<Arc<Pipe>>);

struct Pipe {
    tracer: SdkTracer,
    counts: Arc<Counts>,
    stop: watch::Sender<Option<Instant>>,
    stopped: Mutex<Receiver<()>>,
    // The tracer keeps only a weak hold of its provider.
    _provider: SdkTracerProvider,
}

impl Tracing {
    /// A pipe that makes no spans; inbound context and baggage still pass through to outbound calls.
    pub fn disabled() -> Self {
        Tracing(None)
    }

    /// Starts the pipe, with a thread of its own for the export, from inside or outside any runtime. A collector that is away
    /// delays nothing.
    ///
    /// # Errors
    ///
    /// When a setting cannot work, or the system has no thread left.
    pub fn start(config: Config, connector: Connector) -> Result<Self, Error> {
        if config.queue_size == 0 || config.batch_size == 0 {
            let what = "0 would drop every span; write at least 1".to_owned();
            return Err(Kind::Config {
                key: "queue_size",
                what,
            }
            .into());
        }
        let counts = Arc::new(Counts::default());
        let (spans, queued) = mpsc::channel(config.queue_size);
        let (stop, stopping) = watch::channel(None);
        let (done, stopped) = channel();

        let resource = Resource::builder_empty()
            .with_attributes(
                config
                    .resource
                    .iter()
                    .map(|(key, value)| KeyValue::new(key.clone(), value.clone())),
            )
            .build();
        let sampler = Sampler::parent_based(Sampler::TraceIdRatioBased(config.sample_rate.get()));
        let provider = SdkTracerProvider::builder()
            .with_sampler(Box::new(sampler) as Box<dyn ShouldSample>)
            // The SDK's own defaults would come from the environment.
            .with_span_limits(SpanLimits::default())
            .with_resource(resource.clone())
            .with_span_processor(Queue { spans, counts: Arc::clone(&counts) })
            .build();
        let scope = InstrumentationScope::builder("cap-tracing")
            .with_version(env!("CARGO_PKG_VERSION"))
            .build();
        let tracer = provider.tracer_with_scope(scope);

        let worker = deliver::Worker::new(
            config,
            connector,
            &resource,
            queued,
            Arc::clone(&counts),
            stopping,
        )?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Kind::Thread)?;
        thread::Builder::new()
            .name("cap-tracing".to_owned())
            .spawn(move || {
                // The exporter must not trace itself, whatever the caller's subscriber does.
                tracing::subscriber::with_default(
                    tracing::subscriber::NoSubscriber::default(),
                    || {
                        runtime.block_on(worker.run());
                    },
                );
                // Nobody may be waiting.
                let _ = done.send(());
            })
            .map_err(Kind::Thread)?;
        Ok(Tracing(Some(Arc::new(Pipe {
            tracer,
            counts,
            stop,
            stopped: Mutex::new(stopped),
            _provider: provider,
        }))))
    }

    pub(crate) fn tracer(&self) -> Option<&SdkTracer> {
        self.0.as_ref().map(|pipe| &pipe.tracer)
    }

    /// The accounting so far; all zero when disabled.
    pub fn stats(&self) -> Stats {
        self.0
            .as_ref()
            .map_or_else(Stats::default, |pipe| pipe.counts.stats())
    }

    /// Sends what is queued and ends the thread, within `deadline`; spans that could not be sent by then count as failed, and
    /// spans that end later as dropped. Blocks the calling thread for so long; in async code call it where blocking is allowed.
    pub fn shutdown(&self, deadline: Duration) -> Stats {
        let Some(pipe) = &self.0 else {
            return Stats::default();
        };
        let until = Instant::now() + deadline;
        pipe.stop.send_if_modified(|stop| {
            let first = stop.is_none();
            stop.get_or_insert(until);
            first
        });
        let stopped = pipe.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        // The thread itself keeps to the deadline; the margin only covers its scheduling.
        let margin = Duration::from_millis(200);
        match stopped.recv_timeout(until.saturating_duration_since(Instant::now()) + margin) {
            // A disconnected channel: an earlier call has already seen the thread end.
            Ok(()) | Err(RecvTimeoutError::Disconnected) => {}
            Err(RecvTimeoutError::Timeout) => {
                tracing::warn!(target: "cap_tracing", "the trace export thread did not stop within the deadline");
            }
        }
        drop(stopped);
        pipe.counts.stats()
    }
}

impl fmt::Debug for Tracing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(pipe) => f
                .debug_tuple("Tracing")
                .field(&pipe.counts.stats())
                .finish(),
            None => f.write_str("Tracing(disabled)"),
        }
    }
}
