//! The settings of traces.

use cap_egress::Trust;
use cap_tracing::{Compression, Config, Endpoint, SampleRate};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::network::Network;
use super::{percent, resource};
use crate::document::{Document, pairs};
use crate::error::Error;

const ENDPOINT: &str = "telemetry.tracing.endpoint";
const HEADERS: &str = "telemetry.tracing.headers";
const CA: &str = "telemetry.tracing.ca";
const OTEL_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const OTEL_HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";

pub(super) fn tracing(document: &mut Document, instance: &str) -> Result<Option<Config>, Error> {
    let enabled = document.take::<bool>("telemetry.tracing.enabled")?;
    let endpoint = document.take::<Endpoint>(ENDPOINT)?;
    let sample_rate = document.take::<SampleRate>("telemetry.tracing.sample_rate")?;
    let trusted_peers = document.take_list_if_any::<Network>("telemetry.tracing.trusted_peers")?;
    let headers = document.take_map(HEADERS)?;
    let timeout = document.take_duration("telemetry.tracing.timeout")?;
    let retry_for = document.take_duration("telemetry.tracing.retry_for")?;
    let compression = document.take::<Compression>("telemetry.tracing.compression")?;
    let queue_size = document.take::<usize>("telemetry.tracing.queue_size")?;
    let batch_size = document.take::<usize>("telemetry.tracing.batch_size")?;
    let batch_delay = document.take_duration("telemetry.tracing.batch_delay")?;

    let disabled =
        document.env("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if !enabled.unwrap_or(false) || disabled {
        return Ok(None);
    }
    let endpoint = match endpoint {
        Some(endpoint) => Some(endpoint),
        None => otel_endpoint(document)?,
    };
    let Some(endpoint) = endpoint else {
        return Err(document.error_at(
            ENDPOINT,
            "required while tracing is enabled; write http://HOST:4318 or grpc://HOST:4317",
        ));
    };

    let mut config = Config::new(endpoint);
    config.headers = if headers.is_empty() {
        otel_headers(document)?
    } else {
        parsed(&headers, |what| document.error_at(HEADERS, what))?
    };
    config.sample_rate = sample_rate.unwrap_or(config.sample_rate);
    config.trusted_peers =
        trusted_peers.map(|peers| peers.into_iter().map(|Network(net)| net).collect());
    document.set("telemetry.tracing.timeout", timeout, &mut config.timeout)?;
    config.retry_for = retry_for.unwrap_or(config.retry_for);
    config.compression = compression.unwrap_or(config.compression);
    document.set("telemetry.tracing.queue_size", queue_size, &mut config.queue_size)?;
    document.set("telemetry.tracing.batch_size", batch_size, &mut config.batch_size)?;
    config.batch_delay = batch_delay.unwrap_or(config.batch_delay);
    config.resource = resource::attributes(document, instance)?;
    Ok(Some(config))
}

/// The system's trust store and the authorities of `telemetry.tracing.ca`.
pub(super) fn trust(document: &mut Document) -> Result<Option<Trust>, Error> {
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

/// `OTEL_EXPORTER_OTLP_ENDPOINT` is a base: over HTTP each signal has a path below it, and over
/// gRPC none has.
fn otel_endpoint(document: &Document) -> Result<Option<Endpoint>, Error> {
    let Some(base) = document.env(OTEL_ENDPOINT) else {
        return Ok(None);
    };
    let base = base.trim_end_matches('/');
    let traces = match base.split_once("://") {
        Some(("grpc" | "grpcs", _)) => base.to_owned(),
        _ => format!("{base}/v1/traces"),
    };
    let endpoint = traces.parse();
    endpoint.map(Some).map_err(|error| Error::environment(OTEL_ENDPOINT, error))
}

/// `OTEL_EXPORTER_OTLP_HEADERS`: pairs whose values are percent-encoded.
fn otel_headers(document: &Document) -> Result<HeaderMap, Error> {
    let wrong = |what: String| Error::environment(OTEL_HEADERS, what);
    let pairs = pairs(document.env(OTEL_HEADERS).unwrap_or_default())
        .map_err(|error| Error::environment(OTEL_HEADERS, error))?;
    let decoded = pairs.into_iter().enumerate().map(|(n, (name, value))| {
        let value = percent::decoded(&value).ok_or_else(|| wrong(not_a_header(n)))?;
        Ok((name, value))
    });
    parsed(&decoded.collect::<Result<Vec<_>, Error>>()?, wrong)
}

fn parsed(
    headers: &[(String, String)],
    wrong: impl Fn(String) -> Error,
) -> Result<HeaderMap, Error> {
    let parsed = headers.iter().enumerate().map(|(n, (name, value))| {
        let name = HeaderName::try_from(name);
        let value = HeaderValue::try_from(value);
        let (Ok(name), Ok(mut value)) = (name, value) else {
            return Err(wrong(not_a_header(n)));
        };
        value.set_sensitive(true);
        Ok((name, value))
    });
    parsed.collect()
}

/// Neither name nor value is shown: both may hold a secret.
fn not_a_header(index: usize) -> String {
    format!("number {} is not the name and value of an HTTP header", index + 1)
}
