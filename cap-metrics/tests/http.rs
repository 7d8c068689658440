//! The tower layer and the `/metrics` service, in front of a real axum router.
#![cfg(feature = "http")]

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use cap_metrics::{Metrics, MetricsLayer, MetricsService};
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

fn app(metrics: &Metrics) -> Router {
    Router::new()
        .route(
            "/projects/{projectId}/certificates/{id}",
            get(async || "a certificate"),
        )
        .route_service("/metrics", MetricsService::new(metrics.clone()))
        .layer(MetricsLayer::new(metrics.clone()))
}

fn request(method: &str, path: &str) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .body(Body::empty())
        .expect("a valid request")
}

#[tokio::test]
async fn requests_count_under_their_route_pattern_and_made_up_paths_under_one_value() {
    let metrics = Metrics::new();
    for path in [
        "/projects/p1/certificates/c1",
        "/projects/p2/certificates/c2",
        "/no",
        "/such/path",
    ] {
        let response = app(&metrics)
            .oneshot(request("GET", path))
            .await
            .expect("infallible");
        response.into_body().collect().await.expect("a body");
    }
    let text = metrics.render();
    for line in [
        r#"cap_http_requests_total{method="GET",path="/projects/:projectId/certificates/:id",status="200"} 2"#,
        r#"cap_http_requests_total{method="GET",path="unmatched",status="404"} 2"#,
        r#"cap_http_request_duration_seconds_count{method="GET",path="unmatched"} 2"#,
        "cap_http_in_flight_requests 0",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn a_request_is_in_flight_until_its_body_has_been_sent() {
    let metrics = Metrics::new();
    let response = app(&metrics)
        .oneshot(request("GET", "/projects/p1/certificates/c1"))
        .await
        .expect("infallible");
    assert!(metrics.render().contains("cap_http_in_flight_requests 1"));
    drop(response);
    assert!(metrics.render().contains("cap_http_in_flight_requests 0"));
}

#[tokio::test]
async fn metrics_answers_get_and_head_and_refuses_the_rest() {
    let metrics = Metrics::new();
    let response = app(&metrics)
        .oneshot(request("GET", "/metrics"))
        .await
        .expect("infallible");
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(
        response.headers()["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let body = response
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    assert!(body.starts_with(b"# HELP "));

    let response = app(&metrics)
        .oneshot(request("HEAD", "/metrics"))
        .await
        .expect("infallible");
    assert_eq!(response.status(), StatusCode::OK);
    assert!(
        response
            .into_body()
            .collect()
            .await
            .expect("a body")
            .to_bytes()
            .is_empty()
    );

    let response = app(&metrics)
        .oneshot(request("POST", "/metrics"))
        .await
        .expect("infallible");
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()["allow"], "GET, HEAD");
}
