//! Every kind of span arrives whole: over each scheme, at our receiver and behind the real
//! Collector.

use std::fmt::Write as _;
use std::time::Duration;

use cap_egress::{Connector, Guard, Policy, Trust};
use cap_names::{Actor, ErrorClass};
use cap_tests::peers::Collector;
use cap_tests::require;
use cap_tests::{
    ANY_PORT, Authority, Identity, OtlpReceiver, ReceivedSpan, Security, ServerCertificate,
};
use cap_tracing::{Compression, Config, Tracer, current_span};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};

const LONG: Duration = Duration::from_secs(30);

/// A renewal that fails once: what [`story`] makes, as a receiver must read it, without times and
/// ids.
const STORY: &str = "\
POST /projects/:projectId/certificates/:id/renew (server) below b7ad6b7169203331 flags 301 state vendor=1
  cap.actor.type=user
  cap.cert.id=c1
  cap.tenant.org_id=o1
  cap.tenant.project_id=p1
  http.request.method=POST
  http.response.status_code=202
  http.route=/projects/:projectId/certificates/:id/renew
INSERT jobs (client) below POST /projects/:projectId/certificates/:id/renew flags 101 state vendor=1
  db.collection.name=jobs
  db.operation.name=INSERT
policy check (internal) below POST /projects/:projectId/certificates/:id/renew flags 101 state vendor=1
  code.function.name=policy.check
enqueue renew (producer) below POST /projects/:projectId/certificates/:id/renew flags 101 state vendor=1
  cap.job.id=j1
  cap.job.type=renew
job renew (consumer) below enqueue renew flags 301 state vendor=1
  cap.cert.id=c1
  cap.distribution.id=d1
  cap.error.class=io_transient
  cap.job.attempt=1
  cap.job.id=j1
  cap.job.type=renew
  cap.tenant.project_id=p1
  error: the CA answered 503
acme new-order (client) below job renew 1 flags 101 state vendor=1
  cap.error.class=io_transient
  cap.external.endpoint=new-order
  cap.external.provider=acme
  error.type=503
  http.request.method=POST
  http.response.status_code=503
  server.address=ca.example.com
  server.port=14000
  error: the CA answered 503
job renew (consumer) below enqueue renew flags 301 state vendor=1
  cap.cert.id=c1
  cap.distribution.id=d1
  cap.job.attempt=2
  cap.job.id=j1
  cap.job.type=renew
  cap.tenant.project_id=p1
  event audit: cap.event.id=evt_1 cap.event.type=cert.renewed
  link to job renew 1
emit cert.renewed (producer) below job renew 2 flags 101 state vendor=1
  cap.event.id=evt_1
  cap.event.type=cert.renewed
";

#[tokio::test(flavor = "multi_thread")]
async fn at_our_own_receiver() {
    let (authority, identity) = certified();
    for security in [Security::Plain, Security::Tls(&identity)] {
        let receiver = OtlpReceiver::start_with(ANY_PORT, security).await.expect("a port");
        tell(&receiver.endpoint(), Compression::None, &authority);
        tell(&receiver.grpc_endpoint(), Compression::None, &authority);
        tell(&receiver.endpoint(), Compression::Gzip, &authority);
        tell(&receiver.grpc_endpoint(), Compression::Gzip, &authority);
        let spans = receiver.stop().await;
        // Each of the four has arrived by the time its pipeline is shut down.
        for spans in spans.chunks(spans.len() / 4) {
            assert_eq!(described(spans), STORY);
        }
    }
}

/// The Collector has the minimal configuration that the product documents, and exports to our
/// receiver.
#[tokio::test(flavor = "multi_thread")]
async fn behind_the_collector() {
    let program = require!("otelcol");
    let (authority, identity) = certified();
    for identity in [None, Some(&identity)] {
        for http in [true, false] {
            let tempo = OtlpReceiver::start().await.expect("a port");
            let mut collector =
                Collector::forwarding(&program, identity, tempo.addr()).await.expect("it starts");
            let endpoint = match http {
                true => collector.endpoint(),
                false => collector.grpc_endpoint(),
            };
            tell(&endpoint, Compression::None, &authority);
            // It sends what it has before it ends.
            collector.stop().await.expect("it stops");
            assert_eq!(described(&tempo.stop().await), STORY, "{endpoint}");
        }
    }
}

fn certified() -> (Authority, Identity) {
    let authority = Authority::new();
    let identity = authority.server(ServerCertificate::Good);
    (authority, identity)
}

/// Sends the spans of the story, and returns when they have been accepted.
fn tell(endpoint: &str, compression: Compression, authority: &Authority) {
    let mut config = Config::new(endpoint.parse().expect("an endpoint"));
    config.compression = compression;
    let (instance, name) = ("service.instance.id".to_owned(), "api-1".to_owned());
    config.resource.insert(instance, name);
    let trust = Trust::system_with_ca(authority.ca_pem().as_bytes()).expect("roots");
    let connector = Connector::new(Guard::new(Policy::default()), trust);
    let tracer = Tracer::start(config, connector).expect("it starts");
    story(&tracer);
    let stats = tokio::task::block_in_place(|| tracer.shutdown(LONG));
    assert_eq!((stats.started, stats.exported), (8, 8), "{stats}");
}

fn story(tracer: &Tracer) {
    let inbound = HeaderMap::from_iter([
        (
            http::HeaderName::from_static("traceparent"),
            HeaderValue::from_static("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ),
        (http::HeaderName::from_static("tracestate"), HeaderValue::from_static("vendor=1")),
    ]);
    let route = "/projects/:projectId/certificates/:id/renew";
    let request = tracer.request(&Method::POST, &inbound).route(route).start();
    let enqueued = request.in_scope(|| {
        let who = Actor::user("alice");
        current_span().set_org("o1").set_project("p1").set_certificate("c1").set_actor(&who);
        drop(tracer.db("INSERT", "jobs"));
        drop(tracer.service_call("policy", "check"));
        tracer.enqueue("renew", "j1").carrier()
    });
    request.record_status(StatusCode::ACCEPTED);
    drop(request);

    let job = tracer
        .job("renew", "j1")
        .certificate("c1")
        .distribution("d1")
        .project("p1")
        .parent(&enqueued);
    let first = job.start();
    first.in_scope(|| {
        let uri = Uri::from_static("https://ca.example.com:14000/order?token=secret");
        let call = tracer.external_call("acme", "new-order", &Method::POST, &uri);
        call.record_status(StatusCode::SERVICE_UNAVAILABLE);
        call.record_error(ErrorClass::IoTransient, &"the CA answered 503");
    });
    first.record_error(ErrorClass::IoTransient, &"the CA answered 503");
    let before = first.carrier();
    drop(first);
    let second = job.attempt(2).previous_attempt(&before).start();
    second.in_scope(|| {
        current_span().record_audit_event("cert.renewed", "evt_1");
        drop(tracer.emit_event("cert.renewed", "evt_1"));
    });
}

/// The spans in the order of their start. Names stand for the ids that they refer to.
fn described(spans: &[ReceivedSpan]) -> String {
    let mut spans: Vec<_> = spans.iter().collect();
    spans.sort_by_key(|span| span.start_nanos);
    let name = |id: &str| {
        let mut spans = spans.iter();
        let span = spans.find(|span| span.span_id == id);
        span.map_or_else(
            || id.to_owned(),
            |span| match span.attribute("cap.job.attempt") {
                Some(attempt) => format!("{} {attempt}", span.name),
                None => span.name.clone(),
            },
        )
    };
    let mut text = String::new();
    for span in &spans {
        assert_eq!(span.trace_id, "0af7651916cd43dd8448eb211c80319c");
        assert!(span.start_nanos <= span.end_nanos, "{span:?}");
        let resource = &span.resource;
        assert_eq!(resource["service.name"], "certautopilot");
        assert_eq!(resource["service.instance.id"], "api-1");
        assert_eq!((resource.len(), span.scope.as_str()), (2, "cap-tracing"));
        let parent = span.parent_span_id.as_deref().map_or_else(String::new, name);
        writeln!(
            text,
            "{} ({}) below {parent} flags {:x} state {}",
            span.name, span.kind, span.flags, span.trace_state
        )
        .expect("a String");
        for (key, value) in &span.attributes {
            writeln!(text, "  {key}={value}").expect("a String");
        }
        for event in &span.events {
            assert!((span.start_nanos..=span.end_nanos).contains(&event.nanos));
            let pairs = event.attributes.iter();
            let pairs: Vec<_> = pairs.map(|(key, value)| format!("{key}={value}")).collect();
            writeln!(text, "  event {}: {}", event.name, pairs.join(" ")).expect("a String");
        }
        for link in &span.links {
            assert_eq!(link.trace_id, span.trace_id);
            writeln!(text, "  link to {}", name(&link.span_id)).expect("a String");
        }
        if let Some(error) = &span.error {
            writeln!(text, "  error: {error}").expect("a String");
        }
    }
    text
}
