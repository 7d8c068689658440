//! The span of one HTTP request that this service answers.

use std::borrow::Cow;
use std::net::IpAddr;

use cap_names::route_pattern;
use http::{HeaderMap, Method};
use opentelemetry::KeyValue;
use opentelemetry::trace::SpanKind;

use crate::propagate;
use crate::span::Span;
use crate::start::{ATTRIBUTES, SpanSpec};
use crate::tracer::Tracer;

/// A description of the span of one request. [`Tracer::request`] makes it, and
/// [`start`](Self::start) starts the span.
#[derive(Clone, Copy, Debug)]
#[must_use = "the span begins with `start`"]
pub struct RequestSpan<'a> {
    tracer: &'a Tracer,
    method: &'a Method,
    headers: &'a HeaderMap,
    route: Option<&'a str>,
    peer: Option<IpAddr>,
}

impl Tracer {
    /// Describes a request that this service answers: a child of the context in its headers. The
    /// span does not record `url.path`, since a path may hold a token. `TraceLayer` does all this
    /// for a tower service.
    #[inline]
    pub fn request<'a>(&'a self, method: &'a Method, headers: &'a HeaderMap) -> RequestSpan<'a> {
        RequestSpan { tracer: self, method, headers, route: None, peer: None }
    }
}

impl<'a> RequestSpan<'a> {
    /// The pattern of the route that matched. The span writes its `/{id}` as `/:id`.
    #[inline]
    pub fn route(mut self, pattern: &'a str) -> Self {
        self.route = Some(pattern);
        self
    }

    /// The address of the peer. It decides whether the service honors the upstream's decision to
    /// sample ([`Config::trusted_peers`](crate::Config::trusted_peers)).
    #[inline]
    pub fn peer(mut self, address: IpAddr) -> Self {
        self.peer = Some(address);
        self
    }

    /// Starts the span.
    pub fn start(self) -> Span {
        let upstream = propagate::extract(self.headers);
        let parent = match self.tracer.active() {
            Some(active) if !active.trusts(self.peer) => active.sampler.decide_anew(&upstream),
            _ => upstream,
        };
        self.tracer.open(parent, || self.spec())
    }

    fn spec(&self) -> SpanSpec {
        let known = known_method(self.method);
        let mut name = Cow::Borrowed(known.unwrap_or("HTTP"));
        let mut attributes = Vec::with_capacity(ATTRIBUTES);
        attributes.push(KeyValue::new("http.request.method", known.unwrap_or("_OTHER")));
        if let Some(route) = self.route.map(route_pattern) {
            name = [&name, " ", &route].concat().into();
            attributes.push(KeyValue::new("http.route", route.into_owned()));
        }
        SpanSpec { kind: SpanKind::Server, name, attributes }
    }
}

/// The method, if OpenTelemetry's conventions for HTTP know it.
pub(crate) fn known_method(method: &Method) -> Option<&'static str> {
    ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"]
        .into_iter()
        .find(|known| method == known)
}
