//! The pipelines of one process, started together.

use std::sync::Arc;

use cap_egress::{Connector, Guard, Trust};
use cap_metrics::{Metrics, MetricsService};
use cap_syslog::Backfill;
use cap_tracing::Tracer;

use crate::audit::Audit;
use crate::config::{Config, MetricsConfig};
use crate::error::{Error, Kind};
use crate::health;
use crate::listener::Listener;

pub(crate) struct Pipelines {
    pub(crate) instance_name: String,
    pub(crate) metrics: Metrics,
    /// `None` while metrics are off.
    pub(crate) exposition: Option<Exposition>,
    /// `None` while tracing is off.
    pub(crate) tracer: Option<Tracer>,
    /// Propagates trace context while tracing is off.
    pub(crate) disabled_tracer: Tracer,
    pub(crate) audit: Arc<Audit>,
    pub(crate) guard: Guard,
    #[cfg(feature = "settings-ui")]
    pub(crate) policy: cap_egress::Policy,
    pub(crate) connector: Connector,
}

/// Who serves `/metrics`.
pub(crate) enum Exposition {
    /// The application mounts this service.
    Mounted(MetricsService),
    OwnListener(Listener),
}

impl Pipelines {
    pub(crate) fn start(config: Config, store: Option<Arc<dyn Backfill>>) -> Result<Self, Error> {
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
        let exposition = config.metrics.map(|config| expose(&metrics, &config));
        let exposition = exposition.transpose()?;
        let tracer = config
            .tracing
            .map(|config| Tracer::start(config, to_collector))
            .transpose()
            .map_err(Kind::Tracing)?;
        let pipelines = Self {
            instance_name: config.instance_name,
            metrics,
            exposition,
            tracer,
            disabled_tracer: Tracer::disabled(),
            audit: Arc::new(Audit::start(config.syslog, guard.clone(), store)?),
            guard,
            #[cfg(feature = "settings-ui")]
            policy,
            connector,
        };
        pipelines.count_before_each_scrape();
        Ok(pipelines)
    }

    fn count_before_each_scrape(&self) {
        let tracer = self.tracer.clone();
        let (audit, guard) = (Arc::clone(&self.audit), self.guard.clone());
        self.metrics.before_scrape(move |metrics| {
            let totals = health::totals(tracer.as_ref(), &audit, &guard);
            metrics.pipelines().set(&totals);
        });
    }
}

fn expose(metrics: &Metrics, config: &MetricsConfig) -> Result<Exposition, Error> {
    if config.exemplars {
        metrics.set_exemplar_source(health::current_trace);
    }
    let service = MetricsService::new(metrics.clone());
    Ok(match config.listen {
        None => Exposition::Mounted(service),
        Some(address) => Exposition::OwnListener(Listener::start(address, service)?),
    })
}
