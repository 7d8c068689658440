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
        .route("/projects/{projectId}/certificates/{id}", get(async || "a certificate"))
        .route_service("/metrics", MetricsService::new(metrics.clone()))
        .layer(MetricsLayer::new(metrics.clone()))
}

fn request(method: &str, path: &str) -> Request<Body> {
    Request::builder().method(method).uri(path).body(Body::empty()).expect("a valid request")
}

#[tokio::test]
async fn requests_count_by_route_pattern_and_made_up_paths_as_one() {
    let metrics = Metrics::new();
    for path in
        ["/projects/p1/certificates/c1", "/projects/p2/certificates/c2", "/no", "/such/path"]
    {
        let response = app(&metrics).oneshot(request("GET", path)).await.expect("infallible");
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
    let app = app(&Metrics::new());
    let answer = async |method| {
        let response = app.clone().oneshot(request(method, "/metrics")).await;
        let (head, body) = response.expect("infallible").into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        (head, body)
    };
    let (head, body) = answer("GET").await;
    assert_eq!(head.status, StatusCode::OK);
    assert_eq!(head.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert!(body.starts_with(b"# HELP "));

    let (head, body) = answer("HEAD").await;
    assert_eq!(head.status, StatusCode::OK);
    assert!(body.is_empty());

    let (head, _) = answer("POST").await;
    assert_eq!(head.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(head.headers["allow"], "GET, HEAD");
}

async fn scrape(service: &MetricsService, headers: &[(&str, &str)]) -> http::Response<Vec<u8>> {
    let mut request = request("GET", "/metrics");
    for (name, value) in headers {
        let name = http::HeaderName::try_from(*name).expect("a name");
        request.headers_mut().insert(name, value.parse().expect("a value"));
    }
    let (head, body) = service.clone().oneshot(request).await.expect("infallible").into_parts();
    let body = body.collect().await.expect("a body").to_bytes().to_vec();
    http::Response::from_parts(head, body)
}

#[tokio::test]
async fn a_scraper_gets_the_format_and_the_coding_it_asks_for() {
    use std::io::Read as _;

    let service = MetricsService::new(Metrics::new());
    let open = ("accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
    let response = scrape(&service, &[open, ("accept-encoding", "gzip")]).await;
    assert_eq!(
        response.headers()["content-type"],
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    assert_eq!(response.headers()["content-encoding"], "gzip");
    assert_eq!(response.headers()["vary"], "Accept, Accept-Encoding");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&response.body()[..]).read_to_string(&mut text).expect("gzip");
    assert!(text.starts_with("# HELP ") && text.ends_with("# EOF\n"), "{text}");
}

#[tokio::test]
async fn a_scrape_too_many_is_refused_until_one_ends_or_times_out() {
    let long = std::time::Duration::from_secs(3600);
    let service = MetricsService::with_limits(Metrics::new(), 1, long);
    let first = service.clone().oneshot(request("GET", "/metrics")).await;
    let refused = scrape(&service, &[]).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()["retry-after"], "1");
    drop(first);
    assert_eq!(scrape(&service, &[]).await.status(), StatusCode::OK);

    let service = MetricsService::with_limits(Metrics::new(), 1, std::time::Duration::ZERO);
    let late = service.clone().oneshot(request("GET", "/metrics")).await;
    let second = service.clone().oneshot(request("GET", "/metrics")).await;
    assert_eq!(second.expect("infallible").status(), StatusCode::OK);
    let late = late.expect("infallible").into_body().collect().await;
    assert!(late.is_err(), "a part must not pass for the whole");
}

#[tokio::test]
async fn a_listener_of_its_own_answers_metrics_and_nothing_else() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let service = MetricsService::new(Metrics::new());
    let serving = tokio::spawn(cap_metrics::serve(listener, service, async {
        let _ = stopped.await;
    }));
    for (path, status) in [("/metrics", "200 OK"), ("/", "404 Not Found")] {
        #[expect(clippy::disallowed_methods, reason = "a scraper, on loopback")]
        let mut stream = tokio::net::TcpStream::connect(address).await.expect("it listens");
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{answer}");
    }
    drop(stop);
    serving.await.expect("it ends");
}

#[tokio::test]
async fn a_scraper_that_pauses_blocks_nobody_and_gets_a_whole_body() {
    const SERIES: u16 = 5000;
    let metrics = Metrics::new();
    let count_all = |from: u16| {
        let http = metrics.http();
        for n in from..from + SERIES {
            let route = http.route(&format!("/{}", n / 500));
            http.record_request(
                cap_metrics::HttpMethod::Get,
                route,
                cap_metrics::HttpStatus::new(100 + n % 500),
            );
        }
    };
    count_all(0);
    let service = MetricsService::new(metrics.clone());
    let paused = service.clone().oneshot(request("GET", "/metrics")).await;
    let mut paused = paused.expect("infallible").into_body();
    let first = paused.frame().await.expect("a frame").expect("in time");
    let first = first.into_data().expect("data");

    // Old series change, new ones are inserted, and another scraper reads them all.
    count_all(0);
    count_all(SERIES);
    let lines = |body: &[u8]| {
        let lines = body.split(|byte| *byte == b'\n');
        lines.filter(|line| line.starts_with(b"cap_http_requests_total{")).count()
    };
    for accept in ["text/plain", "application/openmetrics-text"] {
        let other = scrape(&service, &[("accept", accept)]).await.into_body();
        assert_eq!(lines(&other), 2 * usize::from(SERIES));
        // No frame tears a line or adds an empty one, which OpenMetrics does not allow.
        let text = String::from_utf8(other).expect("UTF-8");
        assert!(text.starts_with("# HELP ") && text.ends_with('\n'));
        assert!(!text.contains("\n\n"));
    }

    let rest = paused.collect().await.expect("in time").to_bytes();
    let whole = [first, rest].concat();
    assert_eq!(lines(&whole), usize::from(SERIES), "as it was when it began");
    assert!(!String::from_utf8_lossy(&whole).contains("status=\"100\"} 2\n"));
}
