//! One request in four places that refer to each other: exemplar, span, log line, audit record.

use std::time::Duration;

use cap_tests::fleet::Fleet;
use cap_tests::{
    OtlpReceiver, ReceivedRecord, ReceivedSpan, RelayState, Scraper, SyslogRelay, free_addr,
};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const LONG: Duration = Duration::from_secs(30);
const ROUTE: &str = "/projects/:projectId/certificates";

/// An exemplar: the part of an OpenMetrics line behind its `#`.
#[derive(Debug)]
struct Exemplar {
    trace_id: String,
    span_id: String,
    seconds: f64,
}

/// The exemplars of the latency of requests for a certificate.
fn exemplars(metrics: &str) -> Vec<Exemplar> {
    let series =
        format!("cap_http_request_duration_seconds_bucket{{method=\"POST\",path=\"{ROUTE}\",");
    let lines = metrics.lines().filter(|line| line.starts_with(&series));
    let exemplars = lines.filter_map(|line| Some(line.split_once(" # ")?.1));
    let read = exemplars.map(|text| {
        let (labels, rest) = text.split_once("} ").expect(text);
        let label = |name: &str| {
            let (_, value) = labels.split_once(&format!("{name}=\"")).expect(text);
            value.split_once('"').expect(text).0.to_owned()
        };
        let seconds = rest.split(' ').next().expect(text);
        Exemplar {
            trace_id: label("trace_id"),
            span_id: label("span_id"),
            seconds: seconds.parse().expect(text),
        }
    });
    read.collect()
}

fn named<'a>(spans: &'a [ReceivedSpan], name: &str) -> Option<&'a ReceivedSpan> {
    spans.iter().find(|span| span.name == name)
}

#[tokio::test(flavor = "multi_thread")]
async fn exemplar_span_log_line_and_audit_record_name_each_other() {
    let collector = OtlpReceiver::start().await.expect("a port");
    let relay = SyslogRelay::start().await.expect("a port");
    // Nothing listens there: the job fails and logs why.
    let away = free_addr().expect("a port");
    let settings = json!({
        "acme": { "directory_url": format!("http://{away}/directory") },
        "telemetry": { "tracing": { "enabled": true, "endpoint": collector.endpoint(), "sample_rate": 1.0, "batch_delay": "50ms" } },
        "syslog": { "enabled": true, "host": relay.addr().ip().to_string(), "port": relay.addr().port() },
    });
    let mut fleet = Fleet::start(1, &settings).await.expect("a service");
    fleet.request(0, "api.example.com").await;

    let request = format!("POST {ROUTE}");
    let both = |spans: &[ReceivedSpan]| {
        named(spans, &request).is_some() && named(spans, "job issue").is_some()
    };
    collector.until("the request and its job", LONG, both).await;
    let spans = collector.spans();
    let (span, job) = (named(&spans, &request), named(&spans, "job issue"));
    let (span, job) = (span.expect("seen"), job.expect("seen"));

    // From the latency to the trace: the exemplar of the one request is its span, with its
    // duration.
    let scraper = Scraper::new(&format!("http://{}/metrics", fleet.targets()[0]));
    let metrics = scraper.open_metrics().await.expect("metrics");
    let [exemplar] = &exemplars(&metrics)[..] else {
        panic!("{metrics}");
    };
    assert_eq!((&exemplar.trace_id, &exemplar.span_id), (&span.trace_id, &span.span_id));
    let apart = (exemplar.seconds - span.duration().as_secs_f64()).abs();
    assert!(apart < 0.05, "{exemplar:?} {span:?}");

    // From the trace to the log: the job that the request asked for says in it why it failed.
    assert_eq!(job.trace_id, span.trace_id);
    let logs = fleet.logs();
    let ids = format!("trace_id={} span_id={}", job.trace_id, job.span_id);
    let mut lines = logs.lines().filter(|line| line.contains(&ids));
    let failed = lines.any(|line| line.contains("an attempt failed"));
    assert!(failed, "{logs}");

    // And to the SIEM and back.
    let requested = |record: &ReceivedRecord| {
        record.record.param("cap@0", "event_type") == Some("cert.requested")
    };
    let there = |state: &RelayState| state.records.iter().any(requested);
    relay.until("cert.requested", LONG, there).await;
    let records = relay.records();
    let record = records.iter().find(|record| requested(record));
    let record = record.expect("seen");
    let param = |name| record.record.param("cap@0", name);
    assert_eq!(param("trace_id"), Some(&*span.trace_id));
    let marked = spans.iter().filter(|other| {
        let mut events = other.events.iter();
        other.trace_id == span.trace_id
            && Some(&*other.span_id) == param("span_id")
            && events.any(|event| {
                event.attributes.get("cap.event.id").map(String::as_str) == record.event_id()
            })
    });
    assert_eq!(marked.count(), 1, "{spans:#?}");
    fleet.stop().await.expect("it stops");
}

/// Asks for the license under a trace of an upstream with these flags.
#[expect(clippy::disallowed_methods, reason = "a client on loopback")]
async fn ask(target: &str, trace_id: &str, flags: &str) {
    let mut stream = TcpStream::connect(target).await.expect("it serves");
    let request = format!(
        "GET /license HTTP/1.1\r\nhost: {target}\r\nconnection: close\r\ntraceparent: 00-{trace_id}-00f067aa0ba902b7-{flags}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sampling_decision_of_trusted_peers_alone_is_honored() {
    let trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    // Sampled where nothing else is, and not sampled where everything is: what arrives shows whose
    // flag counted.
    for (peers, sample_rate, flags) in [("127.0.0.0/8", 0.0, "01"), ("10.0.0.0/8", 1.0, "00")] {
        let collector = OtlpReceiver::start().await.expect("a port");
        let settings = json!({
            "telemetry": { "tracing": {
                "enabled": true, "endpoint": collector.endpoint(), "sample_rate": sample_rate, "batch_delay": "50ms",
                "trusted_peers": [peers],
            } },
        });
        let mut fleet = Fleet::start(1, &settings).await.expect("a service");
        ask(&fleet.targets()[0], trace_id, flags).await;
        let seen = |spans: &[ReceivedSpan]| named(spans, "GET /license").is_some();
        let span = format!("a span with {peers} trusted");
        collector.until(span, LONG, seen).await;
        fleet.stop().await.expect("it stops");
    }
}
