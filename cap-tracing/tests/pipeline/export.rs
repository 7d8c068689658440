//! Spans over OTLP/HTTP, the accounting after each fault, and contexts that pass through.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use cap_names::{Actor, ErrorClass};
use cap_testkit::Fault;
use cap_tracing::{Audience, Compression, TraceLayer, Tracer};
use tower::ServiceExt as _;

use crate::support::{
    LONG, attributes, closes, collector, connector, is_child, job, jobs, settles, tracer,
    tracer_to, unavailable,
};

#[test]
fn a_job_arrives_with_its_attributes_and_its_failure() {
    let (collector, address) = collector([]);
    let tracer = tracer(address, |_| {});
    let span = job(&tracer, "j1");
    span.in_scope(|| {
        let call = tracer.external_call(
            "acme",
            "finalize",
            &http::Method::POST,
            &"http://ca.example:14000/x?token=s".parse().unwrap(),
        );
        call.record_status(StatusCode::SERVICE_UNAVAILABLE);
        call.record_error(ErrorClass::IoTransient, &"the CA answered 503");
    });
    drop(span);
    let stats = tracer.shutdown(LONG);
    assert_eq!((stats.started, stats.exported), (2, 2), "{stats}");

    let spans = collector.spans();
    let (call, job) = (&spans[0], &spans[1]);
    assert!(is_child(call, job));
    assert_eq!((job.name.as_str(), call.name.as_str()), ("job renew", "acme finalize"));
    assert_eq!(
        attributes(job),
        ["cap.cert.id=c1", "cap.job.attempt=2", "cap.job.id=j1", "cap.job.type=renew"]
    );
    assert_eq!(
        attributes(call),
        [
            "cap.error.class=io_transient",
            "cap.external.endpoint=finalize",
            "cap.external.provider=acme",
            "error.type=503",
            "http.request.method=POST",
            "http.response.status_code=503",
            "server.address=ca.example",
            "server.port=14000",
        ]
    );
    assert_eq!(call.error.as_deref(), Some("the CA answered 503"));
}

#[test]
fn gzip_is_announced_and_smaller_over_either_protocol() {
    for scheme in ["http", "grpc"] {
        let (collector, address) = collector([Fault::status(503)]);
        let tracer = tracer_to(&format!("{scheme}://{address}"), connector(), |config| {
            config.compression = Compression::Gzip;
            config.batch_delay = Duration::from_millis(200);
        });
        jobs(&tracer, 100);
        let stats = tracer.shutdown(LONG);
        assert_eq!((stats.exported, stats.pending), (100, 0), "{stats}");
        assert_eq!(collector.spans().len(), 100);
        assert_eq!(collector.spans()[99].attribute("cap.job.id"), Some("99"));
        let length = collector.requests().last().unwrap().bytes;
        assert!(length < 100 * 100, "{length} bytes for 100 spans");
    }
}

#[test]
fn a_request_goes_to_its_path_with_the_configured_headers() {
    let (collector, address) = collector([]);
    let tracer = tracer(address, |config| {
        let token = http::HeaderValue::from_static("Bearer s");
        config.headers.insert(http::header::AUTHORIZATION, token);
    });
    jobs(&tracer, 1);
    tracer.shutdown(LONG);
    let request = &collector.requests()[0];
    assert_eq!(request.path, "/v1/traces");
    assert_eq!(request.headers["authorization"], "Bearer s");
    assert_eq!(request.headers["content-type"], "application/x-protobuf");
}

#[test]
fn a_recovered_collector_gets_the_batch_and_a_refusal_fails_it() {
    for (answers, exported, rejected, failed) in [
        (vec![Fault::status(503), Fault::status(429)], 5, 0, 0),
        (vec![Fault::Partial { rejected: 2 }], 3, 2, 0),
        (vec![Fault::status(500)], 0, 0, 5),
        (vec![Fault::status(307)], 0, 0, 5),
    ] {
        let (_collector, address) = collector(answers);
        let tracer = tracer(address, |c| c.batch_delay = Duration::from_millis(200));
        jobs(&tracer, 5);
        // All five wait for one batch; a shutdown would not wait.
        settles(&tracer);
        let stats = tracer.shutdown(LONG);
        assert_eq!(
            (stats.exported, stats.rejected, stats.failed),
            (exported, rejected, failed),
            "{stats}"
        );
        assert_eq!(stats.pending, 0);
        closes(&stats);
        assert_eq!(stats.last_error.is_some(), rejected + failed > 0, "{stats}");
    }
}

#[test]
fn a_retry_after_past_the_limit_gives_the_batch_up() {
    let (_collector, address) = collector([unavailable(u64::MAX)]);
    let tracer = tracer(address, |_| {});
    jobs(&tracer, 5);
    settles(&tracer);
    jobs(&tracer, 3);
    let stats = tracer.shutdown(LONG);
    assert_eq!((stats.failed, stats.exported, stats.pending), (5, 3, 0), "{stats}");
}

#[test]
fn a_retry_after_of_nothing_is_no_reason_to_hurry() {
    let (collector, address) = collector([unavailable(0); 1000]);
    let tracer = tracer(address, |c| c.retry_for = Duration::from_secs(1));
    jobs(&tracer, 1);
    settles(&tracer);
    let asked = collector.requests().len();
    assert!(asked <= 4, "{asked} requests in a second");
}

#[test]
fn shutdown_keeps_its_deadline_and_says_what_was_lost() {
    // Nobody listens on the first port; the second accepts connections and never answers.
    let refused =
        std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let silent = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    for address in [refused, silent.local_addr().unwrap()] {
        let tracer = tracer(address, |_| {});
        jobs(&tracer, 5);
        let open = job(&tracer, "still open");
        let start = Instant::now();
        let stats = tracer.shutdown(Duration::from_millis(300));
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        assert_eq!((stats.started, stats.failed, stats.pending), (6, 5, 1), "{stats}");
        assert!(stats.last_error.is_some());
        drop(open);
        let stats = tracer.stats();
        assert_eq!((stats.dropped, stats.pending), (1, 0), "{stats}");
    }
}

#[test]
fn a_flush_sends_what_is_queued_and_the_pipe_goes_on() {
    let (collector, address) = collector([Fault::status(500)]);
    let tracer = tracer(address, |config| {
        config.batch_delay = Duration::from_secs(3600);
        config.batch_size = 4.try_into().unwrap();
    });
    jobs(&tracer, 10);
    let open = job(&tracer, "open");
    // The first batch is given up, and the flush does not wait for open spans.
    let stats = tracer.flush(LONG);
    assert_eq!((stats.exported, stats.failed, stats.pending), (6, 4, 1), "{stats}");
    drop(open);
    assert_eq!(tracer.flush(LONG).exported, 7);
    assert_eq!(tracer.flush(LONG).pending, 0);
    assert_eq!(collector.spans().len(), 7);
    tracer.shutdown(LONG);
    assert_eq!(tracer.flush(LONG).exported, 7);
}

#[test]
fn a_batch_goes_out_when_it_is_full_however_its_spans_came() {
    let (collector, address) = collector([]);
    let tracer = tracer(address, |config| {
        config.batch_delay = Duration::from_secs(3600);
        config.batch_size = 2.try_into().unwrap();
    });
    for pair in 0..200 {
        // The thread may take the first span before the second ends.
        jobs(&tracer, 1);
        (0..pair).for_each(|_| std::thread::yield_now());
        jobs(&tracer, 1);
        settles(&tracer);
    }
    assert_eq!(collector.spans().len(), 400);
}

#[test]
fn a_flush_keeps_its_deadline_and_loses_nothing_by_it() {
    let silent = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let tracer = tracer(silent.local_addr().unwrap(), |_| {});
    jobs(&tracer, 3);
    let start = Instant::now();
    let stats = tracer.flush(Duration::from_millis(200));
    assert!(start.elapsed() < Duration::from_secs(2));
    assert_eq!((stats.pending, stats.failed), (3, 0), "{stats}");
    closes(&tracer.shutdown(Duration::from_millis(100)));
    assert_eq!(Tracer::disabled().flush(LONG), cap_tracing::Stats::default());
}

#[test]
fn a_service_call_and_an_emitted_event_have_their_names() {
    let (collector, address) = collector([]);
    let tracer = tracer(address, |_| {});
    job(&tracer, "j1").in_scope(|| {
        drop(tracer.service_call("kek", "rotate"));
        drop(tracer.emit_event("cert.issued", "evt_1"));
    });
    tracer.shutdown(LONG);
    let spans = collector.spans();
    let names: Vec<_> = spans.iter().map(|span| (&*span.name, span.kind)).collect();
    assert_eq!(names[..2], [("kek rotate", "internal"), ("emit cert.issued", "producer")]);
    assert_eq!(attributes(&spans[0]), ["code.function.name=kek.rotate"]);
    assert_eq!(attributes(&spans[1]), ["cap.event.id=evt_1", "cap.event.type=cert.issued"]);
    assert!(spans[..2].iter().all(|span| is_child(span, &spans[2])));
}

#[test]
fn a_full_queue_drops_and_counts() {
    let silent = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let tracer = tracer(silent.local_addr().unwrap(), |c| {
        c.queue_size = 8.try_into().unwrap();
        c.batch_size = 4.try_into().unwrap();
    });
    jobs(&tracer, 100);
    let stats = tracer.stats();
    assert!(stats.dropped >= 100 - 8 - 4, "{stats}");
    closes(&stats);
}

#[test]
fn shutdown_works_inside_a_current_thread_runtime() {
    let (_collector, address) = collector([]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stats = runtime.block_on(async {
        let tracer = tracer(address, |_| {});
        jobs(&tracer, 3);
        tracer.shutdown(LONG)
    });
    assert_eq!((stats.exported, stats.pending), (3, 0), "{stats}");
}

const UPSTREAM: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";

/// Calls a handler behind the layer with an upstream context, and returns the headers that the
/// handler would send.
async fn through(tracer: &Tracer, flags: &str) -> http::HeaderMap {
    let inner = tracer.clone();
    let handler = async move || {
        cap_tracing::current_span().set_project("p1").set_actor(&Actor::user("alice"));
        let mut headers = http::HeaderMap::new();
        inner.enqueue("renew", "j1").inject(&mut headers, Audience::Internal);
        (StatusCode::INTERNAL_SERVER_ERROR, headers)
    };
    let app = Router::new()
        .route("/projects/{projectId}", post(handler))
        .layer(TraceLayer::new(tracer.clone()));
    let request = http::Request::post("/projects/p1")
        .header("traceparent", format!("{UPSTREAM}-{flags}"))
        .header("baggage", "k=v")
        .body(axum::body::Body::empty())
        .unwrap();
    app.oneshot(request).await.unwrap().headers().clone()
}

#[tokio::test]
async fn a_sampled_upstream_is_the_parent_of_the_request() {
    let (collector, address) = collector([]);
    let tracer = tracer(address, |c| c.sample_rate = "0".parse().unwrap());
    let sent_on = through(&tracer, "01").await;
    tracer.shutdown(LONG);
    let spans = collector.spans();
    let (enqueue, request) = (&spans[0], &spans[1]);
    assert_eq!(request.parent_span_id.as_deref(), Some("b7ad6b7169203331"));
    assert_eq!(request.name, "POST /projects/:projectId");
    assert_eq!(
        attributes(request),
        [
            "cap.actor.type=user",
            "cap.error.class=io_transient",
            "cap.tenant.project_id=p1",
            "error.type=500",
            "http.request.method=POST",
            "http.response.status_code=500",
            "http.route=/projects/:projectId",
        ]
    );
    let parent = format!("00-0af7651916cd43dd8448eb211c80319c-{}-01", enqueue.span_id);
    assert_eq!(sent_on["traceparent"], parent.as_str());
}

#[tokio::test]
async fn unsampled_or_disabled_the_context_passes_through_unchanged() {
    let (collector, address) = collector([]);
    let sampling = tracer(address, |_| {});
    for (tracer, flags) in [(&sampling, "00"), (&Tracer::disabled(), "01")] {
        let sent_on = through(tracer, flags).await;
        assert_eq!(sent_on["traceparent"], format!("{UPSTREAM}-{flags}").as_str());
        assert_eq!(sent_on["baggage"], "k=v");
    }
    assert_eq!(sampling.shutdown(LONG).started, 0);
    assert!(collector.spans().is_empty());
}

#[test]
fn a_rate_of_zero_makes_no_spans_and_the_decision_travels() {
    let (_collector, address) = collector([]);
    let tracer = tracer(address, |c| c.sample_rate = "0".parse().unwrap());
    let span = job(&tracer, "j1");
    let json = serde_json::to_string(&span.carrier()).unwrap();
    // Unsampled, and its trace id is random.
    assert!(json.contains("-02\""), "{json}");
    assert_eq!(tracer.shutdown(LONG).started, 0);
}
