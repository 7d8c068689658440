//! How metrics are exposed.

use std::net::SocketAddr;

use crate::document::Document;
use crate::error::Error;

/// How metrics are exposed. They are recorded in any case.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetricsConfig {
    /// The address of a separate listener for `/metrics`. Default: none, and the application mounts
    /// [`Telemetry::metrics_service`](crate::Telemetry::metrics_service).
    pub listen: Option<SocketAddr>,
    /// Whether each bucket of a latency histogram names the last sampled trace it counted. Default:
    /// `true`.
    pub exemplars: bool,
}

impl Default for MetricsConfig {
    fn default() -> Self {
        Self { listen: None, exemplars: true }
    }
}

pub(super) fn metrics(document: &mut Document) -> Result<Option<MetricsConfig>, Error> {
    let enabled = document.take("telemetry.metrics.enabled")?.unwrap_or(true);
    let listen = document.take("telemetry.metrics.listen")?;
    let exemplars = document.take("telemetry.metrics.exemplars")?;
    Ok(enabled.then(|| MetricsConfig { listen, exemplars: exemplars.unwrap_or(true) }))
}
