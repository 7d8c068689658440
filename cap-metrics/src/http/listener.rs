//! A listener of its own for `/metrics`, apart from what the outside world reaches.

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

/// Connections at a time; a further one waits to be accepted.
const CONNECTIONS: usize = 32;
/// How long a connection may say nothing. Longer than the usual scrape interval.
const IDLE: Duration = Duration::from_secs(90);
/// How long a connection lasts. A scraper that does not read cannot hold on to one; Prometheus just opens the next.
const LIFETIME: Duration = Duration::from_secs(600);
/// Before accepting again where the system has no file descriptor left.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers `/metrics` on a listener of its own until `stop` resolves; scrapes under way are broken off then.
///
/// Every other path is 404. Connections are bounded in number and in time.
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
                // What goes wrong on a connection is the scraper's to see.
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
