//! A real OpenTelemetry Collector. It receives OTLP over HTTP and gRPC, and writes JSON lines or
//! sends to another receiver.

use super::Process;
use super::daemon::{self, Daemon};
use crate::authority::Identity;
use crate::loopback::free_addr;
use crate::otlp::span::{self, ReceivedSpan};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use serde_json::{Value, json};
use std::fmt::Display;
use std::io;
use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::time::Duration;

const SPANS: &str = "spans.json";
const CERTIFICATE: &str = "certificate.pem";
const KEY: &str = "key.pem";

/// A collector with a temporary folder, running or stopped. Its output survives a restart.
#[derive(Debug)]
pub struct Collector {
    daemon: Daemon,
    secured: &'static str,
    http: SocketAddr,
    grpc: SocketAddr,
}

impl Collector {
    /// Starts `program` (from [`require!("otelcol")`](crate::require)).
    ///
    /// # Errors
    /// When it does not accept connections; the message has the end of its log.
    pub async fn start(program: &Path) -> io::Result<Self> {
        let file = json!({ "path": SPANS, "append": true, "flush_interval": "50ms" });
        let pipeline = (json!({}), "file", file);
        Self::exporting(program, None, pipeline).await
    }

    /// Starts `program` with the minimal configuration that the product documents. Batches go to
    /// `tempo` over gRPC in plain text, and [`spans`](Self::spans) has none of them. With an
    /// identity, the collector listens over TLS.
    ///
    /// # Errors
    /// When it does not accept connections; the message has the end of its log.
    pub async fn forwarding(
        program: &Path,
        identity: Option<&Identity>,
        tempo: SocketAddr,
    ) -> io::Result<Self> {
        let exporter = json!({ "endpoint": tempo, "tls": { "insecure": true } });
        let pipeline = (json!({ "batch": null }), "otlp/tempo", exporter);
        Self::exporting(program, identity, pipeline).await
    }

    /// With the settings of its processors and of one exporter, by name.
    async fn exporting(
        program: &Path,
        identity: Option<&Identity>,
        (processors, exporter, settings): (Value, &str, Value),
    ) -> io::Result<Self> {
        let (http, grpc) = (free_addr()?, free_addr()?);
        let mut daemon = Daemon {
            program: program.to_owned(),
            args: ["--config", "otelcol.yaml"].map(Into::into).into(),
            dir: tempfile::tempdir()?,
            tcp: vec![http, grpc],
            udp: Vec::new(),
            process: None,
        };
        let names = processors.as_object().into_iter().flatten();
        let names: Vec<_> = names.map(|(name, _)| name).collect();
        let at = |addr: SocketAddr| match identity {
            None => json!({ "endpoint": addr }),
            Some(_) => json!({
                "endpoint": addr,
                "tls": { "cert_file": CERTIFICATE, "key_file": KEY },
            }),
        };
        if let Some(identity) = identity {
            std::fs::write(daemon.path(CERTIFICATE), &identity.chain_pem)?;
            std::fs::write(daemon.path(KEY), &identity.key_pem)?;
        }
        let config = json!({
            "receivers": { "otlp": { "protocols": { "http": at(http), "grpc": at(grpc) } } },
            "processors": processors,
            "exporters": { exporter: settings },
            "service": {
                "telemetry": { "metrics": { "level": "none" } },
                "pipelines": { "traces": {
                    "receivers": ["otlp"],
                    "processors": names,
                    "exporters": [exporter],
                }},
            },
        });
        // JSON is YAML, and quotes what needs quoting.
        std::fs::write(daemon.path("otelcol.yaml"), config.to_string())?;
        daemon.start().await?;
        let secured = if identity.is_some() { "s" } else { "" };
        Ok(Self { daemon, secured, http, grpc })
    }

    /// `http://127.0.0.1:PORT`, for OTLP over HTTP, or `https` over TLS.
    pub fn endpoint(&self) -> String {
        format!("http{}://{}", self.secured, self.http)
    }

    /// `grpc://127.0.0.1:PORT`, for OTLP over gRPC, or `grpcs` over TLS.
    pub fn grpc_endpoint(&self) -> String {
        format!("grpc{}://{}", self.secured, self.grpc)
    }

    /// The spans so far, those before a restart included.
    ///
    /// # Errors
    /// When a line of its output is no OTLP in JSON.
    pub fn spans(&self) -> io::Result<Vec<ReceivedSpan>> {
        let mut spans = Vec::new();
        for line in self.daemon.lines(SPANS)? {
            let request: ExportTraceServiceRequest = serde_json::from_slice(&line)?;
            spans.extend(span::received(request).map_err(io::Error::other)?);
        }
        Ok(spans)
    }

    /// Waits until the spans are as wanted.
    ///
    /// # Panics
    /// When they are not within `limit`, or its output cannot be read. The message names `what` and
    /// has the log.
    pub async fn until(
        &self,
        what: impl Display,
        limit: Duration,
        wanted: impl Fn(&[ReceivedSpan]) -> bool,
    ) {
        if !daemon::wait_until(|| self.spans(), wanted, limit).await {
            let log = self.process().map(Process::log);
            panic!("{what} did not come within {limit:?}\n{log:?}");
        }
    }
}

impl Deref for Collector {
    type Target = Daemon;

    fn deref(&self) -> &Daemon {
        &self.daemon
    }
}

impl DerefMut for Collector {
    fn deref_mut(&mut self) -> &mut Daemon {
        &mut self.daemon
    }
}

#[cfg(test)]
mod tests {
    use super::daemon::START;
    use super::*;
    use crate::OtlpReceiver;
    use crate::otlp::tests::{export, post};
    use crate::require;
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue};
    use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
    use opentelemetry_proto::tonic::trace::v1::{Span, Status};

    fn attribute(key: &str, value: Value) -> KeyValue {
        KeyValue {
            key: key.to_owned(),
            value: Some(AnyValue { value: Some(value) }),
            ..KeyValue::default()
        }
    }

    fn text(text: &str) -> Value {
        Value::StringValue(text.to_owned())
    }

    #[tokio::test]
    async fn spans_are_read_back_as_the_receiver_of_this_crate_reads_them() {
        let program = require!("otelcol");
        let tags =
            ArrayValue { values: ["a", "b"].map(|tag| AnyValue { value: Some(text(tag)) }).into() };
        let span = Span {
            trace_id: vec![0xab; 16],
            span_id: vec![1; 8],
            parent_span_id: vec![2; 8],
            trace_state: "vendor=1".to_owned(),
            flags: 0x301,
            name: "job \u{e9}".to_owned(),
            kind: 5,
            start_time_unix_nano: 1_700_000_000_000_000_001,
            end_time_unix_nano: u64::MAX,
            attributes: vec![
                attribute("cap.job.attempt", Value::IntValue(i64::MIN)),
                attribute("ratio", Value::DoubleValue(0.5)),
                attribute("live", Value::BoolValue(true)),
                attribute("tags", Value::ArrayValue(tags)),
            ],
            events: vec![Event {
                time_unix_nano: 7,
                name: "retry".to_owned(),
                attributes: vec![attribute("why", text("503"))],
                ..Event::default()
            }],
            links: vec![Link { trace_id: vec![3; 16], span_id: vec![4; 8], ..Link::default() }],
            status: Some(Status { message: "gave up".to_owned(), code: 2 }),
            ..Span::default()
        };
        let root = Span {
            trace_id: vec![0xab; 16],
            span_id: vec![2; 8],
            name: "root".to_owned(),
            ..Span::default()
        };
        let body = export(vec![span, root]);
        let mut collector = Collector::start(&program).await.expect("it starts");
        let receiver = OtlpReceiver::start().await.expect("a port");
        for endpoint in [collector.endpoint(), receiver.endpoint()] {
            let answer = post(&endpoint, "application/x-protobuf", body.clone()).await;
            assert_eq!(answer.expect("an answer").0.status, 200);
        }
        collector.until("two spans", START, |spans| spans.len() == 2).await;
        assert_eq!(collector.spans().expect("spans"), receiver.spans());

        collector.stop().await.expect("it stops");
        collector.start().await.expect("it starts again");
        let answer = post(&collector.endpoint(), "application/x-protobuf", body).await;
        assert_eq!(answer.expect("an answer").0.status, 200);
        collector.until("four spans", START, |spans| spans.len() == 4).await;
    }
}
