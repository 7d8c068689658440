//! A span that is open, and the one that is current.

use std::fmt;
use std::future::Future;

use cap_names::{Actor, ErrorClass, attributes};
use http::HeaderMap;
use opentelemetry::trace::{FutureExt as _, Status, TraceContextExt as _, TraceId, WithContext};
use opentelemetry::{Context, KeyValue, Value};

use crate::carrier::Carrier;
use crate::propagate::{self, Audience, traceparent};
use crate::recorder::ERROR_TYPE;
use crate::sampling;

/// An open span; it ends when this is dropped. Under an unsampled parent it stands for the parent and records nothing.
#[derive(Debug)]
#[must_use = "the span ends when this is dropped"]
pub struct Span {
    /// With the span in it, or its parent's.
    context: Context,
    state: State,
}

#[derive(Debug)]
enum State {
    /// It is this span's to end.
    Recorded,
    /// Nothing was made: the context is the parent's.
    Standing,
    /// A trace begins here that is not sampled. The context that says so is made when somebody asks for it: many a span is opened
    /// and dropped with nothing in between.
    Unsampled(TraceId),
}

impl Span {
    pub(crate) fn recorded(context: Context) -> Self {
        Span {
            context,
            state: State::Recorded,
        }
    }

    pub(crate) fn standing_for(parent: Context) -> Self {
        Span {
            context: parent,
            state: State::Standing,
        }
    }

    pub(crate) fn unsampled_root(parent: Context, trace_id: TraceId) -> Self {
        Span {
            context: parent,
            state: State::Unsampled(trace_id),
        }
    }

    /// The context in which this span is the current one.
    pub(crate) fn context(&self) -> Context {
        match self.state {
            State::Recorded | State::Standing => self.context.clone(),
            State::Unsampled(trace_id) => {
                let root = sampling::unsampled_root(trace_id);
                self.context.with_remote_span_context(root)
            }
        }
    }

    /// The same span, for whom its context is asked for again and again.
    pub(crate) fn settle(&mut self) {
        if let State::Unsampled(_) = self.state {
            self.context = self.context();
            self.state = State::Standing;
        }
    }

    /// Whether this is a span of its own, and not yet ended.
    pub(crate) fn is_recorded(&self) -> bool {
        matches!(self.state, State::Recorded)
    }

    /// Adds what became known of it later.
    #[cfg(feature = "bridge")]
    pub(crate) fn update(&self, name: Option<String>, attributes: Vec<KeyValue>) {
        let span = self.context.span();
        if let Some(name) = name {
            span.update_name(name);
        }
        span.set_attributes(attributes);
    }

    /// Links the span to the one in another context, if there is one.
    pub(crate) fn link(&self, other: &Context) {
        if other.has_active_span() {
            let other = other.span().span_context().clone();
            self.context.span().add_link(other, Vec::new());
        }
    }

    /// Runs a future with this span as the current one.
    pub fn scope<F: Future>(&self, future: F) -> WithContext<F> {
        future.with_context(self.context())
    }

    /// Runs a function with this span as the current one.
    pub fn in_scope<T>(&self, f: impl FnOnce() -> T) -> T {
        let _current = self.context().attach();
        f()
    }

    /// The context as text, to be stored with a job.
    pub fn carrier(&self) -> Carrier {
        Carrier::of(&self.context())
    }

    /// Adds the context to the headers of an outgoing request.
    pub fn inject(&self, headers: &mut HeaderMap, audience: Audience) {
        propagate::inject(&self.context(), headers, audience);
    }

    /// The status that an external system answered. From 400 on the span is an error: of class `auth` for 401 and 403,
    /// `io_transient` for 429 and from 500 on, otherwise `io_permanent`. [`fail`](Self::fail) afterwards says it better.
    pub fn http_status(&self, status: u16) {
        let class = ErrorClass::from_http_status(status);
        self.status(status, class.is_some());
        if let Some(class) = class {
            self.set(attributes::ERROR_CLASS, class.as_str());
        }
    }

    /// The status that this service answers a [`request`](crate::Tracing::request) with; from 500 on the span is an error. Its class is
    /// that of whatever [failed](Current::fail) underneath, and `io_transient` where nothing said so.
    pub fn answered(&self, status: u16) {
        self.status(status, status >= 500);
    }

    fn status(&self, status: u16, failed: bool) {
        if !self.is_recorded() {
            return;
        }
        let span = self.context.span();
        span.set_attribute(KeyValue::new(
            "http.response.status_code",
            i64::from(status),
        ));
        if failed {
            span.set_attribute(KeyValue::new(ERROR_TYPE, status.to_string()));
            span.set_status(Status::error(""));
        }
    }

    /// The span's work failed. The message must hold no secret.
    pub fn fail(&self, class: ErrorClass, message: &dyn fmt::Display) {
        if self.is_recorded() {
            fail(&self.context, class, message);
        }
    }

    /// Sets an attribute, or sets it anew.
    pub fn set(&self, key: &'static str, value: impl Into<Value>) {
        if self.is_recorded() {
            let span = self.context.span();
            span.set_attribute(KeyValue::new(key, value));
        }
    }

    /// Trace id and span id in hexadecimal, when this span is sampled.
    pub fn ids(&self) -> Option<(String, String)> {
        ids(&self.context)
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let State::Recorded = self.state {
            self.context.span().end();
        }
    }
}

/// The span that is current where this is called: that of the request or job under way.
pub fn current() -> Current {
    Current(Context::current())
}

/// Trace id and span id of the current span as bytes, when it is sampled: for exemplars, which are asked for where everything counts.
pub fn current_ids() -> Option<([u8; 16], [u8; 8])> {
    Context::map_current(|context| {
        let span = context.span();
        let ids = span.span_context();
        ids.is_sampled()
            .then(|| (ids.trace_id().to_bytes(), ids.span_id().to_bytes()))
    })
}

/// The current span. Its setters do nothing where there is none, or where it is not sampled.
#[derive(Debug)]
pub struct Current(Context);

impl Current {
    /// The organisation.
    pub fn org(&self, id: &str) -> &Self {
        self.set(attributes::ORG_ID, id)
    }

    /// The project.
    pub fn project(&self, id: &str) -> &Self {
        self.set(attributes::PROJECT_ID, id)
    }

    /// The certificate.
    pub fn certificate(&self, id: &str) -> &Self {
        self.set(attributes::CERT_ID, id)
    }

    /// The distribution.
    pub fn distribution(&self, id: &str) -> &Self {
        self.set(attributes::DISTRIBUTION_ID, id)
    }

    /// Who acts. Only the kind is recorded.
    pub fn actor(&self, actor: &Actor) -> &Self {
        self.set(attributes::ACTOR_TYPE, actor.kind().as_str())
    }

    /// An audit event happened.
    pub fn audit_event(&self, id: &str, event_type: &str) -> &Self {
        let span = self.0.span();
        if span.is_recording() {
            let attributes = vec![
                KeyValue::new(attributes::EVENT_ID, id.to_owned()),
                KeyValue::new(attributes::EVENT_TYPE, event_type.to_owned()),
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

    /// Runs a future with this span as the current one, on whatever thread.
    pub fn scope<F: Future>(&self, future: F) -> WithContext<F> {
        future.with_context(self.0.clone())
    }

    /// Runs a function with this span as the current one, on whatever thread.
    pub fn in_scope<T>(&self, f: impl FnOnce() -> T) -> T {
        let _current = self.0.clone().attach();
        f()
    }

    /// Trace id and span id in hexadecimal, when the span is sampled.
    pub fn ids(&self) -> Option<(String, String)> {
        ids(&self.0)
    }

    fn set(&self, key: &'static str, value: &str) -> &Self {
        let span = self.0.span();
        if span.is_recording() {
            span.set_attribute(KeyValue::new(key, value.to_owned()));
        }
        self
    }
}

fn fail(context: &Context, class: ErrorClass, message: &dyn fmt::Display) {
    let span = context.span();
    if span.is_recording() {
        span.set_attribute(KeyValue::new(attributes::ERROR_CLASS, class.as_str()));
        span.set_status(Status::error(message.to_string()));
    }
}

fn ids(context: &Context) -> Option<(String, String)> {
    let span = context.span();
    let ids = span.span_context();
    ids.is_sampled().then(|| traceparent::ids(ids))
}
