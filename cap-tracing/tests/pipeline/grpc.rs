//! OTLP/gRPC: what goes over the wire, and what each answer does to the accounting.

use std::time::{Duration, Instant};

use cap_egress::{Connector, Guard, Policy, Trust};
use cap_testkit::{Code, Fault};
use http::HeaderValue;
use http::header::AUTHORIZATION;

use crate::support::{
    LONG, attributes, closes, collector, connector, job, jobs, settles, tracer_to,
};

#[test]
fn spans_arrive_with_the_configured_metadata_on_one_connection() {
    let (collector, address) = collector([]);
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
    assert_eq!((collector.requests().len(), collector.connections()), (2, 1));
    assert_eq!(
        attributes(&collector.spans()[1]),
        ["cap.cert.id=c1", "cap.job.attempt=2", "cap.job.id=j2", "cap.job.type=renew"]
    );
    let request = &collector.requests()[1];
    assert_eq!(request.path, "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
    for (name, value) in
        [("authorization", "Bearer t"), ("content-type", "application/grpc"), ("te", "trailers")]
    {
        assert_eq!(request.headers[name], value);
    }
}

#[test]
fn a_retryable_status_is_retried_and_any_other_fails_the_batch() {
    let status = |code| Fault::Grpc { code, retry_after: None };
    for (answers, (exported, rejected, failed), error) in [
        (vec![status(Code::Unavailable), status(Code::Canceled)], (5, 0, 0), ""),
        (vec![Fault::status(503)], (5, 0, 0), ""),
        (vec![Fault::Partial { rejected: 2 }], (3, 2, 0), "injected"),
        (vec![status(Code::InvalidArgument)], (0, 0, 5), "INVALID_ARGUMENT"),
        (vec![status(Code::ResourceExhausted)], (0, 0, 5), "max_recv_msg_size_mib"),
        (vec![status(Code::Unimplemented)], (0, 0, 5), "UNIMPLEMENTED"),
        (vec![Fault::status(307)], (0, 0, 5), "redirects"),
        (vec![Fault::status(200)], (0, 0, 5), "OTLP/gRPC receiver"),
    ] {
        let (_collector, address) = collector(answers.iter().copied());
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
    let in_600_ms = Some(Duration::from_millis(600));
    let exhausted = Fault::Grpc { code: Code::ResourceExhausted, retry_after: in_600_ms };
    let (_collector, address) = collector([exhausted]);
    let tracer = tracer_to(&format!("grpc://{address}"), connector(), |_| {});
    let start = Instant::now();
    jobs(&tracer, 1);
    settles(&tracer);
    assert!(start.elapsed() >= Duration::from_millis(600), "{:?}", start.elapsed());
    assert_eq!(tracer.shutdown(LONG).exported, 1);
}

#[test]
fn a_connection_on_which_no_answer_comes_is_not_used_again() {
    for trouble in [Fault::Hang, Fault::Reset] {
        let (collector, address) = collector([trouble]);
        let tracer = tracer_to(&format!("grpc://{address}"), connector(), |config| {
            config.timeout = Duration::from_secs(1).try_into().unwrap();
        });
        jobs(&tracer, 1);
        settles(&tracer);
        let stats = tracer.shutdown(LONG);
        assert_eq!((stats.exported, stats.failed), (1, 0), "{stats}");
        let seen = (collector.requests().len(), collector.connections());
        assert_eq!(seen, (2, 2), "{trouble:?}");
    }
}

#[test]
fn what_the_guard_denies_is_not_tried_again() {
    let (collector, address) = collector([]);
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
    assert_eq!((collector.requests().len(), collector.connections()), (0, 0));
}
