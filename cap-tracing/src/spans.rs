//! The typed spans: what each kind of work is called and which attributes it carries.
//!
//! `cap.*` keys are the product's own; the others are the semantic conventions of OpenTelemetry for HTTP, databases and
//! messaging.

use cap_names::keys;
use http::{Method, Uri};
use opentelemetry::trace::{Link, SpanBuilder, SpanKind, TraceContextExt as _, Tracer as _};
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
    /// A request that this service answers. `route` is the pattern that matched; `url.path` is not recorded without one, since
    /// anything may stand in it.
    pub(crate) fn request(&self, parent: Context, method: &Method, route: Option<&str>) -> Span {
        self.open(parent, SpanKind::Server, || {
            let known = known_method(method);
            let name = match route {
                Some(route) => format!("{} {route}", known.unwrap_or("HTTP")),
                None => known.unwrap_or("HTTP").to_owned(),
            };
            let mut attributes = vec![KeyValue::new(
                "http.request.method",
                known.unwrap_or("_OTHER"),
            )];
            attributes.extend(route.map(|route| KeyValue::new("http.route", route.to_owned())));
            (name, attributes, Vec::new())
        })
    }

    /// An attempt at a job: a child of the span that enqueued it, and from attempt 2 on linked to the attempt before.
    pub fn job(&self, job: &Job<'_>, parent: &Carrier, previous: Option<&Carrier>) -> Span {
        self.open(parent.context(), SpanKind::Consumer, || {
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
            let links = previous
                .map(Carrier::context)
                .filter(opentelemetry::trace::TraceContextExt::has_active_span)
                .map(|context| Link::with_context(context.span().span_context().clone()));
            (
                format!("job {}", job.job_type),
                attributes,
                links.into_iter().collect(),
            )
        })
    }

    /// Putting a job into the queue. Its [`carrier`](Span::carrier) goes with the job.
    pub fn enqueue(&self, job_type: &str, job_id: &str) -> Span {
        self.open(Context::current(), SpanKind::Producer, || {
            let attributes = vec![
                KeyValue::new(keys::JOB_TYPE, job_type.to_owned()),
                KeyValue::new(keys::JOB_ID, job_id.to_owned()),
            ];
            (format!("enqueue {job_type}"), attributes, Vec::new())
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
        self.open(Context::current(), SpanKind::Client, || {
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
            (format!("{provider} {endpoint}"), attributes, Vec::new())
        })
    }

    /// A database operation.
    pub fn db(&self, operation: &str, table: &str) -> Span {
        self.open(Context::current(), SpanKind::Client, || {
            let attributes = vec![
                KeyValue::new("db.operation.name", operation.to_owned()),
                KeyValue::new("db.collection.name", table.to_owned()),
            ];
            (format!("{operation} {table}"), attributes, Vec::new())
        })
    }

    /// Opens a span; `describe` runs only when one is made.
    fn open(
        &self,
        parent: Context,
        kind: SpanKind,
        describe: impl FnOnce() -> (String, Vec<KeyValue>, Vec<Link>),
    ) -> Span {
        let upstream = parent.span().span_context().clone();
        let Some(tracer) = self
            .tracer()
            .filter(|_| !upstream.is_valid() || upstream.is_sampled())
        else {
            return Span {
                context: parent,
                own: false,
            };
        };
        let (name, attributes, links) = describe();
        let builder = SpanBuilder::from_name(name)
            .with_kind(kind)
            .with_attributes(attributes)
            .with_links(links);
        let span = tracer.build_with_context(builder, &parent);
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
