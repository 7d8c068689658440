//! The typed spans: what each kind of work is called and which attributes it carries.
//!
//! `cap.*` keys are the product's own; the others are the semantic conventions of OpenTelemetry for HTTP, databases and
//! messaging.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use cap_names::{attributes, route_pattern};
use http::{HeaderMap, Method, Uri};
use opentelemetry::trace::{SpanContext, SpanKind, Status, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator};

use crate::carrier::Carrier;
use crate::pipe::Tracing;
use crate::propagate;
use crate::recorder::{Dropped, Record, Recorder};
use crate::sampling::RANDOM;
use crate::span::Span;

/// Room for the attributes that a span usually gets by its end, so that setting one does not move the others.
const ATTRIBUTES: usize = 8;

/// An attempt at a job.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// The type's name.
    pub job_type: &'a str,
    /// The job's id, the same on every attempt.
    pub id: &'a str,
    /// Counted from 1.
    pub attempt: u32,
    /// The certificate it is about.
    pub certificate_id: Option<&'a str>,
    /// The distribution that it carries out.
    pub distribution_id: Option<&'a str>,
    /// The project it is in.
    pub project_id: Option<&'a str>,
}

impl Tracing {
    /// A request that this service answers: a child of the context in its headers. `route` is the pattern that matched, and
    /// `/{id}` in it is written `/:id`; `url.path` is not recorded, since anything may stand in it. `peer` is the other end, as far
    /// as it is known: it decides whether the upstream's decision to sample is honoured
    /// ([`Config::trusted_peers`](crate::Config::trusted_peers)). For services of tower, `TraceLayer` does all this.
    pub fn request(
        &self,
        headers: &HeaderMap,
        peer: Option<IpAddr>,
        method: &Method,
        route: Option<&str>,
    ) -> Span {
        let upstream = propagate::extract(headers);
        let parent = match self.pipe() {
            Some(pipe) if !pipe.trusts(peer) => pipe.sampler.decide_anew(&upstream),
            _ => upstream,
        };
        self.open_as(parent, || {
            let known = known_method(method);
            let mut name = Cow::Borrowed(known.unwrap_or("HTTP"));
            let mut attributes = Vec::with_capacity(ATTRIBUTES);
            attributes.push(KeyValue::new(
                "http.request.method",
                known.unwrap_or("_OTHER"),
            ));
            if let Some(route) = route.map(route_pattern) {
                name = [&name, " ", &route].concat().into();
                attributes.push(KeyValue::new("http.route", route.into_owned()));
            }
            let kind = SpanKind::Server;
            Nature {
                kind,
                name,
                attributes,
            }
        })
    }

    /// An attempt at a job: a child of the span that enqueued it, and from attempt 2 on linked to the attempt before.
    pub fn job(&self, job: &Job<'_>, parent: &Carrier, previous: Option<&Carrier>) -> Span {
        let name = || ["job ", job.job_type].concat().into();
        let span = self.open(parent.context(), SpanKind::Consumer, name, || {
            let mut attributes = Vec::with_capacity(ATTRIBUTES);
            attributes.extend([
                KeyValue::new(attributes::JOB_TYPE, job.job_type.to_owned()),
                KeyValue::new(attributes::JOB_ID, job.id.to_owned()),
                KeyValue::new(attributes::JOB_ATTEMPT, i64::from(job.attempt)),
            ]);
            let ids = [
                (attributes::CERT_ID, job.certificate_id),
                (attributes::DISTRIBUTION_ID, job.distribution_id),
                (attributes::PROJECT_ID, job.project_id),
            ];
            attributes.extend(
                ids.into_iter()
                    .filter_map(|(key, id)| Some(KeyValue::new(key, id?.to_owned()))),
            );
            attributes
        });
        if let Some(previous) = previous.filter(|_| span.is_recorded()) {
            span.link(&previous.context());
        }
        span
    }

    /// Putting a job into the queue. Its [`carrier`](Span::carrier) goes with the job.
    pub fn enqueue(&self, job_type: &str, job_id: &str) -> Span {
        let name = || ["enqueue ", job_type].concat().into();
        self.open(Context::current(), SpanKind::Producer, name, || {
            vec![
                KeyValue::new(attributes::JOB_TYPE, job_type.to_owned()),
                KeyValue::new(attributes::JOB_ID, job_id.to_owned()),
            ]
        })
    }

    /// A call to an external system. Neither the path nor the query of the URI is recorded: tokens stand in them.
    pub fn external_call(
        &self,
        provider: &str,
        endpoint: &str,
        method: &Method,
        uri: &Uri,
    ) -> Span {
        let name = || [provider, " ", endpoint].concat().into();
        self.open(Context::current(), SpanKind::Client, name, || {
            let mut attributes = Vec::with_capacity(ATTRIBUTES);
            attributes.extend([
                KeyValue::new(attributes::EXTERNAL_PROVIDER, provider.to_owned()),
                KeyValue::new(attributes::EXTERNAL_ENDPOINT, endpoint.to_owned()),
            ]);
            attributes.extend(http_call(method, uri));
            attributes
        })
    }

    /// A call over HTTP to another service of one's own.
    #[cfg(feature = "http")]
    pub(crate) fn remote_call(
        &self,
        service: &str,
        operation: &str,
        method: &Method,
        uri: &Uri,
    ) -> Span {
        let name = || [service, " ", operation].concat().into();
        self.open(Context::current(), SpanKind::Client, name, || {
            let mut attributes = Vec::with_capacity(ATTRIBUTES);
            attributes.extend(http_call(method, uri));
            attributes
        })
    }

    /// A database operation.
    pub fn db(&self, operation: &str, table: &str) -> Span {
        let name = || [operation, " ", table].concat().into();
        self.open(Context::current(), SpanKind::Client, name, || {
            vec![
                KeyValue::new("db.operation.name", operation.to_owned()),
                KeyValue::new("db.collection.name", table.to_owned()),
            ]
        })
    }

    /// A call of another part of this service, or work of its own that is worth a span: `service` is who does it, `operation` what.
    pub fn service_call(&self, service: &str, operation: &str) -> Span {
        let name = || [service, " ", operation].concat().into();
        self.open(Context::current(), SpanKind::Internal, name, || {
            vec![KeyValue::new(
                "code.function.name",
                [service, ".", operation].concat(),
            )]
        })
    }

    /// Sending an audit or domain event to whoever listens. The span that is current when it happens can only be marked with it:
    /// [`Current::audit_event`](crate::Current::audit_event).
    pub fn emit_event(&self, event_type: &str, event_id: &str) -> Span {
        let name = || ["emit ", event_type].concat().into();
        self.open(Context::current(), SpanKind::Producer, name, || {
            vec![
                KeyValue::new(attributes::EVENT_TYPE, event_type.to_owned()),
                KeyValue::new(attributes::EVENT_ID, event_id.to_owned()),
            ]
        })
    }

    /// Opens a span of a kind that is known beforehand.
    fn open(
        &self,
        parent: Context,
        kind: SpanKind,
        name: impl FnOnce() -> Cow<'static, str>,
        attributes: impl FnOnce() -> Vec<KeyValue>,
    ) -> Span {
        self.open_as(parent, || Nature {
            kind,
            name: name(),
            attributes: attributes(),
        })
    }

    /// Opens a span. What it is is asked only when it records; under an unsampled parent nothing is made at all.
    pub(crate) fn open_as(&self, parent: Context, nature: impl FnOnce() -> Nature) -> Span {
        let span = parent.span();
        let upstream = span.span_context();
        let Some(pipe) = self.pipe().filter(|_| {
            !(upstream.is_valid() && !upstream.is_sampled() || parent.is_telemetry_suppressed())
        }) else {
            return Span::standing_for(parent);
        };
        let ids = RandomIdGenerator::default();
        let (trace_id, flags) = if upstream.is_valid() {
            (upstream.trace_id(), upstream.trace_flags())
        } else {
            let trace_id = ids.new_trace_id();
            if !pipe.sampler.samples(trace_id) {
                return Span::unsampled_root(parent, trace_id);
            }
            (trace_id, RANDOM)
        };
        let Nature {
            kind,
            name,
            attributes,
        } = nature();
        let start = opentelemetry::time::now();
        let record = Record {
            context: SpanContext::new(
                trace_id,
                ids.new_span_id(),
                flags.with_sampled(true),
                false,
                upstream.trace_state().clone(),
            ),
            parent: upstream.span_id(),
            parent_is_remote: upstream.is_remote(),
            kind,
            name,
            start,
            end: start,
            attributes,
            events: Vec::new(),
            links: Vec::new(),
            dropped: Dropped::default(),
            status: Status::Unset,
        };
        let recorder = Recorder::start(record, Arc::clone(&pipe.queue));
        Span::recorded(parent.with_span(recorder))
    }
}

/// What kind of span it is, what it is called, and what is known of it when it begins.
pub(crate) struct Nature {
    pub(crate) kind: SpanKind,
    pub(crate) name: Cow<'static, str>,
    pub(crate) attributes: Vec<KeyValue>,
}

/// What the conventions for HTTP clients want known, without what may hold a secret.
fn http_call(method: &Method, uri: &Uri) -> impl Iterator<Item = KeyValue> {
    let method = known_method(method).unwrap_or("_OTHER");
    let host = uri.host().map(ToOwned::to_owned);
    let port = uri.port_u16().map(i64::from);
    [KeyValue::new("http.request.method", method)]
        .into_iter()
        .chain(host.map(|host| KeyValue::new("server.address", host)))
        .chain(port.map(|port| KeyValue::new("server.port", port)))
}

fn known_method(method: &Method) -> Option<&'static str> {
    [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
    ]
    .into_iter()
    .find(|known| method == known)
}
