//! Answers `GET /metrics`.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER, VARY};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use tower_service::Service;

use super::body::{InFlight, ScrapeBody};
use super::negotiate::{self, Coding};
use crate::metrics::Metrics;

/// The most scrapes at a time: two Prometheus servers, a person, and room for some that hang.
const SCRAPES: usize = 8;
/// How long a scrape may take: the default of Prometheus.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The `/metrics` endpoint as a tower service.
///
/// Mount it with axum's `Router::route_service`, or give it a separate listener with
/// [`serve`](crate::serve).
///
/// - `GET` answers text 0.0.4 or OpenMetrics 1.0 by `Accept`, with gzip if `Accept-Encoding` allows
///   it.
/// - `HEAD` answers the same header without a body.
/// - Any other method is answered 405 with `Allow`.
///
/// At most eight scrapes are under way, each for ten seconds. A further scrape is answered 503. The
/// body of a scrape that takes longer fails with [`ScrapeTimeout`](crate::ScrapeTimeout). Clones
/// share the limit.
#[derive(Clone, Debug)]
pub struct MetricsService {
    metrics: Metrics,
    in_flight: Arc<InFlight>,
}

impl MetricsService {
    /// An endpoint that exposes `metrics`.
    pub fn new(metrics: Metrics) -> Self {
        Self::with_limits(metrics, SCRAPES, TIMEOUT)
    }

    /// An endpoint with other limits: the most `scrapes` at a time, and the time that each may
    /// take.
    pub fn with_limits(metrics: Metrics, scrapes: usize, timeout: Duration) -> Self {
        Self { metrics, in_flight: Arc::new(InFlight::new(scrapes, timeout)) }
    }

    fn answer<B>(&self, request: &Request<B>) -> Response<ScrapeBody> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let allow = [(ALLOW, "GET, HEAD")];
            return empty(StatusCode::METHOD_NOT_ALLOWED, &allow);
        }
        let format = negotiate::format(request.headers());
        let coding = negotiate::coding(request.headers());
        let mut headers =
            vec![(CONTENT_TYPE, format.content_type()), (VARY, "Accept, Accept-Encoding")];
        if coding == Coding::Gzip {
            headers.push((CONTENT_ENCODING, "gzip"));
        }
        let mut response = empty(StatusCode::OK, &headers);
        if request.method() == Method::GET {
            let Some(permit) = self.in_flight.enter() else {
                return empty(StatusCode::SERVICE_UNAVAILABLE, &[(RETRY_AFTER, "1")]);
            };
            *response.body_mut() = ScrapeBody::new(self.metrics.clone(), format, coding, permit);
        }
        response
    }
}

fn empty(status: StatusCode, headers: &[(HeaderName, &'static str)]) -> Response<ScrapeBody> {
    let mut response = Response::new(ScrapeBody::empty());
    *response.status_mut() = status;
    for (name, value) in headers {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

impl<B> Service<Request<B>> for MetricsService {
    type Response = Response<ScrapeBody>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(Ok(self.answer(&request)))
    }
}
