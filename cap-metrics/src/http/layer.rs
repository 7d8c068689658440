//! The tower layer that counts and times every request until its body has been sent.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::extract::MatchedPath;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::catalogue::labels::HttpStatus;
use crate::groups::HttpRequest;
use crate::metrics::Metrics;

/// Measures requests: method, route pattern, status, duration, in flight.
///
/// The route is axum's `MatchedPath`. A request without one counts under `unmatched`, so that paths
/// that callers make up add no series. Add the layer with `Router::layer`, which runs after
/// routing.
#[derive(Clone, Debug)]
pub struct MetricsLayer(Metrics);

impl MetricsLayer {
    /// A layer that records into `metrics`.
    pub fn new(metrics: Metrics) -> Self {
        Self(metrics)
    }
}

impl<S> Layer<S> for MetricsLayer {
    type Service = MetricsMiddleware<S>;

    fn layer(&self, inner: S) -> Self::Service {
        MetricsMiddleware { inner, metrics: self.0.clone() }
    }
}

/// The service that [`MetricsLayer`] makes.
#[derive(Clone, Debug)]
pub struct MetricsMiddleware<S> {
    inner: S,
    metrics: Metrics,
}

impl<S, B, R> Service<Request<B>> for MetricsMiddleware<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<MeasuredBody<R>>;
    type Error = S::Error;
    type Future = MetricsFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let http = self.metrics.http();
        let route = match request.extensions().get::<MatchedPath>() {
            Some(path) => http.route(path.as_str()),
            None => http.unmatched(),
        };
        let measured = http.start(request.method().into(), route);
        MetricsFuture { inner: self.inner.call(request), request: Some(measured) }
    }
}

pin_project! {
    /// The future of a measured response.
    #[derive(Debug)]
    pub struct MetricsFuture<F> {
        #[pin]
        inner: F,
        request: Option<HttpRequest>,
    }
}

impl<F, R, E> Future for MetricsFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<MeasuredBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let outcome = ready!(this.inner.poll(cx));
        let mut request = this.request.take();
        Poll::Ready(match outcome {
            Ok(response) => {
                if let Some(request) = &mut request {
                    request.record_status(response.status().into());
                }
                Ok(response.map(|inner| MeasuredBody { inner, request }))
            }
            Err(error) => {
                if let Some(request) = &mut request {
                    request.record_status(HttpStatus::new(500));
                }
                Err(error)
            }
        })
    }
}

pin_project! {
    /// A response body. The request ends when the body ends or is dropped.
    #[derive(Debug)]
    pub struct MeasuredBody<B> {
        #[pin]
        inner: B,
        request: Option<HttpRequest>,
    }
}

impl<B: Body> Body for MeasuredBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.inner.poll_frame(cx));
        if frame.is_none() {
            this.request.take();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
