//! An open span.

use std::fmt;
use std::future::Future;

use cap_names::{ErrorClass, attributes};
use http::{HeaderMap, StatusCode};
use opentelemetry::trace::{
    FutureExt as _, SpanKind, Status, TraceContextExt as _, TraceId, WithContext,
};
use opentelemetry::{Context, KeyValue, Value};

use crate::carrier::Carrier;
use crate::ids::SpanIds;
use crate::propagate::{self, Audience};
use crate::record::ERROR_TYPE;
use crate::sampling;

/// An open span, which ends when it is dropped. Under an unsampled parent it records nothing and
/// passes its parent's context on.
#[derive(Debug)]
#[must_use = "the span ends when this is dropped"]
pub struct Span {
    /// The context with this span in it, or the parent's.
    context: Context,
    state: State,
}

#[derive(Debug)]
enum State {
    /// This span is recorded and ends with this handle.
    Recorded(SpanKind),
    /// No span was made. The context is the parent's.
    NonRecording,
    /// An unsampled trace begins here. Its context is made on demand, because many a span is
    /// dropped before anybody asks for it.
    Unsampled(TraceId),
}

impl Span {
    pub(crate) fn recorded(context: Context, kind: SpanKind) -> Self {
        Self { context, state: State::Recorded(kind) }
    }

    pub(crate) fn non_recording(parent: Context) -> Self {
        Self { context: parent, state: State::NonRecording }
    }

    pub(crate) fn unsampled_root(parent: Context, trace_id: TraceId) -> Self {
        Self { context: parent, state: State::Unsampled(trace_id) }
    }

    /// The context in which this span is the current one.
    pub(crate) fn context(&self) -> Context {
        match self.state {
            State::Recorded(_) | State::NonRecording => self.context.clone(),
            State::Unsampled(trace_id) => {
                let root = sampling::unsampled_root(trace_id);
                self.context.with_remote_span_context(root)
            }
        }
    }

    /// Makes the context of an unsampled root now, for a caller that asks for it repeatedly.
    #[cfg(any(feature = "bridge", feature = "http"))]
    pub(crate) fn materialize(&mut self) {
        if let State::Unsampled(_) = self.state {
            self.context = self.context();
            self.state = State::NonRecording;
        }
    }

    /// Whether a span was made for this handle.
    pub(crate) fn is_recorded(&self) -> bool {
        matches!(self.state, State::Recorded(_))
    }

    /// Adds a name and attributes that became known after the start.
    #[cfg(feature = "bridge")]
    pub(crate) fn update(&self, name: Option<String>, attributes: Vec<KeyValue>) {
        let span = self.context.span();
        if let Some(name) = name {
            span.update_name(name);
        }
        span.set_attributes(attributes);
    }

    /// Links to the span of another context, if it has one.
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

    /// Records the status of an answer.
    ///
    /// - On the span of a [`request`](crate::Tracer::request), this service sent the answer. From
    ///   500 on, the span is an error. Its class is that of the last
    ///   [`CurrentSpan::record_error`](crate::CurrentSpan::record_error) under it, else
    ///   `io_transient`.
    /// - On any other span, another system sent the answer. From 400 on, the span is an error:
    ///   `auth` for 401 and 403, `io_transient` for 429 and from 500 on, otherwise `io_permanent`.
    ///   A later [`record_error`](Self::record_error) replaces the class.
    pub fn record_status(&self, status: StatusCode) {
        let State::Recorded(kind) = &self.state else {
            return;
        };
        let span = self.context.span();
        let code = i64::from(status.as_u16());
        span.set_attribute(KeyValue::new("http.response.status_code", code));
        let Some(class) = ErrorClass::from_http_status(status.as_u16()) else {
            return;
        };
        let serves = *kind == SpanKind::Server;
        if serves && status < StatusCode::INTERNAL_SERVER_ERROR {
            return;
        }
        span.set_attribute(KeyValue::new(ERROR_TYPE, status.as_str().to_owned()));
        span.set_status(Status::error(""));
        if !serves {
            span.set_attribute(KeyValue::new(attributes::ERROR_CLASS, class.as_str()));
        }
    }

    /// Records that no answer came. A service that fails without an answer sends 500.
    #[cfg(feature = "http")]
    pub(crate) fn record_no_answer(&self) {
        match self.state {
            State::Recorded(SpanKind::Server) => {
                self.record_status(StatusCode::INTERNAL_SERVER_ERROR);
            }
            // The message of the error may contain the URI.
            _ => self.record_error(ErrorClass::Network, &"no answer"),
        }
    }

    /// Records that the span's work failed. The message must hold no secret.
    pub fn record_error(&self, class: ErrorClass, message: &dyn fmt::Display) {
        if self.is_recorded() {
            record_error(&self.context, class, message);
        }
    }

    /// Sets an attribute. A second value for the same key replaces the first.
    pub fn set_attribute(&self, key: &'static str, value: impl Into<Value>) {
        if self.is_recorded() {
            let span = self.context.span();
            span.set_attribute(KeyValue::new(key, value));
        }
    }

    /// The span's ids, when it is sampled.
    pub fn ids(&self) -> Option<SpanIds> {
        SpanIds::sampled(self.context.span().span_context())
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let State::Recorded(_) = self.state {
            self.context.span().end();
        }
    }
}

pub(crate) fn record_error(context: &Context, class: ErrorClass, message: &dyn fmt::Display) {
    let span = context.span();
    if span.is_recording() {
        span.set_attribute(KeyValue::new(attributes::ERROR_CLASS, class.as_str()));
        span.set_status(Status::error(message.to_string()));
    }
}
