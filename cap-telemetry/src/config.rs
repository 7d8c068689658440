//! The settings of all pipes, taken from a document.

use std::net::IpAddr;
use std::str::FromStr;

use cap_egress::{IpNet, Policy, Trust};
use cap_tracing::{Compression, Endpoint, SampleRate};
use http::{HeaderName, HeaderValue};

use crate::document::{Document, pairs};
use crate::error::{Error, Kind};
use crate::instance;
use crate::interval::Interval;
use crate::keys::{KEYS, Key};

mod metrics;
mod resource;
mod syslog;

pub use metrics::MetricsConfig;
use metrics::metrics;
use syslog::syslog;

/// The settings of all pipes. A pipe that is `None` is off.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The name of this process among its siblings (`instance_name`, else the pod's or host's).
    pub instance_name: String,
    /// The exposition of metrics (`telemetry.metrics.*`).
    pub metrics: Option<MetricsConfig>,
    /// Traces (`telemetry.tracing.*`).
    pub tracing: Option<cap_tracing::Config>,
    /// Who vouches for the collector (`telemetry.tracing.ca`), where that is not the system's trust store alone.
    pub tracing_trust: Option<Trust>,
    /// Audit events (`syslog.*`).
    pub syslog: Option<cap_syslog::Config>,
    /// What no connection may reach (`egress.*`).
    pub egress: Policy,
}

/// Metrics for the host to serve, and everything else off.
impl Default for Config {
    fn default() -> Self {
        Config {
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
    /// Those of [`Document::read`], [`from_document`](Self::from_document) and [`Document::finish`].
    pub fn read(path: impl AsRef<std::path::Path>) -> Result<Self, Error> {
        let mut document = Document::read(path)?;
        let config = Self::from_document(&mut document)?;
        document.finish()?;
        Ok(config)
    }

    /// Takes the keys `instance_name`, `telemetry.*`, `syslog.*` and `egress.*`. Where neither the document nor its
    /// `CERTAUTOPILOT_*` says anything, `OTEL_SDK_DISABLED`, `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_HEADERS`,
    /// `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME` do.
    ///
    /// # Errors
    ///
    /// When a value does not parse, or one that is needed is missing.
    pub fn from_document(document: &mut Document) -> Result<Self, Error> {
        let setting = document.take("instance_name")?;
        let instance_name = instance::name(setting, |name| document.env(name).map(str::to_owned));
        let tracing = tracing(document, &instance_name)?;
        let trust = trust(document)?;
        Ok(Config {
            metrics: metrics(document)?,
            tracing_trust: trust.filter(|_| tracing.is_some()),
            tracing,
            syslog: syslog(document, &instance_name)?,
            egress: egress(document)?,
            instance_name,
        })
    }
}

fn tracing(document: &mut Document, instance: &str) -> Result<Option<cap_tracing::Config>, Error> {
    const ENDPOINT: &str = "telemetry.tracing.endpoint";
    const HEADERS: &str = "telemetry.tracing.headers";

    let enabled = document.take::<bool>("telemetry.tracing.enabled")?;
    let mut endpoint = document.take::<Endpoint>(ENDPOINT)?;
    let sample_rate = document.take::<SampleRate>("telemetry.tracing.sample_rate")?;
    let trusted_peers = document.take_list_if_any::<Net>("telemetry.tracing.trusted_peers")?;
    let headers = document.take_map(HEADERS)?;
    let timeout = document.take::<Interval>("telemetry.tracing.timeout")?;
    let retry_for = document.take::<Interval>("telemetry.tracing.retry_for")?;
    let compression = document.take::<Compression>("telemetry.tracing.compression")?;
    let queue_size = document.take("telemetry.tracing.queue_size")?;
    let batch_size = document.take("telemetry.tracing.batch_size")?;
    let batch_delay = document.take::<Interval>("telemetry.tracing.batch_delay")?;

    let disabled = document
        .env("OTEL_SDK_DISABLED")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if !enabled.unwrap_or(false) || disabled {
        return Ok(None);
    }
    if endpoint.is_none()
        && let Some(base) = document.env("OTEL_EXPORTER_OTLP_ENDPOINT")
    {
        // By the specification this one is a base, below which each signal has its path; gRPC has none.
        let base = base.trim_end_matches('/');
        let traces = match base.split_once("://") {
            Some(("grpc" | "grpcs", _)) => base.to_owned(),
            _ => format!("{base}/v1/traces"),
        };
        let parsed = traces.parse().map_err(|what: String| {
            Error::config("environment: OTEL_EXPORTER_OTLP_ENDPOINT", what)
        })?;
        endpoint = Some(parsed);
    }
    let headers = if headers.is_empty() {
        otel_headers(document)?
    } else {
        let numbered = headers.iter().enumerate();
        let parsed = numbered.map(|(n, (name, value))| {
            header(name, value).ok_or_else(|| document.error_at(HEADERS, not_a_header(n + 1)))
        });
        parsed.collect::<Result<_, _>>()?
    };
    let Some(endpoint) = endpoint else {
        return Err(document.error_at(
            ENDPOINT,
            "tracing is enabled, so it is needed; write http://HOST:4318 or grpc://HOST:4317",
        ));
    };

    let mut config = cap_tracing::Config::new(endpoint);
    config.sample_rate = sample_rate.unwrap_or(config.sample_rate);
    config.trusted_peers =
        trusted_peers.map(|peers| peers.into_iter().map(|Net(net)| net).collect());
    config.timeout = timeout.map_or(config.timeout, |Interval(timeout)| timeout);
    config.retry_for = retry_for.map_or(config.retry_for, |Interval(retry_for)| retry_for);
    config.compression = compression.unwrap_or(config.compression);
    config.queue_size = queue_size.unwrap_or(config.queue_size);
    config.batch_size = batch_size.unwrap_or(config.batch_size);
    config.batch_delay = batch_delay.map_or(config.batch_delay, |Interval(delay)| delay);
    config.headers = headers;
    config.resource = resource::attributes(document, instance)?;
    config.check().map_err(|error| match error.setting() {
        Some((key, what)) => document.error_at(&format!("telemetry.tracing.{key}"), what),
        None => Kind::Tracing(error).into(),
    })?;
    Ok(Some(config))
}

fn egress(document: &mut Document) -> Result<Policy, Error> {
    let mut policy = Policy::default()
        .with_denied(nets(document, "egress.deny")?)
        .with_exempt(nets(document, "egress.allow")?)
        .with_nat64(document.take_list("egress.nat64_prefixes")?);
    if document.take("egress.deny_loopback")?.unwrap_or(false) {
        policy = policy.with_loopback_denied();
    }
    if document.take("egress.deny_private")?.unwrap_or(false) {
        policy = policy.with_private_denied();
    }
    Ok(policy)
}

/// The system's trust store and the authorities in a file.
fn trust(document: &mut Document) -> Result<Option<Trust>, Error> {
    const CA: &str = "telemetry.tracing.ca";

    let Some(file) = document.take::<String>(CA)? else {
        return Ok(None);
    };
    let pem = std::fs::read(&file).map_err(|error| {
        let what = format!("{file}: {error}; write the path of a file of CA certificates in PEM");
        document.error_at(CA, what)
    })?;
    Trust::system_with_ca(&pem)
        .map(Some)
        .map_err(|error| document.error_at(CA, format!("{file}: {error}")))
}

fn nets(document: &mut Document, key: &str) -> Result<Vec<IpNet>, Error> {
    let nets = document.take_list::<Net>(key)?;
    Ok(nets.into_iter().map(|Net(net)| net).collect())
}

/// A network, or an address as the network of it alone.
struct Net(IpNet);

impl FromStr for Net {
    type Err = &'static str;

    fn from_str(s: &str) -> Result<Self, &'static str> {
        let alone = s.parse::<IpAddr>().map(IpNet::from);
        alone
            .or_else(|_| s.parse())
            .map(Net)
            .map_err(|_| "write a network such as 10.20.0.0/16, or an address")
    }
}

/// `OTEL_EXPORTER_OTLP_HEADERS`: pairs in the form of W3C Baggage, so values are percent-encoded.
fn otel_headers(document: &Document) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
    const VARIABLE: &str = "OTEL_EXPORTER_OTLP_HEADERS";

    let wrong = |what: String| Error::config(format!("environment: {VARIABLE}"), what);
    let pairs = pairs(document.env(VARIABLE).unwrap_or_default()).map_err(wrong)?;
    let numbered = pairs.iter().enumerate();
    let parsed = numbered.map(|(n, (name, value))| {
        let value = percent_decoded(value);
        value
            .and_then(|value| header(name, &value))
            .ok_or_else(|| wrong(not_a_header(n + 1)))
    });
    parsed.collect()
}

/// The header itself is not repeated: its value is a secret, and what stands where the name should may be one.
fn not_a_header(number: usize) -> String {
    format!("number {number} is not the name and value of an HTTP header")
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok()
}

fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::try_from(name).ok()?;
    let mut value = HeaderValue::try_from(value).ok()?;
    value.set_sensitive(true);
    Some((name, value))
}
