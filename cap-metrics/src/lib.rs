//! The fixed catalogue of CertAutoPilot's Prometheus metrics: typed instruments to record into, and
//! the same declarations as data.
//!
//! ```
//! use cap_metrics::{JobResult, Metrics};
//!
//! let metrics = Metrics::new();
//! metrics.jobs().register(["renew"]);
//! metrics.jobs().record_queued("renew");
//! let run = metrics.jobs().start("renew");
//! run.finish(JobResult::Success);
//!
//! let text = metrics.render();
//! assert!(text.contains(r#"cap_jobs_completed_total{type="renew",result="success"} 1"#));
//! ```
//!
//! Every metric is declared once, in [`METRICS`]. Each subject has a group of recording methods
//! ([`Jobs`], [`Certificates`], …), so a name or a label cannot be misspelled. Label sets are
//! bounded: past its limit an open label becomes `_overflow`, and
//! `cap_telemetry_series_folded_total` counts what was recorded there.
//!
//! # Features
//!
//! - `http` (default): [`MetricsLayer`] measures the requests of any tower service, and
//!   [`MetricsService`] answers `/metrics`.
//! - `prometheus-client` (default): [`Metrics::add_registry`] exposes a team's own registry beside
//!   the catalogue, and [`Metrics`] is a collector for such a registry.
//!
//! Without features the crate is the catalogue, the recorder and the text exposition.
//!
//! # What it does not do
//!
//! The crate dials nothing and reads no environment. Two `Metrics` in one process are two
//! registries. The text holds only what was recorded, so it holds no secrets unless a label value
//! does.

#![forbid(unsafe_code)]

mod catalogue;
#[cfg(feature = "prometheus-client")]
mod error;
mod exemplar;
mod exposition;
mod families;
#[cfg(feature = "prometheus-client")]
mod foreign;
mod groups;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "prometheus-client")]
mod interop;
mod metrics;
mod registry;
mod scrape;
mod storage;
mod sync;

pub use cap_names::DenialClass;
#[cfg(feature = "prometheus-client")]
pub use prometheus_client;

pub use catalogue::labels::{
    CertificateStatus, ChannelType, Endpoint, ExecutionStatus, ExpiryThreshold, FindingSeverity,
    HttpMethod, HttpStatus, IssuerType, JobResult, JobType, KekProvider, Module, Outcome, Provider,
    RenewalTrigger, Route, TargetResult,
};
pub use catalogue::{
    Group, Kind, Label, METRICS, Metric, SAMPLE_SUFFIXES, Values, metric, metric_of_series,
};
#[cfg(feature = "prometheus-client")]
pub use error::Error;
pub use exemplar::ExemplarIds;
pub use exposition::Format;
pub use groups::{
    AuditTotals, Certificates, ChildRun, Discovery, Distribution, EgressTotals, External, HostKek,
    Http, HttpRequest, JobRun, Jobs, Kek, KekLaggards, KekRotation, KekState, KekVersion, License,
    LicenseState, Notifications, PipelineTotals, Pipelines, Process, SpanTotals,
};
#[cfg(feature = "http")]
pub use http::{
    MeasuredBody, MetricsFuture, MetricsLayer, MetricsMiddleware, MetricsService, ScrapeBody,
    ScrapeTimeout, serve,
};
pub use metrics::Metrics;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
