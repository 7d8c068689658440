//! The tower layer around an HTTP client: a span for every call, whose context the request carries.

use std::borrow::Cow;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::future::TraceFuture;
use crate::propagate::Audience;
use crate::tracer::Tracer;

/// Makes a client span for every call of an HTTP client, as a child of the current span, and adds
/// its context to the request's headers.
///
/// The span ends when the headers of the answer are there. It is an error from status 400 on, and
/// if no answer comes. Place this layer inside the retry layer, so that each attempt has a span.
#[derive(Clone, Debug)]
pub struct ClientLayer {
    tracer: Tracer,
    peer: Peer,
    audience: Audience,
}

/// The operation that a request asks its peer for, which names the span. Add it to the request's
/// extensions. The default is the request's method, since a path may contain anything.
#[derive(Clone, Debug)]
pub struct Operation(pub Cow<'static, str>);

#[derive(Clone, Debug)]
enum Peer {
    External(Arc<str>),
    Service(Arc<str>),
}

impl ClientLayer {
    /// Calls to an external system, such as a CA: [`Tracer::external_call`], for
    /// [`Audience::ThirdParty`].
    pub fn external(tracer: Tracer, provider: impl Into<Arc<str>>) -> Self {
        Self { tracer, peer: Peer::External(provider.into()), audience: Audience::ThirdParty }
    }

    /// Calls to another service of the product, for [`Audience::Internal`].
    pub fn service(tracer: Tracer, service: impl Into<Arc<str>>) -> Self {
        Self { tracer, peer: Peer::Service(service.into()), audience: Audience::Internal }
    }

    /// Sets who receives the context. [`Audience::Internal`] sends baggage to a third party as
    /// well.
    #[must_use]
    pub fn with_audience(mut self, audience: Audience) -> Self {
        self.audience = audience;
        self
    }
}

impl<S> Layer<S> for ClientLayer {
    type Service = ClientMiddleware<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ClientMiddleware { inner, layer: self.clone() }
    }
}

/// The service that [`ClientLayer`] makes.
#[derive(Clone, Debug)]
pub struct ClientMiddleware<S> {
    inner: S,
    layer: ClientLayer,
}

impl<S, B, R> Service<Request<B>> for ClientMiddleware<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = TraceFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let ClientLayer { tracer, peer, audience } = &self.layer;
        let (method, uri) = (request.method(), request.uri());
        let operation = request.extensions().get::<Operation>();
        let operation = operation.map_or(method.as_str(), |operation| &operation.0);
        let span = match peer {
            Peer::External(provider) => tracer.external_call(provider, operation, method, uri),
            Peer::Service(service) => tracer.remote_call(service, operation, method, uri),
        };
        TraceFuture::new(span, |span| {
            span.inject(request.headers_mut(), *audience);
            span.in_scope(|| self.inner.call(request))
        })
    }
}
