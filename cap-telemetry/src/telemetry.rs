//! The handle to all pipelines: started once, cloned freely, shut down once.

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use cap_egress::{Connector, Guard};
use cap_metrics::{Metrics, MetricsService};
use cap_syslog::{Backfill, Event, Forwarder};
use cap_tracing::{SampleRate, Tracer};

use crate::config::Config;
use crate::error::Error;
use crate::pipelines::{Exposition, Pipelines};
use crate::report::{MetricsStatus, Report, Status};

/// Metrics, traces and audit syslog of one process. Clones share the pipelines.
#[derive(Clone)]
pub struct Telemetry(Arc<Pipelines>);

/// Starts a [`Telemetry`] with options.
pub struct TelemetryBuilder {
    config: Config,
    backfill: Option<Arc<dyn Backfill>>,
}

impl Telemetry {
    /// Starts the pipelines that are on. Short for
    /// [`builder(config).start()`](TelemetryBuilder::start).
    ///
    /// # Errors
    ///
    /// As [`TelemetryBuilder::start`].
    pub fn start(config: Config) -> Result<Self, Error> {
        Self::builder(config).start()
    }

    /// A builder, for a start with options.
    pub fn builder(config: Config) -> TelemetryBuilder {
        TelemetryBuilder { config, backfill: None }
    }

    /// The metrics to record into.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// The service for `/metrics`, for the application to mount. `None` while metrics are off or
    /// have a listener of their own.
    pub fn metrics_service(&self) -> Option<MetricsService> {
        match &self.0.exposition {
            Some(Exposition::Mounted(service)) => Some(service.clone()),
            Some(Exposition::OwnListener(_)) | None => None,
        }
    }

    /// Whether `/metrics` is served. While it is not, a service need not add a metrics layer.
    pub fn metrics_enabled(&self) -> bool {
        self.0.exposition.is_some()
    }

    /// The tracer, which makes spans. While tracing is off it only propagates trace context.
    pub fn tracer(&self) -> &Tracer {
        self.0.tracer.as_ref().unwrap_or(&self.0.disabled_tracer)
    }

    /// Sets the fraction of new traces that are sampled. Does nothing while tracing is off.
    pub fn set_sample_rate(&self, rate: SampleRate) {
        self.tracer().set_sample_rate(rate);
    }

    /// Queues an audit event for the relay, and records it on the current span.
    ///
    /// The audit record carries the ids of that span, so a reader can go from the archive to the
    /// trace and back. The call never waits. While syslog is off, only the span gets the event. The
    /// primary audit record stays the caller's duty.
    pub fn audit(&self, mut event: Event) {
        let current = cap_tracing::current_span();
        current.record_audit_event(event.event_type(), event.id());
        if let Some(ids) = current.ids() {
            event = event.param("trace_id", ids.trace_id_hex()).param("span_id", ids.span_id_hex());
        }
        self.0.audit.enqueue(event);
    }

    /// The forwarder of audit events, for its status or a test. `None` while syslog is off.
    pub fn syslog(&self) -> Option<Forwarder> {
        self.0.audit.forwarder()
    }

    /// The forwarder's settings. If syslog is off, the last ones used; `None` if it was never on.
    pub fn syslog_config(&self) -> Option<cap_syslog::Config> {
        self.0.audit.config()
    }

    /// Changes the settings of the forwarder, switches it on, or with `None` switches it off.
    /// Queued events survive a change.
    ///
    /// Switching off sends what is queued for up to two seconds, then counts the rest as dropped.
    /// The call blocks the thread meanwhile: in async code, use `spawn_blocking`.
    ///
    /// # Errors
    ///
    /// When a setting is not valid, or after a shutdown. The settings before the call then stay in
    /// force.
    pub fn reconfigure_syslog(&self, config: Option<cap_syslog::Config>) -> Result<(), Error> {
        self.0.audit.reconfigure(config)
    }

    /// The last TLS settings that the forwarder had.
    #[cfg(feature = "settings-ui")]
    pub(crate) fn syslog_tls(&self) -> Option<cap_syslog::Tls> {
        self.0.audit.tls()
    }

    #[cfg(feature = "settings-ui")]
    pub(crate) fn remember_syslog(&self, config: cap_syslog::Config) {
        self.0.audit.remember(config);
    }

    /// Checks a host against the egress policy before its name is resolved.
    #[cfg(feature = "settings-ui")]
    pub(crate) fn check_host(&self, host: &cap_egress::Host) -> Result<(), cap_egress::Denial> {
        match host.as_ip() {
            Some(address) => self.0.policy.check(address),
            None => self.0.policy.check_name(&host.to_string()),
        }
    }

    /// A connector for the application's HTTP clients, with the same egress guard and trust roots.
    pub fn connector(&self) -> Connector {
        self.0.connector.clone()
    }

    /// The guard that every outbound connection passes.
    pub fn guard(&self) -> &Guard {
        &self.0.guard
    }

    /// The name of this process among its replicas.
    pub fn instance_name(&self) -> &str {
        &self.0.instance_name
    }

    /// The state of all pipelines at this moment.
    pub fn status(&self) -> Status {
        let pipelines = &*self.0;
        let syslog = pipelines.audit.forwarder().map(|forwarder| forwarder.status());
        Status {
            instance_name: pipelines.instance_name.clone(),
            metrics: pipelines.exposition.as_ref().map(|exposition| MetricsStatus {
                listen: match exposition {
                    Exposition::Mounted(_) => None,
                    Exposition::OwnListener(listener) => Some(listener.address()),
                },
            }),
            tracing: pipelines.tracer.as_ref().map(Tracer::stats),
            sample_rate: self.tracer().sample_rate().map(SampleRate::get),
            warning: syslog.as_ref().and_then(|syslog| syslog.warning.clone()),
            syslog,
            egress_denied: pipelines
                .guard
                .denials()
                .into_iter()
                .map(|(class, count)| (class.as_str(), count))
                .collect(),
        }
    }

    /// Drains all pipelines at the same time, within `deadline`, and reports what was not
    /// delivered.
    ///
    /// The call blocks the thread until then: in async code, use `spawn_blocking`. A listener for
    /// `/metrics` serves until the last clone of this handle is dropped.
    pub fn shutdown(&self, deadline: Duration) -> Report {
        thread::scope(|scope| {
            // When the system has no thread left, the pipelines drain one after the other.
            let tracing = self.0.tracer.as_ref().map(|tracer| {
                let shutdown = move || tracer.shutdown(deadline);
                thread::Builder::new().spawn_scoped(scope, shutdown).map_err(|_| shutdown())
            });
            let syslog = self.0.audit.shutdown(deadline);
            let tracing = tracing.map(|thread| match thread {
                Ok(thread) => {
                    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                }
                Err(stats) => stats,
            });
            Report { tracing, syslog }
        })
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Telemetry").field(&self.status()).finish()
    }
}

impl TelemetryBuilder {
    /// Sets the application's primary store of audit events. Default: none.
    ///
    /// A relay that comes back after the buffer overflowed gets the dropped events from this store,
    /// in order, before any later event. The store also serves every relay that
    /// [`Telemetry::reconfigure_syslog`] sets.
    #[must_use]
    pub fn backfill(mut self, store: impl Backfill) -> Self {
        self.backfill = Some(Arc::new(store));
        self
    }

    /// Starts the pipelines that are on. It works inside and outside of a Tokio runtime, and waits
    /// for no collector or relay.
    ///
    /// # Errors
    ///
    /// When a setting is not valid, `telemetry.metrics.listen` cannot be bound, the system's trust
    /// roots cannot be read, or the system starts no further thread.
    pub fn start(self) -> Result<Telemetry, Error> {
        let pipelines = Pipelines::start(self.config, self.backfill)?;
        Ok(Telemetry(Arc::new(pipelines)))
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
