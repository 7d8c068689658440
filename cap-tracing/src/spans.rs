//! The typed spans that need no options: the name and the attributes of each kind of work.
//!
//! `cap.*` keys are the product's own. The other keys are OpenTelemetry's semantic conventions for
//! HTTP, databases and messaging.

use std::borrow::Cow;

use cap_names::attributes;
use http::{Method, Uri};
use opentelemetry::trace::SpanKind;
use opentelemetry::{Context, KeyValue};

use crate::request::known_method;
use crate::span::Span;
use crate::start::{ATTRIBUTES, SpanSpec};
use crate::tracer::Tracer;

impl Tracer {
    /// A job that is put into the queue. Store the span's [`carrier`](Span::carrier) with the job.
    pub fn enqueue(&self, job_type: &str, job_id: &str) -> Span {
        let name = || ["enqueue ", job_type].concat().into();
        self.open_current(SpanKind::Producer, name, || {
            vec![
                KeyValue::new(attributes::JOB_TYPE, job_type.to_owned()),
                KeyValue::new(attributes::JOB_ID, job_id.to_owned()),
            ]
        })
    }

    /// A call to an external system. The span records neither path nor query of the URI, since
    /// either may hold a token.
    pub fn external_call(
        &self,
        provider: &str,
        endpoint: &str,
        method: &Method,
        uri: &Uri,
    ) -> Span {
        let name = || [provider, " ", endpoint].concat().into();
        self.open_current(SpanKind::Client, name, || {
            let mut attributes = Vec::with_capacity(ATTRIBUTES);
            attributes.extend([
                KeyValue::new(attributes::EXTERNAL_PROVIDER, provider.to_owned()),
                KeyValue::new(attributes::EXTERNAL_ENDPOINT, endpoint.to_owned()),
            ]);
            attributes.extend(http_call(method, uri));
            attributes
        })
    }

    /// A call over HTTP to another service of the product.
    #[cfg(feature = "http")]
    pub(crate) fn remote_call(
        &self,
        service: &str,
        operation: &str,
        method: &Method,
        uri: &Uri,
    ) -> Span {
        let name = || [service, " ", operation].concat().into();
        self.open_current(SpanKind::Client, name, || {
            let mut attributes = Vec::with_capacity(ATTRIBUTES);
            attributes.extend(http_call(method, uri));
            attributes
        })
    }

    /// A database operation.
    pub fn db(&self, operation: &str, table: &str) -> Span {
        let name = || [operation, " ", table].concat().into();
        self.open_current(SpanKind::Client, name, || {
            vec![
                KeyValue::new("db.operation.name", operation.to_owned()),
                KeyValue::new("db.collection.name", table.to_owned()),
            ]
        })
    }

    /// A call to another part of this service: `service` does the work, and `operation` names it.
    pub fn service_call(&self, service: &str, operation: &str) -> Span {
        let name = || [service, " ", operation].concat().into();
        self.open_current(SpanKind::Internal, name, || {
            vec![KeyValue::new("code.function.name", [service, ".", operation].concat())]
        })
    }

    /// An audit or domain event that is sent to its receivers.
    ///
    /// To mark the current span with an event, use
    /// [`CurrentSpan::record_audit_event`](crate::CurrentSpan::record_audit_event).
    pub fn emit_event(&self, event_type: &str, event_id: &str) -> Span {
        let name = || ["emit ", event_type].concat().into();
        self.open_current(SpanKind::Producer, name, || {
            vec![
                KeyValue::new(attributes::EVENT_TYPE, event_type.to_owned()),
                KeyValue::new(attributes::EVENT_ID, event_id.to_owned()),
            ]
        })
    }

    fn open_current(
        &self,
        kind: SpanKind,
        name: impl FnOnce() -> Cow<'static, str>,
        attributes: impl FnOnce() -> Vec<KeyValue>,
    ) -> Span {
        self.open(Context::current(), || SpanSpec { kind, name: name(), attributes: attributes() })
    }
}

/// The attributes of an HTTP client span that can hold no secret.
fn http_call(method: &Method, uri: &Uri) -> impl Iterator<Item = KeyValue> {
    let method = known_method(method).unwrap_or("_OTHER");
    let host = uri.host().map(ToOwned::to_owned);
    let port = uri.port_u16().map(i64::from);
    [KeyValue::new("http.request.method", method)]
        .into_iter()
        .chain(host.map(|host| KeyValue::new("server.address", host)))
        .chain(port.map(|port| KeyValue::new("server.port", port)))
}
