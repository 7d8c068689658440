//! The tower layer around an HTTP client: a span for every call, and its context in the request's headers.

use std::borrow::Cow;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::future::TraceFuture;
use crate::propagate::Audience;
use crate::tracer::Tracer;

/// Makes a client span for every call that goes through an HTTP client, a child of the span that is current, and sends its context
/// along. The span lasts until the head of the answer is there; it is an error from status 400 on, and where no answer came.
///
/// Wrap the client in it inside of whatever tries again, so that each try is a call.
#[derive(Clone, Debug)]
pub struct ClientLayer {
    tracer: Tracer,
    peer: Peer,
    audience: Audience,
}

/// What a request asks its peer to do, for the name of its span: put it among the request's extensions. Without one, the request's
/// method takes its place. Paths do not: anything may stand in them.
#[derive(Clone, Debug)]
pub struct Operation(pub Cow<'static, str>);

#[derive(Clone, Debug)]
enum Peer {
    External(Arc<str>),
    Service(Arc<str>),
}

impl ClientLayer {
    /// Calls to an external system, such as a CA: as [`Tracer::external_call`], to [`Audience::ThirdParty`].
    pub fn external(tracer: Tracer, provider: impl Into<Arc<str>>) -> Self {
        ClientLayer {
            tracer,
            peer: Peer::External(provider.into()),
            audience: Audience::ThirdParty,
        }
    }

    /// Calls to a service of one's own, to [`Audience::Internal`].
    pub fn service(tracer: Tracer, service: impl Into<Arc<str>>) -> Self {
        ClientLayer {
            tracer,
            peer: Peer::Service(service.into()),
            audience: Audience::Internal,
        }
    }

    /// Says who gets the context, where that is not as it usually is: baggage for a third party that is to have it.
    #[must_use]
    pub fn with_audience(mut self, audience: Audience) -> Self {
        self.audience = audience;
        self
    }
}

impl<S> Layer<S> for ClientLayer {
    type Service = ClientMiddleware<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ClientMiddleware {
            inner,
            layer: self.clone(),
        }
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
        let ClientLayer {
            tracer,
            peer,
            audience,
        } = &self.layer;
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
