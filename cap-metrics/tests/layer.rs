//! However a request ends, it is counted once and no longer in flight.
#![cfg(feature = "http")]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Future as _, pending, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::{any, get};
use cap_metrics::{Metrics, MetricsLayer};
use http::header::{CONNECTION, UPGRADE};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::{Frame, Incoming};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tower::{Layer as _, ServiceExt as _, service_fn};

const IN_FLIGHT: &str = "cap_http_in_flight_requests 1\n";
const NONE_IN_FLIGHT: &str = "cap_http_in_flight_requests 0\n";

fn request(method: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri("/x");
    request.body(Body::empty()).expect("a valid request")
}

/// Asserts that the one request ended with this status and was timed.
#[track_caller]
fn ended(metrics: &Metrics, path: &str, status: &str) {
    let text = metrics.render();
    for line in [
        format!(
            "cap_http_requests_total{{method=\"GET\",path=\"{path}\",status=\"{status}\"}} 1\n"
        ),
        format!("cap_http_request_duration_seconds_count{{method=\"GET\",path=\"{path}\"}} 1\n"),
        NONE_IN_FLIGHT.to_owned(),
    ] {
        assert!(text.contains(&line), "{line} is not in\n{text}");
    }
    assert_eq!(text.matches("\ncap_http_requests_total{").count(), 1, "{text}");
}

/// A body of these frames. It fails at an `Err`.
struct Frames(VecDeque<Result<&'static str, &'static str>>);

impl Frames {
    fn of<const N: usize>(frames: [Result<&'static str, &'static str>; N]) -> Body {
        Body::new(Self(frames.into()))
    }
}

impl hyper::body::Body for Frames {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        let next = self.0.pop_front();
        Poll::Ready(next.map(|frame| Ok(Frame::data(Bytes::from_static(frame?.as_bytes())))))
    }
}

#[tokio::test]
async fn a_call_that_is_canceled_counts_as_499() {
    let metrics = Metrics::new();
    let app = Router::new()
        .route("/x", get(async || pending::<()>().await))
        .layer(MetricsLayer::new(metrics.clone()));
    let mut answer = Box::pin(app.oneshot(request("GET")));
    let waits = poll_fn(|cx| Poll::Ready(answer.as_mut().poll(cx).is_pending())).await;
    assert!(waits && metrics.render().contains(IN_FLIGHT));
    drop(answer);
    ended(&metrics, "/x", "499");
}

#[tokio::test]
async fn a_handler_that_panics_counts_as_500() {
    let metrics = Metrics::new();
    async fn panics() {
        panic!("a handler's bug");
    }
    let app = Router::new().route("/x", get(panics)).layer(MetricsLayer::new(metrics.clone()));
    let answer = tokio::spawn(app.oneshot(request("GET"))).await;
    assert!(answer.is_err_and(|error| error.is_panic()));
    ended(&metrics, "/x", "500");
}

#[tokio::test]
async fn a_service_that_fails_counts_as_500_and_its_error_is_kept() {
    let metrics = Metrics::new();
    let fails = service_fn(async |_: Request<Body>| Err::<Response<Body>, _>("no upstream"));
    let app = MetricsLayer::new(metrics.clone()).layer(fails);
    let answer = app.oneshot(request("GET")).await;
    assert_eq!(answer.err(), Some("no upstream"));
    ended(&metrics, "unmatched", "500");
}

#[tokio::test]
async fn a_streamed_answer_is_in_flight_until_its_last_frame() {
    let metrics = Metrics::new();
    let app = Router::new()
        .route("/x", get(async || Frames::of([Ok("a"), Ok("b")])))
        .layer(MetricsLayer::new(metrics.clone()));
    let mut body = app.oneshot(request("GET")).await.expect("infallible").into_body();
    for part in ["a", "b"] {
        let frame = body.frame().await.expect("a frame").expect("whole");
        assert_eq!(frame.into_data().expect("data"), part);
        assert!(metrics.render().contains(IN_FLIGHT));
    }
    assert!(body.frame().await.is_none());
    ended(&metrics, "/x", "200");
}

#[tokio::test]
async fn an_answer_that_breaks_off_keeps_its_status_and_counts_once() {
    let metrics = Metrics::new();
    let app = Router::new()
        .route("/x", get(async || Frames::of([Ok("a"), Err("the disk is gone"), Ok("b")])))
        .layer(MetricsLayer::new(metrics.clone()));
    let body = app.oneshot(request("GET")).await.expect("infallible").into_body();
    assert!(body.collect().await.is_err());
    ended(&metrics, "/x", "200");
}

#[tokio::test]
async fn methods_that_no_standard_knows_are_one_value() {
    let metrics = Metrics::new();
    let app = Router::new().route("/x", any(async || ())).layer(MetricsLayer::new(metrics.clone()));
    for method in ["BREW", "get", "PROPFIND"] {
        let answer = app.clone().oneshot(request(method)).await.expect("infallible");
        drop(answer);
    }
    let text = metrics.render();
    let other = "cap_http_requests_total{method=\"other\",path=\"/x\",status=\"200\"} 3\n";
    assert!(text.contains(other), "{text}");
}

/// The exchange ends with the answer 101 (RFC 9110 section 7.8). Another protocol follows, possibly
/// for hours.
#[tokio::test]
async fn a_connection_that_is_upgraded_is_no_longer_in_flight() {
    let metrics = Metrics::new();
    let echo = service_fn(async |mut request: Request<Incoming>| {
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let (mut from, mut to) =
                tokio::io::split(TokioIo::new(upgrade.await.expect("upgraded")));
            let _ = tokio::io::copy(&mut from, &mut to).await;
        });
        let answer = Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header(CONNECTION, "upgrade")
            .header(UPGRADE, "echo")
            .body(Body::empty());
        Ok::<_, Infallible>(answer.expect("valid"))
    });
    let app = MetricsLayer::new(metrics.clone()).layer(echo);
    let (mut client, server) = tokio::io::duplex(1024);
    let serving = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(server), TowerToHyperService::new(app))
        .with_upgrades();
    let serving = tokio::spawn(serving);

    let head = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
    client.write_all(head).await.expect("written");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        client.read_buf(&mut answer).await.expect("an answer");
    }
    assert!(answer.starts_with(b"HTTP/1.1 101 "), "{answer:?}");
    serving.await.expect("it ends").expect("upgraded");
    // The other protocol still runs.
    client.write_all(b"ping").await.expect("written");
    let mut echoed = [0; 4];
    client.read_exact(&mut echoed).await.expect("echoed");
    assert_eq!(&echoed, b"ping");
    ended(&metrics, "unmatched", "101");
}
