//! The typed spans: what each kind of work is called and which attributes it carries.
//!
//! `cap.*` keys are the product's own; the others are the semantic conventions of OpenTelemetry for HTTP, databases and
//! messaging.

use std::borrow::Cow;

use cap_names::keys;
use http::{Method, Uri};
use opentelemetry::trace::{Span as _, SpanBuilder, SpanKind, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue};

use crate::carrier::Carrier;
use crate::pipe::Tracing;
use crate::span::Span;

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
    /// The project it is in.
    pub project_id: Option<&'a str>,
}

impl Tracing {
    /// A request that this service answers. `route` is the pattern that matched; `url.path` is not recorded, since anything may
    /// stand in it.
    pub(crate) fn request(&self, parent: Context, method: &Method, route: Option<&str>) -> Span {
        let known = known_method(method);
        let name = || match route {
            Some(route) => format!("{} {route}", known.unwrap_or("HTTP")).into(),
            None => known.unwrap_or("HTTP").into(),
        };
        self.open(parent, SpanKind::Server, name, || {
            let mut attributes = vec![KeyValue::new(
                "http.request.method",
                known.unwrap_or("_OTHER"),
            )];
            attributes.extend(route.map(|route| KeyValue::new("http.route", route.to_owned())));
            attributes
        })
    }

    /// An attempt at a job: a child of the span that enqueued it, and from attempt 2 on linked to the attempt before.
    pub fn job(&self, job: &Job<'_>, parent: &Carrier, previous: Option<&Carrier>) -> Span {
        let name = || format!("job {}", job.job_type).into();
        let span = self.open(parent.context(), SpanKind::Consumer, name, || {
            let mut attributes = vec![
                KeyValue::new(keys::JOB_TYPE, job.job_type.to_owned()),
                KeyValue::new(keys::JOB_ID, job.id.to_owned()),
                KeyValue::new(keys::JOB_ATTEMPT, i64::from(job.attempt)),
            ];
            let ids = [
                (keys::CERT_ID, job.certificate_id),
                (keys::PROJECT_ID, job.project_id),
            ];
            attributes.extend(
                ids.into_iter()
                    .filter_map(|(key, id)| Some(KeyValue::new(key, id?.to_owned()))),
            );
            attributes
        });
        if let Some(previous) = previous
            .filter(|_| span.context.span().is_recording())
            .map(Carrier::context)
            && previous.has_active_span()
        {
            span.context
                .span()
                .add_link(previous.span().span_context().clone(), Vec::new());
        }
        span
    }

    /// Putting a job into the queue. Its [`carrier`](Span::carrier) goes with the job.
    pub fn enqueue(&self, job_type: &str, job_id: &str) -> Span {
        let name = || format!("enqueue {job_type}").into();
        self.open(Context::current(), SpanKind::Producer, name, || {
            vec![
                KeyValue::new(keys::JOB_TYPE, job_type.to_owned()),
                KeyValue::new(keys::JOB_ID, job_id.to_owned()),
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
        let name = || format!("{provider} {endpoint}").into();
        self.open(Context::current(), SpanKind::Client, name, || {
            let mut attributes = vec![
                KeyValue::new(keys::EXTERNAL_PROVIDER, provider.to_owned()),
                KeyValue::new(keys::EXTERNAL_ENDPOINT, endpoint.to_owned()),
                KeyValue::new(
                    "http.request.method",
                    known_method(method).unwrap_or("_OTHER"),
                ),
            ];
            attributes.extend(
                uri.host()
                    .map(|host| KeyValue::new("server.address", host.to_owned())),
            );
            attributes.extend(
                uri.port_u16()
                    .map(|port| KeyValue::new("server.port", i64::from(port))),
            );
            attributes
        })
    }

    /// A database operation.
    pub fn db(&self, operation: &str, table: &str) -> Span {
        let name = || format!("{operation} {table}").into();
        self.open(Context::current(), SpanKind::Client, name, || {
            vec![
                KeyValue::new("db.operation.name", operation.to_owned()),
                KeyValue::new("db.collection.name", table.to_owned()),
            ]
        })
    }

    /// Opens a span. Under an unsampled parent not even its name is made; the attributes are made only when it records.
    fn open(
        &self,
        parent: Context,
        kind: SpanKind,
        name: impl FnOnce() -> Cow<'static, str>,
        attributes: impl FnOnce() -> Vec<KeyValue>,
    ) -> Span {
        let unsampled = {
            let span = parent.span();
            let upstream = span.span_context();
            upstream.is_valid() && !upstream.is_sampled()
        };
        let Some(tracer) = self.tracer().filter(|_| !unsampled) else {
            return Span {
                context: parent,
                own: false,
            };
        };
        let builder = SpanBuilder::from_name(name()).with_kind(kind);
        let mut span = tracer.build_with_context(builder, &parent);
        if span.is_recording() {
            span.set_attributes(attributes());
        }
        Span {
            context: parent.with_span(span),
            own: true,
        }
    }
}

fn known_method(method: &Method) -> Option<&'static str> {
    [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
    ]
    .into_iter()
    .find(|known| method == known)
}
