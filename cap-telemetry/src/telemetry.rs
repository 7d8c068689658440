//! The one handle: started once, cloned freely, shut down once.

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use cap_egress::{Connector, Guard, Trust};
use cap_metrics::{AuditTotals, Metrics, PipeTotals, SpanTotals, TraceIds};
use cap_syslog::{Event, Forwarder, State};
use cap_tracing::Tracing;

use crate::config::Config;
use crate::error::{Error, Kind};
use crate::report::{Report, Status};

/// Metrics, traces and audit syslog of one process. Clones share the pipes.
#[derive(Clone)]
pub struct Telemetry(Arc<Pipes>);

struct Pipes {
    instance_name: String,
    metrics: Metrics,
    tracing: Option<Tracing>,
    no_tracing: Tracing,
    forwarder: Option<Forwarder>,
    guard: Guard,
    connector: Connector,
}

impl Telemetry {
    /// Starts the pipes that are on, from inside or outside any runtime. A collector or relay that is away delays nothing.
    ///
    /// # Errors
    ///
    /// When a setting cannot work, no trust roots can be read, or the system has no thread left.
    pub fn start(config: Config) -> Result<Self, Error> {
        let guard = Guard::new(config.egress);
        let connector = Connector::new(guard.clone(), Trust::system().map_err(Kind::Egress)?);
        let to_collector = match config.tracing_trust {
            Some(trust) => Connector::new(guard.clone(), trust),
            None => connector.clone(),
        };
        let tracing = config
            .tracing
            .map(|config| Tracing::start(config, to_collector))
            .transpose()
            .map_err(Kind::Tracing)?;
        let forwarder = config
            .syslog
            .map(|config| Forwarder::start(config, guard.clone()))
            .transpose()
            .map_err(Kind::Syslog)?;
        let metrics = Metrics::new();
        metrics.process().set_build(env!("CARGO_PKG_VERSION"), "");
        metrics.exemplars_from(current_trace);
        let (spans, events, denying) = (tracing.clone(), forwarder.clone(), guard.clone());
        metrics.before_scrape(move |metrics| {
            let totals = totals(spans.as_ref(), events.as_ref(), &denying);
            metrics.pipes().set(&totals);
        });
        Ok(Telemetry(Arc::new(Pipes {
            instance_name: config.instance_name,
            metrics,
            tracing,
            no_tracing: Tracing::disabled(),
            forwarder,
            guard,
            connector,
        })))
    }

    /// The metrics to record into.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// The spans to open; passes contexts through when tracing is off.
    pub fn tracing(&self) -> &Tracing {
        self.0.tracing.as_ref().unwrap_or(&self.0.no_tracing)
    }

    /// Sends an audit event to the relay and marks it on the current span; the record carries that span's ids, so that archive
    /// and trace lead to each other. Never waits, and does nothing where syslog is off. The primary record stays the caller's.
    pub fn audit(&self, mut event: Event) {
        let current = cap_tracing::current();
        current.audit_event(event.id(), event.event_type());
        if let Some(forwarder) = &self.0.forwarder {
            if let Some((trace_id, span_id)) = current.ids() {
                event = event.param("trace_id", trace_id).param("span_id", span_id);
            }
            forwarder.enqueue(event);
        }
    }

    /// The audit pipe, where it is on: to test it, to watch its status, or to change its settings while it runs.
    pub fn syslog(&self) -> Option<&Forwarder> {
        self.0.forwarder.as_ref()
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
        let syslog = self.0.forwarder.as_ref().map(Forwarder::status);
        Status {
            instance_name: self.0.instance_name.clone(),
            tracing: self.0.tracing.as_ref().map(Tracing::stats),
            warning: syslog.as_ref().and_then(|syslog| syslog.warning.clone()),
            syslog,
        }
    }

    /// Drains the pipes side by side, all within `deadline`, and reports what was left. Blocks the calling thread for so long;
    /// in async code call it where blocking is allowed.
    pub fn shutdown(&self, deadline: Duration) -> Report {
        thread::scope(|scope| {
            // Without a thread to spare, one after the other.
            let tracing = self.0.tracing.as_ref().map(|tracing| {
                let shutdown = move || tracing.shutdown(deadline);
                thread::Builder::new()
                    .spawn_scoped(scope, shutdown)
                    .map_err(|_| shutdown())
            });
            let syslog = self
                .0
                .forwarder
                .as_ref()
                .map(|forwarder| forwarder.shutdown(deadline));
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

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Telemetry").field(&self.status()).finish()
    }
}

/// The ids of the sampled span that this thread is in.
fn current_trace() -> Option<TraceIds> {
    let (trace_id, span_id) = cap_tracing::current().ids()?;
    let bytes = |hex: &str, at: usize| u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok();
    let (mut ids, trace_id, span_id) = (
        TraceIds::default(),
        trace_id.to_string(),
        span_id.to_string(),
    );
    for (at, byte) in ids.trace_id.iter_mut().enumerate() {
        *byte = bytes(&trace_id, at)?;
    }
    for (at, byte) in ids.span_id.iter_mut().enumerate() {
        *byte = bytes(&span_id, at)?;
    }
    Some(ids)
}

fn totals(tracing: Option<&Tracing>, forwarder: Option<&Forwarder>, guard: &Guard) -> PipeTotals {
    let denials = guard.denials().into_iter();
    // The two crates know nothing of each other; the words of a class are the same in both.
    let denials = denials.filter_map(|(class, count)| Some((class.as_str().parse().ok()?, count)));
    PipeTotals {
        egress: Some(denials.collect()),
        spans: tracing.map(Tracing::stats).map(|spans| SpanTotals {
            started: spans.started,
            exported: spans.exported,
            rejected: spans.rejected,
            dropped: spans.dropped,
            failed: spans.failed,
            pending: spans.pending,
        }),
        audit: forwarder.map(Forwarder::status).map(|events| AuditTotals {
            enqueued: events.enqueued,
            acked: events.released,
            dropped: events.dropped,
            set_aside: events.set_aside,
            queued: events.queued,
            connected: events.state == State::Connected,
        }),
    }
}
