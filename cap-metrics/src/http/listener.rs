//! A separate listener for `/metrics`, which outside traffic does not reach.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tower_service::Service as _;

use super::body::ScrapeBody;
use super::service::MetricsService;

/// The most connections at a time. A further one waits to be accepted.
const CONNECTIONS: usize = 32;
/// How long a connection may be idle: longer than the usual scrape interval.
const IDLE: Duration = Duration::from_secs(90);
/// How long a connection lasts, so that a scraper that does not read cannot keep one. Prometheus
/// opens another.
const LIFETIME: Duration = Duration::from_secs(600);
/// The pause after an accept fails, as when no file descriptor is left.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers `/metrics` on a separate listener until `stop` resolves. Scrapes under way end then.
///
/// Every other path is answered 404. At most 32 connections are open, each for ten minutes and idle
/// for 90 seconds at most.
pub async fn serve(listener: TcpListener, metrics: MetricsService, stop: impl Future<Output = ()>) {
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    let accept = async {
        // The semaphore is never closed.
        while let Ok(permit) = Arc::clone(&free).acquire_owned().await {
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            while connections.try_join_next().is_some() {}
            let metrics = metrics.clone();
            connections.spawn(async move {
                let answer = service_fn(move |request| answer(metrics.clone(), request));
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(IDLE)
                    .serve_connection(TokioIo::new(stream), answer);
                // Prometheus reports a failed connection as `up` 0.
                let _ = tokio::time::timeout(LIFETIME, connection).await;
                drop(permit);
            });
        }
    };
    tokio::select! {
        () = accept => {}
        () = stop => {}
    }
}

async fn answer(
    mut metrics: MetricsService,
    request: Request<Incoming>,
) -> Result<Response<ScrapeBody>, std::convert::Infallible> {
    if request.uri().path() != "/metrics" {
        let mut response = Response::new(ScrapeBody::empty());
        *response.status_mut() = StatusCode::NOT_FOUND;
        return Ok(response);
    }
    metrics.call(request).await
}
