//! The one handle: started once, cloned freely, shut down once.

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use cap_egress::{Connector, Guard, Trust};
use cap_metrics::{ExemplarIds, Metrics, MetricsService, PipelineTotals, SpanTotals};
use cap_syslog::{Backfill, Event, Forwarder};
use cap_tracing::{SampleRate, Tracer};

use crate::audit::Audit;
use crate::config::Config;
use crate::error::{Error, Kind};
use crate::listener::Listener;
use crate::report::{MetricsStatus, Report, Status};

/// Metrics, traces and audit syslog of one process. Clones share the pipes.
#[derive(Clone)]
pub struct Telemetry(Arc<Pipelines>);

struct Pipelines {
    instance_name: String,
    metrics: Metrics,
    /// `None` when metrics are off.
    exposed: Option<Exposed>,
    tracing: Option<Tracer>,
    no_tracing: Tracer,
    audit: Arc<Audit>,
    guard: Guard,
    #[cfg(feature = "settings-ui")]
    policy: cap_egress::Policy,
    connector: Connector,
}

enum Exposed {
    Mounted(MetricsService),
    OwnListener(Listener),
}

impl Telemetry {
    /// Starts the pipelines that are on: `builder(config).start()`.
    ///
    /// # Errors
    ///
    /// As [`TelemetryBuilder::start`].
    pub fn start(config: Config) -> Result<Self, Error> {
        Self::builder(config).start()
    }

    /// The way to start with options.
    pub fn builder(config: Config) -> TelemetryBuilder {
        TelemetryBuilder {
            config,
            backfill: None,
        }
    }

    fn start_with(config: Config, store: Option<Arc<dyn Backfill>>) -> Result<Self, Error> {
        #[cfg(feature = "settings-ui")]
        let policy = config.egress.clone();
        let guard = Guard::new(config.egress);
        let connector = Connector::new(guard.clone(), Trust::system().map_err(Kind::Egress)?);
        let to_collector = match config.tracing_trust {
            Some(trust) => Connector::new(guard.clone(), trust),
            None => connector.clone(),
        };
        let metrics = Metrics::new();
        metrics.process().set_build(env!("CARGO_PKG_VERSION"), "");
        let exposed = match config.metrics {
            None => None,
            Some(exposition) => {
                if exposition.exemplars {
                    metrics.set_exemplar_source(current_trace);
                }
                let service = MetricsService::new(metrics.clone());
                Some(match exposition.listen {
                    None => Exposed::Mounted(service),
                    Some(address) => Exposed::OwnListener(Listener::start(address, service)?),
                })
            }
        };
        let tracing = config
            .tracing
            .map(|config| Tracer::start(config, to_collector))
            .transpose()
            .map_err(Kind::Tracing)?;
        let audit = Arc::new(Audit::start(config.syslog, guard.clone(), store)?);
        let (spans, events, denying) = (tracing.clone(), Arc::clone(&audit), guard.clone());
        metrics.before_scrape(move |metrics| {
            let totals = totals(spans.as_ref(), &events, &denying);
            metrics.pipelines().set(&totals);
        });
        Ok(Telemetry(Arc::new(Pipelines {
            instance_name: config.instance_name,
            metrics,
            exposed,
            tracing,
            no_tracing: Tracer::disabled(),
            audit,
            guard,
            #[cfg(feature = "settings-ui")]
            policy,
            connector,
        })))
    }

    /// The metrics to record into.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// What answers `/metrics`, for the host to mount; `None` where metrics are off, or have a listener of their own.
    pub fn metrics_service(&self) -> Option<MetricsService> {
        match &self.0.exposed {
            Some(Exposed::Mounted(service)) => Some(service.clone()),
            Some(Exposed::OwnListener(_)) | None => None,
        }
    }

    /// Whether anybody reads metrics.
    pub fn metrics_enabled(&self) -> bool {
        self.0.exposed.is_some()
    }

    /// The spans to open; passes contexts through when tracing is off.
    pub fn tracer(&self) -> &Tracer {
        self.0.tracing.as_ref().unwrap_or(&self.0.no_tracing)
    }

    /// Changes the share of traces that are sampled from here on; without effect where tracing is off.
    pub fn set_sample_rate(&self, rate: SampleRate) {
        self.tracer().set_sample_rate(rate);
    }

    /// Sends an audit event to the relay and marks it on the current span; the record carries that span's ids, so that archive
    /// and trace lead to each other. Never waits, and does nothing where syslog is off. The primary record stays the caller's.
    pub fn audit(&self, mut event: Event) {
        let current = cap_tracing::current_span();
        current.record_audit_event(event.event_type(), event.id());
        if let Some(ids) = current.ids() {
            event = event
                .param("trace_id", ids.trace_id_hex())
                .param("span_id", ids.span_id_hex());
        }
        self.0.audit.enqueue(event);
    }

    /// The audit pipe, where it is on: to test it, or to watch its status.
    pub fn syslog(&self) -> Option<Forwarder> {
        self.0.audit.forwarder()
    }

    /// The settings of the audit pipe, or those it had before it was switched off; `None` when it was never on.
    pub fn syslog_config(&self) -> Option<cap_syslog::Config> {
        self.0.audit.config()
    }

    /// Takes over other settings of the audit pipe, which events that are queued survive; switches it on where it was off; with
    /// `None`, switches it off. That may take two seconds, in which the relay is given what is left, and blocks the calling
    /// thread for so long; in async code call it where blocking is allowed.
    ///
    /// # Errors
    ///
    /// When a setting cannot work, or after a shutdown. What was in force then stays so.
    pub fn reconfigure_syslog(&self, config: Option<cap_syslog::Config>) -> Result<(), Error> {
        self.0.audit.reconfigure(config)
    }

    /// The last settings of TLS that the audit pipe had.
    #[cfg(feature = "settings-ui")]
    pub(crate) fn syslog_tls(&self) -> Option<cap_syslog::Tls> {
        self.0.audit.tls()
    }

    #[cfg(feature = "settings-ui")]
    pub(crate) fn remember_syslog(&self, config: cap_syslog::Config) {
        self.0.audit.remember(config);
    }

    /// What the egress policy says of a peer before its name is resolved.
    #[cfg(feature = "settings-ui")]
    pub(crate) fn judge(&self, host: &cap_egress::Host) -> Result<(), cap_egress::Denial> {
        match host.as_ip() {
            Some(address) => self.0.policy.judge(address),
            None => self.0.policy.judge_name(&host.to_string()),
        }
    }

    /// A connector for the process's own HTTP clients, behind the same guard and trust roots.
    pub fn connector(&self) -> Connector {
        self.0.connector.clone()
    }

    /// The guard of every outbound connection.
    pub fn guard(&self) -> &Guard {
        &self.0.guard
    }

    /// The name of this process among its siblings.
    pub fn instance_name(&self) -> &str {
        &self.0.instance_name
    }

    /// A snapshot of all pipes.
    pub fn status(&self) -> Status {
        let pipes = &*self.0;
        let syslog = pipes.audit.forwarder().map(|pipe| pipe.status());
        Status {
            instance_name: pipes.instance_name.clone(),
            metrics: pipes.exposed.as_ref().map(|exposed| MetricsStatus {
                listen: match exposed {
                    Exposed::Mounted(_) => None,
                    Exposed::OwnListener(listener) => Some(listener.address()),
                },
            }),
            tracing: pipes.tracing.as_ref().map(Tracer::stats),
            sample_rate: self.tracer().sample_rate().map(SampleRate::get),
            warning: syslog.as_ref().and_then(|syslog| syslog.warning.clone()),
            syslog,
            egress_denied: pipes
                .guard
                .denials()
                .into_iter()
                .map(|(class, count)| (class.as_str(), count))
                .collect(),
        }
    }

    /// Drains the pipes side by side, all within `deadline`, and reports what was left. Blocks the calling thread for so long;
    /// in async code call it where blocking is allowed. Metrics are still served until the last handle is dropped.
    pub fn shutdown(&self, deadline: Duration) -> Report {
        thread::scope(|scope| {
            // Without a thread to spare, one after the other.
            let tracing = self.0.tracing.as_ref().map(|tracing| {
                let shutdown = move || tracing.shutdown(deadline);
                thread::Builder::new()
                    .spawn_scoped(scope, shutdown)
                    .map_err(|_| shutdown())
            });
            let syslog = self.0.audit.shutdown(deadline);
            let tracing = tracing.map(|thread| match thread {
                Ok(thread) => thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                Err(stats) => stats,
            });
            Report { tracing, syslog }
        })
    }
}

/// What [`Telemetry`] is started with. Required is the configuration alone.
pub struct TelemetryBuilder {
    config: Config,
    backfill: Option<Arc<dyn Backfill>>,
}

impl TelemetryBuilder {
    /// The caller's primary store of audit events. After an outage that outlasts the buffer, the relay gets the events of the
    /// gap from this store, in order, before any later event. That holds for every relay that
    /// [`Telemetry::reconfigure_syslog`] turns to as well. Default: none; dropped events are lost to the relay.
    #[must_use]
    pub fn backfill(mut self, store: impl Backfill) -> Self {
        self.backfill = Some(Arc::new(store));
        self
    }

    /// Starts the pipelines that are on, from inside or outside any runtime. A collector or relay that is away delays nothing.
    ///
    /// # Errors
    ///
    /// When a setting cannot work, the address for metrics is taken, no trust roots can be read, or the system has no thread
    /// left.
    pub fn start(self) -> Result<Telemetry, Error> {
        Telemetry::start_with(self.config, self.backfill)
    }
}

impl fmt::Debug for TelemetryBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelemetryBuilder")
            .field("config", &self.config)
            .field("backfill", &self.backfill.is_some())
            .finish()
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Telemetry").field(&self.status()).finish()
    }
}

/// The ids of the sampled span that this thread is in.
fn current_trace() -> Option<ExemplarIds> {
    let ids = cap_tracing::current_span_ids()?;
    Some(ExemplarIds {
        trace_id: ids.trace_id(),
        span_id: ids.span_id(),
    })
}

fn totals(tracing: Option<&Tracer>, audit: &Audit, guard: &Guard) -> PipelineTotals {
    let mut totals = PipelineTotals::default();
    totals.egress = Some(guard.denials().into_iter().collect());
    totals.spans = tracing.map(Tracer::stats).map(|spans| {
        let mut totals = SpanTotals::default();
        totals.started = spans.started;
        totals.exported = spans.exported;
        totals.rejected = spans.rejected;
        totals.dropped = spans.dropped;
        totals.failed = spans.failed;
        totals.pending = spans.pending;
        totals
    });
    totals.audit = audit.totals();
    totals
}
