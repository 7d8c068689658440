//! The example for the W3C's harness, driven as the harness drives it: the peer calls back with the
//! context that it received.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

#[path = "../examples/trace_context_service.rs"]
mod service;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::routing::post;
use cap_egress::{Connector, Guard, Policy, Trust};
use cap_tracing::{Config, SampleRate, Tracer};
use serde_json::{Value, json};
use tower::ServiceExt as _;

type Calls = Arc<Mutex<Vec<(HeaderMap, Value)>>>;

/// A peer that keeps the requests that it receives.
async fn peer() -> (Calls, SocketAddr) {
    let calls = Calls::default();
    let kept = Arc::clone(&calls);
    let keep = async move |headers: HeaderMap, body: Bytes| {
        let body = serde_json::from_slice(&body).unwrap();
        kept.lock().unwrap().push((headers, body));
    };
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().route("/callback", post(keep));
    tokio::spawn(async move { axum::serve(listener, app).await });
    (calls, address)
}

fn service() -> Router {
    let connector = Connector::new(Guard::new(Policy::default()), Trust::system().unwrap());
    let mut config = Config::new("http://127.0.0.1:9".parse().unwrap());
    config.sample_rate = SampleRate::ALL;
    let tracer = Tracer::start(config, connector.clone()).unwrap();
    service::router(tracer, connector)
}

async fn ask(service: Router, headers: &[(&str, &str)], body: String) -> StatusCode {
    let mut request = Request::post("/test");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body)).unwrap();
    service.oneshot(request).await.unwrap().status()
}

#[tokio::test]
async fn each_element_is_posted_as_a_child_of_the_callers_span() {
    let (calls, address) = peer().await;
    let url = format!("http://{address}/callback");
    let body = json!([
        { "url": url, "arguments": [] },
        { "url": url, "arguments": [{ "url": url, "arguments": [1] }] },
    ]);
    let trace = "12345678901234567890123456789012";
    let parent = format!("00-{trace}-1234567890123456-01");
    let headers = [("traceparent", &*parent), ("tracestate", "foo=1"), ("tracestate", "bar=2")];
    assert_eq!(ask(service(), &headers, body.to_string()).await, 200);

    let calls = calls.lock().unwrap();
    let bodies: Vec<_> = calls.iter().map(|(_, body)| body.clone()).collect();
    assert_eq!(bodies, [json!([]), json!([{ "url": url, "arguments": [1] }])]);
    let sent = |n: usize| calls[n].0["traceparent"].to_str().unwrap();
    for n in [0, 1] {
        assert!(sent(n).starts_with(&format!("00-{trace}-")), "{}", sent(n));
        assert_ne!(sent(n), parent);
        assert_eq!(calls[n].0["tracestate"], "foo=1,bar=2");
    }
    assert_ne!(sent(0), sent(1));
}

#[tokio::test]
async fn a_caller_that_breaks_the_protocol_gets_a_new_trace() {
    let (calls, address) = peer().await;
    let body = json!([{ "url": format!("http://{address}/callback"), "arguments": [] }]);
    let headers = [("traceparent", "00-not-a-trace-01"), ("tracestate", "foo=1")];
    assert_eq!(ask(service(), &headers, body.to_string()).await, 200);
    let calls = calls.lock().unwrap();
    let sent = calls[0].0["traceparent"].to_str().unwrap();
    // Sampled, and its trace id is random.
    assert!(sent.ends_with("-03"), "{sent}");
    assert!(!calls[0].0.contains_key("tracestate"));
}

#[tokio::test]
async fn what_is_not_such_a_list_is_refused() {
    for body in ["", "{}", "[1]", r#"[{"url":"http://a"}]"#] {
        assert_eq!(ask(service(), &[], body.to_owned()).await, 400, "{body}");
    }
}
