//! The layer around an HTTP client, on a real client and a real connection.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::routing::post;
use cap_egress::Connector;
use cap_names::ErrorClass;
use cap_testkit::ReceivedSpan;
use cap_tracing::{Audience, ClientLayer, Operation, TraceLayer, Tracer};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tower::{Layer as _, ServiceExt as _};

use crate::support::{LONG, attributes, collector, connector, is_child, settles, tracer};

const UPSTREAM: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";

/// Answers 503 with the headers of the request.
async fn peer() -> SocketAddr {
    let echo = async |headers: HeaderMap| {
        let mut echoed = HeaderMap::new();
        for name in ["traceparent", "baggage"] {
            if let Some(value) = headers.get(name) {
                echoed.insert(name, value.clone());
            }
        }
        (StatusCode::SERVICE_UNAVAILABLE, echoed)
    };
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().route("/{*path}", post(echo));
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

fn client() -> Client<Connector, Body> {
    Client::builder(TokioExecutor::new()).build(connector())
}

fn ask(address: SocketAddr) -> Request<Body> {
    let uri = format!("http://{address}/orders/1?token=s");
    let mut request = Request::post(uri).body(Body::empty()).unwrap();
    request.headers_mut().insert("baggage", "stale=1".parse().unwrap());
    request
}

/// Calls the peer from a handler that runs in this context, and returns the headers that the peer
/// received.
async fn called_from_a_handler(tracer: &Tracer, layer: ClientLayer, flags: &str) -> HeaderMap {
    let address = peer().await;
    let handler = async move || {
        let mut request = ask(address);
        request.extensions_mut().insert(Operation("finalize".into()));
        let answer = layer.layer(client()).oneshot(request).await.unwrap();
        answer.headers().clone()
    };
    let app = Router::new().route("/", post(handler)).layer(TraceLayer::new(tracer.clone()));
    let request = Request::post("/")
        .header("traceparent", format!("{UPSTREAM}-{flags}"))
        .header("baggage", "k=v")
        .body(Body::empty())
        .unwrap();
    app.oneshot(request).await.unwrap().headers().clone()
}

#[tokio::test]
async fn a_call_is_a_child_and_sends_third_parties_no_baggage() {
    let (collector, address) = collector([]);
    let tracer = tracer(address, |_| {});
    let mut seen = 0;
    for (layer, name, baggage) in [
        (ClientLayer::external(tracer.clone(), "acme"), "acme finalize", None),
        (
            ClientLayer::external(tracer.clone(), "acme").with_audience(Audience::Internal),
            "acme finalize",
            Some("k=v"),
        ),
        (ClientLayer::service(tracer.clone(), "kek"), "kek finalize", Some("k=v")),
    ] {
        let external = name.starts_with("acme");
        let got = called_from_a_handler(&tracer, layer, "01").await;
        let sent = got.get("baggage").map(|value| value.to_str().unwrap());
        assert_eq!(sent, baggage);
        settles(&tracer);
        let spans = collector.spans().split_off(seen);
        seen += 2;
        let [call, request] = &spans[..] else {
            panic!("{spans:?}");
        };
        assert_eq!((&*call.name, call.kind), (name, "client"));
        assert!(is_child(call, request));
        assert_eq!(got["traceparent"].to_str().unwrap()[36..52], call.span_id);
        let attributes = attributes(call);
        let has = |attribute: &str| attributes.iter().any(|other| other == attribute);
        assert!(has("http.request.method=POST") && has("server.address=127.0.0.1"));
        assert!(has("http.response.status_code=503") && has("error.type=503"));
        assert_eq!(has("cap.external.provider=acme"), external, "{attributes:?}");
        assert_eq!(has("cap.external.endpoint=finalize"), external);
        assert!(!attributes.iter().any(|other| other.contains("token")));
    }
    tracer.shutdown(LONG);
}

#[tokio::test]
async fn without_a_span_of_its_own_a_call_passes_the_context_on() {
    let (collector, address) = collector([]);
    let sampling = tracer(address, |_| {});
    for (tracer, flags) in [(&sampling, "00"), (&Tracer::disabled(), "01")] {
        let layer = ClientLayer::service(tracer.clone(), "kek");
        let got = called_from_a_handler(tracer, layer, flags).await;
        assert_eq!(got["traceparent"], format!("{UPSTREAM}-{flags}").as_str());
        assert_eq!(got["baggage"], "k=v");
    }
    sampling.shutdown(LONG);
    assert!(collector.spans().is_empty());
}

#[tokio::test]
async fn a_call_without_an_answer_is_an_error_named_after_its_method() {
    let (collector, address) = collector([]);
    let tracer = tracer(address, |_| {});
    let layer = ClientLayer::external(tracer.clone(), "acme");
    // The socket is bound and does not listen.
    let bound = tokio::net::TcpSocket::new_v4().unwrap();
    bound.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let gone = ask(bound.local_addr().unwrap());
    layer.layer(client()).oneshot(gone).await.unwrap_err();
    tracer.shutdown(LONG);
    let spans = collector.spans();
    assert_eq!(spans[0].name, "acme POST");
    assert_eq!(class(&spans[0]), "network");
    assert!(spans[0].error.is_some());
}

/// A service that never answers.
fn silent() -> impl tower::Service<
    Request<Body>,
    Response = axum::http::Response<Body>,
    Error = std::convert::Infallible,
    Future: Send,
> + Clone {
    tower::service_fn(|_: Request<Body>| std::future::pending())
}

#[tokio::test]
async fn a_request_or_call_that_is_dropped_ends_its_span_as_failed() {
    let (collector, address) = collector([]);
    let tracer = tracer(address, |_| {});
    let server = TraceLayer::new(tracer.clone()).layer(silent());
    let client = ClientLayer::external(tracer.clone(), "acme").layer(silent());
    tokio::select! {
        biased;
        _ = server.oneshot(ask(address)) => unreachable!("it never answers"),
        _ = client.oneshot(ask(address)) => unreachable!("it never answers"),
        () = std::future::ready(()) => {}
    }
    let stats = tracer.shutdown(LONG);
    assert_eq!((stats.started, stats.exported), (2, 2), "{stats}");
    for span in collector.spans() {
        assert_eq!(span.error.as_deref(), Some("dropped before there was an answer"));
        assert_eq!(class(&span), "network", "{span:?}");
    }
}

#[test]
fn an_attribute_is_there_once_with_what_was_set_last() {
    let (collector, address) = collector([]);
    let tracer = tracer(address, |_| {});
    let span = tracer.external_call("acme", "order", &Method::GET, &ask(address).uri().clone());
    span.record_status(StatusCode::FORBIDDEN);
    span.record_status(StatusCode::SERVICE_UNAVAILABLE);
    span.record_error(ErrorClass::Network, &"the answer broke off");
    drop(span);
    tracer.shutdown(LONG);
    let spans = collector.spans();
    let all = attributes(&spans[0]);
    let of = |key: &str| {
        let all = all.iter().filter(|pair| pair.starts_with(key));
        all.cloned().collect::<Vec<_>>()
    };
    assert_eq!(of("http.response"), ["http.response.status_code=503"]);
    assert_eq!(of("error.type"), ["error.type=503"]);
    assert_eq!(of("cap.error"), ["cap.error.class=network"]);
    assert_eq!(spans[0].error.as_deref(), Some("the answer broke off"));
}

/// The error class of a span, or an empty text.
fn class(span: &ReceivedSpan) -> &str {
    span.attribute("cap.error.class").unwrap_or_default()
}

#[test]
fn a_status_says_whose_fault_it_was() {
    let (collector, address) = collector([]);
    let tracer = tracer(address, |_| {});
    let statuses = [200, 302, 400, 401, 403, 404, 429, 500, 503];
    for status in statuses {
        let uri = ask(address).uri().clone();
        let call = tracer.external_call("acme", "order", &Method::GET, &uri);
        call.record_status(StatusCode::from_u16(status).unwrap());
    }
    tracer.shutdown(LONG);
    let spans = collector.spans();
    let classes: Vec<_> = spans.iter().map(class).collect();
    let (permanent, transient) = ("io_permanent", "io_transient");
    let expected = ["", "", permanent, "auth", "auth", permanent, transient, transient, transient];
    assert_eq!(classes, expected);
}

#[test]
fn an_error_answer_has_a_class_and_a_recorded_one_wins() {
    let (collector, address) = collector([]);
    let tracer = tracer(address, |_| {});
    for (status, said) in [
        (200, None),
        (404, None),
        (500, None),
        (503, None),
        (502, Some(ErrorClass::Network)),
        (400, Some(ErrorClass::Validation)),
    ] {
        let span = tracer.request(&Method::GET, &HeaderMap::new()).start();
        if let Some(class) = said {
            span.in_scope(|| {
                cap_tracing::current_span().record_error(class, &"said underneath");
            });
        }
        span.record_status(StatusCode::from_u16(status).unwrap());
    }
    tracer.shutdown(LONG);
    let spans = collector.spans();
    let classes: Vec<_> = spans.iter().map(class).collect();
    let expected = ["", "", "io_transient", "io_transient", "network", "validation"];
    assert_eq!(classes, expected);
    // A span has a class exactly if its status is Error.
    for span in &spans {
        assert_eq!(span.error.is_some(), !class(span).is_empty(), "{span:?}");
    }
}
