//! A span that is open, and the one that is current.

use std::fmt;
use std::future::Future;

use cap_names::{Actor, ErrorClass, keys};
use http::HeaderMap;
use opentelemetry::trace::{FutureExt as _, Status, TraceContextExt as _, WithContext};
use opentelemetry::{Context, KeyValue, Value};

use crate::carrier::Carrier;
use crate::propagate::{self, Audience};

/// An open span; it ends when this is dropped. Under an unsampled parent it stands for the parent and records nothing.
#[derive(Debug)]
#[must_use = "the span ends when this is dropped"]
pub struct Span {
    pub(crate) context: Context,
    /// Whether this opened a span, or only carries its parent's context on.
    pub(crate) own: bool,
}

impl Span {
    /// Runs a future with this span as the current one.
    pub fn scope<F: Future>(&self, future: F) -> WithContext<F> {
        future.with_context(self.context.clone())
    }

    /// Runs a function with this span as the current one.
    pub fn in_scope<T>(&self, f: impl FnOnce() -> T) -> T {
        let _current = self.context.clone().attach();
        f()
    }

    /// The context as text, to be stored with a job.
    pub fn carrier(&self) -> Carrier {
        Carrier::of(&self.context)
    }

    /// Adds the context to the headers of an outgoing request.
    pub fn inject(&self, headers: &mut HeaderMap, audience: Audience) {
        propagate::inject(&self.context, headers, audience);
    }

    /// The status that an external system answered; from 400 on the span is an error.
    pub fn http_status(&self, status: u16) {
        self.status(status, 400);
    }

    /// The status that this service answers a [`request`](crate::Tracing::request) with; from 500 on the span is an error.
    pub fn answered(&self, status: u16) {
        self.status(status, 500);
    }

    fn status(&self, status: u16, error_from: u16) {
        self.set("http.response.status_code", i64::from(status));
        if status >= error_from {
            self.set("error.type", status.to_string());
            self.context.span().set_status(Status::error(""));
        }
    }

    /// The span's work failed. The message must hold no secret.
    pub fn fail(&self, class: ErrorClass, message: &dyn fmt::Display) {
        fail(&self.context, class, message);
    }

    /// Sets an attribute.
    pub fn set(&self, key: &'static str, value: impl Into<Value>) {
        set(&self.context, key, value);
    }

    /// Trace id and span id in hexadecimal, when this span is sampled.
    pub fn ids(&self) -> Option<(String, String)> {
        ids(&self.context)
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if self.own {
            self.context.span().end();
        }
    }
}

/// The span that is current where this is called: that of the request or job under way.
pub fn current() -> Current {
    Current(Context::current())
}

/// The current span. Its setters do nothing where there is none, or where it is not sampled.
#[derive(Debug)]
pub struct Current(Context);

impl Current {
    /// The organisation.
    pub fn org(&self, id: &str) -> &Self {
        self.set(keys::ORG_ID, id)
    }

    /// The project.
    pub fn project(&self, id: &str) -> &Self {
        self.set(keys::PROJECT_ID, id)
    }

    /// The certificate.
    pub fn certificate(&self, id: &str) -> &Self {
        self.set(keys::CERT_ID, id)
    }

    /// Who acts. Only the kind is recorded.
    pub fn actor(&self, actor: &Actor) -> &Self {
        self.set(keys::ACTOR_TYPE, actor.kind().as_str())
    }

    /// An audit event happened.
    pub fn audit_event(&self, id: &str, event_type: &str) -> &Self {
        let span = self.0.span();
        if span.is_recording() {
            let attributes = vec![
                KeyValue::new(keys::EVENT_ID, id.to_owned()),
                KeyValue::new(keys::EVENT_TYPE, event_type.to_owned()),
            ];
            span.add_event("audit", attributes);
        }
        self
    }

    /// The work under way failed. The message must hold no secret.
    pub fn fail(&self, class: ErrorClass, message: &dyn fmt::Display) -> &Self {
        fail(&self.0, class, message);
        self
    }

    /// The context as text, to be stored with a job.
    pub fn carrier(&self) -> Carrier {
        Carrier::of(&self.0)
    }

    /// Trace id and span id in hexadecimal, when the span is sampled.
    pub fn ids(&self) -> Option<(String, String)> {
        ids(&self.0)
    }

    /// The same as bytes, for where text would cost too much.
    pub fn id_bytes(&self) -> Option<([u8; 16], [u8; 8])> {
        let span = self.0.span();
        let ids = span.span_context();
        ids.is_sampled()
            .then(|| (ids.trace_id().to_bytes(), ids.span_id().to_bytes()))
    }

    fn set(&self, key: &'static str, value: &str) -> &Self {
        let span = self.0.span();
        if span.is_recording() {
            span.set_attribute(KeyValue::new(key, value.to_owned()));
        }
        self
    }
}

fn set(context: &Context, key: &'static str, value: impl Into<Value>) {
    let span = context.span();
    if span.is_recording() {
        span.set_attribute(KeyValue::new(key, value));
    }
}

fn fail(context: &Context, class: ErrorClass, message: &dyn fmt::Display) {
    let span = context.span();
    if span.is_recording() {
        span.set_attribute(KeyValue::new(keys::ERROR_CLASS, class.as_str()));
        span.set_status(Status::error(message.to_string()));
    }
}

fn ids(context: &Context) -> Option<(String, String)> {
    let span = context.span();
    let ids = span.span_context();
    ids.is_sampled()
        .then(|| (ids.trace_id().to_string(), ids.span_id().to_string()))
}
