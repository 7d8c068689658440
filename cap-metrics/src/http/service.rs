//! Answers `GET /metrics`.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use tower_service::Service;

use crate::expose::TEXT_0_0_4;
use crate::metrics::Metrics;

/// The `/metrics` endpoint as a tower service: mount it with axum's `Router::route_service`, or give it a listener of its own.
///
/// `GET` answers the text format 0.0.4, `HEAD` its header, anything else 405 with `Allow`.
#[derive(Clone, Debug)]
pub struct MetricsService(Metrics);

impl MetricsService {
    /// An endpoint that renders `metrics`.
    pub fn new(metrics: Metrics) -> Self {
        MetricsService(metrics)
    }
}

impl<B> Service<Request<B>> for MetricsService {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut response = Response::default();
        if matches!(*request.method(), Method::GET | Method::HEAD) {
            let text = self.0.render();
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static(TEXT_0_0_4));
            if request.method() == Method::GET {
                *response.body_mut() = Full::from(text);
            }
        } else {
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            response
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        ready(Ok(response))
    }
}
