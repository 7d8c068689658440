//! OTLP/gRPC: what goes over the wire, and what each answer does to the accounting.

use std::time::{Duration, Instant};

use cap_egress::{Connector, Guard, Policy, Trust};
use http::HeaderValue;
use http::header::AUTHORIZATION;

use crate::collector::{Answer, Collector};
use crate::support::{LONG, attributes, closes, connector, job, jobs, settles, tracer_to};

/// `google.rpc.Status` with a `RetryInfo` of 600 ms, in base64 without padding.
const IN_600_MS: &str =
    "CAgaNAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIICgYQgIyNngI";

#[test]
fn spans_arrive_with_the_configured_metadata_on_one_connection() {
    let (collector, address) = Collector::start([]);
    let tracer = tracer_to(&format!("grpc://{address}"), connector(), |config| {
        let token = HeaderValue::from_static("Bearer t");
        config.headers.insert(AUTHORIZATION, token);
    });
    for id in ["j1", "j2"] {
        drop(job(&tracer, id));
        settles(&tracer);
    }
    let stats = tracer.shutdown(LONG);
    assert_eq!((stats.exported, stats.pending), (2, 0), "{stats}");
    assert_eq!(collector.seen(), (2, 1));
    assert_eq!(
        attributes(&collector.spans()[1]),
        ["cap.cert.id=c1", "cap.job.attempt=2", "cap.job.id=j2", "cap.job.type=renew"]
    );
    let (path, headers) = collector.path_and_headers();
    assert_eq!(path, "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
    for (name, value) in
        [("authorization", "Bearer t"), ("content-type", "application/grpc"), ("te", "trailers")]
    {
        assert_eq!(headers[name], value);
    }
}

#[test]
fn a_retryable_status_is_retried_and_any_other_fails_the_batch() {
    const CANCELLED: Answer = Answer::Grpc(1);
    const INVALID_ARGUMENT: Answer = Answer::Grpc(3);
    const RESOURCE_EXHAUSTED: Answer = Answer::Grpc(8);
    const UNIMPLEMENTED: Answer = Answer::Grpc(12);
    const UNAVAILABLE: Answer = Answer::Grpc(14);
    for (answers, (exported, rejected, failed), error) in [
        (vec![UNAVAILABLE, CANCELLED], (5, 0, 0), ""),
        (vec![Answer::Status(503)], (5, 0, 0), ""),
        (vec![Answer::Reject(2)], (3, 2, 0), "too old"),
        (vec![INVALID_ARGUMENT], (0, 0, 5), "INVALID_ARGUMENT"),
        (vec![RESOURCE_EXHAUSTED], (0, 0, 5), "max_recv_msg_size_mib"),
        (vec![UNIMPLEMENTED], (0, 0, 5), "UNIMPLEMENTED"),
        (vec![Answer::Status(307)], (0, 0, 5), "redirects"),
        (vec![Answer::Status(200)], (0, 0, 5), "OTLP/gRPC receiver"),
    ] {
        let (_collector, address) = Collector::start(answers.iter().copied());
        let tracer = tracer_to(&format!("grpc://{address}"), connector(), |config| {
            config.batch_delay = Duration::from_millis(200);
        });
        jobs(&tracer, 5);
        settles(&tracer);
        let stats = tracer.shutdown(LONG);
        assert_eq!(
            (stats.exported, stats.rejected, stats.failed),
            (exported, rejected, failed),
            "{answers:?}: {stats}"
        );
        closes(&stats);
        assert!(stats.last_error.unwrap_or_default().contains(error), "{answers:?}");
    }
}

#[test]
fn an_exhausted_collector_that_says_when_is_asked_again_then() {
    let (_collector, address) = Collector::start([Answer::Exhausted(IN_600_MS)]);
    let tracer = tracer_to(&format!("grpc://{address}"), connector(), |_| {});
    let start = Instant::now();
    jobs(&tracer, 1);
    settles(&tracer);
    assert!(start.elapsed() >= Duration::from_millis(600), "{:?}", start.elapsed());
    assert_eq!(tracer.shutdown(LONG).exported, 1);
}

#[test]
fn a_connection_on_which_no_answer_comes_is_not_used_again() {
    for trouble in [Answer::Silence, Answer::Cut] {
        let (collector, address) = Collector::start([trouble]);
        let tracer = tracer_to(&format!("grpc://{address}"), connector(), |config| {
            config.timeout = Duration::from_secs(1).try_into().unwrap();
        });
        jobs(&tracer, 1);
        settles(&tracer);
        let stats = tracer.shutdown(LONG);
        assert_eq!((stats.exported, stats.failed), (1, 0), "{stats}");
        assert_eq!(collector.seen(), (2, 2), "{trouble:?}");
    }
}

#[test]
fn what_the_guard_denies_is_not_tried_again() {
    let (collector, address) = Collector::start([]);
    for scheme in ["http", "grpc"] {
        let loopback = "127.0.0.0/8".parse().unwrap();
        let guard = Guard::new(Policy::default().with_denied(vec![loopback]));
        let connector = Connector::new(guard.clone(), Trust::system().unwrap());
        let tracer = tracer_to(&format!("{scheme}://{address}"), connector, |config| {
            config.retry_for = LONG;
        });
        jobs(&tracer, 1);
        settles(&tracer);
        let stats = tracer.shutdown(LONG);
        assert_eq!((stats.exported, stats.failed_by.validation), (0, 1), "{stats}");
        closes(&stats);
        assert_eq!(guard.denials().values().sum::<u64>(), 1);
    }
    assert_eq!(collector.seen(), (0, 0));
}
