//! The settings of the metrics' exposition.

use std::net::SocketAddr;

use crate::document::Document;
use crate::error::Error;

/// How metrics are exposed. They are recorded in any case, which costs a few nanoseconds each.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetricsConfig {
    /// Serve `/metrics` on a listener of its own, apart from what the outside world reaches. Default: the host serves it, with
    /// [`Telemetry::metrics_service`](crate::Telemetry::metrics_service).
    pub listen: Option<SocketAddr>,
    /// Latency histograms name the last sampled trace of each bucket. Default: yes.
    pub exemplars: bool,
}

impl Default for MetricsConfig {
    fn default() -> Self {
        MetricsConfig {
            listen: None,
            exemplars: true,
        }
    }
}

pub(super) fn metrics(document: &mut Document) -> Result<Option<MetricsConfig>, Error> {
    let default = MetricsConfig::default();
    let enabled = document.take("telemetry.metrics.enabled")?;
    let config = MetricsConfig {
        listen: document.take("telemetry.metrics.listen")?,
        exemplars: document
            .take("telemetry.metrics.exemplars")?
            .unwrap_or(default.exemplars),
    };
    Ok(Some(config).filter(|_| enabled.unwrap_or(true)))
}
