//! Tower layers: a span for every request that is answered, and one for every call that is made.

mod client;
mod future;

use std::net::IpAddr;
use std::task::{Context, Poll};

use axum::extract::MatchedPath;
use http::{Extensions, Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::tracer::Tracer;

pub use client::{ClientLayer, ClientMiddleware, Operation};
pub use future::TraceFuture;

/// Makes a server span for every request.
///
/// The span is a child of the inbound context, current while the handler runs, and named after
/// axum's matched route. Add the layer with `Router::layer`, which runs after routing.
#[derive(Clone, Debug)]
pub struct TraceLayer {
    tracer: Tracer,
    peer: PeerOf,
}

/// Finds the address of the peer in the extensions of a request.
type PeerOf = fn(&Extensions) -> Option<IpAddr>;

impl TraceLayer {
    /// A layer that makes its spans with `tracer`.
    pub fn new(tracer: Tracer) -> Self {
        Self { tracer, peer: |_| None }
    }

    /// Sets how the layer finds the address of the peer, for
    /// [`Config::trusted_peers`](crate::Config::trusted_peers).
    ///
    /// ```
    /// # use axum::extract::ConnectInfo;
    /// # use std::net::SocketAddr;
    /// # let layer = cap_tracing::TraceLayer::new(cap_tracing::Tracer::disabled());
    /// layer.with_peer(|request| Some(request.get::<ConnectInfo<SocketAddr>>()?.0.ip()));
    /// ```
    #[must_use]
    pub fn with_peer(mut self, peer: fn(&Extensions) -> Option<IpAddr>) -> Self {
        self.peer = peer;
        self
    }
}

impl<S> Layer<S> for TraceLayer {
    type Service = TraceMiddleware<S>;

    fn layer(&self, inner: S) -> Self::Service {
        TraceMiddleware { inner, tracer: self.tracer.clone(), peer: self.peer }
    }
}

/// The service that [`TraceLayer`] makes.
#[derive(Clone, Debug)]
pub struct TraceMiddleware<S> {
    inner: S,
    tracer: Tracer,
    peer: PeerOf,
}

impl<S, B, R> Service<Request<B>> for TraceMiddleware<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = TraceFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut described = self.tracer.request(request.method(), request.headers());
        if let Some(route) = request.extensions().get::<MatchedPath>() {
            described = described.route(route.as_str());
        }
        if let Some(peer) = (self.peer)(request.extensions()) {
            described = described.peer(peer);
        }
        TraceFuture::new(described.start(), |span| span.in_scope(|| self.inner.call(request)))
    }
}
