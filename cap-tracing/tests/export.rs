//! Spans over real sockets to a collector of the test's own, and the accounting after each fault.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use cap_egress::{Connector, Guard, Policy, Trust};
use cap_names::{Actor, ErrorClass};
use cap_tracing::{Audience, Carrier, Config, Job, SampleRate, Stats, TraceLayer, Tracing};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tower::ServiceExt as _;

const LONG: Duration = Duration::from_secs(20);

/// What the collector answers; accepts when nothing is scripted.
enum Answer {
    Status(u16),
    RetryAfter(&'static str),
    Reject(i64),
}

#[derive(Clone, Default)]
struct Collector {
    requests: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
}

impl Collector {
    /// Serves on a thread with a runtime of its own, until the process ends.
    fn start(answers: impl IntoIterator<Item = Answer>) -> (Self, SocketAddr) {
        let collector = Collector::default();
        collector.answers.lock().unwrap().extend(answers);
        let app = Router::new()
            .route("/v1/traces", post(Self::receive))
            .with_state(collector.clone());
        let (bound, address) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
                    .await
                    .unwrap();
                bound.send(listener.local_addr().unwrap()).unwrap();
                axum::serve(listener, app).await.unwrap();
            });
        });
        (collector, address.recv().unwrap())
    }

    async fn receive(
        State(collector): State<Collector>,
        body: Bytes,
    ) -> (StatusCode, [(&'static str, &'static str); 1], Vec<u8>) {
        let none = [("x-none", "")];
        let mut response = ExportTraceServiceResponse::default();
        match collector.answers.lock().unwrap().pop_front() {
            Some(Answer::Status(status)) => {
                return (StatusCode::from_u16(status).unwrap(), none, Vec::new());
            }
            Some(Answer::RetryAfter(wait)) => {
                let header = [("retry-after", wait)];
                return (StatusCode::SERVICE_UNAVAILABLE, header, Vec::new());
            }
            Some(Answer::Reject(rejected_spans)) => {
                response.partial_success = Some(ExportTracePartialSuccess {
                    rejected_spans,
                    error_message: "too old".to_owned(),
                });
            }
            None => {}
        }
        let request = ExportTraceServiceRequest::decode(body).unwrap();
        collector.requests.lock().unwrap().push(request);
        (StatusCode::OK, none, response.encode_to_vec())
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self.requests.lock().unwrap();
        let resources = requests.iter().flat_map(|request| &request.resource_spans);
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }
}

fn pipe(to: SocketAddr, change: impl FnOnce(&mut Config)) -> Tracing {
    let mut config = Config::new(format!("http://{to}").parse().unwrap());
    config.sample_rate = SampleRate::ALL;
    config.batch_delay = Duration::from_millis(10);
    change(&mut config);
    let connector = Connector::new(Guard::new(Policy::default()), Trust::system().unwrap());
    Tracing::start(config, connector).unwrap()
}

fn job(tracing: &Tracing, id: &str) -> cap_tracing::Span {
    let job = Job {
        job_type: "renew",
        id,
        attempt: 2,
        certificate_id: Some("c1"),
        project_id: None,
    };
    tracing.job(&job, &Carrier::default(), None)
}

fn jobs(tracing: &Tracing, n: usize) {
    (0..n).for_each(|n| drop(job(tracing, &n.to_string())));
}

/// Waits until nothing is pending.
fn settles(tracing: &Tracing) {
    let start = Instant::now();
    while tracing.stats().pending > 0 {
        assert!(start.elapsed() < LONG, "{}", tracing.stats());
        std::thread::yield_now();
    }
}

fn closes(stats: &Stats) {
    let Stats {
        started,
        exported,
        rejected,
        dropped,
        failed,
        pending,
        ..
    } = stats;
    assert_eq!(
        *started,
        exported + rejected + dropped + failed + pending,
        "{stats}"
    );
}

fn attributes(span: &Span) -> Vec<String> {
    let value = |value: &Option<opentelemetry_proto::tonic::common::v1::AnyValue>| {
        use opentelemetry_proto::tonic::common::v1::any_value::Value;
        match value.as_ref().and_then(|value| value.value.clone()) {
            Some(Value::StringValue(s)) => s,
            Some(Value::IntValue(n)) => n.to_string(),
            other => format!("{other:?}"),
        }
    };
    let mut all: Vec<_> = span
        .attributes
        .iter()
        .map(|kv| format!("{}={}", kv.key, value(&kv.value)))
        .collect();
    all.sort();
    all
}

#[test]
fn a_job_arrives_with_its_attributes_and_its_failure() {
    let (collector, address) = Collector::start([]);
    let tracing = pipe(address, |_| {});
    let span = job(&tracing, "j1");
    span.in_scope(|| {
        let call = tracing.external_call(
            "acme",
            "finalize",
            &http::Method::POST,
            &"http://ca.example:14000/x?token=s".parse().unwrap(),
        );
        call.http_status(503);
        call.fail(ErrorClass::IoTransient, &"the CA answered 503");
    });
    drop(span);
    let stats = tracing.shutdown(LONG);
    assert_eq!((stats.started, stats.exported), (2, 2), "{stats}");

    let spans = collector.spans();
    let (call, job) = (&spans[0], &spans[1]);
    assert_eq!(call.parent_span_id, job.span_id);
    assert_eq!(
        (job.name.as_str(), call.name.as_str()),
        ("job renew", "acme finalize")
    );
    assert_eq!(
        attributes(job),
        [
            "cap.cert.id=c1",
            "cap.job.attempt=2",
            "cap.job.id=j1",
            "cap.job.type=renew"
        ]
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
    let status = call.status.clone().unwrap();
    assert_eq!(
        (status.code, status.message.as_str()),
        (2, "the CA answered 503")
    );
}

#[test]
fn a_collector_that_recovers_gets_the_batch_and_a_permanent_refusal_counts_as_failed() {
    for (answers, exported, rejected, failed) in [
        (vec![Answer::Status(503), Answer::Status(429)], 5, 0, 0),
        (vec![Answer::Reject(2)], 3, 2, 0),
        (vec![Answer::Status(500)], 0, 0, 5),
        (vec![Answer::Status(307)], 0, 0, 5),
    ] {
        let (_collector, address) = Collector::start(answers);
        let tracing = pipe(address, |c| c.batch_delay = Duration::from_millis(200));
        jobs(&tracing, 5);
        // All five wait for one batch; a shutdown would not.
        settles(&tracing);
        let stats = tracing.shutdown(LONG);
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
fn a_retry_after_that_cannot_be_waited_for_gives_the_batch_up_and_the_pipe_goes_on() {
    let (_collector, address) = Collector::start([Answer::RetryAfter("18446744073709551615")]);
    let tracing = pipe(address, |_| {});
    jobs(&tracing, 5);
    settles(&tracing);
    jobs(&tracing, 3);
    let stats = tracing.shutdown(LONG);
    assert_eq!(
        (stats.failed, stats.exported, stats.pending),
        (5, 3, 0),
        "{stats}"
    );
}

#[test]
fn a_retry_after_of_nothing_is_no_reason_to_hurry() {
    let (collector, address) = Collector::start((0..1000).map(|_| Answer::RetryAfter("0")));
    let tracing = pipe(address, |c| c.retry_for = Duration::from_secs(1));
    jobs(&tracing, 1);
    settles(&tracing);
    let asked = 1000 - collector.answers.lock().unwrap().len();
    assert!(asked <= 4, "{asked} requests in a second");
}

#[test]
fn sizes_that_cannot_work_are_refused_by_name() {
    for (key, spoil) in [
        ("queue_size", 0),
        ("queue_size", usize::MAX),
        ("batch_size", 0),
    ] {
        let mut config = Config::new("http://127.0.0.1:9".parse().unwrap());
        match key {
            "queue_size" => config.queue_size = spoil,
            _ => config.batch_size = spoil,
        }
        let connector = Connector::new(Guard::new(Policy::default()), Trust::system().unwrap());
        let error = Tracing::start(config, connector).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("telemetry.tracing.{key}: ")),
            "{error}"
        );
    }
}

#[test]
fn shutdown_keeps_its_deadline_and_says_what_was_lost() {
    // Nobody listens on the first; the second accepts connections and never answers.
    let refused = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap();
    let silent = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    for address in [refused, silent.local_addr().unwrap()] {
        let tracing = pipe(address, |_| {});
        jobs(&tracing, 5);
        let open = job(&tracing, "still open");
        let start = Instant::now();
        let stats = tracing.shutdown(Duration::from_millis(300));
        assert!(
            start.elapsed() < Duration::from_secs(2),
            "{:?}",
            start.elapsed()
        );
        assert_eq!(
            (stats.started, stats.failed, stats.pending),
            (6, 5, 1),
            "{stats}"
        );
        assert!(stats.last_error.is_some());
        drop(open);
        let stats = tracing.stats();
        assert_eq!((stats.dropped, stats.pending), (1, 0), "{stats}");
    }
}

#[test]
fn a_full_queue_drops_and_counts() {
    let silent = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let tracing = pipe(silent.local_addr().unwrap(), |c| {
        c.queue_size = 8;
        c.batch_size = 4;
    });
    jobs(&tracing, 100);
    let stats = tracing.stats();
    assert!(stats.dropped >= 100 - 8 - 4, "{stats}");
    closes(&stats);
}

#[test]
fn shutdown_works_inside_a_current_thread_runtime() {
    let (_collector, address) = Collector::start([]);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let stats = runtime.block_on(async {
        let tracing = pipe(address, |_| {});
        jobs(&tracing, 3);
        tracing.shutdown(LONG)
    });
    assert_eq!((stats.exported, stats.pending), (3, 0), "{stats}");
}

const UPSTREAM: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";

/// Calls a handler behind the layer with an upstream context, and gives back what the handler would send on.
async fn through(tracing: &Tracing, flags: &str) -> http::HeaderMap {
    let inner = tracing.clone();
    let handler = async move || {
        cap_tracing::current()
            .project("p1")
            .actor(&Actor::user("alice"));
        let mut headers = http::HeaderMap::new();
        inner
            .enqueue("renew", "j1")
            .inject(&mut headers, Audience::Internal);
        (StatusCode::INTERNAL_SERVER_ERROR, headers)
    };
    let app = Router::new()
        .route("/projects/{projectId}", post(handler))
        .layer(TraceLayer::new(tracing.clone()));
    let request = http::Request::post("/projects/p1")
        .header("traceparent", format!("{UPSTREAM}-{flags}"))
        .header("baggage", "k=v")
        .body(axum::body::Body::empty())
        .unwrap();
    app.oneshot(request).await.unwrap().headers().clone()
}

#[tokio::test]
async fn a_sampled_upstream_is_the_parent_of_the_request() {
    let (collector, address) = Collector::start([]);
    let tracing = pipe(address, |c| c.sample_rate = "0".parse().unwrap());
    let sent_on = through(&tracing, "01").await;
    tracing.shutdown(LONG);
    let spans = collector.spans();
    let (enqueue, request) = (&spans[0], &spans[1]);
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    assert_eq!(hex(&request.parent_span_id), "b7ad6b7169203331");
    assert_eq!(request.name, "POST /projects/:projectId");
    assert_eq!(
        attributes(request),
        [
            "cap.actor.type=user",
            "cap.tenant.project_id=p1",
            "error.type=500",
            "http.request.method=POST",
            "http.response.status_code=500",
            "http.route=/projects/:projectId",
        ]
    );
    let parent = format!(
        "00-0af7651916cd43dd8448eb211c80319c-{}-01",
        hex(&enqueue.span_id)
    );
    assert_eq!(sent_on["traceparent"], parent.as_str());
}

#[tokio::test]
async fn unsampled_or_disabled_the_context_passes_through_unchanged() {
    let (collector, address) = Collector::start([]);
    let sampling = pipe(address, |_| {});
    for (tracing, flags) in [(&sampling, "00"), (&Tracing::disabled(), "01")] {
        let sent_on = through(tracing, flags).await;
        assert_eq!(
            sent_on["traceparent"],
            format!("{UPSTREAM}-{flags}").as_str()
        );
        assert_eq!(sent_on["baggage"], "k=v");
    }
    assert_eq!(sampling.shutdown(LONG).started, 0);
    assert!(collector.spans().is_empty());
}

#[test]
fn a_rate_of_zero_makes_no_spans_and_the_decision_travels() {
    let (_collector, address) = Collector::start([]);
    let tracing = pipe(address, |c| c.sample_rate = "0".parse().unwrap());
    let span = job(&tracing, "j1");
    let json = serde_json::to_string(&span.carrier()).unwrap();
    assert!(json.contains("-00\""), "{json}");
    assert_eq!(tracing.shutdown(LONG).started, 0);
}
