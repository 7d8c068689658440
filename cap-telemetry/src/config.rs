//! The settings of all pipelines, taken from a document.

use std::path::Path;

use cap_egress::{Policy, Trust};

use crate::document::Document;
use crate::error::Error;
use crate::instance;
use crate::keys::{KEYS, Key};

mod egress;
mod metrics;
mod network;
mod percent;
mod resource;
mod syslog;
mod tracing;

pub use metrics::MetricsConfig;

/// The settings of all pipelines. `None` switches a pipeline off.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The name of this process among its replicas (`instance_name`). Default: `POD_NAME`, else
    /// `HOSTNAME`, else the host's name.
    pub instance_name: String,
    /// How metrics are exposed (`telemetry.metrics.*`).
    pub metrics: Option<MetricsConfig>,
    /// Traces (`telemetry.tracing.*`).
    pub tracing: Option<cap_tracing::Config>,
    /// The trust roots for the collector (`telemetry.tracing.ca`). `None`: the system's trust
    /// store.
    pub tracing_trust: Option<Trust>,
    /// Audit events (`syslog.*`).
    pub syslog: Option<cap_syslog::Config>,
    /// Which addresses no connection may reach (`egress.*`).
    pub egress: Policy,
}

/// Metrics for the application to serve, and everything else off.
impl Default for Config {
    fn default() -> Self {
        Self {
            instance_name: "localhost".to_owned(),
            metrics: Some(MetricsConfig::default()),
            tracing: None,
            tracing_trust: None,
            syslog: None,
            egress: Policy::default(),
        }
    }
}

impl Config {
    /// Every key that [`from_document`](Self::from_document) takes, in the order of a file.
    pub fn keys() -> &'static [Key] {
        KEYS
    }

    /// Reads a file that has no other keys, and the environment of the process over it.
    ///
    /// # Errors
    ///
    /// As [`Document::read`], [`from_document`](Self::from_document) and [`Document::finish`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let mut document = Document::read(path)?;
        let config = Self::from_document(&mut document)?;
        document.finish()?;
        Ok(config)
    }

    /// Takes the keys `instance_name`, `telemetry.*`, `syslog.*` and `egress.*`.
    ///
    /// Where neither the document nor its `CERTAUTOPILOT_*` variables set a key, these variables of
    /// OpenTelemetry count: `OTEL_SDK_DISABLED`, `OTEL_EXPORTER_OTLP_ENDPOINT`,
    /// `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME`.
    ///
    /// # Errors
    ///
    /// When a value does not parse, or a required one is missing.
    pub fn from_document(document: &mut Document) -> Result<Self, Error> {
        let setting = document.take("instance_name")?;
        let instance_name = instance::name(setting, |name| document.env(name).map(str::to_owned));
        let tracing = tracing::tracing(document, &instance_name)?;
        let trust = tracing::trust(document)?;
        Ok(Self {
            metrics: metrics::metrics(document)?,
            tracing_trust: trust.filter(|_| tracing.is_some()),
            tracing,
            syslog: syslog::syslog(document, &instance_name)?,
            egress: egress::egress(document)?,
            instance_name,
        })
    }
}
